/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cogroup and a join consist of beside the group table: rows that take their side, and lists
 * that become pairs.
 *
 *   left  (k, v)  --side 0-->  (k, {v}, null)
 *   right (k, w)  --side 1-->  (k, null, {w})
 *   both, shuffled  --group--> (k, [v], [w])  --join--> (k, v, w)
 */
#include "exec/call.h"

/* ---- side ------------------------------------------------------------------------------------ */

struct side {
    struct operator base;
    beck_chunk out;       /* borrows the columns of its input */
    beck_chunk values;    /* the fields of this side */
    struct builder nulls; /* the other sides, as many rows as the largest chunk so far */
    beck_schema null_schema;
};

static bool more_nulls(struct side *self, uint32_t rows)
{
    beck_value null = beck_null;
    struct builder *b = &self->nulls;

    while (b->chunk->rows < rows) {
        for (uint32_t k = 0; k < b->schema->count; k++)
            if (beck__builder_value(b, k, &null, NULL, &self->base.task->error))
                return false;
        beck__builder_end_row(b);
    }
    return true;
}

static enum flow side_push(struct operator *base, const beck_chunk *chunk)
{
    struct side *self = (struct side *)base;
    const struct op *op = base->op;
    uint32_t sides = op->out->count - op->keys;

    if (!more_nulls(self, chunk->rows))
        return FLOW_FAILED;
    self->out.rows = self->values.rows = chunk->rows;
    for (uint32_t k = 0; k < op->keys; k++)
        self->out.column[k] = chunk->column[k];
    for (uint32_t i = 0; i < sides; i++) {
        beck_column *side = &self->out.column[op->keys + i];
        *side = self->nulls.chunk->column[i];
        side->size = chunk->rows;
    }
    beck_column *own = &self->out.column[op->keys + op->number];
    *own = (beck_column){.type = BECK_STRUCT, .size = chunk->rows, .child = &self->values};
    self->values.column = &chunk->column[op->keys];
    return base->next->push(base->next, &self->out);
}

static void side_close(struct operator *base)
{
    beck__builder_deinit(&((struct side *)base)->nulls);
}

struct operator *beck__side_open(struct task *task, const struct op *op)
{
    struct side *self = beck__operator_new(task, op, sizeof *self);

    if (!self)
        return NULL;
    self->out.columns = op->out->count;
    self->out.schema = op->out;
    self->out.column = beck__arena_alloc(&task->arena, op->out->count * sizeof *self->out.column);
    self->values.columns = op->in->count - op->keys;
    self->null_schema =
        (beck_schema){.count = op->out->count - op->keys, .fields = op->out->fields + op->keys};
    if (!self->out.column) {
        beck__error_memory(&task->error, op->name, op->out->count * sizeof *self->out.column);
        return NULL;
    }
    if (beck__builder_init(&self->nulls, task->memory, &self->null_schema, UINT32_MAX,
                           &task->error))
        return NULL;
    self->base.push = side_push;
    self->base.close = side_close;
    return &self->base;
}

/* ---- join ------------------------------------------------------------------------------------ */

/* Pairs are collected as row numbers and copied column by column. All of a run have both sides, or
 * lack the same one. */
struct join {
    struct operator base;
    struct builder out;
    uint32_t count;
    unsigned lacks; /* bit 0: the left side, bit 1: the right one */
    uint32_t keys[BECK__CHUNK_ROWS];
    uint32_t rows[2][BECK__CHUNK_ROWS]; /* elements of the lists */
};

static bool append_side(struct join *self, const beck_chunk *chunk, uint32_t side, uint32_t at)
{
    beck_value null = beck_null;
    const struct op *op = self->base.op;

    if (at >= op->out->count) /* this side is not asked for */
        return true;
    const beck_column *element = chunk->column[op->keys + side].child->column;
    uint32_t width = op->columns[side];
    const beck_column *from = width == 1 ? element : element->child->column;

    for (uint32_t i = 0; i < width; i++) {
        if (!(self->lacks >> side & 1)) {
            if (!beck__builder_cells(&self->out, at + i, &from[i], self->rows[side], self->count,
                                     true))
                return false;
            continue;
        }
        for (uint32_t n = 0; n < self->count; n++)
            if (beck__builder_value(&self->out, at + i, &null, NULL, NULL))
                return false;
    }
    return true;
}

/* The pairs collected so far, into the output chunk. */
static bool append(struct join *self, const beck_chunk *chunk)
{
    const struct op *op = self->base.op;
    bool ok = true;

    for (uint32_t k = 0; ok && k < op->keys; k++)
        ok = beck__builder_cells(&self->out, k, &chunk->column[k], self->keys, self->count, true);
    ok = ok && append_side(self, chunk, 0, op->keys) &&
         append_side(self, chunk, 1, op->keys + op->columns[0]);
    if (!ok)
        beck__error_memory(&self->base.task->error, op->name, 0);
    self->out.chunk->rows += ok ? self->count : 0;
    self->count = 0;
    return ok;
}

static enum flow add(struct join *self, const beck_chunk *chunk, unsigned lacks, uint32_t row,
                     uint32_t left, uint32_t right)
{
    bool full = self->out.chunk->rows + self->count == BECK__CHUNK_ROWS;

    if ((full || lacks != self->lacks) && self->count && !append(self, chunk))
        return FLOW_FAILED;
    if (full) {
        enum flow flow = beck__flush(&self->base, &self->out);
        if (flow != FLOW_MORE)
            return flow;
    }
    self->lacks = lacks;
    self->keys[self->count] = row;
    self->rows[0][self->count] = left;
    self->rows[1][self->count++] = right;
    return FLOW_MORE;
}

static bool is_wanted(uint64_t kind, bool no_left, bool no_right)
{
    if (kind > BECK_FULL_OUTER)
        return !no_left && no_right == (kind == JOIN_LEFT_ALONE);
    return !(no_left && no_right) && (!no_left || (kind & BECK_RIGHT_OUTER)) &&
           (!no_right || (kind & BECK_LEFT_OUTER));
}

/* Every element of the left list with every one of the right list, left first. */
static enum flow add_row(struct join *self, const beck_chunk *chunk, uint32_t row)
{
    const struct op *op = self->base.op;
    const uint32_t *left = (const uint32_t *)chunk->column[op->keys].data + row;
    const uint32_t *right = (const uint32_t *)chunk->column[op->keys + 1].data + row;
    bool no_left = left[0] == left[1], no_right = right[0] == right[1];
    unsigned lacks = (no_left ? 1u : 0) | (no_right ? 2u : 0);

    if (!is_wanted(op->number, no_left, no_right))
        return FLOW_MORE;
    if (op->number == JOIN_KEYS)
        return add(self, chunk, lacks, row, left[0], right[0]);
    uint32_t left_end = no_left ? left[0] + 1 : left[1];
    uint32_t right_end = no_right ? right[0] + 1 : right[1];
    for (uint32_t i = left[0]; i < left_end; i++)
        for (uint32_t j = right[0]; j < right_end; j++) {
            enum flow flow = add(self, chunk, lacks, row, i, j);
            if (flow != FLOW_MORE)
                return flow;
        }
    return FLOW_MORE;
}

static enum flow join_push(struct operator *base, const beck_chunk *chunk)
{
    struct join *self = (struct join *)base;
    enum flow flow = FLOW_MORE;

    for (uint32_t row = 0; row < chunk->rows && flow == FLOW_MORE; row++)
        flow = add_row(self, chunk, row);
    if (flow != FLOW_MORE)
        return flow;
    return self->count && !append(self, chunk) ? FLOW_FAILED : beck__flush(base, &self->out);
}

static void join_close(struct operator *base)
{
    beck__builder_deinit(&((struct join *)base)->out);
}

struct operator *beck__join_open(struct task *task, const struct op *op)
{
    struct join *self = beck__operator_new(task, op, sizeof *self);

    if (!self || beck__builder_init(&self->out, task->memory, op->out, 0, &task->error))
        return NULL;
    self->base.push = join_push;
    self->base.close = join_close;
    return &self->base;
}
