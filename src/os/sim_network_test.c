/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_network_test.c - a server sends lines, clients read them and connect again after each
 * failure. Whatever the seed does to the connections: what arrives is a prefix of what was sent, in
 * order.
 */
#include "os/testing.h"

#define SEEDS       60
#define CONNECTIONS 4
#define LINES       50

struct net {
    struct os *os;
    struct os_lock *lock; /* of the counters */
    int port;
    bool stop;
    struct os_poller *server_poller;
    int whole, broken, refused;
    size_t bytes;
    int64_t ended;
};

static int expected_line(char *line, size_t size, int number)
{
    return snprintf(line, size, "line %d of many\n", number);
}

/* Waits for one socket, as everybody does who connects or accepts. */
static void wait_one(struct os *os, struct os_socket *socket, bool write)
{
    struct os_poller *poller = os->poller_new(os);
    struct os_wait wait = {.socket = socket, .read = !write, .write = write};
    while (!os->poller_wait(os, poller, &wait, 1, 1000000000)) {
    }
    os->poller_free(os, poller);
}

/* ---- the server ---------------------------------------------------------------------------- */

static void send_lines(struct os *os, struct os_socket *socket)
{
    for (int i = 0; i < LINES; i++) {
        char line[40];
        size_t size = (size_t)expected_line(line, sizeof line, i), sent;
        if (os->send(os, socket, line, size, &sent, -1, NULL))
            return;
        assert(sent == size);
        if (i % 10 == 0)
            os->sleep_ns(os, 1000000);
    }
}

static void serve(void *user)
{
    struct net *net = user;
    struct os *os = net->os;
    struct os_socket *listener, *socket;
    beck_status status = os->listen(os, "localhost", net->port, &listener, NULL, NULL);
    assert(!status);
    struct os_wait wait = {.socket = listener, .read = true};
    while (!net->stop) {
        os->poller_wait(os, net->server_poller, &wait, 1, -1);
        while (os->accept(os, listener, &socket, NULL) == BECK_OK) {
            send_lines(os, socket);
            os->shut(os, socket);
        }
    }
    os->shut(os, listener);
}

/* ---- a client ------------------------------------------------------------------------------ */

static void check_lines(const struct text *got, bool whole)
{
    char line[40];
    size_t at = 0;
    int i = 0;
    for (; at < got->size; i++) {
        size_t size = (size_t)expected_line(line, sizeof line, i), rest = got->size - at;
        assert(memcmp(got->data + at, line, size < rest ? size : rest) == 0);
        at += size;
    }
    assert(!whole || (at == got->size && i <= LINES));
}

static void read_lines(struct net *net, struct os_socket *socket)
{
    struct os *os = net->os;
    struct text got = {.memory = &os->memory};
    struct error error = {0};
    char data[100];
    size_t n;
    beck_status status;
    while (!(status = os->recv(os, socket, data, sizeof data, &n, -1, &error))) {
        assert(n > 0 && n <= sizeof data);
        beck__text_append(&got, data, n);
    }
    assert(status == BECK_CLOSED);
    bool whole = strstr(error.text, "closed by the other side") != NULL;
    check_lines(&got, whole);
    os->print(os, 1, beck__text_get(&got), got.size);
    os->lock(os, net->lock);
    net->bytes += got.size;
    *(whole ? &net->whole : &net->broken) += 1;
    os->unlock(os, net->lock);
    beck__text_deinit(&got);
}

static void connect_often(void *user)
{
    struct net *net = user;
    struct os *os = net->os;
    for (int left = CONNECTIONS; left;) {
        struct os_socket *socket;
        struct error error = {0};
        beck_status status = os->connect(os, "any.host", net->port, &socket, &error);
        while (!status && (status = os->connected(os, socket, &error)) == BECK_AGAIN) {
            wait_one(os, socket, true);
            status = BECK_OK;
        }
        if (status) {
            assert(strstr(error.text, "connect to any.host:9999: Connection refused"));
            net->refused++;
            os->sleep_ns(os, 2000000);
        } else {
            read_lines(net, socket);
            left--;
        }
        os->shut(os, socket);
    }
}

static void serve_and_read(void *user)
{
    struct net *net = user;
    struct os *os = net->os = beck__os_current();
    net->port = 9999;
    net->lock = os->lock_new(os);
    net->server_poller = os->poller_new(os);
    struct os_thread *server = os->thread_start(os, "server", serve, net, NULL);
    struct os_thread *a = os->thread_start(os, "a", connect_often, net, NULL);
    struct os_thread *b = os->thread_start(os, "b", connect_often, net, NULL);
    os->thread_join(os, a);
    os->thread_join(os, b);
    net->stop = true;
    os->poller_wake(os, net->server_poller);
    os->thread_join(os, server);
    net->ended = os->mono_ns(os);
    os->poller_free(os, net->server_poller);
    os->lock_free(os, net->lock);
}

static struct net run(struct os_simulation *simulation, struct text *out)
{
    struct net net = {0};
    struct error error = {0};
    beck__text_clear(out);
    if (beck__os_simulate(simulation, serve_and_read, &net, out, &error))
        print_error("seed %llu\n", (unsigned long long)simulation->seed);
    assert_ok(error.status, error);
    assert_int_equal(net.whole + net.broken, 2 * CONNECTIONS);
    assert_int_equal(out->size, net.bytes);
    return net;
}

static void a_quiet_network_loses_nothing(void **state)
{
    (void)state;
    struct text out = {.memory = &beck__os_real()->memory};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct os_simulation simulation = {.seed = seed};
        struct net net = run(&simulation, &out);
        assert_int_equal(net.broken, 0);
        assert_int_equal(net.whole, 2 * CONNECTIONS);
        assert_int_equal(net.bytes, (10 * 15 + 40 * 16) * 2 * CONNECTIONS);
    }
    beck__text_deinit(&out);
}

static void a_bad_network_replays_from_its_seed(void **state)
{
    (void)state;
    struct text one = {.memory = &beck__os_real()->memory}, two = one;
    int whole = 0, broken = 0, refused = 0, minutes = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct os_simulation first = {
            .seed = seed, .delay_ns_max = 20000000, .reset_per_mille = 10, .refuse_per_mille = 200};
        struct os_simulation second = first;
        struct net a = run(&first, &one), b = run(&second, &two);
        assert_true(first.trace == second.trace);
        assert_true(first.steps == second.steps);
        assert_true(a.ended == b.ended);
        assert_string_equal(beck__text_get(&one), beck__text_get(&two));
        whole += a.whole;
        broken += a.broken;
        refused += a.refused;
        minutes += a.ended > (int64_t)60 * 1000000000;
    }
    /* everything has happened, half-open connections too */
    assert_true(whole > 20 && broken > 20 && refused > 20 && minutes > 5);
    beck__text_deinit(&one);
    beck__text_deinit(&two);
}

/* ---- one thing at a time ------------------------------------------------------------------- */

static void use_ports(void *user)
{
    struct os *os = beck__os_current();
    struct os_socket *a, *b, *c;
    struct error error = {0};
    int first, second;
    (void)user;
    beck_status status = os->listen(os, NULL, 0, &a, &first, NULL);
    assert(!status);
    status = os->listen(os, NULL, 0, &b, &second, NULL);
    assert(!status && first != second && first > 1023 && second > 1023);
    status = os->listen(os, "h", first, &c, NULL, &error);
    assert(status == BECK_IO && strstr(error.text, "listen on h:"));
    status = os->connect(os, "h", 70000, &c, NULL);
    assert(status == BECK_INVALID && !c);
    os->shut(os, a);
    status = os->listen(os, "h", first, &a, NULL, NULL); /* it is free again */
    assert(!status);
    os->shut(os, a);
    os->shut(os, b);
    os->shut(os, NULL);
}

static void fill_and_drain(void *user)
{
    struct os *os = beck__os_current();
    struct os_socket *listener, *a, *b;
    static char data[1 << 20];
    size_t n, sent = 0, got = 0;
    int port;
    (void)user;
    beck_status status = os->listen(os, NULL, 0, &listener, &port, NULL);
    status = status ? status : os->connect(os, "h", port, &a, NULL);
    assert(!status);
    status = os->connected(os, a, NULL); /* nothing has had the time to happen */
    assert(status == BECK_AGAIN);
    wait_one(os, listener, false);
    status = os->accept(os, listener, &b, NULL);
    assert(!status);
    wait_one(os, a, true);
    while (!(status = os->send(os, a, data + sent, sizeof data - sent, &n, 0, NULL)))
        sent += n;
    assert(status == BECK_AGAIN && sent > 0 && sent < sizeof data);
    status = os->send(os, a, data, 1, &n, 1000000, NULL);
    assert(status == BECK_AGAIN && os->mono_ns(os) >= 1000000);
    os->shut(os, a);
    while (!(status = os->recv(os, b, data, sizeof data, &n, -1, NULL)))
        got += n;
    assert(status == BECK_CLOSED && got == sent);
    os->shut(os, b);
    os->shut(os, listener);
}

static void leave_unread(void *user)
{
    struct os *os = beck__os_current();
    struct os_socket *listener, *a, *b;
    struct error error = {0};
    size_t n;
    int port;
    char data[8];
    (void)user;
    beck_status status = os->listen(os, NULL, 0, &listener, &port, NULL);
    status = status ? status : os->connect(os, "h", port, &a, NULL);
    assert(!status);
    wait_one(os, listener, false);
    status = os->accept(os, listener, &b, NULL);
    assert(!status);
    wait_one(os, a, true);
    status = os->send(os, a, "x", 1, &n, -1, NULL);
    assert(!status);
    os->shut(os, b); /* without reading: a is reset */
    status = os->recv(os, a, data, sizeof data, &n, -1, &error);
    assert(status == BECK_CLOSED && strstr(error.text, "Connection reset by peer"));
    status = os->send(os, a, "x", 1, &n, -1, NULL);
    assert(status == BECK_CLOSED);
    os->shut(os, a);

    status = os->connect(os, "h", port, &a, NULL); /* never accepted */
    assert(!status);
    wait_one(os, a, true);
    os->shut(os, listener);
    status = os->recv(os, a, data, sizeof data, &n, -1, NULL);
    assert(status == BECK_CLOSED);
    os->shut(os, a);
}

static void details(void **state)
{
    (void)state;
    void (*const bodies[])(void *) = {use_ports, fill_and_drain, leave_unread};
    for (size_t i = 0; i < BECK__COUNT_OF(bodies); i++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct os_simulation simulation = {.seed = seed};
            struct error error = {0};
            assert_ok(beck__os_simulate(&simulation, bodies[i], NULL, NULL, &error), error);
        }
    }
}

/* A connection and one message; gives up at the first failure. */
static void talk(void *user)
{
    struct os *os = beck__os_current();
    struct os_socket *listener = NULL, *a = NULL, *b = NULL;
    struct os_poller *poller = os->poller_new(os);
    beck_status *status = user;
    size_t n;
    int port;
    char data[8];
    *status = poller ? os->listen(os, NULL, 0, &listener, &port, NULL) : BECK_NO_MEMORY;
    if (!*status)
        *status = os->connect(os, "h", port, &a, NULL);
    struct os_wait wait = {.socket = listener, .read = true};
    while (!*status && !b) {
        os->poller_wait(os, poller, &wait, 1, -1);
        *status = os->accept(os, listener, &b, NULL);
    }
    if (!*status)
        *status = os->send(os, b, "ping", 4, &n, -1, NULL);
    if (!*status)
        *status = os->recv(os, a, data, sizeof data, &n, -1, NULL);
    os->shut(os, a);
    os->shut(os, b);
    os->shut(os, listener);
    os->poller_free(os, poller);
}

static void without_memory_nothing_leaks(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    beck_status status = BECK_NO_MEMORY;
    for (uint64_t n = 1; status; n++) {
        struct os_simulation simulation = {.seed = 4};
        status = BECK_NO_MEMORY;
        beck__os_memory_fail(os, n, false);
        beck_status run_status = beck__os_simulate(&simulation, talk, &status, NULL, NULL);
        beck__os_memory_fail(os, 0, false);
        assert_int_equal(run_status, n == 1 ? BECK_NO_MEMORY : BECK_OK);
        assert_true(status == BECK_OK || status == BECK_NO_MEMORY);
        assert_true(n < 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_quiet_network_loses_nothing),
        test(a_bad_network_replays_from_its_seed),
        test(details),
        test(without_memory_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
