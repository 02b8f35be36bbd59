/* SPDX-License-Identifier: Apache-2.0 */
/* Signals count and wake; handlers come and go. */
#define _GNU_SOURCE
#include "os/testing.h"

#include <signal.h>

static _Atomic int own_signals;

static void own_handler(int number)
{
    (void)number;
    own_signals++;
}

static void signals_count_and_wake(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct os_poller *poller = os->poller_new(os);
    _Atomic int count = 0;
    os->signals_catch(os, poller, &count);
    raise(SIGINT);
    assert_int_equal(count, 1);
    assert_true(os->poller_wait(os, poller, NULL, 0, -1));
    raise(SIGTERM);
    raise(SIGINT);
    raise(SIGPIPE);
    assert_int_equal(count, 3);
    assert_true(os->poller_wait(os, poller, NULL, 0, -1));
    os->signals_release(os);
    os->poller_free(os, poller);
}

static void old_handlers_come_back(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct os_poller *first = os->poller_new(os), *newest = os->poller_new(os);
    _Atomic int first_count = 0, newest_count = 0;
    struct sigaction own = {.sa_handler = own_handler}, now;
    sigaction(SIGTERM, &own, NULL);
    os->signals_catch(os, first, &first_count);
    os->signals_catch(os, newest, &newest_count);
    raise(SIGTERM);
    assert_int_equal(first_count, 0);
    assert_int_equal(newest_count, 1);
    assert_int_equal(own_signals, 0);
    os->signals_release(os);
    os->signals_release(os); /* the first user: nothing is left to release */
    raise(SIGTERM);
    assert_int_equal(newest_count, 1);
    assert_int_equal(own_signals, 1);
    sigaction(SIGPIPE, NULL, &now);
    assert_true(now.sa_handler == SIG_DFL);
    os->poller_free(os, first);
    os->poller_free(os, newest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(signals_count_and_wake),
        test(old_handlers_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
