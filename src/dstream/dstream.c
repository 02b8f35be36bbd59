/* SPDX-License-Identifier: Apache-2.0 */
/*
 * beck_dstream: transformations and output operations, as nodes of the rdd room.
 */
#include "dstream/dstream.h"

#include "connectors/connectors.h"

#include <stdio.h>

static beck_dstream poisoned;

beck_dstream *beck__dstream_new(struct streams *streams, struct node *node, int64_t slide_ms)
{
    beck_dstream *s = beck__arena_alloc(streams->graph->arena, sizeof *s);

    if (!s) {
        beck__error_memory(streams->graph->error, "a stream", sizeof *s);
        return &poisoned;
    }
    s->streams = streams;
    s->node = node;
    s->slide_ms = slide_ms;
    s->older = streams->newest;
    streams->newest = s;
    return s;
}

bool beck__streams_open(struct streams *streams, const char *name, beck_site site)
{
    if (streams->frozen)
        beck__node_error(
            streams->graph, name, site, BECK_STATE,
            "the graph is frozen: inputs, transformations and outputs are added before "
            "beck_start or beck_run");
    return !streams->frozen;
}

struct graph *beck__dstream_graph(beck_dstream *s, const char *name, beck_site site)
{
    if (!s->streams || !beck__streams_open(s->streams, name, site))
        return NULL;
    return s->node ? s->streams->graph : NULL;
}

beck_dstream *beck__dstream_poisoned(beck_dstream *s)
{
    return s && s->streams ? beck__dstream_new(s->streams, NULL, s->slide_ms) : &poisoned;
}

#define TRANSFORM(name, T)                                                                         \
    beck_dstream *beck_dstream_##name(beck_dstream *s, const T *args)                              \
    {                                                                                              \
        struct graph *graph = beck__dstream_graph(s, #name, args->site);                           \
        return graph ? beck__dstream_new(s->streams, beck__node_##name(graph, s->node, args),      \
                                         s->slide_ms)                                              \
                     : beck__dstream_poisoned(s);                                                  \
    }

#define MAP(name, kind)                                                                            \
    beck_dstream *beck_dstream_##name(beck_dstream *s, const beck_map_args *args)                  \
    {                                                                                              \
        struct graph *graph = beck__dstream_graph(s, #name, args->site);                           \
        return graph ? beck__dstream_new(s->streams, beck__node_map(graph, s->node, kind, args),   \
                                         s->slide_ms)                                              \
                     : beck__dstream_poisoned(s);                                                  \
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
TRANSFORM(reduce, beck_reduce_args)
TRANSFORM(reduce_by_key, beck_reduce_args)
TRANSFORM(group_by_key, beck_group_args)
TRANSFORM(combine_by_key, beck_combine_args)
TRANSFORM(count, beck_none_args)
TRANSFORM(count_by_value, beck_group_args)
TRANSFORM(distinct, beck_group_args)

/* True if both have RDDs at the same times; else the error is set. */
static bool same_slide(struct graph *graph, const beck_dstream *a, const beck_dstream *b,
                       const char *name, beck_site site)
{
    if (a->slide_ms != b->slide_ms)
        beck__node_error(graph, name, site, BECK_INVALID,
                         "the streams have different slides, %lld ms and %lld ms: they have no "
                         "RDD at the same times; give both windows the same .slide_ms",
                         (long long)a->slide_ms, (long long)b->slide_ms);
    return a->slide_ms == b->slide_ms;
}

/* ---- several streams --------------------------------------------------------------------------
 */

#define STREAMS_MAX 65536u

/* Stream i may be taken together with the first one; else the error is set, or it is poisoned. */
static bool meets(beck_dstream *const *list, size_t i, const char *name, beck_site site)
{
    struct graph *graph = list[0]->streams->graph;

    if (!list[i])
        beck__node_error(graph, name, site, BECK_INVALID, "stream %zu of the list is NULL", i);
    if (!list[i] || !list[i]->node)
        return false;
    if (list[i]->streams == list[0]->streams)
        return same_slide(graph, list[0], list[i], name, site);
    beck__node_error(graph, name, site, BECK_INVALID, "the streams belong to different contexts");
    return false;
}

struct node **beck__dstream_nodes(beck_dstream *const *list, size_t n, const char *name,
                                  beck_site site)
{
    struct graph *graph = n && list && list[0] ? beck__dstream_graph(list[0], name, site) : NULL;

    if (graph && n > STREAMS_MAX)
        beck__node_error(graph, name, site, BECK_INVALID, "%zu streams; give 1 to %u", n,
                         STREAMS_MAX);
    if (!graph || n > STREAMS_MAX)
        return NULL;
    struct node **nodes = beck__arena_alloc(graph->arena, n * sizeof(struct node *));
    if (!nodes)
        beck__error_memory(graph->error, name, n * sizeof(struct node *));
    for (size_t i = 0; nodes && i < n; i++) {
        if (!meets(list, i, name, site))
            return NULL;
        nodes[i] = list[i]->node;
    }
    return nodes;
}

#define ALL(name, T)                                                                               \
    beck_dstream *beck_dstream_##name##_all(beck_dstream *const *list, size_t n, const T *args)    \
    {                                                                                              \
        struct node **nodes = beck__dstream_nodes(list, n, #name, args->site);                     \
        if (!nodes)                                                                                \
            return beck__dstream_poisoned(n && list ? list[0] : NULL);                             \
        struct streams *streams = list[0]->streams;                                                \
        return beck__dstream_new(                                                                  \
            streams, beck__node_##name##_all(streams->graph, nodes, (uint32_t)n, args),            \
            list[0]->slide_ms);                                                                    \
    }

ALL(union, beck_none_args)
ALL(cogroup, beck_group_args)

beck_dstream *beck_dstream_union(beck_dstream *a, beck_dstream *b, const beck_none_args *args)
{
    return beck_dstream_union_all((beck_dstream *const[]){a, b}, 2, args);
}

/* The node of the other side: a stream of this context, or an RDD that lives as long as it. NULL:
 * the error is set. */
static struct node *other_node(beck_dstream *s, beck_other other, const char *name, beck_site site)
{
    struct graph *graph = s->streams->graph;

    if (other.stream ? other.stream->streams == s->streams : other.rdd && other.rdd->graph == graph)
        return !other.stream                                    ? other.rdd->node
               : same_slide(graph, s, other.stream, name, site) ? other.stream->node
                                                                : NULL;
    if (other.stream ? other.stream->streams != NULL : other.rdd && other.rdd->graph)
        beck__node_error(graph, name, site, BECK_INVALID,
                         "the other side belongs to another context, or to one batch only");
    else if (!other.stream && !other.rdd)
        beck__node_error(graph, name, site, BECK_INVALID, "the other side is NULL");
    return NULL;
}

#define WITH(name, T)                                                                              \
    beck_dstream *beck_dstream_##name(beck_dstream *s, beck_other other, const T *args)            \
    {                                                                                              \
        struct graph *graph = beck__dstream_graph(s, #name, args->site);                           \
        struct node *node = graph ? other_node(s, other, #name, args->site) : NULL;                \
        return node ? beck__dstream_new(s->streams, beck__node_##name(graph, s->node, node, args), \
                                        s->slide_ms)                                               \
                    : beck__dstream_poisoned(s);                                                   \
    }

WITH(join, beck_join_args)
WITH(cogroup, beck_group_args)
WITH(subtract, beck_group_args)
WITH(intersection, beck_group_args)
WITH(subtract_by_key, beck_group_args)
WITH(zip, beck_none_args)
WITH(cartesian, beck_none_args)

const char *beck_dstream_schema_text(const beck_dstream *s)
{
    const char *copy = NULL;

    if (s->node) {
        struct text text = {.memory = s->streams->graph->arena->memory};
        beck__schema_print(s->node->schema, &text);
        copy = beck__arena_text(s->streams->graph->arena, beck__text_get(&text));
        beck__text_deinit(&text);
    }
    return copy ? copy : "";
}

/* ---- outputs --------------------------------------------------------------------------------- */

struct output *beck__output_new(beck_dstream *s, enum output_kind kind, const char *name,
                                beck_site site, const char *label)
{
    struct graph *graph = beck__dstream_graph(s, name, site);
    struct output *output = graph ? beck__arena_alloc(graph->arena, sizeof *output) : NULL;
    const char *slash = site.file ? strrchr(site.file, '/') : NULL;

    if (!output) {
        if (graph)
            beck__error_memory(graph->error, name, sizeof *output);
        return NULL;
    }
    output->kind = kind;
    output->name = name;
    output->node = s->node;
    output->slide_ms = s->slide_ms;
    snprintf(output->what, sizeof output->what, "%s", label ? label : name);
    size_t size = strlen(output->what);
    output->label = label ? (uint32_t)size : 0;
    if (site.file)
        snprintf(output->what + size, sizeof output->what - size, " at %s:%d",
                 slash ? slash + 1 : site.file, site.line);
    if (s->streams->last)
        s->streams->last->next = output;
    else
        s->streams->first = output;
    s->streams->last = output;
    output->number = s->streams->output_count++;
    return output;
}

static void output_sink(beck_dstream *s, const char *name, const beck_save_args *args,
                        uint64_t rows)
{
    struct graph *graph = beck__dstream_graph(s, name, args->site);

    if (graph && args->pool && (!*args->pool || strpbrk(args->pool, ",: "))) {
        beck__node_error(graph, name, args->site, BECK_INVALID,
                         "\"%.60s\" cannot be the name of a pool: give a word without \",\", \":\" "
                         "and space",
                         args->pool);
        return;
    }
    const struct program *program = graph ? beck__program_sink(graph, s->node, args, rows) : NULL;
    struct output *output =
        program ? beck__output_new(s, OUTPUT_SINK, name, args->site, args->name) : NULL;

    if (output) {
        output->program = program;
        output->class_of = args->class_of;
        output->parallel = args->parallel;
        output->pool = beck__arena_text(graph->arena, args->pool);
        if (args->pool && !output->pool)
            beck__error_memory(graph->error, name, strlen(args->pool));
    }
}

void beck_dstream_save(beck_dstream *s, const beck_save_args *args)
{
    if (args->class_of)
        output_sink(s, args->class_of->name, args, 0);
    else if (s->streams)
        beck__node_error(s->streams->graph, "save", args->site, BECK_INVALID,
                         "the class of the sink is NULL");
}

void beck_dstream_print(beck_dstream *s, const beck_print_args *args)
{
    uint32_t rows = args->rows > 0 ? (uint32_t)args->rows : 10;
    struct beck__print_params params = {.rows = rows, .header = true};
    beck_save_args to = {.class_of = beck__print_sink,
                         .site = args->site,
                         .params = &params,
                         .params_size = sizeof params,
                         .name = args->name,
                         .parallel = args->parallel,
                         .pool = args->pool};

    if (args->rows < 0 && s->streams) {
        beck__node_error(s->streams->graph, "print", args->site, BECK_INVALID,
                         ".rows is %d; give 1 or more, or 0 for 10", args->rows);
        return;
    }
    if (args->name)
        snprintf(params.title, sizeof params.title, "%s", args->name);
    output_sink(s, "print", &to, (uint64_t)rows + 1);
}

void beck__save_as_text_files(beck_dstream *s, const beck_save_text_files_args *args)
{
    struct beck__text_sink_params params = {.batches = true, .empty = args->empty};
    const char *prefix = args->prefix ? args->prefix : "",
               *suffix = args->suffix ? args->suffix : "";

    if (!*prefix || strlen(prefix) >= sizeof params.path - 64 ||
        strlen(suffix) >= sizeof params.suffix) {
        if (s->streams)
            beck__node_error(s->streams->graph, "save_as_text_files", args->site, BECK_INVALID,
                             "the prefix is empty, or prefix or suffix is too long");
        return;
    }
    memcpy(params.path, prefix, strlen(prefix));
    memcpy(params.suffix, suffix, strlen(suffix));
    beck_save_args to = {.class_of = beck__text_sink,
                         .site = args->site,
                         .params = &params,
                         .params_size = sizeof params,
                         .empty = args->empty,
                         .name = args->name,
                         .parallel = args->parallel,
                         .pool = args->pool};
    output_sink(s, "save_as_text_files", &to, 0);
}

void beck__foreach_rdd(beck_dstream *s, const beck_foreach_rdd_args *args)
{
    if (!args->fn) {
        if (s->streams)
            beck__node_error(s->streams->graph, "foreach_rdd", args->site, BECK_INVALID,
                             "the callback is NULL");
        return;
    }
    struct output *output =
        beck__output_new(s, OUTPUT_FOREACH, "foreach_rdd", args->site, args->name);
    if (output) {
        output->fn = args->fn;
        output->ctx = args->ctx;
    }
}

/* ---- the graph as text ----------------------------------------------------------------------- */

static void print_node(const struct node *node, unsigned depth, struct text *out)
{
    if (!node->hidden || node->kind == NODE_SHUFFLE) {
        beck__text_printf(out, "%*s", (int)(2 + 3 * depth), "");
        beck__node_print(node, out);
        beck__text_add(out, "\n");
        depth++;
    }
    for (uint32_t i = 0; i < node->parent_count; i++)
        print_node(node->parents[i], depth, out);
}

void beck__node_tree_print(const struct node *node, struct text *out)
{
    print_node(node, 0, out);
}

static const char *guarantee(const struct output *output)
{
    static const char *const texts[] = {"at least once", "idempotent", "atomic", "two-phase"};

    if (output->kind != OUTPUT_SINK)
        return "at least once";
    return texts[output->class_of->guarantee];
}

void beck__streams_print(const struct streams *streams, struct text *out)
{
    for (const struct output *o = streams->first; o; o = o->next) {
        beck__text_printf(out, "%soutput %u: ", o->number ? "\n" : "", o->number);
        if (o->label)
            beck__text_printf(out, "%s \"%.*s\"", o->name, (int)o->label, o->what);
        beck__text_printf(out, "%s  (%s%s%s%s)\n", o->what + o->label, guarantee(o),
                          o->parallel ? ", parallel" : "", o->pool ? ", pool " : "",
                          o->pool ? o->pool : "");
        beck__node_tree_print(o->node, out);
    }
}
