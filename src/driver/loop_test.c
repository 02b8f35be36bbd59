/* SPDX-License-Identifier: Apache-2.0 */
/* Batch times lie on the grid, late ones come in order, and a graceful stop leaves nothing behind.
 */
#include "driver/driver.h"
#include "driver/testing.h"

static void pause_ms(int64_t ms)
{
    struct os *os = beck__os_current();

    os->sleep_ns(os, ms * 1000000);
}

static void do_nothing(beck_call *c, beck_rdd *rdd)
{
    (void)c, (void)rdd;
}

/* ---- the grid -------------------------------------------------------------------------------- */

/* Checks every event of a run. */
struct grid {
    int64_t start_ms, period_ms, first_ms;
    int64_t submitted, started, completed; /* how many */
};

static void check_grid(void *user, const beck_event *e)
{
    struct grid *g = user;

    switch (e->kind) {
    case BECK_EVENT_BATCH_SUBMITTED:
        assert_int_equal(e->batch_ms, g->first_ms + g->submitted++ * g->period_ms);
        assert_int_equal(e->time_ms, e->batch_ms); /* on time */
        assert_int_equal(e->scheduling_us, -1);
        assert_int_equal(e->processing_us, -1);
        break;
    case BECK_EVENT_BATCH_STARTED:
        assert_int_equal(e->batch_ms, g->first_ms + g->started++ * g->period_ms);
        assert_int_equal(e->scheduling_us, 0);
        assert_int_equal(e->processing_us, -1);
        break;
    case BECK_EVENT_BATCH_COMPLETED:
        assert_int_equal(e->batch_ms, g->first_ms + g->completed++ * g->period_ms);
        assert_int_equal(e->scheduling_us, 0);
        assert_int_equal(e->processing_us, 0);
        assert_null(e->error);
        break;
    default:
        assert_true(e->batch_ms == -1 || e->kind >= BECK_EVENT_OUTPUT_STARTED);
        break;
    }
}

static void run_grid(void *user)
{
    struct grid *g = user;
    beck_context *ctx = beck_context_new("grid", .batch_ms = g->period_ms, .master = "local[1]");

    beck_foreach_rdd(beck_queue_stream(ctx, "n BIGINT"), do_nothing);
    beck_add_listener(ctx, check_grid, g);
    assert_int_equal(beck_start(ctx), BECK_OK);
    pause_ms(g->first_ms - g->start_ms + g->period_ms * 9 / 2);
    assert_int_equal(beck_stop(ctx), BECK_OK);
    beck_context_free(ctx);
}

static void batch_times_are_multiples_of_the_interval(void **state)
{
    static const struct {
        int64_t start_ms, period_ms, first_ms;
    } cases[] = {{10500, 1000, 11000},
                 {10000, 1000, 11000},
                 {10999, 1000, 11000},
                 {10500, 300, 10800},
                 {10500, 7, 10507},
                 {1, 60000, 60000},
                 {1700000000123, 2500, 1700000002500}};

    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++) {
        struct grid g = {.start_ms = cases[i].start_ms,
                         .period_ms = cases[i].period_ms,
                         .first_ms = cases[i].first_ms};
        simulate(&(struct os_simulation){.seed = i + 1, .start_ms = cases[i].start_ms}, run_grid,
                 &g, NULL);
        assert_int_equal(g.submitted, 5);
        assert_int_equal(g.completed, 5);
    }
}

/* ---- late ------------------------------------------------------------------------------------ */

struct lateness {
    struct text order; /* "submitted 11000 started 11000 ..." */
    int64_t scheduling_us[10];
    int completed, waiting, waiting_most;
};

static void note_order(void *user, const beck_event *e)
{
    struct lateness *l = user;

    if (e->kind == BECK_EVENT_BATCH_SUBMITTED) {
        beck__text_printf(&l->order, "+%lld ", (long long)e->batch_ms / 1000);
        if (++l->waiting > l->waiting_most)
            l->waiting_most = l->waiting;
    }
    if (e->kind == BECK_EVENT_BATCH_STARTED)
        l->waiting--;
    if (e->kind == BECK_EVENT_BATCH_COMPLETED) {
        beck__text_printf(&l->order, "%lld ", (long long)e->batch_ms / 1000);
        l->scheduling_us[l->completed++] = e->scheduling_us;
    }
}

static void pause_in_first(beck_call *c, beck_rdd *rdd)
{
    (void)rdd;
    if (beck_batch_time(c) == 11000)
        pause_ms(3500);
}

static void run_late(void *user)
{
    struct lateness *l = user;
    beck_context *ctx = beck_context_new("late", .batch_ms = 1000, .master = "local[1]");

    beck_foreach_rdd(beck_queue_stream(ctx, "n BIGINT"), pause_in_first);
    beck_add_listener(ctx, note_order, l);
    assert_int_equal(beck_start(ctx), BECK_OK);
    pause_ms(5600);
    assert_int_equal(beck_stop(ctx), BECK_OK);
    beck_context_free(ctx);
}

static void late_ticks_come_in_order(void **state)
{
    struct lateness l = {.order = {.memory = &beck__os_real()->memory}};

    (void)state;
    simulate(&(struct os_simulation){.seed = 1, .start_ms = 10500}, run_late, &l, NULL);
    assert_string_equal(beck__text_get(&l.order), "+11 11 +12 +13 +14 12 13 14 +15 15 +16 16 ");
    assert_int_equal(l.scheduling_us[0], 0);
    assert_int_equal(l.scheduling_us[1], 2500000);
    assert_int_equal(l.scheduling_us[2], 1500000);
    assert_int_equal(l.scheduling_us[3], 500000);
    assert_int_equal(l.scheduling_us[4], 0);
    beck__text_deinit(&l.order);
}

static void pause_for_seven(beck_call *c, beck_row in)
{
    if (beck_get_bigint(in, 0) == 7)
        pause_ms(3500);
    beck_emit(c, beck_get_bigint(in, 0));
}

/* A job that takes long does not hold up the clock. */
static void run_long_job(void *user)
{
    struct lateness *l = user;
    char *argv[] = {"late", "--conf", "driver.waiting_batches=2", NULL};
    beck_context *ctx =
        beck_context_new("late", .batch_ms = 1000, .master = "local[1]", .argc = 3, .argv = argv);
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_collector *c = beck_collect_stream(beck_map(in, "n BIGINT", pause_for_seven));

    beck_queue_push(in, numbers(ctx, 7, 9, 2));
    beck_add_listener(ctx, note_order, l);
    assert_int_equal(beck_start(ctx), BECK_OK);
    pause_ms(5600);
    assert_int_equal(beck_stop(ctx), BECK_OK);
    assert_batches(c, "11000 7|8|;12000 ;13000 ;14000 ;15000 ;16000 ;");
    beck_context_free(ctx);
}

static void ticks_go_on_during_a_job_until_enough_wait(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct lateness l = {.order = {.memory = &beck__os_real()->memory}};
        simulate(&(struct os_simulation){.seed = seed, .start_ms = 10500}, run_long_job, &l, NULL);
        assert_string_equal(beck__text_get(&l.order), "+11 +12 +13 11 12 +14 13 14 +15 15 +16 16 ");
        assert_int_equal(l.waiting_most, 2);
        beck__text_deinit(&l.order);
    }
}

/* ---- graceful -------------------------------------------------------------------------------- */

/* A receiver of the numbers 0, 1, 2, ...: some at each poll, until it is closed. */
struct counting {
    int64_t *next;
};

static beck_status counting_open(beck_receiver *r, void *state)
{
    memcpy(&((struct counting *)state)->next, beck_receiver_params(r), sizeof(int64_t *));
    return BECK_OK;
}

static beck_status counting_poll(beck_receiver *r, void *state, int64_t timeout_ms)
{
    struct counting *s = state;
    beck_status status = BECK_OK;

    (void)timeout_ms;
    for (int i = 0; i < 3 && !status; i++)
        status = beck_store(r, 0, (*s->next)++);
    return status ? status : BECK_AGAIN;
}

static void counting_close(beck_receiver *r, void *state)
{
    struct counting *s = state;

    beck_store(r, 0, (*s->next)++); /* a last word */
}

static const beck_receiver_class counting_class = {.name = "counting",
                                                   .schema = "n BIGINT",
                                                   .state_size = sizeof(struct counting),
                                                   .open = counting_open,
                                                   .poll = counting_poll,
                                                   .close = counting_close};

struct stream {
    int64_t next[2];
    beck_context *ctx;
    beck_collector *seen;
};

/* Two receivers, their union, all of it collected. */
static void begin_stream(struct stream *s, const char *name, bool manual)
{
    memset(s, 0, sizeof *s);
    s->next[1] = 1000000;
    s->ctx = beck_context_new(name, .batch_ms = 1000, .manual_clock = manual, .master = "local[2]");
    int64_t *one = &s->next[0], *two = &s->next[1];
    beck_dstream *a =
        beck_receiver_stream(s->ctx, &counting_class, .params = &one, .params_size = sizeof one);
    beck_dstream *b =
        beck_receiver_stream(s->ctx, &counting_class, .params = &two, .params_size = sizeof two);
    s->seen = beck_collect_stream(beck_union(a, b));
}

/* Every number that was stored came out once, in order. */
static void assert_all_seen(const struct stream *s)
{
    int64_t expected[2] = {0, 1000000};

    for (size_t i = 0; i < beck_collector_batches(s->seen); i++) {
        const beck_result *rows = beck_collector_result(s->seen, i);
        for (uint64_t k = 0; k < beck_result_rows(rows); k++) {
            int64_t n = beck_get_bigint(beck_result_row(rows, k), 0);
            assert_int_equal(n, expected[n >= 1000000]++);
        }
    }
    assert_int_equal(expected[0], s->next[0]);
    assert_int_equal(expected[1], s->next[1]);
}

static void stop_gracefully(void *user)
{
    const int64_t *after_ms = user;
    struct stream s;

    begin_stream(&s, "graceful", false);
    assert_int_equal(beck_start(s.ctx), BECK_OK);
    pause_ms(*after_ms);
    assert_int_equal(beck_stop(s.ctx, .graceful = true), BECK_OK);
    assert_true(s.next[0] > 10);
    assert_all_seen(&s);
    beck_context_free(s.ctx);
}

static void a_graceful_stop_processes_everything_received(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        int64_t after_ms = 100 + 173 * (int64_t)seed;
        simulate(&(struct os_simulation){.seed = seed}, stop_gracefully, &after_ms, NULL);
    }
}

static void stop_in_batch(void *user, const beck_event *e)
{
    if (e->kind == BECK_EVENT_BATCH_STARTED && e->batch_ms == 3000)
        beck_stop(user, .graceful = true);
}

/* The same under a manual clock: the last ticks come early. */
static void under_a_manual_clock_too(void **state)
{
    struct stream s;

    (void)state;
    begin_stream(&s, "stepped", true);
    assert_int_equal(beck_step(s.ctx, 2500), BECK_OK);
    assert_int_equal(beck_stop(s.ctx, .graceful = true), BECK_OK);
    assert_int_equal(beck_context_state(s.ctx), BECK_STOPPED);
    assert_all_seen(&s);
    beck_context_free(s.ctx);
    begin_stream(&s, "stepped", true);
    beck_add_listener(s.ctx, stop_in_batch, s.ctx);
    assert_int_equal(beck_step(s.ctx, 10000), BECK_OK);
    assert_int_equal(beck_context_state(s.ctx), BECK_STOPPED);
    assert_int_equal(beck_collector_batches(s.seen), 4); /* 1000 to 4000 */
    assert_all_seen(&s);
    assert_int_equal(beck_step(s.ctx, 1000), BECK_STATE);
    beck_context_free(s.ctx);
}

static void pause_always(beck_call *c, beck_rdd *rdd)
{
    (void)c, (void)rdd;
    pause_ms(5000);
}

/* Each batch takes five times as long as it may, so a graceful stop would never end. */
static void stop_impatiently(void *user)
{
    char *argv[] = {"late", "--conf", "driver.stop_timeout=7s", NULL};
    struct os *os = beck__os_current();
    struct said said;
    int64_t next = 0, *at = &next;

    (void)user;
    said_init(&said);
    beck_context *ctx = beck_context_new("late", .batch_ms = 1000, .argc = 3, .argv = argv,
                                         .log = say, .log_user = &said);
    beck_foreach_rdd(
        beck_receiver_stream(ctx, &counting_class, .params = &at, .params_size = sizeof at),
        pause_always);
    assert_int_equal(beck_start(ctx), BECK_OK);
    pause_ms(20000);
    int64_t from = os->mono_ns(os);
    assert_int_equal(beck_stop(ctx, .graceful = true), BECK_OK);
    assert_in_range((os->mono_ns(os) - from) / 1000000, 7000, 12000);
    assert_contains(beck__text_get(&said.text),
                    "warning: the graceful stop took longer than driver.stop_timeout: ");
    beck_context_free(ctx);
    said_deinit(&said);
}

static void a_graceful_stop_has_an_end(void **state)
{
    (void)state;
    simulate(&(struct os_simulation){.seed = 3}, stop_impatiently, NULL, NULL);
}

/* ---- out of memory --------------------------------------------------------------------------- */

static void a_batch_that_cannot_be_made_is_told(void **state)
{
    struct os *os = beck__os_real();
    char *argv[] = {"late", "--on-failure", "skip", NULL};

    (void)state;
    for (int skip = 0; skip < 2; skip++) {
        struct said said;
        said_init(&said);
        beck_context *ctx =
            beck_context_new("none", .batch_ms = 1000, .manual_clock = true, .argc = skip ? 3 : 1,
                             .argv = argv, .log = say, .log_user = &said);
        beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
        beck_collector *c = beck_collect_stream(in);
        beck_queue_push(in, numbers(ctx, 0, 2, 1));
        assert_int_equal(beck_start(ctx), BECK_OK);
        beck__text_reserve(&said.text, 1000);
        beck__os_memory_fail(os, 1, true);
        beck_status status = beck_step(ctx, 1000);
        beck__os_memory_fail(os, 0, false);
        assert_int_equal(status, skip ? BECK_OK : BECK_NO_MEMORY);
        assert_contains(beck__text_get(&said.text),
                        "error: batch 1000 ms cannot be made: out of memory");
        assert_int_equal(beck_step(ctx, 1000), status);
        assert_batches(c, skip ? "2000 0|1|;" : "");
        beck_context_free(ctx);
        said_deinit(&said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(batch_times_are_multiples_of_the_interval),
        test(late_ticks_come_in_order),
        test(ticks_go_on_during_a_job_until_enough_wait),
        test(a_graceful_stop_processes_everything_received),
        test(under_a_manual_clock_too),
        test(a_graceful_stop_has_an_end),
        test(a_batch_that_cannot_be_made_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
