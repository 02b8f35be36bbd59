/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Direct streams: one thread for each looks again and again for ranges that exist; they wait here
 * until a batch takes them. Looking is file and network work: it may take its time, or hang, and
 * neither a batch nor another source waits for it; at the end such a thread is left behind.
 *
 *     look, look, ... --> fresh --(look ends)--> first .. last --(tick)--> allotment of the batch
 *     '------ the thread that looks ------'      '------ under the lock, then the driver's ------'
 *
 * Invariant: a thread that is not inside `list` ends after a stop. One inside may outlive the
 * driver: then it is an orphan, and touches nothing but this struct, which it frees.
 */
#include "driver/driver.h"

#define WAITING_MAX 65536 /* ranges; beyond it a look leaves the rest for the next one */
#define STOP_MS     10000 /* how long a stop waits for a look */

struct direct {
    struct range_taker taker; /* first */
    struct os *os;
    size_t size;           /* of this struct, with parameters and state behind it */
    struct driver *driver; /* not an orphan's; nor is the input */
    struct input *input;
    const beck_direct_class *class_of;
    beck_str params;
    struct os_thread *thread;
    /* of the thread that looks */
    void *state;
    struct found *fresh_first, *fresh_last;
    size_t fresh_count;
    struct error error, told; /* told: what the listeners know */
    bool begun, ended;
    struct os_lock *lock;
    /* under the lock */
    struct os_gate *gate;
    bool stop, inside, over, orphan;
    struct found *first, *last;
    size_t count;
};

/* ---- what the source sees -------------------------------------------------------------------- */

static beck_status add(struct range_taker *taker, beck_str range, beck_range_size counts)
{
    struct direct *d = (struct direct *)taker;
    struct os *os = d->os;

    os->lock(os, d->lock);
    bool full = d->count + d->fresh_count >= WAITING_MAX;
    os->unlock(os, d->lock);
    if (full)
        return BECK_AGAIN;
    struct found *f = beck__alloc(&os->memory, sizeof *f + range.size);
    if (!f)
        return beck__error_memory(&d->error, "ranges of a source", sizeof *f + range.size);
    *f = (struct found){.counts = counts, .size = range.size};
    if (range.size)
        memcpy(f->data, range.data, range.size);
    if (d->fresh_last)
        d->fresh_last->next = f;
    else
        d->fresh_first = f;
    d->fresh_last = f;
    d->fresh_count++;
    return BECK_OK;
}

static int64_t now_ms(struct range_taker *taker)
{
    struct direct *d = (struct direct *)taker;
    struct os *os = d->os;

    os->lock(os, d->lock);
    int64_t now = d->orphan ? 0 : beck__driver_now_ms(d->driver);
    os->unlock(os, d->lock);
    return now;
}

static bool stopping(struct range_taker *taker)
{
    struct direct *d = (struct direct *)taker;
    struct os *os = d->os;

    os->lock(os, d->lock);
    bool stop = d->stop;
    os->unlock(os, d->lock);
    return stop;
}

static void post(struct direct *d, beck_event_kind kind, const char *error)
{
    beck_event event = {.kind = kind,
                        .time_ms = beck__driver_now_ms(d->driver),
                        .batch_ms = -1,
                        .scheduling_us = -1,
                        .processing_us = -1,
                        .name = d->input->name,
                        .error = error};

    beck__bus_post(d->driver->ctx->bus, &event);
    if (d->driver->threaded)
        beck__driver_wake(d->driver);
}

static void warn(struct range_taker *taker, const char *text)
{
    struct direct *d = (struct direct *)taker;
    struct os *os = d->os;

    os->lock(os, d->lock);
    if (!d->orphan) {
        beck__log(&d->driver->ctx->log, BECK_LOG_WARNING, "%s: %s", d->input->what, text);
        post(d, BECK_EVENT_RECEIVER_ERROR, text);
    }
    os->unlock(os, d->lock);
}

/* ---- looking --------------------------------------------------------------------------------- */

/* What the look has found may be allotted from now on. */
static void hand_over(struct direct *d)
{
    struct os *os = d->os;
    int64_t at = now_ms(&d->taker);

    if (!d->fresh_first)
        return;
    for (struct found *f = d->fresh_first; f; f = f->next)
        f->at_ms = at;
    os->lock(os, d->lock);
    if (d->last)
        d->last->next = d->fresh_first;
    else
        d->first = d->fresh_first;
    d->last = d->fresh_last;
    d->count += d->fresh_count;
    os->unlock(os, d->lock);
    d->fresh_first = d->fresh_last = NULL;
    d->fresh_count = 0;
    if (d->driver->threaded && d->driver->ctx->event_trigger)
        beck__driver_wake(d->driver);
}

/* Marks what is inside `list`. False: this is an orphan. */
static bool set_inside(struct direct *d, bool inside)
{
    struct os *os = d->os;

    os->lock(os, d->lock);
    d->inside = inside;
    bool orphan = d->orphan;
    os->gate_wake_all(os, d->gate);
    os->unlock(os, d->lock);
    return !orphan;
}

/* One look; its error is in d->error. False: this is an orphan. */
static bool look(struct direct *d)
{
    struct beck_ranges ranges = {.error = &d->error, .taker = &d->taker};

    beck__error_clear(&d->error);
    set_inside(d, true);
    beck_status status = d->class_of->list(&ranges, d->state, d->params.data, d->params.size);
    if (!set_inside(d, false))
        return false;
    if (status == BECK_CLOSED && !d->error.status)
        d->ended = true;
    else if (status && status != BECK_AGAIN)
        beck__error_set(&d->error, status, "%s", beck_status_text(status));
    hand_over(d);
    return true;
}

/* Each error once, and when it is over. */
static void tell(struct direct *d)
{
    if (d->error.status && strcmp(d->error.text, d->told.text) != 0) {
        beck__log(&d->driver->ctx->log, BECK_LOG_WARNING, "%s: %s; looks again in %lld ms",
                  d->input->what, d->error.text, (long long)d->input->interval_ms);
        post(d, BECK_EVENT_RECEIVER_ERROR, d->error.text);
    } else if (!d->error.status && (d->told.status || !d->begun)) {
        post(d, BECK_EVENT_RECEIVER_STARTED, NULL);
    }
    d->begun = true;
    d->told = d->error;
}

void beck__direct_look(struct direct *d)
{
    if (!d->ended && look(d))
        tell(d);
}

static void drop(struct os *os, struct found *f)
{
    while (f) {
        struct found *next = f->next;
        beck__free(&os->memory, f, sizeof *f + f->size);
        f = next;
    }
}

static void destroy(struct direct *d)
{
    struct os *os = d->os;

    if (d->class_of->close)
        d->class_of->close(d->state);
    drop(os, d->fresh_first);
    drop(os, d->first);
    os->gate_free(os, d->gate);
    os->lock_free(os, d->lock);
    beck__free(&os->memory, d, d->size);
}

/* Looks at regular times; one that takes longer than the interval is followed by a pause. */
static void keep_looking(void *user)
{
    struct direct *d = user;
    struct os *os = d->os;
    int64_t interval = d->input->interval_ms * 1000000, due = os->mono_ns(os) + interval;
    bool orphan = false;

    while (!d->ended) {
        os->lock(os, d->lock);
        for (int64_t left = interval; !d->stop && left > 0; left = due - os->mono_ns(os))
            os->gate_wait(os, d->gate, d->lock, left);
        bool stop = d->stop;
        os->unlock(os, d->lock);
        if (stop || (orphan = !look(d)))
            break;
        tell(d);
        due += interval;
        int64_t now = os->mono_ns(os);
        due = due > now ? due : now + interval;
    }
    if (orphan) {
        destroy(d);
        return;
    }
    os->lock(os, d->lock);
    d->over = true;
    if (!d->orphan)
        beck__driver_wake(d->driver);
    os->gate_wake_all(os, d->gate);
    os->unlock(os, d->lock);
}

/* ---- start and stop -------------------------------------------------------------------------- */

static struct direct *direct_new(struct driver *driver, struct input *input)
{
    struct os *os = driver->os;
    size_t front = (sizeof(struct direct) + 15) / 16 * 16; /* parameters and state are aligned */
    size_t middle = (input->params.size + 16) / 16 * 16;
    size_t size = front + middle + input->direct_class->state_size;
    struct direct *d = beck__alloc_zero(&os->memory, size);

    if (!d)
        return NULL;
    *d = (struct direct){.taker = {add, now_ms, stopping, warn},
                         .os = os,
                         .size = size,
                         .driver = driver,
                         .input = input,
                         .class_of = input->direct_class,
                         .params = {(char *)d + front, input->params.size},
                         .state = (char *)d + front + middle,
                         .lock = os->lock_new(os),
                         .gate = os->gate_new(os)};
    memcpy((char *)d + front, input->params.data, input->params.size);
    if (d->lock && d->gate)
        return d;
    destroy(d);
    return NULL;
}

beck_status beck__direct_start(struct driver *driver, struct input *input, bool threaded)
{
    struct error *error = &driver->ctx->error;
    struct os *os = driver->os;
    struct direct *d = input->direct = direct_new(driver, input);

    if (!d)
        return beck__error_memory(error, input->name, sizeof *d);
    look(d);
    if (d->error.status) {
        struct text name = {.memory = &os->memory};
        beck__node_name(input->node, &name);
        beck__error_set(error, d->error.status, "%s: %s", beck__text_get(&name), d->error.text);
        beck__text_deinit(&name);
        return error->status;
    }
    tell(d);
    if (threaded && !d->ended)
        d->thread = os->thread_start(os, "beck-listing", keep_looking, d, error);
    return error->status;
}

void beck__direct_stop(struct direct *d)
{
    struct os *os = d->os;
    int64_t by = os->mono_ns(os) + (int64_t)STOP_MS * 1000000;

    os->lock(os, d->lock);
    bool again = d->stop;
    d->stop = true;
    os->gate_wake_all(os, d->gate);
    for (int64_t left = 1; d->thread && !d->over && !again; left = by - os->mono_ns(os)) {
        if (left <= 0 && d->inside)
            break;
        os->gate_wait(os, d->gate, d->lock, left > 1 ? left : 1000000);
    }
    bool over = d->over;
    os->unlock(os, d->lock);
    if (d->thread && over) {
        os->thread_join(os, d->thread);
        d->thread = NULL;
    }
    if (again || !d->begun)
        return;
    if (d->thread)
        beck__log(&d->driver->ctx->log, BECK_LOG_ERROR,
                  "%s: the look does not return; its thread is left behind", d->input->what);
    post(d, BECK_EVENT_RECEIVER_STOPPED, d->thread ? "it does not return" : NULL);
}

void beck__direct_free(struct direct *d)
{
    struct os *os = d->os;

    beck__direct_stop(d);
    os->lock(os, d->lock);
    d->orphan = d->thread && !d->over && d->inside;
    bool orphan = d->orphan;
    os->unlock(os, d->lock);
    if (orphan)
        return; /* its thread will do it */
    if (d->thread)
        os->thread_join(os, d->thread); /* it has returned meanwhile */
    destroy(d);
}

/* ---- batches --------------------------------------------------------------------------------- */

bool beck__direct_ended(struct direct *d)
{
    struct os *os = d->os;

    os->lock(os, d->lock);
    bool ended = (d->over || !d->thread) && d->ended; /* who looks writes it without the lock */
    os->unlock(os, d->lock);
    return ended;
}

int64_t beck__direct_first_ms(struct direct *d)
{
    struct os *os = d->os;

    os->lock(os, d->lock);
    int64_t first = d->first ? d->first->at_ms : INT64_MAX;
    os->unlock(os, d->lock);
    return first;
}

uint64_t beck__direct_allot(struct direct *d, int64_t time_ms, struct allotment *to)
{
    const struct input *input = d->input;
    struct os *os = d->os;
    struct found **end = &to->found;
    uint64_t units = 0, bytes = 0;

    os->lock(os, d->lock);
    while (d->first && d->first->at_ms <= time_ms) {
        struct found *f = d->first;
        units += !to->found_count || !f->counts.continues;
        bool over = (input->units_max && units > input->units_max) ||
                    (input->bytes_max && bytes + f->counts.bytes > input->bytes_max);
        if (over && to->found_count)
            break; /* stays for the next batch */
        bytes += f->counts.bytes;
        d->first = f->next;
        d->count--;
        f->next = NULL;
        *end = f;
        end = &f->next;
        to->found_count++;
    }
    if (!d->first)
        d->last = NULL;
    os->unlock(os, d->lock);
    return bytes;
}

void beck__direct_release(struct driver *driver, struct allotment *from)
{
    drop(driver->os, from->found);
    from->found = NULL;
    from->found_count = 0;
}
