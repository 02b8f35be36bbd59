/* SPDX-License-Identifier: Apache-2.0 */
/* Which slices windows keep, and what their nodes look like. */
#include "rdd/testing.h"

static const beck_window_args at = {.site = {"wc.c", 7}};

static void windows_of_a_node_share_its_slices(void **state)
{
    struct fixture *f = *state;
    struct node *lines = source(f, "line STRING");
    struct windowing longer = {1000, 6000, 2000}, shorter = {1000, 2000, 1000};

    beck__node_window(&f->graph, lines, &longer, &at);
    beck__node_window(&f->graph, lines, &shorter, &at);
    assert_non_null(lines->kept);
    assert_ptr_equal(f->graph.first_kept, lines->kept);
    assert_null(lines->kept->next);
    assert_int_equal(lines->kept->keep_ms, 6000);
}

/* Length 2, slide 3, from zero: 2 and 3, 5 and 6, ... */
static void slices_in_a_gap_are_not_needed(void **state)
{
    struct fixture *f = *state;
    struct node *lines = source(f, "line STRING");
    struct windowing windowing = {1000, 2000, 3000};

    beck__node_window(&f->graph, lines, &windowing, &at);
    for (int64_t t = 1; t < 20; t++)
        assert_int_equal(beck__kept_needed(lines->kept, 500, 500 + t * 1000), t % 3 != 1);
}

/* What a window keeps of a reduce are the states behind the shuffle. */
static void windows_keep_what_the_shuffle_leaves(void **state)
{
    struct fixture *f = *state;
    struct node *pairs = source(f, "word STRING, n BIGINT");
    struct windowing windowing = {1000, 2000, 1000};
    beck_reduce_window_args args = {.reducer = {.aggregate = beck_avg}, .site = {"wc.c", 8}};
    struct text text = {.memory = f->arena.memory};

    struct node *node = beck__node_reduce_by_key_and_window(&f->graph, pairs, &windowing, &args);
    assert_string_equal(schema_of(f, node), "word STRING, n DOUBLE");
    assert_null(f->graph.first_kept);
    assert_int_equal(node->kind, NODE_ADVANCE);
    assert_ptr_equal(f->graph.first_stateful, node->stateful);
    assert_int_equal(node->stateful->program->ops[0].slices, 2);
    beck__node_print(node, &text);
    assert_non_null(strstr(beck__text_get(&text), "kernel, keeps (n STRUCT<"));
    assert_non_null(strstr(beck__text_get(&text), "window of 2000 ms every 1000 ms"));
    beck__text_deinit(&text);
}

/* Lists are not folded twice: their slices stay as they left the shuffle. */
static void lists_of_a_window_are_made_of_its_slices(void **state)
{
    struct fixture *f = *state;
    struct node *pairs = source(f, "word STRING, n BIGINT");
    struct windowing windowing = {1000, 2000, 1000};

    struct node *node = beck__node_group_by_key_and_window(&f->graph, pairs, &windowing, &at);
    assert_string_equal(schema_of(f, node), "word STRING, n ARRAY<BIGINT>");
    assert_int_equal(f->graph.first_kept->node->kind, NODE_SHUFFLE);
    assert_true(node->base->window->aligned);
    assert_null(f->graph.first_stateful);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(windows_of_a_node_share_its_slices, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(slices_in_a_gap_are_not_needed, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(windows_keep_what_the_shuffle_leaves, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(lists_of_a_window_are_made_of_its_slices, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
