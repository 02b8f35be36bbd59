/* SPDX-License-Identifier: Apache-2.0 */
/*
 * persist_test - RDDs whose rows stay: computed once, at every level, in every mode; what is wrong
 * is said.
 */
#define _GNU_SOURCE
#include "session/testing.h"

static const beck_storage_level all_levels[] = {
    BECK_STORAGE_DEFAULT, BECK_MEMORY_ONLY,       BECK_MEMORY_AND_DISK,      BECK_DISK_ONLY,
    BECK_MEMORY_ONLY_SER, BECK_MEMORY_ONLY_2,     BECK_MEMORY_AND_DISK_SER,  BECK_MEMORY_AND_DISK_2,
    BECK_DISK_ONLY_2,     BECK_MEMORY_ONLY_SER_2, BECK_MEMORY_AND_DISK_SER_2};

static void counted(beck_call *c, beck_row in)
{
    beck_accumulate(c, "calls", 1);
    beck_emit(c, 2 * beck_get_bigint(in, 0));
}

static void as_it_is(beck_call *c, beck_row in)
{
    beck_emit_row(c, in);
}

/* Mode number i; NULL after the last. */
static beck_context *mode(size_t i)
{
    static const char *const modes[][2] = {{"--master=local[1]", "--master=local[1]"},
                                           {"--master=local[2]", "--conf=engine.encode=all"},
                                           {"--master=local[2]", "--isolate"},
                                           {"--master=local[2]", "--conf=engine.storage_bytes=1"}};
    if (i == sizeof modes / sizeof *modes)
        return NULL;
    char *argv[] = {(char *)"test", (char *)(uintptr_t)modes[i][0], (char *)(uintptr_t)modes[i][1]};
    return beck_context_new("persist", .argc = 3, .argv = argv, .log = no_log);
}

static void test_levels(void **state)
{
    beck_context *ctx;

    (void)state;
    for (size_t i = 0; (ctx = mode(i)); i++) {
        beck_context_free(ctx);
        for (size_t k = 0; k < sizeof all_levels / sizeof *all_levels; k++) {
            ctx = mode(i);
            beck_accumulator(ctx, "calls");
            beck_rdd *r = beck_map(numbers(ctx, 0, 100, 4), "n BIGINT", counted);
            assert_ptr_equal(beck_persist(r, all_levels[k]), r);
            beck_rdd *used = beck_map(r, "n BIGINT", as_it_is);
            beck_result_free(beck_take(used, 1)); /* one partition */
            assert_int_equal(beck_accumulated(ctx, "calls"), 25);
            assert_sum(used, 9900);
            bool drops =
                i == 3 &&
                !strstr(beck__level_name(all_levels[k] ? all_levels[k] : BECK_MEMORY_ONLY), "DISK");
            assert_int_equal(beck_accumulated(ctx, "calls"), drops ? 125 : 100);
            assert_sum(beck_union(r, used), 19800);
            assert_int_equal(beck_accumulated(ctx, "calls"), drops ? 225 : 100);
            assert_int_equal(beck_error(ctx), BECK_OK);
            beck_context_free(ctx);
        }
    }
}

static void test_unpersist(void **state)
{
    beck_context *ctx = test_context(.master = "local[2]");

    (void)state;
    beck_accumulator(ctx, "calls");
    beck_rdd *r = beck_cache(beck_map(numbers(ctx, 0, 10, 2), "n BIGINT", counted));
    assert_sum(r, 90);
    assert_sum(beck_cache(r), 90); /* the same level */
    assert_int_equal(beck_accumulated(ctx, "calls"), 10);
    assert_ptr_equal(beck_unpersist(r), r);
    assert_sum(r, 90);
    assert_sum(r, 90);
    assert_int_equal(beck_accumulated(ctx, "calls"), 30);
    beck_persist(r, BECK_DISK_ONLY);
    assert_sum(r, 90);
    assert_sum(r, 90);
    assert_int_equal(beck_accumulated(ctx, "calls"), 40);
    assert_int_equal(beck_count(beck_unpersist(numbers(ctx, 0, 3, 1))), 3); /* nothing to do */
    beck_persist(r, BECK_MEMORY_ONLY);
    assert_int_equal(beck_error(ctx), BECK_STATE);
    assert_non_null(strstr(beck_error_text(ctx), "persist at persist_test.c:"));
    assert_non_null(strstr(beck_error_text(ctx), "its level is DISK_ONLY and cannot become "
                                                 "MEMORY_ONLY; call beck_unpersist first"));
    beck_context_free(ctx);
}

static void test_bad_level(void **state)
{
    beck_context *ctx = test_context(.master = "local[1]");

    (void)state;
    beck_rdd *r = beck_persist(numbers(ctx, 0, 3, 1), (beck_storage_level)77);
    assert_int_equal(beck_count(beck_persist(r, BECK_MEMORY_ONLY)), -1); /* poisoned */
    assert_int_equal(beck_error(ctx), BECK_INVALID);
    assert_non_null(strstr(beck_error_text(ctx), "there is no storage level 77"));
    beck_unpersist(r);
    beck_context_free(ctx);
}

static void count_copies(void *user, beck_log_level level, const char *text)
{
    int *said = user;

    (void)level;
    *said += strstr(text, "MEMORY_ONLY_2: there is one executor, so one copy is kept") != NULL;
}

static void test_two_copies(void **state)
{
    int said = 0;
    beck_context *ctx =
        beck_context_new("copies", .master = "local[1]", .log = count_copies, .log_user = &said);

    (void)state;
    beck_persist(numbers(ctx, 0, 3, 1), BECK_MEMORY_ONLY_2);
    beck_persist(numbers(ctx, 0, 3, 1), BECK_MEMORY_ONLY_2);
    assert_int_equal(said, 1);
    beck_context_free(ctx);
}

/* zip_with_index counts the rows of all partitions before. */
static void test_index(void **state)
{
    beck_context *ctx = test_context(.master = "local[2]");

    (void)state;
    beck_rdd *r = beck_cache(numbers(ctx, 0, 40, 4));
    beck_result *rows = beck_collect(beck_zip_with_index(r));
    assert_int_equal(beck_result_rows(rows), 40);
    for (uint64_t i = 0; i < 40; i++)
        assert_int_equal(beck_get_bigint(beck_result_row(rows, i), 1), i);
    beck_result_free(rows);
    beck_context_free(ctx);
}

/* ---- in a driver callback ---------------------------------------------------------------------
 */

/* What stays of a batch's RDD goes with the batch; a table of the context stays for the next one.
 */
static void test_batches(void **state)
{
    beck_context *ctx = test_context(.master = "local[2]");
    struct one_batch b;

    (void)state;
    beck_accumulator(ctx, "calls");
    beck_rdd *table = beck_cache(beck_map(numbers(ctx, 0, 10, 2), "n BIGINT", counted));
    for (int i = 1; i <= 3; i++) {
        batch_open(&b, ctx);
        beck_rdd *r = beck_cache(beck_map(numbers(ctx, 0, 5, 2), "n BIGINT", counted));
        assert_sum(beck_union(r, table), 110);
        assert_sum(beck_union(table, r), 110);
        assert_int_equal(b.error.status, BECK_OK);
        assert_int_equal(beck_accumulated(ctx, "calls"), 10 + 5 * i);
        if (i == 3)
            beck_unpersist(table);
        batch_close(&b, ctx);
    }
    assert_sum(table, 90);
    assert_int_equal(beck_accumulated(ctx, "calls"), 35);
    beck_context_free(ctx);
}

static void test_table_in_a_batch(void **state)
{
    beck_context *ctx = test_context(.master = "local[2]");
    struct one_batch b;

    (void)state;
    beck_rdd *table = numbers(ctx, 0, 10, 2);
    batch_open(&b, ctx);
    assert_int_equal(beck_count(beck_cache(table)), -1);
    assert_int_equal(b.error.status, BECK_STATE);
    assert_non_null(strstr(b.error.text, "persist at persist_test.c:"));
    assert_non_null(strstr(b.error.text, "an RDD of the context is persisted before beck_start"));
    batch_close(&b, ctx);
    assert_int_equal(beck_error(ctx), BECK_OK);
    assert_sum(table, 45);
    beck_context_free(ctx);
}

static void test_no_memory(void **state)
{
    struct os *os = beck__os_real();
    uint64_t used = 1;

    (void)state;
    for (uint64_t n = 1; n <= used; n++) {
        char *argv[] = {(char *)"test", (char *)"--conf=engine.storage_bytes=1"};
        beck_context *ctx = test_context(.master = "local[1]", .argc = 2, .argv = argv);
        beck_rdd *r = beck_map(numbers(ctx, 0, 10, 2), "n BIGINT", as_it_is);
        uint64_t before = beck__os_memory_calls(os);
        beck__os_memory_fail(os, n, false);
        int64_t count = beck_count(beck_persist(r, BECK_MEMORY_AND_DISK_SER));
        used = beck__os_memory_calls(os) - before;
        beck__os_memory_fail(os, 0, false);
        assert_true(count == 10 || (count == -1 && beck_error(ctx) == BECK_NO_MEMORY));
        beck_context_free(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_unpersist),
        cmocka_unit_test(test_bad_level),
        cmocka_unit_test(test_two_copies),
        cmocka_unit_test(test_index),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_table_in_a_batch),
        cmocka_unit_test(test_no_memory),
    };

    beck__engine_worker(beck__os_real());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
