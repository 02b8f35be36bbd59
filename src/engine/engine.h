/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine - runs jobs over datasets and does not say how: lineage, stages, tasks, shuffles, retry
 * and received blocks are its own. Datasets are immutable, lazy, recomputable; each lives in a
 * scope (the context, or one batch) and goes with it. All functions belong to the driver's thread,
 * except where it says otherwise.
 */
#ifndef BECK_ENGINE_H
#define BECK_ENGINE_H

#include "exec/exec.h"
#include "ingest/ingest.h"
#include "observe/observe.h"
#include "plan/plan.h"

struct engine;
struct scope;
struct dataset;
struct keeper;
struct hold;

/* Where rows that stay are held. Over the limit the least recently used go to disk if they may,
 * else they are dropped and computed again when somebody wants them. Of none of the first two:
 * nowhere, once the job is over. */
enum storage {
    STORAGE_MEMORY = 1,
    STORAGE_DISK = 2,
    STORAGE_ENCODED = 4, /* in memory, too */
    STORAGE_LASTING = 8  /* never dropped: there will be nothing to compute them from */
};

struct engine_options {
    int threads;          /* of local[n] */
    bool isolate;         /* tasks run in worker processes */
    bool encode;          /* every hand-over is encoded and decoded */
    int attempts;         /* of a task */
    uint64_t inline_rows; /* stages up to this size without user code run on the driver's thread */
    bool inline_all;      /* all of them: beck_step */
    int64_t received_split_bytes; /* received blocks are packed into partitions of this size */
    uint64_t storage_bytes;       /* of rows that stay, in memory; 0: no limit */
    const char *storage_dir;      /* for those on disk, in a directory of the engine's own */
    uint32_t waiting_max; /* tasks that may wait for files or peers beside those that compute */
    /* What tasks read and add to by name; may be NULL. A task's sums count once, when the stage is
     * through, in the order of partitions; those of a stage that fails do not. */
    struct shared *shared;
};

/* A job: one task per partition of `dataset`, with the action's operations at the end of each. */
struct job {
    struct scope *scope;
    struct dataset *dataset;
    const struct program *action; /* or NULL */
    uint32_t first, count;        /* partitions; count 0: all from first on */
    bool stages_only;             /* what the dataset stands on is run, no task of its own */
    const char *what;             /* for errors: "print at wc.c:17" */
    uint32_t pool;                /* its tasks wait there; 0: the default one */
    /* On the driver's thread, once per partition that has succeeded, in any order; the rows are
     * borrowed. May be NULL. */
    void (*deliver)(void *user, uint32_t partition, const struct blocks *rows);
    void *user;
};

struct engine {
    const char *name;
    void (*close)(struct engine *engine);

    /* batch_ms: for the tasks; 0 outside a stream. NULL without memory. free takes all its
     * datasets. */
    struct scope *(*scope_new)(struct engine *engine, int64_t batch_ms);
    void (*scope_free)(struct engine *engine, struct scope *scope);

    /* Each returns NULL without memory. Schemas, programs, and all of sources and ranges must
     * outlive the scope; blocks are referenced. */
    struct dataset *(*from_values)(struct scope *scope, const beck_schema *schema,
                                   const struct blocks *partitions, uint32_t count);
    struct dataset *(*from_ranges)(struct scope *scope, const struct range_source *source,
                                   const beck_str *ranges, uint32_t count);
    struct dataset *(*from_received)(struct scope *scope, const beck_schema *schema,
                                     const struct blocks *received);
    struct dataset *(*narrow)(struct scope *scope, struct dataset *parent,
                              const struct program *program);
    struct dataset *(*shuffle)(struct scope *scope, struct dataset *parent,
                               struct partitioning partitioning, const beck_schema *schema);
    struct dataset *(*unite)(struct scope *scope, struct dataset *const *parents, uint32_t count);
    /* `count` partitions, at most as many as there are: each is neighbouring ones of the parent. */
    struct dataset *(*coalesce)(struct scope *scope, struct dataset *parent, uint32_t count);
    /* Left columns, then right ones. ZIP: partition by partition, of which there must be as many;
     * CARTESIAN: partition i of the left with each of the right, then i + 1 ... */
    struct dataset *(*pair)(struct scope *scope, enum pair_kind kind, struct dataset *left,
                            struct dataset *right, const beck_schema *schema);
    /* Partition p: those of all parents, which have as many, one after the other. */
    struct dataset *(*merge)(struct scope *scope, struct dataset *const *parents, uint32_t count);
    uint32_t (*partitions)(const struct dataset *dataset);

    /* Rows that stay: a hold finds them again in other jobs and scopes, by partition. The schema
     * must outlive it; it must outlive the scopes that use it. NULL without memory. */
    struct hold *(*hold_new)(struct engine *engine, const beck_schema *schema, uint32_t partitions,
                             unsigned storage, const char *what);
    void (*hold_free)(struct engine *engine, struct hold *hold); /* NULL is nothing */
    void (*hold_set)(struct hold *hold, unsigned storage);       /* 0: what it has is given back */
    uint64_t (*hold_rows)(const struct hold *hold);              /* that it has */
    /* The parent's rows: a job computes the partitions that it needs and the hold has not. They
     * are as many as the hold's. Without a parent the hold must have them all. */
    struct dataset *(*keep)(struct scope *scope, struct dataset *parent, struct hold *hold);

    /* Stateful operations. A keeper holds what one keeps between batches, by partition; `program`
     * is that operation alone and must outlive it. */
    struct keeper *(*keeper_new)(struct engine *engine, const struct program *program,
                                 uint32_t partitions, struct error *error);
    void (*keeper_free)(struct engine *engine, struct keeper *keeper); /* NULL is nothing */
    /* States to begin with, into a partition that has none. */
    beck_status (*keeper_load)(struct keeper *keeper, uint32_t partition, const struct blocks *rows,
                               int64_t batch_ms, struct error *error);
    /* What the operation emits for the rows of `parent`. It runs once, as a stage of its own. What
     * it changed holds from then on, and for good, or not at all, with the seal. A window gives
     * rows only when it is `due`. */
    struct dataset *(*advance)(struct scope *scope, struct dataset *parent, struct keeper *keeper,
                               bool due);
    void (*keeper_seal)(struct keeper *keeper, bool keep);
    /* The first batch time at which a key times out, or 0 for a window that is not known to be
     * empty; INT64_MAX: nothing is due. */
    int64_t (*keeper_due)(const struct keeper *keeper);
    /* Key and state of every key after that. */
    struct dataset *(*scan)(struct scope *scope, struct dataset *advanced);

    /* Runs to the end. While it waits it calls `idle` (see set_idle). */
    beck_status (*job_run)(struct engine *engine, const struct job *job, struct error *error);
    /* The number of a pool, made if there is none of that name, which must outlive the engine: jobs
     * of several pools share the worker threads by weight, those of one are served in order. weight
     * 0: what it has, or 1. UINT32_MAX: no memory. (Spark: FAIR pools.) */
    uint32_t (*pool)(struct engine *engine, beck_str name, uint32_t weight, struct error *error);
    /* Several threads may run jobs at the same time, each between enter and leave: one of them has
     * the turn, and gives it to the others while a job waits for its tasks. What two jobs stand on
     * runs once. Where only one thread runs jobs it need not enter. */
    void (*enter)(struct engine *engine);
    void (*leave)(struct engine *engine);
    /* Gives the turn to the others until something has happened: a task, a leave or a wake. */
    void (*pass)(struct engine *engine);
    /* idle(user) is called on the thread that sets it, before it waits: it does what is due and
     * returns the time (os->mono_ns) when it wants to be called again. wake, from any thread, ends
     * such a wait. */
    void (*set_idle)(struct engine *engine, int64_t (*idle)(void *user), void *user);
    void (*wake)(struct engine *engine);
    /* Any thread: running tasks end with BECK_CANCELLED, jobs fail with it; until the next job_run
     * with a fresh cancel(false). */
    void (*cancel)(struct engine *engine, bool cancel);

    /* Test hook: the n-th task attempt from now on fails (0: none). With a seed any may, except the
     * last one of a task, with a chance of one in n: before its work, after it, or because its
     * worker process is killed. The same seed and jobs: the same faults, on any number of threads.
     */
    void (*fault)(struct engine *engine, uint64_t n, uint64_t seed);
    /* Test hook: the n-th partition that a job finds in a hold, and can compute again, is dropped
     * instead (0: none); with a seed each of them is, with a chance of one in n. */
    void (*lose)(struct engine *engine, uint64_t n, uint64_t seed);
    /* Tasks that ran so far, and how often a worker thread was woken. */
    void (*counters)(const struct engine *engine, uint64_t *tasks, uint64_t *wakes);
};

/* Threads in this process, or one worker process per thread with `isolate`. */
struct engine *beck__engine_local(struct os *os, const struct engine_options *options,
                                  struct log *log, struct error *error);
/* If this process was started as a worker: serves the driver and ends the process. */
void beck__engine_worker(struct os *os);

#endif
