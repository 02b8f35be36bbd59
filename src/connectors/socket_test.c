/* SPDX-License-Identifier: Apache-2.0 */
/* Lines from a server, in the simulated network: cut anywhere, too long, refused, broken off. */
#include "connectors/connectors.h"
#include "connectors/testing.h"
#include <beck/testing.h>

/* A server that sends one text to each client, and in the end keeps the last one waiting. */
struct server {
    struct os *os;
    int port;
    int64_t listen_after_ms;
    const beck_str *texts;
    size_t count;
    bool keep_last; /* does not close the last connection */
    _Atomic bool stop;
    struct os_thread *thread;
    int64_t connected_ms[20]; /* when each client came */
    size_t clients;
};

static void send_all(struct os *os, struct os_socket *client, beck_str text)
{
    size_t at = 0, sent;

    while (at < text.size) {
        if (os->send(os, client, text.data + at, text.size - at, &sent, -1, NULL))
            return;
        at += sent;
    }
}

static struct os_socket *next_client(struct server *s, struct os_poller *poller,
                                     struct os_socket *listener)
{
    struct os *os = s->os;
    struct os_socket *client = NULL;

    while (!s->stop && os->accept(os, listener, &client, NULL) == BECK_AGAIN) {
        struct os_wait wait = {.socket = listener, .read = true};
        os->poller_wait(os, poller, &wait, 1, 50 * 1000000);
    }
    if (client && s->clients < 20)
        s->connected_ms[s->clients++] = os->mono_ns(os) / 1000000;
    return client;
}

static void serve(void *user)
{
    struct server *s = user;
    struct os *os = s->os;
    struct os_poller *poller = os->poller_new(os);
    struct os_socket *listener, *last = NULL;
    int bound;

    os->sleep_ns(os, s->listen_after_ms * 1000000);
    assert_int_equal(os->listen(os, "localhost", s->port, &listener, &bound, NULL), BECK_OK);
    for (size_t i = 0; !s->stop; i++) {
        struct os_socket *client = next_client(s, poller, listener);
        if (client && i < s->count)
            send_all(os, client, s->texts[i]);
        if (i + 1 == s->count && s->keep_last)
            last = client;
        else
            os->shut(os, client);
    }
    os->shut(os, last);
    os->shut(os, listener);
    os->poller_free(os, poller);
}

static void server_start(struct server *s)
{
    s->os = beck__os_current();
    s->thread = s->os->thread_start(s->os, "server", serve, s, NULL);
    assert_non_null(s->thread);
}

static void server_stop(struct server *s)
{
    s->stop = true;
    s->os->thread_join(s->os, s->thread);
}

/* ---- a context that takes `rows` lines and then stops -----------------------------------------
 */

struct client {
    beck_context *ctx;
    struct said said;
    struct text rows; /* "line|line|" */
    uint64_t wanted, got;
};

static void stop_when_enough(void *user, const beck_event *e)
{
    struct client *c = user;

    if (e->kind == BECK_EVENT_BATCH_COMPLETED)
        c->got += e->records;
    if (c->got >= c->wanted)
        beck_stop(c->ctx, .graceful = true);
}

static void keep_rows(beck_call *call, beck_rdd *rdd)
{
    struct client *c = (void *)(uintptr_t)beck_ctx(call);
    beck_result *result = beck_collect(rdd);

    for (uint64_t i = 0; i < beck_result_rows(result); i++) {
        beck_str line = beck_get_string(beck_result_row(result, i), 0);
        beck__text_append(&c->rows, line.data, line.size);
        beck__text_add(&c->rows, "|");
    }
    beck_result_free(result);
}

static void client_run(struct client *c, const beck_socket_text_args *args, uint64_t wanted)
{
    memset(c, 0, sizeof *c);
    said_init(&c->said);
    c->rows.memory = &beck__os_current()->memory;
    c->wanted = wanted;
    c->ctx = beck_context_new("client", .batch_ms = 200, .master = "local[1]", .log = say,
                              .log_user = &c->said);
    beck_dstream *lines = beck__socket_text_stream(c->ctx, args);
    beck_foreach_rdd(lines, keep_rows, .ctx = c);
    beck_add_listener(c->ctx, stop_when_enough, c);
    assert_int_equal(beck_run(c->ctx), 0);
}

static void client_deinit(struct client *c)
{
    said_deinit(&c->said);
    beck__text_deinit(&c->rows);
}

static size_t times(const char *text, const char *part)
{
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

static void in_worlds(void (*body)(void *user), uint64_t seeds)
{
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct os_simulation simulation = {.seed = seed};
        struct error error = {0};
        beck_status status = beck__os_simulate(&simulation, body, NULL, NULL, &error);
        if (status || simulation.deadlock)
            print_error("seed %llu: %s\n", (unsigned long long)seed, error.text);
        assert_int_equal(status, BECK_OK);
    }
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void take_all_kinds(void *user)
{
    const beck_str texts[] = {beck_bytes_of("one\r\ntwo\n\na\0b\n\xff\xfe\rx\nlast", 23),
                              beck_string(""), beck_string("\n\nagain\n")};
    struct server s = {.port = 7000, .texts = texts, .count = 3};
    struct client c;

    (void)user;
    server_start(&s);
    client_run(&c, &(beck_socket_text_args){.host = "localhost", .port = 7000, .reconnect_ms = 50},
               9);
    server_stop(&s);
    assert_int_equal(c.rows.size, 31);
    assert_memory_equal(c.rows.data, "one|two||a\0b|\xff\xfe\rx|last|||again|", 31);
    assert_contains(beck__text_get(&c.said.text),
                    "warning: socket_text_stream-1: receive from localhost:7000: closed by the "
                    "other side; starts again in 50 ms\n");
    client_deinit(&c);
}

static void all_bytes_are_carried_over_connections(void **state)
{
    (void)state;
    in_worlds(take_all_kinds, 20);
}

static void take_long_lines(void *user)
{
    static char text[200000];
    size_t size = 0;
    struct client c;

    (void)user;
    for (int i = 0; i < 5; i++) { /* 20000 bytes and a short one, five times */
        memset(text + size, 'a' + i, 20000);
        size += 20000;
        memcpy(text + size, "\nshort\r\n", 8);
        size += 8;
    }
    memset(text + size, 'x', 30000); /* without an end */
    const beck_str texts[] = {beck_bytes_of(text, size + 30000), beck_bytes_of(text, 20008)};
    struct server s = {.port = 7000, .texts = texts, .count = 2};
    server_start(&s);
    client_run(&c,
               &(beck_socket_text_args){
                   .host = "localhost", .port = 7000, .reconnect_ms = 50, .line_bytes_max = 1000},
               13);
    server_stop(&s);
    assert_int_equal(times(beck__text_get(&c.rows), "short|"), 6);
    assert_int_equal(c.rows.size, 6 * 6 + 7 * 1001);
    const char *log = beck__text_get(&c.said.text);
    assert_int_equal(times(log, "lines longer than 1000 bytes are cut off there"), 2);
    assert_contains(log, "closed by the other side (6 lines were cut off); starts again");
    client_deinit(&c);
}

static void long_lines_are_cut_and_reported_once_per_connection(void **state)
{
    (void)state;
    in_worlds(take_long_lines, 10);
}

#define REFUSED                                                                                    \
    "warning: socket_text_stream-1: connect to localhost:7000: Connection refused; starts again "  \
    "in 500 ms"

/* Refused until somebody listens, each time after the delay. */
static void connect_late(void *user)
{
    const beck_str texts[] = {beck_string("here\n")};
    struct server s = {
        .port = 7000, .texts = texts, .count = 1, .listen_after_ms = 1700, .keep_last = true};
    struct client c;

    (void)user;
    server_start(&s);
    client_run(&c, &(beck_socket_text_args){.host = "localhost", .port = 7000, .reconnect_ms = 500},
               1);
    server_stop(&s);
    assert_string_equal(beck__text_get(&c.rows), "here|");
    assert_string_equal(beck__text_get(&c.said.text), /* failed at 0, 500, 1000, 1500 */
                        REFUSED
                        "\n" REFUSED " (failed 2 times)\n" REFUSED " (failed 4 times)\n"
                        "warning: socket_text_stream-1: connected again after 4 attempts\n");
    assert_in_range(s.connected_ms[0], 2000, 2060);
    client_deinit(&c);
}

static void a_refused_connection_is_tried_again(void **state)
{
    (void)state;
    in_worlds(connect_late, 20);
}

/* The delay of the option where the stream says none. */
static void connect_by_option(void *user)
{
    const beck_str texts[] = {beck_string("a\n"), beck_string("b\n"), beck_string("c\n")};
    struct server s = {.port = 7000, .texts = texts, .count = 3, .keep_last = true};
    struct client c;

    (void)user;
    server_start(&s);
    client_run(&c, &(beck_socket_text_args){.host = "localhost", .port = 7000}, 3);
    server_stop(&s);
    assert_int_equal(s.clients, 3);
    for (size_t i = 1; i < 3; i++)
        assert_in_range(s.connected_ms[i] - s.connected_ms[i - 1], 2000, 2060);
    client_deinit(&c);
}

static void two_seconds_are_the_default_delay(void **state)
{
    (void)state;
    in_worlds(connect_by_option, 5);
}

/* The connection is open and quiet when the stop comes. */
static void stop_inside_a_line(void *user)
{
    const beck_str texts[] = {beck_string("one\ntwo\nthr")};
    struct server s = {.port = 7000, .texts = texts, .count = 1, .keep_last = true};
    struct client c;

    (void)user;
    server_start(&s);
    client_run(&c, &(beck_socket_text_args){.host = "localhost", .port = 7000}, 2);
    server_stop(&s);
    const char *rows = beck__text_get(&c.rows);
    if (strcmp(rows, "one|two|") != 0 && strcmp(rows, "one|two|t|") != 0 &&
        strcmp(rows, "one|two|th|") != 0) /* the network cuts anywhere */
        assert_string_equal(rows, "one|two|thr|");
    client_deinit(&c);
}

static void what_was_received_of_a_line_counts_at_a_stop(void **state)
{
    (void)state;
    in_worlds(stop_inside_a_line, 20);
}

/* More than a buffer holds, in lines of all lengths. */
static void take_much(void *user)
{
    struct text text = {.memory = &beck__os_current()->memory};
    struct client c;

    (void)user;
    for (int i = 0; i < 3000; i++)
        beck__text_printf(&text, "%0*d\n", 1 + i * 7 % 800, i);
    const beck_str texts[] = {beck_bytes_of(text.data, text.size)};
    struct server s = {.port = 7000, .texts = texts, .count = 1, .keep_last = true};
    server_start(&s);
    client_run(&c, &(beck_socket_text_args){.host = "localhost", .port = 7000}, 3000);
    server_stop(&s);
    assert_int_equal(c.rows.size, text.size);
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '\n')
            text.data[i] = '|';
    assert_memory_equal(c.rows.data, text.data, text.size);
    beck__text_deinit(&text);
    client_deinit(&c);
}

static void lines_go_over_the_ends_of_buffers(void **state)
{
    (void)state;
    in_worlds(take_much, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(all_bytes_are_carried_over_connections),
        test(long_lines_are_cut_and_reported_once_per_connection),
        test(a_refused_connection_is_tried_again),
        test(two_seconds_are_the_default_delay),
        test(what_was_received_of_a_line_counts_at_a_stop),
        test(lines_go_over_the_ends_of_buffers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
