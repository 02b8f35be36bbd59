/* SPDX-License-Identifier: Apache-2.0 */
/*
 * combine.c - operators that combine elements: reduce, count, and those by key.
 */
/* tests: conform_test.c */
#include "cli/inside.h"

const struct reducer *beck__cli_reducer_of(struct graph *graph, const struct step *step,
                                           const struct type *type)
{
    const char *fn = beck__cli_name(graph, step, "fn");

    if (!fn)
        return NULL;
    const struct reducer *reducer = beck__cli_reducer(fn);
    if (!reducer || !reducer->same) {
        beck__cli_unknown(graph, fn);
        return NULL;
    }
    if (beck__cli_fits(FITS_ORDERED, type) && beck__cli_fits(reducer->accumulator, type))
        return reducer;
    beck__cli_no_fit(graph, step, fn, type);
    return NULL;
}

static bool build_reduce(struct graph *graph, struct step *step)
{
    const struct reducer *reducer = beck__cli_reducer_of(graph, step, step->in->type);

    if (!reducer)
        return false;
    if (graph->kernels && reducer->kernel && step->in->type->kind != TYPE_PAIR)
        step->out->stream = beck_reduce(step->in->stream, reducer->kernel);
    else
        step->out->stream = beck_reduce(step->in->stream, reducer->callback);
    return beck__cli_typed(graph, step, step->in->type, NULL);
}

static bool build_reduce_by_key(struct graph *graph, struct step *step)
{
    if (!beck__cli_needs_pair(graph, step))
        return false;
    const struct reducer *reducer = beck__cli_reducer_of(graph, step, step->in->type->second);
    if (!reducer)
        return false;
    if (graph->kernels && reducer->kernel)
        CLI_APPLY(step->out, step->in, beck_reduce_by_key, reducer->kernel);
    else
        CLI_APPLY(step->out, step->in, beck_reduce_by_key, reducer->callback);
    return beck__cli_typed(graph, step, step->in->type, NULL);
}

static bool build_group_by_key(struct graph *graph, struct step *step)
{
    if (!beck__cli_needs_pair(graph, step))
        return false;
    const struct type *list =
        beck__cli_type(&graph->types, TYPE_LIST, step->in->type->second, NULL);
    CLI_APPLY0(step->out, step->in, beck_group_by_key);
    return beck__cli_typed(graph, step, beck__cli_pair(graph, step->in->type->first, list), NULL);
}

/* A merge function of combine_by_key for a combiner and a value; NULL and a failure if it is not
 * there or does not fit. */
static beck_reduce_fn *merge_of(struct graph *graph, const struct step *step, const char *field,
                                const struct type *combiner, const struct type *value)
{
    const char *fn = beck__cli_name(graph, step, field);

    if (!fn)
        return NULL;
    const struct reducer *reducer = beck__cli_reducer(fn);
    if (!reducer) {
        beck__cli_unknown(graph, fn);
        return NULL;
    }
    bool fits = beck__cli_fits(reducer->accumulator, combiner) &&
                beck__cli_fits(reducer->value, value) &&
                (!reducer->same ||
                 (beck__cli_fits(FITS_ORDERED, value) && beck__cli_type_equal(combiner, value)));
    if (fits)
        return reducer->callback;
    beck__cli_no_fit(graph, step, fn, value);
    return NULL;
}

static bool build_combine_by_key(struct graph *graph, struct step *step)
{
    const char *create = beck__cli_name(graph, step, "create");
    const struct signature *signature = NULL;
    struct function_args args = {0};
    char schema[SCHEMA_BYTES];

    if (!create || !beck__cli_needs_pair(graph, step))
        return false;
    const struct type *key = step->in->type->first, *value = step->in->type->second;
    args.function = beck__cli_value_function(create, &signature);
    if (args.function < 0)
        return beck__cli_unknown(graph, create);
    if (!beck__cli_fits(signature->fits, value))
        return beck__cli_no_fit(graph, step, create, value);
    const struct type *combiner = value;
    if (signature->gives != GIVES_SAME)
        combiner = beck__cli_type(
            &graph->types, signature->gives == GIVES_TEXT ? TYPE_TEXT : TYPE_NUMBER, NULL, NULL);
    if (!beck__cli_typed(graph, step, beck__cli_pair(graph, key, combiner), NULL))
        return false;
    beck_reduce_fn *merge_value = merge_of(graph, step, "merge_value", combiner, value);
    beck_reduce_fn *merge_combiners = merge_of(graph, step, "merge_combiners", combiner, combiner);
    if (!merge_value || !merge_combiners)
        return false;
    beck__cli_column(combiner, schema, sizeof schema);
    CLI_APPLY(step->out, step->in, beck_combine_by_key, schema, .create = beck__cli_map,
              .merge_value = merge_value, .merge_combiners = merge_combiners, .ctx = &args,
              .ctx_size = sizeof args);
    return true;
}

bool beck__cli_merging(struct graph *graph, struct step *step, const struct type *value,
                       struct merging *merging)
{
    bool fold = beck__json_get(step->json, "fn") != NULL;
    struct json_object *zero = beck__json_get(step->json, "zero");

    merging->zero = beck__cli_scalar(zero);
    merging->combiner = zero ? beck__cli_infer(&graph->types, zero) : NULL;
    if (!merging->combiner || !beck__cli_fits(FITS_SCALAR, merging->combiner))
        return beck__cli_fail(graph->failure, "op %s needs a zero", step->op);
    if (fold && !beck__cli_type_equal(merging->combiner, value))
        return beck__cli_no_fit(graph, step, "zero", value);
    merging->merge_value =
        merge_of(graph, step, fold ? "fn" : "merge_value", merging->combiner, value);
    merging->merge_combiners = merge_of(graph, step, fold ? "fn" : "merge_combiners",
                                        merging->combiner, merging->combiner);
    return merging->merge_value && merging->merge_combiners;
}

/* fold_by_key and aggregate_by_key. */
static bool build_merge_by_key(struct graph *graph, struct step *step)
{
    struct merging by;
    char schema[SCHEMA_BYTES];

    if (!beck__cli_needs_pair(graph, step) ||
        !beck__cli_merging(graph, step, step->in->type->second, &by))
        return false;
    beck__cli_column(by.combiner, schema, sizeof schema);
    if (strcmp(step->op, "fold_by_key") == 0)
        CLI_APPLY(step->out, step->in, beck_fold_by_key, by.zero, by.merge_value);
    else
        CLI_APPLY(step->out, step->in, beck_aggregate_by_key, schema, by.zero,
                  .merge_value = by.merge_value, .merge_combiners = by.merge_combiners);
    return beck__cli_typed(graph, step, beck__cli_pair(graph, step->in->type->first, by.combiner),
                           NULL);
}

static bool build_distinct(struct graph *graph, struct step *step)
{
    CLI_APPLY0(step->out, step->in, beck_distinct);
    return beck__cli_typed(graph, step, step->in->type, NULL);
}

/* The second of two inputs; NULL and a failure if there are not two, or they cannot meet. */
static const struct node *other_of(struct graph *graph, const struct step *step)
{
    struct json_object *of = beck__json_get(step->json, "of");
    bool two = json_object_is_type(of, json_type_array) && json_object_array_length(of) == 2;
    const char *id = two ? json_object_get_string(json_object_array_get_idx(of, 1)) : NULL;
    const struct node *other = id ? beck__cli_node(graph, id) : NULL;

    if (!other || other->answer) {
        beck__cli_fail(graph->failure, "op %s needs two inputs", step->op);
        return NULL;
    }
    if (step->in->type->kind == TYPE_PAIR && other->type->kind == TYPE_PAIR &&
        beck__cli_type_equal(step->in->type->first, other->type->first))
        return other;
    beck__cli_misfit(graph->failure, "op %s needs pairs with keys of one type", step->op);
    return NULL;
}

/* Rows (k, v, w) to the element [k, [v, w]]. */
static bool nest_sides(struct graph *graph, struct step *step, const struct node *flat,
                       const struct type *left, const struct type *right)
{
    struct function_args nest = {PAIR_KEY, 1};
    char schema[SCHEMA_BYTES];
    const struct type *sides = beck__cli_pair(graph, left, right);

    if (!sides ||
        !beck__cli_typed(graph, step, beck__cli_pair(graph, step->in->type->first, sides), schema))
        return false;
    CLI_APPLY(step->out, flat, beck_map, schema, beck__cli_nest, .ctx = &nest,
              .ctx_size = sizeof nest);
    return true;
}

static bool build_join(struct graph *graph, struct step *step)
{
    static const char *const kinds[] = {"join", "left_outer_join", "right_outer_join",
                                        "full_outer_join"};
    const struct node *other = other_of(graph, step);
    int partitions = (int)beck__json_number(step->json, "partitions", 0);
    beck_join_kind kind = BECK_INNER;
    struct node flat = {0};

    if (!other)
        return false;
    while (strcmp(kinds[kind], step->op) != 0)
        kind++;
    if (step->in->stream)
        flat.stream =
            beck_join(step->in->stream, other->stream, .kind = kind, .partitions = partitions);
    else
        flat.rdd = beck_join(step->in->rdd, other->rdd, .kind = kind, .partitions = partitions);
    return nest_sides(graph, step, &flat, step->in->type->second, other->type->second);
}

static bool build_cogroup(struct graph *graph, struct step *step)
{
    const struct node *other = other_of(graph, step);
    struct node flat = {0};

    if (!other)
        return false;
    if (step->in->stream)
        flat.stream = beck_cogroup(step->in->stream, other->stream);
    else
        flat.rdd = beck_cogroup(step->in->rdd, other->rdd);
    return nest_sides(graph, step, &flat,
                      beck__cli_type(&graph->types, TYPE_LIST, step->in->type->second, NULL),
                      beck__cli_type(&graph->types, TYPE_LIST, other->type->second, NULL));
}

static bool build_count(struct graph *graph, struct step *step)
{
    step->out->stream = beck_count(step->in->stream);
    return beck__cli_typed(graph, step, beck__cli_type(&graph->types, TYPE_NUMBER, NULL, NULL),
                           NULL);
}

bool beck__cli_counted(struct graph *graph, struct step *step, const struct node *counted)
{
    const struct type *number = beck__cli_type(&graph->types, TYPE_NUMBER, NULL, NULL);
    struct function_args nest = {PAIR_COUNT, 1};
    char schema[SCHEMA_BYTES];

    if (!beck__cli_typed(graph, step, beck__cli_pair(graph, step->in->type, number), schema))
        return false;
    step->out->stream = counted->stream;
    if (step->in->type->kind == TYPE_PAIR)
        CLI_APPLY(step->out, counted, beck_map, schema, beck__cli_nest, .ctx = &nest,
                  .ctx_size = sizeof nest);
    return true;
}

static bool build_count_by_value(struct graph *graph, struct step *step)
{
    struct node counted = {.stream = beck_count_by_value(step->in->stream)};

    return beck__cli_counted(graph, step, &counted);
}

static const struct {
    const char *name;
    bool (*build)(struct graph *graph, struct step *step);
    bool action; /* on an RDD it is an action */
} operators[] = {
    {"reduce", build_reduce, true},
    {"count", build_count, true},
    {"count_by_value", build_count_by_value, true},
    {"reduce_by_key", build_reduce_by_key, false},
    {"group_by_key", build_group_by_key, false},
    {"combine_by_key", build_combine_by_key, false},
    {"fold_by_key", build_merge_by_key, false},
    {"aggregate_by_key", build_merge_by_key, false},
    {"distinct", build_distinct, false},
    {"join", build_join, false},
    {"left_outer_join", build_join, false},
    {"right_outer_join", build_join, false},
    {"full_outer_join", build_join, false},
    {"cogroup", build_cogroup, false},
};

bool beck__cli_combine(struct graph *graph, struct step *step, bool *known)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (strcmp(operators[i].name, step->op) == 0 && (step->in->stream || !operators[i].action))
            return operators[i].build(graph, step);
    }
    *known = false;
    return false;
}
