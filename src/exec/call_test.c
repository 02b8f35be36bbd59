/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_test - what a callback may do, and how its mistakes are told: operator, call site, record.
 */
#include "exec/testing.h"

#include "exec/call.h"

#define IN "word STRING, n BIGINT"

/* One row in, through one callback. */
static void run(struct bench *x, const char *out, beck_map_fn *fn)
{
    struct op op = call_op(x, IN, out, fn);
    bench_try(x, &op, 1);
}

static void check(const char *out, beck_map_fn *fn, const char *expected)
{
    struct bench x;
    bench_open(&x, IN);
    ROW(&x, "a word longer than a view", 7);
    run(&x, out, fn);
    if (x.task.error.status)
        print_error("%s\n", x.task.error.text);
    assert_string_equal(bench_text(&x), expected);
    bench_close(&x);
}

static void check_error(const char *out, beck_map_fn *fn, const char *expected)
{
    struct bench x;
    bench_open(&x, IN);
    ROW(&x, "first", 1);
    ROW(&x, "second", 2);
    run(&x, out, fn);
    assert_int_equal(x.flow, FLOW_FAILED);
    assert_int_equal(x.task.error.status, BECK_TASK);
    assert_string_equal(x.task.error.text, expected);
    assert_int_equal(x.out.rows, 0);
    bench_close(&x);
}

/* ---- emit ------------------------------------------------------------------------------------ */

static void emit_kinds(beck_call *c, beck_row in)
{
    char local[100];
    size_t size = (size_t)snprintf(local, sizeof local, "on the stack, more than 12 bytes");

    beck_emit(c, beck_get_string(in, 0), beck_get_bigint(in, 1), 1.5, true, 12);
    beck_emit(c, beck_bytes_of(local, size), (uint8_t)255, 2, 1, (int64_t)-1);
    beck_emit(c, "", INT64_MIN, -1, false, beck_null);
    beck_emit(c, beck_null, beck_null, beck_null, beck_null, beck_null);
    memset(local, 'x', sizeof local);
}

static void test_emit(void **state)
{
    (void)state;
    check("s STRING, n BIGINT, d DOUBLE, b BOOLEAN, t TIMESTAMP", emit_kinds,
          "(a word longer than a view,7,1.5,true,1970-01-01T00:00:00.012Z)\n"
          "(on the stack, more than 12 bytes,255,2.0,true,1969-12-31T23:59:59.999Z)\n"
          "(,-9223372036854775808,-1.0,false,null)\n"
          "(null,null,null,null,null)\n");
}

static void emit_pieces(beck_call *c, beck_row in)
{
    beck_str s = beck_get_string(in, 0);
    beck_emit(c, beck_bytes_of(s.data, 20), beck_bytes_of(s.data + 7, 18));
    beck_emit(c, beck_bytes_of(s.data + 1, 12), beck_bytes_of(s.data + 12, 13));
}

static void test_emit_shares(void **state)
{
    (void)state;
    check("a STRING, b BINARY", emit_pieces,
          "(a word longer than a,6c6f6e676572207468616e20612076696577)\n"
          "( word longer,722074686" /* from byte 12 on */
          "16e20612076696577)\n");
}

static void emit_row_and_values(beck_call *c, beck_row in)
{
    beck_value values[] = {beck_cell(in, 0), beck_cell(in, 1)};
    beck_emit_row(c, in);
    beck_emit_values(c, values, 2);
}

static void test_emit_row(void **state)
{
    (void)state;
    check(IN, emit_row_and_values,
          "(a word longer than a view,7)\n(a word longer than a view,7)\n");
}

#define WIDE                                                                                       \
    "a BIGINT, b BIGINT, c BIGINT, d BIGINT, e BIGINT, f BIGINT, g BIGINT, h BIGINT, i BIGINT, "   \
    "j BIGINT, k BIGINT, l BIGINT, m BIGINT, n BIGINT, o BIGINT, p BIGINT, q BIGINT, r BIGINT"

static void emit_18(beck_call *c, beck_row in)
{
    beck_value values[18];
    for (int i = 0; i < 18; i++)
        values[i] = beck_integer_value(beck_get_bigint(in, 1) + i);
    beck_emit_values(c, values, 18);
}

static void test_emit_wide(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    ROW(&x, "", 1);
    struct op ops[] = {call_op(&x, IN, WIDE, emit_18), call_op(&x, WIDE, WIDE, beck_emit_row)};
    bench_run(&x, ops, 2);
    assert_string_equal(bench_text(&x), "(1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18)\n");
    bench_close(&x);
}

static void emit_5000(beck_call *c, beck_row in)
{
    for (int i = 0; i < 5000; i++)
        beck_emit(c, beck_get_string(in, 0), i);
}

/* More than a chunk's worth in one call: it is flushed in between. */
static void test_emit_many(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    ROW(&x, "a word longer than a view", 7);
    ROW(&x, "short", 7);
    struct op op = call_op(&x, IN, IN, emit_5000);
    bench_run(&x, &op, 1);
    assert_int_equal(x.out.rows, 10000);
    uint32_t n = 0;
    for (size_t i = 0; i < x.out.count; i++) {
        const beck_chunk *chunk = x.out.items[i]->chunk;
        assert_true(chunk->rows <= BECK__CHUNK_ROWS);
        for (uint32_t row = 0; row < chunk->rows; row++, n++) {
            beck_row r = {chunk, row, 0};
            assert_int_equal(beck_get_bigint(r, 1), n % 5000);
            assert_int_equal(beck_get_string(r, 0).size, n < 5000 ? 25 : 5);
        }
    }
    bench_close(&x);
}

/* ---- mistakes -------------------------------------------------------------------------------- */

static void wrong_column(beck_call *c, beck_row in)
{
    beck_emit(c, beck_get_string(in, 2));
}

static void wrong_type(beck_call *c, beck_row in)
{
    beck_emit(c, beck_get_bigint(in, 0));
}

static void read_none(beck_call *c, beck_row in)
{
    beck_row none = {NULL, 0, 0};
    (void)in;
    beck_emit(c, beck_get_bigint(none, 0));
}

static void test_wrong_reads(void **state)
{
    (void)state;
    check_error("s STRING", wrong_column,
                "op at test.c:7: reads column 2 as STRING, but the row has 2 columns (record 1)");
    check_error("n BIGINT", wrong_type,
                "op at test.c:7: reads column 0 as BIGINT, but it is STRING (record 1)");
    check_error("n BIGINT", read_none,
                "op at test.c:7: reads column 0 of a row that is none (record 1)");
}

static void emit_text_2nd(beck_call *c, beck_row in)
{
    if (beck_get_bigint(in, 1) == 2)
        beck_emit(c, "text");
}

static void emit_two(beck_call *c, beck_row in)
{
    (void)in;
    beck_emit(c, 1, 2);
}

static void emit_huge(beck_call *c, beck_row in)
{
    (void)in;
    beck_emit(c, UINT64_MAX);
}

static void emit_inexact(beck_call *c, beck_row in)
{
    (void)in;
    beck_emit(c, INT64_MAX);
}

static void test_wrong_emits(void **state)
{
    (void)state;
    check_error("n BIGINT", emit_text_2nd,
                "op at test.c:7: column 0 \"n\" is BIGINT: got STRING \"text\" (record 2)");
    check_error("n BIGINT", emit_two,
                "op at test.c:7: emits 2 values, but the output has 1 column (record 1)");
    check_error("a BIGINT, b BIGINT", emit_inexact,
                "op at test.c:7: emits 1 value, but the output has 2 columns (record 1)");
    check_error("n BIGINT", emit_huge,
                "op at test.c:7: column 0 \"n\" is BIGINT: got integer 18446744073709551615, "
                "which is out of range (record 1)");
    check_error("x DOUBLE", emit_inexact,
                "op at test.c:7: column 0 \"x\" is DOUBLE: got integer 9223372036854775807, "
                "which a DOUBLE does not hold exactly (record 1)");
}

static void fail_twice(beck_call *c, beck_row in)
{
    beck_fail(c, "no %s like %lld", "number", (long long)beck_get_bigint(in, 1));
    beck_fail(c, "the second failure is not told");
    beck_emit(c, "nor is this");
    (void)beck_get_bigint(in, 9);
}

static void test_fail(void **state)
{
    (void)state;
    check_error("n BIGINT", fail_twice, "op at test.c:7: no number like 1 (record 1)");
}

/* The record is counted over all chunks of the task. */
static void test_record(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    for (int i = 0; i < 100; i++) {
        ROW(&x, "", i == 77 ? 2 : 1);
        if (i % 10 == 9)
            bench_cut(&x);
    }
    run(&x, "n BIGINT", emit_text_2nd);
    assert_contains(x.task.error.text, "(record 78)");
    bench_close(&x);
}

static void emit_nothing_allowed(beck_call *c, beck_row in)
{
    beck_emit_row(c, in);
}

static void test_emits_none(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, WIDE);
    beck_value values[18] = {{0}};
    test_row(&x.in, values, 18);
    struct op op = call_op(&x, WIDE, WIDE, emit_nothing_allowed);
    op.emits = EMITS_NONE;
    bench_try(&x, &op, 1);
    assert_string_equal(x.task.error.text,
                        "op at test.c:7: emits a row, but nothing can be emitted here (record 1)");
    bench_close(&x);
}

/* ---- where am I ------------------------------------------------------------------------------ */

static void tell(beck_call *c, beck_row in)
{
    const char *ctx = beck_ctx(c);
    (void)in;
    beck_emit(c, ctx ? ctx : "none", beck_batch_time(c), beck_partition(c), beck_attempt(c));
}

static void test_place(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, IN);
    ROW(&x, "", 0);
    x.task.batch_ms = 5000;
    x.task.partition = 3;
    x.task.attempt = 2;
    struct op op = call_op(&x, IN, "ctx STRING, time BIGINT, partition BIGINT, n BIGINT", tell);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(none,5000,3,2)\n");
    op.bytes = beck_bytes_of("bytes", 6);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(bytes,5000,3,2)\n");
    bench_close(&x);
}

struct seen {
    int calls;
    int64_t time;
    int partition, attempt;
    const void *ctx;
};

static void driver_callback(beck_call *c, beck_rdd *rdd)
{
    struct seen *seen = (struct seen *)(uintptr_t)beck_ctx(c);
    assert_null(rdd);
    seen->calls++;
    seen->time = beck_batch_time(c);
    seen->partition = beck_partition(c);
    seen->attempt = beck_attempt(c);
}

static void driver_mistakes(beck_call *c, beck_rdd *rdd)
{
    const beck_chunk *wide = beck_ctx(c);
    (void)rdd;
    beck_emit_row(c, (beck_row){wide, 0, 0});
}

/* The answer of a transform goes through; what is passed on is looked at nowhere. */
static beck_rdd *the_first(beck_call *c, beck_rdd *in)
{
    driver_callback(c, NULL);
    return in;
}

static beck_rdd *the_last(beck_call *c, beck_rdd *const *in, size_t n)
{
    driver_callback(c, NULL);
    return in[n - 1];
}

static void test_transforms(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct error error = {0};
    beck_rdd *const in[] = {(beck_rdd *)&seen, (beck_rdd *)&error};
    struct driver_call one = {.transform = the_first, .ctx = &seen, .in = in, .count = 1};
    struct driver_call two = {.with = the_last, .ctx = &seen, .in = in, .count = 2};
    assert_ptr_equal(beck__driver_call(&one, &error), in[0]);
    assert_ptr_equal(beck__driver_call(&two, &error), in[1]);
    assert_int_equal(seen.calls, 2);
    assert_int_equal(error.status, BECK_OK);
}

static void test_driver_callback(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct error error = {0};
    beck_rdd *const in[] = {NULL, NULL};
    struct driver_call call = {
        .each = driver_callback, .ctx = &seen, .batch_ms = 4000, .in = in, .count = 1};
    assert_null(beck__driver_call(&call, &error));
    assert_int_equal(error.status, BECK_OK);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.time, 4000);
    assert_int_equal(seen.partition, -1);
    assert_int_equal(seen.attempt, -1);

    struct bench x;
    bench_open(&x, WIDE);
    beck_value values[18] = {{0}};
    test_row(&x.in, values, 18);
    call = (struct driver_call){
        .each = driver_mistakes, .ctx = (void *)(uintptr_t)x.in.chunk, .in = in, .count = 1};
    beck__driver_call(&call, &error);
    assert_int_equal(error.status, BECK_TASK);
    assert_string_equal(error.text, "emits a row, but nothing can be emitted here");
    bench_close(&x);
}

/* A reader of rows outside of any callback gets zero and no complaint. */
static void test_no_call(void **state)
{
    (void)state;
    beck_row none = {NULL, 0, 0};
    assert_int_equal(beck_get_bigint(none, 3), 0);
    assert_int_equal(beck_get_string(none, 3).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_emit),        test(test_emit_shares), test(test_emit_row),
        test(test_emit_wide),   test(test_emit_many),   test(test_wrong_reads),
        test(test_wrong_emits), test(test_fail),        test(test_record),
        test(test_emits_none),  test(test_place),       test(test_driver_callback),
        test(test_transforms),  test(test_no_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
