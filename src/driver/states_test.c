/* SPDX-License-Identifier: Apache-2.0 */
/* Stateful operations batch by batch: they run once and whether or not somebody looks, a batch that
 * fails changes nothing, and the states to begin with are there. */
#include "driver/driver.h"
#include "driver/testing.h"

static void nop(beck_call *c, beck_row in)
{
    (void)c, (void)in;
}

static void sum(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    int64_t n = beck_state_bigint(state, 0, 0) + beck_get_bigint(value, 0);

    beck_state_put(state, n);
    beck_emit(c, beck_cell(key, 0), n);
}

static void total(beck_call *c, beck_row key, beck_rows *values, beck_state *state)
{
    int64_t n = beck_state_bigint(state, 0, 0);
    beck_row row;

    (void)c;
    (void)key;
    while (beck_next_row(values, &row))
        n += beck_get_bigint(row, 0);
    beck_state_put(state, n);
}

/* (k, n) rows of a batch: "a 1 b 2". */
static void push(beck_context *ctx, beck_dstream *in, const char *text)
{
    beck_value values[20];
    beck_str rest = beck_string(text), word;
    size_t count = 0;

    while (beck_next_token(&rest, " ", &word)) {
        values[count] = count % 2 ? beck_integer_value(atoi(word.data)) : beck_string_value(word);
        count++;
    }
    beck_queue_push(in, beck_parallelize(ctx, "k STRING, n BIGINT", values, count / 2));
}

static bool keep_all(beck_call *c, beck_row in)
{
    (void)c;
    (void)in;
    return true;
}

static void nobody_looks_and_it_counts(void **state)
{
    beck_context *ctx = stepped("counts");
    beck_dstream *in = beck_queue_stream(ctx, "k STRING, n BIGINT");
    beck_dstream *sums =
        beck_map_with_state(in, "n BIGINT", "k STRING, n BIGINT", sum, .partitions = 1);
    beck_dstream *every_second =
        beck_window(beck_state_snapshots(sums), .window_ms = 1000, .slide_ms = 2000);
    beck_collector *c = beck_collect_stream(every_second);

    (void)state;
    push(ctx, in, "a 1 b 2");
    push(ctx, in, "a 3");
    push(ctx, in, "c 4 a 5");
    assert_int_equal(beck_step(ctx, 4000), BECK_OK);
    assert_batches(c, "2000 (a,4)|(b,2)|;4000 (a,9)|(b,2)|(c,4)|;");
    beck_context_free(ctx);
}

/* Two outputs, one advance. */
static void two_outputs_advance_once(void **state)
{
    beck_context *ctx = stepped("once");
    beck_dstream *in = beck_queue_stream(ctx, "k STRING, n BIGINT");
    beck_dstream *sums =
        beck_map_with_state(in, "n BIGINT", "k STRING, n BIGINT", sum, .partitions = 1);
    beck_collector *a = beck_collect_stream(sums);
    beck_collector *b = beck_collect_stream(beck_filter(sums, keep_all));

    (void)state;
    push(ctx, in, "a 1");
    push(ctx, in, "a 1");
    assert_int_equal(beck_step(ctx, 2000), BECK_OK);
    assert_batches(a, "1000 (a,1)|;2000 (a,2)|;");
    assert_batches(b, "1000 (a,1)|;2000 (a,2)|;");
    beck_context_free(ctx);
}

static void fail_on_13(beck_call *c, beck_row in)
{
    if (beck_get_bigint(in, 1) == 13)
        beck_fail(c, "thirteen");
}

static void each(beck_call *c, beck_rdd *rdd)
{
    (void)c;
    beck_foreach(rdd, fail_on_13);
}

/* The state is advanced before the output fails: the batch is skipped, and so is what it changed.
 */
static void a_batch_that_fails_changes_nothing(void **state)
{
    char *argv[] = {(char *)"test", (char *)"--on-failure=skip"};
    beck_context *ctx =
        beck_context_new("failed", .batch_ms = 1000, .manual_clock = true, .argc = 2, .argv = argv);
    beck_dstream *in = beck_queue_stream(ctx, "k STRING, n BIGINT");
    beck_dstream *totals =
        beck_update_state_by_key(in, "n BIGINT", total, .partitions = 1, .touched_only = true);

    (void)state;
    beck_foreach_rdd(in, each);
    beck_collector *c = beck_collect_stream(totals);
    push(ctx, in, "a 1 b 2");
    push(ctx, in, "a 5 c 13");
    push(ctx, in, "b 3");
    assert_int_equal(beck_step(ctx, 3000), BECK_OK);
    assert_batches(c, "1000 (a,1)|(b,2)|;3000 (a,1)|(b,5)|;");
    beck_context_free(ctx);
}

/* An attempt that fails is tried again on the state as it was. */
static void a_task_is_tried_again_on_the_old_state(void **state)
{
    (void)state;
    for (uint64_t i = 1; i < 24; i++) {
        beck_context *ctx = stepped("again");
        beck_dstream *in = beck_queue_stream(ctx, "k STRING, n BIGINT");
        beck_collector *c = beck_collect_stream(
            beck_map_with_state(in, "n BIGINT", "k STRING, n BIGINT", sum, .partitions = 1));
        push(ctx, in, "a 1");
        push(ctx, in, "a 2 a 3");
        assert_int_equal(beck_step(ctx, 1000), BECK_OK);
        if (i < 12)
            ctx->engine->fault(ctx->engine, i, 0);
        else
            ctx->engine->fault(ctx->engine, 2, i);
        assert_int_equal(beck_step(ctx, 1000), BECK_OK);
        assert_batches(c, "1000 (a,1)|;2000 (a,3)|(a,6)|;");
        beck_context_free(ctx);
    }
}

static void states_to_begin_with(void **state)
{
    beck_context *ctx = stepped("initial");
    beck_dstream *in = beck_queue_stream(ctx, "k STRING, n BIGINT");
    beck_value values[] = {beck_text_value("a"), beck_integer_value(10), beck_text_value("z"),
                           beck_integer_value(20)};
    beck_rdd *initial = beck_parallelize(ctx, "k STRING, n BIGINT", values, 2);
    beck_collector *c = beck_collect_stream(
        beck_update_state_by_key(in, "n BIGINT", total, .initial = initial, .partitions = 1));

    (void)state;
    push(ctx, in, "a 1");
    assert_int_equal(beck_step(ctx, 2000), BECK_OK);
    assert_batches(c, "1000 (a,11)|(z,20)|;2000 (a,11)|(z,20)|;");
    beck_context_free(ctx);
}

static void bad_states_are_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 16; i++) {
        beck_context *ctx = stepped("bad");
        beck_dstream *in = beck_queue_stream(ctx, "k STRING, n BIGINT");
        beck_value one = beck_integer_value(1);
        beck_rdd *numbers = beck_parallelize(ctx, "n BIGINT", &one, 1);
        static const char *const texts[] = {
            "needs a key and a value",
            ".timeout_ms is -5",
            "the callback is NULL",
            ".initial has (n BIGINT), but key and state are (k STRING, n BIGINT)",
            "schema: ",
            "-3 partitions",
            "keeps no state",
            ".ttl_ms is -7; give a positive number, or 0 for none",
            "of these values the known function makes (n BIGINT), but the state has (x DOUBLE)",
            "of these values the known function makes (count BIGINT), but the state has (n STRING)",
            "sum takes BIGINT and DOUBLE, but column \"t\" is STRING",
            "makes (count BIGINT, n ARRAY<BIGINT>), but the state has (n BIGINT)",
            "the known function takes one value column, but there are 2",
            "makes (k STRING, n BIGINT), but the output has (k STRING)",
            "two operators that keep something are named \"same\"; give one another .name",
            "two operators that keep something are named \"same\""};
        beck_update_state_by_key(in, "n BIGINT", total, .name = "same");
        beck_dstream *text = beck_map(in, "k STRING, t STRING", nop);
        beck_dstream *two = beck_map(in, "k STRING, n BIGINT, m BIGINT", nop);
        beck_dstream *s =
            i == 0    ? beck_map_with_state(beck_map(in, "n BIGINT", beck_words), "n BIGINT",
                                            "n BIGINT", sum)
            : i == 1  ? beck_map_with_state(in, "n BIGINT", "n BIGINT", sum, .timeout_ms = -5)
            : i == 2  ? beck_map_with_state(in, "n BIGINT", "n BIGINT", NULL)
            : i == 3  ? beck_update_state_by_key(in, "n BIGINT", total, .initial = numbers)
            : i == 4  ? beck_update_state_by_key(in, "n FISH", total)
            : i == 5  ? beck_update_state_by_key(in, "n BIGINT", total, .partitions = -3)
            : i == 6  ? beck_state_snapshots(in)
            : i == 7  ? beck_update_state_by_key(in, "n BIGINT", total, .ttl_ms = -7)
            : i == 8  ? beck_update_state_by_key(in, "x DOUBLE", beck_running_sum)
            : i == 9  ? beck_update_state_by_key(in, "n STRING", beck_running_count)
            : i == 10 ? beck_update_state_by_key(text, "t STRING", beck_running_sum)
            : i == 11 ? beck_update_state_by_key(in, "n BIGINT", beck_running_distinct)
            : i == 12 ? beck_update_state_by_key(two, "n ARRAY<BIGINT>", beck_running_top)
            : i == 13 ? beck_map_with_state(in, "n BIGINT", "k STRING", beck_track_sum)
            : i == 14 ? beck_update_state_by_key(two, "n BIGINT", total, .name = "same")
                      : beck_reduce_by_key_and_window(in, beck_sum, .window_ms = 1000,
                                                      .slide_ms = 1000, .name = "same");
        beck_collect_stream(s);
        if (!beck_error(ctx) || !strstr(beck_error_text(ctx), texts[i]))
            fail_msg("%d: \"%s\"", i, beck_error_text(ctx));
        beck_context_free(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_looks_and_it_counts),
        cmocka_unit_test(two_outputs_advance_once),
        cmocka_unit_test(a_batch_that_fails_changes_nothing),
        cmocka_unit_test(a_task_is_tried_again_on_the_old_state),
        cmocka_unit_test(states_to_begin_with),
        cmocka_unit_test(bad_states_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
