/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storage.h - rows that stay: of an RDD that is used again, of the batches of a stream after their
 * time. Part of beck.h, which includes it: its types and macros are meant.
 */
#ifndef BECK_STORAGE_H
#define BECK_STORAGE_H

#include <beck/beck.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In memory up to engine.storage_bytes: what was used least recently is then dropped, and computed
 * again when somebody wants it, or goes to disk (engine.storage_dir). SER: encoded, also in memory.
 * _2: two copies, where there are two executors. */
typedef enum beck_storage_level {
    BECK_STORAGE_DEFAULT, /* of an RDD MEMORY_ONLY, of a stream MEMORY_ONLY_SER */
    BECK_MEMORY_ONLY,
    BECK_MEMORY_AND_DISK,
    BECK_DISK_ONLY,
    BECK_MEMORY_ONLY_SER,
    BECK_MEMORY_AND_DISK_SER,
    BECK_MEMORY_ONLY_2,
    BECK_MEMORY_AND_DISK_2,
    BECK_DISK_ONLY_2,
    BECK_MEMORY_ONLY_SER_2,
    BECK_MEMORY_AND_DISK_SER_2
} beck_storage_level;

/* beck_persist(x, level), beck_cache(x) with the default level: what is made of x from now on finds
 * its rows, which are computed when they are first needed, by partition, and stay. Gives x back. Of
 * an RDD: as long as it lives; another level only after beck_unpersist. Of a stream: each batch is
 * computed once, however many outputs need it, and goes with its time (see beck_remember). */
typedef struct beck_persist_args {
    beck_storage_level level;
    BECK_ARGS_TAIL;
} beck_persist_args;
#define beck_persist(s, ...) BECK__CALL(BECK__OF(s, persist), beck_persist_args, s, __VA_ARGS__)
#define beck_cache(s)        beck_persist(s, BECK_STORAGE_DEFAULT)
BECK__BOTH(persist, beck_persist_args);
/* Gives back what beck_persist holds of the RDD; it is computed again from then on. */
BECK_API beck_rdd *beck_unpersist(beck_rdd *r);

/* ---- the batches of a stream ----------------------------------------------------------------- */

/* beck_remember(ctx, ms): every batch of every stream is computed and stays that much longer than
 * its time: at time t those after t - ms are there for beck_slice. Before the start; the longest
 * one counts. Rows go to disk when memory is over engine.storage_bytes. */
typedef struct beck_remember_args {
    int64_t ms;
    BECK_ARGS_TAIL;
} beck_remember_args;
#define beck_remember(ctx, ...) BECK__CALL(beck__remember, beck_remember_args, ctx, __VA_ARGS__)
BECK_API void beck__remember(beck_context *ctx, const beck_remember_args *args);

/* beck_slice(s, .from_ms = , .to_ms = ) in a driver callback: the RDDs of the batches with time in
 * [from_ms, to_ms], both rounded down to the stream's slide, oldest first, up to the batch that
 * runs; a batch without an RDD is left out. They live as long as the batch that asks. A batch that
 * is not kept until now (see beck_remember) is an error, BECK_NOT_FOUND. */
typedef struct beck_slice_args {
    BECK_ARGS_TAIL;
    int64_t from_ms, to_ms;
} beck_slice_args;
typedef struct beck_slices {
    beck_status status;
    size_t count;
    beck_rdd *const *rdds;
    const int64_t *times_ms;
} beck_slices;
#define beck_slice(...) BECK__CALL0(beck__slice, beck_slice_args, __VA_ARGS__)
BECK_API beck_slices beck__slice(beck_dstream *s, const beck_slice_args *args);

/* beck_checkpoint(s, interval_ms): how often what the stream keeps is saved, a multiple of its
 * slide; shown by --describe. It persists the stream. Checkpoints are not in this version. */
typedef struct beck_checkpoint_args {
    int64_t interval_ms;
    BECK_ARGS_TAIL;
} beck_checkpoint_args;
#define beck_checkpoint(s, ...) BECK__CALL(beck__checkpoint, beck_checkpoint_args, s, __VA_ARGS__)
BECK_API beck_dstream *beck__checkpoint(beck_dstream *s, const beck_checkpoint_args *args);

#ifdef __cplusplus
}
#endif
#endif
