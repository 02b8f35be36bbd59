/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job_test - whatever runs a job, its rows are the same, in the same order; a task that fails is
 * tried again; what fails for good says where.
 */
#include "engine/testing.h"

#include "engine/local/local.h"

/* ---- the same rows --------------------------------------------------------------------------- */

static void split(beck_call *c, beck_row in)
{
    beck_emit_row(c, in);
    if (beck_get_bigint(in, 1) % 3 == 0)
        beck_emit(c, "a key that is the same for all", 1);
}

/* flat_map, sum by key, repartition, union with the source, sum by key */
static struct dataset *long_lineage(struct lab *lab)
{
    struct op map = lab_call(lab, PAIR, PAIR, split);
    struct dataset *source = lab_numbers(lab, 5, 500);
    struct dataset *d = lab_sums(lab, lab_narrow(lab, source, &map), 4);
    d = lab_shuffle(lab, d, PARTITION_ROUND_ROBIN, 3, PAIR);
    d = lab->engine->unite(lab->scope, (struct dataset *[]){d, source}, 2);
    return lab_sums(lab, d, 6);
}

static void test_same_everywhere(void **state)
{
    (void)state;
    struct lab lab;
    struct engine_options options;
    struct arena keep = {.memory = &beck__os_real()->memory};
    const char *expected = NULL;
    for (uint32_t i = 0; lab_variant(i, true, &options); i++) {
        lab_open(&lab, options);
        struct dataset *d = long_lineage(&lab);
        assert_int_equal(lab.engine->partitions(d), 6);
        lab_run(&lab, d, NULL);
        if (!expected)
            expected = beck__arena_text(&keep, lab_text(&lab));
        assert_string_equal(lab_text(&lab), expected);
        uint64_t tasks, again, wakes;
        lab.engine->counters(lab.engine, &tasks, &wakes);
        lab_run(&lab, d, NULL); /* shuffles have been run */
        assert_string_equal(lab_text(&lab), expected);
        lab.engine->counters(lab.engine, &again, &wakes);
        assert_true(again - tasks <= 6);
        lab_close(&lab);
    }
    assert_non_null(strstr(expected, "(a key that is the same for all,834)"));
    beck__arena_deinit(&keep);
}

/* Order after a shuffle: map partition, then sequence. */
static void test_order(void **state)
{
    (void)state;
    struct lab lab;
    struct engine_options options;
    for (uint32_t i = 0; lab_variant(i, true, &options); i++) {
        lab_open(&lab, options);
        struct dataset *d = lab_numbers(&lab, 4, 700);
        d = lab_shuffle(&lab, d, PARTITION_SINGLE, 1, PAIR);
        lab_run(&lab, d, NULL);
        int64_t n = 0;
        for (size_t k = 0; k < lab.out[0].count; k++)
            for (uint32_t row = 0; row < lab.out[0].items[k]->chunk->rows; row++) {
                beck_row r = {lab.out[0].items[k]->chunk, row, 0};
                assert_int_equal(beck_get_bigint(r, 1), n++);
            }
        assert_int_equal(n, 2800);
        lab_close(&lab);
    }
}

/* Each key is where its hash says. */
static void test_placement(void **state)
{
    (void)state;
    struct lab lab;
    struct text scratch = {.memory = &beck__os_real()->memory};
    lab_open(&lab, lab_options(2));
    lab_run(&lab, lab_sums(&lab, lab_numbers(&lab, 3, 100), 5), NULL);
    uint64_t keys = 0;
    for (uint32_t p = 0; p < 5; p++)
        for (size_t k = 0; k < lab.out[p].count; k++) {
            const beck_chunk *chunk = lab.out[p].items[k]->chunk;
            for (uint32_t row = 0; row < chunk->rows; row++, keys++)
                assert_int_equal(beck__key_hash(chunk, 0, 1, row, &scratch) % 5, p);
        }
    assert_int_equal(keys, 14); /* seven short ones and seven long ones */
    beck__text_deinit(&scratch);
    lab_close(&lab);
}

static void test_some_partitions(void **state)
{
    (void)state;
    struct lab lab;
    lab_open(&lab, lab_options(2));
    struct op limit = test_op(&lab.arena, OP_LIMIT, PAIR, PAIR);
    limit.number = 1;
    struct job job = {.scope = lab.scope,
                      .dataset = lab_numbers(&lab, 6, 100),
                      .action = beck__program_of(&lab.arena, &limit),
                      .what = "take",
                      .first = 2,
                      .count = 3,
                      .deliver = lab_deliver,
                      .user = &lab};
    assert_int_equal(lab.engine->job_run(lab.engine, &job, &lab.error), BECK_OK);
    assert_string_equal(
        lab_text(&lab),
        "[2]\n(key number 4,200)\n[3]\n(key number 6,300)\n[4]\n(key number 1,400)\n");
    lab_clear(&lab);
    job.first = 5;
    assert_int_equal(lab.engine->job_run(lab.engine, &job, &lab.error), BECK_OK);
    assert_string_equal(lab_text(&lab), "[5]\n(key number 3,500)\n");
    lab_clear(&lab);
    job.first = 6;
    assert_int_equal(lab.engine->job_run(lab.engine, &job, &lab.error), BECK_OK);
    assert_string_equal(lab_text(&lab), "");
    job.first = 0;
    job.count = 0;
    job.deliver = NULL;
    assert_int_equal(lab.engine->job_run(lab.engine, &job, &lab.error), BECK_OK);
    lab_close(&lab);
}

/* ---- retry ----------------------------------------------------------------------------------- */

/* The context says before which attempt it fails; partition 2 only. */
static void fail_until(beck_call *c, beck_row in)
{
    const int *attempt = beck_ctx(c);
    if (beck_partition(c) == 2 && beck_attempt(c) < *attempt && beck_get_bigint(in, 1) % 10 == 4)
        beck_fail(c, "not yet");
    else
        beck_emit_row(c, in);
}

static struct dataset *failing(struct lab *lab, const int *attempts, bool shuffled)
{
    struct op op = lab_call(lab, PAIR, PAIR, fail_until);
    op.name = "map";
    op.bytes = beck_bytes_of(attempts, sizeof *attempts);
    struct dataset *d = lab_narrow(lab, lab_numbers(lab, 4, 20), &op);
    return shuffled ? lab_sums(lab, d, 3) : d;
}

static void test_retry(void **state)
{
    (void)state;
    struct lab lab;
    struct engine_options options;
    const int never = 0, three = 3;
    for (uint32_t i = 0; lab_variant(i, true, &options); i++)
        for (int shuffled = 0; shuffled < 2; shuffled++) {
            lab_open(&lab, options);
            lab_run(&lab, failing(&lab, &never, shuffled), NULL);
            const char *expected = beck__arena_text(&lab.arena, lab_text(&lab));
            lab_run(&lab, failing(&lab, &three, shuffled), NULL);
            assert_string_equal(lab_text(&lab), expected);
            assert_contains(beck__text_get(&lab.logged),
                            "collect at test.c:9: attempt 3 of partition 2 failed: map at "
                            "test.c:7: not yet (record 5)\n");
            assert_null(strstr(beck__text_get(&lab.logged), "attempt 4"));
            lab_close(&lab);
        }
}

static void test_fails(void **state)
{
    (void)state;
    struct lab lab;
    struct engine_options options;
    const int four = 4;
    for (uint32_t i = 0; lab_variant(i, true, &options); i++)
        for (int shuffled = 0; shuffled < 2; shuffled++) {
            lab_open(&lab, options);
            struct dataset *d = failing(&lab, &four, shuffled);
            assert_int_equal(lab_try(&lab, d, NULL), BECK_TASK);
            assert_string_equal(lab.error.text,
                                "collect at test.c:9: map at test.c:7: not yet (record 5) "
                                "(partition 2, batch 5000 ms, attempt 4 of 4)");
            assert_int_equal(lab_try(&lab, d, NULL), BECK_TASK); /* the same again */
            lab_run(&lab, lab_numbers(&lab, 2, 2), NULL);        /* the engine is fine */
            lab_close(&lab);
        }
}

/* Outside a stream there is no batch to name. */
static void test_error_without_batch(void **state)
{
    (void)state;
    struct lab lab;
    const int two = 2;
    struct engine_options options = lab_options(2);
    options.attempts = 2;
    lab_open(&lab, options);
    lab.engine->scope_free(lab.engine, lab.scope);
    lab.scope = lab.engine->scope_new(lab.engine, 0);
    assert_int_equal(lab_try(&lab, failing(&lab, &two, false), NULL), BECK_TASK);
    assert_string_equal(lab.error.text, "collect at test.c:9: map at test.c:7: not yet (record 5) "
                                        "(partition 2, attempt 2 of 2)");
    lab_close(&lab);
}

static void test_fault_hook(void **state)
{
    (void)state;
    struct lab lab;
    struct engine_options options;
    for (uint32_t i = 0; lab_variant(i, false, &options); i++) {
        lab_open(&lab, options);
        struct dataset *d = lab_sums(&lab, lab_numbers(&lab, 3, 100), 2);
        lab_run(&lab, d, NULL);
        const char *expected = beck__arena_text(&lab.arena, lab_text(&lab));
        for (uint64_t n = 1; n <= 6; n++) {
            d = lab_sums(&lab, lab_numbers(&lab, 3, 100), 2);
            lab.engine->fault(lab.engine, n, 0);
            lab_run(&lab, d, NULL);
            assert_string_equal(lab_text(&lab), expected);
            assert_int_equal(n <= 5, strstr(beck__text_get(&lab.logged), "failed by a test") != 0);
            beck__text_clear(&lab.logged);
        }
        lab.engine->fault(lab.engine, 0, 0);
        lab_close(&lab);
        options.attempts = 1;
        lab_open(&lab, options);
        lab.engine->fault(lab.engine, 1, 0);
        assert_int_equal(lab_try(&lab, lab_numbers(&lab, 1, 100), NULL), BECK_TASK);
        assert_string_equal(lab.error.text, "collect at test.c:9: failed by a test (partition 0, "
                                            "batch 5000 ms, attempt 1 of 1)");
        lab_close(&lab);
    }
}

/* ---- warnings -------------------------------------------------------------------------------- */

static beck_status read_warning(beck_reader *r, const void *params, size_t params_size,
                                const void *range, size_t size)
{
    (void)params;
    (void)params_size;
    if (size)
        beck_reader_warn(r, "%.*s is strange", (int)size, (const char *)range);
    beck_read_row(r, "row", size);
    return BECK_OK;
}

static const beck_direct_class strange = {.name = "strange", .schema = PAIR, .read = read_warning};

/* Of all tasks of a stage one warning is told, and how many there are. */
static void test_warnings(void **state)
{
    (void)state;
    struct lab lab;
    struct engine_options options;
    static const beck_str ranges[] = {{"", 0}, {"this", 4}, {"", 0}, {"this", 4}, {"this", 4}};
    for (uint32_t i = 0; lab_variant(i, true, &options); i++) {
        lab_open(&lab, options);
        const beck_schema *schema = test_schema(&lab.arena, PAIR);
        struct dataset *d = lab.engine->from_ranges(
            lab.scope, &(struct range_source){"strange", &strange, {"", 0}, schema}, ranges, 5);
        lab_run(&lab, d, NULL);
        assert_string_equal(beck__text_get(&lab.logged),
                            "collect at test.c:9: strange: this is strange; and more in 2 other "
                            "tasks\n");
        beck__text_clear(&lab.logged);
        d = lab.engine->from_ranges(
            lab.scope, &(struct range_source){"strange", &strange, {"", 0}, schema}, ranges, 2);
        lab_run(&lab, d, NULL);
        assert_string_equal(beck__text_get(&lab.logged),
                            "collect at test.c:9: strange: this is strange\n");
        beck__text_clear(&lab.logged);
        d = lab.engine->from_ranges(
            lab.scope, &(struct range_source){"strange", &strange, {"", 0}, schema}, ranges, 1);
        lab_run(&lab, d, NULL);
        assert_string_equal(beck__text_get(&lab.logged), "");
        lab_close(&lab);
    }
}

/* ---- cancel ---------------------------------------------------------------------------------- */

static struct engine *_Atomic running;

/* A source without end; it has the engine cancelled by the thread that runs it. */
static beck_status read_endless(beck_reader *r, const void *params, size_t params_size,
                                const void *range, size_t size)
{
    struct engine *engine = atomic_load(&running);
    (void)params;
    (void)params_size;
    (void)range;
    (void)size;
    for (int64_t i = 0; beck_read_row(r, "endless", i); i++)
        if (engine && i == 10000)
            engine->cancel(engine, true);
    return BECK_OK;
}

static const beck_direct_class endless = {.name = "endless", .schema = PAIR, .read = read_endless};

static struct dataset *endless_source(struct lab *lab)
{
    static const beck_str ranges[3] = {{"", 0}, {"", 0}, {"", 0}};
    struct op limit = test_op(&lab->arena, OP_LIMIT, PAIR, PAIR);
    limit.number = UINT64_MAX;
    struct dataset *d = lab->engine->from_ranges(
        lab->scope, &(struct range_source){"endless", &endless, {"", 0}, limit.in}, ranges, 3);
    struct op count = test_op(&lab->arena, OP_GROUP, PAIR, "count BIGINT");
    count.fold = FOLD_COUNT;
    return lab_narrow(lab, lab_narrow(lab, d, &limit), &count);
}

static void test_cancel(void **state)
{
    (void)state;
    struct lab lab;
    struct engine_options options;
    for (uint32_t i = 0; lab_variant(i, false, &options); i++) {
        lab_open(&lab, options);
        atomic_store(&running, lab.engine);
        assert_int_equal(lab_try(&lab, endless_source(&lab), NULL), BECK_CANCELLED);
        assert_string_equal(lab.error.text, "collect at test.c:9: cancelled");
        assert_int_equal(lab_try(&lab, lab_numbers(&lab, 1, 1), NULL), BECK_CANCELLED);
        lab.engine->cancel(lab.engine, false);
        lab_run(&lab, lab_numbers(&lab, 1, 1), NULL);
        atomic_store(&running, NULL);
        lab_close(&lab);
    }
}

/* One task fails for good: the others, which would never end, are cancelled. */
static void fail_in_partition_1(beck_call *c, beck_row in)
{
    if (beck_partition(c) == 1)
        beck_fail(c, "enough");
    else
        beck_emit_row(c, in);
}

static void test_failure_cancels_others(void **state)
{
    (void)state;
    struct lab lab;
    lab_open(&lab, lab_options(3));
    static const beck_str ranges[3] = {{"", 0}, {"", 0}, {"", 0}};
    struct op map = lab_call(&lab, PAIR, PAIR, fail_in_partition_1);
    struct op count = test_op(&lab.arena, OP_GROUP, PAIR, "count BIGINT");
    count.fold = FOLD_COUNT;
    struct dataset *d = lab.engine->from_ranges(
        lab.scope, &(struct range_source){"endless", &endless, {"", 0}, map.in}, ranges, 3);
    d = lab_narrow(&lab, lab_narrow(&lab, d, &map), &count);
    assert_int_equal(lab_try(&lab, d, NULL), BECK_TASK);
    assert_string_equal(lab.error.text,
                        "collect at test.c:9: op at test.c:7: enough (record 1) (partition 1, "
                        "batch 5000 ms, attempt 4 of 4)");
    lab_close(&lab);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void exhaust(struct engine_options options, bool all)
{
    struct lab lab;
    lab_open(&lab, options);
    struct scope *own = lab.scope;
    lab_run(&lab, long_lineage(&lab), NULL);
    const char *expected = beck__arena_text(&lab.arena, lab_text(&lab));
    uint64_t used = 0;
    for (uint64_t n = 1, step = 0; n == 1 || used + step >= n; n += step) {
        step = 1 + n / 8;
        lab.scope = lab.engine->scope_new(lab.engine, 1000);
        struct dataset *d = long_lineage(&lab);
        lab_clear(&lab);
        struct job job = {.scope = lab.scope,
                          .dataset = d,
                          .what = "collect"}; /* lab_deliver has no error to give */
        uint64_t before = beck__os_memory_calls(lab.os);
        beck__os_memory_fail(lab.os, n, all);
        lab.engine->job_run(lab.engine, &job, &lab.error);
        used = beck__os_memory_calls(lab.os) - before;
        beck__os_memory_fail(lab.os, 0, false);
        if (lab.error.status)
            assert_int_equal(lab.error.status, BECK_NO_MEMORY);
        lab_run(&lab, d, NULL);
        assert_string_equal(lab_text(&lab), expected);
        lab.engine->scope_free(lab.engine, lab.scope);
    }
    lab.scope = own;
    lab_close(&lab);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct engine_options options;
    for (uint32_t i = 0; lab_variant(i, false, &options); i++) {
        exhaust(options, false);
        exhaust(options, true);
        options.attempts = 1;
        exhaust(options, false);
    }
}

int main(void)
{
    beck__engine_worker(beck__os_real());
    const struct CMUnitTest tests[] = {
        test(test_same_everywhere),
        test(test_order),
        test(test_placement),
        test(test_some_partitions),
        test(test_retry),
        test(test_fails),
        test(test_error_without_batch),
        test(test_fault_hook),
        test(test_warnings),
        test(test_cancel),
        test(test_failure_cancels_others),
        test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
