/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest - receivers: one supervisor thread polls all of them, waits on their sockets, and starts
 * again what has failed; the block generator seals what they store into blocks by time and size. A
 * receiver whose unprocessed bytes reach the limit is not polled until some are released, so a fast
 * source is slowed by its own connection and memory stays bounded.
 */
#ifndef BECK_INGEST_H
#define BECK_INGEST_H

#include "data/data.h"
#include "observe/observe.h"
#include "os/os.h"
#include <beck/connector.h>

struct ingest;

struct ingest_options {
    struct os *os;
    struct bus *bus; /* receiver events */
    struct log *log;
    int64_t block_ms;
    int64_t block_bytes;
    int64_t bytes_max;   /* per receiver: waiting or being processed */
    int64_t batch_bytes; /* of one allotment, which always gets one block; 0: no limit */
    int64_t restart_ms;  /* before a failed receiver starts again, unless it says otherwise */
    size_t line_bytes_max;
    int64_t (*now_ms)(
        void *user);             /* the driver's clock: stamps blocks, times restarts; any thread */
    void (*posted)(void *user);  /* supervisor's thread: an event waits on the bus; or NULL */
    void (*arrived)(void *user); /* the same: there is data to allot; or NULL */
    void *user;
};

struct ingest *beck__ingest_new(const struct ingest_options *options, struct error *error);
/* Stops if need be, drops what is left. */
void beck__ingest_free(struct ingest *ingest);

/* Before start. The class must be static and the schema stays; the rest is copied. `what` is name
 * and call site, for the log (NULL: the name). Returns the stream's number, or -1 without memory.
 */
struct received {
    const beck_receiver_class *class_of;
    const beck_schema *schema;
    beck_str params;
    const char *name, *what;
};
int beck__ingest_add(struct ingest *ingest, const struct received *stream);

/* Starts the supervisor's thread; with `threaded` false nothing runs until beck__ingest_step. */
beck_status beck__ingest_start(struct ingest *ingest, bool threaded, struct error *error);
/* Polls every receiver until it has nothing more now. Only when not threaded. */
void beck__ingest_step(struct ingest *ingest);
/* Closes the receivers, seals what they have stored and waits for the thread. Twice is nothing. */
void beck__ingest_stop(struct ingest *ingest);
/* True when nothing received is left to allot. */
bool beck__ingest_drained(struct ingest *ingest);
/* True when every receiver has ended for good; `posted` is called when the last one has. Only when
 * threaded. */
bool beck__ingest_ended(struct ingest *ingest);

/* Driver's thread: moves the blocks of a stream whose first byte came at or before batch_ms to *out
 * (references, in order); the open block is sealed for it. */
void beck__ingest_allot(struct ingest *ingest, int stream, int64_t batch_ms, struct blocks *out);
/* When the oldest data came that is not allotted; INT64_MAX: there is none. */
int64_t beck__ingest_first_ms(struct ingest *ingest);
/* The bytes of an allotment are no longer needed. */
void beck__ingest_release(struct ingest *ingest, int stream, uint64_t bytes);

#endif
