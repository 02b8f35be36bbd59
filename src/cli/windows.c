/* SPDX-License-Identifier: Apache-2.0 */
/*
 * windows.c - operators over windows of a stream.
 */
/* tests: conform_test.c */
#include "cli/inside.h"

#define WINDOW(step)                                                                               \
    .window_ms = beck__json_number((step)->json, "window_ms", 0),                                  \
    .slide_ms = beck__json_number((step)->json, "slide_ms", 0)

static bool build_window(struct graph *graph, struct step *step)
{
    step->out->stream = beck_window(step->in->stream, WINDOW(step));
    return beck__cli_typed(graph, step, step->in->type, NULL);
}

static bool build_count(struct graph *graph, struct step *step)
{
    step->out->stream = beck_count_by_window(step->in->stream, WINDOW(step));
    return beck__cli_typed(graph, step, beck__cli_type(&graph->types, TYPE_NUMBER, NULL, NULL),
                           NULL);
}

static bool build_count_by_value(struct graph *graph, struct step *step)
{
    struct node counted = {.stream =
                               beck_count_by_value_and_window(step->in->stream, WINDOW(step))};

    return beck__cli_counted(graph, step, &counted);
}

static bool build_group_by_key(struct graph *graph, struct step *step)
{
    if (!beck__cli_needs_pair(graph, step))
        return false;
    const struct type *list =
        beck__cli_type(&graph->types, TYPE_LIST, step->in->type->second, NULL);
    step->out->stream = beck_group_by_key_and_window(step->in->stream, WINDOW(step));
    return beck__cli_typed(graph, step, beck__cli_pair(graph, step->in->type->first, list), NULL);
}

/* The predicate that "filter" names, if there is one. */
static bool filter_of(struct graph *graph, const struct step *step, struct function_args *args,
                      beck_filter_fn **filter)
{
    const char *name = beck__json_text(step->json, "filter");
    const struct signature *signature;

    *filter = NULL;
    if (!name)
        return true;
    args->function = beck__cli_predicate(name, &signature);
    args->pair = step->in->type->kind == TYPE_PAIR;
    if (args->function < 0)
        return beck__cli_unknown(graph, name);
    if (!beck__cli_fits(signature->fits, beck__cli_value_type(step->in->type)))
        return beck__cli_no_fit(graph, step, name, step->in->type);
    *filter = beck__cli_filter;
    return true;
}

static bool build_reduce(struct graph *graph, struct step *step)
{
    bool keyed = strcmp(step->op, "reduce_by_key_and_window") == 0;
    const struct type *type = step->in->type;
    struct function_args args = {0};
    beck_filter_fn *filter;

    if (keyed && !beck__cli_needs_pair(graph, step))
        return false;
    const struct reducer *reducer = beck__cli_reducer_of(graph, step, keyed ? type->second : type);
    if (!reducer || !filter_of(graph, step, &args, &filter))
        return false;
    const char *inverse = beck__json_text(step->json, "inverse");
    if (inverse && strcmp(inverse, "subtract") != 0)
        return beck__cli_unknown(graph, inverse);
    bool kernel = graph->kernels && reducer->kernel && (keyed || type->kind != TYPE_PAIR);
    beck_reduce_window_args to = {
        .reducer = kernel ? BECK__REDUCER(reducer->kernel) : BECK__REDUCER(reducer->callback),
        BECK__END(beck_reduce_window_args),
        WINDOW(step),
        .filter = filter,
        .ctx = &args,
        .ctx_size = sizeof args,
    };
    step->out->stream = keyed ? beck__reduce_by_key_and_window(step->in->stream, &to)
                              : beck__reduce_by_window(step->in->stream, &to);
    return beck__cli_typed(graph, step, type, NULL);
}

static const struct {
    const char *name;
    bool (*build)(struct graph *graph, struct step *step);
} operators[] = {
    {"window", build_window},
    {"count_by_window", build_count},
    {"count_by_value_and_window", build_count_by_value},
    {"group_by_key_and_window", build_group_by_key},
    {"reduce_by_window", build_reduce},
    {"reduce_by_key_and_window", build_reduce},
};

bool beck__cli_window(struct graph *graph, struct step *step, bool *known)
{
    for (size_t i = 0; step->in->stream && i < sizeof operators / sizeof *operators; i++)
        if (strcmp(operators[i].name, step->op) == 0)
            return operators[i].build(graph, step);
    *known = false;
    return false;
}
