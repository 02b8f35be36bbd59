/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value - one beck_value into a column: the column's type decides what is accepted.
 *
 *     column      takes
 *     BOOLEAN     booleans, and the integers 0 and 1 (C's true is an int)
 *     BIGINT      integers that fit
 *     TIMESTAMP   integers that fit, timestamps
 *     DOUBLE      doubles, and integers that it holds exactly
 *     STRING      strings, binaries
 *     BINARY      strings, binaries
 *     ARRAY       lists, arrays, values: one for each element
 *     STRUCT      structs, values: one for each field
 *
 * A cell of a row counts as a value of its type, and null goes everywhere. The value may be damaged
 * in no way, but its kind is the user's: a wrong one is BECK_TYPE with a text, never an assertion.
 */
#include "data/inside.h"

#include <stdio.h>

/* Where a value goes: the error is made at the innermost place and gets its path on the way out. */
struct place {
    struct builder *b;
    beck_column *column;
    const struct field *field;
    beck_str keep;
    struct error *error;
};

/* ---- errors ---------------------------------------------------------------------------------- */

#define SHOW 40u

/* "abc", with a limit, and with \xNN for what is not printable ASCII. */
static void describe_string(char *out, size_t size, const char *what, beck_str s)
{
    size_t at = (size_t)snprintf(out, size, "%s \"", what);
    size_t show = s.size < SHOW ? s.size : SHOW;
    for (size_t i = 0; i < show; i++) {
        unsigned char c = (unsigned char)s.data[i];
        bool plain = c >= 0x20 && c != 0x7f;
        at += (size_t)snprintf(out + at, size - at, plain ? "%c" : "\\x%02x", c);
    }
    snprintf(out + at, size - at, "\"%s", show < s.size ? "..." : "");
}

static void describe(const beck_value *value, char *out, size_t size)
{
    switch (value->kind) {
    case BECK_KIND_NULL:
        snprintf(out, size, "null");
        return;
    case BECK_KIND_BOOLEAN:
        snprintf(out, size, "BOOLEAN %s", value->u.boolean ? "true" : "false");
        return;
    case BECK_KIND_INTEGER:
        snprintf(out, size, "integer %lld", (long long)value->u.integer);
        return;
    case BECK_KIND_UNSIGNED:
        snprintf(out, size, "integer %llu", (unsigned long long)value->u.natural);
        return;
    case BECK_KIND_DOUBLE:
        snprintf(out, size, "DOUBLE %.17g", value->u.real);
        return;
    case BECK_KIND_STRING:
        describe_string(out, size, "STRING", value->u.string);
        return;
    case BECK_KIND_LIST:
        snprintf(out, size, "an ARRAY of %u", value->u.list.count);
        return;
    case BECK_KIND_CELL:
        snprintf(out, size, "a cell of type %s",
                 beck__type_name((beck_type)value->u.row.chunk->column[value->count].type));
        return;
    case BECK_KIND_VALUES:
        snprintf(out, size, "%u values", value->count);
        return;
    }
    snprintf(out, size, "a value of unknown kind %d", (int)value->kind);
}

/* The path ("column 1 "n"") is put in front later. */
static beck_status refuse(const struct place *to, const beck_value *value, const char *why)
{
    char got[4 * SHOW + 64];
    describe(value, got, sizeof got);
    return beck__error_set(to->error, BECK_TYPE, " is %s: got %s%s",
                           beck__type_name(to->field->type), got, why);
}

static beck_status no_memory(const struct place *to, size_t bytes)
{
    return beck__error_memory(to->error, "a row", bytes);
}

/* ---- scalars --------------------------------------------------------------------------------- */

static beck_status put_8(const struct place *to, const void *cell)
{
    beck_column *column = to->column;
    if (!beck__column_room(to->b, column))
        return no_memory(to, 8);
    memcpy((char *)column->data + 8 * (size_t)column->size, cell, 8);
    beck__column_end_cell(column);
    return BECK_OK;
}

static beck_status put_boolean(const struct place *to, const beck_value *value)
{
    beck_column *column = to->column;
    bool x = false;
    if (value->kind == BECK_KIND_BOOLEAN)
        x = value->u.boolean;
    else if (value->kind != BECK_KIND_INTEGER && value->kind != BECK_KIND_UNSIGNED)
        return refuse(to, value, "");
    else if (value->u.natural > 1)
        return refuse(to, value, ", of integers only 0 and 1 are accepted");
    else
        x = value->u.natural == 1;
    if (!beck__column_room(to->b, column))
        return no_memory(to, 1);
    ((uint8_t *)column->data)[column->size] = x;
    beck__column_end_cell(column);
    return BECK_OK;
}

static beck_status put_integer(const struct place *to, const beck_value *value)
{
    if (value->kind != BECK_KIND_INTEGER && value->kind != BECK_KIND_UNSIGNED)
        return refuse(to, value, "");
    if (value->kind == BECK_KIND_UNSIGNED && value->u.natural > INT64_MAX)
        return refuse(to, value, ", which is out of range");
    return put_8(to, &value->u.integer); /* the same bits as natural's */
}

/* 2^63 and 2^64 are doubles, the largest integers are not: the range is checked before the cast. */
static beck_status put_double(const struct place *to, const beck_value *value)
{
    double x = value->u.real;
    bool exact = true;
    if (value->kind == BECK_KIND_INTEGER) {
        x = (double)value->u.integer;
        exact = x < 0x1p63 && (int64_t)x == value->u.integer;
    } else if (value->kind == BECK_KIND_UNSIGNED) {
        x = (double)value->u.natural;
        exact = x < 0x1p64 && (uint64_t)x == value->u.natural;
    } else if (value->kind != BECK_KIND_DOUBLE) {
        return refuse(to, value, "");
    }
    return exact ? put_8(to, &x) : refuse(to, value, ", which a DOUBLE does not hold exactly");
}

static beck_status put_string(const struct place *to, const beck_value *value)
{
    beck_column *column = to->column;
    beck_str s = value->u.string;
    if (value->kind != BECK_KIND_STRING)
        return refuse(to, value, "");
    if (s.size > UINT32_MAX)
        return refuse(to, value, ", which is longer than 4294967295 bytes");
    if (!beck__column_room(to->b, column))
        return no_memory(to, sizeof(beck_view));
    if (s.size > BECK_VIEW_INLINE && !beck__inside(to->keep, s.data)) {
        char *copy = beck__arena_raw(&to->b->heap, s.size);
        if (!copy)
            return no_memory(to, s.size);
        s.data = memcpy(copy, s.data, s.size);
    }
    ((beck_view *)column->data)[column->size] = beck__view(s.size ? s.data : "", s.size);
    beck__column_end_cell(column);
    return BECK_OK;
}

/* ---- nested values --------------------------------------------------------------------------- */

static beck_status put(const struct place *to, const beck_value *value);

/* The element of an ARRAY or field `i` of a STRUCT. */
static struct place inner(const struct place *to, uint32_t i)
{
    struct place place = *to;
    place.column = &to->column->child->column[i];
    place.field = &to->field->fields[i];
    return place;
}

static beck_status put_element(const struct place *to, const beck_value *value, uint32_t i)
{
    struct place element = inner(to, 0);
    beck_status status = put(&element, value);
    if (status)
        beck__error_prefix(to->error, ", element %u", i);
    return status;
}

/* A list whose elements have another type (BIGINT for DOUBLE) goes element by element. */
static beck_status put_list(const struct place *to, beck_list list)
{
    const beck_column *from = list.items ? &list.items->column[0] : NULL;
    if (from && beck__shape_equal(from, &to->column->child->column[0])) {
        struct cells cells = {
            .from = from, .first = list.from, .count = list.count, .keep = to->keep};
        if (!beck__column_append(to->b, &to->column->child->column[0], &cells))
            return no_memory(to, list.count);
        return BECK_OK;
    }
    beck_status status = BECK_OK;
    for (uint32_t i = 0; from && i < list.count && !status; i++) {
        beck_row row = {.chunk = list.items, .index = list.from + i};
        beck_value cell = beck_cell(row, 0);
        status = put_element(to, &cell, i);
    }
    return status;
}

static beck_status put_array(const struct place *to, const beck_value *value)
{
    beck_status status = BECK_OK;
    if (!beck__column_room(to->b, to->column))
        return no_memory(to, sizeof(uint32_t));
    if (value->kind == BECK_KIND_LIST) {
        status = put_list(to, value->u.list);
    } else if (value->kind == BECK_KIND_VALUES) {
        for (uint32_t i = 0; i < value->count && !status; i++)
            status = put_element(to, &value->u.values[i], i);
    } else {
        status = refuse(to, value, "");
    }
    if (!status)
        beck__column_end_array(to->column);
    return status;
}

static beck_status put_struct(const struct place *to, const beck_value *value)
{
    beck_column *column = to->column;
    uint32_t count = to->field->count;
    const beck_chunk *from = NULL;
    uint32_t given = value->count;

    if (value->kind == BECK_KIND_CELL) {
        from = value->u.row.chunk->column[value->count].child;
        given = from->columns;
    } else if (value->kind != BECK_KIND_VALUES) {
        return refuse(to, value, "");
    }
    if (given != count)
        return beck__error_set(to->error, BECK_TYPE, " is STRUCT of %u fields: got %u values",
                               count, given);
    if (!beck__column_room(to->b, column))
        return no_memory(to, 1);
    for (uint32_t i = 0; i < count; i++) {
        struct place field = inner(to, i);
        beck_row row = {.chunk = from, .index = value->u.row.index};
        beck_value v = from ? beck_cell(row, i) : value->u.values[i];
        beck_status status = put(&field, &v);
        if (status) {
            beck__error_prefix(to->error, ", field \"%s\"", field.field->name);
            return status;
        }
    }
    column->child->rows = column->size + 1;
    beck__column_end_cell(column);
    return BECK_OK;
}

/* A cell as a value: TIMESTAMP only goes to its own type, so it is not made an integer here. */
static beck_status put_cell(const struct place *to, const beck_value *value)
{
    const beck_row row = value->u.row;
    const beck_column *from = &row.chunk->column[value->count];
    const void *data = from->data;
    beck_value v;

    if (beck__is_null(from, row.index))
        return beck__column_nulls(to->b, to->column, 1) ? BECK_OK : no_memory(to, 8);

    switch ((beck_type)from->type) {
    case BECK_BOOLEAN:
        v = beck_boolean_value(((const uint8_t *)data)[row.index] != 0);
        break;
    case BECK_BIGINT:
        v = beck_integer_value(((const int64_t *)data)[row.index]);
        break;
    case BECK_DOUBLE:
        v = beck_double_value(((const double *)data)[row.index]);
        break;
    case BECK_TIMESTAMP:
        if (to->column->type != BECK_TIMESTAMP)
            return refuse(to, value, "");
        v = beck_integer_value(((const int64_t *)data)[row.index]);
        break;
    case BECK_STRING:
    case BECK_BINARY:
        v = beck_string_value(beck_view_string((const beck_view *)data + row.index));
        break;
    case BECK_ARRAY: {
        const uint32_t *offset = (const uint32_t *)data + row.index;
        beck_list list = {from->child, offset[0], offset[1] - offset[0]};
        v = beck_list_value(list);
        break;
    }
    case BECK_STRUCT:
        return to->column->type == BECK_STRUCT ? put_struct(to, value) : refuse(to, value, "");
    default:
        return refuse(to, value, "");
    }
    return put(to, &v);
}

static beck_status put(const struct place *to, const beck_value *value)
{
    if (value->kind == BECK_KIND_NULL)
        return beck__column_nulls(to->b, to->column, 1) ? BECK_OK : no_memory(to, 8);
    if (value->kind == BECK_KIND_CELL)
        return put_cell(to, value);

    switch ((beck_type)to->column->type) {
    case BECK_BOOLEAN:
        return put_boolean(to, value);
    case BECK_BIGINT:
    case BECK_TIMESTAMP:
        return put_integer(to, value);
    case BECK_DOUBLE:
        return put_double(to, value);
    case BECK_STRING:
    case BECK_BINARY:
        return put_string(to, value);
    case BECK_ARRAY:
        return put_array(to, value);
    case BECK_STRUCT:
        return put_struct(to, value);
    case BECK_NONE_TYPE:
        break;
    }
    assert(0 && "a column without a type");
    return BECK_STATE;
}

/* What nearly every call is: a value of the column's own type, room for it, nothing to copy. */
static inline bool put_plain(beck_column *column, const beck_value *value, const beck_str *keep)
{
    size_t at = column->size;
    if (at >= column->capacity || column->valid)
        return false;
    if (value->kind == BECK_KIND_INTEGER &&
        (column->type == BECK_BIGINT || column->type == BECK_TIMESTAMP)) {
        ((int64_t *)column->data)[at] = value->u.integer;
    } else if (value->kind == BECK_KIND_STRING &&
               (column->type == BECK_STRING || column->type == BECK_BINARY)) {
        beck_str s = value->u.string;
        if (s.size > BECK_VIEW_INLINE &&
            (!keep || !beck__inside(*keep, s.data) || s.size > UINT32_MAX))
            return false;
        ((beck_view *)column->data)[at] = beck__view(s.data, s.size);
    } else if (value->kind == BECK_KIND_DOUBLE && column->type == BECK_DOUBLE) {
        ((double *)column->data)[at] = value->u.real;
    } else {
        return false;
    }
    column->size++;
    return true;
}

static beck_status put_any(struct builder *b, uint32_t k, const beck_value *value,
                           const beck_str *keep, struct error *error)
{
    struct error local;
    local.status = BECK_OK;
    local.text[0] = '\0';
    struct place to = {.b = b,
                       .column = &b->chunk->column[k],
                       .field = &b->schema->fields[k],
                       .keep = keep ? *keep : BECK__KEEP_NONE,
                       .error = &local};
    beck_status status = put(&to, value);
    if (status == BECK_TYPE)
        beck__error_prefix(&local, "column %u \"%s\"", k, to.field->name);
    return status ? beck__error_set(error, status, "%s", local.text) : BECK_OK;
}

beck_status beck__builder_value(struct builder *b, uint32_t k, const beck_value *value,
                                const beck_str *keep, struct error *error)
{
    if (put_plain(&b->chunk->column[k], value, keep))
        return BECK_OK;
    return put_any(b, k, value, keep, error);
}
