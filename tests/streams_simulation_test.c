/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows and state over thousands of batches in simulated worlds: two servers, a quick one and one
 * that trickles, whose connections are refused, reset, or fall silent for a minute. A model says
 * what each batch must give, every line that was received is in one batch, and memory does not
 * grow. A seed replays a whole run. Arguments: the first and the last seed.
 */
#include "peer.h"

#define BATCHES    10000
#define BATCH_MS   100
#define WINDOW     10 /* batches */
#define SLIDE      2
#define TIMEOUT_MS 700
#define TTL_MS     1100
#define GROWTH_MAX (64 << 10)

enum { ROWS_MAX = 4000, KEYS_MAX = 500, KEY_BYTES = 16, TEXT_BYTES = 40, CLIENTS_MAX = 8 };

/* ---- a line: "k12 34", or what a reset has left of it ---------------------------------------- */

struct line {
    char key[KEY_BYTES];
    int64_t n;
};

/* The key is up to the first space, the number the digits behind it. */
static void split(const char *text, size_t size, struct line *line)
{
    size_t key = 0;

    while (key < size && text[key] != ' ')
        key++;
    assert(key < sizeof line->key);
    memcpy(line->key, text, key);
    line->key[key] = '\0';
    line->n = 0;
    for (size_t i = key + 1; i < size; i++)
        line->n = 10 * line->n + (text[i] - '0');
}

static void pair(beck_call *c, beck_row row)
{
    beck_str text = beck_get_string(row, 0);
    struct line line;

    split(text.data, text.size, &line);
    beck_emit(c, line.key, line.n);
}

/* Lines add up to the same sum in whatever order. */
struct heap {
    uint64_t count, sum;
};

static void add_to(struct heap *heap, const char *text, size_t size)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)text[i]) * 1099511628211u;
    heap->count++;
    heap->sum += hash;
}

/* ---- what the network gave to Beck, and the memory it takes: recv, shut and resize wrapped  */

struct wire {
    struct os_socket *socket; /* NULL: free */
    char open[TEXT_BYTES];    /* the unfinished line */
    size_t size;
};

static struct tap {
    struct os *os;
    beck_status (*recv)(struct os *os, struct os_socket *socket, void *data, size_t size,
                        size_t *got, int64_t timeout_ns, struct error *error);
    void (*shut)(struct os *os, struct os_socket *socket);
    struct wire wires[CLIENTS_MAX];
    struct heap received;
    struct allocator memory;
    _Atomic int64_t used; /* bytes since then, in pieces below BIG */
} tap;

/* The buffers to receive into come and go with the connections. */
#define BIG ((size_t)1 << 20)

static void *resize_counted(void *self, void *p, size_t old_size, size_t new_size)
{
    void *fresh = tap.memory.resize(self, p, old_size, new_size);

    if (fresh || !new_size) {
        tap.used -= old_size < BIG ? (int64_t)old_size : 0;
        tap.used += new_size < BIG ? (int64_t)new_size : 0;
    }
    return fresh;
}

static struct wire *wire_of(struct os_socket *socket)
{
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (tap.wires[i].socket == socket)
            return &tap.wires[i];
    return NULL;
}

static beck_status recv_noted(struct os *os, struct os_socket *socket, void *data, size_t size,
                              size_t *got, int64_t timeout_ns, struct error *error)
{
    beck_status status = tap.recv(os, socket, data, size, got, timeout_ns, error);
    struct wire *wire = wire_of(socket) ? wire_of(socket) : wire_of(NULL);

    assert(wire);
    wire->socket = socket;
    for (size_t i = 0; i < *got; i++) {
        char byte = ((const char *)data)[i];
        if (byte != '\n') {
            assert(wire->size < sizeof wire->open);
            wire->open[wire->size++] = byte;
            continue;
        }
        add_to(&tap.received, wire->open, wire->size);
        wire->size = 0;
    }
    return status;
}

static void shut_noted(struct os *os, struct os_socket *socket)
{
    struct wire *wire = socket ? wire_of(socket) : NULL;

    if (wire && wire->size)
        add_to(&tap.received, wire->open, wire->size);
    if (wire)
        *wire = (struct wire){.socket = NULL};
    tap.shut(os, socket);
}

static void tap_open(void)
{
    struct os *os = beck__os_current();

    tap = (struct tap){.os = os, .recv = os->recv, .shut = os->shut, .memory = os->memory};
    os->recv = recv_noted;
    os->shut = shut_noted;
    os->memory.resize = resize_counted;
}

/* ---- a server: one client at a time, until the connection breaks ----------------------------- */

struct talker {
    struct peer peer;
    bool slow; /* byte by byte */
    uint64_t lines;
};

static uint32_t below(struct os *os, uint32_t limit)
{
    uint32_t x;

    os->random(os, &x, sizeof x);
    return x % limit;
}

static bool send_bytes(struct talker *t, struct os_socket *client, const char *bytes, size_t size)
{
    struct os *os = t->peer.os;

    for (size_t at = 0; at < size;) {
        size_t sent = 0, want = t->slow ? 1 : size - at;
        if (os->send(os, client, bytes + at, want, &sent, (int64_t)1000000000, NULL))
            return false;
        at += sent;
        if (t->slow)
            os->sleep_ns(os, (int64_t)below(os, 60) * 1000000);
    }
    return true;
}

/* Keys come and go: eight at a time, and none of them comes back. There are so many that tables
 * make room over and over again within a thousand batches. */
static void serve_client(struct peer *p, struct os_socket *client)
{
    struct talker *t = (struct talker *)p;
    struct os *os = p->os;
    char lines[20 * TEXT_BYTES];
    bool open = true;

    while (open && !p->stop) {
        int size = 0;
        for (uint32_t n = t->slow ? 1 : below(os, 20); n; n--, t->lines++)
            size += snprintf(lines + size, sizeof lines - (size_t)size, "%c%llu %u\n",
                             t->slow ? 's' : 'q', (unsigned long long)(t->lines / 2 + below(os, 8)),
                             below(os, 100));
        open = send_bytes(t, client, lines, (size_t)size);
        if (!t->slow)
            os->sleep_ns(os, (int64_t)below(os, 150) * 1000000);
    }
}

static void talker_start(struct talker *t, int port, bool slow)
{
    *t = (struct talker){.peer = {.port = port, .look_ns = 1000000000, .serve = serve_client},
                         .slow = slow};
    peer_start(&t->peer, "server");
}

/* ---- rows as text, in any order ----------------------------------------------------------- */

struct sheet {
    char rows[ROWS_MAX][TEXT_BYTES];
    size_t count;
};

static char *sheet_add(struct sheet *sheet)
{
    assert(sheet->count < ROWS_MAX);
    return sheet->rows[sheet->count++];
}

static int compare_rows(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void sheet_sort(struct sheet *sheet)
{
    qsort(sheet->rows, sheet->count, TEXT_BYTES, compare_rows);
}

/* ---- the model ---------------------------------------------------------------------------- */

struct entry {
    char key[KEY_BYTES];
    int64_t n, touched_ms;
};

struct keys {
    struct entry items[KEYS_MAX];
    size_t count;
};

static struct entry *key_of(struct keys *keys, const char *key)
{
    size_t i = 0;

    while (i < keys->count && strcmp(keys->items[i].key, key) != 0)
        i++;
    if (i == keys->count) {
        assert(i < KEYS_MAX);
        keys->items[keys->count++] = (struct entry){.n = 0};
        snprintf(keys->items[i].key, KEY_BYTES, "%s", key);
    }
    return &keys->items[i];
}

struct batch {
    int64_t time_ms;
    struct line lines[ROWS_MAX];
    size_t count;
};

/* Everything of one run: the program's callbacks get it, and so does the test. */
struct run {
    bool stateful;
    int batches;
    beck_context *ctx;
    struct batch recent[WINDOW]; /* batch n at n % WINDOW */
    int taken;
    struct heap counted;
    struct keys tracked, updated;
    struct sheet expected, got;
    int windows, rows, timeouts;
    uint64_t digest;
    int64_t used[2]; /* least memory in an early and in the last third of the batches */
};

static void expect(struct run *run, const char *key, int64_t n)
{
    snprintf(sheet_add(&run->expected), TEXT_BYTES, "(%s,%lld)", key, (long long)n);
}

static void expect_window(struct run *run, int64_t time_ms)
{
    struct keys sums = {.count = 0};

    for (int i = 0; i < WINDOW; i++) {
        const struct batch *batch = &run->recent[i];
        if (batch->time_ms <= time_ms - WINDOW * BATCH_MS)
            continue;
        for (size_t k = 0; k < batch->count; k++)
            key_of(&sums, batch->lines[k].key)->n += batch->lines[k].n;
    }
    for (size_t i = 0; i < sums.count; i++)
        expect(run, sums.items[i].key, sums.items[i].n);
}

/* Takes out the keys that were not touched for longer; with `tell` each is expected, as -1. */
static void time_out(struct run *run, struct keys *keys, int64_t time_ms, int64_t limit_ms,
                     bool tell)
{
    for (size_t i = 0; i < keys->count;) {
        if (time_ms - keys->items[i].touched_ms <= limit_ms) {
            i++;
            continue;
        }
        run->timeouts++;
        if (tell)
            expect(run, keys->items[i].key, -1);
        keys->items[i] = keys->items[--keys->count];
    }
}

static void touch(struct run *run, struct keys *keys, int64_t time_ms, bool tell)
{
    const struct batch *batch = &run->recent[(run->taken - 1) % WINDOW];

    for (size_t i = 0; i < batch->count; i++) {
        struct entry *entry = key_of(keys, batch->lines[i].key);
        entry->n += batch->lines[i].n;
        entry->touched_ms = time_ms;
        if (tell)
            expect(run, entry->key, entry->n);
    }
}

/* ---- the program -------------------------------------------------------------------------- */

/* Sums per key; -1 when it is gone. */
static void track(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    if (beck_is_none(value)) {
        beck_emit(c, beck_cell(key, 0), -1);
        return;
    }
    int64_t n = beck_state_bigint(state, 0, 0) + beck_get_bigint(value, 0);
    beck_state_put(state, n);
    beck_emit(c, beck_cell(key, 0), n);
}

static void update(beck_call *c, beck_row key, beck_rows *values, beck_state *state)
{
    int64_t n = beck_state_bigint(state, 0, 0);
    beck_row row;

    (void)c;
    (void)key;
    while (beck_next_row(values, &row))
        n += beck_get_bigint(row, 0);
    beck_state_put(state, n);
}

static void note_memory_of(struct run *run)
{
    int64_t used = tap.used;
    int tenth = run->batches / 10;
    int64_t *least = run->taken >= 2 * tenth && run->taken < 5 * tenth ? &run->used[0]
                     : run->taken >= 7 * tenth                         ? &run->used[1]
                                                                       : NULL;

    if (least && (!*least || used < *least))
        *least = used;
}

/* First of the outputs: what the batch is made of. */
static void take(beck_call *c, beck_rdd *lines)
{
    struct run *run = (void *)(uintptr_t)beck_ctx(c);
    struct batch *batch = &run->recent[run->taken % WINDOW];
    const struct batch *last = &run->recent[(run->taken + WINDOW - 1) % WINDOW];
    beck_result *result = beck_collect(lines);

    assert(!run->taken || beck_batch_time(c) == last->time_ms + BATCH_MS);
    batch->time_ms = beck_batch_time(c);
    batch->count = 0;
    for (uint64_t i = 0; i < beck_result_rows(result); i++) {
        beck_str text = beck_get_string(beck_result_row(result, i), 0);
        assert(batch->count < ROWS_MAX);
        split(text.data, text.size, &batch->lines[batch->count++]);
        add_to(&run->counted, text.data, text.size);
    }
    beck_result_free(result);
    note_memory_of(run);
    if (++run->taken == run->batches)
        beck_stop(run->ctx, .graceful = true);
}

/* The rows must be those that are expected. */
static void check(struct run *run, beck_rdd *rdd)
{
    beck_result *result = beck_collect(rdd);
    struct heap heap = {.count = 0};

    run->got.count = 0;
    for (uint64_t i = 0; i < beck_result_rows(result); i++) {
        char *text = sheet_add(&run->got);
        size_t size = beck_row_text(beck_result_row(result, i), text, TEXT_BYTES);
        add_to(&heap, text, size);
        run->digest = run->digest * 31 + heap.sum; /* in this order */
    }
    beck_result_free(result);
    sheet_sort(&run->got);
    sheet_sort(&run->expected);
    for (size_t i = 0; i < run->got.count || i < run->expected.count; i++) {
        const char *got = i < run->got.count ? run->got.rows[i] : "nothing";
        const char *expected = i < run->expected.count ? run->expected.rows[i] : "nothing";
        if (strcmp(got, expected) != 0)
            print_error("batch %d: expected %s, got %s\n", run->taken, expected, got);
        assert(strcmp(got, expected) == 0);
    }
    run->rows += (int)run->got.count;
    run->expected.count = 0;
}

static void check_window(beck_call *c, beck_rdd *rdd)
{
    struct run *run = (void *)(uintptr_t)beck_ctx(c);

    assert(beck_batch_time(c) == run->recent[(run->taken - 1) % WINDOW].time_ms);
    expect_window(run, beck_batch_time(c));
    check(run, rdd);
    run->windows++;
}

static void check_tracked(beck_call *c, beck_rdd *rdd)
{
    struct run *run = (void *)(uintptr_t)beck_ctx(c);

    touch(run, &run->tracked, beck_batch_time(c), true);
    time_out(run, &run->tracked, beck_batch_time(c), TIMEOUT_MS, true);
    check(run, rdd);
}

static void check_updated(beck_call *c, beck_rdd *rdd)
{
    struct run *run = (void *)(uintptr_t)beck_ctx(c);

    time_out(run, &run->updated, beck_batch_time(c), TTL_MS, false); /* even if they come again */
    touch(run, &run->updated, beck_batch_time(c), false);
    for (size_t i = 0; i < run->updated.count; i++)
        expect(run, run->updated.items[i].key, run->updated.items[i].n);
    check(run, rdd);
}

static void build(struct run *run)
{
    beck_dstream *lines =
        beck_union(beck_socket_text_stream(run->ctx, "localhost", 7001, .reconnect_ms = 100),
                   beck_socket_text_stream(run->ctx, "localhost", 7002, .reconnect_ms = 150));
    beck_dstream *pairs = beck_flat_map(lines, "k STRING, n BIGINT", pair);

    beck_foreach_rdd(lines, take, .ctx = run);
    if (!run->stateful) {
        beck_dstream *sums =
            beck_reduce_by_key_and_window(pairs, beck_sum, .window_ms = WINDOW * BATCH_MS,
                                          .slide_ms = SLIDE * BATCH_MS, .partitions = 2);
        beck_foreach_rdd(sums, check_window, .ctx = run);
        return;
    }
    beck_foreach_rdd(beck_map_with_state(pairs, "n BIGINT", "k STRING, n BIGINT", track,
                                         .timeout_ms = TIMEOUT_MS, .partitions = 2),
                     check_tracked, .ctx = run);
    beck_foreach_rdd(
        beck_update_state_by_key(pairs, "n BIGINT", update, .ttl_ms = TTL_MS, .partitions = 2),
        check_updated, .ctx = run);
}

static void say_nothing(void *user, beck_log_level level, const char *text)
{
    (void)user;
    (void)text;
    assert(level != BECK_LOG_ERROR);
}

static void run_program(void *user)
{
    struct run *run = user;
    struct talker quick, slow;

    tap_open();
    talker_start(&quick, 7001, false);
    talker_start(&slow, 7002, true);
    run->ctx =
        beck_context_new("streams", .batch_ms = BATCH_MS, .master = "local[2]", .log = say_nothing);
    build(run);
    int code = beck_run(run->ctx);
    assert(code == 0);
    peer_stop(&quick.peer);
    peer_stop(&slow.peer);
    assert(run->counted.count == tap.received.count && run->counted.sum == tap.received.sum);
}

/* ---- tests -------------------------------------------------------------------------------- */

static uint64_t first_seed = 1, last_seed = 1;

struct outcome {
    uint64_t trace, steps, digest, lines;
};

static struct outcome run_seed(uint64_t seed, bool stateful, int batches)
{
    struct run *run = calloc(1, sizeof *run);

    run->stateful = stateful;
    run->batches = batches;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct os_simulation simulation = simulate(
        &(struct os_simulation){.seed = seed, .reset_per_mille = 2, .refuse_per_mille = 300},
        run_program, run, NULL);
    struct outcome outcome = {simulation.trace, simulation.steps, run->digest, run->counted.count};
    print_message("%d lines, %d rows, %d timeouts, %lld and %lld bytes, %llu steps\n",
                  (int)outcome.lines, run->rows, run->timeouts, (long long)run->used[0],
                  (long long)run->used[1], (unsigned long long)outcome.steps);
    assert_true(run->taken >= batches && outcome.lines > (uint64_t)batches / 4);
    if (stateful)
        assert_true(run->timeouts > batches / 50);
    else
        assert_in_range(run->windows, batches / SLIDE - 1, run->taken / SLIDE + 1);
    if (batches == BATCHES)
        assert_true(run->used[1] <= run->used[0] + GROWTH_MAX);
    free(run);
    return outcome;
}

static void run_seeds(bool stateful)
{
    for (uint64_t seed = first_seed; seed <= last_seed; seed++)
        run_seed(seed, stateful, BATCHES);
}

static void windows_are_right_and_memory_does_not_grow(void **state)
{
    (void)state;
    run_seeds(false);
}

static void states_are_right_and_memory_does_not_grow(void **state)
{
    (void)state;
    run_seeds(true);
}

static void a_seed_replays(void **state)
{
    (void)state;
    for (int stateful = 0; stateful < 2; stateful++) {
        struct outcome a = run_seed(first_seed, stateful, BATCHES / 10);
        struct outcome b = run_seed(first_seed, stateful, BATCHES / 10);
        struct outcome other = run_seed(first_seed + 1, stateful, BATCHES / 10);
        assert_memory_equal(&a, &b, sizeof a);
        assert_true(a.trace != other.trace && a.digest != other.digest);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        test(windows_are_right_and_memory_does_not_grow),
        test(states_are_right_and_memory_does_not_grow),
        test(a_seed_replays),
    };

    if (argc == 3) {
        first_seed = strtoull(argv[1], NULL, 10);
        last_seed = strtoull(argv[2], NULL, 10);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
