/* SPDX-License-Identifier: Apache-2.0 */
/* testing.h: steps, collectors, simulated worlds. */
#include "driver/driver.h"
#include "driver/testing.h"

/* ---- steps ----------------------------------------------------------------------------------- */

static void a_step_runs_what_is_due(void **state)
{
    beck_context *ctx = stepped("step");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_collector *c = beck_collect_stream(in);

    (void)state;
    for (int i = 0; i < 5; i++)
        beck_queue_push(in, numbers(ctx, i, i + 1, 1));
    assert_int_equal(beck_step(ctx, 0), BECK_OK); /* starts it */
    assert_int_equal(beck_context_state(ctx), BECK_ACTIVE);
    assert_int_equal(beck_step(ctx, 999), BECK_OK);
    assert_batches(c, "");
    assert_int_equal(beck_step(ctx, 1), BECK_OK);
    assert_batches(c, "1000 0|;");
    assert_int_equal(beck_step(ctx, 2500), BECK_OK);
    assert_batches(c, "1000 0|;2000 1|;3000 2|;");
    assert_int_equal(beck_step(ctx, 500), BECK_OK);
    assert_int_equal(beck_collector_batches(c), 4);
    assert_int_equal(beck_step(ctx, -1), BECK_INVALID);
    beck_context_free(ctx);
}

static void a_manual_clock_begins_where_it_is_told(void **state)
{
    (void)state;
    beck_context *ctx = beck_context_new("step", .batch_ms = 500, .manual_clock = true,
                                         .manual_start_ms = 1700000000123);
    beck_collector *c = beck_collect_stream(beck_queue_stream(ctx, "n BIGINT"));
    assert_int_equal(beck_step(ctx, 400), BECK_OK);
    assert_batches(c, "1700000000500 ;");
    beck_context_free(ctx);
}

static void steps_need_a_manual_clock(void **state)
{
    struct said said;

    (void)state;
    said_init(&said);
    beck_context *ctx = beck_context_new("step", .log = say, .log_user = &said);
    beck_print(beck_queue_stream(ctx, "n BIGINT"));
    assert_int_equal(beck_step(ctx, 1000), BECK_STATE);
    assert_contains(beck_error_text(ctx), "beck_step: the context has no .manual_clock");
    beck_context_free(ctx);
    ctx = stepped("none");
    assert_int_equal(beck_step(ctx, 1000), BECK_INVALID); /* no outputs */
    assert_int_equal(beck_step(ctx, 1000), BECK_INVALID);
    beck_context_free(ctx);
    said_deinit(&said);
}

static void stop_at_2000(void *user, const beck_event *e)
{
    if (e->batch_ms == 2000)
        beck_stop(user);
}

static void a_step_ends_with_a_stop(void **state)
{
    beck_context *ctx = stepped("step");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_collector *c = beck_collect_stream(in);

    (void)state;
    beck_add_listener(ctx, stop_at_2000, ctx);
    assert_int_equal(beck_step(ctx, 10000), BECK_OK);
    assert_int_equal(beck_context_state(ctx), BECK_STOPPED);
    assert_batches(c, "1000 ;"); /* the second was asked for when it was submitted */
    assert_int_equal(beck_step(ctx, 1000), BECK_STATE);
    beck_context_free(ctx);
}

static void everything_runs_on_this_thread(beck_call *c, beck_row in)
{
    const uint64_t *self = beck_ctx(c);
    struct os *os = beck__os_current();

    assert_int_equal(os->thread_self(os), *self);
    beck_emit(c, beck_get_bigint(in, 0));
}

static void a_step_uses_no_threads(void **state)
{
    uint64_t self = beck__os_real()->thread_self(beck__os_real());
    beck_context *ctx = stepped("step");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_collector *c = beck_collect_stream(beck_map(in, "n BIGINT", everything_runs_on_this_thread,
                                                     .ctx = &self, .ctx_size = sizeof self));

    (void)state;
    beck_queue_push(in, numbers(ctx, 0, 8, 8));
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_batches(c, "1000 0|1|2|3|4|5|6|7|;");
    beck_context_free(ctx);
}

/* ---- collectors ------------------------------------------------------------------------------ */

static void a_collector_keeps_its_batches(void **state)
{
    beck_context *ctx = stepped("collect");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_collector *c = beck_collect_stream(in), *d = beck_collect_stream(beck_count(in));

    (void)state;
    for (int i = 0; i < 50; i++)
        beck_queue_push(in, numbers(ctx, 0, i, 2));
    assert_int_equal(beck_step(ctx, 50000), BECK_OK);
    assert_int_equal(beck_collector_batches(c), 50);
    for (size_t i = 0; i < 50; i++) {
        const beck_result *rows = beck_collector_result(c, i);
        assert_int_equal(beck_collector_time(c, i), 1000 * (int64_t)(i + 1));
        assert_int_equal(beck_result_status(rows), BECK_OK);
        assert_int_equal(beck_result_rows(rows), i);
        assert_true(beck_is_none(beck_result_row(rows, i)));
        const beck_result *count = beck_collector_result(d, i);
        assert_int_equal(beck_get_bigint(beck_result_row(count, 0), 0), i);
    }
    assert_int_equal(beck_collector_time(c, 50), -1);
    assert_null(beck_collector_result(c, 50));
    beck_context_free(ctx);
}

static void a_poisoned_stream_has_an_empty_collector(void **state)
{
    beck_context *ctx = stepped("poisoned");
    beck_collector *c = beck_collect_stream(beck_queue_stream(ctx, "?"));

    (void)state;
    assert_int_equal(beck_collector_batches(c), 0);
    assert_null(beck_collector_result(c, 0));
    assert_int_equal(beck_step(ctx, 1000), BECK_INVALID);
    beck_context_free(ctx);
}

/* ---- worlds ---------------------------------------------------------------------------------- */

struct seen {
    beck_context *ctx;
    uint64_t records;
};

static void stop_after_six(void *user, const beck_event *e)
{
    struct seen *seen = user;

    if (e->kind == BECK_EVENT_BATCH_COMPLETED)
        seen->records += e->records;
    if (seen->records >= 6)
        beck_stop(seen->ctx, .graceful = true);
}

static void count_lines(void *user)
{
    struct seen *seen = user;
    const char *text = "one two\ntwo\nlast";

    assert_int_equal(beck_simulated_server(9999, text, strlen(text)), BECK_OK);
    assert_int_equal(beck_simulated_server(9999, text, strlen(text)), BECK_IO); /* port in use */
    seen->ctx = beck_context_new("world", .batch_ms = 1000);
    beck_dstream *lines =
        beck_socket_text_stream(seen->ctx, "localhost", 9999, .reconnect_ms = 100);
    beck_collect_stream(lines);
    beck_add_listener(seen->ctx, stop_after_six, seen);
    assert_int_equal(beck_run(seen->ctx), 0);
}

static void a_world_replays(void **state)
{
    uint64_t first = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct seen a = {0}, b = {0};
        uint64_t trace = beck_simulate(seed, count_lines, &a);
        assert_int_not_equal(trace, 0);
        assert_true(a.records >= 6);
        assert_true(beck_simulate(seed, count_lines, &b) == trace);
        assert_int_equal(a.records, b.records);
        assert_true(seed == 1 || trace != first);
        first = seed == 1 ? trace : first;
    }
}

/* As a user writes it: a directory, files that appear, batches. */
static void watch_files(void *user)
{
    struct seen *seen = user;

    assert_int_equal(beck_simulated_file("", "x", 1), BECK_INVALID);
    assert_int_equal(beck_simulated_file("/in/a/old", "old\n", 4), BECK_OK);
    seen->ctx = beck_context_new("files", .batch_ms = 1000, .manual_clock = true);
    beck_collector *c = beck_collect_stream(
        beck_text_file_stream(seen->ctx, "/in", .recursive = true, .settle_ms = -1));
    assert_int_equal(beck_step(seen->ctx, 0), BECK_OK);
    assert_int_equal(beck_simulated_file("/in/a/new", "one\ntwo\n", 8), BECK_OK);
    assert_int_equal(beck_simulated_file("/in/b/c/new", "three\n", 6), BECK_OK);
    assert_int_equal(beck_step(seen->ctx, 1000), BECK_OK);
    seen->records = beck_result_rows(beck_collector_result(c, 0));
    beck_context_free(seen->ctx);
}

static void a_world_has_files(void **state)
{
    struct seen seen = {0};

    (void)state;
    assert_int_not_equal(beck_simulate(1, watch_files, &seen), 0);
    assert_int_equal(seen.records, 3);
    assert_int_equal(beck_simulated_file("/x", "x", 1), BECK_STATE); /* outside */
}

static void wait_for_ever(void *user)
{
    struct os *os = beck__os_current();
    struct os_lock *lock = os->lock_new(os);
    struct os_gate *gate = os->gate_new(os);

    (void)user;
    os->lock(os, lock);
    os->gate_wait(os, gate, lock, -1);
}

static void a_world_that_stands_still_gives_0(void **state)
{
    (void)state;
    assert_int_equal(beck_simulate(1, wait_for_ever, NULL), 0);
    assert_int_equal(beck_simulated_server(9999, "x", 1), BECK_STATE); /* outside */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_step_runs_what_is_due),
        test(a_manual_clock_begins_where_it_is_told),
        test(steps_need_a_manual_clock),
        test(a_step_ends_with_a_stop),
        test(a_step_uses_no_threads),
        test(a_collector_keeps_its_batches),
        test(a_poisoned_stream_has_an_empty_collector),
        test(a_world_replays),
        test(a_world_has_files),
        test(a_world_that_stands_still_gives_0),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
