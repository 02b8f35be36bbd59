/* SPDX-License-Identifier: Apache-2.0 */
/*
 * states.c - operators with a state per key, and the functions that keep it.
 */
/* tests: conform_test.c */
#include "cli/inside.h"

#include <stdlib.h>

static int64_t plus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b); /* wraps around */
}

static int64_t sum_of(beck_rows *values)
{
    int64_t sum = 0;
    beck_row row;

    while (beck_next_row(values, &row))
        sum = plus(sum, beck_get_bigint(row, 0));
    return sum;
}

/* ---- update_state_by_key --------------------------------------------------------------------- */

static void running_sum(beck_call *c, beck_row key, beck_rows *values, beck_state *state)
{
    (void)c;
    (void)key;
    beck_state_put(state, plus(beck_state_bigint(state, 0, 0), sum_of(values)));
}

static void add_batch_time_if_any(beck_call *c, beck_row key, beck_rows *values, beck_state *state)
{
    int64_t added = beck_rows_count(values) ? beck_batch_time(c) : 0;

    (void)key;
    beck_state_put(state, plus(beck_state_bigint(state, 0, 0), added));
}

static void append_to_list(beck_call *c, beck_row key, beck_rows *values, beck_state *state)
{
    beck_list old = {0};
    uint32_t more = (uint32_t)beck_rows_count(values), count = 0;
    beck_row row;

    (void)key;
    if (beck_state_exists(state))
        old = beck_get_array(beck_state_get(state), 0);
    beck_value *all = calloc((size_t)old.count + more + 1, sizeof *all);
    if (!all) {
        beck_fail(c, "no memory for a list");
        return;
    }
    for (; count < old.count; count++)
        all[count] = beck_cell(beck_list_row(old, count), 0);
    while (beck_next_row(values, &row))
        all[count++] = beck_cell(row, 0);
    beck_state_put(state, beck_values_value(all, count));
    free(all);
}

/* {counter, idle}: gone after the second batch without values. */
static void counter_dropped_after_2_idle(beck_call *c, beck_row key, beck_rows *values,
                                         beck_state *state)
{
    int64_t counter = 0, idle = 0;

    (void)c;
    (void)key;
    if (beck_state_exists(state)) {
        beck_row old = beck_get_struct(beck_state_get(state), 0);
        counter = beck_get_bigint(old, 0);
        idle = beck_get_bigint(old, 1);
    }
    idle = beck_rows_count(values) ? 0 : idle + 1;
    counter = plus(counter, sum_of(values));
    beck_value both[] = {beck_integer_value(counter), beck_integer_value(idle)};
    if (idle == 2)
        beck_state_remove(state);
    else
        beck_state_put(state, beck_values_value(both, 2));
}

enum keeps { KEEPS_NUMBER, KEEPS_LIST, KEEPS_PAIR };

static const struct {
    const char *name;
    beck_update_fn *fn;
    enum fits fits; /* the values */
    enum keeps keeps;
} updates[] = {
    {"running_sum", running_sum, FITS_NUMBER, KEEPS_NUMBER},
    {"add_batch_time_if_any", add_batch_time_if_any, FITS_ANY, KEEPS_NUMBER},
    {"append_to_list", append_to_list, FITS_SCALAR, KEEPS_LIST},
    {"counter_dropped_after_2_idle", counter_dropped_after_2_idle, FITS_NUMBER, KEEPS_PAIR},
};

static const struct type *kept_type(struct graph *graph, enum keeps keeps, const struct type *value)
{
    const struct type *number = beck__cli_type(&graph->types, TYPE_NUMBER, NULL, NULL);

    switch (keeps) {
    case KEEPS_NUMBER:
        return number;
    case KEEPS_LIST:
        return beck__cli_type(&graph->types, TYPE_LIST, value, NULL);
    case KEEPS_PAIR:
        break;
    }
    return beck__cli_pair(graph, number, number);
}

/* The list "initial_state" as an RDD of such pairs; true also without one. */
static bool initial_of(struct graph *graph, const struct step *step, const struct type *pair,
                       beck_rdd **initial)
{
    struct json_object *list = beck__json_get(step->json, "initial_state");

    for (size_t i = 0; pair && list && i < json_object_array_length(list); i++)
        if (!beck__cli_is(pair, json_object_array_get_idx(list, i)))
            return beck__cli_no_fit(graph, step, "initial_state", pair);
    *initial = list && pair ? beck__cli_rdd(graph->ctx, list, pair, 1) : NULL;
    return !list || *initial || beck__cli_fail(graph->failure, "initial_state: out of memory");
}

/* True if the elements are pairs with such values. */
static bool needs_values(struct graph *graph, const struct step *step, enum fits fits,
                         const char *fn)
{
    if (!beck__cli_needs_pair(graph, step))
        return false;
    return beck__cli_fits(fits, step->in->type->second) ||
           beck__cli_no_fit(graph, step, fn, step->in->type);
}

static bool build_update(struct graph *graph, struct step *step)
{
    const char *fn = beck__cli_name(graph, step, "fn");
    char schema[SCHEMA_BYTES];
    beck_rdd *initial;
    size_t i = 0;

    if (!fn)
        return false;
    while (i < sizeof updates / sizeof *updates && strcmp(updates[i].name, fn) != 0)
        i++;
    if (i == sizeof updates / sizeof *updates)
        return beck__cli_unknown(graph, fn);
    if (!needs_values(graph, step, updates[i].fits, fn))
        return false;
    const struct type *kept = kept_type(graph, updates[i].keeps, step->in->type->second);
    const struct type *pair = kept ? beck__cli_pair(graph, step->in->type->first, kept) : NULL;
    if (!beck__cli_typed(graph, step, pair, NULL) || !initial_of(graph, step, pair, &initial))
        return false;
    beck__cli_column(kept, schema, sizeof schema);
    step->out->stream = beck_update_state_by_key(step->in->stream, schema, updates[i].fn,
                                                 .initial = initial, .name = step->out->id);
    return true;
}

/* ---- map_with_state -------------------------------------------------------------------------- */

static int64_t add_to_state(beck_state *state, beck_row value)
{
    int64_t sum = plus(beck_state_bigint(state, 0, 0), beck_get_bigint(value, 0));

    beck_state_put(state, sum);
    return sum;
}

static void emit_sum(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    (void)key;
    beck_emit(c, add_to_state(state, value));
}

static void emit_pair(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    beck_emit(c, beck_cell(key, 0), add_to_state(state, value));
}

static void emit_key_doubled(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    beck_str text = beck_get_string(key, 0);
    char *twice = malloc(2 * text.size + 1);

    add_to_state(state, value);
    if (!twice) {
        beck_fail(c, "no memory for %zu bytes", 2 * text.size);
        return;
    }
    memcpy(twice, text.data, text.size);
    memcpy(twice + text.size, text.data, text.size);
    beck_emit(c, beck_bytes_of(twice, 2 * text.size));
    free(twice);
}

static void emit_nothing(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    (void)c;
    (void)key;
    add_to_state(state, value);
}

static void toggle_emit_key_on_remove(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    if (!beck_state_exists(state)) {
        beck_state_put(state, beck_cell(value, 0));
        return;
    }
    beck_state_remove(state);
    beck__cli_emit_column(c, key, 0);
}

enum emitted { EMITTED_NUMBER, EMITTED_PAIR, EMITTED_KEY };

static const struct {
    const char *name;
    beck_track_fn *fn;
    enum fits fits; /* the values */
    enum emitted emitted;
    bool text; /* the key must be one */
} tracks[] = {
    {"running_sum_emit_sum", emit_sum, FITS_NUMBER, EMITTED_NUMBER, false},
    {"running_sum_emit_pair", emit_pair, FITS_NUMBER, EMITTED_PAIR, false},
    {"running_sum_emit_key_doubled", emit_key_doubled, FITS_NUMBER, EMITTED_KEY, true},
    {"running_sum_emit_nothing", emit_nothing, FITS_NUMBER, EMITTED_KEY, false},
    {"toggle_emit_key_on_remove", toggle_emit_key_on_remove, FITS_ANY, EMITTED_KEY, false},
};

static bool build_map_with_state(struct graph *graph, struct step *step)
{
    const char *fn = beck__cli_name(graph, step, "fn");
    const struct type *in = step->in->type;
    char schema[SCHEMA_BYTES], kept[SCHEMA_BYTES];
    beck_rdd *initial;
    size_t i = 0;

    if (!fn)
        return false;
    while (i < sizeof tracks / sizeof *tracks && strcmp(tracks[i].name, fn) != 0)
        i++;
    if (i == sizeof tracks / sizeof *tracks)
        return beck__cli_unknown(graph, fn);
    if (!needs_values(graph, step, tracks[i].fits, fn))
        return false;
    if (tracks[i].text && in->first->kind != TYPE_TEXT)
        return beck__cli_no_fit(graph, step, fn, in);
    const struct type *emitted = tracks[i].emitted == EMITTED_NUMBER ? in->second
                                 : tracks[i].emitted == EMITTED_PAIR ? in
                                                                     : in->first;
    if (!beck__cli_typed(graph, step, emitted, schema) || !initial_of(graph, step, in, &initial))
        return false;
    step->out->kept = in;
    beck__cli_column(in->second, kept, sizeof kept);
    memcpy(kept, "s", 1); /* beside the k of the key */
    step->out->stream = beck_map_with_state(step->in->stream, kept, schema, tracks[i].fn,
                                            .initial = initial, .name = step->out->id);
    return true;
}

static bool build_snapshots(struct graph *graph, struct step *step)
{
    step->out->stream = beck_state_snapshots(step->in->stream);
    return beck__cli_typed(graph, step, step->in->kept ? step->in->kept : step->in->type, NULL);
}

static const struct {
    const char *name;
    bool (*build)(struct graph *graph, struct step *step);
} operators[] = {
    {"update_state_by_key", build_update},
    {"map_with_state", build_map_with_state},
    {"state_snapshots", build_snapshots},
};

bool beck__cli_state(struct graph *graph, struct step *step, bool *known)
{
    for (size_t i = 0; step->in->stream && i < sizeof operators / sizeof *operators; i++)
        if (strcmp(operators[i].name, step->op) == 0)
            return operators[i].build(graph, step);
    *known = false;
    return false;
}
