/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small operators without user code: project, limit, glom; and map_partitions, which calls the user
 * once per partition. glom and map_partitions are pipeline breakers: they collect the partition.
 */
#include "exec/call.h"

/* ---- project --------------------------------------------------------------------------------- */

struct project {
    struct operator base;
    beck_chunk out; /* borrows the columns of its input */
};

static enum flow project_push(struct operator *base, const beck_chunk *chunk)
{
    struct project *self = (struct project *)base;

    self->out.rows = chunk->rows;
    for (uint32_t k = 0; k < base->op->column_count; k++)
        self->out.column[k] = chunk->column[base->op->columns[k]];
    return base->next->push(base->next, &self->out);
}

struct operator *beck__project_open(struct task *task, const struct op *op)
{
    struct project *self = beck__operator_new(task, op, sizeof *self);

    if (!self)
        return NULL;
    self->out.columns = op->column_count;
    self->out.schema = op->out;
    self->out.column = beck__arena_alloc(&task->arena, op->column_count * sizeof *self->out.column);
    if (!self->out.column) {
        beck__error_memory(&task->error, op->name, op->column_count * sizeof *self->out.column);
        return NULL;
    }
    self->base.push = project_push;
    return &self->base;
}

/* ---- limit ----------------------------------------------------------------------------------- */

struct limit {
    struct operator base;
    uint64_t left;
    struct builder out;
};

static enum flow limit_push(struct operator *base, const beck_chunk *chunk)
{
    struct limit *self = (struct limit *)base;
    enum flow flow;

    if (self->left >= chunk->rows) {
        self->left -= chunk->rows;
        flow = base->next->push(base->next, chunk);
    } else {
        if (!beck__builder_rows(&self->out, chunk, NULL, (uint32_t)self->left, true)) {
            beck__error_memory(&base->task->error, "limit", 0);
            return FLOW_FAILED;
        }
        self->left = 0;
        flow = beck__flush(base, &self->out);
    }
    return flow == FLOW_MORE && self->left == 0 ? FLOW_DONE : flow;
}

static void limit_close(struct operator *base)
{
    beck__builder_deinit(&((struct limit *)base)->out);
}

struct operator *beck__limit_open(struct task *task, const struct op *op)
{
    struct limit *self = beck__operator_new(task, op, sizeof *self);

    if (!self || beck__builder_init(&self->out, task->memory, op->out, UINT32_MAX, &task->error))
        return NULL;
    self->left = op->number;
    self->base.push = limit_push;
    self->base.close = limit_close;
    return &self->base;
}

/* ---- the partition as a whole ---------------------------------------------------------------- */

struct whole {
    struct operator base;
    struct blocks rows;
    beck_rows_fn *fn; /* NULL: glom */
    bool emits;
    struct builder out;
    beck_call call;
};

static enum flow whole_push(struct operator *base, const beck_chunk *chunk)
{
    struct whole *self = (struct whole *)base;
    struct block *block =
        beck__block_new(base->task->memory, base->op->in, chunk, 0, chunk->rows, NULL);

    if (!block || !beck__blocks_add(&self->rows, block)) {
        beck__error_memory(&base->task->error, base->op->name, 0);
        return FLOW_FAILED;
    }
    return FLOW_MORE;
}

static void whole_close(struct operator *base)
{
    struct whole *self = (struct whole *)base;

    beck__blocks_deinit(&self->rows);
    if (self->emits)
        beck__builder_deinit(&self->out);
}

static enum flow partition_finish(struct operator *base)
{
    struct whole *self = (struct whole *)base;
    struct beck_rows rows = {.blocks = &self->rows};

    self->call.rows = &rows;
    beck__call_enter(&self->call);
    self->fn(&self->call, &rows);
    enum flow flow = beck__call_check(&self->call);
    beck__call_leave(&self->call);
    self->call.rows = NULL;
    if (flow == FLOW_MORE && self->emits)
        flow = beck__flush(base, &self->out);
    return flow;
}

static enum flow glom_finish(struct operator *base)
{
    struct whole *self = (struct whole *)base;
    struct builder all;
    bool ok =
        !beck__builder_init(&all, base->task->memory, base->op->in, UINT32_MAX, &base->task->error);

    for (size_t i = 0; ok && i < self->rows.count; i++)
        ok = beck__builder_rows(&all, self->rows.items[i]->chunk, NULL,
                                self->rows.items[i]->chunk->rows, true);
    if (ok)
        ok = beck__builder_array(&self->out, 0, all.chunk, NULL, all.chunk->rows, true);
    if (ok)
        beck__builder_end_row(&self->out);
    enum flow flow = ok ? beck__flush(base, &self->out) : FLOW_FAILED;
    if (!ok)
        beck__error_memory(&base->task->error, "glom", 0);
    beck__builder_deinit(&all);
    return flow;
}

static struct whole *whole_new(struct task *task, const struct op *op, bool emits)
{
    struct whole *self = beck__operator_new(task, op, sizeof *self);

    if (!self)
        return NULL;
    self->rows.memory = task->memory;
    self->emits = emits;
    if (emits && beck__builder_init(&self->out, task->memory, op->out, 0, &task->error))
        return NULL;
    self->base.push = whole_push;
    self->base.close = whole_close;
    return self;
}

struct operator *beck__partition_open(struct task *task, const struct op *op)
{
    beck_rows_fn *fn;

    if (!beck__function_get(task, op, 0, &fn))
        return NULL;
    struct whole *self = whole_new(task, op, op->emits != EMITS_NONE);
    if (!self)
        return NULL;
    self->fn = fn;
    beck__call_init(&self->call, task, op, self->emits ? &self->out : NULL);
    self->call.flusher = &self->base;
    self->base.finish = partition_finish;
    return &self->base;
}

struct operator *beck__glom_open(struct task *task, const struct op *op)
{
    struct whole *self = whole_new(task, op, true);

    if (!self)
        return NULL;
    self->base.finish = glom_finish;
    return &self->base;
}
