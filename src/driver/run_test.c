/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a context: start, await, stop, in every order and from every place. */
#include "driver/driver.h"
#include "driver/testing.h"

struct life {
    struct text events;
    struct said said;
    beck_context *ctx;
    beck_dstream *in;
};

/* A context with a queue that is printed, in the world of this thread. */
static void begin_as(struct life *l, int64_t batch_ms)
{
    struct os *os = beck__os_current();

    said_init(&l->said);
    l->events = (struct text){.memory = &os->memory};
    l->ctx = beck_context_new("life", .batch_ms = batch_ms, .master = "local[1]", .log = say,
                              .log_user = &l->said);
    l->in = beck_queue_stream(l->ctx, "n BIGINT");
    beck_add_listener(l->ctx, keep_events, &l->events);
}

static void begin(struct life *l)
{
    begin_as(l, 1000);
}

static void end(struct life *l)
{
    beck_context_free(l->ctx);
    said_deinit(&l->said);
    beck__text_deinit(&l->events);
}

static void do_nothing(beck_call *c, beck_rdd *rdd)
{
    (void)c, (void)rdd;
}

static void pause_ms(int64_t ms)
{
    struct os *os = beck__os_current();

    os->sleep_ns(os, ms * 1000000);
}

static void in_a_world(void (*body)(void *user))
{
    for (uint64_t seed = 1; seed <= 5; seed++)
        simulate(&(struct os_simulation){.seed = seed, .start_ms = 10500}, body, NULL, NULL);
}

/* ---- start ----------------------------------------------------------------------------------- */

static void start_twice(void *user)
{
    struct life l;

    (void)user;
    begin(&l);
    beck_foreach_rdd(l.in, do_nothing, .name = "nothing");
    assert_int_equal(beck_context_state(l.ctx), BECK_INITIALIZED);
    assert_int_equal(beck_start(l.ctx), BECK_OK);
    assert_int_equal(beck_context_state(l.ctx), BECK_ACTIVE);
    assert_string_equal(beck__text_get(&l.said.text), "");
    assert_int_equal(beck_start(l.ctx), BECK_OK);
    assert_string_equal(beck__text_get(&l.said.text),
                        "warning: beck_start: the context is active already\n");
    pause_ms(1600);
    assert_int_equal(beck_stop(l.ctx), BECK_OK);
    assert_int_equal(beck_context_state(l.ctx), BECK_STOPPED);
    assert_int_equal(beck_error(l.ctx), BECK_OK);
    assert_int_equal(beck_start(l.ctx), BECK_STATE);
    assert_contains(beck_error_text(l.ctx), "the context has stopped");
    assert_contains(beck__text_get(&l.events), "streaming started\nsubmitted 11000\nstarted 11000\n"
                                               "output started 11000 nothing at run_test.c:");
    assert_null(strstr(beck__text_get(&l.events) + 1, "streaming started"));
    end(&l);
}

static void starting_twice_warns_and_again_is_an_error(void **state)
{
    (void)state;
    in_a_world(start_twice);
}

static void without_outputs_there_is_nothing_to_start(void **state)
{
    struct life l;

    (void)state;
    begin(&l);
    assert_int_equal(beck_start(l.ctx), BECK_INVALID);
    assert_contains(beck_error_text(l.ctx), "no output operation");
    assert_int_equal(beck_context_state(l.ctx), BECK_STOPPED);
    assert_int_equal(beck_await_termination(l.ctx), BECK_INVALID);
    assert_contains(beck__text_get(&l.events), "streaming stopped: no output operation");
    end(&l);
    begin(&l);
    assert_int_equal(beck_run(l.ctx), 1);
    assert_contains(beck__text_get(&l.said.text), "error: no output operation");
    l.ctx = NULL;
    end(&l);
}

static void an_error_of_the_graph_comes_back_from_start(void **state)
{
    struct life l;

    (void)state;
    begin(&l);
    beck_print(beck_flat_map(l.in, "n BIGNUM", beck_words));
    assert_int_equal(beck_start(l.ctx), BECK_INVALID);
    assert_contains(beck_error_text(l.ctx), "map at run_test.c:");
    assert_contains(beck_error_text(l.ctx), "BIGNUM");
    end(&l);
}

static void freeze(void *user)
{
    struct life l;

    (void)user;
    begin(&l);
    beck_collector *c = beck_collect_stream(l.in);
    assert_int_equal(beck_start(l.ctx), BECK_OK);
    beck_dstream *more = beck_count(l.in);
    assert_int_equal(beck_error(l.ctx), BECK_STATE);
    assert_contains(beck_error_text(l.ctx), "count at run_test.c:");
    assert_contains(beck_error_text(l.ctx), "the graph is frozen");
    beck_print(more);
    beck_print(l.in);
    beck_queue_stream(l.ctx, "n BIGINT");
    assert_ptr_not_equal(beck_socket_text_stream(l.ctx, "localhost", 9999), NULL);
    pause_ms(2000);
    assert_int_equal(beck_context_state(l.ctx), BECK_ACTIVE); /* what runs goes on */
    assert_int_equal(beck_stop(l.ctx), BECK_STATE);
    assert_batches(c, "11000 ;12000 ;");
    beck_print(l.in);
    assert_int_equal(beck_error(l.ctx), BECK_STATE);
    end(&l);
}

static void the_graph_is_frozen_by_start(void **state)
{
    (void)state;
    in_a_world(freeze);
    struct life l;
    begin(&l);
    beck_stop(l.ctx);
    beck_dstream *late = beck_count(l.in); /* stopped before it began: start says so */
    beck_print(late);
    assert_int_equal(beck_start(l.ctx), BECK_STATE);
    end(&l);
}

/* ---- stop ------------------------------------------------------------------------------------ */

static void stopping_before_the_start_is_allowed(void **state)
{
    struct life l;

    (void)state;
    begin(&l);
    beck_print(l.in);
    assert_int_equal(beck_stop(l.ctx), BECK_OK);
    assert_int_equal(beck_context_state(l.ctx), BECK_STOPPED);
    assert_int_equal(beck_stop(l.ctx, .graceful = true), BECK_OK);
    assert_int_equal(beck_await_termination(l.ctx), BECK_OK);
    assert_int_equal(beck_start(l.ctx), BECK_STATE);
    end(&l);
    beck_context *batch = beck_context_new("batch");
    assert_int_equal(beck_stop(batch), BECK_OK);
    assert_int_equal(beck_await_termination(batch), BECK_OK);
    beck_context_free(batch);
}

struct stopper {
    beck_context *ctx;
    beck_event_kind kind;
    bool graceful;
    beck_status stopped, waited;
};

static void stop_in_event(void *user, const beck_event *e)
{
    struct stopper *s = user;

    if (e->kind != s->kind)
        return;
    s->stopped = beck_stop(s->ctx, .graceful = s->graceful);
    s->waited = beck_await_termination(s->ctx);
}

static void stop_in_listener(void *user)
{
    const int *kind = user;
    struct stopper s = {.kind = (beck_event_kind)*kind};
    struct life l;

    for (int graceful = 0; graceful < 2; graceful++) {
        begin(&l);
        s.ctx = l.ctx;
        s.graceful = graceful;
        s.stopped = s.waited = BECK_CORRUPT;
        beck_foreach_rdd(l.in, do_nothing);
        beck_add_listener(l.ctx, stop_in_event, &s);
        assert_int_equal(beck_start(l.ctx), BECK_OK);
        assert_int_equal(beck_await_termination(l.ctx), BECK_OK);
        assert_int_equal(beck_context_state(l.ctx), BECK_STOPPED);
        assert_int_equal(s.stopped, BECK_OK);
        assert_int_equal(s.waited, BECK_STATE); /* it would wait for itself */
        end(&l);
    }
}

static void a_listener_only_asks_for_the_stop(void **state)
{
    static const beck_event_kind kinds[] = {
        BECK_EVENT_STREAMING_STARTED, BECK_EVENT_BATCH_SUBMITTED, BECK_EVENT_BATCH_STARTED,
        BECK_EVENT_BATCH_COMPLETED,   BECK_EVENT_OUTPUT_STARTED,  BECK_EVENT_OUTPUT_COMPLETED};

    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(kinds); i++) {
        int kind = (int)kinds[i];
        simulate(&(struct os_simulation){.seed = i}, stop_in_listener, &kind, NULL);
    }
}

static void stop_in_callback(beck_call *c, beck_rdd *rdd)
{
    struct stopper *s = (void *)(uintptr_t)beck_ctx(c);

    s->stopped = beck_stop(s->ctx, .graceful = true);
    s->waited = beck_await_termination_or_timeout(s->ctx, 0);
    assert_int_equal(beck_count(rdd), 3); /* the batch goes on */
}

static void stop_in_foreach(void *user)
{
    struct stopper s = {0};
    struct life l;

    (void)user;
    begin(&l);
    s.ctx = l.ctx;
    beck_foreach_rdd(l.in, stop_in_callback, .ctx = &s);
    beck_collector *c = beck_collect_stream(l.in);
    beck_queue_push(l.in, numbers(l.ctx, 0, 3, 2));
    assert_int_equal(beck_run(l.ctx), 0);
    l.ctx = NULL;
    assert_int_equal(s.stopped, BECK_OK);
    assert_int_equal(s.waited, BECK_STATE);
    (void)c;
    assert_contains(beck__text_get(&l.events), "output started 11000 collect_stream\n"
                                               "output completed 11000 collect_stream\n"
                                               "completed 11000 (3)\nstreaming stopped\n");
    end(&l);
}

static void a_callback_only_asks_for_the_stop(void **state)
{
    (void)state;
    in_a_world(stop_in_foreach);
}

static void stop_later(void *user)
{
    pause_ms(2600);
    beck_stop(user);
    beck_stop(user, .graceful = true); /* the stronger wish wins */
}

static void stop_from_thread(void *user)
{
    struct os *os = beck__os_current();
    struct life l;

    (void)user;
    begin(&l);
    beck_foreach_rdd(l.in, do_nothing);
    struct os_thread *thread = os->thread_start(os, "stopper", stop_later, l.ctx, NULL);
    int64_t from = os->mono_ns(os);
    assert_int_equal(beck_start(l.ctx), BECK_OK);
    assert_int_equal(beck_await_termination_or_timeout(l.ctx, 100), BECK_TIMEOUT);
    assert_int_equal(beck_await_termination_or_timeout(l.ctx, 0), BECK_TIMEOUT);
    assert_int_equal(beck_await_termination_or_timeout(l.ctx, INT64_MAX), BECK_OK);
    assert_in_range((os->mono_ns(os) - from) / 1000000, 2600, 2605);
    os->thread_join(os, thread);
    end(&l);
}

static void any_thread_may_stop(void **state)
{
    (void)state;
    in_a_world(stop_from_thread);
}

static void stop_at_once(void *user)
{
    beck_stop(user);
}

/* Real threads: the stop comes before, during or after the start. */
static void a_stop_that_meets_the_start_is_not_lost(void **state)
{
    struct os *os = beck__os_real();

    (void)state;
    for (int i = 0; i < 30; i++) {
        struct life l;
        begin_as(&l, 1);
        beck_foreach_rdd(l.in, do_nothing);
        struct os_thread *thread = os->thread_start(os, "stopper", stop_at_once, l.ctx, NULL);
        if (!beck_start(l.ctx))
            assert_int_equal(beck_await_termination(l.ctx), BECK_OK);
        assert_int_equal(beck_context_state(l.ctx), BECK_STOPPED);
        os->thread_join(os, thread);
        end(&l);
    }
}

static void waiting_for_what_was_not_started_is_an_error(void **state)
{
    struct life l;

    (void)state;
    begin(&l);
    beck_print(l.in);
    assert_int_equal(beck_await_termination(l.ctx), BECK_STATE);
    assert_int_equal(beck_error(l.ctx), BECK_OK);
    end(&l);
    beck_context *ctx = stepped("manual");
    beck_collect_stream(beck_queue_stream(ctx, "n BIGINT"));
    assert_int_equal(beck_start(ctx), BECK_OK);
    assert_int_equal(beck_await_termination(ctx), BECK_STATE); /* nobody would move the clock */
    assert_int_equal(beck_stop(ctx), BECK_OK);
    assert_int_equal(beck_await_termination(ctx), BECK_OK);
    beck_context_free(ctx);
}

/* ---- several, and none ----------------------------------------------------------------------- */

static void run_several(void *user)
{
    struct life all[3];

    (void)user;
    for (int i = 0; i < 3; i++) {
        begin_as(&all[i], 1000 * (i + 1));
        beck_foreach_rdd(all[i].in, do_nothing, .name = "nothing");
        assert_int_equal(beck_start(all[i].ctx), BECK_OK);
    }
    pause_ms(2800); /* from 10500: 11000 12000 13000; 12000; 12000 */
    assert_int_equal(beck_stop(all[1].ctx), BECK_OK);
    pause_ms(2000);
    assert_int_equal(beck_stop(all[0].ctx), BECK_OK);
    assert_contains(beck__text_get(&all[0].events), "completed 15000");
    assert_null(strstr(beck__text_get(&all[1].events), "14000"));
    assert_contains(beck__text_get(&all[2].events), "completed 15000");
    assert_null(strstr(beck__text_get(&all[2].events), "14000"));
    for (int i = 0; i < 3; i++)
        end(&all[i]); /* the third without a stop */
}

static void contexts_are_independent(void **state)
{
    (void)state;
    in_a_world(run_several);
}

static void a_context_may_be_freed_at_any_time(void **state)
{
    struct life l;

    (void)state;
    begin(&l);
    end(&l);
    begin(&l);
    beck_print(l.in);
    beck_queue_push(l.in, numbers(l.ctx, 0, 3, 1));
    beck_queue_push(l.in, NULL);
    end(&l);
    begin_as(&l, 1);
    beck_foreach_rdd(l.in, do_nothing);
    beck_start(l.ctx);
    end(&l);
    beck_context_free(NULL);
    assert_int_equal(beck_run(NULL), 1);
}

static void no_context_is_one_without_memory(void **state)
{
    int argc = 5;

    (void)state;
    assert_int_equal(beck_error(NULL), BECK_NO_MEMORY);
    assert_string_equal(beck_error_text(NULL), "out of memory");
    assert_null(beck_args(NULL, &argc)[0]);
    assert_int_equal(argc, 0);
    beck_context *none = NULL;
    beck_dstream *lines = beck_socket_text_stream(none, "localhost", 9999);
    beck_print(beck_count(beck_union(lines, beck_queue_stream(none, "s STRING"))));
    assert_int_equal(beck_collector_batches(beck_collect_stream(lines)), 0);
    assert_int_equal(beck_queue_push(lines, NULL), BECK_INVALID);
    assert_string_equal(beck_schema_text(lines), "");
    beck_rdd *rdd = beck_union(beck_text_file(none, "/x"), numbers(none, 0, 1, 1));
    assert_int_equal(beck_count(rdd), -1);
    assert_int_equal(beck_rdd_partitions(rdd), -1);
    beck_result *rows = beck_collect(rdd);
    assert_int_equal(beck_result_status(rows), BECK_NO_MEMORY);
    beck_result_free(rows);
    assert_int_equal(beck_print(rdd), BECK_NO_MEMORY);
    beck_add_listener(none, keep_events, NULL);
    assert_int_equal(beck_start(none), BECK_NO_MEMORY);
    assert_int_equal(beck_step(none, 1), BECK_NO_MEMORY);
    assert_int_equal(beck_await_termination(none), BECK_NO_MEMORY);
    assert_int_equal(beck_stop(none), BECK_OK);
    assert_string_equal(beck_describe(none), "");
}

/* ---- errors and policies --------------------------------------------------------------------- */

static void fail_on_four(beck_call *c, beck_row in)
{
    if (beck_get_bigint(in, 0) == 4)
        beck_fail(c, "four");
    beck_emit(c, beck_get_bigint(in, 0));
}

static void fail_a_batch(void *user)
{
    struct life l;

    (void)user;
    begin(&l);
    beck_collector *c = beck_collect_stream(beck_map(l.in, "n BIGINT", fail_on_four));
    for (int i = 0; i < 3; i++)
        beck_queue_push(l.in, numbers(l.ctx, 3 * i, 3 * i + 3, 1));
    assert_int_equal(beck_start(l.ctx), BECK_OK);
    assert_int_equal(beck_await_termination(l.ctx), BECK_TASK);
    assert_int_equal(beck_error(l.ctx), BECK_TASK);
    assert_contains(beck_error_text(l.ctx), "batch 12000 ms failed: ");
    assert_contains(beck_error_text(l.ctx), "map at run_test.c:");
    assert_contains(beck_error_text(l.ctx), "four");
    assert_contains(beck_error_text(l.ctx), "partition 0, batch 12000 ms, attempt 4 of 4");
    assert_contains(beck__text_get(&l.events), "completed 12000 (3): ");
    assert_contains(beck__text_get(&l.events), "streaming stopped: batch 12000 ms failed");
    assert_batches(c, "11000 0|1|2|;");
    assert_int_equal(beck_stop(l.ctx), BECK_OK); /* twice is nothing */
    assert_int_equal(beck_start(l.ctx), BECK_TASK);
    end(&l);
}

static void a_failed_batch_ends_the_stream(void **state)
{
    (void)state;
    in_a_world(fail_a_batch);
}

static void skip_a_batch(void *user)
{
    const char *argv[] = {"skip", "--on-failure", "skip", NULL};
    struct said said;

    (void)user;
    said_init(&said);
    beck_context *ctx = beck_context_new("life", .batch_ms = 1000, .master = "local[1]", .log = say,
                                         .log_user = &said, .argc = 3, .argv = (char **)argv);
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_collector *c = beck_collect_stream(beck_map(in, "n BIGINT", fail_on_four));
    for (int i = 0; i < 3; i++)
        beck_queue_push(in, numbers(ctx, 3 * i, 3 * i + 3, 1));
    assert_int_equal(beck_start(ctx), BECK_OK);
    pause_ms(3000);
    assert_int_equal(beck_stop(ctx), BECK_OK);
    assert_int_equal(beck_error(ctx), BECK_OK);
    assert_batches(c, "11000 0|1|2|;13000 6|7|8|;");
    assert_contains(beck__text_get(&said.text), "error: batch 12000 ms is skipped: ");
    assert_contains(beck__text_get(&said.text), "four");
    beck_context_free(ctx);
    said_deinit(&said);
}

static void or_is_skipped_if_so_asked(void **state)
{
    (void)state;
    in_a_world(skip_a_batch);
}

static void act_beside(void *user)
{
    struct life l;

    (void)user;
    begin(&l);
    beck_foreach_rdd(l.in, do_nothing);
    beck_rdd *rdd = numbers(l.ctx, 0, 5, 2);
    assert_int_equal(beck_count(rdd), 5);
    assert_int_equal(beck_start(l.ctx), BECK_OK);
    for (int i = 0; i < 3; i++) {
        beck_result *result = beck_collect(rdd);
        assert_int_equal(beck_result_status(result), BECK_STATE);
        beck_result_free(result);
        assert_int_equal(beck_count(rdd), -1);
        assert_int_equal(beck_error(l.ctx), BECK_OK); /* it does not stick */
        pause_ms(700);
    }
    rdd = beck_union(rdd, numbers(l.ctx, 0, 5, 2)); /* to make them is allowed */
    assert_int_equal(beck_queue_push(l.in, rdd), BECK_OK);
    pause_ms(1000);
    assert_int_equal(beck_stop(l.ctx), BECK_OK);
    assert_int_equal(beck_count(rdd), 10); /* the engine is the user's again */
    end(&l);
}

static void while_a_stream_runs_jobs_are_its_own(void **state)
{
    (void)state;
    in_a_world(act_beside);
}

/* ---- what is opened is closed, what happens is told -------------------------------------------
 */

static char doors[100];

static beck_status open_door(beck_sink *s, void *state, int64_t *last_batch)
{
    (void)state, (void)last_batch;
    strcat(doors, "open ");
    return *(const char *)beck_sink_params(s, NULL) == 'x'
               ? beck_sink_error(s, BECK_IO, "the door is stuck")
               : BECK_OK;
}

static void close_door(beck_sink *s, void *state)
{
    (void)s, (void)state;
    strcat(doors, "close ");
}

static beck_status pass(beck_writer *w, void *writer, beck_write_id id)
{
    (void)w, (void)writer, (void)id;
    return BECK_OK;
}

static beck_status pass_rows(beck_writer *w, void *writer, const beck_chunk *rows)
{
    (void)w, (void)writer, (void)rows;
    return BECK_OK;
}

static beck_status pass_message(beck_writer *w, void *writer, beck_str *message)
{
    (void)w, (void)writer, (void)message;
    return BECK_OK;
}

static void pass_end(beck_writer *w, void *writer, bool keep)
{
    (void)w, (void)writer, (void)keep;
}

static beck_status pass_commit(beck_sink *s, void *state, int64_t batch_ms,
                               const beck_str *messages, size_t count)
{
    (void)s, (void)state, (void)batch_ms, (void)messages, (void)count;
    strcat(doors, "commit ");
    return BECK_OK;
}

static const beck_sink_class door = {.name = "door",
                                     .open = open_door,
                                     .begin = pass,
                                     .write = pass_rows,
                                     .prepare = pass_message,
                                     .end = pass_end,
                                     .commit = pass_commit,
                                     .close = close_door};

static void a_sink_is_open_from_start_to_stop(void **state)
{
    (void)state;
    for (int stuck = 0; stuck < 2; stuck++) {
        beck_context *ctx = stepped("doors");
        beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
        const char *second = stuck ? "x" : "";
        doors[0] = 0;
        beck_save(in, &door, .params = "", .params_size = 1);
        beck_save(in, &door, .params = second, .params_size = 1);
        beck_status status = beck_step(ctx, 2000);
        assert_int_equal(status, stuck ? BECK_IO : BECK_OK);
        if (stuck) {
            assert_contains(beck_error_text(ctx), "door at run_test.c:");
            assert_contains(beck_error_text(ctx), ": the door is stuck");
        }
        assert_int_equal(beck_context_state(ctx), stuck ? BECK_STOPPED : BECK_ACTIVE);
        beck_stop(ctx);
        assert_string_equal(doors, stuck ? "open open close "
                                         : "open open commit commit commit commit close close ");
        beck_context_free(ctx);
    }
}

struct refusal {
    beck_context *ctx;
    struct text events;
};

static void stop_when_refused(void *user, const beck_event *e)
{
    struct refusal *r = user;

    event_line(&r->events, e);
    if (e->kind == BECK_EVENT_RECEIVER_ERROR)
        beck_stop(r->ctx);
}

static void connect_to_nobody(void *user)
{
    struct os *os = beck__os_current();
    struct refusal r = {.events = {.memory = &os->memory}};
    struct said said;

    (void)user;
    said_init(&said);
    r.ctx = beck_context_new("refused", .batch_ms = 3600000, .log = say, .log_user = &said);
    beck_print(beck_socket_text_stream(r.ctx, "localhost", 7000, .name = "nobody"));
    beck_add_listener(r.ctx, stop_when_refused, &r);
    int64_t from = os->mono_ns(os);
    assert_int_equal(beck_run(r.ctx), 0);
    assert_in_range((os->mono_ns(os) - from) / 1000000, 0, 20);
    assert_string_equal(beck__text_get(&r.events),
                        "streaming started\nreceiver started nobody\nreceiver error nobody: "
                        "connect to localhost:7000: Connection refused\nstreaming stopped\n");
    beck__text_deinit(&r.events);
    said_deinit(&said);
}

static void events_of_receivers_do_not_wait_for_a_batch(void **state)
{
    (void)state;
    in_a_world(connect_to_nobody);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(starting_twice_warns_and_again_is_an_error),
        test(without_outputs_there_is_nothing_to_start),
        test(an_error_of_the_graph_comes_back_from_start),
        test(the_graph_is_frozen_by_start),
        test(stopping_before_the_start_is_allowed),
        test(a_listener_only_asks_for_the_stop),
        test(a_callback_only_asks_for_the_stop),
        test(any_thread_may_stop),
        test(a_stop_that_meets_the_start_is_not_lost),
        test(waiting_for_what_was_not_started_is_an_error),
        test(contexts_are_independent),
        test(a_context_may_be_freed_at_any_time),
        test(no_context_is_one_without_memory),
        test(a_failed_batch_ends_the_stream),
        test(or_is_skipped_if_so_asked),
        test(while_a_stream_runs_jobs_are_its_own),
        test(a_sink_is_open_from_start_to_stop),
        test(events_of_receivers_do_not_wait_for_a_batch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
