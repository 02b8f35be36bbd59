/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs with .parallel, in simulated worlds: they overlap, share what they stand on, and what
 * they say has an order. */
#include "driver/driver.h"
#include "driver/testing.h"

/* ---- a sink that adds up --------------------------------------------------------------------- */

struct total {
    struct door *opens, *waits; /* in its commit; NULL: none */
    const char *fails;
    _Atomic int commits;
    _Atomic int64_t sum;
};

static beck_status write_rows(beck_writer *w, void *writer, const beck_chunk *rows)
{
    (void)w;
    for (uint32_t i = 0; i < rows->rows; i++)
        *(int64_t *)writer += beck_get_bigint((beck_row){rows, i, 0}, 0);
    return BECK_OK;
}

static beck_status prepare(beck_writer *w, void *writer, beck_str *message)
{
    (void)w;
    *message = beck_bytes_of(writer, sizeof(int64_t));
    return BECK_OK;
}

static beck_status begin(beck_writer *w, void *writer, beck_write_id id)
{
    (void)w, (void)writer, (void)id;
    return BECK_OK;
}

static void end(beck_writer *w, void *writer, bool keep)
{
    (void)w, (void)writer, (void)keep;
}

static beck_status commit(beck_sink *s, void *state, int64_t batch_ms, const beck_str *messages,
                          size_t count)
{
    struct total *t = *(struct total *const *)beck_sink_params(s, NULL);
    int64_t one;

    (void)state, (void)batch_ms;
    if (t->waits)
        door_pass(t->waits);
    for (size_t i = 0; i < count; i++)
        if (messages[i].size == sizeof one) {
            memcpy(&one, messages[i].data, sizeof one);
            atomic_fetch_add(&t->sum, one);
        }
    if (t->opens)
        door_open(t->opens);
    if (t->fails)
        return beck_sink_error(s, BECK_IO, "%s", t->fails);
    atomic_fetch_add(&t->commits, 1);
    return BECK_OK;
}

static const beck_sink_class totals = {
    .name = "total",
    .guarantee = BECK_AT_LEAST_ONCE,
    .writer_size = sizeof(int64_t),
    .begin = begin,
    .write = write_rows,
    .prepare = prepare,
    .end = end,
    .commit = commit,
};

static void add_up(beck_dstream *s, struct total *to, const char *name, bool parallel)
{
    beck_save(s, &totals, .params = &to, .params_size = sizeof to, .name = name,
              .parallel = parallel);
}

/* ---- worlds ---------------------------------------------------------------------------------- */

static beck_context *context(void)
{
    return beck_context_new("parallel", .batch_ms = 1000, .master = "local[2]");
}

/* The second one opens the door that the first one's commit waits at. */
static void a_slow_commit(void *user)
{
    struct door door;
    struct total slow = {.waits = &door}, quick = {.opens = &door};
    beck_context *ctx = context();
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");

    (void)user;
    door_init(&door);
    add_up(in, &slow, "slow", true);
    add_up(in, &quick, "quick", false);
    beck_queue_push(in, numbers(ctx, 0, 10, 3));
    run_batches(ctx, 2);
    assert_int_equal(beck_error(ctx), BECK_OK);
    assert_int_equal(slow.sum, 45);
    assert_int_equal(quick.sum, 45);
    assert_int_equal(slow.commits, quick.commits);
    beck_context_free(ctx);
    door_deinit(&door);
}

static void a_commit_holds_nobody_up(void **state)
{
    (void)state;
    in_worlds(a_slow_commit);
}

static void at_the_door(beck_call *c, beck_row row)
{
    door_pass(*(struct door *const *)beck_ctx(c));
    beck_emit_row(c, row);
}

static void opening(beck_call *c, beck_row row)
{
    door_open(*(struct door *const *)beck_ctx(c));
    beck_emit_row(c, row);
}

/* The same with tasks, behind a shuffle; and the slow one comes last, too. */
static void a_slow_task(void *user)
{
    struct door doors[2], *first = &doors[0], *second = &doors[1];
    struct total totals_of[3] = {{.fails = NULL}};
    beck_context *ctx = context();
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_dstream *spread = beck_repartition(in, 2);

    (void)user;
    door_init(first);
    door_init(second);
    beck_dstream *slow =
        beck_map(spread, "n BIGINT", at_the_door, .ctx = &first, .ctx_size = sizeof first);
    beck_dstream *quick =
        beck_map(spread, "n BIGINT", opening, .ctx = &first, .ctx_size = sizeof first);
    beck_dstream *last =
        beck_map(slow, "n BIGINT", opening, .ctx = &second, .ctx_size = sizeof second);
    add_up(beck_count(last), &totals_of[0], "slow", true);
    add_up(quick, &totals_of[1], "quick", false);
    add_up(last, &totals_of[2], "last", true);
    beck_queue_push(in, numbers(ctx, 5, 6, 1));
    run_batches(ctx, 2);
    assert_int_equal(beck_error(ctx), BECK_OK);
    assert_int_equal(totals_of[0].sum, 1);
    assert_int_equal(totals_of[1].sum, 5);
    assert_int_equal(totals_of[2].sum, 5);
    assert_true(second->open);
    beck_context_free(ctx);
    door_deinit(first);
    door_deinit(second);
}

static void a_task_holds_nobody_up(void **state)
{
    (void)state;
    in_worlds(a_slow_task);
}

static void count_calls(beck_call *c, beck_row row)
{
    atomic_fetch_add(*(_Atomic int *const *)beck_ctx(c), 1);
    beck_emit(c, beck_get_bigint(row, 0) % 7, beck_get_bigint(row, 0));
}

enum { OUTPUTS = 6, BATCHES = 3 };

/* Six outputs, five of them in parallel, on one shuffle and another behind it. */
static void one_lineage(void *user)
{
    _Atomic int calls = 0, *at = &calls;
    struct total totals_of[OUTPUTS] = {{.fails = NULL}};
    beck_context *ctx = context();
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_dstream *pairs =
        beck_map(in, "k BIGINT, n BIGINT", count_calls, .ctx = &at, .ctx_size = sizeof at);
    beck_dstream *sums = beck_values(beck_reduce_by_key(pairs, beck_sum));
    beck_dstream *again = beck_repartition(sums, 3);

    (void)user;
    for (int i = 0; i < OUTPUTS; i++)
        add_up(i % 2 ? sums : again, &totals_of[i], "total", i != 2);
    for (int i = 0; i < BATCHES; i++)
        beck_queue_push(in, numbers(ctx, 0, 100, 4));
    run_batches(ctx, BATCHES);
    assert_int_equal(beck_error(ctx), BECK_OK);
    assert_int_equal(calls, 100 * BATCHES);
    for (int i = 0; i < OUTPUTS; i++)
        assert_int_equal(totals_of[i].sum, 4950 * BATCHES);
    beck_context_free(ctx);
}

static void what_they_stand_on_is_computed_once(void **state)
{
    (void)state;
    in_worlds(one_lineage);
}

/* Each " at parallel_test.c:20" goes. */
static const char *without_sites(struct text *text)
{
    char *from;

    while ((from = strstr(text->data, " at parallel_test.c:")) != NULL) {
        char *rest = from + 20 + strspn(from + 20, "0123456789");
        memmove(from, rest, strlen(rest) + 1);
    }
    return text->data;
}

/* The first one fails last. */
static void two_failures(void *user)
{
    struct door door;
    struct total first = {.waits = &door, .fails = "no"}, second = {.opens = &door, .fails = "nor"},
                 third = {.fails = NULL};
    struct text events = {.memory = &beck__os_current()->memory};
    beck_context *ctx = context();
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");

    (void)user;
    door_init(&door);
    add_up(in, &first, "first", true);
    add_up(in, &second, "second", true);
    add_up(in, &third, "third", false);
    beck_add_listener(ctx, keep_events, &events);
    beck_queue_push(in, numbers(ctx, 0, 10, 2));
    run_batches(ctx, 1);
    assert_int_equal(beck_error(ctx), BECK_IO);
    assert_contains(beck_error_text(ctx), "batch 11000 ms failed: first at parallel_test.c:");
    assert_int_equal(third.sum, 45);
    assert_string_equal(without_sites(&events),
                        "streaming started\nsubmitted 11000 (10)\nstarted 11000 (10)\n"
                        "output started 11000 first\noutput started 11000 second\n"
                        "output started 11000 third\noutput completed 11000 third\n"
                        "output completed 11000 first: first: no\n"
                        "output completed 11000 second: second: nor\n"
                        "completed 11000 (10): first: no\n"
                        "streaming stopped: batch 11000 ms failed: first: no\n");
    beck_context_free(ctx);
    beck__text_deinit(&events);
    door_deinit(&door);
}

static void events_and_errors_have_an_order(void **state)
{
    (void)state;
    in_worlds(two_failures);
}

static void look_at_total(beck_call *c, beck_rdd *rdd)
{
    const struct total *t = beck_ctx(c);

    assert_int_equal(t->commits, 1);
    assert_int_equal(t->sum, 45);
    assert_int_equal(beck_count(rdd), 10);
}

static beck_rdd *look_at_both(beck_call *c, beck_rdd *in)
{
    look_at_total(c, in);
    return in;
}

/* The user's own code in the driver has the batch for itself. */
static void before_callbacks(void *user)
{
    struct total first = {.fails = NULL}, second = {.fails = NULL}, third = {.fails = NULL};
    beck_context *ctx = context();
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");

    (void)user;
    add_up(in, &first, "first", true);
    beck_foreach_rdd(in, look_at_total, .ctx = &first);
    add_up(in, &second, "second", true);
    add_up(beck_transform(in, "n BIGINT", look_at_both, .ctx = &second), &third, "third", true);
    beck_queue_push(in, numbers(ctx, 0, 10, 2));
    run_batches(ctx, 1);
    assert_int_equal(beck_error(ctx), BECK_OK);
    assert_int_equal(third.sum, 45);
    beck_context_free(ctx);
}

static void driver_callbacks_wait(void **state)
{
    (void)state;
    in_worlds(before_callbacks);
}

static void steps_run_them_in_order(void **state)
{
    struct total first = {.fails = NULL}, second = {.fails = NULL};
    struct text events = {.memory = &beck__os_real()->memory};
    beck_context *ctx = stepped("parallel");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");

    (void)state;
    add_up(in, &first, "first", true);
    add_up(in, &second, "second", true);
    assert_contains(beck_describe(ctx), "(at least once, parallel)");
    beck_add_listener(ctx, keep_events, &events);
    beck_queue_push(in, numbers(ctx, 0, 10, 2));
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_contains(without_sites(&events),
                    "output started 1000 first\noutput completed 1000 first\n"
                    "output started 1000 second\noutput completed 1000 second\n");
    beck_context_free(ctx);
    beck__text_deinit(&events);
}

/* Six outputs on shuffles, kept rows and a table, each batch as it comes. */
static void run_many(char **argv, int argc)
{
    struct total totals_of[OUTPUTS] = {{.fails = NULL}};
    beck_context *ctx = beck_context_new("many", .batch_ms = 1, .trigger = BECK_TRIGGER_EVENT,
                                         .partitions = 3, .argc = argc, .argv = argv);
    beck_rdd *table = beck_cache(beck_zip_with_index(numbers(ctx, 0, 50, 2)));
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_dstream *pairs = beck_cache(beck_zip_with_index(in));
    beck_dstream *sums = beck_values(beck_reduce_by_key(beck_join(pairs, table), beck_max));

    for (int k = 0; k < OUTPUTS; k++)
        add_up(k % 2 ? sums : beck_keys(pairs), &totals_of[k], "total", k != 3);
    for (int k = 0; k < BATCHES; k++)
        beck_queue_push(in, numbers(ctx, 0, 50, 4));
    run_batches(ctx, BATCHES);
    assert_string_equal(beck_error_text(ctx), "");
    for (int k = 0; k < OUTPUTS; k++)
        assert_int_equal(totals_of[k].sum, 1225 * BATCHES);
    beck_context_free(ctx);
}

static void with_faults(void *user)
{
    char seed[32];
    char *argv[] = {"many", "--master=local[2]", "--conf", seed};

    snprintf(seed, sizeof seed, "engine.faults=%d", ++*(int *)user);
    run_many(argv, 4);
}

static void faults_change_nothing(void **state)
{
    int seed = 0;

    (void)state;
    for (int i = 1; i <= 30; i++)
        simulate(&(struct os_simulation){.seed = (uint64_t)i}, with_faults, &seed, NULL);
}

/* Real threads for the thread sanitizer, and worker processes. */
static void real_threads_take_turns(void **state)
{
    char *argv[] = {"many", "--master=local[2]", "--isolate", "--conf", "engine.faults=3"};

    (void)state;
    for (int i = 0; i < 12; i++)
        run_many(argv, i < 8 ? 2 : i < 10 ? 3 : 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_commit_holds_nobody_up),
        test(a_task_holds_nobody_up),
        test(what_they_stand_on_is_computed_once),
        test(events_and_errors_have_an_order),
        test(driver_callbacks_wait),
        test(steps_run_them_in_order),
        test(faults_change_nothing),
        test(real_threads_take_turns),
    };

    beck_context_free(beck_context_new("worker")); /* in a worker it serves, and never returns */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
