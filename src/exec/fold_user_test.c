/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fold_user_test - aggregates that a user writes: init, step, merge, value; and their mistakes.
 */
#include "exec/testing.h"

#define IN "k STRING, v BIGINT"

/* The spread of the values: largest minus smallest. */
struct spread {
    int64_t least, most;
    bool any;
};

static void spread_step(beck_call *c, void *state, beck_row value)
{
    struct spread *s = state;
    int64_t x = beck_get_bigint(value, 0);
    if (x == 666)
        beck_fail(c, "the number of the beast");
    if (!s->any || x < s->least)
        s->least = x;
    if (!s->any || x > s->most)
        s->most = x;
    s->any = true;
}

static void spread_merge(beck_call *c, void *state, const void *other)
{
    struct spread *s = state;
    const struct spread *o = other;
    (void)c;
    if (!o->any)
        return;
    if (!s->any || o->least < s->least)
        s->least = o->least;
    if (!s->any || o->most > s->most)
        s->most = o->most;
    s->any = true;
}

static void spread_value(beck_call *c, const void *state)
{
    const struct spread *s = state;
    if (s->any)
        beck_emit(c, s->most - s->least);
    else
        beck_emit(c, beck_null);
}

static const beck_aggregate spread[1] = {{.name = "spread",
                                          .state_size = sizeof(struct spread),
                                          .step = spread_step,
                                          .merge = spread_merge,
                                          .value = spread_value}};

static struct op user_op(struct bench *x, const char *in, const char *out,
                         const beck_aggregate *aggregate)
{
    struct op op = test_op(&x->arena, OP_GROUP, in, out);
    op.keys = 1;
    op.fold = FOLD_USER;
    op.emits = EMITS_ANY;
    op.name = "reduce_by_key";
    op.function[0] = x->os->function_id(x->os, aggregate);
    return op;
}

static void rows(struct bench *x)
{
    ROW(x, "a", 5);
    ROW(x, "b", -7);
    ROW(x, "a", beck_null);
    bench_cut(x);
    ROW(x, "a", -5);
    ROW(x, "none", beck_null);
    ROW(x, "a", 3);
}

static void test_complete(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    rows(&x);
    struct op op = user_op(&x, IN, IN, spread);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(a,10)\n(b,0)\n(none,null)\n");
    bench_exhaust(&x, &op, 1);
    bench_close(&x);
}

/* Partial states of two tasks, merged in a third. */
static void test_merge(void **state)
{
    (void)state;
    struct bench x;
    const char *middle = "k STRING, v BINARY";
    bench_open(&x, IN);
    rows(&x);
    struct op partial = user_op(&x, IN, middle, spread);
    partial.state_out = true;
    bench_run(&x, &partial, 1);
    struct blocks first = x.out;
    x.out = (struct blocks){.memory = &x.os->memory};
    beck__blocks_deinit(&x.chunks);
    ROW(&x, "b", 100);
    ROW(&x, "c", 1);
    ROW(&x, "a", 4);
    bench_run(&x, &partial, 1);
    assert_true(beck__blocks_append(&first, &x.out));
    beck__blocks_deinit(&x.chunks);
    x.chunks = first;
    struct op merging = user_op(&x, middle, IN, spread);
    merging.state_in = true;
    bench_run(&x, &merging, 1);
    assert_string_equal(bench_text(&x), "(a,10)\n(b,107)\n(none,null)\n(c,0)\n");
    bench_exhaust(&x, &merging, 1);
    bench_close(&x);
}

static void test_many_groups(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, "k BIGINT, v BIGINT");
    for (int i = 0; i < 10000; i++)
        ROW(&x, i % 3000, 1000 + i);
    struct op op = user_op(&x, "k BIGINT, v BIGINT", "k BIGINT, v BIGINT", spread);
    bench_run(&x, &op, 1);
    assert_int_equal(x.out.rows, 3000);
    for (size_t i = 0, n = 0; i < x.out.count; i++)
        for (uint32_t row = 0; row < x.out.items[i]->chunk->rows; row++, n++) {
            beck_row r = {x.out.items[i]->chunk, row, 0};
            assert_int_equal(beck_get_bigint(r, 0), n);
            assert_int_equal(beck_get_bigint(r, 1), n < 1000 ? 9000 : 6000);
        }
    bench_close(&x);
}

/* ---- init, result of another type, strings --------------------------------------------------- */

struct longest {
    char text[40];
    uint32_t size;
};

static void longest_init(beck_call *c, void *state)
{
    (void)c;
    struct longest *s = state;
    s->size = (uint32_t)snprintf(s->text, sizeof s->text, "nothing");
}

static void longest_step(beck_call *c, void *state, beck_row value)
{
    struct longest *s = state;
    beck_str v = beck_get_string(value, 0);
    if (v.size <= s->size || v.size > sizeof s->text)
        return;
    memcpy(s->text, v.data, v.size);
    s->size = (uint32_t)v.size;
    (void)c;
}

static void longest_merge(beck_call *c, void *state, const void *other)
{
    struct longest *s = state;
    const struct longest *o = other;
    (void)c;
    if (o->size > s->size)
        *s = *o;
}

static void longest_value(beck_call *c, const void *state)
{
    const struct longest *s = state;
    beck_emit(c, beck_bytes_of(s->text, s->size));
}

static const beck_aggregate longest[1] = {{.name = "longest",
                                           .result = "STRING",
                                           .state_size = sizeof(struct longest),
                                           .init = longest_init,
                                           .step = longest_step,
                                           .merge = longest_merge,
                                           .value = longest_value}};

static void test_strings(void **state)
{
    (void)state;
    struct bench x;
    const char *in = "k BIGINT, v STRING, w STRING";
    bench_open(&x, in);
    ROW(&x, 1, "short", beck_null);
    ROW(&x, 1, "the longest string of them", "a");
    ROW(&x, 1, "the second longest", beck_null);
    struct op op = user_op(&x, in, in, longest);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(1,the longest string of them,nothing)\n");
    op.keys = 0;
    op.always = true;
    op.in = op.out = test_schema(&x.arena, "v STRING");
    beck__blocks_deinit(&x.chunks);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "nothing\n");
    bench_close(&x);
}

/* ---- mistakes -------------------------------------------------------------------------------- */

static void check_error(const beck_aggregate *aggregate, beck_status status, const char *expected)
{
    struct bench x;
    bench_open(&x, IN);
    rows(&x);
    ROW(&x, "b", 666);
    struct op op = user_op(&x, IN, IN, aggregate);
    bench_try(&x, &op, 1);
    assert_int_equal(x.task.error.status, status);
    assert_string_equal(x.task.error.text, expected);
    bench_close(&x);
}

static void step_emits(beck_call *c, void *state, beck_row value)
{
    (void)state;
    beck_emit_row(c, value);
}

static void step_reads(beck_call *c, void *state, beck_row value)
{
    (void)c;
    (void)state;
    (void)beck_get_string(value, 0);
}

static void step_nothing(beck_call *c, void *state, beck_row value)
{
    (void)c;
    (void)state;
    (void)value;
}

static void value_nothing(beck_call *c, const void *state)
{
    (void)c;
    (void)state;
}

static void value_twice(beck_call *c, const void *state)
{
    (void)state;
    beck_emit(c, 1);
    beck_emit(c, 1);
}

static void value_string(beck_call *c, const void *state)
{
    (void)state;
    beck_emit(c, "text");
}

static void init_fails(beck_call *c, void *state)
{
    (void)state;
    beck_fail(c, "no start");
}

static void test_mistakes(void **state)
{
    (void)state;
    beck_aggregate a = *spread;
    check_error(&a, BECK_TASK, "reduce_by_key at test.c:7: the number of the beast (record 7)");
    a.step = step_emits;
    check_error(&a, BECK_TASK,
                "reduce_by_key at test.c:7: emits a row, but nothing can be emitted here (record "
                "1)");
    a.step = step_reads;
    check_error(&a, BECK_TASK,
                "reduce_by_key at test.c:7: reads column 0 as STRING, but it is BIGINT (record 1)");
    a.step = step_nothing;
    a.value = value_nothing;
    check_error(&a, BECK_TASK,
                "reduce_by_key at test.c:7: value of aggregate \"spread\" must emit one value, "
                "emitted 0 (record 1)");
    a.value = value_twice;
    check_error(&a, BECK_TASK,
                "reduce_by_key at test.c:7: value of aggregate \"spread\" must emit one value, "
                "emitted 2 (record 1)");
    a.value = value_string;
    check_error(&a, BECK_TASK,
                "reduce_by_key at test.c:7: column 0 \"v\" is BIGINT: got STRING \"text\" (record "
                "1)");
    a.value = spread_value;
    a.init = init_fails;
    check_error(&a, BECK_TASK, "reduce_by_key at test.c:7: no start");
}

static void test_incomplete(void **state)
{
    (void)state;
    beck_aggregate a = *spread;
    a.step = NULL;
    check_error(&a, BECK_INVALID, "reduce_by_key: an aggregate needs step, merge, value");
    a = *spread;
    a.merge = NULL;
    check_error(&a, BECK_INVALID, "reduce_by_key: an aggregate needs step, merge, value");
    a = *spread;
    a.value = NULL;
    check_error(&a, BECK_INVALID, "reduce_by_key: an aggregate needs step, merge, value");
    a = *spread;
    a.state_size = 65537;
    check_error(&a, BECK_INVALID,
                "reduce_by_key: the state of aggregate \"spread\" has 65537 bytes, at most 65536");
}

static void test_foreign_state(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, "k STRING, v BINARY");
    ROW(&x, "a", "not a state");
    struct op op = user_op(&x, "k STRING, v BINARY", IN, spread);
    op.state_in = true;
    bench_try(&x, &op, 1);
    assert_contains(x.task.error.text, "a state has 11 bytes instead of 24 (record 1)");
    bench_close(&x);
}

static void test_no_state(void **state)
{
    (void)state;
    struct bench x;
    beck_aggregate a = {.name = "none", .step = step_nothing, .value = value_twice};
    a.merge = spread->merge;
    a.value = longest_value;
    a.state_size = 0;
    a.step = step_nothing;
    a.value = value_nothing;
    bench_open(&x, IN);
    ROW(&x, "a", 1);
    struct op op = user_op(&x, IN, "k STRING, v BINARY", &a);
    op.state_out = true;
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(a,)\n");
    bench_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_complete), test(test_merge),      test(test_many_groups),   test(test_strings),
        test(test_mistakes), test(test_incomplete), test(test_foreign_state), test(test_no_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
