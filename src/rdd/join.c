/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cogroup and join. Each side is shuffled; then partitions of the same number come together, the
 * values of each side in a column of their own:
 *
 *   a -> shuffle by key hash -> SIDE 0 \
 *                                       merge -> GROUP of the sides, or JOIN
 *   b -> shuffle by key hash -> SIDE 1 /
 *
 * A join takes b first: it keeps its rows, and a's come by in order. subtract and its like are
 * joins that emit other rows; to compare whole rows, all columns are the key.
 */
#include "rdd/inside.h"

enum { SIDES_MAX = 4 };

struct cogroup {
    struct graph *graph;
    const struct origin *origin;
    struct node *const *parents;
    uint32_t sides;
    uint32_t partitions;
    const beck_schema *sided; /* key, STRUCT of the values of each side */
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
    for (uint32_t i = 0; name && i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return free_name(graph, fields, count,
                             beck__arena_printf(graph->arena, "%s_right", name));
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

static const beck_schema *sided_schema(const struct cogroup *g)
{
    static const char *const names[SIDES_MAX] = {"left", "right", "third", "fourth"};
    const struct node *a = g->parents[0];
    struct field structs[SIDES_MAX];

    for (uint32_t i = 0; i < g->sides; i++) {
        const struct node *side = g->parents[i];
        structs[i] = (struct field){.name = names[i],
                                    .type = BECK_STRUCT,
                                    .count = width_of(side),
                                    .fields = side->schema->fields + side->keys};
    }
    return beck__schema_join(g->graph, a->schema->fields, a->keys, structs, g->sides);
}

/* Of several values an element is the STRUCT of its side. */
static const beck_schema *lists_schema(const struct cogroup *g)
{
    const struct node *a = g->parents[0];
    struct arena *arena = g->graph->arena;
    struct field *elements = beck__arena_alloc(arena, g->sides * sizeof *elements);
    struct field *lists = beck__arena_alloc(arena, (a->keys + g->sides) * sizeof *lists);
    uint32_t count = 0;

    bool ok = elements && lists && add_fields(g->graph, lists, &count, a->schema->fields, a->keys);
    for (uint32_t i = 0; ok && i < g->sides; i++) {
        const struct field *side = &g->sided->fields[a->keys + i];
        bool one = side->count == 1;
        elements[i] = one ? side->fields[0] : *side;
        elements[i].name = "element";
        struct field list = {.name = one ? side->fields[0].name : "values",
                             .type = BECK_ARRAY,
                             .count = 1,
                             .fields = &elements[i]};
        ok = add_fields(g->graph, lists, &count, &list, 1);
    }
    if (!ok)
        beck__error_memory(g->graph->error, g->origin->name, 0);
    return ok ? beck__schema_join(g->graph, lists, count, NULL, 0) : NULL;
}

const beck_schema *beck__schema_beside(struct graph *graph, const struct origin *origin,
                                       const beck_schema *a, const beck_schema *b)
{
    struct field *fields =
        beck__arena_alloc(graph->arena, ((size_t)a->count + b->count + 1) * sizeof *fields);
    uint32_t count = 0;

    if (fields && add_fields(graph, fields, &count, a->fields, a->count) &&
        add_fields(graph, fields, &count, b->fields, b->count))
        return beck__schema_join(graph, fields, count, NULL, 0);
    beck__error_memory(graph->error, origin->name, 0);
    return NULL;
}

static struct node *hide(struct node *node, uint32_t keys)
{
    if (node)
        node->keys = keys;
    return beck__node_hide(node);
}

/* The rows of a side, shuffled and sided. */
static struct node *sided(struct cogroup *g, uint32_t side)
{
    uint32_t keys = g->parents[0]->keys;
    struct partitioning to = {.kind = PARTITION_HASH, .keys = keys, .count = g->partitions};
    struct node *node = hide(beck__node_shuffle(g->graph, g->parents[side], g->origin, to), keys);
    struct op op = {.kind = OP_SIDE, .keys = keys, .number = side, .out = g->sided};

    return node ? hide(beck__node_narrow(g->graph, node, g->origin, &op), keys) : NULL;
}

/* What the operation makes of the rows of all sides: they come in order, or the other way round. */
static struct node *together(struct cogroup *g, struct op *op, bool last_first)
{
    uint32_t keys = g->parents[0]->keys;
    struct node *sides[SIDES_MAX];

    for (uint32_t i = 0; i < g->sides; i++) {
        struct node *side = sided(g, i);
        if (!side)
            return NULL;
        sides[last_first ? g->sides - 1 - i : i] = side;
    }
    struct node *all = hide(beck__node_merge(g->graph, sides, g->sides, g->origin), keys);
    op->keys = keys;
    struct node *node = all ? beck__node_narrow(g->graph, all, g->origin, op) : NULL;
    if (node)
        node->keys = keys;
    return node;
}

static struct node *cogroup(struct cogroup *g)
{
    struct op group = {.kind = OP_GROUP, .fold = FOLD_SIDES, .out = lists_schema(g)};

    return group.out ? together(g, &group, false) : NULL;
}

static bool start(struct cogroup *g, struct graph *graph, const struct origin *origin,
                  struct node *const *parents, uint32_t sides, int partitions)
{
    *g = (struct cogroup){.graph = graph, .origin = origin, .parents = parents, .sides = sides};
    for (uint32_t i = 0; i < sides; i++)
        if (!parents[i] || !beck__node_pair(graph, origin, parents[i]) || !same_keys(g, i))
            return false;
    g->partitions = beck__node_partitions(graph, origin, partitions);
    g->sided = g->partitions ? sided_schema(g) : NULL;
    return g->sided != NULL;
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

/* Rows `out` of the two sides. */
static struct node *meet(struct cogroup *g, uint64_t kind, const beck_schema *out)
{
    struct op op = {.kind = OP_JOIN, .number = kind, .out = out};
    return together(g, &op, true);
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
    const beck_schema values = {.count = width_of(b), .fields = b->schema->fields + b->keys};
    const beck_schema *out = beck__schema_beside(graph, &origin, a->schema, &values);
    return out ? meet(&g, (uint64_t)args->kind, out) : NULL;
}

/* ---- what one side has and the other has not ------------------------------------------------- */

/* The columns of the row as its key; a value is needed, and the first column serves. */
static struct node *whole_key(const struct cogroup *g, struct node *parent)
{
    uint32_t count = parent->schema->count;
    uint32_t *columns = beck__arena_alloc(g->graph->arena, (count + 1) * sizeof *columns);

    if (!columns) {
        beck__error_memory(g->graph->error, g->origin->name, (count + 1) * sizeof *columns);
        return NULL;
    }
    for (uint32_t k = 0; k <= count; k++)
        columns[k] = k % count;
    struct op op = {
        .kind = OP_PROJECT, .keys = parent->keys, .column_count = count + 1, .columns = columns};
    op.out = beck__schema_join(g->graph, parent->schema->fields, count, parent->schema->fields, 1);
    return hide(op.out ? beck__node_narrow(g->graph, parent, g->origin, &op) : NULL, count);
}

/* subtract and intersection: whole rows are compared. */
static struct node *compare_rows(struct graph *graph, struct node *a, struct node *b,
                                 const struct origin *origin, int partitions, enum op_join kind)
{
    struct cogroup g = {.graph = graph, .origin = origin};

    if (!a || !b)
        return NULL;
    uint32_t keys = a->keys;
    const beck_schema *rows = a->schema;
    struct node *sides[] = {whole_key(&g, a), whole_key(&g, b)};
    if (!sides[0] || !sides[1] || !start(&g, graph, origin, sides, 2, partitions))
        return NULL;
    struct node *node = meet(&g, kind, kind == JOIN_KEYS ? rows : sides[0]->schema);
    if (node && kind == JOIN_LEFT_ALONE)
        node = beck__node_project(graph, beck__node_hide(node), origin, 0, rows->count);
    if (node)
        node->keys = keys;
    return node;
}

struct node *beck__node_subtract(struct graph *graph, struct node *a, struct node *b,
                                 const beck_group_args *args)
{
    struct origin origin = {"subtract", args->site, args->name};

    return compare_rows(graph, a, b, &origin, args->partitions, JOIN_LEFT_ALONE);
}

struct node *beck__node_intersection(struct graph *graph, struct node *a, struct node *b,
                                     const beck_group_args *args)
{
    struct origin origin = {"intersection", args->site, args->name};

    return compare_rows(graph, a, b, &origin, args->partitions, JOIN_KEYS);
}

struct node *beck__node_subtract_by_key(struct graph *graph, struct node *a, struct node *b,
                                        const beck_group_args *args)
{
    struct origin origin = {"subtract_by_key", args->site, args->name};
    struct node *sides[] = {a, b};
    struct cogroup g;

    return start(&g, graph, &origin, sides, 2, args->partitions)
               ? meet(&g, JOIN_LEFT_ALONE, a->schema)
               : NULL;
}
