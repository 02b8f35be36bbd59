/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockets.c - stream sockets: TCP, and the pairs that join processes. All are non-blocking; a
 * timeout waits with poll. A socket belongs to one thread at a time.
 *
 * TCP_NODELAY is not set: what Beck itself sends over TCP is bulk; small messages between processes
 * travel over Unix sockets, which do not wait.
 */
#define _GNU_SOURCE
#include "os/real.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG   128
#define NAME_SIZE 300

struct os_socket *beck__socket_of(struct os *os, int fd, const char *name)
{
    size_t size = sizeof(struct os_socket) + strlen(name) + 1;
    struct os_socket *socket = beck__alloc_zero(&os->memory, size);
    if (!socket) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    socket->fd = fd;
    socket->size = size;
    memcpy(socket->name, name, strlen(name) + 1);
    return socket;
}

static void forget_addresses(struct os_socket *socket)
{
    if (socket->addresses)
        freeaddrinfo(socket->addresses);
    socket->addresses = socket->address = NULL;
}

static void shut(struct os *os, struct os_socket *socket)
{
    if (!socket)
        return;
    if (socket->fd >= 0)
        close(socket->fd);
    forget_addresses(socket);
    beck__free(&os->memory, socket, socket->size);
}

/* "host:port", "[::1]:port" */
static void name_of(char *name, size_t size, const char *host, int port)
{
    const char *format = strchr(host, ':') ? "[%s]:%d" : "%s:%d";
    snprintf(name, size, format, host, port);
}

static beck_status resolve(const char *verb, const char *host, int port, int flags,
                           struct addrinfo **list, struct error *error)
{
    char name[NAME_SIZE], service[16];
    name_of(name, sizeof name, host ? host : "*", port);
    if (port < 0 || port > 65535)
        return beck__error_set(error, BECK_INVALID, "%s %s: a port is a number from 0 to 65535",
                               verb, name);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    snprintf(service, sizeof service, "%d", port);
    int code = getaddrinfo(host, service, &hints, list);
    if (code && host && strcmp(host, "localhost") == 0) /* no /etc/hosts: RFC 6761 */
        code = getaddrinfo("127.0.0.1", service, &hints, list);
    if (!code)
        return BECK_OK;
    if (code == EAI_SYSTEM)
        return beck__os_fail(error, errno, "%s %s", verb, name);
    return beck__error_set(error, code == EAI_MEMORY ? BECK_NO_MEMORY : BECK_NOT_FOUND, "%s %s: %s",
                           verb, name, gai_strerror(code));
}

static int new_socket(const struct addrinfo *address)
{
    int type = address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK;
    return socket(address->ai_family, type, address->ai_protocol);
}

/* ---- listening ----------------------------------------------------------------------------- */

static int port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t size = sizeof a;
    if (getsockname(fd, (struct sockaddr *)&a, &size))
        return 0;
    if (a.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)(void *)&a)->sin6_port);
    return ntohs(((struct sockaddr_in *)(void *)&a)->sin_port);
}

/* A descriptor that listens, or -1 and *code. */
static int listen_at(const struct addrinfo *address, int *code)
{
    int fd = new_socket(address), yes = 1;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    *code = errno;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* IPv4 before IPv6: a client that is told "localhost" and tries only 127.0.0.1 must get in. */
static int listen_any(const struct addrinfo *list, int *code)
{
    for (int pass = 0; pass < 2; pass++) {
        for (const struct addrinfo *a = list; a; a = a->ai_next) {
            int fd = (a->ai_family == AF_INET) == (pass == 0) ? listen_at(a, code) : -1;
            if (fd >= 0)
                return fd;
        }
    }
    return -1;
}

static beck_status socket_listen(struct os *os, const char *host, int port,
                                 struct os_socket **result, int *bound, struct error *error)
{
    char name[NAME_SIZE];
    struct addrinfo *list;
    *result = NULL;
    beck_status status = resolve("listen on", host, port, AI_PASSIVE, &list, error);
    if (status)
        return status;
    int code = EADDRNOTAVAIL;
    int fd = listen_any(list, &code);
    freeaddrinfo(list);
    if (fd >= 0 && !port)
        port = port_of(fd);
    name_of(name, sizeof name, host ? host : "*", port);
    if (fd < 0)
        return beck__os_fail(error, code, "listen on %s", name);
    *result = beck__socket_of(os, fd, name);
    if (!*result)
        return beck__error_memory(error, "a socket", sizeof **result);
    if (bound)
        *bound = port;
    return BECK_OK;
}

static beck_status socket_accept(struct os *os, struct os_socket *listener,
                                 struct os_socket **result, struct error *error)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    char name[NAME_SIZE], host[NI_MAXHOST], port[NI_MAXSERV];
    int fd;
    *result = NULL;
    do
        fd = accept4(listener->fd, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (fd < 0 && errno == EINTR);
    if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED))
        return BECK_AGAIN;
    if (fd < 0)
        return beck__os_fail(error, errno, "accept on %s", listener->name);
    if (getnameinfo((struct sockaddr *)&peer, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(name, sizeof name, strchr(host, ':') ? "[%.200s]:%s" : "%.200s:%s", host, port);
    else
        snprintf(name, sizeof name, "a client of %.200s", listener->name);
    *result = beck__socket_of(os, fd, name);
    return *result ? BECK_OK : beck__error_memory(error, "a socket", sizeof **result);
}

/* ---- connecting ---------------------------------------------------------------------------- */

/* Starts with the current address and goes on to the next one that does not fail at once. */
static beck_status try_addresses(struct os_socket *socket, struct error *error)
{
    int code = ENOENT, yes = 1;
    for (; socket->address; socket->address = socket->address->ai_next) {
        socket->fd = new_socket(socket->address);
        if (socket->fd >= 0) {
            setsockopt(socket->fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes); /* a lost peer */
            if (connect(socket->fd, socket->address->ai_addr, socket->address->ai_addrlen) == 0 ||
                errno == EINPROGRESS || errno == EINTR)
                return BECK_OK;
        }
        code = errno;
        if (socket->fd >= 0)
            close(socket->fd);
        socket->fd = -1;
    }
    return beck__os_fail(error, code, "connect to %s", socket->name);
}

static beck_status socket_connect(struct os *os, const char *host, int port,
                                  struct os_socket **result, struct error *error)
{
    char name[NAME_SIZE];
    struct addrinfo *list;
    *result = NULL;
    beck_status status = resolve("connect to", host, port, AI_ADDRCONFIG, &list, error);
    if (status)
        return status;
    name_of(name, sizeof name, host, port);
    struct os_socket *socket = beck__socket_of(os, -1, name);
    if (!socket) {
        freeaddrinfo(list);
        return beck__error_memory(error, "a socket", sizeof *socket);
    }
    socket->addresses = socket->address = list;
    status = try_addresses(socket, error);
    if (status)
        shut(os, socket);
    else
        *result = socket;
    return status;
}

/* TCP lets a socket of an ephemeral port connect to itself when nobody listens there. */
static bool is_self(int fd)
{
    struct sockaddr_storage a, b;
    socklen_t a_size = sizeof a, b_size = sizeof b;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    return getsockname(fd, (struct sockaddr *)&a, &a_size) == 0 &&
           getpeername(fd, (struct sockaddr *)&b, &b_size) == 0 && a_size == b_size &&
           a.ss_family != AF_UNIX && memcmp(&a, &b, a_size) == 0;
}

static beck_status connected(struct os *os, struct os_socket *socket, struct error *error)
{
    (void)os;
    if (!socket->addresses)
        return BECK_OK;
    if (beck__poll_one(socket->fd, POLLOUT, 0) == 0)
        return BECK_AGAIN;
    int code = 0;
    socklen_t size = sizeof code;
    if (getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &code, &size))
        code = errno;
    if (!code && is_self(socket->fd))
        code = ECONNREFUSED;
    if (!code) {
        forget_addresses(socket);
        return BECK_OK;
    }
    close(socket->fd);
    socket->fd = -1;
    socket->address = socket->address->ai_next;
    if (!socket->address)
        return beck__os_fail(error, code, "connect to %s", socket->name);
    beck_status status = try_addresses(socket, error);
    return status ? status : BECK_AGAIN;
}

/* ---- data ---------------------------------------------------------------------------------- */

/* Waits until `until`; false when the time is over. */
static bool wait_for(const struct os_socket *socket, short events, int64_t timeout_ns,
                     int64_t until)
{
    if (timeout_ns == 0)
        return false;
    int64_t left = timeout_ns < 0 ? -1 : until - beck__mono_ns();
    if (timeout_ns > 0 && left <= 0)
        return false;
    return beck__poll_one(socket->fd, events, left) != 0;
}

static int64_t end_of(int64_t timeout_ns)
{
    int64_t now = timeout_ns > 0 ? beck__mono_ns() : 0;
    return timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;
}

static beck_status socket_send(struct os *os, struct os_socket *socket, const void *data,
                               size_t size, size_t *sent, int64_t timeout_ns, struct error *error)
{
    (void)os;
    int64_t until = end_of(timeout_ns);
    *sent = 0;
    while (*sent < size) {
        ssize_t n = send(socket->fd, (const char *)data + *sent, size - *sent, MSG_NOSIGNAL);
        if (n >= 0)
            *sent += (size_t)n;
        else if (errno == EAGAIN) {
            if (!wait_for(socket, POLLOUT, timeout_ns, until))
                return *sent ? BECK_OK : BECK_AGAIN;
        } else if (errno != EINTR) {
            return beck__os_fail(error, errno, "send to %s", socket->name);
        }
    }
    return BECK_OK;
}

/* Without O_NONBLOCK, which would hold for everybody who shares the terminal. */
static ssize_t read_ready(int fd, void *data, size_t size)
{
    if (beck__poll_one(fd, POLLIN, 0) != 0)
        return read(fd, data, size);
    errno = EAGAIN;
    return -1;
}

static beck_status socket_input(struct os *os, struct os_socket **result, struct error *error)
{
    int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    *result = NULL;
    if (fd < 0)
        return beck__os_fail(error, errno, "open standard input");
    *result = beck__socket_of(os, fd, "standard input");
    if (!*result)
        return beck__error_memory(error, "standard input", sizeof **result);
    (*result)->input = true;
    return BECK_OK;
}

static beck_status socket_recv(struct os *os, struct os_socket *socket, void *data, size_t size,
                               size_t *got, int64_t timeout_ns, struct error *error)
{
    (void)os;
    int64_t until = end_of(timeout_ns);
    *got = 0;
    while (size) {
        ssize_t n =
            socket->input ? read_ready(socket->fd, data, size) : recv(socket->fd, data, size, 0);
        if (n > 0) {
            *got = (size_t)n;
            break;
        }
        if (n == 0)
            return beck__error_set(error, BECK_CLOSED, "receive from %s: %s", socket->name,
                                   beck_status_text(BECK_CLOSED));
        if (errno == EAGAIN) {
            if (!wait_for(socket, POLLIN, timeout_ns, until))
                return BECK_AGAIN;
        } else if (errno != EINTR) {
            return beck__os_fail(error, errno, "receive from %s", socket->name);
        }
    }
    return BECK_OK;
}

void beck__real_sockets(struct os *os)
{
    os->listen = socket_listen;
    os->accept = socket_accept;
    os->connect = socket_connect;
    os->connected = connected;
    os->send = socket_send;
    os->recv = socket_recv;
    os->shut = shut;
    os->input = socket_input;
}
