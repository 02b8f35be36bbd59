/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash - the hash of an encoded key, which decides its partition for ever and everywhere, the id of
 * a schema, and the fast hash of a long view. The only file that sees xxHash.
 */
#include "data/inside.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t beck__view_hash_long(const beck_view *view)
{
    beck_str s = beck_view_string(view);
    return XXH3_64bits(s.data, s.size);
}

static void put_to_state(void *self, const char *data, size_t size)
{
    XXH3_64bits_update(self, data, size);
}

uint64_t beck__schema_id(const beck_schema *schema)
{
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    beck__schema_pieces(schema, put_to_state, &state);
    return XXH3_64bits_digest(&state);
}

/* ---- the encoded key ------------------------------------------------------------------------- */

/* One bit pattern for all that are equal: -0.0 is 0.0, every NaN the quiet one. */
static uint64_t double_bits(double x)
{
    uint64_t bits;
    if (x != x)
        return 0x7ff8000000000000u;
    if (x == 0)
        return 0;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static uint64_t cell_bits(const beck_column *column, uint32_t row)
{
    if (column->type == BECK_DOUBLE)
        return double_bits(((const double *)column->data)[row]);
    return ((const uint64_t *)column->data)[row];
}

static void encode(const beck_column *column, uint32_t row, struct text *out)
{
    bool null = beck__is_null(column, row);
    beck__put_u8(out, !null);
    if (null)
        return;
    switch ((beck_type)column->type) {
    case BECK_BOOLEAN:
        beck__put_u8(out, ((const uint8_t *)column->data)[row]);
        return;
    case BECK_BIGINT:
    case BECK_DOUBLE:
    case BECK_TIMESTAMP:
        beck__put_u64(out, cell_bits(column, row));
        return;
    case BECK_STRING:
    case BECK_BINARY:
        beck__put_string(out, beck_view_string((const beck_view *)column->data + row));
        return;
    case BECK_ARRAY: {
        const uint32_t *offset = (const uint32_t *)column->data + row;
        beck__put_u32(out, offset[1] - offset[0]);
        for (uint32_t i = offset[0]; i < offset[1]; i++)
            encode(&column->child->column[0], i, out);
        return;
    }
    case BECK_STRUCT:
        for (uint32_t i = 0; i < column->child->columns; i++)
            encode(&column->child->column[i], row, out);
        return;
    case BECK_NONE_TYPE:
        break;
    }
    assert(0 && "a column without a type");
}

uint64_t beck__key_hash(const beck_chunk *chunk, uint32_t first, uint32_t count, uint32_t row,
                        struct text *scratch)
{
    const beck_column *column = &chunk->column[first];
    if (count == 1 && column->type != BECK_ARRAY && column->type != BECK_STRUCT) {
        if (beck__is_null(column, row))
            return XXH3_64bits_withSeed("", 0, 1);
        if (column->type == BECK_BOOLEAN)
            return XXH3_64bits((const uint8_t *)column->data + row, 1);
        if (column->type == BECK_STRING || column->type == BECK_BINARY) {
            beck_str s = beck_view_string((const beck_view *)column->data + row);
            return XXH3_64bits(s.data, s.size);
        }
        uint64_t bits = cell_bits(column, row);
        return XXH3_64bits(&bits, sizeof bits);
    }
    beck__text_clear(scratch);
    for (uint32_t i = 0; i < count; i++)
        encode(&chunk->column[first + i], row, scratch);
    return XXH3_64bits(beck__text_get(scratch), scratch->size);
}

uint64_t beck__key_hash_secret(const beck_chunk *chunk, uint32_t count, uint32_t row, uint64_t seed,
                               struct text *scratch)
{
    beck__text_clear(scratch);
    for (uint32_t i = 0; i < count; i++)
        encode(&chunk->column[i], row, scratch);
    return XXH3_64bits_withSeed(beck__text_get(scratch), scratch->size, seed);
}
