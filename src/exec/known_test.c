/* SPDX-License-Identifier: Apache-2.0 */
/*
 * known_test - which functions have a kernel, and the types that folds take and give.
 */
#include "exec/testing.h"

static void test_aggregates(void **state)
{
    (void)state;
    assert_int_equal(beck__known_aggregate(beck_sum), FOLD_SUM);
    assert_int_equal(beck__known_aggregate(beck_min), FOLD_MIN);
    assert_int_equal(beck__known_aggregate(beck_max), FOLD_MAX);
    assert_int_equal(beck__known_aggregate(beck_avg), FOLD_AVG);
    assert_int_equal(beck__known_aggregate(beck_count), FOLD_COUNT);
    assert_int_equal(beck__known_aggregate(beck_distinct), FOLD_DISTINCT);
    assert_int_equal(beck__known_aggregate(beck_top), FOLD_TOP);
    const beck_aggregate copy = *beck_sum, own = {.name = "sum"}, odd = {.kernel = "median"};
    assert_int_equal(beck__known_aggregate(&copy), FOLD_SUM); /* by content */
    assert_int_equal(beck__known_aggregate(&own), FOLD_KINDS);
    assert_int_equal(beck__known_aggregate(&odd), FOLD_KINDS);
}

static void own_words(beck_call *c, beck_row in)
{
    beck_words(c, in);
}

static void test_row_functions(void **state)
{
    (void)state;
    assert_int_equal(beck__known_row_function(beck_words), OP_WORDS);
    assert_int_equal(beck__known_row_function(beck_lines), OP_LINES);
    assert_int_equal(beck__known_row_function(own_words), OP_COUNT);
    assert_int_equal(beck__known_row_function(NULL), OP_COUNT);
}

/* "state -> result", or the error's text. */
static const char *types(struct arena *arena, enum op_fold fold, const beck_aggregate *aggregate,
                         const char *column)
{
    struct field state = {0}, result = {0};
    struct error error = {0};
    struct text text = {.memory = arena->memory};
    const beck_schema *schema = test_schema(arena, column);
    if (beck__fold_types(arena, fold, aggregate, &schema->fields[0], &state, &result, &error))
        return beck__arena_printf(arena, "%s: %s", beck_status_name(error.status), error.text);
    const beck_schema a = {1, &state}, b = {1, &result};
    beck__schema_print(&a, &text);
    beck__text_add(&text, " -> ");
    beck__schema_print(&b, &text);
    const char *copy = beck__arena_text(arena, beck__text_get(&text));
    beck__text_deinit(&text);
    return copy;
}

static void test_types(void **state)
{
    (void)state;
    struct arena arena = {.memory = &beck__os_real()->memory};
    const beck_aggregate own = {.result = "ARRAY<BIGINT>"}, same = {0},
                         bad = {.name = "bad", .result = "BIGGINT"},
                         two = {.name = "two", .result = "BIGINT, b BIGINT"};
    static const struct {
        enum op_fold fold;
        const char *column, *expected;
    } cases[] = {
        {FOLD_SUM, "n BIGINT", "n BIGINT -> n BIGINT"},
        {FOLD_SUM, "n DOUBLE", "n DOUBLE -> n DOUBLE"},
        {FOLD_SUM, "n STRING",
         "TYPE: sum takes BIGINT and DOUBLE, but column \"n\" is STRING; convert it with "
         "map_values before, or use another aggregate"},
        {FOLD_AVG, "n BIGINT", "n STRUCT<sum DOUBLE, n BIGINT> -> n DOUBLE"},
        {FOLD_AVG, "t TIMESTAMP",
         "TYPE: avg takes BIGINT and DOUBLE, but column \"t\" is TIMESTAMP; convert it with "
         "map_values before, or use another aggregate"},
        {FOLD_MIN, "s STRING", "s STRING -> s STRING"},
        {FOLD_MAX, "s ARRAY<BIGINT>", "s ARRAY<BIGINT> -> s ARRAY<BIGINT>"},
        {FOLD_COUNT, "s STRING", "s BIGINT -> s BIGINT"},
        {FOLD_DISTINCT, "s STRING", "s ARRAY<STRING> -> s ARRAY<STRING>"},
        {FOLD_TOP, "s STRUCT<a BIGINT>", "s ARRAY<STRUCT<a BIGINT>> -> s ARRAY<STRUCT<a BIGINT>>"},
        {FOLD_REDUCE, "s STRING", "s STRING -> s STRING"},
    };
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++)
        assert_string_equal(types(&arena, cases[i].fold, NULL, cases[i].column), cases[i].expected);
    assert_string_equal(types(&arena, FOLD_USER, &own, "s STRING"), "s BINARY -> s ARRAY<BIGINT>");
    assert_string_equal(types(&arena, FOLD_USER, &same, "s STRING"), "s BINARY -> s STRING");
    assert_contains(types(&arena, FOLD_USER, &bad, "s STRING"), "found \"BIGGINT\"");
    assert_contains(types(&arena, FOLD_USER, &two, "s STRING"),
                    "INVALID: aggregate \"two\": its result is not one type: BIGINT, b BIGINT");
    beck__arena_deinit(&arena);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct arena arena = {.memory = &os->memory};
    const beck_schema *schema = test_schema(&arena, "v STRING");
    struct field result, partial;
    for (int i = 0; i < 2; i++) {
        const beck_aggregate own = {.result = "BIGINT"};
        struct arena small = {.memory = &os->memory};
        struct error error = {0};
        beck__os_memory_fail(os, 1, true);
        beck_status status = beck__fold_types(&small, i ? FOLD_TOP : FOLD_USER, &own,
                                              &schema->fields[0], &partial, &result, &error);
        beck__os_memory_fail(os, 0, false);
        assert_int_equal(status, BECK_NO_MEMORY);
        assert_int_equal(error.status, BECK_NO_MEMORY);
        beck__arena_deinit(&small);
    }
    beck__arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_aggregates),
        test(test_row_functions),
        test(test_types),
        test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
