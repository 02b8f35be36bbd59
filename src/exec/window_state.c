/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a window: slots, slices, undo, and snapshots. What depends on functions of values
 * is in window.c.
 */
/* tests: window_test.c */
#include "exec/window.h"

beck_status beck__window_init(struct window_state *w, const struct allocator *memory,
                              const struct op *op, struct error *error)
{
    memset(w, 0, sizeof *w);
    w->memory = memory;
    w->op = op;
    w->block = NO_BLOCK;
    w->touched.memory = memory;
    if (beck__keys_init(&w->keys, memory, op->in, op->keys, error))
        return error->status;
    if (!beck__state_rows_init(&w->front, memory, op->state, error) &&
        !beck__state_rows_init(&w->back, memory, op->state, error) &&
        !beck__builder_init(&w->old_rows, memory, op->state, UINT32_MAX, error))
        return BECK_OK;
    beck__window_deinit(w);
    return error->status;
}

void beck__window_deinit(struct window_state *w)
{
    if (!w->memory)
        return;
    beck__window_slice_free(w, w->pending);
    while (w->oldest) {
        struct window_slice *slice = w->oldest;
        beck__window_unlink(w, slice);
        beck__window_slice_free(w, slice);
    }
    beck__keys_deinit(&w->keys);
    beck__state_rows_deinit(&w->front);
    beck__state_rows_deinit(&w->back);
    if (w->old_rows.memory)
        beck__builder_deinit(&w->old_rows);
    beck__free(w->memory, w->has, w->has_capacity);
    beck__touched_deinit(&w->touched);
    w->memory = NULL;
}

void beck__window_set_error(struct window_state *w, struct error *error)
{
    w->keys.error = w->front.error = w->back.error = error;
}

bool beck__window_grow(struct window_state *w)
{
    uint32_t slots = beck__keys_count(&w->keys);

    if (!beck__vector_reserve(w->memory, (void **)&w->has, &w->has_capacity, slots, 1) ||
        !beck__state_rows_grow(&w->front, slots) || !beck__state_rows_grow(&w->back, slots))
        return false;
    for (; w->slots < slots; w->slots++)
        w->has[w->slots] = 0;
    return true;
}

/* ---- slices ---------------------------------------------------------------------------------- */

struct window_slice *beck__window_slice_new(struct window_state *w, int64_t number)
{
    struct window_slice *slice = beck__alloc_zero(w->memory, sizeof *slice);

    if (!slice)
        return NULL;
    slice->number = number;
    if (beck__builder_init(&slice->rows, w->memory, w->op->state, UINT32_MAX, NULL)) {
        beck__free(w->memory, slice, sizeof *slice);
        return NULL;
    }
    return slice;
}

void beck__window_slice_free(struct window_state *w, struct window_slice *slice)
{
    if (!slice)
        return;
    beck__free(w->memory, slice->slots, (size_t)slice->count * sizeof *slice->slots);
    beck__free(w->memory, slice->follows, beck__bitmap_bytes(slice->count));
    beck__builder_deinit(&slice->rows);
    beck__free(w->memory, slice, sizeof *slice);
}

void beck__window_append(struct window_state *w, struct window_slice *slice)
{
    slice->older = w->newest;
    if (w->newest)
        w->newest->newer = slice;
    else
        w->oldest = slice;
    w->newest = slice;
}

void beck__window_unlink(struct window_state *w, struct window_slice *slice)
{
    if (slice->older)
        slice->older->newer = slice->newer;
    else
        w->oldest = slice->newer;
    if (slice->newer)
        slice->newer->older = slice->older;
    else
        w->newest = slice->older;
}

/* ---- the end of a batch ---------------------------------------------------------------------- */

/* The newest slice was never there; its keys have their old backs. */
static void undo(struct window_state *w)
{
    struct window_slice *slice = w->pending;

    for (uint32_t i = 0; slice && i < w->saved; i++) {
        uint32_t slot = slice->slots[i];
        if (w->old[i] != NO_SLOT) {
            beck__state_rows_restore(&w->back, slot, w->old_rows.chunk, w->old[i]);
            continue;
        }
        beck__state_rows_forget(&w->back, slot);
        w->has[slot] &= (uint8_t)~HAS_BACK;
    }
    for (uint32_t s = w->known; s < beck__keys_count(&w->keys); s++) /* new in this batch */
        beck__keys_remove(&w->keys, s);
}

/* Slots of keys that are gone make room when they are most. */
static void compact(struct window_state *w)
{
    uint32_t removed = w->keys.removed, live = w->slots - removed, to = 0;
    size_t size = ((size_t)w->slots + 1) * sizeof(uint32_t);

    if (removed < live + 1024 || w->slots != beck__keys_count(&w->keys))
        return;
    uint32_t *order = beck__alloc(w->memory, size), *place = beck__alloc(w->memory, size);
    for (uint32_t s = 0; order && place && s < w->slots; s++) {
        place[s] = to;
        if (w->has[s])
            order[to++] = s;
    }
    if (order && place && beck__keys_keep(&w->keys, order, to)) {
        beck__state_rows_keep(&w->front, order, to);
        beck__state_rows_keep(&w->back, order, to);
        for (uint32_t i = 0; i < to; i++)
            w->has[i] = w->has[order[i]];
        w->slots = to;
        for (struct window_slice *slice = w->oldest; slice; slice = slice->newer)
            for (uint32_t i = 0; i < slice->count; i++)
                slice->slots[i] = place[slice->slots[i]];
    }
    beck__free(w->memory, order, size);
    beck__free(w->memory, place, size);
}

void beck__window_seal(struct window_state *w, bool keep)
{
    struct window_slice *slice = w->pending;

    if (slice) {
        if (!keep)
            undo(w);
        beck__free(w->memory, w->old, (size_t)slice->count * sizeof *w->old);
        w->old = NULL;
        w->seen |= keep && slice->count > 0;
        if (keep && slice->count)
            beck__window_append(w, slice);
        else
            beck__window_slice_free(w, slice);
    }
    w->pending = NULL;
    w->saved = 0;
    beck__builder_clear(&w->old_rows);
    beck__state_rows_settle(&w->front); /* no memory to be tidy: the next time will do */
    beck__state_rows_settle(&w->back);
    compact(w);
    w->known = beck__keys_count(&w->keys);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

/* What a row of a snapshot is; `number` is that of its slice. */
enum row_kind { ROW_HEAD, ROW_FRONT, ROW_BACK, ROW_PART, ROW_FOLLOWS, ROW_LAST };

struct saving {
    struct window_state *w;
    struct builder rows;
    struct blocks *out;
};

static bool cut(struct saving *s, const beck_schema *schema)
{
    uint32_t count = s->rows.chunk->rows;
    struct block *block =
        count ? beck__block_new(s->out->memory, schema, s->rows.chunk, 0, count, NULL) : NULL;

    beck__builder_clear(&s->rows);
    return !count || (block && beck__blocks_add(s->out, block));
}

/* A row of that kind; the key of `slot` (NO_SLOT: nulls) and row `row` of `from` (NULL: nulls). */
static bool put(struct saving *s, enum row_kind kind, int64_t number, uint32_t slot,
                const struct builder *from, uint32_t row)
{
    struct window_state *w = s->w;
    uint32_t keys = w->op->keys, values = w->op->state->count;
    beck_value null = beck_null, last[2] = {beck_integer_value(kind), beck_integer_value(number)};
    bool ok = true;

    for (uint32_t k = 0; ok && k < keys; k++)
        ok = slot == NO_SLOT
                 ? !beck__builder_value(&s->rows, k, &null, NULL, NULL)
                 : beck__builder_cell(&s->rows, k, &w->keys.rows.chunk->column[k], slot, false);
    for (uint32_t k = 0; ok && k < values; k++)
        ok = !from ? !beck__builder_value(&s->rows, keys + k, &null, NULL, NULL)
                   : beck__builder_cell(&s->rows, keys + k, &from->chunk->column[k], row, false);
    for (uint32_t k = 0; ok && k < 2; k++)
        ok = !beck__builder_value(&s->rows, keys + values + k, &last[k], NULL, NULL);
    if (ok)
        beck__builder_end_row(&s->rows);
    return ok && (!beck__builder_full(&s->rows) || cut(s, s->rows.schema));
}

static bool put_slice(struct saving *s, const struct window_slice *slice)
{
    bool ok = true;

    for (uint32_t i = 0; ok && i < slice->count; i++) {
        bool follows = slice->front && beck__bit_get(slice->follows, i);
        enum row_kind kind = !slice->front ? ROW_PART : follows ? ROW_FOLLOWS : ROW_LAST;
        ok =
            put(s, kind, slice->number, slice->slots[i], kind == ROW_LAST ? NULL : &slice->rows, i);
    }
    return ok;
}

bool beck__window_save(struct window_state *w, const beck_schema *schema, struct blocks *out)
{
    struct saving s = {.w = w, .out = out};

    if (beck__builder_init(&s.rows, w->memory, schema, BECK__CHUNK_ROWS, NULL))
        return false;
    bool ok = !w->seen || put(&s, ROW_HEAD, w->block, NO_SLOT, NULL, 0);
    for (uint32_t slot = 0; ok && slot < w->slots; slot++) {
        if (w->has[slot] & HAS_FRONT)
            ok = put(&s, ROW_FRONT, 0, slot, &w->front.rows, beck__state_rows_row(&w->front, slot));
        if (ok && (w->has[slot] & HAS_BACK))
            ok = put(&s, ROW_BACK, 0, slot, &w->back.rows, beck__state_rows_row(&w->back, slot));
    }
    for (const struct window_slice *slice = w->oldest; ok && slice; slice = slice->newer)
        ok = put_slice(&s, slice);
    ok = ok && cut(&s, schema);
    beck__builder_deinit(&s.rows);
    return ok;
}

/* Room for one more key of the slice. */
static bool slice_push(struct window_state *w, struct window_slice *slice, uint32_t slot,
                       bool follows)
{
    size_t count = slice->count, bits = beck__bitmap_bytes(count);
    uint32_t *slots = w->memory->resize(w->memory->self, slice->slots, count * sizeof *slots,
                                        (count + 1) * sizeof *slots);
    if (!slots)
        return false;
    slice->slots = slots;
    slots[count] = slot;
    if (slice->front && beck__bitmap_bytes(count + 1) != bits) {
        uint8_t *grown =
            w->memory->resize(w->memory->self, slice->follows, bits, beck__bitmap_bytes(count + 1));
        if (!grown) { /* the sizes must say what there is */
            slice->slots = w->memory->resize(w->memory->self, slots, (count + 1) * sizeof *slots,
                                             count * sizeof *slots);
            return false;
        }
        grown[bits] = 0;
        slice->follows = grown;
    }
    if (follows)
        beck__bit_set(slice->follows, count);
    slice->count++;
    return true;
}

static struct window_slice *slice_of(struct window_state *w, int64_t number, bool front)
{
    struct window_slice *slice = w->newest;

    if (slice && slice->number == number)
        return slice;
    slice = beck__window_slice_new(w, number);
    if (slice) {
        slice->front = front;
        beck__window_append(w, slice);
    }
    return slice;
}

static bool load_row(struct window_state *w, const beck_chunk *chunk, uint32_t row, uint32_t slot,
                     enum row_kind kind)
{
    uint32_t keys = w->op->keys, values = w->op->state->count;
    int64_t number = ((const int64_t *)chunk->column[keys + values + 1].data)[row];

    if (kind == ROW_FRONT || kind == ROW_BACK) {
        w->has[slot] |= kind == ROW_FRONT ? HAS_FRONT : HAS_BACK;
        return beck__state_rows_put(kind == ROW_FRONT ? &w->front : &w->back, &slot, 1, chunk, keys,
                                    &row);
    }
    struct window_slice *slice = slice_of(w, number, kind != ROW_PART);
    if (!slice || slice->front != (kind != ROW_PART) ||
        !slice_push(w, slice, slot, kind == ROW_FOLLOWS))
        return false;
    for (uint32_t k = 0; k < values; k++)
        if (!beck__builder_cell(&slice->rows, k, &chunk->column[keys + k], row, false))
            return false;
    beck__builder_end_row(&slice->rows);
    return true;
}

static bool load_chunk(struct window_state *w, const beck_chunk *chunk)
{
    uint32_t slots[BECK__CHUNK_ROWS], last = w->op->keys + w->op->state->count;
    const int64_t *kinds = chunk->column[last].data, *numbers = chunk->column[last + 1].data;
    uint32_t from = 0;

    if (chunk->rows > BECK__CHUNK_ROWS)
        return false;
    for (; from < chunk->rows && kinds[from] == ROW_HEAD; from++) {
        w->seen = true;
        w->block = numbers[from];
    }
    if (!beck__keys_find(&w->keys, chunk, from, chunk->rows - from, slots) || !beck__window_grow(w))
        return false;
    for (uint32_t i = from; i < chunk->rows; i++)
        if (kinds[i] < ROW_FRONT || kinds[i] > ROW_LAST ||
            !load_row(w, chunk, i, slots[i - from], (enum row_kind)kinds[i]))
            return false;
    return true;
}

bool beck__window_load(struct window_state *w, const struct blocks *in)
{
    for (size_t i = 0; i < in->count; i++)
        if (!load_chunk(w, in->items[i]->chunk))
            return false;
    w->known = beck__keys_count(&w->keys);
    return true;
}
