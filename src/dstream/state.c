/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keyed state of a stream.
 */
/* tests: dstream_test.c */
#include "dstream/dstream.h"

#define STATEFUL(name, T)                                                                          \
    beck_dstream *beck__##name(beck_dstream *s, const T *args)                                     \
    {                                                                                              \
        struct graph *graph = beck__dstream_graph(s, #name, args->site);                           \
        return graph ? beck__dstream_new(s->streams,                                               \
                                         beck__node_##name(graph, s->node, s->slide_ms, args),     \
                                         s->slide_ms)                                              \
                     : beck__dstream_poisoned(s);                                                  \
    }

STATEFUL(map_with_state, beck_map_with_state_args)
STATEFUL(update_state_by_key, beck_update_args)

beck_dstream *beck__state_snapshots(beck_dstream *s, const beck_none_args *args)
{
    struct graph *graph = beck__dstream_graph(s, "state_snapshots", args->site);

    return graph ? beck__dstream_new(s->streams, beck__node_state_snapshots(graph, s->node, args),
                                     s->slide_ms)
                 : beck__dstream_poisoned(s);
}
