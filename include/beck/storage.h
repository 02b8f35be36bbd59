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

#ifdef __cplusplus
}
#endif
#endif
