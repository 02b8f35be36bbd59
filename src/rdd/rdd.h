/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdd - the algebra of one batch: type-checks operators, fuses neighbouring narrow ones, and calls
 * engine.h. A node says what is computed; it belongs to an RDD (one instance) or to a DStream (one
 * instance per batch), which is why one set of functions serves both. A stamp is one instance: it
 * maps nodes to the engine's datasets. No threads, no files.
 */
#ifndef BECK_RDD_H
#define BECK_RDD_H

#include "engine/engine.h"
#include <beck/beck.h>

enum node_kind {
    NODE_SOURCE,
    NODE_VALUES,
    NODE_RANGES,
    NODE_NARROW,
    NODE_SHUFFLE,
    NODE_UNION,
    NODE_MADE,
    NODE_WINDOW,
    NODE_ADVANCE,
    NODE_SCAN,
    NODE_KEEP
};

struct node;
struct stamp;

/* Of numbers. Their mean and the sum of the squares of the distances from it are those of Welford,
 * merged as Chan et al. do. */
struct moments {
    int64_t count;
    double sum, mean, squares, min, max;
};

/* Makes the dataset of a MADE node in one instance from those of its parents (NULL: no RDD in this
 * batch; never so with needs_rdd). BECK_OK with *dataset NULL: this one has none either. */
typedef beck_status node_make_fn(struct node *node, struct stamp *stamp,
                                 struct dataset *const *parents, struct dataset **dataset,
                                 struct error *error);

/* Where nodes are made: the context's graph, or one that lives for a batch. */
struct graph {
    struct arena *arena;
    struct os *os;
    struct error *error; /* sticky: the first error */
    uint32_t partitions; /* default after a shuffle */
    struct kept *first_kept;
    struct stateful *first_stateful, *last_stateful;
    struct holding *holdings; /* newest first */
    uint32_t nodes;           /* made so far */
};

/* What persist holds of an RDD, for all its instances. */
struct holding {
    struct holding *older;
    beck_storage_level level;
    bool off;          /* unpersisted */
    struct hold *hold; /* made by the first instance; goes with the life of the graph */
    uint32_t partitions;
};

/* What a batch leaves behind: the rows of a kept node. */
struct slice {
    struct slice *newer;
    int64_t time_ms;
    struct hold *hold;
};

/* A node of a stream whose rows stay, for all that needs them in their batch, and after it for
 * windows and whoever asks. Kept ones are in the order in which their nodes were made, so one that
 * needs another comes after it. */
struct kept {
    struct kept *next;
    struct node *node;
    int64_t slide_ms;         /* of the node */
    beck_storage_level level; /* of a persisted stream; or the default: of windows alone */
    int64_t remember_ms;      /* 0: as long as windows need it */
    int64_t keep_ms;          /* batches in (t - keep_ms, t] are there at time t */
    struct window *windows;   /* over it: newest first */
    struct slice *oldest, *newest;
    int64_t rows_ms; /* of the newest batch that had rows; 0: none had */
};

/* A stateful operation of a stream: it runs at every multiple of slide_ms, whether or not somebody
 * wants its rows. */
struct stateful {
    struct stateful *next;
    struct node *node; /* ADVANCE */
    int64_t slide_ms;  /* of what goes in */
    int64_t window_ms; /* 0, or the length of a window, */
    int64_t due_ms;    /* and how often it is shown */
    const struct program *program;
    struct node *initial;  /* states to begin with, partitioned alike; or NULL */
    struct keeper *keeper; /* the driver's, since the start */
    bool loaded;           /* the initial states are there */
    bool begun;            /* its parent has had an RDD */
};

/* At time t, a multiple of slide_ms, the slices with time in (t - length_ms, t].
 *
 *    slices  | 1 | 2 | 3 | 4 | 5 | 6 |      length 4, slide 2
 *            '---window---'
 *                    '---window---'
 */
struct window {
    struct window *older;
    const struct node *node;
    struct kept *kept;
    int64_t length_ms, slide_ms;
    bool aligned; /* partition p holds those of all slices; else each slice has its own */
};

struct node {
    enum node_kind kind;
    const char *name; /* "flat_map" */
    const char *label;
    beck_site site;
    const beck_schema *schema;
    uint32_t keys; /* key columns at the front */
    struct node **parents;
    struct node *near[2]; /* parents, if there are no more */
    uint32_t parent_count;
    bool hidden;                 /* a step inside an operator: not a node of its own to users */
    const struct program *fused; /* NARROW: everything since `base`, which is not narrow */
    struct node *base;
    struct partitioning partitioning; /* SHUFFLE */
    bool needs_rdd;                   /* an error where a parent has no RDD in a batch */
    uint32_t source;                  /* SOURCE: index into stamp->sources */
    const struct blocks *values;      /* VALUES */
    uint32_t value_count;
    const beck_direct_class *class_of; /* RANGES: planned by the first instance */
    beck_str params;
    node_make_fn *make; /* MADE */
    void *user;
    const struct window *window; /* WINDOW */
    struct kept *kept;           /* NULL: its batches go with their time */
    uint32_t number;             /* in the order of making */
    int64_t checkpoint_ms;       /* of a stream; 0: none */
    struct stateful *stateful;   /* ADVANCE, SCAN */
    struct holding *holding;     /* KEEP */
};

/* One instance of a graph: of a batch, or of an RDD program. */
struct stamp {
    struct engine *engine;
    struct scope *scope;
    struct arena *arena;       /* lives as long as the scope */
    struct session_life *life; /* as in beck_rdd */
    int64_t batch_ms, zero_ms; /* of a stream: its time began at zero */
    struct dataset **sources;  /* by number; NULL: no RDD in this batch */
    uint32_t source_count;
    struct made *made; /* open addressing by node; a power of two of them, at most half full */
    uint32_t count, capacity;
};

struct made {
    const struct node *node; /* NULL: empty */
    struct dataset *dataset;
};

/* What users hold of an RDD: a node in the life (of the context, or of a batch) that it is from. */
struct beck_rdd {
    struct graph *graph;
    struct session_life *life; /* the session's; this room does not look into it */
    struct node *node;         /* NULL: poisoned */
};

/* Sets the graph's error: "reduce_by_key at wc.c:18: ...". Returns NULL. */
struct node *beck__node_error(struct graph *graph, const char *name, beck_site site,
                              beck_status status, const char *format, ...) BECK__PRINTF(5, 6);

/* Sources. The schema text is parsed; values and params must live in the graph's arena. */
struct node *beck__node_source(struct graph *graph, const char *name, beck_site site,
                               const char *schema, uint32_t source);
struct node *beck__node_from_values(struct graph *graph, const char *name, beck_site site,
                                    const beck_schema *schema, const struct blocks *partitions,
                                    uint32_t count);
struct node *beck__node_ranges(struct graph *graph, const char *name, beck_site site,
                               const beck_direct_class *class_of, beck_str params);

/* Transformations. A NULL parent gives NULL: the error is set already. */
enum map_kind { MAP_MAP, MAP_FLAT_MAP, MAP_VALUES, MAP_FLAT_VALUES };
struct node *beck__node_map(struct graph *graph, struct node *parent, enum map_kind kind,
                            const beck_map_args *args);
struct node *beck__node_filter(struct graph *graph, struct node *parent,
                               const beck_filter_args *args);
struct node *beck__node_map_partitions(struct graph *graph, struct node *parent,
                                       const beck_map_partitions_args *args);
struct node *beck__node_key_by(struct graph *graph, struct node *parent,
                               const beck_key_by_args *args);
struct node *beck__node_union(struct graph *graph, struct node *a, struct node *b, beck_site site);
/* Of at least one; partitions in their order. */
struct node *beck__node_union_all(struct graph *graph, struct node *const *parents, uint32_t count,
                                  const beck_none_args *args);
struct node *beck__node_repartition(struct graph *graph, struct node *parent,
                                    const beck_repartition_args *args);
struct node *beck__node_glom(struct graph *graph, struct node *parent, const beck_none_args *args);
struct node *beck__node_reduce(struct graph *graph, struct node *parent,
                               const beck_reduce_args *args);
struct node *beck__node_reduce_by_key(struct graph *graph, struct node *parent,
                                      const beck_reduce_args *args);
struct node *beck__node_group_by_key(struct graph *graph, struct node *parent,
                                     const beck_group_args *args);
struct node *beck__node_combine_by_key(struct graph *graph, struct node *parent,
                                       const beck_combine_args *args);
struct node *beck__node_count(struct graph *graph, struct node *parent, const beck_none_args *args);
struct node *beck__node_count_by_value(struct graph *graph, struct node *parent,
                                       const beck_group_args *args);

struct node *beck__node_distinct(struct graph *graph, struct node *parent,
                                 const beck_group_args *args);
struct node *beck__node_cogroup_all(struct graph *graph, struct node *const *parents,
                                    uint32_t count, const beck_group_args *args);
struct node *beck__node_cogroup(struct graph *graph, struct node *a, struct node *b,
                                const beck_group_args *args);
struct node *beck__node_join(struct graph *graph, struct node *a, struct node *b,
                             const beck_join_args *args);

struct node *beck__node_subtract(struct graph *graph, struct node *a, struct node *b,
                                 const beck_group_args *args);
struct node *beck__node_intersection(struct graph *graph, struct node *a, struct node *b,
                                     const beck_group_args *args);
struct node *beck__node_subtract_by_key(struct graph *graph, struct node *a, struct node *b,
                                        const beck_group_args *args);

struct node *beck__node_keys(struct graph *graph, struct node *parent, const beck_none_args *args);
struct node *beck__node_values(struct graph *graph, struct node *parent,
                               const beck_none_args *args);
struct node *beck__node_group_by(struct graph *graph, struct node *parent,
                                 const beck_group_by_args *args);
struct node *beck__node_sort_by(struct graph *graph, struct node *parent,
                                const beck_sort_args *args);
struct node *beck__node_sort_by_key(struct graph *graph, struct node *parent,
                                    const beck_sort_key_args *args);
struct node *beck__node_coalesce(struct graph *graph, struct node *parent,
                                 const beck_repartition_args *args);
struct node *beck__node_zip(struct graph *graph, struct node *a, struct node *b,
                            const beck_none_args *args);
struct node *beck__node_cartesian(struct graph *graph, struct node *a, struct node *b,
                                  const beck_none_args *args);
struct node *beck__node_zip_with_index(struct graph *graph, struct node *parent,
                                       const beck_none_args *args);
struct node *beck__node_fold_by_key(struct graph *graph, struct node *parent,
                                    const beck_fold_args *args);
struct node *beck__node_aggregate_by_key(struct graph *graph, struct node *parent,
                                         const beck_aggregate_args *args);

/* Those behind actions: all in one partition. */
struct node *beck__node_fold(struct graph *graph, struct node *parent, const beck_fold_args *args);
struct node *beck__node_aggregate(struct graph *graph, struct node *parent,
                                  const beck_aggregate_args *args);
/* The first args->n in order, or with `top` in the reverse one. */
struct node *beck__node_ordered(struct graph *graph, struct node *parent, const char *name,
                                const beck_ordered_args *args, bool top);
/* The last row of each key; (key..., count). */
struct node *beck__node_last_by_key(struct graph *graph, struct node *parent,
                                    const beck_none_args *args);
struct node *beck__node_count_by_key(struct graph *graph, struct node *parent,
                                     const beck_none_args *args);
/* One row: the bytes of a struct moments, of the first column. */
struct node *beck__node_stats(struct graph *graph, struct node *parent, const beck_none_args *args);
/* (bucket BIGINT, count BIGINT), of the first column. */
struct node *beck__node_histogram(struct graph *graph, struct node *parent,
                                  const beck_histogram_args *args);
struct node *beck__node_lookup(struct graph *graph, struct node *parent,
                               const beck_lookup_args *args);

/* A node whose dataset is made by a function in each instance: the caller fills in `make` and
 * `user`, and needs_rdd if the function cannot do without. */
struct node *beck__node_made(struct graph *graph, const char *name, beck_site site,
                             const char *schema, struct node *const *parents, uint32_t count);

/* Windows over a stream: operators with a shuffle fold the slices behind it, so each row crosses it
 * once. Lengths and slides are multiples of the parent's slide. */
struct windowing {
    int64_t parent_ms, length_ms, slide_ms;
};
struct node *beck__node_window(struct graph *graph, struct node *parent,
                               const struct windowing *windowing, const beck_window_args *args);
struct node *beck__node_reduce_by_key_and_window(struct graph *graph, struct node *parent,
                                                 const struct windowing *windowing,
                                                 const beck_reduce_window_args *args);
struct node *beck__node_reduce_by_window(struct graph *graph, struct node *parent,
                                         const struct windowing *windowing,
                                         const beck_reduce_window_args *args);
struct node *beck__node_group_by_key_and_window(struct graph *graph, struct node *parent,
                                                const struct windowing *windowing,
                                                const beck_window_args *args);
struct node *beck__node_count_by_window(struct graph *graph, struct node *parent,
                                        const struct windowing *windowing,
                                        const beck_window_args *args);
struct node *beck__node_count_by_value_and_window(struct graph *graph, struct node *parent,
                                                  const struct windowing *windowing,
                                                  const beck_window_args *args);
/* map_with_state: what the callback emits. update_state_by_key: key and state of every key.
 * state_snapshots: the same of either of them. */
struct node *beck__node_map_with_state(struct graph *graph, struct node *parent, int64_t slide_ms,
                                       const beck_map_with_state_args *args);
struct node *beck__node_update_state_by_key(struct graph *graph, struct node *parent,
                                            int64_t slide_ms, const beck_update_args *args);
struct node *beck__node_state_snapshots(struct graph *graph, struct node *parent,
                                        const beck_none_args *args);
/* What stays of a stream's node: its own, made when somebody first wants it. NULL without memory.
 * `keep_ms`: at least. */
struct kept *beck__node_kept(struct graph *graph, struct node *node, int64_t slide_ms,
                             int64_t keep_ms);
/* Rows of an earlier batch as a node of this one. NULL after an error. */
struct node *beck__node_slice(struct graph *graph, struct stamp *stamp, const struct node *of,
                              const struct slice *slice, beck_site site);
/* True if a window that is due after zero_ms holds the slice of that time. */
bool beck__kept_needed(const struct kept *kept, int64_t zero_ms, int64_t time_ms);
bool beck__stateful_needed(const struct stateful *stateful, int64_t zero_ms, int64_t time_ms);

/* A node whose rows stay; of one that is such, the same. The engine may be NULL as long as nothing
 * has run. NULL after an error. */
struct node *beck__node_persist(struct graph *graph, struct engine *engine, struct node *parent,
                                const beck_persist_args *args);
void beck__node_unpersist(struct engine *engine, struct node *node);
/* Gives back what the holdings of a graph have, after the scopes that use them. */
void beck__holdings_free(struct graph *graph, struct engine *engine);
/* Not that of BECK_STORAGE_DEFAULT. NULL: there is no such level. */
const char *beck__level_name(beck_storage_level level); /* NULL: there is none */
/* False with the error of `persist` set: there is no such level. */
bool beck__level_known(struct graph *graph, beck_site site, beck_storage_level level);
unsigned beck__level_storage(beck_storage_level level); /* enum storage */
bool beck__level_twice(beck_storage_level level);       /* two copies are asked for */

/* Ends of a pipeline, as programs for a job. NULL with the graph's error set. */
const struct program *beck__program_limit(struct graph *graph, const struct node *node,
                                          uint64_t rows);
const struct program *beck__program_count(struct graph *graph, const struct node *node);
const struct program *beck__program_foreach(struct graph *graph, const struct node *node,
                                            const beck_foreach_args *args);
const struct program *beck__program_foreach_partition(struct graph *graph, const struct node *node,
                                                      const beck_foreach_partition_args *args);
/* Preceded by a limit if `rows` is not 0. */
const struct program *beck__program_sink(struct graph *graph, const struct node *node,
                                         const beck_save_args *args, uint64_t rows);

/* The engine's dataset of a node in this instance, made once. BECK_OK with *dataset NULL: the
 * source has no RDD in this batch. */
beck_status beck__node_dataset(struct stamp *stamp, struct node *node, struct dataset **dataset,
                               struct error *error);

/* Makes `dataset` (NULL: none) that of the node in this instance. */
beck_status beck__node_set_dataset(struct stamp *stamp, const struct node *node,
                                   struct dataset *dataset, struct error *error);

/* "flat_map at wc.c:17". */
void beck__node_name(const struct node *node, struct text *out);
/* The same, cut off where there is no more room. */
void beck__node_what(const struct node *node, char *what, size_t size);
/* One line: name, schema, keys, kernel or callback, partitions. */
void beck__node_print(const struct node *node, struct text *out);

#endif
