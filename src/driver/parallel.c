/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outputs with .parallel: each has a thread of its own for the batch. Everything but its tasks and
 * its commit happens in turn with the driver's thread (engine->enter), so what the batch is made of
 * needs no lock. Events are the driver's thread's: "started" in order of registration; "completed"
 * when it waits for them all, in that order, too.
 *
 *     output 0            --tasks--commit--
 *     output 1, parallel     ------tasks------commit------
 *     output 2                             --tasks--commit--|wait for 1|
 */
#include "driver/driver.h"

struct parallel {
    struct parallel *next;
    struct driver *driver;
    struct batch *batch;
    const struct output *output;
    struct os_thread *thread;
    bool done;
    int64_t from_ns, took_ns;
    struct error error;
};

static void run(void *user)
{
    struct parallel *p = user;
    struct driver *driver = p->driver;
    struct engine *engine = driver->ctx->engine;

    engine->enter(engine);
    beck__output_save(driver, p->batch, p->output, &p->error);
    p->took_ns = driver->os->mono_ns(driver->os) - p->from_ns;
    p->done = true;
    engine->leave(engine);
}

bool beck__parallel_start(struct driver *driver, struct batch *batch, const struct output *output)
{
    struct os *os = driver->os;
    struct engine *engine = driver->ctx->engine;
    struct parallel *p = driver->threaded ? beck__arena_alloc(&batch->arena, sizeof *p) : NULL;

    if (!p)
        return false;
    p->driver = driver;
    p->batch = batch;
    p->output = output;
    p->from_ns = os->mono_ns(os);
    if (!driver->first_parallel)
        engine->enter(engine);
    p->thread = os->thread_start(os, "beck-output", run, p, NULL);
    if (!p->thread) {
        if (!driver->first_parallel)
            engine->leave(engine);
        return false;
    }
    if (driver->first_parallel)
        driver->last_parallel->next = p;
    else
        driver->first_parallel = p;
    driver->last_parallel = p;
    return true;
}

/* The error of the batch is that of the first output by registration. */
static void complete(struct parallel *p)
{
    struct batch *batch = p->batch;
    const struct output *failed = batch->failed;

    if (p->error.status && (!failed || p->output->number < failed->number)) {
        beck__error_clear(&batch->error);
        beck__error_set(&batch->error, p->error.status, "%s", p->error.text);
        batch->failed = p->output;
    }
    beck__output_event(p->driver, batch, p->output, BECK_EVENT_OUTPUT_COMPLETED, p->took_ns / 1000,
                       p->error.status ? p->error.text : NULL);
}

void beck__parallel_wait(struct driver *driver)
{
    struct engine *engine = driver->ctx->engine;
    struct parallel *first = driver->first_parallel;

    if (!first)
        return;
    for (struct parallel *p = first; p; p = p->next) {
        while (!p->done)
            engine->pass(engine);
        driver->os->thread_join(driver->os, p->thread);
    }
    driver->first_parallel = driver->last_parallel = NULL;
    engine->leave(engine);
    for (struct parallel *p = first; p; p = p->next)
        complete(p);
}
