/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows of a stream: length and slide are checked here; the rdd room knows what to keep.
 */
/* tests: dstream_test.c */
#include "dstream/dstream.h"

#define SLICES_MAX INT32_MAX

/* True if `ms` is a positive multiple of the stream's slide; else the error is set. */
static bool is_multiple(beck_dstream *s, const char *name, beck_site site, const char *what,
                        int64_t ms)
{
    struct graph *graph = s->streams->graph;
    int64_t slide_ms = s->slide_ms, most = BECK__SPAN_MS_MAX / slide_ms;

    most = (most < SLICES_MAX ? most : SLICES_MAX) * slide_ms;
    if (ms > 0 && ms % slide_ms == 0 && ms <= most)
        return true;
    if (ms == 0)
        beck__node_error(graph, name, site, BECK_INVALID,
                         "%s is missing; give a multiple of the stream's slide of %lld ms", what,
                         (long long)slide_ms);
    else
        beck__node_error(graph, name, site, BECK_INVALID,
                         "%s is %lld; give a positive multiple of the stream's slide of %lld ms, "
                         "at most %lld",
                         what, (long long)ms, (long long)slide_ms, (long long)most);
    return false;
}

/* Fills in *windowing; NULL after an error. */
static struct graph *check(beck_dstream *s, const char *name, beck_site site,
                           struct windowing *windowing)
{
    struct graph *graph = beck__dstream_graph(s, name, site);

    windowing->parent_ms = s->slide_ms;
    return graph && is_multiple(s, name, site, ".window_ms", windowing->length_ms) &&
                   is_multiple(s, name, site, ".slide_ms", windowing->slide_ms)
               ? graph
               : NULL;
}

#define WINDOW(name, T)                                                                            \
    beck_dstream *beck__##name(beck_dstream *s, const T *args)                                     \
    {                                                                                              \
        struct windowing windowing = {.length_ms = args->window_ms, .slide_ms = args->slide_ms};   \
        struct graph *graph = check(s, #name, args->site, &windowing);                             \
        return graph ? beck__dstream_new(s->streams,                                               \
                                         beck__node_##name(graph, s->node, &windowing, args),      \
                                         args->slide_ms)                                           \
                     : beck__dstream_poisoned(s);                                                  \
    }

WINDOW(window, beck_window_args)
WINDOW(count_by_window, beck_window_args)
WINDOW(count_by_value_and_window, beck_window_args)
WINDOW(group_by_key_and_window, beck_window_args)
WINDOW(reduce_by_window, beck_reduce_window_args)
WINDOW(reduce_by_key_and_window, beck_reduce_window_args)
