/* SPDX-License-Identifier: Apache-2.0 */
/* Batches that stay: computed once for all that need them, remembered, asked for again. */
#include "driver/driver.h"
#include "driver/testing.h"

#include <stdlib.h>

static void counted(beck_call *c, beck_row in)
{
    beck_accumulate(c, "calls", 1);
    beck_emit(c, 2 * beck_get_bigint(in, 0));
}

static void as_it_is(beck_call *c, beck_row in)
{
    beck_emit_row(c, in);
}

static void paired(beck_call *c, beck_row in)
{
    beck_accumulate(c, "pairs", 1);
    beck_emit(c, beck_get_bigint(in, 0), 2 * beck_get_bigint(in, 0));
}

#define PAIRS(x) beck_map(x, "k BIGINT, v BIGINT", paired)

static void push_numbers(beck_context *ctx, beck_dstream *in, int batches)
{
    for (int i = 0; i < batches; i++)
        beck_queue_push(in, numbers(ctx, 10 * i, 10 * i + 4, 2));
}

#define ROWS "1000 0|2|4|6|;2000 20|22|24|26|;3000 40|42|44|46|;"

static void silent(void *user, beck_log_level level, const char *text)
{
    (void)user;
    (void)level;
    (void)text;
}

static beck_context *mode(const char *option)
{
    const char *argv[] = {"test", "--master=local[2]", option, NULL};

    return beck_context_new("storage", .batch_ms = 1000, .manual_clock = true, .argc = 3,
                            .argv = (char **)(uintptr_t)argv, .log = silent);
}

static const char *const modes[] = {"--conf=engine.encode=none", "--conf=engine.encode=all",
                                    "--isolate", "--conf=engine.storage_bytes=1"};

/* Persisted before or after what is made of it, at every level. */
static void a_persisted_batch_is_computed_once(void **state)
{
    (void)state;
    for (size_t m = 0; m < BECK__COUNT_OF(modes); m++)
        for (int level = 0; level <= BECK_MEMORY_AND_DISK_SER_2; level++) {
            beck_context *ctx = mode(modes[m]);
            beck_accumulator(ctx, "calls");
            beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
            beck_dstream *s = beck_map(in, "n BIGINT", counted);
            beck_dstream *early = beck_map(s, "n BIGINT", as_it_is);
            assert_ptr_equal(beck_persist(s, (beck_storage_level)level), s);
            beck_collector *all[] = {beck_collect_stream(early), beck_collect_stream(s),
                                     beck_collect_stream(beck_map(s, "n BIGINT", as_it_is)),
                                     beck_collect_stream(beck_map(early, "n BIGINT", as_it_is))};
            push_numbers(ctx, in, 3);
            if (beck_step(ctx, 3000))
                print_error("%s\n", beck_error_text(ctx));
            for (size_t i = 0; i < BECK__COUNT_OF(all); i++)
                assert_batches(all[i], ROWS);
            bool drops =
                m == 3 && level && !strstr(beck__level_name((beck_storage_level)level), "DISK");
            assert_int_equal(beck_accumulated(ctx, "calls"), drops || (m == 3 && !level) ? 48 : 12);
            beck_context_free(ctx);
        }
}

/* A chain of streams that stay, and a window over one: none is computed twice. */
static void each_of_a_chain_is_computed_once(void **state)
{
    beck_context *ctx = mode(modes[0]);

    (void)state;
    beck_accumulator(ctx, "calls");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_dstream *a = beck_map(in, "n BIGINT", counted), *b = beck_map(a, "n BIGINT", counted);
    beck_collector *window =
        beck_collect_stream(beck_window(b, .window_ms = 2000, .slide_ms = 1000));
    beck_collector *first = beck_collect_stream(beck_cache(a));
    beck_persist(b, BECK_DISK_ONLY);
    push_numbers(ctx, in, 3);
    assert_int_equal(beck_step(ctx, 3000), BECK_OK);
    assert_batches(first, ROWS);
    assert_batches(window, "1000 0|4|8|12|;2000 0|4|8|12|40|44|48|52|;"
                           "3000 40|44|48|52|80|84|88|92|;");
    assert_int_equal(beck_accumulated(ctx, "calls"), 24);
    beck_context_free(ctx);
}

/* A table that a stream is joined with. */
static void a_persisted_table_is_computed_once(void **state)
{
    (void)state;
    for (size_t m = 0; m < BECK__COUNT_OF(modes); m++) {
        beck_context *ctx = mode(modes[m]);
        beck_accumulator(ctx, "pairs");
        beck_accumulator(ctx, "calls");
        beck_rdd *table = beck_map(numbers(ctx, 0, 30, 3), "n BIGINT", counted);
        beck_persist(table, BECK_MEMORY_AND_DISK);
        beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
        beck_collector *joined =
            beck_collect_stream(beck_join(PAIRS(in), PAIRS(table), .partitions = 1));
        push_numbers(ctx, in, 3);
        if (beck_step(ctx, 3000))
            print_error("%s\n", beck_error_text(ctx));
        assert_batches(joined, "1000 (0,0,0)|(2,4,4)|;2000 (10,20,20)|(12,24,24)|;"
                               "3000 (20,40,40)|(22,44,44)|;");
        assert_int_equal(beck_accumulated(ctx, "calls"), 30);
        beck_context_free(ctx);
    }
}

/* Window slices go to disk, each batch's rows are dropped at random: the rows are the same. */
static void windows_over_the_limit(void **state)
{
    (void)state;
    for (size_t m = 0; m < BECK__COUNT_OF(modes); m++) {
        beck_context *ctx = mode(modes[m]);
        beck_accumulator(ctx, "pairs");
        beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
        beck_dstream *s = beck_cache(beck_map(in, "n BIGINT", as_it_is));
        beck_collector *sums = beck_collect_stream(
            beck_window(beck_reduce(s, beck_sum), .window_ms = 3000, .slide_ms = 1000));
        beck_collector *groups = beck_collect_stream(beck_group_by_key_and_window(
            PAIRS(s), .window_ms = 2000, .slide_ms = 2000, .partitions = 1));
        push_numbers(ctx, in, 4);
        assert_int_equal(beck_step(ctx, 1000), BECK_OK);
        ctx->engine->lose(ctx->engine, 2, 77 + m);
        if (beck_step(ctx, 3000))
            print_error("%s\n", beck_error_text(ctx));
        assert_batches(sums, "1000 6|;2000 6|46|;3000 6|46|86|;4000 46|86|126|;");
        assert_int_equal(beck_collector_batches(groups), 2);
        assert_int_equal(beck_result_rows(beck_collector_result(groups, 1)), 8);
        beck_context_free(ctx);
    }
}

/* ---- slice ----------------------------------------------------------------------------------- */

struct asked {
    beck_dstream *s;
    int64_t back_ms; /* from this much before the batch */
    int64_t later_ms;
    struct text text;
    beck_status status;
};

static void ask(beck_call *c, beck_rdd *rdd)
{
    struct asked *a = (struct asked *)(uintptr_t)beck_ctx(c);
    int64_t now = beck_batch_time(c);
    beck_slices slices = beck_slice(a->s, .from_ms = now - a->back_ms, .to_ms = now + a->later_ms);

    (void)rdd;
    a->status = slices.status;
    beck__text_printf(&a->text, "%lld:", (long long)now);
    for (size_t i = 0; i < slices.count; i++) {
        beck_result *rows = beck_collect(slices.rdds[i]);
        beck__text_printf(&a->text, " %lld %s", (long long)slices.times_ms[i], rows_text(rows));
        beck_result_free(rows);
    }
    beck__text_add(&a->text, ";");
}

static struct asked asked_of(beck_dstream *s, int64_t back_ms, int64_t later_ms)
{
    return (struct asked){.s = s,
                          .back_ms = back_ms,
                          .later_ms = later_ms,
                          .text = {.memory = &beck__os_real()->memory}};
}

static void batches_are_remembered(void **state)
{
    (void)state;
    for (size_t m = 0; m < BECK__COUNT_OF(modes); m++) {
        beck_context *ctx = mode(modes[m]);
        beck_accumulator(ctx, "calls");
        beck_remember(ctx, 500);
        beck_remember(ctx, 2000);
        beck_remember(ctx, 1000);
        beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
        beck_dstream *s = beck_map(in, "n BIGINT", counted);
        struct asked a = asked_of(s, 2500, 700), whole = asked_of(s, 0, 60000);
        beck_foreach_rdd(in, ask, .ctx = &a);
        beck_foreach_rdd(in, ask, .ctx = &whole);
        for (int i = 0; i < 4; i++)
            beck_queue_push(in, numbers(ctx, i, i + 1, 1));
        a.back_ms = 2000;
        if (beck_step(ctx, 4000))
            print_error("%s\n", beck_error_text(ctx));
        assert_string_equal(beck__text_get(&a.text), "1000: 1000 0|;2000: 1000 0| 2000 2|;3000: "
                                                     "1000 0| 2000 2| 3000 4|;4000: 2000 2| 3000 "
                                                     "4| 4000 6|;");
        assert_string_equal(beck__text_get(&whole.text),
                            "1000: 1000 0|;2000: 2000 2|;3000: 3000 4|;4000: 4000 6|;");
        assert_int_equal(beck_accumulated(ctx, "calls"), 4);
        beck_context_free(ctx);
        beck__text_deinit(&a.text);
        beck__text_deinit(&whole.text);
    }
}

/* A batch without an RDD is left out; both ends are rounded down to the slide. */
static void a_slice_has_the_slide_of_its_stream(void **state)
{
    beck_context *ctx = stepped("slide");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT", .none_when_empty = true);
    beck_dstream *two = beck_window(in, .window_ms = 2000, .slide_ms = 2000);
    struct asked a = asked_of(two, 3999, 0), b = asked_of(in, 2500, 0);

    (void)state;
    beck_remember(ctx, 5000);
    beck_foreach_rdd(two, ask, .ctx = &a);
    beck_foreach_rdd(two, ask, .ctx = &b);
    for (int i = 0; i < 6; i++)
        beck_queue_push(in, i == 4 ? NULL : numbers(ctx, i, i + 1, 1));
    if (beck_step(ctx, 6000))
        print_error("%s\n", beck_error_text(ctx));
    assert_string_equal(beck__text_get(&a.text), "2000: 2000 0|1|;4000: 2000 0|1| 4000 2|3|;6000: "
                                                 "2000 0|1| 4000 2|3| 6000 5|;");
    assert_string_equal(beck__text_get(&b.text), "2000: 1000 0| 2000 1|;4000: 1000 0| 2000 1| 3000 "
                                                 "2| 4000 3|;6000: 3000 2| 4000 3| 6000 5|;");
    beck_context_free(ctx);
    beck__text_deinit(&a.text);
    beck__text_deinit(&b.text);
}

/* What windows keep can be asked for; what they do not is an error. */
static void a_slice_that_is_gone(void **state)
{
    static const struct {
        int64_t window_ms, slide_ms, back_ms;
        beck_status status;
    } cases[] = {{3000, 1000, 2000, BECK_OK},
                 {3000, 1000, 3000, BECK_NOT_FOUND},
                 {1000, 2000, 1000, BECK_NOT_FOUND}, /* a gap between windows */
                 {0, 0, 1000, BECK_NOT_FOUND},
                 {0, 0, 0, BECK_OK}};

    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++) {
        beck_context *ctx = stepped("gone");
        beck_dstream *in = beck_queue_stream(ctx, "n BIGINT"), *s = beck_cache(in);
        struct asked a = asked_of(s, cases[i].back_ms, 0);
        if (cases[i].window_ms)
            beck_collect_stream(
                beck_window(s, .window_ms = cases[i].window_ms, .slide_ms = cases[i].slide_ms));
        beck_foreach_rdd(in, ask, .ctx = &a);
        push_numbers(ctx, in, 4);
        beck_step(ctx, 4000);
        assert_int_equal(a.status, cases[i].status);
        assert_int_equal(beck_error(ctx), cases[i].status);
        if (cases[i].status) {
            assert_contains(beck_error_text(ctx), "slice at storage_test.c:");
            assert_contains(beck_error_text(ctx), "is not kept until that of");
            assert_contains(beck_error_text(ctx), "call beck_remember(ctx, ms) before the start");
        }
        beck_context_free(ctx);
        beck__text_deinit(&a.text);
    }
}

static beck_rdd *ask_for_itself(beck_call *c, beck_rdd *in)
{
    struct asked *a = (struct asked *)(uintptr_t)beck_ctx(c);

    beck_slice(a->s, .from_ms = beck_batch_time(c), .to_ms = beck_batch_time(c));
    return in;
}

static void bad_slices(void **state)
{
    struct asked a = asked_of(NULL, 0, -1);
    beck_context *ctx = stepped("before");

    (void)state;
    a.s = beck_queue_stream(ctx, "n BIGINT");
    beck_slices slices = beck_slice(a.s, .from_ms = 0, .to_ms = 1000);
    assert_int_equal(slices.status, BECK_STATE);
    assert_int_equal(slices.count, 0);
    assert_contains(beck_error_text(ctx), "the stream has not been initialized");
    slices = beck_slice(beck_map(a.s, "bad", as_it_is), .from_ms = 0, .to_ms = 1000);
    assert_int_equal(slices.status, BECK_INVALID);
    beck_context_free(ctx);

    ctx = stepped("reversed");
    a.s = beck_queue_stream(ctx, "n BIGINT");
    beck_foreach_rdd(a.s, ask, .ctx = &a);
    beck_step(ctx, 1000);
    assert_contains(beck_error_text(ctx), ".from_ms is 1000, after .to_ms, 999");
    beck_context_free(ctx);

    ctx = stepped("outside");
    a.s = beck_queue_stream(ctx, "n BIGINT");
    beck_collect_stream(a.s);
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    slices = beck_slice(a.s, .from_ms = 0, .to_ms = 1000);
    assert_int_equal(slices.status, BECK_STATE);
    assert_int_equal(beck_step(ctx, 1000), BECK_OK); /* nothing sticks */
    beck_context_free(ctx);

    ctx = stepped("itself");
    a.s = beck_transform(beck_queue_stream(ctx, "n BIGINT"), "n BIGINT", ask_for_itself, .ctx = &a);
    beck_collect_stream(a.s);
    beck_step(ctx, 1000);
    assert_contains(beck_error_text(ctx), "the callback asks for the RDD that it is to make");
    beck_context_free(ctx);
    beck__text_deinit(&a.text);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void bad_levels_and_intervals(void **state)
{
    (void)state;
    for (int i = 0; i < 9; i++) {
        static const char *const texts[] = {
            "persist at storage_test.c:",
            "there is no storage level 99",
            "the interval is 1500 ms; give a positive multiple of the stream's slide of 1000 ms",
            "the interval is 0 ms",
            "the interval is -1000 ms",
            "remember at storage_test.c:",
            "-5 ms; give a number from 1 to",
            "the storage level of a stream cannot be changed after beck_start",
            "what is remembered cannot be changed after beck_start",
        };
        beck_context *ctx = stepped("bad");
        beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
        beck_collect_stream(in);
        if (i >= 7)
            assert_int_equal(beck_step(ctx, 1000), BECK_OK);
        if (i < 2 || i == 7)
            beck_persist(in, i == 7 ? BECK_DISK_ONLY : (beck_storage_level)99);
        else if (i < 5)
            beck_checkpoint(in, i == 2 ? 1500 : i == 3 ? 0 : -1000);
        else
            beck_remember(ctx, i == 8 ? 1000 : -5);
        assert_contains(beck_error_text(ctx), texts[i]);
        beck_context_free(ctx);
    }
}

static void describe_shows_them(void **state)
{
    beck_context *ctx = stepped("describe");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_dstream *s = beck_map(in, "n BIGINT", as_it_is);

    (void)state;
    beck_collect_stream(beck_checkpoint(beck_persist(s, BECK_DISK_ONLY), 5000));
    beck_collect_stream(
        beck_checkpoint(beck_count_by_window(in, .window_ms = 2000, .slide_ms = 2000), 4000));
    assert_contains(beck_describe(ctx), "  callback  DISK_ONLY  checkpoint every 5000 ms  (n ");
    assert_contains(beck_describe(ctx), "  MEMORY_ONLY_SER  checkpoint every 4000 ms  (");
    beck_persist(s, BECK_MEMORY_ONLY); /* before the start it may change */
    assert_int_equal(beck_error(ctx), BECK_OK);
    beck_context_free(ctx);
}

static void nothing_is_left_behind(void **state)
{
    char *argv[] = {(char *)"test", (char *)"--conf=engine.storage_bytes=1"};
    beck_context *ctx =
        beck_context_new("long", .batch_ms = 1000, .manual_clock = true, .argc = 2, .argv = argv);
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    uint64_t slices = 0;

    (void)state;
    beck_remember(ctx, 3000);
    beck_collect_stream(beck_window(beck_cache(in), .window_ms = 2000, .slide_ms = 1000));
    push_numbers(ctx, in, 50);
    assert_int_equal(beck_step(ctx, 50000), BECK_OK);
    const struct driver *driver = ctx->stream.driver;
    for (const struct kept *k = driver->streams.graph->first_kept; k; k = k->next)
        for (const struct slice *s = k->oldest; s; s = s->newer)
            slices++;
    assert_int_equal(slices, 2 * 3);
    beck_context_free(ctx);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void memory_ends(void **state)
{
    struct os *os = beck__os_real();
    uint64_t used = 1;

    (void)state;
    for (uint64_t n = 1; n <= used; n++) {
        char *argv[] = {(char *)"test", (char *)"--conf=engine.storage_bytes=1"};
        beck_context *ctx = beck_context_new("memory", .batch_ms = 1000, .manual_clock = true,
                                             .argc = 2, .argv = argv, .log = silent);
        beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
        beck_dstream *s = beck_persist(beck_map(in, "n BIGINT", as_it_is), BECK_DISK_ONLY);
        struct asked a = asked_of(s, 1000, 0);
        beck_remember(ctx, 1000);
        beck_collect_stream(beck_window(s, .window_ms = 2000, .slide_ms = 1000));
        beck_foreach_rdd(s, ask, .ctx = &a);
        push_numbers(ctx, in, 3);
        assert_int_equal(beck_step(ctx, 1000), BECK_OK);
        uint64_t before = beck__os_memory_calls(os);
        beck__os_memory_fail(os, n, false);
        beck_step(ctx, 1000);
        used = beck__os_memory_calls(os) - before;
        beck__os_memory_fail(os, 0, false);
        if (beck_error(ctx))
            assert_int_equal(beck_error(ctx), BECK_NO_MEMORY);
        beck_context_free(ctx);
        beck__text_deinit(&a.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_persisted_batch_is_computed_once),
        test(each_of_a_chain_is_computed_once),
        test(a_persisted_table_is_computed_once),
        test(windows_over_the_limit),
        test(batches_are_remembered),
        test(a_slice_has_the_slide_of_its_stream),
        test(a_slice_that_is_gone),
        test(bad_slices),
        test(bad_levels_and_intervals),
        test(describe_shows_them),
        test(nothing_is_left_behind),
        test(memory_ends),
    };

    beck__engine_worker(beck__os_real());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
