/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_test - rows are numbered from what lies before them; rows of one key; a fold that begins with
 * a row; rows that are damaged.
 */
#include "exec/testing.h"

#define IN "k STRING, n BIGINT"

/* One row of that schema, encoded. */
static beck_str row_of(struct bench *x, const char *schema, const beck_value *values, uint32_t rows)
{
    const beck_schema *parsed = test_schema(&x->arena, schema);
    struct text bytes = {.memory = &x->os->memory};
    struct builder b;

    beck__builder_init(&b, bytes.memory, parsed, 0, NULL);
    for (uint32_t i = 0; i < rows; i++) {
        test_row(&b, values, parsed->count);
    }
    assert_false(
        beck__block_encode(b.chunk, parsed, (struct block_place){0, 0}, false, &bytes, NULL));
    const void *copy = beck__arena_copy(&x->arena, bytes.data, bytes.size);
    beck_str row = beck_bytes_of(copy, bytes.size);
    beck__text_deinit(&bytes);
    beck__builder_deinit(&b);
    return row;
}

/* ---- index ----------------------------------------------------------------------------------- */

static void test_index(void **state)
{
    struct bench x;

    (void)state;
    bench_open(&x, IN);
    ROW(&x, "a", 10);
    ROW(&x, beck_null, 11);
    bench_cut(&x);
    ROW(&x, "a", 12);
    struct op op = test_op(&x.arena, OP_INDEX, IN, IN ", index BIGINT");
    x.task.rows_before = 1000;
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(a,10,1000)\n(null,11,1001)\n(a,12,1002)\n");
    bench_close(&x);
}

static void test_large_chunk(void **state)
{
    struct bench x;
    uint64_t at = 0;

    (void)state;
    bench_open(&x, "n BIGINT");
    for (int i = 0; i < 5000; i++)
        ROW(&x, i);
    struct op op = test_op(&x.arena, OP_INDEX, "n BIGINT", "n BIGINT, index BIGINT");
    bench_run(&x, &op, 1);
    assert_int_equal(x.out.rows, 5000);
    for (size_t i = 0; i < x.out.count; i++)
        for (uint32_t k = 0; k < x.out.items[i]->chunk->rows; k++, at++)
            for (uint32_t c = 0; c < 2; c++)
                assert_int_equal(((int64_t *)x.out.items[i]->chunk->column[c].data)[k], at);
    bench_exhaust(&x, &op, 1);
    bench_close(&x);
}

/* ---- same ------------------------------------------------------------------------------------ */

static struct op same_op(struct bench *x, beck_value key)
{
    struct op op = test_op(&x->arena, OP_SAME, IN, IN);
    op.keys = 1;
    op.row = row_of(x, "k STRING", &key, 1);
    return op;
}

static void test_same(void **state)
{
    struct bench x;

    (void)state;
    bench_open(&x, IN);
    for (int i = 0; i < 6000; i++)
        ROW(&x, i % 3000 ? "a key of more than twelve bytes" : "a", i);
    ROW(&x, beck_null, 7);
    struct op op = same_op(&x, beck_text_value("a"));
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(a,0)\n(a,3000)\n");
    bench_exhaust(&x, &op, 1);
    op = same_op(&x, beck_null);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(null,7)\n");
    op = same_op(&x, beck_text_value("b"));
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "");
    bench_close(&x);
}

/* Of another type, of two rows, cut off, or none. */
static void test_damaged(void **state)
{
    beck_value one = beck_integer_value(1), key = beck_text_value("a");
    struct bench x;

    (void)state;
    bench_open(&x, IN);
    struct op op = same_op(&x, key);
    beck_str rows[] = {
        row_of(&x, "k BIGINT", &one, 1), row_of(&x, "k STRING", &key, 2), op.row, {"", 0}};
    rows[2].size--;
    for (size_t i = 0; i < BECK__COUNT_OF(rows); i++) {
        op.row = rows[i];
        bench_try(&x, &op, 1);
        assert_int_equal(x.task.error.status, BECK_CORRUPT);
        beck__error_clear(&x.task.error);
    }
    bench_close(&x);
}

/* ---- a fold from a row on -------------------------------------------------------------------- */

static void add(beck_call *c, beck_row sum, beck_row value)
{
    beck_emit(c, beck_get_bigint(sum, 0) + beck_get_bigint(value, 0));
}

static struct op fold_op(struct bench *x, uint32_t keys)
{
    beck_value hundred = beck_integer_value(100);
    const char *schema = keys ? IN : "n BIGINT";
    struct op op = test_op(&x->arena, OP_GROUP, schema, schema);
    op.keys = keys;
    op.fold = FOLD_COMBINE;
    op.emits = EMITS_ONE;
    op.always = !keys;
    op.row = row_of(x, "n BIGINT", &hundred, 1);
    SET_FUNCTION(&op, 1, add);
    SET_FUNCTION(&op, 2, add);
    return op;
}

/* By key: values into the zero, combiners into each other. */
static void test_fold_by_key(void **state)
{
    struct bench x;

    (void)state;
    bench_open(&x, IN);
    ROW(&x, "a", 1);
    ROW(&x, "b", 2);
    ROW(&x, "a", 3);
    struct op op = fold_op(&x, 1);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(a,104)\n(b,102)\n");
    bench_exhaust(&x, &op, 1);
    op.state_in = true;
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(a,4)\n(b,2)\n");
    bench_close(&x);
}

/* Of all rows: combiners into the zero, too, which is the result for no rows. */
static void test_fold_all(void **state)
{
    struct bench x;

    (void)state;
    bench_open(&x, "n BIGINT");
    ROW(&x, 1);
    ROW(&x, 2);
    struct op op = fold_op(&x, 0);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "103\n");
    op.state_in = true;
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "103\n");
    bench_close(&x);
    for (int state_in = 0; state_in < 2; state_in++) {
        bench_open(&x, "n BIGINT");
        op = fold_op(&x, 0);
        op.state_in = state_in == 1;
        bench_run(&x, &op, 1);
        assert_string_equal(bench_text(&x), "100\n");
        op.row.size--;
        bench_try(&x, &op, 1);
        assert_int_equal(x.task.error.status, BECK_CORRUPT);
        bench_close(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_index),       cmocka_unit_test(test_large_chunk),
        cmocka_unit_test(test_same),        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_fold_by_key), cmocka_unit_test(test_fold_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
