/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operators with a callback and a state per key: map_with_state (TRACK), which sees row by row,
 * and update_state_by_key (UPDATE), which sees all values of a key at once. The table is the
 * resident's; what lives as long as the task is here.
 */
#include "exec/call.h"

/* ---- map_with_state -------------------------------------------------------------------------- */

struct track {
    struct operator base;
    beck_track_fn *fn;
    beck_call call;
    struct beck_state state;
    struct builder out;
    uint32_t slots[BECK__CHUNK_ROWS];
};

static enum flow track_row(struct track *self, beck_row key, uint32_t slot)
{
    beck_call *c = &self->call;

    beck__state_begin(&self->state, slot, false);
    self->fn(c, key, c->in, &self->state);
    if (!c->failed && c->emitted > 1)
        beck_fail(c, "must emit no row or one, emitted %llu", (unsigned long long)c->emitted);
    enum flow flow = beck__call_check(c);
    return flow != FLOW_FAILED && !beck__state_end(&self->state, true) ? FLOW_FAILED : flow;
}

/* All rows change states, even when nobody wants more of what is emitted. */
static enum flow track_push(struct operator *base, const beck_chunk *chunk)
{
    struct track *self = (struct track *)base;
    struct state_table *table = self->state.table;
    beck_chunk keys = *chunk;
    enum flow flow = FLOW_MORE;

    keys.columns = base->op->keys;
    beck__call_enter(&self->call);
    for (uint32_t from = 0; from < chunk->rows && flow != FLOW_FAILED; from += BECK__CHUNK_ROWS) {
        uint32_t count = beck__step(from, chunk->rows, BECK__CHUNK_ROWS);
        if (!beck__state_find(table, chunk, from, count, self->slots))
            flow = FLOW_FAILED;
        for (uint32_t i = 0; i < count && flow != FLOW_FAILED; i++) {
            beck__call_row(&self->call, chunk, from + i);
            flow = track_row(self, (beck_row){&keys, from + i, 0}, self->slots[i]);
        }
    }
    beck__call_leave(&self->call);
    if (flow == FLOW_MORE)
        flow = beck__flush(base, &self->out);
    return flow == FLOW_FAILED ? FLOW_FAILED : FLOW_MORE;
}

/* The last call of a key that had no row for longer than its timeout. */
static enum flow track_timeout(struct track *self, uint32_t slot)
{
    struct state_table *table = self->state.table;
    beck_call *c = &self->call;

    if (!beck__state_save(table, &slot, 1))
        return FLOW_FAILED;
    c->in = (beck_row){NULL, 0, 0};
    c->emitted = 0;
    c->keep.size = 0;
    beck__state_begin(&self->state, slot, true);
    self->fn(c, (beck_row){table->keys.rows.chunk, slot, 0}, c->in, &self->state);
    if (!c->failed && c->emitted > 1)
        beck_fail(c, "must emit no row or one, emitted %llu", (unsigned long long)c->emitted);
    beck__state_remove(table, slot);
    return beck__call_check(c);
}

static enum flow track_finish(struct operator *base)
{
    struct track *self = (struct track *)base;
    struct state_table *table = self->state.table;
    int64_t before = base->task->batch_ms - base->op->timeout_ms;
    enum flow flow = FLOW_MORE;
    uint32_t slot;

    beck__call_enter(&self->call);
    while (flow != FLOW_FAILED && (slot = beck__state_due(table, before)) != NO_SLOT)
        flow = track_timeout(self, slot);
    beck__call_leave(&self->call);
    return flow == FLOW_MORE ? beck__flush(base, &self->out) : flow;
}

static void track_close(struct operator *base)
{
    struct track *self = (struct track *)base;

    beck__builder_deinit(&self->out);
    beck__state_close(&self->state);
}

struct operator *beck__track_open(struct task *task, const struct op *op)
{
    struct track *self = beck__operator_new(task, op, sizeof *self);

    if (!self || !beck__function_get(task, op, 0, &self->fn))
        return NULL;
    if (beck__builder_init(&self->out, task->memory, op->out, 0, &task->error))
        return NULL;
    beck__call_init(&self->call, task, op, &self->out);
    self->call.flusher = &self->base;
    self->call.in.first = op->keys;
    self->base.push = track_push;
    self->base.finish = track_finish;
    self->base.close = track_close;
    if (!beck__state_open(&self->state, &self->call, task)) {
        beck__builder_deinit(&self->out);
        return NULL;
    }
    return &self->base;
}

/* ---- update_state_by_key --------------------------------------------------------------------- */

/* The values of the batch stand in one builder in order of arrival; each key that has some is
 * numbered, and a list of row numbers leads through them. */
struct update {
    struct operator base;
    beck_update_fn *fn;
    beck_call call;
    struct beck_state state;
    struct builder values; /* without the key */
    beck_schema value_schema;
    uint32_t *number_of; /* of values: by row, which key */
    size_t row_capacity;
    uint32_t slots[BECK__CHUNK_ROWS];
};

static bool number_keys(struct update *self, uint32_t count)
{
    struct state_table *table = self->state.table;
    uint32_t rows = self->values.chunk->rows;

    return beck__vector_reserve(self->base.task->memory, (void **)&self->number_of,
                                &self->row_capacity, (size_t)rows + count,
                                sizeof *self->number_of) &&
           beck__touched_add(&table->touched, beck__keys_count(&table->keys), self->slots, count,
                             self->number_of + rows);
}

static bool keep_values(struct update *self, const beck_chunk *chunk, uint32_t from, uint32_t count)
{
    uint32_t rows[BECK__CHUNK_ROWS];

    for (uint32_t i = 0; i < count; i++)
        rows[i] = from + i;
    for (uint32_t k = 0; k < self->value_schema.count; k++)
        if (!beck__builder_cells(&self->values, k, &chunk->column[self->base.op->keys + k], rows,
                                 count, false))
            return false;
    self->values.chunk->rows += count;
    return true;
}

static enum flow update_push(struct operator *base, const beck_chunk *chunk)
{
    struct update *self = (struct update *)base;

    for (uint32_t from = 0; from < chunk->rows; from += BECK__CHUNK_ROWS) {
        uint32_t count = beck__step(from, chunk->rows, BECK__CHUNK_ROWS);
        if (!beck__state_find(self->state.table, chunk, from, count, self->slots))
            return FLOW_FAILED;
        if (!number_keys(self, count) || !keep_values(self, chunk, from, count)) {
            beck__error_memory(&base->task->error, base->op->name, 0);
            return FLOW_FAILED;
        }
    }
    return FLOW_MORE;
}

/* Rows by key number, in order within each (a counting sort): those of key i are
 * [starts[i], starts[i + 1]). */
static bool sort_values(struct update *self, struct builder *sorted, uint32_t *starts)
{
    uint32_t rows = self->values.chunk->rows, keys = self->state.table->touched.count;
    const struct allocator *memory = self->base.task->memory;
    uint32_t *order = beck__alloc(memory, ((size_t)rows + 1) * sizeof *order);

    if (!order)
        return false;
    for (uint32_t i = 0; i < rows; i++)
        starts[self->number_of[i] + 1]++;
    for (uint32_t i = 0; i < keys; i++)
        starts[i + 1] += starts[i];
    for (uint32_t i = 0; i < rows; i++) /* starts[i] becomes the end of i ... */
        order[starts[self->number_of[i]]++] = i;
    for (uint32_t i = keys; i > 0; i--) /* ... which is the start of i + 1 */
        starts[i] = starts[i - 1];
    starts[0] = 0;
    bool ok = beck__builder_rows(sorted, self->values.chunk, order, rows, true);
    beck__free(memory, order, ((size_t)rows + 1) * sizeof *order);
    return ok;
}

static enum flow update_key(struct update *self, uint32_t slot, beck_rows *values)
{
    beck_call *c = &self->call;

    c->record = 0;
    beck__state_begin(&self->state, slot, false);
    self->fn(c, (beck_row){self->state.table->keys.rows.chunk, slot, 0}, values, &self->state);
    enum flow flow = beck__call_check(c);
    if (flow != FLOW_FAILED && !beck__state_end(&self->state, beck_rows_count(values) > 0))
        flow = FLOW_FAILED;
    return flow;
}

#define AHEAD 64u

/* Keys with values, then, if every key is meant, those without. */
static enum flow update_all(struct update *self, const beck_chunk *sorted, const uint32_t *starts)
{
    struct state_table *table = self->state.table;
    const struct touched *touched = &table->touched;
    uint32_t slots[64], at = 0, count;
    enum flow flow = FLOW_MORE;

    for (uint32_t i = 0; i < touched->count && flow != FLOW_FAILED; i++) {
        if (i % AHEAD == 0 && /* most will change: their misses overlap */
            !beck__state_save(table, touched->slots + i, beck__step(i, touched->count, AHEAD)))
            return FLOW_FAILED;
        beck_rows values = {.chunk = sorted, .first = starts[i], .end = starts[i + 1]};
        flow = update_key(self, touched->slots[i], &values);
    }
    while (flow != FLOW_FAILED && self->base.op->every &&
           (count = beck__state_scan(table, &at, slots, BECK__COUNT_OF(slots))) > 0)
        for (uint32_t i = 0; i < count && flow != FLOW_FAILED; i++) {
            beck_rows none = {.chunk = sorted};
            if (slots[i] >= touched->known || !touched->number[slots[i]])
                flow = update_key(self, slots[i], &none);
        }
    return flow;
}

static enum flow update_finish(struct operator *base)
{
    struct update *self = (struct update *)base;
    struct task *task = base->task;
    size_t size = ((size_t)self->state.table->touched.count + 2) * sizeof(uint32_t);
    uint32_t *starts = beck__alloc_zero(task->memory, size);
    struct builder sorted;
    enum flow flow = FLOW_FAILED;

    if (!starts ||
        beck__builder_init(&sorted, task->memory, &self->value_schema, UINT32_MAX, &task->error)) {
        beck__free(task->memory, starts, size);
        beck__error_memory(&task->error, base->op->name, size);
        return FLOW_FAILED;
    }
    if (!sort_values(self, &sorted, starts)) {
        beck__error_memory(&task->error, base->op->name, size);
    } else if (beck__state_forget(self->state.table, task->batch_ms - base->op->timeout_ms)) {
        beck__call_enter(&self->call);
        flow = update_all(self, sorted.chunk, starts);
        beck__call_leave(&self->call);
    }
    beck__builder_deinit(&sorted);
    beck__free(task->memory, starts, size);
    return flow;
}

static void update_close(struct operator *base)
{
    struct update *self = (struct update *)base;
    const struct allocator *memory = base->task->memory;

    beck__free(memory, self->number_of, self->row_capacity * sizeof *self->number_of);
    beck__touched_clear(&self->state.table->touched);
    beck__builder_deinit(&self->values);
    beck__state_close(&self->state);
}

struct operator *beck__update_open(struct task *task, const struct op *op)
{
    struct update *self = beck__operator_new(task, op, sizeof *self);

    if (!self || !beck__function_get(task, op, 0, &self->fn))
        return NULL;
    self->value_schema =
        (beck_schema){.count = op->in->count - op->keys, .fields = op->in->fields + op->keys};
    if (beck__builder_init(&self->values, task->memory, &self->value_schema, UINT32_MAX,
                           &task->error))
        return NULL;
    beck__call_init(&self->call, task, op, NULL);
    self->base.push = update_push;
    self->base.finish = update_finish;
    self->base.close = update_close;
    if (!beck__state_open(&self->state, &self->call, task)) {
        beck__builder_deinit(&self->values);
        return NULL;
    }
    return &self->base;
}
