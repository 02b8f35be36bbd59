/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folds by an aggregate object of the user's: plain state bytes per group, in one array. Between
 * tasks a state travels as a BINARY of state_size bytes.
 */
#include "exec/fold.h"

#define STATE_MAX 65536u

struct user {
    struct fold base;
    const beck_aggregate *aggregate;
    char *states;
    size_t capacity, size; /* size: of one state, rounded up to 16 */
    uint32_t count;
    beck_call call; /* for init, step, merge: emits nothing; for value: one value */
    struct builder result;
    beck_schema schema;
};

static bool grow(struct user *self, uint32_t groups)
{
    if (groups > self->capacity &&
        !beck__vector_reserve(self->base.task->memory, (void **)&self->states, &self->capacity,
                              groups, self->size))
        return beck__fold_memory(&self->base);
    for (; self->count < groups; self->count++) {
        char *state = self->states + self->count * self->size;
        memset(state, 0, self->size);
        if (self->aggregate->init)
            self->aggregate->init(&self->call, state);
    }
    return beck__call_check(&self->call) != FLOW_FAILED;
}

static bool user_update(struct fold *base, const struct fold_input *in)
{
    struct user *self = (struct user *)base;
    const beck_column *k = &in->chunk->column[base->column];
    beck_call *c = &self->call;
    bool ok;

    c->out = NULL;
    c->in.first = base->column;
    beck__call_enter(c);
    ok = grow(self, in->group_count);
    for (uint32_t i = 0; ok && i < in->count; i++) {
        beck__call_row(c, in->chunk, in->from + i);
        if (k->valid && !beck__bit_get(k->valid, in->from + i))
            continue;
        self->aggregate->step(c, self->states + in->groups[i] * self->size, c->in);
        ok = beck__call_check(c) != FLOW_FAILED;
    }
    beck__call_leave(c);
    return ok;
}

static bool user_merge(struct fold *base, const struct fold_input *in)
{
    struct user *self = (struct user *)base;
    const beck_view *views = in->chunk->column[base->column].data;
    beck_call *c = &self->call;
    char *other = beck__arena_alloc(&base->task->arena, self->size);
    bool ok;

    if (!other)
        return beck__fold_memory(base);
    c->out = NULL;
    beck__call_enter(c);
    ok = grow(self, in->group_count);
    for (uint32_t i = 0; ok && i < in->count; i++) {
        beck_str s = beck_view_string(&views[in->from + i]);
        c->record++;
        if (s.size != self->aggregate->state_size) {
            beck_fail(c, "a state has %zu bytes instead of %zu", s.size,
                      self->aggregate->state_size);
        } else {
            memcpy(other, s.data, s.size);
            self->aggregate->merge(c, self->states + in->groups[i] * self->size, other);
        }
        ok = beck__call_check(c) != FLOW_FAILED;
    }
    beck__call_leave(c);
    return ok;
}

static bool emit_states(struct user *self, struct builder *out, uint32_t from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        beck_value v = beck_string_value(
            beck_bytes_of(self->states + (from + i) * self->size, self->aggregate->state_size));
        if (beck__builder_value(out, self->base.output, &v, NULL, &self->base.task->error))
            return false;
    }
    return true;
}

static bool user_emit(struct fold *base, struct builder *out, uint32_t from, uint32_t count)
{
    struct user *self = (struct user *)base;
    beck_call *c = &self->call;
    bool ok;

    beck__call_enter(c);
    c->out = NULL;
    c->keep.size = 0;
    ok = grow(self, from + count);
    if (ok && base->op->state_out) {
        beck__call_leave(c);
        return emit_states(self, out, from, count);
    }
    beck__builder_clear(&self->result);
    c->out = &self->result;
    for (uint32_t i = 0; ok && i < count; i++) {
        c->emitted = 0;
        c->record = from + i + 1;
        self->aggregate->value(c, self->states + (from + i) * self->size);
        if (!c->failed && c->emitted != 1)
            beck_fail(c, "value of aggregate \"%s\" must emit one value, emitted %llu",
                      self->aggregate->name, (unsigned long long)c->emitted);
        ok = beck__call_check(c) != FLOW_FAILED;
    }
    beck__call_leave(c);
    if (ok &&
        !beck__builder_cells(out, base->output, &self->result.chunk->column[0], NULL, count, false))
        return beck__fold_memory(base);
    return ok;
}

static void user_clear(struct fold *base)
{
    ((struct user *)base)->count = 0;
}

static void user_close(struct fold *base)
{
    struct user *self = (struct user *)base;

    beck__free(base->task->memory, self->states, self->capacity * self->size);
    if (!base->op->state_out)
        beck__builder_deinit(&self->result);
}

struct fold *beck__fold_user(const struct fold *place)
{
    struct user *self = beck__fold_new(place, sizeof *self);
    struct task *task = place->task;
    const struct op *op = place->op;
    const void *address;

    if (!self || !beck__function_get(task, op, 0, &address))
        return NULL;
    self->aggregate = address;
    if (self->aggregate->state_size > STATE_MAX) {
        beck__error_set(&task->error, BECK_INVALID,
                        "%s: the state of aggregate \"%s\" has %zu bytes, at most %u", op->name,
                        self->aggregate->name, self->aggregate->state_size, STATE_MAX);
        return NULL;
    }
    if (!self->aggregate->step || !self->aggregate->merge || !self->aggregate->value) {
        beck__error_set(&task->error, BECK_INVALID, "%s: an aggregate needs step, merge, value",
                        op->name);
        return NULL;
    }
    self->base.update = user_update;
    self->base.merge = user_merge;
    self->base.emit = user_emit;
    self->base.clear = user_clear;
    self->base.close = user_close;
    self->size = (self->aggregate->state_size + 15) / 16 * 16;
    if (self->size == 0)
        self->size = 16;
    beck__call_init(&self->call, task, op, NULL);
    self->call.width = 1;
    self->schema = (beck_schema){.count = 1, .fields = &op->out->fields[place->output]};
    if (!op->state_out &&
        beck__builder_init(&self->result, task->memory, &self->schema, 0, &task->error))
        return NULL;
    return &self->base;
}
