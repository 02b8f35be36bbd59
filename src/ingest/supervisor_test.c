/* SPDX-License-Identifier: Apache-2.0 */
/* Receivers open, fail, start again and end; batches by time; acknowledgements; the byte limit. */
#include "ingest/testing.h"

#include "ingest/inside.h"

/* ---- one receiver, step by step -------------------------------------------------------------- */

static void a_failed_open_is_tried_again_after_the_delay(void **state)
{
    const struct act acts[] = {{.bytes = "here\n"}};
    struct script script = {.acts = acts, .count = 1, .open_answer = BECK_IO};
    struct intake t;

    (void)state;
    intake_init(&t, &(struct ingest_options){.restart_ms = 500});
    int stream = intake_add(&t, &script, "r");
    intake_start(&t, false);
    beck__ingest_step(t.ingest);
    assert_events(&t, "error r: input or output failed\n");
    assert_string_equal(beck__text_get(&t.logged),
                        "r: input or output failed; starts again in 500 ms\n");
    t.now_ms += 499;
    beck__ingest_step(t.ingest);
    assert_int_equal(script.opened, 1);
    script.open_answer = BECK_OK;
    t.now_ms++;
    beck__ingest_step(t.ingest);
    assert_int_equal(script.opened, 2);
    assert_int_equal(script.closed, 1);
    assert_events(&t, "started r\n");
    assert_batch(&t, stream, t.now_ms, "here|");
    beck__ingest_stop(t.ingest);
    assert_int_equal(script.closed, 2);
    assert_false(script.dirty);
    intake_deinit(&t);
}

/* In the log at doubling times, and to listeners each time. */
static void a_long_failure_is_told_ever_less(void **state)
{
    const struct act acts[] = {{.bytes = "a\n", .answer = BECK_AGAIN},
                               {.answer = BECK_IO, .why = "the cable"},
                               {.bytes = "b\n", .answer = BECK_AGAIN},
                               {.answer = BECK_IO, .why = "the plug"},
                               {.answer = BECK_AGAIN}};
    struct script script = {.acts = acts, .count = 5, .open_answer = BECK_IO};
    struct intake t;

    (void)state;
    intake_init(&t, &(struct ingest_options){0});
    intake_add(&t, &script, "r");
    intake_start(&t, false);
    for (; t.now_ms <= 201000; t.now_ms += 2000)
        beck__ingest_step(t.ingest); /* at 0, 2, 6, 14, 30, 62, 122, 182 s */
    assert_int_equal(script.opened, 101);
    script.open_answer = BECK_OK;
    beck__ingest_step(t.ingest); /* a */
    beck__ingest_step(t.ingest); /* soon down again: not told before 242 s */
    t.now_ms += 2000;
    beck__ingest_step(t.ingest); /* b */
    t.now_ms += 60000;
    beck__ingest_step(t.ingest); /* it has worked for long */
    t.now_ms += 2000;
    beck__ingest_step(t.ingest);
#define IO_FAILED "r: input or output failed; starts again in 2000 ms"
    assert_string_equal(beck__text_get(&t.logged),
                        IO_FAILED "\n" IO_FAILED " (failed 2 times)\n" IO_FAILED
                                  " (failed 4 times)\n" IO_FAILED " (failed 8 times)\n" IO_FAILED
                                  " (failed 16 times)\n" IO_FAILED " (failed 32 times)\n" IO_FAILED
                                  " (failed 62 times)\n" IO_FAILED " (failed 92 times)\n"
                                  "r: connected again after 101 attempts\n"
                                  "r: the plug; starts again in 2000 ms\n"
                                  "r: connected again after 1 attempt\n");
    beck__ingest_stop(t.ingest);
    intake_deinit(&t);
}

static void an_error_of_a_poll_loses_nothing(void **state)
{
    const struct act acts[] = {{.bytes = "one\ntwo\nthr", .answer = BECK_IO, .why = "the cable"},
                               {.bytes = "four\n", .answer = BECK_CLOSED},
                               {.bytes = "never\n"}};
    struct script script = {.acts = acts, .count = 3};
    struct intake t;

    (void)state;
    intake_init(&t, &(struct ingest_options){0});
    int stream = intake_add(&t, &script, "r");
    intake_start(&t, false);
    beck__ingest_step(t.ingest);
    assert_events(&t, "started r\nerror r: the cable\n");
    t.now_ms += 2000;
    beck__ingest_step(t.ingest);
    assert_events(&t, "started r\nstopped r\n");
    t.now_ms += 100000;
    beck__ingest_step(t.ingest); /* ended for good */
    assert_batch(&t, stream, t.now_ms, "one|two|thr|four|");
    assert_int_equal(script.opened, 2);
    assert_int_equal(script.closed, 2);
    assert_false(script.dirty);
    beck__ingest_stop(t.ingest);
    beck__ingest_stop(t.ingest); /* twice is nothing */
    assert_events(&t, "");
    intake_deinit(&t);
}

/* A reason that was given, but not with the status that failed, is not told later. */
static void an_old_reason_is_forgotten(void **state)
{
    const struct act acts[] = {{.answer = BECK_AGAIN, .why = "nothing to say yet"},
                               {.answer = BECK_OK, .why = "a status that is none"},
                               {.answer = BECK_CLOSED}};
    const struct act then[] = {{.answer = BECK_AGAIN, .why = "nothing to say yet"},
                               {.answer = BECK_IO}};
    struct script one = {.acts = acts, .count = 3}, two = {.acts = then, .count = 2};
    struct intake t;

    (void)state;
    intake_init(&t, &(struct ingest_options){0});
    intake_add(&t, &one, "one");
    intake_add(&t, &two, "two");
    intake_start(&t, false);
    beck__ingest_step(t.ingest);
    beck__ingest_step(t.ingest);
    assert_events(&t, "started one\nstarted two\n"
                      "error one: a status that is none\n"
                      "error two: input or output failed\n");
    intake_deinit(&t);
}

static void a_batch_gets_what_came_up_to_its_time(void **state)
{
    const struct act acts[] = {{.bytes = "a\n", .answer = BECK_AGAIN},
                               {.bytes = "b\n", .answer = BECK_AGAIN},
                               {.bytes = "c\n", .answer = BECK_AGAIN},
                               {.bytes = "d\n", .answer = BECK_AGAIN}};
    struct script script = {.acts = acts, .count = 4};
    struct intake t;

    (void)state;
    intake_init(&t, &(struct ingest_options){.block_ms = 200});
    int stream = intake_add(&t, &script, "r");
    intake_start(&t, false);
    for (; t.now_ms <= 1900; t.now_ms += 300)
        beck__ingest_step(t.ingest); /* a at 1000, sealed at 1300 with b; c at 1600, d at 1900 */
    assert_batch(&t, stream, 999, "");
    assert_false(beck__ingest_drained(t.ingest));
    assert_batch(&t, stream, 1000, "a|b|"); /* the block began at 1000 */
    assert_batch(&t, stream, 1899, "c|d|");
    assert_true(beck__ingest_drained(t.ingest));
    assert_batch(&t, stream, 10000, "");
    intake_deinit(&t);
}

/* ---- what is safe ---------------------------------------------------------------------------- */

static void a_receiver_is_told_what_is_sealed(void **state)
{
    const struct act acts[] = {{.bytes = "a\n", .token = 0, .answer = BECK_AGAIN},
                               {.bytes = "b\n", .token = 7, .answer = BECK_AGAIN},
                               {.answer = BECK_AGAIN},
                               {.bytes = "c\n", .token = 9, .answer = BECK_AGAIN},
                               {.answer = BECK_AGAIN},
                               {.bytes = "d\n", .token = 10, .answer = BECK_CLOSED}};
    struct script script = {.acts = acts, .count = 6};
    struct intake t;

    (void)state;
    intake_init(&t, &(struct ingest_options){.block_ms = 200});
    int stream = intake_add(&t, &script, "r");
    intake_start(&t, false);
    beck__ingest_step(t.ingest);
    assert_int_equal(script.stored, 0);
    t.now_ms += 200; /* by time: after the poll that added b */
    beck__ingest_step(t.ingest);
    assert_int_equal(script.stored, 1);
    assert_int_equal(script.stored_token, 7);
    beck__ingest_step(t.ingest);
    beck__ingest_step(t.ingest);
    assert_int_equal(script.stored, 1);
    assert_batch(&t, stream, t.now_ms, "a|b|c|"); /* by the batch: told at the next poll */
    beck__ingest_step(t.ingest);
    assert_int_equal(script.stored, 2);
    assert_int_equal(script.stored_token, 9);
    beck__ingest_step(t.ingest); /* the last words of one that ends */
    assert_int_equal(script.stored, 3);
    assert_int_equal(script.stored_token, 10);
    intake_deinit(&t);
}

static void tokens_do_not_outlive_their_connection(void **state)
{
    const struct act acts[] = {{.bytes = "a\n", .token = 100, .answer = BECK_IO},
                               {.answer = BECK_AGAIN}};
    struct script script = {.acts = acts, .count = 2};
    struct intake t;

    (void)state;
    intake_init(&t, &(struct ingest_options){0});
    int stream = intake_add(&t, &script, "r");
    intake_start(&t, false);
    beck__ingest_step(t.ingest);
    t.now_ms += 2000;
    beck__ingest_step(t.ingest);
    assert_int_equal(script.opened, 2);
    assert_int_equal(script.stored, 0);
    assert_batch(&t, stream, t.now_ms, "a|");
    intake_deinit(&t);
}

/* ---- the limit ------------------------------------------------------------------------------- */

static beck_status poll_piece(beck_receiver *r, void *state, int64_t timeout_ms)
{
    static const char piece[1000] = "x";
    beck_value value = beck_string_value(beck_bytes_of(piece, sizeof piece));
    int *polls = *(int **)(uintptr_t)beck_receiver_params(r);

    (void)state, (void)timeout_ms;
    ++*polls;
    return beck_store_values(r, 0, &value, 1);
}

static beck_status open_nothing(beck_receiver *r, void *state)
{
    (void)r, (void)state;
    return BECK_OK;
}

static void close_nothing(beck_receiver *r, void *state)
{
    (void)r, (void)state;
}

static const beck_receiver_class endless = {.name = "endless",
                                            .schema = "value STRING",
                                            .open = open_nothing,
                                            .poll = poll_piece,
                                            .close = close_nothing};

static int add_endless(struct intake *t, int *polls)
{
    struct received received = {.class_of = &endless,
                                .schema = t->lines,
                                .params = beck_bytes_of(&polls, sizeof(int *)),
                                .name = "endless"};

    return beck__ingest_add(t->ingest, &received);
}

static void a_receiver_at_its_limit_is_left_alone(void **state)
{
    struct intake t;
    int polls = 0;

    (void)state;
    intake_init(&t, &(struct ingest_options){.bytes_max = 100000, .block_bytes = 5000});
    int stream = add_endless(&t, &polls);
    intake_start(&t, false);
    beck__ingest_step(t.ingest);
    struct blocks batch = {.memory = &t.os->memory};
    beck__ingest_allot(t.ingest, stream, t.now_ms, &batch);
    assert_int_equal(batch.rows, polls);
    assert_in_range(batch.bytes, 90000, 102000);
    int before = polls;
    beck__ingest_step(t.ingest); /* a batch still holds all of it */
    assert_int_equal(polls, before);
    beck__ingest_release(t.ingest, stream, batch.bytes);
    beck__blocks_deinit(&batch);
    beck__ingest_step(t.ingest);
    assert_in_range(polls, 2 * before - 1, 2 * before + 1);
    intake_deinit(&t);
}

/* A backlog that never empties must not make the list of blocks grow. */
static void a_steady_backlog_needs_no_more_memory(void **state)
{
    const struct act act = {.bytes = "a line\n", .answer = BECK_AGAIN};
    struct intake t;
    size_t used = 0;

    (void)state;
    intake_init(&t, &(struct ingest_options){.block_ms = 1});
    struct script script = {.acts = &act, .count = 1};
    int stream = intake_add(&t, &script, "r");
    intake_start(&t, false);
    for (int i = 0; i < 1000; i++, t.now_ms++) {
        script.next = 0;
        beck__ingest_step(t.ingest);
        beck__bus_deliver(t.bus);
        struct blocks batch = {.memory = &t.os->memory};
        beck__ingest_allot(t.ingest, stream, t.now_ms - 20, &batch);
        beck__ingest_release(t.ingest, stream, batch.bytes);
        beck__blocks_deinit(&batch);
        if (i == 200)
            used = beck__os_memory_used(t.os);
    }
    assert_true(beck__os_memory_used(t.os) < used + 4096);
    intake_deinit(&t);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Real threads: the supervisor stores numbers, this thread takes them as fast as it can. */
static int64_t real_now(void *user)
{
    (void)user;
    return beck__os_real()->wall_ms(beck__os_real());
}

static int take_endless(struct intake *t, int stream, int rows)
{
    while (rows < 20000) {
        struct blocks batch = {.memory = &t->os->memory};
        beck__ingest_allot(t->ingest, stream, INT64_MAX, &batch);
        rows += (int)batch.rows;
        uint64_t bytes = batch.bytes;
        assert_true(bytes <= 110000);
        beck__blocks_deinit(&batch);
        beck__ingest_release(t->ingest, stream, bytes);
    }
    return rows;
}

static void the_thread_stores_while_another_takes(void **state)
{
    struct intake t;
    int polls = 0;

    (void)state;
    intake_init(&t, &(struct ingest_options){.bytes_max = 100000, .now_ms = real_now});
    int stream = add_endless(&t, &polls);
    intake_start(&t, true);
    int rows = take_endless(&t, stream, 0);
    beck__ingest_stop(t.ingest);
    struct blocks rest = {.memory = &t.os->memory};
    beck__ingest_allot(t.ingest, stream, INT64_MAX, &rest);
    assert_int_equal(rows + (int)rest.rows, polls); /* nothing is lost */
    beck__blocks_deinit(&rest);
    assert_true(beck__ingest_drained(t.ingest));
    intake_deinit(&t);
}

struct waker {
    struct os *os;
    struct os_lock *lock;
    struct os_gate *gate;
    int posted;
};

static void posted(void *user)
{
    struct waker *w = user;

    w->os->lock(w->os, w->lock);
    w->posted++;
    w->os->gate_wake(w->os, w->gate);
    w->os->unlock(w->os, w->lock);
}

static int64_t waker_now(void *user)
{
    struct waker *w = user;

    return 1000 + w->os->mono_ns(w->os) / 1000000;
}

/* The lines of one receiver, in order; the other's come in between as they like. */
static void assert_events_of(struct intake *t, const char *name, const char *expected)
{
    struct text lines = {.memory = &t->os->memory};

    beck__bus_deliver(t->bus);
    for (const char *at = beck__text_get(&t->events); *at;) {
        size_t size = strcspn(at, "\n") + 1;
        const char *found = strstr(at, name);
        if (found && found < at + size)
            beck__text_append(&lines, at, size);
        at += size;
    }
    assert_string_equal(beck__text_get(&lines), expected);
    beck__text_deinit(&lines);
}

/* In the simulation: two receivers restart on time, and every event is announced. */
static void restarts_are_on_time(void *user)
{
    const struct act acts[] = {{.answer = BECK_IO}, {.answer = BECK_IO}, {.answer = BECK_CLOSED}};
    struct script one = {.acts = acts, .count = 3}, two = {.open_answer = BECK_IO};
    struct waker w = {.os = beck__os_current()};
    struct os *os = w.os;
    struct intake t;

    (void)user;
    w.lock = os->lock_new(os);
    w.gate = os->gate_new(os);
    intake_init(&t, &(struct ingest_options){
                        .restart_ms = 300, .now_ms = waker_now, .posted = posted, .user = &w});
    intake_add(&t, &one, "one");
    intake_add(&t, &two, "two");
    t.now_ms = INT64_MAX; /* times of events are not looked at */
    int64_t from = os->mono_ns(os);
    intake_start(&t, true);
    os->lock(os, w.lock);
    while (w.posted < 10) /* one: 3 times started, 2 errors, stopped; two: 4 errors */
        os->gate_wait(os, w.gate, w.lock, -1);
    os->unlock(os, w.lock);
    assert_in_range((os->mono_ns(os) - from) / 1000000, 900, 910);
    beck__ingest_stop(t.ingest);
    assert_int_equal(one.opened, 3);
    assert_int_equal(one.closed, 3);
    assert_int_equal(two.opened, 4);
    assert_int_equal(two.closed, 4);
    assert_events_of(&t, " one",
                     "started one\nerror one: input or output failed\n"
                     "started one\nerror one: input or output failed\n"
                     "started one\nstopped one\n");
    assert_events_of(&t, " two",
                     "error two: input or output failed\nerror two: input or output failed\n"
                     "error two: input or output failed\nerror two: input or output failed\n");
    intake_deinit(&t);
    os->gate_free(os, w.gate);
    os->lock_free(os, w.lock);
}

static void receivers_start_again_in_simulated_time(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct os_simulation simulation = {.seed = seed};
        struct error error = {0};
        assert_ok(beck__os_simulate(&simulation, restarts_are_on_time, NULL, NULL, &error), error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_failed_open_is_tried_again_after_the_delay),
        test(a_long_failure_is_told_ever_less),
        test(an_error_of_a_poll_loses_nothing),
        test(an_old_reason_is_forgotten),
        test(a_batch_gets_what_came_up_to_its_time),
        test(a_receiver_is_told_what_is_sealed),
        test(tokens_do_not_outlive_their_connection),
        test(a_receiver_at_its_limit_is_left_alone),
        test(a_steady_backlog_needs_no_more_memory),
        test(the_thread_stores_while_another_takes),
        test(receivers_start_again_in_simulated_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
