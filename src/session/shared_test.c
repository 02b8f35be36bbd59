/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shared_test - broadcast values and accumulators end to end: on threads, in worker processes, with
 * attempts that fail.
 */
#define _GNU_SOURCE
#include "session/testing.h"

struct range {
    int64_t from, to;
};

/* Counts the rows outside of the broadcast range, and sums up their thirds. */
static bool in_range(beck_call *c, beck_row in)
{
    size_t size;
    const struct range *range = beck_broadcast_get(c, "range", &size);
    int64_t n = beck_get_bigint(in, 0);

    if (!range || size != sizeof *range)
        return false;
    bool inside = n >= range->from && n < range->to;
    if (!inside) {
        beck_accumulate(c, "outside", 1);
        beck_accumulate(c, "thirds", (double)n / 3);
    }
    return inside;
}

/* The same, and the first attempt of partition 1 fails at its end. */
static void fails_once(beck_call *c, beck_rows *rows)
{
    beck_row row;

    while (beck_next_row(rows, &row))
        if (in_range(c, row))
            beck_emit_row(c, row);
    if (beck_attempt(c) == 0 && beck_partition(c) == 1)
        beck_fail(c, "at first");
}

static void fails_in_2(beck_call *c, beck_row in)
{
    (void)in;
    beck_accumulate(c, "outside", 1);
    if (beck_partition(c) == 2)
        beck_fail(c, "always");
}

static beck_context *context(const char *master, bool isolate, const char *encode)
{
    static char conf[40];
    static char *argv[] = {(char *)"test", (char *)"--conf", conf, (char *)"--isolate", NULL};

    snprintf(conf, sizeof conf, "engine.encode=%s", encode);
    return test_context(.master = master, .argc = isolate ? 4 : 3, .argv = argv);
}

static void define(beck_context *ctx, int64_t from, int64_t to)
{
    struct range range = {from, to};

    assert_int_equal(beck_broadcast(ctx, "range", &range, sizeof range), BECK_OK);
    assert_int_equal(beck_accumulator(ctx, "outside"), BECK_OK);
    assert_int_equal(beck_accumulator(ctx, "thirds", .type = "DOUBLE"), BECK_OK);
}

/* Returns the sum of the thirds, the same bits each time. */
static double check(const char *master, bool isolate, const char *encode)
{
    beck_context *ctx = context(master, isolate, encode);

    define(ctx, 10, 90);
    beck_rdd *rows = numbers(ctx, 0, 100, 7);
    beck_rdd *inside = beck_filter(rows, in_range);
    assert_int_equal(beck_count(inside), 80);
    assert_int_equal(beck_accumulated(ctx, "outside"), 20);
    beck_rdd *again = beck_map_partitions(rows, "n BIGINT", fails_once);
    assert_int_equal(beck_count(again), 80);
    assert_int_equal(beck_accumulated(ctx, "outside"), 40); /* the failed attempt adds nothing */
    define(ctx, 0, 100);
    assert_int_equal(beck_count(inside), 100); /* the new value; nothing more outside */
    assert_int_equal(beck_accumulated(ctx, "outside"), 40);
    assert_true(beck_accumulated_double(ctx, "outside") == 40);
    double thirds = beck_accumulated_double(ctx, "thirds");
    assert_int_equal(beck_accumulated(ctx, "thirds"), (int64_t)thirds);
    assert_int_equal(beck_error(ctx), BECK_OK);
    beck_context_free(ctx);
    return thirds;
}

static void test_everywhere(void **state)
{
    (void)state;
    double expected = check("local[1]", false, "none");

    assert_true(expected > 659 && expected < 661);
    assert_true(check("local[3]", false, "none") == expected);
    assert_true(check("local[2]", false, "all") == expected);
    assert_true(check("local[1]", true, "none") == expected);
    assert_true(check("local[3]", true, "all") == expected);
}

/* A shuffle runs once, what stands behind it again with each job. A stage that fails adds nothing.
 */
static void test_what_counts(void **state)
{
    (void)state;
    beck_context *ctx = context("local[2]", false, "none");

    define(ctx, 10, 90);
    beck_rdd *spread = beck_repartition(beck_filter(numbers(ctx, 0, 100, 4), in_range), 2);
    assert_int_equal(beck_count(spread), 80);
    assert_int_equal(beck_count(spread), 80);
    assert_int_equal(beck_accumulated(ctx, "outside"), 20);
    define(ctx, 50, 1000); /* behind the shuffle: 40 of 80, twice */
    beck_rdd *behind = beck_filter(spread, in_range);
    assert_int_equal(beck_count(behind), 40);
    assert_int_equal(beck_count(behind), 40);
    assert_int_equal(beck_accumulated(ctx, "outside"), 20 + 2 * 40);
    assert_int_equal(beck_foreach(numbers(ctx, 0, 12, 4), fails_in_2), BECK_TASK);
    assert_int_equal(beck_accumulated(ctx, "outside"), 100);
    beck_context_free(ctx);
}

static void refused(beck_context *ctx, beck_status status, const char *text)
{
    assert_int_equal(beck_error(ctx), status);
    assert_non_null(strstr(beck_error_text(ctx), " at shared_test.c:"));
    if (!strstr(beck_error_text(ctx), text))
        fail_msg("%s", beck_error_text(ctx));
    beck_context_free(ctx);
}

static void test_bad_input(void **state)
{
    (void)state;
    beck_context *ctx = test_context(.master = "local[1]");
    assert_int_equal(beck_broadcast(ctx, "b", NULL, 5), BECK_INVALID);
    refused(ctx, BECK_INVALID, "broadcast at shared_test.c:");
    ctx = test_context(.master = "local[1]");
    beck_broadcast(ctx, "", "x", 1);
    refused(ctx, BECK_INVALID, "the name is empty");
    ctx = test_context(.master = "local[1]");
    beck_accumulator(ctx, "n", .type = "FLOAT");
    refused(ctx, BECK_INVALID, ".type is \"FLOAT\"; give \"BIGINT\" or \"DOUBLE\"");
    ctx = test_context(.master = "local[1]");
    beck_accumulator(ctx, "n");
    beck_accumulator(ctx, "n", .type = "DOUBLE");
    refused(ctx, BECK_TYPE, "\"n\" is a BIGINT counter already");
    ctx = test_context(.master = "local[1]");
    assert_int_equal(beck_count(beck_filter(numbers(ctx, 0, 3, 1), in_range)), -1);
    refused(ctx, BECK_TASK, "there is no broadcast value \"range\"; make it with beck_broadcast");
    ctx = test_context(.master = "local[1]");
    assert_int_equal(beck_accumulated(ctx, "none"), 0);
    assert_true(beck_accumulated_double(ctx, NULL) == 0);
    beck_context_free(ctx);
    assert_int_equal(beck_broadcast((beck_context *)NULL, "b", "x", 1), BECK_NO_MEMORY);
    assert_int_equal(beck_accumulated(NULL, "none"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everywhere),
        cmocka_unit_test(test_what_counts),
        cmocka_unit_test(test_bad_input),
    };
    beck__engine_worker(beck__os_real()); /* the tests start themselves as worker processes */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
