/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map_test - the callback per row: map, flat_map, map_values, key_by, foreach, and filter.
 */
#include "exec/testing.h"

#define IN "word STRING, n BIGINT"

static void rows(struct bench *x, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char word[40];
        snprintf(word, sizeof word, i % 2 ? "%u" : "number %u, longer than 12", i);
        ROW(x, word, i);
    }
}

/* ---- how many rows --------------------------------------------------------------------------- */

static void twice(beck_call *c, beck_row in)
{
    beck_emit(c, 2 * beck_get_bigint(in, 1));
}

static void odd_only(beck_call *c, beck_row in)
{
    if (beck_get_bigint(in, 1) % 2)
        beck_emit(c, beck_get_bigint(in, 1));
}

static void two(beck_call *c, beck_row in)
{
    beck_emit(c, beck_get_bigint(in, 1));
    beck_emit(c, beck_get_bigint(in, 1));
}

static void test_exactly_one(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x, 3);
    struct op op = call_op(&x, IN, "n BIGINT", twice);
    op.emits = EMITS_ONE;
    op.name = "map";
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "0\n2\n4\n");
    SET_FUNCTION(&op, 0, odd_only);
    bench_try(&x, &op, 1);
    assert_string_equal(x.task.error.text,
                        "map at test.c:7: must emit exactly one row, emitted 0 (record 1)");
    beck__error_clear(&x.task.error);
    SET_FUNCTION(&op, 0, two);
    bench_try(&x, &op, 1);
    assert_string_equal(x.task.error.text,
                        "map at test.c:7: must emit exactly one row, emitted 2 (record 1)");
    bench_close(&x);
}

static void test_any_number(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x, 5);
    struct op op = call_op(&x, IN, "n BIGINT", odd_only);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "1\n3\n");
    SET_FUNCTION(&op, 0, two);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "0\n0\n1\n1\n2\n2\n3\n3\n4\n4\n");
    bench_close(&x);
}

static _Atomic int calls;

static void count_calls(beck_call *c, beck_row in)
{
    (void)c;
    (void)in;
    atomic_fetch_add(&calls, 1);
}

static void test_foreach(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x, 5);
    struct op op = call_op(&x, IN, IN, count_calls);
    op.emits = EMITS_NONE;
    atomic_store(&calls, 0);
    bench_run(&x, &op, 1);
    assert_int_equal(atomic_load(&calls), 5);
    assert_int_equal(x.out.rows, 0);
    bench_close(&x);
}

/* ---- key and values -------------------------------------------------------------------------- */

static void values_only(beck_call *c, beck_row in)
{
    if (beck_columns(in) != 1)
        beck_fail(c, "%u columns", beck_columns(in));
    beck_emit(c, (double)beck_get_bigint(in, 0) / 2);
}

static void test_map_values(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x, 3);
    ROW(&x, beck_null, 9);
    struct op op = call_op(&x, IN, "word STRING, half DOUBLE", values_only);
    op.keys = 1;
    op.values = true;
    op.emits = EMITS_ONE;
    op.adds = ADDS_KEY_BEFORE;
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(number 0, longer than 12,0.0)\n(1,0.5)\n"
                                        "(number 2, longer than 12,1.0)\n(null,4.5)\n");
    bench_close(&x);
}

static void emit_string(beck_call *c, beck_row in)
{
    beck_emit(c, beck_get_string(in, 0), beck_get_string(in, 0));
}

/* Two key columns stay in front; the callback sees what follows, shares its bytes, emits several.
 */
static void test_flat_map_values(void **state)
{
    (void)state;
    struct bench x;
    const char *in = "a BIGINT, b STRING, v STRING";
    bench_open(&x, in);
    ROW(&x, 1, "the second key, a long one", "the value, a long one");
    struct op op = call_op(&x, in, "a BIGINT, b STRING, v STRING, w STRING", emit_string);
    op.keys = 2;
    op.values = true;
    op.adds = ADDS_KEY_BEFORE;
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(1,the second key, a long one,the value, a long one,the "
                                        "value, a long one)\n");
    bench_close(&x);
}

static void modulo_3(beck_call *c, beck_row in)
{
    beck_emit(c, beck_get_bigint(in, 1) % 3, "key");
}

static void test_key_by(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x, 3);
    struct op op = call_op(&x, IN, "k BIGINT, l STRING, word STRING, n BIGINT", modulo_3);
    op.emits = EMITS_ONE;
    op.adds = ADDS_ROW_AFTER;
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(0,key,number 0, longer than 12,0)\n(1,key,1,1)\n"
                                        "(2,key,number 2, longer than 12,2)\n");
    bench_close(&x);
}

/* ---- filter ---------------------------------------------------------------------------------- */

static bool keep_odd(beck_call *c, beck_row in)
{
    (void)c;
    return beck_get_bigint(in, 1) % 2;
}

static bool keep_all(beck_call *c, beck_row in)
{
    (void)c;
    (void)in;
    return true;
}

static bool keep_wrong(beck_call *c, beck_row in)
{
    beck_emit_row(c, in);
    return beck_get_boolean(in, 1);
}

static bool keep_reading(beck_call *c, beck_row in)
{
    (void)c;
    return beck_get_boolean(in, 0);
}

static struct op filter_op(struct bench *x, beck_filter_fn *fn)
{
    struct op op = test_op(&x->arena, OP_FILTER, IN, IN);
    op.name = "filter";
    op.emits = EMITS_ANY;
    SET_FUNCTION(&op, 0, fn);
    return op;
}

static void test_filter(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x, 6);
    struct op op = filter_op(&x, keep_odd);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(1,1)\n(3,3)\n(5,5)\n");
    bench_close(&x);
}

/* A chunk of more rows than a chunk of ours. */
static void test_filter_large_chunk(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x, 5000);
    struct op op = filter_op(&x, keep_all);
    bench_run(&x, &op, 1);
    assert_int_equal(x.chunks.count, 1);
    assert_int_equal(x.out.rows, 5000);
    SET_FUNCTION(&op, 0, keep_odd);
    bench_run(&x, &op, 1);
    assert_int_equal(x.out.rows, 2500);
    bench_close(&x);
}

static void test_filter_mistakes(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x, 2);
    struct op op = filter_op(&x, keep_wrong);
    bench_try(&x, &op, 1);
    assert_string_equal(
        x.task.error.text,
        "filter at test.c:7: emits a row, but nothing can be emitted here (record 1)");
    beck__error_clear(&x.task.error);
    SET_FUNCTION(&op, 0, keep_reading);
    bench_try(&x, &op, 1);
    assert_string_equal(
        x.task.error.text,
        "filter at test.c:7: reads column 0 as BOOLEAN, but it is STRING (record 1)");
    bench_close(&x);
}

/* ---- DONE travels up ------------------------------------------------------------------------- */

static struct op limit_op(struct bench *x, const char *schema, uint64_t rows_max)
{
    struct op op = test_op(&x->arena, OP_LIMIT, schema, schema);
    op.number = rows_max;
    return op;
}

static void count_and_emit(beck_call *c, beck_row in)
{
    atomic_fetch_add(&calls, 1);
    beck_emit(c, beck_get_bigint(in, 1));
}

/* The source of 100 chunks is told to stop after the first one. */
static void test_take(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    for (int i = 0; i < 100; i++) {
        rows(&x, 10);
        bench_cut(&x);
    }
    struct op ops[] = {filter_op(&x, keep_odd), call_op(&x, IN, "n BIGINT", count_and_emit),
                       limit_op(&x, "n BIGINT", 3)};
    ops[1].emits = EMITS_ONE;
    atomic_store(&calls, 0);
    bench_run(&x, ops, 3);
    assert_string_equal(bench_text(&x), "1\n3\n5\n");
    assert_int_equal(x.flow, FLOW_DONE);
    assert_int_equal(x.pushed, 1);
    assert_int_equal(atomic_load(&calls), 5);
    bench_close(&x);
}

static void emit_endless(beck_call *c, beck_row in)
{
    for (int i = 0; i < 1000000; i++)
        beck_emit(c, beck_get_bigint(in, 1) + i);
}

static void test_take_within_a_call(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x, 10);
    struct op ops[] = {call_op(&x, IN, "n BIGINT", emit_endless), limit_op(&x, "n BIGINT", 3)};
    bench_run(&x, ops, 2);
    assert_string_equal(bench_text(&x), "0\n1\n2\n");
    bench_close(&x);
}

/* map is stopped by a limit in the middle of a large chunk: not a missing row of its callback. */
static void test_take_from_large_chunk(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x, 5000);
    struct op ops[] = {call_op(&x, IN, "n BIGINT", twice), limit_op(&x, "n BIGINT", 3)};
    ops[0].emits = EMITS_ONE;
    bench_run(&x, ops, 2);
    assert_string_equal(bench_text(&x), "0\n2\n4\n");
    bench_close(&x);
}

/* A failure below a callback is told as what it is. */
static void test_failure_below(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x, 5000);
    struct op ops[] = {call_op(&x, IN, IN, beck_emit_row), call_op(&x, IN, "n BIGINT", odd_only)};
    ops[0].emits = EMITS_ONE;
    ops[1].emits = EMITS_ONE;
    ops[1].name = "second";
    bench_try(&x, ops, 2);
    assert_string_equal(x.task.error.text,
                        "second at test.c:7: must emit exactly one row, emitted 0 (record 1)");
    bench_close(&x);
}

static void test_unknown_function(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x, 1);
    struct op op = call_op(&x, IN, IN, twice);
    op.function[0] = (struct function_id){.module = 12345, .offset = 1};
    bench_try(&x, &op, 1);
    assert_int_equal(x.task.error.status, BECK_UNSUPPORTED);
    assert_string_equal(x.task.error.text, "op: the callback is not in this program");
    bench_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_exactly_one),   test(test_any_number),         test(test_foreach),
        test(test_map_values),    test(test_flat_map_values),    test(test_key_by),
        test(test_filter),        test(test_filter_large_chunk), test(test_filter_mistakes),
        test(test_take),          test(test_take_within_a_call), test(test_take_from_large_chunk),
        test(test_failure_below), test(test_unknown_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
