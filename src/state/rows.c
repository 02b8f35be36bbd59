/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row of state per slot. Plain rows (numbers without nulls or nested values) are overwritten in
 * place. Of others a new version is appended, and when most versions are old the store is
 * rewritten at the end of an attempt: an update costs O(1), memory follows the slots, and the old
 * version is there to go back to.
 */
/* tests: table_test.c */
#include "state/state.h"

static bool is_plain(const beck_schema *schema)
{
    for (uint32_t k = 0; k < schema->count; k++)
        if (schema->fields[k].type != BECK_BIGINT && schema->fields[k].type != BECK_DOUBLE &&
            schema->fields[k].type != BECK_TIMESTAMP)
            return false;
    return true;
}

beck_status beck__state_rows_init(struct state_rows *store, const struct allocator *memory,
                                  const beck_schema *schema, struct error *error)
{
    memset(store, 0, sizeof *store);
    store->memory = memory;
    store->error = error;
    store->schema = schema;
    store->plain = is_plain(schema);
    return beck__builder_init(&store->rows, memory, schema, UINT32_MAX, error);
}

void beck__state_rows_deinit(struct state_rows *store)
{
    if (!store->memory)
        return;
    beck__free(store->memory, store->row_of, store->row_capacity * sizeof *store->row_of);
    beck__builder_deinit(&store->rows);
    store->memory = NULL;
}

static bool no_memory(const struct state_rows *store)
{
    beck__error_memory(store->error, "a table of states", (size_t)store->slots * 16);
    return false;
}

bool beck__state_rows_grow(struct state_rows *store, uint32_t slots)
{
    if (slots <= store->slots)
        return true;
    if (store->plain) {
        beck_chunk *chunk = store->rows.chunk;
        if (!beck__builder_reserve(&store->rows, slots - chunk->rows))
            return no_memory(store);
        for (uint32_t k = 0; k < chunk->columns; k++) {
            beck_column *column = &chunk->column[k];
            memset((int64_t *)column->data + column->size, 0,
                   (slots - column->size) * sizeof(int64_t));
            column->size = slots; /* the bits of a fresh slot are set when it gets a row */
        }
        chunk->rows = slots;
    } else if (!beck__vector_reserve(store->memory, (void **)&store->row_of, &store->row_capacity,
                                     slots, sizeof *store->row_of)) {
        return no_memory(store);
    }
    for (uint32_t s = store->slots; !store->plain && s < slots; s++)
        store->row_of[s] = NO_SLOT;
    store->slots = slots;
    return true;
}

static void put_plain(beck_column *to, const uint32_t *slots, uint32_t count,
                      const beck_column *from, const uint32_t *rows)
{
    int64_t *cells = to->data;
    const int64_t *values = from->data;

    for (uint32_t i = 0; i < count; i++)
        cells[slots[i]] = values[rows ? rows[i] : i];
    if (from->valid && !to->valid)
        beck__column_need_valid(to);
    for (uint32_t i = 0; to->valid && i < count; i++) {
        uint32_t row = rows ? rows[i] : i;
        if (!from->valid || beck__bit_get(from->valid, row))
            beck__bit_set(to->valid, slots[i]);
        else
            beck__bit_clear(to->valid, slots[i]);
    }
}

bool beck__state_rows_settle(struct state_rows *store)
{
    struct builder fresh;
    uint32_t count = 0;

    if (store->plain || store->rows.chunk->rows < 2 * (uint64_t)store->slots + 4096)
        return true;
    uint32_t *order = beck__alloc(store->memory, (size_t)store->slots * sizeof *order);
    bool ok = order && !beck__builder_init(&fresh, store->memory, store->schema, UINT32_MAX, NULL);
    for (uint32_t s = 0; ok && s < store->slots; s++)
        if (store->row_of[s] != NO_SLOT)
            order[count++] = store->row_of[s];
    if (ok && !beck__builder_rows(&fresh, store->rows.chunk, order, count, false)) {
        beck__builder_deinit(&fresh);
        ok = false;
    }
    beck__free(store->memory, order, (size_t)store->slots * sizeof *order);
    if (!ok)
        return false;
    count = 0;
    for (uint32_t s = 0; s < store->slots; s++)
        if (store->row_of[s] != NO_SLOT)
            store->row_of[s] = count++;
    beck__builder_deinit(&store->rows);
    store->rows = fresh;
    return true;
}

bool beck__state_rows_put(struct state_rows *store, const uint32_t *slots, uint32_t count,
                          const beck_chunk *chunk, uint32_t first, const uint32_t *rows)
{
    beck_chunk *own = store->rows.chunk;

    if (store->plain) {
        for (uint32_t k = 0; k < own->columns; k++)
            put_plain(&own->column[k], slots, count, &chunk->column[first + k], rows);
        return true;
    }
    for (uint32_t k = 0; k < own->columns; k++)
        if (!beck__builder_cells(&store->rows, k, &chunk->column[first + k], rows, count, false)) {
            beck__builder_drop_row(&store->rows); /* of several columns some may have theirs */
            return no_memory(store);
        }
    for (uint32_t i = 0; i < count; i++)
        store->row_of[slots[i]] = own->rows + i;
    own->rows += count;
    return true;
}

void beck__state_rows_restore(struct state_rows *store, uint32_t slot, const beck_chunk *old,
                              uint32_t row)
{
    beck_chunk *own = store->rows.chunk;

    if (!store->plain)
        store->row_of[slot] = row;
    for (uint32_t k = 0; store->plain && k < own->columns; k++)
        put_plain(&own->column[k], &slot, 1, &old->column[k], &row);
}

bool beck__state_rows_get(const struct state_rows *store, const uint32_t *slots, uint32_t count,
                          struct builder *out, uint32_t column)
{
    const beck_chunk *own = store->rows.chunk;
    uint32_t rows[BECK__CHUNK_ROWS];

    assert(count <= BECK__CHUNK_ROWS);
    for (uint32_t i = 0; !store->plain && i < count; i++)
        rows[i] = store->row_of[slots[i]];
    for (uint32_t k = 0; k < own->columns; k++)
        if (!beck__builder_cells(out, column + k, &own->column[k], store->plain ? slots : rows,
                                 count, false))
            return no_memory(store);
    return true;
}

void beck__state_rows_keep(struct state_rows *store, const uint32_t *order, uint32_t count)
{
    beck_chunk *own = store->rows.chunk;

    for (uint32_t k = 0; store->plain && k < own->columns; k++) {
        beck_column *column = &own->column[k];
        int64_t *cells = column->data;
        for (uint32_t i = 0; i < count; i++) {
            cells[i] = cells[order[i]];
            if (!column->valid)
                continue;
            if (beck__bit_get(column->valid, order[i]))
                beck__bit_set(column->valid, i);
            else
                beck__bit_clear(column->valid, i);
        }
        column->size = count;
    }
    if (store->plain)
        own->rows = count;
    for (uint32_t i = 0; !store->plain && i < count; i++)
        store->row_of[i] = store->row_of[order[i]];
    store->slots = count;
}
