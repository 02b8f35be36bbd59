/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state - what outlives a batch inside a partition: keys numbered by slot, a row of state for each,
 * and an undo list, so that a failed attempt leaves nothing behind. No I/O, no threads: one table
 * belongs to one task at a time.
 *
 *     key rows --find--> slots        keys   | "a" | "b" | "c" |
 *                                     rows   |  3  |  1  |  7  |   <- put, with the old row in undo
 */
#ifndef BECK_STATE_H
#define BECK_STATE_H

#include "data/data.h"

/* ---- keys: numbered in the order in which they were first seen --------------------------------
 */

enum keys_kind { KEYS_STRING, KEYS_INTEGER, KEYS_ANY };

struct keys {
    const struct allocator *memory;
    struct error *error;
    enum keys_kind kind;
    uint32_t columns;
    struct hash index;
    /* Where a secret comes from, if keys turn out to be chosen so that their hashes collide. May be
     * NULL: then they stay as they are. */
    uint64_t (*secret)(void *user);
    void *secret_user;
    uint64_t seed;    /* 0: the fast hashes */
    bool chained;     /* a search went too far */
    bool frozen;      /* a key that is not known gets NO_SLOT */
    bool lean;        /* hashes are worked out again where needed: 8 bytes less a key */
    uint64_t *hashes; /* by slot; not of a lean one */
    size_t hash_capacity;
    struct builder rows; /* the keys themselves; rows is the number of slots, removed ones too */
    uint32_t removed;    /* slots whose key is no longer found */
    struct text scratch;
    beck_schema schema;
};

/* Keys are the first `columns` columns of `schema`; 0: there is one slot at most. Errors go to
 * *error, which may be changed between calls. */
beck_status beck__keys_init(struct keys *keys, const struct allocator *memory,
                            const beck_schema *schema, uint32_t columns, struct error *error);
void beck__keys_deinit(struct keys *keys);

void beck__keys_clear(struct keys *keys); /* none; keeps the memory */

static inline uint32_t beck__keys_count(const struct keys *keys)
{
    return keys->rows.chunk->rows;
}

#define NO_SLOT UINT32_MAX

/* slots[i] becomes the slot of row from + i; new keys are added (copied, -0.0 as 0.0). At most
 * BECK__CHUNK_ROWS rows. False with the error set; keys that were added before it stay. */
bool beck__keys_find(struct keys *keys, const beck_chunk *chunk, uint32_t from, uint32_t count,
                     uint32_t *slots);
/* The key of a slot is not found any more; the slot itself goes with the next compaction. */
void beck__keys_remove(struct keys *keys, uint32_t slot);
/* Only the slots order[0..count), ascending, stay and are numbered anew. */
bool beck__keys_keep(struct keys *keys, const uint32_t *order, uint32_t count);

/* ---- touched: the slots of an attempt, numbered in order of their first rows -------------------
 */

/* What a clear costs follows the slots that were touched, not those that there are. */
struct touched {
    const struct allocator *memory; /* set by the owner; zeroed otherwise */
    uint32_t *number;               /* by slot: its number + 1; 0: not touched */
    size_t number_capacity;
    uint32_t known; /* slots that have a place there */
    uint32_t *slots;
    size_t slot_capacity;
    uint32_t count;
};

/* numbers[i] becomes the number of slots[i], all below slot_count; may be the same array. False
 * without memory, and then nothing has changed. */
bool beck__touched_add(struct touched *touched, uint32_t slot_count, const uint32_t *slots,
                       uint32_t count, uint32_t *numbers);
void beck__touched_clear(struct touched *touched); /* keeps the memory */
void beck__touched_deinit(struct touched *touched);

/* ---- rows: a row of state per slot ------------------------------------------------------------
 */

/* Rows of plain numbers stand at their slot and are overwritten in place; of other rows a new
 * version is appended. */
struct state_rows {
    const struct allocator *memory;
    struct error *error;
    const beck_schema *schema;
    bool plain;
    struct builder rows;
    uint32_t *row_of; /* by slot; not of plain ones */
    size_t row_capacity;
    uint32_t slots; /* that have a place */
};

beck_status beck__state_rows_init(struct state_rows *store, const struct allocator *memory,
                                  const beck_schema *schema, struct error *error);
void beck__state_rows_deinit(struct state_rows *store);
/* Room for slots [0, slots); fresh ones hold a row of nulls. */
bool beck__state_rows_grow(struct state_rows *store, uint32_t slots);
/* Rows rows[i] (NULL: i) of the chunk's columns from `first` on become those of slots[i]. */
bool beck__state_rows_put(struct state_rows *store, const uint32_t *slots, uint32_t count,
                          const beck_chunk *chunk, uint32_t first, const uint32_t *rows);
/* The row of a slot, until the next put. */
static inline uint32_t beck__state_rows_row(const struct state_rows *store, uint32_t slot)
{
    return store->plain ? slot : store->row_of[slot];
}
/* Appends the rows of slots to columns [column, ...) of a builder, whose row count stays. */
bool beck__state_rows_get(const struct state_rows *store, const uint32_t *slots, uint32_t count,
                          struct builder *out, uint32_t column);
/* Back to a row that was saved: of plain ones it stands in `old`, else it is the number of the old
 * version. Needs no memory. */
void beck__state_rows_restore(struct state_rows *store, uint32_t slot, const beck_chunk *old,
                              uint32_t row);
/* A slot whose row is of no use any more. */
static inline void beck__state_rows_forget(struct state_rows *store, uint32_t slot)
{
    if (!store->plain)
        store->row_of[slot] = NO_SLOT;
}
/* Old versions go if they are most: call it when nobody may want them back. */
bool beck__state_rows_settle(struct state_rows *store);
/* Only the slots order[0..count), ascending, stay and are numbered anew. Needs no memory. */
void beck__state_rows_keep(struct state_rows *store, const uint32_t *order, uint32_t count);

/* ---- table: keys with state --------------------------------------------------------------------
 */

/* What a slot was before the attempt: its row, as for beck__state_rows_restore; NO_SLOT: it had no
 * state; NO_KEY: not even its key was there. */
struct undo_entry {
    uint32_t slot, row;
};

#define NO_KEY (NO_SLOT - 1)

/* Where it stood in the order of touches, and since when, before it moved or left for the first
 * time. */
struct undo_touch {
    int64_t time_ms;
    uint32_t slot, older;
};

/* Slots with a state in the order in which they were touched last: who is due stands at its head.
 * (One timeout for all keys makes a list enough where others need a timer wheel.) */
struct touches {
    int64_t *time_ms; /* by slot */
    uint32_t *older, *newer;
    uint32_t oldest, newest;
    size_t capacities[3];
};

struct state_table {
    struct keys keys;
    struct state_rows rows;
    bool timed;
    /* bits by slot: has a state; stands in the undo list; need not be noted in that of touches */
    uint8_t *present, *saved, *moved;
    size_t bits;    /* bytes of each */
    uint64_t count; /* keys with a state */
    struct touches touches;
    struct undo_entry *undo;
    struct undo_touch *undo_touches; /* timed; at most one per entry of undo */
    size_t undo_capacity, touch_capacity;
    uint32_t undo_count, moved_count;
    struct builder undo_rows; /* of plain rows */
    struct touched touched;   /* the owner's; empty between attempts */
};

/* The first `columns` columns of key_schema are the key. `timed`: touches are kept. */
beck_status beck__state_init(struct state_table *table, const struct allocator *memory,
                             const beck_schema *key_schema, uint32_t columns,
                             const beck_schema *state_schema, bool timed, struct error *error);
void beck__state_deinit(struct state_table *table);
void beck__state_set_error(struct state_table *table, struct error *error);

/* As beck__keys_find; a key without a state is there for this attempt. */
bool beck__state_find(struct state_table *table, const beck_chunk *chunk, uint32_t from,
                      uint32_t count, uint32_t *slots);
static inline bool beck__state_has(const struct state_table *table, uint32_t slot)
{
    return slot < table->rows.slots && beck__bit_get(table->present, slot);
}
/* Before the first change of each slot: what it is now goes to the undo list. */
bool beck__state_save(struct state_table *table, const uint32_t *slots, uint32_t count);
/* The saved slots get these rows (see beck__state_rows_put). */
bool beck__state_put(struct state_table *table, const uint32_t *slots, uint32_t count,
                     const beck_chunk *chunk, uint32_t first);
/* The saved slots of plain rows have a state from now on, whose cells the caller writes; fresh[i]:
 * slots[i] had none before, and does not come before i. */
void beck__state_appear(struct state_table *table, const uint32_t *slots, uint32_t count,
                        bool *fresh);
void beck__state_remove(struct state_table *table, uint32_t slot); /* a saved one */
/* A saved slot with a state was touched at time_ms. */
void beck__state_touch(struct state_table *table, uint32_t slot, int64_t time_ms);
/* The slot that was touched longest ago, if that was before time_ms; else NO_SLOT. */
uint32_t beck__state_due(const struct state_table *table, int64_t before_ms);

/* Removes the slots that were touched before that time. */
bool beck__state_forget(struct state_table *table, int64_t before_ms);

/* Ends an attempt: `keep` what it did, or undo it. False without memory: it was kept all the same.
 */
bool beck__state_seal(struct state_table *table, bool keep);
/* Slots with a state from *slot on, at most `count`; *slot becomes where to go on. */
uint32_t beck__state_scan(const struct state_table *table, uint32_t *slot, uint32_t *slots,
                          uint32_t count);

#endif
