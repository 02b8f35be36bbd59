/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs and signals: what is under way is finished, then they end with the right exit code.
 */
#define _GNU_SOURCE
#include "processes.h"

/* ---- a batch that runs when the signal comes: this program as its own child --------------------
 */

static void hold_on(beck_call *c, beck_rdd *rdd)
{
    char byte;

    (void)rdd;
    dprintf(1, "batch %lld begins\n", (long long)beck_batch_time(c) % 1000000);
    if (read(0, &byte, 1) != 1)
        dprintf(1, "nobody is there\n");
    dprintf(1, "batch ends\n");
}

/* Every batch waits for a byte of standard input. */
static int slow_program(void)
{
    beck_context *ctx = beck_context_new("slow", .batch_ms = 1);
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");

    beck_foreach_rdd(in, hold_on);
    int code = beck_run(ctx);
    dprintf(1, "code %d\n", code);
    return code;
}

static void send_byte(const struct child *child)
{
    assert_true(write(child->in, "x", 1) == 1 || errno == EPIPE);
}

static size_t times(const char *text, const char *part)
{
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

/* A byte for every batch that has begun, until the program ends. */
static void feed(struct child *child, size_t bytes)
{
    do
        for (; bytes < times(beck__text_get(&child->said), " begins\n"); bytes++)
            send_byte(child);
    while (listen_to(child));
}

static void assert_finished(struct child *child)
{
    assert_int_equal(wait_for_end(child), 0);
    const char *said = beck__text_get(&child->said);
    assert_int_equal(times(said, " begins\n"), times(said, "batch ends\n"));
    assert_contains(said, "code 0\n");
    assert_null(strstr(said, "nobody"));
    child_deinit(child);
}

static void a_batch_that_runs_is_finished(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM};
    char *argv[] = {"process_test", "--slow", NULL};

    (void)state;
    signal(SIGPIPE, SIG_IGN); /* the last byte may come too late */
    for (int i = 0; i < 2; i++) {
        struct child child = start(built("tests/whole/process_test"), argv);
        wait_for(&child, " begins\n");
        kill(child.pid, signals[i]);
        feed(&child, 0); /* those that wait already are done as well */
        assert_finished(&child);
    }
}

static void two_signals_end_it_too(void **state)
{
    char *argv[] = {"process_test", "--slow", NULL};
    struct child child = start(built("tests/whole/process_test"), argv);

    (void)state;
    wait_for(&child, " begins\n");
    kill(child.pid, SIGINT);
    kill(child.pid, SIGTERM);
    feed(&child, 0);
    assert_finished(&child);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        test(a_batch_that_runs_is_finished),
        test(two_signals_end_it_too),
    };

    if (argc > 1 && strcmp(argv[1], "--slow") == 0)
        return slow_program();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
