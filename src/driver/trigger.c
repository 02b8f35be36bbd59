/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the next batch is due. Every batch time is a point of the grid, zero_ms + n * period_ms.
 *
 *     interval   |     |     |     |     |      each point is a batch
 *     event      ......x.xx.......x.......      points with data, and those at which a window that
 *                                               still holds something slides or a state times
 *                                               out; the others are skipped
 *
 * Under the event trigger what arrives while a batch runs gathers, and is the next one: as the load
 * grows batches become larger, not more.
 */
#include "driver/driver.h"

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When the oldest data came that no batch has; INT64_MAX: there is none. */
static int64_t oldest_data(struct driver *driver)
{
    struct os *os = driver->os;
    int64_t oldest = driver->ingest ? beck__ingest_first_ms(driver->ingest) : INT64_MAX;

    for (const struct input *i = driver->first_input; i; i = i->next) {
        if (i->direct)
            oldest = sooner(oldest, beck__direct_first_ms(i->direct));
        os->lock(os, driver->lock);
        if (i->first)
            oldest = sooner(oldest, i->first->at_ms);
        os->unlock(os, driver->lock);
    }
    return oldest;
}

/* The first point at or after `time_ms` of a grid of that step. */
static int64_t point_from(const struct driver *driver, int64_t time_ms, int64_t step_ms)
{
    int64_t behind = (time_ms - driver->zero_ms) % step_ms;

    return behind > 0 ? time_ms + step_ms - behind : time_ms;
}

/* The next slide of a window that holds rows, or has just lost them; INT64_MAX: none does. */
static int64_t next_slide(const struct driver *driver)
{
    int64_t due = INT64_MAX;

    for (const struct kept *k = driver->streams.graph->first_kept; k; k = k->next)
        for (const struct window *w = k->windows; k->newest && w; w = w->older) {
            int64_t slide = point_from(driver, driver->next_ms, w->slide_ms);
            if (k->rows_ms && slide < k->rows_ms + w->length_ms + w->slide_ms)
                due = sooner(due, slide);
        }
    return due;
}

/* The first point at which a state times out, or a window that may hold rows slides; INT64_MAX:
 * none does. */
static int64_t next_timeout(const struct driver *driver)
{
    struct engine *engine = driver->ctx->engine;
    int64_t due = INT64_MAX;

    for (const struct stateful *s = driver->streams.graph->first_stateful; s; s = s->next) {
        int64_t at = s->keeper ? engine->keeper_due(s->keeper) : INT64_MAX;
        if (at == INT64_MAX)
            continue;
        at = at > driver->next_ms ? at : driver->next_ms;
        due = sooner(due, point_from(driver, at, s->window_ms ? s->due_ms : s->slide_ms));
    }
    return due;
}

/* True when there will never be anything to allot. */
static bool inputs_ended(struct driver *driver)
{
    for (const struct input *i = driver->first_input; i; i = i->next)
        if (i->kind == INPUT_QUEUE || (i->direct && !beck__direct_ended(i->direct)))
            return false;
    return driver->first_input && (!driver->ingest || beck__ingest_ended(driver->ingest)) &&
           oldest_data(driver) == INT64_MAX;
}

bool beck__driver_at_end(struct driver *driver)
{
    int64_t newest = driver->next_ms - driver->period_ms;

    if (!driver->until_end || (!driver->last_ms && !inputs_ended(driver)))
        return false;
    if (!driver->last_ms) {
        driver->last_ms = newest;
        for (const struct output *o = driver->streams.first; o; o = o->next) {
            int64_t shown = point_from(driver, newest, o->slide_ms);
            driver->last_ms = shown > driver->last_ms ? shown : driver->last_ms;
        }
    }
    return newest >= driver->last_ms || beck__driver_due_ms(driver, newest) == INT64_MAX;
}

int64_t beck__driver_due_ms(struct driver *driver, int64_t now_ms)
{
    if (!driver->ctx->event_trigger)
        return driver->next_ms;
    int64_t data = oldest_data(driver);
    int64_t timer = sooner(next_slide(driver), next_timeout(driver));
    if (data == INT64_MAX)
        return timer;
    data = point_from(driver, data, driver->period_ms);
    if (data < driver->next_ms)
        data = driver->next_ms;
    if (data < now_ms) /* late: all that has gathered by now is one batch */
        data = point_from(driver, now_ms - driver->period_ms + 1, driver->period_ms);
    return sooner(data, timer);
}
