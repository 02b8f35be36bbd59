/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result_test - actions and what they give back, also of empty RDDs and after errors.
 */
#define _GNU_SOURCE
#include "session/testing.h"

static int64_t cell(const beck_result *rows, uint64_t i, uint32_t k)
{
    return beck_get_bigint(beck_result_row(rows, i), k);
}

static void test_collect_many(void **state)
{
    (void)state;
    beck_context *ctx = test_context(.master = "local[2]");
    beck_result *rows = beck_collect(numbers(ctx, 0, 10000, 7));

    assert_int_equal(beck_result_status(rows), BECK_OK);
    assert_int_equal(beck_result_rows(rows), 10000);
    for (uint64_t i = 0; i < 10000; i++)
        assert_int_equal(cell(rows, i, 0), i);
    assert_true(beck_is_none(beck_result_row(rows, 10000)));
    beck_result_free(rows);
    beck_result_free(NULL);
    beck_context_free(ctx);
}

static void test_take_and_first(void **state)
{
    (void)state;
    beck_context *ctx = test_context(.master = "local[2]");
    beck_rdd *r = numbers(ctx, 5, 100, 9);

    for (uint64_t n = 0; n < 120; n += 7) {
        beck_result *rows = beck_take(r, n);
        assert_int_equal(beck_result_rows(rows), n < 100 ? n : 100);
        for (uint64_t i = 0; i < beck_result_rows(rows); i++)
            assert_int_equal(cell(rows, i, 0), 5 + i);
        beck_result_free(rows);
    }
    assert_int_equal(cell(beck_first(r), 0, 0), 5);
    beck_result *none = beck_first(numbers(ctx, 0, 0, 3));
    assert_int_equal(beck_result_status(none), BECK_NOT_FOUND);
    assert_int_equal(beck_error(ctx), BECK_OK); /* an empty RDD is no mistake of the graph */
    beck_context_free(ctx);
}

static void longer(beck_call *c, beck_row a, beck_row b)
{
    beck_emit_row(c, beck_get_bigint(a, 0) > beck_get_bigint(b, 0) ? a : b);
}

static void test_reduce_and_counts(void **state)
{
    beck_value values[] = {beck_text_value("a"), beck_text_value("b"), beck_text_value("a")};
    (void)state;
    beck_context *ctx = test_context(.master = "local[2]");
    beck_rdd *r = numbers(ctx, 1, 100, 6);

    assert_int_equal(cell(beck_reduce(r, beck_sum), 0, 0), 5050);
    assert_int_equal(cell(beck_reduce(r, longer), 0, 0), 100);
    beck_result *none = beck_reduce(numbers(ctx, 0, 0, 2), beck_sum);
    assert_int_equal(beck_result_status(none), BECK_NOT_FOUND);
    assert_non_null(strstr(beck_result_error_text(none), "reduce at result_test.c:"));
    assert_non_null(strstr(beck_result_error_text(none), "has no rows"));
    assert_int_equal(beck_error(ctx), BECK_OK);
    assert_int_equal(beck_count(r), 100);
    assert_int_equal(beck_count(numbers(ctx, 0, 0, 2)), 0);
    beck_rdd *words = beck_parallelize(ctx, "w STRING", values, 3, .partitions = 2);
    beck_result *counts = beck_count_by_value(words, .partitions = 1);
    assert_int_equal(beck_result_rows(counts), 2);
    assert_int_equal(cell(counts, 0, 1) + 10 * cell(counts, 1, 1), 12); /* a: 2, b: 1 */
    beck_context_free(ctx);
}

static _Atomic int64_t seen;

static void see(beck_call *c, beck_row row)
{
    (void)c;
    atomic_fetch_add(&seen, beck_get_bigint(row, 0));
}

static void see_all(beck_call *c, beck_rows *rows)
{
    beck_row row;

    (void)c;
    atomic_fetch_add(&seen, 1000 * (int64_t)beck_rows_count(rows));
    while (beck_next_row(rows, &row))
        atomic_fetch_add(&seen, 1);
    beck_rewind_rows(rows);
    while (beck_next_row(rows, &row))
        atomic_fetch_add(&seen, 1);
}

static void test_foreach(void **state)
{
    (void)state;
    beck_context *ctx = test_context(.master = "local[2]");

    atomic_store(&seen, 0);
    assert_int_equal(beck_foreach(numbers(ctx, 1, 10, 3), see), BECK_OK);
    assert_int_equal(atomic_load(&seen), 55);
    atomic_store(&seen, 0);
    assert_int_equal(beck_foreach_partition(numbers(ctx, 1, 10, 3), see_all), BECK_OK);
    assert_int_equal(atomic_load(&seen), 10020);
    beck_context_free(ctx);
}

static void refuse(beck_call *c, beck_row row)
{
    if (beck_get_bigint(row, 0) == 7)
        beck_fail(c, "seven is not wanted");
    beck_emit(c, beck_get_bigint(row, 0));
}

static void wrong_type(beck_call *c, beck_row row)
{
    beck_emit(c, beck_get_string(row, 0));
}

static void assert_says(const beck_context *ctx, const char *part)
{
    if (!strstr(beck_error_text(ctx), part))
        fail_msg("\"%s\" is not in \"%s\"", part, beck_error_text(ctx));
}

static void test_failing_callbacks(void **state)
{
    (void)state;
    beck_context *ctx = test_context(.master = "local[2]");

    assert_int_equal(beck_count(beck_map(numbers(ctx, 0, 20, 2), "n BIGINT", refuse)), -1);
    assert_int_equal(beck_error(ctx), BECK_TASK);
    assert_says(ctx, "map at result_test.c:");
    assert_says(ctx, "seven is not wanted (record 8)");
    assert_says(ctx, "partition 0");
    assert_says(ctx, "attempt 4 of 4");
    beck_context_free(ctx);

    ctx = test_context(.master = "local[2]");
    assert_int_equal(beck_count(beck_map(numbers(ctx, 0, 20, 2), "w STRING", wrong_type)), -1);
    assert_says(ctx, "reads column 0 as STRING, but it is BIGINT");
    beck_context_free(ctx);
}

static void test_row_text(void **state)
{
    beck_value values[] = {beck_text_value("a,b"), beck_double_value(2), beck_null};
    char text[64];
    (void)state;
    beck_context *ctx = test_context(.master = "local[1]");
    beck_result *rows =
        beck_collect(beck_parallelize(ctx, "w STRING, x DOUBLE, n BIGINT", values, 1));

    assert_int_equal(beck_row_text(beck_result_row(rows, 0), text, sizeof text), 14);
    assert_string_equal(text, "(a,b,2.0,null)");
    assert_int_equal(beck_row_text(beck_result_row(rows, 0), text, 5), 14);
    assert_string_equal(text, "(a,b");
    assert_int_equal(beck_row_text(beck_result_row(rows, 0), NULL, 0), 14);
    beck_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_collect_many),      cmocka_unit_test(test_take_and_first),
        cmocka_unit_test(test_reduce_and_counts), cmocka_unit_test(test_foreach),
        cmocka_unit_test(test_failing_callbacks), cmocka_unit_test(test_row_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
