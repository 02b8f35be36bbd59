/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys with state, and what an attempt changed. Between seals every slot whose bit is set in
 * `saved` stands once in the undo list; a key is removed from the index only when the attempt is
 * kept, so that undoing needs no memory.
 *
 * The order of touches has an undo list of its own, in order of the first moves: a slot that has
 * not moved stands behind one that has not, either, so that going backwards each finds its
 * neighbour.
 */
#include "state/state.h"

beck_status beck__state_init(struct state_table *table, const struct allocator *memory,
                             const beck_schema *key_schema, uint32_t columns,
                             const beck_schema *state_schema, bool timed, struct error *error)
{
    memset(table, 0, sizeof *table);
    table->timed = timed;
    table->touched.memory = memory;
    table->touches.oldest = table->touches.newest = NO_SLOT;
    beck_status status = beck__keys_init(&table->keys, memory, key_schema, columns, error);
    table->keys.lean = table->keys.index.dense = true;
    if (!status)
        status = beck__state_rows_init(&table->rows, memory, state_schema, error);
    if (!status)
        status = beck__builder_init(&table->undo_rows, memory, state_schema, UINT32_MAX, error);
    if (status)
        beck__state_deinit(table);
    return status;
}

void beck__state_deinit(struct state_table *table)
{
    const struct allocator *memory = table->keys.memory;
    struct touches *t = &table->touches;

    if (!memory)
        return;
    beck__touched_deinit(&table->touched);
    beck__free(memory, table->present, table->bits);
    beck__free(memory, table->saved, table->bits);
    beck__free(memory, table->moved, table->bits);
    beck__free(memory, t->time_ms, t->capacities[0] * sizeof *t->time_ms);
    beck__free(memory, t->older, t->capacities[1] * sizeof *t->older);
    beck__free(memory, t->newer, t->capacities[2] * sizeof *t->newer);
    beck__free(memory, table->undo, table->undo_capacity * sizeof *table->undo);
    beck__free(memory, table->undo_touches, table->touch_capacity * sizeof *table->undo_touches);
    if (table->undo_rows.memory)
        beck__builder_deinit(&table->undo_rows);
    beck__state_rows_deinit(&table->rows);
    beck__keys_deinit(&table->keys);
}

void beck__state_set_error(struct state_table *table, struct error *error)
{
    table->keys.error = table->rows.error = error;
}

static bool no_memory(const struct state_table *table)
{
    beck__error_memory(table->keys.error, "a table of states",
                       (size_t)beck__keys_count(&table->keys) * 32);
    return false;
}

/* A slot without a state is not in the list of touches; its time says so. */
#define NOT_LINKED INT64_MIN

/* ---- slots ----------------------------------------------------------------------------------- */

/* All three have the same size, or none. */
static bool grow_bits(struct state_table *table, size_t bytes)
{
    const struct allocator *memory = table->keys.memory;
    uint8_t **const bits[] = {&table->present, &table->saved, &table->moved};

    for (size_t i = 0; i < BECK__COUNT_OF(bits); i++) {
        uint8_t *grown = memory->resize(memory->self, *bits[i], table->bits, bytes);
        while (!grown && i-- > 0)
            *bits[i] = memory->resize(memory->self, *bits[i], bytes, table->bits);
        if (!grown)
            return false;
        memset(grown + table->bits, 0, bytes - table->bits);
        *bits[i] = grown;
    }
    table->bits = bytes;
    return true;
}

static bool grow_touches(struct state_table *table, uint32_t slots)
{
    const struct allocator *memory = table->keys.memory;
    struct touches *t = &table->touches;

    bool ok = beck__vector_reserve(memory, (void **)&t->time_ms, &t->capacities[0], slots,
                                   sizeof *t->time_ms) &&
              beck__vector_reserve(memory, (void **)&t->older, &t->capacities[1], slots,
                                   sizeof *t->older) &&
              beck__vector_reserve(memory, (void **)&t->newer, &t->capacities[2], slots,
                                   sizeof *t->newer);
    for (uint32_t s = table->rows.slots; ok && s < slots; s++)
        t->time_ms[s] = NOT_LINKED;
    return ok;
}

/* Everything that is there per slot. */
static bool grow(struct state_table *table, uint32_t slots)
{
    if (slots > table->bits * 8 && !grow_bits(table, beck__bitmap_bytes(2 * (size_t)slots + 512)))
        return no_memory(table);
    if (table->timed && !grow_touches(table, slots))
        return no_memory(table);
    return beck__state_rows_grow(&table->rows, slots);
}

static bool reserve_undo(struct state_table *table, uint32_t more)
{
    const struct allocator *memory = table->keys.memory;
    size_t count = (size_t)table->undo_count + more;

    return (beck__vector_reserve(memory, (void **)&table->undo, &table->undo_capacity, count,
                                 sizeof *table->undo) &&
            (!table->timed ||
             beck__vector_reserve(memory, (void **)&table->undo_touches, &table->touch_capacity,
                                  count, sizeof *table->undo_touches)) &&
            (!table->rows.plain || beck__builder_reserve(&table->undo_rows, more))) ||
           no_memory(table);
}

bool beck__state_find(struct state_table *table, const beck_chunk *chunk, uint32_t from,
                      uint32_t count, uint32_t *slots)
{
    uint32_t known = beck__keys_count(&table->keys);
    bool ok = beck__keys_find(&table->keys, chunk, from, count, slots);
    uint32_t now = beck__keys_count(&table->keys);

    /* Also after a failure: keys that came before it must be known to the undo list. */
    if (!grow(table, now))
        ok = false;
    bool noted = now == known || (now <= table->rows.slots && reserve_undo(table, now - known));
    for (uint32_t s = known; s < now; s++) {
        if (!noted) {
            beck__keys_remove(&table->keys, s);
            continue;
        }
        table->undo[table->undo_count++] = (struct undo_entry){s, NO_KEY};
        beck__bit_set(table->saved, s);
        beck__bit_set(table->moved, s);
    }
    return ok && noted;
}

/* The cells of a plain row, for which there is room in undo_rows. */
static void save_row(struct state_table *table, uint32_t slot)
{
    const beck_chunk *rows = table->rows.rows.chunk;
    beck_chunk *undo = table->undo_rows.chunk;

    for (uint32_t k = 0; k < rows->columns; k++) {
        const beck_column *from = &rows->column[k];
        beck_column *to = &undo->column[k];
        ((int64_t *)to->data)[to->size] = ((const int64_t *)from->data)[slot];
        if (from->valid && !to->valid)
            beck__column_need_valid(to);
        if (to->valid && (!from->valid || beck__bit_get(from->valid, slot)))
            beck__bit_set(to->valid, to->size);
        else if (to->valid)
            beck__bit_clear(to->valid, to->size);
        to->size++;
    }
    undo->rows++;
}

/* The misses of what save_row and the caller will touch overlap. */
static void fetch_rows(const struct state_table *table, const uint32_t *slots, uint32_t count)
{
    const beck_chunk *rows = table->rows.rows.chunk;

    for (uint32_t k = 0; table->rows.plain && k < rows->columns; k++)
        for (uint32_t i = 0; i < count; i++)
            __builtin_prefetch((const int64_t *)rows->column[k].data + slots[i], 1);
}

bool beck__state_save(struct state_table *table, const uint32_t *slots, uint32_t count)
{
    if (count > 1)
        fetch_rows(table, slots, count);
    if (!reserve_undo(table, count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t s = slots[i];
        if (beck__bit_get(table->saved, s))
            continue;
        beck__bit_set(table->saved, s);
        struct undo_entry *entry = &table->undo[table->undo_count];
        *entry = (struct undo_entry){s, NO_SLOT};
        if (beck__state_has(table, s)) {
            entry->row = table->rows.plain ? table->undo_rows.chunk->rows : table->rows.row_of[s];
            if (table->rows.plain)
                save_row(table, s);
        } else {
            beck__bit_set(table->moved, s); /* it has no place to go back to */
        }
        table->undo_count++;
    }
    return true;
}

void beck__state_appear(struct state_table *table, const uint32_t *slots, uint32_t count,
                        bool *fresh)
{
    for (uint32_t i = 0; i < count; i++) {
        fresh[i] = !beck__state_has(table, slots[i]);
        table->count += fresh[i];
        beck__bit_set(table->present, slots[i]);
    }
}

bool beck__state_put(struct state_table *table, const uint32_t *slots, uint32_t count,
                     const beck_chunk *chunk, uint32_t first)
{
    if (!beck__state_rows_put(&table->rows, slots, count, chunk, first, NULL))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        table->count += !beck__state_has(table, slots[i]);
        beck__bit_set(table->present, slots[i]);
    }
    return true;
}

/* ---- touches --------------------------------------------------------------------------------- */

static void unlink_slot(struct touches *t, uint32_t s)
{
    if (t->older[s] == NO_SLOT)
        t->oldest = t->newer[s];
    else
        t->newer[t->older[s]] = t->newer[s];
    if (t->newer[s] == NO_SLOT)
        t->newest = t->older[s];
    else
        t->older[t->newer[s]] = t->older[s];
}

static void link_after(struct touches *t, uint32_t s, uint32_t older)
{
    uint32_t newer = older == NO_SLOT ? t->oldest : t->newer[older];

    t->older[s] = older;
    t->newer[s] = newer;
    if (older == NO_SLOT)
        t->oldest = s;
    else
        t->newer[older] = s;
    if (newer == NO_SLOT)
        t->newest = s;
    else
        t->older[newer] = s;
}

static bool is_linked(const struct state_table *table, uint32_t slot)
{
    return table->timed && beck__state_has(table, slot) &&
           table->touches.time_ms[slot] != NOT_LINKED;
}

/* Out of the order, if it is there; where it stood is noted the first time. Its entry in the undo
 * list has made room for that. */
static void leave_order(struct state_table *table, uint32_t slot)
{
    struct touches *t = &table->touches;

    if (!is_linked(table, slot))
        return;
    if (!beck__bit_get(table->moved, slot)) {
        beck__bit_set(table->moved, slot);
        table->undo_touches[table->moved_count++] =
            (struct undo_touch){t->time_ms[slot], slot, t->older[slot]};
    }
    unlink_slot(t, slot);
    t->time_ms[slot] = NOT_LINKED;
}

void beck__state_touch(struct state_table *table, uint32_t slot, int64_t time_ms)
{
    if (!table->timed)
        return;
    leave_order(table, slot);
    link_after(&table->touches, slot, table->touches.newest);
    table->touches.time_ms[slot] = time_ms;
}

uint32_t beck__state_due(const struct state_table *table, int64_t before_ms)
{
    const struct touches *t = &table->touches;

    return table->timed && t->oldest != NO_SLOT && t->time_ms[t->oldest] < before_ms ? t->oldest
                                                                                     : NO_SLOT;
}

void beck__state_remove(struct state_table *table, uint32_t slot)
{
    if (!beck__state_has(table, slot))
        return;
    leave_order(table, slot);
    beck__bit_clear(table->present, slot);
    table->count--;
}

bool beck__state_forget(struct state_table *table, int64_t before_ms)
{
    uint32_t slot;

    while ((slot = beck__state_due(table, before_ms)) != NO_SLOT) {
        if (!beck__state_save(table, &slot, 1))
            return false;
        beck__state_remove(table, slot);
    }
    return true;
}

/* ---- the end of an attempt ------------------------------------------------------------------- */

static void undo_touches(struct state_table *table)
{
    struct touches *t = &table->touches;

    for (uint32_t i = 0; i < table->moved_count; i++) {
        uint32_t slot = table->undo_touches[i].slot;
        if (t->time_ms[slot] != NOT_LINKED)
            unlink_slot(t, slot);
    }
    for (uint32_t i = table->moved_count; i-- > 0;) {
        const struct undo_touch *was = &table->undo_touches[i];
        link_after(t, was->slot, was->older);
        t->time_ms[was->slot] = was->time_ms;
    }
}

static void undo(struct state_table *table)
{
    for (uint32_t i = table->undo_count; i-- > 0;) {
        const struct undo_entry *e = &table->undo[i];
        if (e->row >= NO_KEY) /* it leaves the order for good */
            beck__state_remove(table, e->slot);
        if (e->row == NO_KEY)
            beck__keys_remove(&table->keys, e->slot);
        if (e->row >= NO_KEY)
            continue;
        table->count += !beck__state_has(table, e->slot);
        beck__state_rows_restore(&table->rows, e->slot, table->undo_rows.chunk, e->row);
        beck__bit_set(table->present, e->slot);
    }
    undo_touches(table);
}

/* Slots of keys that are gone make room when they are most. */
static bool compact(struct state_table *table)
{
    const struct allocator *memory = table->keys.memory;
    struct touches *t = &table->touches;
    uint32_t slots = beck__keys_count(&table->keys), live = slots - table->keys.removed, to = 0;

    if (table->keys.removed < live + 1024)
        return true;
    uint32_t *order = beck__alloc(memory, ((size_t)slots + 1) * sizeof *order);
    uint32_t *place = beck__alloc(memory, ((size_t)slots + 1) * sizeof *place);
    bool ok = order && place;
    for (uint32_t s = 0; ok && s < slots; s++) {
        place[s] = to;
        if (beck__state_has(table, s))
            order[to++] = s;
    }
    ok = ok && beck__keys_keep(&table->keys, order, to);
    if (ok)
        beck__state_rows_keep(&table->rows, order, to);
    for (uint32_t i = 0; ok && table->timed && i < to; i++) {
        uint32_t s = order[i];
        t->time_ms[i] = t->time_ms[s];
        t->older[i] = t->older[s] == NO_SLOT ? NO_SLOT : place[t->older[s]];
        t->newer[i] = t->newer[s] == NO_SLOT ? NO_SLOT : place[t->newer[s]];
    }
    if (ok) {
        t->oldest = t->oldest == NO_SLOT ? NO_SLOT : place[t->oldest];
        t->newest = t->newest == NO_SLOT ? NO_SLOT : place[t->newest];
        memset(table->present, 0, table->bits);
        for (uint32_t i = 0; i < to; i++)
            beck__bit_set(table->present, i);
    }
    beck__free(memory, order, ((size_t)slots + 1) * sizeof *order);
    beck__free(memory, place, ((size_t)slots + 1) * sizeof *place);
    return ok;
}

bool beck__state_seal(struct state_table *table, bool keep)
{
    if (!keep)
        undo(table);
    for (uint32_t i = 0; i < table->undo_count; i++) {
        beck__bit_clear(table->saved, table->undo[i].slot);
        beck__bit_clear(table->moved, table->undo[i].slot);
        if (keep && !beck__state_has(table, table->undo[i].slot))
            beck__keys_remove(&table->keys, table->undo[i].slot);
    }
    table->undo_count = table->moved_count = 0;
    beck__builder_clear(&table->undo_rows);
    return compact(table) && beck__state_rows_settle(&table->rows);
}

uint32_t beck__state_scan(const struct state_table *table, uint32_t *slot, uint32_t *slots,
                          uint32_t count)
{
    uint32_t found = 0, all = beck__keys_count(&table->keys);

    for (; *slot < all && found < count; ++*slot)
        if (beck__state_has(table, *slot))
            slots[found++] = *slot;
    return found;
}
