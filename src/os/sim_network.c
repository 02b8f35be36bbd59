/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_network.c - sockets and pollers of the simulated world: a loopback network by port number,
 * the same for every host name.
 *
 *     connect ---- delay ----> pending at the listener, accept
 *     established <--- delay ---'
 *     send ---- delay ----> segment, segment, ...   in order, cut anywhere
 *     shut ---- delay ----> end, or a reset if there were unread bytes
 *
 * Everything that is on its way has a time of arrival; what is "there" depends on the clock alone,
 * so there are no events to keep. A reset loses what is on its way. In one of four resets the other
 * side hears nothing for a minute (a half-open connection, then keep-alive finds out). Who waits
 * for the network waits on world->network and looks again after every change.
 */
#include "os/sim.h"

#include <stdio.h>

#define ROOM          ((size_t)64 << 10) /* bytes on their way, or not read */
#define BACKLOG       128
#define FIRST_PORT    49152
#define KEEP_ALIVE_NS ((int64_t)60 * 1000000000)

struct segment {
    struct sim_object object;
    struct segment *next;
    int64_t arrival;
    size_t size, at;
    char data[];
};

struct sim_socket {
    struct sim_object object;
    char name[64];
    int port;
    /* a listener */
    bool listens;
    struct sim_socket *next;    /* in world->listeners; of one that is pending */
    struct sim_socket *pending; /* connections to accept, in order of connect */
    /* a connection */
    struct sim_socket *peer; /* NULL: gone */
    bool refused;
    int64_t established;              /* from then on it can be used, or accepted */
    struct segment *segments, **last; /* on their way to this socket, in order */
    size_t queued;
    int64_t newest; /* arrival of what was sent last */
    int64_t end, reset;
};

/* ---- time ---------------------------------------------------------------------------------- */

static int64_t delay(struct world *world)
{
    return (int64_t)beck__sim_below(&world->network, (uint64_t)world->config->delay_ns_max + 1);
}

/* When what is sent to the socket now arrives: never before what was sent earlier. */
static int64_t arrival_at(struct world *world, struct sim_socket *socket)
{
    int64_t arrival = world->now + delay(world);
    if (arrival < socket->newest)
        arrival = socket->newest;
    socket->newest = arrival;
    return arrival;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static const struct sim_socket *first_pending(const struct sim_socket *listener)
{
    const struct sim_socket *first = listener->pending;
    for (const struct sim_socket *s = first; s; s = s->next)
        if (s->established < first->established)
            first = s;
    return first;
}

/* From when on a read, or an accept, has something to say. */
static int64_t readable_at(const struct sim_socket *socket)
{
    if (socket->listens) {
        const struct sim_socket *first = first_pending(socket);
        return first ? first->established : BECK__NEVER;
    }
    if (socket->refused)
        return socket->established;
    int64_t at = least(socket->end, socket->reset);
    return socket->segments ? least(at, socket->segments->arrival) : at;
}

static int64_t writable_at(const struct sim_socket *socket)
{
    if (socket->listens)
        return BECK__NEVER;
    if (socket->refused || !socket->peer || socket->peer->queued < ROOM)
        return socket->established;
    return socket->reset;
}

static void changed(struct world *world)
{
    beck__sim_wake(world, &world->network, true);
}

/* Waits until `at`, or until the network changes, but not over `until`; false if that has come. */
static bool wait_for(struct world *world, const char *what, int64_t at, int64_t until)
{
    if (until <= world->now)
        return false;
    beck__sim_block(world, &world->network, what, least(at, until));
    return true;
}

/* ---- making and breaking connections ------------------------------------------------------- */

static struct sim_socket *new_socket(struct world *world, const char *host, int port)
{
    struct sim_socket *socket = beck__sim_new(world, sizeof *socket);
    if (!socket)
        return NULL;
    socket->last = &socket->segments;
    socket->end = socket->reset = BECK__NEVER;
    socket->port = port;
    snprintf(socket->name, sizeof socket->name, "%.40s:%d", host ? host : "*", port);
    return socket;
}

/* Forgets what arrives after `arrival`. */
static void drop_segments(struct world *world, struct sim_socket *socket, int64_t arrival)
{
    struct segment **link = &socket->segments;
    while (*link && (*link)->arrival <= arrival)
        link = &(*link)->next;
    struct segment *late = *link;
    *link = NULL;
    socket->last = link;
    while (late) {
        struct segment *next = late->next;
        socket->queued -= late->size - late->at;
        beck__sim_free(world, late);
        late = next;
    }
}

/* The connection breaks at this socket; the other side hears of it late, or very late. */
static void reset(struct world *world, struct sim_socket *socket)
{
    struct sim_socket *peer = socket->peer;
    socket->reset = world->now;
    socket->peer = NULL;
    drop_segments(world, socket, world->now);
    if (!peer)
        return;
    bool silent = beck__sim_chance(&world->network, 1, 4);
    drop_segments(world, peer, world->now);
    peer->reset = world->now + (silent ? KEEP_ALIVE_NS : delay(world));
    peer->peer = NULL;
}

static void close_connection(struct world *world, struct sim_socket *socket)
{
    struct sim_socket *peer = socket->peer;
    if (peer && socket->segments)
        peer->reset = arrival_at(world, peer); /* what was not read is lost, and the peer is told */
    else if (peer)
        peer->end = arrival_at(world, peer);
    if (peer)
        peer->peer = NULL;
    drop_segments(world, socket, -1);
}

static void close_listener(struct world *world, struct sim_socket *listener)
{
    struct sim_socket **link = &world->listeners;
    while (*link != listener)
        link = &(*link)->next;
    *link = listener->next;
    while (listener->pending) {
        struct sim_socket *socket = listener->pending;
        listener->pending = socket->next;
        reset(world, socket);
        beck__sim_free(world, socket);
    }
}

static void shut(struct os *os, struct os_socket *handle)
{
    struct sim_socket *socket = (struct sim_socket *)handle;
    if (!socket)
        return;
    struct world *world = beck__sim_enter(os, SIM_SHUT);
    if (socket->listens)
        close_listener(world, socket);
    else
        close_connection(world, socket);
    beck__sim_free(world, socket);
    changed(world);
}

static struct sim_socket *listener_at(const struct world *world, int port)
{
    struct sim_socket *listener = world->listeners;
    while (listener && listener->port != port)
        listener = listener->next;
    return listener;
}

static int next_port(struct world *world)
{
    return FIRST_PORT + world->ports++ % (65536 - FIRST_PORT);
}

static beck_status check_port(const char *verb, const char *host, int port, struct error *error)
{
    if (port >= 0 && port <= 65535)
        return BECK_OK;
    return beck__error_set(error, BECK_INVALID, "%s %s:%d: a port is a number from 0 to 65535",
                           verb, host ? host : "*", port);
}

static beck_status socket_listen(struct os *os, const char *host, int port,
                                 struct os_socket **result, int *bound, struct error *error)
{
    struct world *world = beck__sim_enter(os, SIM_LISTEN);
    *result = NULL;
    beck_status status = check_port("listen on", host, port, error);
    if (status)
        return status;
    if (port && listener_at(world, port))
        return beck__error_set(error, BECK_IO, "listen on %s:%d: Address already in use",
                               host ? host : "*", port);
    while (!port || listener_at(world, port))
        port = next_port(world);
    struct sim_socket *listener = new_socket(world, host, port);
    if (!listener)
        return beck__error_memory(error, "a socket", sizeof *listener);
    listener->listens = true;
    listener->next = world->listeners;
    world->listeners = listener;
    beck__sim_trace(world, (uint64_t)port);
    if (bound)
        *bound = port;
    *result = (struct os_socket *)listener;
    return BECK_OK;
}

static beck_status socket_accept(struct os *os, struct os_socket *handle, struct os_socket **result,
                                 struct error *error)
{
    (void)error;
    struct world *world = beck__sim_enter(os, SIM_ACCEPT);
    struct sim_socket *listener = (struct sim_socket *)handle;
    assert(listener->listens);
    const struct sim_socket *first = first_pending(listener);
    *result = NULL;
    if (!first || first->established > world->now)
        return BECK_AGAIN;
    struct sim_socket **link = &listener->pending;
    while (*link != first)
        link = &(*link)->next;
    struct sim_socket *socket = *link;
    *link = socket->next;
    socket->next = NULL;
    *result = (struct os_socket *)socket;
    return BECK_OK;
}

/* The far end of a new connection, on its way to the listener. False without memory. */
static bool join(struct world *world, struct sim_socket *listener, struct sim_socket *socket)
{
    struct sim_socket *peer = new_socket(world, "127.0.0.1", next_port(world));
    if (!peer)
        return false;
    peer->peer = socket;
    socket->peer = peer;
    peer->established = peer->newest = world->now + delay(world);
    socket->established = socket->newest = peer->established + delay(world);
    struct sim_socket **end = &listener->pending;
    while (*end)
        end = &(*end)->next;
    *end = peer;
    return true;
}

static bool is_full(const struct sim_socket *listener)
{
    int count = 0;
    for (const struct sim_socket *s = listener->pending; s; s = s->next)
        count++;
    return count >= BACKLOG;
}

static beck_status socket_connect(struct os *os, const char *host, int port,
                                  struct os_socket **result, struct error *error)
{
    struct world *world = beck__sim_enter(os, SIM_CONNECT);
    *result = NULL;
    beck__sim_trace(world, (uint64_t)port);
    beck_status status = check_port("connect to", host, port, error);
    if (status)
        return status;
    struct sim_socket *socket = new_socket(world, host, port);
    if (!socket)
        return beck__error_memory(error, "a socket", sizeof *socket);
    struct sim_socket *listener = listener_at(world, port);
    socket->refused = !listener || is_full(listener) ||
                      beck__sim_chance(&world->network, world->config->refuse_per_mille, 1000);
    if (socket->refused) {
        socket->established = world->now + delay(world);
    } else if (!join(world, listener, socket)) {
        beck__sim_free(world, socket);
        return beck__error_memory(error, "a socket", sizeof *socket);
    }
    changed(world);
    *result = (struct os_socket *)socket;
    return BECK_OK;
}

static beck_status fail_refused(const struct sim_socket *socket, struct error *error)
{
    return beck__error_set(error, BECK_IO, "connect to %s: Connection refused", socket->name);
}

static beck_status connected(struct os *os, struct os_socket *handle, struct error *error)
{
    struct world *world = beck__sim_enter(os, SIM_CONNECTED);
    const struct sim_socket *socket = (struct sim_socket *)handle;
    if (socket->established > world->now)
        return BECK_AGAIN;
    return socket->refused ? fail_refused(socket, error) : BECK_OK;
}

/* ---- data ---------------------------------------------------------------------------------- */

static beck_status fail_reset(const char *verb, const struct sim_socket *socket,
                              struct error *error)
{
    return beck__error_set(error, BECK_CLOSED, "%s %s: Connection reset by peer", verb,
                           socket->name);
}

/* One segment, or a part of it where the seed cuts. The number of bytes; 0 without memory. */
static size_t send_segment(struct world *world, struct sim_socket *peer, const char *data,
                           size_t size)
{
    if (beck__sim_chance(&world->network, 1, 3))
        size = 1 + (size_t)beck__sim_below(&world->network, size);
    struct segment *segment = beck__sim_new(world, sizeof *segment + size);
    if (!segment)
        return 0;
    memcpy(segment->data, data, size);
    segment->size = size;
    segment->arrival = arrival_at(world, peer);
    *peer->last = segment;
    peer->last = &segment->next;
    peer->queued += size;
    beck__sim_trace_bytes(world, data, size);
    beck__sim_trace(world, (uint64_t)segment->arrival);
    changed(world);
    return size;
}

/* Sends what there is room for; BECK_AGAIN if there is none. */
static beck_status send_some(struct world *world, struct sim_socket *socket, const char *data,
                             size_t size, size_t *sent, struct error *error)
{
    if (socket->established > world->now)
        return BECK_AGAIN;
    if (socket->refused)
        return fail_refused(socket, error);
    if (socket->reset <= world->now)
        return fail_reset("send to", socket, error);
    if (beck__sim_chance(&world->network, world->config->reset_per_mille, 1000)) {
        reset(world, socket);
        changed(world);
        return fail_reset("send to", socket, error);
    }
    if (!socket->peer) { /* nobody is there any more: the bytes are lost, the answer is a reset */
        socket->reset = least(socket->reset, world->now + delay(world));
        *sent = size;
        return BECK_OK;
    }
    size_t room = ROOM - socket->peer->queued;
    if (!room)
        return BECK_AGAIN;
    *sent = send_segment(world, socket->peer, data, size < room ? size : room);
    return *sent ? BECK_OK : beck__error_memory(error, "a message", size);
}

static beck_status socket_send(struct os *os, struct os_socket *handle, const void *data,
                               size_t size, size_t *sent, int64_t timeout_ns, struct error *error)
{
    struct world *world = beck__sim_enter(os, SIM_SEND);
    struct sim_socket *socket = (struct sim_socket *)handle;
    int64_t until = beck__sim_until(world, timeout_ns);
    *sent = 0;
    while (*sent < size) {
        size_t more = 0;
        beck_status status =
            send_some(world, socket, (const char *)data + *sent, size - *sent, &more, error);
        *sent += more;
        if (!status && !timeout_ns && beck__sim_chance(&world->network, 1, 4))
            break; /* a short write */
        if (status == BECK_AGAIN && wait_for(world, "room to send", writable_at(socket), until))
            continue;
        if (status == BECK_AGAIN && *sent)
            break;
        if (status)
            return status;
    }
    return BECK_OK;
}

/* Takes what has arrived, sometimes less of it. */
static size_t take_bytes(struct world *world, struct sim_socket *socket, char *data, size_t size)
{
    size_t got = 0;
    if (beck__sim_chance(&world->network, 1, 8))
        size = 1 + (size_t)beck__sim_below(&world->network, size);
    while (got < size && socket->segments && socket->segments->arrival <= world->now) {
        struct segment *segment = socket->segments;
        size_t n = segment->size - segment->at;
        if (n > size - got)
            n = size - got;
        memcpy(data + got, segment->data + segment->at, n);
        segment->at += n;
        got += n;
        socket->queued -= n;
        if (segment->at < segment->size)
            break;
        socket->segments = segment->next;
        if (!socket->segments)
            socket->last = &socket->segments;
        beck__sim_free(world, segment);
    }
    return got;
}

static beck_status recv_some(struct world *world, struct sim_socket *socket, void *data,
                             size_t size, size_t *got, struct error *error)
{
    *got = take_bytes(world, socket, data, size);
    if (*got) {
        beck__sim_trace_bytes(world, data, *got);
        changed(world);
        return BECK_OK;
    }
    if (socket->refused && socket->established <= world->now)
        return fail_refused(socket, error);
    if (socket->reset <= world->now)
        return fail_reset("receive from", socket, error);
    if (socket->end <= world->now)
        return beck__error_set(error, BECK_CLOSED, "receive from %s: %s", socket->name,
                               beck_status_text(BECK_CLOSED));
    return BECK_AGAIN;
}

static beck_status socket_recv(struct os *os, struct os_socket *handle, void *data, size_t size,
                               size_t *got, int64_t timeout_ns, struct error *error)
{
    struct world *world = beck__sim_enter(os, SIM_RECV);
    struct sim_socket *socket = (struct sim_socket *)handle;
    int64_t until = beck__sim_until(world, timeout_ns);
    *got = 0;
    while (size) {
        beck_status status = recv_some(world, socket, data, size, got, error);
        if (status != BECK_AGAIN)
            return status;
        if (!wait_for(world, "data", readable_at(socket), until))
            return BECK_AGAIN;
    }
    return BECK_OK;
}

/* ---- pollers ------------------------------------------------------------------------------- */

struct sim_poller {
    struct sim_object object;
    bool woken;
};

static struct os_poller *poller_new(struct os *os)
{
    struct world *world = beck__sim_enter(os, SIM_OTHER);
    return beck__sim_new(world, sizeof(struct sim_poller));
}

static void poller_free(struct os *os, struct os_poller *poller)
{
    if (poller)
        beck__sim_free(beck__sim_enter(os, SIM_OTHER), poller);
}

/* Marks what is ready; the time at which something will be. */
static int64_t look(const struct world *world, struct os_wait *waits, size_t count, bool *any)
{
    int64_t next = BECK__NEVER;
    for (size_t i = 0; i < count; i++) {
        const struct sim_socket *socket = (struct sim_socket *)waits[i].socket;
        int64_t at = BECK__NEVER;
        if (socket && waits[i].read)
            at = least(at, readable_at(socket));
        if (socket && waits[i].write)
            at = least(at, writable_at(socket));
        waits[i].ready = at <= world->now;
        *any |= waits[i].ready;
        next = least(next, at);
    }
    return next;
}

static bool poller_wait(struct os *os, struct os_poller *handle, struct os_wait *waits,
                        size_t count, int64_t timeout_ns)
{
    struct world *world = beck__sim_enter(os, SIM_POLL);
    struct sim_poller *poller = (struct sim_poller *)handle;
    int64_t until = beck__sim_until(world, timeout_ns);
    for (;;) {
        bool any = poller->woken;
        int64_t next = look(world, waits, count, &any);
        poller->woken = false;
        if (any || !wait_for(world, "sockets or a wake", next, until))
            return any;
    }
}

static void poller_wake(struct os *os, struct os_poller *handle)
{
    struct world *world = beck__sim_enter(os, SIM_POLLER_WAKE);
    ((struct sim_poller *)handle)->woken = true;
    changed(world);
}

void beck__sim_network(struct os *os)
{
    os->listen = socket_listen;
    os->accept = socket_accept;
    os->connect = socket_connect;
    os->connected = connected;
    os->send = socket_send;
    os->recv = socket_recv;
    os->shut = shut;
    os->poller_new = poller_new;
    os->poller_free = poller_free;
    os->poller_wait = poller_wait;
    os->poller_wake = poller_wake;
}
