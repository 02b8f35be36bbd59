/* SPDX-License-Identifier: Apache-2.0 */
/*
 * streams.h - what a stream has and an RDD has not: windows over its batches, and state from batch
 * to batch. Part of beck.h, which includes it: its types and macros are meant.
 */
#ifndef BECK_STREAMS_H
#define BECK_STREAMS_H

#include <beck/beck.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- windows -------------------------------------------------------------------------------- */

/* At every multiple t of .slide_ms: the batches with time in (t - window_ms, t]. Both are multiples
 * of the stream's own slide (the batch interval, or that of the window before it), and both must be
 * given. Early windows are short. What a window needs is kept by itself. */
typedef struct beck_window_args {
    BECK_ARGS_TAIL;
    int64_t window_ms, slide_ms;
    int partitions; /* of those with a key; the others leave them as they are, or have one */
    const char *name;
} beck_window_args;

/* The elements of all those batches, in order of time. */
#define beck_window(...) BECK__CALL0(beck__window, beck_window_args, __VA_ARGS__)
/* Their number; nothing as long as there was never an element. */
#define beck_count_by_window(...) BECK__CALL0(beck__count_by_window, beck_window_args, __VA_ARGS__)
/* (value..., count BIGINT); a value that has left the window is gone. */
#define beck_count_by_value_and_window(...)                                                        \
    BECK__CALL0(beck__count_by_value_and_window, beck_window_args, __VA_ARGS__)
/* Key and ARRAY of its values, in order of time. */
#define beck_group_by_key_and_window(...)                                                          \
    BECK__CALL0(beck__group_by_key_and_window, beck_window_args, __VA_ARGS__)
BECK_API beck_dstream *beck__window(beck_dstream *s, const beck_window_args *args);
BECK_API beck_dstream *beck__count_by_window(beck_dstream *s, const beck_window_args *args);
BECK_API beck_dstream *beck__count_by_value_and_window(beck_dstream *s,
                                                       const beck_window_args *args);
BECK_API beck_dstream *beck__group_by_key_and_window(beck_dstream *s, const beck_window_args *args);

/* (s, aggregate or callback, .window_ms = , .slide_ms = ): as beck_reduce_by_key and beck_reduce,
 * over the window. Any associative function will do: an .inverse, as Spark wants it, may be given
 * and is never needed. A key (or the one element of reduce_by_window) without rows in the window is
 * gone; .filter, on whole rows, only hides. */
typedef struct beck_reduce_window_args {
    beck_reducer reducer;
    BECK_ARGS_TAIL;
    int64_t window_ms, slide_ms;
    int partitions;
    int n; /* of beck_top */
    beck_reduce_fn *inverse;
    beck_filter_fn *filter;
    const void *ctx;
    size_t ctx_size;
    const char *name;
} beck_reduce_window_args;
#define beck_reduce_by_key_and_window(s, ...)                                                      \
    BECK__REDUCE(beck__reduce_by_key_and_window, beck_reduce_window_args, s, __VA_ARGS__)
#define beck_reduce_by_window(s, ...)                                                              \
    BECK__REDUCE(beck__reduce_by_window, beck_reduce_window_args, s, __VA_ARGS__)
BECK_API beck_dstream *beck__reduce_by_key_and_window(beck_dstream *s,
                                                      const beck_reduce_window_args *args);
BECK_API beck_dstream *beck__reduce_by_window(beck_dstream *s, const beck_reduce_window_args *args);

/* ---- keyed state ---------------------------------------------------------------------------- */

/* beck_update_state_by_key(s, "state schema", fn): fn(c, key, values, state) runs in every batch
 * for every key that has a state or values, with the values of this batch in order (perhaps none);
 * what it puts is the key's state from then on; it emits nothing. The stream has key and state of
 * every key, read only as far as somebody asks. .touched_only runs it for keys with values alone,
 * so that a batch costs what it touches. .ttl_ms forgets keys without values for longer than that,
 * before it looks at the values of this batch: who comes back late starts anew. .initial: an RDD of
 * the context, keys and states to begin with, touched in the first batch. */
typedef struct beck_update_args {
    const char *schema;
    beck_update_fn *fn;
    BECK_ARGS_TAIL;
    bool touched_only;
    int64_t ttl_ms;
    beck_rdd *initial;
    int partitions;
    const void *ctx;
    size_t ctx_size;
    const char *name;
} beck_update_args;
#define beck_update_state_by_key(s, ...)                                                           \
    BECK__CALL(beck__update_state_by_key, beck_update_args, s, __VA_ARGS__)
BECK_API beck_dstream *beck__update_state_by_key(beck_dstream *s, const beck_update_args *args);

/* beck_map_with_state(s, "state schema", "output schema", fn): fn(c, key, value, state) runs once
 * per row and emits none or one. With .timeout_ms a key that had no row for longer than that gets
 * a last call in the first batch after it, with no value (beck_is_none), and is forgotten. */
typedef struct beck_map_with_state_args {
    const char *state;
    const char *schema;
    beck_track_fn *fn;
    BECK_ARGS_TAIL;
    int64_t timeout_ms;
    beck_rdd *initial;
    int partitions;
    const void *ctx;
    size_t ctx_size;
    const char *name;
} beck_map_with_state_args;
#define beck_map_with_state(s, ...)                                                                \
    BECK__CALL(beck__map_with_state, beck_map_with_state_args, s, __VA_ARGS__)
BECK_API beck_dstream *beck__map_with_state(beck_dstream *s, const beck_map_with_state_args *args);

/* Known state functions. The first four fold each value column into a state column of its type (a
 * null is skipped), count counts rows into one BIGINT; of numbers they are kernels. Each costs what
 * is touched, .touched_only or not. The beck_track ones, for beck_map_with_state, emit key and new
 * state for every row:
 *
 *     beck_update_state_by_key(pairs, "n BIGINT", beck_running_sum)
 *     beck_map_with_state(pairs, "n BIGINT", "word STRING, n BIGINT", beck_track_sum)
 *
 * distinct keeps "count BIGINT, values ARRAY<T>" of one value column, first seen first, and looks
 * through them for every row; top keeps "values ARRAY<T>", the largest, descending, as many as the
 * int that .ctx points to says (10). */
BECK_API void beck_running_sum(beck_call *c, beck_row key, beck_rows *values, beck_state *state);
BECK_API void beck_running_min(beck_call *c, beck_row key, beck_rows *values, beck_state *state);
BECK_API void beck_running_max(beck_call *c, beck_row key, beck_rows *values, beck_state *state);
BECK_API void beck_running_last(beck_call *c, beck_row key, beck_rows *values, beck_state *state);
BECK_API void beck_running_count(beck_call *c, beck_row key, beck_rows *values, beck_state *state);
BECK_API void beck_running_distinct(beck_call *c, beck_row key, beck_rows *values,
                                    beck_state *state);
BECK_API void beck_running_top(beck_call *c, beck_row key, beck_rows *values, beck_state *state);
BECK_API void beck_track_sum(beck_call *c, beck_row key, beck_row value, beck_state *state);
BECK_API void beck_track_min(beck_call *c, beck_row key, beck_row value, beck_state *state);
BECK_API void beck_track_max(beck_call *c, beck_row key, beck_row value, beck_state *state);
BECK_API void beck_track_last(beck_call *c, beck_row key, beck_row value, beck_state *state);
BECK_API void beck_track_count(beck_call *c, beck_row key, beck_row value, beck_state *state);

/* Key and state of every key of a stream made by one of the two, after each batch. */
#define beck_state_snapshots(...) BECK__CALL0(beck__state_snapshots, beck_none_args, __VA_ARGS__)
BECK_API beck_dstream *beck__state_snapshots(beck_dstream *s, const beck_none_args *args);

#ifdef __cplusplus
}
#endif
#endif
