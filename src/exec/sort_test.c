/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sort_test - a partition in order, with and without a limit, by several columns; memory that ends.
 */
#include "exec/testing.h"

#define WORDS "word STRING, n BIGINT"

static struct op sort_op(struct bench *x, const uint32_t *columns, uint32_t count, uint64_t limit)
{
    struct op op = test_op(&x->arena, OP_SORT, WORDS, WORDS);
    op.columns = columns;
    op.column_count = count;
    op.number = limit;
    return op;
}

static void fill(struct bench *x)
{
    bench_open(x, WORDS);
    ROW(x, "pear", 3);
    ROW(x, "fig", 1);
    bench_cut(x);
    ROW(x, beck_null, 3);
    ROW(x, "a word of more than twelve bytes", beck_null);
    ROW(x, "fig", 2);
}

static void test_orders(void **state)
{
    static const uint32_t by_word[] = {0}, by_n_then_word[] = {3, 0}, by_n[] = {3};
    struct bench x;

    (void)state;
    fill(&x);
    struct op op = sort_op(&x, by_word, 1, 0);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(null,3)\n(a word of more than twelve bytes,null)\n"
                                        "(fig,1)\n(fig,2)\n(pear,3)\n");
    bench_close(&x);
    fill(&x);
    op = sort_op(&x, by_n_then_word, 2, 0);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(null,3)\n(pear,3)\n(fig,2)\n(fig,1)\n"
                                        "(a word of more than twelve bytes,null)\n");
    bench_close(&x);
    fill(&x);
    op = sort_op(&x, by_n, 1, 2);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(pear,3)\n(null,3)\n");
    bench_close(&x);
    bench_open(&x, WORDS);
    op = sort_op(&x, by_n, 1, 0);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "");
    bench_close(&x);
}

/* 50,000 rows of which 10 are wanted: what is held stays small, and the first of equal ones stay.
 */
static void test_limit(void **state)
{
    static const uint32_t by_n[] = {2};
    struct bench x;

    (void)state;
    bench_open(&x, WORDS);
    for (int i = 0; i < 50000; i++) {
        char word[40];
        snprintf(word, sizeof word, "%d", i);
        ROW(&x, word, (50000 - i) / 4);
        if (i % 1000 == 0)
            bench_cut(&x);
    }
    struct op op = sort_op(&x, by_n, 1, 6);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(49997,0)\n(49998,0)\n(49999,0)\n"
                                        "(49993,1)\n(49994,1)\n(49995,1)\n");
    bench_close(&x);
}

/* Behind a sort that wants no more: the operator before is told. */
static void test_done(void **state)
{
    static const uint32_t by_n[] = {2};
    struct bench x;

    (void)state;
    bench_open(&x, WORDS);
    for (int i = 0; i < 5000; i++)
        ROW(&x, "w", 5000 - i);
    struct op ops[] = {sort_op(&x, by_n, 1, 0), test_op(&x.arena, OP_LIMIT, WORDS, WORDS)};
    ops[1].number = 2;
    bench_run(&x, ops, 2);
    assert_string_equal(bench_text(&x), "(w,1)\n(w,2)\n");
    bench_close(&x);
}

static void test_no_memory(void **state)
{
    static const uint32_t by_n[] = {2};
    struct bench x;

    (void)state;
    bench_open(&x, WORDS);
    for (int i = 0; i < 9000; i++)
        ROW(&x, i % 2 ? "b" : "a word of more than twelve bytes", i * 7919 % 9001);
    bench_cut(&x);
    ROW(&x, "the last one", 0);
    struct op op = sort_op(&x, by_n, 1, 0);
    bench_exhaust(&x, &op, 1);
    op.number = 3;
    bench_exhaust(&x, &op, 1);
    bench_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_done),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
