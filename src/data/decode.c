/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode - an encoded block back to a chunk. The bytes may come from a disk or another process:
 * nothing in them is believed. The header, the lengths and the CRC are checked before anything is
 * allocated, and one allocation holds the body, in which the columns then point; views are turned
 * from offsets to pointers where they stand. Every column of the schema needs bytes for every row,
 * so numbers of rows cannot be larger than the body.
 */
#include "data/inside.h"

#include <lz4.h>

struct body {
    char *data;
    size_t size, at;
    struct error *error;
};

static beck_status damaged(struct error *error, const char *what, uint64_t found, uint64_t expected)
{
    return beck__error_set(error, BECK_CORRUPT, "encoded block: %s is %llu, expected %llu", what,
                           (unsigned long long)found, (unsigned long long)expected);
}

static bool wrong(struct body *b, const char *what, uint64_t found, uint64_t expected)
{
    damaged(b->error, what, found, expected);
    return false;
}

static bool broken(struct body *b, const char *what)
{
    beck__error_set(b->error, BECK_CORRUPT, "encoded block: %s", what);
    return false;
}

/* The next `size` bytes and their padding, which must be zeros; NULL if there are not so many. */
static void *take(struct body *b, size_t size)
{
    char *here = b->data + b->at;
    size_t padded = beck__round_8(size);
    if (padded > b->size - b->at) {
        wrong(b, "number of bytes in the body", b->size - b->at, padded);
        return NULL;
    }
    b->at += padded;
    for (size_t i = size; i < padded; i++) {
        if (here[i] != 0) {
            wrong(b, "padding", (uint8_t)here[i], 0);
            return NULL;
        }
    }
    return here;
}

/* ---- columns --------------------------------------------------------------------------------- */

static bool check_inline(struct body *b, const beck_view *view)
{
    const char *data = (const char *)view + 4;
    for (uint32_t i = view->size; i < BECK_VIEW_INLINE; i++)
        if (data[i] != 0)
            return wrong(b, "byte behind a short string", (uint8_t)data[i], 0);
    return true;
}

static bool fix_views(struct body *b, beck_view *views, uint32_t rows, const char *strings,
                      uint32_t bytes)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < rows; i++) {
        beck_view *view = &views[i];
        uint64_t offset;
        if (view->size <= BECK_VIEW_INLINE) {
            if (!check_inline(b, view))
                return false;
            continue;
        }
        memcpy(&offset, &view->u, sizeof offset);
        if (offset != end)
            return wrong(b, "offset of a string", offset, end);
        if (view->size > bytes - offset)
            return wrong(b, "size of a string", view->size, bytes - offset);
        if (memcmp(strings + offset, view->prefix, sizeof view->prefix) != 0)
            return broken(b, "the prefix of a string is not what it begins with");
        view->u.data = strings + offset;
        end += view->size;
    }
    return end == bytes || wrong(b, "number of bytes in strings", bytes, end);
}

static bool check_booleans(struct body *b, const uint8_t *data, uint32_t rows)
{
    for (uint32_t i = 0; i < rows; i++)
        if (data[i] > 1)
            return wrong(b, "BOOLEAN", data[i], 1);
    return true;
}

static bool check_offsets(struct body *b, const uint32_t *offsets, uint32_t rows)
{
    if (offsets[0] != 0)
        return wrong(b, "first offset of an ARRAY", offsets[0], 0);
    for (uint32_t i = 0; i < rows; i++)
        if (offsets[i + 1] < offsets[i])
            return wrong(b, "next offset of an ARRAY", offsets[i + 1], offsets[i]);
    return true;
}

/* A null must be zero: a reader that does not ask for null sees 0, or the empty string. */
static bool check_nulls(struct body *b, const beck_column *column)
{
    static const char zeros[sizeof(beck_view)];
    size_t cell = beck__cell_size(column->type);
    const char *data = column->data;
    const uint32_t *offsets = column->type == BECK_ARRAY ? column->data : NULL;
    for (uint32_t i = 0; column->valid && i < column->size; i++) {
        if (beck__bit_get(column->valid, i))
            continue;
        if (offsets ? offsets[i] != offsets[i + 1] : memcmp(data + cell * i, zeros, cell) != 0)
            return broken(b, "a null has a value");
    }
    return true;
}

static bool decode_column(struct body *b, beck_column *column, uint32_t rows);

static bool decode_children(struct body *b, beck_column *column, uint32_t rows)
{
    column->child->rows = rows;
    for (uint32_t i = 0; i < column->child->columns; i++)
        if (!decode_column(b, &column->child->column[i], rows))
            return false;
    return true;
}

/* `column` has its type, and its children theirs. */
static bool decode_column(struct body *b, beck_column *column, uint32_t rows)
{
    struct column_header header;
    const void *head = take(b, sizeof header);
    if (!head)
        return false;
    memcpy(&header, head, sizeof header);
    bool strings = column->type == BECK_STRING || column->type == BECK_BINARY;
    if (header.flags > BECK__COLUMN_VALID)
        return wrong(b, "flags of a column", header.flags, BECK__COLUMN_VALID);
    if (!strings && header.strings != 0)
        return wrong(b, "number of string bytes", header.strings, 0);

    column->size = column->capacity = rows;
    if (header.flags & BECK__COLUMN_VALID) {
        column->valid = take(b, beck__bitmap_bytes(rows));
        if (!column->valid)
            return false;
    }
    column->data = take(b, beck__cells_bytes(column->type, rows));
    if (!column->data)
        return false;
    if (strings) {
        const char *bytes = take(b, header.strings);
        if (!bytes || !fix_views(b, column->data, rows, bytes, header.strings))
            return false;
    } else if (column->type == BECK_BOOLEAN && !check_booleans(b, column->data, rows)) {
        return false;
    } else if (column->type == BECK_ARRAY && !check_offsets(b, column->data, rows)) {
        return false;
    }
    if (!check_nulls(b, column))
        return false;
    if (column->type == BECK_ARRAY)
        return decode_children(b, column, ((const uint32_t *)column->data)[rows]);
    return column->type != BECK_STRUCT || decode_children(b, column, rows);
}

/* ---- the block ------------------------------------------------------------------------------- */

static const char magic[4] = {'B', 'K', 'B', '1'};

size_t beck__block_size(const void *data)
{
    struct block_header header;
    memcpy(&header, data, sizeof header);
    if (memcmp(header.magic, magic, sizeof magic) != 0 || header.version != BECK__BLOCK_VERSION ||
        header.body > BECK__BLOCK_BYTES_MAX - BECK__BLOCK_HEADER)
        return 0;
    return sizeof header + header.body;
}

static beck_status check_header(const struct block_header *header, const beck_schema *schema,
                                const void *body, struct error *error)
{
    uint32_t crc = beck__block_crc(header, body);
    uint64_t id = beck__schema_id(schema);
    if (crc != header->crc)
        return damaged(error, "CRC32C", header->crc, crc);
    if (header->flags > BECK__BLOCK_LZ4)
        return damaged(error, "word of flags", header->flags, BECK__BLOCK_LZ4);
    if (header->zero != 0)
        return damaged(error, "last word of the header", header->zero, 0);
    if (header->schema != id)
        return damaged(error, "schema id", header->schema, id);
    if (header->columns != schema->count)
        return damaged(error, "number of columns", header->columns, schema->count);
    if (header->raw > BECK__BLOCK_BYTES_MAX - BECK__BLOCK_HEADER)
        return damaged(error, "size of the body", header->raw, BECK__BLOCK_BYTES_MAX);
    if (header->flags == 0 && header->raw != header->body)
        return damaged(error, "size of the body", header->raw, header->body);
    /* no byte of LZ4 stands for more than 255: nobody makes us reserve more than that */
    if (header->flags != 0 && header->raw / 255 > header->body)
        return damaged(error, "size of the body", header->raw, (uint64_t)header->body * 255);
    return BECK_OK;
}

static beck_status decode_body(struct block *block, const struct block_header *header,
                               const char *from, char *at, struct error *error)
{
    struct body body = {.data = at, .size = header->raw, .error = error};
    beck_chunk *chunk = (beck_chunk *)(uintptr_t)block->chunk;
    if (header->flags & BECK__BLOCK_LZ4) {
        int made = LZ4_decompress_safe(from, at, (int)header->body, (int)header->raw);
        if (made < 0 || (uint32_t)made != header->raw)
            return beck__error_set(error, BECK_CORRUPT, "encoded block: damaged LZ4 data");
    } else {
        memcpy(at, from, header->raw);
    }
    chunk->rows = header->rows;
    for (uint32_t i = 0; i < chunk->columns; i++)
        if (!decode_column(&body, &chunk->column[i], header->rows))
            return BECK_CORRUPT;
    return body.at == body.size ? BECK_OK : damaged(error, "size of the body", body.size, body.at);
}

beck_status beck__block_decode(const struct allocator *memory, const beck_schema *schema,
                               const void *data, size_t size, struct block **block,
                               struct block_place *place, struct error *error)
{
    struct block_header header;
    const char *body = (const char *)data + sizeof header;
    if (size < sizeof header)
        return damaged(error, "size", size, sizeof header);
    memcpy(&header, data, sizeof header);
    size_t expected = beck__block_size(data);
    if (expected == 0)
        return beck__error_set(error, BECK_CORRUPT,
                               "not an encoded block of version %u that is smaller than %u bytes",
                               BECK__BLOCK_VERSION, BECK__BLOCK_BYTES_MAX);
    if (size != expected)
        return damaged(error, "size", size, expected);
    beck_status status = check_header(&header, schema, body, error);
    if (status)
        return status;

    char *at;
    struct block *made = beck__block_make(memory, schema, header.raw, &at);
    if (!made)
        return beck__error_memory(error, "a block", header.raw);
    status = decode_body(made, &header, body, at, error);
    if (status) {
        beck__block_unref(made);
        return status;
    }
    if (place)
        *place = (struct block_place){header.map, header.sequence};
    *block = made;
    return BECK_OK;
}
