/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions that fold an RDD, look at its order, or at its keys: each is a node of the rdd room whose
 * rows are collected.
 */
#include "session/session.h"

#include <math.h>

/* An action whose result are the rows of `made` (which is not made of a poisoned RDD). With SOME an
 * empty one is an error. */
enum { ANY, SOME };
#define ACTION(function, T, name, some, made)                                                      \
    beck_result *function(beck_rdd *r, const T *args)                                              \
    {                                                                                              \
        return beck__session_result(r, r->node ? made : NULL, name, some ? &args->site : NULL);    \
    }
#define NODE(name)         beck__node_##name(r->graph, r->node, args)
#define ORDERED(name, top) beck__node_ordered(r->graph, r->node, name, args, top)

ACTION(beck_rdd_reduce, beck_reduce_args, "reduce", SOME, NODE(reduce))
ACTION(beck_rdd_count_by_value, beck_group_args, "count_by_value", ANY, NODE(count_by_value))
ACTION(beck__fold, beck_fold_args, "fold", ANY, NODE(fold))
ACTION(beck__aggregate, beck_aggregate_args, "aggregate", ANY, NODE(aggregate))
ACTION(beck__lookup, beck_lookup_args, "lookup", ANY, NODE(lookup))
ACTION(beck__collect_as_map, beck_none_args, "collect_as_map", ANY, NODE(last_by_key))
ACTION(beck__count_by_key, beck_none_args, "count_by_key", ANY, NODE(count_by_key))
ACTION(beck__min, beck_ordered_args, "min", SOME, ORDERED("min", false))
ACTION(beck__max, beck_ordered_args, "max", SOME, ORDERED("max", true))

static beck_result *first_rows(beck_rdd *r, const beck_ordered_args *args, const char *name,
                               bool top)
{
    return args->n ? beck__session_result(r, r->node ? ORDERED(name, top) : NULL, name, NULL)
                   : beck_take(r, 0);
}

beck_result *beck__take_ordered(beck_rdd *r, const beck_ordered_args *args)
{
    return first_rows(r, args, "take_ordered", false);
}

beck_result *beck__top(beck_rdd *r, const beck_ordered_args *args)
{
    return first_rows(r, args, "top", true);
}

bool beck_is_empty(beck_rdd *r)
{
    beck_result *first = beck_take(r, 1);
    bool empty = beck_result_rows(first) == 0;

    beck_result_free(first);
    return empty;
}

/* ---- numbers --------------------------------------------------------------------------------- */

beck_statistics beck__stats(beck_rdd *r, const beck_none_args *args)
{
    beck_result *result = beck__session_result(r, r->node ? NODE(stats) : NULL, "stats", NULL);
    beck_statistics s = {.status = beck_result_status(result)};
    struct moments m = {0};

    if (beck_result_rows(result) == 1) {
        beck_str bytes = beck_get_binary(beck_result_row(result, 0), 0);
        if (bytes.size == sizeof m)
            memcpy(&m, bytes.data, sizeof m);
    }
    beck_result_free(result);
    s.count = m.count;
    s.sum = m.sum;
    s.mean = m.count ? m.mean : (double)NAN;
    s.min = m.count ? m.min : (double)NAN;
    s.max = m.count ? m.max : (double)NAN;
    s.variance = m.count ? m.squares / (double)m.count : (double)NAN;
    s.stdev = sqrt(s.variance);
    return s;
}

/* ---- histogram ------------------------------------------------------------------------------- */

#define BUCKETS_MAX 1000000

static const struct field histogram_fields[] = {
    {.name = "low", .type = BECK_DOUBLE},
    {.name = "high", .type = BECK_DOUBLE},
    {.name = "count", .type = BECK_BIGINT},
};
static const beck_schema histogram_schema = {3, histogram_fields};

/* The buckets between edges, also the empty ones; `counts` are rows (bucket, count). */
static beck_status fill(struct builder *b, const beck_histogram_args *args, int64_t *in_bucket,
                        const beck_result *counts)
{
    struct error error = {0};

    for (uint64_t i = 0; i < beck_result_rows(counts); i++) {
        beck_row row = beck_result_row(counts, i);
        in_bucket[beck_get_bigint(row, 0)] = beck_get_bigint(row, 1);
    }
    for (size_t i = 0; i + 1 < args->edge_count && !error.status; i++) {
        beck_value cells[] = {beck_double_value(args->edges[i]),
                              beck_double_value(args->edges[i + 1]),
                              beck_integer_value(in_bucket[i])};
        for (uint32_t k = 0; k < 3 && !error.status; k++)
            beck__builder_value(b, k, &cells[k], NULL, &error);
        if (!error.status)
            beck__builder_end_row(b);
    }
    return error.status;
}

static beck_result *between(beck_rdd *r, const beck_histogram_args *args)
{
    struct error error = {0};
    struct builder b = {.memory = NULL};
    beck_result *counts =
        beck__session_result(r, r->node ? NODE(histogram) : NULL, "histogram", NULL);

    if (beck_result_status(counts))
        return counts;
    int64_t *in_bucket = beck__arena_alloc(r->graph->arena, args->edge_count * sizeof *in_bucket);
    if (!in_bucket)
        beck__error_memory(&error, "histogram", args->edge_count * sizeof *in_bucket);
    else if (!beck__builder_init(&b, &r->life->ctx->os->memory, &histogram_schema, UINT32_MAX,
                                 &error) &&
             fill(&b, args, in_bucket, counts))
        beck__error_memory(&error, "histogram", 0);
    beck__session_stick(r, &error);
    beck_result *result = error.status ? counts : beck__session_rows(r, &b);
    if (result != counts)
        beck_result_free(counts);
    beck__builder_deinit(&b);
    return result;
}

/* Equal widths from the least value to the largest; one bucket if they are the same. */
static beck_result *evenly(beck_rdd *r, const beck_histogram_args *args)
{
    beck_statistics s = beck__stats(r, &(const beck_none_args){.site = args->site});
    size_t count = s.min < s.max ? (size_t)args->buckets : 1;
    beck_histogram_args even = *args;
    double *edges = NULL;

    if (!s.status && s.count == 0)
        return beck_take(r, 0);
    if (!s.status && (args->buckets < 0 || args->buckets > BUCKETS_MAX))
        beck__node_error(r->graph, "histogram", args->site, BECK_INVALID,
                         "%d buckets; give a number from 1 to %d", args->buckets, BUCKETS_MAX);
    else if (!s.status && !isfinite(s.mean + (s.max - s.min)))
        beck__node_error(r->graph, "histogram", args->site, BECK_INVALID,
                         "a value is NaN or infinite, so that no width is equal; give .edges");
    else if (!s.status)
        edges = beck__arena_alloc(r->graph->arena, (count + 1) * sizeof *edges);
    if (!edges)
        return beck__session_result(r, NULL, "histogram", NULL);
    for (size_t i = 0; i < count; i++)
        edges[i] = s.min + (s.max - s.min) * (double)i / (double)count;
    edges[count] = s.max;
    even.edges = edges;
    even.edge_count = count + 1;
    return between(r, &even);
}

beck_result *beck__histogram(beck_rdd *r, const beck_histogram_args *args)
{
    return args->buckets ? evenly(r, args) : between(r, args);
}
