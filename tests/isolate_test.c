/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --isolate from end to end: tasks run in worker processes, which are this very program. Results
 * are the same; what the driver's process changed is not seen; a worker that dies is replaced.
 */
#include "driver/testing.h"

static beck_context *isolated(bool isolate, struct said *said)
{
    char *argv[] = {"isolated", "--master", "local[2]", "--isolate", NULL};

    return beck_context_new("isolated", .argc = isolate ? 4 : 3, .argv = argv, .log = say,
                            .log_user = said);
}

/* ---- a program with a source, callbacks, kernels and a sink -----------------------------------
 */

struct span {
    int64_t from, to;
};

static beck_status spans_plan(beck_ranges *ranges, const void *params, size_t size)
{
    const struct span *all = params;
    beck_status status = BECK_OK;

    assert_int_equal(size, sizeof *all);
    for (int64_t from = all->from; from < all->to && !status; from += 100) {
        struct span span = {from, from + 100};
        status = beck_add_range(ranges, &span, sizeof span);
    }
    return status;
}

static beck_status spans_read(beck_reader *r, const void *params, size_t params_size,
                              const void *range, size_t size)
{
    const struct span *span = range, *all = params; /* bytes that came over a socket */

    if (size != sizeof *span || params_size != sizeof *all || span->to > all->to)
        return beck_reader_error(r, BECK_CORRUPT, "a range of %zu bytes", size);
    for (int64_t n = span->from; n < span->to; n++)
        if (!beck_read_row(r, n))
            break;
    return BECK_OK;
}

static const beck_direct_class spans = {
    .name = "spans", .schema = "n BIGINT", .plan = spans_plan, .read = spans_read};

static void key_of(beck_call *c, beck_row in)
{
    const struct span *modulus = beck_ctx(c);
    char text[32];

    snprintf(text, sizeof text, "key %d", (int)(beck_get_bigint(in, 0) % modulus->to));
    beck_emit(c, text);
}

static void longer(beck_call *c, beck_row a, beck_row b)
{
    beck_emit(c, beck_get_bigint(a, 0) + beck_get_bigint(b, 0));
}

static beck_rdd *program(beck_context *ctx)
{
    const struct span all = {0, 1000}, modulus = {0, 7};
    beck_rdd *in = beck_direct_rdd(ctx, &spans, .params = &all, .params_size = sizeof all);
    beck_rdd *more = beck_union(in, numbers(ctx, 1000, 1500, 3));
    beck_rdd *keyed =
        beck_key_by(more, "key STRING", key_of, .ctx = &modulus, .ctx_size = sizeof modulus);

    return beck_reduce_by_key(keyed, longer, .partitions = 3);
}

static void results_are_the_same(void **state)
{
    struct folder folder = folder_new();
    struct said said;
    char texts[2][1000];

    (void)state;
    said_init(&said);
    for (int i = 0; i < 2; i++) {
        beck_context *ctx = isolated(i, &said);
        beck_rdd *sums = program(ctx);
        beck_result *rows = beck_collect(sums);
        if (beck_result_status(rows))
            print_error("%s\n", beck_error_text(ctx));
        assert_int_equal(beck_result_rows(rows), 7);
        snprintf(texts[i], sizeof texts[i], "%s", rows_text(rows));
        beck_result_free(rows);
        const char *dir = in_folder(&folder, i ? "isolated" : "threads");
        assert_int_equal(beck_save_as_text_file(sums, dir), BECK_OK);
        beck_context_free(ctx);
    }
    assert_string_equal(texts[0], texts[1]);
    beck_context *ctx = isolated(false, &said);
    beck_result *a = beck_collect(beck_text_file(ctx, in_folder(&folder, "threads")));
    snprintf(texts[0], sizeof texts[0], "%s", rows_text(a));
    assert_rows(beck_collect(beck_text_file(ctx, in_folder(&folder, "isolated"))), texts[0]);
    beck_context_free(ctx);
    said_deinit(&said);
    remove_all(folder.path);
}

/* Lines, records and whole files of a directory, batch by batch. */
static void files_are_read_by_workers(void **state)
{
    char *argv[] = {"isolated", "--master", "local[2]", "--isolate", NULL};
    struct folder folder = folder_new();
    const char *path = folder.path;

    (void)state;
    put_file(in_folder(&folder, "a"), "ab\ncd\n", 6);
    put_file(in_folder(&folder, "b"), "ef\n", 3);
    beck_context *ctx = beck_context_new("isolated", .argc = 4, .argv = argv, .manual_clock = true);
    beck_collector *lines = beck_collect_stream(
        beck_text_file_stream(ctx, path, .from_beginning = true, .split_bytes = 2));
    beck_collector *records =
        beck_collect_stream(beck_binary_records_stream(ctx, path, 3, .from_beginning = true));
    beck_collector *whole =
        beck_collect_stream(beck_count(beck_file_stream(ctx, path, .from_beginning = true)));
    if (beck_step(ctx, 1000))
        print_error("%s\n", beck_error_text(ctx));
    assert_batches(lines, "1000 ab|cd|ef|;");
    assert_batches(records, "1000 61620a|63640a|65660a|;");
    assert_batches(whole, "1000 2|;");
    beck_context_free(ctx);
    remove_all(folder.path);
}

/* ---- nothing leaks --------------------------------------------------------------------------- */

static int changed = 1;

static void emit_global(beck_call *c, beck_row in)
{
    (void)in;
    beck_emit(c, changed);
    changed++; /* of the worker: the driver never sees it */
}

static void globals_are_each_process_s_own(void **state)
{
    struct said said;

    (void)state;
    said_init(&said);
    changed = 100;
    beck_context *ctx = isolated(true, &said);
    beck_result *rows = beck_collect(beck_map(numbers(ctx, 0, 3, 1), "n BIGINT", emit_global));
    assert_rows(rows, "1|2|3|");
    assert_int_equal(changed, 100);
    beck_context_free(ctx);
    ctx = isolated(false, &said);
    rows = beck_collect(beck_map(numbers(ctx, 0, 3, 1), "n BIGINT", emit_global));
    assert_rows(rows, "100|101|102|");
    beck_context_free(ctx);
    said_deinit(&said);
}

/* ---- what goes wrong ------------------------------------------------------------------------- */

static void fail_on_five(beck_call *c, beck_row in)
{
    if (beck_get_bigint(in, 0) == 5)
        beck_fail(c, "five, in attempt %d of partition %d", beck_attempt(c), beck_partition(c));
    beck_emit(c, beck_get_bigint(in, 0));
}

static void die_at_first(beck_call *c, beck_row in)
{
    if (beck_get_bigint(in, 0) == 5 && beck_attempt(c) == 0)
        beck__os_real()->exit(beck__os_real(), 3);
    beck_emit(c, beck_get_bigint(in, 0));
}

static void die_always(beck_call *c, beck_row in)
{
    (void)in;
    if (beck_partition(c) == 1)
        beck__os_real()->exit(beck__os_real(), 3);
}

static void a_failure_says_where(void **state)
{
    struct said said;

    (void)state;
    said_init(&said);
    beck_context *ctx = isolated(true, &said);
    assert_int_equal(beck_count(beck_map(numbers(ctx, 0, 9, 3), "n BIGINT", fail_on_five)), -1);
    assert_int_equal(beck_error(ctx), BECK_TASK);
    assert_contains(beck_error_text(ctx), "map at isolate_test.c:");
    assert_contains(beck_error_text(ctx), "five, in attempt 3 of partition 1");
    beck_context_free(ctx);
    said_deinit(&said);
}

static void a_worker_that_dies_is_replaced(void **state)
{
    struct said said;

    (void)state;
    said_init(&said);
    beck_context *ctx = isolated(true, &said);
    assert_rows(beck_collect(beck_map(numbers(ctx, 0, 9, 3), "n BIGINT", die_at_first)),
                "0|1|2|3|4|5|6|7|8|");
    assert_int_equal(beck_foreach(numbers(ctx, 0, 9, 3), die_always), BECK_TASK);
    assert_contains(beck_error_text(ctx), "the worker process ended with code 3");
    assert_contains(beck_error_text(ctx), "partition 1, attempt 4 of 4");
    beck_context_free(ctx);
    said_deinit(&said);
}

static void a_stream_may_be_isolated(void **state)
{
    char *argv[] = {"isolated", "--master", "local[2]", "--isolate", NULL};
    beck_context *ctx = beck_context_new("isolated", .batch_ms = 1000, .manual_clock = true,
                                         .argc = 4, .argv = argv);
    const struct span modulus = {0, 2};
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    beck_dstream *keyed =
        beck_key_by(in, "key STRING", key_of, .ctx = &modulus, .ctx_size = sizeof modulus);
    beck_collector *c = beck_collect_stream(beck_reduce_by_key(keyed, longer, .partitions = 1));

    (void)state;
    beck_queue_push(in, numbers(ctx, 0, 10, 3));
    beck_queue_push(in, numbers(ctx, 0, 4, 1));
    assert_int_equal(beck_step(ctx, 3000), BECK_OK);
    assert_batches(c, "1000 (key 0,20)|(key 1,25)|;2000 (key 0,2)|(key 1,4)|;3000 ;");
    beck_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(results_are_the_same),           test(files_are_read_by_workers),
        test(globals_are_each_process_s_own), test(a_failure_says_where),
        test(a_worker_that_dies_is_replaced), test(a_stream_may_be_isolated),
    };

    beck_context_free(beck_context_new("worker")); /* in a worker it serves, and never returns */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
