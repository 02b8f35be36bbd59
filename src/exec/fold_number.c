/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folds of numbers with a kernel: sum, min, max, avg and count over BIGINT, TIMESTAMP and DOUBLE.
 * One 16-byte cell per group: the value, and how many non-null values went in.
 */
#include "exec/fold.h"

/* tests: group_test.c */

struct cell {
    union {
        int64_t i;
        double d;
    } u;
    int64_t seen;
};

struct number {
    struct fold base;
    struct cell *cells;
    size_t capacity;
    uint32_t count;
};

static bool grow(struct number *self, uint32_t groups)
{
    const struct allocator *memory = self->base.task->memory;

    if (groups > self->capacity &&
        !beck__vector_reserve(memory, (void **)&self->cells, &self->capacity, groups,
                              sizeof *self->cells))
        return beck__fold_memory(&self->base);
    if (groups > self->count) {
        memset(self->cells + self->count, 0, (groups - self->count) * sizeof *self->cells);
        self->count = groups;
    }
    return true;
}

/* NaN is the largest number. */
static inline bool double_less(double a, double b)
{
    return a < b || (b != b && a == a);
}

#define LOOP(T, member, statement)                                                                 \
    {                                                                                              \
        for (uint32_t i = 0; i < in->count; i++) {                                                 \
            if (k->valid && !beck__bit_get(k->valid, in->from + i))                                \
                continue;                                                                          \
            struct cell *cell = &cells[in->groups[i]];                                             \
            T x = ((const T *)k->data)[in->from + i];                                              \
            statement;                                                                             \
            cell->seen++;                                                                          \
        }                                                                                          \
        break;                                                                                     \
    }

/* The usual case, BIGINT without nulls: value and count go up in one addition. */
typedef uint64_t pair __attribute__((vector_size(16))); /* unsigned: sums wrap */
static void sum_all(struct cell *cells, const int64_t *values, const uint32_t *groups,
                    uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        pair *cell = (pair *)(void *)&cells[groups[i]];
        *cell += (pair){(uint64_t)values[i], 1};
    }
}

static bool number_update(struct fold *base, const struct fold_input *in)
{
    struct number *self = (struct number *)base;
    const beck_column *k = &in->chunk->column[base->column];
    bool real = base->value.type == BECK_DOUBLE;

    if (!grow(self, in->group_count))
        return false;
    struct cell *cells = self->cells;
    switch (base->op->fold) {
    case FOLD_SUM:
        if (!real && !k->valid) {
            sum_all(cells, (const int64_t *)k->data + in->from, in->groups, in->count);
            break;
        }
        if (real)
            LOOP(double, d, cell->u.d += x)
        LOOP(int64_t, i, cell->u.i = (int64_t)((uint64_t)cell->u.i + (uint64_t)x))
    case FOLD_AVG:
        if (real)
            LOOP(double, d, cell->u.d += x)
        LOOP(int64_t, i, cell->u.d += (double)x)
    case FOLD_MIN:
        if (real)
            LOOP(double, d, if (!cell->seen || double_less(x, cell->u.d)) cell->u.d = x)
        LOOP(int64_t, i, if (!cell->seen || x < cell->u.i) cell->u.i = x)
    case FOLD_MAX:
        if (real)
            LOOP(double, d, if (!cell->seen || double_less(cell->u.d, x)) cell->u.d = x)
        LOOP(int64_t, i, if (!cell->seen || x > cell->u.i) cell->u.i = x)
    default:
        break;
    }
    return true;
}

static bool count_update(struct fold *base, const struct fold_input *in)
{
    struct number *self = (struct number *)base;

    if (!grow(self, in->group_count))
        return false;
    for (uint32_t i = 0; i < in->count; i++)
        self->cells[in->groups[i]].u.i++;
    return true;
}

static bool count_merge(struct fold *base, const struct fold_input *in)
{
    struct number *self = (struct number *)base;
    const int64_t *counts = in->chunk->column[base->column].data;

    if (!grow(self, in->group_count))
        return false;
    for (uint32_t i = 0; i < in->count; i++)
        self->cells[in->groups[i]].u.i += counts[in->from + i];
    return true;
}

/* The state of avg is STRUCT<sum DOUBLE, n BIGINT>. */
static bool avg_merge(struct fold *base, const struct fold_input *in)
{
    struct number *self = (struct number *)base;
    const beck_chunk *state = in->chunk->column[base->column].child;
    const double *sums = state->column[0].data;
    const int64_t *seen = state->column[1].data;

    if (!grow(self, in->group_count))
        return false;
    for (uint32_t i = 0; i < in->count; i++) {
        struct cell *cell = &self->cells[in->groups[i]];
        cell->u.d += sums[in->from + i];
        cell->seen += seen[in->from + i];
    }
    return true;
}

static bool number_emit(struct fold *base, struct builder *out, uint32_t from, uint32_t count)
{
    struct number *self = (struct number *)base;
    int64_t data[BECK__CHUNK_ROWS];
    uint8_t valid[BECK__CHUNK_ROWS / 8] = {0};
    bool nulls = false, counts = base->op->fold == FOLD_COUNT, avg = base->op->fold == FOLD_AVG;

    if (!grow(self, from + count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct cell cell = self->cells[from + i];
        if (avg && cell.seen)
            cell.u.d /= (double)cell.seen;
        data[i] = cell.u.i;
        if (cell.seen || counts)
            beck__bit_set(valid, i);
        else
            nulls = true;
    }
    beck_type type = avg ? BECK_DOUBLE : counts ? BECK_BIGINT : base->value.type;
    beck_column column = {
        .type = (int32_t)type, .size = count, .valid = nulls ? valid : NULL, .data = data};
    return beck__builder_cells(out, base->output, &column, NULL, count, false) ||
           beck__fold_memory(base);
}

static bool avg_emit_state(struct fold *base, struct builder *out, uint32_t from, uint32_t count)
{
    struct number *self = (struct number *)base;
    double sums[BECK__CHUNK_ROWS];
    int64_t seen[BECK__CHUNK_ROWS];

    if (!grow(self, from + count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        sums[i] = self->cells[from + i].u.d;
        seen[i] = self->cells[from + i].seen;
    }
    beck_column columns[2] = {{.type = BECK_DOUBLE, .size = count, .data = sums},
                              {.type = BECK_BIGINT, .size = count, .data = seen}};
    beck_chunk child = {.rows = count, .columns = 2, .column = columns};
    beck_column column = {.type = BECK_STRUCT, .size = count, .child = &child};
    return beck__builder_cells(out, base->output, &column, NULL, count, false) ||
           beck__fold_memory(base);
}

static void number_close(struct fold *base)
{
    struct number *self = (struct number *)base;

    beck__free(base->task->memory, self->cells, self->capacity * sizeof *self->cells);
}

struct fold *beck__fold_number(const struct fold *place)
{
    struct number *self = beck__fold_new(place, sizeof *self);

    if (!self)
        return NULL;
    self->base.update = number_update;
    self->base.merge = number_update; /* sums of sums, minima of minima */
    self->base.emit = number_emit;
    self->base.close = number_close;
    if (place->op->fold == FOLD_COUNT) {
        self->base.update = count_update;
        self->base.merge = count_merge;
    } else if (place->op->fold == FOLD_AVG) {
        self->base.merge = avg_merge;
        if (place->op->state_out)
            self->base.emit = avg_emit_state;
    }
    return &self->base;
}
