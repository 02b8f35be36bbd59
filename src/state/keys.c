/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distinct keys, numbered. A batch of rows is looked up in two passes, so that the cache misses of
 * the first overlap: hash every key and prefetch its slot; then probe.
 */
#include "state/state.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define NULL_HASH 0x9ae16a3b2f90404fu

beck_status beck__keys_init(struct keys *keys, const struct allocator *memory,
                            const beck_schema *schema, uint32_t columns, struct error *error)
{
    memset(keys, 0, sizeof *keys);
    keys->memory = memory;
    keys->error = error;
    keys->columns = columns;
    keys->index.memory = memory;
    keys->scratch.memory = memory;
    keys->schema = (beck_schema){.count = columns, .fields = schema->fields};
    keys->kind = KEYS_ANY;
    if (columns == 1 &&
        (schema->fields[0].type == BECK_STRING || schema->fields[0].type == BECK_BINARY))
        keys->kind = KEYS_STRING;
    if (columns == 1 &&
        (schema->fields[0].type == BECK_BIGINT || schema->fields[0].type == BECK_TIMESTAMP))
        keys->kind = KEYS_INTEGER;
    return beck__builder_init(&keys->rows, memory, &keys->schema, UINT32_MAX, error);
}

void beck__keys_deinit(struct keys *keys)
{
    if (!keys->memory)
        return;
    beck__hash_deinit(&keys->index);
    beck__free(keys->memory, keys->hashes, keys->hash_capacity * sizeof *keys->hashes);
    beck__builder_deinit(&keys->rows);
    beck__text_deinit(&keys->scratch);
    keys->memory = NULL;
}

void beck__keys_clear(struct keys *keys)
{
    beck__hash_clear(&keys->index);
    beck__builder_clear(&keys->rows);
    keys->removed = 0;
}

static inline bool cell_null(const beck_column *k, uint32_t row)
{
    return k->valid && !beck__bit_get(k->valid, row);
}

static inline uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0x9e3779b97f4a7c15u;
    return x ^ (x >> 29);
}

/* False if a key could not be encoded: its hash means nothing. */
static bool hash_rows(struct keys *keys, const beck_chunk *chunk, uint32_t from, uint32_t count,
                      uint64_t *hashes)
{
    const beck_column *k = chunk->column;
    const struct hash *h = &keys->index;
    bool failed = false;

    for (uint32_t i = 0; i < count; i++) {
        if (keys->seed)
            hashes[i] =
                beck__key_hash_secret(chunk, keys->columns, from + i, keys->seed, &keys->scratch);
        else if (keys->kind == KEYS_ANY)
            hashes[i] = beck__key_hash(chunk, 0, keys->columns, from + i, &keys->scratch);
        else if (cell_null(k, from + i))
            hashes[i] = NULL_HASH;
        else if (keys->kind == KEYS_STRING)
            hashes[i] = beck__view_hash((const beck_view *)k->data + from + i);
        else
            hashes[i] = mix(((const uint64_t *)k->data)[from + i]);
        failed |= keys->scratch.failed;
        __builtin_prefetch(&h->slots[beck__hash_first(h, hashes[i])]);
    }
    return !failed;
}

static bool key_equal(const struct keys *keys, uint32_t group, const beck_chunk *chunk,
                      uint32_t row)
{
    const beck_column *a = keys->rows.chunk->column, *b = chunk->column;

    if (keys->kind == KEYS_STRING && !a->valid && !b->valid)
        return beck__view_equal((const beck_view *)a->data + group,
                                (const beck_view *)b->data + row);
    if (keys->kind == KEYS_INTEGER && !a->valid && !b->valid)
        return ((const int64_t *)a->data)[group] == ((const int64_t *)b->data)[row];
    for (uint32_t k = 0; k < keys->columns; k++)
        if (!beck__cell_equal(&keys->rows.chunk->column[k], group, &chunk->column[k], row))
            return false;
    return true;
}

/* Minus zero is stored as zero. */
static void normalise(beck_column *k)
{
    if (k->type == BECK_DOUBLE && ((double *)k->data)[k->size - 1] == 0)
        ((double *)k->data)[k->size - 1] = 0;
}

static bool key_add(struct keys *keys, const beck_chunk *chunk, uint32_t row)
{
    beck_column *to = keys->rows.chunk->column;
    const beck_column *from = chunk->column;

    if (keys->kind == KEYS_STRING && to->size < to->capacity && !to->valid && !from->valid &&
        ((const beck_view *)from->data)[row].size <= BECK_VIEW_INLINE) { /* nothing else to copy */
        ((beck_view *)to->data)[to->size++] = ((const beck_view *)from->data)[row];
        keys->rows.chunk->rows++;
        return true;
    }
    for (uint32_t k = 0; k < keys->columns; k++) {
        if (!beck__builder_cell(&keys->rows, k, &chunk->column[k], row, false))
            return false;
        normalise(&keys->rows.chunk->column[k]);
    }
    beck__builder_end_row(&keys->rows);
    return true;
}

/* So many slots in a row look at in vain only if keys collide on purpose: a dense table has longer
 * ones by nature. */
static inline size_t chain_max(const struct hash *h)
{
    return h->dense ? 1024 : 256;
}

/* Probes for one row with the generic comparison. */
static bool find_any(struct keys *keys, const beck_chunk *chunk, uint32_t row, uint64_t hash,
                     uint32_t *group)
{
    struct hash *h = &keys->index;

    size_t first = beck__hash_first(h, hash);
    for (size_t i = first;; i = beck__hash_next(h, i)) {
        uint64_t slot = h->slots[i];
        if (!slot && keys->frozen) {
            *group = NO_SLOT;
            return true;
        }
        if (!slot) {
            keys->chained |= ((i - first) & h->mask) > chain_max(h);
            *group = beck__keys_count(keys);
            if (!key_add(keys, chunk, row)) {
                beck__builder_drop_row(&keys->rows); /* of several columns some may have theirs */
                return false;
            }
            if (!keys->lean)
                keys->hashes[*group] = hash;
            beck__hash_put(h, i, hash, *group);
            return true;
        }
        if (beck__hash_same(slot, hash) && key_equal(keys, beck__hash_item(slot), chunk, row)) {
            *group = beck__hash_item(slot);
            return true;
        }
    }
}

/* The same 16 bytes: equal, and for most unequal ones the end of it. */
static inline bool view_same(const beck_view *a, const beck_view *b)
{
#if defined(__SSE2__)
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)a);
    __m128i y = _mm_loadu_si128((const __m128i *)(const void *)b);
    return _mm_movemask_epi8(_mm_cmpeq_epi8(x, y)) == 0xffff;
#else
    return memcmp(a, b, sizeof *a) == 0;
#endif
}

/* Strings without nulls. Most keys are known and stand where the hash guesses them, so that is
 * tried for all keys of a block at once, in steps whose cache misses overlap: hash and fetch the
 * slots; guess and fetch the key; compare. */
#define BLOCK 256u
static bool find_strings(struct keys *keys, const beck_chunk *chunk, uint32_t from, uint32_t count,
                         uint32_t *groups)
{
    const beck_view *views = (const beck_view *)chunk->column[0].data + from;
    const struct hash *h = &keys->index;
    uint64_t hashes[BLOCK];

    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = beck__view_hash(&views[i]);
        __builtin_prefetch(&h->slots[beck__hash_first(h, hashes[i])]);
    }
    const beck_view *known = keys->rows.chunk->column[0].data;
    for (uint32_t i = 0; i < count; i++) {
        groups[i] = (uint32_t)beck__hash_guess(h, hashes[i]); /* + 1; 0: none */
        __builtin_prefetch(&known[groups[i] - (groups[i] != 0)]);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (groups[i] && view_same(&known[groups[i] - 1], &views[i])) {
            groups[i]--;
            continue;
        }
        if (!find_any(keys, chunk, from + i, hashes[i], &groups[i]))
            return false;
        known = keys->rows.chunk->column[0].data; /* may have moved */
    }
    return true;
}

/* The same of integers. */
static bool find_integers(struct keys *keys, const beck_chunk *chunk, uint32_t from, uint32_t count,
                          uint32_t *groups)
{
    const uint64_t *values = (const uint64_t *)chunk->column[0].data + from;
    const struct hash *h = &keys->index;
    uint64_t hashes[BLOCK];

    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = mix(values[i]);
        __builtin_prefetch(&h->slots[beck__hash_first(h, hashes[i])]);
    }
    const uint64_t *known = keys->rows.chunk->column[0].data;
    for (uint32_t i = 0; i < count; i++) {
        groups[i] = (uint32_t)beck__hash_guess(h, hashes[i]); /* + 1; 0: none */
        __builtin_prefetch(&known[groups[i] - (groups[i] != 0)]);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (groups[i] && known[groups[i] - 1] == values[i]) {
            groups[i]--;
            continue;
        }
        if (!find_any(keys, chunk, from + i, hashes[i], &groups[i]))
            return false;
        known = keys->rows.chunk->column[0].data; /* may have moved */
    }
    return true;
}

static bool find_batch(struct keys *keys, const beck_chunk *chunk, uint32_t from, uint32_t count,
                       uint32_t *groups)
{
    uint64_t hashes[BLOCK];
    bool nulls = keys->kind == KEYS_ANY || chunk->column->valid ||
                 keys->rows.chunk->column[0].valid; /* there may be */

    nulls |= keys->seed != 0; /* the fast ways know the fast hashes */
    if (keys->kind == KEYS_STRING && !nulls)
        return find_strings(keys, chunk, from, count, groups);
    if (keys->kind == KEYS_INTEGER && !nulls)
        return find_integers(keys, chunk, from, count, groups);
    if (!hash_rows(keys, chunk, from, count, hashes))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!find_any(keys, chunk, from + i, hashes[i], &groups[i]))
            return false;
    return true;
}

/* Hashes of all slots; NULL without memory. */
static uint64_t *all_hashes(struct keys *keys)
{
    uint32_t count = beck__keys_count(keys);
    uint64_t *hashes = beck__alloc(keys->memory, ((size_t)count + 1) * sizeof *hashes);

    if (hashes && !hash_rows(keys, keys->rows.chunk, 0, count, hashes)) {
        beck__free(keys->memory, hashes, ((size_t)count + 1) * sizeof *hashes);
        hashes = NULL;
    }
    return hashes;
}

/* Room for `more` keys. */
static bool reserve(struct keys *keys, uint32_t more)
{
    uint32_t count = beck__keys_count(keys);

    if (more >= NO_SLOT - 1 - count) /* their numbers end */
        return false;
    if (!keys->lean)
        return beck__vector_reserve(keys->memory, (void **)&keys->hashes, &keys->hash_capacity,
                                    (size_t)count + more, sizeof *keys->hashes) &&
               beck__hash_reserve(&keys->index, more, keys->hashes);
    if (beck__hash_room(&keys->index, more))
        return true;
    uint64_t *hashes = all_hashes(keys);
    bool ok = hashes && beck__hash_reserve(&keys->index, more, hashes);
    beck__free(keys->memory, hashes, ((size_t)count + 1) * sizeof *hashes);
    return ok;
}

/* The index anew under hashes that nobody can foresee. Without memory it stays, until next time. */
static void rekey(struct keys *keys)
{
    uint32_t count = beck__keys_count(keys);
    struct hash old = keys->index, fresh = {.memory = keys->memory, .dense = keys->index.dense};
    uint64_t seed = keys->secret(keys->secret_user) | 1;

    keys->seed = seed;
    uint64_t *hashes = all_hashes(keys);
    if (!hashes || !beck__hash_reserve(&fresh, old.count, hashes)) {
        keys->seed = 0;
        beck__free(keys->memory, hashes, ((size_t)count + 1) * sizeof *hashes);
        return;
    }
    for (size_t i = 0; i <= old.mask; i++) {
        if (!old.slots[i])
            continue;
        uint32_t item = beck__hash_item(old.slots[i]);
        size_t at = beck__hash_first(&fresh, hashes[item]);
        while (fresh.slots[at])
            at = beck__hash_next(&fresh, at);
        beck__hash_put(&fresh, at, hashes[item], item);
    }
    if (!keys->lean)
        memcpy(keys->hashes, hashes, count * sizeof *hashes);
    beck__free(keys->memory, hashes, ((size_t)count + 1) * sizeof *hashes);
    beck__hash_deinit(&old);
    keys->index = fresh;
}

bool beck__keys_find(struct keys *keys, const beck_chunk *chunk, uint32_t from, uint32_t count,
                     uint32_t *groups)
{
    uint32_t known = beck__keys_count(keys);

    if (keys->columns == 0) {
        if (known == 0 && count > 0)
            beck__builder_end_row(&keys->rows);
        memset(groups, 0, count * sizeof *groups);
        return true;
    }
    if (keys->frozen && !keys->index.slots) { /* there are none */
        memset(groups, 0xff, count * sizeof *groups);
        return true;
    }
    bool ok = keys->frozen || reserve(keys, count);
    for (uint32_t at = 0; ok && at < count; at += BLOCK)
        ok = find_batch(keys, chunk, from + at, beck__step(at, count, BLOCK), groups + at);
    if (ok && keys->chained && keys->secret && !keys->seed)
        rekey(keys);
    if (!ok)
        beck__error_memory(keys->error, "a table of keys", (size_t)known * 32);
    return ok;
}

/* ---- removal ------------------------------------------------------------------------------------
 */

static uint64_t hash_of(void *user, uint32_t slot)
{
    struct keys *keys = user;
    uint64_t hash = 0;

    if (!keys->lean)
        return keys->hashes[slot];
    hash_rows(keys, keys->rows.chunk, slot, 1, &hash); /* the scratch has room: it was added */
    return hash;
}

void beck__keys_remove(struct keys *keys, uint32_t slot)
{
    struct hash *h = &keys->index;

    if (keys->columns == 0)
        return; /* there is one slot, for ever */
    keys->removed++;
    size_t i = beck__hash_first(h, hash_of(keys, slot));
    while (beck__hash_item(h->slots[i]) != slot)
        i = beck__hash_next(h, i);
    beck__hash_remove(h, i, hash_of, keys);
}

bool beck__keys_keep(struct keys *keys, const uint32_t *order, uint32_t count)
{
    struct builder fresh;
    struct hash index = {.memory = keys->memory, .dense = keys->index.dense};
    uint64_t *hashes = beck__alloc(keys->memory, ((size_t)count + 1) * sizeof *hashes);

    if (beck__builder_init(&fresh, keys->memory, &keys->schema, UINT32_MAX, NULL)) {
        beck__free(keys->memory, hashes, ((size_t)count + 1) * sizeof *hashes);
        return false;
    }
    bool ok = hashes && beck__builder_rows(&fresh, keys->rows.chunk, order, count, false);
    for (uint32_t i = 0; ok && keys->columns && i < count; i++)
        hashes[i] = hash_of(keys, order[i]);
    ok = ok && (!keys->columns || beck__hash_reserve(&index, count, hashes));
    for (uint32_t i = 0; ok && keys->columns && i < count; i++) {
        size_t at = beck__hash_first(&index, hashes[i]);
        while (index.slots[at])
            at = beck__hash_next(&index, at);
        beck__hash_put(&index, at, hashes[i], i);
    }
    if (ok) {
        if (!keys->lean)
            memcpy(keys->hashes, hashes, count * sizeof *hashes);
        struct builder old = keys->rows;
        keys->rows = fresh;
        fresh = old;
        beck__hash_deinit(&keys->index);
        keys->index = index;
        keys->removed = 0;
    } else {
        beck__hash_deinit(&index);
    }
    beck__builder_deinit(&fresh);
    beck__free(keys->memory, hashes, ((size_t)count + 1) * sizeof *hashes);
    return ok;
}
