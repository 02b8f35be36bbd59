/* SPDX-License-Identifier: Apache-2.0 */
/* When batches are due: at each point, or where there is data; limits; windows; no idle wakes. */
#include "driver/driver.h"
#include "driver/testing.h"

static beck_context *eventful(int64_t batch_ms, int64_t bytes)
{
    return beck_context_new("event", .trigger = BECK_TRIGGER_EVENT, .batch_ms = batch_ms,
                            .batch_bytes_max = bytes, .manual_clock = true);
}

/* ---- on a manual clock ----------------------------------------------------------------------- */

static void points_without_data_are_skipped(void **state)
{
    beck_context *ctx = eventful(0, 0);
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_collector *c = beck_collect_stream(in);

    (void)state;
    assert_contains(beck_describe(ctx), "batches as data comes, at least 1 ms apart");
    beck_queue_push(in, numbers(ctx, 0, 2, 1));
    beck_queue_push(in, numbers(ctx, 2, 3, 1));
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    beck_queue_push(in, NULL); /* no RDD, but a batch */
    beck_queue_push(in, numbers(ctx, 3, 4, 1));
    assert_int_equal(beck_step(ctx, 0), BECK_OK);
    assert_int_equal(beck_step(ctx, 10), BECK_OK);
    assert_batches(c, "1 0|1|;2 2|;2001 3|;");
    beck_context_free(ctx);
}

static void the_grid_is_the_shortest_interval(void **state)
{
    beck_context *ctx = eventful(100, 0);
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT", .all = true);
    beck_collector *c = beck_collect_stream(in);

    (void)state;
    assert_int_equal(beck_step(ctx, 130), BECK_OK);
    beck_queue_push(in, numbers(ctx, 0, 1, 1)); /* at 130 */
    assert_int_equal(beck_step(ctx, 60), BECK_OK);
    beck_queue_push(in, numbers(ctx, 1, 2, 1)); /* at 190 */
    assert_int_equal(beck_step(ctx, 110), BECK_OK);
    beck_queue_push(in, numbers(ctx, 2, 3, 1)); /* at 300, a point itself */
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_batches(c, "200 0|1|;300 2|;");
    beck_context_free(ctx);
}

/* The window goes on to slide until it has been seen empty; then nothing is due. */
static void windows_slide_while_they_hold_rows(void **state)
{
    beck_context *ctx = eventful(100, 0);
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT", .all = true);
    beck_collector *c = beck_collect_stream(beck_window(in, .window_ms = 1000, .slide_ms = 500));
    beck_collector *sums = beck_collect_stream(
        beck_reduce_by_window(in, beck_sum, .window_ms = 1000, .slide_ms = 500));
    beck_collector *counts =
        beck_collect_stream(beck_count_by_window(in, .window_ms = 1000, .slide_ms = 500));

    (void)state;
    beck_queue_push(in, numbers(ctx, 0, 1, 1));
    assert_int_equal(beck_step(ctx, 600), BECK_OK);
    beck_queue_push(in, numbers(ctx, 1, 2, 1));
    assert_int_equal(beck_step(ctx, 60000), BECK_OK);
    assert_batches(c, "500 0|;1000 0|1|;1500 1|;2000 ;");
    assert_batches(sums, "500 0|;1000 1|;1500 1|;2000 ;");
    assert_batches(counts, "500 1|;1000 2|;1500 1|;2000 0|;");
    beck_context_free(ctx);
}

static void keep_last(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    if (beck_is_none(value))
        beck_emit(c, beck_get_bigint(key, 0), -1);
    else
        beck_state_put(state, beck_get_bigint(value, 0));
}

/* A key goes in the first batch after its deadline, which comes without data; in every mode. */
static void states_time_out_on_time(void **state)
{
    static char *modes[] = {(char *)"engine.encode=none", (char *)"engine.encode=all"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        char *argv[] = {(char *)"test", (char *)"--conf", modes[i], NULL};
        beck_context *ctx =
            beck_context_new("timeouts", .trigger = BECK_TRIGGER_EVENT, .batch_ms = 100,
                             .manual_clock = true, .argc = 3, .argv = argv);
        beck_dstream *in = beck_queue_stream(ctx, "k BIGINT, v BIGINT", .all = true);
        beck_collector *c = beck_collect_stream(beck_map_with_state(
            in, "v BIGINT", "k BIGINT, v BIGINT", keep_last, .timeout_ms = 1000));
        beck_value first[] = {beck_integer_value(1), beck_integer_value(10)};
        beck_value second[] = {beck_integer_value(2), beck_integer_value(20)};
        beck_queue_push(in, beck_parallelize(ctx, "k BIGINT, v BIGINT", first, 1));
        assert_int_equal(beck_step(ctx, 350), BECK_OK);
        beck_queue_push(in, beck_parallelize(ctx, "k BIGINT, v BIGINT", second, 1));
        if (beck_step(ctx, 60000))
            print_error("%s\n", beck_error_text(ctx));
        assert_batches(c, "100 ;400 ;1200 (1,-1)|;1500 (2,-1)|;");
        beck_context_free(ctx);
    }
}

struct talker {
    int left;
};

/* Stores one block of 10 rows at each poll. */
static beck_status talk(beck_receiver *r, void *state, int64_t timeout_ms)
{
    struct talker *talker = state;

    (void)timeout_ms;
    if (!talker->left)
        return BECK_AGAIN;
    talker->left--;
    for (int64_t i = 0; i < 10; i++)
        if (beck_store(r, 0, i))
            return BECK_TYPE;
    return talker->left ? BECK_OK : BECK_AGAIN;
}

static beck_status talker_open(beck_receiver *r, void *state)
{
    const int *rounds = beck_receiver_params(r);

    ((struct talker *)state)->left = *rounds;
    return BECK_OK;
}

static void talker_close(beck_receiver *r, void *state)
{
    (void)r, (void)state;
}

static const beck_receiver_class talker_class[1] = {{.name = "talker",
                                                     .schema = "n BIGINT",
                                                     .state_size = sizeof(struct talker),
                                                     .open = talker_open,
                                                     .poll = talk,
                                                     .close = talker_close}};

/* 40,000 rows in blocks of at most 4 KiB: the batches have no more than the limit, nothing is lost,
 * and each follows the one before. */
static void a_batch_has_a_largest_size(void **state)
{
    static char *argv[] = {(char *)"test", (char *)"--conf", (char *)"receiver.block_bytes=4k",
                           (char *)"--batch-bytes=64k", NULL};
    int rounds = 4000;

    (void)state;
    for (int event = 0; event < 2; event++) {
        beck_context *ctx =
            beck_context_new("size", .trigger = event ? BECK_TRIGGER_EVENT : BECK_TRIGGER_INTERVAL,
                             .argc = 4, .argv = argv, .batch_ms = 100, .manual_clock = true);
        beck_dstream *in = beck_receiver_stream(ctx, talker_class, .params = &rounds,
                                                .params_size = sizeof rounds);
        beck_collector *c = beck_collect_stream(beck_count(in));
        int64_t rows = 0;
        for (int i = 0; i < 20; i++)
            assert_int_equal(beck_step(ctx, 100), BECK_OK);
        for (size_t i = 0; i < beck_collector_batches(c); i++) {
            int64_t n = beck_get_bigint(beck_result_row(beck_collector_result(c, i), 0), 0);
            assert_in_range(n, 0, (64 << 10) / 8);
            assert_true(n > 0 || !event);
            rows += n;
        }
        assert_int_equal(rows, 40000);
        beck_context_free(ctx);
    }
}

/* ---- in simulated worlds --------------------------------------------------------------------- */

#define LINES 30

struct live {
    beck_context *ctx;
    struct os *os;
    int64_t sent_ms[LINES], slowest_ms, rows, batches, empty;
    uint64_t steps_before, steps_idle;
};

static void take(beck_call *c, beck_rdd *rdd)
{
    struct live *l = (void *)(uintptr_t)beck_ctx(c);
    beck_result *result = beck_collect(rdd);
    int64_t now = l->os->wall_ms(l->os);

    l->batches++;
    l->empty += beck_result_rows(result) == 0;
    for (uint64_t i = 0; i < beck_result_rows(result); i++) {
        char text[64];
        beck_row_text(beck_result_row(result, i), text, sizeof text);
        int64_t delay = now - l->sent_ms[atoi(text)];
        l->slowest_ms = delay > l->slowest_ms ? delay : l->slowest_ms;
    }
    l->rows += (int64_t)beck_result_rows(result);
    beck_result_free(result);
}

/* Lines, at times that have nothing to do with any interval; in the middle an hour of silence. */
static void talk_now_and_then(struct live *l, struct os_socket *client)
{
    struct os *os = l->os;
    char line[64];

    for (int i = 0; i < LINES; i++) {
        size_t sent = 0, size = (size_t)snprintf(line, sizeof line, "%d\n", i);
        os->sleep_ns(os, i == LINES / 2 ? (int64_t)3600 * 1000000000 : (i * 37 % 50) * 1000000);
        l->sent_ms[i] = os->wall_ms(os);
        assert(!os->send(os, client, line, size, &sent, -1, NULL) && sent == size);
    }
    while (l->rows < LINES)
        os->sleep_ns(os, 1000000);
}

static void live(void *user)
{
    struct live *l = user;
    struct os *os = l->os = beck__os_current();
    struct os_poller *poller = os->poller_new(os);
    struct os_socket *listener, *client = NULL;
    int bound;

    assert(!os->listen(os, "localhost", 7001, &listener, &bound, NULL));
    l->ctx = beck_context_new("live", .trigger = BECK_TRIGGER_EVENT, .batch_ms = 5);
    beck_foreach_rdd(beck_socket_text_stream(l->ctx, "localhost", 7001), take, .ctx = l);
    assert(!beck_start(l->ctx));
    while (os->accept(os, listener, &client, NULL)) {
        struct os_wait wait = {.socket = listener, .read = true};
        os->poller_wait(os, poller, &wait, 1, -1);
    }
    talk_now_and_then(l, client);
    assert(!beck_stop(l->ctx, .graceful = true));
    beck_context_free(l->ctx);
    os->shut(os, client);
    os->shut(os, listener);
    os->poller_free(os, poller);
}

static void data_does_not_wait_and_silence_costs_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct live l = {0};
        struct os_simulation s = simulate(
            &(struct os_simulation){.seed = seed, .delay_ns_max = 2000000}, live, &l, NULL);
        assert_int_equal(l.rows, LINES);
        assert_int_equal(l.empty, 0);
        assert_in_range(l.batches, 5, LINES);
        assert_in_range(l.slowest_ms, 0, 20);
        /* an hour at the grid of 5 ms would be 720,000 batches */
        assert_true(s.steps < 20000);
    }
}

/* ---- inputs that end ------------------------------------------------------------------------- */

static beck_status store_three(beck_receiver *r, void *state)
{
    (void)state;
    for (int64_t i = 1; i <= 3; i++)
        if (beck_store(r, (uint64_t)i, i))
            return BECK_OK; /* stopped */
    return beck_receiver_wait(r, 700) ? beck_store(r, 4, 4) : BECK_OK;
}

static beck_status opened(beck_receiver *r, void *state)
{
    (void)r, (void)state;
    return BECK_OK;
}

static void closed(beck_receiver *r, void *state)
{
    (void)r, (void)state;
}

static const beck_receiver_class ends = {
    .name = "ends", .schema = "n BIGINT", .open = opened, .run = store_three, .close = closed};

static beck_status list_once(beck_ranges *found, void *state, const void *params, size_t size)
{
    (void)state, (void)params, (void)size;
    beck_add_range(found, "x", 1);
    return BECK_CLOSED;
}

static beck_status read_ten(beck_reader *r, const void *params, size_t params_size,
                            const void *range, size_t size)
{
    (void)params, (void)params_size, (void)range, (void)size;
    beck_read_row(r, 10);
    return BECK_OK;
}

static const beck_direct_class once = {
    .name = "once", .schema = "n BIGINT", .list = list_once, .read = read_ten};

enum { WITH_DIRECT = 1, WITH_QUEUE = 2, BY_EVENT = 4 };

static void run_until_end(void *user)
{
    unsigned with = *(const unsigned *)user;
    beck_context *ctx =
        beck_context_new("end", .batch_ms = 500, .master = "local[1]",
                         .trigger = with & BY_EVENT ? BECK_TRIGGER_EVENT : BECK_TRIGGER_INTERVAL);
    beck_dstream *in = beck_receiver_stream(ctx, &ends);
    struct ending ending = {ctx, 20};

    if (with & WITH_DIRECT)
        in = beck_union(in, beck_direct_stream(ctx, &once));
    if (with & WITH_QUEUE)
        in = beck_union(in, beck_queue_stream(ctx, "n BIGINT"));
    beck_print(beck_reduce_by_window(in, beck_sum, .window_ms = 2000, .slide_ms = 1000));
    beck_add_listener(ctx, stop_after, &ending);
    assert_int_equal(beck_run(ctx), 0);
}

/* The last window that holds something new is shown, and that is the end. */
static void check_end(unsigned with, int windows, const char *last)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct text out = {.memory = &beck__os_real()->memory};
        int shown = 0;
        simulate(&(struct os_simulation){.seed = seed, .start_ms = 10100}, run_until_end, &with,
                 &out);
        for (const char *at = beck__text_get(&out); (at = strstr(at, "Time: ")) != NULL; at++)
            shown++;
        assert_int_equal(shown, windows);
        assert_contains(beck__text_get(&out), last);
        beck__text_deinit(&out);
    }
}

static void a_run_ends_with_its_inputs(void **state)
{
    (void)state;
    check_end(0, 1, "Time: 11000 ms\n-------------------------------------------\n10\n");
    check_end(WITH_DIRECT, 1, "Time: 11000 ms\n-------------------------------------------\n20\n");
    check_end(BY_EVENT, 1, "Time: 11000 ms\n-------------------------------------------\n10\n");
    check_end(WITH_QUEUE, 10, "Time: 20000 ms\n"); /* which may be pushed to for ever */
}

/* ---- what is still to come when inputs seem to have ended ------------------------------------ */

struct total {
    _Atomic int64_t sum;
    _Atomic int opened, polls;
};

static struct total *total_of(beck_receiver *r)
{
    return *(struct total *const *)beck_receiver_params(r);
}

/* The first time nobody is there. */
static beck_status open_late(beck_receiver *r, void *state)
{
    (void)state;
    return atomic_fetch_add(&total_of(r)->opened, 1) ? BECK_OK : BECK_IO;
}

static beck_status poll_broken(beck_receiver *r, void *state, int64_t wait_ms)
{
    int polls = atomic_fetch_add(&total_of(r)->polls, 1);

    (void)state, (void)wait_ms;
    if (polls == 3)
        return BECK_IO; /* and it comes again */
    return polls < 6 ? beck_store(r, (uint64_t)polls, 1) : BECK_CLOSED;
}

static const beck_receiver_class broken = {.name = "broken",
                                           .schema = "n BIGINT",
                                           .open = open_late,
                                           .poll = poll_broken,
                                           .close = closed};

static beck_status list_five(beck_ranges *found, void *state, const void *params, size_t size)
{
    int *looks = state;

    (void)params, (void)size;
    if (++*looks < 3)
        return BECK_OK;
    for (int i = 0; i < 5; i++)
        beck_add_range(found, "x", 1);
    return BECK_CLOSED;
}

static const beck_direct_class five = {.name = "five",
                                       .schema = "n BIGINT",
                                       .list = list_five,
                                       .read = read_ten,
                                       .state_size = sizeof(int)};

static void add_all(beck_call *c, beck_rdd *rdd)
{
    struct total *t = (void *)(uintptr_t)beck_ctx(c);
    beck_result *rows = beck_collect(rdd);

    for (uint64_t i = 0; i < beck_result_rows(rows); i++)
        t->sum += beck_get_bigint(beck_result_row(rows, i), 0);
    beck_result_free(rows);
}

static void run_late(void *user)
{
    struct total t = {0}, *at = &t;
    unsigned with = *(const unsigned *)user;
    beck_context *ctx =
        beck_context_new("late", .batch_ms = 500, .master = "local[1]",
                         .trigger = with & BY_EVENT ? BECK_TRIGGER_EVENT : BECK_TRIGGER_INTERVAL);
    beck_dstream *in = beck_receiver_stream(ctx, &broken, .params = &at, .params_size = sizeof at);

    if (with & WITH_DIRECT)
        in = beck_union(in, beck_direct_stream(ctx, &five, .units_max = 1, .interval_ms = 3000));
    beck_foreach_rdd(in, add_all, .ctx = at);
    assert_int_equal(beck_run(ctx), 0);
    assert_int_equal(t.sum, with & WITH_DIRECT ? 55 : 5);
}

static void a_run_waits_for_all_that_comes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++)
        for (unsigned with = 0; with < 8; with++) {
            struct text out = {.memory = &beck__os_real()->memory};
            if (with & WITH_QUEUE)
                continue;
            simulate(&(struct os_simulation){.seed = seed, .start_ms = 10100}, run_late, &with,
                     &out);
            beck__text_deinit(&out);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_without_data_are_skipped),
        cmocka_unit_test(the_grid_is_the_shortest_interval),
        cmocka_unit_test(windows_slide_while_they_hold_rows),
        cmocka_unit_test(states_time_out_on_time),
        cmocka_unit_test(a_batch_has_a_largest_size),
        cmocka_unit_test(a_run_ends_with_its_inputs),
        cmocka_unit_test(a_run_waits_for_all_that_comes),
        cmocka_unit_test(data_does_not_wait_and_silence_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
