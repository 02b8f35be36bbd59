/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folds from a zero on: fold_by_key, aggregate_by_key, and the actions fold and aggregate, which
 * are the same without a key. The zero travels as an encoded row of its operation.
 */
#include "rdd/inside.h"

bool beck__node_row(struct graph *graph, const struct origin *origin, const beck_schema *schema,
                    const beck_value *value, const char *what, beck_str *row)
{
    const struct allocator *memory = graph->arena->memory;
    const beck_value *cells = schema->count == 1 ? value : value->u.values;
    struct builder b;
    struct text bytes = {.memory = memory};
    struct error error = {0};

    if (schema->count > 1 && (value->kind != BECK_KIND_VALUES || value->count != schema->count)) {
        beck__node_error(graph, origin->name, origin->site, BECK_TYPE,
                         "%s: give a beck_values_value of %u values, one for each column", what,
                         schema->count);
        return false;
    }
    if (!beck__builder_init(&b, memory, schema, 1, &error)) {
        for (uint32_t k = 0; k < schema->count && !error.status; k++)
            beck__builder_value(&b, k, &cells[k], NULL, &error);
        if (!error.status) {
            beck__builder_end_row(&b);
            beck__block_encode(b.chunk, schema, (struct block_place){0, 0}, false, &bytes, &error);
        }
        beck__builder_deinit(&b);
    }
    const void *copy = error.status || bytes.failed
                           ? NULL
                           : beck__arena_copy(graph->arena, bytes.data, bytes.size);
    *row = beck_bytes_of(copy, copy ? bytes.size : 0);
    beck__text_deinit(&bytes);
    if (error.status)
        beck__node_error(graph, origin->name, origin->site, error.status, "%s: %s", what,
                         error.text);
    else if (!copy)
        beck__error_memory(graph->error, origin->name, 0);
    return copy != NULL;
}

/* Values merged into the zero, then combiners; without keys (an action) all in one partition, and
 * the combiners into the zero, too. `combiner` are the columns after the key. */
static struct node *fold_from(struct graph *graph, struct node *parent, const struct origin *origin,
                              const beck_aggregate_args *args, const beck_schema *combiner,
                              uint32_t keys)
{
    uint32_t n = keys ? beck__node_partitions(graph, origin, args->partitions) : 1;
    struct fold_plan plan = {.keys = keys, .map_side = true};
    struct op *op = &plan.final;

    plan.partitioning.kind = keys ? PARTITION_HASH : PARTITION_SINGLE;
    plan.partitioning.keys = keys;
    plan.partitioning.count = n;
    if (!args->merge_value || !args->merge_combiners)
        return beck__node_error(graph, origin->name, origin->site, BECK_INVALID,
                                "the function is NULL");
    if (!n || !beck__node_context(graph, origin, op, args->ctx, args->ctx_size) ||
        !beck__node_row(graph, origin, combiner, &args->zero, "the zero", &op->row))
        return NULL;
    op->fold = FOLD_COMBINE;
    op->emits = EMITS_ONE;
    op->always = keys == 0;
    op->function[1] = beck__node_function(graph, BECK__ADDRESS(args->merge_value));
    op->function[2] = beck__node_function(graph, BECK__ADDRESS(args->merge_combiners));
    op->out =
        beck__schema_join(graph, parent->schema->fields, keys, combiner->fields, combiner->count);
    plan.partial = *op;
    struct node *node = op->out ? beck__node_folded(graph, parent, origin, &plan) : NULL;
    if (node && !keys)
        node->keys = 1;
    return node;
}

static struct node *fold(struct graph *graph, struct node *parent, const char *name,
                         const beck_fold_args *args, uint32_t keys)
{
    struct origin origin = {name, args->site, args->name};
    const beck_aggregate_args same = {.zero = args->zero,
                                      .merge_value = args->fn,
                                      .merge_combiners = args->fn,
                                      .partitions = args->partitions,
                                      .ctx = args->ctx,
                                      .ctx_size = args->ctx_size};
    const beck_schema values = {.count = parent->schema->count - keys,
                                .fields = parent->schema->fields + keys};

    return fold_from(graph, parent, &origin, &same, &values, keys);
}

static struct node *aggregate(struct graph *graph, struct node *parent, const char *name,
                              const beck_aggregate_args *args, uint32_t keys)
{
    struct origin origin = {name, args->site, args->name};
    const beck_schema *combiner = beck__node_schema(graph, &origin, args->schema);

    return combiner ? fold_from(graph, parent, &origin, args, combiner, keys) : NULL;
}

struct node *beck__node_fold_by_key(struct graph *graph, struct node *parent,
                                    const beck_fold_args *args)
{
    struct origin origin = {"fold_by_key", args->site, args->name};

    return parent && beck__node_pair(graph, &origin, parent)
               ? fold(graph, parent, origin.name, args, parent->keys)
               : NULL;
}

struct node *beck__node_aggregate_by_key(struct graph *graph, struct node *parent,
                                         const beck_aggregate_args *args)
{
    struct origin origin = {"aggregate_by_key", args->site, args->name};

    return parent && beck__node_pair(graph, &origin, parent)
               ? aggregate(graph, parent, origin.name, args, parent->keys)
               : NULL;
}

struct node *beck__node_fold(struct graph *graph, struct node *parent, const beck_fold_args *args)
{
    return parent ? fold(graph, parent, "fold", args, 0) : NULL;
}

struct node *beck__node_aggregate(struct graph *graph, struct node *parent,
                                  const beck_aggregate_args *args)
{
    return parent ? aggregate(graph, parent, "aggregate", args, 0) : NULL;
}
