/* SPDX-License-Identifier: Apache-2.0 */
/*
 * data - schemas, chunks, rows, comparison, hashing, and the encoded block.
 *
 * A chunk in the making is built by one thread through a struct builder; a finished one is
 * read-only. What lives longer than a push through the pipeline is a struct block: a compact,
 * reference-counted copy that owns all its bytes (or shares whole buffers of received text).
 */
#ifndef BECK_DATA_H
#define BECK_DATA_H

#include "base/base.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* ---- schema ---------------------------------------------------------------------------------- */

struct field {
    const char *name;
    beck_type type;
    uint32_t count; /* children: 1 for ARRAY (named "element"), fields for STRUCT */
    const struct field *fields;
};

typedef struct beck_schema {
    uint32_t count;
    const struct field *fields;
} beck_schema;

#define BECK__COLUMNS_MAX 1000u
#define BECK__NESTING_MAX 16u

/* "word STRING, n BIGINT": names of letters, digits and _ (or anything in `backquotes`), types in
 * any case; INTEGER, INT, LONG are BIGINT, FLOAT is DOUBLE, DATE is TIMESTAMP. "" and NULL are an
 * error. The error says position, what was found and what was expected. In the arena. */
beck_status beck__schema_parse(struct arena *arena, const char *text, const beck_schema **schema,
                               struct error *error);
void beck__schema_print(const beck_schema *schema, struct text *out);
/* The text as a string of bytes, and back: damaged ones are BECK_CORRUPT. */
void beck__schema_put(struct text *out, const beck_schema *schema);
beck_status beck__schema_get(struct arena *arena, struct reader *in, const beck_schema **schema,
                             struct error *error);
const char *beck__type_name(beck_type type);
void beck__field_print_type(const struct field *field, struct text *out);
/* Types and nesting, and with `names` the names too. */
bool beck__schema_equal(const beck_schema *a, const beck_schema *b, bool names);
/* Index of the column, or -1. */
int beck__schema_find(const beck_schema *schema, beck_str name);

/* ---- buffers: received bytes, shared by the chunks whose views point into them --------------- */

struct buffer {
    const struct allocator *memory;
    _Atomic uint32_t refs;
    size_t size, capacity;
    char data[];
};

/* With one reference; or NULL. */
struct buffer *beck__buffer_new(const struct allocator *memory, size_t capacity);
void beck__buffer_ref(struct buffer *buffer);
void beck__buffer_unref(struct buffer *buffer); /* NULL is nothing */

/* ---- views ----------------------------------------------------------------------------------- */

/* Of at most 12 bytes, read by overlapping loads: no loop, no call, nothing beyond the end. */
static inline void beck__view_inline(beck_view *v, const char *data, uint32_t size)
{
    uint64_t low = 0;
    uint32_t high = 0, first;
    if (size >= 8) {
        memcpy(&low, data, 8);
        memcpy(&high, data + size - 4, 4);
        high = (uint32_t)((uint64_t)high >> 8 * (BECK_VIEW_INLINE - size));
    } else if (size >= 4) {
        memcpy(&first, data, 4);
        memcpy(&high, data + size - 4, 4);
        low = first | (uint64_t)high << 8 * (size - 4);
        high = 0;
    } else if (size > 0) {
        const unsigned char *c = (const unsigned char *)data;
        low = c[0] | (uint64_t)c[size / 2] << 8 * (size / 2) |
              (uint64_t)c[size - 1] << 8 * (size - 1);
    }
    v->size = size;
    memcpy((char *)v + 4, &low, 8);
    memcpy((char *)v + 12, &high, 4);
}

/* A view of bytes that stay where they are; short ones are copied into the view. */
static inline beck_view beck__view(const char *data, size_t size)
{
    beck_view v;
    if (size <= BECK_VIEW_INLINE) {
        beck__view_inline(&v, data, (uint32_t)size);
    } else {
        v.size = (uint32_t)size;
        memcpy(v.prefix, data, 4);
        v.u.data = data;
    }
    return v;
}

/* The same for at most 12 bytes that 16 readable ones begin with: no branch depends on the size. */
static inline beck_view beck__view_padded(const char *data, size_t size)
{
#if defined(__SSE2__)
    static const char window[32] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)data);
    __m128i mask = _mm_loadu_si128((const __m128i *)(const void *)(window + 16 - size));
    __m128i shifted = _mm_slli_si128(_mm_and_si128(bytes, mask), 4);
    beck_view v;
    _mm_storeu_si128((__m128i *)(void *)&v, _mm_or_si128(shifted, _mm_cvtsi32_si128((int)size)));
    return v;
#else
    return beck__view(data, size);
#endif
}

static inline bool beck__view_equal(const beck_view *a, const beck_view *b)
{
    uint64_t x[2], y[2];
    memcpy(x, a, 16);
    memcpy(y, b, 16);
    if (x[0] != y[0])
        return false;
    return x[1] == y[1] ||
           (a->size > BECK_VIEW_INLINE && memcmp(a->u.data, b->u.data, a->size) == 0);
}

/* ---- building chunks ------------------------------------------------------------------------- */

#define BECK__CHUNK_ROWS 2048u

/* How many of the rows [from, end) a step of at most `most` takes. */
static inline uint32_t beck__step(uint32_t from, uint32_t end, uint32_t most)
{
    return end - from < most ? end - from : most;
}

/* Makes chunks of one schema, again and again, in its own memory. `limit` rows at most per chunk
 * (default BECK__CHUNK_ROWS); columns grow up to it on demand, children without limit. */
struct builder {
    const struct allocator *memory;
    const beck_schema *schema;
    uint32_t limit;
    beck_chunk *chunk;  /* what has been built so far; rows is right after every finished row */
    struct arena heap;  /* bytes of copied strings; emptied by clear */
    struct arena fixed; /* the chunk structs themselves */
};

beck_status beck__builder_init(struct builder *b, const struct allocator *memory,
                               const beck_schema *schema, uint32_t limit, struct error *error);
void beck__builder_deinit(struct builder *b);
void beck__builder_clear(struct builder *b); /* zero rows; keeps the memory */
static inline bool beck__builder_full(const struct builder *b)
{
    return b->chunk->rows >= b->limit;
}

/* Room for `more` rows in every top-level column (without setting rows). Whoever then writes into
 * the arrays sets the size of each column and the rows of the chunk, and the bits of `valid` if it
 * is not NULL. The array of a column may move, an ARRAY has offsets[0] from the beginning. */
bool beck__builder_reserve(struct builder *b, uint32_t more);

/* Makes the bitmap (of ones) of a column that has room if there is none. */
void beck__column_need_valid(beck_column *column);

/* Appends one cell to column k of the row in the making (all columns must get one, then
 * beck__builder_end_row). BECK_TYPE with a text about kind, type and value if it does not fit
 * (integers go to DOUBLE when exact, and to TIMESTAMP; STRING and BINARY take strings; null goes
 * everywhere; ARRAY and STRUCT take LIST, CELL and VALUES). Strings are copied into the heap unless
 * they lie inside `keep` (bytes that outlive the chunk's use; NULL: none).
 * After a failed row call beck__builder_drop_row. */
beck_status beck__builder_value(struct builder *b, uint32_t k, const beck_value *value,
                                const beck_str *keep, struct error *error);
void beck__builder_end_row(struct builder *b);
void beck__builder_drop_row(struct builder *b);

/* Appends cell (column, index) of another column of the same type to column k. With `share` long
 * strings keep pointing at the source's bytes. False without memory. */
bool beck__builder_cell(struct builder *b, uint32_t k, const beck_column *from, uint32_t index,
                        bool share);
/* The same for many cells: rows[0..count), or 0..count if rows is NULL. chunk->rows stays. */
bool beck__builder_cells(struct builder *b, uint32_t k, const beck_column *from,
                         const uint32_t *rows, uint32_t count, bool share);
/* Whole rows of a chunk with the same column types; sets chunk->rows. */
bool beck__builder_rows(struct builder *b, const beck_chunk *from, const uint32_t *rows,
                        uint32_t count, bool share);
/* An ARRAY cell for column k made of the elements rows[0..count) of chunk `from`, whose columns are
 * the element (one column), or the fields of the element (a STRUCT). */
bool beck__builder_array(struct builder *b, uint32_t k, const beck_chunk *from,
                         const uint32_t *rows, uint32_t count, bool share);

/* ---- blocks ---------------------------------------------------------------------------------- */

struct block {
    const struct allocator *memory;
    _Atomic uint32_t refs;
    uint32_t buffer_count;
    size_t bytes;            /* held by it: its own and its share of the buffers */
    const beck_chunk *chunk; /* read-only */
    const beck_schema *schema;
    struct buffer **buffers;
};

/* A compact copy of rows [from, from + count) of a chunk, with all its strings: one allocation.
 * With `share`, long strings that lie in that buffer are not copied: the block takes a reference.
 * The schema is borrowed and must outlive it. NULL without memory. */
struct block *beck__block_new(const struct allocator *memory, const beck_schema *schema,
                              const beck_chunk *chunk, uint32_t from, uint32_t count,
                              struct buffer *share);
void beck__block_ref(struct block *block);
void beck__block_unref(struct block *block); /* NULL is nothing */

/* A list of blocks; holds a reference of each. Zeroed with `memory` set is ready. */
struct blocks {
    const struct allocator *memory;
    struct block **items;
    size_t count, capacity;
    uint64_t rows, bytes;
};

/* Takes the reference, also on failure. */
bool beck__blocks_add(struct blocks *list, struct block *block);
bool beck__blocks_append(struct blocks *list, const struct blocks *from); /* new references */
void beck__blocks_deinit(struct blocks *list);                            /* ready again after it */

/* ---- order and hashing ----------------------------------------------------------------------- */

/* Total order of two cells of one type: nulls first, NaN last and equal to itself, -0.0 equal to
 * 0.0, strings by bytes, arrays and structs element by element. <0, 0, >0. */
int beck__cell_compare(const beck_column *a, uint32_t i, const beck_column *b, uint32_t j);
bool beck__cell_equal(const beck_column *a, uint32_t i, const beck_column *b, uint32_t j);

/* How rows are sorted: by these columns, each as 2 * its number, and 1 more if it is descending. */
struct order {
    uint32_t count;
    const uint32_t *columns;
};
int beck__row_compare(const struct order *order, const beck_chunk *a, uint32_t i,
                      const beck_chunk *b, uint32_t j);

/* XXH3-64 of the encoded key: columns [first, first + count) of a row. Encoding: one STRING or
 * BINARY column alone its bytes; one BIGINT, TIMESTAMP or DOUBLE alone its 8 bytes (little-endian,
 * -0.0 as 0.0, any NaN as the quiet one); BOOLEAN one byte; a null alone nothing, with seed 1.
 * Several columns or nested ones: for each a tag byte (0 null, 1 present), then the value, strings
 * and arrays with a u32 length before them. It decides the partition of a key on every engine:
 * never change it. Only several or nested columns use the scratch; if it has failed, the hash means
 * nothing. */
uint64_t beck__key_hash(const beck_chunk *chunk, uint32_t first, uint32_t count, uint32_t row,
                        struct text *scratch);

/* A hash of the same bytes that nobody can foresee who does not know the seed. Not for partitions.
 */
uint64_t beck__key_hash_secret(const beck_chunk *chunk, uint32_t count, uint32_t row, uint64_t seed,
                               struct text *scratch);

__extension__ typedef unsigned __int128 beck__u128;

/* A fast hash of a view for tables inside one process: no branch on the length up to 12 bytes. */
uint64_t beck__view_hash_long(const beck_view *view);
static inline uint64_t beck__view_hash(const beck_view *view)
{
    uint64_t x[2];
    if (view->size > BECK_VIEW_INLINE)
        return beck__view_hash_long(view);
    memcpy(x, view, 16);
    beck__u128 m = (beck__u128)(x[0] ^ 0x9e3779b97f4a7c15u) * (x[1] ^ 0xd6e8feb86659fd93u);
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* ---- encoded blocks -------------------------------------------------------------------------- */

/* Header, then the body (little-endian, 8-byte aligned column buffers in order of the schema: flags
 * u32 and number of long string bytes u32, validity if flag 1 is set, data, long string bytes,
 * children), LZ4 if flag 1 of the header is set, which it is if that helped:
 *
 *   0  magic "BKB1"   4 version u16, flags u16   8 schema id u64 (XXH3 of its text)
 *  16  rows u32      20 columns u32   24 map partition u32  28 sequence u32
 *  32  body bytes u32  36 bytes uncompressed u32  40 CRC32C of header (with this field 0) and body
 *  44  0 u32
 */
#define BECK__BLOCK_HEADER    48u
#define BECK__BLOCK_BYTES_MAX (16u << 20)

struct block_place {
    uint32_t map, sequence;
};

uint64_t beck__schema_id(const beck_schema *schema);
/* Appends to `out`. A body over the limit is BECK_UNSUPPORTED: encode fewer rows. */
beck_status beck__block_encode(const beck_chunk *chunk, const beck_schema *schema,
                               struct block_place place, bool compress, struct text *out,
                               struct error *error);
/* Bytes of the whole block whose first BECK__BLOCK_HEADER bytes are given; 0: not a block. */
size_t beck__block_size(const void *header);
/* Checks everything (magic, version, schema, lengths, CRC32C, offsets, string bounds): damaged
 * bytes give BECK_CORRUPT, never a crash. */
beck_status beck__block_decode(const struct allocator *memory, const beck_schema *schema,
                               const void *data, size_t size, struct block **block,
                               struct block_place *place, struct error *error);

#endif
