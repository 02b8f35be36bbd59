/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The known state functions as ordinary callbacks, and how they are known. Those of numbers have a
 * kernel behind them (accumulate.c); what they do is the same.
 */
/* tests: stateful_test.c */
#include "exec/call.h"

/* The order of the library: NaN is the largest number, strings are compared by bytes. Both are
 * cells. */
static int compare(const beck_value *x, const beck_value *y)
{
    return beck__cell_compare(&x->u.row.chunk->column[x->count], x->u.row.index,
                              &y->u.row.chunk->column[y->count], y->u.row.index);
}

static beck_value sum_of(const beck_value *x, const beck_value *y)
{
    const beck_column *a = &x->u.row.chunk->column[x->count];
    const beck_column *b = &y->u.row.chunk->column[y->count];
    uint32_t i = x->u.row.index, j = y->u.row.index;

    if (a->type == BECK_DOUBLE)
        return beck_double_value(((const double *)a->data)[i] + ((const double *)b->data)[j]);
    return beck_integer_value(
        (int64_t)(((const uint64_t *)a->data)[i] + ((const uint64_t *)b->data)[j]));
}

static beck_value fold_cell(enum op_fold fold, const beck_value *old, const beck_value *fresh)
{
    switch (fold) {
    case FOLD_SUM:
        return sum_of(old, fresh);
    case FOLD_MIN:
        return compare(fresh, old) < 0 ? *fresh : *old;
    case FOLD_MAX:
        return compare(old, fresh) < 0 ? *fresh : *old;
    default: /* FOLD_LAST */
        return *fresh;
    }
}

#define WIDTH_MAX 64u

/* False with the call failed: there is something that cannot be added. */
static bool are_numbers(beck_call *c, beck_row row)
{
    for (uint32_t k = 0; k < beck_columns(row); k++) {
        beck_type type = (beck_type)row.chunk->column[row.first + k].type;
        if (type != BECK_BIGINT && type != BECK_DOUBLE) {
            beck_fail(c, "cannot sum values of type %s", beck__type_name(type));
            return false;
        }
    }
    return true;
}

/* Folds one row of values into the state. */
static void fold_row(beck_call *c, enum op_fold fold, beck_row row, beck_state *state)
{
    beck_value values[WIDTH_MAX];
    beck_row old = beck_state_get(state);
    uint32_t width = beck_columns(row);

    if (width > WIDTH_MAX) {
        beck_fail(c, "%u values in a row; at most %u can be kept", width, WIDTH_MAX);
        return;
    }
    if (fold == FOLD_SUM && !are_numbers(c, row))
        return;
    for (uint32_t k = 0; k < width; k++) {
        values[k] = beck_cell(row, k);
        if (beck_is_none(old) || beck_is_null(old, k))
            continue; /* the first value */
        beck_value before = beck_cell(old, k);
        values[k] = beck_is_null(row, k) ? before : fold_cell(fold, &before, &values[k]);
    }
    beck_state_put_values(state, values, width);
}

static void fold_rows(beck_call *c, enum op_fold fold, beck_rows *values, beck_state *state)
{
    beck_row row;

    while (beck_next_row(values, &row))
        fold_row(c, fold, row, state);
}

/* The key, then the state. */
static void emit_state(beck_call *c, beck_row key, beck_state *state)
{
    beck_value values[2 * WIDTH_MAX];
    beck_row row = beck_state_get(state);
    uint32_t keys = beck_columns(key), count = keys + beck_columns(row);

    if (keys > WIDTH_MAX) {
        beck_fail(c, "%u columns in a key; at most %u", keys, WIDTH_MAX);
        return;
    }
    for (uint32_t k = 0; k < count; k++)
        values[k] = k < keys ? beck_cell(key, k) : beck_cell(row, k - keys);
    beck_emit_values(c, values, count);
}

#define KNOWN(name, FOLD)                                                                          \
    void beck_running_##name(beck_call *c, beck_row key, beck_rows *values, beck_state *state)     \
    {                                                                                              \
        (void)key;                                                                                 \
        fold_rows(c, FOLD, values, state);                                                         \
    }                                                                                              \
    void beck_track_##name(beck_call *c, beck_row key, beck_row value, beck_state *state)          \
    {                                                                                              \
        if (beck_state_is_timing_out(state))                                                       \
            return;                                                                                \
        fold_row(c, FOLD, value, state);                                                           \
        emit_state(c, key, state);                                                                 \
    }

KNOWN(sum, FOLD_SUM)
KNOWN(min, FOLD_MIN)
KNOWN(max, FOLD_MAX)
KNOWN(last, FOLD_LAST)

void beck_running_count(beck_call *c, beck_row key, beck_rows *values, beck_state *state)
{
    (void)c;
    (void)key;
    beck_state_put(state, beck_state_bigint(state, 0, 0) + (int64_t)beck_rows_count(values));
}

void beck_track_count(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    (void)value;
    if (beck_state_is_timing_out(state))
        return;
    beck_state_put(state, beck_state_bigint(state, 0, 0) + 1);
    emit_state(c, key, state);
}

/* ---- lists ----------------------------------------------------------------------------------- */

struct values {
    beck_value *items;
    uint32_t count, room;
};

/* The list that the state has in column `column`, and room for `more`. */
static bool values_open(beck_call *c, const beck_state *state, uint32_t column, uint64_t more,
                        struct values *list)
{
    beck_list old = {0};

    if (beck_state_exists(state))
        old = beck_get_array(beck_state_get(state), column);
    *list = (struct values){.room = old.count + (uint32_t)more + 1};
    list->items = beck__alloc(c->task->memory, list->room * sizeof *list->items);
    if (!list->items) {
        beck__call_no_memory(c, "a list of values");
        return false;
    }
    for (uint32_t i = 0; i < old.count; i++)
        list->items[list->count++] = beck_cell(beck_list_row(old, i), 0);
    return true;
}

static void values_close(beck_call *c, struct values *list)
{
    beck__free(c->task->memory, list->items, list->room * sizeof *list->items);
}

static bool holds(const struct values *list, const beck_value *value)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (compare(value, &list->items[i]) == 0)
            return true;
    return false;
}

void beck_running_distinct(beck_call *c, beck_row key, beck_rows *values, beck_state *state)
{
    struct values list;
    beck_row row;

    (void)key;
    if (!values_open(c, state, 1, beck_rows_count(values), &list))
        return;
    while (beck_next_row(values, &row)) {
        beck_value value = beck_cell(row, 0);
        if (!beck_is_null(row, 0) && !holds(&list, &value))
            list.items[list.count++] = value;
    }
    beck_state_put(state, list.count, beck_values_value(list.items, list.count));
    values_close(c, &list);
}

/* Into its place among the largest, which stand in descending order. */
static void insert(struct values *list, const beck_value *value, uint32_t n)
{
    uint32_t at = list->count < n ? list->count++ : n;

    for (; at > 0 && compare(&list->items[at - 1], value) < 0; at--)
        if (at < n)
            list->items[at] = list->items[at - 1];
    if (at < n)
        list->items[at] = *value;
}

void beck_running_top(beck_call *c, beck_row key, beck_rows *values, beck_state *state)
{
    const int *wanted = beck_ctx(c);
    uint32_t n = wanted && *wanted > 0 ? (uint32_t)*wanted : 10;
    struct values list;
    beck_row row;

    (void)key;
    if (!values_open(c, state, 0, beck_rows_count(values), &list))
        return;
    while (beck_next_row(values, &row)) {
        beck_value value = beck_cell(row, 0);
        if (!beck_is_null(row, 0))
            insert(&list, &value, n);
    }
    beck_state_put(state, beck_values_value(list.items, list.count));
    values_close(c, &list);
}

/* ---- known ----------------------------------------------------------------------------------- */

enum op_fold beck__known_update(beck_update_fn *fn)
{
    return fn == beck_running_sum        ? FOLD_SUM
           : fn == beck_running_min      ? FOLD_MIN
           : fn == beck_running_max      ? FOLD_MAX
           : fn == beck_running_count    ? FOLD_COUNT
           : fn == beck_running_last     ? FOLD_LAST
           : fn == beck_running_distinct ? FOLD_DISTINCT
           : fn == beck_running_top      ? FOLD_TOP
                                         : FOLD_KINDS;
}

enum op_fold beck__known_track(beck_track_fn *fn)
{
    return fn == beck_track_sum     ? FOLD_SUM
           : fn == beck_track_min   ? FOLD_MIN
           : fn == beck_track_max   ? FOLD_MAX
           : fn == beck_track_count ? FOLD_COUNT
           : fn == beck_track_last  ? FOLD_LAST
                                    : FOLD_KINDS;
}
