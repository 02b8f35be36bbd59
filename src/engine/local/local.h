/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local - the embedded engine: what its files share. Private to engine/local.
 *
 *   dataset.c  datasets and scopes           task.c     one attempt of one partition
 *   keeper.c   what stateful operations keep
 *   job.c      stages, retry, waiting        pool.c     worker threads and their slots
 *   wire.c     a task as bytes               serve.c    one that came as bytes
 *   blocks.c   lists of blocks as bytes      process.c  worker processes (--isolate)
 *   store.c    rows that stay                spill.c    the same as bytes and files
 *   range.c    sorted runs, cut into partitions
 *   fair.c     pools: which run is next      faults.c   attempts that a test fails
 */
#ifndef BECK_ENGINE_LOCAL_H
#define BECK_ENGINE_LOCAL_H

#include "engine/engine.h"

enum dataset_kind {
    DATA_VALUES,
    DATA_RANGES,
    DATA_NARROW,
    DATA_SHUFFLE,
    DATA_UNION,
    DATA_COALESCE,
    DATA_PAIR,
    DATA_STATE, /* like a shuffle to the SAME partition */
    DATA_SCAN,
    DATA_KEPT /* the same, whose rows a hold has */
};

/* Blocks of one partition; the dataset holds a reference of each. */
struct slice {
    struct block **items;
    uint32_t count;
    uint64_t rows;
};

struct dataset {
    enum dataset_kind kind;
    struct scope *scope;
    struct dataset *older; /* in the scope */
    const beck_schema *schema;
    uint32_t partitions;
    struct slice *values;       /* VALUES: by partition */
    uint32_t value_blocks;      /* all in values[0].items */
    struct range_source source; /* RANGES */
    const beck_str *ranges;
    uint64_t rows_before;   /* VALUES in a worker: of earlier partitions */
    struct dataset *parent; /* NARROW, SHUFFLE; COALESCE, except in a worker */
    const struct program *program;
    bool silent, calls;             /* of the program */
    struct dataset *const *parents; /* UNION, PAIR; COALESCE that merges their partitions */
    uint32_t parent_count;
    uint32_t *starts; /* UNION: the first partition of each parent */
    enum pair_kind pair;
    struct partitioning partitioning; /* SHUFFLE */
    struct blocks *out;               /* [map * lists + target] */
    uint32_t maps, lists;             /* a map makes `lists` of them */
    uint64_t *target_rows;            /* by target; NULL: the stage has not run */
    struct keeper *keeper;            /* STATE, SCAN */
    bool due;                         /* STATE: a window is to be shown */
    struct hold *hold;                /* KEPT */
    uint8_t *marks;                   /* KEPT: by partition, enum mark, while a job runs */
    struct dataset *next_pinned;
    bool pins;  /* in that list */
    bool holds; /* it, or what its tasks read, is KEPT */
    bool busy;  /* a job is at its stage, or at those that this one stands on */
};

enum mark {
    MARK_NEEDED = 1,
    MARK_PINNED = 2,
    MARK_MISSING = 4,
    MARK_LOST = 8 /* was damaged: not to be read from a file again by this job */
};

/* What is stored of one partition: blocks, the same as bytes, or a file. While a job needs it, it
 * is pinned and does not change, so that tasks read it without a lock. */
struct stored {
    struct stored *older, *newer; /* of those that may be evicted, in order of their use */
    struct hold *hold;
    bool present, listed;
    bool fresh;   /* put by a stage that still runs: nobody reads it yet */
    bool writing; /* a thread writes it to a file: nothing of it changes meanwhile */
    uint32_t pins;
    struct blocks blocks;
    struct text bytes;
    size_t size;   /* of either, in memory */
    uint64_t file; /* its number; 0: none */
    uint64_t file_bytes;
    uint64_t written; /* the file that it will be in, once nobody reads it in memory */
    uint64_t rows;
    _Atomic bool lost; /* a task could not read its file */
};

struct hold {
    struct local *engine;
    const beck_schema *schema;
    unsigned storage;
    uint32_t partitions;
    struct stored *entries;
    char what[160];
};

/* The driver's thread's, but for `lost`. */
struct store {
    struct stored *oldest, *newest;
    size_t used, leaving; /* bytes in memory; of these, those that are being written */
    uint32_t writing;
    char *directory; /* NULL: not needed yet */
    size_t directory_bytes;
    struct os_file *held; /* it, as long as we live: nobody clears it away */
    uint64_t files;
    bool warned;
    _Atomic uint32_t lost; /* partitions that are */
    uint64_t lose, lose_seed;
};

/* In this process each partition has a resident. With --isolate and engine.encode=all it is a list
 * of blocks, as another engine has it: a task makes a new one of it. */
struct keeper {
    struct local *engine;
    const struct program *program;
    struct arena arena;
    const beck_schema *saved; /* of its blocks */
    uint32_t partitions;
    bool as_blocks;
    struct resident **residents;   /* NULL: nothing yet */
    struct blocks *before, *after; /* as_blocks: sealed, and what the batch has made of it */
    bool *changed;
    int64_t due_ms; /* as keeper_due gives it */
};

struct scope {
    struct local *engine;
    struct arena arena;
    int64_t batch_ms;
    struct dataset *newest;
    struct scope *next; /* in the free list */
};

/* What all tasks of a stage have in common. */
struct stage {
    struct local *engine;
    struct dataset *input;
    const struct program *action; /* or NULL */
    struct dataset *shuffle;      /* the rows go there, else to job->deliver */
    struct dataset *state;        /* the same, of a stateful operation */
    const struct job *job;
    bool inline_run;
    uint64_t number;   /* of the engine's stages */
    uint32_t first;    /* partition */
    struct run *later; /* runs that wait until what they read is there again */
    struct sums *sums; /* of the tasks that are through, from `first` on; NULL: none has added */
    uint32_t sum_count;
    uint32_t running; /* queued or being run */
    _Atomic bool cancelled;
    uint32_t warned;                 /* tasks with a warning */
    char warning[BECK__WARNING_MAX]; /* the first of them */
    struct error error;              /* the first task that gave up */
};

/* How a test lets an attempt fail. A process is killed when it waits for the task, or works on it.
 */
enum fault { FAULT_NONE, FAULT_BEFORE, FAULT_AFTER, FAULT_KILLED_IDLE, FAULT_KILLED_BUSY };

/* One attempt. `out` has one list per target of the shuffle, or one. */
struct run {
    struct run *next;
    struct stage *stage;
    struct stored *spill; /* to a file, instead of a task of a stage: its number is in `records` */
    struct slot *slot;    /* it runs in; NULL: on the driver's thread */
    uint32_t partition, attempt;
    uint32_t pool;
    enum fault fault;
    bool overtakes; /* all that wait in its pool */
    struct blocks *out;
    uint32_t out_count;
    bool due;                   /* a window is */
    struct resident *resident;  /* of a stateful action; or: */
    const struct blocks *state; /* what it keeps; what becomes of it goes to out[1] */
    beck_status status;
    char warning[BECK__WARNING_MAX]; /* "": none */
    struct sums sums;
    struct error error;
    uint64_t records;
    /* of a spill: what its file has; and it gives up its slot when the disk is slow */
    uint64_t file_bytes;
    bool gives_way;
};

#define BECK__NO_POOL UINT32_MAX

struct pool {
    beck_str name;
    uint32_t weight, running;
    uint64_t used_ns;         /* ends less starts of its runs */
    double skipped;           /* by weight: nothing is saved up */
    struct run *first, *last; /* waiting */
};

struct fair {
    const struct allocator *memory;
    struct pool *pools;
    size_t capacity;
    uint32_t count, waiting; /* pools; runs */
    double clock;            /* time by weight of the pool that came last */
};

/* While its task waits for a file or a peer, `waits` is the time since when; somebody else may then
 * take its slot, and sets it to SLOT_TAKEN. */
#define SLOT_TAKEN (-1)

struct worker {
    struct slot slot; /* the first member */
    _Atomic int64_t waits;
    struct run *run;
    struct local *engine;
    struct os_thread *thread;
    struct os_process *process; /* --isolate; it and `killed` change under the lock */
    bool killed;                /* by a cancel: do not use it any more */
    struct os_socket *channel;
    struct text request;
    uint64_t told; /* the process knows what is shared up to this version */
};

struct local {
    struct engine base;
    struct os *os;
    struct log *log;
    struct engine_options options;
    struct scope *free_scopes;
    /* the queue: under `lock` */
    struct os_lock *lock;
    struct os_gate *work, *back, *done_gate;
    struct fair fair;
    struct run *done;
    uint32_t idle;              /* threads that wait for work */
    uint32_t busy;              /* slots, of options.threads */
    uint32_t lent, coming_back; /* threads whose slot was taken; of these, those that want one */
    int64_t looked_ns;          /* for tasks that wait */
    bool stop, woken;
    struct store store;
    struct dataset *pinned;            /* KEPT ones that the running job has looked at */
    struct worker *workers;            /* [0]: the driver's own, for tasks that run inline */
    uint32_t worker_count, worker_max; /* threads, so far and at most */
    _Atomic bool cancelled;
    _Atomic uint64_t tasks, wakes;
    /* who has the turn changes these */
    struct os_lock *turn;
    uint32_t entered;              /* threads that run jobs; 0: one, without turns */
    uint64_t idle_thread;          /* that set the idle function */
    uint32_t jobs, runs;           /* under way; runs: on worker threads */
    uint64_t stages;               /* so far */
    uint64_t fault_of, fault_seed; /* as engine.h has them */
    int64_t (*idle_fn)(void *user);
    void *idle_user;
};

/* ---- dataset.c ---- */
void beck__local_datasets(struct engine *engine); /* fills the vtable */
/* True: a task for this partition would see no rows, do nothing, give nothing. */
bool beck__dataset_nothing(const struct dataset *dataset, uint32_t partition);
/* Rows that go in (UINT64_MAX: not known), and whether user code runs. */
uint64_t beck__dataset_rows(const struct dataset *dataset);
bool beck__dataset_calls(const struct dataset *dataset);
void beck__local_scopes_free(struct local *local);
/* Rows of the partitions before this one, if they are known: of VALUES, and behind a SHUFFLE. */
uint64_t beck__dataset_rows_before(const struct dataset *dataset, uint32_t partition);
/* What is in a partition of a SHUFFLE: `count` lists, `step` apart. */
struct strip {
    const struct blocks *first;
    size_t step;
    uint32_t count;
};
struct strip beck__dataset_strip(const struct dataset *dataset, uint32_t partition);
/* What is in one partition of a COALESCE or UNION: pieces [first, first + count). */
struct pieces {
    uint32_t first, count;
};
struct pieces beck__dataset_pieces(const struct dataset *dataset, uint32_t partition);
/* Piece i of those of partition p: a dataset and a partition of it. */
struct dataset *beck__dataset_piece(const struct dataset *dataset, uint32_t p, uint32_t i,
                                    uint32_t *partition);
/* The partition of each parent that meets in one of a PAIR. */
void beck__dataset_meet(const struct dataset *dataset, uint32_t partition, uint32_t meets[2]);

/* ---- keeper.c ---- */
void beck__local_keepers(struct engine *engine); /* fills the vtable */
/* Gives the run what its partition keeps. */
beck_status beck__keeper_lend(struct keeper *keeper, struct run *run);
/* After a run that went well: what it has made, as_blocks. */
void beck__keeper_take(struct keeper *keeper, struct run *run);
bool beck__keeper_idle(const struct keeper *keeper, uint32_t partition, int64_t batch_ms);
uint64_t beck__keeper_count(const struct keeper *keeper, uint32_t partition); /* keys */
/* Pushes key and state of every key of a partition. */
enum flow beck__keeper_scan(struct keeper *keeper, uint32_t partition, struct task *task,
                            struct operator *sink);

/* ---- store.c ---- */
void beck__local_store(struct engine *engine); /* fills the vtable */
void beck__store_close(struct local *local);
/* Pins what there is of the partitions that the job needs, marks the others MISSING. True if there
 * are such. */
bool beck__kept_find(struct dataset *kept);
/* Takes the rows of a partition that was missing. */
void beck__kept_put(struct dataset *kept, uint32_t partition, struct blocks *rows);
/* Appends the rows of a pinned partition. Any thread. */
beck_status beck__kept_read(const struct dataset *kept, uint32_t partition, struct blocks *list,
                            struct error *error);
/* Its stage is through: waits until what it has put is written. */
void beck__kept_done(struct dataset *kept);
/* A worker has written, or tried to. */
void beck__kept_written(struct run *run);
/* The job is over: nothing is pinned any more. */
void beck__kept_release(struct local *local);

/* ---- spill.c ---- */
/* Blocks to bytes, in memory. False, with everything as it was: no memory. */
bool beck__stored_encode(struct stored *stored);
/* To a file, by a worker thread if there are such: until beck__stored_land it is `writing`. False,
 * with everything as it was: no memory, or an error of the disk, which is told once. */
bool beck__stored_spill(struct stored *stored);
/* So much is being written that whoever makes more has to wait. */
bool beck__store_lags(const struct local *local);
void beck__stored_write(struct run *run); /* the worker's part */
/* The driver's, afterwards. False: it could not be written. */
bool beck__stored_land(struct run *run);
/* Nobody reads its memory any more: what has been written is in its file from now on. */
void beck__stored_settle(struct stored *stored);
beck_status beck__stored_read(const struct stored *stored, struct blocks *list,
                              struct error *error);
void beck__stored_forget(struct stored *stored); /* memory and file */

/* ---- task.c ---- */
/* Runs the partition and fills run->out, status and error. Any thread. */
void beck__run_here(struct os *os, struct run *run, const struct dataset *input,
                    const struct program *action, const struct partitioning *partitioning);
void beck__run_drop(struct run *run); /* its blocks and sums */
/* Of the rows in run->out[i]. */
const beck_schema *beck__run_schema(const struct run *run, uint32_t i);

/* ---- fair.c: under the lock of whoever owns it ---- */
/* The number of a pool, new or not; weight 0: as it is, or 1. BECK__NO_POOL: no memory. */
uint32_t beck__fair_pool(struct fair *fair, beck_str name, uint32_t weight);
void beck__fair_deinit(struct fair *fair);
void beck__fair_put(struct fair *fair, struct run *run, bool front); /* in run->pool */
/* NULL: nothing waits. The run has begun. */
struct run *beck__fair_take(struct fair *fair, int64_t now_ns);
/* From when to when a run uses what its pool pays for. */
void beck__fair_begin(struct fair *fair, const struct run *run, int64_t now_ns);
void beck__fair_end(struct fair *fair, const struct run *run, int64_t now_ns);

/* ---- pool.c ---- */
beck_status beck__pool_start(struct local *local, struct error *error);
void beck__pool_stop(struct local *local);
void beck__pool_run(struct local *local, struct run *run); /* on this thread */
void beck__pool_push(struct local *local, struct run *run);
/* The next finished run, of any job, waiting for it without the turn. NULL: look around. */
struct run *beck__pool_take(struct local *local);
/* All that wait in beck__pool_take look around. */
void beck__pool_stir(struct local *local);
void beck__local_turns(struct engine *engine); /* fills the vtable */

/* ---- range.c ---- */
/* Cuts the runs of all maps of a RANGE shuffle at the same keys, so that partitions follow each
 * other in order and rows of one key are together. */
beck_status beck__range_cut(struct dataset *shuffle, struct error *error);

/* ---- faults.c ---- */
void beck__local_faults(struct engine *engine); /* fills the vtable */
void beck__fault_plan(struct local *local, struct run *run);

/* ---- job.c ---- */
/* Waits for something to happen, and does what follows from it. */
void beck__local_pass(struct engine *engine);
beck_status beck__local_job(struct engine *engine, const struct job *job, struct error *error);

/* ---- blocks.c ---- */
struct block_writer {
    struct text *out;
    const beck_schema *schema;
    bool compress; /* every second block */
    size_t at;     /* of the count */
    uint32_t count;
};
void beck__blocks_begin(struct block_writer *w, struct text *out, const beck_schema *schema);
beck_status beck__blocks_put(struct block_writer *w, struct block *const *items, size_t count,
                             struct error *error);
void beck__blocks_end(struct block_writer *w); /* out->failed says if there was no memory */
beck_status beck__blocks_encode(struct text *out, const struct blocks *list,
                                const beck_schema *schema, struct error *error);
/* Appends to *list; also what came before a failure. */
beck_status beck__blocks_get(const struct allocator *memory, struct reader *in,
                             const beck_schema *schema, struct blocks *list, struct error *error);
/* Encodes and decodes every block: engine.encode=all. */
beck_status beck__blocks_recode(const struct allocator *memory, const beck_schema *schema,
                                struct blocks *list, struct error *error);

/* ---- wire.c: request and reply of one task ---- */
beck_status beck__request_encode(const struct run *run, struct text *out, struct error *error);
beck_status beck__reply_decode(const struct allocator *memory, struct reader *in, struct run *run,
                               struct error *error);
/* An address in no module means nothing in another process. */
static inline bool beck__function_travels(struct function_id id)
{
    return id.module || !id.offset;
}

/* ---- serve.c: between the two, in the worker process ---- */
beck_status beck__request_serve(struct os *os, struct shared *shared, struct reader *in,
                                struct text *reply, struct error *error);

/* ---- process.c ---- */
void beck__run_in_process(struct worker *worker, struct run *run);
int beck__worker_process_stop(struct worker *worker); /* exit code, or -signal; 0 without one */
/* Any thread. */
void beck__worker_processes_kill(struct local *local);

#endif
