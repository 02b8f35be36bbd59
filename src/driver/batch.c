/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One batch: what it contains is fixed at its tick; its outputs run in order of registration; then
 * everything it held is released. Batch structs are used again, so an empty batch allocates
 * nothing.
 */
#include "driver/driver.h"

void beck__driver_post(struct driver *driver, const beck_event *event)
{
    beck_event e = *event;
    bool inside = driver->in_callback; /* a tick inside a foreach_rdd */

    e.time_ms = beck__driver_now_ms(driver);
    beck__bus_post(driver->ctx->bus, &e);
    driver->in_callback = true;
    beck__bus_deliver(driver->ctx->bus);
    driver->in_callback = inside;
}

static struct batch *batch_new(struct driver *driver)
{
    const struct allocator *memory = &driver->os->memory;
    struct batch *batch = driver->free_batches;
    uint32_t sources = driver->streams.source_count;

    if (batch) {
        driver->free_batches = batch->next;
    } else {
        batch = beck__alloc_zero(memory, sizeof *batch);
        if (!batch)
            return NULL;
        batch->allotments = beck__alloc_zero(memory, (sources + 1) * sizeof *batch->allotments);
        if (!batch->allotments) {
            beck__free(memory, batch, sizeof *batch);
            return NULL;
        }
        beck__arena_init(&batch->arena, memory);
        for (uint32_t i = 0; i < sources; i++)
            batch->allotments[i].received.memory = memory;
    }
    batch->next = NULL;
    batch->records = batch->bytes = 0;
    batch->failed = NULL;
    beck__error_clear(&batch->error);
    return batch;
}

static void queue_drop(struct driver *driver, struct queued *item)
{
    while (item) {
        struct queued *next = item->next;
        beck__free(&driver->os->memory, item, sizeof *item);
        item = next;
    }
}

/* The batch's blocks are no longer needed; the struct waits for the next one. */
static void batch_release(struct driver *driver, struct batch *batch)
{
    for (const struct input *input = driver->first_input; input; input = input->next) {
        struct allotment *a = &batch->allotments[input->node->source];
        if (input->kind == INPUT_RECEIVER && a->received.count) {
            uint64_t bytes = a->received.bytes;
            beck__blocks_deinit(&a->received);
            beck__ingest_release(driver->ingest, input->stream, bytes);
        }
        queue_drop(driver, a->queued);
        a->queued = NULL;
        beck__direct_release(driver, a);
    }
    beck__arena_reset(&batch->arena);
    batch->next = driver->free_batches;
    driver->free_batches = batch;
}

void beck__batches_drop(struct driver *driver)
{
    const struct allocator *memory = &driver->os->memory;

    while (driver->first_waiting) {
        struct batch *batch = driver->first_waiting;
        driver->first_waiting = batch->next;
        batch_release(driver, batch);
    }
    driver->last_waiting = NULL;
    driver->waiting = 0;
    while (driver->free_batches) {
        struct batch *batch = driver->free_batches;
        driver->free_batches = batch->next;
        beck__arena_deinit(&batch->arena);
        beck__free(memory, batch->allotments,
                   (driver->streams.source_count + 1) * sizeof *batch->allotments);
        beck__free(memory, batch, sizeof *batch);
    }
}

/* ---- allotment ------------------------------------------------------------------------------- */

static void take_queued(struct driver *driver, struct input *input, struct batch *batch)
{
    struct allotment *a = &batch->allotments[input->node->source];
    struct os *os = driver->os;

    os->lock(os, driver->lock);
    a->queued = input->first;
    if (!input->first) {
        a->none = input->none_when_empty;
    } else if (input->all) {
        input->first = input->last = NULL;
    } else {
        input->first = a->queued->next;
        if (!input->first)
            input->last = NULL;
        a->queued->next = NULL;
    }
    if (a->queued)
        a->none = !input->all && !a->queued->node;
    os->unlock(os, driver->lock);
    for (const struct queued *q = a->queued; q; q = q->next)
        for (uint32_t p = 0; q->node && q->node->kind == NODE_VALUES && p < q->node->value_count;
             p++)
            batch->records += q->node->values[p].rows;
}

beck_status beck__batch_generate(struct driver *driver, int64_t time_ms)
{
    struct batch *batch = batch_new(driver);

    if (!batch)
        return BECK_NO_MEMORY;
    batch->time_ms = time_ms;
    for (struct input *input = driver->first_input; input; input = input->next) {
        struct allotment *a = &batch->allotments[input->node->source];
        a->none = false;
        switch (input->kind) {
        case INPUT_QUEUE:
            take_queued(driver, input, batch);
            break;
        case INPUT_DIRECT:
            batch->bytes += beck__direct_allot(input->direct, time_ms, a);
            break;
        case INPUT_RECEIVER:
            beck__ingest_allot(driver->ingest, input->stream, time_ms, &a->received);
            batch->records += a->received.rows;
            batch->bytes += a->received.bytes;
            break;
        }
    }
    if (driver->last_waiting)
        driver->last_waiting->next = batch;
    else
        driver->first_waiting = batch;
    driver->last_waiting = batch;
    driver->waiting++;
    beck_event event = {.kind = BECK_EVENT_BATCH_SUBMITTED,
                        .batch_ms = time_ms,
                        .records = batch->records,
                        .bytes = batch->bytes,
                        .scheduling_us = -1,
                        .processing_us = -1};
    beck__driver_post(driver, &event);
    return BECK_OK;
}

/* ---- running
 * ------------------------------------------------------------------------------------------------
 */

static beck_status queued_dataset(struct batch *batch, const struct input *input,
                                  const struct allotment *a, struct dataset **dataset)
{
    struct stamp *stamp = &batch->life.stamp;
    uint32_t count = 0;
    beck_status status = BECK_OK;

    for (const struct queued *q = a->queued; q; q = q->next)
        count += q->node != NULL;
    struct dataset **all = beck__arena_alloc(&batch->arena, (count + 1) * sizeof(struct dataset *));
    if (!all)
        return beck__error_memory(&batch->error, "a batch", count * sizeof(struct dataset *));
    count = 0;
    for (const struct queued *q = a->queued; q && !status; q = q->next)
        if (q->node)
            status = beck__node_dataset(stamp, q->node, &all[count++], &batch->error);
    if (status)
        return status;
    if (count == 0)
        *dataset = stamp->engine->from_values(stamp->scope, input->node->schema, NULL, 0);
    else if (count == 1)
        *dataset = all[0];
    else
        *dataset = stamp->engine->unite(stamp->scope, all, count);
    return *dataset ? BECK_OK : beck__error_memory(&batch->error, "a batch", 0);
}

static struct dataset *found_dataset(struct batch *batch, const struct input *input,
                                     const struct allotment *a)
{
    struct stamp *stamp = &batch->life.stamp;
    beck_str *ranges = beck__arena_alloc(&batch->arena, (a->found_count + 1) * sizeof *ranges);
    uint32_t count = 0;

    if (!ranges)
        return NULL;
    for (const struct found *f = a->found; f; f = f->next)
        ranges[count++] = beck_bytes_of(f->data, f->size);
    const struct range_source source = {.what = input->what,
                                        .class_of = input->direct_class,
                                        .params = input->params,
                                        .schema = input->node->schema};
    return stamp->engine->from_ranges(stamp->scope, &source, ranges, count);
}

/* Fills in what the template leaves open: the sources. */
static beck_status instantiate(struct driver *driver, struct batch *batch)
{
    uint32_t count = driver->streams.source_count;
    struct stamp *stamp = &batch->life.stamp;
    beck_status status = beck__session_life_init(&batch->life, driver->ctx, &batch->arena,
                                                 batch->time_ms, &batch->error);

    if (status)
        return status;
    stamp->zero_ms = driver->zero_ms;
    stamp->sources = beck__arena_alloc(&batch->arena, (count + 1) * sizeof *stamp->sources);
    stamp->source_count = count;
    if (!stamp->sources)
        return beck__error_memory(&batch->error, "a batch", count * sizeof *stamp->sources);
    for (const struct input *input = driver->first_input; input && !status; input = input->next) {
        const struct allotment *a = &batch->allotments[input->node->source];
        struct dataset **dataset = &stamp->sources[input->node->source];
        if (a->none)
            continue;
        if (input->kind == INPUT_QUEUE)
            status = queued_dataset(batch, input, a, dataset);
        else if (input->kind == INPUT_DIRECT)
            *dataset = found_dataset(batch, input, a);
        else
            *dataset =
                stamp->engine->from_received(stamp->scope, input->node->schema, &a->received);
        if (!status && !*dataset)
            status = beck__error_memory(&batch->error, "a batch", 0);
    }
    return status;
}

beck_rdd *beck__driver_callback(struct driver *driver, struct session_life *life,
                                const struct driver_call *call, struct error *error)
{
    beck__parallel_wait(driver); /* the user's code has the batch for itself */
    struct session_life *outer = atomic_exchange(&driver->ctx->batch, life);
    struct driver_call with = *call;
    bool inside = driver->in_callback;

    driver->in_callback = true;
    with.shared = &driver->ctx->shared;
    beck_rdd *out = beck__driver_call(&with, error);
    atomic_store(&driver->ctx->batch, outer);
    driver->in_callback = inside;
    return out;
}

static void run_foreach(struct driver *driver, struct batch *batch, const struct output *output)
{
    beck_rdd *rdd = beck__session_rdd(&batch->life, output->node);
    struct driver_call call = {
        .each = output->fn, .ctx = output->ctx, .batch_ms = batch->time_ms, .in = &rdd, .count = 1};
    struct error error = {0};
    beck__driver_callback(driver, &batch->life, &call, &error);
    if (error.status)
        beck__error_set(&batch->error, error.status, "%s: %s", output->what, error.text);
}

void beck__output_event(struct driver *driver, const struct batch *batch,
                        const struct output *output, beck_event_kind kind, int64_t took_us,
                        const char *error)
{
    beck_event event = {.kind = kind,
                        .batch_ms = batch->time_ms,
                        .name = output->what,
                        .scheduling_us = -1,
                        .processing_us = took_us,
                        .error = error};

    beck__driver_post(driver, &event);
}

void beck__output_save(struct driver *driver, struct batch *batch, const struct output *output,
                       struct error *error)
{
    struct engine *engine = driver->ctx->engine;
    struct sink_messages messages = {.what = output->what};
    bool turns = driver->first_parallel != NULL;

    if (beck__sink_write(output->state, &batch->life, output->node, output->program, &messages,
                         error))
        return;
    if (turns)
        engine->leave(engine); /* a slow disk or peer holds nobody up */
    beck__sink_commit(output->state, &messages, batch->time_ms, error);
    if (turns)
        engine->enter(engine);
}

static void run_output(struct driver *driver, struct batch *batch, const struct output *output)
{
    int64_t from = driver->os->mono_ns(driver->os);
    struct dataset *dataset = NULL;

    if (output->kind == OUTPUT_FOREACH)
        beck__parallel_wait(driver);
    if (batch->error.status)
        return;
    beck__output_event(driver, batch, output, BECK_EVENT_OUTPUT_STARTED, -1, NULL);
    beck__node_dataset(&batch->life.stamp, output->node, &dataset, &batch->error);
    if (dataset && output->parallel && beck__parallel_start(driver, batch, output))
        return;
    if (dataset && output->kind == OUTPUT_SINK)
        beck__output_save(driver, batch, output, &batch->error);
    else if (dataset && output->kind == OUTPUT_FOREACH)
        run_foreach(driver, batch, output);
    else if (dataset)
        output->collect(output, batch);
    if (batch->error.status && !batch->failed)
        batch->failed = output;
    beck__output_event(driver, batch, output, BECK_EVENT_OUTPUT_COMPLETED,
                       (driver->os->mono_ns(driver->os) - from) / 1000,
                       batch->error.status ? batch->error.text : NULL);
}

/* Those of this batch time, in order of registration. */
static void run_outputs(struct driver *driver, struct batch *batch)
{
    for (const struct output *o = driver->streams.first; o && !batch->error.status; o = o->next)
        if ((batch->time_ms - driver->zero_ms) % o->slide_ms == 0)
            run_output(driver, batch, o);
    beck__parallel_wait(driver);
}

/* True: go on. */
static bool batch_failed(struct driver *driver, const struct batch *batch)
{
    const beck_context *ctx = driver->ctx;

    if (batch->error.status == BECK_CANCELLED && atomic_load(&driver->stop) == STOP_NOW)
        return false;
    if (beck__settings_number(ctx->settings, OPTION_ON_FAILURE) == 1) {
        beck__log(&driver->ctx->log, BECK_LOG_ERROR, "batch %lld ms is skipped: %s",
                  (long long)batch->time_ms, batch->error.text);
        return true;
    }
    beck__error_set(&driver->error, batch->error.status, "batch %lld ms failed: %s",
                    (long long)batch->time_ms, batch->error.text);
    return false;
}

bool beck__batch_run(struct driver *driver)
{
    struct os *os = driver->os;
    struct batch *batch = driver->first_waiting;
    bool go_on = true;

    driver->first_waiting = batch->next;
    if (!driver->first_waiting)
        driver->last_waiting = NULL;
    driver->waiting--;
    driver->running = true;
    batch->started_ns = os->mono_ns(os);
    int64_t due_ns = (batch->time_ms - driver->clock_offset_ms) * 1000000;
    beck_event event = {.kind = BECK_EVENT_BATCH_STARTED,
                        .batch_ms = batch->time_ms,
                        .records = batch->records,
                        .bytes = batch->bytes,
                        .scheduling_us = driver->ctx->manual_clock || batch->started_ns < due_ns
                                             ? 0
                                             : (batch->started_ns - due_ns) / 1000,
                        .processing_us = -1};
    beck__driver_post(driver, &event);
    if (!instantiate(driver, batch) && !beck__states_begin(driver, batch) &&
        !beck__slices_keep(driver, batch))
        beck__states_advance(driver, batch);
    run_outputs(driver, batch);
    driver->running = false;
    beck__session_life_end(&batch->life);
    beck__states_seal(driver, !batch->error.status);
    beck__slices_drop(driver, batch->time_ms);
    event.kind = BECK_EVENT_BATCH_COMPLETED;
    event.processing_us = (os->mono_ns(os) - batch->started_ns) / 1000;
    event.error = batch->error.status ? batch->error.text : NULL;
    beck__driver_post(driver, &event);
    if (batch->error.status)
        go_on = batch_failed(driver, batch);
    batch_release(driver, batch);
    return go_on;
}
