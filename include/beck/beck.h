/* SPDX-License-Identifier: Apache-2.0 */
/*
 * beck.h - Spark Streaming's model in C.
 *
 * A live stream is cut into small batches; each batch is an RDD (immutable, partitioned,
 * recomputable from its lineage); a DStream is the sequence of them. Read this file from top to
 * bottom: context, sources, transformations, outputs and actions, callbacks, aggregates.
 *
 * Names are Spark's in snake_case. One name serves batch and stream: beck_map(x, ...) takes a
 * beck_dstream * or a beck_rdd *. Required arguments are positional, options are designated:
 *
 *     beck_dstream *counts = beck_reduce_by_key(pairs, beck_sum, .partitions = 4);
 *
 * Zero or NULL always means "default" or "none". Building a graph never fails at the call: the
 * first error sticks to the context, later calls return a poisoned stream (never NULL), and
 * beck_run, beck_start or an action reports it.
 *
 * Rows have a schema: "word STRING, n BIGINT". Types: BOOLEAN, BIGINT, DOUBLE, STRING, BINARY,
 * TIMESTAMP, ARRAY<T>, STRUCT<name T, ...>; INTEGER, FLOAT and DATE name the wider ones. A pair
 * stream is a row whose first column is the key (beck_key_by chooses others).
 */
#ifndef BECK_H
#define BECK_H

#include <beck/types.h>

#define BECK_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct beck_context beck_context;
typedef struct beck_dstream beck_dstream;
typedef struct beck_rdd beck_rdd;
typedef struct beck_result beck_result;
typedef struct beck_call beck_call;
typedef struct beck_rows beck_rows;
typedef struct beck_state beck_state;

/* The version of the library that runs, as in BECK_VERSION. */
BECK_API const char *beck_version(void);

/* ---- how named options work ---------------------------------------------------------------- */

/* Where a call stands in the user's source: for errors, --describe and listeners. */
typedef struct beck_site {
    const char *file;
    int line;
} beck_site;

/* In every argument struct: required arguments, this tail, options. The size tells an older
 * caller from a newer one, so options are only ever added at the end. */
#define BECK_ARGS_TAIL                                                                             \
    size_t args_size;                                                                              \
    beck_site site

#define BECK__END(T)        .args_size = sizeof(T), .site = {__FILE__, __LINE__}
#define BECK__FIRST(a, ...) a
#define BECK__REST(a, ...)  __VA_ARGS__
#define BECK__OF(s, op)                                                                            \
    _Generic((s), beck_dstream * : beck_dstream_##op, beck_rdd * : beck_rdd_##op)
/* an operator with required arguments after the stream */
#define BECK__CALL(f, T, s, ...) f((s), &(const T){__VA_ARGS__, BECK__END(T)})
/* an operator without: everything through __VA_ARGS__, the stream split off */
#define BECK__CALL0(f, T, ...)                                                                     \
    f(BECK__FIRST(__VA_ARGS__, 0), &(const T){BECK__REST(__VA_ARGS__, BECK__END(T))})

/* ---- context: its life --------------------------------------------------------------------- */

/* INITIALIZED -> ACTIVE -> STOPPED, never back. Any number of contexts may live in one process;
 * each belongs to one thread, except for beck_stop, which any thread may call. */
typedef enum beck_state_of { BECK_INITIALIZED, BECK_ACTIVE, BECK_STOPPED } beck_state_of;

typedef enum beck_log_level { BECK_LOG_ERROR, BECK_LOG_WARNING, BECK_LOG_INFO } beck_log_level;
typedef void beck_log_fn(void *user, beck_log_level level, const char *text);

/* What begins a batch. EVENT: as soon as there is data; batch_ms is then the shortest time between
 * two batches (default 1), and what comes while one runs is the next one. Batch times are multiples
 * of batch_ms either way; those without data are skipped, but for slides of windows that are not
 * empty and for states that time out. */
typedef enum beck_trigger { BECK_TRIGGER_INTERVAL, BECK_TRIGGER_EVENT } beck_trigger;

typedef struct beck_context_args {
    const char *name; /* of the application; copied */
    BECK_ARGS_TAIL;
    int64_t batch_ms; /* batch interval; 0: from --batch, BECK_BATCH or the file, else 1000 */
    int argc;         /* the program's arguments; Beck takes the options it knows */
    char **argv;
    const char *master;     /* "local[4]", "local[*]"; the command line wins over it */
    int partitions;         /* after a shuffle; default 8 */
    const char *checkpoint; /* not in this version: a clear error */
    beck_log_fn *log;       /* default: standard error */
    void *log_user;
    bool manual_clock; /* time moves by beck_step only; see testing.h */
    int64_t manual_start_ms;
    beck_trigger trigger;
    int64_t batch_bytes_max; /* of each input; what is more waits for the next batch; 0: no limit */
    const char *pools;       /* their weights: "alerts:4,reports:1"; see beck_print */
} beck_context_args;

/* Never NULL unless memory is gone at once. First in main: in a process that was started as a
 * worker (--isolate) it serves the driver and ends the process. Options are taken from, in rising
 * order: defaults, this struct, the file of --conf-file or BECK_CONF_FILE, BECK_* variables,
 * argv. */
#define beck_context_new(...)                                                                      \
    beck__context_new(&(const beck_context_args){__VA_ARGS__, BECK__END(beck_context_args)})
BECK_API beck_context *beck__context_new(const beck_context_args *args);

/* Stops if need be (not gracefully) and frees everything made on the context. NULL is nothing. */
BECK_API void beck_context_free(beck_context *ctx);

/* The arguments that are not Beck's, argv[0] first; *argc counts them. Owned by the context. */
BECK_API char **beck_args(beck_context *ctx, int *argc);

/* Starts, waits, stops gracefully on SIGINT or SIGTERM (a second one ends at once), or when all
 * inputs have ended for good, as standard input does, and each output has shown what they brought
 * (states do not time out any more); reports the error if any, frees the context, and returns
 * main's exit code: 0, or 1 after it. With --help or --describe prints that page and runs nothing;
 * actions before it do not run either and return what they return after an error. Without any
 * stream it only reports and frees: a batch program ends with it too. */
BECK_API int beck_run(beck_context *ctx);

/* Starts on a thread of its own. On an ACTIVE context a no-op with a warning; on a STOPPED one
 * BECK_STATE. Without an output operation BECK_INVALID. After a failed start the state is STOPPED.
 */
BECK_API beck_status beck_start(beck_context *ctx);

/* Waits until the context has stopped: BECK_OK, or the error that ended it. */
BECK_API beck_status beck_await_termination(beck_context *ctx);
/* The same, BECK_TIMEOUT after timeout_ms. */
BECK_API beck_status beck_await_termination_or_timeout(beck_context *ctx, int64_t timeout_ms);

/* Stops; gracefully: receivers first, then everything already received is processed; files that no
 * batch has taken are left. Before start and twice is allowed. From another thread or from a driver
 * callback (listeners included) it only requests the stop; from the thread that started, it waits
 * for it. */
#define beck_stop(...) BECK__CALL0(beck__stop, beck_stop_args, __VA_ARGS__)
typedef struct beck_stop_args {
    BECK_ARGS_TAIL;
    bool graceful;
} beck_stop_args;
BECK_API beck_status beck__stop(beck_context *ctx, const beck_stop_args *args);

BECK_API beck_state_of beck_context_state(const beck_context *ctx);
/* The first error: its status, and a text of one or more lines that says what happened, where,
 * with which value, and what to do ("" without one). Owned by the context. */
BECK_API beck_status beck_error(const beck_context *ctx);
BECK_API const char *beck_error_text(const beck_context *ctx);

/* The graph as text: operators with call sites, schemas, kernel or callback, partitions,
 * guarantees. Owned by the context, until the next call. */
BECK_API const char *beck_describe(beck_context *ctx);

/* ---- listeners ----------------------------------------------------------------------------- */

typedef enum beck_event_kind {
    BECK_EVENT_STREAMING_STARTED,
    BECK_EVENT_STREAMING_STOPPED,
    BECK_EVENT_RECEIVER_STARTED,
    BECK_EVENT_RECEIVER_ERROR, /* will start again after a delay */
    BECK_EVENT_RECEIVER_STOPPED,
    BECK_EVENT_BATCH_SUBMITTED,
    BECK_EVENT_BATCH_STARTED,
    BECK_EVENT_BATCH_COMPLETED, /* `error` is set if it failed */
    BECK_EVENT_OUTPUT_STARTED,
    BECK_EVENT_OUTPUT_COMPLETED
} beck_event_kind;

/* Valid during the call. Times in milliseconds since the epoch, durations in microseconds, -1
 * where there is none (yet). */
typedef struct beck_event {
    beck_event_kind kind;
    int64_t time_ms;  /* when it happened */
    int64_t batch_ms; /* batch time */
    uint64_t records; /* of the batch */
    uint64_t bytes;
    int64_t scheduling_us; /* from the batch time to the start of its first output */
    int64_t processing_us; /* from there to the end of its last */
    const char *name;      /* of the receiver, the directory's stream or the output operation */
    const char *error;     /* NULL: none */
} beck_event;

/* In the driver, one event after another; must not block for long. */
typedef void beck_listener_fn(void *user, const beck_event *event);
BECK_API void beck_add_listener(beck_context *ctx, beck_listener_fn *listener, void *user);

/* ---- callbacks ----------------------------------------------------------------------------- */

/* Results leave by beck_emit; only a filter and a transform return a value. Task callbacks run on
 * worker threads, concurrently, and may run again for the same batch. The context bytes (.ctx,
 * .ctx_size) are copied; driver callbacks get the pointer itself. */
typedef void beck_map_fn(beck_call *c, beck_row in);
typedef bool beck_filter_fn(beck_call *c, beck_row in);
typedef void beck_flat_map_fn(beck_call *c, beck_row in);
typedef void beck_reduce_fn(beck_call *c, beck_row a, beck_row b);
typedef void beck_foreach_fn(beck_call *c, beck_row in);
typedef void beck_rows_fn(beck_call *c, beck_rows *rows);
typedef void beck_update_fn(beck_call *c, beck_row key, beck_rows *values, beck_state *state);
typedef void beck_track_fn(beck_call *c, beck_row key, beck_row value, beck_state *state);
typedef void beck_each_rdd_fn(beck_call *c, beck_rdd *rdd);
typedef beck_rdd *beck_transform_fn(beck_call *c, beck_rdd *in);
typedef beck_rdd *beck_transform_with_fn(beck_call *c, beck_rdd *const *in, size_t n);

/* Emits one row of 1 to 8 values: beck_emit(c, word, 1). The column's type decides what is
 * accepted; a wrong kind, a number out of range or a wrong count fails the call. */
#ifndef __cplusplus
#define beck_emit(c, ...)                                                                          \
    beck_emit_values((c), (const beck_value[]){BECK__VALUES(__VA_ARGS__)}, BECK__COUNT(__VA_ARGS__))
#endif
/* The same for any number of values. */
BECK_API void beck_emit_values(beck_call *c, const beck_value *values, size_t count);
/* A whole row of the output's shape. */
BECK_API void beck_emit_row(beck_call *c, beck_row row);

/* Fails the call: the task is retried (4 attempts), then the batch fails with this text, operator,
 * call site, partition, batch and record. The callback still returns by itself. */
BECK_API void beck_fail(beck_call *c, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* The context bytes of the operator, or in a driver callback its pointer; NULL: none. */
BECK_API const void *beck_ctx(const beck_call *c);
/* Batch time in milliseconds; 0 outside a batch. */
BECK_API int64_t beck_batch_time(const beck_call *c);
/* Of the task; -1 in a driver callback. */
BECK_API int beck_partition(const beck_call *c);
BECK_API int beck_attempt(const beck_call *c);

/* ---- what tasks share by name ---- */

/* beck_broadcast(ctx, "name", data, size): bytes that every task may read; copied, and sent to a
 * worker process once. The same name again replaces them, for the jobs that start afterwards: by
 * the thread that the context belongs to before start, in a driver callback while a stream runs.
 * No pointers in it, and the name makes it again after a restart. An error sticks. */
typedef struct beck_broadcast_args {
    const char *name;
    const void *data;
    size_t size;
    BECK_ARGS_TAIL;
} beck_broadcast_args;
#define beck_broadcast(ctx, ...) BECK__CALL(beck__broadcast, beck_broadcast_args, ctx, __VA_ARGS__)
BECK_API beck_status beck__broadcast(beck_context *ctx, const beck_broadcast_args *args);
/* Its bytes, aligned for any type, until the callback returns; an unknown name fails the call. */
BECK_API const void *beck_broadcast_get(beck_call *c, const char *name, size_t *size);

/* beck_accumulator(ctx, "name"): a counter that tasks add to and the driver reads; a BIGINT, or
 * .type = "DOUBLE". The same name again is the same counter, with another type an error. Made where
 * a broadcast value is. */
typedef struct beck_accumulator_args {
    const char *name;
    BECK_ARGS_TAIL;
    const char *type;
} beck_accumulator_args;
#define beck_accumulator(ctx, ...)                                                                 \
    BECK__CALL(beck__accumulator, beck_accumulator_args, ctx, __VA_ARGS__)
BECK_API beck_status beck__accumulator(beck_context *ctx, const beck_accumulator_args *args);
/* Adds a number. What a task adds counts once, when all tasks of its stage are through: a failed
 * attempt adds nothing, nor does a stage that fails. (Outputs with .parallel add in the order in
 * which they end: the last bits of a DOUBLE may differ.) As in Spark that is exact in an action
 * (foreach, a sink); a transformation counts each time that it is computed, and two jobs that need
 * the same rows compute what is behind the last shuffle twice. */
#define beck_accumulate(c, name, amount) beck__accumulate((c), (name), beck_value_of(amount))
BECK_API void beck__accumulate(beck_call *c, const char *name, beck_value amount);
/* The total so far; any thread. 0, and a warning, if there is no such counter. */
BECK_API int64_t beck_accumulated(beck_context *ctx, const char *name);
BECK_API double beck_accumulated_double(beck_context *ctx, const char *name);

/* Rows of a partition, in order. */
BECK_API uint64_t beck_rows_count(const beck_rows *rows);
BECK_API bool beck_next_row(beck_rows *rows, beck_row *row);
BECK_API void beck_rewind_rows(beck_rows *rows);

/* The state of a key, a row of the operator's state schema, within a callback. A change holds at
 * once, and for later batches when this one succeeds: a task that is tried again finds the state as
 * it was. Accessors give `absent` for a key without a state, and for null. */
BECK_API bool beck_state_exists(const beck_state *state);
/* Its row, until the next change; none (beck_is_none) without a state. */
BECK_API beck_row beck_state_get(const beck_state *state);
BECK_API int64_t beck_state_bigint(const beck_state *state, uint32_t column, int64_t absent);
BECK_API double beck_state_double(const beck_state *state, uint32_t column, double absent);
BECK_API beck_str beck_state_string(const beck_state *state, uint32_t column, beck_str absent);
/* True in the last call for a key, after its timeout: the value is none, and the state ends. */
BECK_API bool beck_state_is_timing_out(const beck_state *state);
/* beck_state_put(state, n, name): one value per column, as beck_emit takes them. */
#ifndef __cplusplus
#define beck_state_put(state, ...)                                                                 \
    beck_state_put_values((state), (const beck_value[]){BECK__VALUES(__VA_ARGS__)},                \
                          BECK__COUNT(__VA_ARGS__))
#endif
BECK_API void beck_state_put_values(beck_state *state, const beck_value *values, size_t count);
/* The key is forgotten. After that, and while it times out, nothing can be put: the call fails. */
BECK_API void beck_state_remove(beck_state *state);

/* ---- aggregates: known functions are kernels ------------------------------------------------ */

/* An aggregate folds the values of one column. Its state is `state_size` plain bytes (no
 * pointers): it is copied, merged and sent between processes. */
typedef struct beck_aggregate {
    const char *name;
    const char *kernel; /* of a built-in one; NULL: the functions below run */
    const char *result; /* result type as schema text; NULL: the column's own */
    size_t state_size;  /* at most 65536 */
    void (*init)(beck_call *c, void *state);
    void (*step)(beck_call *c, void *state, beck_row value); /* value: one column */
    void (*merge)(beck_call *c, void *state, const void *other);
    void (*inverse)(beck_call *c, void *state, beck_row value); /* undoes step; or NULL */
    void (*value)(beck_call *c, const void *state);             /* emits one value */
} beck_aggregate;

/* Null values are skipped (beck_count counts rows). A key without a non-null value gives null;
 * sum and avg take numbers, BIGINT sums wrap around. */
BECK_API extern const beck_aggregate beck_sum[1];
BECK_API extern const beck_aggregate beck_min[1];
BECK_API extern const beck_aggregate beck_max[1];
BECK_API extern const beck_aggregate beck_avg[1];   /* DOUBLE */
BECK_API extern const beck_aggregate beck_count[1]; /* BIGINT */
/* ARRAY of the distinct values, first seen first; ARRAY of the .n largest (10), descending. */
BECK_API extern const beck_aggregate beck_distinct[1];
BECK_API extern const beck_aggregate beck_top[1];

typedef struct beck_reducer {
    const beck_aggregate *aggregate;
    beck_reduce_fn *callback;
} beck_reducer;

static inline beck_reducer beck__by_aggregate(const beck_aggregate *aggregate)
{
    beck_reducer r;
    r.aggregate = aggregate;
    r.callback = NULL;
    return r;
}

static inline beck_reducer beck__by_callback(beck_reduce_fn *callback)
{
    beck_reducer r;
    r.aggregate = NULL;
    r.callback = callback;
    return r;
}

#define BECK__REDUCER(x)                                                                           \
    _Generic((x),                                                                                  \
        const beck_aggregate *: beck__by_aggregate,                                                \
        beck_aggregate *: beck__by_aggregate,                                                      \
        beck_reduce_fn *: beck__by_callback)(x)
#define BECK__REDUCE(f, T, s, ...)                                                                 \
    f((s), &(const T){.reducer = BECK__REDUCER(BECK__FIRST(__VA_ARGS__, 0)),                       \
                      BECK__REST(__VA_ARGS__, BECK__END(T))})

/* Row functions with a kernel behind them, for beck_flat_map. */
/* Cuts at space, tab, CR and LF, drops empty words; emits (word), or (word, 1) under two columns.
 */
BECK_API void beck_words(beck_call *c, beck_row line);
/* Cuts at LF (a CR before it is dropped); emits (line). */
BECK_API void beck_lines(beck_call *c, beck_row text);

/* ---- sources: sources.h -------------------------------------------------------------------- */

#include <beck/sources.h>

/* ---- transformations: on a DStream and on an RDD -------------------------------------------- */

#define BECK__BOTH(name, T)                                                                        \
    BECK_API beck_dstream *beck_dstream_##name(beck_dstream *s, const T *args);                    \
    BECK_API beck_rdd *beck_rdd_##name(beck_rdd *r, const T *args)

/* map, flat_map, map_values, flat_map_values: (s, "output schema", callback). The callback of the
 * *_values ones sees and emits the columns after the key. */
typedef struct beck_map_args {
    const char *schema;
    beck_map_fn *fn;
    BECK_ARGS_TAIL;
    const void *ctx;
    size_t ctx_size;
    const char *name;
} beck_map_args;
#define beck_map(s, ...)        BECK__CALL(BECK__OF(s, map), beck_map_args, s, __VA_ARGS__)
#define beck_flat_map(s, ...)   BECK__CALL(BECK__OF(s, flat_map), beck_map_args, s, __VA_ARGS__)
#define beck_map_values(s, ...) BECK__CALL(BECK__OF(s, map_values), beck_map_args, s, __VA_ARGS__)
#define beck_flat_map_values(s, ...)                                                               \
    BECK__CALL(BECK__OF(s, flat_map_values), beck_map_args, s, __VA_ARGS__)
BECK__BOTH(map, beck_map_args);
BECK__BOTH(flat_map, beck_map_args);
BECK__BOTH(map_values, beck_map_args);
BECK__BOTH(flat_map_values, beck_map_args);

typedef struct beck_filter_args {
    beck_filter_fn *fn;
    BECK_ARGS_TAIL;
    const void *ctx;
    size_t ctx_size;
    const char *name;
} beck_filter_args;
#define beck_filter(s, ...) BECK__CALL(BECK__OF(s, filter), beck_filter_args, s, __VA_ARGS__)
BECK__BOTH(filter, beck_filter_args);

/* (s, "output schema", callback): once per partition, also for an empty one. */
typedef struct beck_map_partitions_args {
    const char *schema;
    beck_rows_fn *fn;
    BECK_ARGS_TAIL;
    const void *ctx;
    size_t ctx_size;
    const char *name;
} beck_map_partitions_args;
#define beck_map_partitions(s, ...)                                                                \
    BECK__CALL(BECK__OF(s, map_partitions), beck_map_partitions_args, s, __VA_ARGS__)
BECK__BOTH(map_partitions, beck_map_partitions_args);

/* beck_key_by(s, "user, page") moves columns to the front; beck_key_by(s, "k BIGINT", fn) puts the
 * row that the callback emits before the whole element. */
typedef struct beck_key_by_args {
    const char *key;
    beck_map_fn *fn;
    BECK_ARGS_TAIL;
    const void *ctx;
    size_t ctx_size;
    const char *name;
} beck_key_by_args;
#define beck_key_by(s, ...) BECK__CALL(BECK__OF(s, key_by), beck_key_by_args, s, __VA_ARGS__)
BECK__BOTH(key_by, beck_key_by_args);

/* Of operators without arguments. */
typedef struct beck_none_args {
    BECK_ARGS_TAIL;
    const char *name;
} beck_none_args;

/* Concatenation, partitions in the order of the arguments; schemas must be equal in types. */
#define beck_union(a, b)                                                                           \
    _Generic((a), beck_dstream *                                                                   \
             : beck_dstream_union, beck_rdd *                                                      \
             : beck_rdd_union)((a), (b), &(const beck_none_args){BECK__END(beck_none_args)})
BECK_API beck_dstream *beck_dstream_union(beck_dstream *a, beck_dstream *b,
                                          const beck_none_args *args);
BECK_API beck_rdd *beck_rdd_union(beck_rdd *a, beck_rdd *b, const beck_none_args *args);

/* The same of n streams or RDDs, n at least 1: beck_union_all(list, n). */
#define BECK__OF_LIST(list, op)                                                                    \
    _Generic((list),                                                                               \
        beck_dstream **: beck_dstream_##op,                                                        \
        beck_dstream *const *: beck_dstream_##op,                                                  \
        beck_rdd **: beck_rdd_##op,                                                                \
        beck_rdd *const *: beck_rdd_##op)
#define beck_union_all(list, n)                                                                    \
    BECK__OF_LIST(list, union_all)((list), (n), &(const beck_none_args){BECK__END(beck_none_args)})
BECK_API beck_dstream *beck_dstream_union_all(beck_dstream *const *list, size_t n,
                                              const beck_none_args *args);
BECK_API beck_rdd *beck_rdd_union_all(beck_rdd *const *list, size_t n, const beck_none_args *args);

/* To exactly n partitions, by a shuffle. */
typedef struct beck_repartition_args {
    int partitions;
    BECK_ARGS_TAIL;
    const char *name;
} beck_repartition_args;
#define beck_repartition(s, ...)                                                                   \
    BECK__CALL(BECK__OF(s, repartition), beck_repartition_args, s, __VA_ARGS__)
BECK__BOTH(repartition, beck_repartition_args);

/* Each partition becomes one array: "elements ARRAY<...>". */
#define beck_glom(...)                                                                             \
    BECK__CALL0(BECK__OF(BECK__FIRST(__VA_ARGS__, 0), glom), beck_none_args, __VA_ARGS__)
BECK__BOTH(glom, beck_none_args);

/* reduce and reduce_by_key: (s, aggregate or callback). A callback gets two rows of value columns,
 * earlier one first, and emits one; it must be associative. reduce_by_key combines before the
 * shuffle. beck_reduce of a stream has at most one element per batch; of an RDD it is an action:
 * one row, of an empty RDD BECK_NOT_FOUND. */
typedef struct beck_reduce_args {
    beck_reducer reducer;
    BECK_ARGS_TAIL;
    int partitions;
    int n; /* of beck_top */
    const void *ctx;
    size_t ctx_size;
    const char *name;
} beck_reduce_args;
#define beck_reduce(s, ...) BECK__REDUCE(BECK__OF(s, reduce), beck_reduce_args, s, __VA_ARGS__)
#define beck_reduce_by_key(s, ...)                                                                 \
    BECK__REDUCE(BECK__OF(s, reduce_by_key), beck_reduce_args, s, __VA_ARGS__)
BECK_API beck_dstream *beck_dstream_reduce(beck_dstream *s, const beck_reduce_args *args);
BECK_API beck_result *beck_rdd_reduce(beck_rdd *r, const beck_reduce_args *args);
BECK__BOTH(reduce_by_key, beck_reduce_args);

/* Key and ARRAY of the values (of STRUCT if there are several value columns). */
typedef struct beck_group_args {
    BECK_ARGS_TAIL;
    int partitions;
    const char *name;
} beck_group_args;
#define beck_group_by_key(...)                                                                     \
    BECK__CALL0(BECK__OF(BECK__FIRST(__VA_ARGS__, 0), group_by_key), beck_group_args, __VA_ARGS__)
BECK__BOTH(group_by_key, beck_group_args);

/* The stream or RDD on the other side. A stream takes both: the RDD is the same in every batch. */
typedef struct beck_other {
    beck_dstream *stream;
    beck_rdd *rdd;
} beck_other;

static inline beck_other beck__other_stream(beck_dstream *stream)
{
    beck_other other;
    other.stream = stream;
    other.rdd = NULL;
    return other;
}

static inline beck_other beck__other_rdd(beck_rdd *rdd)
{
    beck_other other;
    other.stream = NULL;
    other.rdd = rdd;
    return other;
}

#define BECK__OTHER(x)                                                                             \
    _Generic((x), beck_dstream * : beck__other_stream, beck_rdd * : beck__other_rdd)(x)
#define BECK__WITH(f, T, s, ...)                                                                   \
    f((s), BECK__OTHER(BECK__FIRST(__VA_ARGS__, 0)),                                               \
      &(const T){BECK__REST(__VA_ARGS__, BECK__END(T))})

/* beck_join(a, b, .kind = BECK_LEFT_OUTER): key, columns of a, columns of b (a second "n" becomes
 * "n_right"), a row for each pair of rows with equal keys, in order of a, then of b; last come rows
 * of b alone. Both have keys of the same types; a null key equals itself. Of streams: of the same
 * batch. A hash join: it keeps b's part of a partition in memory, so let b be the smaller one. */
typedef struct beck_join_args {
    BECK_ARGS_TAIL;
    beck_join_kind kind;
    int partitions;
    const char *name;
} beck_join_args;
#define beck_join(s, ...)             BECK__WITH(BECK__OF(s, join), beck_join_args, s, __VA_ARGS__)
#define beck_left_outer_join(s, ...)  beck_join(s, __VA_ARGS__, .kind = BECK_LEFT_OUTER)
#define beck_right_outer_join(s, ...) beck_join(s, __VA_ARGS__, .kind = BECK_RIGHT_OUTER)
#define beck_full_outer_join(s, ...)  beck_join(s, __VA_ARGS__, .kind = BECK_FULL_OUTER)
BECK_API beck_dstream *beck_dstream_join(beck_dstream *s, beck_other other,
                                         const beck_join_args *args);
BECK_API beck_rdd *beck_rdd_join(beck_rdd *r, beck_other other, const beck_join_args *args);

/* beck_cogroup(a, b): key, ARRAY of the values of a, ARRAY of those of b (of STRUCT if there are
 * several value columns); empty where that side lacks the key. */
#define beck_cogroup(s, ...) BECK__WITH(BECK__OF(s, cogroup), beck_group_args, s, __VA_ARGS__)
BECK_API beck_dstream *beck_dstream_cogroup(beck_dstream *s, beck_other other,
                                            const beck_group_args *args);
BECK_API beck_rdd *beck_rdd_cogroup(beck_rdd *r, beck_other other, const beck_group_args *args);

/* The same of 2 to 4 streams or RDDs: beck_cogroup_all(list, n). */
#define beck_cogroup_all(list, ...)                                                                \
    BECK__OF_LIST(list, cogroup_all)                                                               \
    ((list), BECK__FIRST(__VA_ARGS__, 0),                                                          \
     &(const beck_group_args){BECK__REST(__VA_ARGS__, BECK__END(beck_group_args))})
BECK_API beck_dstream *beck_dstream_cogroup_all(beck_dstream *const *list, size_t n,
                                                const beck_group_args *args);
BECK_API beck_rdd *beck_rdd_cogroup_all(beck_rdd *const *list, size_t n,
                                        const beck_group_args *args);

/* Each different row once. Of a stream: within a batch. */
#define beck_distinct(...)                                                                         \
    BECK__CALL0(BECK__OF(BECK__FIRST(__VA_ARGS__, 0), distinct), beck_group_args, __VA_ARGS__)
BECK__BOTH(distinct, beck_group_args);

/* beck_transform(s, "output schema", fn): fn(c, rdd) runs in the driver once per batch, however
 * many outputs need it, and returns an RDD of that schema: the one it gets, or what is made of it
 * and of others, such as tables of the context that change from batch to batch. RDDs and actions in
 * it as in foreach_rdd; NULL, an RDD of another context or of other types fails the batch, and so
 * does a source that has no RDD in it. The first column is the key. .ctx is the pointer itself. */
typedef struct beck_transform_args {
    const char *schema;
    beck_transform_fn *fn;
    BECK_ARGS_TAIL;
    void *ctx;
    const char *name;
} beck_transform_args;
#define beck_transform(s, ...) BECK__CALL(beck__transform, beck_transform_args, s, __VA_ARGS__)
BECK_API beck_dstream *beck__transform(beck_dstream *s, const beck_transform_args *args);

/* The same of the RDDs of two streams, or of n: beck_transform_with(a, b, "output schema", fn),
 * beck_transform_all(streams, n, "output schema", fn); fn(c, rdds, n). */
typedef struct beck_transform_with_args {
    const char *schema;
    beck_transform_with_fn *fn;
    BECK_ARGS_TAIL;
    void *ctx;
    const char *name;
} beck_transform_with_args;
#define beck_transform_with(a, b, ...)                                                             \
    beck__transform_with(                                                                          \
        (a), (b),                                                                                  \
        &(const beck_transform_with_args){__VA_ARGS__, BECK__END(beck_transform_with_args)})
#define beck_transform_all(streams, n, ...)                                                        \
    beck__transform_all(                                                                           \
        (streams), (n),                                                                            \
        &(const beck_transform_with_args){__VA_ARGS__, BECK__END(beck_transform_with_args)})
BECK_API beck_dstream *beck__transform_with(beck_dstream *a, beck_dstream *b,
                                            const beck_transform_with_args *args);
BECK_API beck_dstream *beck__transform_all(beck_dstream *const *streams, size_t n,
                                           const beck_transform_with_args *args);

/* (s, "combiner schema", .create = , .merge_value = , .merge_combiners = ): all on columns after
 * the key. create: the first value -> combiner; merge_value: combiner, value -> combiner;
 * merge_combiners: two combiners -> one. .no_map_side: combine after the shuffle only. */
typedef struct beck_combine_args {
    const char *schema;
    BECK_ARGS_TAIL;
    beck_map_fn *create;
    beck_reduce_fn *merge_value;
    beck_reduce_fn *merge_combiners;
    int partitions;
    bool no_map_side;
    const void *ctx;
    size_t ctx_size;
    const char *name;
} beck_combine_args;
#define beck_combine_by_key(s, ...)                                                                \
    BECK__CALL(BECK__OF(s, combine_by_key), beck_combine_args, s, __VA_ARGS__)
BECK__BOTH(combine_by_key, beck_combine_args);

/* Of a stream: one BIGINT per batch, 0 for an empty one. Of an RDD an action: the number, -1 after
 * an error. */
#define beck_count(...)                                                                            \
    BECK__CALL0(BECK__OF(BECK__FIRST(__VA_ARGS__, 0), count), beck_none_args, __VA_ARGS__)
BECK_API beck_dstream *beck_dstream_count(beck_dstream *s, const beck_none_args *args);
BECK_API int64_t beck_rdd_count(beck_rdd *r, const beck_none_args *args);

/* (value..., count BIGINT). Of an RDD an action. */
#define beck_count_by_value(...)                                                                   \
    BECK__CALL0(BECK__OF(BECK__FIRST(__VA_ARGS__, 0), count_by_value), beck_group_args, __VA_ARGS__)
BECK_API beck_dstream *beck_dstream_count_by_value(beck_dstream *s, const beck_group_args *args);
BECK_API beck_result *beck_rdd_count_by_value(beck_rdd *r, const beck_group_args *args);

/* ---- windows and keyed state of a stream: streams.h ------------------------------------------ */

#include <beck/streams.h>

/* ---- rows that stay: storage.h --------------------------------------------------------------- */

#include <beck/storage.h>

/* Schema as text, and number of key columns, of a stream or an RDD. */
#define beck_schema_text(s) BECK__OF(s, schema_text)(s)
BECK_API const char *beck_dstream_schema_text(const beck_dstream *s);
BECK_API const char *beck_rdd_schema_text(const beck_rdd *r);
/* Of an RDD; -1 after an error. */
BECK_API int beck_rdd_partitions(beck_rdd *r);

/* ---- outputs of a stream, actions on an RDD --------------------------------------------------*/

/* An action runs at once. While a stream runs, actions run in its driver callbacks only: elsewhere
 * they are refused (BECK_STATE). */

/* Prints the first .rows elements (10) as Spark does: of a stream with the batch's time above, and
 * its .name if it has one.
 *
 * The outputs of a batch run in order of registration. One with .parallel does not keep the others
 * waiting: those behind it begin when it has begun, on the same worker threads, and its commit (a
 * slow disk or peer) has a thread of its own; what both need is computed once. The batch is done
 * when all are. Under beck_step they run in order; a foreach_rdd and a transform wait for those
 * before them.
 *
 * Tasks of outputs that run at the same time share the worker threads, in order, or with .pool by
 * the weights of their pools (beck_context_new .pools, --pools; Spark's FAIR pools). */
typedef struct beck_print_args {
    BECK_ARGS_TAIL;
    int rows;
    const char *name;
    bool parallel;
    const char *pool; /* a word; copied */
} beck_print_args;
#define beck_print(...)                                                                            \
    BECK__CALL0(BECK__OF(BECK__FIRST(__VA_ARGS__, 0), print), beck_print_args, __VA_ARGS__)
BECK_API void beck_dstream_print(beck_dstream *s, const beck_print_args *args);
BECK_API beck_status beck_rdd_print(beck_rdd *r, const beck_print_args *args);

/* Calls fn(c, rdd) in the driver for every batch; the RDD and what is made of it live as long as
 * the batch. */
typedef struct beck_foreach_rdd_args {
    beck_each_rdd_fn *fn;
    BECK_ARGS_TAIL;
    void *ctx;
    const char *name;
} beck_foreach_rdd_args;
#define beck_foreach_rdd(s, ...)                                                                   \
    BECK__CALL(beck__foreach_rdd, beck_foreach_rdd_args, s, __VA_ARGS__)
BECK_API void beck__foreach_rdd(beck_dstream *s, const beck_foreach_rdd_args *args);

/* One directory per batch: prefix-TIME_MS[.suffix], with part-00000 ... and _SUCCESS. A batch
 * without rows writes nothing unless .empty is set. Two-phase: a directory appears whole. */
typedef struct beck_save_text_files_args {
    const char *prefix;
    BECK_ARGS_TAIL;
    const char *suffix;
    bool empty;
    const char *name;
    bool parallel;
    const char *pool;
} beck_save_text_files_args;
#define beck_save_as_text_files(s, ...)                                                            \
    BECK__CALL(beck__save_as_text_files, beck_save_text_files_args, s, __VA_ARGS__)
BECK_API void beck__save_as_text_files(beck_dstream *s, const beck_save_text_files_args *args);

/* The directory must not exist: BECK_EXISTS. */
typedef struct beck_save_text_file_args {
    const char *path;
    BECK_ARGS_TAIL;
} beck_save_text_file_args;
#define beck_save_as_text_file(r, ...)                                                             \
    BECK__CALL(beck__save_as_text_file, beck_save_text_file_args, r, __VA_ARGS__)
BECK_API beck_status beck__save_as_text_file(beck_rdd *r, const beck_save_text_file_args *args);

/* Runs fn for each row, or once for each partition, in tasks. */
typedef struct beck_foreach_args {
    beck_foreach_fn *fn;
    BECK_ARGS_TAIL;
    const void *ctx;
    size_t ctx_size;
} beck_foreach_args;
typedef struct beck_foreach_partition_args {
    beck_rows_fn *fn;
    BECK_ARGS_TAIL;
    const void *ctx;
    size_t ctx_size;
} beck_foreach_partition_args;
#define beck_foreach(r, ...) BECK__CALL(beck__foreach, beck_foreach_args, r, __VA_ARGS__)
#define beck_foreach_partition(r, ...)                                                             \
    BECK__CALL(beck__foreach_partition, beck_foreach_partition_args, r, __VA_ARGS__)
BECK_API beck_status beck__foreach(beck_rdd *r, const beck_foreach_args *args);
BECK_API beck_status beck__foreach_partition(beck_rdd *r, const beck_foreach_partition_args *args);

/* All rows in partition order; the first n; the first (of an empty RDD: BECK_NOT_FOUND). Never
 * NULL; after an error the result has no rows, and beck_result_status and beck_result_error_text
 * say why. Free with beck_result_free, before the context. */
BECK_API beck_result *beck_collect(beck_rdd *r);
BECK_API beck_result *beck_take(beck_rdd *r, uint64_t n);
BECK_API beck_result *beck_first(beck_rdd *r);

BECK_API beck_status beck_result_status(const beck_result *result);
/* Like beck_error_text, of this action; that a reduce of an empty RDD gives BECK_NOT_FOUND, for
 * one, does not stick to the context. Lives as long as the result. */
BECK_API const char *beck_result_error_text(const beck_result *result);
BECK_API uint64_t beck_result_rows(const beck_result *result);
/* Row i of all, valid until the result is freed; a none row (beck_is_none) if there is no such. */
BECK_API beck_row beck_result_row(const beck_result *result, uint64_t i);
BECK_API void beck_result_free(beck_result *result);

/* An RDD with the same rows and partitions that lives as long as the context: computes `r` now and
 * holds its rows in memory. For what is made in a driver callback and wanted after the batch; an
 * RDD of the context comes back as it is. */
#define beck_keep(...) BECK__CALL0(beck__keep, beck_none_args, __VA_ARGS__)
BECK_API beck_rdd *beck__keep(beck_rdd *r, const beck_none_args *args);
/* Gives back what beck_keep holds, at the end of the batch: neither it nor what was made of it
 * outside of this batch may be used any more, nor may it wait in a queue. NULL and other RDDs:
 * nothing. */
BECK_API void beck_rdd_free(beck_rdd *r);

/* The text of a row as print shows it: one column its bytes, several (a,b,c). Writes at most
 * `size` bytes with a NUL at the end; returns the length it has without limit. */
BECK_API size_t beck_row_text(beck_row row, char *text, size_t size);

/* ---- counting arguments -------------------------------------------------------------------- */

/* clang-format off */
#define BECK__COUNT(...) BECK__NINTH(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define BECK__NINTH(a, b, c, d, e, f, g, h, n, ...) n
#define BECK__JOIN(a, b) BECK__JOIN_(a, b)
#define BECK__JOIN_(a, b) a##b
#define BECK__VALUES(...) BECK__JOIN(BECK__V, BECK__COUNT(__VA_ARGS__))(__VA_ARGS__)
#define BECK__V1(a) beck_value_of(a)
#define BECK__V2(a, b) BECK__V1(a), beck_value_of(b)
#define BECK__V3(a, b, c) BECK__V2(a, b), beck_value_of(c)
#define BECK__V4(a, b, c, d) BECK__V3(a, b, c), beck_value_of(d)
#define BECK__V5(a, b, c, d, e) BECK__V4(a, b, c, d), beck_value_of(e)
#define BECK__V6(a, b, c, d, e, f) BECK__V5(a, b, c, d, e), beck_value_of(f)
#define BECK__V7(a, b, c, d, e, f, g) BECK__V6(a, b, c, d, e, f), beck_value_of(g)
#define BECK__V8(a, b, c, d, e, f, g, h) BECK__V7(a, b, c, d, e, f, g), beck_value_of(h)
/* clang-format on */

#ifdef __cplusplus
}
#endif

#include <beck/rdd.h>

#endif
