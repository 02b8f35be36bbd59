/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values: exact integers, order, sorting by type, shortening. */
#include "base/testing.h"
#include "cli/inside.h"

static int order(const char *a, const char *b)
{
    struct json_object *x = json_tokener_parse(a), *y = json_tokener_parse(b);
    int result = beck__json_compare(x, y);

    json_object_put(x);
    json_object_put(y);
    return (result > 0) - (result < 0);
}

static void integers_are_exact(void **state)
{
    (void)state;
    assert_int_equal(order("9223372036854775807", "9223372036854775806"), 1);
    assert_int_equal(order("9007199254740993", "9007199254740992"), 1);
    assert_int_equal(order("-9223372036854775808", "-9223372036854775807"), -1);
    assert_int_equal(order("[1, 2]", "[1, 2]"), 0);
}

static void order_is_by_bytes_and_elements(void **state)
{
    (void)state;
    assert_int_equal(order("\"a\"", "\"b\""), -1);
    assert_int_equal(order("\"a\"", "\"aa\""), -1);
    assert_int_equal(order("\"\\u00e4\"", "\"z\""), 1);
    assert_int_equal(order("\"a\\u0000b\"", "\"a\""), 1);
    assert_int_equal(order("[1]", "[1, 0]"), -1);
    assert_int_equal(order("[2]", "[1, 0]"), 1);
    assert_int_equal(order("null", "null"), 0);
    assert_true(order("1", "\"1\"") != 0);
    assert_true(order("true", "false") != 0);
}

static void sorted(const char *json, const struct type *type, const char *wanted)
{
    struct json_object *value = json_tokener_parse(json);
    char text[200];

    beck__json_sort_lists(value, type);
    beck__json_show(value, text, sizeof text);
    assert_string_equal(text, wanted);
    json_object_put(value);
}

static void only_lists_are_sorted(void **state)
{
    static const struct type number = {TYPE_NUMBER, NULL, NULL};
    static const struct type numbers = {TYPE_LIST, &number, NULL};
    static const struct type pair = {TYPE_PAIR, &number, &numbers};
    static const struct type pairs = {TYPE_LIST, &pair, NULL};

    (void)state;
    sorted("[3,1,2]", &numbers, "[1,2,3]");
    sorted("[9,[3,1,2]]", &pair, "[9,[1,2,3]]");
    sorted("[[9,[3,1]],[2,[]],[9,[1,2]]]", &pairs, "[[2,[]],[9,[1,2]],[9,[1,3]]]");
    sorted("7", &pairs, "7");
}

static void fields_of_any_kind(void **state)
{
    struct json_object *object = json_tokener_parse("{\"n\": -5, \"t\": \"x\", \"b\": true}");

    (void)state;
    assert_true(beck__json_number(object, "n", 1) == -5);
    assert_true(beck__json_number(object, "t", 1) == 1);
    assert_string_equal(beck__json_text(object, "t"), "x");
    assert_null(beck__json_text(object, "n"));
    assert_true(beck__json_truth(object, "b"));
    assert_false(beck__json_truth(object, "absent"));
    assert_null(beck__json_get(NULL, "n"));
    json_object_put(object);
}

static void long_values_are_shortened(void **state)
{
    struct json_object *list = json_tokener_parse("[1,2,3,4,5,6,7,8,9]");
    char text[12];

    (void)state;
    beck__json_show(list, text, sizeof text);
    assert_string_equal(text, "[1,2,3,4...");
    json_object_put(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(order_is_by_bytes_and_elements),
        cmocka_unit_test(only_lists_are_sorted),
        cmocka_unit_test(fields_of_any_kind),
        cmocka_unit_test(long_values_are_shortened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
