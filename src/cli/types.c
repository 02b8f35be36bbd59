/* SPDX-License-Identifier: Apache-2.0 */
/*
 * types.c - types of elements: made in a pool, compared, inferred from JSON, written as a schema.
 */
#include "cli/inside.h"

#include <stdarg.h>
#include <stdio.h>

static bool set_failure(struct failure *failure, bool misfit, const char *format, va_list list)
{
    if (!failure->set) {
        failure->set = true;
        failure->misfit = misfit;
        vsnprintf(failure->text, sizeof failure->text, format, list);
    }
    return false;
}

bool beck__cli_fail(struct failure *failure, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    bool result = set_failure(failure, false, format, list);
    va_end(list);
    return result;
}

bool beck__cli_misfit(struct failure *failure, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    bool result = set_failure(failure, true, format, list);
    va_end(list);
    return result;
}

const struct type *beck__cli_type(struct types *types, enum type_kind kind,
                                  const struct type *first, const struct type *second)
{
    bool whole = kind == TYPE_LIST ? first != NULL : kind != TYPE_PAIR || (first && second);

    if (!whole || types->count == sizeof types->items / sizeof *types->items)
        return NULL;
    struct type *type = &types->items[types->count++];
    type->kind = kind;
    type->first = first;
    type->second = second;
    return type;
}

bool beck__cli_type_equal(const struct type *a, const struct type *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == TYPE_LIST)
        return beck__cli_type_equal(a->first, b->first);
    return a->kind != TYPE_PAIR ||
           (beck__cli_type_equal(a->first, b->first) && beck__cli_type_equal(a->second, b->second));
}

static void append(char *text, size_t size, const char *more)
{
    size_t used = strlen(text);

    snprintf(text + used, size - used, "%s", more);
}

/* The type of a column. */
static void append_type(const struct type *type, char *text, size_t size)
{
    switch (type->kind) {
    case TYPE_NUMBER:
        append(text, size, "BIGINT");
        break;
    case TYPE_TEXT:
        append(text, size, "STRING");
        break;
    case TYPE_TRUTH:
        append(text, size, "BOOLEAN");
        break;
    case TYPE_LIST:
        append(text, size, "ARRAY<");
        append_type(type->first, text, size);
        append(text, size, ">");
        break;
    case TYPE_PAIR:
        append(text, size, "STRUCT<k ");
        append_type(type->first, text, size);
        append(text, size, ", v ");
        append_type(type->second, text, size);
        append(text, size, ">");
        break;
    }
}

void beck__cli_schema(const struct type *type, char *text, size_t size)
{
    text[0] = '\0';
    if (type->kind == TYPE_PAIR) {
        append(text, size, "k ");
        append_type(type->first, text, size);
        append(text, size, ", ");
    }
    append(text, size, "v ");
    append_type(beck__cli_value_type(type), text, size);
}

void beck__cli_column(const struct type *type, char *text, size_t size)
{
    snprintf(text, size, "v ");
    append_type(type, text, size);
}

const struct type *beck__cli_infer(struct types *types, struct json_object *element)
{
    switch (json_object_get_type(element)) {
    case json_type_int:
        return beck__cli_type(types, TYPE_NUMBER, NULL, NULL);
    case json_type_string:
        return beck__cli_type(types, TYPE_TEXT, NULL, NULL);
    case json_type_array:
        if (json_object_array_length(element) != 2)
            return NULL;
        return beck__cli_type(types, TYPE_PAIR,
                              beck__cli_infer(types, json_object_array_get_idx(element, 0)),
                              beck__cli_infer(types, json_object_array_get_idx(element, 1)));
    default:
        return NULL;
    }
}

bool beck__cli_is(const struct type *type, struct json_object *value)
{
    bool list = json_object_is_type(value, json_type_array);
    size_t count = list ? json_object_array_length(value) : 0;

    switch (type->kind) {
    case TYPE_NUMBER:
        return json_object_is_type(value, json_type_int);
    case TYPE_TEXT:
        return json_object_is_type(value, json_type_string);
    case TYPE_TRUTH:
        return json_object_is_type(value, json_type_boolean);
    case TYPE_LIST:
        while (list && count > 0)
            list = beck__cli_is(type->first, json_object_array_get_idx(value, --count));
        return list;
    case TYPE_PAIR:
        break;
    }
    return count == 2 && beck__cli_is(type->first, json_object_array_get_idx(value, 0)) &&
           beck__cli_is(type->second, json_object_array_get_idx(value, 1));
}
