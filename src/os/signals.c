/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signals.c - SIGINT and SIGTERM add to a counter and wake a poller. The handler touches atomics
 * and an eventfd only; release waits for a handler that runs in another thread, so that the user
 * may free poller and counter afterwards.
 */
#define _GNU_SOURCE
#include "os/real.h"

#include <sched.h>
#include <signal.h>

static const int caught[] = {SIGINT, SIGTERM, SIGPIPE};

static struct {
    pthread_mutex_t mutex;
    bool active;
    struct sigaction old[BECK__COUNT_OF(caught)];
} handlers = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static _Atomic(struct os_poller *) user_poller;
static _Atomic(_Atomic int *) user_count;
static _Atomic int running;

static void on_signal(int number)
{
    (void)number;
    atomic_fetch_add(&running, 1);
    _Atomic int *count = atomic_load(&user_count);
    struct os_poller *poller = atomic_load(&user_poller);
    if (count && poller) {
        atomic_fetch_add(count, 1);
        struct os *os = beck__os_real();
        os->poller_wake(os, poller);
    }
    atomic_fetch_sub(&running, 1);
}

/* Afterwards no handler knows the user that was. */
static void forget_user(void)
{
    atomic_store(&user_count, NULL);
    atomic_store(&user_poller, NULL);
    while (atomic_load(&running))
        sched_yield();
}

static void signals_catch(struct os *os, struct os_poller *poller, _Atomic int *count)
{
    (void)os;
    pthread_mutex_lock(&handlers.mutex);
    forget_user();
    atomic_store(&user_poller, poller);
    atomic_store(&user_count, count);
    for (size_t i = 0; !handlers.active && i < BECK__COUNT_OF(caught); i++) {
        struct sigaction action = {.sa_flags = SA_RESTART};
        action.sa_handler = caught[i] == SIGPIPE ? SIG_IGN : on_signal;
        sigemptyset(&action.sa_mask);
        sigaction(caught[i], &action, &handlers.old[i]);
    }
    handlers.active = true;
    pthread_mutex_unlock(&handlers.mutex);
}

static void signals_release(struct os *os)
{
    (void)os;
    pthread_mutex_lock(&handlers.mutex);
    for (size_t i = 0; handlers.active && i < BECK__COUNT_OF(caught); i++)
        sigaction(caught[i], &handlers.old[i], NULL);
    handlers.active = false;
    forget_user();
    pthread_mutex_unlock(&handlers.mutex);
}

void beck__real_signals(struct os *os)
{
    os->signals_catch = signals_catch;
    os->signals_release = signals_release;
}
