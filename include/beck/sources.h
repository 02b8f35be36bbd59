/* SPDX-License-Identifier: Apache-2.0 */
/*
 * beck/sources.h - where streams and RDDs come from: a part of beck.h, which includes it. A source
 * of one's own: connector.h.
 */
#ifndef BECK_SOURCES_H
#define BECK_SOURCES_H

#include <beck/beck.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Lines of text from a TCP server: rows "value STRING". Bytes are carried as they are, also NUL
 * and invalid UTF-8; a CR before the LF is dropped; a last line without LF counts when the server
 * closes. Connects again after socket.reconnect_ms (2 s). A longer line than line_bytes_max
 * (1 MiB) is cut off there, counted, and reported once per connection. At-most-once. */
#define beck_socket_text_stream(ctx, ...)                                                          \
    BECK__CALL(beck__socket_text_stream, beck_socket_text_args, ctx, __VA_ARGS__)
typedef struct beck_socket_text_args {
    const char *host;
    int port;
    BECK_ARGS_TAIL;
    const char *name;
    int64_t line_bytes_max;
    int64_t reconnect_ms;
} beck_socket_text_args;
BECK_API beck_dstream *beck__socket_text_stream(beck_context *ctx,
                                                const beck_socket_text_args *args);

/* Lines of standard input, the same way; one stream of a program. When it ends and no other input
 * is left, beck_run ends, too; after beck_start empty batches follow. */
#define beck_stdin_stream(...)                                                                     \
    BECK__CALL0(beck__stdin_stream, beck_stdin_args, __VA_ARGS__)
typedef struct beck_stdin_args {
    BECK_ARGS_TAIL;
    const char *name;
    int64_t line_bytes_max;
} beck_stdin_args;
BECK_API beck_dstream *beck__stdin_stream(beck_context *ctx, const beck_stdin_args *args);

/* Rows from a TCP server that sends them as blocks of Beck's own format, one behind the other
 * (beck_writer_encode makes them): nothing is parsed, each block is checked as it arrives. After
 * bytes that are no block of this schema, and when the server closes, it connects again. */
#define beck_raw_socket_stream(ctx, ...)                                                           \
    BECK__CALL(beck__raw_socket_stream, beck_raw_socket_args, ctx, __VA_ARGS__)
typedef struct beck_raw_socket_args {
    const char *host;
    int port;
    const char *schema;
    BECK_ARGS_TAIL;
    const char *name;
    int64_t reconnect_ms;
} beck_raw_socket_args;
BECK_API beck_dstream *beck__raw_socket_stream(beck_context *ctx, const beck_raw_socket_args *args);

/* RDDs pushed by the program: one per batch (all of them with .all). When none is left, batches
 * are empty, or there is no RDD at all with .none_when_empty. */
#define beck_queue_stream(ctx, ...)                                                                \
    BECK__CALL(beck__queue_stream, beck_queue_stream_args, ctx, __VA_ARGS__)
typedef struct beck_queue_stream_args {
    const char *schema;
    BECK_ARGS_TAIL;
    const char *name;
    bool all;
    bool none_when_empty;
} beck_queue_stream_args;
BECK_API beck_dstream *beck__queue_stream(beck_context *ctx, const beck_queue_stream_args *args);
/* Any thread, before or after start. A NULL rdd: no RDD for one batch. The RDD is not copied: one
 * that is pushed again and again costs nothing more. Look at the status, it does not stick to the
 * context: BECK_TYPE for an RDD with other types than the stream's (or one that could not be made),
 * BECK_INVALID for one of a batch or of another context. */
BECK_API beck_status beck_queue_push(beck_dstream *stream, beck_rdd *rdd);

/* Files of a directory, as they appear: lines ("value STRING"), records of one length ("value
 * BINARY"), or whole files ("path STRING, content BINARY": a parser of one's own is a flat_map of
 * them).
 *
 * The path may hold patterns (* ? [a-z] [!a-z]), also of directories: "/in/[0-9]*". New files only,
 * or those too that are there at the start. Names that begin with . or _ or end in .tmp or
 * ._COPYING_ are left alone. A file is taken once, when it is not empty and has had the same size
 * and time of change for settle_ms; renaming it, before or after, makes no difference, and a new
 * file under an old name is new. One that changes after it was taken is reported and not read
 * again; if it had not been read yet, or is gone, its batch fails - or, with .skip_lost, goes on
 * without it and says so. A directory that cannot be read at the start is an error; later it is
 * reported, and looked at again. */
#define BECK__FILE_OPTIONS                                                                         \
    const char *name;                                                                              \
    const char *glob;    /* of names of files: "*.csv" */                                          \
    bool from_beginning; /* also files that are there at the start */                              \
    bool recursive;      /* also files of directories below */                                     \
    bool skip_lost;                                                                                \
    int64_t settle_ms;   /* default 500; -1: a file is complete when it appears */                 \
    int64_t interval_ms; /* between looks; default: the batch interval within 100 ms and 1 s */    \
    int64_t files_max;   /* of a batch; 0: no limit */                                             \
    int64_t bytes_max;   /* of a batch, which always gets one piece of a file; 0: no limit */      \
    int64_t split_bytes; /* pieces (partitions) of large files; default 32 MiB */

typedef struct beck_text_file_stream_args {
    const char *path;
    BECK_ARGS_TAIL;
    BECK__FILE_OPTIONS
    int64_t line_bytes_max; /* longer lines are cut off there; default 1 MiB */
} beck_text_file_stream_args;
#define beck_text_file_stream(ctx, ...)                                                            \
    BECK__CALL(beck__text_file_stream, beck_text_file_stream_args, ctx, __VA_ARGS__)
BECK_API beck_dstream *beck__text_file_stream(beck_context *ctx,
                                              const beck_text_file_stream_args *args);

typedef struct beck_binary_records_stream_args {
    const char *path;
    int64_t record_bytes;
    BECK_ARGS_TAIL;
    BECK__FILE_OPTIONS
} beck_binary_records_stream_args;
#define beck_binary_records_stream(ctx, ...)                                                       \
    BECK__CALL(beck__binary_records_stream, beck_binary_records_stream_args, ctx, __VA_ARGS__)
BECK_API beck_dstream *beck__binary_records_stream(beck_context *ctx,
                                                   const beck_binary_records_stream_args *args);

typedef struct beck_file_stream_args {
    const char *path;
    BECK_ARGS_TAIL;
    BECK__FILE_OPTIONS
    int64_t file_bytes_max; /* a larger file fails its batch; default 16 MiB */
} beck_file_stream_args;
#define beck_file_stream(ctx, ...)                                                                 \
    BECK__CALL(beck__file_stream, beck_file_stream_args, ctx, __VA_ARGS__)
BECK_API beck_dstream *beck__file_stream(beck_context *ctx, const beck_file_stream_args *args);

/* The same RDD in every batch. It is no data that starts a batch of the event trigger. */
#define beck_constant_input(ctx, ...)                                                              \
    BECK__CALL(beck__constant_input, beck_constant_input_args, ctx, __VA_ARGS__)
typedef struct beck_constant_input_args {
    beck_rdd *rdd;
    BECK_ARGS_TAIL;
} beck_constant_input_args;
BECK_API beck_dstream *beck__constant_input(beck_context *ctx,
                                            const beck_constant_input_args *args);

/* `rows` rows of values, row after row; cut into .partitions slices [i*n/p, (i+1)*n/p). Copied. An
 * RDD is made by the thread that the context belongs to and lives as long as the context; one that
 * is made in a driver callback (transform, foreach_rdd) lives as long as the batch. */
#define beck_parallelize(ctx, ...)                                                                 \
    BECK__CALL(beck__parallelize, beck_parallelize_args, ctx, __VA_ARGS__)
typedef struct beck_parallelize_args {
    const char *schema;
    const beck_value *values;
    size_t rows;
    BECK_ARGS_TAIL;
    int partitions; /* default: that of the context */
} beck_parallelize_args;
BECK_API beck_rdd *beck__parallelize(beck_context *ctx, const beck_parallelize_args *args);

/* The lines of a file, or of all files of a directory (in order of name, without those whose name
 * begins with . or _): rows
 * "value STRING", cut by bytes (split_bytes, 32 MiB) into partitions. */
#define beck_text_file(ctx, ...) BECK__CALL(beck__text_file, beck_text_file_args, ctx, __VA_ARGS__)
typedef struct beck_text_file_args {
    const char *path;
    BECK_ARGS_TAIL;
    int64_t split_bytes;
    int64_t line_bytes_max;
} beck_text_file_args;
BECK_API beck_rdd *beck__text_file(beck_context *ctx, const beck_text_file_args *args);

#ifdef __cplusplus
}
#endif
#endif
