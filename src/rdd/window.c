/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows: which slices a stream must keep, and what a window holds at a time. The slices
 * themselves are made and dropped by the driver.
 */
#include "rdd/inside.h"

struct kept *beck__node_kept(struct graph *graph, struct node *node, int64_t slide_ms,
                             int64_t keep_ms)
{
    struct kept *kept = node->kept, **at = &graph->first_kept;

    if (!kept) {
        kept = beck__arena_alloc(graph->arena, sizeof *kept);
        if (!kept)
            return NULL;
        kept->node = node;
        kept->slide_ms = slide_ms;
        node->kept = kept;
        while (*at && (*at)->node->number < node->number)
            at = &(*at)->next;
        kept->next = *at;
        *at = kept;
    }
    if (kept->keep_ms < keep_ms)
        kept->keep_ms = keep_ms;
    return kept;
}

struct node *beck__node_slices(struct graph *graph, struct node *parent,
                               const struct origin *origin, const struct windowing *windowing,
                               bool aligned)
{
    struct node *node = beck__node_new(graph, NODE_WINDOW, origin);
    struct window *window = node ? beck__arena_alloc(graph->arena, sizeof *window) : NULL;
    struct kept *kept =
        window ? beck__node_kept(graph, parent, windowing->parent_ms, windowing->length_ms) : NULL;

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

/* The slices from `first` on, one after the other: partition by partition, or all of one before the
 * next. */
struct dataset *beck__window_dataset(struct stamp *stamp, const struct node *node)
{
    const struct window *window = node->window;
    struct engine *engine = stamp->engine;
    const struct slice *first = window->kept->oldest;
    uint32_t count = 0;

    while (first && first->time_ms <= stamp->batch_ms - window->length_ms)
        first = first->newer;
    for (const struct slice *s = first; s; s = s->newer)
        count++;
    struct dataset **all = beck__arena_alloc(stamp->arena, (count + 1) * sizeof(struct dataset *));
    if (!all)
        return NULL;
    count = 0;
    for (const struct slice *s = first; s; s = s->newer) {
        all[count] = engine->keep(stamp->scope, NULL, s->hold);
        if (!all[count++])
            return NULL;
    }
    if (count)
        return window->aligned ? engine->merge(stamp->scope, all, count)
                               : engine->unite(stamp->scope, all, count);
    uint32_t partitions = window->aligned ? node->parents[0]->partitioning.count : 0;
    struct blocks *none = beck__arena_alloc(stamp->arena, (partitions + 1) * sizeof *none);
    return none ? engine->from_values(stamp->scope, node->schema, none, partitions) : NULL;
}

struct node *beck__node_slice(struct graph *graph, struct stamp *stamp, const struct node *of,
                              const struct slice *slice, beck_site site)
{
    struct origin origin = {"slice", site, NULL};
    struct node *node = beck__node_new(graph, NODE_SOURCE, &origin);
    struct dataset *dataset = stamp->engine->keep(stamp->scope, NULL, slice->hold);

    if (!node || !dataset) {
        beck__error_memory(graph->error, origin.name, 0);
        return NULL;
    }
    node->schema = of->schema;
    node->keys = of->keys;
    return beck__node_set_dataset(stamp, node, dataset, graph->error) ? NULL : node;
}

/* ---- window() -------------------------------------------------------------------------------- */

struct node *beck__node_window(struct graph *graph, struct node *parent,
                               const struct windowing *windowing, const beck_window_args *args)
{
    struct origin origin = {"window", args->site, args->name};

    return parent && beck__node_partitions(graph, &origin, args->partitions)
               ? beck__node_slices(graph, parent, &origin, windowing, false)
               : NULL;
}
