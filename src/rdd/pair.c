/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operators on whole partitions: coalesce, zip, cartesian, which the engine makes of those of their
 * parents once it knows how many there are; and zip_with_index, lookup.
 */
#include "rdd/inside.h"

static struct node *made(struct graph *graph, const struct origin *origin,
                         struct node *const *parents, uint32_t count, node_make_fn *make)
{
    struct node *node = beck__node_new(graph, NODE_MADE, origin);

    if (!node || !beck__node_parents(graph, node, parents, count))
        return NULL;
    node->schema = parents[0]->schema;
    node->keys = parents[0]->keys;
    node->make = make;
    return node;
}

/* ---- coalesce -------------------------------------------------------------------------------- */

static beck_status make_coalesced(struct node *node, struct stamp *stamp,
                                  struct dataset *const *parents, struct dataset **dataset,
                                  struct error *error)
{
    if (!parents[0])
        return BECK_OK;
    *dataset = stamp->engine->coalesce(stamp->scope, parents[0], node->partitioning.count);
    return *dataset ? BECK_OK : beck__error_memory(error, node->name, 0);
}

struct node *beck__node_coalesce(struct graph *graph, struct node *parent,
                                 const beck_repartition_args *args)
{
    struct origin origin = {"coalesce", args->site, args->name};

    if (!parent)
        return NULL;
    if (args->partitions <= 0)
        return beck__node_error(graph, origin.name, origin.site, BECK_INVALID,
                                "%d partitions; give a number from 1 to 65536", args->partitions);
    uint32_t n = beck__node_partitions(graph, &origin, args->partitions);
    struct node *node = n ? made(graph, &origin, &parent, 1, make_coalesced) : NULL;
    if (node)
        node->partitioning.count = n;
    return node;
}

/* ---- merge ----------------------------------------------------------------------------------- */

static beck_status make_merged(struct node *node, struct stamp *stamp,
                               struct dataset *const *parents, struct dataset **dataset,
                               struct error *error)
{
    *dataset = stamp->engine->merge(stamp->scope, parents, node->parent_count);
    return *dataset ? BECK_OK : beck__error_memory(error, node->name, 0);
}

struct node *beck__node_merge(struct graph *graph, struct node *const *parents, uint32_t count,
                              const struct origin *origin)
{
    struct node *node = made(graph, origin, parents, count, make_merged);

    if (node)
        node->needs_rdd = true;
    return node;
}

/* ---- pairs ----------------------------------------------------------------------------------- */

#define PAIRS_MAX 1000000u

static beck_status make_pairs(struct node *node, struct stamp *stamp,
                              struct dataset *const *parents, struct dataset **dataset,
                              enum pair_kind kind, struct error *error)
{
    const struct engine *engine = stamp->engine;

    if (!parents[0] || !parents[1])
        return BECK_OK;
    uint32_t left = engine->partitions(parents[0]), right = engine->partitions(parents[1]);
    if (kind == PAIR_ZIP && left != right) {
        struct text name = {.memory = stamp->arena->memory};
        beck__node_name(node, &name);
        beck__error_set(error, BECK_INVALID,
                        "%s: %u partitions and %u; both must have as many: zip an RDD with what "
                        "map made of it, or make them equal with repartition",
                        name.failed ? node->name : beck__text_get(&name), left, right);
        beck__text_deinit(&name);
        return BECK_INVALID;
    }
    if (kind == PAIR_CARTESIAN && right && left > PAIRS_MAX / right)
        return beck__error_set(error, BECK_INVALID,
                               "%s: %u times %u partitions, at most %u; coalesce them before",
                               node->name, left, right, PAIRS_MAX);
    *dataset = engine->pair(stamp->scope, kind, parents[0], parents[1], node->schema);
    return *dataset ? BECK_OK : beck__error_memory(error, node->name, 0);
}

static beck_status make_zip(struct node *node, struct stamp *stamp, struct dataset *const *parents,
                            struct dataset **dataset, struct error *error)
{
    return make_pairs(node, stamp, parents, dataset, PAIR_ZIP, error);
}

static beck_status make_cartesian(struct node *node, struct stamp *stamp,
                                  struct dataset *const *parents, struct dataset **dataset,
                                  struct error *error)
{
    return make_pairs(node, stamp, parents, dataset, PAIR_CARTESIAN, error);
}

static struct node *pairs(struct graph *graph, struct node *a, struct node *b,
                          const struct origin *origin, node_make_fn *make)
{
    struct node *both[] = {a, b};

    if (!a || !b)
        return NULL;
    const beck_schema *schema = beck__schema_beside(graph, origin, a->schema, b->schema);
    if (schema && schema->count > BECK__COLUMNS_MAX)
        return beck__node_error(graph, origin->name, origin->site, BECK_TYPE,
                                "makes rows of more than %u columns", BECK__COLUMNS_MAX);
    struct node *node = schema ? made(graph, origin, both, 2, make) : NULL;
    if (node) {
        node->schema = schema;
        node->keys = a->schema->count;
    }
    return node;
}

struct node *beck__node_zip(struct graph *graph, struct node *a, struct node *b,
                            const beck_none_args *args)
{
    struct origin origin = {"zip", args->site, args->name};

    return pairs(graph, a, b, &origin, make_zip);
}

struct node *beck__node_cartesian(struct graph *graph, struct node *a, struct node *b,
                                  const beck_none_args *args)
{
    struct origin origin = {"cartesian", args->site, args->name};

    return pairs(graph, a, b, &origin, make_cartesian);
}

/* ---- zip_with_index -------------------------------------------------------------------------- */

static const struct field index_field = {.name = "index", .type = BECK_BIGINT};

/* The rows of a partition are numbered when those before it are counted: a stage that keeps its
 * rows where they are does that, unless they are kept and counted already. */
struct node *beck__node_zip_with_index(struct graph *graph, struct node *parent,
                                       const beck_none_args *args)
{
    struct origin origin = {"zip_with_index", args->site, args->name};
    const beck_schema last = {.count = 1, .fields = &index_field};

    if (!parent)
        return NULL;
    struct node *kept = parent;
    if (parent->kind != NODE_VALUES && parent->kind != NODE_SHUFFLE)
        kept = beck__node_hide(beck__node_shuffle(graph, parent, &origin,
                                                  (struct partitioning){.kind = PARTITION_SAME}));
    struct op op = {.kind = OP_INDEX, .keys = parent->keys};
    op.out = beck__schema_beside(graph, &origin, parent->schema, &last);
    struct node *node = kept && op.out ? beck__node_narrow(graph, kept, &origin, &op) : NULL;
    if (node)
        node->keys = parent->schema->count;
    return node;
}

/* ---- lookup ---------------------------------------------------------------------------------- */

struct node *beck__node_lookup(struct graph *graph, struct node *parent,
                               const beck_lookup_args *args)
{
    struct origin origin = {"lookup", args->site, NULL};

    if (!parent || !beck__node_pair(graph, &origin, parent))
        return NULL;
    const beck_schema key = {.count = parent->keys, .fields = parent->schema->fields};
    struct op op = {.kind = OP_SAME, .keys = parent->keys, .out = parent->schema};
    if (!beck__node_row(graph, &origin, &key, &args->key, "the key", &op.row))
        return NULL;
    struct node *found = beck__node_narrow(graph, parent, &origin, &op);
    if (!found)
        return NULL;
    found->keys = parent->keys;
    return beck__node_project(graph, found, &origin, parent->keys,
                              parent->schema->count - parent->keys);
}
