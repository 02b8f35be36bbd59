/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_test - rows take their side; the lists of a cogroup; pairs of every kind of join, against a
 * plain double loop over random lists.
 */
#include "exec/testing.h"

#include <stdlib.h>

#define SIDED "k STRING, left STRUCT<n BIGINT>, right STRUCT<s STRING, t STRING>"
#define LISTS "k STRING, n ARRAY<BIGINT>, values ARRAY<STRUCT<s STRING, t STRING>>"
#define PAIRS "k STRING, n BIGINT, s STRING, t STRING"

static void run_side(struct bench *x, const char *in, uint64_t side)
{
    struct op op = test_op(&x->arena, OP_SIDE, in, SIDED);
    op.keys = 1;
    op.number = side;
    assert_true(beck__op_fits(&op));
    bench_run(x, &op, 1);
}

static void test_side(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, "k STRING, n BIGINT");
    ROW(&x, "a", 1);
    bench_cut(&x);
    ROW(&x, beck_null, beck_null); /* a row that is there, of which nothing is known */
    ROW(&x, "a key of more than 12 bytes", 3);
    run_side(&x, "k STRING, n BIGINT", 0);
    assert_string_equal(bench_text(&x), "(a,(1),null)\n(null,(null),null)\n"
                                        "(a key of more than 12 bytes,(3),null)\n");
    bench_close(&x);
    bench_open(&x, "k STRING, s STRING, t STRING");
    ROW(&x, "a", "x", beck_null);
    run_side(&x, "k STRING, s STRING, t STRING", 1);
    assert_string_equal(bench_text(&x), "(a,null,(x,null))\n");
    bench_close(&x);
}

/* A group of sides makes the lists; null rows of the other side are not in them. */
static void test_lists(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, "k STRING, n BIGINT");
    ROW(&x, "a", 1);
    ROW(&x, "b", 2);
    ROW(&x, "a", beck_null);
    struct op ops[] = {test_op(&x.arena, OP_SIDE, "k STRING, n BIGINT", SIDED),
                       test_op(&x.arena, OP_GROUP, SIDED, LISTS)};
    ops[0].keys = ops[1].keys = 1;
    ops[1].fold = FOLD_SIDES;
    assert_true(beck__op_fits(&ops[1]));
    bench_run(&x, ops, 2);
    assert_string_equal(bench_text(&x), "(a,[1, null],[])\n(b,[2],[])\n");
    bench_close(&x);
}

/* ---- join ------------------------------------------------------------------------------------ */

static struct op join_op(struct bench *x, beck_join_kind kind)
{
    static const uint32_t widths[] = {1, 2};
    struct op op = test_op(&x->arena, OP_JOIN, LISTS, PAIRS);
    op.keys = 1;
    op.number = (uint64_t)kind;
    op.columns = widths;
    op.column_count = 2;
    assert_true(beck__op_fits(&op));
    return op;
}

static void list_row(struct bench *x, const char *key, int left, int right)
{
    beck_value n[200], pair[200][2], pairs[200], cells[3];
    char names[200][40];

    for (int i = 0; i < left; i++)
        n[i] = beck_integer_value(i);
    for (int i = 0; i < right; i++) {
        snprintf(names[i], sizeof names[i], "number %d of the right side", i);
        pair[i][0] = beck_text_value(names[i]);
        pair[i][1] = beck_null;
        pairs[i] = beck_values_value(pair[i], 2);
    }
    cells[0] = beck_text_value(key);
    cells[1] = beck_values_value(n, (uint32_t)left);
    cells[2] = beck_values_value(pairs, (uint32_t)right);
    test_row(&x->in, cells, 3);
}

/* What a join of that kind makes of the lists, by the book. */
static void expect(struct text *out, beck_join_kind kind, const char *key, int left, int right)
{
    if (left == 0 && (kind & BECK_RIGHT_OUTER))
        for (int j = 0; j < right; j++)
            beck__text_printf(out, "(%s,null,number %d of the right side,null)\n", key, j);
    for (int i = 0; i < left; i++) {
        if (right == 0 && (kind & BECK_LEFT_OUTER))
            beck__text_printf(out, "(%s,%d,null,null)\n", key, i);
        for (int j = 0; j < right; j++)
            beck__text_printf(out, "(%s,%d,number %d of the right side,null)\n", key, i, j);
    }
}

static void check_join(beck_join_kind kind, unsigned seed)
{
    struct bench x;
    bench_open(&x, LISTS);
    struct text expected = {.memory = &x.os->memory};
    for (int row = 0; row < 60; row++) {
        char key[20];
        seed = seed * 1103515245u + 12345u;
        int left = seed >> 16 & 3 ? (int)(seed >> 18 & 63) : 0;
        int right = seed >> 24 & 3 ? (int)(seed >> 26 & 63) : 0;
        if (row == 30)
            left = right = 199; /* more pairs than a chunk holds */
        snprintf(key, sizeof key, "k%d", row);
        list_row(&x, key, left, right);
        expect(&expected, kind, key, left, right);
        if (row % 7 == 0)
            bench_cut(&x);
    }
    struct op op = join_op(&x, kind);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), beck__text_get(&expected));
    for (size_t i = 0; i < x.out.count; i++)
        assert_true(x.out.items[i]->chunk->rows <= BECK__CHUNK_ROWS);
    beck__text_deinit(&expected);
    bench_close(&x);
}

static void test_joins(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 5; seed++)
        for (unsigned kind = 0; kind <= BECK_FULL_OUTER; kind++) {
            print_message("seed %u, kind %u\n", seed, kind);
            check_join((beck_join_kind)kind, seed);
        }
}

static void test_limit_stops_a_join(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, LISTS);
    for (int i = 0; i < 20; i++) {
        list_row(&x, "k", 100, 100);
        bench_cut(&x);
    }
    struct op ops[] = {join_op(&x, BECK_INNER), test_op(&x.arena, OP_LIMIT, PAIRS, PAIRS)};
    ops[1].number = 3;
    bench_run(&x, ops, 2);
    assert_int_equal(x.out.rows, 3);
    assert_int_equal(x.pushed, 1);
    bench_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_side),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_joins),
        cmocka_unit_test(test_limit_stops_a_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
