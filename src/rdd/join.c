/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cogroup, and join as a cogroup whose lists become pairs. Rows of all sides go through one
 * shuffle, the values of each in a column of their own:
 *
 *   a -> SIDE 0 \
 *                union -> shuffle by key hash -> GROUP of the sides [ -> JOIN ]
 *   b -> SIDE 1 /
 *
 * Partitions of a come before those of b, so that all keep their order.
 */
#include "rdd/inside.h"

#include <stdio.h>

enum { SIDES_MAX = 4 };

struct cogroup {
    struct graph *graph;
    const struct origin *origin;
    struct node *const *parents;
    uint32_t sides;
    uint32_t partitions;
    const beck_schema *sided; /* key, STRUCT of the values of each side */
    const beck_schema *lists; /* key, ARRAY of the values of each side */
};

static uint32_t width_of(const struct node *node)
{
    return node->schema->count - node->keys;
}

static bool same_keys(const struct cogroup *g, uint32_t side)
{
    const struct node *a = g->parents[0], *b = g->parents[side];
    beck_schema left = {.count = a->keys, .fields = a->schema->fields};
    beck_schema right = {.count = b->keys, .fields = b->schema->fields};

    if (beck__schema_equal(&left, &right, false))
        return true;
    struct text text = {.memory = g->graph->arena->memory};
    beck__text_add(&text, "the keys differ: (");
    beck__schema_print(&left, &text);
    beck__text_add(&text, ") and (");
    beck__schema_print(&right, &text);
    beck__text_add(&text, "); make them one type with map or key_by before");
    beck__node_error(g->graph, g->origin->name, g->origin->site, BECK_TYPE, "%s",
                     beck__text_get(&text));
    beck__text_deinit(&text);
    return false;
}

/* A name that none of the fields has: "n", "n_right", "n_right_right". NULL without memory. */
static const char *free_name(struct graph *graph, const struct field *fields, uint32_t count,
                             const char *name)
{
    char longer[512];

    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) != 0)
            continue;
        snprintf(longer, sizeof longer, "%s_right", name);
        name = beck__arena_text(graph->arena, longer);
        return name ? free_name(graph, fields, count, name) : NULL;
    }
    return name;
}

/* Appends fields under free names. */
static bool add_fields(struct graph *graph, struct field *to, uint32_t *count,
                       const struct field *fields, uint32_t more)
{
    for (uint32_t i = 0; i < more; i++) {
        to[*count] = fields[i];
        to[*count].name = free_name(graph, to, *count, fields[i].name);
        if (!to[*count].name)
            return false;
        ++*count;
    }
    return true;
}

static bool no_memory(const struct cogroup *g)
{
    beck__error_memory(g->graph->error, g->origin->name, 0);
    return false;
}

/* sided and lists. */
static bool schemas(struct cogroup *g)
{
    static const char *const names[SIDES_MAX] = {"left", "right", "third", "fourth"};
    const struct node *a = g->parents[0];
    struct arena *arena = g->graph->arena;
    struct field *structs = beck__arena_alloc(arena, g->sides * sizeof *structs);
    struct field *elements = beck__arena_alloc(arena, g->sides * sizeof *elements);
    struct field *lists = beck__arena_alloc(arena, (a->keys + g->sides) * sizeof *lists);
    uint32_t count = 0;

    if (!structs || !elements || !lists ||
        !add_fields(g->graph, lists, &count, a->schema->fields, a->keys))
        return no_memory(g);
    for (uint32_t i = 0; i < g->sides; i++) {
        const struct node *side = g->parents[i];
        const struct field *values = side->schema->fields + side->keys;
        bool one = width_of(side) == 1;
        structs[i] = (struct field){
            .name = names[i], .type = BECK_STRUCT, .count = width_of(side), .fields = values};
        elements[i] = one ? values[0] : structs[i];
        elements[i].name = "element";
        struct field list = {.name = one ? values[0].name : "values",
                             .type = BECK_ARRAY,
                             .count = 1,
                             .fields = &elements[i]};
        if (!add_fields(g->graph, lists, &count, &list, 1))
            return no_memory(g);
    }
    g->sided = beck__schema_join(g->graph, a->schema->fields, a->keys, structs, g->sides);
    g->lists = beck__schema_join(g->graph, lists, count, NULL, 0);
    return g->sided && g->lists;
}

static struct node *hide(struct node *node, uint32_t keys)
{
    if (node) {
        node->hidden = true;
        node->keys = keys;
    }
    return node;
}

/* The node whose rows are keys with their lists. */
static struct node *cogroup(struct cogroup *g)
{
    uint32_t keys = g->parents[0]->keys;
    struct node *sides[SIDES_MAX];

    if (!schemas(g))
        return NULL;
    for (uint32_t i = 0; i < g->sides; i++) {
        struct op op = {.kind = OP_SIDE, .keys = keys, .number = i, .out = g->sided};
        sides[i] = hide(beck__node_narrow(g->graph, g->parents[i], g->origin, &op), keys);
    }
    const beck_none_args united = {.site = g->origin->site};
    struct node *all = hide(beck__node_union_all(g->graph, sides, g->sides, &united), keys);
    struct partitioning to = {PARTITION_HASH, keys, g->partitions};
    struct node *shuffled =
        all ? hide(beck__node_shuffle(g->graph, all, g->origin, to), keys) : NULL;
    struct op group = {.kind = OP_GROUP, .keys = keys, .fold = FOLD_SIDES, .out = g->lists};
    struct node *node = shuffled ? beck__node_narrow(g->graph, shuffled, g->origin, &group) : NULL;
    if (node) {
        all->name = g->origin->name;
        node->keys = keys;
    }
    return node;
}

static bool start(struct cogroup *g, struct graph *graph, const struct origin *origin,
                  struct node *const *parents, uint32_t sides, int partitions)
{
    *g = (struct cogroup){.graph = graph, .origin = origin, .parents = parents, .sides = sides};
    for (uint32_t i = 0; i < sides; i++)
        if (!parents[i] || !beck__node_pair(graph, origin, parents[i]) || !same_keys(g, i))
            return false;
    g->partitions = beck__node_partitions(graph, origin, partitions);
    return g->partitions != 0;
}

struct node *beck__node_cogroup_all(struct graph *graph, struct node *const *parents,
                                    uint32_t count, const beck_group_args *args)
{
    struct origin origin = {"cogroup", args->site, args->name};
    struct cogroup g;

    if (count < 2 || count > SIDES_MAX)
        return beck__node_error(graph, origin.name, origin.site, BECK_INVALID,
                                "of %u; give 2 to %d streams or RDDs", count, SIDES_MAX);
    return start(&g, graph, &origin, parents, count, args->partitions) ? cogroup(&g) : NULL;
}

struct node *beck__node_cogroup(struct graph *graph, struct node *a, struct node *b,
                                const beck_group_args *args)
{
    return beck__node_cogroup_all(graph, (struct node *const[]){a, b}, 2, args);
}

struct node *beck__node_join(struct graph *graph, struct node *a, struct node *b,
                             const beck_join_args *args)
{
    static const char *const names[] = {"join", "left_outer_join", "right_outer_join",
                                        "full_outer_join"};
    bool known = (unsigned)args->kind <= BECK_FULL_OUTER;
    struct origin origin = {names[known ? args->kind : 0], args->site, args->name};
    struct node *const sides[] = {a, b};
    struct cogroup g;

    if (!known)
        return beck__node_error(graph, origin.name, origin.site, BECK_INVALID,
                                ".kind is %d; give one of beck_join_kind", (int)args->kind);
    if (!start(&g, graph, &origin, sides, 2, args->partitions))
        return NULL;
    uint32_t left = width_of(a), right = width_of(b), count = 0;
    struct field *fields =
        beck__arena_alloc(graph->arena, (a->schema->count + right) * sizeof *fields);
    uint32_t *widths = beck__arena_alloc(graph->arena, 2 * sizeof *widths);
    if (!fields || !widths ||
        !add_fields(graph, fields, &count, a->schema->fields, a->schema->count) ||
        !add_fields(graph, fields, &count, b->schema->fields + b->keys, right)) {
        no_memory(&g);
        return NULL;
    }
    widths[0] = left;
    widths[1] = right;
    struct node *lists = hide(cogroup(&g), a->keys);
    struct op op = {.kind = OP_JOIN,
                    .keys = a->keys,
                    .number = (uint64_t)args->kind,
                    .column_count = 2,
                    .columns = widths,
                    .out = beck__schema_join(graph, fields, count, NULL, 0)};
    struct node *node = lists && op.out ? beck__node_narrow(graph, lists, &origin, &op) : NULL;
    if (node)
        node->keys = a->keys;
    return node;
}
