/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices: what batches leave behind for windows. A kept node is computed once, in its own batch,
 * and its rows stay, compact, until the last window that may hold them is done; the batch's input
 * need not stay with them.
 */
#include "driver/driver.h"

static void slice_free(struct driver *driver, struct slice *slice)
{
    const struct allocator *memory = &driver->os->memory;

    for (uint32_t p = 0; p < slice->count; p++)
        beck__blocks_deinit(&slice->partitions[p]);
    beck__free(memory, slice->partitions, (slice->count + 1) * sizeof *slice->partitions);
    beck__free(memory, slice, sizeof *slice);
}

static struct slice *slice_new(struct driver *driver, int64_t time_ms, uint32_t count)
{
    const struct allocator *memory = &driver->os->memory;
    struct slice *slice = beck__alloc_zero(memory, sizeof *slice);

    if (!slice)
        return NULL;
    slice->partitions = beck__alloc_zero(memory, (count + 1) * sizeof *slice->partitions);
    if (!slice->partitions) {
        beck__free(memory, slice, sizeof *slice);
        return NULL;
    }
    slice->time_ms = time_ms;
    slice->count = count;
    for (uint32_t p = 0; p < count; p++)
        slice->partitions[p].memory = memory;
    return slice;
}

struct delivery {
    struct slice *slice;
    bool failed;
};

static void deliver(void *user, uint32_t partition, const struct blocks *rows)
{
    struct delivery *delivery = user;

    if (!beck__blocks_append(&delivery->slice->partitions[partition], rows))
        delivery->failed = true;
}

/* Computes the node of this batch into a slice, which then stands for it. */
static beck_status keep(struct driver *driver, struct batch *batch, struct kept *kept)
{
    struct stamp *stamp = &batch->life.stamp;
    struct dataset *dataset = NULL;
    char what[160];

    if (beck__node_dataset(stamp, kept->node, &dataset, &batch->error) || !dataset)
        return batch->error.status;
    struct slice *slice = slice_new(driver, batch->time_ms, stamp->engine->partitions(dataset));
    struct delivery delivery = {.slice = slice};
    beck__node_what(kept->windows->node, what, sizeof what);
    if (!slice)
        return beck__error_memory(&batch->error, what, sizeof *slice);
    beck_status status =
        beck__session_job(&batch->life, kept->node, NULL, deliver, &delivery, what, &batch->error);
    if (!status && delivery.failed)
        status = beck__error_memory(&batch->error, what, 0);
    dataset = status ? NULL
                     : stamp->engine->from_values(stamp->scope, kept->node->schema,
                                                  slice->partitions, slice->count);
    if (!status && !dataset)
        status = beck__error_memory(&batch->error, what, 0);
    if (!status)
        status = beck__node_set_dataset(stamp, kept->node, dataset, &batch->error);
    if (status) {
        slice_free(driver, slice);
        return status;
    }
    if (kept->newest)
        kept->newest->newer = slice;
    else
        kept->oldest = slice;
    kept->newest = slice;
    for (uint32_t p = 0; p < slice->count; p++)
        if (slice->partitions[p].rows)
            kept->rows_ms = slice->time_ms;
    return BECK_OK;
}

beck_status beck__slices_keep(struct driver *driver, struct batch *batch)
{
    beck_status status = BECK_OK;

    for (struct kept *k = driver->streams.graph->first_kept; k && !status; k = k->next)
        if ((batch->time_ms - driver->zero_ms) % k->slide_ms == 0 &&
            beck__kept_needed(k, driver->zero_ms, batch->time_ms))
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
