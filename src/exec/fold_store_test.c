/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fold_store_test - reduce and combine_by_key by callback, and what they do wrong; the store is
 * rewritten when most of it is old.
 */
#include "exec/testing.h"

#define IN "k STRING, v STRING"

static struct op group_op(struct bench *x, const char *in, const char *out, enum op_fold fold)
{
    struct op op = test_op(&x->arena, OP_GROUP, in, out);
    op.keys = 1;
    op.fold = fold;
    op.emits = EMITS_ONE;
    op.name = "reduce_by_key";
    return op;
}

/* ---- reduce ---------------------------------------------------------------------------------- */

/* Associative, not commutative: shows the order. */
static void join(beck_call *c, beck_row a, beck_row b)
{
    char text[1000];
    beck_str s = beck_get_string(a, 0), t = beck_get_string(b, 0);
    assert_int_equal(beck_columns(a), beck_columns(b));
    memcpy(text, s.data, s.size);
    memcpy(text + s.size, t.data, t.size);
    beck_emit(c, beck_bytes_of(text, s.size + t.size));
}

static void rows(struct bench *x)
{
    ROW(x, "a", "one ");
    ROW(x, "b", "ein ");
    ROW(x, "a", "two ");
    bench_cut(x);
    ROW(x, "a", "three, and longer than a view ");
    ROW(x, "b", "zwei ");
    ROW(x, beck_null, "no key");
    ROW(x, "c", beck_null);
}

static void test_reduce(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x);
    struct op op = group_op(&x, IN, IN, FOLD_REDUCE);
    SET_FUNCTION(&op, 0, join);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(a,one two three, and longer than a view )\n"
                                        "(b,ein zwei )\n(null,no key)\n(c,null)\n");
    op.state_out = true; /* the state is the value itself */
    bench_run(&x, &op, 1);
    bench_turn(&x, op.out);
    op.state_out = false;
    op.state_in = true;
    rows(&x);
    bench_run(&x, &op, 1);
    assert_string_equal(
        bench_text(&x),
        "(a,one two three, and longer than a view one two three, and longer than a view )\n"
        "(b,ein zwei ein zwei )\n(null,no keyno key)\n(c,)\n");
    bench_close(&x);
}

static void add_both(beck_call *c, beck_row a, beck_row b)
{
    beck_emit(c, beck_get_bigint(a, 0) + beck_get_bigint(b, 0),
              beck_get_double(a, 1) * beck_get_double(b, 1));
}

static void test_reduce_columns(void **state)
{
    (void)state;
    struct bench x;
    const char *in = "k BIGINT, l STRING, v BIGINT, w DOUBLE";
    bench_open(&x, in);
    for (int i = 0; i < 10; i++)
        ROW(&x, i % 2, "l", i, 2.0);
    struct op op = group_op(&x, in, in, FOLD_REDUCE);
    op.keys = 2;
    SET_FUNCTION(&op, 0, add_both);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(0,l,20,32.0)\n(1,l,25,32.0)\n");
    bench_close(&x);
}

static void test_reduce_without_key(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, "v STRING");
    struct op op = group_op(&x, "v STRING", "v STRING", FOLD_REDUCE);
    op.keys = 0;
    SET_FUNCTION(&op, 0, join);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "");
    ROW(&x, "a");
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "a\n");
    ROW(&x, "b");
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "ab\n");
    bench_close(&x);
}

/* ---- mistakes -------------------------------------------------------------------------------- */

static void emit_none(beck_call *c, beck_row a, beck_row b)
{
    (void)c;
    (void)a;
    (void)b;
}

static void emit_two(beck_call *c, beck_row a, beck_row b)
{
    beck_emit_row(c, a);
    beck_emit_row(c, b);
}

static void emit_pair(beck_call *c, beck_row a, beck_row b)
{
    (void)a;
    (void)b;
    beck_emit(c, "k", "v");
}

static void read_key(beck_call *c, beck_row a, beck_row b)
{
    (void)b;
    beck_emit(c, beck_get_string(a, 1));
}

static void check_error(beck_reduce_fn *fn, const char *expected)
{
    struct bench x;
    bench_open(&x, IN);
    rows(&x);
    struct op op = group_op(&x, IN, IN, FOLD_REDUCE);
    SET_FUNCTION(&op, 0, fn);
    bench_try(&x, &op, 1);
    assert_int_equal(x.flow, FLOW_FAILED);
    assert_int_equal(x.task.error.status, BECK_TASK);
    assert_string_equal(x.task.error.text, expected);
    bench_close(&x);
}

static void test_mistakes(void **state)
{
    (void)state;
    check_error(emit_none,
                "reduce_by_key at test.c:7: must emit exactly one row, emitted 0 (record 3)");
    check_error(emit_two,
                "reduce_by_key at test.c:7: must emit exactly one row, emitted 2 (record 3)");
    check_error(emit_pair, "reduce_by_key at test.c:7: emits 2 values, but the output has 1 column "
                           "(record 3)");
    check_error(read_key, "reduce_by_key at test.c:7: reads column 1 as STRING, but the row has 1 "
                          "columns (record 3)");
}

/* ---- combine --------------------------------------------------------------------------------- */

static void create(beck_call *c, beck_row v)
{
    beck_emit(c, beck_get_string(v, 0).size, 1);
}

static void merge_value(beck_call *c, beck_row a, beck_row v)
{
    beck_emit(c, beck_get_bigint(a, 0) + (int64_t)beck_get_string(v, 0).size,
              beck_get_bigint(a, 1) + 1);
}

static void merge_combiners(beck_call *c, beck_row a, beck_row b)
{
    beck_emit(c, beck_get_bigint(a, 0) + beck_get_bigint(b, 0),
              beck_get_bigint(a, 1) + beck_get_bigint(b, 1));
}

static void set_combine(struct op *op)
{
    SET_FUNCTION(op, 0, create);
    SET_FUNCTION(op, 1, merge_value);
    SET_FUNCTION(op, 2, merge_combiners);
}

static void test_combine(void **state)
{
    (void)state;
    struct bench x;
    const char *out = "k STRING, bytes BIGINT, n BIGINT";
    bench_open(&x, IN);
    rows(&x);
    struct op op = group_op(&x, IN, out, FOLD_COMBINE);
    set_combine(&op);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(a,38,3)\n(b,9,2)\n(null,6,1)\n(c,0,1)\n");
    struct op merging = group_op(&x, out, out, FOLD_COMBINE);
    set_combine(&merging);
    merging.state_in = true;
    bench_turn(&x, op.out);
    ROW(&x, "b", 100, 10);
    ROW(&x, "a", 100, 10);
    bench_run(&x, &merging, 1);
    assert_string_equal(bench_text(&x), "(a,138,13)\n(b,109,12)\n(null,6,1)\n(c,0,1)\n");
    bench_close(&x);
}

static void create_nothing(beck_call *c, beck_row v)
{
    (void)c;
    (void)v;
}

static void test_combine_mistake(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x);
    struct op op = group_op(&x, IN, "k STRING, bytes BIGINT, n BIGINT", FOLD_COMBINE);
    set_combine(&op);
    SET_FUNCTION(&op, 0, create_nothing);
    bench_try(&x, &op, 1);
    assert_string_equal(x.task.error.text,
                        "reduce_by_key at test.c:7: must emit exactly one row, emitted 0 (record "
                        "1)");
    bench_close(&x);
}

/* ---- the store ------------------------------------------------------------------------------- */

static void newest(beck_call *c, beck_row a, beck_row b)
{
    (void)a;
    beck_emit_row(c, b);
}

/* 200,000 versions of the values of 10 groups take no more memory than a few thousand. */
static void check_versions(struct op *op)
{
    struct bench x;
    struct operator *head, *sink;
    bench_open(&x, IN);
    sink = beck__collector_open(&x.task, op->out, &x.out);
    assert_false(beck__pipeline_open(&x.task, beck__program_of(&x.arena, op), sink, &head));
    size_t before = beck__os_memory_used(x.os), most = 0;
    for (int i = 0; i < 200; i++) {
        for (int k = 0; k < 1000; k++) {
            char key[20], value[64];
            snprintf(key, sizeof key, "%d", k % 10);
            snprintf(value, sizeof value, "the value number %09d of all", 1000 * i + k);
            ROW(&x, key, value);
        }
        assert_int_equal(head->push(head, x.in.chunk), FLOW_MORE);
        beck__builder_clear(&x.in);
        size_t used = beck__os_memory_used(x.os) - before;
        most = used > most ? used : most;
    }
    assert_int_equal(beck__pipeline_finish(head, sink), FLOW_MORE);
    beck__pipeline_close(head, sink);
    assert_int_equal(x.out.rows, 10);
    for (uint32_t row = 0; row < 10; row++) {
        char value[64];
        snprintf(value, sizeof value, "the value number %09d of all", 199990 + (int)row);
        beck_row r = {x.out.items[0]->chunk, row, 0};
        assert_true(beck_string_equal(beck_get_string(r, 1), beck_string(value)));
    }
    printf("%zu bytes\n", most);
    assert_true(most < 2000000);
    bench_close(&x);
}

static void test_memory(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    struct op reduce = group_op(&x, IN, IN, FOLD_REDUCE);
    SET_FUNCTION(&reduce, 0, newest);
    check_versions(&reduce);
    struct op max = group_op(&x, IN, IN, FOLD_MAX);
    check_versions(&max);
    bench_close(&x);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    for (int i = 0; i < 5000; i++) {
        char value[64];
        snprintf(value, sizeof value, "the value number %09d", i);
        ROW(&x, i % 2 ? "a" : "b", value);
    }
    struct op reduce = group_op(&x, IN, IN, FOLD_REDUCE);
    SET_FUNCTION(&reduce, 0, newest);
    bench_exhaust(&x, &reduce, 1);
    struct op max = group_op(&x, IN, IN, FOLD_MAX);
    bench_exhaust(&x, &max, 1);
    bench_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_reduce),   test(test_reduce_columns), test(test_reduce_without_key),
        test(test_mistakes), test(test_combine),        test(test_combine_mistake),
        test(test_memory),   test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
