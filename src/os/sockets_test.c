/* SPDX-License-Identifier: Apache-2.0 */
/* TCP over loopback on free ports: connecting, data, ends, resets, refusals. */
#define _GNU_SOURCE
#include "os/real.h"
#include "os/testing.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
    struct os *os;
    struct os_socket *listener, *a, *b;
    int port;
};

static void wait_until(struct os *os, struct os_socket *socket, bool read, bool write)
{
    struct os_poller *poller = os->poller_new(os);
    struct os_wait wait = {.socket = socket, .read = read, .write = write};
    assert_true(os->poller_wait(os, poller, &wait, 1, -1));
    assert_true(wait.ready);
    os->poller_free(os, poller);
}

static beck_status wait_connected(struct os *os, struct os_socket *socket, struct error *error)
{
    beck_status status;
    while ((status = os->connected(os, socket, error)) == BECK_AGAIN)
        wait_until(os, socket, false, true);
    return status;
}

static void open_pair(struct pair *pair, const char *host)
{
    struct error error = {0};
    struct os *os = pair->os = beck__os_real();
    assert_ok(os->listen(os, host, 0, &pair->listener, &pair->port, &error), error);
    assert_true(pair->port > 0);
    assert_int_equal(os->accept(os, pair->listener, &pair->b, &error), BECK_AGAIN);
    assert_ok(os->connect(os, host, pair->port, &pair->a, &error), error);
    assert_ok(wait_connected(os, pair->a, &error), error);
    assert_ok(os->connected(os, pair->a, &error), error); /* again is the same */
    wait_until(os, pair->listener, true, false);
    assert_ok(os->accept(os, pair->listener, &pair->b, &error), error);
}

static void close_pair(struct pair *pair)
{
    pair->os->shut(pair->os, pair->a);
    pair->os->shut(pair->os, pair->b);
    pair->os->shut(pair->os, pair->listener);
}

static void bytes_go_both_ways(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    for (size_t i = 0; i < BECK__COUNT_OF(hosts); i++) {
        struct pair pair;
        struct error error = {0};
        char data[10];
        size_t n;
        open_pair(&pair, hosts[i]);
        struct os *os = pair.os;
        assert_int_equal(os->recv(os, pair.a, data, sizeof data, &n, 0, &error), BECK_AGAIN);
        assert_int_equal(os->recv(os, pair.a, data, sizeof data, &n, 1000, &error), BECK_AGAIN);
        assert_int_equal(error.status, BECK_OK);
        assert_ok(os->send(os, pair.a, "ping", 4, &n, 0, &error), error);
        assert_int_equal(n, 4);
        assert_ok(os->recv(os, pair.b, data, sizeof data, &n, -1, &error), error);
        assert_int_equal(n, 4);
        assert_memory_equal(data, "ping", 4);
        assert_ok(os->send(os, pair.b, "pong", 4, &n, -1, &error), error);
        assert_ok(os->recv(os, pair.a, data, 2, &n, -1, &error), error);
        assert_memory_equal(data, "po", 2);
        close_pair(&pair);
    }
}

static void a_full_socket_takes_a_part(void **state)
{
    (void)state;
    struct pair pair;
    struct error error = {0};
    size_t size = (size_t)64 << 20, n, all = 0;
    char *data = calloc(1, size);
    open_pair(&pair, "127.0.0.1");
    struct os *os = pair.os;
    assert_ok(os->send(os, pair.a, data, size, &n, 0, &error), error);
    assert_true(n > 0 && n < size);
    size_t sent = n;
    for (;;) { /* what is on its way settles */
        beck_status status = os->send(os, pair.a, data, size, &n, 1000, &error);
        if (status == BECK_AGAIN)
            break;
        assert_ok(status, error);
        sent += n;
    }
    assert_int_equal(n, 0);
    os->shut(os, pair.a);
    pair.a = NULL;
    beck_status status;
    while ((status = os->recv(os, pair.b, data, size, &n, -1, &error)) == BECK_OK)
        all += n;
    assert_int_equal(status, BECK_CLOSED);
    assert_int_equal(all, sent);
    free(data);
    close_pair(&pair);
}

static void the_end_is_told(void **state)
{
    (void)state;
    struct pair pair;
    struct error error = {0};
    char data[4];
    size_t n;
    open_pair(&pair, "127.0.0.1");
    struct os *os = pair.os;
    assert_ok(os->send(os, pair.a, "x", 1, &n, 0, &error), error);
    os->shut(os, pair.a);
    pair.a = NULL;
    assert_ok(os->recv(os, pair.b, data, sizeof data, &n, -1, &error), error);
    assert_int_equal(os->recv(os, pair.b, data, sizeof data, &n, -1, &error), BECK_CLOSED);
    assert_memory_equal(error.text, "receive from 127.0.0.1:", 23);
    assert_contains(error.text, "closed by the other side");
    close_pair(&pair);
    os->shut(os, NULL);
}

static void a_reset_is_an_end(void **state)
{
    (void)state;
    struct pair pair;
    struct error error = {0};
    struct linger linger = {.l_onoff = 1, .l_linger = 0}; /* close sends a reset */
    char data[4];
    size_t n;
    open_pair(&pair, "127.0.0.1");
    struct os *os = pair.os;
    setsockopt(pair.a->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    os->shut(os, pair.a);
    pair.a = NULL;
    assert_int_equal(os->recv(os, pair.b, data, sizeof data, &n, -1, &error), BECK_CLOSED);
    assert_contains(error.text, "Connection reset by peer");
    beck__error_clear(&error);
    assert_int_equal(os->send(os, pair.b, "x", 1, &n, -1, &error), BECK_CLOSED); /* no SIGPIPE */
    assert_memory_equal(error.text, "send to 127.0.0.1:", 18);
    close_pair(&pair);
}

/* A port that is taken, and where nobody listens. */
static int hold_port(int *fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static void refusals_say_host_port_and_reason(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    for (size_t i = 0; i < BECK__COUNT_OF(hosts); i++) {
        struct os *os = beck__os_real();
        struct os_socket *socket;
        struct error error = {0};
        char wanted[100];
        int fd, port = hold_port(&fd);
        beck_status status = os->connect(os, hosts[i], port, &socket, &error);
        if (!status)
            status = wait_connected(os, socket, &error);
        os->shut(os, socket);
        close(fd);
        assert_int_equal(status, BECK_IO);
        snprintf(wanted, sizeof wanted, "connect to %s:%d: Connection refused", hosts[i], port);
        assert_string_equal(error.text, wanted);
    }
}

static void bad_addresses_are_errors(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct os_socket *socket, *other;
    struct error error = {0};
    int port;
    assert_int_equal(os->connect(os, "127.0.0.1", 70000, &socket, &error), BECK_INVALID);
    assert_contains(error.text, "connect to 127.0.0.1:70000: a port is a number");
    assert_null(socket);
    beck__error_clear(&error);
    assert_int_equal(os->listen(os, "::bad::", 1, &socket, NULL, &error), BECK_NOT_FOUND);
    assert_memory_equal(error.text, "listen on [::bad::]:1: ", 23);
    beck__error_clear(&error);
    assert_ok(os->listen(os, NULL, 0, &socket, &port, &error), error);
    assert_int_equal(os->listen(os, NULL, port, &other, NULL, &error), BECK_IO);
    assert_contains(error.text, "Address already in use");
    os->shut(os, socket);
}

static void without_memory_nothing_leaks(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct os_socket *socket, *listener;
    int port;
    assert_int_equal(os->listen(os, "127.0.0.1", 0, &listener, &port, NULL), BECK_OK);
    beck__os_memory_fail(os, 1, true);
    assert_int_equal(os->listen(os, "127.0.0.1", 0, &socket, NULL, NULL), BECK_NO_MEMORY);
    assert_int_equal(os->connect(os, "127.0.0.1", port, &socket, NULL), BECK_NO_MEMORY);
    assert_null(os->poller_new(os));
    beck__os_memory_fail(os, 0, false);
    os->shut(os, listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(bytes_go_both_ways),
        test(a_full_socket_takes_a_part),
        test(the_end_is_told),
        test(a_reset_is_an_end),
        test(bad_addresses_are_errors),
        test(refusals_say_host_port_and_reason),
        test(without_memory_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
