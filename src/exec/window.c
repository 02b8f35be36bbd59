/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OP_WINDOW: a task adds the slice of its batch to what its partition keeps, and, when a window is
 * due, emits a row for every key in it. Slices leave and blocks change before the first row comes:
 * that depends on the time alone and holds even if the batch fails.
 */
#include "exec/window.h"

struct window_op {
    struct operator base;
    struct window_state *w;
    struct op merge_op, result_op; /* states to states, states to results */
    struct folds parts;            /* of the slice in the making */
    struct folds merge, result;
    struct builder left, right, made, out; /* as rows of the input; the keys' columns stay empty */
    struct window_slice *slice;
    uint32_t groups[BECK__CHUNK_ROWS];
    struct keys_part {
        uint32_t slots[BECK__CHUNK_ROWS], rows[BECK__CHUNK_ROWS], count;
    } alone, met; /* keys to be taken as they are; to be merged with what is there */
};

static void part_add(struct keys_part *part, uint32_t slot, uint32_t row)
{
    part->slots[part->count] = slot;
    part->rows[part->count++] = row;
}

static bool no_memory(struct window_op *self)
{
    beck__error_memory(&self->base.task->error, self->base.op->name, 0);
    return false;
}

static const uint32_t *iota(struct window_op *self, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        self->groups[i] = i;
    return self->groups;
}

/* Appends the state columns of rows of `from` (NULL: 0..count) to a builder of input rows. */
static bool copy_states(struct window_op *self, struct builder *to, const struct builder *from,
                        const uint32_t *rows, uint32_t count)
{
    uint32_t keys = self->base.op->keys;

    for (uint32_t k = 0; k < from->schema->count; k++)
        if (!beck__builder_cells(to, keys + k, &from->chunk->column[k], rows, count, true))
            return no_memory(self);
    return true;
}

/* made[i] = left[i] + right[i], for i < count; left and right are empty then. */
static bool merge(struct window_op *self, uint32_t count)
{
    const uint32_t *groups = iota(self, count);
    struct fold_input left = {self->left.chunk, 0, count, groups, count};
    struct fold_input right = {self->right.chunk, 0, count, groups, count};

    beck__folds_clear(&self->merge);
    beck__builder_clear(&self->made);
    bool ok = beck__folds_add(&self->merge, &left) && beck__folds_add(&self->merge, &right) &&
              beck__folds_emit(&self->merge, &self->made, 0, count);
    beck__builder_clear(&self->left);
    beck__builder_clear(&self->right);
    return ok;
}

/* ---- slices leave, blocks change ------------------------------------------------------------- */

/* The fronts of its keys are what follows it. */
static bool evict(struct window_op *self, struct window_slice *slice)
{
    struct window_state *w = self->w;
    struct keys_part *met = &self->met;

    met->count = 0;
    for (uint32_t i = 0; i < slice->count; i++) {
        if (beck__bit_get(slice->follows, i))
            part_add(met, slice->slots[i], i);
        if (met->count < BECK__CHUNK_ROWS && i + 1 < slice->count)
            continue;
        if (!beck__state_rows_put(&w->front, met->slots, met->count, slice->rows.chunk, 0,
                                  met->rows))
            return false;
        met->count = 0;
    }
    for (uint32_t i = 0; i < slice->count; i++) { /* from here on nothing fails */
        uint32_t slot = slice->slots[i];
        if (beck__bit_get(slice->follows, i))
            continue;
        w->has[slot] &= (uint8_t)~HAS_FRONT;
        beck__state_rows_forget(&w->front, slot);
        if (!w->has[slot])
            beck__keys_remove(&w->keys, slot);
    }
    beck__window_unlink(w, slice);
    beck__window_slice_free(w, slice);
    return true;
}

/* What a block change makes, to be put in place when all of it is there. */
struct turn {
    struct state_rows front;
    uint8_t *has;
    struct window_slice *first; /* new forms of the slices, oldest first, by `newer` */
};

static void turn_free(struct window_op *self, struct turn *turn)
{
    struct window_state *w = self->w;

    while (turn->first) {
        struct window_slice *slice = turn->first;
        turn->first = slice->newer;
        beck__window_slice_free(w, slice);
    }
    beck__free(w->memory, turn->has, (size_t)w->slots + 1);
    beck__state_rows_deinit(&turn->front);
}

/* The row `row` of `from`, or nulls, as the next row of a slice. */
static bool push_row(struct window_op *self, struct window_slice *slice, const struct builder *from,
                     uint32_t row)
{
    beck_value null = beck_null;
    bool ok = true;

    for (uint32_t k = 0; ok && k < slice->rows.schema->count; k++)
        ok = from ? beck__builder_cell(&slice->rows, k, &from->chunk->column[k], row, false)
                  : !beck__builder_value(&slice->rows, k, &null, NULL, NULL);
    if (!ok)
        return no_memory(self);
    beck__builder_end_row(&slice->rows);
    return true;
}

/* What follows keys [from, from + count) of a slice so far. Plain rows of keys that nothing follows
 * are there, too, and mean nothing. */
static bool push_following(struct window_op *self, struct turn *turn, struct window_slice *after,
                           uint32_t from, uint32_t count)
{
    const uint32_t *slots = after->slots + from;

    for (uint32_t i = 0; i < count; i++)
        if (turn->has[slots[i]])
            beck__bit_set(after->follows, from + i);
    if (turn->front.plain) {
        after->rows.chunk->rows += count;
        return beck__state_rows_get(&turn->front, slots, count, &after->rows, 0);
    }
    for (uint32_t i = 0; i < count; i++) {
        bool follows = turn->has[slots[i]] != 0;
        uint32_t row = follows ? beck__state_rows_row(&turn->front, slots[i]) : 0;
        if (!push_row(self, after, follows ? &turn->front.rows : NULL, row))
            return false;
    }
    return true;
}

/* Keys [from, from + count) of a slice: what follows it so far goes to `after`, and with its own
 * states before it becomes their front. */
static bool turn_keys(struct window_op *self, struct turn *turn, const struct window_slice *slice,
                      struct window_slice *after, uint32_t from, uint32_t count)
{
    struct keys_part *alone = &self->alone, *met = &self->met;

    if (!push_following(self, turn, after, from, count))
        return false;
    alone->count = met->count = 0;
    for (uint32_t i = from; i < from + count; i++)
        part_add(turn->has[slice->slots[i]] ? met : alone, slice->slots[i], i);
    if (met->count && (!copy_states(self, &self->left, &slice->rows, met->rows, met->count) ||
                       !beck__state_rows_get(&turn->front, met->slots, met->count, &self->right,
                                             self->base.op->keys) ||
                       !merge(self, met->count) ||
                       !beck__state_rows_put(&turn->front, met->slots, met->count, self->made.chunk,
                                             self->base.op->keys, NULL)))
        return false;
    if (!beck__state_rows_put(&turn->front, alone->slots, alone->count, slice->rows.chunk, 0,
                              alone->rows))
        return false;
    for (uint32_t i = 0; i < alone->count; i++)
        turn->has[alone->slots[i]] = HAS_FRONT;
    return true;
}

static bool turn_slice(struct window_op *self, struct turn *turn, const struct window_slice *slice)
{
    struct window_state *w = self->w;
    struct window_slice *after = beck__window_slice_new(w, slice->number);

    if (!after)
        return no_memory(self);
    after->newer = turn->first;
    turn->first = after;
    after->front = true;
    after->slots = beck__alloc(w->memory, (size_t)slice->count * sizeof *after->slots);
    after->follows = beck__alloc_zero(w->memory, beck__bitmap_bytes(slice->count));
    if (slice->count && (!after->slots || !after->follows)) {
        beck__free(w->memory, after->slots, (size_t)slice->count * sizeof *after->slots);
        beck__free(w->memory, after->follows, beck__bitmap_bytes(slice->count));
        after->slots = NULL;
        after->follows = NULL;
        return no_memory(self);
    }
    after->count = slice->count;
    if (slice->count)
        memcpy(after->slots, slice->slots, slice->count * sizeof *after->slots);
    if (!beck__builder_reserve(&after->rows, slice->count))
        return no_memory(self);
    for (uint32_t from = 0; from < slice->count; from += BECK__CHUNK_ROWS) {
        uint32_t count = beck__step(from, slice->count, BECK__CHUNK_ROWS);
        if (!turn_keys(self, turn, slice, after, from, count))
            return false;
    }
    return true;
}

/* The new fronts and slices are in place; there is no back any more. */
static void turn_done(struct window_op *self, struct turn *turn)
{
    struct window_state *w = self->w;
    struct window_slice *next;
    struct state_rows front = w->front;

    while (w->oldest) {
        struct window_slice *slice = w->oldest;
        beck__window_unlink(w, slice);
        beck__window_slice_free(w, slice);
    }
    for (struct window_slice *slice = turn->first; slice; slice = next) {
        next = slice->newer;
        slice->newer = NULL;
        beck__window_append(w, slice);
    }
    turn->first = NULL;
    w->front = turn->front;
    turn->front = front;
    for (uint32_t s = 0; s < w->slots; s++) {
        bool had = w->has[s] != 0;
        if (w->has[s] & HAS_BACK)
            beck__state_rows_forget(&w->back, s);
        w->has[s] = turn->has[s];
        if (had && !w->has[s])
            beck__keys_remove(&w->keys, s);
    }
}

/* A block begins: what is left of the one before becomes the front. */
static bool turn_block(struct window_op *self, int64_t oldest)
{
    struct window_state *w = self->w;
    struct turn turn = {0};
    bool ok = !beck__state_rows_init(&turn.front, w->memory, self->base.op->state,
                                     &self->base.task->error) &&
              beck__state_rows_grow(&turn.front, w->slots);

    turn.has = beck__alloc_zero(w->memory, (size_t)w->slots + 1);
    if (!turn.has)
        ok = no_memory(self);
    for (const struct window_slice *s = w->newest; ok && s && s->number >= oldest; s = s->older)
        if (!s->front) /* those of an older block have left: the window is as long as one */
            ok = turn_slice(self, &turn, s);
    if (ok)
        turn_done(self, &turn);
    turn_free(self, &turn);
    return ok;
}

static bool begin(struct window_op *self)
{
    struct window_state *w = self->w;
    const struct op *op = self->base.op;
    int64_t length = (int64_t)op->slices, number = self->base.task->batch_ms / op->period_ms;
    int64_t oldest = number - length + 1, block = number / length - (number % length < 0);

    if (w->block != block && w->newest && !turn_block(self, oldest))
        return false;
    w->block = block;
    while (w->oldest && w->oldest->number < oldest)
        if (!evict(self, w->oldest))
            return false;
    self->slice = beck__window_slice_new(w, number);
    return self->slice || no_memory(self);
}

/* ---- the slice of the batch ------------------------------------------------------------------ */

static bool add_rows(struct window_op *self, const beck_chunk *chunk, uint32_t from, uint32_t count)
{
    struct window_state *w = self->w;

    if (!beck__keys_find(&w->keys, chunk, from, count, self->groups) || !beck__window_grow(w) ||
        !beck__touched_add(&w->touched, w->slots, self->groups, count, self->groups))
        return no_memory(self);
    struct fold_input in = {chunk, from, count, self->groups, w->touched.count};
    return beck__folds_add(&self->parts, &in);
}

static enum flow window_push(struct operator *base, const beck_chunk *chunk)
{
    struct window_op *self = (struct window_op *)base;

    for (uint32_t from = 0; from < chunk->rows; from += BECK__CHUNK_ROWS) {
        if (!add_rows(self, chunk, from, beck__step(from, chunk->rows, BECK__CHUNK_ROWS)))
            return FLOW_FAILED;
    }
    return FLOW_MORE;
}

/* The backs of entries [from, from + count) as they were. */
static bool note_old(struct window_state *w, const uint32_t *slots, uint32_t from, uint32_t count)
{
    uint32_t row = w->old_rows.chunk->rows;

    if (w->back.plain && !beck__state_rows_get(&w->back, slots + from, count, &w->old_rows, 0))
        return false;
    w->old_rows.chunk->rows += count;
    for (uint32_t i = from; i < from + count; i++, row++) {
        uint32_t old = w->back.plain ? row : beck__state_rows_row(&w->back, slots[i]);
        w->old[i] = w->has[slots[i]] & HAS_BACK ? old : NO_SLOT;
    }
    return true;
}

/* Entries [from, from + count) of the slice go to the backs of their keys. */
static bool extend_backs(struct window_op *self, struct window_slice *slice, uint32_t from,
                         uint32_t count)
{
    struct window_state *w = self->w;
    struct keys_part *alone = &self->alone, *met = &self->met;
    uint32_t keys = self->base.op->keys;

    alone->count = met->count = 0;
    for (uint32_t i = from; i < from + count; i++)
        part_add(w->has[slice->slots[i]] & HAS_BACK ? met : alone, slice->slots[i], i);
    if (met->count && (!beck__state_rows_get(&w->back, met->slots, met->count, &self->left, keys) ||
                       !copy_states(self, &self->right, &slice->rows, met->rows, met->count) ||
                       !merge(self, met->count)))
        return false;
    if (!note_old(w, slice->slots, from, count))
        return no_memory(self);
    w->saved = from + count;
    if ((met->count &&
         !beck__state_rows_put(&w->back, met->slots, met->count, self->made.chunk, keys, NULL)) ||
        !beck__state_rows_put(&w->back, alone->slots, alone->count, slice->rows.chunk, 0,
                              alone->rows))
        return false;
    for (uint32_t i = 0; i < alone->count; i++)
        w->has[alone->slots[i]] |= HAS_BACK;
    return true;
}

/* The states of the slice stand in it, in order of first rows. */
static bool fill_slice(struct window_op *self, struct window_slice *slice)
{
    uint32_t keys = self->base.op->keys, total = self->w->touched.count;

    if (!beck__builder_reserve(&slice->rows, total))
        return no_memory(self);
    for (uint32_t from = 0; from < total; from += BECK__CHUNK_ROWS) {
        uint32_t count = beck__step(from, total, BECK__CHUNK_ROWS);
        beck__builder_clear(&self->made);
        if (!beck__folds_emit(&self->parts, &self->made, from, count))
            return false;
        for (uint32_t k = 0; k < slice->rows.schema->count; k++)
            if (!beck__builder_cells(&slice->rows, k, &self->made.chunk->column[keys + k], NULL,
                                     count, false))
                return no_memory(self);
        slice->rows.chunk->rows += count;
    }
    return true;
}

static bool end_slice(struct window_op *self)
{
    struct window_state *w = self->w;
    struct window_slice *slice = self->slice;
    const struct allocator *memory = w->memory;
    uint32_t count = w->touched.count;
    size_t size = (size_t)count * sizeof(uint32_t);

    self->slice = NULL;
    w->pending = slice;
    if (count) {
        slice->slots = beck__alloc(memory, size);
        w->old = slice->slots ? beck__alloc(memory, size) : NULL;
        if (!w->old) {
            beck__free(memory, slice->slots, size);
            slice->slots = NULL;
            return no_memory(self);
        }
        memcpy(slice->slots, w->touched.slots, size);
        slice->count = count;
    }
    if (!fill_slice(self, slice))
        return false;
    for (uint32_t from = 0; from < slice->count; from += BECK__CHUNK_ROWS) {
        if (!extend_backs(self, slice, from, beck__step(from, slice->count, BECK__CHUNK_ROWS)))
            return false;
    }
    return true;
}

/* ---- a window is due ------------------------------------------------------------------------- */

/* Rows for these keys: front before back. */
static bool show(struct window_op *self, const uint32_t *slots, uint32_t count)
{
    struct window_state *w = self->w;
    struct keys_part *met = &self->met;
    uint32_t keys = self->base.op->keys;

    beck__folds_clear(&self->result);
    for (int side = HAS_FRONT; side <= HAS_BACK; side++) {
        met->count = 0;
        for (uint32_t i = 0; i < count; i++)
            if (w->has[slots[i]] & side)
                part_add(met, slots[i], i);
        if (met->count == 0)
            continue;
        beck__builder_clear(&self->left);
        struct fold_input in = {self->left.chunk, 0, met->count, met->rows, count};
        if (!beck__state_rows_get(side == HAS_FRONT ? &w->front : &w->back, met->slots, met->count,
                                  &self->left, keys) ||
            !beck__folds_add(&self->result, &in))
            return false;
    }
    beck__builder_clear(&self->left);
    for (uint32_t k = 0; k < keys; k++)
        if (!beck__builder_cells(&self->out, k, &w->keys.rows.chunk->column[k], slots, count, true))
            return no_memory(self);
    if (!beck__folds_emit(&self->result, &self->out, 0, count))
        return false;
    self->out.chunk->rows += count;
    return true;
}

static enum flow show_all(struct window_op *self)
{
    struct window_state *w = self->w;
    uint32_t slots[BECK__CHUNK_ROWS], count = 0;
    enum flow flow = FLOW_MORE;

    for (uint32_t s = 0; s < w->slots && flow == FLOW_MORE; s++) {
        if (w->has[s])
            slots[count++] = s;
        if (count == BECK__CHUNK_ROWS) {
            flow = show(self, slots, count) ? beck__flush(&self->base, &self->out) : FLOW_FAILED;
            count = 0;
        }
    }
    if (flow == FLOW_MORE && count)
        flow = show(self, slots, count) ? beck__flush(&self->base, &self->out) : FLOW_FAILED;
    return flow;
}

/* An empty window of a count that has begun: its start value. */
static enum flow show_nothing(struct window_op *self)
{
    beck__folds_clear(&self->result);
    if (!beck__folds_emit(&self->result, &self->out, 0, 1))
        return FLOW_FAILED;
    self->out.chunk->rows++;
    return beck__flush(&self->base, &self->out);
}

static enum flow window_finish(struct operator *base)
{
    struct window_op *self = (struct window_op *)base;

    if (!end_slice(self))
        return FLOW_FAILED;
    if (!base->task->due)
        return FLOW_MORE;
    if (base->op->always && self->w->seen && beck__window_live(self->w) == 0)
        return show_nothing(self);
    return show_all(self);
}

/* ---- its life -------------------------------------------------------------------------------- */

static void window_close(struct operator *base)
{
    struct window_op *self = (struct window_op *)base;
    struct window_state *w = self->w;

    if (self->slice) /* the attempt failed before its end */
        w->pending = self->slice;
    beck__touched_clear(&w->touched);
    beck__folds_close(&self->parts);
    beck__folds_close(&self->merge);
    beck__folds_close(&self->result);
    struct builder *builders[] = {&self->left, &self->right, &self->made, &self->out};
    for (size_t i = 0; i < BECK__COUNT_OF(builders); i++)
        if (builders[i]->memory)
            beck__builder_deinit(builders[i]);
}

static bool builders_open(struct window_op *self)
{
    struct task *task = self->base.task;
    const struct op *op = self->base.op;

    return !beck__builder_init(&self->left, task->memory, op->in, 0, &task->error) &&
           !beck__builder_init(&self->right, task->memory, op->in, 0, &task->error) &&
           !beck__builder_init(&self->made, task->memory, op->in, 0, &task->error) &&
           !beck__builder_init(&self->out, task->memory, op->out, 0, &task->error);
}

struct operator *beck__window_open(struct task *task, const struct op *op)
{
    struct window_op *self = beck__operator_new(task, op, sizeof *self);

    if (!self)
        return NULL;
    self->w = beck__resident_window(task, op);
    if (!self->w)
        return NULL;
    beck__window_set_error(self->w, &task->error);
    self->result_op = self->merge_op = *op;
    self->result_op.state_in = self->merge_op.state_in = self->merge_op.state_out = true;
    self->merge_op.out = op->in;
    self->base.push = window_push;
    self->base.finish = window_finish;
    self->base.close = window_close;
    if (beck__folds_open(&self->parts, task, &self->merge_op) &&
        beck__folds_open(&self->merge, task, &self->merge_op) &&
        beck__folds_open(&self->result, task, &self->result_op) && builders_open(self) &&
        begin(self))
        return &self->base;
    window_close(&self->base);
    return NULL;
}
