/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_test - the schemas of joins and cogroups, and what they refuse. Rows are joined in the tests
 * of session and by the conformance vectors.
 */
#include "rdd/testing.h"

#include <stdio.h>

static void same_schema(struct fixture *f, const struct node *node, const char *expected)
{
    assert_string_equal(schema_of(f, node), expected);
}

static void test_schemas(void **state)
{
    struct fixture *f = *state;
    struct node *a = source(f, "user STRING, n BIGINT");
    struct node *b = source(f, "who STRING, n BIGINT, page STRING");
    beck_join_args join = {SITE};
    beck_group_args group = {SITE};

    same_schema(f, beck__node_join(&f->graph, a, b, &join),
                "user STRING, n BIGINT, n_right BIGINT, page STRING");
    same_schema(f, beck__node_join(&f->graph, a, a, &join),
                "user STRING, n BIGINT, n_right BIGINT");
    struct node *twice = beck__node_join(&f->graph, a, a, &join);
    same_schema(f, beck__node_join(&f->graph, twice, a, &join),
                "user STRING, n BIGINT, n_right BIGINT, n_right_right BIGINT");
    same_schema(f, beck__node_cogroup(&f->graph, a, b, &group),
                "user STRING, n ARRAY<BIGINT>, values ARRAY<STRUCT<n BIGINT, page STRING>>");
    same_schema(f, beck__node_cogroup(&f->graph, a, a, &group),
                "user STRING, n ARRAY<BIGINT>, n_right ARRAY<BIGINT>");
    same_schema(f, beck__node_distinct(&f->graph, b, &group), "who STRING, n BIGINT, page STRING");
    assert_int_equal(f->error.status, BECK_OK);
}

/* A name of any length gets its "_right". */
static void test_long_names(void **state)
{
    struct fixture *f = *state;
    char schema[600] = "user STRING, ", expected[1200];
    beck_join_args join = {SITE};

    memset(schema + strlen(schema), 'n', 511);
    snprintf(expected, sizeof expected, "%s BIGINT, %s_right BIGINT", schema, strchr(schema, 'n'));
    strcat(schema, " BIGINT");
    struct node *a = source(f, schema);
    same_schema(f, beck__node_join(&f->graph, a, a, &join), expected);
}

static void test_of_many(void **state)
{
    struct fixture *f = *state;
    struct node *a = source(f, "user STRING, n BIGINT"), *b = source(f, "id STRING, x DOUBLE");
    struct node *other = source(f, "id BIGINT, x DOUBLE"), *list[] = {a, b, a, b, a};
    beck_group_args group = {SITE};

    same_schema(f, beck__node_cogroup_all(&f->graph, list, 3, &group),
                "user STRING, n ARRAY<BIGINT>, x ARRAY<DOUBLE>, n_right ARRAY<BIGINT>");
    same_schema(f, beck__node_cogroup_all(&f->graph, list, 4, &group),
                "user STRING, n ARRAY<BIGINT>, x ARRAY<DOUBLE>, n_right ARRAY<BIGINT>, "
                "x_right ARRAY<DOUBLE>");
    assert_int_equal(f->error.status, BECK_OK);
    assert_error(f, beck__node_cogroup_all(&f->graph, list, 5, &group), BECK_INVALID,
                 "cogroup at wc.c:17: of 5; give 2 to 4 streams or RDDs");
    assert_error(f, beck__node_cogroup_all(&f->graph, list, 1, &group), BECK_INVALID, "of 1; ");
    list[2] = other;
    assert_error(f, beck__node_cogroup_all(&f->graph, list, 3, &group), BECK_TYPE,
                 "the keys differ: (user STRING) and (id BIGINT)");
}

static void test_refused(void **state)
{
    struct fixture *f = *state;
    struct node *a = source(f, "user STRING, n BIGINT"), *b = source(f, "id BIGINT, x DOUBLE");
    struct node *key = source(f, "user STRING");
    beck_join_args join = {SITE};

    assert_error(f, beck__node_join(&f->graph, a, b, &join), BECK_TYPE,
                 "the keys differ: (user STRING) and (id BIGINT)");
    assert_error(f, beck__node_join(&f->graph, a, key, &join), BECK_TYPE, "join at wc.c:17: ");
    join.partitions = -1;
    assert_error(f, beck__node_join(&f->graph, a, a, &join), BECK_INVALID, "-1 partitions");
    join.partitions = 0;
    join.kind = (beck_join_kind)4;
    assert_error(f, beck__node_join(&f->graph, a, a, &join), BECK_INVALID, ".kind is 4");
    assert_null(beck__node_join(&f->graph, a, NULL, &(beck_join_args){SITE}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_schemas, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_long_names, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_of_many, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_refused, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
