/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices: what batches leave behind. A kept node is computed once, in its own batch: when somebody
 * needs it, or at once if a window or a slice may ask for it later, since the batch's input does
 * not stay with it.
 */
#include "driver/driver.h"

static void slice_free(struct driver *driver, struct slice *slice)
{
    struct engine *engine = driver->ctx->engine;

    engine->hold_free(engine, slice->hold);
    beck__free(&driver->os->memory, slice, sizeof *slice);
}

static bool is_needed_later(const struct driver *driver, const struct kept *kept, int64_t time_ms)
{
    return kept->remember_ms || beck__kept_needed(kept, driver->zero_ms, time_ms);
}

/* Puts a hold between the node of this batch and whoever needs it; fills it if that is later.
 * NULL after an error. */
static struct slice *slice_new(struct driver *driver, struct batch *batch, const struct kept *kept,
                               struct dataset *dataset)
{
    struct engine *engine = driver->ctx->engine;
    struct stamp *stamp = &batch->life.stamp;
    bool later = is_needed_later(driver, kept, batch->time_ms);
    unsigned storage = beck__level_storage(kept->level ? kept->level : BECK_MEMORY_AND_DISK);
    struct slice *slice = beck__alloc_zero(&driver->os->memory, sizeof *slice);
    struct dataset *stays = NULL;
    char what[160];

    beck__node_what(kept->windows ? kept->windows->node : kept->node, what, sizeof what);
    if (slice) {
        slice->time_ms = batch->time_ms;
        slice->hold = engine->hold_new(engine, kept->node->schema, engine->partitions(dataset),
                                       storage | (later ? STORAGE_LASTING : 0u), what);
    }
    if (slice && slice->hold)
        stays = engine->keep(stamp->scope, dataset, slice->hold);
    if (!stays)
        beck__error_memory(&batch->error, what, sizeof *slice);
    else
        beck__node_set_dataset(stamp, kept->node, stays, &batch->error);
    struct job job = {.scope = stamp->scope, .dataset = stays, .stages_only = true, .what = what};
    if (!batch->error.status && later)
        engine->job_run(engine, &job, &batch->error);
    if (batch->error.status && slice) {
        slice_free(driver, slice);
        slice = NULL;
    }
    return slice;
}

static beck_status keep(struct driver *driver, struct batch *batch, struct kept *kept)
{
    struct engine *engine = driver->ctx->engine;
    struct dataset *dataset = NULL;

    if (beck__node_dataset(&batch->life.stamp, kept->node, &dataset, &batch->error) || !dataset)
        return batch->error.status;
    struct slice *slice = slice_new(driver, batch, kept, dataset);
    if (!slice)
        return batch->error.status;
    if (kept->newest)
        kept->newest->newer = slice;
    else
        kept->oldest = slice;
    kept->newest = slice;
    if (engine->hold_rows(slice->hold))
        kept->rows_ms = slice->time_ms;
    return BECK_OK;
}

beck_status beck__slices_keep(struct driver *driver, struct batch *batch)
{
    beck_status status = BECK_OK;

    for (struct kept *k = driver->streams.graph->first_kept; k && !status; k = k->next)
        if ((batch->time_ms - driver->zero_ms) % k->slide_ms == 0 &&
            (k->level || is_needed_later(driver, k, batch->time_ms)))
            status = keep(driver, batch, k);
    return status;
}

void beck__slices_drop(struct driver *driver, int64_t time_ms)
{
    for (struct kept *k = driver->streams.graph->first_kept; k; k = k->next)
        while (k->oldest && k->oldest->time_ms <= time_ms + k->slide_ms - k->keep_ms) {
            struct slice *slice = k->oldest;
            k->oldest = slice->newer;
            if (!k->oldest)
                k->newest = NULL;
            slice_free(driver, slice);
        }
}
