/* SPDX-License-Identifier: Apache-2.0 */
/*
 * functions.c - the vocabulary's functions of one value, and the callbacks that apply them to the
 * rows of map, filter, flat_map and map_partitions. A callback finds its function by a number in
 * its context bytes, so that it also works in a worker process. Given a pair, a function acts on
 * the value.
 */
#include "cli/inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* What a function gives; the bytes of a text live in `small` or `large` until it is emitted. */
struct made {
    beck_value value;
    char small[32];
    char *large;
};

typedef void value_fn(beck_call *c, struct made *made, beck_row row, uint32_t column);
typedef bool predicate_fn(beck_row row, uint32_t column);

static void make_number(struct made *made, int64_t x)
{
    made->value = beck_integer_value(x);
}

/* BIGINT arithmetic wraps around. */
static int64_t plus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t floor_modulo(int64_t x, int64_t n)
{
    int64_t rest = x % n;

    return rest < 0 ? rest + n : rest;
}

static void identity(beck_call *c, struct made *made, beck_row row, uint32_t column)
{
    (void)c;
    made->value = beck_cell(row, column);
}

static void to_string(beck_call *c, struct made *made, beck_row row, uint32_t column)
{
    (void)c;
    snprintf(made->small, sizeof made->small, "%" PRId64, beck_get_bigint(row, column));
    made->value = beck_text_value(made->small);
}

static void plus_4(beck_call *c, struct made *made, beck_row row, uint32_t column)
{
    (void)c;
    make_number(made, plus(beck_get_bigint(row, column), 4));
}

static void plus_8(beck_call *c, struct made *made, beck_row row, uint32_t column)
{
    (void)c;
    make_number(made, plus(beck_get_bigint(row, column), 8));
}

static void plus_10(beck_call *c, struct made *made, beck_row row, uint32_t column)
{
    (void)c;
    make_number(made, plus(beck_get_bigint(row, column), 10));
}

static void negate(beck_call *c, struct made *made, beck_row row, uint32_t column)
{
    (void)c;
    make_number(made, (int64_t)(0 - (uint64_t)beck_get_bigint(row, column)));
}

static void mod_10(beck_call *c, struct made *made, beck_row row, uint32_t column)
{
    (void)c;
    make_number(made, floor_modulo(beck_get_bigint(row, column), 10));
}

static void times_1000003(beck_call *c, struct made *made, beck_row row, uint32_t column)
{
    (void)c;
    make_number(made, (int64_t)((uint64_t)beck_get_bigint(row, column) * 1000003u));
}

static void one(beck_call *c, struct made *made, beck_row row, uint32_t column)
{
    (void)c;
    (void)row;
    (void)column;
    make_number(made, 1);
}

static void length(beck_call *c, struct made *made, beck_row row, uint32_t column)
{
    (void)c;
    make_number(made, (int64_t)beck_get_string(row, column).size);
}

static void to_upper(beck_call *c, struct made *made, beck_row row, uint32_t column)
{
    beck_str text = beck_get_string(row, column);

    made->large = malloc(text.size + 1);
    if (!made->large) {
        beck_fail(c, "no memory for %zu bytes", text.size);
        return;
    }
    for (size_t i = 0; i < text.size; i++) {
        char letter = text.data[i];
        made->large[i] = letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
    }
    made->value = beck_string_value(beck_bytes_of(made->large, text.size));
}

static void sum_list(beck_call *c, struct made *made, beck_row row, uint32_t column)
{
    beck_list list = beck_get_array(row, column);
    int64_t sum = 0;

    (void)c;
    for (uint32_t i = 0; i < list.count; i++)
        sum = plus(sum, beck_get_bigint(beck_list_row(list, i), 0));
    make_number(made, sum);
}

static void count_list(beck_call *c, struct made *made, beck_row row, uint32_t column)
{
    (void)c;
    make_number(made, beck_get_array(row, column).count);
}

/* A missing side counts as 0. */
static void sum_sides(beck_call *c, struct made *made, beck_row row, uint32_t column)
{
    beck_row sides = beck_get_struct(row, column);
    int64_t sum = 0;

    (void)c;
    for (uint32_t i = 0; i < 2; i++)
        sum = plus(sum, beck_is_null(sides, i) ? 0 : beck_get_bigint(sides, i));
    make_number(made, sum);
}

static void count_sides(beck_call *c, struct made *made, beck_row row, uint32_t column)
{
    beck_row sides = beck_get_struct(row, column);

    (void)c;
    snprintf(made->small, sizeof made->small, "%" PRIu32 ":%" PRIu32,
             beck_get_array(sides, 0).count, beck_get_array(sides, 1).count);
    made->value = beck_text_value(made->small);
}

/* Of the state {counter, idle}. */
static void field_counter(beck_call *c, struct made *made, beck_row row, uint32_t column)
{
    (void)c;
    make_number(made, beck_get_bigint(beck_get_struct(row, column), 0));
}

/* Signatures and functions, in two arrays with the same order. */
static const struct signature value_signatures[] = {
    {"identity", FITS_ANY, GIVES_SAME},      {"to_string", FITS_NUMBER, GIVES_TEXT},
    {"plus_4", FITS_NUMBER, GIVES_NUMBER},   {"plus_8", FITS_NUMBER, GIVES_NUMBER},
    {"plus_10", FITS_NUMBER, GIVES_NUMBER},  {"negate", FITS_NUMBER, GIVES_NUMBER},
    {"mod_10", FITS_NUMBER, GIVES_NUMBER},   {"times_1000003", FITS_NUMBER, GIVES_NUMBER},
    {"one", FITS_ANY, GIVES_NUMBER},         {"length", FITS_TEXT, GIVES_NUMBER},
    {"to_upper", FITS_TEXT, GIVES_TEXT},     {"sum_list", FITS_NUMBERS, GIVES_NUMBER},
    {"count_list", FITS_LIST, GIVES_NUMBER}, {"sum_sides", FITS_SIDES, GIVES_NUMBER},
    {"count_sides", FITS_LISTS, GIVES_TEXT}, {"field_counter", FITS_SIDES, GIVES_NUMBER},
};
static value_fn *const value_functions[] = {
    identity, to_string, plus_4,   plus_8,   plus_10,    negate,    mod_10,      times_1000003,
    one,      length,    to_upper, sum_list, count_list, sum_sides, count_sides, field_counter};

static bool even(beck_row row, uint32_t column)
{
    return beck_get_bigint(row, column) % 2 == 0;
}

static bool value_positive(beck_row row, uint32_t column)
{
    return beck_get_bigint(row, column) > 0;
}

static bool value_not_0(beck_row row, uint32_t column)
{
    return beck_get_bigint(row, column) != 0;
}

static bool longer_than_3(beck_row row, uint32_t column)
{
    return beck_get_string(row, column).size > 3;
}

static const struct signature predicate_signatures[] = {
    {"even", FITS_NUMBER, GIVES_SAME},
    {"value_positive", FITS_NUMBER, GIVES_SAME},
    {"value_not_0", FITS_NUMBER, GIVES_SAME},
    {"longer_than_3", FITS_TEXT, GIVES_SAME},
};
static predicate_fn *const predicates[] = {even, value_positive, value_not_0, longer_than_3};

/* Functions that give any number of values; the enumerator is the number. */
enum many { X_AND_2X, V_AND_V_PLUS_10, SPLIT_WORDS, EACH };
static const struct signature many_signatures[] = {
    {"x_and_2x", FITS_NUMBER, GIVES_SAME},
    {"v_and_v_plus_10", FITS_NUMBER, GIVES_SAME},
    {"split_words", FITS_TEXT, GIVES_SAME},
    {"each", FITS_LIST, GIVES_ITEM},
};

enum partition { PARTITION_SUM, PARTITION_COUNT };
static const struct signature partition_signatures[] = {
    {"sum", FITS_NUMBER, GIVES_NUMBER},
    {"count", FITS_ANY, GIVES_NUMBER},
};

bool beck__cli_fits(enum fits fits, const struct type *type)
{
    switch (fits) {
    case FITS_ANY:
        return true;
    case FITS_NUMBER:
        return type->kind == TYPE_NUMBER;
    case FITS_TEXT:
        return type->kind == TYPE_TEXT;
    case FITS_SCALAR:
        return type->kind == TYPE_NUMBER || type->kind == TYPE_TEXT;
    case FITS_ORDERED:
        return type->kind == TYPE_PAIR
                   ? beck__cli_fits(fits, type->first) && beck__cli_fits(fits, type->second)
                   : beck__cli_fits(FITS_SCALAR, type);
    case FITS_LIST:
        return type->kind == TYPE_LIST;
    case FITS_NUMBERS:
        return type->kind == TYPE_LIST && type->first->kind == TYPE_NUMBER;
    case FITS_PAIR:
        return type->kind == TYPE_PAIR;
    case FITS_SIDES:
        return type->kind == TYPE_PAIR && type->first->kind == TYPE_NUMBER &&
               type->second->kind == TYPE_NUMBER;
    case FITS_LISTS:
        return type->kind == TYPE_PAIR && type->first->kind == TYPE_LIST &&
               type->second->kind == TYPE_LIST;
    }
    return false;
}

static int find(const char *name, const struct signature *signatures, size_t count,
                const struct signature **signature)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(signatures[i].name, name) == 0) {
            *signature = &signatures[i];
            return (int)i;
        }
    }
    return -1;
}

#define FIND(name, table, signature) find(name, table, sizeof(table) / sizeof *(table), signature)

int beck__cli_value_function(const char *name, const struct signature **signature)
{
    return FIND(name, value_signatures, signature);
}

int beck__cli_predicate(const char *name, const struct signature **signature)
{
    return FIND(name, predicate_signatures, signature);
}

int beck__cli_many_function(const char *name, const struct signature **signature)
{
    return FIND(name, many_signatures, signature);
}

int beck__cli_partition_function(const char *name, const struct signature **signature)
{
    return FIND(name, partition_signatures, signature);
}

/* ---- callbacks --------------------------------------------------------------------------------
 */

/* Emits a value, with the key of `in` before it if the rows are pairs. */
static void emit(beck_call *c, beck_row in, bool pair, beck_value value)
{
    if (pair)
        beck_emit(c, beck_cell(in, 0), value);
    else
        beck_emit(c, value);
}

void beck__cli_map(beck_call *c, beck_row in)
{
    const struct function_args *args = beck_ctx(c);
    struct made made = {0};

    value_functions[args->function](c, &made, in, args->pair ? 1 : 0);
    emit(c, in, args->pair, made.value);
    free(made.large);
}

void beck__cli_map_key(beck_call *c, beck_row in)
{
    const struct function_args *args = beck_ctx(c);
    beck_value both[2] = {beck_cell(in, 0), beck_cell(in, 1)};
    struct made made = {0};

    if (args->pair == KEY_OF_PAIR)
        made.value = beck_values_value(both, 2);
    else
        value_functions[args->function](c, &made, in, (uint32_t)args->pair);
    beck_emit(c, made.value);
    free(made.large);
}

bool beck__cli_filter(beck_call *c, beck_row in)
{
    const struct function_args *args = beck_ctx(c);

    return predicates[args->function](in, args->pair ? 1 : 0);
}

static void flat_map_words(beck_call *c, beck_row in, bool pair)
{
    beck_str rest = beck_get_string(in, pair ? 1 : 0), word;

    while (beck_next_token(&rest, " ", &word))
        emit(c, in, pair, beck_string_value(word));
}

/* An item that is a pair becomes two columns, or inside a value one STRUCT: in flat_map_values the
 * rows begin after the key. */
static void flat_map_each(beck_call *c, beck_row in, bool pair)
{
    beck_list list = beck_get_array(in, pair ? 1 : 0);

    for (uint32_t i = 0; i < list.count; i++) {
        beck_row item = beck_list_row(list, i);
        beck_value inside[2] = {beck_cell(item, 0), beck_cell(item, 1)};
        if (beck_columns(item) < 2)
            emit(c, in, pair, inside[0]);
        else if (pair || in.first > 0)
            emit(c, in, pair, beck_values_value(inside, 2));
        else
            beck_emit_values(c, inside, 2);
    }
}

void beck__cli_flat_map(beck_call *c, beck_row in)
{
    const struct function_args *args = beck_ctx(c);
    uint32_t column = args->pair ? 1 : 0;
    int64_t x;

    switch ((enum many)args->function) {
    case X_AND_2X:
        x = beck_get_bigint(in, column);
        emit(c, in, args->pair, beck_integer_value(x));
        emit(c, in, args->pair, beck_integer_value(plus(x, x)));
        break;
    case V_AND_V_PLUS_10:
        x = beck_get_bigint(in, column);
        emit(c, in, args->pair, beck_integer_value(x));
        emit(c, in, args->pair, beck_integer_value(plus(x, 10)));
        break;
    case SPLIT_WORDS:
        flat_map_words(c, in, args->pair);
        break;
    case EACH:
        flat_map_each(c, in, args->pair);
        break;
    }
}

void beck__cli_map_partition(beck_call *c, beck_rows *rows)
{
    const struct function_args *args = beck_ctx(c);
    int64_t result = 0;
    beck_row row;

    while (beck_next_row(rows, &row)) {
        bool sum = args->function == PARTITION_SUM;
        result = plus(result, sum ? beck_get_bigint(row, args->pair ? 1 : 0) : 1);
    }
    beck_emit(c, result);
}
