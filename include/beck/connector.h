/* SPDX-License-Identifier: Apache-2.0 */
/*
 * beck/connector.h - to write a source or a sink. Three classes: a receiver (data is pushed to us
 * and must be stored), a direct source (ranges that can be read again at any time), a sink.
 *
 * A class is a constant object with static storage; worker processes find it by its address in the
 * executable. Its parameters are plain bytes, copied. Failures: return a status and say why with
 * beck_receiver_error, beck_reader_error, beck_writer_error or beck_sink_error.
 */
#ifndef BECK_CONNECTOR_H
#define BECK_CONNECTOR_H

#include <beck/beck.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- receivers --------------------------------------------------------------------------------
 */

typedef struct beck_receiver beck_receiver;

/* Supervised, never on a compute thread, each receiver on a thread of its own:
 *
 * `poll` takes what is there without blocking longer than timeout_ms, stores it, and returns
 * BECK_OK (more may be there), BECK_AGAIN (nothing now), BECK_CLOSED (ended for good: the stream
 * stays empty), or another status: the receiver is closed, opened again after socket.reconnect, and
 * the error is reported: to listeners each time, in the log at doubling times until it works again.
 * Nothing stored is lost by that. A poll that hangs is reported; nobody else
 * waits for it.
 *
 * Instead of it `run`, for code that must block (one of the two): it loops until
 * beck_receiver_stopping, waits by beck_receiver_wait or in calls of its own that `interrupt` ends,
 * and returns BECK_OK when it has ended for good, else as poll does. Its stores wait while too much
 * is unprocessed, and say BECK_CANCELLED once the stream stops. */
typedef struct beck_receiver_class {
    const char *name, *schema; /* schema NULL: given with the stream */
    size_t state_size;         /* of `state`, zeroed before open */
    beck_status (*open)(beck_receiver *r, void *state);
    beck_status (*poll)(beck_receiver *r, void *state, int64_t timeout_ms);
    /* Everything stored with a token up to this one is safe: acknowledge here. May be NULL. */
    void (*stored)(beck_receiver *r, void *state, uint64_t token);
    void (*close)(beck_receiver *r, void *state); /* also after a failed open */
    beck_status (*run)(beck_receiver *r, void *state);
    void (*interrupt)(beck_receiver *r, void *state); /* from another thread; may be NULL */
} beck_receiver_class;

BECK_API bool beck_receiver_stopping(const beck_receiver *r);
/* In `run`: waits so long, or until the stream stops; false then. */
BECK_API bool beck_receiver_wait(beck_receiver *r, int64_t ms);

BECK_API const void *beck_receiver_params(const beck_receiver *r);
/* Appends one row to those that become a block together, by time and size; it is safe when `stored`
 * says so. A value that does not fit its column fails (BECK_TYPE), and if the receiver goes on
 * nevertheless, it is reported and starts again. */
BECK_API beck_status beck_store_values(beck_receiver *r, uint64_t token, const beck_value *values,
                                       size_t count);
#define beck_store(r, token, ...)                                                                  \
    beck_store_values((r), (token), (const beck_value[]){BECK__VALUES(__VA_ARGS__)},               \
                      BECK__COUNT(__VA_ARGS__))
/* `rows` rows, row after row: all of them, as blocks of their own, or none. They are safe when it
 * returns BECK_OK: acknowledge then, and the receiver is a reliable one. */
BECK_API beck_status beck_store_rows(beck_receiver *r, uint64_t token, const beck_value *values,
                                     size_t rows);
/* Text: one row per line, for a schema of one STRING column; the unfinished last line waits for
 * more. */
BECK_API beck_status beck_store_bytes(beck_receiver *r, uint64_t token, const void *data,
                                      size_t size);
BECK_API beck_status beck_receiver_error(beck_receiver *r, beck_status status, const char *format,
                                         ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;
/* A warning for the log and the listeners; the receiver goes on. */
BECK_API void beck_receiver_warn(beck_receiver *r, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* For Beck's own connectors. The supervisor waits on this socket between polls (NULL: it polls by
 * time); and a whole block is stored with the buffers that its views share (takes the reference).
 */
struct os_socket;
struct block;
void beck__receiver_watch(beck_receiver *r, struct os_socket *socket, bool write);
void beck__receiver_restart(beck_receiver *r, int64_t after_ms); /* not socket.reconnect */
size_t beck__receiver_line_max(const beck_receiver *r);
const struct beck_schema *beck__receiver_schema(const beck_receiver *r);
beck_status beck__receiver_store_block(beck_receiver *r, uint64_t token, struct block *block);

typedef struct beck_receiver_args {
    const beck_receiver_class *class_of;
    BECK_ARGS_TAIL;
    const char *schema;
    const void *params;
    size_t params_size;
    const char *name;
} beck_receiver_args;
#define beck_receiver_stream(ctx, ...)                                                             \
    BECK__CALL(beck__receiver_stream, beck_receiver_args, ctx, __VA_ARGS__)
BECK_API beck_dstream *beck__receiver_stream(beck_context *ctx, const beck_receiver_args *args);

/* ---- direct sources ---------------------------------------------------------------------------
 */

typedef struct beck_ranges beck_ranges;
typedef struct beck_reader beck_reader;

/* A range is plain bytes that say what to read; reading it again gives the same rows. An RDD is
 * made with `plan` and `read`, a stream with `list` and `read`. */
typedef struct beck_direct_class {
    const char *name, *schema;
    /* In the driver: adds the ranges that exist, one partition each. */
    beck_status (*plan)(beck_ranges *ranges, const void *params, size_t size);
    /* In a task: reads one range, row by row or by chunks, until its end or until a push says no.
     */
    beck_status (*read)(beck_reader *r, const void *params, size_t params_size, const void *range,
                        size_t size);
    /* Of a stream, on a thread of its own, which may block and to which `state` belongs: adds the
     * ranges that exist and were not added before. They wait in that order; a batch gets those that
     * came before its time, as many as its limits allow. The first call is a part of the start,
     * which fails with it. A later failure is reported, what was added counts, and the next look
     * comes at its time; BECK_CLOSED: there will never be more. */
    beck_status (*list)(beck_ranges *found, void *state, const void *params, size_t size);
    void (*close)(void *state); /* at the end, also after a failed list; may be NULL */
    size_t state_size;          /* of `state`, zeroed before the first list */
} beck_direct_class;

BECK_API beck_status beck_add_range(beck_ranges *ranges, const void *range, size_t size);
/* In `list`: what the range counts against the limits of a batch. `continues`: it is of the same
 * unit (file) as the one before. BECK_AGAIN, and not added: very many wait; add it and those behind
 * it at a later look. */
typedef struct beck_range_size {
    uint64_t bytes;
    bool continues;
} beck_range_size;
BECK_API beck_status beck_add_range_of(beck_ranges *ranges, const void *range, size_t size,
                                       beck_range_size counts);
BECK_API beck_status beck_ranges_error(beck_ranges *ranges, beck_status status, const char *format,
                                       ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;
/* In `list`: the driver's time, by which delays are measured; true when the stream stops, then
 * return soon; a warning for the log and the listeners. */
BECK_API int64_t beck_ranges_now_ms(const beck_ranges *ranges);
BECK_API bool beck_ranges_stopping(const beck_ranges *ranges);
BECK_API void beck_ranges_warn(beck_ranges *ranges, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;
/* False: stop reading (enough rows, or a failure that is noted already); return BECK_OK then. */
BECK_API bool beck_read_values(beck_reader *r, const beck_value *values, size_t count);
#define beck_read_row(r, ...)                                                                      \
    beck_read_values((r), (const beck_value[]){BECK__VALUES(__VA_ARGS__)}, BECK__COUNT(__VA_ARGS__))
/* Rows of the class's schema; borrowed until the call returns. */
BECK_API bool beck_read_chunk(beck_reader *r, const beck_chunk *chunk);
/* A warning for the log, the first of each range; reading goes on. */
BECK_API void beck_reader_warn(beck_reader *r, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;
BECK_API beck_status beck_reader_error(beck_reader *r, beck_status status, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

typedef struct beck_direct_args {
    const beck_direct_class *class_of;
    BECK_ARGS_TAIL;
    const void *params;
    size_t params_size;
} beck_direct_args;
#define beck_direct_rdd(ctx, ...) BECK__CALL(beck__direct_rdd, beck_direct_args, ctx, __VA_ARGS__)
BECK_API beck_rdd *beck__direct_rdd(beck_context *ctx, const beck_direct_args *args);

/* interval_ms: time between two looks (default: the batch interval, at least 100 ms, at most 1 s).
 * units_max, bytes_max: of one batch, which always gets one range if there is one; 0: no limit. */
typedef struct beck_direct_stream_args {
    const beck_direct_class *class_of;
    BECK_ARGS_TAIL;
    const void *params;
    size_t params_size;
    const char *name;
    int64_t interval_ms;
    int64_t units_max, bytes_max;
} beck_direct_stream_args;
#define beck_direct_stream(ctx, ...)                                                               \
    BECK__CALL(beck__direct_stream, beck_direct_stream_args, ctx, __VA_ARGS__)
BECK_API beck_dstream *beck__direct_stream(beck_context *ctx, const beck_direct_stream_args *args);

/* ---- sinks ------------------------------------------------------------------------------------
 */

typedef struct beck_sink beck_sink;
typedef struct beck_writer beck_writer;

/* What may happen to a batch's rows when something fails in the middle (DESIGN 4.6). */
typedef enum beck_guarantee {
    BECK_AT_LEAST_ONCE,
    BECK_IDEMPOTENT, /* written again under the same key with the same bytes */
    BECK_ATOMIC,     /* one all-or-nothing step that carries the batch */
    BECK_TWO_PHASE   /* a prepared write survives a crash and is committed later */
} beck_guarantee;

typedef struct beck_write_id {
    int64_t batch_ms; /* batch time; 0 outside a stream */
    uint32_t partition, attempt;
} beck_write_id;

/* begin..end run in tasks (worker threads or processes); open, commit and close in the driver. A
 * writer writes under a name that holds its attempt; what of it counts is decided by commit. */
typedef struct beck_sink_class {
    const char *name;
    beck_guarantee guarantee;
    size_t state_size, writer_size; /* of `state` and `writer`, zeroed before open and begin */
    /* *last_batch: the newest batch the outside world has; -1: none, or not known. */
    beck_status (*open)(beck_sink *s, void *state, int64_t *last_batch);
    beck_status (*begin)(beck_writer *w, void *writer, beck_write_id id);
    beck_status (*write)(beck_writer *w, void *writer, const beck_chunk *rows);
    /* Makes the write durable; the message (at most 1 MiB) travels to commit. */
    beck_status (*prepare)(beck_writer *w, void *writer, beck_str *message);
    void (*end)(beck_writer *w, void *writer, bool keep); /* always; keep: prepared */
    /* The messages of all partitions in order, for a batch whose tasks have all succeeded. May be
     * called twice for one batch. */
    beck_status (*commit)(beck_sink *s, void *state, int64_t batch_ms, const beck_str *messages,
                          size_t count);
    /* The batch has failed: undo what its writers kept. May be NULL. */
    void (*abort)(beck_sink *s, void *state, int64_t batch_ms);
    void (*close)(beck_sink *s, void *state);
} beck_sink_class;

BECK_API const void *beck_sink_params(const beck_sink *s, size_t *size);
BECK_API const void *beck_writer_params(const beck_writer *w, size_t *size);
BECK_API beck_status beck_sink_error(beck_sink *s, beck_status status, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;
/* The rows as one block of Beck's own format, as raw_socket_stream receives them; valid until the
 * next call. */
BECK_API beck_status beck_writer_encode(beck_writer *w, const beck_chunk *rows, beck_str *block);
BECK_API beck_status beck_writer_error(beck_writer *w, beck_status status, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/* Writes every batch of the stream into the sink, or the RDD at once. */
typedef struct beck_save_args {
    const beck_sink_class *class_of;
    BECK_ARGS_TAIL;
    const void *params; /* plain bytes, copied, the same for driver and tasks */
    size_t params_size;
    bool empty; /* also batches without rows */
    const char *name;
    bool parallel;    /* of a stream; see beck_print */
    const char *pool; /* the same */
} beck_save_args;
#define beck_save(s, ...) BECK__CALL(BECK__OF(s, save), beck_save_args, s, __VA_ARGS__)
BECK_API void beck_dstream_save(beck_dstream *s, const beck_save_args *args);
BECK_API beck_status beck_rdd_save(beck_rdd *r, const beck_save_args *args);

#ifdef __cplusplus
}
#endif
#endif
