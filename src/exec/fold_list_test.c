/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fold_list_test - what group_test does not: the memory of top follows the groups, and order.
 */
#include "exec/testing.h"

#define IN "k STRING, v BIGINT"

static struct op list_op(struct bench *x, enum op_fold fold, uint64_t n)
{
    struct op op = test_op(&x->arena, OP_GROUP, IN, "k STRING, v ARRAY<BIGINT>");
    op.keys = 1;
    op.fold = fold;
    op.number = n;
    return op;
}

static void test_top(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    for (int i = 0; i < 1000; i++) /* 0, 7, 14, ..., 999, 6, ... */
        ROW(&x, i % 2 ? "odd" : "even", i * 7 % 1000);
    struct op op = list_op(&x, FOLD_TOP, 3);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(even,[998, 996, 994])\n(odd,[999, 997, 995])\n");
    op.number = 1;
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(even,[998])\n(odd,[999])\n");
    op.number = 0;
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(even,[])\n(odd,[])\n");
    op.number = UINT64_MAX;
    bench_run(&x, &op, 1);
    beck_row r = {x.out.items[0]->chunk, 0, 0};
    assert_int_equal(beck_get_array(r, 1).count, 500);
    bench_close(&x);
}

/* Rising values: each one goes in, and pushes one out. */
static void test_top_memory(void **state)
{
    (void)state;
    struct bench x;
    const char *schema = "k STRING, v STRING";
    struct operator *head, *sink;
    bench_open(&x, schema);
    struct op op = test_op(&x.arena, OP_GROUP, schema, "k STRING, v ARRAY<STRING>");
    op.keys = 1;
    op.fold = FOLD_TOP;
    op.number = 3;
    sink = beck__collector_open(&x.task, op.out, &x.out);
    assert_false(beck__pipeline_open(&x.task, beck__program_of(&x.arena, &op), sink, &head));
    size_t before = beck__os_memory_used(x.os), most = 0;
    for (int i = 0; i < 200; i++) {
        for (int k = 0; k < 1000; k++) {
            char value[64];
            snprintf(value, sizeof value, "the value number %09d", 1000 * i + k);
            ROW(&x, k % 2 ? "a" : "b", value);
        }
        assert_int_equal(head->push(head, x.in.chunk), FLOW_MORE);
        beck__builder_clear(&x.in);
        size_t used = beck__os_memory_used(x.os) - before;
        most = used > most ? used : most;
    }
    assert_int_equal(beck__pipeline_finish(head, sink), FLOW_MORE);
    beck__pipeline_close(head, sink);
    assert_string_equal(bench_text(&x),
                        "(b,[the value number 000199998, the value number 000199996, the value "
                        "number 000199994])\n"
                        "(a,[the value number 000199999, the value number 000199997, the value "
                        "number 000199995])\n");
    printf("%zu bytes\n", most);
    assert_true(most < 2000000);
    bench_close(&x);
}

/* Equal values keep the order in which they came; distinct is in the order of first sight. */
static void test_order(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    const int values[] = {5, 3, 5, 1, 3, 9};
    for (size_t i = 0; i < BECK__COUNT_OF(values); i++)
        ROW(&x, "k", values[i]);
    ROW(&x, "k", beck_null);
    ROW(&x, "none", beck_null);
    struct op op = list_op(&x, FOLD_DISTINCT, 0);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(k,[5, 3, 1, 9])\n(none,[])\n");
    op.fold = FOLD_LIST;
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(k,[5, 3, 5, 1, 3, 9, null])\n(none,[null])\n");
    op.fold = FOLD_TOP;
    op.number = 4;
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(k,[9, 5, 5, 3])\n(none,[])\n");
    bench_close(&x);
}

/* Several value columns: an ARRAY of STRUCT. */
static void test_rows(void **state)
{
    (void)state;
    struct bench x;
    const char *in = "k BIGINT, a STRING, b DOUBLE";
    bench_open(&x, in);
    ROW(&x, 1, "x", 0.5);
    ROW(&x, 2, beck_null, 1.5);
    bench_cut(&x);
    ROW(&x, 1, "a string longer than a view", beck_null);
    struct op op =
        test_op(&x.arena, OP_GROUP, in, "k BIGINT, values ARRAY<STRUCT<a STRING, b DOUBLE>>");
    op.keys = 1;
    op.fold = FOLD_LIST;
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x),
                        "(1,[(x,0.5), (a string longer than a view,null)])\n(2,[(null,1.5)])\n");
    bench_exhaust(&x, &op, 1);
    bench_close(&x);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    for (int i = 0; i < 4500; i++)
        ROW(&x, "k", i);
    struct op op = list_op(&x, FOLD_TOP, 3);
    bench_exhaust(&x, &op, 1);
    bench_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_top),  test(test_top_memory), test(test_order),
        test(test_rows), test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
