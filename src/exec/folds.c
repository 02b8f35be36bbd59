/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All folds of an operation: one per value column, or one for all of them.
 */
/* tests: group_test.c window_test.c */
#include "exec/fold.h"

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
    case FOLD_LAST:
    case FOLD_KINDS:
        break;
    }
    return NULL;
}

/* One fold per output column, except for those that take whole rows. */
bool beck__folds_open(struct folds *folds, struct task *task, const struct op *op)
{
    uint32_t columns = op->out->count - op->keys;
    bool whole = op->fold == FOLD_REDUCE || op->fold == FOLD_COMBINE || op->fold == FOLD_LIST;
    uint32_t count = whole ? 1 : columns;

    *folds = (struct folds){.op = op};
    folds->items = beck__arena_alloc(&task->arena, (count + 1) * sizeof(struct fold *));
    if (!folds->items) {
        beck__error_memory(&task->error, op->name, count * sizeof(struct fold *));
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
        folds->items[i] = fold_open(&place);
        if (!folds->items[i])
            return false;
        folds->count++;
    }
    return true;
}

bool beck__folds_add(struct folds *folds, const struct fold_input *in)
{
    for (uint32_t i = 0; i < folds->count; i++) {
        struct fold *fold = folds->items[i];
        if (!(folds->op->state_in ? fold->merge : fold->update)(fold, in))
            return false;
    }
    return true;
}

bool beck__folds_emit(struct folds *folds, struct builder *out, uint32_t from, uint32_t count)
{
    for (uint32_t i = 0; i < folds->count; i++)
        if (!folds->items[i]->emit(folds->items[i], out, from, count))
            return false;
    return true;
}

void beck__folds_clear(struct folds *folds)
{
    for (uint32_t i = 0; i < folds->count; i++)
        folds->items[i]->clear(folds->items[i]);
}

void beck__folds_close(struct folds *folds)
{
    for (uint32_t i = 0; i < folds->count; i++)
        folds->items[i]->close(folds->items[i]);
    folds->count = 0;
}
