/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_others.c - the calls with little behind them in the simulated world: no processes, no
 * signals, no environment; seeded randomness; printed text goes into a struct text.
 */
#define _GNU_SOURCE
#include "os/sim.h"

#include "os/real.h"

#define CPUS 2

static void signals_catch(struct os *os, struct os_poller *poller, _Atomic int *count)
{
    (void)poller, (void)count;
    beck__sim_enter(os, SIM_OTHER);
}

static void signals_release(struct os *os)
{
    beck__sim_enter(os, SIM_OTHER);
}

static beck_status process_start(struct os *os, struct os_process **process,
                                 struct os_socket **channel, struct error *error)
{
    beck__sim_enter(os, SIM_OTHER);
    *process = NULL;
    *channel = NULL;
    return beck__error_set(error, BECK_UNSUPPORTED,
                           "start process: there are no processes in the simulation");
}

static struct os_socket *parent_channel(struct os *os)
{
    beck__sim_enter(os, SIM_OTHER);
    return NULL;
}

static beck_status input(struct os *os, struct os_socket **socket, struct error *error)
{
    beck__sim_enter(os, SIM_OTHER);
    *socket = NULL;
    return beck__error_set(error, BECK_UNSUPPORTED,
                           "open standard input: there is none in the simulation");
}

static void process_kill(struct os *os, struct os_process *process)
{
    (void)os, (void)process;
    assert(!process);
}

static bool process_waits(struct os *os, struct os_process *process)
{
    (void)os, (void)process;
    assert(!process);
    return false;
}

static void process_wait(struct os *os, struct os_process *process, int *code)
{
    (void)os, (void)process;
    assert(!process);
    if (code)
        *code = 0;
}

/* A simulated program that exits ends its world, not the process. */
static void leave(struct os *os, int code)
{
    struct world *world = beck__sim_enter(os, SIM_OTHER);
    beck__sim_trace(world, (uint64_t)(int64_t)code);
    beck__sim_stop(world, BECK_CANCELLED, "a thread asked for the end of the process");
    beck__sim_enter(os, SIM_OTHER);
}

static void random_bytes(struct os *os, void *data, size_t size)
{
    struct world *world = beck__sim_enter(os, SIM_RANDOM);
    char *at = data;
    while (size) {
        uint64_t x = beck__sim_next(&world->user);
        size_t step = size < sizeof x ? size : sizeof x;
        memcpy(at, &x, step);
        at += step;
        size -= step;
    }
}

static const char *env(struct os *os, const char *name)
{
    (void)name;
    beck__sim_enter(os, SIM_OTHER);
    return NULL;
}

static const char *env_at(struct os *os, size_t i)
{
    (void)os, (void)i;
    return NULL;
}

static void print(struct os *os, int stream, const char *data, size_t size)
{
    struct world *world = beck__sim_enter(os, SIM_PRINT);
    beck__sim_trace(world, (uint64_t)stream);
    beck__sim_trace_bytes(world, data, size);
    if (world->out)
        beck__text_append(world->out, data, size);
}

static int cpu_count(struct os *os)
{
    beck__sim_enter(os, SIM_OTHER);
    return CPUS;
}

void beck__sim_others(struct os *os)
{
    os->signals_catch = signals_catch;
    os->signals_release = signals_release;
    os->input = input;
    os->process_start = process_start;
    os->parent_channel = parent_channel;
    os->process_kill = process_kill;
    os->process_waits = process_waits;
    os->process_wait = process_wait;
    os->exit = leave;
    os->random = random_bytes;
    os->env = env;
    os->env_at = env_at;
    os->print = print;
    os->cpu_count = cpu_count;
    beck__real_functions(os); /* the addresses of this process are what they are */
}
