/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec - runs a stage program over chunks: a chain of operators, each pushed chunks and answering
 * MORE, DONE (it wants no more: travels up and cancels the source) or FAILED (task->error is set).
 * The same code runs inside every engine. One task is one thread; nothing here is shared.
 *
 *   source -> [ operator -> operator -> ... ] -> sink (collector or shuffle writer)
 *
 * A pushed chunk is borrowed for the call: views in it stay valid only that long, so every operator
 * flushes what it has made of a chunk before it returns.
 */
#ifndef BECK_EXEC_H
#define BECK_EXEC_H

#include "os/os.h"
#include "plan/plan.h"
#include <beck/connector.h>

enum flow { FLOW_MORE, FLOW_DONE, FLOW_FAILED };

/* ---- shared.c: values and counters that tasks know by name ---- */

#define BECK__SHARED_NAME 128 /* bytes of a name, with its NUL */

enum shared_kind { SHARED_VALUE, SHARED_BIGINT, SHARED_DOUBLE };

struct shared_item {
    struct shared_item *next;
    char name[BECK__SHARED_NAME];
    enum shared_kind kind;
    uint32_t index;   /* in order of definition */
    uint64_t version; /* of the last change */
    void *bytes;      /* VALUE */
    size_t size;
    uint64_t total; /* of a counter: an int64_t or the bits of a double */
};

struct shared {
    struct os *os;
    struct os_lock *lock;
    struct shared_item *first, *last;
    uint32_t count;
    uint64_t version; /* of the newest item */
    bool busy;        /* a job runs: nothing may change but totals */
};

/* What one task has added, by index; items NULL: nothing. */
struct sums {
    const struct allocator *memory;
    uint64_t *items;
    uint32_t count;
};

beck_status beck__shared_init(struct shared *shared, struct os *os);
void beck__shared_deinit(struct shared *shared);
/* Defines or replaces a value, or defines a counter (a second time: nothing). By the driver's
 * thread, between jobs. The bytes are copied. */
beck_status beck__shared_set(struct shared *shared, const char *name, enum shared_kind kind,
                             beck_str bytes, struct error *error);
/* Adds to the totals, and reads one (null: there is no such counter). Any thread. */
void beck__shared_add(struct shared *shared, const struct sums *sums);
beck_value beck__shared_total(struct shared *shared, const char *name);
/* Zeros for `count` items; false without memory. */
bool beck__sums_init(struct sums *sums, const struct allocator *memory, uint32_t count);
void beck__sums_deinit(struct sums *sums);
/* The items newer than version `since`, for a copy in another process. `shared` may be NULL. */
void beck__shared_encode(const struct shared *shared, uint64_t since, struct text *out);
beck_status beck__shared_decode(struct shared *shared, struct reader *in, struct error *error);
struct resident;

/* What a task computes in. Between these two calls it may wait for a file or a peer, and somebody
 * else compute instead of it. */
struct slot {
    void (*wait_begin)(struct slot *slot);
    void (*wait_end)(struct slot *slot);
};

#define BECK__WARNING_MAX 400 /* bytes, with the NUL */

/* What one attempt of a task is told, and what it has used. */
struct task {
    struct os *os;
    const struct allocator *memory;
    struct arena arena; /* freed by beck__task_deinit */
    int64_t batch_ms;
    uint32_t partition, attempt;
    uint64_t rows_before; /* in earlier partitions of what a pipeline that is opened now reads */
    char warning[BECK__WARNING_MAX]; /* of a source; "": none */
    struct shared *shared;           /* or NULL */
    struct sums sums;                /* freed by beck__task_deinit, unless taken */
    uint64_t records;                /* read from the source */
    const _Atomic bool *cancelled;   /* or NULL */
    struct resident *resident;       /* of the stateful operation, if there is one */
    bool due;                        /* a window is to be shown */
    struct slot *slot;               /* or NULL */
    struct error error;              /* the last one: the others begin as zeros */
};

static inline void beck__task_wait_begin(struct task *task)
{
    if (task->slot)
        task->slot->wait_begin(task->slot);
}

static inline void beck__task_wait_end(struct task *task)
{
    if (task->slot)
        task->slot->wait_end(task->slot);
}

void beck__task_init(struct task *task, struct os *os);
void beck__task_deinit(struct task *task);

struct operator
{
    enum flow (*push)(struct operator *self, const beck_chunk *chunk);
    enum flow (*finish)(struct operator *self); /* flushes to next; does not finish it */
    void (*close)(struct operator *self);       /* frees what is not in the task's arena */
    struct operator *next;
    struct task *task;
    const struct op *op;
};

/* Opens the operators of a program in front of `sink`; *head is the sink itself for an empty
 * program. */
beck_status beck__pipeline_open(struct task *task, const struct program *program,
                                struct operator *sink, struct operator** head);
/* Finishes head, its successor, ... up to but without `sink`. */
enum flow beck__pipeline_finish(struct operator *head, struct operator *sink);
void beck__pipeline_close(struct operator *head, struct operator *sink);

/* Keeps the rows as blocks in *out. */
struct operator*
    beck__collector_open(struct task *task, const beck_schema *schema, struct blocks *out);

/* What a stateful operation keeps of one partition between batches. One task at a time works on it:
 * what the attempt did is undone by seal(false), or stays, by seal(true), which may come later. */
struct resident *beck__resident_new(struct os *os, const struct op *op, struct error *error);
void beck__resident_free(struct resident *resident); /* NULL is nothing */
/* True if a task without rows would do and give nothing at that time. */
bool beck__resident_idle(const struct resident *resident, int64_t batch_ms);
/* The first batch time at which a key times out, or 0 for a window that holds rows; INT64_MAX:
 * nothing is due. The second is the same of a snapshot. */
int64_t beck__resident_due(const struct resident *resident);
int64_t beck__saved_due(const struct op *op, const struct blocks *saved);
/* The task is over: nothing of it is referred to any more. */
void beck__resident_rest(struct resident *resident);
void beck__resident_seal(struct resident *resident, bool keep);
uint64_t beck__resident_count(const struct resident *resident); /* keys with a state */
/* Key and state, in the arena; `saved`: as a snapshot has them, perhaps with columns more. NULL
 * without memory. */
const beck_schema *beck__resident_schema(struct arena *arena, const struct op *op, bool saved);
/* Pushes key and state of every key, until the sink has enough. */
enum flow beck__resident_scan(struct resident *resident, struct task *task, struct operator *sink);
/* A snapshot as blocks, and back into a fresh one; rows without a time were touched at batch_ms. */
beck_status beck__resident_save(struct resident *resident, struct blocks *out, struct error *error);
beck_status beck__resident_load(struct resident *resident, const struct blocks *in,
                                int64_t batch_ms, struct error *error);

enum partitioner {
    PARTITION_HASH,
    PARTITION_ROUND_ROBIN,
    PARTITION_SINGLE,
    PARTITION_SAME, /* the map's own number: the rows are only kept, and counted */
    PARTITION_RANGE /* of sorted rows: cut by the engine when all of them are there */
};
struct partitioning {
    enum partitioner kind;
    uint32_t keys;      /* HASH: columns from the front */
    uint32_t count;     /* partitions; SAME: 0, as many as there are maps */
    struct order order; /* RANGE: of the rows of each map */
};
/* How many lists a map cuts its rows into. */
static inline uint32_t beck__partitioning_lists(const struct partitioning *to)
{
    return to->kind == PARTITION_SAME || to->kind == PARTITION_RANGE ? 1 : to->count;
}
/* Cuts the rows by target into out[0..count), if they are more than one list. ROUND_ROBIN starts at
 * the task's partition. */
struct operator *beck__shuffle_writer_open(struct task *task, const beck_schema *schema,
                                           struct partitioning partitioning, struct blocks *out);

/* rows[0..chunk->rows): the numbers of its rows in that order, equal ones as they are. False
 * without memory. */
bool beck__sort_rows(const struct allocator *memory, const struct order *order,
                     const beck_chunk *chunk, uint32_t *rows);

enum pair_kind { PAIR_ZIP, PAIR_CARTESIAN };
/* Takes the left rows and pushes them to `next` beside those of `right`, row by row (ZIP: there
 * must be as many), or each beside all. The rows of `right` stay where they are. */
struct operator *beck__pair_open(struct task *task, enum pair_kind kind, const beck_schema *schema,
                                 const struct blocks *right, struct operator *next);

/* A direct source, as its tasks know it. */
struct range_source {
    const char *what; /* for errors: "text_file at wc.c:3" */
    const beck_direct_class *class_of;
    beck_str params;
    const beck_schema *schema;
};
/* Reads one of its ranges into the pipeline at head. */
enum flow beck__range_read(struct task *task, const struct range_source *source, beck_str range,
                           struct operator *head);

/* Who takes the ranges of a stream: the driver's. */
struct range_taker {
    beck_status (*add)(struct range_taker *taker, beck_str range, beck_range_size counts);
    int64_t (*now_ms)(struct range_taker *taker);
    bool (*stopping)(struct range_taker *taker);
    void (*warn)(struct range_taker *taker, const char *text);
};

/* Ranges of a direct source: of an RDD, planned in the driver, they are kept in the arena; those of
 * a stream go to the taker. */
struct beck_ranges {
    struct arena *arena;
    struct error *error;
    beck_str *items;
    size_t count, capacity;
    struct range_taker *taker; /* NULL: an RDD's */
};

/* A call of one driver callback: beck_ctx gives ctx, beck_fail sets error. Returns what the
 * callback does; NULL for `each`. */
struct driver_call {
    beck_each_rdd_fn *each;
    beck_transform_fn *transform;
    beck_transform_with_fn *with;
    void *ctx;
    struct shared *shared;
    int64_t batch_ms;
    beck_rdd *const *in;
    size_t count;
};
beck_rdd *beck__driver_call(const struct driver_call *call, struct error *error);

/* The kernel behind a known row function or aggregate; OP_COUNT, FOLD_KINDS: none. */
enum op_kind beck__known_row_function(beck_map_fn *fn);
enum op_fold beck__known_aggregate(const beck_aggregate *aggregate);
/* The fold behind a known state function, which does nothing without values; FOLD_KINDS: none. */
enum op_fold beck__known_update(beck_update_fn *fn);
enum op_fold beck__known_track(beck_track_fn *fn);
/* Type of the column that carries a partial state of this fold over `value`, and of its result.
 * The text names the first column that cannot be folded (a sum of STRING). */
beck_status beck__fold_types(struct arena *arena, enum op_fold fold,
                             const beck_aggregate *aggregate, const struct field *value,
                             struct field *state, struct field *result, struct error *error);

#endif
