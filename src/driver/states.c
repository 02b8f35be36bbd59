/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stateful operations, batch by batch: each runs once at its times, before the outputs and whether
 * or not one of them wants its rows; what it has changed holds when the batch has succeeded.
 */
#include "driver/driver.h"

beck_status beck__states_open(struct driver *driver)
{
    beck_context *ctx = driver->ctx;
    struct engine *engine = ctx->engine;

    for (struct stateful *s = driver->streams.graph->first_stateful; s; s = s->next) {
        uint32_t partitions = s->node->parents[0]->partitioning.count;
        s->keeper = engine->keeper_new(engine, s->program, partitions, &ctx->error);
        if (!s->keeper)
            return ctx->error.status;
    }
    return BECK_OK;
}

void beck__states_close(struct driver *driver)
{
    struct engine *engine = driver->ctx->engine;

    for (struct stateful *s = driver->streams.graph->first_stateful; s; s = s->next) {
        if (s->keeper)
            engine->keeper_free(engine, s->keeper);
        s->keeper = NULL;
    }
}

/* ---- states to begin with -------------------------------------------------------------------- */

struct loading {
    struct engine *engine;
    struct keeper *keeper;
    int64_t batch_ms;
    struct error error;
};

static void load(void *user, uint32_t partition, const struct blocks *rows)
{
    struct loading *l = user;

    if (!l->error.status)
        l->engine->keeper_load(l->keeper, partition, rows, l->batch_ms, &l->error);
}

static beck_status load_initial(struct batch *batch, struct stateful *s)
{
    struct loading loading = {.engine = batch->life.stamp.engine,
                              .keeper = s->keeper,
                              .batch_ms = batch->time_ms};
    char what[160];

    beck__node_what(s->node, what, sizeof what);
    if (beck__session_job(&batch->life, s->initial, NULL, load, &loading, what, &batch->error))
        return batch->error.status;
    s->loaded = true;
    return loading.error.status ? beck__error_set(&batch->error, loading.error.status,
                                                  "%s: .initial: %s", what, loading.error.text)
                                : BECK_OK;
}

beck_status beck__states_begin(struct driver *driver, struct batch *batch)
{
    beck_status status = BECK_OK;

    for (struct stateful *s = driver->streams.graph->first_stateful; s && !status; s = s->next)
        if (s->initial && !s->loaded)
            status = load_initial(batch, s);
    return status;
}

/* ---- a batch --------------------------------------------------------------------------------- */

static bool is_due(const struct driver *driver, const struct batch *batch, const struct stateful *s)
{
    return (batch->time_ms - driver->zero_ms) % s->slide_ms == 0 &&
           beck__stateful_needed(s, driver->zero_ms, batch->time_ms);
}

beck_status beck__states_advance(struct driver *driver, struct batch *batch)
{
    struct stamp *stamp = &batch->life.stamp;
    beck_status status = BECK_OK;

    for (struct stateful *s = driver->streams.graph->first_stateful; s && !status; s = s->next) {
        struct dataset *dataset = NULL;
        char what[160];
        if (!is_due(driver, batch, s))
            continue;
        beck__node_what(s->node, what, sizeof what);
        status = beck__node_dataset(stamp, s->node, &dataset, &batch->error);
        if (!status && !dataset)
            continue;
        s->begun = true;
        struct job job = {
            .scope = stamp->scope, .dataset = dataset, .stages_only = true, .what = what};
        if (!status)
            status = stamp->engine->job_run(stamp->engine, &job, &batch->error);
    }
    return status;
}

void beck__states_seal(struct driver *driver, bool keep)
{
    for (struct stateful *s = driver->streams.graph->first_stateful; s; s = s->next)
        driver->ctx->engine->keeper_seal(s->keeper, keep);
}
