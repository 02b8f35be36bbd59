/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folds whose result is an ARRAY: group_by_key (all values in order), cogroup (those of one side),
 * distinct (first seen first) and top (the n largest, descending). The values of all groups stand
 * in one builder; each group has a linked list of row numbers. Between tasks the array itself is
 * the state.
 */
#include "exec/fold.h"
#include "state/state.h"

#define END UINT32_MAX

struct group_list {
    uint32_t head, tail, count;
};

struct list {
    struct fold base;
    struct builder rows; /* distinct: not used, the table holds (group, value) */
    struct keys seen;
    struct builder pairs; /* distinct: (group, value) rows to look up */
    struct group_list *groups;
    size_t group_capacity;
    uint32_t group_count;
    uint32_t *next; /* by row */
    size_t next_capacity;
    uint32_t width;
    struct field *pair_fields;
    beck_schema pair_schema, row_schema;
    uint32_t *scratch; /* row numbers of one group */
    size_t scratch_capacity;
    uint32_t linked; /* rows that are in a list; top: the others are garbage */
};

static bool grow(struct list *self, uint32_t groups)
{
    if (!beck__vector_reserve(self->base.task->memory, (void **)&self->groups,
                              &self->group_capacity, groups, sizeof *self->groups))
        return false;
    for (; self->group_count < groups; self->group_count++)
        self->groups[self->group_count] = (struct group_list){END, END, 0};
    return true;
}

static bool link_row(struct list *self, uint32_t group, uint32_t row)
{
    struct group_list *g = &self->groups[group];

    if (!beck__vector_reserve(self->base.task->memory, (void **)&self->next, &self->next_capacity,
                              (size_t)row + 1, sizeof *self->next))
        return false;
    self->next[row] = END;
    if (g->tail == END)
        g->head = row;
    else
        self->next[g->tail] = row;
    g->tail = row;
    g->count++;
    self->linked++;
    return true;
}

/* Row numbers of a group into scratch. */
static bool rows_of(struct list *self, uint32_t group)
{
    const struct group_list *g = &self->groups[group];
    uint32_t n = 0;

    if (!beck__vector_reserve(self->base.task->memory, (void **)&self->scratch,
                              &self->scratch_capacity, (size_t)g->count + 1, sizeof *self->scratch))
        return false;
    for (uint32_t row = g->head; row != END; row = self->next[row])
        self->scratch[n++] = row;
    return true;
}

/* ---- distinct -------------------------------------------------------------------------------- */

static bool add_distinct(struct list *self, const beck_chunk *chunk, uint32_t first, uint32_t row,
                         uint32_t group)
{
    int64_t number = group;
    beck_column key = {.type = BECK_BIGINT, .size = 1, .data = &number};
    uint32_t known = beck__keys_count(&self->seen), found;

    beck__builder_clear(&self->pairs);
    bool ok = beck__builder_cell(&self->pairs, 0, &key, 0, true) &&
              beck__builder_cell(&self->pairs, 1, &chunk->column[first], row, true);
    if (!ok)
        return false;
    beck__builder_end_row(&self->pairs);
    if (!beck__keys_find(&self->seen, self->pairs.chunk, 0, 1, &found))
        return false;
    return found < known || link_row(self, group, found);
}

/* ---- top ------------------------------------------------------------------------------------- */

/* Sorts scratch[0..count) descending by value, earlier rows first among equals: a merge sort. */
static void sort_down(struct list *self, uint32_t *rows, uint32_t *other, uint32_t count)
{
    const beck_column *k = &self->rows.chunk->column[0];

    for (uint32_t step = 1; step < count; step *= 2) {
        for (uint32_t at = 0; at < count; at += 2 * step) {
            uint32_t i = at, j = at + step < count ? at + step : count, a_end = j;
            uint32_t b_end = at + 2 * step < count ? at + 2 * step : count;
            for (uint32_t to = at; to < b_end; to++) {
                bool left =
                    i < a_end && (j >= b_end || beck__cell_compare(k, rows[i], k, rows[j]) >= 0);
                other[to] = left ? rows[i++] : rows[j++];
            }
        }
        memcpy(rows, other, count * sizeof *rows);
    }
}

/* Leaves the n largest values of a group, in descending order. */
static bool trim(struct list *self, uint32_t group)
{
    struct group_list *g = &self->groups[group];
    uint32_t count = g->count;

    if (!rows_of(self, group))
        return false;
    uint32_t *other = beck__alloc(self->base.task->memory, (size_t)(count + 1) * sizeof *other);
    if (!other)
        return false;
    sort_down(self, self->scratch, other, count);
    beck__free(self->base.task->memory, other, (size_t)(count + 1) * sizeof *other);
    uint32_t keep = count < self->base.op->number ? count : (uint32_t)self->base.op->number;
    self->linked -= count;
    *g = (struct group_list){END, END, 0};
    for (uint32_t i = 0; i < keep; i++)
        if (!link_row(self, group, self->scratch[i]))
            return false;
    return true;
}

/* Row numbers of all lists, one list after the other. */
static void all_rows(const struct list *self, uint32_t *order)
{
    for (uint32_t g = 0; g < self->group_count; g++)
        for (uint32_t row = self->groups[g].head; row != END; row = self->next[row])
            *order++ = row;
}

/* The same lists over rows that now stand in that order. */
static void renumber(struct list *self)
{
    uint32_t row = 0;

    for (uint32_t g = 0; g < self->group_count; g++) {
        struct group_list *list = &self->groups[g];
        if (list->count == 0)
            continue;
        list->head = row;
        for (uint32_t i = 0; i < list->count; i++, row++)
            self->next[row] = row + 1;
        list->tail = row - 1;
        self->next[list->tail] = END;
    }
}

/* Leaves only the rows that are in a list, when most are not: memory follows the groups. */
static bool compact(struct list *self)
{
    const struct allocator *memory = self->base.task->memory;
    size_t size = ((size_t)self->linked + 1) * sizeof(uint32_t);
    struct builder fresh;

    if (self->rows.chunk->rows < 2 * (uint64_t)self->linked + 4096)
        return true;
    uint32_t *order = beck__alloc(memory, size);
    if (!order)
        return false;
    all_rows(self, order);
    bool ok = !beck__builder_init(&fresh, memory, &self->row_schema, UINT32_MAX, NULL);
    if (ok && !beck__builder_rows(&fresh, self->rows.chunk, order, self->linked, false)) {
        beck__builder_deinit(&fresh);
        ok = false;
    }
    beck__free(memory, order, size);
    if (!ok)
        return false;
    renumber(self);
    beck__builder_deinit(&self->rows);
    self->rows = fresh;
    return true;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static bool add(struct list *self, const beck_chunk *chunk, uint32_t first, uint32_t row,
                uint32_t group)
{
    enum op_fold fold = self->base.op->fold;
    const beck_column *k = &chunk->column[first];

    if (fold != FOLD_LIST && k->valid && !beck__bit_get(k->valid, row))
        return true;
    if (fold == FOLD_DISTINCT)
        return add_distinct(self, chunk, first, row, group);
    if (fold == FOLD_SIDES)
        k = k->child->column;
    for (uint32_t i = 0; i < self->width; i++)
        if (!beck__builder_cell(&self->rows, i, &k[i], row, false))
            return false;
    beck__builder_end_row(&self->rows);
    if (!link_row(self, group, self->rows.chunk->rows - 1))
        return false;
    if (fold == FOLD_TOP && self->groups[group].count > 2 * self->base.op->number + 64)
        return trim(self, group) && compact(self);
    return true;
}

static bool list_update(struct fold *base, const struct fold_input *in)
{
    struct list *self = (struct list *)base;
    bool ok = grow(self, in->group_count);

    for (uint32_t i = 0; ok && i < in->count; i++)
        ok = add(self, in->chunk, base->column, in->from + i, in->groups[i]);
    return ok || beck__fold_memory(base);
}

static bool list_merge(struct fold *base, const struct fold_input *in)
{
    struct list *self = (struct list *)base;
    const beck_column *k = &in->chunk->column[base->column];
    const uint32_t *offsets = k->data;
    bool ok = grow(self, in->group_count);

    for (uint32_t i = 0; ok && i < in->count; i++) {
        uint32_t row = in->from + i;
        for (uint32_t j = offsets[row]; ok && j < offsets[row + 1]; j++)
            ok = add(self, k->child, 0, j, in->groups[i]);
    }
    return ok || beck__fold_memory(base);
}

static bool list_emit(struct fold *base, struct builder *out, uint32_t from, uint32_t count)
{
    struct list *self = (struct list *)base;
    enum op_fold fold = base->op->fold;
    beck_chunk values = *(fold == FOLD_DISTINCT ? self->seen.rows.chunk : self->rows.chunk);
    bool ok = grow(self, from + count);

    if (fold == FOLD_DISTINCT) { /* (group, value) -> value */
        values.column++;
        values.columns--;
    }
    for (uint32_t g = from; ok && g < from + count; g++) {
        ok = fold != FOLD_TOP || trim(self, g);
        ok = ok && rows_of(self, g) &&
             beck__builder_array(out, base->output, &values, self->scratch, self->groups[g].count,
                                 true);
    }
    return ok || beck__fold_memory(base);
}

static void list_clear(struct fold *base)
{
    struct list *self = (struct list *)base;

    self->group_count = self->linked = 0;
    if (base->op->fold == FOLD_DISTINCT)
        beck__keys_clear(&self->seen);
    else
        beck__builder_clear(&self->rows);
}

static void list_close(struct fold *base)
{
    struct list *self = (struct list *)base;
    const struct allocator *memory = base->task->memory;

    beck__free(memory, self->groups, self->group_capacity * sizeof *self->groups);
    beck__free(memory, self->next, self->next_capacity * sizeof *self->next);
    beck__free(memory, self->scratch, self->scratch_capacity * sizeof *self->scratch);
    if (base->op->fold == FOLD_DISTINCT) {
        beck__keys_deinit(&self->seen);
        beck__builder_deinit(&self->pairs);
    } else {
        beck__builder_deinit(&self->rows);
    }
}

static bool open_distinct(struct list *self)
{
    struct task *task = self->base.task;

    self->pair_fields = beck__arena_alloc(&task->arena, 2 * sizeof *self->pair_fields);
    if (!self->pair_fields)
        return beck__fold_memory(&self->base);
    self->pair_fields[0] = (struct field){.name = "group", .type = BECK_BIGINT};
    self->pair_fields[1] = self->row_schema.fields[0];
    self->pair_schema = (beck_schema){.count = 2, .fields = self->pair_fields};
    if (beck__keys_init(&self->seen, task->memory, &self->pair_schema, 2, &task->error))
        return false;
    if (beck__builder_init(&self->pairs, task->memory, &self->pair_schema, 1, &task->error)) {
        beck__keys_deinit(&self->seen);
        return false;
    }
    return true;
}

struct fold *beck__fold_list(const struct fold *place)
{
    struct list *self = beck__fold_new(place, sizeof *self);
    const struct op *op = place->op;
    const struct field *array = &op->out->fields[place->output];

    if (!self)
        return NULL;
    self->base.update = list_update;
    self->base.merge = list_merge;
    self->base.emit = list_emit;
    self->base.clear = list_clear;
    self->base.close = list_close;
    self->row_schema = (beck_schema){.count = 1, .fields = array->fields};
    uint32_t values = op->fold == FOLD_LIST    ? op->in->count - op->keys
                      : op->fold == FOLD_SIDES ? place->value.count
                                               : 1;
    if (values > 1)
        self->row_schema =
            (beck_schema){.count = array->fields[0].count, .fields = array->fields[0].fields};
    self->width = self->row_schema.count;
    bool ok = op->fold == FOLD_DISTINCT
                  ? open_distinct(self)
                  : !beck__builder_init(&self->rows, place->task->memory, &self->row_schema,
                                        UINT32_MAX, &place->task->error);
    return ok ? &self->base : NULL;
}
