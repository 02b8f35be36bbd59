/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base - memory, errors, texts, vectors, bitmaps, bytes, the one hash core. No I/O, no threads,
 * no system call: memory comes from a struct allocator that the os room fills.
 */
#ifndef BECK_BASE_H
#define BECK_BASE_H

#include <assert.h>
#include <beck/types.h>
#include <stdarg.h>
#include <stdatomic.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define BECK__PRINTF(text, first) __attribute__((format(printf, text, first)))
#define BECK__COUNT_OF(a)         (sizeof(a) / sizeof *(a))

/* ---- errors: on the caller's stack, no allocation to report a failure ---------------------- */

struct error {
    beck_status status;
    char text[1000];
};

/* Sets *error unless it is set already (the first one sticks); returns `status`. error may be
 * NULL. */
beck_status beck__error_set(struct error *error, beck_status status, const char *format, ...)
    BECK__PRINTF(3, 4);
beck_status beck__error_set_list(struct error *error, beck_status status, const char *format,
                                 va_list list);
/* Puts text in front of a set error: "batch 1000 ms: " */
void beck__error_prefix(struct error *error, const char *format, ...) BECK__PRINTF(2, 3);
void beck__error_clear(struct error *error);
/* BECK_NO_MEMORY with the number of bytes and what they were for. */
beck_status beck__error_memory(struct error *error, const char *what, size_t bytes);

/* ---- memory --------------------------------------------------------------------------------- */

/* resize(self, NULL, 0, n) allocates, (p, n, 0) frees, else moves. NULL when there is none left;
 * `p` is then untouched. Memory is not zeroed. Any thread. */
struct allocator {
    void *(*resize)(void *self, void *p, size_t old_size, size_t new_size);
    void *self;
};

void *beck__alloc(const struct allocator *memory, size_t size); /* not zeroed */
void *beck__alloc_zero(const struct allocator *memory, size_t size);
void beck__free(const struct allocator *memory, void *p, size_t size); /* NULL is nothing */

/* An arena: everything in it is freed whole. One thread at a time. Blocks double from `first`
 * (default 4 KiB) to 1 MiB; reset keeps the largest one, so that a batch that repeats allocates
 * nothing. A zeroed arena with `memory` set is ready. */
struct arena_block;
struct arena {
    const struct allocator *memory;
    struct arena_block *block;
    size_t used;  /* of the newest block */
    size_t total; /* bytes of all blocks */
    size_t first; /* size of the first block; 0: 4 KiB */
};

void beck__arena_init(struct arena *arena, const struct allocator *memory);
void beck__arena_deinit(struct arena *arena);
void beck__arena_reset(struct arena *arena);
void *beck__arena_alloc(struct arena *arena, size_t size); /* 16-byte aligned, zeroed; or NULL */
void *beck__arena_raw(struct arena *arena, size_t size);   /* the same, not zeroed */
char *beck__arena_text(struct arena *arena, const char *text); /* a copy; NULL gives NULL */
/* Size 0 gives a pointer, too. */
void *beck__arena_copy(struct arena *arena, const void *data, size_t size);
char *beck__arena_printf(struct arena *arena, const char *format, ...) BECK__PRINTF(2, 3);

/* Makes room for `need` items of `size` bytes: *items moves, *capacity grows by doubling (at least
 * 8). False without memory; nothing has changed then. */
bool beck__vector_reserve(const struct allocator *memory, void **items, size_t *capacity,
                          size_t need, size_t size);
/* The same in an arena; the old items stay behind as garbage. */
bool beck__arena_reserve(struct arena *arena, void **items, size_t *capacity, size_t need,
                         size_t size);

/* ---- text and bytes that grow ---------------------------------------------------------------- */

/* A zeroed one with `memory` set is ready. After a failure `failed` stays set and appends are
 * ignored: check once, at the end. `data` always ends with a NUL once something was appended. */
struct text {
    const struct allocator *memory;
    char *data;
    size_t size, capacity;
    bool failed;
};

void beck__text_deinit(struct text *text);
void beck__text_clear(struct text *text);
bool beck__text_reserve(struct text *text, size_t more);
void beck__text_append(struct text *text, const void *data, size_t size);
void beck__text_add(struct text *text, const char *string);
void beck__text_printf(struct text *text, const char *format, ...) BECK__PRINTF(2, 3);
const char *beck__text_get(const struct text *text); /* "" if empty */

/* Little-endian encoding into a struct text. A string is u32 length and bytes. */
void beck__put_u8(struct text *out, uint8_t x);
void beck__put_u32(struct text *out, uint32_t x);
void beck__set_u32(struct text *out, size_t at, uint32_t x); /* one that was put at `at` */
void beck__put_u64(struct text *out, uint64_t x);
void beck__put_string(struct text *out, beck_str s);

/* Reading it back: a read past the end sets `bad` and gives 0 or "". Never reads outside. */
struct reader {
    const uint8_t *data;
    size_t size, at;
    bool bad;
};

uint8_t beck__get_u8(struct reader *in);
uint32_t beck__get_u32(struct reader *in);
uint64_t beck__get_u64(struct reader *in);
beck_str beck__get_string(struct reader *in); /* points into the data */

/* ---- bitmaps: bit i is bit i % 8 of byte i / 8 ----------------------------------------------- */

static inline bool beck__bit_get(const uint8_t *bits, size_t i)
{
    return bits[i >> 3] >> (i & 7) & 1;
}

static inline void beck__bit_set(uint8_t *bits, size_t i)
{
    bits[i >> 3] = (uint8_t)(bits[i >> 3] | 1u << (i & 7));
}

static inline void beck__bit_clear(uint8_t *bits, size_t i)
{
    bits[i >> 3] = (uint8_t)(bits[i >> 3] & ~(1u << (i & 7)));
}

static inline size_t beck__bitmap_bytes(size_t bits)
{
    return (bits + 7) / 8;
}

/* ---- the hash core --------------------------------------------------------------------------- */

/* Open addressing with linear probing over 8-byte slots: the upper half of the hash and an item
 * number; the items (keys, values) live with the user, in arrays by item number. Load is at most
 * 1/2. Iteration is by item number: the order of insertion, never of the slots. A search begins at
 * a multiple of four slots, so that beck__hash_guess finds nearly every key without a branch.
 *
 *     slot:  | hash >> 32 : 32 | item + 1 : 32 |      0: empty
 *
 * Lookup, specialised by the caller's equality:
 *     for (size_t i = beck__hash_first(h, hash);; i = beck__hash_next(h, i)) {
 *         uint64_t slot = h->slots[i];
 *         if (!slot) -> absent: beck__hash_put(h, i, hash, item)
 *         if (beck__hash_same(slot, hash) && equal(beck__hash_item(slot), key)) -> found
 *     }
 * Call beck__hash_reserve before, so that a put always finds room. */
struct hash {
    const struct allocator *memory;
    uint64_t *slots;
    size_t mask; /* slots - 1; 0 with slots NULL: none yet */
    size_t count;
    bool dense; /* up to three quarters full instead of half: smaller, a little slower */
};

/* How many items that many slots take. */
static inline size_t beck__hash_limit(const struct hash *h, size_t slots)
{
    return h->dense ? slots / 4 * 3 : slots / 2;
}

/* Room for `more` items beyond count; rehashes by `hashes[item]` (the full 64-bit hash of each
 * item). False without memory, nothing has changed then. */
bool beck__hash_reserve(struct hash *hash, size_t more, const uint64_t *hashes);
/* True if that would not need to grow. */
static inline bool beck__hash_room(const struct hash *h, size_t more)
{
    return h->slots && h->count + more <= beck__hash_limit(h, h->mask + 1);
}

/* Empties slot i. Slots behind it that a search would no longer reach move up: hash_of(user, item)
 * is the full hash of an item. */
void beck__hash_remove(struct hash *hash, size_t i, uint64_t (*hash_of)(void *user, uint32_t item),
                       void *user);
void beck__hash_deinit(struct hash *hash);
void beck__hash_clear(struct hash *hash); /* keeps the slots */

static inline size_t beck__hash_first(const struct hash *h, uint64_t hash)
{
    return (size_t)hash & h->mask & ~(size_t)3;
}

static inline size_t beck__hash_next(const struct hash *h, size_t i)
{
    return (i + 1) & h->mask;
}

static inline bool beck__hash_same(uint64_t slot, uint64_t hash)
{
    return (slot >> 32) == (hash >> 32);
}

static inline uint32_t beck__hash_item(uint64_t slot)
{
    return (uint32_t)slot - 1;
}

/* The slot, among the four where the search begins, that looks like `hash`; if none does, any of
 * them, perhaps an empty one. The caller compares keys, and searches if they differ. */
static inline uint64_t beck__hash_guess(const struct hash *h, uint64_t hash)
{
    const uint64_t *four = &h->slots[beck__hash_first(h, hash)];
#if defined(__SSE2__)
    __m128 a = _mm_loadu_ps((const float *)(const void *)four);
    __m128 b = _mm_loadu_ps((const float *)(const void *)(four + 2));
    __m128i tags = _mm_castps_si128(_mm_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1)));
    __m128i same = _mm_cmpeq_epi32(tags, _mm_set1_epi32((int)(hash >> 32)));
    return four[__builtin_ctz((unsigned)_mm_movemask_ps(_mm_castsi128_ps(same)) | 8)];
#else
    unsigned k = 3;
    for (unsigned i = 3; i-- > 0;)
        k = beck__hash_same(four[i], hash) ? i : k;
    return four[k];
#endif
}

static inline void beck__hash_put(struct hash *h, size_t i, uint64_t hash, uint32_t item)
{
    h->slots[i] = (hash & 0xffffffff00000000u) | (item + 1u);
    h->count++;
}

/* ---- functions as data ----------------------------------------------------------------------- */

/* A function or constant object as data: the same in every process of one executable, wherever it
 * was loaded. module: hash of the loaded object's build id (without one: of its text segment);
 * module 0: in no module, a plain address, good in this process only. */
struct function_id {
    uint64_t module, offset;
};

/* ---- fail points: a named step of a protocol at which a test makes the program fail ---------- */

/* False, unless a test armed the name: beck__fail_point_set("write", 3) makes the third hit
 * true. */
bool beck__fail_point(const char *name);
void beck__fail_point_set(const char *name, uint64_t hit); /* NULL: clears all */

#endif
