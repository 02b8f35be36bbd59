/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket word count in simulated worlds: delays, cut deliveries, resets, refusals; every line
 * that was received is counted, and a seed replays all that happens, bit for bit.
 */
#include "peer.h"

#define SEEDS 50
#define LINES 40

/* ---- what the network gave to Beck: a wrapper of recv that writes it down ---------------------
 */

#define CONNECTIONS_MAX 400

struct wire {
    struct os_socket *socket;
    bool open; /* the socket's memory may be used again for another */
    struct text bytes;
};

struct tap {
    struct os *os;
    beck_status (*recv)(struct os *os, struct os_socket *socket, void *data, size_t size,
                        size_t *got, int64_t timeout_ns, struct error *error);
    struct wire wires[CONNECTIONS_MAX];
    size_t count;
};

static struct tap *tap;

static struct wire *wire_of(struct os_socket *socket)
{
    for (size_t i = 0; i < tap->count; i++)
        if (tap->wires[i].open && tap->wires[i].socket == socket)
            return &tap->wires[i];
    assert(tap->count < CONNECTIONS_MAX);
    struct wire *wire = &tap->wires[tap->count++];
    *wire = (struct wire){socket, true, {.memory = &beck__os_real()->memory}};
    return wire;
}

static beck_status recv_noted(struct os *os, struct os_socket *socket, void *data, size_t size,
                              size_t *got, int64_t timeout_ns, struct error *error)
{
    struct wire *wire = wire_of(socket);
    beck_status status = tap->recv(os, socket, data, size, got, timeout_ns, error);

    beck__text_append(&wire->bytes, data, *got);
    if (status && status != BECK_AGAIN)
        wire->open = false;
    return status;
}

static void tap_open(struct tap *t)
{
    t->os = beck__os_current();
    t->recv = t->os->recv;
    t->os->recv = recv_noted;
    t->count = 0;
    tap = t;
}

static void tap_close(struct tap *t)
{
    t->os->recv = t->recv;
    for (size_t i = 0; i < t->count; i++)
        beck__text_deinit(&t->wires[i].bytes);
    tap = NULL;
}

/* How often the line is among the bytes, the last one without its end included. */
static int64_t times_received(const struct tap *t, const char *line)
{
    size_t size = strlen(line);
    int64_t times = 0;

    for (size_t i = 0; i < t->count; i++) {
        const char *from = beck__text_get(&t->wires[i].bytes);
        while (*from) {
            size_t length = strcspn(from, "\n");
            times += length == size && memcmp(from, line, size) == 0;
            from += length + (from[length] == '\n');
        }
    }
    return times;
}

/* ---- a server that sends all its lines to everybody -------------------------------------------
 */

struct talker {
    struct peer peer;
    const char *word; /* lines "word 0", "word 1", ... "word end" */
};

static void send_lines(struct peer *p, struct os_socket *client)
{
    const char *word = ((const struct talker *)p)->word;
    char line[64];

    for (int i = 0; i <= LINES && !p->stop; i++) {
        size_t sent = 0, at = 0;
        size_t size = (size_t)(i < LINES ? snprintf(line, sizeof line, "%s %d\n", word, i)
                                         : snprintf(line, sizeof line, "%s end\n", word));
        for (; at < size; at += sent)
            if (p->os->send(p->os, client, line + at, size - at, &sent, (int64_t)1000000000, NULL))
                return;
        p->os->sleep_ns(p->os, (i % 7) * 3000000);
    }
}

static void talker_start(struct talker *t, int port, const char *word)
{
    *t = (struct talker){{.port = port, .look_ns = 100 * 1000000, .serve = send_lines}, word};
    peer_start(&t->peer, word);
}

/* ---- the program ----------------------------------------------------------------------------- */

struct program {
    bool two; /* receivers */
    struct text events;
    struct said said;
    beck_context *ctx;
    int64_t ends[2]; /* "end" counted from each */
    int64_t counted[2][LINES];
    int64_t words, lines;
    uint64_t records;
};

static void split(beck_call *c, beck_row line)
{
    beck_str rest = beck_get_string(line, 0), word;

    while (beck_next_token(&rest, " ", &word))
        beck_emit(c, word, 1);
}

/* Adds a batch's counts of whole lines up; stops when every server has come to its end. */
static void add_lines(beck_call *c, beck_rdd *rdd)
{
    struct program *p = (void *)(uintptr_t)beck_ctx(c);
    beck_result *result = beck_collect(rdd);

    for (uint64_t i = 0; i < beck_result_rows(result); i++) {
        beck_row row = beck_result_row(result, i);
        beck_str line = beck_get_string(row, 0);
        char text[64] = "";
        int number, end = 0;
        memcpy(text, line.data, line.size < 63 ? line.size : 63);
        int which = text[0] == 'b';
        p->lines += beck_get_bigint(row, 1);
        if (sscanf(text + 1, " %d%n", &number, &end) == 1 && !text[1 + end])
            p->counted[which][number] += beck_get_bigint(row, 1);
        if (strcmp(text + 1, " end") == 0)
            p->ends[which] += beck_get_bigint(row, 1);
    }
    beck_result_free(result);
    if (p->ends[0] && (p->ends[1] || !p->two))
        beck_stop(p->ctx, .graceful = true);
}

static void note(void *user, const beck_event *e)
{
    struct program *p = user;

    beck__text_printf(&p->events, "%lld ", (long long)e->time_ms);
    event_line(&p->events, e);
    if (e->kind == BECK_EVENT_BATCH_COMPLETED)
        p->records += e->records;
}

static int build_and_run(struct program *p)
{
    beck_dstream *lines = beck_socket_text_stream(p->ctx, "localhost", 7001, .reconnect_ms = 100);

    if (p->two)
        lines = beck_union(lines,
                           beck_socket_text_stream(p->ctx, "localhost", 7002, .reconnect_ms = 150));
    beck_dstream *pairs = beck_flat_map(lines, "word STRING, n BIGINT", split);
    beck_dstream *counts = beck_reduce_by_key(pairs, beck_sum, .partitions = 3);
    beck_print(counts, .rows = 5);
    beck_foreach_rdd(beck_count_by_value(lines), add_lines, .ctx = p);
    beck_add_listener(p->ctx, note, p);
    return beck_run(p->ctx);
}

static void assert_nothing_lost(const struct program *p, const struct tap *t)
{
    char line[64];

    for (int which = 0; which <= p->two; which++)
        for (int i = 0; i < LINES; i++) {
            snprintf(line, sizeof line, "%c %d", "ab"[which], i);
            assert(p->counted[which][i] >= 1);
            assert(p->counted[which][i] == times_received(t, line));
        }
    assert((uint64_t)p->lines == p->records);
}

static void run_program(void *user)
{
    struct program *p = user;
    struct tap *t = calloc(1, sizeof *t);
    struct talker one, two;

    said_init(&p->said);
    p->events.memory = &beck__os_real()->memory;
    tap_open(t);
    talker_start(&one, 7001, "a");
    if (p->two)
        talker_start(&two, 7002, "b");
    p->ctx = beck_context_new("world", .batch_ms = 500, .master = "local[2]", .log = say,
                              .log_user = &p->said);
    int code = build_and_run(p);
    assert(code == 0);
    peer_stop(&one.peer);
    if (p->two)
        peer_stop(&two.peer);
    assert_nothing_lost(p, t);
    tap_close(t);
    free(t);
    beck__text_printf(&p->events, "%s", beck__text_get(&p->said.text));
    said_deinit(&p->said);
}

/* ---- tests ----------------------------------------------------------------------------------- */

struct outcome {
    struct text printed, events;
    uint64_t trace, steps;
};

static struct outcome run_seed(uint64_t seed, bool two)
{
    struct program p = {.two = two};
    struct outcome o = {.printed = {.memory = &beck__os_real()->memory}};
    struct os_simulation simulation = simulate(
        &(struct os_simulation){.seed = seed, .reset_per_mille = 10, .refuse_per_mille = 300},
        run_program, &p, &o.printed);

    o.events = p.events;
    o.trace = simulation.trace;
    o.steps = simulation.steps;
    return o;
}

static void outcome_deinit(struct outcome *o)
{
    beck__text_deinit(&o->printed);
    beck__text_deinit(&o->events);
}

static void assert_replays(bool two)
{
    int refused = 0, broken = 0;
    uint64_t last = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct outcome a = run_seed(seed, two), b = run_seed(seed, two);
        assert_string_equal(beck__text_get(&a.events), beck__text_get(&b.events));
        assert_string_equal(beck__text_get(&a.printed), beck__text_get(&b.printed));
        assert_true(a.trace == b.trace && a.steps == b.steps);
        assert_true(a.trace != last);
        last = a.trace;
        assert_contains(beck__text_get(&a.printed), "Time: 1000500 ms\n");
        refused += strstr(beck__text_get(&a.events), "Connection refused") != NULL;
        broken += strstr(beck__text_get(&a.events), "reset by peer") != NULL;
        outcome_deinit(&a);
        outcome_deinit(&b);
    }
    assert_true(refused > 10 && broken > 3); /* the worlds were rough */
}

static void a_word_count_replays_and_loses_nothing(void **state)
{
    (void)state;
    assert_replays(false);
}

static void so_does_the_union_of_two_receivers(void **state)
{
    (void)state;
    assert_replays(true);
}

/* ---- a fast source, a slow batch --------------------------------------------------------------
 */

#define FLOOD_LINES 60000

struct flood {
    struct os *os;
    struct tap tap;
    _Atomic int64_t processed; /* bytes of the batches that are over */
    int64_t received, most;
};

static struct flood *flood;

static beck_status recv_counted(struct os *os, struct os_socket *socket, void *data, size_t size,
                                size_t *got, int64_t timeout_ns, struct error *error)
{
    beck_status status = flood->tap.recv(os, socket, data, size, got, timeout_ns, error);

    flood->received += (int64_t)*got;
    if (flood->received - flood->processed > flood->most)
        flood->most = flood->received - flood->processed;
    return status;
}

/* FLOOD_LINES lines of 40 bytes as fast as they are taken. */
static void send_flood(void *user)
{
    struct os *os = user;
    struct os_poller *poller = os->poller_new(os);
    struct os_socket *listener, *client = NULL;
    int bound;

    assert(!os->listen(os, "localhost", 7001, &listener, &bound, NULL));
    while (os->accept(os, listener, &client, NULL)) {
        struct os_wait wait = {.socket = listener, .read = true};
        os->poller_wait(os, poller, &wait, 1, -1);
    }
    for (int i = 0; i < FLOOD_LINES; i++) {
        char line[64];
        size_t sent = 0, at = 0;
        snprintf(line, sizeof line, "%039d\n", i);
        for (; at < 40; at += sent)
            if (os->send(os, client, line + at, 40 - at, &sent, -1, NULL))
                break;
    }
    os->shut(os, client);
    os->shut(os, listener);
    os->poller_free(os, poller);
}

struct slow {
    beck_context *ctx;
    int64_t next;
};

static void take_slowly(beck_call *c, beck_rdd *rdd)
{
    struct slow *s = (void *)(uintptr_t)beck_ctx(c);
    beck_result *result = beck_collect(rdd);
    struct os *os = beck__os_current();

    if (beck_result_rows(result))
        os->sleep_ns(os, (int64_t)3000000000); /* three batches long */
    for (uint64_t i = 0; i < beck_result_rows(result); i++) {
        char text[64];
        beck_row_text(beck_result_row(result, i), text, sizeof text);
        assert(strtoll(text, NULL, 10) == s->next);
        s->next++;
    }
    flood->processed += 40 * (int64_t)beck_result_rows(result);
    beck_result_free(result);
    if (s->next == FLOOD_LINES)
        beck_stop(s->ctx, .graceful = true);
}

static void run_flood(void *user)
{
    char *argv[] = {"flood", "--conf", "receiver.bytes_max=200k", NULL};
    struct flood f = {.os = beck__os_current()};
    struct slow s = {0};
    struct said said;

    (void)user;
    flood = &f;
    f.tap.recv = f.os->recv;
    f.os->recv = recv_counted;
    struct os_thread *server = f.os->thread_start(f.os, "server", send_flood, f.os, NULL);
    said_init(&said);
    s.ctx = beck_context_new("flood", .batch_ms = 1000, .argc = 3, .argv = argv, .log = say,
                             .log_user = &said);
    beck_foreach_rdd(beck_socket_text_stream(s.ctx, "localhost", 7001, .reconnect_ms = 1000),
                     take_slowly, .ctx = &s);
    assert(beck_run(s.ctx) == 0);
    f.os->thread_join(f.os, server);
    assert(s.next == FLOOD_LINES);
    /* the limit, one read of at most what a socket holds, and a line that is not complete */
    assert(f.most <= (200 << 10) + (64 << 10) + 40);
    assert(f.most > 100 << 10);
    f.os->recv = f.tap.recv;
    said_deinit(&said);
}

static void a_fast_source_is_slowed_down(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++)
        simulate(&(struct os_simulation){.seed = seed}, run_flood, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_word_count_replays_and_loses_nothing),
        test(so_does_the_union_of_two_receivers),
        test(a_fast_source_is_slowed_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
