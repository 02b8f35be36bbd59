/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions over all rows that are made of other operators with functions of our own: statistics, a
 * histogram, the last row and the number of rows of each key.
 */
#include "rdd/inside.h"

/* The first column alone; NULL and an error if it is not of numbers. */
static struct node *numbers(struct graph *graph, struct node *parent, const struct origin *origin)
{
    const struct field *first = &parent->schema->fields[0];

    if (first->type == BECK_BIGINT || first->type == BECK_DOUBLE)
        return beck__node_hide(beck__node_project(graph, parent, origin, 0, 1));
    return beck__node_error(graph, origin->name, origin->site, BECK_TYPE,
                            "the first column, \"%s\", is %s; it must be BIGINT or DOUBLE",
                            first->name, beck__type_name(first->type));
}

static double number_of(beck_row row)
{
    return row.chunk->column[row.first].type == BECK_BIGINT ? (double)beck_get_bigint(row, 0)
                                                            : beck_get_double(row, 0);
}

/* ---- statistics ------------------------------------------------------------------------------ */

static void moments_step(beck_call *c, void *state, beck_row value)
{
    struct moments *m = state;
    double x = number_of(value), distance = x - m->mean;

    (void)c;
    m->min = m->count && m->min <= x ? m->min : x;
    m->max = m->count && m->max >= x ? m->max : x;
    m->count++;
    m->sum += x;
    m->mean += distance / (double)m->count;
    m->squares += distance * (x - m->mean);
}

static void moments_merge(beck_call *c, void *state, const void *bytes)
{
    struct moments *m = state, other;

    (void)c;
    memcpy(&other, bytes, sizeof other);
    if (m->count == 0 || other.count == 0) {
        if (other.count)
            *m = other;
        return;
    }
    double distance = other.mean - m->mean, n = (double)m->count, k = (double)other.count;
    m->min = m->min <= other.min ? m->min : other.min;
    m->max = m->max >= other.max ? m->max : other.max;
    m->count += other.count;
    m->sum += other.sum;
    m->mean += distance * k / (n + k);
    m->squares += other.squares + distance * distance * n * k / (n + k);
}

static void moments_value(beck_call *c, const void *state)
{
    beck_emit(c, beck_bytes_of(state, sizeof(struct moments)));
}

static const beck_aggregate moments = {.name = "stats",
                                       .result = "BINARY",
                                       .state_size = sizeof(struct moments),
                                       .step = moments_step,
                                       .merge = moments_merge,
                                       .value = moments_value};

struct node *beck__node_stats(struct graph *graph, struct node *parent, const beck_none_args *args)
{
    struct origin origin = {"stats", args->site, args->name};
    struct node *column = parent ? numbers(graph, parent, &origin) : NULL;
    const beck_reduce_args reduce = {.reducer = beck__by_aggregate(&moments), .site = args->site};

    return column ? beck__node_reduce(graph, column, &reduce) : NULL;
}

/* ---- histogram ------------------------------------------------------------------------------- */

/* Emits the number of the bucket; edges are the context bytes. */
static void find_bucket(beck_call *c, beck_row row)
{
    const double *edges = beck_ctx(c);
    uint64_t count;
    double x = number_of(row);

    memcpy(&count, edges, sizeof count);
    edges++;
    if (beck_is_null(row, 0) || !(x >= edges[0] && x <= edges[count - 1]))
        return;
    uint64_t low = 0, high = count - 1; /* edges[low] <= x, and x < edges[high] or it is the last */
    while (high - low > 1) {
        uint64_t middle = (low + high) / 2;
        if (edges[middle] <= x)
            low = middle;
        else
            high = middle;
    }
    beck_emit(c, low);
}

/* The number of edges, then the edges. */
static const double *pack(struct graph *graph, const beck_histogram_args *args)
{
    uint64_t count = args->edge_count;
    double *packed = beck__arena_alloc(graph->arena, (args->edge_count + 1) * sizeof *packed);

    if (!packed) {
        beck__error_memory(graph->error, "histogram", args->edge_count * sizeof *packed);
        return NULL;
    }
    memcpy(packed, &count, sizeof count);
    memcpy(packed + 1, args->edges, args->edge_count * sizeof *packed);
    return packed;
}

struct node *beck__node_histogram(struct graph *graph, struct node *parent,
                                  const beck_histogram_args *args)
{
    struct origin origin = {"histogram", args->site, NULL};
    bool rising = args->edges && args->edge_count >= 2;

    if (!parent)
        return NULL;
    for (size_t i = 1; rising && i < args->edge_count; i++)
        rising = args->edges[i - 1] < args->edges[i] ||
                 (args->edge_count == 2 && args->edges[0] == args->edges[1]);
    if (!rising)
        return beck__node_error(graph, origin.name, origin.site, BECK_INVALID,
                                "%zu edges; give at least two, each larger than the one before, or "
                                ".buckets",
                                args->edges ? args->edge_count : 0);
    struct node *column = numbers(graph, parent, &origin);
    const double *packed = column ? pack(graph, args) : NULL;
    if (!packed)
        return NULL;
    const beck_map_args map = {.schema = "bucket BIGINT",
                               .fn = find_bucket,
                               .site = args->site,
                               .ctx = packed,
                               .ctx_size = (args->edge_count + 1) * sizeof *packed};
    struct node *buckets = beck__node_map(graph, column, MAP_FLAT_MAP, &map);
    return beck__node_count_by_value(graph, buckets,
                                     &(const beck_group_args){.site = args->site, .partitions = 1});
}

/* ---- by key ---------------------------------------------------------------------------------- */

static void take_last(beck_call *c, beck_row a, beck_row b)
{
    (void)a;
    beck_emit_row(c, b);
}

struct node *beck__node_last_by_key(struct graph *graph, struct node *parent,
                                    const beck_none_args *args)
{
    struct origin origin = {"collect_as_map", args->site, args->name};

    if (!parent || !beck__node_pair(graph, &origin, parent))
        return NULL;
    return beck__node_reduce_by_key(
        graph, parent,
        &(const beck_reduce_args){.reducer = beck__by_callback(take_last), .site = args->site});
}

struct node *beck__node_count_by_key(struct graph *graph, struct node *parent,
                                     const beck_none_args *args)
{
    return beck__node_count_by_value(graph, beck__node_keys(graph, parent, args),
                                     &(const beck_group_args){.site = args->site});
}
