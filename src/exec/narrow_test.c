/* SPDX-License-Identifier: Apache-2.0 */
/*
 * narrow_test - project, limit, glom, map_partitions.
 */
#include "exec/testing.h"

#define IN "word STRING, n BIGINT"

static void rows(struct bench *x, int from, int count)
{
    for (int i = from; i < from + count; i++) {
        char word[40];
        snprintf(word, sizeof word, "number %d, longer than 12", i);
        ROW(x, word, i);
    }
    bench_cut(x);
}

static void test_project(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x, 0, 2);
    rows(&x, 2, 1);
    ROW(&x, beck_null, beck_null);
    struct op op = test_op(&x.arena, OP_PROJECT, IN, "n BIGINT, word STRING, again BIGINT");
    op.columns = (const uint32_t[]){1, 0, 1};
    op.column_count = 3;
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(0,number 0, longer than 12,0)\n"
                                        "(1,number 1, longer than 12,1)\n"
                                        "(2,number 2, longer than 12,2)\n(null,null,null)\n");
    bench_close(&x);
}

/* ---- limit ----------------------------------------------------------------------------------- */

static void check_limit(uint64_t limit, uint64_t expected, uint64_t pushed)
{
    struct bench x;
    bench_open(&x, IN);
    for (int i = 0; i < 5; i++)
        rows(&x, 10 * i, 10);
    struct op op = test_op(&x.arena, OP_LIMIT, IN, IN);
    op.number = limit;
    bench_run(&x, &op, 1);
    assert_int_equal(x.out.rows, expected);
    assert_int_equal(x.pushed, pushed);
    assert_int_equal(x.flow, limit <= 50 ? FLOW_DONE : FLOW_MORE);
    int64_t n = 0;
    for (size_t i = 0; i < x.out.count; i++)
        for (uint32_t row = 0; row < x.out.items[i]->chunk->rows; row++)
            assert_int_equal(beck_get_bigint((beck_row){x.out.items[i]->chunk, row, 0}, 1), n++);
    bench_close(&x);
}

static void test_limit(void **state)
{
    (void)state;
    check_limit(0, 0, 1);
    check_limit(1, 1, 1);
    check_limit(10, 10, 1); /* it is full: the next chunk is not asked for */
    check_limit(11, 11, 2);
    check_limit(49, 49, 5);
    check_limit(50, 50, 5);
    check_limit(51, 50, 5);
    check_limit(UINT64_MAX, 50, 5);
}

/* ---- glom ------------------------------------------------------------------------------------ */

static void test_glom(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, "n BIGINT");
    struct op op = test_op(&x.arena, OP_GLOM, "n BIGINT", "elements ARRAY<BIGINT>");
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "[]\n");
    ROW(&x, 1);
    ROW(&x, beck_null);
    bench_cut(&x);
    ROW(&x, 3);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "[1, null, 3]\n");
    bench_close(&x);
}

static void test_glom_of_rows(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x, 0, 1);
    rows(&x, 1, 1);
    struct op ops[2] = {
        test_op(&x.arena, OP_GLOM, IN, "e ARRAY<STRUCT<word STRING, n BIGINT>>"),
        test_op(&x.arena, OP_GLOM, "e ARRAY<STRUCT<word STRING, n BIGINT>>",
                "e ARRAY<ARRAY<STRUCT<word STRING, n BIGINT>>>"),
    };
    bench_run(&x, ops, 1);
    assert_string_equal(bench_text(&x),
                        "[(number 0, longer than 12,0), (number 1, longer than 12,1)]\n");
    bench_run(&x, ops, 2);
    assert_string_equal(bench_text(&x),
                        "[[(number 0, longer than 12,0), (number 1, longer than 12,1)]]\n");
    bench_close(&x);
}

/* ---- map_partitions -------------------------------------------------------------------------- */

static void sum_twice(beck_call *c, beck_rows *all)
{
    beck_row row;
    int64_t sum = 0;
    uint64_t seen = 0;

    while (beck_next_row(all, &row))
        sum += beck_get_bigint(row, 1);
    assert_false(beck_next_row(all, &row));
    beck_rewind_rows(all);
    while (beck_next_row(all, &row)) {
        sum += beck_get_bigint(row, 1);
        seen++;
    }
    beck_emit(c, sum, seen, beck_rows_count(all));
}

static struct op partition_op(struct bench *x, const char *out, beck_rows_fn *fn)
{
    struct op op = test_op(&x->arena, OP_PARTITION, IN, out);
    op.emits = EMITS_ANY;
    SET_FUNCTION(&op, 0, fn);
    return op;
}

static void test_map_partitions(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    struct op op = partition_op(&x, "sum BIGINT, a BIGINT, b BIGINT", sum_twice);
    bench_run(&x, &op, 1); /* once, also for an empty partition */
    assert_string_equal(bench_text(&x), "(0,0,0)\n");
    rows(&x, 1, 2);
    rows(&x, 3, 3000);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(9015006,3002,3002)\n");
    bench_close(&x);
}

static void emit_all_twice(beck_call *c, beck_rows *all)
{
    beck_row row;
    for (int i = 0; i < 2; i++) {
        while (beck_next_row(all, &row))
            beck_emit_row(c, row);
        beck_rewind_rows(all);
    }
}

static void test_emits_more_than_a_chunk(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x, 0, 3000);
    struct op op = partition_op(&x, IN, emit_all_twice);
    bench_run(&x, &op, 1);
    assert_int_equal(x.out.rows, 6000);
    struct op limit = test_op(&x.arena, OP_LIMIT, IN, IN);
    limit.number = 2;
    bench_run(&x, (struct op[]){op, limit}, 2);
    assert_string_equal(bench_text(&x),
                        "(number 0, longer than 12,0)\n(number 1, longer than 12,1)\n");
    bench_close(&x);
}

static void fail_at_42(beck_call *c, beck_rows *all)
{
    beck_row row;
    while (beck_next_row(all, &row))
        if (beck_get_bigint(row, 1) == 42) {
            beck_fail(c, "42");
            return;
        }
    beck_get_bigint(row, 7);
}

/* The callback returns by itself: what it does after the failure does not move the record. */
static void fail_and_read_on(beck_call *c, beck_rows *all)
{
    beck_row row;
    while (beck_next_row(all, &row))
        if (beck_get_bigint(row, 1) >= 42)
            beck_fail(c, "%d", (int)beck_get_bigint(row, 1));
}

static void test_reads_on(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    for (int i = 0; i < 10; i++)
        rows(&x, 10 * i, 10);
    struct op op = partition_op(&x, IN, fail_and_read_on);
    bench_try(&x, &op, 1);
    assert_string_equal(x.task.error.text, "op at test.c:7: 42 (record 43)");
    bench_close(&x);
}

static void test_fails(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    for (int i = 0; i < 10; i++)
        rows(&x, 10 * i, 10);
    struct op op = partition_op(&x, IN, fail_at_42);
    op.name = "map_partitions";
    bench_try(&x, &op, 1);
    assert_string_equal(x.task.error.text, "map_partitions at test.c:7: 42 (record 43)");
    bench_close(&x);
}

static void emit_constant(beck_call *c, beck_rows *all)
{
    (void)all;
    beck_emit(c, "never");
}

static void test_foreach_partition(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    struct op op = partition_op(&x, "s STRING", emit_constant);
    op.emits = EMITS_NONE;
    bench_try(&x, &op, 1);
    assert_string_equal(x.task.error.text,
                        "op at test.c:7: emits a row, but nothing can be emitted here");
    bench_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_project),        test(test_limit),
        test(test_glom),           test(test_glom_of_rows),
        test(test_map_partitions), test(test_emits_more_than_a_chunk),
        test(test_fails),          test(test_foreach_partition),
        test(test_reads_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
