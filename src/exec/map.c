/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user's callback per row: map, flat_map, map_values, flat_map_values, key_by with a callback,
 * foreach; and filter.
 */
#include "exec/call.h"

struct map {
    struct operator base;
    beck_map_fn *fn;
    bool emits;
    struct builder out;
    beck_call call;
};

static enum flow map_push(struct operator *base, const beck_chunk *chunk)
{
    struct map *self = (struct map *)base;
    beck_call *c = &self->call;
    enum flow flow = FLOW_MORE;

    beck__call_enter(c);
    for (uint32_t i = 0; i < chunk->rows && flow == FLOW_MORE; i++) {
        beck__call_row(c, chunk, i);
        self->fn(c, c->in);
        flow = beck__call_check(c);
    }
    beck__call_leave(c);
    if (flow == FLOW_MORE && self->emits)
        flow = beck__flush(base, &self->out);
    return flow;
}

static void map_close(struct operator *base)
{
    struct map *self = (struct map *)base;

    if (self->emits)
        beck__builder_deinit(&self->out);
}

struct operator *beck__call_open(struct task *task, const struct op *op)
{
    struct map *self = beck__operator_new(task, op, sizeof *self);

    if (!self)
        return NULL;
    if (!beck__function_get(task, op, 0, &self->fn))
        return NULL;
    self->emits = op->emits != EMITS_NONE;
    if (self->emits && beck__builder_init(&self->out, task->memory, op->out, 0, &task->error))
        return NULL;
    beck__call_init(&self->call, task, op, self->emits ? &self->out : NULL);
    self->call.flusher = &self->base;
    self->call.adds = op->adds;
    self->call.in.first = op->values ? op->keys : 0;
    if (op->adds == ADDS_KEY_BEFORE) {
        self->call.first = op->keys;
        self->call.width -= op->keys;
    } else if (op->adds == ADDS_ROW_AFTER) {
        self->call.width -= op->in->count;
    }
    self->base.push = map_push;
    self->base.close = map_close;
    return &self->base;
}

/* ---- filter ---------------------------------------------------------------------------------- */

struct filter {
    struct operator base;
    beck_filter_fn *fn;
    struct builder out;
    beck_call call;
    uint32_t rows[BECK__CHUNK_ROWS];
};

static enum flow filter_pass(struct filter *self, const beck_chunk *chunk, uint32_t kept)
{
    if (kept == 0)
        return FLOW_MORE;
    if (!beck__builder_rows(&self->out, chunk, self->rows, kept, true)) {
        beck__error_memory(&self->base.task->error, "filter", 0);
        return FLOW_FAILED;
    }
    return beck__flush(&self->base, &self->out);
}

static enum flow filter_push(struct operator *base, const beck_chunk *chunk)
{
    struct filter *self = (struct filter *)base;
    beck_call *c = &self->call;
    enum flow flow = FLOW_MORE;
    uint32_t kept = 0;

    beck__call_enter(c);
    for (uint32_t i = 0; i < chunk->rows && flow == FLOW_MORE; i++) {
        beck__call_row(c, chunk, i);
        bool keep = self->fn(c, c->in);
        flow = beck__call_check(c);
        if (keep)
            self->rows[kept++] = i;
        if (kept == BECK__CHUNK_ROWS && flow == FLOW_MORE) {
            flow = filter_pass(self, chunk, kept);
            kept = 0;
        }
    }
    beck__call_leave(c);
    return flow == FLOW_MORE ? filter_pass(self, chunk, kept) : flow;
}

static void filter_close(struct operator *base)
{
    beck__builder_deinit(&((struct filter *)base)->out);
}

struct operator *beck__filter_open(struct task *task, const struct op *op)
{
    struct filter *self = beck__operator_new(task, op, sizeof *self);

    if (!self)
        return NULL;
    if (!beck__function_get(task, op, 0, &self->fn))
        return NULL;
    if (beck__builder_init(&self->out, task->memory, op->out, BECK__CHUNK_ROWS, &task->error))
        return NULL;
    beck__call_init(&self->call, task, op, NULL);
    self->base.push = filter_push;
    self->base.close = filter_close;
    return &self->base;
}
