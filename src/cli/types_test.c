/* SPDX-License-Identifier: Apache-2.0 */
/* Types of elements: schema text, equality, inference, the end of the pool. */
#include "base/testing.h"
#include "cli/inside.h"

static struct types types;

static const struct type *inferred(const char *json)
{
    struct json_object *value = json_tokener_parse(json);
    const struct type *type = beck__cli_infer(&types, value);

    json_object_put(value);
    return type;
}

static void schema_is(const char *json, const char *wanted)
{
    char text[SCHEMA_BYTES];

    beck__cli_schema(inferred(json), text, sizeof text);
    assert_string_equal(text, wanted);
}

static void elements_have_schemas(void **state)
{
    (void)state;
    types.count = 0;
    schema_is("1", "v BIGINT");
    schema_is("\"a\"", "v STRING");
    schema_is("[1, \"a\"]", "k BIGINT, v STRING");
    schema_is("[[1, 2], \"a\"]", "k STRUCT<k BIGINT, v BIGINT>, v STRING");
    assert_null(inferred("1.5"));
    assert_null(inferred("null"));
    assert_null(inferred("[1]"));
    assert_null(inferred("[1, null]"));
}

static void lists_and_columns(void **state)
{
    char text[SCHEMA_BYTES];

    (void)state;
    types.count = 0;
    const struct type *pair = inferred("[1, \"a\"]");
    const struct type *list = beck__cli_type(&types, TYPE_LIST, pair, NULL);
    beck__cli_schema(list, text, sizeof text);
    assert_string_equal(text, "v ARRAY<STRUCT<k BIGINT, v STRING>>");
    beck__cli_column(pair, text, sizeof text);
    assert_string_equal(text, "v STRUCT<k BIGINT, v STRING>");
    assert_ptr_equal(beck__cli_value_type(pair), pair->second);
    assert_ptr_equal(beck__cli_value_type(list), list);
}

static void equality_looks_inside(void **state)
{
    (void)state;
    types.count = 0;
    assert_true(beck__cli_type_equal(inferred("[1, [2, \"a\"]]"), inferred("[7, [8, \"b\"]]")));
    assert_false(beck__cli_type_equal(inferred("[1, 2]"), inferred("[1, \"a\"]")));
    assert_false(beck__cli_type_equal(inferred("[1, 2]"), inferred("1")));
}

static void the_pool_ends(void **state)
{
    (void)state;
    types.count = 0;
    size_t made = 0;
    while (beck__cli_type(&types, TYPE_NUMBER, NULL, NULL))
        made++;
    assert_int_equal(made, 1000);
    assert_null(inferred("[1, 2]"));
    types.count = 0;
    assert_null(beck__cli_type(&types, TYPE_LIST, NULL, NULL));
    assert_null(beck__cli_type(&types, TYPE_PAIR, inferred("1"), NULL));
}

static void the_first_failure_sticks(void **state)
{
    struct failure failure = {0};

    (void)state;
    assert_false(beck__cli_misfit(&failure, "one %d", 1));
    assert_false(beck__cli_fail(&failure, "two"));
    assert_true(failure.set && failure.misfit);
    assert_string_equal(failure.text, "one 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_have_schemas),    cmocka_unit_test(lists_and_columns),
        cmocka_unit_test(equality_looks_inside),    cmocka_unit_test(the_pool_ends),
        cmocka_unit_test(the_first_failure_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
