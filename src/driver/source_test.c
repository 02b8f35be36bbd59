/* SPDX-License-Identifier: Apache-2.0 */
/* Input streams: their names and arguments; what a queue gives, whoever pushes. */
#include "driver/driver.h"
#include "driver/testing.h"

/* ---- names and arguments --------------------------------------------------------------------- */

static void inputs_without_a_name_are_numbered(void **state)
{
    beck_context *ctx = stepped("names");

    (void)state;
    beck_print(beck_queue_stream(ctx, "n BIGINT"));
    beck_print(beck_queue_stream(ctx, "n BIGINT", .name = "mine"));
    beck_print(beck_queue_stream(ctx, "n BIGINT"));
    beck_print(beck_socket_text_stream(ctx, "localhost", 1));
    const char *text = beck_describe(ctx);
    assert_contains(text, "queue_stream \"queue_stream-1\" at source_test.c:");
    assert_contains(text, "queue_stream \"mine\" at source_test.c:");
    assert_contains(text, "queue_stream \"queue_stream-3\" at source_test.c:");
    assert_contains(text, "socket_text_stream \"socket_text_stream-1\" at source_test.c:");
    beck_queue_stream(ctx, "n BIGINT", .name = "mine");
    assert_int_equal(beck_error(ctx), BECK_INVALID);
    assert_contains(beck_error_text(ctx), "two inputs are named \"mine\"");
    beck_context_free(ctx);
}

/* One wrong argument, and what the error says of it. */
static void assert_refused(beck_context *ctx, const beck_dstream *s, const char *text)
{
    assert_non_null(s);
    assert_int_equal(beck_error(ctx), BECK_INVALID);
    assert_contains(beck_error_text(ctx), " at source_test.c:");
    assert_contains(beck_error_text(ctx), text);
    beck_context_free(ctx);
}

static void wrong_arguments_are_told(void **state)
{
    char host[300];
    beck_context *ctx;

    (void)state;
    memset(host, 'h', sizeof host);
    host[299] = 0;
    ctx = stepped("port");
    assert_refused(ctx, beck_socket_text_stream(ctx, "localhost", 0),
                   "port 0; give a number from 1 to 65535");
    ctx = stepped("port");
    assert_refused(ctx, beck_socket_text_stream(ctx, "localhost", 65536), "port 65536");
    ctx = stepped("port");
    assert_refused(ctx, beck_socket_text_stream(ctx, "localhost", -9999), "port -9999");
    ctx = stepped("host");
    assert_refused(ctx, beck_socket_text_stream(ctx, NULL, 9999), "the host is empty");
    ctx = stepped("host");
    assert_refused(ctx, beck_socket_text_stream(ctx, host, 9999), "longer than 255 bytes");
    ctx = stepped("line");
    assert_refused(ctx, beck_socket_text_stream(ctx, "h", 9999, .line_bytes_max = -1),
                   ".line_bytes_max is -1");
    ctx = stepped("line");
    assert_refused(ctx, beck_socket_text_stream(ctx, "h", 9999, .line_bytes_max = INT64_MAX),
                   ".line_bytes_max is 9223372036854775807");
    ctx = stepped("reconnect");
    assert_refused(ctx, beck_socket_text_stream(ctx, "h", 9999, .reconnect_ms = -5),
                   ".reconnect_ms is -5");
    ctx = stepped("class");
    assert_refused(ctx, beck_receiver_stream(ctx, NULL), "the class of the receiver is NULL");
    ctx = stepped("schema");
    assert_refused(ctx, beck_queue_stream(ctx, "n BIGINT,"), "schema: ");
    ctx = stepped("schema");
    assert_refused(ctx, beck_queue_stream(ctx, NULL), "schema: ");
}

static beck_status poll_nothing(beck_receiver *r, void *state, int64_t timeout_ms)
{
    (void)r, (void)state, (void)timeout_ms;
    return BECK_AGAIN;
}

static beck_status run_nothing(beck_receiver *r, void *state)
{
    (void)r, (void)state;
    return BECK_OK;
}

static void a_receiver_polls_or_runs(void **state)
{
    static const beck_receiver_class neither = {.name = "neither", .schema = "n BIGINT"};
    static const beck_receiver_class both = {
        .name = "both", .schema = "n BIGINT", .poll = poll_nothing, .run = run_nothing};
    beck_context *ctx = stepped("neither");

    (void)state;
    assert_refused(ctx, beck_receiver_stream(ctx, &neither), "has either poll or run");
    ctx = stepped("both");
    assert_refused(ctx, beck_receiver_stream(ctx, &both), "has either poll or run");
}

static beck_status poll_fire(beck_receiver *r, void *state, int64_t timeout_ms)
{
    (void)state, (void)timeout_ms;
    return beck_receiver_error(r, BECK_IO, "disk %d is on fire", 7);
}

/* Once the stream runs: name and call site, what happened, what comes. */
static void a_receiver_that_fails_is_told_with_its_place(void **state)
{
    static const beck_receiver_class fire = {
        .name = "fire", .schema = "n BIGINT", .poll = poll_fire};
    struct said said;

    (void)state;
    said_init(&said);
    beck_context *ctx = beck_context_new("fire", .batch_ms = 1000, .manual_clock = true, .log = say,
                                         .log_user = &said);
    beck_collect_stream(beck_receiver_stream(ctx, &fire));
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_contains(beck__text_get(&said.text), "fire-1 at source_test.c:");
    assert_contains(beck__text_get(&said.text), ": disk 7 is on fire; starts again in ");
    beck_context_free(ctx);
    said_deinit(&said);
}

/* ---- the same RDD every time ----------------------------------------------------------------- */

static void a_constant_input_is_in_every_batch(void **state)
{
    beck_context *ctx = stepped("constant"), *other = stepped("other");
    beck_dstream *in = beck_constant_input(ctx, numbers(ctx, 0, 3, 2));
    beck_collector *c = beck_collect_stream(in), *n = beck_collect_stream(beck_count(in));

    (void)state;
    assert_int_equal(beck_step(ctx, 3000), BECK_OK);
    assert_batches(c, "1000 0|1|2|;2000 0|1|2|;3000 0|1|2|;");
    assert_batches(n, "1000 3|;2000 3|;3000 3|;");
    beck_context_free(ctx);
    ctx = stepped("null");
    assert_refused(ctx, beck_constant_input(ctx, NULL), "the RDD is NULL");
    ctx = stepped("another");
    assert_refused(ctx, beck_constant_input(ctx, numbers(other, 0, 1, 1)),
                   "the RDD belongs to another context");
    beck_context_free(other);
}

/* ---- queues ---------------------------------------------------------------------------------- */

static void one_rdd_for_each_batch(void **state)
{
    beck_context *ctx = stepped("one");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_collector *c = beck_collect_stream(in);

    (void)state;
    beck_queue_push(in, numbers(ctx, 0, 2, 1));
    beck_queue_push(in, NULL); /* no RDD for one batch */
    beck_queue_push(in, numbers(ctx, 2, 5, 2));
    assert_int_equal(beck_step(ctx, 4000), BECK_OK);
    beck_queue_push(in, numbers(ctx, 5, 6, 1));
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_batches(c, "1000 0|1|;3000 2|3|4|;4000 ;5000 5|;");
    beck_context_free(ctx);
}

static void or_all_of_them(void **state)
{
    beck_context *ctx = stepped("all");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT", .all = true);
    beck_collector *c = beck_collect_stream(in);

    (void)state;
    for (int i = 0; i < 5; i++) {
        beck_queue_push(in, numbers(ctx, 2 * i, 2 * i + 2, 2));
        beck_queue_push(in, NULL); /* nothing to add */
    }
    assert_int_equal(beck_step(ctx, 2000), BECK_OK);
    beck_queue_push(in, NULL);
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_batches(c, "1000 0|1|2|3|4|5|6|7|8|9|;2000 ;3000 ;");
    beck_context_free(ctx);
}

static bool all_of_them(beck_call *c, beck_row in)
{
    (void)c, (void)in;
    return true;
}

static void nothing_may_mean_no_rdd(void **state)
{
    beck_context *ctx = stepped("none");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT", .none_when_empty = true);
    beck_collector *c = beck_collect_stream(beck_filter(in, all_of_them));

    (void)state;
    beck_queue_push(in, numbers(ctx, 0, 2, 1));
    assert_int_equal(beck_step(ctx, 3000), BECK_OK);
    beck_queue_push(in, numbers(ctx, 0, 0, 1));
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_batches(c, "1000 0|1|;4000 ;"); /* it passes through */
    beck_context_free(ctx);
}

static void what_does_not_fit_is_refused(void **state)
{
    beck_context *ctx = stepped("refuse"), *other = stepped("other");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    const beck_value word = beck_value_of("x");

    (void)state;
    assert_int_equal(beck_queue_push(in, beck_parallelize(ctx, "w STRING", &word, 1)), BECK_TYPE);
    assert_int_equal(beck_queue_push(in, beck_parallelize(ctx, "other_name BIGINT", NULL, 0)),
                     BECK_OK);
    assert_int_equal(beck_queue_push(in, numbers(other, 0, 1, 1)), BECK_INVALID);
    assert_int_equal(beck_queue_push(beck_count(in), numbers(ctx, 0, 1, 1)), BECK_INVALID);
    assert_int_equal(beck_queue_push(beck_socket_text_stream(ctx, "h", 1), NULL), BECK_INVALID);
    assert_int_equal(beck_error(ctx), BECK_OK);
    beck_rdd *poisoned = beck_parallelize(ctx, "n NOTHING", NULL, 0);
    assert_int_equal(beck_queue_push(in, poisoned), BECK_TYPE);
    beck_context_free(ctx);
    beck_context_free(other);
}

/* ---- pushed from several threads --------------------------------------------------------------*/

#define PUSHERS 3
#define PUSHES  200

struct pusher {
    struct os *os;
    beck_dstream *in;
    beck_rdd **rdds;
};

static void push_all(void *user)
{
    struct pusher *p = user;

    for (int i = 0; i < PUSHES; i++)
        assert_int_equal(beck_queue_push(p->in, p->rdds[i]), BECK_OK);
}

struct tally {
    beck_context *ctx;
    int64_t next[PUSHERS]; /* of each pusher: its numbers come in order */
    int seen;
};

static void tally_up(beck_call *c, beck_rdd *rdd)
{
    struct tally *t = (void *)(uintptr_t)beck_ctx(c);
    beck_result *rows = beck_collect(rdd);

    for (uint64_t i = 0; i < beck_result_rows(rows); i++) {
        int64_t n = beck_get_bigint(beck_result_row(rows, i), 0);
        if (n % 1000 == t->next[n / 1000])
            t->next[n / 1000]++;
        t->seen++;
    }
    beck_result_free(rows);
    if (t->seen == PUSHERS * PUSHES)
        beck_stop(t->ctx);
}

static void any_thread_may_push(void **state)
{
    struct os *os = beck__os_real();
    struct tally t = {0};
    struct pusher pushers[PUSHERS];
    struct os_thread *threads[PUSHERS];

    (void)state;
    t.ctx = beck_context_new("push", .batch_ms = 1, .master = "local[2]");
    beck_dstream *in = beck_queue_stream(t.ctx, "n BIGINT", .all = true);
    beck_foreach_rdd(in, tally_up, .ctx = &t);
    static beck_rdd *rdds[PUSHERS][PUSHES];
    for (int p = 0; p < PUSHERS; p++)
        for (int i = 0; i < PUSHES; i++)
            rdds[p][i] = numbers(t.ctx, 1000 * p + i, 1000 * p + i + 1, 1);
    assert_int_equal(beck_start(t.ctx), BECK_OK);
    for (int p = 0; p < PUSHERS; p++) {
        pushers[p] = (struct pusher){os, in, rdds[p]};
        threads[p] = os->thread_start(os, "pusher", push_all, &pushers[p], NULL);
    }
    assert_int_equal(beck_await_termination(t.ctx), BECK_OK);
    for (int p = 0; p < PUSHERS; p++) {
        os->thread_join(os, threads[p]);
        assert_int_equal(t.next[p], PUSHES);
    }
    beck_context_free(t.ctx);
}

/* RDDs are made by the thread that owns the context, while the stream runs. */
static void rdds_may_be_made_while_the_stream_runs(void **state)
{
    struct tally t = {0};

    (void)state;
    t.ctx = beck_context_new("push", .batch_ms = 1, .master = "local[2]");
    beck_dstream *in = beck_queue_stream(t.ctx, "n BIGINT", .all = true);
    beck_foreach_rdd(in, tally_up, .ctx = &t);
    assert_int_equal(beck_start(t.ctx), BECK_OK);
    for (int i = 0; i < PUSHERS * PUSHES; i++)
        assert_int_equal(beck_queue_push(in, numbers(t.ctx, i, i + 1, 1)), BECK_OK);
    assert_int_equal(beck_await_termination(t.ctx), BECK_OK);
    assert_int_equal(t.next[0], PUSHERS * PUSHES);
    beck_context_free(t.ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(inputs_without_a_name_are_numbered),
        test(wrong_arguments_are_told),
        test(a_receiver_polls_or_runs),
        cmocka_unit_test(a_receiver_that_fails_is_told_with_its_place),
        test(a_constant_input_is_in_every_batch),
        test(one_rdd_for_each_batch),
        test(or_all_of_them),
        test(nothing_may_mean_no_rdd),
        test(what_does_not_fit_is_refused),
        test(any_thread_may_push),
        test(rdds_may_be_made_while_the_stream_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
