/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What needs to know more than its own rows: index (how many rows there are before this partition),
 * same (a key to compare with), and the row that an operation carries.
 */
#include "exec/call.h"

bool beck__row_get(struct task *task, const struct op *op, const beck_schema *schema,
                   struct block **block)
{
    struct block_place place;
    beck_status status = beck__block_decode(task->memory, schema, op->row.data, op->row.size, block,
                                            &place, &task->error);

    if (!status && (*block)->chunk->rows == 1)
        return true;
    if (!status) {
        beck__block_unref(*block);
        *block = NULL;
        beck__error_set(&task->error, BECK_CORRUPT, "%s: its row is damaged", op->name);
    }
    return false;
}

/* ---- index ----------------------------------------------------------------------------------- */

struct index {
    struct operator base;
    beck_chunk out; /* borrows the columns of its input */
    uint64_t next;
    int64_t numbers[BECK__CHUNK_ROWS];
    struct builder cut; /* of a larger chunk */
};

static enum flow index_chunk(struct index *self, const beck_chunk *chunk)
{
    beck_column *last = &self->out.column[chunk->columns];

    for (uint32_t i = 0; i < chunk->rows; i++)
        self->numbers[i] = (int64_t)self->next++;
    memcpy(self->out.column, chunk->column, chunk->columns * sizeof *chunk->column);
    *last = (beck_column){.type = BECK_BIGINT, .size = chunk->rows, .data = self->numbers};
    self->out.rows = chunk->rows;
    return self->base.next->push(self->base.next, &self->out);
}

static enum flow index_push(struct operator *base, const beck_chunk *chunk)
{
    struct index *self = (struct index *)base;
    enum flow flow = FLOW_MORE;
    uint32_t rows[BECK__CHUNK_ROWS];

    if (chunk->rows <= BECK__CHUNK_ROWS)
        return index_chunk(self, chunk);
    for (uint32_t at = 0, n; at < chunk->rows && flow == FLOW_MORE; at += n) {
        n = beck__step(at, chunk->rows, BECK__CHUNK_ROWS);
        for (uint32_t i = 0; i < n; i++)
            rows[i] = at + i;
        beck__builder_clear(&self->cut);
        if (!beck__builder_rows(&self->cut, chunk, rows, n, true)) {
            beck__error_memory(&base->task->error, base->op->name, 0);
            return FLOW_FAILED;
        }
        flow = index_chunk(self, self->cut.chunk);
    }
    return flow;
}

static void index_close(struct operator *base)
{
    beck__builder_deinit(&((struct index *)base)->cut);
}

struct operator *beck__index_open(struct task *task, const struct op *op)
{
    struct index *self = beck__operator_new(task, op, sizeof *self);

    if (!self)
        return NULL;
    self->out.columns = op->out->count;
    self->out.schema = op->out;
    self->out.column = beck__arena_alloc(&task->arena, op->out->count * sizeof *self->out.column);
    self->next = task->rows_before;
    if (!self->out.column) {
        beck__error_memory(&task->error, op->name, op->out->count * sizeof *self->out.column);
        return NULL;
    }
    if (beck__builder_init(&self->cut, task->memory, op->in, 0, &task->error))
        return NULL;
    self->base.push = index_push;
    self->base.close = index_close;
    return &self->base;
}

/* ---- same ------------------------------------------------------------------------------------ */

struct same {
    struct operator base;
    beck_schema schema; /* of the key */
    struct block *key;
    struct builder out;
};

static bool is_same(const struct same *self, const beck_chunk *chunk, uint32_t row)
{
    for (uint32_t k = 0; k < self->schema.count; k++)
        if (!beck__cell_equal(&self->key->chunk->column[k], 0, &chunk->column[k], row))
            return false;
    return true;
}

static enum flow same_push(struct operator *base, const beck_chunk *chunk)
{
    struct same *self = (struct same *)base;
    enum flow flow = FLOW_MORE;
    uint32_t rows[BECK__CHUNK_ROWS];

    for (uint32_t at = 0; at < chunk->rows && flow == FLOW_MORE;) {
        uint32_t count = 0;
        for (uint32_t n = 0; n < BECK__CHUNK_ROWS && at < chunk->rows; n++, at++)
            if (is_same(self, chunk, at))
                rows[count++] = at;
        if (!beck__builder_rows(&self->out, chunk, rows, count, true)) {
            beck__error_memory(&base->task->error, base->op->name, 0);
            return FLOW_FAILED;
        }
        flow = beck__flush(base, &self->out);
    }
    return flow;
}

static void same_close(struct operator *base)
{
    struct same *self = (struct same *)base;

    beck__block_unref(self->key);
    beck__builder_deinit(&self->out);
}

struct operator *beck__same_open(struct task *task, const struct op *op)
{
    struct same *self = beck__operator_new(task, op, sizeof *self);

    if (!self)
        return NULL;
    self->schema = (beck_schema){.count = op->keys, .fields = op->in->fields};
    if (!beck__row_get(task, op, &self->schema, &self->key))
        return NULL;
    if (beck__builder_init(&self->out, task->memory, op->out, 0, &task->error)) {
        beck__block_unref(self->key);
        return NULL;
    }
    self->base.push = same_push;
    self->base.close = same_close;
    return &self->base;
}
