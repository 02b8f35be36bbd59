/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arrange.c - operators that put elements in order, number them, or set two inputs against each
 * other: sorting, zip, cartesian, subtract and their like.
 */
/* tests: conform_test.c */
#include "cli/inside.h"

static uint32_t width_of(const struct type *type)
{
    return type->kind == TYPE_PAIR ? 2 : 1;
}

/* How many columns of a row are the left element, and how many the right one. */
struct widths {
    uint32_t left, right;
};

/* An element of one column, or a STRUCT of its two. */
static beck_value element_of(beck_row in, uint32_t first, uint32_t width, beck_value inside[2])
{
    inside[0] = beck_cell(in, first);
    if (width == 1)
        return inside[0];
    inside[1] = beck_cell(in, first + 1);
    return beck_values_value(inside, 2);
}

static void nest_both(beck_call *c, beck_row in)
{
    const struct widths *widths = beck_ctx(c);
    beck_value left[2], right[2];

    beck_emit(c, element_of(in, 0, widths->left, left),
              element_of(in, widths->left, widths->right, right));
}

/* Rows of the columns of both to the element [left, right]. */
static bool pair_up(struct graph *graph, struct step *step, const struct node *flat,
                    const struct type *left, const struct type *right)
{
    struct widths widths = {width_of(left), width_of(right)};
    char schema[SCHEMA_BYTES];

    if (!beck__cli_typed(graph, step, beck__cli_pair(graph, left, right), schema))
        return false;
    CLI_APPLY(step->out, flat, beck_map, schema, nest_both, .ctx = &widths,
              .ctx_size = sizeof widths);
    return true;
}

/* The second of two inputs; NULL and a failure if there are not two. */
static const struct node *second_of(struct graph *graph, const struct step *step)
{
    struct json_object *of = beck__json_get(step->json, "of");
    bool two = json_object_is_type(of, json_type_array) && json_object_array_length(of) == 2;
    const char *id = two ? json_object_get_string(json_object_array_get_idx(of, 1)) : NULL;
    const struct node *other = id ? beck__cli_node(graph, id) : NULL;

    if (other && !other->answer)
        return other;
    beck__cli_fail(graph->failure, "op %s needs two inputs", step->op);
    return NULL;
}

/* Applies an operator to two inputs, which are both streams or both RDDs. */
#define APPLY_BOTH(to, a, b, op)                                                                   \
    ((a)->stream ? (void)((to)->stream = op((a)->stream, (b)->stream))                             \
                 : (void)((to)->rdd = op((a)->rdd, (b)->rdd)))

static bool build_zip(struct graph *graph, struct step *step)
{
    const struct node *other = second_of(graph, step);
    struct node flat = {0};

    if (!other)
        return false;
    APPLY_BOTH(&flat, step->in, other, beck_zip);
    return pair_up(graph, step, &flat, step->in->type, other->type);
}

static bool build_cartesian(struct graph *graph, struct step *step)
{
    const struct node *other = second_of(graph, step);
    struct node flat = {0};

    if (!other)
        return false;
    APPLY_BOTH(&flat, step->in, other, beck_cartesian);
    return pair_up(graph, step, &flat, step->in->type, other->type);
}

static bool build_zip_with_index(struct graph *graph, struct step *step)
{
    const struct type *number = beck__cli_type(&graph->types, TYPE_NUMBER, NULL, NULL);
    struct node flat = {0};

    if (!number)
        return beck__cli_fail(graph->failure, "the plan is too long");
    CLI_APPLY0(&flat, step->in, beck_zip_with_index);
    return pair_up(graph, step, &flat, step->in->type, number);
}

/* subtract and intersection take elements of one type; subtract_by_key pairs with equal keys. */
static bool build_against(struct graph *graph, struct step *step)
{
    const struct node *other = second_of(graph, step);
    bool by_key = strcmp(step->op, "subtract_by_key") == 0;

    if (!other || (by_key && !beck__cli_needs_pair(graph, step)))
        return false;
    const struct type *a = step->in->type, *b = other->type;
    if (by_key ? b->kind != TYPE_PAIR || !beck__cli_type_equal(a->first, b->first)
               : !beck__cli_type_equal(a, b))
        return beck__cli_misfit(graph->failure, "op %s: \"%s\" has elements of another type",
                                step->op, other->id);
    if (by_key)
        APPLY_BOTH(step->out, step->in, other, beck_subtract_by_key);
    else if (strcmp(step->op, "subtract") == 0)
        APPLY_BOTH(step->out, step->in, other, beck_subtract);
    else
        APPLY_BOTH(step->out, step->in, other, beck_intersection);
    return beck__cli_typed(graph, step, a, NULL);
}

/* ---- order, groups --------------------------------------------------------------------------- */

/* What the parameter "fn" gives for an element, as the schema of a key beside the columns k and v:
 * for its value or, what identity, key and value are for, the whole of it or a part. */
static const struct type *key_of(struct graph *graph, struct step *step, struct function_args *args,
                                 char *schema)
{
    const struct type *in = step->in->type, *key = beck__cli_value_type(in);
    const char *fn = beck__cli_name(graph, step, "fn");
    const struct signature *signature = NULL;
    bool pair = in->kind == TYPE_PAIR;

    if (!fn)
        return NULL;
    args->pair = pair;
    if (pair && strcmp(fn, "identity") == 0) {
        args->pair = KEY_OF_PAIR;
        key = in;
    } else if (pair && strcmp(fn, "key") == 0) {
        args->pair = 0;
        key = in->first;
    }
    bool part = pair && (args->pair == 0 || strcmp(fn, "value") == 0);
    args->function = beck__cli_value_function(part ? "identity" : fn, &signature);
    if (args->function < 0 && beck__cli_pairing(fn, &signature) < 0) {
        beck__cli_unknown(graph, fn);
        return NULL;
    }
    if (args->function < 0 || !beck__cli_fits(signature->fits, key)) {
        beck__cli_no_fit(graph, step, fn, in);
        return NULL;
    }
    if (signature->gives != GIVES_SAME)
        key = beck__cli_type(&graph->types,
                             signature->gives == GIVES_TEXT ? TYPE_TEXT : TYPE_NUMBER, NULL, NULL);
    if (key)
        beck__cli_column(key, schema, SCHEMA_BYTES);
    schema[0] = 'x';
    return key;
}

static bool is_descending(const struct step *step)
{
    return beck__json_get(step->json, "ascending") && !beck__json_truth(step->json, "ascending");
}

static bool build_sort_by(struct graph *graph, struct step *step)
{
    struct function_args args;
    char key[SCHEMA_BYTES];
    bool descending = is_descending(step);
    int partitions = (int)beck__json_number(step->json, "partitions", 0);

    if (!key_of(graph, step, &args, key))
        return false;
    CLI_APPLY(step->out, step->in, beck_sort_by, key, beck__cli_map_key, .descending = descending,
              .partitions = partitions, .ctx = &args, .ctx_size = sizeof args);
    return beck__cli_typed(graph, step, step->in->type, NULL);
}

static bool build_sort_by_key(struct graph *graph, struct step *step)
{
    bool descending = is_descending(step);
    int partitions = (int)beck__json_number(step->json, "partitions", 0);

    if (!beck__cli_needs_pair(graph, step))
        return false;
    CLI_APPLY(step->out, step->in, beck_sort_by_key, .descending = descending,
              .partitions = partitions);
    return beck__cli_typed(graph, step, step->in->type, NULL);
}

static bool build_group_by(struct graph *graph, struct step *step)
{
    struct function_args args;
    char text[SCHEMA_BYTES];
    const struct type *key = key_of(graph, step, &args, text);

    if (!key)
        return false;
    CLI_APPLY(step->out, step->in, beck_group_by, text, beck__cli_map_key, .ctx = &args,
              .ctx_size = sizeof args);
    const struct type *list = beck__cli_type(&graph->types, TYPE_LIST, step->in->type, NULL);
    return beck__cli_typed(graph, step, beck__cli_pair(graph, key, list), NULL);
}

/* The key goes before the whole element, a pair too: (fn(v), (k, v)). */
static bool build_key_by(struct graph *graph, struct step *step)
{
    const struct type *in = step->in->type;
    bool pair = in->kind == TYPE_PAIR;
    struct function_args args, nest = {PAIR_KEY, 1};
    struct node keyed = {0};
    char text[SCHEMA_BYTES], schema[SCHEMA_BYTES];
    const struct type *key = key_of(graph, step, &args, text);

    if (!key || !beck__cli_typed(graph, step, beck__cli_pair(graph, key, in), schema))
        return false;
    struct node *to = pair ? &keyed : step->out;
    CLI_APPLY(to, step->in, beck_key_by, text, beck__cli_map_key, .ctx = &args,
              .ctx_size = sizeof args);
    if (pair)
        CLI_APPLY(step->out, &keyed, beck_map, schema, beck__cli_nest, .ctx = &nest,
                  .ctx_size = sizeof nest);
    return true;
}

static bool build_coalesce(struct graph *graph, struct step *step)
{
    int partitions = (int)beck__json_number(step->json, "partitions", 0);

    CLI_APPLY(step->out, step->in, beck_coalesce, partitions);
    return beck__cli_typed(graph, step, step->in->type, NULL);
}

static const struct {
    const char *name;
    bool (*build)(struct graph *graph, struct step *step);
} operators[] = {
    {"sort_by", build_sort_by},         {"sort_by_key", build_sort_by_key},
    {"group_by", build_group_by},       {"key_by", build_key_by},
    {"coalesce", build_coalesce},       {"zip", build_zip},
    {"cartesian", build_cartesian},     {"zip_with_index", build_zip_with_index},
    {"subtract", build_against},        {"intersection", build_against},
    {"subtract_by_key", build_against},
};

bool beck__cli_arrange(struct graph *graph, struct step *step, bool *known)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (strcmp(operators[i].name, step->op) == 0)
            return operators[i].build(graph, step);
    }
    *known = false;
    return false;
}
