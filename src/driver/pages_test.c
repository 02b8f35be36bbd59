/* SPDX-License-Identifier: Apache-2.0 */
/* --describe and --help print their page and run nothing. */
#include "driver/driver.h"
#include "driver/testing.h"

static void split(beck_call *c, beck_row line)
{
    beck_emit(c, beck_get_string(line, 0), 1);
}

static beck_context *told(const char *option)
{
    char *argv[] = {"words", (char *)(uintptr_t)option, "--master", "local[3]", NULL};

    return beck_context_new("words", .batch_ms = 500, .argc = 4, .argv = argv);
}

#line 1000 "wc.c"
static int run_stream(beck_context *ctx)
{
    beck_dstream *lines = beck_socket_text_stream(ctx, "localhost", 9999);
    beck_dstream *pairs = beck_flat_map(lines, "word STRING, n BIGINT", split);
    beck_dstream *counts = beck_reduce_by_key(pairs, beck_sum, .partitions = 4);
    beck_print(counts, .name = "counts");
    beck_save_as_text_files(beck_flat_map(lines, "word STRING", beck_words), "/nowhere/words");
    return beck_run(ctx);
}
#line 29 "pages_test.c"

static void describe_shows_the_graph_of_a_stream(void **state)
{
    (void)state;
    print_keep();
    int code = run_stream(told("--describe"));
    assert_printed(
        "words: batches of 500 ms, local[3]\n"
        "\n"
        "output 0: print \"counts\" at wc.c:1005  (at least once)\n"
        "  reduce_by_key at wc.c:1004  kernel  (word STRING, n BIGINT)\n"
        "     reduce_by_key at wc.c:1004  shuffle to 4 partitions by key hash  (word STRING, n "
        "BIGINT)\n"
        "        flat_map at wc.c:1003  callback  (word STRING, n BIGINT)\n"
        "           socket_text_stream \"socket_text_stream-1\" at wc.c:1002  (value STRING)\n"
        "\n"
        "output 1: save_as_text_files at wc.c:1006  (two-phase)\n"
        "  flat_map at wc.c:1006  kernel  (word STRING)\n"
        "     socket_text_stream \"socket_text_stream-1\" at wc.c:1002  (value STRING)\n");
    assert_int_equal(code, 0);
}

static void describe_shows_the_actions_of_a_batch_program(void **state)
{
    const beck_value values[] = {beck_value_of("a"), beck_value_of(1)};
    beck_context *ctx = told("--describe");

    (void)state;
    beck_rdd *pairs = beck_parallelize(ctx, "word STRING, n BIGINT", values, 1);
    beck_rdd *counts = beck_reduce_by_key(pairs, beck_sum);
    print_keep();
    beck_result *result = beck_collect(counts);
    assert_int_equal(beck_result_status(result), BECK_CANCELLED);
    assert_int_equal(beck_result_rows(result), 0);
    beck_result_free(result);
    assert_int_equal(beck_save_as_text_file(counts, "/nowhere/out"), BECK_CANCELLED);
    assert_int_equal(beck_print(counts), BECK_CANCELLED);
    assert_int_equal(beck_count(pairs), -1);
    assert_int_equal(beck_rdd_partitions(counts), 8); /* that it may know */
    assert_int_equal(beck_error(ctx), BECK_OK);
    int code = beck_run(ctx);
    assert_non_null(printed.data);
    assert_contains(printed.data, "words: local[3]\n\naction: collect\n  reduce_by_key at ");
    assert_contains(printed.data, "\naction: save_as_text_file\n  reduce_by_key at ");
    assert_contains(printed.data, "\naction: print\n");
    assert_contains(printed.data, "\naction: count\n  parallelize at ");
    beck__text_clear(&printed);
    assert_printed("");
    assert_int_equal(code, 0);
}

static void and_starts_nothing_for_it(void **state)
{
    beck_context *ctx = told("--describe");

    (void)state;
    beck_rdd *words = beck_flat_map(beck_text_file(ctx, "/nowhere"), "word STRING", beck_words);
    assert_int_equal(beck_print(words), BECK_CANCELLED);
    assert_null(ctx->engine);
    assert_contains(beck_describe(ctx), "  flat_map at pages_test.c:");
    assert_contains(beck_describe(ctx), "     text_file at pages_test.c:"); /* not looked at */
    beck_context_free(ctx);
}

static void help_shows_the_options(void **state)
{
    (void)state;
    print_keep();
    int code = run_stream(told("--help"));
    const char *page = beck__text_get(&printed);
    assert_contains(page, "words");
    assert_contains(page, "--batch");
    assert_contains(page, "--master");
    assert_contains(page, "--on-failure");
    assert_null(strstr(page, "output 0"));
    beck__text_clear(&printed);
    assert_printed("");
    assert_int_equal(code, 0);
}

static void an_error_comes_before_describe_but_not_before_help(void **state)
{
    struct said said;

    (void)state;
    for (int help = 0; help < 2; help++) {
        char *argv[] = {"words", help ? "--help" : "--describe", NULL};
        said_init(&said);
        beck_context *ctx =
            beck_context_new("words", .argc = 2, .argv = argv, .log = say, .log_user = &said);
        beck_print(beck_socket_text_stream(ctx, "localhost", 0));
        print_keep();
        assert_int_equal(beck_run(ctx), help ? 0 : 1);
        assert_true((printed.size > 0) == help);
        beck__text_clear(&printed);
        assert_printed("");
        assert_true((said.text.size == 0) == help);
        said_deinit(&said);
    }
}

static void a_program_may_ask_for_the_text(void **state)
{
    beck_context *ctx = stepped("asks");

    (void)state;
    assert_contains(beck_describe(ctx), "asks: local[");
    beck_collect_stream(beck_queue_stream(ctx, "n BIGINT"));
    assert_contains(beck_describe(ctx), "asks: batches of 1000 ms, local[");
    assert_contains(beck_describe(ctx), "output 0: collect_stream  (at least once)\n  queue_stream "
                                        "\"queue_stream-1\" at pages_test.c:");
    beck_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(describe_shows_the_graph_of_a_stream),
        test(describe_shows_the_actions_of_a_batch_program),
        test(and_starts_nothing_for_it),
        test(help_shows_the_options),
        test(an_error_comes_before_describe_but_not_before_help),
        test(a_program_may_ask_for_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
