/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OP_ACCUMULATE: the known state functions of numbers (a sum, a minimum ... per key over all
 * batches) without a call per row. A chunk of rows goes through in steps, so that the cache misses
 * of many keys overlap: find the slots, note what they were, then column by column.
 */
/* tests: stateful_test.c */
#include "exec/fold.h"

struct accumulate {
    struct operator base;
    struct state_table *table;
    struct builder out; /* of one row per input row */
    uint32_t slots[BECK__CHUNK_ROWS], rows[BECK__CHUNK_ROWS];
    bool fresh[BECK__CHUNK_ROWS]; /* the first row of its key */
};

#define LOOP(T, statement)                                                                         \
    for (uint32_t i = at; i < at + count; i++) {                                                   \
        T *cell = (T *)to->data + self->slots[i], x = ((const T *)from->data)[first + i];          \
        if (self->fresh[i])                                                                        \
            *cell = x;                                                                             \
        else                                                                                       \
            statement;                                                                             \
        if (made)                                                                                  \
            ((T *)made)[i] = *cell;                                                                \
    }

/* What the rows of a chunk are: slots[i] belongs to row first + i, for i from `at` on. */
struct span {
    uint32_t first, at, count;
};

/* Without nulls. `made`: the cells after each row, or NULL. */
static void column_numbers(struct accumulate *self, beck_column *to, const beck_column *from,
                           struct span span, int64_t *made)
{
    bool real = to->type == BECK_DOUBLE;
    uint32_t first = span.first, at = span.at, count = span.count;

    switch (self->base.op->fold) {
    case FOLD_SUM: /* BIGINT wraps */
        if (real)
            LOOP(double, *cell += x)
        else
            LOOP(int64_t, *cell = (int64_t)((uint64_t)*cell + (uint64_t)x))
        break;
    case FOLD_MIN:
        if (real)
            LOOP(double, if (beck__double_less(x, *cell)) *cell = x)
        else
            LOOP(int64_t, if (x < *cell) *cell = x)
        break;
    case FOLD_MAX:
        if (real)
            LOOP(double, if (beck__double_less(*cell, x)) *cell = x)
        else
            LOOP(int64_t, if (*cell < x) *cell = x)
        break;
    default: /* FOLD_LAST */
        LOOP(int64_t, *cell = x)
        break;
    }
}

static void column_counts(struct accumulate *self, beck_column *to, uint32_t count, int64_t *made)
{
    int64_t *cells = to->data;

    for (uint32_t i = 0; i < count; i++) {
        int64_t *cell = cells + self->slots[i];
        *cell = self->fresh[i] ? 1 : *cell + 1;
        if (made)
            made[i] = *cell;
    }
}

/* A null changes nothing, except that a key whose first value it is has a null. One row after the
 * other; returns whether the cell has a value then. */
static bool cell_nullable(struct accumulate *self, beck_column *to, const beck_column *from,
                          uint32_t first, uint32_t i)
{
    uint32_t slot = self->slots[i];
    bool fresh = self->fresh[i], null = from->valid && !beck__bit_get(from->valid, first + i);
    bool had = !fresh && beck__bit_get(to->valid, slot);

    self->fresh[i] = !had;
    if (!null)
        column_numbers(self, to, from, (struct span){first, i, 1}, NULL);
    self->fresh[i] = fresh; /* other columns want to know */
    if (null && !had)
        beck__bit_clear(to->valid, slot);
    else
        beck__bit_set(to->valid, slot);
    return !null || had;
}

static bool column_nullable(struct accumulate *self, uint32_t k, const beck_column *from,
                            uint32_t first, uint32_t count)
{
    beck_column *to = &self->table->rows.rows.chunk->column[k];
    const beck_value null = beck_null;
    bool emits = self->base.op->emits == EMITS_ONE;

    beck__column_need_valid(to);
    for (uint32_t i = 0; i < count; i++) {
        bool has = cell_nullable(self, to, from, first, i);
        uint32_t column = self->base.op->keys + k;
        if (emits && (has ? !beck__builder_cell(&self->out, column, to, self->slots[i], false)
                          : beck__builder_value(&self->out, column, &null, NULL, NULL) != BECK_OK))
            return false;
    }
    return true;
}

/* Column k of the states, and of what is emitted. */
static bool column_add(struct accumulate *self, const beck_chunk *chunk, uint32_t k, uint32_t first,
                       uint32_t count)
{
    const struct op *op = self->base.op;
    beck_column *to = &self->table->rows.rows.chunk->column[k];
    bool counts = op->fold == FOLD_COUNT, emits = op->emits == EMITS_ONE;
    const beck_column *from = counts ? NULL : &chunk->column[op->keys + k];
    int64_t made[BECK__CHUNK_ROWS];

    if (from && (from->valid || to->valid))
        return column_nullable(self, k, from, first, count);
    if (counts)
        column_counts(self, to, count, emits ? made : NULL);
    else
        column_numbers(self, to, from, (struct span){first, 0, count}, emits ? made : NULL);
    beck_column column = {.type = to->type, .size = count, .data = made};
    return !emits || beck__builder_cells(&self->out, op->keys + k, &column, NULL, count, false);
}

static bool emit_keys(struct accumulate *self, const beck_chunk *chunk, uint32_t from,
                      uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        self->rows[i] = from + i;
    for (uint32_t k = 0; k < self->base.op->keys; k++)
        if (!beck__builder_cells(&self->out, k, &chunk->column[k], self->rows, count, true))
            return false;
    return true;
}

static bool add_rows(struct accumulate *self, const beck_chunk *chunk, uint32_t from,
                     uint32_t count)
{
    struct state_table *table = self->table;
    struct task *task = self->base.task;
    bool emits = self->base.op->emits == EMITS_ONE, ok = true;

    if (!beck__state_find(table, chunk, from, count, self->slots) ||
        !beck__state_save(table, self->slots, count))
        return false;
    beck__state_appear(table, self->slots, count, self->fresh);
    for (uint32_t i = 0; table->timed && i < count; i++)
        beck__state_touch(table, self->slots[i], task->batch_ms);
    for (uint32_t k = 0; ok && k < self->base.op->state->count; k++)
        ok = column_add(self, chunk, k, from, count);
    if (!ok || (emits && !emit_keys(self, chunk, from, count))) {
        beck__error_memory(&task->error, self->base.op->name, 0);
        return false;
    }
    if (emits)
        self->out.chunk->rows += count;
    return true;
}

/* Rows at a time: what they touch stays in the nearest cache from step to step. */
#define STEP 512u

/* All rows change states, even when nobody wants more of what is emitted. */
static enum flow accumulate_push(struct operator *base, const beck_chunk *chunk)
{
    struct accumulate *self = (struct accumulate *)base;

    for (uint32_t from = 0; from < chunk->rows; from += STEP) {
        uint32_t count = beck__step(from, chunk->rows, STEP);
        if (!add_rows(self, chunk, from, count))
            return FLOW_FAILED;
        if (base->op->emits == EMITS_ONE && beck__flush(base, &self->out) == FLOW_FAILED)
            return FLOW_FAILED;
    }
    return FLOW_MORE;
}

/* Keys that were not touched for longer are forgotten. */
static bool forget(struct accumulate *self)
{
    return beck__state_forget(self->table, self->base.task->batch_ms - self->base.op->timeout_ms);
}

/* A timeout comes after the rows of its batch (map_with_state), a time to live ends before them. */
static enum flow accumulate_finish(struct operator *base)
{
    return base->op->emits != EMITS_ONE || forget((struct accumulate *)base) ? FLOW_MORE
                                                                             : FLOW_FAILED;
}

static void accumulate_close(struct operator *base)
{
    beck__builder_deinit(&((struct accumulate *)base)->out);
}

struct operator *beck__accumulate_open(struct task *task, const struct op *op)
{
    struct accumulate *self = beck__operator_new(task, op, sizeof *self);

    if (!self)
        return NULL;
    self->table = beck__resident_table(task, op);
    if (!self->table)
        return NULL;
    beck__state_set_error(self->table, &task->error);
    if (beck__builder_init(&self->out, task->memory, op->out, 0, &task->error))
        return NULL;
    self->base.push = accumulate_push;
    self->base.finish = accumulate_finish;
    self->base.close = accumulate_close;
    if (op->emits == EMITS_ONE || forget(self))
        return &self->base;
    beck__builder_deinit(&self->out);
    return NULL;
}
