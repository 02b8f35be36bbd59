/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdd_test - creation and transformations of RDDs, end to end, on threads and in worker processes.
 */
#define _GNU_SOURCE
#include "session/testing.h"

static void test_slices(void **state)
{
    (void)state;
    beck_context *ctx = test_context(.master = "local[2]");

    for (size_t n = 0; n < 12; n++)
        for (int p = 1; p < 6; p++) {
            beck_result *parts = beck_collect(beck_glom(numbers(ctx, 0, n, p)));
            assert_int_equal(beck_result_rows(parts), p);
            for (int i = 0; i < p; i++) {
                beck_list slice = beck_get_array(beck_result_row(parts, (uint64_t)i), 0);
                size_t from = (size_t)i * n / (size_t)p, to = ((size_t)i + 1) * n / (size_t)p;
                assert_int_equal(slice.count, to - from);
                for (uint32_t k = 0; k < slice.count; k++)
                    assert_int_equal(beck_get_bigint(beck_list_row(slice, k), 0), from + k);
            }
            beck_result_free(parts);
        }
    beck_context_free(ctx);
}

static void test_values_must_fit(void **state)
{
    beck_value values[] = {beck_integer_value(1), beck_text_value("x")};
    (void)state;
    beck_context *ctx = test_context(.master = "local[1]");

    beck_rdd *bad = beck_parallelize(ctx, "n BIGINT", values, 2);
    assert_int_equal(beck_error(ctx), BECK_TYPE);
    assert_non_null(strstr(beck_error_text(ctx), "parallelize at rdd_test.c:"));
    assert_int_equal(beck_count(bad), -1);
    beck_result *none = beck_collect(beck_repartition(bad, 3));
    assert_int_equal(beck_result_status(none), BECK_TYPE); /* the first error, whatever follows */
    assert_int_equal(beck_result_rows(none), 0);
    beck_context_free(ctx);
}

/* Every way of cutting a small file gives its lines, in order. */
static void test_text_file_cuts(void **state)
{
    static const char text[] = "one\ntwo\r\n\nfo\0ur\n\xff\xfe\nlast";
    static const char *const lines[] = {"one", "two", "", "fo\0ur", "\xff\xfe", "last"};
    static const size_t sizes[] = {3, 3, 0, 5, 2, 4};
    char folder[256], path[300];
    (void)state;

    temporary(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/text", folder);
    write_text(folder, "text", text, sizeof text - 1);
    beck_context *ctx = test_context(.master = "local[2]");
    for (int64_t split = 1; split < 30; split++) {
        beck_result *rows = beck_collect(beck_text_file(ctx, path, .split_bytes = split));
        assert_int_equal(beck_result_rows(rows), 6);
        for (uint64_t i = 0; i < 6; i++) {
            beck_str line = beck_get_string(beck_result_row(rows, i), 0);
            assert_int_equal(line.size, sizes[i]);
            assert_memory_equal(line.data, lines[i], sizes[i]);
        }
        beck_result_free(rows);
    }
    beck_context_free(ctx);
    remove_all(folder);
}

static void test_text_file_places(void **state)
{
    char folder[256], path[300];
    (void)state;

    temporary(folder, sizeof folder);
    write_text(folder, "b", "three\n", 6);
    write_text(folder, "a", "one\ntwo\n", 8);
    write_text(folder, ".hidden", "no\n", 3);
    write_text(folder, "_SUCCESS", "", 0);
    beck_context *ctx = test_context(.master = "local[2]");
    beck_result *rows = beck_collect(beck_text_file(ctx, folder));
    assert_int_equal(beck_result_rows(rows), 3);
    assert_true(
        beck_string_equal(beck_get_string(beck_result_row(rows, 2), 0), beck_string("three")));
    snprintf(path, sizeof path, "%s/absent", folder);
    assert_int_equal(beck_count(beck_text_file(ctx, path)), -1);
    assert_int_equal(beck_error(ctx), BECK_NOT_FOUND);
    assert_non_null(strstr(beck_error_text(ctx), path));
    beck_context_free(ctx);

    ctx = test_context(.master = "local[1]"); /* lines that are too long are cut off */
    snprintf(path, sizeof path, "%s/a", folder);
    rows = beck_collect(beck_text_file(ctx, path, .line_bytes_max = 2));
    assert_int_equal(beck_result_rows(rows), 2);
    assert_int_equal(beck_get_string(beck_result_row(rows, 0), 0).size, 2);
    beck_context_free(ctx);
    remove_all(folder);
}

static int64_t global = 1;

static void add_global(beck_call *c, beck_row row)
{
    const int64_t *k = beck_ctx(c);

    beck_emit(c, beck_get_bigint(row, 0) % 3, beck_get_bigint(row, 0) + global + *k);
}

/* The sum of (n + global + 10) over n < 1000, by n % 3, for key 0. */
static int64_t sum_of_key_0(const char *master, bool isolate)
{
    char *argv[] = {(char *)"test", (char *)"--isolate", NULL};
    int64_t k = 10, sum = -1;
    beck_context *ctx = test_context(.master = master, .argc = isolate ? 2 : 1, .argv = argv);
    beck_rdd *pairs = beck_map(numbers(ctx, 0, 1000, 4), "k BIGINT, n BIGINT", add_global,
                               .ctx = &k, .ctx_size = sizeof k);
    beck_result *sums = beck_collect(beck_reduce_by_key(pairs, beck_sum, .partitions = 3));

    assert_int_equal(beck_result_rows(sums), 3);
    for (uint64_t i = 0; i < 3; i++)
        if (beck_get_bigint(beck_result_row(sums, i), 0) == 0)
            sum = beck_get_bigint(beck_result_row(sums, i), 1);
    beck_context_free(ctx);
    return sum;
}

/* What the driver changes at run time is not seen by worker processes. */
static void test_isolated(void **state)
{
    int64_t base = 0;
    (void)state;

    for (int64_t n = 0; n < 1000; n += 3)
        base += n;
    global = 1;
    assert_int_equal(sum_of_key_0("local[2]", false), base + 334 * 11);
    assert_int_equal(sum_of_key_0("local[2]", true), base + 334 * 11);
    global = 5;
    assert_int_equal(sum_of_key_0("local[2]", false), base + 334 * 15);
    assert_int_equal(sum_of_key_0("local[2]", true), base + 334 * 11);
    global = 1;
}

static void test_union_and_schema(void **state)
{
    (void)state;
    beck_context *ctx = test_context(.master = "local[2]");
    beck_rdd *both = beck_union(numbers(ctx, 0, 5, 2), numbers(ctx, 10, 5, 3));

    assert_int_equal(beck_rdd_partitions(both), 5);
    beck_result *rows = beck_collect(both);
    assert_int_equal(beck_get_bigint(beck_result_row(rows, 5), 0), 10);
    assert_string_equal(beck_schema_text(beck_key_by(both, "n")), "n BIGINT");
    beck_context_free(ctx);
}

static void refused(beck_context *ctx, beck_rdd *r, const char *text)
{
    assert_non_null(r);
    assert_int_equal(beck_count(r), -1);
    if (!strstr(beck_error_text(ctx), text))
        fail_msg("%s", beck_error_text(ctx));
    beck_context_free(ctx);
}

static void test_union_of_many(void **state)
{
    (void)state;
    beck_context *ctx = test_context(.master = "local[2]"), *other = test_context(.batch_ms = 1000);
    beck_rdd *list[] = {numbers(ctx, 0, 2, 1), numbers(ctx, 2, 3, 2), numbers(ctx, 5, 1, 1), NULL};

    assert_int_equal(beck_rdd_partitions(beck_union_all(list, 3)), 4);
    beck_result *rows = beck_collect(beck_union_all(list, 3));
    for (uint64_t i = 0; i < 6; i++)
        assert_int_equal(beck_get_bigint(beck_result_row(rows, i), 0), i);
    beck_result_free(rows);
    assert_int_equal(beck_count(beck_union_all((beck_rdd *const *)list, 1)), 2);
    assert_int_equal(beck_keep(list[0]) == list[0], true);
    assert_int_equal(beck_count(beck_union_all(list, 0)), -1); /* of no context */
    refused(ctx, beck_union_all(list, 4), "RDD 3 of the list is NULL");
    ctx = test_context(.master = "local[2]");
    list[0] = numbers(ctx, 0, 2, 1);
    list[1] = numbers(other, 0, 2, 1);
    refused(ctx, beck_union_all(list, 2), "the RDDs belong to different contexts");
    ctx = test_context(.master = "local[2]");
    list[0] = numbers(ctx, 0, 2, 1);
    refused(ctx, beck_union_all(list, SIZE_MAX), "RDDs; give 1 to 65536");
    beck_context_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slices),         cmocka_unit_test(test_values_must_fit),
        cmocka_unit_test(test_text_file_cuts), cmocka_unit_test(test_text_file_places),
        cmocka_unit_test(test_isolated),       cmocka_unit_test(test_union_and_schema),
        cmocka_unit_test(test_union_of_many),
    };
    beck__engine_worker(beck__os_real()); /* the tests start themselves as worker processes */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
