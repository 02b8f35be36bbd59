/* SPDX-License-Identifier: Apache-2.0 */
/*
 * beck/types.h - statuses, strings, values, chunks and rows: the part of the API that is read
 * inside callbacks, and therefore inline. Included by beck.h.
 *
 * The layout of beck_row, and of beck_column and beck_chunk up to the word "private", is frozen.
 */
#ifndef BECK_TYPES_H
#define BECK_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define BECK_API __attribute__((visibility("default")))
#else
#define BECK_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- statuses: one list makes the enum, the names and the texts --------------------------- */

#define BECK_STATUS_LIST(X)                                                                        \
    X(OK, "ok")                                                                                    \
    X(INVALID, "invalid argument")                                                                 \
    X(STATE, "illegal state")                                                                      \
    X(TYPE, "type error")                                                                          \
    X(NO_MEMORY, "out of memory")                                                                  \
    X(IO, "input or output failed")                                                                \
    X(EXISTS, "exists already")                                                                    \
    X(NOT_FOUND, "not found")                                                                      \
    X(CORRUPT, "damaged data")                                                                     \
    X(UNSUPPORTED, "not supported")                                                                \
    X(TASK, "task failed")                                                                         \
    X(CANCELLED, "cancelled")                                                                      \
    X(TIMEOUT, "timed out")                                                                        \
    X(CLOSED, "closed by the other side")                                                          \
    X(AGAIN, "try again later")

typedef enum beck_status {
#define BECK_STATUS_ENUM(name, text) BECK_##name,
    BECK_STATUS_LIST(BECK_STATUS_ENUM)
#undef BECK_STATUS_ENUM
        BECK_STATUS_COUNT
} beck_status;

/* "NO_MEMORY" and "out of memory"; never NULL. */
BECK_API const char *beck_status_name(beck_status status);
BECK_API const char *beck_status_text(beck_status status);

/* ---- types and values ---------------------------------------------------------------------- */

typedef enum beck_type {
    BECK_NONE_TYPE, /* no column */
    BECK_BOOLEAN,   /* uint8_t, 0 or 1 */
    BECK_BIGINT,    /* int64_t */
    BECK_DOUBLE,    /* double */
    BECK_TIMESTAMP, /* int64_t, milliseconds since 1970-01-01 UTC */
    BECK_STRING,    /* beck_view: bytes, by convention UTF-8, not checked */
    BECK_BINARY,    /* beck_view */
    BECK_ARRAY,     /* uint32_t offsets (rows + 1) into a child chunk of one column */
    BECK_STRUCT     /* a child chunk with the same number of rows */
} beck_type;

/* Which keys a join keeps: those on both sides; also those on the left only, the right only, or
 * either. The missing side is null. */
typedef enum beck_join_kind {
    BECK_INNER,
    BECK_LEFT_OUTER,
    BECK_RIGHT_OUTER,
    BECK_FULL_OUTER /* left and right */
} beck_join_kind;

/* Bytes that somebody else owns; not terminated by a NUL. */
typedef struct beck_str {
    const char *data;
    size_t size;
} beck_str;

/* A string inside a column: 16 bytes. Up to 12 bytes are inline and padded with zeros; a longer
 * one keeps its first four bytes beside a pointer ("German strings": Umbra, DuckDB's string_t). */
typedef struct beck_view {
    uint32_t size;
    char prefix[4];
    union {
        char rest[8];
        const char *data;
    } u;
} beck_view;

#define BECK_VIEW_INLINE 12u

struct beck_chunk;

typedef struct beck_column {
    int32_t type;   /* enum beck_type */
    uint32_t size;  /* rows */
    uint8_t *valid; /* NULL: no nulls; else row i is not null if bit i % 8 of byte i / 8 is set */
    void *data;     /* array of the type above */
    struct beck_chunk *child; /* of ARRAY and STRUCT */
    /* private */
    uint32_t capacity, reserved;
} beck_column;

/* A columnar batch of rows. */
typedef struct beck_chunk {
    uint32_t rows, columns;
    beck_column *column;
    /* private */
    const struct beck_schema *schema;
    void *heap;
} beck_chunk;

/* One row of a chunk. Columns are numbered from `first`: a callback on values does not see the key.
 */
typedef struct beck_row {
    const beck_chunk *chunk;
    uint32_t index, first;
} beck_row;

/* The value of an ARRAY column: elements [from, from + count) of its child chunk. */
typedef struct beck_list {
    const beck_chunk *items;
    uint32_t from, count;
} beck_list;

typedef enum beck_kind {
    BECK_KIND_NULL,
    BECK_KIND_BOOLEAN,
    BECK_KIND_INTEGER,
    BECK_KIND_UNSIGNED,
    BECK_KIND_DOUBLE,
    BECK_KIND_STRING,
    BECK_KIND_LIST,  /* a beck_list: an ARRAY taken from a row */
    BECK_KIND_CELL,  /* one cell of a row, whatever its type */
    BECK_KIND_VALUES /* `count` values: an ARRAY or a STRUCT made by hand */
} beck_kind;

/* A value on its way into a column; the column's type decides what is accepted. */
typedef struct beck_value {
    beck_kind kind;
    uint32_t count; /* of VALUES; column of CELL */
    union {
        bool boolean;
        int64_t integer;
        uint64_t natural;
        double real;
        beck_str string;
        beck_list list;
        beck_row row;
        const struct beck_value *values;
    } u;
} beck_value;

/* ---- strings ------------------------------------------------------------------------------- */

static inline beck_str beck_string(const char *text)
{
    beck_str s;
    s.data = text ? text : "";
    s.size = text ? strlen(text) : 0;
    return s;
}

static inline beck_str beck_bytes_of(const void *data, size_t size)
{
    beck_str s;
    s.data = (const char *)data;
    s.size = size;
    return s;
}

static inline bool beck_string_equal(beck_str a, beck_str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Cuts the next token off *rest: a run of bytes that are not in `separators`. Empty tokens are
 * skipped. False when none is left. */
BECK_API bool beck_next_token(beck_str *rest, const char *separators, beck_str *token);

/* The bytes of a view; they live as long as the view itself. */
static inline beck_str beck_view_string(const beck_view *view)
{
    beck_str s;
    s.data = view->size <= BECK_VIEW_INLINE ? (const char *)view + 4 : view->u.data;
    s.size = view->size;
    return s;
}

/* ---- reading a row ------------------------------------------------------------------------- */

/* Out of line: notes a wrong column number or accessor on the running call; see beck_fail. */
BECK_API void beck__wrong_column(beck_row row, uint32_t column, beck_type wanted);

static inline uint32_t beck_columns(beck_row row)
{
    return row.chunk ? row.chunk->columns - row.first : 0;
}

static inline const beck_column *beck__column(beck_row row, uint32_t column, beck_type wanted)
{
    if (row.chunk && row.first + column < row.chunk->columns &&
        row.chunk->column[row.first + column].type == (int32_t)wanted)
        return &row.chunk->column[row.first + column];
    beck__wrong_column(row, column, wanted);
    return NULL;
}

/* True for a null, and for a column that does not exist. */
static inline bool beck_is_null(beck_row row, uint32_t column)
{
    const beck_column *k;
    if (!row.chunk || row.first + column >= row.chunk->columns)
        return true;
    k = &row.chunk->column[row.first + column];
    return k->valid && !(k->valid[row.index >> 3] >> (row.index & 7) & 1);
}

/* True for the value that stands for "no row" (a timeout, a missing side). */
static inline bool beck_is_none(beck_row row)
{
    return row.chunk == NULL;
}

/* Accessors: a null reads as 0 or as the empty string. A wrong type or column fails the call
 * (beck_fail) and reads the same. */
static inline bool beck_get_boolean(beck_row row, uint32_t column)
{
    const beck_column *k = beck__column(row, column, BECK_BOOLEAN);
    return k && ((const uint8_t *)k->data)[row.index];
}

static inline int64_t beck_get_bigint(beck_row row, uint32_t column)
{
    const beck_column *k = beck__column(row, column, BECK_BIGINT);
    return k ? ((const int64_t *)k->data)[row.index] : 0;
}

static inline double beck_get_double(beck_row row, uint32_t column)
{
    const beck_column *k = beck__column(row, column, BECK_DOUBLE);
    return k ? ((const double *)k->data)[row.index] : 0;
}

static inline int64_t beck_get_timestamp(beck_row row, uint32_t column)
{
    const beck_column *k = beck__column(row, column, BECK_TIMESTAMP);
    return k ? ((const int64_t *)k->data)[row.index] : 0;
}

/* The bytes live as long as the row's chunk. */
static inline beck_str beck_get_string(beck_row row, uint32_t column)
{
    const beck_column *k = beck__column(row, column, BECK_STRING);
    return k ? beck_view_string((const beck_view *)k->data + row.index) : beck_string("");
}

static inline beck_str beck_get_binary(beck_row row, uint32_t column)
{
    const beck_column *k = beck__column(row, column, BECK_BINARY);
    return k ? beck_view_string((const beck_view *)k->data + row.index) : beck_string("");
}

static inline beck_list beck_get_array(beck_row row, uint32_t column)
{
    const beck_column *k = beck__column(row, column, BECK_ARRAY);
    beck_list list;
    list.items = k ? k->child : NULL;
    list.from = k ? ((const uint32_t *)k->data)[row.index] : 0;
    list.count = k ? ((const uint32_t *)k->data)[row.index + 1] - list.from : 0;
    return list;
}

/* The fields of a STRUCT as a row. */
static inline beck_row beck_get_struct(beck_row row, uint32_t column)
{
    const beck_column *k = beck__column(row, column, BECK_STRUCT);
    beck_row fields;
    fields.chunk = k ? k->child : NULL;
    fields.index = row.index;
    fields.first = 0;
    return fields;
}

/* Element i of a list as a row: one column, or the fields if the element is a STRUCT. */
static inline beck_row beck_list_row(beck_list list, uint32_t i)
{
    beck_row row;
    row.chunk = i < list.count ? list.items : NULL;
    row.index = list.from + i;
    row.first = 0;
    if (row.chunk && row.chunk->column[0].type == BECK_STRUCT)
        row.chunk = row.chunk->column[0].child;
    return row;
}

/* ---- making values ------------------------------------------------------------------------- */

static inline beck_value beck_null_value(void)
{
    beck_value v;
    memset(&v, 0, sizeof v);
    return v;
}
#define beck_null beck_null_value()

static inline beck_value beck_boolean_value(bool x)
{
    beck_value v;
    v.kind = BECK_KIND_BOOLEAN;
    v.count = 0;
    v.u.boolean = x;
    return v;
}

static inline beck_value beck_integer_value(long long x)
{
    beck_value v;
    v.kind = BECK_KIND_INTEGER;
    v.count = 0;
    v.u.integer = x;
    return v;
}

static inline beck_value beck_unsigned_value(unsigned long long x)
{
    beck_value v;
    v.kind = BECK_KIND_UNSIGNED;
    v.count = 0;
    v.u.natural = x;
    return v;
}

static inline beck_value beck_double_value(double x)
{
    beck_value v;
    v.kind = BECK_KIND_DOUBLE;
    v.count = 0;
    v.u.real = x;
    return v;
}

static inline beck_value beck_string_value(beck_str s)
{
    beck_value v;
    v.kind = BECK_KIND_STRING;
    v.count = 0;
    v.u.string = s;
    return v;
}

static inline beck_value beck_text_value(const char *text)
{
    return text ? beck_string_value(beck_string(text)) : beck_null_value();
}

static inline beck_value beck_list_value(beck_list list)
{
    beck_value v = beck_null_value();
    v.kind = BECK_KIND_LIST;
    v.u.list = list;
    return v;
}

/* The cell of a row, whatever its type: passes a column on unread. */
static inline beck_value beck_cell(beck_row row, uint32_t column)
{
    beck_value v = beck_null_value();
    if (beck_is_null(row, column))
        return v;
    v.kind = BECK_KIND_CELL;
    v.count = row.first + column;
    v.u.row = row;
    return v;
}

/* `count` values as an ARRAY or a STRUCT; `values` must live until the call that takes them. */
static inline beck_value beck_values_value(const beck_value *values, uint32_t count)
{
    beck_value v = beck_null_value();
    v.kind = BECK_KIND_VALUES;
    v.count = count;
    v.u.values = values;
    return v;
}

static inline beck_value beck__same_value(beck_value v)
{
    return v;
}

static inline beck_value beck__pointer_value(const void *pointer)
{
    return beck_text_value((const char *)pointer); /* NULL is null */
}

/* Any C value as a beck_value: integers, floating point, bool, char *, beck_str, beck_list. */
#ifndef __cplusplus
#define beck_value_of(x)                                                                           \
    _Generic((x),                                                                                  \
        bool: beck_boolean_value,                                                                  \
        char: beck_integer_value,                                                                  \
        signed char: beck_integer_value,                                                           \
        short: beck_integer_value,                                                                 \
        int: beck_integer_value,                                                                   \
        long: beck_integer_value,                                                                  \
        long long: beck_integer_value,                                                             \
        unsigned char: beck_unsigned_value,                                                        \
        unsigned short: beck_unsigned_value,                                                       \
        unsigned: beck_unsigned_value,                                                             \
        unsigned long: beck_unsigned_value,                                                        \
        unsigned long long: beck_unsigned_value,                                                   \
        float: beck_double_value,                                                                  \
        double: beck_double_value,                                                                 \
        char *: beck_text_value,                                                                   \
        const char *: beck_text_value,                                                             \
        void *: beck__pointer_value,                                                               \
        beck_str: beck_string_value,                                                               \
        beck_list: beck_list_value,                                                                \
        beck_value: beck__same_value)(x)
#endif

#ifdef __cplusplus
}
#endif
#endif
