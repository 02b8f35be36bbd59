/* SPDX-License-Identifier: Apache-2.0 */
/* The vocabulary: which functions there are, and what they fit. What they do is in conform_test. */
#include "base/testing.h"
#include "cli/inside.h"

static void every_name_is_found(void **state)
{
    static const char *const values[] = {
        "identity",      "to_string", "plus_4", "plus_8",   "plus_10",  "negate",    "mod_10",
        "times_1000003", "one",       "length", "to_upper", "sum_list", "count_list"};
    static const char *const predicates[] = {"even", "value_positive", "value_not_0",
                                             "longer_than_3"};
    static const char *const many[] = {"x_and_2x", "v_and_v_plus_10", "split_words", "each"};
    static const char *const pairings[] = {
        "pair_with_1",   "pair_with_x", "pair_with_self", "pair_with_length",
        "pair_by_mod_3", "key",         "value",          "swap"};
    const struct signature *signature;

    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(values); i++)
        assert_int_equal(beck__cli_value_function(values[i], &signature), i);
    for (size_t i = 0; i < BECK__COUNT_OF(predicates); i++)
        assert_int_equal(beck__cli_predicate(predicates[i], &signature), i);
    for (size_t i = 0; i < BECK__COUNT_OF(many); i++)
        assert_int_equal(beck__cli_many_function(many[i], &signature), i);
    for (size_t i = 0; i < BECK__COUNT_OF(pairings); i++)
        assert_int_equal(beck__cli_pairing(pairings[i], &signature), i);
    assert_int_equal(beck__cli_partition_function("count", &signature), 1);
    assert_int_equal(beck__cli_value_function("even", &signature), -1);
    assert_int_equal(beck__cli_pairing("pair", &signature), -1);
}

static void functions_fit_types(void **state)
{
    static const struct type number = {TYPE_NUMBER, NULL, NULL}, text = {TYPE_TEXT, NULL, NULL};
    static const struct type numbers = {TYPE_LIST, &number, NULL}, texts = {TYPE_LIST, &text, NULL};
    static const struct type pair = {TYPE_PAIR, &number, &text};

    (void)state;
    assert_true(beck__cli_fits(FITS_ANY, &pair));
    assert_true(beck__cli_fits(FITS_NUMBERS, &numbers));
    assert_false(beck__cli_fits(FITS_NUMBERS, &texts));
    assert_false(beck__cli_fits(FITS_NUMBERS, &number));
    assert_true(beck__cli_fits(FITS_LIST, &texts));
    assert_true(beck__cli_fits(FITS_SCALAR, &text));
    assert_false(beck__cli_fits(FITS_SCALAR, &pair));
    assert_false(beck__cli_fits(FITS_TEXT, &number));
}

static void reducers_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(beck__cli_reducer("add")->kernel, beck_sum);
    assert_ptr_equal(beck__cli_reducer("max")->kernel, beck_max);
    assert_false(beck__cli_reducer("plus_one")->same);
    assert_null(beck__cli_reducer("subtract"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_found),
        cmocka_unit_test(functions_fit_types),
        cmocka_unit_test(reducers_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
