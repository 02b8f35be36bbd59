/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.c - the clocks of the kernel.
 */
#define _GNU_SOURCE
#include "os/real.h"

#include <errno.h>
#include <time.h>

#define SECOND 1000000000

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

struct timespec beck__timespec(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
}

int64_t beck__mono_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static int64_t mono_ns(struct os *os)
{
    (void)os;
    return beck__mono_ns();
}

static int64_t wall_ms(struct os *os)
{
    (void)os;
    return clock_ns(CLOCK_REALTIME) / 1000000;
}

static int64_t cpu_ns(struct os *os)
{
    (void)os;
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void sleep_ns(struct os *os, int64_t ns)
{
    (void)os;
    if (ns <= 0)
        return;
    struct timespec until = beck__timespec(beck__mono_ns() + ns);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

void beck__real_clock(struct os *os)
{
    os->mono_ns = mono_ns;
    os->wall_ms = wall_ms;
    os->cpu_ns = cpu_ns;
    os->sleep_ns = sleep_ns;
}
