/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every operator without a window, once in a table: the same expression is built on a stream and on
 * an RDD, and must give the same schema and the same rows, for a batch and for an empty one.
 */
#include "driver/testing.h"

/* ---- callbacks ------------------------------------------------------------------------------- */

static void twice(beck_call *c, beck_row in)
{
    beck_emit(c, 2 * beck_get_bigint(in, 0));
}

static void as_many(beck_call *c, beck_row in)
{
    for (int64_t i = 0; i < beck_get_bigint(in, 0); i++)
        beck_emit(c, i);
}

static bool is_odd(beck_call *c, beck_row in)
{
    (void)c;
    return beck_get_bigint(in, 0) % 2 != 0;
}

static bool is_below(beck_call *c, beck_row in)
{
    const int64_t *limit = beck_ctx(c);

    return beck_get_bigint(in, 0) < *limit;
}

static void parity(beck_call *c, beck_row in)
{
    beck_emit(c, beck_get_bigint(in, 0) % 2 ? "odd" : "even");
}

static void plus(beck_call *c, beck_row a, beck_row b)
{
    beck_emit(c, beck_get_bigint(a, 0) + beck_get_bigint(b, 0));
}

/* (number of rows, their sum), twice over the rows. */
static void tally(beck_call *c, beck_rows *rows)
{
    beck_row row;
    int64_t n = 0, sum = 0;

    while (beck_next_row(rows, &row))
        n++;
    beck_rewind_rows(rows);
    while (beck_next_row(rows, &row))
        sum += beck_get_bigint(row, 0);
    if (n != (int64_t)beck_rows_count(rows))
        beck_fail(c, "counted %lld", (long long)n);
    beck_emit(c, n, sum);
}

static void first_list(beck_call *c, beck_row value)
{
    beck_value item = beck_cell(value, 0);

    beck_emit(c, beck_values_value(&item, 1));
}

static void longer_list(beck_call *c, beck_row list, beck_row value)
{
    beck_list old = beck_get_array(list, 0);
    beck_value items[32];

    for (uint32_t i = 0; i < old.count; i++)
        items[i] = beck_cell(beck_list_row(old, i), 0);
    items[old.count] = beck_cell(value, 0);
    beck_emit(c, beck_values_value(items, old.count + 1));
}

static void both_lists(beck_call *c, beck_row a, beck_row b)
{
    beck_list one = beck_get_array(a, 0), two = beck_get_array(b, 0);
    beck_value items[32];

    for (uint32_t i = 0; i < one.count; i++)
        items[i] = beck_cell(beck_list_row(one, i), 0);
    for (uint32_t i = 0; i < two.count; i++)
        items[one.count + i] = beck_cell(beck_list_row(two, i), 0);
    beck_emit(c, beck_values_value(items, one.count + two.count));
}

/* An aggregate of the user's: the product. */
static void product_init(beck_call *c, void *state)
{
    (void)c;
    *(int64_t *)state = 1;
}

static void product_step(beck_call *c, void *state, beck_row value)
{
    (void)c;
    *(int64_t *)state *= beck_get_bigint(value, 0);
}

static void product_merge(beck_call *c, void *state, const void *other)
{
    (void)c;
    *(int64_t *)state *= *(const int64_t *)other;
}

static void product_value(beck_call *c, const void *state)
{
    beck_emit(c, *(const int64_t *)state);
}

static const beck_aggregate product[1] = {{.name = "product",
                                           .result = "BIGINT",
                                           .state_size = sizeof(int64_t),
                                           .init = product_init,
                                           .step = product_step,
                                           .merge = product_merge,
                                           .value = product_value}};

static const int64_t four = 4;

/* ---- the table: on the numbers 0 to 6 in three partitions: 0 1 | 2 3 | 4 5 6 -------------------
 */

#define KEYED beck_key_by(in, "k STRING", parity)
#define ODD   beck_key_by(beck_filter(in, is_odd), "k STRING", parity)
#define SMALL                                                                                      \
    beck_key_by(beck_filter(in, is_below, .ctx = &four, .ctx_size = sizeof four), "k STRING",      \
                parity)

/* X(name, expression over `in`, schema, rows, rows of an empty batch with one partition) */
#define OPERATORS(X)                                                                               \
    X(map, beck_map(in, "m BIGINT", twice), "m BIGINT", "0|2|4|6|8|10|12|", "")                    \
    X(filter, beck_filter(in, is_odd), "n BIGINT", "1|3|5|", "")                                   \
    X(filter_by_context, beck_filter(in, is_below, .ctx = &four, .ctx_size = sizeof four),         \
      "n BIGINT", "0|1|2|3|", "")                                                                  \
    X(flat_map, beck_flat_map(in, "i BIGINT", as_many), "i BIGINT",                                \
      "0|0|1|0|1|2|0|1|2|3|0|1|2|3|4|0|1|2|3|4|5|", "")                                            \
    X(map_partitions, beck_map_partitions(in, "rows BIGINT, sum BIGINT", tally),                   \
      "rows BIGINT, sum BIGINT", "(2,1)|(2,5)|(3,15)|", "(0,0)|")                                  \
    X(key_by, KEYED, "k STRING, n BIGINT",                                                         \
      "(even,0)|(odd,1)|(even,2)|(odd,3)|(even,4)|(odd,5)|(even,6)|", "")                          \
    X(key_by_columns, beck_key_by(KEYED, "n"), "n BIGINT, k STRING",                               \
      "(0,even)|(1,odd)|(2,even)|(3,odd)|(4,even)|(5,odd)|(6,even)|", "")                          \
    X(map_values, beck_map_values(KEYED, "v BIGINT", twice), "k STRING, v BIGINT",                 \
      "(even,0)|(odd,2)|(even,4)|(odd,6)|(even,8)|(odd,10)|(even,12)|", "")                        \
    X(flat_map_values, beck_flat_map_values(beck_filter(in, is_odd), "i BIGINT", as_many), NULL,   \
      NULL, NULL) /* no value column: an error */                                                  \
    X(flat_map_values_of_pairs, beck_flat_map_values(KEYED, "i BIGINT", as_many),                  \
      "k STRING, i BIGINT",                                                                        \
      "(odd,0)|(even,0)|(even,1)|(odd,0)|(odd,1)|(odd,2)|(even,0)|(even,1)|(even,2)|(even,3)|"     \
      "(odd,0)|(odd,1)|(odd,2)|(odd,3)|(odd,4)|"                                                   \
      "(even,0)|(even,1)|(even,2)|(even,3)|(even,4)|(even,5)|",                                    \
      "")                                                                                          \
    X(union_with_itself, beck_union(beck_filter(in, is_odd), in), "n BIGINT",                      \
      "1|3|5|0|1|2|3|4|5|6|", "")                                                                  \
    X(union_of_other_names, beck_union(beck_filter(in, is_odd), beck_map(in, "m BIGINT", twice)),  \
      "n BIGINT", "1|3|5|0|2|4|6|8|10|12|", "")                                                    \
    X(glom, beck_glom(in), "elements ARRAY<BIGINT>", "[0, 1]|[2, 3]|[4, 5, 6]|", "[]|")            \
    X(repartition, beck_glom(beck_repartition(in, 1)), "elements ARRAY<BIGINT>",                   \
      "[0, 1, 2, 3, 4, 5, 6]|", "[]|")                                                             \
    X(reduce_by_key, beck_reduce_by_key(KEYED, plus, .partitions = 1), "k STRING, n BIGINT",       \
      "(even,12)|(odd,9)|", "")                                                                    \
    X(sum_by_key, beck_reduce_by_key(KEYED, beck_sum, .partitions = 1), "k STRING, n BIGINT",      \
      "(even,12)|(odd,9)|", "")                                                                    \
    X(min_by_key, beck_reduce_by_key(KEYED, beck_min, .partitions = 1), "k STRING, n BIGINT",      \
      "(even,0)|(odd,1)|", "")                                                                     \
    X(max_by_key, beck_reduce_by_key(KEYED, beck_max, .partitions = 1), "k STRING, n BIGINT",      \
      "(even,6)|(odd,5)|", "")                                                                     \
    X(avg_by_key, beck_reduce_by_key(KEYED, beck_avg, .partitions = 1), "k STRING, n DOUBLE",      \
      "(even,3.0)|(odd,3.0)|", "")                                                                 \
    X(count_by_key, beck_reduce_by_key(KEYED, beck_count, .partitions = 1), "k STRING, n BIGINT",  \
      "(even,4)|(odd,3)|", "")                                                                     \
    X(distinct_by_key, beck_reduce_by_key(KEYED, beck_distinct, .partitions = 1),                  \
      "k STRING, n ARRAY<BIGINT>", "(even,[0, 2, 4, 6])|(odd,[1, 3, 5])|", "")                     \
    X(top_by_key, beck_reduce_by_key(KEYED, beck_top, .partitions = 1, .n = 2),                    \
      "k STRING, n ARRAY<BIGINT>", "(even,[6, 4])|(odd,[5, 3])|", "")                              \
    X(aggregate_by_key, beck_reduce_by_key(KEYED, product, .partitions = 1), "k STRING, n BIGINT", \
      "(even,0)|(odd,15)|", "")                                                                    \
    X(group_by_key, beck_group_by_key(KEYED, .partitions = 1), "k STRING, n ARRAY<BIGINT>",        \
      "(even,[0, 2, 4, 6])|(odd,[1, 3, 5])|", "")                                                  \
    X(combine_by_key,                                                                              \
      beck_combine_by_key(KEYED, "all ARRAY<BIGINT>", .create = first_list,                        \
                          .merge_value = longer_list, .merge_combiners = both_lists,               \
                          .partitions = 1),                                                        \
      "k STRING, all ARRAY<BIGINT>", "(even,[0, 2, 4, 6])|(odd,[1, 3, 5])|", "")                   \
    X(combine_after_shuffle,                                                                       \
      beck_combine_by_key(KEYED, "all ARRAY<BIGINT>", .create = first_list,                        \
                          .merge_value = longer_list, .merge_combiners = both_lists,               \
                          .partitions = 1, .no_map_side = true),                                   \
      "k STRING, all ARRAY<BIGINT>", "(even,[0, 2, 4, 6])|(odd,[1, 3, 5])|", "")                   \
    X(distinct, beck_distinct(beck_map(in, "k STRING", parity), .partitions = 1), "k STRING",      \
      "even|odd|", "")                                                                             \
    X(join, beck_join(SMALL, ODD, .partitions = 1), "k STRING, n BIGINT, n_right BIGINT",          \
      "(odd,1,1)|(odd,1,3)|(odd,1,5)|(odd,3,1)|(odd,3,3)|(odd,3,5)|", "")                          \
    X(left_outer_join, beck_left_outer_join(SMALL, ODD, .partitions = 1),                          \
      "k STRING, n BIGINT, n_right BIGINT",                                                        \
      "(even,0,null)|(odd,1,1)|(odd,1,3)|(odd,1,5)|"                                               \
      "(even,2,null)|(odd,3,1)|(odd,3,3)|(odd,3,5)|",                                              \
      "")                                                                                          \
    X(right_outer_join, beck_right_outer_join(ODD, SMALL, .partitions = 1),                        \
      "k STRING, n BIGINT, n_right BIGINT",                                                        \
      "(odd,1,1)|(odd,1,3)|(odd,3,1)|(odd,3,3)|(odd,5,1)|(odd,5,3)|"                               \
      "(even,null,0)|(even,null,2)|",                                                              \
      "")                                                                                          \
    X(full_outer_join,                                                                             \
      beck_full_outer_join(ODD, beck_map_values(SMALL, "m BIGINT", twice), .partitions = 1),       \
      "k STRING, n BIGINT, m BIGINT",                                                              \
      "(odd,1,2)|(odd,1,6)|(odd,3,2)|(odd,3,6)|(odd,5,2)|(odd,5,6)|"                               \
      "(even,null,0)|(even,null,4)|",                                                              \
      "")                                                                                          \
    X(cogroup, beck_cogroup(SMALL, ODD, .partitions = 1),                                          \
      "k STRING, n ARRAY<BIGINT>, n_right ARRAY<BIGINT>",                                          \
      "(even,[0, 2],[])|(odd,[1, 3],[1, 3, 5])|", "")                                              \
    X(keys, beck_keys(beck_key_by(KEYED, "n")), "n BIGINT", "0|1|2|3|4|5|6|", "")                  \
    X(values, beck_values(KEYED), "n BIGINT", "0|1|2|3|4|5|6|", "")                                \
    X(coalesce, beck_glom(beck_coalesce(beck_filter(in, is_odd), 2)), "elements ARRAY<BIGINT>",    \
      "[1]|[3, 5]|", "[]|")                                                                        \
    X(persist, beck_filter(beck_persist(beck_map(in, "m BIGINT", twice), BECK_DISK_ONLY), is_below,\
                           .ctx = &four, .ctx_size = sizeof four),                                 \
      "m BIGINT", "0|2|", "")                                                                      \
    X(cache, beck_zip_with_index(beck_cache(KEYED)), "k STRING, n BIGINT, index BIGINT",           \
      "(even,0,0)|(odd,1,1)|(even,2,2)|(odd,3,3)|(even,4,4)|(odd,5,5)|(even,6,6)|", "")            \
    X(sort_by, beck_sort_by(KEYED, "k DESC, n"), "k STRING, n BIGINT",                             \
      "(odd,1)|(odd,3)|(odd,5)|(even,0)|(even,2)|(even,4)|(even,6)|", "")                          \
    X(sort_by_down, beck_sort_by(KEYED, "k DESC, n", .descending = true), "k STRING, n BIGINT",    \
      "(even,6)|(even,4)|(even,2)|(even,0)|(odd,5)|(odd,3)|(odd,1)|", "")                          \
    X(sort_by_call, beck_sort_by(in, "k STRING", parity, .descending = true), "n BIGINT",          \
      "1|3|5|0|2|4|6|", "")                                                                        \
    X(sort_by_key, beck_sort_by_key(KEYED), "k STRING, n BIGINT",                                  \
      "(even,0)|(even,2)|(even,4)|(even,6)|(odd,1)|(odd,3)|(odd,5)|", "")                          \
    X(zip_with_index, beck_zip_with_index(beck_filter(in, is_odd)), "n BIGINT, index BIGINT",      \
      "(1,0)|(3,1)|(5,2)|", "")                                                                    \
    X(zip_with_index_of_values, beck_zip_with_index(in), "n BIGINT, index BIGINT",                 \
      "(0,0)|(1,1)|(2,2)|(3,3)|(4,4)|(5,5)|(6,6)|", "")                                            \
    X(group_by, beck_group_by(in, "k STRING", parity, .partitions = 1),                            \
      "k STRING, n ARRAY<BIGINT>", "(even,[0, 2, 4, 6])|(odd,[1, 3, 5])|", "")                     \
    X(group_by_columns, beck_group_by(KEYED, "k", .partitions = 1), "k STRING, n ARRAY<BIGINT>",   \
      "(even,[0, 2, 4, 6])|(odd,[1, 3, 5])|", "")                                                  \
    X(fold_by_key, beck_fold_by_key(beck_coalesce(KEYED, 1), 100, plus, .partitions = 1),          \
      "k STRING, n BIGINT", "(even,112)|(odd,109)|", "")                                           \
    X(aggregate_by_key_from,                                                                       \
      beck_aggregate_by_key(KEYED, "sum BIGINT", 100, .merge_value = plus,                         \
                            .merge_combiners = plus, .partitions = 1),                             \
      "k STRING, sum BIGINT", "(even,312)|(odd,309)|", "")                                         \
    X(subtract, beck_sort_by(beck_subtract(in, beck_filter(in, is_odd)), "n"), "n BIGINT",         \
      "0|2|4|6|", "")                                                                              \
    X(subtract_keeps_equal_rows,                                                                   \
      beck_subtract(beck_map(in, "k STRING", parity),                                              \
                    beck_map(beck_filter(in, is_odd), "k STRING", parity)),                        \
      "k STRING", "even|even|even|even|", "")                                                      \
    X(intersection,                                                                                \
      beck_intersection(beck_map(in, "k STRING", parity),                                          \
                        beck_map(beck_filter(in, is_odd), "k STRING", parity)),                    \
      "k STRING", "odd|", "")                                                                      \
    X(subtract_by_key, beck_subtract_by_key(KEYED, ODD), "k STRING, n BIGINT",                     \
      "(even,0)|(even,2)|(even,4)|(even,6)|", "")                                                  \
    X(zip, beck_zip(beck_map(in, "m BIGINT", twice), in), "m BIGINT, n BIGINT",                    \
      "(0,0)|(2,1)|(4,2)|(6,3)|(8,4)|(10,5)|(12,6)|", "")                                          \
    X(cartesian, beck_cartesian(beck_filter(in, is_odd), beck_filter(in, is_odd)),                 \
      "n BIGINT, n_right BIGINT", "(1,1)|(1,3)|(1,5)|(3,1)|(3,3)|(3,5)|(5,1)|(5,3)|(5,5)|", "")    \
    X(subtract_of_other_types, beck_subtract(in, KEYED), NULL, NULL, NULL)                         \
    X(join_of_other_keys, beck_join(KEYED, beck_key_by(KEYED, "n")), NULL, NULL, NULL)

/* On a stream these are transformations, on an RDD actions. */
#define REDUCTIONS(X)                                                                              \
    X(count, beck_count(in), "7|", "0|")                                                           \
    X(reduce, beck_reduce(in, plus), "21|", "")                                                    \
    X(reduce_max, beck_reduce(in, beck_max), "6|", "")                                             \
    X(reduce_product, beck_reduce(beck_filter(in, is_odd), product), "15|", "")                    \
    X(count_by_value, beck_count_by_value(beck_map(in, "k STRING", parity), .partitions = 1),      \
      "(even,4)|(odd,3)|", "")

#define BUILD_BOTH(name, expression, schema, rows, empty)                                          \
    static beck_dstream *stream_##name(beck_dstream *in)                                           \
    {                                                                                              \
        return expression;                                                                         \
    }                                                                                              \
    static beck_rdd *rdd_##name(beck_rdd *in)                                                      \
    {                                                                                              \
        return expression;                                                                         \
    }
OPERATORS(BUILD_BOTH)

#define BUILD_STREAM(name, expression, rows, empty)                                                \
    static beck_dstream *stream_##name(beck_dstream *in)                                           \
    {                                                                                              \
        return expression;                                                                         \
    }
REDUCTIONS(BUILD_STREAM)

struct operation {
    const char *name;
    beck_dstream *(*stream)(beck_dstream *in);
    beck_rdd *(*rdd)(beck_rdd *in); /* NULL: an action */
    const char *schema, *rows, *empty;
};

static const struct operation operations[] = {
#define ENTRY(name, expression, schema, rows, empty)                                               \
    {#name, stream_##name, rdd_##name, schema, rows, empty},
    OPERATORS(ENTRY)
#define ENTRY_STREAM(name, expression, rows, empty) {#name, stream_##name, NULL, NULL, rows, empty},
        REDUCTIONS(ENTRY_STREAM)};

/* ---- tests ----------------------------------------------------------------------------------- */

static void check_stream(const struct operation *o)
{
    beck_context *ctx = stepped(o->name);
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT"), *s = o->stream(in);
    beck_collector *c = beck_collect_stream(s);
    char expected[2000];

    if (!o->rows) {
        assert_int_equal(beck_step(ctx, 1000), BECK_TYPE);
        beck_context_free(ctx);
        return;
    }
    if (o->schema)
        assert_string_equal(beck_schema_text(s), o->schema);
    beck_queue_push(in, numbers(ctx, 0, 7, 3));
    beck_queue_push(in, numbers(ctx, 0, 0, 1));
    beck_queue_push(in, numbers(ctx, 0, 7, 3));
    if (beck_step(ctx, 3000))
        print_error("%s: %s\n", o->name, beck_error_text(ctx));
    snprintf(expected, sizeof expected, "1000 %s;2000 %s;3000 %s;", o->rows, o->empty, o->rows);
    assert_batches(c, expected);
    beck_context_free(ctx);
}

static void every_operator_on_a_stream(void **state)
{
    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(operations); i++)
        check_stream(&operations[i]);
}

static void check_rdd(const struct operation *o, const char *encode)
{
    char *argv[] = {"rdd", "--master", "local[2]", "--conf", (char *)(uintptr_t)encode, NULL};
    beck_context *ctx = beck_context_new("rdd", .argc = 5, .argv = argv);
    beck_rdd *r = o->rdd(numbers(ctx, 0, 7, 3));

    if (!o->rows) {
        assert_int_equal(beck_count(r), -1);
        assert_int_equal(beck_error(ctx), BECK_TYPE);
        beck_context_free(ctx);
        return;
    }
    assert_string_equal(beck_schema_text(r), o->schema);
    beck_result *rows = beck_collect(r);
    if (beck_result_status(rows))
        print_error("%s: %s\n", o->name, beck_error_text(ctx));
    assert_rows(rows, o->rows);
    assert_rows(beck_collect(r), o->rows); /* an RDD may be asked again */
    assert_rows(beck_collect(o->rdd(numbers(ctx, 0, 0, 1))), o->empty);
    beck_context_free(ctx);
}

static void every_operator_on_an_rdd(void **state)
{
    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(operations); i++)
        if (operations[i].rdd) {
            check_rdd(&operations[i], "engine.encode=none");
            check_rdd(&operations[i], "engine.encode=all");
        }
}

/* Three sides; a batch without rows has no key. */
static void cogroup_of_three(void **state)
{
    static const char expected[] =
        "(even,[0, 2],[],[0, 2, 4, 6])|(odd,[1, 3],[1, 3, 5],[1, 3, 5])|";
    beck_context *ctx = stepped("three");
    char batches[200];

    (void)state;
    {
        beck_rdd *in = numbers(ctx, 0, 7, 3), *list[] = {SMALL, ODD, KEYED};
        assert_rows(beck_collect(beck_cogroup_all(list, 3, .partitions = 1)), expected);
        assert_int_equal(beck_count(beck_cogroup_all(list, 2)), 2);
    }
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT"), *list[] = {SMALL, ODD, KEYED};
    beck_collector *sides = beck_collect_stream(beck_cogroup_all(list, 3, .partitions = 1));
    beck_queue_push(in, numbers(ctx, 0, 7, 3));
    assert_int_equal(beck_step(ctx, 2000), BECK_OK);
    snprintf(batches, sizeof batches, "1000 %s;2000 ;", expected);
    assert_batches(sides, batches);
    beck_context_free(ctx);
}

static void a_stream_meets_an_rdd(void **state)
{
    static const char rows[] = "(odd,1,-1)|(odd,3,-1)|(odd,5,-1)|";
    beck_value values[] = {beck_text_value("odd"), beck_integer_value(-1)};
    beck_context *ctx = stepped("static"), *other = stepped("other");
    char expected[200];

    (void)state;
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_rdd *known = beck_parallelize(ctx, "k STRING, x BIGINT", values, 1, .partitions = 2);
    beck_collector *joined = beck_collect_stream(beck_join(KEYED, known, .partitions = 1));
    for (int i = 0; i < 2; i++)
        beck_queue_push(in, numbers(ctx, 0, 7, 3));
    assert_int_equal(beck_step(ctx, 2000), BECK_OK);
    snprintf(expected, sizeof expected, "1000 %s;2000 %s;", rows, rows);
    assert_batches(joined, expected);
    beck_context_free(ctx);

    ctx = stepped("refused");
    beck_rdd *there = beck_parallelize(other, "k STRING, x BIGINT", values, 1);
    in = beck_queue_stream(ctx, "n BIGINT");
    beck_join(KEYED, there);
    assert_contains(beck_error_text(ctx), "the other side belongs to another context");
    beck_context_free(ctx);
    ctx = stepped("refused");
    beck_rdd *here = beck_parallelize(ctx, "k STRING, x BIGINT", values, 1);
    beck_join(here, beck_queue_stream(ctx, "k STRING, n BIGINT"));
    assert_contains(beck_error_text(ctx), "put the stream first");
    beck_context_free(ctx);
    beck_context_free(other);
}

static void reductions_of_an_rdd_are_actions(void **state)
{
    beck_context *ctx = beck_context_new("rdd", .master = "local[2]");
    beck_rdd *in = numbers(ctx, 0, 7, 3), *none = numbers(ctx, 0, 0, 2);

    (void)state;
    assert_int_equal(beck_count(in), 7);
    assert_int_equal(beck_count(none), 0);
    assert_rows(beck_reduce(in, plus), "21|");
    assert_rows(beck_reduce(beck_filter(in, is_odd), product), "15|");
    assert_rows(beck_count_by_value(beck_map(in, "k STRING", parity), .partitions = 1),
                "(even,4)|(odd,3)|");
    assert_rows(beck_count_by_value(none), "");
    beck_result *nothing = beck_reduce(none, plus);
    assert_int_equal(beck_result_status(nothing), BECK_NOT_FOUND);
    assert_int_equal(beck_result_rows(nothing), 0);
    beck_result_free(nothing);
    assert_int_equal(beck_error(ctx), BECK_OK);
    beck_context_free(ctx);
}

/* map and filter pass it through, what needs an RDD fails: as in Spark. */
static void batches_without_an_rdd(void **state)
{
    const char *argv[] = {"none", "--on-failure", "skip", NULL};
    struct said said;

    (void)state;
    said_init(&said);
    beck_context *ctx = beck_context_new("none", .batch_ms = 1000, .manual_clock = true, .argc = 3,
                                         .argv = (char **)argv, .log = say, .log_user = &said);
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT", .none_when_empty = true);
    beck_collector *filtered = beck_collect_stream(beck_filter(in, is_odd));
    beck_collector *counted = beck_collect_stream(beck_count(in));
    beck_queue_push(in, numbers(ctx, 0, 7, 3));
    beck_queue_push(in, NULL);
    beck_queue_push(in, numbers(ctx, 0, 3, 3));
    assert_int_equal(beck_step(ctx, 3000), BECK_OK);
    assert_batches(filtered, "1000 1|3|5|;3000 1|;");
    assert_batches(counted, "1000 7|;3000 3|;");
    assert_contains(beck__text_get(&said.text), "batch 2000 ms is skipped: count at ");
    beck_context_free(ctx);
    said_deinit(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(every_operator_on_a_stream),
        test(every_operator_on_an_rdd),
        test(cogroup_of_three),
        test(a_stream_meets_an_rdd),
        test(reductions_of_an_rdd_are_actions),
        test(batches_without_an_rdd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
