/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c - reading files and fields, ordering, sorting and showing JSON values. Integers are 64
 * bits and exact: json-c keeps them apart from floating point.
 */
#include "cli/inside.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

/* All bytes of a file, or NULL and why. */
static char *read_bytes(const char *path, size_t *size, struct failure *failure)
{
    FILE *file = fopen(path, "rb");
    char *data = NULL;
    bool ended = false;

    if (!file) {
        beck__cli_fail(failure, "%s", strerror(errno));
        return NULL;
    }
    *size = 0;
    for (size_t capacity = 1 << 16; !ended && capacity <= INT_MAX / 2; capacity *= 2) {
        char *larger = realloc(data, capacity);
        if (!larger)
            break;
        data = larger;
        *size += fread(data + *size, 1, capacity - *size, file);
        ended = *size < capacity;
    }
    if (!ended)
        beck__cli_fail(failure, "it is too large");
    else if (ferror(file))
        beck__cli_fail(failure, "%s", strerror(errno));
    fclose(file);
    if (failure->set) {
        free(data);
        return NULL;
    }
    return data;
}

bool beck__json_read(const char *path, struct json_object **value, struct failure *failure)
{
    struct json_tokener *parser = json_tokener_new();
    size_t size = 0, line = 1;
    char *data = parser ? read_bytes(path, &size, failure) : NULL;

    *value = NULL;
    if (!parser)
        beck__cli_fail(failure, "out of memory");
    if (data) {
        json_tokener_set_flags(parser, JSON_TOKENER_STRICT); /* nothing behind the value, too */
        *value = json_tokener_parse_ex(parser, data, (int)size);
        enum json_tokener_error error = json_tokener_get_error(parser);
        for (size_t i = 0; i < json_tokener_get_parse_end(parser) && i < size; i++)
            line += data[i] == '\n';
        if (error == json_tokener_continue)
            beck__cli_fail(failure, "not JSON: it ends too early, in line %zu", line);
        else if (error != json_tokener_success)
            beck__cli_fail(failure, "not JSON: line %zu: %s", line, json_tokener_error_desc(error));
    }
    free(data);
    if (parser)
        json_tokener_free(parser);
    return !failure->set;
}

struct json_object *beck__json_get(struct json_object *object, const char *field)
{
    struct json_object *value = NULL;

    if (json_object_is_type(object, json_type_object))
        json_object_object_get_ex(object, field, &value);
    return value;
}

const char *beck__json_stranger(struct json_object *object, const char *const *known, size_t count)
{
    if (!json_object_is_type(object, json_type_object))
        return NULL;
    json_object_object_foreach(object, field, value)
    {
        size_t i = 0;
        (void)value;
        while (i < count && strcmp(known[i], field) != 0)
            i++;
        if (i == count)
            return field;
    }
    return NULL;
}

const char *beck__json_text(struct json_object *object, const char *field)
{
    struct json_object *value = beck__json_get(object, field);

    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

int64_t beck__json_number(struct json_object *object, const char *field, int64_t absent)
{
    struct json_object *value = beck__json_get(object, field);

    return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : absent;
}

bool beck__json_truth(struct json_object *object, const char *field)
{
    return json_object_get_boolean(beck__json_get(object, field));
}

static int compare_bytes(struct json_object *a, struct json_object *b)
{
    size_t a_size = (size_t)json_object_get_string_len(a);
    size_t b_size = (size_t)json_object_get_string_len(b);
    size_t common = a_size < b_size ? a_size : b_size;
    int order = memcmp(json_object_get_string(a), json_object_get_string(b), common);

    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare_lists(struct json_object *a, struct json_object *b)
{
    size_t a_count = json_object_array_length(a), b_count = json_object_array_length(b);

    for (size_t i = 0; i < a_count && i < b_count; i++) {
        int order =
            beck__json_compare(json_object_array_get_idx(a, i), json_object_array_get_idx(b, i));
        if (order)
            return order;
    }
    return (a_count > b_count) - (a_count < b_count);
}

int beck__json_compare(struct json_object *a, struct json_object *b)
{
    enum json_type a_type = json_object_get_type(a), b_type = json_object_get_type(b);

    if (a_type != b_type)
        return a_type < b_type ? -1 : 1;
    if (a_type == json_type_string)
        return compare_bytes(a, b);
    if (a_type == json_type_array)
        return compare_lists(a, b);
    if (a_type == json_type_double) {
        double x = json_object_get_double(a), y = json_object_get_double(b);
        return (x > y) - (x < y);
    }
    int64_t x = json_object_get_int64(a), y = json_object_get_int64(b);
    return (x > y) - (x < y);
}

static int compare_items(const void *a, const void *b)
{
    return beck__json_compare(*(struct json_object *const *)a, *(struct json_object *const *)b);
}

void beck__json_sort(struct json_object *list)
{
    if (json_object_is_type(list, json_type_array))
        json_object_array_sort(list, compare_items);
}

void beck__json_sort_lists(struct json_object *value, const struct type *type)
{
    if (!json_object_is_type(value, json_type_array))
        return;
    size_t count = json_object_array_length(value);
    if (type->kind == TYPE_PAIR && count == 2) {
        beck__json_sort_lists(json_object_array_get_idx(value, 0), type->first);
        beck__json_sort_lists(json_object_array_get_idx(value, 1), type->second);
    } else if (type->kind == TYPE_LIST) {
        for (size_t i = 0; i < count; i++)
            beck__json_sort_lists(json_object_array_get_idx(value, i), type->first);
        beck__json_sort(value);
    }
}

void beck__json_show(struct json_object *value, char *text, size_t size)
{
    const char *whole = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
                                                                  JSON_C_TO_STRING_NOSLASHESCAPE);
    int length = snprintf(text, size, "%s", whole);

    if (length >= 0 && (size_t)length >= size && size > 4)
        memcpy(text + size - 4, "...", 4);
}
