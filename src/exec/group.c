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
    struct folds folds;
    struct builder out;
    uint32_t groups[BECK__CHUNK_ROWS];
};

static enum flow group_push(struct operator *base, const beck_chunk *chunk)
{
    struct group *self = (struct group *)base;

    for (uint32_t from = 0; from < chunk->rows; from += BECK__CHUNK_ROWS) {
        uint32_t count = beck__step(from, chunk->rows, BECK__CHUNK_ROWS);
        if (!beck__keys_find(&self->table, chunk, from, count, self->groups))
            return FLOW_FAILED;
        struct fold_input in = {chunk, from, count, self->groups, beck__keys_count(&self->table)};
        if (!beck__folds_add(&self->folds, &in))
            return FLOW_FAILED;
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
    if (!beck__folds_emit(&self->folds, &self->out, from, count))
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
        uint32_t count = beck__step(from, total, BECK__CHUNK_ROWS);
        flow = emit(self, from, count) ? beck__flush(base, &self->out) : FLOW_FAILED;
    }
    return flow;
}

static void group_close(struct operator *base)
{
    struct group *self = (struct group *)base;

    beck__folds_close(&self->folds);
    beck__keys_deinit(&self->table);
    beck__builder_deinit(&self->out);
}

struct operator *beck__group_open(struct task *task, const struct op *op)
{
    struct group *self = beck__operator_new(task, op, sizeof *self);

    if (!self || beck__keys_init(&self->table, task->memory, op->in, op->keys, &task->error))
        return NULL;
    self->table.secret = beck__task_secret;
    self->table.secret_user = task->os;
    if (beck__builder_init(&self->out, task->memory, op->out, 0, &task->error)) {
        beck__keys_deinit(&self->table);
        return NULL;
    }
    self->base.push = group_push;
    self->base.finish = group_finish;
    self->base.close = group_close;
    if (!beck__folds_open(&self->folds, task, op)) {
        group_close(&self->base);
        return NULL;
    }
    return &self->base;
}
