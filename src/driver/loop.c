/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver's thread: ticks, batches, waiting, and the order of a stop. Ticks that are late are
 * made up in order; while a job runs, the engine's wait calls beck__driver_tick, so allotments stay
 * on time.
 */
#include "driver/driver.h"

int64_t beck__driver_now_ms(struct driver *driver)
{
    struct os *os = driver->os;

    if (driver->ctx->manual_clock)
        return driver->ctx->manual_ms;
    return os->mono_ns(os) / 1000000 + driver->clock_offset_ms;
}

void beck__driver_prepare_clock(struct driver *driver)
{
    struct os *os = driver->os;

    driver->clock_offset_ms = os->wall_ms(os) - os->mono_ns(os) / 1000000;
    if (driver->ctx->manual_clock)
        driver->clock_offset_ms = 0;
    driver->period_ms = driver->ctx->batch_ms;
    driver->zero_ms = beck__driver_now_ms(driver) / driver->period_ms * driver->period_ms;
    driver->next_ms = driver->zero_ms + driver->period_ms;
}

/* True: try again at once. */
static bool no_batch(struct driver *driver, int64_t time_ms, beck_status status)
{
    beck_context *ctx = driver->ctx;
    bool skip = beck__settings_number(ctx->settings, OPTION_ON_FAILURE) == 1;

    beck__log(&ctx->log, BECK_LOG_ERROR, "batch %lld ms cannot be made: %s%s", (long long)time_ms,
              beck_status_text(status), skip ? "; what it would hold goes to the next one" : "");
    if (!skip)
        beck__error_set(&driver->error, status, "batch %lld ms cannot be made: %s",
                        (long long)time_ms, beck_status_text(status));
    return skip;
}

/* True if a further batch may be made. The event trigger waits until the others are done. */
static bool has_room(const struct driver *driver)
{
    bool busy = driver->ctx->event_trigger && (driver->running || driver->waiting);

    return !busy && driver->waiting < driver->waiting_max && !driver->error.status &&
           atomic_load(&driver->stop) != STOP_NOW;
}

int64_t beck__driver_tick(struct driver *driver)
{
    int64_t now = beck__driver_now_ms(driver), due = INT64_MAX;

    while (has_room(driver) && (due = beck__driver_due_ms(driver, now)) <= now) {
        beck_status status = beck__batch_generate(driver, due);
        if (status && !no_batch(driver, due, status))
            break;
        driver->next_ms = due + driver->period_ms;
    }
    if (!has_room(driver) || driver->ctx->manual_clock || due == INT64_MAX)
        return INT64_MAX; /* the next one follows when there is room, a step, or data */
    return (due - driver->clock_offset_ms) * 1000000;
}

void beck__driver_wake(struct driver *driver)
{
    struct os *os = driver->os;

    os->lock(os, driver->lock);
    driver->woken = true;
    os->gate_wake(os, driver->gate);
    os->unlock(os, driver->lock);
}

static void wait_until(struct driver *driver, int64_t due_ns)
{
    struct os *os = driver->os;

    os->lock(os, driver->lock);
    if (!driver->woken) {
        int64_t wait = due_ns == INT64_MAX ? -1 : due_ns - os->mono_ns(os);
        if (wait > 0 || due_ns == INT64_MAX)
            os->gate_wait(os, driver->gate, driver->lock, wait);
    }
    driver->woken = false;
    os->unlock(os, driver->lock);
}

void beck__driver_started(struct driver *driver)
{
    beck_event event = {.kind = BECK_EVENT_STREAMING_STARTED,
                        .time_ms = beck__driver_now_ms(driver),
                        .batch_ms = -1,
                        .scheduling_us = -1,
                        .processing_us = -1};

    beck__bus_post(driver->ctx->bus, &event);
}

static void close_inputs(struct driver *driver)
{
    for (struct input *i = driver->first_input; i; i = i->next)
        if (i->direct)
            beck__direct_stop(i->direct);
    if (driver->ingest)
        beck__ingest_stop(driver->ingest);
}

/* Closes the inputs once; true when nothing is left to do. Ranges that wait stay where they are:
 * they can be read again at any time. */
static bool graceful_done(struct driver *driver)
{
    if (!driver->receivers_closed) {
        driver->receivers_closed = true;
        close_inputs(driver);
    }
    return !driver->first_waiting && (!driver->ingest || beck__ingest_drained(driver->ingest));
}

static bool stop_is_late(struct driver *driver)
{
    struct os *os = driver->os;

    if (os->mono_ns(os) < atomic_load(&driver->stop_by_ns))
        return false;
    beck__log(&driver->ctx->log, BECK_LOG_WARNING,
              "the graceful stop took longer than driver.stop_timeout: %u batches are dropped",
              driver->waiting);
    return true;
}

void beck__driver_end(struct driver *driver)
{
    struct os *os = driver->os;
    beck_context *ctx = driver->ctx;
    beck_event event = {.kind = BECK_EVENT_STREAMING_STOPPED,
                        .batch_ms = -1,
                        .scheduling_us = -1,
                        .processing_us = -1};

    close_inputs(driver);
    if (ctx->engine) { /* from now on it is the user's again */
        ctx->engine->set_idle(ctx->engine, NULL, NULL);
        ctx->engine->cancel(ctx->engine, false);
    }
    for (struct output *o = driver->streams.first; o; o = o->next)
        if (o->kind == OUTPUT_SINK && o->state)
            beck__sink_close(o->state);
    event.error = driver->error.status ? driver->error.text : NULL;
    beck__driver_post(driver, &event);
    atomic_store(&ctx->engine_thread, SESSION_ANY_THREAD);
    os->lock(os, driver->lock);
    atomic_store(&ctx->state, BECK_STOPPED);
    os->gate_wake_all(os, driver->stopped_gate);
    os->unlock(os, driver->lock);
    os->poller_wake(os, driver->poller);
}

/* When the next thing is due: a tick, or the end of a graceful stop's patience. */
static int64_t wait_by(struct driver *driver, int64_t tick_ns)
{
    int64_t stop_ns = atomic_load(&driver->stop_by_ns);

    return atomic_load(&driver->stop) == STOP_GRACEFUL && stop_ns < tick_ns ? stop_ns : tick_ns;
}

static int64_t idle(void *user)
{
    return beck__driver_tick(user);
}

void beck__driver_main(void *user)
{
    struct driver *driver = user;
    beck_context *ctx = driver->ctx;

    ctx->engine->set_idle(ctx->engine, idle, driver);
    atomic_store(&ctx->engine_thread, driver->os->thread_self(driver->os));
    beck__bus_deliver(ctx->bus); /* the start; before what the first tick says */
    for (;;) {
        int64_t due = beck__driver_tick(driver);
        int stop = atomic_load(&driver->stop);

        if (driver->error.status || stop == STOP_NOW ||
            (stop == STOP_GRACEFUL && (graceful_done(driver) || stop_is_late(driver))))
            break;
        if (driver->first_waiting) {
            if (!beck__batch_run(driver))
                break;
            continue;
        }
        if (beck__driver_at_end(driver)) {
            beck__log(&ctx->log, BECK_LOG_INFO, "all inputs have ended");
            break;
        }
        if (beck__bus_deliver(ctx->bus) == 0)
            wait_until(driver, wait_by(driver, due));
    }
    beck__driver_end(driver);
}

/* Ticks that a manual clock has not reached yet come early. */
void beck__driver_finish(struct driver *driver)
{
    bool graceful = atomic_load(&driver->stop) == STOP_GRACEFUL;

    while (graceful && !driver->error.status && !graceful_done(driver)) {
        if (!driver->first_waiting) {
            int64_t due = beck__driver_due_ms(driver, driver->ctx->manual_ms);
            if (due == INT64_MAX)
                break;
            if (driver->ctx->manual_ms < due)
                driver->ctx->manual_ms = due;
            beck__driver_tick(driver);
        } else if (!beck__batch_run(driver)) {
            break;
        }
        graceful = atomic_load(&driver->stop) == STOP_GRACEFUL;
    }
    beck__driver_end(driver);
}
