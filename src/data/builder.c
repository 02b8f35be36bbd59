/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder - the columns of a chunk in the making: they grow, are truncated, and take nulls.
 *
 * One allocation per column holds the cells and behind them the bitmap, so that a first null needs
 * no memory and a column that grows leaves no garbage:
 *
 *     data -> | cells: capacity (+ 1 offset of an ARRAY) | valid: capacity bits |
 *
 * `valid` points there once a null was appended. column->reserved is the number of rows up to which
 * capacity doubles: the builder's limit at the top, none in an ARRAY. One thread at a time.
 */
#include "data/inside.h"

#define FIRST_ROWS 64u

static size_t column_bytes(int32_t type, uint32_t capacity)
{
    return beck__round_8(beck__cells_bytes(type, capacity)) +
           beck__round_8(beck__bitmap_bytes(capacity));
}

static bool resize(const struct allocator *memory, beck_column *column, uint32_t capacity)
{
    size_t old_cells = beck__round_8(beck__cells_bytes(column->type, column->capacity));
    size_t cells = beck__round_8(beck__cells_bytes(column->type, capacity));
    size_t old_size = column->data ? column_bytes(column->type, column->capacity) : 0;
    char *data =
        memory->resize(memory->self, column->data, old_size, column_bytes(column->type, capacity));
    if (!data)
        return false;
    if (column->valid) {
        memmove(data + cells, data + old_cells, beck__bitmap_bytes(column->size));
        column->valid = (uint8_t *)data + cells;
    }
    if (column->type == BECK_ARRAY && !column->data)
        memset(data, 0, sizeof(uint32_t));
    column->data = data;
    column->capacity = capacity;
    return true;
}

bool beck__column_reserve(const struct builder *b, beck_column *column, uint32_t more)
{
    uint64_t need = (uint64_t)column->size + more;
    if (need <= column->capacity)
        return true;
    if (need > UINT32_MAX)
        return false;
    uint64_t capacity = 2 * (uint64_t)column->capacity;
    if (capacity < FIRST_ROWS)
        capacity = FIRST_ROWS;
    if (capacity > column->reserved)
        capacity = column->reserved;
    if (capacity < need)
        capacity = need;
    return resize(b->memory, column, (uint32_t)capacity);
}

void beck__column_need_valid(beck_column *column)
{
    if (column->valid)
        return;
    assert(column->data);
    column->valid =
        (uint8_t *)column->data + beck__round_8(beck__cells_bytes(column->type, column->capacity));
    beck__bits_fill(column->valid, 0, column->size, true);
}

void beck__column_end_array(beck_column *column)
{
    uint32_t *offsets = column->data;
    column->child->rows = column->child->column[0].size;
    offsets[column->size + 1] = column->child->rows;
    beck__column_end_cell(column);
}

bool beck__column_nulls(struct builder *b, beck_column *column, uint32_t count)
{
    if (count == 0)
        return true;
    if (!beck__column_reserve(b, column, count))
        return false;
    if (column->type == BECK_ARRAY) {
        uint32_t *offsets = (uint32_t *)column->data + column->size;
        for (uint32_t i = 0; i < count; i++)
            offsets[i + 1] = offsets[0];
    } else if (column->type == BECK_STRUCT) {
        for (uint32_t i = 0; i < column->child->columns; i++)
            if (!beck__column_nulls(b, &column->child->column[i], count))
                return false;
        column->child->rows = column->size + count;
    } else {
        size_t cell = beck__cell_size(column->type);
        memset((char *)column->data + cell * column->size, 0, cell * count);
    }
    beck__column_need_valid(column);
    beck__bits_fill(column->valid, column->size, count, false);
    column->size += count;
    return true;
}

void beck__column_truncate(beck_column *column, uint32_t rows)
{
    column->size = rows;
    if (rows == 0)
        column->valid = NULL;
    if (!column->child)
        return;
    if (column->type == BECK_ARRAY)
        rows = ((const uint32_t *)column->data)[rows];
    for (uint32_t i = 0; i < column->child->columns; i++)
        beck__column_truncate(&column->child->column[i], rows);
    column->child->rows = rows;
}

/* ---- the shape: chunk and column structs ----------------------------------------------------- */

size_t beck__shape_bytes(uint32_t count, const struct field *fields)
{
    size_t bytes = sizeof(beck_chunk) + count * sizeof(beck_column);
    for (uint32_t i = 0; i < count; i++)
        if (fields[i].count > 0)
            bytes += beck__shape_bytes(fields[i].count, fields[i].fields);
    return bytes;
}

beck_chunk *beck__shape_build(char **at, uint32_t count, const struct field *fields)
{
    size_t size = sizeof(beck_chunk) + count * sizeof(beck_column);
    beck_chunk *chunk = memset(*at, 0, size);
    *at += size;
    chunk->columns = count;
    chunk->column = (beck_column *)(chunk + 1);
    for (uint32_t i = 0; i < count; i++) {
        chunk->column[i].type = (int32_t)fields[i].type;
        if (fields[i].count > 0)
            chunk->column[i].child = beck__shape_build(at, fields[i].count, fields[i].fields);
    }
    return chunk;
}

bool beck__shape_equal(const beck_column *a, const beck_column *b)
{
    if (a->type != b->type)
        return false;
    if (!a->child)
        return true;
    if (a->child->columns != b->child->columns)
        return false;
    for (uint32_t i = 0; i < a->child->columns; i++)
        if (!beck__shape_equal(&a->child->column[i], &b->child->column[i]))
            return false;
    return true;
}

/* ---- the builder ----------------------------------------------------------------------------- */

/* An ARRAY has offsets[0] from the beginning, so that an empty one can be read. */
static bool prepare(struct builder *b, beck_chunk *chunk, uint32_t limit)
{
    for (uint32_t i = 0; i < chunk->columns; i++) {
        beck_column *column = &chunk->column[i];
        column->reserved = limit;
        if (column->type == BECK_ARRAY && !beck__column_reserve(b, column, 1))
            return false;
        if (column->child &&
            !prepare(b, column->child, column->type == BECK_ARRAY ? UINT32_MAX : limit))
            return false;
    }
    return true;
}

static void free_columns(const struct allocator *memory, beck_chunk *chunk)
{
    for (uint32_t i = 0; i < chunk->columns; i++) {
        beck_column *column = &chunk->column[i];
        if (column->child)
            free_columns(memory, column->child);
        if (column->data)
            beck__free(memory, column->data, column_bytes(column->type, column->capacity));
    }
}

beck_status beck__builder_init(struct builder *b, const struct allocator *memory,
                               const beck_schema *schema, uint32_t limit, struct error *error)
{
    size_t size = beck__shape_bytes(schema->count, schema->fields);

    memset(b, 0, sizeof *b);
    b->memory = memory;
    b->schema = schema;
    b->limit = limit > 0 ? limit : BECK__CHUNK_ROWS;
    beck__arena_init(&b->heap, memory);
    beck__arena_init(&b->fixed, memory);
    b->fixed.first = size + 64;

    char *at = beck__arena_raw(&b->fixed, size);
    if (at) {
        b->chunk = beck__shape_build(&at, schema->count, schema->fields);
        b->chunk->schema = schema;
    }
    if (!b->chunk || !prepare(b, b->chunk, b->limit)) {
        beck__builder_deinit(b);
        return beck__error_memory(error, "the columns of a chunk", size);
    }
    return BECK_OK;
}

void beck__builder_deinit(struct builder *b)
{
    if (b->chunk)
        free_columns(b->memory, b->chunk);
    beck__arena_deinit(&b->heap);
    beck__arena_deinit(&b->fixed);
    memset(b, 0, sizeof *b);
}

static void truncate_chunk(struct builder *b, uint32_t rows)
{
    for (uint32_t i = 0; i < b->chunk->columns; i++)
        beck__column_truncate(&b->chunk->column[i], rows);
    b->chunk->rows = rows;
}

void beck__builder_clear(struct builder *b)
{
    truncate_chunk(b, 0);
    beck__arena_reset(&b->heap);
}

static bool reserve_columns(const struct builder *b, beck_chunk *chunk, uint32_t more)
{
    for (uint32_t i = 0; i < chunk->columns; i++) {
        beck_column *column = &chunk->column[i];
        if (!beck__column_reserve(b, column, more))
            return false;
        if (column->type == BECK_STRUCT && !reserve_columns(b, column->child, more))
            return false;
    }
    return true;
}

bool beck__builder_reserve(struct builder *b, uint32_t more)
{
    return reserve_columns(b, b->chunk, more);
}

void beck__builder_end_row(struct builder *b)
{
    b->chunk->rows++;
    for (uint32_t i = 0; i < b->chunk->columns; i++)
        assert(b->chunk->column[i].size == b->chunk->rows);
}

void beck__builder_drop_row(struct builder *b)
{
    truncate_chunk(b, b->chunk->rows);
}

bool beck__builder_rows(struct builder *b, const beck_chunk *from, const uint32_t *rows,
                        uint32_t count, bool share)
{
    assert(from->columns == b->chunk->columns);
    for (uint32_t i = 0; i < from->columns; i++) {
        if (!beck__builder_cells(b, i, &from->column[i], rows, count, share)) {
            truncate_chunk(b, b->chunk->rows);
            return false;
        }
    }
    b->chunk->rows += count;
    return true;
}
