/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair_test - the schemas and keys of operators on whole partitions, and what they refuse. Their
 * rows are tested in engine/local, session and by the conformance vectors.
 */
#include "rdd/testing.h"

static const beck_none_args none = {.site = {"src/wc.c", 17}};

static void check(struct fixture *f, const struct node *node, uint32_t keys, const char *schema)
{
    assert_string_equal(schema_of(f, node), schema);
    assert_int_equal(node->keys, keys);
}

static void test_schemas(void **state)
{
    struct fixture *f = *state;
    struct graph *g = &f->graph;
    struct node *a = source(f, "user STRING, n BIGINT"), *b = source(f, "n BIGINT");

    check(f, beck__node_zip(g, a, b, &none), 2, "user STRING, n BIGINT, n_right BIGINT");
    check(f, beck__node_cartesian(g, b, a, &none), 1, "n BIGINT, user STRING, n_right BIGINT");
    check(f, beck__node_zip_with_index(g, a, &none), 2, "user STRING, n BIGINT, index BIGINT");
    struct node *twice =
        beck__node_zip_with_index(g, beck__node_zip_with_index(g, b, &none), &none);
    check(f, twice, 2, "n BIGINT, index BIGINT, index_right BIGINT");
    check(f, beck__node_coalesce(g, a, &(const beck_repartition_args){.partitions = 2, SITE}), 1,
          "user STRING, n BIGINT");
    const beck_lookup_args key = {.key = beck_text_value("a"), SITE};
    check(f, beck__node_lookup(g, a, &key), 1, "n BIGINT");
    check(f, beck__node_keys(g, a, &none), 1, "user STRING");
    check(f, beck__node_values(g, a, &none), 1, "n BIGINT");
    assert_int_equal(f->error.status, BECK_OK);
}

/* What is counted already needs no stage of its own. */
static void test_index_of_counted(void **state)
{
    struct fixture *f = *state;
    struct graph *g = &f->graph;
    struct node *in = source(f, "n BIGINT");
    struct node *spread =
        beck__node_repartition(g, in, &(const beck_repartition_args){.partitions = 3, SITE});

    assert_ptr_equal(beck__node_zip_with_index(g, spread, &none)->base, spread);
    struct node *kept = beck__node_zip_with_index(g, in, &none)->base;
    assert_int_equal(kept->partitioning.kind, PARTITION_SAME);
    assert_ptr_equal(kept->parents[0], in);
}

static void test_refused(void **state)
{
    struct fixture *f = *state;
    struct graph *g = &f->graph;
    struct node *pair = source(f, "user STRING, n BIGINT"), *single = source(f, "n BIGINT");
    const beck_repartition_args partitions[] = {
        {SITE}, {.partitions = -3, SITE}, {.partitions = 70000, SITE}};

    assert_error(f, beck__node_coalesce(g, pair, &partitions[0]), BECK_INVALID,
                 "coalesce at wc.c:17: 0 partitions");
    assert_error(f, beck__node_coalesce(g, pair, &partitions[1]), BECK_INVALID, "-3 partitions");
    assert_error(f, beck__node_coalesce(g, pair, &partitions[2]), BECK_INVALID, "70000 partitions");
    assert_error(f, beck__node_values(g, single, &none), BECK_TYPE,
                 "values at wc.c:17: needs a key");
    const beck_lookup_args keys[] = {{.key = beck_integer_value(1), SITE},
                                     {.key = beck_text_value("a"), SITE}};
    assert_error(f, beck__node_lookup(g, pair, &keys[0]), BECK_TYPE,
                 "lookup at wc.c:17: the key: ");
    assert_error(f, beck__node_lookup(g, single, &keys[1]), BECK_TYPE, "needs a key and a value");
    const beck_group_by_args group = {.key = "user, n", SITE};
    assert_error(f, beck__node_group_by(g, pair, &group), BECK_TYPE, "group_by at wc.c:17: ");
    assert_null(beck__node_zip(g, NULL, pair, &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_schemas, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_index_of_counted, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_refused, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
