/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folds of numbers with a kernel: sum, min, max, avg and count over BIGINT, TIMESTAMP and DOUBLE.
 * One 8-byte cell per group, as small as can be: cells of many groups are hit at random. How many
 * values went into each is counted for avg, and from the first null on; before, every group has
 * one, since it has a row.
 */
#include "exec/fold.h"

#include <math.h>

/* tests: group_test.c */

union cell {
    int64_t i;
    double d;
};

struct number {
    struct fold base;
    union cell *cells;
    int64_t *seen; /* values per group; NULL: not counted */
    size_t capacity, seen_capacity;
    uint32_t count;
    bool counts;
    union cell neutral; /* of a group without values */
};

static bool vector(struct number *self, void **items, size_t *capacity, uint32_t groups)
{
    return beck__vector_reserve(self->base.task->memory, items, capacity, groups,
                                sizeof(int64_t)) ||
           beck__fold_memory(&self->base);
}

static bool count_values(struct number *self, uint32_t groups)
{
    void *seen = self->seen;
    bool ok = vector(self, &seen, &self->seen_capacity, groups);

    self->seen = seen;
    for (uint32_t i = 0; ok && !self->counts && i < self->count; i++)
        self->seen[i] = 1;
    self->counts = self->counts || ok;
    return ok;
}

/* `nulls`: values may be missing from now on. */
static bool grow(struct number *self, uint32_t groups, bool nulls)
{
    void *cells = self->cells;

    if (groups < self->count)
        groups = self->count;
    if ((nulls || self->counts) && !count_values(self, groups))
        return false;
    bool ok = vector(self, &cells, &self->capacity, groups);
    self->cells = cells;
    if (!ok)
        return false;
    for (; self->count < groups; self->count++) {
        self->cells[self->count] = self->neutral;
        if (self->counts)
            self->seen[self->count] = 0;
    }
    return true;
}

#define LOOP(T, statement)                                                                         \
    {                                                                                              \
        for (uint32_t i = 0; i < in->count; i++) {                                                 \
            if (k->valid && !beck__bit_get(k->valid, in->from + i))                                \
                continue;                                                                          \
            union cell *cell = &self->cells[in->groups[i]];                                        \
            T x = ((const T *)k->data)[in->from + i];                                              \
            statement;                                                                             \
        }                                                                                          \
        break;                                                                                     \
    }

static void count_seen(struct number *self, const struct fold_input *in, const beck_column *k)
{
    for (uint32_t i = 0; i < in->count; i++)
        self->seen[in->groups[i]] += !k->valid || beck__bit_get(k->valid, in->from + i);
}

static bool number_update(struct fold *base, const struct fold_input *in)
{
    struct number *self = (struct number *)base;
    const beck_column *k = &in->chunk->column[base->column];
    bool real = base->value.type == BECK_DOUBLE;

    if (!grow(self, in->group_count, k->valid != NULL))
        return false;
    if (self->counts)
        count_seen(self, in, k);
    switch (base->op->fold) {
    case FOLD_SUM: /* BIGINT wraps */
        if (real)
            LOOP(double, cell->d += x)
        LOOP(int64_t, cell->i = (int64_t)((uint64_t)cell->i + (uint64_t)x))
    case FOLD_AVG:
        if (real)
            LOOP(double, cell->d += x)
        LOOP(int64_t, cell->d += (double)x)
    case FOLD_MIN:
        if (real)
            LOOP(double, if (beck__double_less(x, cell->d)) cell->d = x)
        LOOP(int64_t, if (x < cell->i) cell->i = x)
    case FOLD_MAX:
        if (real)
            LOOP(double, if (beck__double_less(cell->d, x)) cell->d = x)
        LOOP(int64_t, if (cell->i < x) cell->i = x)
    default:
        break;
    }
    return true;
}

static bool count_update(struct fold *base, const struct fold_input *in)
{
    struct number *self = (struct number *)base;

    if (!grow(self, in->group_count, false))
        return false;
    for (uint32_t i = 0; i < in->count; i++)
        self->cells[in->groups[i]].i++;
    return true;
}

static bool count_merge(struct fold *base, const struct fold_input *in)
{
    struct number *self = (struct number *)base;
    const int64_t *counts = in->chunk->column[base->column].data;

    if (!grow(self, in->group_count, false))
        return false;
    for (uint32_t i = 0; i < in->count; i++)
        self->cells[in->groups[i]].i += counts[in->from + i];
    return true;
}

/* The state of avg is STRUCT<sum DOUBLE, n BIGINT>. */
static bool avg_merge(struct fold *base, const struct fold_input *in)
{
    struct number *self = (struct number *)base;
    const beck_chunk *state = in->chunk->column[base->column].child;
    const double *sums = state->column[0].data;
    const int64_t *seen = state->column[1].data;

    if (!grow(self, in->group_count, true))
        return false;
    for (uint32_t i = 0; i < in->count; i++) {
        self->cells[in->groups[i]].d += sums[in->from + i];
        self->seen[in->groups[i]] += seen[in->from + i];
    }
    return true;
}

static bool number_emit(struct fold *base, struct builder *out, uint32_t from, uint32_t count)
{
    struct number *self = (struct number *)base;
    union cell data[BECK__CHUNK_ROWS];
    uint8_t valid[BECK__CHUNK_ROWS / 8] = {0};
    bool counts = base->op->fold == FOLD_COUNT, avg = base->op->fold == FOLD_AVG, nulls = false;

    if (!grow(self, from + count, !counts && from + count > self->count))
        return false;
    memcpy(data, self->cells + from, count * sizeof *data);
    for (uint32_t i = 0; self->counts && i < count; i++) {
        if (!self->seen[from + i]) {
            nulls = true;
            continue;
        }
        beck__bit_set(valid, i);
        if (avg)
            data[i].d /= (double)self->seen[from + i];
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

    if (!grow(self, from + count, true))
        return false;
    beck_column columns[2] = {
        {.type = BECK_DOUBLE, .size = count, .data = self->cells + from},
        {.type = BECK_BIGINT, .size = count, .data = self->seen + from},
    };
    beck_chunk child = {.rows = count, .columns = 2, .column = columns};
    beck_column column = {.type = BECK_STRUCT, .size = count, .child = &child};
    return beck__builder_cells(out, base->output, &column, NULL, count, false) ||
           beck__fold_memory(base);
}

static void number_clear(struct fold *base)
{
    ((struct number *)base)->count = 0;
}

static void number_close(struct fold *base)
{
    struct number *self = (struct number *)base;
    const struct allocator *memory = base->task->memory;

    beck__free(memory, self->cells, self->capacity * sizeof *self->cells);
    beck__free(memory, self->seen, self->seen_capacity * sizeof *self->seen);
}

static union cell neutral(const struct fold *place)
{
    bool real = place->value.type == BECK_DOUBLE;

    switch (place->op->fold) {
    case FOLD_MIN:
        return real ? (union cell){.d = (double)NAN} : (union cell){.i = INT64_MAX};
    case FOLD_MAX:
        return real ? (union cell){.d = (double)-INFINITY} : (union cell){.i = INT64_MIN};
    default:
        return (union cell){.i = 0}; /* 0.0 has the same bits */
    }
}

struct fold *beck__fold_number(const struct fold *place)
{
    struct number *self = beck__fold_new(place, sizeof *self);

    if (!self)
        return NULL;
    self->neutral = neutral(place);
    self->base.update = number_update;
    self->base.merge = number_update; /* sums of sums, minima of minima */
    self->base.emit = number_emit;
    self->base.clear = number_clear;
    self->base.close = number_close;
    if (place->op->fold == FOLD_COUNT) {
        self->base.update = count_update;
        self->base.merge = count_merge;
    } else if (place->op->fold == FOLD_AVG) {
        self->counts = true;
        self->base.merge = avg_merge;
        if (place->op->state_out)
            self->base.emit = avg_emit_state;
    }
    return &self->base;
}
