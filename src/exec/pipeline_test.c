/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline_test - the chain of operators as a whole: opening, finishing, closing, and every
 * allocation that fails.
 */
#include "exec/testing.h"

#define PAIR "word STRING, n BIGINT"

static void split(beck_call *c, beck_row line)
{
    beck_str rest = beck_get_string(line, 0), word;
    while (beck_next_token(&rest, " ", &word))
        beck_emit(c, word, 1);
}

static bool is_long(beck_call *c, beck_row in)
{
    (void)c;
    return beck_get_string(in, 0).size > 1;
}

static void add_up(beck_call *c, beck_rows *rows)
{
    beck_row row;
    int64_t sum = 0;
    while (beck_next_row(rows, &row)) {
        sum += beck_get_bigint(row, 1);
        beck_emit_row(c, row);
    }
    beck_emit(c, "sum of the whole partition", sum);
}

static void double_it(beck_call *c, beck_row in)
{
    beck_emit(c, 2 * beck_get_bigint(in, 0));
}

/* flat_map, filter, reduce_by_key, map_values, map_partitions, key_by */
static uint32_t long_chain(struct bench *x, struct op *ops)
{
    ops[0] = call_op(x, "line STRING", PAIR, split);
    ops[1] = test_op(&x->arena, OP_FILTER, PAIR, PAIR);
    SET_FUNCTION(&ops[1], 0, is_long);
    ops[2] = test_op(&x->arena, OP_GROUP, PAIR, PAIR);
    ops[2].keys = 1;
    ops[3] = call_op(x, PAIR, PAIR, double_it);
    ops[3].keys = 1;
    ops[3].values = true;
    ops[3].adds = ADDS_KEY_BEFORE;
    ops[3].emits = EMITS_ONE;
    ops[4] = test_op(&x->arena, OP_PARTITION, PAIR, PAIR);
    ops[4].emits = EMITS_ANY;
    SET_FUNCTION(&ops[4], 0, add_up);
    ops[5] = test_op(&x->arena, OP_PROJECT, PAIR, "n BIGINT, word STRING");
    ops[5].columns = (const uint32_t[]){1, 0};
    ops[5].columns = beck__arena_copy(&x->arena, ops[5].columns, 2 * sizeof(uint32_t));
    ops[5].column_count = 2;
    return 6;
}

static void lines(struct bench *x)
{
    ROW(x, "the quick brown fox jumps over the lazy dog");
    ROW(x, "a characteristically long word the a");
    bench_cut(x);
    ROW(x, "the dog");
}

static const char expected[] = "(8,the)\n(2,quick)\n(2,brown)\n(2,fox)\n(2,jumps)\n(2,over)\n"
                               "(2,lazy)\n(4,dog)\n(2,characteristically)\n(2,long)\n(2,word)\n"
                               "(30,sum of the whole partition)\n";

static void test_chain(void **state)
{
    (void)state;
    struct bench x;
    struct op ops[8];
    bench_open(&x, "line STRING");
    uint32_t count = long_chain(&x, ops);
    lines(&x);
    bench_run(&x, ops, count);
    assert_string_equal(bench_text(&x), expected);
    bench_close(&x);
}

static void test_chain_no_memory(void **state)
{
    (void)state;
    struct bench x;
    struct op ops[8];
    bench_open(&x, "line STRING");
    uint32_t count = long_chain(&x, ops);
    lines(&x);
    bench_exhaust(&x, ops, count);
    bench_close(&x);
}

/* Kernels, glom, limit. */
static void test_kernels_no_memory(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, "line STRING");
    struct op ops[] = {
        test_op(&x.arena, OP_LINES, "line STRING", "line STRING"),
        test_op(&x.arena, OP_WORDS, "line STRING", PAIR),
        test_op(&x.arena, OP_LIMIT, PAIR, PAIR),
        test_op(&x.arena, OP_GLOM, PAIR, "e ARRAY<STRUCT<word STRING, n BIGINT>>"),
    };
    ops[2].number = 11;
    lines(&x);
    bench_run(&x, ops, 4);
    assert_string_equal(bench_text(&x),
                        "[(the,1), (quick,1), (brown,1), (fox,1), (jumps,1), (over,1), (the,1), "
                        "(lazy,1), (dog,1), (a,1), (characteristically,1)]\n");
    bench_exhaust(&x, ops, 4);
    bench_close(&x);
}

static void test_empty_program(void **state)
{
    (void)state;
    struct bench x;
    struct operator *head = NULL, *sink;
    bench_open(&x, "line STRING");
    struct program none = {.in = x.in.schema, .out = x.in.schema};
    sink = beck__collector_open(&x.task, x.in.schema, &x.out);
    assert_false(beck__pipeline_open(&x.task, &none, sink, &head));
    assert_ptr_equal(head, sink);
    assert_int_equal(beck__pipeline_finish(head, sink), FLOW_MORE);
    beck__pipeline_close(head, sink);
    beck__pipeline_close(NULL, sink);
    bench_close(&x);
}

/* The last operator opens, the first does not: what was opened is closed again. */
static void test_open_fails(void **state)
{
    (void)state;
    struct bench x;
    struct op ops[8];
    struct operator *head = NULL, *sink;
    bench_open(&x, "line STRING");
    uint32_t count = long_chain(&x, ops);
    sink = beck__collector_open(&x.task, ops[count - 1].out, &x.out);
    ops[0].function[0] = (struct function_id){.module = 99, .offset = 1};
    const struct program *program = test_program(&x.arena, ops, count);
    assert_int_equal(beck__pipeline_open(&x.task, program, sink, &head), BECK_UNSUPPORTED);
    assert_null(head);
    beck__error_clear(&x.task.error);
    ops[0].kind = OP_COUNT;
    program = test_program(&x.arena, ops, count);
    assert_int_equal(beck__pipeline_open(&x.task, program, sink, &head), BECK_CORRUPT);
    struct text unknown = {.memory = &x.os->memory};
    beck__text_printf(&unknown, "unknown operation %d", (int)OP_COUNT);
    assert_string_equal(x.task.error.text, beck__text_get(&unknown));
    beck__text_deinit(&unknown);
    bench_close(&x);
}

static void fail_in_finish(beck_call *c, beck_rows *rows)
{
    (void)rows;
    beck_fail(c, "at the end");
}

/* A failure at the end: the operators behind are not finished any more. */
static void test_finish_fails(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, PAIR);
    struct op ops[2];
    ops[0] = ops[1] = test_op(&x.arena, OP_PARTITION, PAIR, PAIR);
    ops[0].emits = ops[1].emits = EMITS_ANY;
    SET_FUNCTION(&ops[0], 0, fail_in_finish);
    SET_FUNCTION(&ops[1], 0, add_up);
    bench_try(&x, ops, 2);
    assert_int_equal(x.flow, FLOW_FAILED);
    assert_string_equal(x.task.error.text, "op at test.c:7: at the end");
    assert_int_equal(x.out.rows, 0);
    bench_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_chain),         test(test_chain_no_memory), test(test_kernels_no_memory),
        test(test_empty_program), test(test_open_fails),      test(test_finish_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
