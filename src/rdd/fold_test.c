/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fold_test - the schemas of folds from a zero on, and zeros that do not fit. What they give is
 * tested in exec and session.
 */
#include "rdd/testing.h"

static void check(struct fixture *f, const struct node *node, uint32_t keys, const char *schema)
{
    assert_string_equal(schema_of(f, node), schema);
    assert_int_equal(node->keys, keys);
}

static void test_zero(void **state)
{
    struct fixture *f = *state;
    struct graph *g = &f->graph;
    struct node *pair = source(f, "user STRING, n BIGINT"), *single = source(f, "n BIGINT");
    const beck_value cells[] = {beck_integer_value(1), beck_text_value("x")};
    beck_aggregate_args args = {.schema = "n BIGINT, s STRING",
                                .zero = beck_values_value(cells, 2),
                                .merge_value = fold,
                                .merge_combiners = fold,
                                SITE};

    check(f, beck__node_aggregate_by_key(g, pair, &args), 1, "user STRING, n BIGINT, s STRING");
    check(f, beck__node_aggregate(g, pair, &args), 1, "n BIGINT, s STRING");
    args.zero = beck_integer_value(1);
    assert_error(f, beck__node_aggregate_by_key(g, pair, &args), BECK_TYPE,
                 "aggregate_by_key at wc.c:17: the zero: give a beck_values_value of 2 values");
    args.schema = "x DOUBLE";
    args.zero = beck_text_value("one");
    assert_error(f, beck__node_aggregate(g, pair, &args), BECK_TYPE, "the zero: ");
    args.zero = beck_integer_value(1);
    args.merge_value = NULL;
    assert_error(f, beck__node_aggregate(g, pair, &args), BECK_INVALID, "the function is NULL");
    beck_fold_args by = {.zero = beck_integer_value(1), .fn = fold, .partitions = -1, SITE};
    assert_error(f, beck__node_fold_by_key(g, pair, &by), BECK_INVALID, "-1 partitions");
    by.partitions = 0;
    assert_error(f, beck__node_fold_by_key(g, single, &by), BECK_TYPE, "needs a key and a value");
    check(f, beck__node_fold_by_key(g, pair, &by), 1, "user STRING, n BIGINT");
    check(f, beck__node_fold(g, single, &by), 1, "n BIGINT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_zero, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
