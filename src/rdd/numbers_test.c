/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numbers_test - what statistics and histograms refuse. What they give is tested in session.
 */
#include "rdd/testing.h"

#include <math.h>

static void test_types(void **state)
{
    struct fixture *f = *state;
    struct graph *g = &f->graph;
    const beck_none_args none = {SITE};
    static const double edges[] = {1, 2};
    const beck_histogram_args histogram = {.edges = edges, .edge_count = 2, SITE};
    struct node *words = source(f, "word STRING, n BIGINT");

    assert_error(f, beck__node_stats(g, words, &none), BECK_TYPE,
                 "stats at wc.c:17: the first column, \"word\", is STRING");
    assert_error(f, beck__node_histogram(g, words, &histogram), BECK_TYPE,
                 "histogram at wc.c:17: the first column");
    assert_non_null(beck__node_stats(g, source(f, "x DOUBLE, word STRING"), &none));
    assert_error(f, beck__node_last_by_key(g, source(f, "n BIGINT"), &none), BECK_TYPE,
                 "collect_as_map at wc.c:17: needs a key");
    assert_null(beck__node_stats(g, NULL, &none));
}

static void test_edges(void **state)
{
    struct fixture *f = *state;
    struct node *numbers = source(f, "n BIGINT");
    static const double bad[][3] = {{1, 1, 2}, {2, 1, 3}, {1, 2, 2}, {1, (double)NAN, 3}};

    for (size_t i = 0; i < BECK__COUNT_OF(bad); i++) {
        const beck_histogram_args args = {.edges = bad[i], .edge_count = 3, SITE};
        assert_error(f, beck__node_histogram(&f->graph, numbers, &args), BECK_INVALID,
                     "3 edges; give at least two, each larger than the one before");
    }
    const beck_histogram_args one = {.edges = bad[0], .edge_count = 1, SITE};
    assert_error(f, beck__node_histogram(&f->graph, numbers, &one), BECK_INVALID, "1 edges");
    const beck_histogram_args none = {SITE};
    assert_error(f, beck__node_histogram(&f->graph, numbers, &none), BECK_INVALID, "0 edges");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_types, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_edges, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
