/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_test - every sample fits; changed in one place it does not.
 */
#include "plan/testing.h"

static struct test_memory memory;
static struct arena arena;

static int open(void **state)
{
    (void)state;
    beck__arena_init(&arena, test_memory_init(&memory, 0));
    return 0;
}

static int close(void **state)
{
    (void)state;
    beck__arena_deinit(&arena);
    return memory.used == 0 ? 0 : -1;
}

static void test_samples_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(test_samples); i++) {
        struct op op = test_sample_op(&arena, &test_samples[i]);
        if (!beck__op_fits(&op))
            print_error("sample %zu\n", i);
        assert_true(beck__op_fits(&op));
    }
}

/* What is wrong whatever the kind. */
static void test_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(test_samples); i++) {
        const struct op good = test_sample_op(&arena, &test_samples[i]);
        struct op op = good;
        op.kind = OP_COUNT;
        assert_false(beck__op_fits(&op));
        op = good;
        op.name = NULL;
        assert_false(beck__op_fits(&op));
        op = good;
        op.emits = EMITS_ANY + 1;
        assert_false(beck__op_fits(&op));
        op = good;
        op.adds = ADDS_ROW_AFTER + 1;
        assert_false(beck__op_fits(&op));
        op = good;
        op.fold = FOLD_KINDS;
        assert_false(beck__op_fits(&op));
        op = good;
        op.keys = op.in->count + 1;
        assert_false(beck__op_fits(&op));
    }
}

static bool fits(const struct test_sample *sample)
{
    struct op op = test_sample_op(&arena, sample);
    return beck__op_fits(&op);
}

#define REFUSED(k, from, to, ...)                                                                  \
    assert_false(                                                                                  \
        fits(&(const struct test_sample){.kind = (k), .in = (from), .out = (to), __VA_ARGS__}))

static void test_schemas(void **state)
{
    (void)state;
    REFUSED(OP_FILTER, "a STRING", "a BIGINT", .keys = 0);
    REFUSED(OP_LIMIT, "a STRING", "a STRING, b STRING", .keys = 0);
    REFUSED(OP_CALL, "a STRING", "b BIGINT", .keys = 1, .adds = ADDS_KEY_BEFORE);
    REFUSED(OP_CALL, "a STRING, b STRING", "a STRING", .keys = 2, .adds = ADDS_KEY_BEFORE);
    REFUSED(OP_CALL, "a STRING, b STRING", "k STRING", .keys = 0, .adds = ADDS_ROW_AFTER);
    REFUSED(OP_CALL, "a STRING", "k STRING, a BIGINT", .keys = 0, .adds = ADDS_ROW_AFTER);
    REFUSED(OP_WORDS, "a BIGINT", "w STRING", .keys = 0);
    REFUSED(OP_WORDS, "a STRING", "w BINARY", .keys = 0);
    REFUSED(OP_WORDS, "a STRING", "w STRING, n DOUBLE", .keys = 0);
    REFUSED(OP_LINES, "a STRING", "w STRING, n BIGINT, m BIGINT", .keys = 0);
    REFUSED(OP_GLOM, "a STRING", "a STRING", .keys = 0);
    REFUSED(OP_GLOM, "a STRING", "a ARRAY<BIGINT>", .keys = 0);
    REFUSED(OP_GLOM, "a STRING", "a ARRAY<STRUCT<a STRING>>", .keys = 0);
    REFUSED(OP_GLOM, "a STRING, b STRING", "a ARRAY<STRING>", .keys = 0);
    REFUSED(OP_SINK, "a STRING", "a STRING", .keys = 0);
}

static bool join_is_fit(const char *in, const char *out, uint64_t kind)
{
    struct op op = test_op(&arena, OP_JOIN, in, out);

    op.keys = 1;
    op.number = kind;
    return beck__op_fits(&op);
}

static void test_cogroup_and_join(void **state)
{
    static const char sided[] = "k STRING, a STRUCT<n BIGINT>, b STRUCT<x STRING, y BIGINT>";
    (void)state;
    REFUSED(OP_SIDE, "k STRING, n BIGINT", "k STRING, l STRUCT<n DOUBLE>", .keys = 1);
    REFUSED(OP_SIDE, "k STRING, n BIGINT", "k STRING, l BIGINT", .keys = 1);
    REFUSED(OP_SIDE, "k STRING, n BIGINT", "k BIGINT, l STRUCT<n BIGINT>", .keys = 1);
    REFUSED(OP_SIDE, "k STRING, n BIGINT", "k STRING", .keys = 1);
    REFUSED(OP_SIDE, "k STRING", "k STRING, l STRUCT<n BIGINT>", .keys = 1);
    REFUSED(OP_GROUP, "k STRING, l STRUCT<n BIGINT>", "k STRING, l ARRAY<STRING>", .keys = 1,
            .fold = FOLD_SIDES);
    REFUSED(OP_GROUP, "k STRING, l STRUCT<n BIGINT>", "k STRING, l ARRAY<BIGINT>", .keys = 1,
            .fold = FOLD_SIDES, .state_in = true);
    assert_true(join_is_fit(sided, "k STRING, n BIGINT, x STRING, y BIGINT", BECK_INNER));
    assert_false(join_is_fit(sided, "k STRING, n BIGINT, x STRING", BECK_INNER));
    assert_false(join_is_fit(sided, "k STRING, n DOUBLE, x STRING, y BIGINT", BECK_INNER));
    assert_false(join_is_fit(sided, "k BIGINT, n BIGINT, x STRING, y BIGINT", BECK_INNER));
    assert_false(join_is_fit("k STRING, a STRUCT<n BIGINT>", "k STRING, n BIGINT", BECK_INNER));
    assert_false(join_is_fit("k STRING, a BIGINT, b STRUCT<x STRING>",
                             "k STRING, n BIGINT, x STRING", BECK_INNER));
}

/* What a join gives of one side only. */
static void test_other_joins(void **state)
{
    static const char sided[] = "k STRING, a STRUCT<n BIGINT>, b STRUCT<x STRING, y BIGINT>";
    (void)state;
    assert_true(join_is_fit(sided, "k STRING, n BIGINT", JOIN_LEFT_ALONE));
    assert_false(join_is_fit(sided, "k STRING, n BIGINT", JOIN_KEYS));
    assert_true(join_is_fit(sided, "k STRING", JOIN_KEYS));
    assert_false(join_is_fit(sided, "k STRING", JOIN_LEFT_ALONE));
    assert_false(join_is_fit(sided, "k STRING", JOIN_KINDS));
    assert_false(join_is_fit("k STRING, a BIGINT, b BIGINT", "k STRING", JOIN_KEYS));
}

static void test_order(void **state)
{
    const uint32_t columns[] = {3, 0};
    (void)state;
    struct op op = test_op(&arena, OP_SORT, "a STRING, b BIGINT", "a STRING, b BIGINT");
    assert_false(beck__op_fits(&op));
    op.columns = columns;
    op.column_count = 2;
    assert_true(beck__op_fits(&op));
    op.columns = (const uint32_t[]){0, 4};
    assert_false(beck__op_fits(&op));
    REFUSED(OP_INDEX, "a STRING", "a STRING, i DOUBLE", .keys = 0);
    REFUSED(OP_INDEX, "a STRING", "a STRING", .keys = 0);
    REFUSED(OP_INDEX, "a STRING", "a BIGINT, i BIGINT", .keys = 0);
    REFUSED(OP_SAME, "a STRING", "a STRING", .keys = 0);
    REFUSED(OP_SAME, "a STRING", "a BIGINT", .keys = 1);
}

static void test_groups(void **state)
{
    (void)state;
    REFUSED(OP_GROUP, "k STRING, v BIGINT", "k BIGINT, v BIGINT", .keys = 1, .fold = FOLD_SUM);
    REFUSED(OP_GROUP, "k STRING, v STRING", "k STRING, v STRING", .keys = 1, .fold = FOLD_SUM);
    REFUSED(OP_GROUP, "k STRING, v BIGINT", "k STRING, v DOUBLE", .keys = 1, .fold = FOLD_SUM);
    REFUSED(OP_GROUP, "k STRING, v BIGINT", "k STRING, v BIGINT, w BIGINT", .keys = 1,
            .fold = FOLD_SUM);
    REFUSED(OP_GROUP, "k STRING, v BIGINT, w BIGINT", "k STRING, v BIGINT", .keys = 1,
            .fold = FOLD_MIN);
    REFUSED(OP_GROUP, "k STRING, v BIGINT", "k STRING, v BIGINT", .keys = 1, .fold = FOLD_AVG);
    REFUSED(OP_GROUP, "k STRING, v BIGINT", "k STRING, v DOUBLE", .keys = 1, .fold = FOLD_AVG,
            .state_in = true);
    REFUSED(OP_GROUP, "k STRING, v BIGINT", "k STRING, v STRING", .keys = 1, .fold = FOLD_COUNT);
    REFUSED(OP_GROUP, "k STRING", "k STRING, n BIGINT", .keys = 1, .fold = FOLD_COUNT,
            .state_in = true);
    REFUSED(OP_GROUP, "k STRING, v STRING", "k STRING, v STRING", .keys = 1, .fold = FOLD_DISTINCT);
    REFUSED(OP_GROUP, "k STRING, v STRING", "k STRING, v ARRAY<STRING>", .keys = 1,
            .fold = FOLD_TOP, .state_in = true);
    REFUSED(OP_GROUP, "k STRING, v STRING", "k STRING, v STRING", .keys = 1, .fold = FOLD_USER,
            .state_in = true);
    REFUSED(OP_GROUP, "k STRING, v STRING", "k STRING, v STRING", .keys = 1, .fold = FOLD_USER,
            .state_out = true);
    REFUSED(OP_GROUP, "k STRING, v STRING", "k STRING, v BINARY", .keys = 1, .fold = FOLD_REDUCE);
    REFUSED(OP_GROUP, "k STRING", "k STRING", .keys = 1, .fold = FOLD_REDUCE);
    REFUSED(OP_GROUP, "k STRING, v STRING", "k STRING, c DOUBLE", .keys = 1, .fold = FOLD_COMBINE,
            .state_in = true);
    REFUSED(OP_GROUP, "k STRING, v STRING", "k STRING", .keys = 1, .fold = FOLD_COMBINE);
    REFUSED(OP_GROUP, "k STRING, v STRING", "k STRING, v ARRAY<STRING>", .keys = 1,
            .fold = FOLD_LIST, .state_in = true);
    REFUSED(OP_GROUP, "k STRING, v STRING", "k STRING, v ARRAY<STRUCT<v STRING>>", .keys = 1,
            .fold = FOLD_LIST);
    REFUSED(OP_GROUP, "k STRING", "k STRING", .keys = 1, .fold = FOLD_LIST);
}

/* A row for no rows at all has no key. */
static void test_always(void **state)
{
    (void)state;
    struct op op = test_op(&arena, OP_GROUP, "k STRING, n BIGINT", "k STRING, n BIGINT");
    op.fold = FOLD_MAX;
    op.always = true;
    assert_true(beck__op_fits(&op));
    op.keys = 1;
    assert_false(beck__op_fits(&op));
}

static void test_project(void **state)
{
    (void)state;
    const uint32_t columns[] = {1, 0, 1};
    struct op op =
        test_op(&arena, OP_PROJECT, "a STRING, b BIGINT", "x BIGINT, y STRING, z BIGINT");
    op.columns = columns;
    op.column_count = 3;
    assert_true(beck__op_fits(&op));
    op.column_count = 2;
    assert_false(beck__op_fits(&op));
    op.column_count = 3;
    op.columns = (const uint32_t[]){0, 1, 1};
    assert_false(beck__op_fits(&op));
    op.columns = (const uint32_t[]){1, 0, 2};
    assert_false(beck__op_fits(&op));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_samples_fit, open, close),
        cmocka_unit_test_setup_teardown(test_numbers, open, close),
        cmocka_unit_test_setup_teardown(test_schemas, open, close),
        cmocka_unit_test_setup_teardown(test_cogroup_and_join, open, close),
        cmocka_unit_test_setup_teardown(test_other_joins, open, close),
        cmocka_unit_test_setup_teardown(test_order, open, close),
        cmocka_unit_test_setup_teardown(test_groups, open, close),
        cmocka_unit_test_setup_teardown(test_always, open, close),
        cmocka_unit_test_setup_teardown(test_project, open, close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
