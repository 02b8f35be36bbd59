/* SPDX-License-Identifier: Apache-2.0 */
/* What batches leave behind for windows: the right rows at the right times, each computed once, and
 * given back when the last window that may hold them is done. */
#include "driver/driver.h"
#include "driver/testing.h"

static void push_numbers(beck_context *ctx, beck_dstream *in, int batches)
{
    for (int i = 0; i < batches; i++)
        beck_queue_push(in, numbers(ctx, i, i + 1, 1));
}

/* slide < window, slide = window, slide > window. */
static void windows_hold_their_slices(void **state)
{
    beck_context *ctx = stepped("windows");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_collector *a = beck_collect_stream(beck_window(in, .window_ms = 2000, .slide_ms = 1000));
    beck_collector *b = beck_collect_stream(beck_window(in, .window_ms = 2000, .slide_ms = 2000));
    beck_collector *c = beck_collect_stream(beck_window(in, .window_ms = 1000, .slide_ms = 3000));

    (void)state;
    push_numbers(ctx, in, 6);
    assert_int_equal(beck_step(ctx, 6000), BECK_OK);
    assert_batches(a, "1000 0|;2000 0|1|;3000 1|2|;4000 2|3|;5000 3|4|;6000 4|5|;");
    assert_batches(b, "2000 0|1|;4000 2|3|;6000 4|5|;");
    assert_batches(c, "3000 2|;6000 5|;");
    beck_context_free(ctx);
}

/* A window of windows, and its sum. */
static void windows_stand_on_windows(void **state)
{
    beck_context *ctx = stepped("nested");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_dstream *pairs = beck_window(in, .window_ms = 2000, .slide_ms = 2000);
    beck_dstream *sums =
        beck_reduce_by_window(pairs, beck_sum, .window_ms = 4000, .slide_ms = 2000);
    beck_collector *collected = beck_collect_stream(sums);

    (void)state;
    push_numbers(ctx, in, 6);
    assert_int_equal(beck_step(ctx, 8000), BECK_OK);
    assert_batches(collected, "2000 1|;4000 6|;6000 14|;8000 9|;");
    beck_context_free(ctx);
}

static void count_calls(beck_call *c, beck_row in)
{
    _Atomic int *calls = *(_Atomic int *const *)beck_ctx(c);

    atomic_fetch_add(calls, 1);
    beck_emit(c, beck_get_bigint(in, 0));
}

static void a_slice_is_computed_once(void **state)
{
    _Atomic int calls = 0, *at = &calls;
    beck_context *ctx = stepped("once");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_dstream *mapped = beck_map(in, "n BIGINT", count_calls, .ctx = &at, .ctx_size = sizeof at);
    beck_collector *a =
        beck_collect_stream(beck_window(mapped, .window_ms = 3000, .slide_ms = 1000));
    beck_collector *b =
        beck_collect_stream(beck_window(mapped, .window_ms = 5000, .slide_ms = 1000));

    (void)state;
    push_numbers(ctx, in, 6);
    assert_int_equal(beck_step(ctx, 6000), BECK_OK);
    assert_int_equal(beck_result_rows(beck_collector_result(a, 5)), 3);
    assert_int_equal(beck_result_rows(beck_collector_result(b, 5)), 5);
    assert_int_equal(atomic_load(&calls), 6);
    beck_context_free(ctx);
}

/* What no window will hold is not computed at all: slide 3, window 1. */
static void a_gap_is_not_computed(void **state)
{
    _Atomic int calls = 0, *at = &calls;
    beck_context *ctx = stepped("gap");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_dstream *mapped = beck_map(in, "n BIGINT", count_calls, .ctx = &at, .ctx_size = sizeof at);

    (void)state;
    beck_collect_stream(beck_window(mapped, .window_ms = 1000, .slide_ms = 3000));
    push_numbers(ctx, in, 9);
    assert_int_equal(beck_step(ctx, 9000), BECK_OK);
    assert_int_equal(atomic_load(&calls), 3);
    beck_context_free(ctx);
}

static uint64_t kept_slices(const struct driver *driver)
{
    uint64_t count = 0;

    for (const struct kept *k = driver->streams.graph->first_kept; k; k = k->next)
        for (const struct slice *s = k->oldest; s; s = s->newer)
            count++;
    return count;
}

static void slices_are_given_back(void **state)
{
    beck_context *ctx = stepped("given back");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");

    (void)state;
    beck_collect_stream(beck_window(in, .window_ms = 3000, .slide_ms = 1000));
    push_numbers(ctx, in, 100);
    assert_int_equal(beck_step(ctx, 100000), BECK_OK);
    assert_int_equal(kept_slices(ctx->stream.driver), 2); /* the third comes with the next batch */
    beck_context_free(ctx);
}

static void fail_on_two(beck_call *c, beck_row in)
{
    if (beck_get_bigint(in, 0) == 2)
        beck_fail(c, "two");
    else
        beck_emit(c, beck_get_bigint(in, 0));
}

/* on_failure skip: the batch that failed left nothing, its neighbours stay. */
static void a_failed_batch_is_missing_in_windows(void **state)
{
    char *argv[] = {(char *)"test", (char *)"--on-failure=skip"};
    beck_context *ctx =
        beck_context_new("failed", .batch_ms = 1000, .manual_clock = true, .argc = 2, .argv = argv);
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_dstream *mapped = beck_map(in, "n BIGINT", fail_on_two);
    beck_collector *collected =
        beck_collect_stream(beck_window(mapped, .window_ms = 2000, .slide_ms = 1000));

    (void)state;
    push_numbers(ctx, in, 5);
    assert_int_equal(beck_step(ctx, 5000), BECK_OK);
    assert_batches(collected, "1000 0|;2000 0|1|;4000 3|;5000 3|4|;");
    beck_context_free(ctx);
}

static void bad_windows_are_refused(void **state)
{
    static const struct {
        int64_t window_ms, slide_ms;
        const char *text;
    } cases[] = {
        {0, 1000, ".window_ms is missing"},
        {2000, 0, ".slide_ms is missing"},
        {1500, 1000, ".window_ms is 1500; give a positive multiple of the stream's slide of 1000"},
        {2000, 1001, ".slide_ms is 1001"},
        {-1000, 1000, ".window_ms is -1000"},
        {1000, -1000, ".slide_ms is -1000"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        beck_context *ctx = stepped("bad");
        beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
        beck_collect_stream(beck_count_by_window(in, .window_ms = cases[i].window_ms,
                                                 .slide_ms = cases[i].slide_ms));
        assert_int_equal(beck_error(ctx), BECK_INVALID);
        assert_non_null(strstr(beck_error_text(ctx), "count_by_window at slices_test.c:"));
        if (!strstr(beck_error_text(ctx), cases[i].text))
            fail_msg("\"%s\" is not in \"%s\"", cases[i].text, beck_error_text(ctx));
        beck_context_free(ctx);
    }
}

static void minus(beck_call *c, beck_row a, beck_row b)
{
    beck_emit(c, beck_get_bigint(a, 0) - beck_get_bigint(b, 0));
}

static bool not_two(beck_call *c, beck_row in)
{
    (void)c;
    return beck_get_bigint(in, 0) != 2;
}

/* An inverse is taken and not needed; a filter hides, and the window goes on to know. */
static void inverses_and_filters(void **state)
{
    beck_context *ctx = stepped("inverse");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_collector *a = beck_collect_stream(
        beck_reduce_by_window(in, beck_sum, .window_ms = 2000, .slide_ms = 1000, .inverse = minus));
    beck_collector *b = beck_collect_stream(beck_reduce_by_window(
        in, beck_max, .window_ms = 2000, .slide_ms = 1000, .filter = not_two));

    (void)state;
    push_numbers(ctx, in, 4);
    assert_int_equal(beck_step(ctx, 6000), BECK_OK);
    assert_batches(a, "1000 0|;2000 1|;3000 3|;4000 5|;5000 3|;6000 ;");
    assert_batches(b, "1000 0|;2000 1|;3000 ;4000 3|;5000 3|;6000 ;");
    beck_context_free(ctx);
}

static void streams_of_other_slides_do_not_meet(void **state)
{
    beck_context *ctx = stepped("slides");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_dstream *slow = beck_window(in, .window_ms = 2000, .slide_ms = 2000);

    (void)state;
    beck_collect_stream(beck_union(in, slow));
    assert_int_equal(beck_error(ctx), BECK_INVALID);
    assert_non_null(strstr(beck_error_text(ctx), "different slides, 1000 ms and 2000 ms"));
    beck_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_hold_their_slices),
        cmocka_unit_test(windows_stand_on_windows),
        cmocka_unit_test(a_slice_is_computed_once),
        cmocka_unit_test(a_gap_is_not_computed),
        cmocka_unit_test(slices_are_given_back),
        cmocka_unit_test(a_failed_batch_is_missing_in_windows),
        cmocka_unit_test(bad_windows_are_refused),
        cmocka_unit_test(inverses_and_filters),
        cmocka_unit_test(streams_of_other_slides_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
