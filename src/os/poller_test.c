/* SPDX-License-Identifier: Apache-2.0 */
/* Wakes, early and from other threads; timeouts; many sockets. */
#include "os/testing.h"

#define MANY 40

static void an_early_wake_is_remembered_once(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct os_poller *poller = os->poller_new(os);
    assert_false(os->poller_wait(os, poller, NULL, 0, 0));
    os->poller_wake(os, poller);
    os->poller_wake(os, poller);
    assert_true(os->poller_wait(os, poller, NULL, 0, -1));
    assert_false(os->poller_wait(os, poller, NULL, 0, 0));
    int64_t before = os->mono_ns(os);
    assert_false(os->poller_wait(os, poller, NULL, 0, 1000000));
    assert_true(os->mono_ns(os) >= before + 1000000);
    os->poller_free(os, poller);
    os->poller_free(os, NULL);
}

struct ball {
    struct os *os;
    struct os_poller *here, *there;
    int hits; /* plain: the wakes order the accesses */
};

static void return_ball(void *user)
{
    struct ball *ball = user;
    struct os *os = ball->os;
    for (int i = 0; i < 1000; i++) {
        while (!os->poller_wait(os, ball->there, NULL, 0, -1)) {
        }
        ball->hits++;
        os->poller_wake(os, ball->here);
    }
}

static void wakes_go_between_threads(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct ball ball = {.os = os, .here = os->poller_new(os), .there = os->poller_new(os)};
    struct os_thread *thread = os->thread_start(os, "return", return_ball, &ball, NULL);
    for (int i = 0; i < 1000; i++) {
        ball.hits++;
        os->poller_wake(os, ball.there);
        while (!os->poller_wait(os, ball.here, NULL, 0, -1)) {
        }
        assert_int_equal(ball.hits, 2 * i + 2);
    }
    os->thread_join(os, thread);
    os->poller_free(os, ball.here);
    os->poller_free(os, ball.there);
}

static void one_of_many_is_found(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct error error = {0};
    struct os_wait waits[MANY];
    struct os_poller *poller = os->poller_new(os);
    struct os_socket *socket;
    int ports[MANY];
    memset(waits, 0, sizeof waits);
    for (int i = 0; i < MANY; i++) {
        assert_ok(os->listen(os, "127.0.0.1", 0, &waits[i].socket, &ports[i], &error), error);
        waits[i].read = true;
    }
    assert_false(os->poller_wait(os, poller, waits, MANY, 0));
    assert_ok(os->connect(os, "127.0.0.1", ports[33], &socket, &error), error);
    assert_true(os->poller_wait(os, poller, waits, MANY, -1));
    for (int i = 0; i < MANY; i++)
        assert_int_equal(waits[i].ready, i == 33);
    waits[33].read = false; /* asked for nothing: it does not end the wait */
    assert_false(os->poller_wait(os, poller, waits, MANY, 0));
    assert_false(waits[33].ready);
    os->shut(os, socket);
    os->poller_free(os, poller);

    poller = os->poller_new(os);
    beck__os_memory_fail(os, 1, true); /* looks at the first ones, and still wakes */
    waits[33].read = true;
    assert_false(os->poller_wait(os, poller, waits, MANY, 0));
    os->poller_wake(os, poller);
    assert_true(os->poller_wait(os, poller, waits, MANY, -1));
    beck__os_memory_fail(os, 0, false);
    os->poller_free(os, poller);
    for (int i = 0; i < MANY; i++)
        os->shut(os, waits[i].socket);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(an_early_wake_is_remembered_once),
        test(wakes_go_between_threads),
        test(one_of_many_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
