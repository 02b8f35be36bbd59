/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group table. A batch of rows is looked up in two passes, so that the cache misses of the
 * first overlap: hash every key and prefetch its slot; then probe.
 */
#include "exec/table.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define NULL_HASH 0x9ae16a3b2f90404fu

bool beck__table_init(struct table *table, struct task *task, const beck_schema *schema,
                      uint32_t keys)
{
    memset(table, 0, sizeof *table);
    table->task = task;
    table->keys = keys;
    table->index.memory = task->memory;
    table->scratch.memory = task->memory;
    table->schema = (beck_schema){.count = keys, .fields = schema->fields};
    table->kind = TABLE_ANY;
    if (keys == 1 &&
        (schema->fields[0].type == BECK_STRING || schema->fields[0].type == BECK_BINARY))
        table->kind = TABLE_STRING;
    if (keys == 1 &&
        (schema->fields[0].type == BECK_BIGINT || schema->fields[0].type == BECK_TIMESTAMP))
        table->kind = TABLE_INTEGER;
    return beck__builder_init(&table->rows, task->memory, &table->schema, UINT32_MAX,
                              &task->error) == BECK_OK;
}

void beck__table_deinit(struct table *table)
{
    if (!table->task)
        return;
    beck__hash_deinit(&table->index);
    beck__free(table->task->memory, table->hashes, table->hash_capacity * sizeof *table->hashes);
    beck__builder_deinit(&table->rows);
    beck__text_deinit(&table->scratch);
    table->task = NULL;
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
static bool hash_rows(struct table *table, const beck_chunk *chunk, uint32_t from, uint32_t count,
                      uint64_t *hashes)
{
    const beck_column *k = chunk->column;
    const struct hash *h = &table->index;
    bool failed = false;

    for (uint32_t i = 0; i < count; i++) {
        if (table->kind == TABLE_ANY)
            hashes[i] = beck__key_hash(chunk, 0, table->keys, from + i, &table->scratch);
        else if (cell_null(k, from + i))
            hashes[i] = NULL_HASH;
        else if (table->kind == TABLE_STRING)
            hashes[i] = beck__view_hash((const beck_view *)k->data + from + i);
        else
            hashes[i] = mix(((const uint64_t *)k->data)[from + i]);
        failed |= table->scratch.failed;
        __builtin_prefetch(&h->slots[beck__hash_first(h, hashes[i])]);
    }
    return !failed;
}

static bool key_equal(const struct table *table, uint32_t group, const beck_chunk *chunk,
                      uint32_t row)
{
    const beck_column *a = table->rows.chunk->column, *b = chunk->column;

    if (table->kind == TABLE_STRING && !a->valid && !b->valid)
        return beck__view_equal((const beck_view *)a->data + group,
                                (const beck_view *)b->data + row);
    for (uint32_t k = 0; k < table->keys; k++)
        if (!beck__cell_equal(&table->rows.chunk->column[k], group, &chunk->column[k], row))
            return false;
    return true;
}

/* Minus zero is stored as zero. */
static void normalise(beck_column *k)
{
    if (k->type == BECK_DOUBLE && ((double *)k->data)[k->size - 1] == 0)
        ((double *)k->data)[k->size - 1] = 0;
}

static bool key_add(struct table *table, const beck_chunk *chunk, uint32_t row)
{
    beck_column *to = table->rows.chunk->column;
    const beck_column *from = chunk->column;

    if (table->kind == TABLE_STRING && to->size < to->capacity && !to->valid && !from->valid &&
        ((const beck_view *)from->data)[row].size <= BECK_VIEW_INLINE) { /* nothing else to copy */
        ((beck_view *)to->data)[to->size++] = ((const beck_view *)from->data)[row];
        table->rows.chunk->rows++;
        return true;
    }
    for (uint32_t k = 0; k < table->keys; k++) {
        if (!beck__builder_cell(&table->rows, k, &chunk->column[k], row, false))
            return false;
        normalise(&table->rows.chunk->column[k]);
    }
    beck__builder_end_row(&table->rows);
    return true;
}

/* Probes for one row with the generic comparison. */
static bool find_any(struct table *table, const beck_chunk *chunk, uint32_t row, uint64_t hash,
                     uint32_t *group)
{
    struct hash *h = &table->index;

    for (size_t i = beck__hash_first(h, hash);; i = beck__hash_next(h, i)) {
        uint64_t slot = h->slots[i];
        if (!slot) {
            *group = beck__table_count(table);
            table->hashes[*group] = hash;
            beck__hash_put(h, i, hash, *group);
            return key_add(table, chunk, row);
        }
        if (beck__hash_same(slot, hash) && key_equal(table, beck__hash_item(slot), chunk, row)) {
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
static bool find_strings(struct table *table, const beck_chunk *chunk, uint32_t from,
                         uint32_t count, uint32_t *groups)
{
    const beck_view *views = (const beck_view *)chunk->column[0].data + from;
    const struct hash *h = &table->index;
    uint64_t hashes[BLOCK];

    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = beck__view_hash(&views[i]);
        __builtin_prefetch(&h->slots[beck__hash_first(h, hashes[i])]);
    }
    const beck_view *known = table->rows.chunk->column[0].data;
    if (!known) /* the first key of all: nothing to compare with */
        known = views;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t item = (uint32_t)beck__hash_guess(h, hashes[i]);
        groups[i] = item - (item != 0);
        __builtin_prefetch(&known[groups[i]]);
    }
    uint32_t groups_known = beck__table_count(table);
    for (uint32_t i = 0; i < count; i++) {
        if (groups_known && view_same(&known[groups[i]], &views[i]))
            continue;
        if (!find_any(table, chunk, from + i, hashes[i], &groups[i]))
            return false;
        known = table->rows.chunk->column[0].data; /* may have moved */
        groups_known = beck__table_count(table);
    }
    return true;
}

static bool find_batch(struct table *table, const beck_chunk *chunk, uint32_t from, uint32_t count,
                       uint32_t *groups)
{
    uint64_t hashes[BLOCK];

    if (table->kind == TABLE_STRING && !chunk->column->valid && !table->rows.chunk->column[0].valid)
        return find_strings(table, chunk, from, count, groups);
    if (!hash_rows(table, chunk, from, count, hashes))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!find_any(table, chunk, from + i, hashes[i], &groups[i]))
            return false;
    return true;
}

bool beck__table_find(struct table *table, const beck_chunk *chunk, uint32_t from, uint32_t count,
                      uint32_t *groups)
{
    uint32_t known = beck__table_count(table);

    if (table->keys == 0) {
        if (known == 0 && count > 0)
            beck__builder_end_row(&table->rows);
        memset(groups, 0, count * sizeof *groups);
        return true;
    }
    bool ok =
        beck__hash_reserve(&table->index, count, table->hashes) &&
        beck__vector_reserve(table->task->memory, (void **)&table->hashes, &table->hash_capacity,
                             (size_t)known + count, sizeof *table->hashes);
    for (uint32_t at = 0; ok && at < count; at += BLOCK)
        ok = find_batch(table, chunk, from + at, count - at < BLOCK ? count - at : BLOCK,
                        groups + at);
    if (!ok)
        beck__error_memory(&table->task->error, "a group table", (size_t)known * 32);
    return ok;
}
