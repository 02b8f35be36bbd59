/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operators.c - one entry of a plan becomes one operator, on a stream or on an RDD. An operator
 * that the library lacks is unknown here, never imitated. Operators that combine elements are in
 * combine.c, actions in actions.c.
 */
/* tests: conform_test.c */
#include "cli/inside.h"

const struct node *beck__cli_node(const struct graph *graph, const char *id)
{
    for (size_t i = 0; i < graph->count; i++) {
        if (strcmp(graph->nodes[i].id, id) == 0)
            return &graph->nodes[i];
    }
    return NULL;
}

const char *beck__cli_name(struct graph *graph, const struct step *step, const char *field)
{
    const char *name = beck__json_text(step->json, field);

    if (!name)
        beck__cli_fail(graph->failure, "op %s has no parameter \"%s\"", step->op, field);
    return name;
}

bool beck__cli_unknown(struct graph *graph, const char *name)
{
    return beck__cli_fail(graph->failure, "unknown fn %s", name);
}

bool beck__cli_no_fit(struct graph *graph, const struct step *step, const char *fn,
                      const struct type *type)
{
    char schema[SCHEMA_BYTES];

    beck__cli_schema(type, schema, sizeof schema);
    return beck__cli_misfit(graph->failure, "op %s: fn %s does not fit \"%s\"", step->op, fn,
                            schema);
}

bool beck__cli_needs_pair(struct graph *graph, const struct step *step)
{
    char schema[SCHEMA_BYTES];

    if (step->in->type->kind == TYPE_PAIR)
        return true;
    beck__cli_schema(step->in->type, schema, sizeof schema);
    return beck__cli_misfit(graph->failure, "op %s needs pairs, not \"%s\"", step->op, schema);
}

bool beck__cli_typed(struct graph *graph, struct step *step, const struct type *type, char *schema)
{
    if (!type)
        return beck__cli_fail(graph->failure, "the plan is too long");
    step->out->type = type;
    if (schema)
        beck__cli_schema(type, schema, SCHEMA_BYTES);
    return true;
}

static const struct type *gives(struct graph *graph, const struct signature *signature,
                                const struct type *type)
{
    switch (signature->gives) {
    case GIVES_NUMBER:
        return beck__cli_type(&graph->types, TYPE_NUMBER, NULL, NULL);
    case GIVES_TEXT:
        return beck__cli_type(&graph->types, TYPE_TEXT, NULL, NULL);
    case GIVES_ITEM:
        return type->first;
    case GIVES_SAME:
        break;
    }
    return type;
}

/* The element with another value. */
static const struct type *with_value(struct graph *graph, const struct type *element,
                                     const struct type *value)
{
    return element->kind == TYPE_PAIR ? beck__cli_pair(graph, element->first, value) : value;
}

typedef int lookup_fn(const char *name, const struct signature **signature);

/* The function that the parameter "fn" names, for values of `type`; NULL and a failure if there is
 * none or it does not fit. */
static const struct signature *function_of(struct graph *graph, const struct step *step,
                                           lookup_fn *lookup, const struct type *type,
                                           struct function_args *args)
{
    const char *fn = beck__cli_name(graph, step, "fn");
    const struct signature *signature = NULL;

    if (!fn)
        return NULL;
    args->function = lookup(fn, &signature);
    if (args->function < 0) {
        beck__cli_unknown(graph, fn);
        return NULL;
    }
    if (beck__cli_fits(signature->fits, type))
        return signature;
    beck__cli_no_fit(graph, step, fn, type);
    return NULL;
}

/* ---- map and its like ---------------------------------------------------------------------------
 */

static const struct type *pairing_type(struct graph *graph, int pairing, const struct type *in)
{
    const struct type *number = beck__cli_type(&graph->types, TYPE_NUMBER, NULL, NULL);
    const struct type *text = beck__cli_type(&graph->types, TYPE_TEXT, NULL, NULL);

    switch ((enum pairing)pairing) {
    case PAIR_WITH_1:
        return beck__cli_pair(graph, in, number);
    case PAIR_WITH_X:
        return beck__cli_pair(graph, in, text);
    case PAIR_WITH_SELF:
        return beck__cli_pair(graph, in, in);
    case PAIR_WITH_LENGTH:
        return with_value(graph, in, beck__cli_pair(graph, text, number));
    case PAIR_BY_MOD_3:
        return with_value(graph, in, beck__cli_pair(graph, number, number));
    case PAIR_KEY:
        return in->first;
    case PAIR_VALUE:
        return in->second;
    case PAIR_SWAP:
        return beck__cli_pair(graph, in->second, in->first);
    case PAIR_COUNT:
        break;
    }
    return NULL;
}

static bool map_pairing(struct graph *graph, struct step *step, const char *fn)
{
    const struct type *in = step->in->type;
    struct function_args args = {0, in->kind == TYPE_PAIR};
    const struct signature *signature = NULL;
    char schema[SCHEMA_BYTES];

    args.function = beck__cli_pairing(fn, &signature);
    if (args.function < 0)
        return beck__cli_unknown(graph, fn);
    bool whole = signature->fits == FITS_PAIR;
    if (!beck__cli_fits(signature->fits, whole ? in : beck__cli_value_type(in)))
        return beck__cli_no_fit(graph, step, fn, in);
    if (!beck__cli_typed(graph, step, pairing_type(graph, args.function, in), schema))
        return false;
    CLI_APPLY(step->out, step->in, beck_map, schema, beck__cli_map_pairing, .ctx = &args,
              .ctx_size = sizeof args);
    return true;
}

static bool build_map(struct graph *graph, struct step *step)
{
    const char *fn = beck__cli_name(graph, step, "fn");
    const struct type *in = step->in->type, *value = beck__cli_value_type(in);
    struct function_args args = {0, in->kind == TYPE_PAIR};
    const struct signature *signature;
    char schema[SCHEMA_BYTES];

    if (!fn)
        return false;
    if (beck__cli_value_function(fn, &signature) < 0)
        return map_pairing(graph, step, fn);
    signature = function_of(graph, step, beck__cli_value_function, value, &args);
    if (!signature)
        return false;
    value = gives(graph, signature, value);
    if (!beck__cli_typed(graph, step, with_value(graph, in, value), schema))
        return false;
    CLI_APPLY(step->out, step->in, beck_map, schema, beck__cli_map, .ctx = &args,
              .ctx_size = sizeof args);
    return true;
}

static bool build_keys(struct graph *graph, struct step *step)
{
    return map_pairing(graph, step, "key");
}

static bool build_values(struct graph *graph, struct step *step)
{
    return map_pairing(graph, step, "value");
}

static bool build_flat_map(struct graph *graph, struct step *step)
{
    const struct type *in = step->in->type, *value = beck__cli_value_type(in);
    struct function_args args = {0, in->kind == TYPE_PAIR};
    char schema[SCHEMA_BYTES];
    const struct signature *signature =
        function_of(graph, step, beck__cli_many_function, value, &args);

    if (!signature)
        return false;
    value = gives(graph, signature, value);
    if (!beck__cli_typed(graph, step, with_value(graph, in, value), schema))
        return false;
    CLI_APPLY(step->out, step->in, beck_flat_map, schema, beck__cli_flat_map, .ctx = &args,
              .ctx_size = sizeof args);
    return true;
}

/* map_values and flat_map_values: the callback sees and emits the value alone. */
static bool build_of_values(struct graph *graph, struct step *step, bool flat)
{
    struct function_args args = {0};
    char schema[SCHEMA_BYTES];

    if (!beck__cli_needs_pair(graph, step))
        return false;
    const struct type *value = step->in->type->second;
    const struct signature *signature = function_of(
        graph, step, flat ? beck__cli_many_function : beck__cli_value_function, value, &args);
    if (!signature)
        return false;
    value = gives(graph, signature, value);
    if (!beck__cli_typed(graph, step, with_value(graph, step->in->type, value), NULL))
        return false;
    beck__cli_column(value, schema, sizeof schema);
    if (flat)
        CLI_APPLY(step->out, step->in, beck_flat_map_values, schema, beck__cli_flat_map,
                  .ctx = &args, .ctx_size = sizeof args);
    else
        CLI_APPLY(step->out, step->in, beck_map_values, schema, beck__cli_map, .ctx = &args,
                  .ctx_size = sizeof args);
    return true;
}

static bool build_map_values(struct graph *graph, struct step *step)
{
    return build_of_values(graph, step, false);
}

static bool build_flat_map_values(struct graph *graph, struct step *step)
{
    return build_of_values(graph, step, true);
}

static bool build_filter(struct graph *graph, struct step *step)
{
    const struct type *in = step->in->type;
    struct function_args args = {0, in->kind == TYPE_PAIR};

    if (!function_of(graph, step, beck__cli_predicate, beck__cli_value_type(in), &args))
        return false;
    CLI_APPLY(step->out, step->in, beck_filter, beck__cli_filter, .ctx = &args,
              .ctx_size = sizeof args);
    return beck__cli_typed(graph, step, in, NULL);
}

static bool build_map_partitions(struct graph *graph, struct step *step)
{
    const struct type *in = step->in->type, *value = beck__cli_value_type(in);
    struct function_args args = {0, in->kind == TYPE_PAIR};
    char schema[SCHEMA_BYTES];
    const struct signature *signature =
        function_of(graph, step, beck__cli_partition_function, value, &args);

    if (!signature || !beck__cli_typed(graph, step, gives(graph, signature, value), schema))
        return false;
    CLI_APPLY(step->out, step->in, beck_map_partitions, schema, beck__cli_map_partition,
              .ctx = &args, .ctx_size = sizeof args);
    return true;
}

/* ---- whole streams ----------------------------------------------------------------------------
 */

static bool build_repartition(struct graph *graph, struct step *step)
{
    int partitions = (int)beck__json_number(step->json, "partitions", 0);

    CLI_APPLY(step->out, step->in, beck_repartition, partitions);
    return beck__cli_typed(graph, step, step->in->type, NULL);
}

static bool build_glom(struct graph *graph, struct step *step)
{
    CLI_APPLY0(step->out, step->in, beck_glom);
    return beck__cli_typed(graph, step,
                           beck__cli_type(&graph->types, TYPE_LIST, step->in->type, NULL), NULL);
}

static bool unite(struct graph *graph, struct step *step, const struct node *more)
{
    if (!beck__cli_type_equal(step->out->type, more->type))
        return beck__cli_misfit(graph->failure, "op union: \"%s\" has elements of another type",
                                more->id);
    if (step->out->stream)
        step->out->stream = beck_union(step->out->stream, more->stream);
    else
        step->out->rdd = beck_union(step->out->rdd, more->rdd);
    return true;
}

static bool build_union(struct graph *graph, struct step *step)
{
    struct json_object *of = beck__json_get(step->json, "of");

    if (!json_object_is_type(of, json_type_array))
        return beck__cli_fail(graph->failure, "op union needs a list of inputs");
    step->out->stream = step->in->stream;
    step->out->rdd = step->in->rdd;
    step->out->type = step->in->type;
    for (size_t i = 1; i < json_object_array_length(of); i++) {
        const char *id = json_object_get_string(json_object_array_get_idx(of, i));
        const struct node *more = id ? beck__cli_node(graph, id) : NULL;
        if (!more || more->answer)
            return beck__cli_fail(graph->failure, "op union: there is no \"%s\"", id ? id : "null");
        if (!unite(graph, step, more))
            return false;
    }
    return true;
}

/* ---- entries ------------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    bool (*build)(struct graph *graph, struct step *step);
} operators[] = {
    {"map", build_map},
    {"filter", build_filter},
    {"flat_map", build_flat_map},
    {"map_values", build_map_values},
    {"flat_map_values", build_flat_map_values},
    {"map_partitions", build_map_partitions},
    {"keys", build_keys},
    {"values", build_values},
    {"repartition", build_repartition},
    {"glom", build_glom},
    {"union", build_union},
};

static bool build_step(struct graph *graph, struct step *step)
{
    bool known = true;

    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (strcmp(operators[i].name, step->op) == 0)
            return operators[i].build(graph, step);
    }
    if (step->in->rdd) {
        bool done = beck__cli_action(graph, step, &known);
        if (known)
            return done;
        known = true;
    }
    bool done = beck__cli_window(graph, step, &known);
    if (!known)
        done = beck__cli_transform(graph, step, &known);
    if (known)
        return done;
    known = true;
    done = beck__cli_arrange(graph, step, &known);
    if (known)
        return done;
    known = true;
    done = beck__cli_state(graph, step, &known);
    if (known)
        return done;
    known = true;
    done = beck__cli_combine(graph, step, &known);
    return known ? done : beck__cli_fail(graph->failure, "unknown op %s", step->op);
}

/* Operator after operator at another level. */
static void persist(const struct graph *graph, struct node *node)
{
    unsigned last = BECK_MEMORY_AND_DISK_SER;
    beck_storage_level level = (beck_storage_level)(graph->count % last + 1);

    if (graph->persist && node->stream)
        beck_persist(node->stream, level);
    if (graph->persist && node->rdd)
        beck_persist(node->rdd, level);
}

/* A parameter that nobody reads would be a rule that nobody keeps. */
static const char *const parameters[] = {
    "id",
    "of",
    "op",
    "fn",
    "window_ms",
    "slide_ms",
    "create",
    "merge_value",
    "merge_combiners",
    "partitions",
    "initial_state",
    "inverse",
    "filter",
    "ascending",
    "zero",
    "n",
    "key",
    "buckets",
};

bool beck__cli_build(struct graph *graph, struct json_object *entry)
{
    const char *id = beck__json_text(entry, "id"), *op = beck__json_text(entry, "op");
    struct json_object *of = beck__json_get(entry, "of");
    struct json_object *first =
        json_object_is_type(of, json_type_array) ? json_object_array_get_idx(of, 0) : of;

    if (!id || !op || !first)
        return beck__cli_fail(graph->failure, "an entry of the plan lacks id, op or of");
    const char *stranger =
        beck__json_stranger(entry, parameters, sizeof parameters / sizeof *parameters);
    if (stranger)
        return beck__cli_fail(graph->failure, "op %s: unknown parameter %s", op, stranger);
    const struct node *in = beck__cli_node(graph, json_object_get_string(first));
    if (!in || in->answer)
        return beck__cli_fail(graph->failure, "op %s: there is no \"%s\"", op,
                              json_object_get_string(first));
    if (graph->count == NODES_MAX)
        return beck__cli_fail(graph->failure, "the plan is too long");
    struct step step = {.op = op, .json = entry, .in = in, .out = &graph->nodes[graph->count]};
    step.out->id = id;
    if (!build_step(graph, &step))
        return false;
    persist(graph, step.out);
    graph->count++;
    return true;
}

void beck__cli_graph_free(struct graph *graph)
{
    for (size_t i = 0; i < graph->count; i++)
        json_object_put(graph->nodes[i].answer);
    graph->count = 0;
    beck__cli_transforms_free(graph);
}
