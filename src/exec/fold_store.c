/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folds that keep one whole row of values per group: reduce and combine_by_key by callback, and min
 * and max of strings and other types. A new version of a row is appended to the store; when most of
 * the store is old versions it is rewritten, so an update costs O(1) and memory follows the groups.
 */
#include "exec/fold.h"

#define NO_ROW UINT32_MAX

struct store {
    struct fold base;
    struct builder rows;
    uint32_t *row_of; /* by group */
    size_t capacity;
    uint32_t count;
    struct builder made; /* one row: what a callback has just emitted */
    beck_call call;
    beck_map_fn *create;
    struct block *zero; /* a row to begin with instead; or NULL */
    beck_reduce_fn *merge_value, *merge_states;
    uint32_t width; /* columns of a row */
    beck_schema schema;
};

static bool grow(struct store *self, uint32_t groups)
{
    if (groups > self->capacity &&
        !beck__vector_reserve(self->base.task->memory, (void **)&self->row_of, &self->capacity,
                              groups, sizeof *self->row_of))
        return false;
    for (; self->count < groups; self->count++)
        self->row_of[self->count] = NO_ROW;
    return true;
}

/* Leaves only the newest versions. */
static bool compact(struct store *self)
{
    struct builder fresh;

    if (self->rows.chunk->rows < 2 * self->count + 4096)
        return true;
    if (beck__builder_init(&fresh, self->base.task->memory, &self->schema, UINT32_MAX,
                           &self->base.task->error))
        return false;
    for (uint32_t g = 0; g < self->count; g++) {
        if (self->row_of[g] == NO_ROW)
            continue;
        if (!beck__builder_rows(&fresh, self->rows.chunk, &self->row_of[g], 1, false)) {
            beck__builder_deinit(&fresh);
            return false;
        }
        self->row_of[g] = fresh.chunk->rows - 1;
    }
    beck__builder_deinit(&self->rows);
    self->rows = fresh;
    return true;
}

/* Appends the columns [first, first + width) of a row as the newest version of a group. */
static bool put(struct store *self, uint32_t group, const beck_chunk *chunk, uint32_t first,
                uint32_t row)
{
    for (uint32_t k = 0; k < self->width; k++)
        if (!beck__builder_cell(&self->rows, k, &chunk->column[first + k], row, false))
            return false;
    self->row_of[group] = self->rows.chunk->rows;
    beck__builder_end_row(&self->rows);
    return compact(self);
}

/* Runs fn(c, old, in) and makes what it emits the group's row. */
static bool run(struct store *self, beck_reduce_fn *fn, uint32_t group)
{
    beck_call *c = &self->call;

    if (!fn) {
        self->create(c, c->in);
    } else {
        fn(c, (beck_row){self->rows.chunk, self->row_of[group], 0}, c->in);
    }
    if (beck__call_check(c) == FLOW_FAILED)
        return false;
    bool ok = put(self, group, self->made.chunk, 0, 0);
    beck__builder_clear(&self->made);
    return ok || beck__fold_memory(&self->base);
}

/* The first row of a group: as it is (HOW_TAKE), made by the callback, or folded into the zero. */
enum how { HOW_TAKE, HOW_CREATE, HOW_ZERO };

static bool rows_fold(struct store *self, const struct fold_input *in, beck_reduce_fn *fn,
                      enum how how)
{
    beck_call *c = &self->call;
    bool ok = grow(self, in->group_count);

    c->in.first = self->base.column;
    beck__call_enter(c);
    for (uint32_t i = 0; ok && i < in->count; i++) {
        uint32_t group = in->groups[i];
        bool first = self->row_of[group] == NO_ROW;

        beck__call_row(c, in->chunk, in->from + i);
        if (first && how == HOW_ZERO)
            ok = put(self, group, self->zero->chunk, 0, 0);
        if (first && how == HOW_TAKE)
            ok = put(self, group, in->chunk, self->base.column, in->from + i);
        else
            ok = ok && run(self, first && how == HOW_CREATE ? NULL : fn, group);
    }
    beck__call_leave(c);
    return ok || beck__fold_memory(&self->base);
}

static bool callback_update(struct fold *base, const struct fold_input *in)
{
    struct store *self = (struct store *)base;

    return rows_fold(self, in, self->merge_value,
                     self->zero     ? HOW_ZERO
                     : self->create ? HOW_CREATE
                                    : HOW_TAKE);
}

static bool callback_merge(struct fold *base, const struct fold_input *in)
{
    struct store *self = (struct store *)base;

    /* of an aggregate over all rows the driver's part begins with the zero, too */
    return rows_fold(self, in, self->merge_states,
                     self->zero && base->op->always ? HOW_ZERO : HOW_TAKE);
}

static bool extreme_update(struct fold *base, const struct fold_input *in)
{
    struct store *self = (struct store *)base;
    const beck_column *k = &in->chunk->column[base->column];
    bool ok = grow(self, in->group_count);

    for (uint32_t i = 0; ok && i < in->count; i++) {
        uint32_t row = in->from + i, *held = &self->row_of[in->groups[i]];
        if (k->valid && !beck__bit_get(k->valid, row))
            continue;
        int order =
            *held == NO_ROW ? 0 : beck__cell_compare(k, row, &self->rows.chunk->column[0], *held);
        if (*held == NO_ROW || (base->op->fold == FOLD_MIN ? order < 0 : order > 0))
            ok = put(self, in->groups[i], in->chunk, base->column, row);
    }
    return ok || beck__fold_memory(base);
}

static bool store_emit(struct fold *base, struct builder *out, uint32_t from, uint32_t count)
{
    struct store *self = (struct store *)base;
    beck_value null = beck_null;
    bool ok = grow(self, from + count);

    for (uint32_t k = 0; ok && k < self->width; k++)
        for (uint32_t g = from; ok && g < from + count; g++) {
            uint32_t row = self->row_of[g];
            if (row == NO_ROW && self->zero)
                ok = beck__builder_cell(out, base->output + k, &self->zero->chunk->column[k], 0,
                                        true);
            else if (row == NO_ROW)
                ok = !beck__builder_value(out, base->output + k, &null, NULL, &base->task->error);
            else
                ok = beck__builder_cell(out, base->output + k, &self->rows.chunk->column[k], row,
                                        true);
        }
    return ok || beck__fold_memory(base);
}

static void store_clear(struct fold *base)
{
    struct store *self = (struct store *)base;

    self->count = 0;
    beck__builder_clear(&self->rows);
}

static void store_close(struct fold *base)
{
    struct store *self = (struct store *)base;

    beck__free(base->task->memory, self->row_of, self->capacity * sizeof *self->row_of);
    beck__builder_deinit(&self->rows);
    beck__builder_deinit(&self->made);
    beck__block_unref(self->zero);
}

static bool callbacks_get(struct store *self)
{
    struct task *task = self->base.task;
    const struct op *op = self->base.op;

    if (op->fold == FOLD_REDUCE) {
        if (!beck__function_get(task, op, 0, &self->merge_value))
            return false;
        self->merge_states = self->merge_value;
    } else if (op->fold == FOLD_COMBINE) {
        if ((!op->row.size && !beck__function_get(task, op, 0, &self->create)) ||
            !beck__function_get(task, op, 1, &self->merge_value) ||
            !beck__function_get(task, op, 2, &self->merge_states))
            return false;
    }
    self->base.update = op->fold <= FOLD_MAX ? extreme_update : callback_update;
    self->base.merge = op->fold <= FOLD_MAX ? extreme_update : callback_merge;
    return true;
}

struct fold *beck__fold_store(const struct fold *place)
{
    struct store *self = beck__fold_new(place, sizeof *self);
    const struct op *op = place->op;
    struct task *task = place->task;

    if (!self || !callbacks_get(self))
        return NULL;
    self->base.emit = store_emit;
    self->base.clear = store_clear;
    self->base.close = store_close;
    self->width = op->fold <= FOLD_MAX ? 1 : op->out->count - op->keys;
    self->schema = (beck_schema){.count = self->width, .fields = &op->out->fields[place->output]};
    if (beck__builder_init(&self->rows, task->memory, &self->schema, UINT32_MAX, &task->error))
        return NULL;
    if (beck__builder_init(&self->made, task->memory, &self->schema, 1, &task->error) ||
        (op->fold == FOLD_COMBINE && op->row.size &&
         !beck__row_get(task, op, &self->schema, &self->zero))) {
        store_close(&self->base);
        return NULL;
    }
    beck__call_init(&self->call, task, op, &self->made);
    self->call.width = self->width;
    return &self->base;
}
