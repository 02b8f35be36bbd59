/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OP_SORT: the rows of a partition in order, equal ones as they came. Before a shuffle it makes a
 * run, behind one it merges the runs of all maps: the same code, which finds the runs by itself.
 * With a limit n it holds O(n) rows.
 */
#include "exec/call.h"

struct sort {
    struct operator base;
    struct order order;
    struct builder rows; /* all rows so far, in one chunk */
    struct builder out;
    uint32_t *sorted; /* row numbers */
    size_t capacity;
};

static bool no_memory(struct sort *self)
{
    beck__error_memory(&self->base.task->error, self->base.op->name,
                       (size_t)self->rows.chunk->rows * sizeof *self->sorted);
    return false;
}

/* sorted[]; how many of them are wanted in *count. */
static bool order_rows(struct sort *self, uint32_t *count)
{
    const struct allocator *memory = self->base.task->memory;
    uint32_t rows = self->rows.chunk->rows;
    uint64_t limit = self->base.op->number;

    *count = limit && limit < rows ? (uint32_t)limit : rows;
    return (beck__vector_reserve(memory, (void **)&self->sorted, &self->capacity, rows,
                                 sizeof *self->sorted) &&
            beck__sort_rows(memory, &self->order, self->rows.chunk, self->sorted)) ||
           no_memory(self);
}

/* Leaves the first `number` rows, in order: those that come later go behind their equals. */
static bool shrink(struct sort *self)
{
    struct builder first;
    uint32_t count;

    if (!order_rows(self, &count) ||
        beck__builder_init(&first, self->rows.memory, self->rows.schema, UINT32_MAX,
                           &self->base.task->error))
        return false;
    bool ok = beck__builder_rows(&first, self->rows.chunk, self->sorted, count, false);
    if (!ok) {
        beck__builder_deinit(&first);
        return no_memory(self);
    }
    beck__builder_deinit(&self->rows);
    self->rows = first;
    return true;
}

static enum flow sort_push(struct operator *base, const beck_chunk *chunk)
{
    struct sort *self = (struct sort *)base;
    uint64_t limit = base->op->number;

    if (chunk->rows > UINT32_MAX - self->rows.chunk->rows) {
        beck__error_set(&base->task->error, BECK_UNSUPPORTED,
                        "%s: more than %u rows in one partition; use more partitions",
                        base->op->name, UINT32_MAX);
        return FLOW_FAILED;
    }
    if (!beck__builder_rows(&self->rows, chunk, NULL, chunk->rows, false)) {
        no_memory(self);
        return FLOW_FAILED;
    }
    bool many = limit && self->rows.chunk->rows / 2 > limit &&
                self->rows.chunk->rows - limit > 2 * BECK__CHUNK_ROWS;
    return many && !shrink(self) ? FLOW_FAILED : FLOW_MORE;
}

static enum flow sort_finish(struct operator *base)
{
    struct sort *self = (struct sort *)base;
    enum flow flow = FLOW_MORE;
    uint32_t count;

    if (self->rows.chunk->rows == 0)
        return FLOW_MORE;
    if (!order_rows(self, &count))
        return FLOW_FAILED;
    for (uint32_t from = 0; from < count && flow == FLOW_MORE; from += BECK__CHUNK_ROWS) {
        uint32_t n = beck__step(from, count, BECK__CHUNK_ROWS);
        if (!beck__builder_rows(&self->out, self->rows.chunk, self->sorted + from, n, true))
            return no_memory(self) ? FLOW_MORE : FLOW_FAILED;
        flow = beck__flush(base, &self->out);
    }
    return flow;
}

static void sort_close(struct operator *base)
{
    struct sort *self = (struct sort *)base;

    beck__builder_deinit(&self->rows);
    beck__builder_deinit(&self->out);
    beck__free(base->task->memory, self->sorted, self->capacity * sizeof *self->sorted);
}

struct operator *beck__sort_open(struct task *task, const struct op *op)
{
    struct sort *self = beck__operator_new(task, op, sizeof *self);

    if (!self || beck__builder_init(&self->rows, task->memory, op->in, UINT32_MAX, &task->error))
        return NULL;
    if (beck__builder_init(&self->out, task->memory, op->out, 0, &task->error)) {
        beck__builder_deinit(&self->rows);
        return NULL;
    }
    self->order = (struct order){op->column_count, op->columns};
    self->base.push = sort_push;
    self->base.finish = sort_finish;
    self->base.close = sort_close;
    return &self->base;
}
