/* SPDX-License-Identifier: Apache-2.0 */
/*
 * beck_rdd: creation and transformations. Each is a node of the rdd room in the life of the RDD.
 */
#include "connectors/connectors.h"
#include "session/session.h"

beck_rdd *beck__session_rdd(struct session_life *life, struct node *node)
{
    static beck_rdd poisoned;
    beck_rdd *r = life ? beck__arena_alloc(life->graph.arena, sizeof *r) : &poisoned;

    if (!life)
        return r;
    if (!r) {
        beck__error_memory(life->graph.error, "an RDD", sizeof *r);
        return &poisoned;
    }
    r->graph = &life->graph;
    r->life = life;
    r->node = node;
    return r;
}

/* The life of what is made of it: in a driver callback the batch's. NULL for a poisoned RDD. */
static struct session_life *life_of(beck_rdd *r)
{
    beck_context *ctx = r->node ? r->life->ctx : NULL;

    return ctx && beck__session_lasts(r, ctx) ? beck__session_life(ctx) : ctx ? r->life : NULL;
}

#define TRANSFORM(name, T)                                                                         \
    beck_rdd *beck_rdd_##name(beck_rdd *r, const T *args)                                          \
    {                                                                                              \
        struct session_life *life = life_of(r);                                                    \
        return life ? beck__session_rdd(life, beck__node_##name(&life->graph, r->node, args)) : r; \
    }

#define MAP(name, kind)                                                                            \
    beck_rdd *beck_rdd_##name(beck_rdd *r, const beck_map_args *args)                              \
    {                                                                                              \
        struct session_life *life = life_of(r);                                                    \
        return life ? beck__session_rdd(life, beck__node_map(&life->graph, r->node, kind, args))   \
                    : r;                                                                           \
    }

MAP(map, MAP_MAP)
MAP(flat_map, MAP_FLAT_MAP)
MAP(map_values, MAP_VALUES)
MAP(flat_map_values, MAP_FLAT_VALUES)
TRANSFORM(filter, beck_filter_args)
TRANSFORM(map_partitions, beck_map_partitions_args)
TRANSFORM(key_by, beck_key_by_args)
TRANSFORM(repartition, beck_repartition_args)
TRANSFORM(glom, beck_none_args)
TRANSFORM(keys, beck_none_args)
TRANSFORM(values, beck_none_args)
TRANSFORM(coalesce, beck_repartition_args)
TRANSFORM(sort_by, beck_sort_args)
TRANSFORM(sort_by_key, beck_sort_key_args)
TRANSFORM(zip_with_index, beck_none_args)
TRANSFORM(group_by, beck_group_by_args)
TRANSFORM(fold_by_key, beck_fold_args)
TRANSFORM(aggregate_by_key, beck_aggregate_args)
TRANSFORM(reduce_by_key, beck_reduce_args)
TRANSFORM(group_by_key, beck_group_args)
TRANSFORM(combine_by_key, beck_combine_args)
TRANSFORM(distinct, beck_group_args)

/* The life of what is made of two RDDs, the shorter one: of a batch's RDD and one of the context
 * that of the batch. NULL: *result is what to give back, the error is set. */
static struct session_life *common_life(beck_rdd *a, beck_rdd *b, const char *name, beck_site site,
                                        beck_rdd **result)
{
    *result = a->node ? b : a;
    if (!a->node || !b->node)
        return NULL;
    if (a->life->ctx == b->life->ctx)
        return beck__session_lasts(a, a->life->ctx) ? life_of(b) : a->life;
    beck__node_error(&life_of(a)->graph, name, site, BECK_INVALID,
                     "the RDDs belong to different contexts");
    *result = beck__session_rdd(life_of(a), NULL);
    return NULL;
}

#define RDDS_MAX 65536u

/* The life of what is made of all of them; NULL as above. */
static struct session_life *life_of_all(beck_rdd *const *list, size_t n, const char *name,
                                        beck_site site, beck_rdd **result)
{
    beck_rdd *shortest = n && list ? list[0] : NULL;
    struct session_life *life = shortest ? life_of(shortest) : NULL;

    *result = shortest && !life ? shortest : beck__session_rdd(life, NULL);
    if (!life)
        return NULL;
    if (n > RDDS_MAX) {
        beck__node_error(&life->graph, name, site, BECK_INVALID, "%zu RDDs; give 1 to %u", n,
                         RDDS_MAX);
        return NULL;
    }
    for (size_t i = 1; life && i < n; i++) {
        if (!list[i]) {
            beck__node_error(&life->graph, name, site, BECK_INVALID, "RDD %zu of the list is NULL",
                             i);
            return NULL;
        }
        life = common_life(shortest, list[i], name, site, result);
        if (life == list[i]->life)
            shortest = list[i];
    }
    return life;
}

/* Their nodes, in the arena of *life; NULL as above. */
static struct node **nodes_of(beck_rdd *const *list, size_t n, const char *name, beck_site site,
                              struct session_life **life, beck_rdd **result)
{
    *life = life_of_all(list, n, name, site, result);
    struct arena *arena = *life ? (*life)->graph.arena : NULL;
    struct node **nodes = arena ? beck__arena_alloc(arena, n * sizeof(struct node *)) : NULL;

    if (arena && !nodes)
        beck__error_memory((*life)->graph.error, name, n * sizeof(struct node *));
    for (size_t i = 0; nodes && i < n; i++)
        nodes[i] = list[i]->node;
    return nodes;
}

#define ALL(name, T)                                                                               \
    beck_rdd *beck_rdd_##name##_all(beck_rdd *const *list, size_t n, const T *args)                \
    {                                                                                              \
        struct session_life *life;                                                                 \
        beck_rdd *result;                                                                          \
        struct node **nodes = nodes_of(list, n, #name, args->site, &life, &result);                \
        return nodes ? beck__session_rdd(                                                          \
                           life, beck__node_##name##_all(&life->graph, nodes, (uint32_t)n, args))  \
                     : result;                                                                     \
    }

ALL(union, beck_none_args)
ALL(cogroup, beck_group_args)

beck_rdd *beck_rdd_union(beck_rdd *a, beck_rdd *b, const beck_none_args *args)
{
    return beck_rdd_union_all((beck_rdd *const[]){a, b}, 2, args);
}

/* True if the other side is an RDD; else the error is set. */
static bool other_is_rdd(beck_rdd *r, beck_other other, const char *name, beck_site site)
{
    if (!other.rdd && r->node)
        beck__node_error(&life_of(r)->graph, name, site, BECK_INVALID,
                         "an RDD has no batches to meet those of a stream; put the stream first");
    return other.rdd != NULL;
}

#define WITH(name, T)                                                                              \
    beck_rdd *beck_rdd_##name(beck_rdd *r, beck_other other, const T *args)                        \
    {                                                                                              \
        beck_rdd *result;                                                                          \
        if (!other_is_rdd(r, other, #name, args->site))                                            \
            return beck__session_rdd(r->life, NULL);                                               \
        struct session_life *life = common_life(r, other.rdd, #name, args->site, &result);         \
        return life ? beck__session_rdd(                                                           \
                          life, beck__node_##name(&life->graph, r->node, other.rdd->node, args))   \
                    : result;                                                                      \
    }

WITH(join, beck_join_args)
WITH(cogroup, beck_group_args)
WITH(subtract, beck_group_args)
WITH(intersection, beck_group_args)
WITH(subtract_by_key, beck_group_args)
WITH(zip, beck_none_args)
WITH(cartesian, beck_none_args)

const char *beck_rdd_schema_text(const beck_rdd *r)
{
    struct text text = {0};
    const char *copy = NULL;

    if (r->life && r->node) {
        text.memory = r->life->graph.arena->memory;
        beck__schema_print(r->node->schema, &text);
        copy = beck__arena_text(r->life->graph.arena, beck__text_get(&text));
        beck__text_deinit(&text);
    }
    return copy ? copy : "";
}

/* ---- creation -------------------------------------------------------------------------------- */

static beck_status fill(const beck_schema *schema, const beck_parallelize_args *args, size_t from,
                        size_t to, struct blocks *list, struct error *error)
{
    struct builder b;
    beck_status status = beck__builder_init(&b, list->memory, schema, 0, error);
    uint32_t width = schema->count;

    for (size_t i = from; !status && i < to; i++) {
        for (uint32_t k = 0; !status && k < width; k++)
            status = beck__builder_value(&b, k, &args->values[i * width + k], NULL, error);
        if (status)
            break;
        beck__builder_end_row(&b);
        if (beck__builder_full(&b) || i + 1 == to) {
            struct block *block =
                beck__block_new(list->memory, schema, b.chunk, 0, b.chunk->rows, NULL);
            if (!block || !beck__blocks_add(list, block))
                status = beck__error_memory(error, "parallelize", 0);
            beck__builder_clear(&b);
        }
    }
    beck__builder_deinit(&b);
    return status;
}

/* Slice i of n elements over p partitions: [i*n/p, (i+1)*n/p). */
static beck_status slice_up(beck_context *ctx, const beck_schema *schema,
                            const beck_parallelize_args *args, struct blocks *lists, uint32_t count,
                            struct error *error)
{
    beck_status status = BECK_OK;

    for (uint32_t p = 0; !status && p < count; p++) {
        size_t from = (size_t)((unsigned long long)p * args->rows / count);
        size_t to = (size_t)((unsigned long long)(p + 1) * args->rows / count);
        lists[p].memory = &ctx->os->memory;
        status = fill(schema, args, from, to, &lists[p], error);
    }
    return status;
}

/* The same lists in the arena, without references: they need no owner. */
static struct blocks *borrow(struct arena *arena, const struct blocks *lists, uint32_t count)
{
    struct blocks *all = beck__arena_alloc(arena, count * sizeof *all);

    for (uint32_t p = 0; all && p < count; p++) {
        const void *items = lists[p].items ? (const void *)lists[p].items : "";
        size_t size = lists[p].count * sizeof(struct block *);
        all[p] = lists[p];
        all[p].capacity = lists[p].count;
        all[p].items = beck__arena_copy(arena, items, size);
        if (!all[p].items)
            return NULL;
    }
    return all;
}

struct node *beck__session_values(struct session_life *life, const char *name, beck_site site,
                                  const beck_schema *schema, const struct blocks *lists,
                                  uint32_t count)
{
    struct graph *graph = &life->graph;
    const struct blocks *values = borrow(graph->arena, lists, count);
    struct dataset *dataset = NULL;

    if (!values) {
        beck__error_memory(graph->error, name, count * sizeof *values);
        return NULL;
    }
    struct node *node = beck__node_from_values(graph, name, site, schema, values, count);
    if (!node || beck__node_dataset(&life->stamp, node, &dataset, graph->error))
        return NULL;
    return node;
}

beck_rdd *beck__parallelize(beck_context *ctx, const beck_parallelize_args *args)
{
    if (!ctx || beck__session_engine(ctx))
        return beck__session_rdd(ctx ? &ctx->life : NULL, NULL);
    struct session_life *life = beck__session_life(ctx);
    struct graph *graph = &life->graph;
    const struct allocator *memory = &ctx->os->memory;
    const beck_schema *schema = NULL;
    struct error error = {0};
    uint32_t count = args->partitions > 0 ? (uint32_t)args->partitions : graph->partitions;
    struct blocks *lists = NULL;
    struct node *node = NULL;

    beck__schema_parse(graph->arena, args->schema, &schema, &error);
    if (args->partitions < 0)
        beck__error_set(&error, BECK_INVALID, ".partitions is %d; give 1 or more",
                        args->partitions);
    if (args->rows && !args->values)
        beck__error_set(&error, BECK_INVALID, "%zu rows, but values is NULL", args->rows);
    if (!error.status)
        lists = beck__alloc_zero(memory, count * sizeof *lists);
    if (!error.status && !lists)
        beck__error_memory(&error, "partitions", count * sizeof *lists);
    if (!error.status)
        slice_up(ctx, schema, args, lists, count, &error);
    if (error.status)
        beck__node_error(graph, "parallelize", args->site, error.status, "%s", error.text);
    else
        node = beck__session_values(life, "parallelize", args->site, schema, lists, count);
    for (uint32_t p = 0; lists && p < count; p++)
        if (lists[p].memory)
            beck__blocks_deinit(&lists[p]);
    beck__free(memory, lists, count * sizeof *lists);
    return beck__session_rdd(life, node);
}

/* ---- direct sources ---------------------------------------------------------------------------
 */

static beck_rdd *direct(beck_context *ctx, const char *name, const beck_direct_class *class_of,
                        beck_str params, beck_site site)
{
    struct session_life *life = beck__session_life(ctx);
    struct graph *graph = &life->graph;
    beck_str copy =
        beck_bytes_of(beck__arena_copy(graph->arena, params.data, params.size), params.size);

    if (!copy.data) {
        beck__error_memory(graph->error, name, params.size);
        return beck__session_rdd(life, NULL);
    }
    return beck__session_rdd(life, beck__node_ranges(graph, name, site, class_of, copy));
}

beck_rdd *beck__direct_rdd(beck_context *ctx, const beck_direct_args *args)
{
    if (!ctx)
        return beck__session_rdd(NULL, NULL);
    if (!args->class_of || !args->class_of->plan || !args->class_of->read) {
        beck__node_error(&beck__session_life(ctx)->graph, "direct_rdd", args->site, BECK_INVALID,
                         args->class_of ? "the class of the source lacks plan or read, which an "
                                          "RDD needs"
                                        : "the class of the source is NULL");
        return beck__session_rdd(beck__session_life(ctx), NULL);
    }
    return direct(ctx, args->class_of->name, args->class_of,
                  beck_bytes_of(args->params, args->params_size), args->site);
}

/* An argument that was left out is the setting. */
static uint64_t size_or(beck_context *ctx, int64_t given, enum option option)
{
    return (uint64_t)(given ? given : beck__settings_number(ctx->settings, option));
}

beck_rdd *beck__text_file(beck_context *ctx, const beck_text_file_args *args)
{
    struct beck__file_params params = {0};
    const char *path = args->path ? args->path : "";
    struct session_life *life = ctx ? beck__session_life(ctx) : NULL;
    struct graph *graph = life ? &life->graph : NULL;

    if (!ctx)
        return beck__session_rdd(NULL, NULL);
    if (!*path || strlen(path) >= sizeof params.path)
        beck__node_error(graph, "text_file", args->site, BECK_INVALID,
                         "the path is empty or longer than %zu bytes", sizeof params.path - 1);
    else if (args->split_bytes < 0)
        beck__node_error(graph, "text_file", args->site, BECK_INVALID,
                         ".split_bytes is %lld; give 1 or more", (long long)args->split_bytes);
    else if (args->line_bytes_max < 0 || args->line_bytes_max > UINT32_MAX)
        beck__node_error(graph, "text_file", args->site, BECK_INVALID,
                         ".line_bytes_max is %lld; give a number from 1 to %lu",
                         (long long)args->line_bytes_max, (unsigned long)UINT32_MAX);
    if (graph->error->status)
        return beck__session_rdd(life, NULL);
    memcpy(params.path, path, strlen(path));
    params.split_bytes = size_or(ctx, args->split_bytes, OPTION_SPLIT_BYTES);
    params.line_bytes_max = size_or(ctx, args->line_bytes_max, OPTION_LINE_BYTES);
    size_t size = offsetof(struct beck__file_params, path) + strlen(path) + 1;
    return direct(ctx, "text_file", beck__text_source, beck_bytes_of(&params, size), args->site);
}
