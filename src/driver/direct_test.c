/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Direct streams with a source of this test: what a batch takes, limits, errors, ends, and a look
 * that hangs while other streams go on.
 */
#include "driver/driver.h"
#include "driver/testing.h"

/* A source whose looks are a script: each character is one. Digits: so many numbers, of one byte
 * each, in one unit; letters: what went wrong. */
struct script {
    char looks[40];
};

struct looks {
    size_t at;
    int64_t next;
};

static struct {
    struct os_lock *lock;
    struct os_gate *gate;
    bool hanging, go_on;
    int closed;
} shared;

static void hang(void)
{
    struct os *os = beck__os_current();

    os->lock(os, shared.lock);
    shared.hanging = true;
    os->gate_wake_all(os, shared.gate);
    while (!shared.go_on)
        os->gate_wait(os, shared.gate, shared.lock, -1);
    os->unlock(os, shared.lock);
}

static beck_status list(beck_ranges *found, void *state, const void *params, size_t size)
{
    const struct script *script = params;
    struct looks *looks = state;
    char c = script->looks[looks->at];

    (void)size;
    looks->at += c != '\0';
    for (int i = 0; c >= '0' && c < '0' + 9 && i < c - '0'; i++) {
        beck_range_size counts = {.bytes = 1, .continues = i > 0};
        beck_add_range_of(found, &looks->next, sizeof looks->next, counts);
        looks->next++;
    }
    switch (c) {
    case 'e':
        return beck_ranges_error(found, BECK_IO, "the disk is on fire");
    case 'm': /* found something first */
        beck_add_range(found, &looks->next, sizeof looks->next);
        looks->next++;
        return BECK_TIMEOUT;
    case 'w':
        beck_ranges_warn(found, "at %lld", (long long)beck_ranges_now_ms(found));
        return BECK_OK;
    case 'c':
        return BECK_CLOSED;
    case 'h':
        hang();
        return BECK_OK;
    case 'a': /* until there are too many */
        while (!beck_add_range(found, &looks->next, sizeof looks->next))
            looks->next++;
        return BECK_AGAIN;
    default:
        return BECK_OK;
    }
}

static void closed(void *state)
{
    (void)state;
    shared.closed++;
}

static beck_status read_number(beck_reader *r, const void *params, size_t params_size,
                               const void *range, size_t size)
{
    int64_t n;

    (void)params, (void)params_size;
    assert(size == sizeof n);
    memcpy(&n, range, sizeof n);
    beck_read_row(r, n);
    return BECK_OK;
}

static const beck_direct_class numbers_class[1] = {{.name = "numbers",
                                                    .schema = "n BIGINT",
                                                    .read = read_number,
                                                    .list = list,
                                                    .close = closed,
                                                    .state_size = sizeof(struct looks)}};

#define scripted(ctx, text, ...)                                                                   \
    beck_direct_stream((ctx), numbers_class, .params = &(struct script){text},                     \
                       .params_size = sizeof(struct script), __VA_ARGS__)

/* ---- batches --------------------------------------------------------------------------------- */

static void a_batch_gets_what_was_found(void **state)
{
    beck_context *ctx = stepped("found");

    (void)state;
    shared.closed = 0;
    beck_dstream *s = scripted(ctx, "2x310", .name = "in");
    beck_collector *c = beck_collect_stream(s);
    assert_int_equal(beck_step(ctx, 5000), BECK_OK);
    assert_batches(c, "1000 0|1|;2000 2|3|4|;3000 5|;4000 ;5000 ;");
    assert_contains(beck_describe(ctx), "numbers \"in\" at direct_test.c:");
    beck_context_free(ctx);
    assert_int_equal(shared.closed, 1);
}

static void as_much_as_its_limits_allow(void **state)
{
    beck_context *ctx = stepped("limits");

    (void)state;
    beck_collector *units =
        beck_collect_stream(scripted(ctx, "3220", .name = "units", .units_max = 2));
    beck_collector *bytes =
        beck_collect_stream(scripted(ctx, "3220", .name = "bytes", .bytes_max = 4));
    assert_int_equal(beck_step(ctx, 3000), BECK_OK);
    assert_batches(units, "1000 0|1|2|3|4|;2000 5|6|;3000 ;");
    assert_batches(bytes, "1000 0|1|2|3|;2000 4|5|6|;3000 ;");
    beck_context_free(ctx);
}

static void very_many_wait_with_the_source(void **state)
{
    beck_context *ctx = stepped("many");
    beck_collector *c = beck_collect_stream(beck_count(scripted(ctx, "aa", .units_max = 100000)));

    (void)state;
    assert_int_equal(beck_step(ctx, 3000), BECK_OK);
    assert_batches(c, "1000 65536|;2000 0|;3000 0|;");
    beck_context_free(ctx);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void a_first_look_that_fails_fails_the_start(void **state)
{
    beck_context *ctx = stepped("start");

    (void)state;
    shared.closed = 0;
    beck_print(scripted(ctx, "e", .name = "in"));
    assert_int_equal(beck_step(ctx, 1000), BECK_IO);
    assert_contains(beck_error_text(ctx), "numbers \"in\" at direct_test.c:");
    assert_contains(beck_error_text(ctx), ": the disk is on fire");
    assert_int_equal(beck_context_state(ctx), BECK_STOPPED);
    beck_context_free(ctx);
    assert_int_equal(shared.closed, 1);
}

static void a_later_one_is_told_once_for_each_time(void **state)
{
    struct text events = {.memory = &beck__os_real()->memory};
    beck_context *ctx = stepped("later");
    beck_collector *c = beck_collect_stream(scripted(ctx, "1eem1ew1", .name = "in"));

    (void)state;
    beck_add_listener(ctx, keep_events, &events);
    for (int i = 0; i < 7; i++)
        assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_batches(c, "1000 0|;2000 ;3000 1|;4000 2|;5000 ;6000 ;7000 3|;");
    const char *told[] = {"receiver started in\n",
                          "receiver error in: the disk is on fire\n",
                          "receiver error in: timed out\n",
                          "receiver started in\n",
                          "receiver error in: the disk is on fire\n",
                          "receiver error in: at 6000\n",
                          "receiver started in\n"};
    const char *at = beck__text_get(&events);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        const char *next = strstr(at, told[i]);
        if (!next)
            print_error("no \"%s\" in:\n%s", told[i], at);
        assert_non_null(next);
        at = next + strlen(told[i]);
    }
    assert_null(strstr(at, "receiver error"));
    beck_context_free(ctx);
    beck__text_deinit(&events);
}

static void one_that_has_ended_is_not_asked_again(void **state)
{
    beck_context *ctx = stepped("ended");
    beck_collector *c = beck_collect_stream(scripted(ctx, "1c1", .name = "in"));

    (void)state;
    assert_int_equal(beck_step(ctx, 3000), BECK_OK);
    assert_batches(c, "1000 0|;2000 ;3000 ;");
    beck_context_free(ctx);
}

static void wrong_arguments_are_told(void **state)
{
    static const beck_direct_class half = {.name = "half", .schema = "n BIGINT"};
    beck_context *ctx = stepped("wrong");

    (void)state;
    beck_direct_stream(ctx, NULL);
    assert_contains(beck_error_text(ctx), "the class of the source is NULL");
    beck_context_free(ctx);
    ctx = stepped("wrong");
    beck_direct_stream(ctx, &half);
    assert_contains(beck_error_text(ctx), "lacks list or read");
    beck_context_free(ctx);
    ctx = stepped("wrong");
    beck_direct_rdd(ctx, numbers_class);
    assert_contains(beck_error_text(ctx), "lacks plan or read");
    beck_context_free(ctx);
    ctx = stepped("wrong");
    scripted(ctx, "1", .units_max = -3);
    assert_contains(beck_error_text(ctx), ".units_max is -3; give 1 or more");
    beck_context_free(ctx);
}

/* ---- on the clock ---------------------------------------------------------------------------- */

struct counted {
    beck_context *ctx;
    int64_t batches, rows;
};

static void count_rows(beck_call *c, beck_rdd *rdd)
{
    struct counted *p = (void *)(uintptr_t)beck_ctx(c);
    beck_result *result = beck_collect(rdd);

    p->rows += (int64_t)beck_result_rows(result);
    beck_result_free(result);
    if (++p->batches == 20)
        beck_stop(p->ctx, .graceful = true);
}

static void let_go(struct os *os)
{
    os->lock(os, shared.lock);
    shared.go_on = true;
    os->gate_wake_all(os, shared.gate);
    os->unlock(os, shared.lock);
}

/* One look hangs; the batches go on, with what the other source finds. */
static void live(void *user)
{
    struct counted *p = user;
    struct os *os = beck__os_current();

    shared.lock = os->lock_new(os);
    shared.gate = os->gate_new(os);
    shared.hanging = shared.go_on = false;
    p->ctx = beck_context_new("live", .batch_ms = 100);
    beck_dstream *a = scripted(p->ctx, "1h", .name = "hangs");
    beck_dstream *b = scripted(p->ctx, "11111", .name = "goes on");
    beck_foreach_rdd(beck_union(a, b), count_rows, .ctx = p);
    assert(!beck_start(p->ctx));
    os->lock(os, shared.lock);
    while (!shared.hanging)
        os->gate_wait(os, shared.gate, shared.lock, -1);
    os->unlock(os, shared.lock);
    os->sleep_ns(os, (int64_t)3000000000);
    let_go(os);
    assert(!beck_await_termination(p->ctx));
    beck_context_free(p->ctx);
    os->gate_free(os, shared.gate);
    os->lock_free(os, shared.lock);
}

static void a_look_that_hangs_stops_nobody(void **state)
{
    struct os_simulation like = {.seed = 5};
    struct counted p = {0};

    (void)state;
    simulate(&like, live, &p, NULL);
    assert_int_equal(p.batches, 20);
    assert_int_equal(p.rows, 6);
}

/* It returns when the context is gone. */
static void left_behind(void *user)
{
    struct said *said = user;
    struct os *os = beck__os_current();

    shared.lock = os->lock_new(os);
    shared.gate = os->gate_new(os);
    shared.hanging = shared.go_on = false;
    shared.closed = 0;
    said_init(said);
    beck_context *ctx = beck_context_new("live", .batch_ms = 100, .log = say, .log_user = said);
    beck_print(scripted(ctx, "1h", .name = "hangs"));
    assert(!beck_start(ctx));
    os->sleep_ns(os, (int64_t)1000000000);
    assert(shared.hanging);
    int64_t from = os->mono_ns(os);
    assert(!beck_stop(ctx));
    assert((os->mono_ns(os) - from) / 1000000 < 10500);
    beck_context_free(ctx);
    assert(shared.closed == 0);
    let_go(os);
    while (!shared.closed)
        os->sleep_ns(os, 1000000);
    assert(strstr(beck__text_get(&said->text), "the look does not return; its thread is left"));
    said_deinit(said);
    os->gate_free(os, shared.gate);
    os->lock_free(os, shared.lock);
}

static void and_is_left_behind_at_the_end(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct said said;
        simulate(&(struct os_simulation){.seed = seed}, left_behind, &said, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_gets_what_was_found),
        cmocka_unit_test(as_much_as_its_limits_allow),
        cmocka_unit_test(very_many_wait_with_the_source),
        cmocka_unit_test(a_first_look_that_fails_fails_the_start),
        cmocka_unit_test(a_later_one_is_told_once_for_each_time),
        cmocka_unit_test(one_that_has_ended_is_not_asked_again),
        cmocka_unit_test(wrong_arguments_are_told),
        cmocka_unit_test(a_look_that_hangs_stops_nobody),
        cmocka_unit_test(and_is_left_behind_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
