/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdd.h - what Spark has on RDDs beside the operators of its streams: order, numbers, sets of rows,
 * folds from a zero on. The operators work on a DStream as well, within each batch; the actions are
 * an RDD's. Part of beck.h, which includes it.
 */
#ifndef BECK_PUBLIC_RDD_H
#define BECK_PUBLIC_RDD_H

#include <beck/beck.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- order ----------------------------------------------------------------------------------- */

/* In order: beck_sort_by(s, "n DESC, word") by columns, beck_sort_by(s, "k BIGINT", fn) by the row
 * that the callback emits; sort_by_key by the key. Nulls come first and NaN last (DESC: the other
 * way round), equal rows stay as they were. Partitions follow each other in order, rows with equal
 * keys are in one. .descending reverses. Of a stream: within a batch. */
typedef struct beck_sort_args {
    const char *by;
    beck_map_fn *fn;
    BECK_ARGS_TAIL;
    bool descending;
    int partitions;
    const void *ctx;
    size_t ctx_size;
    const char *name;
} beck_sort_args;
typedef struct beck_sort_key_args {
    BECK_ARGS_TAIL;
    bool descending;
    int partitions;
    const char *name;
} beck_sort_key_args;
#define beck_sort_by(s, ...) BECK__CALL(BECK__OF(s, sort_by), beck_sort_args, s, __VA_ARGS__)
#define beck_sort_by_key(...)                                                                      \
    BECK__CALL0(BECK__OF(BECK__FIRST(__VA_ARGS__, 0), sort_by_key), beck_sort_key_args, __VA_ARGS__)
BECK__BOTH(sort_by, beck_sort_args);
BECK__BOTH(sort_by_key, beck_sort_key_args);

/* The whole element, then its number "index BIGINT": of the first row of the first partition 0. */
#define beck_zip_with_index(...)                                                                   \
    BECK__CALL0(BECK__OF(BECK__FIRST(__VA_ARGS__, 0), zip_with_index), beck_none_args, __VA_ARGS__)
BECK__BOTH(zip_with_index, beck_none_args);

/* ---- keys and groups ------------------------------------------------------------------------- */

/* The key columns, as rows of their own; those after the key. */
#define beck_keys(...)                                                                             \
    BECK__CALL0(BECK__OF(BECK__FIRST(__VA_ARGS__, 0), keys), beck_none_args, __VA_ARGS__)
#define beck_values(...)                                                                           \
    BECK__CALL0(BECK__OF(BECK__FIRST(__VA_ARGS__, 0), values), beck_none_args, __VA_ARGS__)
BECK__BOTH(keys, beck_none_args);
BECK__BOTH(values, beck_none_args);

/* What beck_key_by and then beck_group_by_key make: beck_group_by(s, "user, page"), or
 * beck_group_by(s, "k BIGINT", fn) with whole elements as values. */
typedef struct beck_group_by_args {
    const char *key;
    beck_map_fn *fn;
    BECK_ARGS_TAIL;
    int partitions;
    const void *ctx;
    size_t ctx_size;
    const char *name;
} beck_group_by_args;
#define beck_group_by(s, ...) BECK__CALL(BECK__OF(s, group_by), beck_group_by_args, s, __VA_ARGS__)
BECK__BOTH(group_by, beck_group_by_args);

/* (s, zero, fn) and (s, "combiner schema", zero, .merge_value = , .merge_combiners = ): as
 * combine_by_key, but the first value of a key in a partition is merged into the zero. The zero is
 * anything that beck_emit takes; for several columns a beck_values_value of one for each. */
typedef struct beck_fold_args {
    beck_value zero;
    beck_reduce_fn *fn;
    BECK_ARGS_TAIL;
    int partitions;
    const void *ctx;
    size_t ctx_size;
    const char *name;
} beck_fold_args;
typedef struct beck_aggregate_args {
    const char *schema;
    beck_value zero;
    BECK_ARGS_TAIL;
    beck_reduce_fn *merge_value;
    beck_reduce_fn *merge_combiners;
    int partitions;
    const void *ctx;
    size_t ctx_size;
    const char *name;
} beck_aggregate_args;
#define beck_fold_by_key(s, start, ...)                                                            \
    BECK__CALL(BECK__OF(s, fold_by_key), beck_fold_args, s, beck_value_of(start), __VA_ARGS__)
#define beck_aggregate_by_key(s, text, start, ...)                                                 \
    BECK__CALL(BECK__OF(s, aggregate_by_key), beck_aggregate_args, s, text, beck_value_of(start),  \
               __VA_ARGS__)
BECK__BOTH(fold_by_key, beck_fold_args);
BECK__BOTH(aggregate_by_key, beck_aggregate_args);

/* ---- two of them ----------------------------------------------------------------------------- */

/* The rows of a that are not in b; those that are in both, each once; the rows of a whose key is
 * not one of b. a and b have rows (keys) of the same types. */
#define beck_subtract(s, ...)     BECK__WITH(BECK__OF(s, subtract), beck_group_args, s, __VA_ARGS__)
#define beck_intersection(s, ...)                                                                  \
    BECK__WITH(BECK__OF(s, intersection), beck_group_args, s, __VA_ARGS__)
#define beck_subtract_by_key(s, ...)                                                               \
    BECK__WITH(BECK__OF(s, subtract_by_key), beck_group_args, s, __VA_ARGS__)
/* zip: row i of each partition of a beside row i of that of b; both must have as many. cartesian:
 * each row of a beside each of b. The columns of a are the key, then those of b follow (a second
 * "n" becomes "n_right"). */
#define beck_zip(s, ...)       BECK__WITH(BECK__OF(s, zip), beck_none_args, s, __VA_ARGS__)
#define beck_cartesian(s, ...) BECK__WITH(BECK__OF(s, cartesian), beck_none_args, s, __VA_ARGS__)
#define BECK__BOTH_WITH(name, T)                                                                   \
    BECK_API beck_dstream *beck_dstream_##name(beck_dstream *s, beck_other other, const T *args);  \
    BECK_API beck_rdd *beck_rdd_##name(beck_rdd *r, beck_other other, const T *args)
BECK__BOTH_WITH(subtract, beck_group_args);
BECK__BOTH_WITH(intersection, beck_group_args);
BECK__BOTH_WITH(subtract_by_key, beck_group_args);
BECK__BOTH_WITH(zip, beck_none_args);
BECK__BOTH_WITH(cartesian, beck_none_args);

/* ---- partitions ------------------------------------------------------------------------------ */

/* To at most n partitions: each is neighbouring ones, one after the other. Without a shuffle. */
#define beck_coalesce(s, ...)                                                                      \
    BECK__CALL(BECK__OF(s, coalesce), beck_repartition_args, s, __VA_ARGS__)
BECK__BOTH(coalesce, beck_repartition_args);

/* ---- actions on an RDD ----------------------------------------------------------------------- */

/* Folds all rows: (r, zero, fn) and (r, "schema", zero, .merge_value = , .merge_combiners = ), in
 * each partition from the zero on, then their results from the zero on. One row, also of an empty
 * RDD. */
#define beck_fold(r, start, ...)                                                                   \
    BECK__CALL(beck__fold, beck_fold_args, r, beck_value_of(start), __VA_ARGS__)
#define beck_aggregate(r, text, start, ...)                                                        \
    BECK__CALL(beck__aggregate, beck_aggregate_args, r, text, beck_value_of(start), __VA_ARGS__)
BECK_API beck_result *beck__fold(beck_rdd *r, const beck_fold_args *args);
BECK_API beck_result *beck__aggregate(beck_rdd *r, const beck_aggregate_args *args);

/* The first n rows in order, or with top the last n, largest first: by all columns, or as .by says
 * ("n DESC, word"). min and max: one row (of an empty RDD: BECK_NOT_FOUND). */
typedef struct beck_ordered_args {
    uint64_t n;
    BECK_ARGS_TAIL;
    const char *by;
} beck_ordered_args;
#define beck_take_ordered(r, ...) BECK__CALL(beck__take_ordered, beck_ordered_args, r, __VA_ARGS__)
#define beck_top(r, ...)          BECK__CALL(beck__top, beck_ordered_args, r, __VA_ARGS__)
#define beck_min(...)             BECK__CALL0(beck__min, beck_ordered_args, __VA_ARGS__)
#define beck_max(...)             BECK__CALL0(beck__max, beck_ordered_args, __VA_ARGS__)
BECK_API beck_result *beck__take_ordered(beck_rdd *r, const beck_ordered_args *args);
BECK_API beck_result *beck__top(beck_rdd *r, const beck_ordered_args *args);
BECK_API beck_result *beck__min(beck_rdd *r, const beck_ordered_args *args);
BECK_API beck_result *beck__max(beck_rdd *r, const beck_ordered_args *args);

/* The values of a key. */
typedef struct beck_lookup_args {
    beck_value key;
    BECK_ARGS_TAIL;
} beck_lookup_args;
#define beck_lookup(r, value)                                                                      \
    BECK__CALL(beck__lookup, beck_lookup_args, r, beck_value_of(value))
BECK_API beck_result *beck__lookup(beck_rdd *r, const beck_lookup_args *args);

/* A row for each key: the last one; (key..., count BIGINT). */
#define beck_collect_as_map(r) BECK__CALL0(beck__collect_as_map, beck_none_args, r)
#define beck_count_by_key(r)   BECK__CALL0(beck__count_by_key, beck_none_args, r)
BECK_API beck_result *beck__collect_as_map(beck_rdd *r, const beck_none_args *args);
BECK_API beck_result *beck__count_by_key(beck_rdd *r, const beck_none_args *args);

/* True if there is no row; also after an error (see beck_error). */
BECK_API bool beck_is_empty(beck_rdd *r);

/* Of the first column, BIGINT or DOUBLE, without nulls. The variance is that of the population.
 * Without a value: sum 0, the others NaN. */
typedef struct beck_statistics {
    beck_status status;
    int64_t count;
    double sum, mean, min, max, variance, stdev;
} beck_statistics;
#define beck_stats(r) BECK__CALL0(beck__stats, beck_none_args, r)
#define beck_sum(r)   (beck_stats(r).sum)
#define beck_mean(r)  (beck_stats(r).mean)
BECK_API beck_statistics beck__stats(beck_rdd *r, const beck_none_args *args);

/* How many values of the first column (BIGINT or DOUBLE) lie in each bucket: rows (low DOUBLE, high
 * DOUBLE, count BIGINT), low <= value < high, in the last one value <= high. .edges are rising; or
 * .buckets of equal width from the least value to the largest. NaN and nulls are in none. */
typedef struct beck_histogram_args {
    BECK_ARGS_TAIL;
    const double *edges;
    size_t edge_count;
    int buckets;
} beck_histogram_args;
#define beck_histogram(...) BECK__CALL0(beck__histogram, beck_histogram_args, __VA_ARGS__)
BECK_API beck_result *beck__histogram(beck_rdd *r, const beck_histogram_args *args);

#ifdef __cplusplus
}
#endif
#endif
