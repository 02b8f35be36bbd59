/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's layout: dashes and time, the first rows, "..." if there are more, an empty line. */
#include "connectors/connectors.h"
#include "connectors/testing.h"
#include <beck/testing.h>

#define DASHES "-------------------------------------------\n"

static beck_rdd *numbers(beck_context *ctx, int from, int to, int partitions)
{
    beck_value values[100];

    for (int i = from; i < to; i++)
        values[i - from] = beck_value_of(i);
    return beck_parallelize(ctx, "n BIGINT", values, (size_t)(to - from), .partitions = partitions);
}

static beck_context *stepped(void)
{
    return beck_context_new("test", .batch_ms = 1000, .manual_clock = true);
}

static void a_batch_is_printed_as_spark_does(void **state)
{
    beck_context *ctx = stepped();
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");

    (void)state;
    beck_print(in, .rows = 3);
    beck_queue_push(in, numbers(ctx, 0, 3, 2));
    beck_queue_push(in, numbers(ctx, 0, 4, 4));
    beck_queue_push(in, numbers(ctx, 0, 50, 1));
    print_keep();
    assert_int_equal(beck_step(ctx, 4000), BECK_OK);
    assert_printed(DASHES "Time: 1000 ms\n" DASHES "0\n1\n2\n\n"      /* just enough */
                   DASHES "Time: 2000 ms\n" DASHES "0\n1\n2\n...\n\n" /* over partitions */
                   DASHES "Time: 3000 ms\n" DASHES "0\n1\n2\n...\n\n" /* within one */
                   DASHES "Time: 4000 ms\n" DASHES "\n");             /* empty */
    beck_context_free(ctx);
}

static void ten_rows_are_the_default(void **state)
{
    beck_context *ctx = stepped();
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");

    (void)state;
    beck_print(in);
    beck_queue_push(in, numbers(ctx, 0, 10, 3));
    beck_queue_push(in, numbers(ctx, 0, 11, 3));
    print_keep();
    assert_int_equal(beck_step(ctx, 2000), BECK_OK);
    assert_printed(DASHES "Time: 1000 ms\n" DASHES "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n\n" DASHES
                          "Time: 2000 ms\n" DASHES "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n...\n\n");
    beck_context_free(ctx);
}

static void a_batch_without_an_rdd_prints_nothing(void **state)
{
    beck_context *ctx = stepped();
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT", .none_when_empty = true);

    (void)state;
    beck_print(in);
    beck_queue_push(in, NULL);
    beck_queue_push(in, numbers(ctx, 7, 8, 1));
    print_keep();
    assert_int_equal(beck_step(ctx, 4000), BECK_OK);
    assert_printed(DASHES "Time: 2000 ms\n" DASHES "7\n\n");
    beck_context_free(ctx);
}

static void a_name_stands_after_the_time(void **state)
{
    beck_context *ctx = stepped();
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");

    (void)state;
    beck_print(in, .name = "numbers");
    beck_queue_push(in, numbers(ctx, 7, 8, 1));
    print_keep();
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_printed(DASHES "Time: 1000 ms  numbers\n" DASHES "7\n\n");
    beck_context_free(ctx);
}

static void an_rdd_is_printed_without_a_time(void **state)
{
    beck_context *ctx = beck_context_new("test", .master = "local[2]");
    const beck_value values[] = {beck_value_of("the"), beck_value_of(3), beck_null,
                                 beck_value_of(-1)};
    beck_rdd *pairs = beck_parallelize(ctx, "word STRING, n BIGINT", values, 2, .partitions = 2);

    (void)state;
    print_keep();
    assert_int_equal(beck_print(pairs), BECK_OK);
    assert_int_equal(beck_print(numbers(ctx, 0, 0, 2)), BECK_OK);
    assert_int_equal(beck_print(numbers(ctx, 0, 5, 2), .rows = 1), BECK_OK);
    assert_printed("(the,3)\n(null,-1)\n0\n...\n");
    beck_context_free(ctx);
}

/* Bytes go out as they are. */
static void nothing_is_quoted(void **state)
{
    beck_context *ctx = beck_context_new("test", .master = "local[1]");
    const beck_value values[] = {beck_value_of("a\nb\"c\xff"),
                                 beck_string_value(beck_bytes_of("x\0y", 3))};

    (void)state;
    print_keep();
    assert_int_equal(beck_print(beck_parallelize(ctx, "s STRING", values, 2)), BECK_OK);
    assert_int_equal(printed.size, 11);
    assert_memory_equal(printed.data, "a\nb\"c\xff\nx\0y\n", 11);
    assert_printed("a\nb\"c\xff\nx");
    beck_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_batch_is_printed_as_spark_does),
        test(ten_rows_are_the_default),
        test(a_batch_without_an_rdd_prints_nothing),
        test(a_name_stands_after_the_time),
        test(an_rdd_is_printed_without_a_time),
        test(nothing_is_quoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
