/* SPDX-License-Identifier: Apache-2.0 */
/*
 * range_test - sorted shuffles: partitions follow each other in order, rows of one key are together
 * and as they were, whatever runs them; few rows make few partitions; memory that ends.
 */
#include "engine/testing.h"

#include "engine/local/local.h"
#include <stdlib.h>

static const uint32_t by_n[] = {2}, by_n_down[] = {3}, by_key[] = {0};

static void scramble(beck_call *c, beck_row in)
{
    int64_t n = beck_get_bigint(in, 1);
    beck_emit(c, beck_get_string(in, 0), n * 7919 % 10007 / 2);
}

/* parent -> SORT -> range shuffle -> SORT */
static struct dataset *sorted(struct lab *lab, struct dataset *d, uint32_t count,
                              const uint32_t *column)
{
    struct op sort = test_op(&lab->arena, OP_SORT, PAIR, PAIR);
    sort.keys = 1;
    sort.columns = column;
    sort.column_count = 1;
    struct partitioning to = {.kind = PARTITION_RANGE, .count = count, .order = {1, column}};
    d = lab_narrow(lab, d, &sort);
    d = lab->engine->shuffle(lab->scope, d, to, test_schema(&lab->arena, PAIR));
    return lab_narrow(lab, d, &sort);
}

/* All rows in order; what two neighbouring partitions have in common is no key. */
static uint32_t check_order(const struct lab *lab, const struct order *order, uint64_t rows)
{
    const beck_chunk *last = NULL;
    uint32_t row = 0, used = 0;
    uint64_t seen = 0;

    for (uint32_t p = 0; p < LAB_PARTITIONS; p++) {
        bool first = true;
        for (size_t i = 0; i < lab->out[p].count; i++) {
            const beck_chunk *chunk = lab->out[p].items[i]->chunk;
            for (uint32_t k = 0; k < chunk->rows; k++) {
                int by = last ? beck__row_compare(order, last, row, chunk, k) : -1;
                assert_true(first ? by < 0 : by <= 0);
                first = false;
                last = chunk;
                row = k;
                seen++;
            }
        }
        used += !first;
    }
    assert_int_equal(seen, rows);
    return used;
}

static void test_order(void **state)
{
    static const uint32_t *const columns[] = {by_n, by_n_down, by_key};
    struct lab lab;
    struct engine_options options;
    char *texts[3] = {NULL, NULL, NULL};

    (void)state;
    for (uint32_t i = 0; lab_variant(i, true, &options); i++)
        for (int k = 0; k < 3; k++) {
            lab_open(&lab, options);
            struct op call = lab_call(&lab, PAIR, PAIR, scramble);
            struct dataset *d = lab_narrow(&lab, lab_numbers(&lab, 5, 1000), &call);
            lab_run(&lab, sorted(&lab, d, 4, columns[k]), NULL);
            uint32_t used = check_order(&lab, &(struct order){1, columns[k]}, 5000);
            assert_true(used > 1);
            if (k < 2)
                for (uint32_t p = 0; p < 4; p++) /* within a fifth of equal parts */
                    assert_in_range(lab.out[p].rows, 1000, 1500);
            if (!texts[k])
                texts[k] = copy_of(lab_text(&lab));
            assert_string_equal(lab_text(&lab), texts[k]);
            lab_close(&lab);
        }
    for (int k = 0; k < 3; k++)
        free(texts[k]);
}

/* 10 rows are one task, and none at all none. */
static void test_few(void **state)
{
    struct lab lab;

    (void)state;
    lab_open(&lab, lab_options(2));
    lab_run(&lab, sorted(&lab, lab_numbers(&lab, 2, 5), 8, by_n_down), NULL);
    assert_int_equal(lab.out[0].rows, 10);
    assert_int_equal(lab.delivered[1], 0);
    lab_run(&lab, sorted(&lab, lab_numbers(&lab, 2, 0), 8, by_n), NULL);
    assert_int_equal(lab.out[0].rows, 0);
    lab_run(&lab, sorted(&lab, lab_numbers(&lab, 0, 0), 8, by_n), NULL);
    assert_int_equal(lab.out[0].rows, 0);
    lab_close(&lab);
}

static void to_one(beck_call *c, beck_row in)
{
    beck_emit(c, beck_get_string(in, 0), 1);
}

static void test_one_key(void **state)
{
    struct lab lab;

    (void)state;
    lab_open(&lab, lab_options(2));
    struct op call = lab_call(&lab, PAIR, PAIR, to_one);
    struct dataset *d = lab_narrow(&lab, lab_numbers(&lab, 3, 1000), &call);
    lab_run(&lab, sorted(&lab, d, 4, by_n), NULL);
    assert_int_equal(lab.out[0].rows, 3000);
    const beck_view *keys = lab.out[0].items[0]->chunk->column[0].data;
    for (int i = 0; i < 20; i++) { /* as they came */
        char key[40];
        snprintf(key, sizeof key, i % 2 ? "%d" : "key number %d", i % 7);
        assert_true(beck_string_equal(beck_view_string(&keys[i]), beck_string(key)));
    }
    lab_close(&lab);
}

/* Any attempt may fail: a run that is made again is the same, and is cut at the same keys. */
static void test_faults(void **state)
{
    char *expected = NULL;

    (void)state;
    for (uint64_t n = 0; n < 12; n++) { /* 5 runs and 4 merges */
        struct lab lab;
        lab_open(&lab, lab_options(n % 3 == 2 ? 4 : 1));
        struct op call = lab_call(&lab, PAIR, PAIR, scramble);
        struct dataset *d = lab_narrow(&lab, lab_numbers(&lab, 5, 400), &call);
        lab.engine->fault(lab.engine, n, 0);
        lab_run(&lab, sorted(&lab, d, 4, by_n), NULL);
        if (!expected)
            expected = copy_of(lab_text(&lab));
        assert_string_equal(lab_text(&lab), expected);
        lab_close(&lab);
    }
    free(expected);
}

/* Each allocation of a job fails once: told, or the rows are all there. */
static void test_no_memory(void **state)
{
    (void)state;
    for (uint64_t n = 1, used = UINT64_MAX; used >= n; n += 1 + n / 20) {
        struct lab lab;
        struct engine_options options = lab_options(1);
        options.inline_all = true;
        options.attempts = 1;
        lab_open(&lab, options);
        struct dataset *d = sorted(&lab, lab_numbers(&lab, 3, 400), 3, by_n_down);
        uint64_t before = beck__os_memory_calls(lab.os);
        beck__os_memory_fail(lab.os, n, true);
        struct job job = {.scope = lab.scope, .dataset = d, .what = "test"};
        lab.engine->job_run(lab.engine, &job, &lab.error);
        used = beck__os_memory_calls(lab.os) - before;
        beck__os_memory_fail(lab.os, 0, false);
        if (lab.error.status)
            assert_int_equal(lab.error.status, BECK_NO_MEMORY);
        lab_run(&lab, d, NULL); /* a later job begins again */
        assert_int_equal(check_order(&lab, &(struct order){1, by_n_down}, 1200), 3);
        lab_close(&lab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),     cmocka_unit_test(test_few),
        cmocka_unit_test(test_one_key),   cmocka_unit_test(test_faults),
        cmocka_unit_test(test_no_memory),
    };
    beck__engine_worker(beck__os_real());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
