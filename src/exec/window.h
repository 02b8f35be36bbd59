/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window - what OP_WINDOW keeps of a partition: two stacks per key, whose boundary depends on slice
 * numbers only. Private to exec.
 *
 * Slices are numbered by time. With a window of W slices, every W-th begins a block; a window is a
 * suffix of one block (the front) and a prefix of the next (the back):
 *
 *     slice   4   5   6   7 | 8   9  10  11     W = 4, window at 9: 6..9
 *             .  (6 + (7)   | 8 + 9)            front = 6 + 7, back = 8 + 9
 *                front          back
 *
 * The back grows by one merge per key and slice. When a block begins, its predecessor's slices are
 * folded from the newest to the oldest, once: each then holds, of each of its keys, what follows it
 * in the block, and that becomes the key's front when the slice leaves. So a key costs two merges
 * per slice that it is in, and one per window that is shown, for any associative function, and sums
 * of fractions are the same bits whenever they are computed. (Two-stacks and DABA Lite:
 * Tangwongsan, Hirzel, Schneider, "In-order sliding-window aggregation in worst-case constant
 * time", VLDB J. 2021; blocks of fixed places: van Herk, Gil and Werman.)
 */
#ifndef BECK_EXEC_WINDOW_H
#define BECK_EXEC_WINDOW_H

#include "exec/fold.h"
#include "state/state.h"

struct window_slice {
    struct window_slice *older, *newer;
    int64_t number;
    bool front;          /* else back */
    uint32_t count;      /* keys */
    uint32_t *slots;     /* of them */
    struct builder rows; /* back: the slice's state of each; front: of what follows it */
    uint8_t *follows;    /* front: bits: something does */
};

enum { HAS_FRONT = 1, HAS_BACK = 2 };

struct window_state {
    const struct allocator *memory;
    const struct op *op;
    struct keys keys;
    struct state_rows front, back;
    uint8_t *has; /* by slot: HAS_FRONT, HAS_BACK; 0: the key is gone */
    size_t has_capacity;
    struct touched touched; /* the keys of the slice in the making */
    uint32_t slots;
    struct window_slice *oldest, *newest;
    int64_t block; /* of the newest slice */
    bool seen;     /* there was a row once */
    /* What the batch has done and not sealed: */
    struct window_slice *pending;
    uint32_t known; /* slots before it */
    uint32_t saved; /* entries of `pending` whose old backs are noted */
    uint32_t *old;  /* by entry: as for beck__state_rows_restore; NO_SLOT: there was none */
    struct builder old_rows;
};

#define NO_BLOCK INT64_MIN

beck_status beck__window_init(struct window_state *w, const struct allocator *memory,
                              const struct op *op, struct error *error);
void beck__window_deinit(struct window_state *w);
void beck__window_seal(struct window_state *w, bool keep);
void beck__window_set_error(struct window_state *w, struct error *error);
/* Room for all slots of the keys. */
bool beck__window_grow(struct window_state *w);
/* Keys with a front or a back, between batches. */
static inline uint32_t beck__window_live(const struct window_state *w)
{
    if (w->keys.columns == 0)
        return w->slots && w->has[0];
    return beck__keys_count(&w->keys) - w->keys.removed;
}

struct window_slice *beck__window_slice_new(struct window_state *w, int64_t number);
void beck__window_slice_free(struct window_state *w, struct window_slice *slice);
void beck__window_append(struct window_state *w, struct window_slice *slice);
void beck__window_unlink(struct window_state *w, struct window_slice *slice);

/* A snapshot as rows of key, state, kind and number; see beck__resident_save. */
bool beck__window_save(struct window_state *w, const beck_schema *schema, struct blocks *out);
bool beck__window_load(struct window_state *w, const struct blocks *in);

#endif
