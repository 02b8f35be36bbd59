/* SPDX-License-Identifier: Apache-2.0 */
/*
 * actions.c - actions of an RDD: they run at once and give an answer in JSON.
 */
/* tests: conform_test.c */
#include "cli/inside.h"

/* Takes the result: its rows, or a failure. */
static bool rows_of(struct graph *graph, beck_result *result, const struct type *type,
                    struct json_object **rows)
{
    bool good = result && beck_result_status(result) == BECK_OK;

    *rows = good ? beck__cli_elements(result, type) : NULL;
    if (!good)
        beck__cli_fail(graph->failure, "%s: %s",
                       beck_status_name(result ? beck_result_status(result) : BECK_NO_MEMORY),
                       beck_error_text(graph->ctx));
    beck_result_free(result);
    return good;
}

static bool first_of(struct graph *graph, beck_result *result, struct step *step)
{
    struct json_object *rows;

    if (!rows_of(graph, result, step->out->type, &rows))
        return false;
    step->out->answer = json_object_get(json_object_array_get_idx(rows, 0));
    json_object_put(rows);
    return step->out->answer || beck__cli_fail(graph->failure, "op %s: no element", step->op);
}

static bool run_reduce(struct graph *graph, struct step *step)
{
    const char *fn = beck__cli_name(graph, step, "fn");
    const struct reducer *reducer = fn ? beck__cli_reducer(fn) : NULL;

    if (!fn)
        return false;
    if (!reducer || !reducer->same)
        return beck__cli_unknown(graph, fn);
    if (!beck__cli_fits(reducer->accumulator, step->in->type))
        return beck__cli_no_fit(graph, step, fn, step->in->type);
    if (graph->kernels && reducer->kernel && step->in->type->kind != TYPE_PAIR)
        return first_of(graph, beck_reduce(step->in->rdd, reducer->kernel), step);
    return first_of(graph, beck_reduce(step->in->rdd, reducer->callback), step);
}

/* fold and aggregate. */
static bool run_merge(struct graph *graph, struct step *step)
{
    struct merging by;
    char schema[SCHEMA_BYTES];

    if (!beck__cli_merging(graph, step, step->in->type, &by))
        return false;
    beck__cli_column(by.combiner, schema, sizeof schema);
    step->out->type = by.combiner;
    beck_result *result =
        strcmp(step->op, "fold") == 0
            ? beck_fold(step->in->rdd, by.zero, by.merge_value)
            : beck_aggregate(step->in->rdd, schema, by.zero, .merge_value = by.merge_value,
                             .merge_combiners = by.merge_combiners);
    return first_of(graph, result, step);
}

static bool run_min_or_max(struct graph *graph, struct step *step)
{
    bool least = strcmp(step->op, "min") == 0;

    if (!beck__cli_fits(FITS_ORDERED, step->in->type))
        return beck__cli_no_fit(graph, step, step->op, step->in->type);
    return first_of(graph, least ? beck_min(step->in->rdd) : beck_max(step->in->rdd), step);
}

static bool run_first(struct graph *graph, struct step *step)
{
    return first_of(graph, beck_first(step->in->rdd), step);
}

/* The rows of a result as a list of elements of that type. */
static bool list_of(struct graph *graph, struct step *step, beck_result *result,
                    const struct type *element)
{
    step->out->type = beck__cli_type(&graph->types, TYPE_LIST, element, NULL);
    return rows_of(graph, result, element, &step->out->answer);
}

static bool run_take(struct graph *graph, struct step *step)
{
    int64_t n = beck__json_number(step->json, "n", 0);

    return list_of(graph, step, beck_take(step->in->rdd, n > 0 ? (uint64_t)n : 0), step->in->type);
}

static bool run_ordered(struct graph *graph, struct step *step)
{
    int64_t n = beck__json_number(step->json, "n", 0);
    uint64_t rows = n > 0 ? (uint64_t)n : 0;
    beck_result *result = strcmp(step->op, "top") == 0 ? beck_top(step->in->rdd, rows)
                                                       : beck_take_ordered(step->in->rdd, rows);

    return list_of(graph, step, result, step->in->type);
}

static bool run_lookup(struct graph *graph, struct step *step)
{
    struct json_object *key = beck__json_get(step->json, "key");

    if (!beck__cli_needs_pair(graph, step))
        return false;
    const struct type *type = key ? beck__cli_infer(&graph->types, key) : NULL;
    if (!type || !beck__cli_type_equal(type, step->in->type->first))
        return beck__cli_misfit(graph->failure, "op lookup needs a key of the type of the keys");
    return list_of(graph, step, beck_lookup(step->in->rdd, beck__cli_scalar(key)),
                   step->in->type->second);
}

static bool run_collect_as_map(struct graph *graph, struct step *step)
{
    return beck__cli_needs_pair(graph, step) &&
           list_of(graph, step, beck_collect_as_map(step->in->rdd), step->in->type);
}

static bool run_count_by_key(struct graph *graph, struct step *step)
{
    const struct type *number = beck__cli_type(&graph->types, TYPE_NUMBER, NULL, NULL);

    return beck__cli_needs_pair(graph, step) &&
           list_of(graph, step, beck_count_by_key(step->in->rdd),
                   beck__cli_pair(graph, step->in->type->first, number));
}

/* The counts alone: the edges are known. */
static bool run_histogram(struct graph *graph, struct step *step)
{
    struct json_object *buckets = beck__json_get(step->json, "buckets");
    size_t count =
        json_object_is_type(buckets, json_type_array) ? json_object_array_length(buckets) : 0;
    double edges[100];

    if (count < 2 || count > sizeof edges / sizeof *edges)
        return beck__cli_fail(graph->failure, "op histogram needs a list of 2 to 100 buckets");
    if (step->in->type->kind != TYPE_NUMBER)
        return beck__cli_no_fit(graph, step, step->op, step->in->type);
    for (size_t i = 0; i < count; i++)
        edges[i] = json_object_get_double(json_object_array_get_idx(buckets, i));
    beck_result *result = beck_histogram(step->in->rdd, .edges = edges, .edge_count = count);
    step->out->type = beck__cli_type(&graph->types, TYPE_LIST, step->in->type, NULL);
    step->out->answer = json_object_new_array();
    for (uint64_t i = 0; i < beck_result_rows(result); i++)
        json_object_array_add(step->out->answer, json_object_new_int64(beck_get_bigint(
                                                     beck_result_row(result, i), 2)));
    bool good = beck_result_status(result) == BECK_OK;
    beck_result_free(result);
    return good || beck__cli_fail(graph->failure, "%s", beck_error_text(graph->ctx));
}

static bool run_is_empty(struct graph *graph, struct step *step)
{
    bool empty = beck_is_empty(step->in->rdd);

    if (beck_error(graph->ctx))
        return beck__cli_fail(graph->failure, "%s", beck_error_text(graph->ctx));
    step->out->answer = json_object_new_boolean(empty);
    step->out->type = beck__cli_type(&graph->types, TYPE_TRUTH, NULL, NULL);
    return true;
}

static bool run_count(struct graph *graph, struct step *step)
{
    int64_t count = beck_count(step->in->rdd);

    if (count < 0)
        return beck__cli_fail(graph->failure, "%s", beck_error_text(graph->ctx));
    step->out->answer = json_object_new_int64(count);
    step->out->type = beck__cli_type(&graph->types, TYPE_NUMBER, NULL, NULL);
    return true;
}

/* Rows are the columns of the value, then the count. */
static bool run_count_by_value(struct graph *graph, struct step *step)
{
    const struct type *number = beck__cli_type(&graph->types, TYPE_NUMBER, NULL, NULL);
    const struct type *element = beck__cli_pair(graph, step->in->type, number);
    uint32_t columns = step->in->type->kind == TYPE_PAIR ? 2 : 1;
    beck_result *result = beck_count_by_value(step->in->rdd);

    step->out->type = beck__cli_type(&graph->types, TYPE_LIST, element, NULL);
    if (!result || beck_result_status(result) != BECK_OK) {
        beck_result_free(result);
        return beck__cli_fail(graph->failure, "%s", beck_error_text(graph->ctx));
    }
    step->out->answer = json_object_new_array();
    for (uint64_t i = 0; i < beck_result_rows(result); i++) {
        beck_row row = beck_result_row(result, i);
        struct json_object *pair = json_object_new_array();
        json_object_array_add(pair, beck__cli_element(row, step->in->type));
        json_object_array_add(pair, json_object_new_int64(beck_get_bigint(row, columns)));
        json_object_array_add(step->out->answer, pair);
    }
    beck_result_free(result);
    return true;
}

static const struct {
    const char *name;
    bool (*run)(struct graph *graph, struct step *step);
} actions[] = {
    {"reduce", run_reduce},
    {"fold", run_merge},
    {"aggregate", run_merge},
    {"min", run_min_or_max},
    {"max", run_min_or_max},
    {"first", run_first},
    {"take", run_take},
    {"take_ordered", run_ordered},
    {"top", run_ordered},
    {"is_empty", run_is_empty},
    {"count", run_count},
    {"count_by_value", run_count_by_value},
    {"count_by_key", run_count_by_key},
    {"collect_as_map", run_collect_as_map},
    {"lookup", run_lookup},
    {"histogram", run_histogram},
};

bool beck__cli_action(struct graph *graph, struct step *step, bool *known)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(actions[i].name, step->op) == 0) {
            step->out->type = step->in->type;
            return actions[i].run(graph, step);
        }
    }
    *known = false;
    return false;
}
