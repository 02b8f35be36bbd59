/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operators with a shuffle. Aggregations are three nodes, of which users see one:
 *
 *   parent -> GROUP to partial states -> shuffle by key hash -> GROUP of states to results
 *
 * Over a window the last one is stateful (WINDOW), or, of lists, takes the slices that the shuffle
 * has left: window.c.
 */
#include "rdd/inside.h"

uint32_t beck__node_partitions(struct graph *graph, const struct origin *origin, int partitions)
{
    if (partitions == 0)
        return graph->partitions;
    if (partitions > 0 && partitions <= 65536)
        return (uint32_t)partitions;
    beck__node_error(graph, origin->name, origin->site, BECK_INVALID,
                     "%d partitions; give a number from 1 to 65536", partitions);
    return 0;
}

/* ---- the three nodes ------------------------------------------------------------------------- */

/* The last GROUP, over all slices of a window. */
static struct node *window_node(struct graph *graph, struct node *shuffle,
                                const struct origin *origin, struct fold_plan *plan)
{
    const struct windowing *windowing = plan->windowing;
    struct stateful like = {.slide_ms = windowing->parent_ms,
                            .window_ms = windowing->length_ms,
                            .due_ms = windowing->slide_ms};
    const beck_schema *in = shuffle->schema;
    struct op *op = &plan->final;

    op->kind = OP_WINDOW;
    op->period_ms = windowing->parent_ms;
    op->slices = (uint64_t)(windowing->length_ms / windowing->parent_ms);
    op->state = beck__schema_join(graph, in->fields + plan->keys, in->count - plan->keys, NULL, 0);
    struct node *node = op->state ? beck__node_advance(graph, shuffle, origin, op, &like) : NULL;
    if (node)
        node->keys = plan->keys;
    return node;
}

struct node *beck__node_folded(struct graph *graph, struct node *parent,
                               const struct origin *origin, struct fold_plan *plan)
{
    struct node *node = parent;

    plan->partial.kind = plan->final.kind = OP_GROUP;
    plan->partial.keys = plan->final.keys = plan->keys;
    if (plan->map_side) {
        plan->partial.state_out = plan->final.state_in = true;
        node = beck__node_narrow(graph, node, origin, &plan->partial);
        if (!node)
            return NULL;
        node->hidden = true;
        node->keys = plan->keys;
    }
    node = beck__node_shuffle(graph, node, origin, plan->partitioning);
    if (!node)
        return NULL;
    node->hidden = true;
    if (plan->windowing && plan->map_side)
        return window_node(graph, node, origin, plan);
    if (plan->windowing) {
        node = beck__node_slices(graph, node, origin, plan->windowing, true);
        if (!node)
            return NULL;
        node->hidden = true;
    }
    node = beck__node_narrow(graph, node, origin, &plan->final);
    if (node)
        node->keys = plan->keys;
    return node;
}

/* Schemas of states and results of a fold over every value column. */
static bool fold_schemas(struct graph *graph, const struct origin *origin,
                         const struct node *parent, struct fold_plan *plan,
                         const beck_aggregate *aggregate)
{
    uint32_t keys = plan->keys, count = parent->schema->count - keys;
    struct field *states = beck__arena_alloc(graph->arena, (count + 1) * sizeof *states);
    struct field *results = beck__arena_alloc(graph->arena, (count + 1) * sizeof *results);
    struct error error = {0};

    if (!states || !results) {
        beck__error_memory(graph->error, origin->name, count * sizeof *states);
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        if (beck__fold_types(graph->arena, plan->final.fold, aggregate,
                             &parent->schema->fields[keys + i], &states[i], &results[i], &error)) {
            beck__node_error(graph, origin->name, origin->site, error.status, "%s", error.text);
            return false;
        }
    plan->partial.out = beck__schema_join(graph, parent->schema->fields, keys, states, count);
    plan->final.out = beck__schema_join(graph, parent->schema->fields, keys, results, count);
    return plan->partial.out && plan->final.out;
}

#define STATE_MAX 65536u

/* True if the user's aggregate can be run; else the error is set. */
static bool is_complete(struct graph *graph, const struct origin *origin, const beck_aggregate *a)
{
    const char *missing = !a->step ? "step" : !a->merge ? "merge" : !a->value ? "value" : NULL;
    const char *name = a->name ? a->name : "";

    if (missing)
        beck__node_error(graph, origin->name, origin->site, BECK_INVALID,
                         "the aggregate \"%s\" has no .%s", name, missing);
    else if (a->state_size > STATE_MAX)
        beck__node_error(graph, origin->name, origin->site, BECK_INVALID,
                         "the state of aggregate \"%s\" has %zu bytes, at most %u", name,
                         a->state_size, STATE_MAX);
    else
        return true;
    return false;
}

/* reduce_by_key and reduce: keys is 0 for the latter. */
static struct node *reduce(struct graph *graph, struct node *parent, const struct origin *origin,
                           const beck_reduce_args *args, struct fold_plan *plan)
{
    const beck_aggregate *aggregate = args->reducer.aggregate;
    struct op *op = &plan->final;

    if (!aggregate && !args->reducer.callback)
        return beck__node_error(graph, origin->name, origin->site, BECK_INVALID,
                                "the function is NULL");
    if (args->n < 0)
        return beck__node_error(graph, origin->name, origin->site, BECK_INVALID,
                                ".n is %d; give 1 or more, or 0 for 10", args->n);
    if (!beck__node_context(graph, origin, op, args->ctx, args->ctx_size))
        return NULL;
    op->emits = EMITS_ANY;
    op->number = args->n ? (uint64_t)args->n : 10;
    if (!aggregate) {
        op->fold = FOLD_REDUCE;
        op->emits = EMITS_ONE;
        op->function[0] = beck__node_function(graph, BECK__ADDRESS(args->reducer.callback));
    } else {
        op->fold = beck__known_aggregate(aggregate);
        if (op->fold == FOLD_KINDS) {
            if (!is_complete(graph, origin, aggregate))
                return NULL;
            op->fold = FOLD_USER;
            op->function[0] = beck__node_function(graph, aggregate);
        }
    }
    plan->partial = *op;
    plan->map_side = true;
    return fold_schemas(graph, origin, parent, plan, aggregate)
               ? beck__node_folded(graph, parent, origin, plan)
               : NULL;
}

static struct node *reduce_by_key(struct graph *graph, struct node *parent,
                                  const struct origin *origin, const struct windowing *windowing,
                                  const beck_reduce_args *args)
{
    if (!parent || !beck__node_pair(graph, origin, parent))
        return NULL;
    uint32_t n = beck__node_partitions(graph, origin, args->partitions);
    struct fold_plan plan = {
        .keys = parent->keys,
        .partitioning = {.kind = PARTITION_HASH, .keys = parent->keys, .count = n},
        .windowing = windowing};
    return n ? reduce(graph, parent, origin, args, &plan) : NULL;
}

static struct node *reduce_all(struct graph *graph, struct node *parent,
                               const struct origin *origin, const struct windowing *windowing,
                               const beck_reduce_args *args)
{
    struct fold_plan plan = {.partitioning = {.kind = PARTITION_SINGLE, .count = 1},
                             .windowing = windowing};

    if (!parent || !beck__node_partitions(graph, origin, args->partitions))
        return NULL;
    struct node *node = reduce(graph, parent, origin, args, &plan);
    if (node)
        node->keys = 1;
    return node;
}

struct node *beck__node_reduce_by_key(struct graph *graph, struct node *parent,
                                      const beck_reduce_args *args)
{
    struct origin origin = {"reduce_by_key", args->site, args->name};

    return reduce_by_key(graph, parent, &origin, NULL, args);
}

struct node *beck__node_reduce(struct graph *graph, struct node *parent,
                               const beck_reduce_args *args)
{
    struct origin origin = {"reduce", args->site, args->name};

    return reduce_all(graph, parent, &origin, NULL, args);
}

/* What both forms have in common with and without a window. */
static beck_reduce_args without_window(const beck_reduce_window_args *args)
{
    return (beck_reduce_args){.reducer = args->reducer,
                              .args_size = sizeof(beck_reduce_args),
                              .site = args->site,
                              .partitions = args->partitions,
                              .n = args->n,
                              .ctx = args->ctx,
                              .ctx_size = args->ctx_size,
                              .name = args->name};
}

/* A key that the filter hides is still known to the window: it is only not shown. */
static struct node *shown(struct graph *graph, struct node *node,
                          const beck_reduce_window_args *args)
{
    beck_filter_args filter = {.fn = args->filter,
                               .args_size = sizeof filter,
                               .site = args->site,
                               .ctx = args->ctx,
                               .ctx_size = args->ctx_size};

    return node && args->filter ? beck__node_filter(graph, node, &filter) : node;
}

struct node *beck__node_reduce_by_key_and_window(struct graph *graph, struct node *parent,
                                                 const struct windowing *windowing,
                                                 const beck_reduce_window_args *args)
{
    struct origin origin = {"reduce_by_key_and_window", args->site, args->name};
    beck_reduce_args plain = without_window(args);

    return shown(graph, reduce_by_key(graph, parent, &origin, windowing, &plain), args);
}

struct node *beck__node_reduce_by_window(struct graph *graph, struct node *parent,
                                         const struct windowing *windowing,
                                         const beck_reduce_window_args *args)
{
    struct origin origin = {"reduce_by_window", args->site, args->name};
    beck_reduce_args plain = without_window(args);

    return shown(graph, reduce_all(graph, parent, &origin, windowing, &plain), args);
}

/* ---- group_by_key, combine_by_key ------------------------------------------------------------ */

static const beck_schema *grouped_schema(struct graph *graph, const struct node *parent)
{
    uint32_t keys = parent->keys, count = parent->schema->count - keys;
    const struct field *values = parent->schema->fields + keys;
    struct field *array = beck__arena_alloc(graph->arena, 2 * sizeof *array);

    if (!array) {
        beck__error_memory(graph->error, "a schema", 2 * sizeof *array);
        return NULL;
    }
    array[0] = (struct field){.name = count == 1 ? values[0].name : "values",
                              .type = BECK_ARRAY,
                              .count = 1,
                              .fields = &array[1]};
    array[1] = count == 1 ? values[0]
                          : (struct field){.type = BECK_STRUCT, .count = count, .fields = values};
    array[1].name = "element";
    return beck__schema_join(graph, parent->schema->fields, keys, array, 1);
}

static struct node *group_by_key(struct graph *graph, struct node *parent,
                                 const struct origin *origin, const struct windowing *windowing,
                                 int partitions)
{
    if (!parent || !beck__node_pair(graph, origin, parent))
        return NULL;
    uint32_t n = beck__node_partitions(graph, origin, partitions);
    struct fold_plan plan = {
        .keys = parent->keys,
        .partitioning = {.kind = PARTITION_HASH, .keys = parent->keys, .count = n},
        .windowing = windowing};
    plan.final.fold = FOLD_LIST;
    plan.final.out = n ? grouped_schema(graph, parent) : NULL;
    return plan.final.out ? beck__node_folded(graph, parent, origin, &plan) : NULL;
}

struct node *beck__node_group_by_key(struct graph *graph, struct node *parent,
                                     const beck_group_args *args)
{
    struct origin origin = {"group_by_key", args->site, args->name};

    return group_by_key(graph, parent, &origin, NULL, args->partitions);
}

struct node *beck__node_group_by_key_and_window(struct graph *graph, struct node *parent,
                                                const struct windowing *windowing,
                                                const beck_window_args *args)
{
    struct origin origin = {"group_by_key_and_window", args->site, args->name};

    return group_by_key(graph, parent, &origin, windowing, args->partitions);
}

struct node *beck__node_group_by(struct graph *graph, struct node *parent,
                                 const beck_group_by_args *args)
{
    struct origin origin = {"group_by", args->site, args->name};
    beck_key_by_args by = {
        .key = args->key, .fn = args->fn, .ctx = args->ctx, .ctx_size = args->ctx_size};
    struct node *keyed =
        parent ? beck__node_hide(beck__node_keyed(graph, parent, &origin, &by)) : NULL;

    return group_by_key(graph, keyed, &origin, NULL, args->partitions);
}

struct node *beck__node_combine_by_key(struct graph *graph, struct node *parent,
                                       const beck_combine_args *args)
{
    struct origin origin = {"combine_by_key", args->site, args->name};

    if (!parent || !beck__node_pair(graph, &origin, parent))
        return NULL;
    if (!args->create || !args->merge_value || !args->merge_combiners)
        return beck__node_error(graph, origin.name, origin.site, BECK_INVALID,
                                "needs .create, .merge_value and .merge_combiners");
    uint32_t n = beck__node_partitions(graph, &origin, args->partitions);
    const beck_schema *combiner = beck__node_schema(graph, &origin, args->schema);
    struct fold_plan plan = {
        .keys = parent->keys,
        .partitioning = {.kind = PARTITION_HASH, .keys = parent->keys, .count = n}};
    struct op *op = &plan.final;
    if (!n || !combiner || !beck__node_context(graph, &origin, op, args->ctx, args->ctx_size))
        return NULL;
    op->fold = FOLD_COMBINE;
    op->emits = EMITS_ONE;
    op->function[0] = beck__node_function(graph, BECK__ADDRESS(args->create));
    op->function[1] = beck__node_function(graph, BECK__ADDRESS(args->merge_value));
    op->function[2] = beck__node_function(graph, BECK__ADDRESS(args->merge_combiners));
    op->out = beck__schema_join(graph, parent->schema->fields, parent->keys, combiner->fields,
                                combiner->count);
    plan.partial = *op;
    plan.map_side = !args->no_map_side;
    return op->out ? beck__node_folded(graph, parent, &origin, &plan) : NULL;
}

/* ---- counts, repartition --------------------------------------------------------------------- */

static const struct field count_field = {.name = "count", .type = BECK_BIGINT};

struct node *beck__node_count(struct graph *graph, struct node *parent, const beck_none_args *args)
{
    struct origin origin = {"count", args->site, args->name};
    struct fold_plan plan = {.map_side = true,
                             .partitioning = {.kind = PARTITION_SINGLE, .count = 1}};

    if (!parent)
        return NULL;
    plan.final.fold = FOLD_COUNT;
    plan.final.out = beck__schema_join(graph, &count_field, 1, NULL, 0);
    plan.partial = plan.final;
    plan.final.always = true;
    struct node *node = plan.final.out ? beck__node_folded(graph, parent, &origin, &plan) : NULL;
    if (node) { /* its shuffle, too: what follows may be fused with the node itself */
        node->keys = 1;
        node->needs_rdd = node->parents[0]->needs_rdd = true;
    }
    return node;
}

/* Nothing before the first element ever, then always a number: every batch adds its count, also 0,
 * once there was one. */
struct node *beck__node_count_by_window(struct graph *graph, struct node *parent,
                                        const struct windowing *windowing,
                                        const beck_window_args *args)
{
    struct origin origin = {"count_by_window", args->site, args->name};
    struct fold_plan plan = {.map_side = true,
                             .partitioning = {.kind = PARTITION_SINGLE, .count = 1},
                             .windowing = windowing};

    if (!parent || !beck__node_partitions(graph, &origin, args->partitions))
        return NULL;
    plan.final.fold = FOLD_COUNT;
    plan.final.out = beck__schema_join(graph, &count_field, 1, NULL, 0);
    plan.partial = plan.final;
    plan.final.always = true;
    struct node *node = plan.final.out ? beck__node_folded(graph, parent, &origin, &plan) : NULL;
    if (node)
        node->keys = 1;
    return node;
}

static struct node *count_by_value(struct graph *graph, struct node *parent,
                                   const struct origin *origin, const struct windowing *windowing,
                                   int partitions)
{
    if (!parent)
        return NULL;
    uint32_t n = beck__node_partitions(graph, origin, partitions), keys = parent->schema->count;
    struct fold_plan plan = {.keys = keys,
                             .map_side = true,
                             .partitioning = {.kind = PARTITION_HASH, .keys = keys, .count = n},
                             .windowing = windowing};
    plan.final.fold = FOLD_COUNT;
    plan.final.out =
        n ? beck__schema_join(graph, parent->schema->fields, keys, &count_field, 1) : NULL;
    plan.partial = plan.final;
    return plan.final.out ? beck__node_folded(graph, parent, origin, &plan) : NULL;
}

struct node *beck__node_count_by_value(struct graph *graph, struct node *parent,
                                       const beck_group_args *args)
{
    struct origin origin = {"count_by_value", args->site, args->name};

    return count_by_value(graph, parent, &origin, NULL, args->partitions);
}

struct node *beck__node_count_by_value_and_window(struct graph *graph, struct node *parent,
                                                  const struct windowing *windowing,
                                                  const beck_window_args *args)
{
    struct origin origin = {"count_by_value_and_window", args->site, args->name};

    return count_by_value(graph, parent, &origin, windowing, args->partitions);
}

/* Every column is the key, and nothing is left to fold. */
struct node *beck__node_distinct(struct graph *graph, struct node *parent,
                                 const beck_group_args *args)
{
    struct origin origin = {"distinct", args->site, args->name};

    if (!parent)
        return NULL;
    uint32_t n = beck__node_partitions(graph, &origin, args->partitions);
    uint32_t keys = parent->schema->count;
    struct fold_plan plan = {.keys = keys,
                             .map_side = true,
                             .partitioning = {.kind = PARTITION_HASH, .keys = keys, .count = n}};
    plan.partial.out = plan.final.out = parent->schema;
    struct node *node = n ? beck__node_folded(graph, parent, &origin, &plan) : NULL;
    if (node)
        node->keys = parent->keys;
    return node;
}

struct node *beck__node_repartition(struct graph *graph, struct node *parent,
                                    const beck_repartition_args *args)
{
    struct origin origin = {"repartition", args->site, args->name};

    if (!parent)
        return NULL;
    if (args->partitions == 0)
        return beck__node_error(graph, origin.name, origin.site, BECK_INVALID,
                                "0 partitions; give a number from 1 to 65536");
    uint32_t n = beck__node_partitions(graph, &origin, args->partitions);
    struct partitioning to = {.kind = PARTITION_ROUND_ROBIN, .count = n};
    struct node *node = n ? beck__node_shuffle(graph, parent, &origin, to) : NULL;
    if (node)
        node->needs_rdd = true;
    return node;
}
