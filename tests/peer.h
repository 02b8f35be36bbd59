/* SPDX-License-Identifier: Apache-2.0 */
/* A server in a simulated world, on a thread of its own: one client after the other. */
#ifndef BECK_TESTS_PEER_H
#define BECK_TESTS_PEER_H

#include "driver/testing.h"

struct peer {
    struct os *os;
    int port;
    int64_t look_ns; /* how often it looks whether it is to stop */
    void (*serve)(struct peer *p, struct os_socket *client);
    _Atomic bool stop;
    struct os_thread *thread;
};

static inline void peer_main(void *user)
{
    struct peer *p = user;
    struct os *os = p->os;
    struct os_poller *poller = os->poller_new(os);
    struct os_socket *listener, *client;
    int bound;

    assert(!os->listen(os, "localhost", p->port, &listener, &bound, NULL));
    while (!p->stop) {
        struct os_wait wait = {.socket = listener, .read = true};
        os->poller_wait(os, poller, &wait, 1, p->look_ns);
        if (os->accept(os, listener, &client, NULL))
            continue;
        p->serve(p, client);
        os->shut(os, client);
    }
    os->shut(os, listener);
    os->poller_free(os, poller);
}

/* Port, look_ns and serve are set. */
static inline void peer_start(struct peer *p, const char *name)
{
    p->os = beck__os_current();
    p->thread = p->os->thread_start(p->os, name, peer_main, p, NULL);
}

static inline void peer_stop(struct peer *p)
{
    p->stop = true;
    p->os->thread_join(p->os, p->thread);
}

#endif
