/* SPDX-License-Identifier: Apache-2.0 */
/*
 * real.c - puts the real implementation together; the os of a thread; errors from errno; and the
 * calls that are too small for a file of their own.
 */
#define _GNU_SOURCE
#include "os/real.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

static _Thread_local struct os *current; /* NULL: the real one */

static beck_status status_of(int code)
{
    switch (code) {
    case ENOMEM:
        return BECK_NO_MEMORY;
    case EEXIST:
    case ENOTEMPTY:
        return BECK_EXISTS;
    case ENOENT:
    case ENOTDIR:
        return BECK_NOT_FOUND;
    case EINVAL:
        return BECK_INVALID;
    case EBUSY:
        return BECK_STATE;
    case EOPNOTSUPP:
    case ENOSYS:
        return BECK_UNSUPPORTED;
    case EPIPE:
    case ECONNRESET:
        return BECK_CLOSED;
    case ETIMEDOUT:
        return BECK_TIMEOUT;
    default:
        return BECK_IO;
    }
}

beck_status beck__os_fail(struct error *error, int code, const char *format, ...)
{
    char what[sizeof error->text], reason[100];
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    return beck__error_set(error, status_of(code), "%s: %s", what,
                           strerror_r(code, reason, sizeof reason));
}

static void random_bytes(struct os *os, void *data, size_t size)
{
    (void)os;
    char *at = data;
    while (size) {
        ssize_t got = getrandom(at, size, 0);
        assert(got > 0 || errno == EINTR);
        if (got > 0) {
            at += got;
            size -= (size_t)got;
        }
    }
}

static const char *env(struct os *os, const char *name)
{
    (void)os;
    return getenv(name);
}

static const char *env_at(struct os *os, size_t i)
{
    (void)os;
    return environ ? environ[i] : NULL;
}

/* What cannot be written is dropped: there is nowhere to say so. */
static void print(struct os *os, int stream, const char *data, size_t size)
{
    (void)os;
    if (stream == 1)
        fflush(stdout); /* what the program itself has printed comes first */
    while (size) {
        ssize_t wrote = write(stream, data, size);
        if (wrote > 0) {
            data += wrote;
            size -= (size_t)wrote;
        } else if (wrote < 0 && errno == EAGAIN) {
            beck__poll_one(stream, POLLOUT, -1);
        } else if (wrote == 0 || errno != EINTR) {
            return;
        }
    }
}

static int cpu_count(struct os *os)
{
    (void)os;
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
}

static void leave(struct os *os, int code)
{
    (void)os;
    exit(code);
}

static struct os real;

static void make_real(void)
{
    beck__real_memory(&real);
    beck__real_clock(&real);
    beck__real_threads(&real);
    beck__real_files(&real);
    beck__real_sockets(&real);
    beck__real_poller(&real);
    beck__real_signals(&real);
    beck__real_processes(&real);
    beck__real_functions(&real);
    real.exit = leave;
    real.random = random_bytes;
    real.env = env;
    real.env_at = env_at;
    real.print = print;
    real.cpu_count = cpu_count;
}

struct os *beck__os_real(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_real);
    return &real;
}

struct os *beck__os_current(void)
{
    return current ? current : beck__os_real();
}

void beck__os_enter(struct os *os)
{
    current = os;
}
