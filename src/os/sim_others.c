/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_others.c - the calls with little behind them in the simulated world: no files, no processes,
 * no signals, no environment; seeded randomness; printed text goes into a struct text.
 */
#define _GNU_SOURCE
#include "os/sim.h"

#include "os/real.h"

#define CPUS 2

static beck_status no_files(struct os *os, const char *verb, const char *path, struct error *error)
{
    beck__sim_enter(os, SIM_OTHER);
    return beck__error_set(error, BECK_UNSUPPORTED, "%s %s: there are no files in the simulation",
                           verb, path);
}

static beck_status file_open(struct os *os, const char *path, enum os_open how,
                             struct os_file **file, struct error *error)
{
    *file = NULL;
    return no_files(os, how == OS_READ ? "open" : "create", path, error);
}

static beck_status file_read(struct os *os, struct os_file *file, uint64_t at, void *data,
                             size_t size, size_t *got, struct error *error)
{
    (void)file, (void)at, (void)data, (void)size;
    *got = 0;
    return no_files(os, "read", "a file", error);
}

static beck_status file_write(struct os *os, struct os_file *file, const void *data, size_t size,
                              struct error *error)
{
    (void)file, (void)data, (void)size;
    return no_files(os, "write", "a file", error);
}

static beck_status file_sync(struct os *os, struct os_file *file, struct error *error)
{
    (void)file;
    return no_files(os, "sync", "a file", error);
}

static beck_status file_close(struct os *os, struct os_file *file, struct error *error)
{
    return file ? no_files(os, "close", "a file", error) : BECK_OK;
}

static beck_status path_stat(struct os *os, const char *path, struct os_stat *stat,
                             struct error *error)
{
    memset(stat, 0, sizeof *stat);
    return no_files(os, "stat", path, error);
}

static beck_status path_rename(struct os *os, const char *from, const char *to, struct error *error)
{
    (void)to;
    return no_files(os, "rename", from, error);
}

static beck_status path_remove(struct os *os, const char *path, struct error *error)
{
    return no_files(os, "remove", path, error);
}

static beck_status path_mkdir(struct os *os, const char *path, struct error *error)
{
    return no_files(os, "make directory", path, error);
}

static beck_status path_sync_dir(struct os *os, const char *path, struct error *error)
{
    return no_files(os, "sync directory", path, error);
}

static beck_status path_list(struct os *os, const char *path, struct arena *arena, char ***names,
                             size_t *count, struct error *error)
{
    (void)arena;
    *names = NULL;
    *count = 0;
    return no_files(os, "list", path, error);
}

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

static void process_kill(struct os *os, struct os_process *process)
{
    (void)os, (void)process;
    assert(!process);
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
    os->open = file_open;
    os->read = file_read;
    os->write = file_write;
    os->sync = file_sync;
    os->close = file_close;
    os->stat = path_stat;
    os->rename = path_rename;
    os->remove = path_remove;
    os->mkdir = path_mkdir;
    os->sync_dir = path_sync_dir;
    os->list = path_list;
    os->signals_catch = signals_catch;
    os->signals_release = signals_release;
    os->process_start = process_start;
    os->parent_channel = parent_channel;
    os->process_kill = process_kill;
    os->process_wait = process_wait;
    os->exit = leave;
    os->random = random_bytes;
    os->env = env;
    os->print = print;
    os->cpu_count = cpu_count;
    beck__real_functions(os); /* the addresses of this process are what they are */
}
