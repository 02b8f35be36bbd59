/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testing.h - for tests of this room and of the whole: the events of a context as text, simulated
 * worlds, and a source that stores numbers.
 */
#ifndef BECK_DRIVER_TESTING_H
#define BECK_DRIVER_TESTING_H

#include "connectors/testing.h"
#include "os/testing.h"
#include <beck/beck.h>
#include <beck/connector.h>
#include <beck/testing.h>

/* ---- events ---------------------------------------------------------------------------------- */

/* Each event as a line: its name, its batch time if any, records, name, error. */
static inline void event_line(struct text *out, const beck_event *e)
{
    static const char *const names[] = {
        "streaming started", "streaming stopped", "receiver started", "receiver error",
        "receiver stopped",  "submitted",         "started",          "completed",
        "output started",    "output completed"};

    beck__text_add(out, names[e->kind]);
    if (e->batch_ms >= 0)
        beck__text_printf(out, " %lld", (long long)e->batch_ms);
    if (e->records)
        beck__text_printf(out, " (%llu)", (unsigned long long)e->records);
    if (e->name)
        beck__text_printf(out, " %s", e->name);
    if (e->error)
        beck__text_printf(out, ": %s", e->error);
    beck__text_add(out, "\n");
}

/* A listener; user is a struct text. */
static inline void keep_events(void *user, const beck_event *e)
{
    event_line(user, e);
}

/* ---- simulated worlds ------------------------------------------------------------------------ */

struct world_of {
    void (*body)(void *user);
    void *user;
};

/* Runs body in a world that begins at start_ms. What it prints goes to `out` (may be NULL). */
static inline struct os_simulation simulate(const struct os_simulation *like,
                                            void (*body)(void *user), void *user, struct text *out)
{
    struct os_simulation simulation = *like;
    struct error error = {0};
    beck_status status = beck__os_simulate(&simulation, body, user, out, &error);

    if (status || simulation.deadlock)
        print_error("seed %llu: %s\n", (unsigned long long)like->seed, error.text);
    assert_int_equal(status, BECK_OK);
    assert_false(simulation.deadlock);
    return simulation;
}

/* The body in twenty worlds, which begin half a second before a batch of 1000 ms. */
static inline void in_worlds(void (*body)(void *user))
{
    for (uint64_t seed = 1; seed <= 20; seed++)
        simulate(&(struct os_simulation){.seed = seed, .start_ms = 10500}, body, NULL, NULL);
}

struct ending {
    beck_context *ctx;
    int batches;
};

static inline void stop_after(void *user, const beck_event *e)
{
    struct ending *ending = user;

    if (e->kind == BECK_EVENT_BATCH_COMPLETED && --ending->batches == 0)
        beck_stop(ending->ctx, .graceful = true);
}

/* Starts it, and stops it gracefully after so many batches. */
static inline void run_batches(beck_context *ctx, int batches)
{
    struct ending ending = {ctx, batches};

    beck_add_listener(ctx, stop_after, &ending);
    assert_int_equal(beck_start(ctx), BECK_OK);
    beck_await_termination(ctx);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* n BIGINT: from, from + 1, ... to - 1. At most 1000. */
static inline beck_rdd *numbers(beck_context *ctx, int64_t from, int64_t to, int partitions)
{
    beck_value values[1000];

    for (int64_t i = from; i < to; i++)
        values[i - from] = beck_integer_value(i);
    return beck_parallelize(ctx, "n BIGINT", values, (size_t)(to - from), .partitions = partitions);
}

static inline beck_context *stepped(const char *name)
{
    return beck_context_new(name, .batch_ms = 1000, .manual_clock = true);
}

/* All batches of a collector: "TIME rows|rows|;TIME ...;". */
static inline void assert_batches(const beck_collector *c, const char *expected)
{
    struct text all = {.memory = &beck__os_current()->memory};

    for (size_t i = 0; i < beck_collector_batches(c); i++)
        beck__text_printf(&all, "%lld %s;", (long long)beck_collector_time(c, i),
                          rows_text(beck_collector_result(c, i)));
    assert_string_equal(beck__text_get(&all), expected);
    beck__text_deinit(&all);
}

#endif
