/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes wrong in a user's program: callbacks that fail, options that are mistyped, memory that
 * ends. Always a message that says what, where, with which value, and what to do.
 */
#define _GNU_SOURCE
#include "driver/testing.h"

#include <stdlib.h>

/* ---- callbacks that fail --------------------------------------------------------------------- */

static void wrong_type(beck_call *c, beck_row in)
{
    beck_emit(c, (int64_t)beck_get_string(in, 0).size); /* column 0 is a BIGINT */
}

static void wrong_column(beck_call *c, beck_row in)
{
    beck_emit(c, beck_get_bigint(in, 7));
}

static void wrong_count(beck_call *c, beck_row in)
{
    beck_emit(c, beck_get_bigint(in, 0), 1);
}

static void wrong_value(beck_call *c, beck_row in)
{
    (void)in;
    beck_emit(c, "not a number");
}

static void nothing(beck_call *c, beck_row in)
{
    (void)c, (void)in;
}

static void seventh(beck_call *c, beck_row in)
{
    if (beck_get_bigint(in, 0) == 107)
        beck_fail(c, "%lld is not liked", (long long)beck_get_bigint(in, 0));
    beck_emit(c, beck_get_bigint(in, 0));
}

struct mistake {
    beck_map_fn *fn;
    const char *text;
};

static const struct mistake mistakes[] = {
    {wrong_type, "STRING"}, {wrong_column, "7"}, {wrong_count, "2 values"},
    {wrong_value, "n"},     {nothing, "map"},    {seventh, "107 is not liked"},
};

/* Operator, call site, partition, batch, attempts and record are in the message. */
static void a_failing_callback_is_told_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(mistakes); i++) {
        struct said said;
        said_init(&said);
        beck_context *ctx = beck_context_new("fails", .batch_ms = 1000, .manual_clock = true,
                                             .log = say, .log_user = &said);
        beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
        beck_collect_stream(beck_map(in, "n BIGINT", mistakes[i].fn));
        beck_queue_push(in, numbers(ctx, 100, 104, 1));
        beck_queue_push(in, numbers(ctx, 104, 110, 2)); /* 107 is the first of partition 1 */
        beck_status status = beck_step(ctx, 2000);
        assert_int_equal(status, BECK_TASK);
        const char *text = beck_error_text(ctx);
        const char *batch = i == 5 ? "batch 2000 ms" : "batch 1000 ms";
        assert_contains(text, "map at bad_input_test.c:");
        assert_contains(text, mistakes[i].text);
        assert_contains(text, batch);
        assert_contains(text, "attempt 4 of 4");
        assert_contains(text, i == 5 ? "partition 1" : "partition 0");
        assert_contains(text, "record 1");
        assert_contains(text, "collect_stream");
        beck_context_free(ctx);
        said_deinit(&said);
    }
}

static void fail_twice(beck_call *c, beck_row in)
{
    if (beck_attempt(c) < 2)
        beck_fail(c, "not yet");
    beck_emit(c, beck_get_bigint(in, 0));
}

static void a_task_that_fails_is_tried_again(void **state)
{
    beck_context *ctx = stepped("retries");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_collector *c = beck_collect_stream(beck_map(in, "n BIGINT", fail_twice));

    (void)state;
    beck_queue_push(in, numbers(ctx, 0, 4, 2));
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_batches(c, "1000 0|1|2|3|;"); /* what the failed attempts emitted is forgotten */
    beck_context_free(ctx);
}

/* ---- graphs and options ---------------------------------------------------------------------- */

static void the_first_error_sticks(void **state)
{
    beck_context *ctx = beck_context_new("poisoned");
    beck_rdd *in = numbers(ctx, 0, 3, 1);

    (void)state;
    beck_rdd *bad = beck_map(in, "m BIGINT, n BOGUS", seventh);
    beck_rdd *worse = beck_reduce_by_key(beck_filter(bad, NULL), beck_sum);
    assert_non_null(worse);
    assert_string_equal(beck_schema_text(worse), "");
    char first[500];
    snprintf(first, sizeof first, "%s", beck_error_text(ctx));
    assert_contains(first, "map at bad_input_test.c:");
    assert_contains(first, "BOGUS");
    assert_int_equal(beck_count(worse), -1);
    assert_int_equal(beck_count(in), -1); /* everything after it */
    assert_int_equal(beck_rdd_partitions(worse), -1);
    beck_result *rows = beck_take(worse, 5);
    assert_int_equal(beck_result_status(rows), BECK_INVALID);
    beck_result_free(rows);
    assert_int_equal(beck_save_as_text_file(worse, "/nowhere/x"), BECK_INVALID);
    assert_string_equal(beck_error_text(ctx), first);
    struct said said;
    said_init(&said);
    beck_context_free(ctx);
    said_deinit(&said);
}

static void an_error_of_a_plan_reaches_every_action(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        beck_context *ctx = beck_context_new("absent");
        beck_rdd *lines = beck_text_file(ctx, "/nowhere/at/all");
        beck_result *rows = i == 0 ? beck_take(lines, 3) : i == 1 ? beck_first(lines) : NULL;
        beck_status status = i == 2   ? beck_print(lines)
                             : i == 3 ? beck_save_as_text_file(lines, "/tmp/x")
                                      : beck_result_status(rows);
        assert_int_equal(status, BECK_NOT_FOUND);
        assert_contains(beck_error_text(ctx), "/nowhere/at/all does not exist");
        beck_result_free(rows);
        beck_context_free(ctx);
    }
}

static void no_rdd(beck_call *c, beck_rdd *rdd)
{
    (void)c, (void)rdd;
}

/* Beside a running stream an action is refused and said, and the stream goes on. */
static void actions_beside_a_stream_are_refused(void **state)
{
    struct said said;

    (void)state;
    said_init(&said);
    beck_context *ctx = beck_context_new("program", .log = say, .log_user = &said);
    beck_foreach_rdd(beck_queue_stream(ctx, "n BIGINT"), no_rdd);
    beck_rdd *rows = numbers(ctx, 0, 3, 2);
    assert_int_equal(beck_start(ctx), BECK_OK);
    assert_int_equal(beck_count(rows), -1);
    assert_contains(beck__text_get(&said.text),
                    "count: while a stream runs, it is for its driver callbacks only");
    assert_int_equal(beck_broadcast(ctx, "table", "x", 1), BECK_STATE);
    assert_int_equal(beck_accumulator(ctx, "n"), BECK_STATE);
    assert_contains(beck__text_get(&said.text), "accumulator: while a stream runs");
    assert_int_equal(beck_error(ctx), BECK_OK);
    assert_int_equal(beck_stop(ctx), BECK_OK);
    assert_int_equal(beck_await_termination(ctx), BECK_OK);
    beck_context_free(ctx);
    said_deinit(&said);
}

static beck_status poll_nothing(beck_receiver *r, void *state, int64_t timeout_ms)
{
    (void)r, (void)state, (void)timeout_ms;
    return BECK_AGAIN;
}

static void a_state(beck_call *c, beck_row key, beck_rows *values, beck_state *state)
{
    (void)c, (void)key, (void)values, (void)state;
}

static beck_rdd *the_same(beck_call *c, beck_rdd *in)
{
    (void)c;
    return in;
}

/* Each defines something after the start. */
static void define(beck_context *ctx, beck_dstream *s, int what)
{
    static const beck_receiver_class idle = {
        .name = "idle", .schema = "n BIGINT", .poll = poll_nothing};

    switch (what) {
    case 0:
        beck_queue_stream(ctx, "n BIGINT");
        break;
    case 1:
        beck_text_file_stream(ctx, "/tmp");
        break;
    case 2:
        beck_receiver_stream(ctx, &idle);
        break;
    case 3:
        beck_map(s, "n BIGINT", seventh);
        break;
    case 4:
        beck_window(s, .window_ms = 1000, .slide_ms = 1000);
        break;
    case 5:
        beck_update_state_by_key(s, "n BIGINT", a_state);
        break;
    case 6:
        beck_join(s, s);
        break;
    case 7:
        beck_transform(s, "k BIGINT, n BIGINT", the_same);
        break;
    case 8:
        beck_print(s);
        break;
    case 9:
        beck_foreach_rdd(s, no_rdd);
        break;
    case 10:
        beck_save_as_text_files(s, "/nowhere/x");
        break;
    case 11:
        beck_persist(s, BECK_MEMORY_ONLY);
        break;
    case 12:
        beck_checkpoint(s, 1000);
        break;
    default:
        beck_remember(ctx, 5000);
        break;
    }
}

/* It is told with its call site, and the batches go on. */
static void nothing_is_defined_after_the_start(void **state)
{
    (void)state;
    for (int what = 0; what < 14; what++) {
        beck_context *ctx = stepped("frozen");
        beck_dstream *s = beck_queue_stream(ctx, "k BIGINT, n BIGINT");
        beck_collector *c = beck_collect_stream(s);
        assert_int_equal(beck_step(ctx, 1000), BECK_OK);
        define(ctx, s, what);
        assert_int_equal(beck_error(ctx), BECK_STATE);
        assert_contains(beck_error_text(ctx), " at bad_input_test.c:");
        assert_contains(beck_error_text(ctx), what < 11 ? "before beck_start or beck_run"
                                                        : "cannot be changed after beck_start");
        assert_int_equal(beck_step(ctx, 1000), BECK_STATE);
        assert_int_equal(beck_collector_batches(c), 2);
        beck_context_free(ctx);
    }
}

static void contexts_do_not_mix(void **state)
{
    beck_context *one = beck_context_new("one"), *two = stepped("two");

    (void)state;
    beck_union(numbers(one, 0, 1, 1), numbers(two, 0, 1, 1));
    assert_int_equal(beck_error(one), BECK_INVALID);
    assert_contains(beck_error_text(one), "union at bad_input_test.c:");
    assert_contains(beck_error_text(one), "the RDDs belong to different contexts");
    assert_int_equal(beck_error(two), BECK_OK);
    beck_context_free(one);
    beck_context *three = stepped("three");
    beck_union(beck_queue_stream(two, "n BIGINT"), beck_queue_stream(three, "n BIGINT"));
    assert_int_equal(beck_error(two), BECK_INVALID);
    assert_contains(beck_error_text(two), "the streams belong to different contexts");
    beck_context_free(two);
    beck_context_free(three);
}

/* Each makes a context with a mistake in it. */
static void wrong_arguments_of_an_rdd(void **state)
{
    const beck_value values[] = {beck_value_of(1)};
    static const char *const texts[] = {
        ".partitions is -1; give 1 or more",
        "5 rows, but values is NULL",
        ".split_bytes is -1",
        ".line_bytes_max is -1",
        "the class of the source is NULL",
        "the class of the sink is NULL",
        "the class of the sink is NULL",
    };

    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(texts); i++) {
        beck_context *ctx = beck_context_new("wrong");
        switch (i) {
        case 0:
            beck_parallelize(ctx, "n BIGINT", values, 1, .partitions = -1);
            break;
        case 1:
            beck_parallelize(ctx, "n BIGINT", NULL, 5);
            break;
        case 2:
            beck_text_file(ctx, "/x", .split_bytes = -1);
            break;
        case 3:
            beck_text_file(ctx, "/x", .line_bytes_max = -1);
            break;
        case 4:
            beck_direct_rdd(ctx, NULL);
            break;
        case 5:
            beck_save(numbers(ctx, 0, 1, 1), NULL);
            break;
        case 6:
            beck_save(beck_queue_stream(ctx, "n BIGINT"), NULL);
            break;
        default:
            break;
        }
        assert_int_equal(beck_error(ctx), BECK_INVALID);
        assert_contains(beck_error_text(ctx), " at bad_input_test.c:");
        assert_contains(beck_error_text(ctx), texts[i]);
        beck_context_free(ctx);
    }
}

static void mistyped_options_are_told_with_the_nearest(void **state)
{
    static const struct {
        const char *option, *value, *text;
    } cases[] = {
        {"--mastr", "local[2]", "--master"},
        {"--batch", "1 fortnight", "--batch"},
        {"--conf", "engine.partition=3", "engine.partitions"},
        {"--conf", "engine.partitions=0", "1"},
        {"--master", "yarn", "local[N]"},
        {"--conf-file", "/nowhere/beck.conf", "/nowhere/beck.conf"},
    };

    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++) {
        char *argv[] = {"program", (char *)(uintptr_t)cases[i].option,
                        (char *)(uintptr_t)cases[i].value, NULL};
        struct said said;
        said_init(&said);
        beck_context *ctx =
            beck_context_new("program", .argc = 3, .argv = argv, .log = say, .log_user = &said);
        assert_int_not_equal(beck_error(ctx), BECK_OK);
        assert_contains(beck_error_text(ctx), cases[i].text);
        assert_int_equal(beck_count(numbers(ctx, 0, 2, 1)), -1);
        assert_int_equal(beck_run(ctx), 1);
        assert_contains(beck__text_get(&said.text), cases[i].text);
        said_deinit(&said);
    }
}

static void a_file_of_options_has_an_end(void **state)
{
    struct folder folder = folder_new();
    struct text conf = {.memory = &beck__os_real()->memory};
    const char *path = in_folder(&folder, "beck.conf");
    char *argv[] = {"program", "--conf-file", (char *)(uintptr_t)path, NULL};

    (void)state;
    while (conf.size < (size_t)1 << 20)
        beck__text_add(&conf, "# a comment\n");
    beck__text_add(&conf, "driver.batch = 5s\n");
    put_file(path, conf.data, conf.size);
    beck_context *ctx = beck_context_new("program", .argc = 3, .argv = argv);
    assert_int_equal(beck_error(ctx), BECK_INVALID);
    assert_contains(beck_error_text(ctx), "more than 1048576 bytes of options");
    beck_context_free(ctx);
    beck__text_deinit(&conf);
    remove_all(folder.path);
}

/* ---- out of memory --------------------------------------------------------------------------- */

static void split(beck_call *c, beck_row line)
{
    beck_str rest = beck_get_string(line, 0), word;

    while (beck_next_token(&rest, " ", &word))
        beck_emit(c, word, 1);
}

static void longer(beck_call *c, beck_row a, beck_row b)
{
    beck_emit(c, beck_get_bigint(a, 0) + beck_get_bigint(b, 0));
}

static beck_rdd *some_lines(beck_context *ctx)
{
    const beck_value lines[] = {beck_value_of("the quick brown fox"), beck_value_of("the lazy dog"),
                                beck_value_of("a very much longer word: antidisestablishment")};

    return beck_parallelize(ctx, "line STRING", lines, 3, .partitions = 2);
}

static void batch_program(struct said *said)
{
    char *argv[] = {"program", "--master", "local[1]", NULL};
    beck_context *ctx =
        beck_context_new("program", .argc = 3, .argv = argv, .log = say, .log_user = said);
    beck_rdd *pairs = beck_flat_map(some_lines(ctx), "word STRING, n BIGINT", split);
    beck_result *rows = beck_collect(beck_reduce_by_key(pairs, longer, .partitions = 2));
    beck_status status = beck_result_status(rows);

    assert_int_equal(beck_result_rows(rows), status ? 0 : 12);
    if (!status)
        assert_int_equal(beck_error(ctx), BECK_OK);
    else
        assert_non_null(strstr(beck_error_text(ctx), "memory"));
    beck_result_free(rows);
    assert_int_equal(beck_run(ctx), status ? 1 : 0);
}

static void stream_program(struct said *said)
{
    beck_context *ctx = beck_context_new("program", .batch_ms = 1000, .manual_clock = true,
                                         .log = say, .log_user = said);
    beck_dstream *in = beck_queue_stream(ctx, "line STRING");
    beck_dstream *pairs = beck_flat_map(in, "word STRING, n BIGINT", split);
    beck_dstream *counts = beck_reduce_by_key(pairs, beck_sum, .partitions = 2);

    beck_collector *c = beck_collect_stream(counts);
    beck_print(beck_count_by_value(in), .rows = 1);
    beck_queue_push(in, some_lines(ctx));
    bool pushed = beck_queue_push(in, some_lines(ctx)) == BECK_OK;
    beck_status status = beck_step(ctx, 3000);
    if (status)
        assert_non_null(strstr(beck_error_text(ctx), "memory"));
    else if (pushed)
        assert_int_equal(beck_collector_batches(c), 3);
    for (size_t i = 0; i < beck_collector_batches(c); i++) {
        uint64_t rows = beck_result_rows(beck_collector_result(c, i));
        assert_true(rows == 12 || rows == 0); /* never a part of it */
    }
    beck_context_free(ctx);
}

static bool is_allowed(beck_call *c, beck_row in)
{
    size_t size;
    const char *word = beck_broadcast_get(c, "word", &size);

    beck_accumulate(c, "rows", 1);
    return word && beck_get_string(in, 0).size > size;
}

struct starving {
    beck_context *ctx;
    beck_rdd *kept;
};

static beck_rdd *with_all(beck_call *c, beck_rdd *const *in, size_t n)
{
    struct starving *s = (void *)(uintptr_t)beck_ctx(c);
    beck_rdd *list[] = {in[0], some_lines(s->ctx), in[n - 1]};

    beck_broadcast(s->ctx, "word", "fox", 3);
    s->kept = beck_keep(beck_filter(beck_union_all(list, 3), is_allowed));
    return s->kept;
}

/* A transform with all that may be used in it. */
static void transform_program(struct said *said)
{
    struct starving s = {.ctx = beck_context_new("program", .batch_ms = 1000, .manual_clock = true,
                                                 .log = say, .log_user = said)};
    beck_dstream *in = beck_queue_stream(s.ctx, "line STRING"), *list[] = {in, in, in};

    beck_accumulator(s.ctx, "rows");
    beck_dstream *all = beck_transform_all(list, 3, "l STRING", with_all, .ctx = &s, .name = "all");
    beck_collector *c = beck_collect_stream(beck_distinct(all));
    beck_queue_push(in, some_lines(s.ctx));
    beck_status status = beck_step(s.ctx, 1000);
    if (status)
        assert_non_null(strstr(beck_error_text(s.ctx), "memory"));
    else if (beck_accumulated(s.ctx, "rows") == 9) /* else the push had no memory */
        assert_int_equal(beck_result_rows(beck_collector_result(c, 0)), 3);
    beck_context_free(s.ctx);
}

static void stop_at_third(void *user, const beck_event *e)
{
    struct {
        beck_context *ctx;
        int batches;
    } *t = user;

    if (e->kind == BECK_EVENT_BATCH_COMPLETED && ++t->batches == 3)
        beck_stop(t->ctx, .graceful = true);
}

/* All threads run. */
static void threaded_program(struct said *said)
{
    struct {
        beck_context *ctx;
        int batches;
    } t = {0};

    t.ctx = beck_context_new("program", .batch_ms = 1, .master = "local[2]", .log = say,
                             .log_user = said);
    beck_dstream *in = beck_queue_stream(t.ctx, "line STRING");
    beck_dstream *pairs = beck_flat_map(in, "word STRING, n BIGINT", split);
    beck_print(beck_reduce_by_key(pairs, longer, .partitions = 2));
    beck_add_listener(t.ctx, stop_at_third, &t);
    beck_queue_push(in, some_lines(t.ctx));
    beck_queue_push(in, some_lines(t.ctx));
    beck_status status = beck_start(t.ctx);
    if (!status)
        status = beck_await_termination(t.ctx);
    if (status)
        assert_non_null(strstr(beck_error_text(t.ctx), "memory"));
    beck_context_free(t.ctx);
}

/* Every allocation fails once, and from every allocation on all fail. */
static void starve(void (*program)(struct said *said))
{
    struct os *os = beck__os_real();

    for (int all = 0; all < 2; all++) {
        uint64_t n = 1, calls = 0;
        for (; n <= calls + 1; n++) {
            struct said said;
            said_init(&said);
            beck__text_reserve(&said.text, 20000);
            size_t used = beck__os_memory_used(os);
            uint64_t before = beck__os_memory_calls(os);
            print_keep();
            beck__text_reserve(&printed, 10000);
            beck__os_memory_fail(os, n, all);
            program(&said);
            beck__os_memory_fail(os, 0, false);
            calls = beck__os_memory_calls(os) - before;
            beck__text_clear(&printed);
            assert_printed("");
            assert_int_equal(beck__os_memory_used(os), used);
            said_deinit(&said);
        }
        print_message("%llu allocations\n", (unsigned long long)calls);
    }
}

static void a_batch_program_without_memory_says_so(void **state)
{
    (void)state;
    starve(batch_program);
}

static void and_so_does_a_stream(void **state)
{
    (void)state;
    starve(stream_program);
}

static void and_so_does_a_transform(void **state)
{
    (void)state;
    starve(transform_program);
}

static void big(beck_call *c, beck_row in)
{
    static const char bytes[100000];

    (void)in;
    for (int i = 0; i < 100; i++)
        beck_emit(c, beck_bytes_of(bytes, sizeof bytes));
}

static void nor_do_threads_crash(void **state)
{
    (void)state;
    starve(threaded_program);
}

/* 100 MB of rows under --memory 20m. */
static void a_memory_limit_is_an_error_not_a_crash(void **state)
{
    char *argv[] = {"program", "--memory", "20m", "--master", "local[2]", NULL};
    struct said said;

    (void)state;
    said_init(&said);
    beck_context *ctx =
        beck_context_new("program", .argc = 5, .argv = argv, .log = say, .log_user = &said);
    beck_rdd *rows = beck_flat_map(numbers(ctx, 0, 10, 2), "b STRING", big);
    beck_result *result = beck_collect(rows);
    assert_int_equal(beck_result_status(result), BECK_NO_MEMORY);
    assert_int_equal(beck_result_rows(result), 0);
    assert_contains(beck_error_text(ctx), "out of memory");
    beck_result_free(result);
    beck_context_free(ctx);
    said_deinit(&said);
    ctx = beck_context_new("program", .master = "local[2]"); /* the limit was that context's */
    rows = beck_flat_map(numbers(ctx, 0, 10, 2), "b STRING", big);
    assert_int_equal(beck_count(beck_repartition(rows, 2)), 1000);
    beck_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_failing_callback_is_told_with_its_place),
        test(a_task_that_fails_is_tried_again),
        test(the_first_error_sticks),
        test(an_error_of_a_plan_reaches_every_action),
        test(actions_beside_a_stream_are_refused),
        test(nothing_is_defined_after_the_start),
        test(contexts_do_not_mix),
        test(wrong_arguments_of_an_rdd),
        test(mistyped_options_are_told_with_the_nearest),
        test(a_file_of_options_has_an_end),
        test(a_batch_program_without_memory_says_so),
        test(and_so_does_a_stream),
        test(and_so_does_a_transform),
        test(nor_do_threads_crash),
        test(a_memory_limit_is_an_error_not_a_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
