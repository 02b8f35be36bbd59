/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OP_GROUP: a group table over the key columns and one fold per value column (or one for all). Rows
 * come out at the end of the partition, in the order in which their keys were first seen.
 */
#include "exec/fold.h"
#include "state/state.h"

struct group {
    struct operator base;
    struct keys table;
    struct fold **folds;
    uint32_t fold_count;
    struct builder out;
    uint32_t groups[BECK__CHUNK_ROWS];
};

bool beck__fold_memory(struct fold *fold)
{
    beck__error_memory(&fold->task->error, fold->op->name, 0);
    return false;
}

void *beck__fold_new(const struct fold *place, size_t size)
{
    struct fold *self = beck__arena_alloc(&place->task->arena, size);

    if (self)
        *self = *place;
    else
        beck__error_memory(&place->task->error, place->op->name, size);
    return self;
}

static enum flow group_push(struct operator *base, const beck_chunk *chunk)
{
    struct group *self = (struct group *)base;

    for (uint32_t from = 0; from < chunk->rows; from += BECK__CHUNK_ROWS) {
        uint32_t count =
            chunk->rows - from < BECK__CHUNK_ROWS ? chunk->rows - from : BECK__CHUNK_ROWS;
        if (!beck__keys_find(&self->table, chunk, from, count, self->groups))
            return FLOW_FAILED;
        struct fold_input in = {chunk, from, count, self->groups, beck__keys_count(&self->table)};
        for (uint32_t i = 0; i < self->fold_count; i++) {
            struct fold *fold = self->folds[i];
            if (!(base->op->state_in ? fold->merge : fold->update)(fold, &in))
                return FLOW_FAILED;
        }
    }
    return FLOW_MORE;
}

static bool emit(struct group *self, uint32_t from, uint32_t count)
{
    uint32_t rows[BECK__CHUNK_ROWS];
    struct task *task = self->base.task;

    for (uint32_t i = 0; i < count; i++)
        rows[i] = from + i;
    for (uint32_t k = 0; k < self->table.columns; k++)
        if (!beck__builder_cells(&self->out, k, &self->table.rows.chunk->column[k], rows, count,
                                 true)) {
            beck__error_memory(&task->error, self->base.op->name, 0);
            return false;
        }
    for (uint32_t i = 0; i < self->fold_count; i++)
        if (!self->folds[i]->emit(self->folds[i], &self->out, from, count))
            return false;
    self->out.chunk->rows += count;
    return true;
}

static enum flow group_finish(struct operator *base)
{
    struct group *self = (struct group *)base;
    uint32_t total = beck__keys_count(&self->table);

    if (total == 0 && base->op->always) {
        beck__builder_end_row(&self->table.rows);
        total = 1;
    }
    enum flow flow = FLOW_MORE;
    for (uint32_t from = 0; from < total && flow == FLOW_MORE; from += BECK__CHUNK_ROWS) {
        uint32_t count = total - from < BECK__CHUNK_ROWS ? total - from : BECK__CHUNK_ROWS;
        flow = emit(self, from, count) ? beck__flush(base, &self->out) : FLOW_FAILED;
    }
    return flow;
}

static void group_close(struct operator *base)
{
    struct group *self = (struct group *)base;

    for (uint32_t i = 0; i < self->fold_count; i++)
        self->folds[i]->close(self->folds[i]);
    beck__keys_deinit(&self->table);
    beck__builder_deinit(&self->out);
}

static struct fold *fold_open(const struct fold *place)
{
    switch (place->op->fold) {
    case FOLD_SUM:
    case FOLD_AVG:
    case FOLD_COUNT:
        return beck__fold_number(place);
    case FOLD_MIN:
    case FOLD_MAX:
        if (place->value.type == BECK_BIGINT || place->value.type == BECK_DOUBLE ||
            place->value.type == BECK_TIMESTAMP)
            return beck__fold_number(place);
        return beck__fold_store(place);
    case FOLD_USER:
        return beck__fold_user(place);
    case FOLD_REDUCE:
    case FOLD_COMBINE:
        return beck__fold_store(place);
    case FOLD_DISTINCT:
    case FOLD_TOP:
    case FOLD_LIST:
    case FOLD_SIDES:
        return beck__fold_list(place);
    case FOLD_KINDS:
        break;
    }
    return NULL;
}

/* One fold per output column, except for those that take whole rows. */
static bool folds_open(struct group *self)
{
    const struct op *op = self->base.op;
    struct task *task = self->base.task;
    uint32_t columns = op->out->count - op->keys;
    bool whole = op->fold == FOLD_REDUCE || op->fold == FOLD_COMBINE || op->fold == FOLD_LIST;
    uint32_t count = whole ? 1 : columns;

    self->folds = beck__arena_alloc(&task->arena, (count + 1) * sizeof *self->folds);
    if (!self->folds) {
        beck__error_memory(&task->error, op->name, count * sizeof *self->folds);
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct fold place = {
            .task = task, .op = op, .column = op->keys + i, .output = op->keys + i};
        if (place.column < op->in->count)
            place.value = op->in->fields[place.column];
        else if (op->fold != FOLD_COUNT || op->state_in)
            return beck__error_set(&task->error, BECK_CORRUPT, "%s: a column is missing",
                                   op->name) == BECK_OK;
        self->folds[i] = fold_open(&place);
        if (!self->folds[i])
            return false;
        self->fold_count++;
    }
    return true;
}

struct operator *beck__group_open(struct task *task, const struct op *op)
{
    struct group *self = beck__operator_new(task, op, sizeof *self);

    if (!self || beck__keys_init(&self->table, task->memory, op->in, op->keys, &task->error))
        return NULL;
    if (beck__builder_init(&self->out, task->memory, op->out, 0, &task->error)) {
        beck__keys_deinit(&self->table);
        return NULL;
    }
    self->base.push = group_push;
    self->base.finish = group_finish;
    self->base.close = group_close;
    if (!folds_open(self)) {
        group_close(&self->base);
        return NULL;
    }
    return &self->base;
}
