/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_test - rows take their side; the lists of a cogroup; joins of every kind, against a plain
 * double loop over random tables.
 */
#include "base/testing.h"
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

#define LEFT  "k STRING, n BIGINT"
#define RIGHT "k STRING, s STRING, t STRING"

static struct op join_op(struct bench *x, uint64_t kind)
{
    const char *out = kind == JOIN_KEYS ? "k STRING" : kind == JOIN_LEFT_ALONE ? LEFT : PAIRS;
    struct op op = test_op(&x->arena, OP_JOIN, SIDED, out);

    op.keys = 1;
    op.number = kind;
    assert_true(beck__op_fits(&op));
    return op;
}

/* A key, NULL for null: every third is longer than what fits a view. */
static beck_value key_value(int key)
{
    static char names[3][40];
    static int at;
    char *name = names[at++ % 3];

    if (key < 0)
        return beck_null;
    snprintf(name, sizeof names[0], key % 3 ? "k%d" : "the key with the number %d", key);
    return beck_text_value(name);
}

static void left_row(struct bench *x, int key, int n)
{
    beck_value fields[] = {beck_integer_value(n)};
    beck_value cells[] = {key_value(key), beck_values_value(fields, 1), beck_null};

    test_row(&x->in, cells, 3);
}

static void right_row(struct bench *x, int key, int n)
{
    char name[40];
    beck_value fields[2] = {beck_null, beck_null};

    snprintf(name, sizeof name, "number %d of the right side", n);
    fields[0] = beck_text_value(name);
    beck_value cells[] = {key_value(key), beck_null, beck_values_value(fields, 2)};
    test_row(&x->in, cells, 3);
}

enum { ROWS_MAX = 300 };

struct tables {
    int left[ROWS_MAX], right[ROWS_MAX]; /* keys; -1: null */
    int left_count, right_count;
};

static void print_pair(struct text *out, uint64_t kind, int key, int left, int right)
{
    struct text name = {.memory = out->memory};
    beck_value k = key_value(key);

    if (key < 0)
        beck__text_add(&name, "null");
    else
        beck__text_append(&name, k.u.string.data, k.u.string.size);
    if (kind == JOIN_KEYS) {
        beck__text_printf(out, "%s\n", beck__text_get(&name));
        beck__text_deinit(&name);
        return;
    }
    beck__text_printf(out, "(%s,", beck__text_get(&name));
    if (left < 0)
        beck__text_add(out, "null");
    else
        beck__text_printf(out, "%d", left);
    if (kind == JOIN_LEFT_ALONE)
        beck__text_add(out, ")\n");
    else if (right < 0)
        beck__text_add(out, ",null,null)\n");
    else
        beck__text_printf(out, ",number %d of the right side,null)\n", right);
    beck__text_deinit(&name);
}

static int find_key(const int *keys, int count, int key, int from)
{
    while (from < count && keys[from] != key)
        from++;
    return from < count ? from : -1;
}

/* By the book: a double loop; then right rows that no left one met, by key. */
static void expect(struct text *out, uint64_t kind, const struct tables *t)
{
    for (int i = 0; i < t->left_count; i++) {
        int key = t->left[i], j = find_key(t->right, t->right_count, key, 0);
        bool again = find_key(t->left, i, key, 0) >= 0;
        if (kind == JOIN_KEYS ? j >= 0 && !again
                              : j < 0 && (kind == JOIN_LEFT_ALONE || kind == BECK_LEFT_OUTER ||
                                          kind == BECK_FULL_OUTER))
            print_pair(out, kind, key, i, -1);
        for (; kind <= BECK_FULL_OUTER && j >= 0;
             j = find_key(t->right, t->right_count, key, j + 1))
            print_pair(out, kind, key, i, j);
    }
    if (kind != BECK_RIGHT_OUTER && kind != BECK_FULL_OUTER)
        return;
    for (int first = 0; first < t->right_count; first++) {
        int key = t->right[first];
        if (find_key(t->left, t->left_count, key, 0) >= 0 || find_key(t->right, first, key, 0) >= 0)
            continue;
        for (int j = first; j >= 0; j = find_key(t->right, t->right_count, key, j + 1))
            print_pair(out, kind, key, -1, j);
    }
}

/* `keys`: how many there are; the more, the fewer are met twice. */
static struct tables random_tables(unsigned seed, int keys)
{
    struct tables t = {.left_count = 0};

    for (int side = 0; side < 2; side++) {
        int *count = side ? &t.right_count : &t.left_count, *rows = side ? t.right : t.left;
        seed = seed * 1103515245u + 12345u;
        int most = (int)(seed >> 16) % ROWS_MAX;
        for (*count = 0; *count < most; ++*count) {
            seed = seed * 1103515245u + 12345u;
            rows[*count] = (int)(seed >> 16) % (keys + 1) - 1;
            if (side && keys > 1000) /* each once */
                rows[*count] = *count * 2;
        }
    }
    return t;
}

static void check_join(uint64_t kind, const struct tables *t)
{
    struct bench x;
    struct text expected;
    bench_open(&x, SIDED);
    expected = (struct text){.memory = &x.os->memory};
    for (int i = 0; i < t->right_count; i++) {
        right_row(&x, t->right[i], i);
        if (i % 17 == 0)
            bench_cut(&x);
    }
    bench_cut(&x);
    for (int i = 0; i < t->left_count; i++) {
        left_row(&x, t->left[i], i);
        if (i % 50 == 0)
            bench_cut(&x);
    }
    expect(&expected, kind, t);
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
    static const int keys[] = {1, 5, 40, 100, 5000};

    (void)state;
    for (unsigned seed = 1; seed <= 10; seed++)
        for (size_t i = 0; i < BECK__COUNT_OF(keys); i++) {
            struct tables t = random_tables(seed, keys[i]);
            for (uint64_t kind = 0; kind < JOIN_KINDS; kind++) {
                print_message("seed %u, %d keys, kind %d\n", seed, keys[i], (int)kind);
                check_join(kind, &t);
            }
        }
}

static void test_empty_sides(void **state)
{
    struct tables none = {.left_count = 0}, left = {.left = {1, 2}, .left_count = 2};
    struct tables right = {.right = {1, 2}, .right_count = 2};

    (void)state;
    for (uint64_t kind = 0; kind < JOIN_KINDS; kind++) {
        check_join(kind, &none);
        check_join(kind, &left);
        check_join(kind, &right);
    }
}

/* -0.0 meets 0.0, and the key that comes out is 0.0, with and without a match. */
static void test_minus_zero(void **state)
{
    static const char sided[] = "k DOUBLE, left STRUCT<n BIGINT>, right STRUCT<n BIGINT>";
    beck_value n = beck_integer_value(1);
    struct bench x;

    (void)state;
    bench_open(&x, sided);
    ROW(&x, 0.0, beck_null, beck_values_value(&n, 1));
    bench_cut(&x);
    ROW(&x, -0.0, beck_values_value(&n, 1), beck_null);
    struct op op = test_op(&x.arena, OP_JOIN, sided, "k DOUBLE, l BIGINT, r BIGINT");
    op.keys = 1;
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(0.0,1,1)\n");
    bench_close(&x);

    bench_open(&x, sided);
    ROW(&x, -0.0, beck_values_value(&n, 1), beck_null);
    op = test_op(&x.arena, OP_JOIN, sided, "k DOUBLE, l BIGINT, r BIGINT");
    op.keys = 1;
    op.number = BECK_LEFT_OUTER;
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(0.0,1,null)\n");
    bench_close(&x);
}

static void test_limit_stops_a_join(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, SIDED);
    for (int i = 0; i < 100; i++)
        right_row(&x, 1, i);
    for (int i = 0; i < 20; i++) {
        bench_cut(&x);
        left_row(&x, 1, i);
    }
    struct op ops[] = {join_op(&x, BECK_FULL_OUTER), test_op(&x.arena, OP_LIMIT, PAIRS, PAIRS)};
    ops[1].number = 3;
    bench_run(&x, ops, 2);
    assert_int_equal(x.out.rows, 3);
    assert_int_equal(x.pushed, 2);
    bench_close(&x);
}

/* Every allocation fails once. */
static void test_no_memory(void **state)
{
    struct tables t = random_tables(3, 40);
    struct bench x;
    beck_status status = BECK_NO_MEMORY;

    (void)state;
    for (uint64_t n = 1; status; n++) {
        struct test_memory failing;
        bench_open(&x, SIDED);
        for (int i = 0; i < t.right_count; i++)
            right_row(&x, t.right[i], i);
        bench_cut(&x);
        for (int i = 0; i < t.left_count; i++)
            left_row(&x, t.left[i], i);
        struct op op = join_op(&x, BECK_FULL_OUTER);
        x.task.memory = test_memory_init(&failing, n);
        x.task.arena.memory = x.task.memory;
        bench_try(&x, &op, 1);
        status = x.task.error.status;
        assert_true(status == BECK_OK || status == BECK_NO_MEMORY);
        beck__blocks_deinit(&x.out);
        beck__task_deinit(&x.task);
        assert_int_equal(failing.used, 0);
        beck__task_init(&x.task, x.os);
        bench_close(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_side),        test(test_lists),      test(test_joins),
        test(test_empty_sides), test(test_minus_zero), test(test_limit_stops_a_join),
        test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
