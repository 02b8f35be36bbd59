/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OP_SIDE: the values of a row become the STRUCT of its side; those of the other sides are null. No
 * value moves: the columns stay where they are.
 *
 *   left  (k, v)  --side 0-->  (k, {v}, null)
 *   right (k, w)  --side 1-->  (k, null, {w})
 */
#include "exec/call.h"

/* tests: join_test.c */

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
