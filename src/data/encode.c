/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode - a chunk as one block of bytes: disk, log, worker processes. The layout is drawn in
 * data.h and inside.h. Equal chunks give equal bytes. The body is measured, then written in one go
 * behind its place, and compressed into it; if that does not help it is moved there as it is.
 */
#include "data/inside.h"

#include <lz4.h>

/* ---- measuring ------------------------------------------------------------------------------- */

static size_t string_bytes(const beck_view *views, uint32_t count)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += views[i].size > BECK_VIEW_INLINE ? views[i].size : 0;
    return bytes;
}

static size_t column_bytes(const beck_column *column, uint32_t from, uint32_t count)
{
    size_t bytes =
        sizeof(struct column_header) + beck__round_8(beck__cells_bytes(column->type, count));
    if (beck__any_null(column, from, count))
        bytes += beck__round_8(beck__bitmap_bytes(count));
    if (column->type == BECK_STRING || column->type == BECK_BINARY) {
        bytes += beck__round_8(string_bytes(beck__cell_at(column, from), count));
    } else if (column->type == BECK_ARRAY) {
        const uint32_t *offsets = beck__cell_at(column, from);
        bytes += column_bytes(&column->child->column[0], offsets[0], offsets[count] - offsets[0]);
    } else if (column->type == BECK_STRUCT) {
        for (uint32_t i = 0; i < column->child->columns; i++)
            bytes += column_bytes(&column->child->column[i], from, count);
    }
    return bytes;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* `size` bytes at *at, padded with zeros. */
static void *take(char **at, size_t size)
{
    char *here = *at;
    *at += beck__round_8(size);
    memset(here + size, 0, (size_t)(*at - here) - size);
    return here;
}

static void write_views(char **at, const beck_view *from, uint32_t count, size_t bytes)
{
    char *views = take(at, sizeof *from * count);
    char *strings = take(at, bytes);
    uint64_t offset = 0;
    for (uint32_t i = 0; i < count; i++) {
        char *view = views + sizeof *from * i;
        memcpy(view, &from[i], sizeof *from);
        if (from[i].size <= BECK_VIEW_INLINE)
            continue;
        memcpy(view + offsetof(beck_view, u), &offset, sizeof offset);
        memcpy(strings + offset, from[i].u.data, from[i].size);
        offset += from[i].size;
    }
}

static void write_column(char **at, const beck_column *column, uint32_t from, uint32_t count)
{
    bool strings = column->type == BECK_STRING || column->type == BECK_BINARY;
    const beck_view *views = strings ? beck__cell_at(column, from) : NULL;
    struct column_header header = {0, 0};
    if (beck__any_null(column, from, count))
        header.flags = BECK__COLUMN_VALID;
    if (strings)
        header.strings = (uint32_t)string_bytes(views, count);
    memcpy(take(at, sizeof header), &header, sizeof header);
    if (header.flags & BECK__COLUMN_VALID) {
        size_t bytes = beck__bitmap_bytes(count);
        uint8_t *valid = take(at, bytes);
        valid[bytes - 1] = 0;
        beck__bits_copy(valid, 0, column->valid, from, count);
    }
    if (strings) {
        write_views(at, views, count, header.strings);
    } else if (column->type == BECK_ARRAY) {
        const uint32_t *offsets = beck__cell_at(column, from);
        char *out = take(at, beck__cells_bytes(column->type, count));
        for (uint32_t i = 0; i <= count; i++) {
            uint32_t offset = offsets[i] - offsets[0];
            memcpy(out + sizeof offset * i, &offset, sizeof offset);
        }
        write_column(at, &column->child->column[0], offsets[0], offsets[count] - offsets[0]);
    } else if (column->type == BECK_STRUCT) {
        for (uint32_t i = 0; i < column->child->columns; i++)
            write_column(at, &column->child->column[i], from, count);
    } else if (count > 0) {
        size_t cell = beck__cell_size(column->type);
        memcpy(take(at, cell * count), beck__cell_at(column, from), cell * count);
    }
}

/* ---- the block ------------------------------------------------------------------------------- */

uint32_t beck__block_crc(const struct block_header *header, const void *body)
{
    struct block_header zeroed = *header;
    zeroed.crc = 0;
    return beck__crc32c(beck__crc32c(0, &zeroed, sizeof zeroed), body, header->body);
}

/* Compresses to fewer bytes than before, or gives 0. `state` is aligned as a pointer. */
static uint32_t compress_body(char *to, const char *raw, size_t size, void *state)
{
    if (size < 2)
        return 0;
    int made = LZ4_compress_fast_extState(state, raw, to, (int)size, (int)size - 1, 1);
    return made > 0 ? (uint32_t)made : 0;
}

beck_status beck__block_encode(const beck_chunk *chunk, const beck_schema *schema,
                               struct block_place place, bool compress, struct text *out,
                               struct error *error)
{
    size_t raw = 0;
    for (uint32_t i = 0; i < chunk->columns; i++)
        raw += column_bytes(&chunk->column[i], 0, chunk->rows);
    if (raw > BECK__BLOCK_BYTES_MAX - BECK__BLOCK_HEADER)
        return beck__error_set(error, BECK_UNSUPPORTED,
                               "%u rows of %zu bytes do not fit into a block of %u bytes",
                               chunk->rows, raw, BECK__BLOCK_BYTES_MAX);

    /* | header | body | the body before it is compressed | state of LZ4 | */
    size_t state_bytes = (size_t)LZ4_sizeofState() + 8;
    size_t need = BECK__BLOCK_HEADER + raw + (compress ? raw + state_bytes : 0);
    if (!beck__text_reserve(out, need))
        return beck__error_memory(error, "an encoded block", need);
    char *header_at = out->data + out->size, *body = header_at + BECK__BLOCK_HEADER;
    char *written = compress ? body + raw : body, *at = written;
    for (uint32_t i = 0; i < chunk->columns; i++)
        write_column(&at, &chunk->column[i], 0, chunk->rows);
    assert(at == written + raw);

    struct block_header header = {.magic = {'B', 'K', 'B', '1'},
                                  .version = BECK__BLOCK_VERSION,
                                  .schema = beck__schema_id(schema),
                                  .rows = chunk->rows,
                                  .columns = chunk->columns,
                                  .map = place.map,
                                  .sequence = place.sequence,
                                  .body = (uint32_t)raw,
                                  .raw = (uint32_t)raw};
    if (compress) {
        void *state = at + (-(uintptr_t)at & 7);
        uint32_t made = compress_body(body, written, raw, state);
        if (made > 0) {
            header.flags = BECK__BLOCK_LZ4;
            header.body = made;
        } else {
            memmove(body, written, raw);
        }
    }
    header.crc = beck__block_crc(&header, body);
    memcpy(header_at, &header, sizeof header);
    out->size += sizeof header + header.body;
    out->data[out->size] = '\0';
    return BECK_OK;
}
