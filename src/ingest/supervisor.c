/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor: one thread that opens, polls, closes and opens again every receiver. It sleeps on
 * their sockets; a receiver at its byte limit is left alone until the driver has released some.
 */
#include "ingest/inside.h"

#define POLL_AGAIN_MS 10 /* a receiver without a socket is asked this often */
#define WAIT_MS_MAX   60000

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
    ingest->poller = os->poller_new(os);
    if (!ingest->lock || !ingest->poller) {
        beck__error_memory(error, "receivers", 0);
        beck__ingest_free(ingest);
        return NULL;
    }
    return ingest;
}

int beck__ingest_add(struct ingest *ingest, const beck_receiver_class *class_of,
                     const beck_schema *schema, beck_str params, const char *name)
{
    struct arena *arena = &ingest->arena;
    const struct allocator *memory = &ingest->options.os->memory;
    struct beck_receiver *r = beck__arena_alloc(arena, sizeof *r);
    struct error error = {0};

    if (!r)
        return -1;
    r->memory = beck__arena_alloc(arena, class_of->state_size + 1);
    r->params = beck_bytes_of(beck__arena_copy(arena, params.data, params.size), params.size);
    r->name = beck__arena_text(arena, name);
    if (!r->memory || !r->params.data || !r->name ||
        beck__builder_init(&r->open, memory, schema, 0, &error))
        return -1;
    r->ingest = ingest;
    r->class_of = class_of;
    r->schema = schema;
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

void beck__ingest_free(struct ingest *ingest)
{
    if (!ingest)
        return;
    struct os *os = ingest->options.os;
    beck__ingest_stop(ingest);
    for (struct beck_receiver *r = ingest->first; r; r = r->next) {
        while (r->sealed_first < r->sealed_count)
            beck__block_unref(r->sealed[r->sealed_first++].block);
        beck__free(&os->memory, r->sealed, r->sealed_capacity * sizeof *r->sealed);
        beck__builder_deinit(&r->open);
        beck__text_deinit(&r->partial);
    }
    if (ingest->poller)
        os->poller_free(os, ingest->poller);
    if (ingest->lock)
        os->lock_free(os, ingest->lock);
    beck__arena_deinit(&ingest->arena);
    beck__free(&os->memory, ingest, sizeof *ingest);
}

/* ---- one receiver ---------------------------------------------------------------------------- */

/* Seals rows that have waited long enough, or all of them, and tells the receiver what is safe. */
static void seal(struct beck_receiver *r, bool all)
{
    struct ingest *ingest = r->ingest;
    struct os *os = ingest->options.os;
    int64_t now = beck__receiver_now_ms(r);

    os->lock(os, ingest->lock);
    if (r->open_ms >= 0 && (all || now - r->open_ms >= ingest->options.block_ms))
        beck__receiver_seal(r);
    uint64_t token = r->sealed_token;
    bool untold = r->untold;
    r->untold = false;
    os->unlock(os, ingest->lock);
    if (untold && r->class_of->stored && r->state == RECEIVER_OPEN)
        r->class_of->stored(r, r->memory, token);
}

/* What it has stored stays; tokens of another connection mean something else. */
static void take_down(struct beck_receiver *r, enum receiver_state state)
{
    struct os *os = r->ingest->options.os;

    r->class_of->close(r, r->memory);
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
    take_down(r, RECEIVER_ENDED);
    beck__receiver_post(r, BECK_EVENT_RECEIVER_STOPPED, NULL);
}

/* Closed, reported, and opened again after a while. */
static void fail(struct beck_receiver *r, beck_status status)
{
    if (!r->reason.status)
        beck__error_set(&r->reason, status, "%s", beck_status_text(status));
    beck__log(r->ingest->options.log, BECK_LOG_WARNING, "%s: %s; starts again in %lld ms", r->name,
              r->reason.text, (long long)r->restart_ms);
    beck__receiver_post(r, BECK_EVENT_RECEIVER_ERROR, r->reason.text);
    take_down(r, RECEIVER_DOWN);
    r->retry_ms = beck__receiver_now_ms(r) + r->restart_ms;
}

static void open_receiver(struct beck_receiver *r)
{
    beck__error_clear(&r->reason);
    beck_status status = r->class_of->open(r, r->memory);

    r->state = RECEIVER_OPEN;
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

/* Tells the driver once of data that it has not allotted. */
static void announce(struct beck_receiver *r)
{
    const struct ingest_options *o = &r->ingest->options;

    if (!o->arrived)
        return;
    o->os->lock(o->os, r->ingest->lock);
    bool fresh = !r->announced && beck__receiver_first_ms(r) != INT64_MAX;
    r->announced |= fresh;
    o->os->unlock(o->os, r->ingest->lock);
    if (fresh)
        o->arrived(o->user);
}

/* True: there may be more at once. */
static bool poll_receiver(struct beck_receiver *r)
{
    beck_status status = BECK_AGAIN;

    if (r->state == RECEIVER_DOWN && beck__receiver_now_ms(r) >= r->retry_ms)
        open_receiver(r);
    if (r->state != RECEIVER_OPEN)
        return false;
    if (!at_limit(r)) {
        beck__error_clear(&r->reason);
        status = r->class_of->poll(r, r->memory, 0);
    }
    if (status == BECK_CLOSED)
        end(r);
    else if (status && status != BECK_AGAIN)
        fail(r, status);
    else
        seal(r, false);
    announce(r);
    return status == BECK_OK;
}

/* ---- the thread
 * ------------------------------------------------------------------------------------------------
 */

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What to wait for and how long, after everyone has been asked. */
static int64_t plan_wait(struct ingest *ingest, size_t *count)
{
    int64_t wait = WAIT_MS_MAX;
    struct os *os = ingest->options.os;

    *count = 0;
    os->lock(os, ingest->lock);
    for (struct beck_receiver *r = ingest->first; r; r = r->next) {
        if (r->state == RECEIVER_DOWN)
            wait = sooner(wait, r->retry_ms - beck__receiver_now_ms(r));
        if (r->open_ms >= 0)
            wait = sooner(wait, ingest->options.block_ms);
        if (r->state != RECEIVER_OPEN || r->full)
            continue;
        if (r->socket)
            ingest->waits[(*count)++] = (struct os_wait){
                .socket = r->socket, .read = !r->wait_write, .write = r->wait_write};
        else
            wait = sooner(wait, POLL_AGAIN_MS);
    }
    os->unlock(os, ingest->lock);
    return wait > 0 ? wait * 1000000 : 0;
}

static void supervise(void *user)
{
    struct ingest *ingest = user;
    struct os *os = ingest->options.os;

    while (!atomic_load(&ingest->stop)) {
        bool more = false;
        size_t count;
        for (struct beck_receiver *r = ingest->first; r; r = r->next)
            more |= poll_receiver(r);
        if (more)
            continue;
        int64_t wait = plan_wait(ingest, &count);
        os->poller_wait(os, ingest->poller, ingest->waits, count, wait);
    }
    for (struct beck_receiver *r = ingest->first; r; r = r->next)
        if (r->state == RECEIVER_OPEN)
            end(r);
}

beck_status beck__ingest_start(struct ingest *ingest, bool threaded, struct error *error)
{
    struct os *os = ingest->options.os;

    ingest->waits =
        beck__arena_alloc(&ingest->arena, (size_t)(ingest->count + 1) * sizeof *ingest->waits);
    if (!ingest->waits)
        return beck__error_memory(error, "receivers", 0);
    if (!threaded)
        return BECK_OK;
    ingest->thread = os->thread_start(os, "beck-receivers", supervise, ingest, error);
    return ingest->thread ? BECK_OK : error->status;
}

void beck__ingest_step(struct ingest *ingest)
{
    bool more = true;

    while (more) {
        more = false;
        for (struct beck_receiver *r = ingest->first; r; r = r->next)
            more |= poll_receiver(r);
    }
}

void beck__ingest_stop(struct ingest *ingest)
{
    struct os *os = ingest->options.os;

    if (atomic_exchange(&ingest->stop, true))
        return;
    if (ingest->thread) {
        os->poller_wake(os, ingest->poller);
        os->thread_join(os, ingest->thread);
        ingest->thread = NULL;
    } else {
        supervise(ingest); /* only the end of it: closes what is open */
    }
}

/* ---- the driver's side ----------------------------------------------------------------------- */

static struct beck_receiver *receiver_of(struct ingest *ingest, int stream)
{
    struct beck_receiver *r = ingest->first;

    while (r && r->stream != stream)
        r = r->next;
    return r;
}

bool beck__ingest_drained(struct ingest *ingest)
{
    struct os *os = ingest->options.os;
    bool drained = true;

    os->lock(os, ingest->lock);
    for (struct beck_receiver *r = ingest->first; r; r = r->next)
        drained &= r->open_ms < 0 && r->sealed_first == r->sealed_count;
    os->unlock(os, ingest->lock);
    return drained;
}

int64_t beck__ingest_first_ms(struct ingest *ingest)
{
    struct os *os = ingest->options.os;
    int64_t oldest = INT64_MAX;

    os->lock(os, ingest->lock);
    for (struct beck_receiver *r = ingest->first; r; r = r->next)
        oldest = beck__receiver_first_ms(r) < oldest ? beck__receiver_first_ms(r) : oldest;
    os->unlock(os, ingest->lock);
    return oldest;
}

void beck__ingest_allot(struct ingest *ingest, int stream, int64_t batch_ms, struct blocks *out)
{
    struct os *os = ingest->options.os;
    struct beck_receiver *r = receiver_of(ingest, stream);
    uint64_t limit = (uint64_t)ingest->options.batch_bytes;

    os->lock(os, ingest->lock);
    if (r->open_ms >= 0 && r->open_ms <= batch_ms)
        beck__receiver_seal(r);
    r->announced = false;
    while (r->sealed_first < r->sealed_count && r->sealed[r->sealed_first].first_ms <= batch_ms) {
        struct block *block = r->sealed[r->sealed_first].block;
        if (limit && out->count && out->bytes + block->bytes > limit)
            break; /* the batch is full */
        beck__block_ref(block);
        if (!beck__blocks_add(out, block))
            break; /* stays for the next batch */
        beck__block_unref(block);
        r->sealed_first++;
    }
    os->unlock(os, ingest->lock);
}

void beck__ingest_release(struct ingest *ingest, int stream, uint64_t bytes)
{
    struct os *os = ingest->options.os;
    struct beck_receiver *r = receiver_of(ingest, stream);
    uint64_t limit = (uint64_t)ingest->options.bytes_max;

    os->lock(os, ingest->lock);
    bool was_full = r->bytes >= limit;
    r->bytes -= bytes < r->bytes ? bytes : r->bytes;
    bool wake = was_full && r->bytes < limit;
    os->unlock(os, ingest->lock);
    if (wake)
        os->poller_wake(os, ingest->poller);
}
