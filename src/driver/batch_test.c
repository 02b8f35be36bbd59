/* SPDX-License-Identifier: Apache-2.0 */
/* What happens in a batch: outputs in order, RDDs in callbacks, memory given back, nothing done for
 * nothing. */
#include "driver/driver.h"
#include "driver/testing.h"

/* ---- outputs --------------------------------------------------------------------------------- */

static void name_output(beck_call *c, beck_rdd *rdd)
{
    struct text *out = (void *)(uintptr_t)beck_ctx(c);

    beck__text_printf(out, "%lld:%lld ", (long long)beck_batch_time(c), (long long)beck_count(rdd));
    assert_int_equal(beck_partition(c), -1);
}

/* " at batch_test.c:20" */
static void remove_sites(struct text *text)
{
    char *from;

    while ((from = strstr(text->data, " at ")) != NULL) {
        char *rest = from + strcspn(from, "\n");
        memmove(from, rest, strlen(rest) + 1);
    }
}

static void outputs_run_in_order_of_registration(void **state)
{
    struct text order = {.memory = &beck__os_real()->memory}, events = order;
    beck_context *ctx = stepped("order");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT", .name = "in");

    (void)state;
    beck_foreach_rdd(in, name_output, .ctx = &order, .name = "first");
    beck_foreach_rdd(beck_count(in), name_output, .ctx = &order, .name = "second");
    beck_foreach_rdd(in, name_output, .ctx = &order, .name = "third");
    beck_add_listener(ctx, keep_events, &events);
    beck_queue_push(in, numbers(ctx, 0, 5, 2));
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_string_equal(beck__text_get(&order), "1000:5 1000:1 1000:5 ");
    remove_sites(&events);
    assert_string_equal(beck__text_get(&events),
                        "streaming started\nsubmitted 1000 (5)\nstarted 1000 (5)\n"
                        "output started 1000 first\n"
                        "output completed 1000 first\n"
                        "output started 1000 second\n"
                        "output completed 1000 second\n"
                        "output started 1000 third\n"
                        "output completed 1000 third\n"
                        "completed 1000 (5)\n");
    beck_context_free(ctx);
    beck__text_deinit(&order);
    beck__text_deinit(&events);
}

static void count_calls(beck_call *c, beck_row in)
{
    _Atomic int *calls = *(_Atomic int *const *)beck_ctx(c);

    atomic_fetch_add(calls, 1);
    beck_emit(c, beck_get_bigint(in, 0));
}

/* One shuffle feeds two outputs: it runs once in a batch. */
static void what_two_outputs_share_is_computed_once(void **state)
{
    _Atomic int calls = 0, *at = &calls;
    beck_context *ctx = stepped("diamond");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_dstream *mapped = beck_map(in, "n BIGINT", count_calls, .ctx = &at, .ctx_size = sizeof at);
    beck_dstream *spread = beck_repartition(mapped, 3);

    (void)state;
    beck_collector *a = beck_collect_stream(beck_count(spread));
    beck_collector *b = beck_collect_stream(beck_union(spread, spread));
    beck_queue_push(in, numbers(ctx, 0, 7, 2));
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_batches(a, "1000 7|;");
    assert_int_equal(beck_result_rows(beck_collector_result(b, 0)), 14);
    assert_int_equal(calls, 7);
    beck_context_free(ctx);
}

static void a_failed_output_keeps_the_next_ones_from_running(void **state)
{
    const char *argv[] = {"skip", "--on-failure", "skip", NULL};
    struct text order = {.memory = &beck__os_real()->memory};
    struct said said;

    (void)state;
    said_init(&said);
    beck_context *ctx = beck_context_new("fails", .batch_ms = 1000, .manual_clock = true, .argc = 3,
                                         .argv = (char **)argv, .log = say, .log_user = &said);
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT", .none_when_empty = true);
    beck_foreach_rdd(in, name_output, .ctx = &order);
    beck_print(beck_union(in, beck_queue_stream(ctx, "n BIGINT")));
    beck_foreach_rdd(in, name_output, .ctx = &order);
    beck_queue_push(in, numbers(ctx, 0, 1, 1));
    beck_queue_push(in, NULL);
    beck_queue_push(in, numbers(ctx, 0, 2, 1));
    print_keep();
    assert_int_equal(beck_step(ctx, 3000), BECK_OK);
    assert_contains(beck__text_get(&printed), "Time: 3000 ms");
    assert_null(strstr(beck__text_get(&printed), "Time: 2000 ms"));
    beck__text_clear(&printed);
    assert_printed("");
    assert_string_equal(beck__text_get(&order), "1000:1 1000:1 3000:2 3000:2 ");
    assert_contains(beck__text_get(&said.text), "error: batch 2000 ms is skipped: union at ");
    assert_contains(beck__text_get(&said.text), " has no RDD in this batch");
    beck_context_free(ctx);
    beck__text_deinit(&order);
    said_deinit(&said);
}

/* ---- RDDs inside a callback ------------------------------------------------------------------ */

static void twice(beck_call *c, beck_row in)
{
    beck_emit(c, 2 * beck_get_bigint(in, 0));
}

static bool is_even(beck_call *c, beck_row in)
{
    (void)c;
    return beck_get_bigint(in, 0) % 2 == 0;
}

static void add(beck_call *c, beck_row a, beck_row b)
{
    beck_emit(c, beck_get_bigint(a, 0) + beck_get_bigint(b, 0));
}

struct inside {
    beck_context *ctx;
    beck_rdd *table; /* of the context */
    struct folder folder;
    int batches;
    beck_dstream *in;
};

static void act_in_callback(beck_call *c, beck_rdd *rdd)
{
    struct inside *t = (void *)(uintptr_t)beck_ctx(c);
    char name[32];

    assert_string_equal(beck_schema_text(rdd), "n BIGINT");
    assert_int_equal(beck_rdd_partitions(rdd), 3);
    assert_rows(beck_collect(rdd), "0|1|2|3|4|5|6|");
    assert_int_equal(beck_count(rdd), 7);
    assert_rows(beck_take(rdd, 2), "0|1|");
    assert_rows(beck_first(rdd), "0|");
    assert_rows(beck_reduce(rdd, add), "21|");
    assert_rows(beck_reduce(rdd, beck_max), "6|");
    assert_rows(beck_collect(beck_filter(beck_map(rdd, "n BIGINT", twice), is_even)),
                "0|2|4|6|8|10|12|");
    beck_result *values = beck_count_by_value(beck_union(rdd, rdd));
    assert_int_equal(beck_result_rows(values), 7);
    beck_result_free(values);
    snprintf(name, sizeof name, "batch-%lld", (long long)beck_batch_time(c));
    assert_int_equal(beck_save_as_text_file(rdd, in_folder(&t->folder, name)), BECK_OK);
    assert_int_equal(beck_print(rdd, .rows = 1), BECK_OK);

    /* RDDs of the context and of the batch together; a new one of the context meanwhile */
    beck_rdd *other = numbers(t->ctx, 100, 102, 1), *both = beck_union(t->table, rdd);
    assert_rows(beck_collect(beck_union(other, both)), "100|101|1000|0|1|2|3|4|5|6|");
    assert_rows(beck_collect(other), "100|101|");
    assert_rows(beck_collect(beck_union(both, other)), "1000|0|1|2|3|4|5|6|100|101|");
    assert_rows(beck_collect(both), "1000|0|1|2|3|4|5|6|");
    beck_collect(rdd); /* not freed: goes with the batch */
    assert_int_equal(beck_queue_push(t->in, rdd), BECK_INVALID); /* it does not live so long */
    t->batches++;
}

static void every_action_works_in_a_callback(void **state)
{
    struct inside t = {.ctx = stepped("inside"), .folder = folder_new()};
    beck_dstream *in = beck_queue_stream(t.ctx, "n BIGINT");

    (void)state;
    t.in = in;
    t.table = numbers(t.ctx, 1000, 1001, 1);
    beck_foreach_rdd(in, act_in_callback, .ctx = &t);
    for (int i = 0; i < 3; i++)
        beck_queue_push(in, numbers(t.ctx, 0, 7, 3));
    print_keep();
    beck_status status = beck_step(t.ctx, 3000);
    assert_printed("0\n...\n0\n...\n0\n...\n");
    if (status)
        print_error("%s\n", beck_error_text(t.ctx));
    assert_int_equal(status, BECK_OK);
    assert_int_equal(t.batches, 3);
    assert_names(t.folder.path, "batch-1000 batch-2000 batch-3000 ");
    beck_context_free(t.ctx);
    remove_all(t.folder.path);
}

static void fail_with_text(beck_call *c, beck_rdd *rdd)
{
    (void)rdd;
    beck_fail(c, "no %s today", "luck");
}

static void save_badly(beck_call *c, beck_rdd *rdd)
{
    (void)c;
    beck_save_as_text_file(rdd, "/dev/null/x");
    assert_int_equal(beck_count(rdd), -1); /* the first error sticks to the batch */
}

static void an_error_in_a_callback_fails_the_batch(void **state)
{
    static beck_each_rdd_fn *const fns[] = {fail_with_text, save_badly};
    static const char *const texts[] = {"no luck today", "/dev/null/x"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct said said;
        said_init(&said);
        beck_context *ctx = beck_context_new("fails", .batch_ms = 1000, .manual_clock = true,
                                             .log = say, .log_user = &said);
        beck_foreach_rdd(beck_queue_stream(ctx, "n BIGINT"), fns[i]);
        assert_int_not_equal(beck_step(ctx, 2000), BECK_OK);
        assert_contains(beck_error_text(ctx), "batch 1000 ms failed: ");
        assert_contains(beck_error_text(ctx), texts[i]);
        assert_int_equal(beck_context_state(ctx), BECK_STOPPED);
        beck_context_free(ctx);
        said_deinit(&said);
    }
}

/* ---- nothing for nothing --------------------------------------------------------------------- */

static beck_status open_nothing(beck_receiver *r, void *state)
{
    (void)r, (void)state;
    return BECK_OK;
}

static beck_status poll_nothing(beck_receiver *r, void *state, int64_t timeout_ms)
{
    (void)r, (void)state, (void)timeout_ms;
    return BECK_AGAIN;
}

static void close_nothing(beck_receiver *r, void *state)
{
    (void)r, (void)state;
}

static const beck_receiver_class silent = {.name = "silent",
                                           .schema = "value STRING",
                                           .open = open_nothing,
                                           .poll = poll_nothing,
                                           .close = close_nothing};

static bool not_empty(beck_call *c, beck_row in)
{
    (void)c;
    return beck_get_string(in, 0).size > 0;
}

struct empties {
    beck_context *ctx;
    int batches;
    uint64_t calls[400], wakes[400], tasks[400];
};

static void note_calls(void *user, const beck_event *e)
{
    struct empties *t = user;

    if (e->kind != BECK_EVENT_BATCH_COMPLETED || t->batches == 400)
        return;
    t->ctx->engine->counters(t->ctx->engine, &t->tasks[t->batches], &t->wakes[t->batches]);
    t->calls[t->batches++] = beck__os_memory_calls(beck__os_current());
    if (t->batches == 400)
        beck_stop(t->ctx);
}

static void build_four_operators(struct empties *t)
{
    beck_dstream *lines = beck_receiver_stream(t->ctx, &silent);
    beck_dstream *words = beck_flat_map(lines, "word STRING, n BIGINT", beck_words);
    beck_dstream *long_ones = beck_filter(words, not_empty);
    beck_dstream *counts = beck_reduce_by_key(long_ones, beck_sum);

    beck_print(beck_map_values(counts, "n BIGINT", twice));
    beck_add_listener(t->ctx, note_calls, t);
}

static void assert_no_tasks(const struct empties *t)
{
    assert_int_equal(t->batches, 400);
    for (int i = 0; i < 400; i++) {
        assert_int_equal(t->wakes[i], 0);
        assert_int_equal(t->tasks[i], 0);
    }
}

static void an_empty_batch_allocates_nothing(void **state)
{
    static struct empties t;

    (void)state;
    t = (struct empties){.ctx = stepped("empty")};
    build_four_operators(&t);
    print_keep();
    assert_int_equal(beck_step(t.ctx, 10000), BECK_OK);
    for (int i = 0; i < 400; i++) {
        beck__text_clear(&printed); /* keeps its memory */
        beck_step(t.ctx, 1000);
    }
    beck__text_clear(&printed);
    assert_printed("");
    assert_no_tasks(&t);
    for (int i = 10; i < 400; i++)
        assert_int_equal(t.calls[i], t.calls[10]);
    beck_context_free(t.ctx);
}

/* The same with all threads: no worker is woken. */
static void and_wakes_nobody(void **state)
{
    static struct empties t;

    (void)state;
    t = (struct empties){.ctx = beck_context_new("empty", .batch_ms = 1, .master = "local[2]")};
    build_four_operators(&t);
    print_keep();
    beck__text_reserve(&printed, 1 << 20);
    assert_int_equal(beck_start(t.ctx), BECK_OK);
    assert_int_equal(beck_await_termination(t.ctx), BECK_OK);
    beck__text_clear(&printed);
    assert_printed("");
    assert_no_tasks(&t);
    beck_context_free(t.ctx);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* What a batch took is given back: after 300 batches with data as after 100. */
static void batches_leave_nothing_behind(void **state)
{
    struct os *os = beck__os_real();
    beck_context *ctx = stepped("steady");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT", .all = true);
    size_t used = 0;

    (void)state;
    beck_print(beck_reduce_by_key(beck_key_by(beck_map(in, "n BIGINT", twice), "k BIGINT", twice),
                                  beck_sum));
    beck_rdd *rdd = numbers(ctx, 0, 500, 4);
    print_keep();
    for (int i = 0; i < 300; i++) {
        beck_queue_push(in, rdd);
        assert_int_equal(beck_step(ctx, 1000), BECK_OK);
        beck__text_clear(&printed);
        if (i == 100)
            used = beck__os_memory_used(os);
    }
    assert_int_equal(beck__os_memory_used(os), used);
    assert_printed("");
    beck_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(outputs_run_in_order_of_registration),
        test(what_two_outputs_share_is_computed_once),
        test(a_failed_output_keeps_the_next_ones_from_running),
        test(every_action_works_in_a_callback),
        test(an_error_in_a_callback_fails_the_batch),
        test(an_empty_batch_allocates_nothing),
        test(and_wakes_nobody),
        test(batches_leave_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
