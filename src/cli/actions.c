/* SPDX-License-Identifier: Apache-2.0 */
/*
 * actions.c - actions of an RDD: they run at once and give an answer in JSON. min, max and is_empty
 * are what Spark makes of them: a reduce, and whether take(1) gives nothing.
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

    if (!rows_of(graph, result, step->in->type, &rows))
        return false;
    step->out->answer = json_object_get(json_object_array_get_idx(rows, 0));
    json_object_put(rows);
    return step->out->answer || beck__cli_fail(graph->failure, "op %s: no element", step->op);
}

static bool run_reduce(struct graph *graph, struct step *step, const char *fn)
{
    const struct reducer *reducer = beck__cli_reducer(fn);

    if (!reducer || !reducer->same)
        return beck__cli_unknown(graph, fn);
    if (!beck__cli_fits(reducer->accumulator, step->in->type))
        return beck__cli_no_fit(graph, step, fn, step->in->type);
    if (graph->kernels && reducer->kernel && step->in->type->kind != TYPE_PAIR)
        return first_of(graph, beck_reduce(step->in->rdd, reducer->kernel), step);
    return first_of(graph, beck_reduce(step->in->rdd, reducer->callback), step);
}

static bool run_named_reduce(struct graph *graph, struct step *step)
{
    const char *fn = beck__cli_name(graph, step, "fn");

    return fn && run_reduce(graph, step, fn);
}

static bool run_min_or_max(struct graph *graph, struct step *step)
{
    return run_reduce(graph, step, step->op);
}

static bool run_first(struct graph *graph, struct step *step)
{
    return first_of(graph, beck_first(step->in->rdd), step);
}

static bool run_take(struct graph *graph, struct step *step)
{
    int64_t n = beck__json_number(step->json, "n", 0);

    step->out->type = beck__cli_type(&graph->types, TYPE_LIST, step->in->type, NULL);
    return rows_of(graph, beck_take(step->in->rdd, n > 0 ? (uint64_t)n : 0), step->in->type,
                   &step->out->answer);
}

static bool run_is_empty(struct graph *graph, struct step *step)
{
    struct json_object *rows;

    if (!rows_of(graph, beck_take(step->in->rdd, 1), step->in->type, &rows))
        return false;
    step->out->answer = json_object_new_boolean(json_object_array_length(rows) == 0);
    step->out->type = beck__cli_type(&graph->types, TYPE_TRUTH, NULL, NULL);
    json_object_put(rows);
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
    {"reduce", run_named_reduce}, {"min", run_min_or_max},
    {"max", run_min_or_max},      {"first", run_first},
    {"take", run_take},           {"is_empty", run_is_empty},
    {"count", run_count},         {"count_by_value", run_count_by_value},
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
