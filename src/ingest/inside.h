/* SPDX-License-Identifier: Apache-2.0 */
/* inside - what the files of ingest share: supervisor.c polls, receiver.c is the receivers' side.
 */
#ifndef BECK_INGEST_INSIDE_H
#define BECK_INGEST_INSIDE_H

#include "ingest/ingest.h"

enum receiver_state { RECEIVER_DOWN, RECEIVER_OPEN, RECEIVER_ENDED };

/* Sealed blocks that arrived at the same time or later than the one before. */
struct sealed {
    struct block *block;
    int64_t first_ms; /* when its first byte came */
};

struct beck_receiver {
    struct ingest *ingest;
    struct beck_receiver *next;
    int stream;
    const beck_receiver_class *class_of;
    const beck_schema *schema; /* of the context: not an orphan's */
    uint32_t width;            /* columns */
    bool lines;                /* it is one STRING column */
    beck_str params;
    const char *name, *what; /* what: with its call site, for the log */
    struct os_thread *thread;
    struct os_poller *poller; /* the thread sleeps on it */
    /* of the thread */
    bool orphan; /* the ingest is gone; only the thread and this memory are left */
    enum receiver_state state;
    void *memory;
    int64_t restart_ms, retry_ms; /* DOWN: how long, and when to open again */
    bool up;                      /* connected, as far as can be told, */
    int64_t up_ms;                /* since then */
    uint32_t failures;            /* since it was last said to be up */
    bool warned;                  /* and it was said that it is not */
    int64_t quiet_ms, warn_ms;    /* how long failures are not logged, and until when */
    struct os_socket *socket;     /* to wait for */
    bool wait_write;
    struct text partial; /* beck_store_bytes: the unfinished line, at most line_max + 1 */
    bool skipping;       /* the rest of a line that was too long */
    uint64_t cut;        /* lines of this connection that were too long */
    uint64_t token;      /* of the newest bytes */
    struct error reason;
    bool full; /* at the limit */
    /* under the ingest's lock */
    struct builder open; /* rows since the last seal: beck_store_values */
    uint64_t open_bytes; /* about what they take */
    int64_t open_ms;     /* when the first of them came; -1: none */
    struct sealed *sealed;
    size_t sealed_capacity, sealed_count, sealed_first; /* a queue: [first, count) */
    uint64_t bytes;                                     /* sealed: waiting or being processed */
    uint64_t open_token, sealed_token;
    bool untold;      /* the receiver does not know of sealed_token yet */
    bool announced;   /* the driver knows that there is data */
    bool inside;      /* a function of the class is running, */
    int64_t since_ms; /* since then, */
    bool told;        /* and the listeners know that it does not return */
    bool over;        /* the thread has ended */
};

struct ingest {
    struct ingest_options options;
    struct arena arena;
    struct beck_receiver *first, *last;
    int count;
    struct os_lock *lock;
    struct os_gate *gate; /* a thread has ended */
    _Atomic bool stop;
    uint32_t running; /* threads that are not over */
    bool orphaned;    /* the last of them frees it */
};

/* When the oldest data came that is not allotted; INT64_MAX: there is none. Under the lock. */
static inline int64_t beck__receiver_first_ms(const struct beck_receiver *r)
{
    if (r->sealed_first < r->sealed_count)
        return r->sealed[r->sealed_first].first_ms;
    return r->open_ms >= 0 ? r->open_ms : INT64_MAX;
}

/* Tells the driver once of data that it has not allotted. */
void beck__receiver_announce(struct beck_receiver *r);
/* Tells the receiver what has become safe. Its thread. */
void beck__receiver_tell(struct beck_receiver *r);
/* It works, which is told to those who were warned. Its thread. */
void beck__receiver_up(struct beck_receiver *r);
static inline bool beck__receiver_blocks(const struct beck_receiver *r)
{
    return r->class_of->run != NULL;
}

/* To the listeners; error may be NULL. */
void beck__receiver_post(struct beck_receiver *r, beck_event_kind kind, const char *error);
int64_t beck__receiver_now_ms(const struct beck_receiver *r);
/* Rows that came by values become a block. Under the lock. False without memory. */
bool beck__receiver_seal(struct beck_receiver *r);
/* A last line without LF counts when the connection ends. */
void beck__receiver_end_line(struct beck_receiver *r);

#endif
