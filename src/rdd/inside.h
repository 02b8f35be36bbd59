/* SPDX-License-Identifier: Apache-2.0 */
/* inside - what the files of rdd share. */
#ifndef BECK_RDD_INSIDE_H
#define BECK_RDD_INSIDE_H

#include "rdd/rdd.h"

/* What every operator has: its name as users know it, where it stands, its .name. */
struct origin {
    const char *name;
    beck_site site;
    const char *label;
};

/* An aggregation: how values become states, and states results. */
struct fold_plan {
    struct op partial, final;
    bool map_side;
    struct partitioning partitioning;
    uint32_t keys;
    const struct windowing *windowing; /* NULL: the batch alone */
};

struct sorting {
    struct order order;
    uint32_t partitions;
    uint64_t limit; /* 0: all */
};

struct node *beck__node_new(struct graph *graph, enum node_kind kind, const struct origin *origin);
/* The node's parents; false without memory (error set). */
bool beck__node_parents(struct graph *graph, struct node *node, struct node *const *parents,
                        uint32_t count);
/* A narrow node: `op` gets name, site, input and is fused with the parent's program. */
struct node *beck__node_narrow(struct graph *graph, struct node *parent,
                               const struct origin *origin, struct op *op);
struct node *beck__node_shuffle(struct graph *graph, struct node *parent,
                                const struct origin *origin, struct partitioning partitioning);
/* The slices of `parent` in a window; `aligned` as in struct window. */
struct node *beck__node_slices(struct graph *graph, struct node *parent,
                               const struct origin *origin, const struct windowing *windowing,
                               bool aligned);
/* The dataset of a window at the stamp's time. NULL without memory. */
struct dataset *beck__window_dataset(struct stamp *stamp, const struct node *node);
/* A stateful operation over a shuffle; `like` says when it runs and what it begins with. */
struct node *beck__node_advance(struct graph *graph, struct node *shuffle,
                                const struct origin *origin, struct op *op,
                                const struct stateful *like);
/* The rows of `parent`, which stay. NULL without memory. */
struct dataset *beck__keep_dataset(struct stamp *stamp, const struct node *node,
                                   struct dataset *parent);
/* True if it has no RDD before its parent has had one: update_state_by_key, as in Spark. */
bool beck__advance_waits(const struct node *node);
/* What a stateful operation emits for the rows of `parent` (NULL: none). NULL without memory. */
struct dataset *beck__advance_dataset(struct stamp *stamp, const struct node *node,
                                      struct dataset *parent);
/* Parses an output schema; NULL with the error set. */
const beck_schema *beck__node_schema(struct graph *graph, const struct origin *origin,
                                     const char *text);
/* The id of a callback, and its context bytes copied into the op. */
struct function_id beck__node_function(struct graph *graph, const void *function);
bool beck__node_context(struct graph *graph, const struct origin *origin, struct op *op,
                        const void *ctx, size_t size);
/* True if the rows have a value beside their key; else the error is set. */
bool beck__node_pair(struct graph *graph, const struct origin *origin, const struct node *parent);
/* The nodes of an aggregation: partial groups (if map_side), shuffle, groups. */
struct node *beck__node_folded(struct graph *graph, struct node *parent,
                               const struct origin *origin, struct fold_plan *plan);
/* What beck_key_by makes of a parent, for other operators, too. */
struct node *beck__node_keyed(struct graph *graph, struct node *parent, const struct origin *origin,
                              const beck_key_by_args *args);
/* Partition p: those of all parents, which have as many, one after the other. */
struct node *beck__node_merge(struct graph *graph, struct node *const *parents, uint32_t count,
                              const struct origin *origin);
/* Columns [first, first + count). */
struct node *beck__node_project(struct graph *graph, struct node *parent,
                                const struct origin *origin, uint32_t first, uint32_t count);
/* The rows in order, in `partitions` partitions; with `limit` the first ones, in one. */
struct node *beck__node_sorted(struct graph *graph, struct node *parent,
                               const struct origin *origin, const struct sorting *sorting);
/* Columns of a, then of b, under free names ("n", "n_right"). NULL without memory (error set). */
const beck_schema *beck__schema_beside(struct graph *graph, const struct origin *origin,
                                       const beck_schema *a, const beck_schema *b);
/* A step inside an operator: not shown. NULL stays NULL. */
static inline struct node *beck__node_hide(struct node *node)
{
    if (node)
        node->hidden = true;
    return node;
}
/* A row of these fields, encoded, as an operation carries it: `what` names it in errors. */
bool beck__node_row(struct graph *graph, const struct origin *origin, const beck_schema *schema,
                    const beck_value *value, const char *what, beck_str *row);
/* The partition count of an operator: the default for 0; 0 after an error. */
uint32_t beck__node_partitions(struct graph *graph, const struct origin *origin, int partitions);
/* columns of a, then of b. NULL without memory (error set). */
const beck_schema *beck__schema_join(struct graph *graph, const struct field *a, uint32_t a_count,
                                     const struct field *b, uint32_t b_count);
/* The bytes of a function pointer as an object pointer. */
#define BECK__ADDRESS(fn) beck__address_of(&(fn))
static inline const void *beck__address_of(const void *function)
{
    const void *address;
    memcpy(&address, function, sizeof address);
    return address;
}

#endif
