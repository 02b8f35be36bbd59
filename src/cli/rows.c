/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows.c - elements as JSON to rows, and rows back to elements.
 */
/* tests: conform_test.c */
#include "cli/inside.h"

#include <stdlib.h>

beck_value beck__cli_scalar(struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_int:
        return beck_integer_value(json_object_get_int64(value));
    case json_type_string:
        return beck_string_value(beck_bytes_of(json_object_get_string(value),
                                               (size_t)json_object_get_string_len(value)));
    default:
        return beck_null;
    }
}

/* A value of any depth; *spare is where the values inside a pair go. */
static beck_value nested(struct json_object *value, beck_value **spare)
{
    if (!json_object_is_type(value, json_type_array))
        return beck__cli_scalar(value);
    size_t count = json_object_array_length(value);
    beck_value *inside = *spare;
    *spare += count;
    for (size_t i = 0; i < count; i++)
        inside[i] = nested(json_object_array_get_idx(value, i), spare);
    return beck_values_value(inside, (uint32_t)count);
}

/* How many values an element takes, with those inside it. */
static size_t value_count(struct json_object *value)
{
    size_t count = 1;

    for (size_t i = 0;
         json_object_is_type(value, json_type_array) && i < json_object_array_length(value); i++)
        count += value_count(json_object_array_get_idx(value, i));
    return count;
}

beck_rdd *beck__cli_rdd(beck_context *ctx, struct json_object *elements, const struct type *type,
                        int partitions)
{
    size_t rows = json_object_array_length(elements), columns = type->kind == TYPE_PAIR ? 2 : 1;
    char schema[SCHEMA_BYTES];
    beck_value *values = calloc(rows * columns + value_count(elements), sizeof *values);

    if (!values)
        return NULL;
    beck_value *spare = values + rows * columns;
    for (size_t i = 0; i < rows; i++) {
        struct json_object *element = json_object_array_get_idx(elements, i);
        for (size_t k = 0; k < columns; k++) {
            bool part = columns == 2 && json_object_is_type(element, json_type_array);
            values[i * columns + k] =
                nested(part ? json_object_array_get_idx(element, k) : element, &spare);
        }
    }
    beck__cli_schema(type, schema, sizeof schema);
    beck_rdd *rdd = beck_parallelize(ctx, schema, values, rows, .partitions = partitions);
    free(values);
    return rdd;
}

static struct json_object *list_of(beck_list list, const struct type *item)
{
    struct json_object *array = json_object_new_array();

    for (uint32_t i = 0; i < list.count; i++)
        json_object_array_add(array, beck__cli_element(beck_list_row(list, i), item));
    return array;
}

static struct json_object *cell_of(beck_row row, uint32_t column, const struct type *type)
{
    if (beck_is_null(row, column))
        return NULL;
    switch (type->kind) {
    case TYPE_NUMBER:
        return json_object_new_int64(beck_get_bigint(row, column));
    case TYPE_TEXT: {
        beck_str text = beck_get_string(row, column);
        return json_object_new_string_len(text.data, (int)text.size);
    }
    case TYPE_TRUTH:
        return json_object_new_boolean(beck_get_boolean(row, column));
    case TYPE_LIST:
        return list_of(beck_get_array(row, column), type->first);
    case TYPE_PAIR:
        return beck__cli_element(beck_get_struct(row, column), type);
    }
    return NULL;
}

struct json_object *beck__cli_element(beck_row row, const struct type *type)
{
    if (type->kind != TYPE_PAIR || beck_columns(row) == 1) /* a value that is a pair is a STRUCT */
        return cell_of(row, 0, type);
    struct json_object *pair = json_object_new_array();
    json_object_array_add(pair, cell_of(row, 0, type->first));
    json_object_array_add(pair, cell_of(row, 1, type->second));
    return pair;
}

struct json_object *beck__cli_elements(const beck_result *result, const struct type *type)
{
    struct json_object *list = json_object_new_array();

    for (uint64_t i = 0; i < beck_result_rows(result); i++)
        json_object_array_add(list, beck__cli_element(beck_result_row(result, i), type));
    return list;
}
