/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor: each receiver has a thread that opens, polls, closes and opens it again, and
 * sleeps on its socket; one at its byte limit is left alone until the driver has released some. A
 * function of a receiver that does not return stops nobody else: it is reported, and at the end its
 * thread is left behind.
 *
 * Invariant: a thread that is not inside a function of its class will end after a stop. Only those
 * inside may outlive the ingest; they see `orphan` when they return, and touch nothing any more.
 */
#include "ingest/inside.h"

#include <stdio.h>

#define POLL_AGAIN_MS 10 /* a receiver without a socket is asked this often */
#define WAIT_MS_MAX   60000
#define STOP_MS       10000
#define QUIET_MS_MAX  60000 /* between warnings of one that fails on and on */

struct ingest *beck__ingest_new(const struct ingest_options *options, struct error *error)
{
    struct os *os = options->os;
    struct ingest *ingest = beck__alloc_zero(&os->memory, sizeof *ingest);

    if (!ingest) {
        beck__error_memory(error, "receivers", sizeof *ingest);
        return NULL;
    }
    ingest->options = *options;
    beck__arena_init(&ingest->arena, &os->memory);
    ingest->lock = os->lock_new(os);
    ingest->gate = os->gate_new(os);
    if (!ingest->lock || !ingest->gate) {
        beck__error_memory(error, "receivers", 0);
        beck__ingest_free(ingest);
        return NULL;
    }
    return ingest;
}

int beck__ingest_add(struct ingest *ingest, const struct received *stream)
{
    const beck_receiver_class *class_of = stream->class_of;
    const beck_schema *schema = stream->schema;
    beck_str params = stream->params;
    struct arena *arena = &ingest->arena;
    const struct allocator *memory = &ingest->options.os->memory;
    struct beck_receiver *r = beck__arena_alloc(arena, sizeof *r);
    struct error error = {0};

    if (!r)
        return -1;
    r->memory = beck__arena_alloc(arena, class_of->state_size + 1);
    r->params = beck_bytes_of(beck__arena_copy(arena, params.data, params.size), params.size);
    r->name = beck__arena_text(arena, stream->name);
    r->what = beck__arena_text(arena, stream->what ? stream->what : stream->name);
    r->poller = ingest->options.os->poller_new(ingest->options.os);
    bool good = r->memory && r->params.data && r->name && r->what && r->poller &&
                !beck__builder_init(&r->open, memory, schema, 0, &error);
    if (!good) {
        ingest->options.os->poller_free(ingest->options.os, r->poller);
        return -1;
    }
    r->ingest = ingest;
    r->class_of = class_of;
    r->schema = schema;
    r->width = schema->count;
    r->lines = schema->count == 1 && schema->fields[0].type == BECK_STRING;
    r->partial.memory = memory;
    r->open_ms = -1;
    r->restart_ms = ingest->options.restart_ms;
    r->retry_ms = INT64_MIN;
    r->stream = ingest->count++;
    if (ingest->last)
        ingest->last->next = r;
    else
        ingest->first = r;
    ingest->last = r;
    return r->stream;
}

static void free_all(struct ingest *ingest)
{
    struct os *os = ingest->options.os;

    for (struct beck_receiver *r = ingest->first; r; r = r->next) {
        while (r->sealed_first < r->sealed_count)
            beck__block_unref(r->sealed[r->sealed_first++].block);
        beck__free(&os->memory, r->sealed, r->sealed_capacity * sizeof *r->sealed);
        beck__builder_deinit(&r->open);
        beck__text_deinit(&r->partial);
        os->poller_free(os, r->poller);
    }
    os->gate_free(os, ingest->gate);
    os->lock_free(os, ingest->lock);
    beck__arena_deinit(&ingest->arena);
    beck__free(&os->memory, ingest, sizeof *ingest);
}

void beck__ingest_free(struct ingest *ingest)
{
    if (!ingest)
        return;
    struct os *os = ingest->options.os;
    if (ingest->lock && ingest->gate) {
        beck__ingest_stop(ingest);
        os->lock(os, ingest->lock);
        ingest->orphaned = ingest->running > 0;
        bool orphaned = ingest->orphaned;
        os->unlock(os, ingest->lock);
        if (orphaned)
            return;
    }
    free_all(ingest);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- one receiver ---------------------------------------------------------------------------- */

static void begin_call(struct beck_receiver *r)
{
    struct os *os = r->ingest->options.os;

    os->lock(os, r->ingest->lock);
    r->inside = true;
    r->since_ms = r->ingest->orphaned ? 0 : beck__receiver_now_ms(r);
    os->unlock(os, r->ingest->lock);
}

static void end_call(struct beck_receiver *r)
{
    struct os *os = r->ingest->options.os;

    os->lock(os, r->ingest->lock);
    r->inside = r->told = false;
    r->orphan = r->ingest->orphaned;
    os->unlock(os, r->ingest->lock);
}

void beck__receiver_announce(struct beck_receiver *r)
{
    const struct ingest_options *o = &r->ingest->options;

    o->os->lock(o->os, r->ingest->lock);
    bool fresh = o->arrived && !r->ingest->orphaned && !r->announced &&
                 beck__receiver_first_ms(r) != INT64_MAX;
    r->announced |= fresh;
    if (fresh)
        o->arrived(o->user);
    o->os->unlock(o->os, r->ingest->lock);
}

void beck__receiver_tell(struct beck_receiver *r)
{
    struct os *os = r->ingest->options.os;

    os->lock(os, r->ingest->lock);
    uint64_t token = r->sealed_token;
    bool untold = r->untold && r->class_of->stored && r->state == RECEIVER_OPEN;
    r->untold = false;
    os->unlock(os, r->ingest->lock);
    if (!untold)
        return;
    begin_call(r);
    r->class_of->stored(r, r->memory, token);
    end_call(r);
}

/* Seals rows that have waited long enough, or all of them, and tells the receiver what is safe. */
static void seal(struct beck_receiver *r, bool all)
{
    struct ingest *ingest = r->ingest;
    struct os *os = ingest->options.os;
    int64_t now = beck__receiver_now_ms(r);

    os->lock(os, ingest->lock);
    if (r->open_ms >= 0 && (all || now - r->open_ms >= ingest->options.block_ms))
        beck__receiver_seal(r);
    os->unlock(os, ingest->lock);
    beck__receiver_tell(r);
}

/* What it has stored stays; tokens of another connection mean something else. */
static void take_down(struct beck_receiver *r, enum receiver_state state)
{
    struct os *os = r->ingest->options.os;

    begin_call(r);
    if (r->class_of->close)
        r->class_of->close(r, r->memory);
    end_call(r);
    if (r->orphan)
        return;
    beck__receiver_end_line(r);
    os->lock(os, r->ingest->lock);
    beck__receiver_seal(r);
    r->untold = false;
    r->open_token = r->sealed_token = 0;
    os->unlock(os, r->ingest->lock);
    memset(r->memory, 0, r->class_of->state_size);
    r->token = r->cut = 0;
    r->socket = NULL;
    r->state = state;
}

/* Ended for good. */
static void end(struct beck_receiver *r)
{
    seal(r, true);
    if (!r->orphan)
        take_down(r, RECEIVER_ENDED);
    if (!r->orphan)
        beck__receiver_post(r, BECK_EVENT_RECEIVER_STOPPED, NULL);
}

void beck__receiver_up(struct beck_receiver *r)
{
    struct os *os = r->ingest->options.os;

    if (r->up)
        return;
    r->up = true;
    os->lock(os, r->ingest->lock);
    r->up_ms = r->ingest->orphaned ? 0 : beck__receiver_now_ms(r);
    if (r->warned && !r->ingest->orphaned) {
        beck__log(r->ingest->options.log, BECK_LOG_WARNING,
                  "%s: connected again after %u attempt%s", r->what, r->failures,
                  r->failures == 1 ? "" : "s");
        r->failures = 0;
    }
    os->unlock(os, r->ingest->lock);
    r->warned = false;
}

/* The first failure is told, those that follow at doubling times; one that has worked for longer
 * than it was left untold fails anew. */
static void warn(struct beck_receiver *r)
{
    int64_t now = beck__receiver_now_ms(r);
    char times[40] = "";

    if (r->up && now - r->up_ms >= r->quiet_ms)
        r->warn_ms = r->quiet_ms = r->failures = 0;
    r->up = false;
    r->failures++;
    if (now < r->warn_ms)
        return;
    if (r->failures > 1)
        snprintf(times, sizeof times, " (failed %u times)", r->failures);
    beck__log(r->ingest->options.log, BECK_LOG_WARNING, "%s: %s; starts again in %lld ms%s",
              r->what, r->reason.text, (long long)r->restart_ms, times);
    r->warned = true;
    r->quiet_ms = sooner(r->quiet_ms ? 2 * r->quiet_ms : r->restart_ms, QUIET_MS_MAX);
    r->warn_ms = now + r->quiet_ms;
}

/* Closed, reported, and opened again after a while. */
static void fail(struct beck_receiver *r, beck_status status)
{
    if (!r->reason.status)
        beck__error_set(&r->reason, status, "%s", beck_status_text(status));
    warn(r);
    beck__receiver_post(r, BECK_EVENT_RECEIVER_ERROR, r->reason.text);
    take_down(r, RECEIVER_DOWN);
    if (!r->orphan)
        r->retry_ms = beck__receiver_now_ms(r) + r->restart_ms;
}

static void open_receiver(struct beck_receiver *r)
{
    beck__error_clear(&r->reason);
    begin_call(r);
    beck_status status = r->class_of->open ? r->class_of->open(r, r->memory) : BECK_OK;
    end_call(r);

    r->state = RECEIVER_OPEN;
    if (r->orphan)
        return;
    if (status)
        fail(r, status);
    else
        beck__receiver_post(r, BECK_EVENT_RECEIVER_STARTED, NULL);
}

static bool at_limit(struct beck_receiver *r)
{
    struct ingest *ingest = r->ingest;
    struct os *os = ingest->options.os;

    os->lock(os, ingest->lock);
    r->full = r->bytes + r->open_bytes >= (uint64_t)ingest->options.bytes_max;
    os->unlock(os, ingest->lock);
    return r->full;
}

/* One poll, or the whole run of a receiver that blocks. What it says must make sense. */
static beck_status ask(struct beck_receiver *r)
{
    bool blocks = beck__receiver_blocks(r);

    beck__error_clear(&r->reason);
    begin_call(r);
    beck_status status =
        blocks ? r->class_of->run(r, r->memory) : r->class_of->poll(r, r->memory, 0);
    end_call(r);
    if (r->orphan)
        return BECK_CANCELLED;
    if ((unsigned)status >= BECK_STATUS_COUNT)
        status = beck_receiver_error(r, BECK_INVALID, "%s returned %d, which is no status",
                                     blocks ? "run" : "poll", (int)status);
    if (status == BECK_OK || status == BECK_AGAIN)
        status = r->reason.status ? r->reason.status : status; /* a store failed; it went on */
    bool ended = blocks && (!status || atomic_load(&r->ingest->stop));
    return ended ? BECK_CLOSED : status;
}

/* True: there may be more at once. */
static bool poll_receiver(struct beck_receiver *r)
{
    beck_status status = BECK_AGAIN;

    if (r->state == RECEIVER_DOWN && beck__receiver_now_ms(r) >= r->retry_ms)
        open_receiver(r);
    if (r->orphan || r->state != RECEIVER_OPEN)
        return false;
    if (!at_limit(r))
        status = ask(r);
    if (r->orphan)
        return false;
    if (status == BECK_CLOSED)
        end(r);
    else if (status && status != BECK_AGAIN)
        fail(r, status);
    else
        seal(r, false);
    if (!r->orphan && r->state == RECEIVER_OPEN && !r->wait_write) /* one that writes connects */
        beck__receiver_up(r);
    if (!r->orphan)
        beck__receiver_announce(r);
    return status == BECK_OK && !r->orphan;
}

/* ---- the threads ----------------------------------------------------------------------------- */

/* Sleeps until there may be something to do. */
static void wait_for(struct beck_receiver *r)
{
    struct ingest *ingest = r->ingest;
    struct os *os = ingest->options.os;
    struct os_wait socket = {.socket = r->socket, .read = !r->wait_write, .write = r->wait_write};
    int64_t wait = WAIT_MS_MAX;

    os->lock(os, ingest->lock);
    if (r->state == RECEIVER_DOWN)
        wait = sooner(wait, r->retry_ms - beck__receiver_now_ms(r));
    if (r->open_ms >= 0)
        wait = sooner(wait, ingest->options.block_ms);
    bool polled = r->state == RECEIVER_OPEN && !r->full;
    os->unlock(os, ingest->lock);
    if (polled && !r->socket)
        wait = sooner(wait, POLL_AGAIN_MS);
    os->poller_wait(os, r->poller, &socket, polled && r->socket ? 1 : 0,
                    wait > 0 ? wait * 1000000 : 0);
}

static void supervise(void *user)
{
    struct beck_receiver *r = user;
    struct ingest *ingest = r->ingest;
    struct os *os = ingest->options.os;

    while (!atomic_load(&ingest->stop) && !r->orphan && r->state != RECEIVER_ENDED)
        if (!poll_receiver(r) && !r->orphan && r->state != RECEIVER_ENDED)
            wait_for(r);
    if (r->state == RECEIVER_OPEN && !r->orphan)
        end(r);
    os->lock(os, ingest->lock);
    r->over = true;
    bool last = --ingest->running == 0 && ingest->orphaned;
    if (ingest->running == 0 && !ingest->orphaned && ingest->options.posted)
        ingest->options.posted(ingest->options.user);
    os->gate_wake_all(os, ingest->gate);
    os->unlock(os, ingest->lock);
    if (last)
        free_all(ingest);
}

beck_status beck__ingest_start(struct ingest *ingest, bool threaded, struct error *error)
{
    struct os *os = ingest->options.os;

    for (struct beck_receiver *r = ingest->first; r; r = r->next) {
        if (!threaded && !beck__receiver_blocks(r))
            continue;
        os->lock(os, ingest->lock);
        ingest->running++;
        os->unlock(os, ingest->lock);
        r->thread = os->thread_start(os, "beck-receiver", supervise, r, error);
        if (r->thread)
            continue;
        os->lock(os, ingest->lock);
        ingest->running--;
        os->unlock(os, ingest->lock);
        return error->status;
    }
    return BECK_OK;
}

bool beck__ingest_ended(struct ingest *ingest)
{
    struct os *os = ingest->options.os;

    os->lock(os, ingest->lock);
    bool ended = ingest->running == 0;
    os->unlock(os, ingest->lock);
    return ended;
}

void beck__ingest_step(struct ingest *ingest)
{
    bool more = true;

    while (more) {
        more = false;
        for (struct beck_receiver *r = ingest->first; r; r = r->next)
            more |= !r->thread && poll_receiver(r);
    }
}

/* Waits until the threads have ended, or those that have not are inside a function that does not
 * return. */
static void await_threads(struct ingest *ingest)
{
    struct os *os = ingest->options.os;
    int64_t by = os->mono_ns(os) + (int64_t)STOP_MS * 1000000;

    os->lock(os, ingest->lock);
    for (;;) {
        bool wait = false;
        int64_t left = by - os->mono_ns(os);
        for (const struct beck_receiver *r = ingest->first; r; r = r->next)
            wait |= r->thread && !r->over && (left > 0 || !r->inside);
        if (!wait)
            break;
        os->gate_wait(os, ingest->gate, ingest->lock, left > 0 ? left : 1000000);
    }
    os->unlock(os, ingest->lock);
}

static void interrupt(struct beck_receiver *r)
{
    struct os *os = r->ingest->options.os;

    os->poller_wake(os, r->poller);
    os->lock(os, r->ingest->lock);
    bool inside = r->thread && r->inside && r->class_of->interrupt;
    os->unlock(os, r->ingest->lock);
    if (inside)
        r->class_of->interrupt(r, r->memory);
}

/* What became of its thread. */
static void part_with(struct beck_receiver *r)
{
    struct os *os = r->ingest->options.os;

    os->lock(os, r->ingest->lock);
    bool over = r->over;
    os->unlock(os, r->ingest->lock);
    if (over) {
        os->thread_join(os, r->thread);
    } else {
        beck__log(r->ingest->options.log, BECK_LOG_ERROR,
                  "%s: %s does not return; its thread is left behind", r->what,
                  beck__receiver_blocks(r) ? "run" : "poll");
        beck__receiver_post(r, BECK_EVENT_RECEIVER_STOPPED, "it does not return");
    }
    r->thread = NULL;
}

void beck__ingest_stop(struct ingest *ingest)
{
    if (atomic_exchange(&ingest->stop, true))
        return;
    for (struct beck_receiver *r = ingest->first; r; r = r->next)
        interrupt(r);
    await_threads(ingest);
    for (struct beck_receiver *r = ingest->first; r; r = r->next)
        if (r->thread)
            part_with(r);
        else if (r->state == RECEIVER_OPEN && !beck__receiver_blocks(r))
            end(r);
}
