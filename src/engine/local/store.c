/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows that stay. A hold stands for a dataset in all its instances: a job pins the partitions that
 * are there, computes the others in a stage of their own, and puts them in. In memory there is a
 * limit: what was used least recently goes to disk, or is dropped; what a job needs stays until its
 * end. All of it belongs to the driver's thread, but for reading what is pinned, and for writing to
 * files. What is being written goes on counting as memory, but not against the limit.
 *
 *   find: there? -- yes --> pinned --------> tasks read it --> release: may be evicted
 *            no --> computed --> put: pinned    ' damaged: lost, computed again, read then
 */
#include "engine/local/local.h"

#include <stdio.h>

static void unlist(struct store *store, struct stored *e)
{
    if (!e->listed)
        return;
    *(e->older ? &e->older->newer : &store->oldest) = e->newer;
    *(e->newer ? &e->newer->older : &store->newest) = e->older;
    e->older = e->newer = NULL;
    e->listed = false;
}

static void list(struct store *store, struct stored *e)
{
    e->older = store->newest;
    *(e->older ? &e->older->newer : &store->oldest) = e;
    store->newest = e;
    e->listed = true;
}

static void forget(struct stored *e)
{
    struct local *local = e->hold->engine;
    struct store *store = &local->store;

    while (e->writing)
        beck__local_pass(&local->base);
    unlist(store, e);
    if (atomic_exchange(&e->lost, false))
        atomic_fetch_sub(&store->lost, 1);
    beck__stored_forget(e);
}

/* Out of memory: to disk, or gone. What can do neither stays, and is not asked again. */
static void evict(struct stored *e)
{
    unsigned storage = e->hold->storage;

    unlist(&e->hold->engine->store, e);
    if (storage & STORAGE_DISK && beck__stored_spill(e))
        return;
    if (!(storage & STORAGE_LASTING))
        forget(e);
}

static bool is_over(const struct local *local)
{
    return local->options.storage_bytes &&
           local->store.used - local->store.leaving > local->options.storage_bytes;
}

static void make_room(struct local *local)
{
    while (is_over(local) && local->store.oldest)
        evict(local->store.oldest);
}

/* ---- holds ----------------------------------------------------------------------------------- */

static void hold_free(struct engine *engine, struct hold *hold)
{
    const struct allocator *memory = &((struct local *)engine)->os->memory;

    if (!hold)
        return;
    for (uint32_t p = 0; p < hold->partitions; p++)
        forget(&hold->entries[p]);
    beck__free(memory, hold->entries, (hold->partitions + 1u) * sizeof *hold->entries);
    beck__free(memory, hold, sizeof *hold);
}

static struct hold *hold_new(struct engine *engine, const beck_schema *schema, uint32_t partitions,
                             unsigned storage, const char *what)
{
    struct local *local = (struct local *)engine;
    const struct allocator *memory = &local->os->memory;
    struct hold *hold = beck__alloc_zero(memory, sizeof *hold);

    if (!hold)
        return NULL;
    hold->entries = beck__alloc_zero(memory, (partitions + 1u) * sizeof *hold->entries);
    if (!hold->entries) {
        beck__free(memory, hold, sizeof *hold);
        return NULL;
    }
    hold->engine = local;
    hold->schema = schema;
    hold->partitions = partitions;
    hold->storage = storage;
    snprintf(hold->what, sizeof hold->what, "%s", what);
    for (uint32_t p = 0; p < partitions; p++) {
        hold->entries[p].hold = hold;
        hold->entries[p].blocks.memory = hold->entries[p].bytes.memory = memory;
    }
    return hold;
}

static void hold_set(struct hold *hold, unsigned storage)
{
    hold->storage = storage;
    for (uint32_t p = 0; p < hold->partitions && !storage; p++)
        forget(&hold->entries[p]);
}

static uint64_t hold_rows(const struct hold *hold)
{
    uint64_t rows = 0;

    for (uint32_t p = 0; p < hold->partitions; p++)
        rows += hold->entries[p].rows;
    return rows;
}

/* ---- a job ----------------------------------------------------------------------------------- */

/* The test hook: this one is to be dropped. */
static bool is_due(struct store *store)
{
    if (store->lose && store->lose_seed) {
        uint64_t x = store->lose_seed =
            store->lose_seed * 6364136223846793005u + 1442695040888963407u;
        return (x >> 33) % store->lose == 0;
    }
    return store->lose && --store->lose == 0;
}

static void pin(struct dataset *d, uint32_t p)
{
    struct stored *e = &d->hold->entries[p];

    if (d->marks[p] & MARK_PINNED) /* tasks of another job may read it already */
        return;
    d->target_rows[p] = e->rows;
    d->marks[p] |= MARK_PINNED;
    e->pins++;
    unlist(&d->hold->engine->store, e);
}

bool beck__kept_find(struct dataset *d)
{
    struct local *local = d->hold->engine;
    bool missing = false;

    if (!d->pins) {
        d->pins = true;
        d->next_pinned = local->pinned;
        local->pinned = d;
    }
    for (uint32_t p = 0; p < d->partitions; p++) {
        struct stored *e = &d->hold->entries[p];
        if (!(d->marks[p] & MARK_NEEDED))
            continue;
        if (atomic_load(&e->lost)) {
            d->marks[p] |= MARK_LOST;
            forget(e);
        } else if (e->present && !e->pins && d->parent && is_due(&local->store) && !e->writing) {
            forget(e);
        }
        if (e->present)
            pin(d, p);
        else
            d->marks[p] |= MARK_MISSING;
        missing |= !e->present;
    }
    return missing;
}

void beck__kept_put(struct dataset *d, uint32_t p, struct blocks *rows)
{
    struct local *local = d->hold->engine;
    struct stored *e = &d->hold->entries[p];
    unsigned storage = d->hold->storage;

    assert(!e->present);
    e->blocks = *rows;
    *rows = (struct blocks){.memory = e->blocks.memory};
    e->present = e->fresh = true;
    e->rows = e->blocks.rows;
    e->size = e->blocks.bytes;
    local->store.used += e->size;
    if (storage & STORAGE_ENCODED)
        beck__stored_encode(e); /* without memory it stays as it is */
    pin(d, p);
    d->marks[p] &= (uint8_t)~MARK_MISSING;
    make_room(local);
    bool disk = storage & STORAGE_DISK && !(d->marks[p] & MARK_LOST);
    if (disk && (!(storage & STORAGE_MEMORY) || is_over(local)))
        beck__stored_spill(e);
}

beck_status beck__kept_read(const struct dataset *d, uint32_t p, struct blocks *rows,
                            struct error *error)
{
    struct stored *e = &d->hold->entries[p];
    struct error reason = {0};
    beck_status status = beck__stored_read(e, rows, &reason);

    if (!status)
        return BECK_OK;
    beck__blocks_deinit(rows);
    if (status != BECK_NO_MEMORY && d->parent && !atomic_exchange(&e->lost, true))
        atomic_fetch_add(&d->hold->engine->store.lost, 1);
    return beck__error_set(
        error, status, "%s: stored rows of partition %u%s: %s", d->hold->what, p,
        d->parent ? "" : ", which cannot be computed again, since their batch is over",
        reason.text);
}

void beck__kept_done(struct dataset *d)
{
    struct local *local = d->hold->engine;

    for (uint32_t p = 0; p < d->partitions; p++) {
        struct stored *e = &d->hold->entries[p];
        while (e->fresh && e->writing)
            beck__local_pass(&local->base);
        e->fresh = false;
    }
}

void beck__kept_written(struct run *run)
{
    struct stored *e = run->spill;

    if (!beck__stored_land(run) && !e->pins && !(e->hold->storage & STORAGE_LASTING))
        forget(e);
}

/* Nobody reads it any more: it stays where its storage says. */
static void settle(struct stored *e)
{
    unsigned storage = e->hold->storage;

    if (atomic_load(&e->lost)) /* of a job that failed */
        forget(e);
    if (!e->present || e->listed || e->file || e->writing)
        return;
    if (e->written)
        beck__stored_settle(e);
    else if (storage & STORAGE_MEMORY)
        list(&e->hold->engine->store, e);
    else
        evict(e);
}

void beck__kept_release(struct local *local)
{
    while (local->pinned) {
        struct dataset *d = local->pinned;
        for (uint32_t p = 0; p < d->partitions; p++) {
            struct stored *e = &d->hold->entries[p];
            if (d->marks[p] & MARK_PINNED && --e->pins == 0)
                settle(e);
            d->marks[p] = 0;
        }
        local->pinned = d->next_pinned;
        d->pins = false;
    }
    make_room(local);
}

/* ---- the engine's ---------------------------------------------------------------------------- */

static void lose(struct engine *engine, uint64_t n, uint64_t seed)
{
    struct local *local = (struct local *)engine;

    local->store.lose = n;
    local->store.lose_seed = seed;
}

void beck__local_store(struct engine *engine)
{
    engine->hold_new = hold_new;
    engine->hold_free = hold_free;
    engine->hold_set = hold_set;
    engine->hold_rows = hold_rows;
    engine->lose = lose;
}
