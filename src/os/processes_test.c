/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processes_test.c - the test runs itself again: as a worker it obeys commands of one byte.
 *
 *     f  answers the function ids of what both processes have
 *     a  answers its arguments, and the environment variables that matter
 *     b  is busy until there is one more byte
 *     g  starts a worker of its own, which stays
 *     x  exits with 7
 *     else, and at the end of the channel: exits with 0
 */
#define _GNU_SOURCE
#include "os/testing.h"

#include <signal.h>
#include <unistd.h>

#define IDS 3

static const char constant[] = "the same in both";

/* ---- the worker ---------------------------------------------------------------------------- */

static void answer(struct os *os, struct os_socket *channel, const void *data, size_t size)
{
    size_t sent;
    if (os->send(os, channel, data, size, &sent, -1, NULL))
        exit(20);
}

static void function_ids(struct os *os, struct function_id *ids)
{
    ids[0] = os->function_id(os, (const void *)(uintptr_t)function_ids);
    ids[1] = os->function_id(os, constant);
    ids[2] = os->function_id(os, (const void *)(uintptr_t)beck__os_real);
}

static void start_grandchild(struct os *os)
{
    struct os_process *process;
    struct os_socket *channel;
    if (os->process_start(os, &process, &channel, NULL))
        exit(21);
}

static int work(struct os *os, struct os_socket *channel, char **argv)
{
    struct function_id ids[IDS];
    char text[400];
    char command;
    size_t got;
    while (!os->recv(os, channel, &command, 1, &got, -1, NULL)) {
        switch (command) {
        case 'b':
            while (os->recv(os, channel, &command, 1, &got, 0, NULL) == BECK_AGAIN) {
            }
            break;
        case 'f':
            function_ids(os, ids);
            answer(os, channel, ids, sizeof ids);
            break;
        case 'a':
            snprintf(text, sizeof text, "%s|%s|%s|%s", argv[1], argv[2],
                     getenv("BECK_WORKER") ? "set" : "unset", getenv("BECK_TEST_X"));
            answer(os, channel, text, sizeof text);
            break;
        case 'g':
            start_grandchild(os);
            answer(os, channel, "g", 1);
            break;
        case 'x':
            os->exit(os, 7);
            break;
        default:
            _exit(0);
        }
    }
    _exit(0);
}

/* ---- the tests ----------------------------------------------------------------------------- */

struct worker {
    struct os *os;
    struct os_process *process;
    struct os_socket *channel;
};

static void start(struct worker *worker)
{
    struct error error = {0};
    worker->os = beck__os_real();
    assert_ok(worker->os->process_start(worker->os, &worker->process, &worker->channel, &error),
              error);
}

static void ask(struct worker *worker, char command, void *data, size_t size)
{
    struct os *os = worker->os;
    struct error error = {0};
    size_t n, at = 0;
    assert_ok(os->send(os, worker->channel, &command, 1, &n, -1, &error), error);
    for (; at < size; at += n)
        assert_ok(os->recv(os, worker->channel, (char *)data + at, size - at, &n, -1, &error),
                  error);
}

static int stop(struct worker *worker)
{
    int code = -1000;
    worker->os->shut(worker->os, worker->channel);
    worker->os->process_wait(worker->os, worker->process, &code);
    return code;
}

static void functions_are_the_same_there(void **state)
{
    (void)state;
    struct worker worker;
    struct function_id ids[IDS], own[IDS];
    start(&worker);
    ask(&worker, 'f', ids, sizeof ids);
    function_ids(worker.os, own);
    for (int i = 0; i < IDS; i++) {
        assert_true(ids[i].module != 0);
        assert_true(ids[i].module == own[i].module && ids[i].offset == own[i].offset);
    }
    assert_ptr_equal(worker.os->function_of(worker.os, ids[1]), constant);
    assert_int_equal(stop(&worker), 0);
}

static void arguments_and_environment_are_the_same(void **state)
{
    (void)state;
    struct worker worker;
    char text[400];
    setenv("BECK_TEST_X", "x y", 1);
    start(&worker);
    ask(&worker, 'a', text, sizeof text);
    assert_string_equal(text, "--a b||unset|x y");
    assert_int_equal(stop(&worker), 0);
    unsetenv("BECK_TEST_X");
}

static void ends_are_told(void **state)
{
    (void)state;
    struct worker worker;
    char byte;
    size_t got;
    start(&worker);
    ask(&worker, 'x', NULL, 0);
    assert_int_equal(worker.os->recv(worker.os, worker.channel, &byte, 1, &got, -1, NULL),
                     BECK_CLOSED);
    assert_int_equal(stop(&worker), 7);
    start(&worker);
    worker.os->process_kill(worker.os, worker.process);
    assert_int_equal(stop(&worker), -SIGKILL);
    worker.os->process_wait(worker.os, NULL, NULL);
}

/* Each state comes: the loops end. */
static void sleep_is_seen(void **state)
{
    (void)state;
    struct worker worker;
    start(&worker);
    for (int i = 0; i < 3; i++) {
        while (!worker.os->process_waits(worker.os, worker.process)) {
        }
        ask(&worker, 'b', NULL, 0);
        while (worker.os->process_waits(worker.os, worker.process)) {
        }
        ask(&worker, '.', NULL, 0);
    }
    worker.os->process_kill(worker.os, worker.process);
    while (worker.os->process_waits(worker.os, worker.process)) { /* until it is known to be dead */
    }
    assert_int_equal(stop(&worker), -SIGKILL);
}

static void many_at_once(void **state)
{
    (void)state;
    struct worker workers[4];
    struct function_id ids[IDS];
    for (int i = 0; i < 4; i++)
        start(&workers[i]);
    for (int i = 3; i >= 0; i--)
        ask(&workers[i], 'f', ids, sizeof ids);
    for (int i = 0; i < 4; i++)
        assert_int_equal(stop(&workers[i]), 0);
}

/* The write end of a pipe is inherited down to the grandchild: its end shows that all are dead. */
static void a_worker_dies_with_its_parent(void **state)
{
    (void)state;
    struct worker worker;
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    start(&worker);
    close(ends[1]);
    ask(&worker, 'g', &byte, 1);
    worker.os->process_kill(worker.os, worker.process);
    assert_int_equal(stop(&worker), -SIGKILL);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
}

struct starter {
    struct worker worker;
    beck_status status;
};

static void start_and_end(void *user)
{
    struct starter *starter = user;
    struct os *os = starter->worker.os;
    starter->status =
        os->process_start(os, &starter->worker.process, &starter->worker.channel, NULL);
}

static void a_worker_outlives_the_thread_that_started_it(void **state)
{
    (void)state;
    struct starter starter = {.worker.os = beck__os_real()};
    struct os *os = starter.worker.os;
    struct function_id ids[IDS];
    struct os_thread *thread = os->thread_start(os, "start", start_and_end, &starter, NULL);
    os->thread_join(os, thread);
    assert_int_equal(starter.status, BECK_OK);
    ask(&starter.worker, 'f', ids, sizeof ids);
    assert_int_equal(stop(&starter.worker), 0);
}

static void without_memory_nothing_leaks(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct worker worker = {.os = os};
    bool started = false;
    for (uint64_t n = 1; !started; n++) {
        beck__os_memory_fail(os, n, false);
        beck_status status = os->process_start(os, &worker.process, &worker.channel, NULL);
        beck__os_memory_fail(os, 0, false);
        started = status == BECK_OK;
        assert_true(started || status == BECK_NO_MEMORY);
        assert_true(n < 100);
    }
    assert_int_equal(stop(&worker), 0);
    assert_null(os->parent_channel(os)); /* this one is no worker */
}

int main(int argc, char **argv)
{
    struct os *os = beck__os_real();
    struct os_socket *channel = os->parent_channel(os);
    if (channel)
        return work(os, channel, argv);
    if (argc == 1) { /* with arguments to look for */
        char *again[] = {argv[0], "--a b", "", NULL};
        execv("/proc/self/exe", again);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        test(functions_are_the_same_there),
        test(arguments_and_environment_are_the_same),
        test(ends_are_told),
        test(sleep_is_seen),
        test(many_at_once),
        test(a_worker_dies_with_its_parent),
        test(a_worker_outlives_the_thread_that_started_it),
        test(without_memory_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
