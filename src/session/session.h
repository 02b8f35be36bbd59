/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session - the context and everything that a batch program needs: options, the engine, RDDs,
 * actions and results. The driver room adds streams to it through `stream`.
 */
#ifndef BECK_SESSION_H
#define BECK_SESSION_H

#include "config/config.h"
#include "observe/observe.h"
#include "rdd/rdd.h"
#include <beck/beck.h>

struct driver;

/* What belongs to the driver room; NULL until the first stream is made. */
struct session_stream {
    struct driver *driver;
    void (*free)(struct driver *driver);
    const struct error *error; /* what ended the stream; read it once the state is STOPPED */
};

/* An action that --describe kept from running; newest first. */
struct described {
    struct described *older;
    const char *what;
    const struct node *node;
};

/* The life of RDDs: that of the context, or of one batch. */
struct session_life {
    beck_context *ctx;
    struct graph graph;
    struct stamp stamp;
    struct beck_result *results; /* not freed by the user yet: newest first */
    bool of_batch;
};

/* An RDD of a batch that outlives it: a life of its own. */
struct kept_rdd {
    struct kept_rdd *older;
    struct session_life life;
    struct arena arena;
    bool dropped; /* goes when the batch is over */
};

struct beck_context {
    struct os *os;
    struct arena arena;
    struct error error; /* sticky */
    const char *name;
    int64_t batch_ms;
    struct settings *settings;
    char **args;
    int arg_count;
    struct log log;
    struct bus *bus;
    struct shared shared;  /* broadcast values and counters */
    struct engine *engine; /* opened by the first use */
    struct session_life life;
    struct kept_rdd *kept; /* newest first */
    struct session_stream stream;
    bool event_trigger;
    bool manual_clock;
    int64_t manual_ms;
    bool memory_limited;                  /* by this context */
    bool told_copies;                     /* that there is one executor */
    bool help, describe;                  /* asked for on the command line */
    _Atomic int state;                    /* beck_state_of */
    _Atomic(struct session_life *) batch; /* while a driver callback runs: the life of its batch */
    /* The only thread that may run jobs: the driver's, while a stream runs. */
    _Atomic uint64_t engine_thread;
    struct described *actions;
    struct text described;
};

#define SESSION_ANY_THREAD  0u
#define SESSION_DRIVER_SOON UINT64_MAX /* it has not told yet which one it is */

/* The first error of the context, or what ended its stream; never NULL. */
const struct error *beck__session_error(const beck_context *ctx);
/* Opens the engine if it is not open yet. The error sticks. */
beck_status beck__session_engine(beck_context *ctx);
/* An RDD in this life's arena, never NULL (a static poisoned one without memory or life). */
beck_rdd *beck__session_rdd(struct session_life *life, struct node *node);
/* True for an RDD that lives as long as this context. */
bool beck__session_lasts(const beck_rdd *r, const beck_context *ctx);
/* The life of RDDs that this thread makes now on the context: in a driver callback the batch's. */
struct session_life *beck__session_life(beck_context *ctx);
/* Jobs are the driver's thread's, and this is another one. */
bool beck__session_wrong_thread(const beck_context *ctx);
/* No other thread's than the one that runs jobs; else says so in *error and in the log. */
bool beck__session_own_thread(beck_context *ctx, const char *what, struct error *error);
/* True if an action may run; else *error says why. `what` is for --describe. */
bool beck__session_ready(beck_rdd *r, const char *what, struct error *error);
/* The error of an action sticks, unless it was only asked by the wrong thread, or not to run. */
void beck__session_stick(beck_rdd *r, const struct error *error);
/* A node over the lists, whose blocks its dataset in that life then holds. */
struct node *beck__session_values(struct session_life *life, const char *name, beck_site site,
                                  const beck_schema *schema, const struct blocks *lists,
                                  uint32_t count);
/* Says once that of a level with two copies one is kept. */
void beck__session_copies(beck_context *ctx, beck_storage_level level);
/* Ends the lives of kept RDDs: all, or those that were dropped. */
void beck__session_kept_free(beck_context *ctx, bool all);
/* A life for one batch, or for what is kept (batch_ms 0): `arena` must be empty; errors of its
 * graph and actions go to *error. The end frees results and datasets, not the arena. */
beck_status beck__session_life_init(struct session_life *life, beck_context *ctx,
                                    struct arena *arena, int64_t batch_ms, struct error *error);
void beck__session_life_end(struct session_life *life);
/* All rows of a node as a result that belongs to `owner`. NULL without memory. */
struct beck_result *beck__session_collect(struct session_life *life, struct session_life *owner,
                                          struct node *node, const char *what);
/* What an action gives: the rows of a node that was made of r (NULL: the error is set). `some`: an
 * empty one is BECK_NOT_FOUND there; NULL: it is none. Or rows that the driver has made. Never
 * NULL. */
beck_result *beck__session_result(beck_rdd *r, struct node *node, const char *what,
                                  const beck_site *some);
beck_result *beck__session_rows(beck_rdd *r, const struct builder *rows);
/* Runs a job over the node; rows go to deliver. */
beck_status beck__session_job(struct session_life *life, struct node *node,
                              const struct program *action,
                              void (*deliver)(void *, uint32_t, const struct blocks *), void *user,
                              const char *what, struct error *error);

/* A sink as the end of a pipeline: open, tasks, commit, close. `params` as given to beck_save.
 * Returns the number of rows written in *rows (may be NULL). */
struct output_sink {
    const beck_sink_class *class_of;
    beck_str params;
    void *state;
    bool opened;
    uint32_t pool;       /* of its jobs */
    struct error reason; /* what the sink said */
};
beck_status beck__sink_open_once(struct output_sink *sink, struct arena *arena, const char *what,
                                 struct error *error);
/* What the tasks tell the commit, by partition. */
struct sink_messages {
    const char *what; /* for errors */
    struct arena *arena;
    beck_str *items; /* NULL: there is nothing to commit */
    size_t count;
    bool failed;
};
/* The tasks; then, if they are through, the commit, in which nothing of the engine is touched. */
beck_status beck__sink_write(struct output_sink *sink, struct session_life *life, struct node *node,
                             const struct program *program, struct sink_messages *messages,
                             struct error *error);
beck_status beck__sink_commit(struct output_sink *sink, const struct sink_messages *messages,
                              int64_t batch_ms, struct error *error);
void beck__sink_close(struct output_sink *sink);

#endif
