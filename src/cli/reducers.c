/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reducers.c - functions of two values: of reduce and reduce_by_key, and the merge functions of
 * combine_by_key.
 */
/* tests: functions_test.c conform_test.c */
#include "cli/inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void add(beck_call *c, beck_row a, beck_row b)
{
    uint64_t sum = (uint64_t)beck_get_bigint(a, 0) + (uint64_t)beck_get_bigint(b, 0);

    beck_emit(c, (int64_t)sum);
}

static int compare_rows(beck_row a, beck_row b);

/* A missing side of a join comes first. */
static int compare_columns(beck_row a, beck_row b, uint32_t k)
{
    int32_t type = a.chunk->column[a.first + k].type;

    if (beck_is_null(a, k) || beck_is_null(b, k))
        return beck_is_null(b, k) - beck_is_null(a, k);
    if (type == BECK_STRUCT)
        return compare_rows(beck_get_struct(a, k), beck_get_struct(b, k));
    if (type == BECK_STRING) {
        beck_str x = beck_get_string(a, k), y = beck_get_string(b, k);
        int order = memcmp(x.data, y.data, x.size < y.size ? x.size : y.size);
        return order ? order : (x.size > y.size) - (x.size < y.size);
    }
    int64_t x = beck_get_bigint(a, k), y = beck_get_bigint(b, k);
    return (x > y) - (x < y);
}

/* Pairs by key, then by value. */
static int compare_rows(beck_row a, beck_row b)
{
    int order = 0;

    for (uint32_t k = 0; order == 0 && k < beck_columns(a); k++)
        order = compare_columns(a, b, k);
    return order;
}

static void max_of(beck_call *c, beck_row a, beck_row b)
{
    beck_emit_row(c, compare_rows(a, b) >= 0 ? a : b);
}

static void min_of(beck_call *c, beck_row a, beck_row b)
{
    beck_emit_row(c, compare_rows(a, b) <= 0 ? a : b);
}

static void plus_one(beck_call *c, beck_row count, beck_row value)
{
    (void)value;
    beck_emit(c, (int64_t)((uint64_t)beck_get_bigint(count, 0) + 1));
}

static void emit_joined(beck_call *c, beck_str a, beck_str b)
{
    char *joined = malloc(a.size + b.size + 1);

    if (!joined) {
        beck_fail(c, "no memory for %zu bytes", a.size + b.size);
        return;
    }
    memcpy(joined, a.data, a.size);
    memcpy(joined + a.size, b.data, b.size);
    beck_emit(c, beck_bytes_of(joined, a.size + b.size));
    free(joined);
}

static void append_to_string(beck_call *c, beck_row text, beck_row value)
{
    char number[32];

    snprintf(number, sizeof number, "%" PRId64, beck_get_bigint(value, 0));
    emit_joined(c, beck_get_string(text, 0), beck_string(number));
}

static void concatenate(beck_call *c, beck_row a, beck_row b)
{
    emit_joined(c, beck_get_string(a, 0), beck_get_string(b, 0));
}

static const struct reducer reducers[] = {
    {"add", FITS_NUMBER, FITS_NUMBER, true, add, beck_sum},
    {"max", FITS_ANY, FITS_ANY, true, max_of, beck_max},
    {"min", FITS_ANY, FITS_ANY, true, min_of, beck_min},
    {"concatenate", FITS_TEXT, FITS_TEXT, true, concatenate, NULL},
    {"plus_one", FITS_NUMBER, FITS_ANY, false, plus_one, NULL},
    {"append_to_string", FITS_TEXT, FITS_NUMBER, false, append_to_string, NULL},
};

const struct reducer *beck__cli_reducer(const char *name)
{
    for (size_t i = 0; i < sizeof reducers / sizeof *reducers; i++) {
        if (strcmp(reducers[i].name, name) == 0)
            return &reducers[i];
    }
    return NULL;
}
