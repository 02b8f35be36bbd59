/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receivers that block, hang or talk rubbish, in simulated worlds: each has a thread of its own,
 * and nobody waits for another.
 */
#include "ingest/testing.h"

#define LIKE(...) (&(struct ingest_options){__VA_ARGS__})

/* A world's clock, shared with what runs in it. */
struct scene {
    struct intake t;
    struct os *os;
    struct os_lock *lock;
    struct os_gate *gate;
    int runs, stored_calls, interrupted, closed;
    uint64_t stored_token;
    int64_t rows;
    bool hanging, go_on, returned;
};

static struct scene *scene;

static int64_t scene_now(void *user)
{
    (void)user;
    return 1000 + scene->os->mono_ns(scene->os) / 1000000;
}

static void scene_init(struct scene *s, const struct ingest_options *like)
{
    struct ingest_options options = *like;

    memset(s, 0, sizeof *s);
    scene = s;
    s->os = beck__os_current();
    s->lock = s->os->lock_new(s->os);
    s->gate = s->os->gate_new(s->os);
    options.now_ms = scene_now;
    options.user = &s->t;
    intake_init(&s->t, &options);
    s->t.now_ms = INT64_MAX;
}

static void scene_deinit(struct scene *s)
{
    intake_deinit(&s->t);
    s->os->gate_free(s->os, s->gate);
    s->os->lock_free(s->os, s->lock);
}

static int add(struct scene *s, const beck_receiver_class *class_of, const char *name)
{
    struct received received = {.class_of = class_of,
                                .schema = s->t.lines,
                                .params = beck_bytes_of(&s, sizeof s),
                                .name = name};

    return beck__ingest_add(s->t.ingest, &received);
}

/* Rows of a batch that is released at once. */
static uint64_t take(struct scene *s, int stream, uint64_t *bytes)
{
    struct blocks batch = {.memory = &s->os->memory};

    beck__ingest_allot(s->t.ingest, stream, INT64_MAX, &batch);
    uint64_t rows = batch.rows, size = batch.bytes;
    beck__blocks_deinit(&batch);
    beck__ingest_release(s->t.ingest, stream, size);
    *bytes = size;
    return rows;
}

static void sleep_ms(struct scene *s, int64_t ms)
{
    s->os->sleep_ns(s->os, ms * 1000000);
}

static void in_worlds(void (*body)(void *user), int seeds)
{
    for (int seed = 1; seed <= seeds; seed++) {
        struct os_simulation simulation = {.seed = (uint64_t)seed};
        struct error error = {0};
        assert_ok(beck__os_simulate(&simulation, body, NULL, NULL, &error), error);
        assert_false(simulation.deadlock);
    }
}

static void close_counted(beck_receiver *r, void *state)
{
    (void)r, (void)state;
    scene->closed++;
}

/* ---- receivers that block -------------------------------------------------------------------- */

static void stored(beck_receiver *r, void *state, uint64_t token)
{
    (void)r, (void)state;
    scene->stored_calls++;
    scene->stored_token = token;
}

/* Three rows at a time, safe when the store returns, until it is told to stop; the first run
 * fails. */
static beck_status run_rows(beck_receiver *r, void *state)
{
    beck_value values[3] = {beck_value_of("a"), beck_value_of("b"), beck_value_of("c")};

    (void)state;
    if (scene->runs++ == 0)
        return beck_receiver_error(r, BECK_IO, "no signal");
    while (beck_receiver_wait(r, 10)) {
        beck_status status = beck_store_rows(r, (uint64_t)scene->rows, values, 3);
        if (status)
            return status;
        scene->rows += 3;
        assert(scene->stored_token == (uint64_t)scene->rows - 3);
    }
    return BECK_OK;
}

static const beck_receiver_class rows_class = {.name = "rows",
                                               .schema = "value STRING",
                                               .run = run_rows,
                                               .stored = stored,
                                               .close = close_counted};

static void a_run(void *user)
{
    struct scene s;
    uint64_t rows = 0, bytes;

    (void)user;
    scene_init(&s, LIKE(.restart_ms = 50));
    int stream = add(&s, &rows_class, "rows");
    intake_start(&s.t, false); /* it has its thread even so */
    for (int i = 0; i < 20; i++) {
        sleep_ms(&s, 20);
        rows += take(&s, stream, &bytes);
        assert(rows % 3 == 0); /* all three or none */
    }
    beck__ingest_stop(s.t.ingest);
    rows += take(&s, stream, &bytes);
    assert(rows > 60 && (int64_t)rows == s.rows && s.runs == 2 && s.closed == 2);
    beck__bus_deliver(s.t.bus);
    assert(!strcmp(beck__text_get(&s.t.events),
                   "started rows\nerror rows: no signal\nstarted rows\nstopped rows\n"));
    scene_deinit(&s);
}

static void one_that_blocks_has_a_thread(void **state)
{
    (void)state;
    in_worlds(a_run, 20);
}

/* As fast as it may. */
static beck_status run_flood(beck_receiver *r, void *state)
{
    beck_value value = beck_value_of("twenty bytes in a row");
    beck_status status = BECK_OK;

    (void)state;
    while (!status) {
        status = beck_store_values(r, 0, &value, 1);
        scene->rows += !status;
    }
    assert(status == BECK_CANCELLED);
    return status;
}

static const beck_receiver_class flood_class = {
    .name = "flood", .schema = "value STRING", .run = run_flood};

static void a_flood(void *user)
{
    struct scene s;
    uint64_t rows = 0, bytes;

    (void)user;
    scene_init(&s, LIKE(.bytes_max = 20000, .block_bytes = 4096));
    int stream = add(&s, &flood_class, "flood");
    intake_start(&s.t, true);
    for (int i = 0; i < 5; i++) {
        sleep_ms(&s, 1000);
        rows += take(&s, stream, &bytes);
        assert(bytes > 10000 && bytes < 25000);
    }
    beck__ingest_stop(s.t.ingest);
    rows += take(&s, stream, &bytes);
    assert((int64_t)rows == s.rows);
    scene_deinit(&s);
}

static void its_stores_wait_for_room(void **state)
{
    (void)state;
    in_worlds(a_flood, 5);
}

/* In a call of its own, which interrupt ends. */
static beck_status run_deaf(beck_receiver *r, void *state)
{
    struct os *os = scene->os;

    (void)state;
    os->lock(os, scene->lock);
    while (!scene->go_on)
        os->gate_wait(os, scene->gate, scene->lock, -1);
    os->unlock(os, scene->lock);
    assert(beck_receiver_stopping(r));
    return BECK_OK;
}

static void interrupt_deaf(beck_receiver *r, void *state)
{
    struct os *os = scene->os;

    (void)r, (void)state;
    os->lock(os, scene->lock);
    scene->go_on = true;
    scene->interrupted++;
    os->gate_wake_all(os, scene->gate);
    os->unlock(os, scene->lock);
}

static const beck_receiver_class deaf_class = {
    .name = "deaf", .schema = "value STRING", .run = run_deaf, .interrupt = interrupt_deaf};

static void a_deaf_one(void *user)
{
    struct scene s;

    (void)user;
    scene_init(&s, LIKE(.restart_ms = 50));
    add(&s, &deaf_class, "deaf");
    intake_start(&s.t, true);
    sleep_ms(&s, 100);
    beck__ingest_stop(s.t.ingest);
    assert(s.interrupted == 1 && s.os->mono_ns(s.os) < (int64_t)1000000000);
    scene_deinit(&s);
}

static void and_is_interrupted(void **state)
{
    (void)state;
    in_worlds(a_deaf_one, 10);
}

/* ---- receivers that misbehave ---------------------------------------------------------------- */

static beck_status poll_hang(beck_receiver *r, void *state, int64_t timeout_ms)
{
    struct os *os = scene->os;

    (void)state, (void)timeout_ms;
    os->lock(os, scene->lock);
    scene->hanging = true;
    while (!scene->go_on)
        os->gate_wait(os, scene->gate, scene->lock, -1);
    os->unlock(os, scene->lock);
    beck_status status = beck_store_bytes(r, 0, "late\n", 5);
    beck_receiver_warn(r, "nobody hears this any more");
    scene->returned = true;
    return status;
}

static const beck_receiver_class hang_class = {
    .name = "hang", .schema = "value STRING", .poll = poll_hang, .close = close_counted};

static void a_hang(void *user)
{
    const struct act act = {.bytes = "line\n", .answer = BECK_AGAIN};
    struct script script = {.acts = &act, .count = 1};
    struct scene s;
    uint64_t bytes;

    (void)user;
    scene_init(&s, LIKE(.restart_ms = 50));
    int hangs = add(&s, &hang_class, "hangs");
    int other = intake_add(&s.t, &script, "other");
    intake_start(&s.t, true);
    for (int i = 0; i < 20; i++) {
        sleep_ms(&s, 1000);
        assert(take(&s, hangs, &bytes) == 0);
        assert(take(&s, other, &bytes) == (i == 0));
    }
    int64_t from = s.os->mono_ns(s.os);
    beck__ingest_stop(s.t.ingest);
    assert(s.os->mono_ns(s.os) - from < (int64_t)11000000000);
    beck__bus_deliver(s.t.bus);
    const char *events = beck__text_get(&s.t.events);
    const char *told = strstr(events, "error hangs: poll has not returned for 1");
    assert(told && !strstr(told + 1, "error hangs"));
    assert(strstr(events, "stopped hangs: it does not return\n"));
    assert(strstr(events, "stopped other\n") && script.closed == 1);
    assert(strstr(beck__text_get(&s.t.logged),
                  "hangs: poll does not return; its thread is left behind\n"));
    struct os *os = s.os;
    intake_deinit(&s.t); /* and then it returns, to nothing */
    os->lock(os, s.lock);
    s.go_on = true;
    os->gate_wake_all(os, s.gate);
    os->unlock(os, s.lock);
    while (!s.returned)
        sleep_ms(&s, 1);
    sleep_ms(&s, 10);
    assert(s.closed == 0);
    os->gate_free(os, s.gate);
    os->lock_free(os, s.lock);
}

static void one_that_hangs_stops_nobody(void **state)
{
    (void)state;
    in_worlds(a_hang, 10);
}

/* Says what is no status; then stores what does not fit, and does not notice. */
static beck_status poll_rubbish(beck_receiver *r, void *state, int64_t timeout_ms)
{
    static const beck_value number = {.kind = BECK_KIND_INTEGER};

    (void)state, (void)timeout_ms;
    switch (scene->runs++) {
    case 0:
        return (beck_status)77;
    case 1:
        beck_store_values(r, 0, &number, 2);
        return BECK_AGAIN;
    case 2:
        beck_store_bytes(r, 0, "fine\n", 5);
        return BECK_OK;
    default:
        return BECK_CLOSED;
    }
}

static const beck_receiver_class rubbish_class = {
    .name = "rubbish", .schema = "value STRING", .poll = poll_rubbish};

static void rubbish_is_told(void *user)
{
    struct scene s;
    uint64_t bytes;

    (void)user;
    scene_init(&s, LIKE(.restart_ms = 50));
    int stream = add(&s, &rubbish_class, "r");
    intake_start(&s.t, true);
    sleep_ms(&s, 1000);
    assert(take(&s, stream, &bytes) == 1);
    beck__ingest_stop(s.t.ingest);
    beck__bus_deliver(s.t.bus);
    assert(!strcmp(beck__text_get(&s.t.events),
                   "started r\nerror r: poll returned 77, which is no status\n"
                   "started r\nerror r: stores 2 values, but the stream has 1 columns\n"
                   "started r\nstopped r\n"));
    scene_deinit(&s);
}

static void rubbish_is_an_error(void **state)
{
    (void)state;
    in_worlds(rubbish_is_told, 3);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static beck_status poll_many(beck_receiver *r, void *state, int64_t timeout_ms)
{
    beck_value values[20001];

    (void)state, (void)timeout_ms;
    if (scene->runs++)
        return BECK_AGAIN;
    for (int i = 0; i < 20001; i++)
        values[i] = i < 20000 ? beck_value_of("row") : beck_value_of(1.5);
    beck_status status = beck_store_rows(r, 1, values, 20001); /* the last does not fit */
    assert(status == BECK_TYPE);
    status = beck_store_rows(r, 2, values, 20000);
    assert(!status && !beck_store_rows(r, 3, values, 0));
    return BECK_CLOSED;
}

static const beck_receiver_class many_class = {
    .name = "many", .schema = "value STRING", .poll = poll_many};

static void many_rows(void *user)
{
    struct scene s;
    uint64_t bytes;

    (void)user;
    scene_init(&s, LIKE(.restart_ms = 50));
    int stream = add(&s, &many_class, "many");
    intake_start(&s.t, false);
    beck__ingest_step(s.t.ingest);
    assert(take(&s, stream, &bytes) == 20000);
    scene_deinit(&s);
}

static void rows_are_stored_all_or_none(void **state)
{
    (void)state;
    in_worlds(many_rows, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(one_that_blocks_has_a_thread), test(its_stores_wait_for_room),
        test(and_is_interrupted),           test(one_that_hangs_stops_nobody),
        test(rubbish_is_an_error),          test(rows_are_stored_all_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
