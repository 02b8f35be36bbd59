/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the batches of a stream stay, and where: persist, checkpoint and remember before the
 * start, slice while the stream runs.
 */
#include "driver/driver.h"

/* The graph to change, or NULL: poisoned, or frozen, which is an error that says why. */
static struct graph *graph_of(beck_dstream *s, const char *name, beck_site site, const char *why)
{
    if (!s->streams || !s->streams->frozen)
        return beck__dstream_graph(s, name, site);
    beck__node_error(s->streams->graph, name, site, BECK_STATE, "%s after beck_start", why);
    return NULL;
}

/* ---- before the start ------------------------------------------------------------------------ */

/* What stays of the stream, at this level, or at the one it has. NULL after an error. */
static struct kept *persist(beck_dstream *s, beck_storage_level level, const char *name)
{
    struct kept *kept = beck__node_kept(s->streams->graph, s->node, s->slide_ms, s->slide_ms);

    if (!kept)
        beck__error_memory(s->streams->graph->error, name, sizeof *kept);
    else if (level || !kept->level)
        kept->level = level ? level : BECK_MEMORY_ONLY_SER;
    return kept;
}

beck_dstream *beck_dstream_persist(beck_dstream *s, const beck_persist_args *args)
{
    struct graph *graph =
        graph_of(s, "persist", args->site, "the storage level of a stream cannot be changed");

    if (!graph)
        return beck__dstream_poisoned(s);
    beck_storage_level level = args->level ? args->level : BECK_MEMORY_ONLY_SER;
    if (!beck__level_known(graph, args->site, level))
        return beck__dstream_poisoned(s);
    const struct driver *driver = s->streams->owner;
    beck__session_copies(driver->ctx, level);
    return persist(s, level, "persist") ? s : beck__dstream_poisoned(s);
}

beck_dstream *beck__checkpoint(beck_dstream *s, const beck_checkpoint_args *args)
{
    struct graph *graph =
        graph_of(s, "checkpoint", args->site, "the checkpoint interval cannot be changed");

    if (!graph)
        return beck__dstream_poisoned(s);
    if (args->interval_ms <= 0 || args->interval_ms % s->slide_ms) {
        beck__node_error(graph, "checkpoint", args->site, BECK_INVALID,
                         "the interval is %lld ms; give a positive multiple of the stream's slide "
                         "of %lld ms",
                         (long long)args->interval_ms, (long long)s->slide_ms);
        return beck__dstream_poisoned(s);
    }
    if (!persist(s, BECK_STORAGE_DEFAULT, "checkpoint"))
        return beck__dstream_poisoned(s);
    s->node->checkpoint_ms = args->interval_ms;
    return s;
}

void beck__remember(beck_context *ctx, const beck_remember_args *args)
{
    struct driver *driver = ctx ? beck__driver_of(ctx) : NULL;

    if (!driver)
        return;
    if (driver->streams.frozen)
        beck__node_error(&ctx->life.graph, "remember", args->site, BECK_STATE,
                         "what is remembered cannot be changed after beck_start");
    else if (args->ms <= 0 || args->ms > BECK__SPAN_MS_MAX)
        beck__node_error(&ctx->life.graph, "remember", args->site, BECK_INVALID,
                         "%lld ms; give a number from 1 to %lld", (long long)args->ms,
                         (long long)BECK__SPAN_MS_MAX);
    else if (driver->remember_ms < args->ms)
        driver->remember_ms = args->ms;
}

beck_status beck__storage_open(struct driver *driver)
{
    struct graph *graph = driver->streams.graph;

    for (beck_dstream *s = driver->streams.newest; s && driver->remember_ms; s = s->older) {
        int64_t slides = (driver->remember_ms + s->slide_ms - 1) / s->slide_ms;
        struct kept *kept =
            s->node ? beck__node_kept(graph, s->node, s->slide_ms, (slides + 1) * s->slide_ms)
                    : NULL;
        if (kept)
            kept->remember_ms = driver->remember_ms;
        else if (s->node)
            return beck__error_memory(graph->error, "remember", sizeof *kept);
    }
    return BECK_OK;
}

/* ---- slice ----------------------------------------------------------------------------------- */

/* The last time of the stream that is not after `ms`; zero has no batch. */
static int64_t floor_to(const struct driver *driver, const beck_dstream *s, int64_t ms)
{
    return ms <= driver->zero_ms ? driver->zero_ms : ms - (ms - driver->zero_ms) % s->slide_ms;
}

/* The life of the batch whose callback this is; NULL: it is none, and the log or the error of the
 * context says so. */
static struct session_life *batch_of(beck_context *ctx, beck_site site)
{
    struct error error = {0};
    struct session_life *life = NULL;

    if (beck_context_state(ctx) == BECK_INITIALIZED)
        beck__node_error(&ctx->life.graph, "slice", site, BECK_STATE,
                         "the stream has not been initialized; call it in a driver callback, such "
                         "as that of beck_foreach_rdd");
    else if (beck__session_own_thread(ctx, "slice", &error))
        life = atomic_load(&ctx->batch);
    return life;
}

/* The first batch before now_ms of those from from_ms to to_ms that is not kept; 0: all are. */
static int64_t find_gone(const struct driver *driver, const beck_dstream *s, int64_t from_ms,
                         int64_t to_ms, int64_t now_ms)
{
    const struct kept *kept = s->node->kept;

    for (int64_t t = from_ms; t <= to_ms && t < now_ms; t += s->slide_ms)
        if (!kept || t <= now_ms - kept->keep_ms ||
            (!kept->remember_ms && !beck__kept_needed(kept, driver->zero_ms, t)))
            return t;
    return 0;
}

/* The RDD of that time in this batch; NULL: there is none. */
static struct node *node_at(struct session_life *life, beck_dstream *s, int64_t time_ms,
                            beck_site site)
{
    const struct slice *slice = s->node->kept ? s->node->kept->oldest : NULL;
    struct dataset *dataset = NULL;

    if (time_ms == life->stamp.batch_ms)
        return beck__node_dataset(&life->stamp, s->node, &dataset, life->graph.error) || !dataset
                   ? NULL
                   : s->node;
    while (slice && slice->time_ms < time_ms)
        slice = slice->newer;
    return slice && slice->time_ms == time_ms
               ? beck__node_slice(&life->graph, &life->stamp, s->node, slice, site)
               : NULL;
}

static void fill(beck_slices *slices, struct session_life *life, beck_dstream *s, int64_t from_ms,
                 int64_t to_ms, beck_site site)
{
    struct arena *arena = life->graph.arena;
    size_t most = (size_t)((to_ms - from_ms) / s->slide_ms + 1);
    beck_rdd **rdds = beck__arena_alloc(arena, most * sizeof(beck_rdd *));
    int64_t *times = beck__arena_alloc(arena, most * sizeof *times);

    if (!rdds || !times) {
        beck__error_memory(life->graph.error, "slice", most * sizeof *times);
        return;
    }
    for (int64_t t = from_ms; t <= to_ms; t += s->slide_ms) {
        struct node *node = node_at(life, s, t, site);
        if (!node)
            continue;
        times[slices->count] = t;
        rdds[slices->count++] = beck__session_rdd(life, node);
    }
    slices->rdds = rdds;
    slices->times_ms = times;
}

beck_slices beck__slice(beck_dstream *s, const beck_slice_args *args)
{
    beck_slices slices = {.status = BECK_INVALID};

    if (!s->streams || !s->node)
        return slices;
    struct driver *driver = s->streams->owner;
    struct session_life *life = batch_of(driver->ctx, args->site);
    slices.status = BECK_STATE;
    if (!life)
        return slices;
    int64_t now = life->stamp.batch_ms, first = driver->zero_ms + s->slide_ms;
    int64_t from = floor_to(driver, s, args->from_ms);
    int64_t to = floor_to(driver, s, args->to_ms < now ? args->to_ms : now);
    if (from < first)
        from = first;
    int64_t gone = find_gone(driver, s, from, to, now);
    if (args->from_ms > args->to_ms)
        beck__node_error(&life->graph, "slice", args->site, BECK_INVALID,
                         ".from_ms is %lld, after .to_ms, %lld", (long long)args->from_ms,
                         (long long)args->to_ms);
    else if (gone)
        beck__node_error(&life->graph, "slice", args->site, BECK_NOT_FOUND,
                         "the batch of %lld ms is not kept until that of %lld ms; call "
                         "beck_remember(ctx, ms) before the start",
                         (long long)gone, (long long)now);
    else if (from <= to)
        fill(&slices, life, s, from, to, args->site);
    slices.status = life->graph.error->status;
    return slices;
}
