/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poller.c - waiting for sockets with ppoll, woken through an eventfd. `woken` saves the write when
 * a wake is under way already; both are safe in a signal handler.
 */
#define _GNU_SOURCE
#include "os/real.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define FEW 16 /* sockets that are waited for without memory */

struct os_poller {
    int event;
    _Atomic bool woken;
    struct pollfd *many; /* when there are more than FEW */
    size_t capacity;
};

static struct os_poller *poller_new(struct os *os)
{
    struct os_poller *poller = beck__alloc_zero(&os->memory, sizeof *poller);
    if (!poller)
        return NULL;
    poller->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (poller->event < 0) {
        beck__free(&os->memory, poller, sizeof *poller);
        return NULL;
    }
    return poller;
}

static void poller_free(struct os *os, struct os_poller *poller)
{
    if (!poller)
        return;
    close(poller->event);
    beck__free(&os->memory, poller->many, poller->capacity * sizeof *poller->many);
    beck__free(&os->memory, poller, sizeof *poller);
}

static void poller_wake(struct os *os, struct os_poller *poller)
{
    (void)os;
    if (atomic_exchange(&poller->woken, true))
        return;
    int code = errno; /* of what a signal handler has interrupted */
    ssize_t wrote = write(poller->event, &(uint64_t){1}, sizeof(uint64_t));
    assert(wrote == sizeof(uint64_t));
    (void)wrote;
    errno = code;
}

/* True once per wake. The event is read before `woken` falls: a wake in between writes nothing, but
 * the waiter returns and sees what the waker has done before. */
static bool take_wake(struct os_poller *poller)
{
    uint64_t count;
    ssize_t got = read(poller->event, &count, sizeof count);
    (void)got;
    return atomic_exchange(&poller->woken, false);
}

/* ppoll until the time is over, whatever signals come. */
static int poll_until(struct pollfd *fds, size_t count, int64_t timeout_ns)
{
    int64_t now = timeout_ns > 0 ? beck__mono_ns() : 0;
    bool ever = timeout_ns < 0 || timeout_ns > INT64_MAX - now;
    int64_t until = ever ? 0 : now + timeout_ns;
    for (int64_t left = timeout_ns;;) {
        struct timespec wait = beck__timespec(ever ? 0 : left);
        int ready = ppoll(fds, count, ever ? NULL : &wait, NULL);
        if (ready >= 0 || errno != EINTR)
            return ready;
        left = ever || timeout_ns == 0 ? 0 : until - beck__mono_ns();
        if (!ever && left <= 0)
            left = 0;
    }
}

int beck__poll_one(int fd, short events, int64_t timeout_ns)
{
    struct pollfd one = {.fd = fd, .events = events};
    int ready = poll_until(&one, 1, timeout_ns);
    return ready < 0 ? -errno : ready;
}

static void ask(struct pollfd *fd, const struct os_wait *wait)
{
    fd->events = (short)((wait->read ? POLLIN : 0) | (wait->write ? POLLOUT : 0));
    fd->revents = 0;
    /* one that is asked for nothing must not end the wait because it is broken */
    fd->fd = wait->socket && fd->events ? wait->socket->fd : -1;
}

static bool poller_wait(struct os *os, struct os_poller *poller, struct os_wait *waits,
                        size_t count, int64_t timeout_ns)
{
    struct pollfd few[FEW + 1], *fds = few;
    for (size_t i = 0; i < count; i++)
        waits[i].ready = false;
    if (count > FEW) {
        void *many = poller->many;
        if (!beck__vector_reserve(&os->memory, &many, &poller->capacity, count + 1, sizeof *fds)) {
            count = FEW; /* the first ones, rather than none */
        } else {
            fds = poller->many = many;
        }
    }
    for (size_t i = 0; i < count; i++)
        ask(&fds[i], &waits[i]);
    fds[count] = (struct pollfd){.fd = poller->event, .events = POLLIN};
    int ready = poll_until(fds, count + 1, timeout_ns);
    for (size_t i = 0; i < count; i++)
        waits[i].ready = fds[i].revents != 0;
    if (ready <= 0)
        return false;
    return (fds[count].revents && take_wake(poller)) || ready > (fds[count].revents != 0);
}

void beck__real_poller(struct os *os)
{
    os->poller_new = poller_new;
    os->poller_free = poller_free;
    os->poller_wait = poller_wait;
    os->poller_wake = poller_wake;
}
