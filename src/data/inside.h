/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h - what the files of the room data share: the shape of columns, bit ranges, the append
 * of cells. Invariants of every column, wherever it lives:
 *
 *   - a null cell is zero: 0, the empty view, an ARRAY without elements, a STRUCT of nulls;
 *   - an inline view is padded with zeros, a long one repeats its first four bytes;
 *   - offsets of an ARRAY do not fall, and its child has one column;
 *   - `valid` is NULL if nothing is null (a bitmap of ones is allowed).
 */
#ifndef BECK_DATA_INSIDE_H
#define BECK_DATA_INSIDE_H

#include "data/data.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "encoded blocks and views take the bytes of a little-endian machine as they are"
#endif

/* Bytes of one cell in `data`; a STRUCT has none, of the offsets of an ARRAY there is one more. */
static inline size_t beck__cell_size(int32_t type)
{
    static const uint8_t sizes[] = {0, 1, 8, 8, 8, 16, 16, 4, 0};
    assert(type >= BECK_BOOLEAN && type <= BECK_STRUCT);
    return sizes[type];
}

static inline size_t beck__cells_bytes(int32_t type, size_t rows)
{
    return beck__cell_size(type) * (rows + (type == BECK_ARRAY));
}

static inline size_t beck__round_8(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

/* Where cell `i` is; NULL if the column has no array yet, and so no cells. */
static inline const void *beck__cell_at(const beck_column *column, uint32_t i)
{
    const char *data = column->data;
    return data ? data + beck__cell_size(column->type) * i : NULL;
}

static inline bool beck__is_null(const beck_column *column, uint32_t i)
{
    return column->valid && !beck__bit_get(column->valid, i);
}

/* True if `data` points into the bytes of `keep`; {NULL, SIZE_MAX} keeps everything. */
static inline bool beck__inside(beck_str keep, const char *data)
{
    return (uintptr_t)data - (uintptr_t)keep.data < keep.size;
}

#define BECK__KEEP_NONE ((beck_str){NULL, 0})
#define BECK__KEEP_ALL  ((beck_str){NULL, SIZE_MAX})

/* ---- ranges of bits ----------------------------------------------------------------------------
 */

void beck__bits_fill(uint8_t *bits, size_t from, size_t count, bool value);
/* Bits [first, first + count) of `from` to bits [at, at + count) of `to`; others stay. */
void beck__bits_copy(uint8_t *to, size_t at, const uint8_t *from, size_t first, size_t count);
size_t beck__bits_ones(const uint8_t *bits, size_t from, size_t count);

/* True if a cell of [from, from + count) is null. */
static inline bool beck__any_null(const beck_column *column, uint32_t from, uint32_t count)
{
    return column->valid && beck__bits_ones(column->valid, from, count) != count;
}

/* ---- shape -------------------------------------------------------------------------------------
 */

/* Bytes of the chunk and column structs of a schema, children included; a multiple of 8. */
size_t beck__shape_bytes(uint32_t count, const struct field *fields);
/* Lays them out at *at (8-byte aligned), which moves behind them; columns are empty. */
beck_chunk *beck__shape_build(char **at, uint32_t count, const struct field *fields);
/* The same types, children included. */
bool beck__shape_equal(const beck_column *a, const beck_column *b);

typedef void beck__piece_fn(void *self, const char *data, size_t size);
/* The text of a schema, piece by piece. */
void beck__schema_pieces(const beck_schema *schema, beck__piece_fn *put, void *self);

/* ---- appending to columns of a builder ----------------------------------------------------------
 */

/* Room for `more` cells, not of children. */
bool beck__column_reserve(const struct builder *b, beck_column *column, uint32_t more);

static inline bool beck__column_room(const struct builder *b, beck_column *column)
{
    return column->size < column->capacity || beck__column_reserve(b, column, 1);
}

/* Marks the cell at the end as not null, after it was written. */
static inline void beck__column_end_cell(beck_column *column)
{
    if (column->valid)
        beck__bit_set(column->valid, column->size);
    column->size++;
}

bool beck__column_nulls(struct builder *b, beck_column *column, uint32_t count);
void beck__column_truncate(beck_column *column, uint32_t rows);

/* Cells of a column: rows[0..count), or [first, first + count) if rows is NULL. Long strings that
 * lie in `keep` are not copied. */
struct cells {
    const beck_column *from;
    const uint32_t *rows;
    uint32_t first, count;
    beck_str keep;
};

/* Appends cells of a column of the same shape. */
bool beck__column_append(struct builder *b, beck_column *to, const struct cells *cells);
/* Ends an ARRAY cell, for which there is room, after its elements were appended to the child. */
void beck__column_end_array(beck_column *column);

/* ---- making blocks --------------------------------------------------------------------------- */

/* An empty block with its chunk, and `more` bytes behind at *rest (8-byte aligned). */
struct block *beck__block_make(const struct allocator *memory, const beck_schema *schema,
                               size_t more, char **rest);

/* ---- encoded blocks -------------------------------------------------------------------------- */

/* CRC32C (Castagnoli) of more bytes; begin with 0. */
uint32_t beck__crc32c(uint32_t crc, const void *data, size_t size);
/* The same without an instruction for it. */
uint32_t beck__crc32c_table(uint32_t crc, const void *data, size_t size);

#define BECK__BLOCK_VERSION 1u
#define BECK__BLOCK_LZ4     1u /* flag: the body is compressed */

struct block_header {
    char magic[4];
    uint16_t version, flags;
    uint64_t schema;
    uint32_t rows, columns;
    uint32_t map, sequence;
    uint32_t body, raw; /* bytes of the body as it stands there, and uncompressed */
    uint32_t crc, zero;
};

_Static_assert(sizeof(struct block_header) == BECK__BLOCK_HEADER, "the header has no holes");

/* CRC32C of a whole block, its own field taken as 0. */
uint32_t beck__block_crc(const struct block_header *header, const void *body);

/* In front of every column of the body:
 *
 *     | flags u32 | bytes of long strings u32 | validity | data | long strings | children ...
 *
 * validity if flag 1 is set; each part padded with zeros to 8 bytes. A long view holds the offset
 * of its bytes among the column's strings, which stand there in order of the rows. The rows of the
 * child of an ARRAY are its last offset; the first is 0. A STRUCT has no data. */
struct column_header {
    uint32_t flags, strings;
};

#define BECK__COLUMN_VALID 1u

#endif
