/* SPDX-License-Identifier: Apache-2.0 */
/*
 * actions_test - folds, order, keys and numbers of an RDD, in worker processes, too; of empty RDDs;
 * and what fails when the rows are there.
 */
#define _GNU_SOURCE
#include "session/testing.h"

#include <math.h>

static int64_t cell(const beck_result *rows, uint64_t i, uint32_t k)
{
    return beck_get_bigint(beck_result_row(rows, i), k);
}

static const char *text_of(const beck_result *rows)
{
    static char all[4000];
    size_t size = 0;

    all[0] = 0;
    for (uint64_t i = 0; i < beck_result_rows(rows); i++) {
        size += beck_row_text(beck_result_row(rows, i), all + size, sizeof all - size);
        size += (size_t)snprintf(all + size, sizeof all - size, "|");
    }
    return all;
}

/* Takes the result. */
static void assert_result(beck_result *rows, const char *expected)
{
    if (beck_result_status(rows))
        print_error("%s\n", beck_status_text(beck_result_status(rows)));
    assert_int_equal(beck_result_status(rows), BECK_OK);
    assert_string_equal(text_of(rows), expected);
    beck_result_free(rows);
}

static void plus(beck_call *c, beck_row a, beck_row b)
{
    beck_emit(c, beck_get_bigint(a, 0) + beck_get_bigint(b, 0));
}

/* (sum, count) and a number. */
static void note(beck_call *c, beck_row sums, beck_row n)
{
    beck_emit(c, beck_get_bigint(sums, 0) + beck_get_bigint(n, 0), beck_get_bigint(sums, 1) + 1);
}

static void add_both(beck_call *c, beck_row a, beck_row b)
{
    beck_emit(c, beck_get_bigint(a, 0) + beck_get_bigint(b, 0),
              beck_get_bigint(a, 1) + beck_get_bigint(b, 1));
}

static void parity(beck_call *c, beck_row in)
{
    beck_emit(c, beck_get_bigint(in, 0) % 2 ? "odd" : "even");
}

/* In this process, and in others. */
static beck_context *context(bool isolate)
{
    static char *argv[] = {"actions", "--isolate", NULL};

    return isolate ? test_context(.master = "local[2]", .argc = 2, .argv = argv)
                   : test_context(.master = "local[2]");
}

static void folds(bool isolate)
{
    beck_context *ctx = context(isolate);
    beck_rdd *r = numbers(ctx, 1, 10, 4), *none = numbers(ctx, 0, 0, 3);
    beck_value zeros[] = {beck_integer_value(0), beck_integer_value(0)};
    beck_value pair = beck_values_value(zeros, 2);

    assert_result(beck_fold(r, 0, plus), "55|");
    assert_result(beck_fold(r, 100, plus), "555|"); /* in each of 4 partitions, and at the end */
    assert_result(beck_fold(none, 7, plus), "28|"); /* 3 times and 1 */
    assert_result(beck_aggregate(r, "sum BIGINT, n BIGINT", pair, .merge_value = note,
                                 .merge_combiners = add_both),
                  "(55,10)|");
    assert_int_equal(beck_error(ctx), BECK_OK);
    beck_context_free(ctx);
}

static void orders(bool isolate)
{
    beck_context *ctx = context(isolate);
    beck_rdd *r = numbers(ctx, 1, 10, 4), *none = numbers(ctx, 0, 0, 3);

    assert_result(beck_take_ordered(r, 3), "1|2|3|");
    assert_result(beck_take_ordered(r, 3, .by = "n DESC"), "10|9|8|");
    assert_result(beck_top(r, 2), "10|9|");
    assert_result(beck_top(r, 100), "10|9|8|7|6|5|4|3|2|1|");
    assert_result(beck_top(r, 0), "");
    assert_result(beck_min(r), "1|");
    assert_result(beck_max(r), "10|");
    assert_result(beck_max(r, .by = "n DESC"), "1|");
    assert_result(beck_top(none, 2), "");
    beck_result *nothing = beck_min(none);
    assert_int_equal(beck_result_status(nothing), BECK_NOT_FOUND);
    beck_result_free(nothing);
    assert_int_equal(beck_error(ctx), BECK_OK);
    beck_context_free(ctx);
}

static void keys(bool isolate)
{
    beck_context *ctx = context(isolate);
    beck_rdd *pairs = beck_key_by(numbers(ctx, 1, 10, 4), "k STRING", parity);
    beck_rdd *none = beck_key_by(numbers(ctx, 0, 0, 3), "k STRING", parity);

    assert_result(beck_lookup(pairs, "odd"), "1|3|5|7|9|");
    assert_result(beck_lookup(pairs, "neither"), "");
    assert_result(beck_lookup(none, "odd"), "");
    beck_result *map = beck_collect_as_map(pairs);
    assert_int_equal(beck_result_rows(map), 2);
    assert_int_equal(cell(map, 0, 1) + cell(map, 1, 1), 19); /* the last of each: 9 and 10 */
    beck_result_free(map);
    beck_result *counts = beck_count_by_key(pairs);
    assert_int_equal(beck_result_rows(counts), 2);
    assert_int_equal(cell(counts, 0, 1), 5);
    beck_result_free(counts);
    assert_result(beck_collect_as_map(none), "");
    assert_false(beck_is_empty(pairs));
    assert_true(beck_is_empty(none));
    assert_int_equal(beck_error(ctx), BECK_OK);
    beck_context_free(ctx);
}

static void of_numbers(bool isolate)
{
    static const double edges[] = {0, 2.5, 5, 7};
    beck_context *ctx = context(isolate);
    beck_rdd *r = numbers(ctx, 1, 8, 3), *none = numbers(ctx, 0, 0, 3);
    beck_statistics s = beck_stats(r);

    assert_int_equal(s.status, BECK_OK);
    assert_int_equal(s.count, 8);
    assert_true(s.sum == 36 && s.mean == 4.5 && s.min == 1 && s.max == 8);
    assert_true(fabs(s.variance - 5.25) < 1e-12 && fabs(s.stdev * s.stdev - 5.25) < 1e-12);
    assert_true(beck_sum(r) == 36 && beck_mean(r) == 4.5);
    s = beck_stats(none);
    assert_true(s.count == 0 && s.sum == 0 && isnan(s.mean) && isnan(s.max) && isnan(s.stdev));
    assert_result(beck_histogram(r, .edges = edges, .edge_count = 4),
                  "(0.0,2.5,2)|(2.5,5.0,2)|(5.0,7.0,3)|");
    assert_result(beck_histogram(r, .buckets = 2), "(1.0,4.5,4)|(4.5,8.0,4)|");
    assert_result(beck_histogram(numbers(ctx, 5, 1, 1), .buckets = 4), "(5.0,5.0,1)|");
    assert_result(beck_histogram(none, .edges = edges, .edge_count = 2), "(0.0,2.5,0)|");
    assert_result(beck_histogram(none, .buckets = 3), "");
    assert_int_equal(beck_error(ctx), BECK_OK);
    beck_context_free(ctx);
}

#define BOTH(name)                                                                                 \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        name(false);                                                                               \
        name(true);                                                                                \
    }
BOTH(folds)
BOTH(orders)
BOTH(keys)
BOTH(of_numbers)

static void test_nulls_and_nan(void **state)
{
    beck_value values[] = {beck_double_value((double)NAN), beck_null, beck_double_value(2),
                           beck_double_value(-1)};
    static const double edges[] = {-1, 2};

    (void)state;
    beck_context *ctx = test_context(.master = "local[2]");
    beck_rdd *r = beck_parallelize(ctx, "x DOUBLE", values, 4, .partitions = 2);
    assert_result(beck_take_ordered(r, 4), "null|-1.0|2.0|NaN|");
    assert_result(beck_histogram(r, .edges = edges, .edge_count = 2), "(-1.0,2.0,2)|");
    assert_int_equal(beck_stats(r).count, 3);
    beck_result *uneven = beck_histogram(r, .buckets = 2);
    assert_int_equal(beck_result_status(uneven), BECK_INVALID);
    assert_non_null(strstr(beck_error_text(ctx), "a value is NaN or infinite"));
    beck_result_free(uneven);
    beck_context_free(ctx);
}

static void fails(beck_result *rows, beck_context *ctx, beck_status status, const char *text)
{
    assert_int_equal(beck_result_status(rows), status);
    assert_int_equal(beck_result_rows(rows), 0);
    if (!strstr(beck_error_text(ctx), text))
        fail_msg("\"%s\" is not in \"%s\"", text, beck_error_text(ctx));
    beck_result_free(rows);
    beck_context_free(ctx);
}

/* Each in a context of its own: the first error sticks. */
static void test_refused(void **state)
{
    beck_context *ctx;

    (void)state;
    ctx = test_context(.master = "local[2]");
    fails(beck_top(numbers(ctx, 0, 9, 2), 2, .by = "x"), ctx, BECK_INVALID,
          "top at actions_test.c:");
    ctx = test_context(.master = "local[2]");
    fails(beck_lookup(numbers(ctx, 0, 9, 2), 3), ctx, BECK_TYPE, "needs a key and a value");
    ctx = test_context(.master = "local[2]");
    fails(beck_histogram(numbers(ctx, 0, 9, 2), .buckets = -3), ctx, BECK_INVALID, "-3 buckets");
    ctx = test_context(.master = "local[2]");
    fails(beck_fold(numbers(ctx, 0, 9, 2), "zero", plus), ctx, BECK_TYPE, "the zero: ");
    ctx = test_context(.master = "local[2]");
    beck_statistics s = beck_stats(beck_map(numbers(ctx, 0, 9, 2), "k STRING", parity));
    assert_int_equal(s.status, BECK_TYPE);
    assert_true(isnan(s.mean));
    fails(beck_min(numbers(ctx, 0, 9, 2)), ctx, BECK_TYPE, "the first column, \"k\", is STRING");
}

static bool is_small(beck_call *c, beck_row in)
{
    (void)c;
    return beck_get_bigint(in, 0) < 3;
}

/* What can only be known when the rows are there. */
static void test_unequal_zip(void **state)
{
    (void)state;
    beck_context *ctx = test_context(.master = "local[2]");
    fails(beck_collect(beck_zip(numbers(ctx, 0, 9, 2), numbers(ctx, 0, 9, 3))), ctx, BECK_INVALID,
          "2 partitions and 3; both must have as many");
    ctx = test_context(.master = "local[2]");
    beck_rdd *r = numbers(ctx, 0, 4, 1);
    fails(beck_collect(beck_zip(r, beck_filter(r, is_small))), ctx, BECK_INVALID,
          "partition 0 has 4 rows on the left and 3 on the right");
}

/* 20,000 rows over many partitions, sorted both ways and numbered. */
static void test_sorted(void **state)
{
    (void)state;
    beck_context *ctx = test_context(.master = "local[4]");
    beck_rdd *r = beck_sort_by(numbers(ctx, 0, 20000, 7), "n DESC", .partitions = 5);
    beck_result *rows = beck_collect(beck_zip_with_index(beck_sort_by(r, "n")));

    assert_int_equal(beck_rdd_partitions(r), 5);
    assert_int_equal(beck_result_rows(rows), 20000);
    for (uint64_t i = 0; i < 20000; i++)
        assert_true(cell(rows, i, 0) == (int64_t)i && cell(rows, i, 1) == (int64_t)i);
    beck_result_free(rows);
    rows = beck_collect(r);
    for (uint64_t i = 0; i < 20000; i++)
        assert_int_equal(cell(rows, i, 0), 19999 - i);
    beck_context_free(ctx);
}

int main(void)
{
    beck__engine_worker(beck__os_real());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folds),         cmocka_unit_test(test_orders),
        cmocka_unit_test(test_keys),          cmocka_unit_test(test_of_numbers),
        cmocka_unit_test(test_nulls_and_nan), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_unequal_zip),   cmocka_unit_test(test_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
