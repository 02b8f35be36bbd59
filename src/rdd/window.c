/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows: which slices a stream must keep, and what a window holds at a time. The slices
 * themselves are made and dropped by the driver.
 */
#include "rdd/inside.h"

static struct kept *keep(struct graph *graph, struct node *node, int64_t slide_ms)
{
    struct kept *kept = node->kept;

    if (kept)
        return kept;
    kept = beck__arena_alloc(graph->arena, sizeof *kept);
    if (!kept)
        return NULL;
    kept->node = node;
    kept->slide_ms = slide_ms;
    node->kept = kept;
    if (graph->last_kept)
        graph->last_kept->next = kept;
    else
        graph->first_kept = kept;
    graph->last_kept = kept;
    return kept;
}

struct node *beck__node_slices(struct graph *graph, struct node *parent,
                               const struct origin *origin, const struct windowing *windowing,
                               bool aligned)
{
    struct node *node = beck__node_new(graph, NODE_WINDOW, origin);
    struct window *window = node ? beck__arena_alloc(graph->arena, sizeof *window) : NULL;
    struct kept *kept = window ? keep(graph, parent, windowing->parent_ms) : NULL;

    if (!kept) {
        beck__error_memory(graph->error, origin->name, sizeof *window);
        return NULL;
    }
    *window = (struct window){.older = kept->windows,
                              .node = node,
                              .kept = kept,
                              .length_ms = windowing->length_ms,
                              .slide_ms = windowing->slide_ms,
                              .aligned = aligned};
    kept->windows = window;
    if (kept->keep_ms < window->length_ms)
        kept->keep_ms = window->length_ms;
    node->window = window;
    node->schema = parent->schema;
    node->keys = parent->keys;
    node->parents[0] = parent;
    node->parent_count = 1;
    return node;
}

/* The next window that is shown holds what is `since` after zero. */
static bool is_held(int64_t since, int64_t length_ms, int64_t slide_ms)
{
    int64_t due = (since + slide_ms - 1) / slide_ms * slide_ms;

    return since > due - length_ms;
}

bool beck__kept_needed(const struct kept *kept, int64_t zero_ms, int64_t time_ms)
{
    for (const struct window *w = kept->windows; w; w = w->older)
        if (is_held(time_ms - zero_ms, w->length_ms, w->slide_ms))
            return true;
    return false;
}

bool beck__stateful_needed(const struct stateful *s, int64_t zero_ms, int64_t time_ms)
{
    return !s->window_ms || is_held(time_ms - zero_ms, s->window_ms, s->due_ms);
}

/* ---- instances ------------------------------------------------------------------------------- */

/* Partition p: the blocks of all slices, in order of time. */
static struct dataset *merged(struct stamp *stamp, const struct node *node,
                              const struct slice *first)
{
    const struct allocator *memory = stamp->arena->memory;
    uint32_t count = node->parents[0]->partitioning.count;
    struct blocks *all = beck__arena_alloc(stamp->arena, (count + 1) * sizeof *all);
    struct dataset *dataset = NULL;
    bool ok = all != NULL;

    for (uint32_t p = 0; ok && p < count; p++) {
        all[p].memory = memory;
        for (const struct slice *s = first; ok && s; s = s->newer)
            ok = beck__blocks_append(&all[p], &s->partitions[p]);
    }
    if (ok)
        dataset = stamp->engine->from_values(stamp->scope, node->schema, all, count);
    for (uint32_t p = 0; all && p < count && all[p].memory; p++)
        beck__blocks_deinit(&all[p]);
    return dataset;
}

/* The partitions of one slice after those of another. */
static struct dataset *united(struct stamp *stamp, const struct node *node,
                              const struct slice *first)
{
    uint32_t count = 0;

    for (const struct slice *s = first; s; s = s->newer)
        count++;
    struct dataset **all = beck__arena_alloc(stamp->arena, (count + 1) * sizeof(struct dataset *));
    if (!all)
        return NULL;
    count = 0;
    for (const struct slice *s = first; s; s = s->newer) {
        all[count] =
            stamp->engine->from_values(stamp->scope, node->schema, s->partitions, s->count);
        if (!all[count++])
            return NULL;
    }
    return count ? stamp->engine->unite(stamp->scope, all, count)
                 : stamp->engine->from_values(stamp->scope, node->schema, NULL, 0);
}

struct dataset *beck__window_dataset(struct stamp *stamp, const struct node *node)
{
    const struct window *window = node->window;
    const struct slice *first = window->kept->oldest;

    while (first && first->time_ms <= stamp->batch_ms - window->length_ms)
        first = first->newer;
    return window->aligned ? merged(stamp, node, first) : united(stamp, node, first);
}

/* ---- window() -------------------------------------------------------------------------------- */

struct node *beck__node_window(struct graph *graph, struct node *parent,
                               const struct windowing *windowing, const beck_window_args *args)
{
    struct origin origin = {"window", args->site, args->name};

    return parent ? beck__node_slices(graph, parent, &origin, windowing, false) : NULL;
}
