/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver - what a stream adds to a session: batch clock, job generator and scheduler, input
 * streams, start and stop. One thread runs it (the caller's, under beck_step); others only set
 * flags and wake it, but for those of parallel.c, which take turns with it.
 *
 *   source.c   input streams              batch.c   one batch: allot, run, release
 *   slices.c   what batches leave behind
 *   direct.c   direct ones: looks, ranges that wait
 *   trigger.c  when the next batch is due
 *   states.c   stateful operations
 *   storage.c  persist, remember, slice
 *   loop.c     the thread, its ticks      run.c     beck_start, beck_run, beck_stop ...
 *   parallel.c   outputs with .parallel
 *   transform.c  beck_transform and its like
 *   pages.c    --describe, --help         testing.c the public testing.h
 *
 *   tick t: allot what was received up to t -> waiting ring -> run outputs in order -> events
 */
#ifndef BECK_DRIVER_H
#define BECK_DRIVER_H

#include "dstream/dstream.h"
#include "ingest/ingest.h"
#include "session/session.h"

/* An RDD in a queue; node NULL: no RDD. */
struct queued {
    struct queued *next;
    int64_t at_ms; /* pushed */
    struct node *node;
};

/* A range that was found, of a direct stream. */
struct found {
    struct found *next;
    int64_t at_ms; /* when */
    beck_range_size counts;
    size_t size;
    char data[];
};

struct direct;

enum input_kind { INPUT_RECEIVER, INPUT_QUEUE, INPUT_DIRECT };

struct input {
    enum input_kind kind;
    struct input *next;
    const char *name, *what; /* what: with its call site, for the log */
    struct node *node;
    /* RECEIVER */
    const beck_receiver_class *class_of;
    beck_str params;
    int stream; /* number in ingest */
    /* QUEUE: under the driver's lock */
    struct queued *first, *last;
    bool all, none_when_empty;
    /* DIRECT: class and params of the source, and its looks once it is started */
    const beck_direct_class *direct_class;
    int64_t interval_ms;
    uint64_t units_max, bytes_max;
    struct direct *direct;
};

/* What batch time t was given; never changes afterwards. */
struct allotment {
    struct blocks received;
    struct queued *queued; /* one, or all */
    struct found *found;   /* in order */
    uint32_t found_count;
    bool none; /* no RDD at all */
};

struct batch {
    struct batch *next; /* waiting, or free */
    int64_t time_ms;
    struct allotment *allotments; /* by source */
    uint64_t records, bytes;
    int64_t started_ns;
    struct arena arena;
    struct session_life life;
    struct error error;
    const struct output *failed; /* the output whose error it is; NULL: none's */
};

struct parallel;

enum stop_kind { STOP_NO, STOP_GRACEFUL, STOP_NOW };

struct driver {
    beck_context *ctx;
    struct os *os;
    struct streams streams;
    struct input *first_input, *last_input;
    struct ingest *ingest;
    struct os_lock *lock; /* queues, woken, thread state */
    struct os_gate *gate, *stopped_gate;
    struct os_poller *poller; /* of beck_run */
    struct os_thread *thread;
    uint64_t starter; /* thread that called beck_start */
    bool woken, in_callback, threaded;
    bool running;     /* a batch */
    _Atomic int stop; /* enum stop_kind */
    _Atomic int64_t stop_by_ns;
    bool receivers_closed;
    struct error error; /* what ended the stream; the driver's until the state is STOPPED */
    int64_t
        clock_offset_ms; /* wall minus monotonic at the start: jumps of the wall clock do nothing */
    int64_t period_ms, zero_ms, next_ms;
    bool until_end;      /* beck_run: it stops when its inputs have ended */
    int64_t last_ms;     /* the last batch then; 0: not yet */
    int64_t remember_ms; /* 0: batches go with their time */
    struct batch *first_waiting, *last_waiting, *free_batches;
    struct parallel *first_parallel, *last_parallel; /* outputs under way, in order */
    uint32_t waiting, waiting_max;
};

/* The driver of a context, made by the first stream. NULL with the error set. */
struct driver *beck__driver_of(beck_context *ctx);
void beck__driver_free(struct driver *driver);

/* ---- trigger.c ---- */
/* The time of the next batch; INT64_MAX: none, until there is data. */
int64_t beck__driver_due_ms(struct driver *driver, int64_t now_ms);
/* True if that was the last one: all inputs have ended for good, and every output has shown it. */
bool beck__driver_at_end(struct driver *driver);

/* ---- source.c ---- */
/* A direct stream by another name than its class's. */
beck_dstream *beck__direct_stream_of(beck_context *ctx, const char *kind,
                                     const beck_direct_stream_args *args);

/* ---- direct.c ---- */
/* The first look, and the thread that makes the others. */
beck_status beck__direct_start(struct driver *driver, struct input *input, bool threaded);
void beck__direct_look(struct direct *direct); /* only when not threaded */
void beck__direct_stop(struct direct *direct); /* waits for the look that is under way */
void beck__direct_free(struct direct *direct);
bool beck__direct_ended(struct direct *direct);       /* there will never be more */
int64_t beck__direct_first_ms(struct direct *direct); /* INT64_MAX: none waits */
/* The ranges found at or before time_ms, as many as the limits allow, and their bytes. */
uint64_t beck__direct_allot(struct direct *direct, int64_t time_ms, struct allotment *to);
void beck__direct_release(struct driver *driver, struct allotment *from);

/* ---- batch.c ---- */
/* Runs a driver callback: RDDs that it makes on the context belong to the batch of `life`. */
beck_rdd *beck__driver_callback(struct driver *driver, struct session_life *life,
                                const struct driver_call *call, struct error *error);
/* Everything that has arrived up to time_ms becomes a waiting batch. Without memory what has
 * arrived stays for the next one. */
beck_status beck__batch_generate(struct driver *driver, int64_t time_ms);
/* took_us: -1 at the start. */
void beck__output_event(struct driver *driver, const struct batch *batch,
                        const struct output *output, beck_event_kind kind, int64_t took_us,
                        const char *error);
/* Tasks and commit of a sink. While outputs run beside each other the commit is nobody's turn. */
void beck__output_save(struct driver *driver, struct batch *batch, const struct output *output,
                       struct error *error);
/* Runs the oldest waiting batch. False: the policy says stop. */
bool beck__batch_run(struct driver *driver);
void beck__batches_drop(struct driver *driver);                         /* waiting and free ones */
void beck__driver_post(struct driver *driver, const beck_event *event); /* posts and delivers */

/* ---- storage.c ---- */
beck_status beck__storage_open(struct driver *driver); /* at the start; the error sticks */

/* ---- parallel.c ---- */
/* True: it runs on a thread of its own now. False: there is none, it has to run in order. */
bool beck__parallel_start(struct driver *driver, struct batch *batch, const struct output *output);
/* Waits for those that were started. */
void beck__parallel_wait(struct driver *driver);

/* ---- slices.c ---- */
/* Keeps what is persisted or needed later of this batch; its outputs come after it. */
beck_status beck__slices_keep(struct driver *driver, struct batch *batch);
/* Drops what nobody needs after time_ms. */
void beck__slices_drop(struct driver *driver, int64_t time_ms);

/* ---- states.c ---- */
beck_status beck__states_open(struct driver *driver); /* at the start; the error sticks */
void beck__states_close(struct driver *driver);
/* Before the first batch: states to begin with. */
beck_status beck__states_begin(struct driver *driver, struct batch *batch);
/* Runs what is due in this batch; its outputs come after it. */
beck_status beck__states_advance(struct driver *driver, struct batch *batch);
void beck__states_seal(struct driver *driver, bool keep);

/* ---- loop.c ---- */
int64_t beck__driver_now_ms(struct driver *driver);
void beck__driver_prepare_clock(struct driver *driver);
/* Generates what is due; returns the monotonic time of the next tick. */
int64_t beck__driver_tick(struct driver *driver);
void beck__driver_main(void *driver); /* the thread */
/* Everything under a manual clock that is left to do after a stop was asked for, and the end. */
void beck__driver_finish(struct driver *driver);
void beck__driver_wake(struct driver *driver);
void beck__driver_started(struct driver *driver); /* posts it; delivered by the driver's thread */
void beck__driver_end(
    struct driver *driver); /* receivers closed, state STOPPED, waiters released */

/* ---- run.c ---- */
beck_status beck__driver_start(beck_context *ctx, bool threaded);

/* ---- pages.c ---- */
void beck__driver_page(beck_context *ctx); /* prints what --help or --describe asks for */

/* ---- testing.c ---- */
void beck__collectors_free(struct driver *driver);

#endif
