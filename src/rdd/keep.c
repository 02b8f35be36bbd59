/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows that stay: levels of storage, and the node that persist puts on top of an RDD's. All its
 * instances share one holding.
 */
#include "rdd/inside.h"

static const struct {
    const char *name;
    unsigned storage;
    bool twice;
} levels[] = {
    [BECK_MEMORY_ONLY] = {"MEMORY_ONLY", STORAGE_MEMORY, false},
    [BECK_MEMORY_AND_DISK] = {"MEMORY_AND_DISK", STORAGE_MEMORY | STORAGE_DISK, false},
    [BECK_DISK_ONLY] = {"DISK_ONLY", STORAGE_DISK, false},
    [BECK_MEMORY_ONLY_SER] = {"MEMORY_ONLY_SER", STORAGE_MEMORY | STORAGE_ENCODED, false},
    [BECK_MEMORY_AND_DISK_SER] = {"MEMORY_AND_DISK_SER",
                                  STORAGE_MEMORY | STORAGE_DISK | STORAGE_ENCODED, false},
    [BECK_MEMORY_ONLY_2] = {"MEMORY_ONLY_2", STORAGE_MEMORY, true},
    [BECK_MEMORY_AND_DISK_2] = {"MEMORY_AND_DISK_2", STORAGE_MEMORY | STORAGE_DISK, true},
    [BECK_DISK_ONLY_2] = {"DISK_ONLY_2", STORAGE_DISK, true},
    [BECK_MEMORY_ONLY_SER_2] = {"MEMORY_ONLY_SER_2", STORAGE_MEMORY | STORAGE_ENCODED, true},
    [BECK_MEMORY_AND_DISK_SER_2] = {"MEMORY_AND_DISK_SER_2",
                                    STORAGE_MEMORY | STORAGE_DISK | STORAGE_ENCODED, true},
};

const char *beck__level_name(beck_storage_level level)
{
    return (size_t)level < BECK__COUNT_OF(levels) ? levels[level].name : NULL;
}

bool beck__level_known(struct graph *graph, beck_site site, beck_storage_level level)
{
    if (!beck__level_name(level))
        beck__node_error(graph, "persist", site, BECK_INVALID,
                         "there is no storage level %d; give one such as BECK_MEMORY_ONLY",
                         (int)level);
    return beck__level_name(level) != NULL;
}

unsigned beck__level_storage(beck_storage_level level)
{
    return levels[level].storage;
}

bool beck__level_twice(beck_storage_level level)
{
    return levels[level].twice;
}

/* Another level than the one it has is an error. */
static struct node *persist_again(struct graph *graph, struct engine *engine, struct node *node,
                                  beck_storage_level level, beck_site site)
{
    struct holding *h = node->holding;

    if (!h->off && h->level != level)
        return beck__node_error(graph, "persist", site, BECK_STATE,
                                "its level is %s and cannot become %s; call beck_unpersist first",
                                beck__level_name(h->level), beck__level_name(level));
    h->level = level;
    h->off = false;
    if (h->hold)
        engine->hold_set(h->hold, beck__level_storage(level));
    return node;
}

struct node *beck__node_persist(struct graph *graph, struct engine *engine, struct node *parent,
                                const beck_persist_args *args)
{
    struct origin origin = {"persist", args->site, NULL};
    beck_storage_level level = args->level ? args->level : BECK_MEMORY_ONLY;

    if (!parent || !beck__level_known(graph, args->site, level))
        return NULL;
    if (parent->kind == NODE_KEEP)
        return persist_again(graph, engine, parent, level, args->site);
    struct node *node = beck__node_new(graph, NODE_KEEP, &origin);
    struct holding *h = node ? beck__arena_alloc(graph->arena, sizeof *h) : NULL;
    if (!h || !beck__node_parents(graph, node, &parent, 1)) {
        beck__error_memory(graph->error, origin.name, sizeof *h);
        return NULL;
    }
    h->older = graph->holdings;
    h->level = level;
    graph->holdings = h;
    node->holding = h;
    node->schema = parent->schema;
    node->keys = parent->keys;
    return node;
}

void beck__node_unpersist(struct engine *engine, struct node *node)
{
    struct holding *h = node->holding;

    if (!h)
        return;
    h->off = true;
    if (h->hold)
        engine->hold_set(h->hold, 0);
}

void beck__holdings_free(struct graph *graph, struct engine *engine)
{
    for (struct holding *h = graph->holdings; h; h = h->older)
        if (h->hold)
            engine->hold_free(engine, h->hold);
    graph->holdings = NULL;
}

/* A source that is looked at again may have other partitions than those that are held: then this
 * instance does without. */
struct dataset *beck__keep_dataset(struct stamp *stamp, const struct node *node,
                                   struct dataset *parent)
{
    struct engine *engine = stamp->engine;
    struct holding *h = node->holding;
    uint32_t partitions = engine->partitions(parent);
    char what[160];

    if (!h->hold) {
        beck__node_what(node, what, sizeof what);
        h->partitions = partitions;
        h->hold =
            engine->hold_new(engine, node->schema, partitions, beck__level_storage(h->level), what);
    }
    if (!h->hold)
        return NULL;
    return partitions == h->partitions ? engine->keep(stamp->scope, parent, h->hold) : parent;
}
