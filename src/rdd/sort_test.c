/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sort_test - what sorting is made of, how the order is read, and what is refused. Rows are sorted
 * in the tests of exec, of engine/local and of session.
 */
#include "rdd/testing.h"

#include "data/testing.h"

static const struct op *last_op(const struct node *node)
{
    assert_non_null(node);
    return &node->fused->ops[node->fused->count - 1];
}

static struct node *by(struct fixture *f, struct node *in, const char *text, bool descending)
{
    return beck__node_sort_by(
        &f->graph, in,
        &(const beck_sort_args){
            .by = text, .descending = descending, .partitions = 3, .site = {"src/wc.c", 17}});
}

static void check_order(const struct op *op, uint32_t count, uint32_t first, uint32_t second)
{
    assert_int_equal(op->kind, OP_SORT);
    assert_int_equal(op->column_count, count);
    assert_int_equal(op->columns[0], first);
    if (count > 1)
        assert_int_equal(op->columns[1], second);
}

static void test_orders(void **state)
{
    struct fixture *f = *state;
    struct node *in = source(f, "word STRING, n BIGINT");

    check_order(last_op(by(f, in, "n DESC, word", false)), 2, 3, 0);
    check_order(last_op(by(f, in, " n  desc ,word asc", true)), 2, 2, 1);
    check_order(last_op(by(f, in, "word", true)), 1, 1, 0);
    struct node *node = by(f, in, "n", false);
    assert_int_equal(node->keys, 1);
    assert_string_equal(schema_of(f, node), "word STRING, n BIGINT");
    assert_int_equal(node->base->kind, NODE_SHUFFLE);
    assert_int_equal(node->base->partitioning.kind, PARTITION_RANGE);
    assert_int_equal(node->base->partitioning.count, 3);
    check_order(last_op(node->base->parents[0]), 1, 2, 0);
    node = beck__node_sort_by_key(
        &f->graph, in, &(const beck_sort_key_args){.descending = true, .site = {"src/wc.c", 17}});
    check_order(last_op(node), 1, 1, 0);
    assert_int_equal(node->base->partitioning.count, 8);
    const beck_ordered_args top = {.n = 5, SITE};
    node = beck__node_ordered(&f->graph, in, "top", &top, true);
    check_order(last_op(node), 2, 1, 3);
    assert_int_equal(last_op(node)->number, 5);
    assert_int_equal(node->base->partitioning.kind, PARTITION_SINGLE);
    assert_int_equal(f->error.status, BECK_OK);
}

static void test_text(void **state)
{
    struct fixture *f = *state;
    struct node *node = by(f, source(f, "word STRING, n BIGINT"), "n", false);
    struct text text = {.memory = f->arena.memory};

    beck__node_print(node->base, &text);
    assert_string_equal(beck__text_get(&text),
                        "sort_by at wc.c:17  shuffle to 3 partitions by range"
                        "  (word STRING, n BIGINT)");
    beck__text_clear(&text);
    beck__node_print(node, &text);
    assert_string_equal(beck__text_get(&text),
                        "sort_by at wc.c:17  kernel  (word STRING, n BIGINT)");
    beck__text_clear(&text);
    node = beck__node_zip_with_index(&f->graph, node, &(const beck_none_args){SITE});
    beck__node_print(node->base, &text);
    assert_non_null(strstr(beck__text_get(&text), "  keeps its partitions and counts them  ("));
    beck__text_deinit(&text);
}

/* The key of the callback is not left. */
static void test_callback(void **state)
{
    struct fixture *f = *state;
    struct node *in = source(f, "word STRING, n BIGINT");
    const beck_sort_args args = {.by = "x DOUBLE, y STRING", .fn = nop, SITE};
    struct node *node = beck__node_sort_by(&f->graph, in, &args);

    assert_string_equal(schema_of(f, node), "word STRING, n BIGINT");
    assert_int_equal(last_op(node)->kind, OP_PROJECT);
    check_order(last_op(node) - 1, 2, 0, 2);
}

static void test_refused(void **state)
{
    static const char *const bad[] = {"x", "n DOWN", "n DESC DESC", "n,,x", "DESC"};
    struct fixture *f = *state;
    struct node *in = source(f, "word STRING, n BIGINT");

    for (size_t i = 0; i < BECK__COUNT_OF(bad); i++)
        assert_error(f, by(f, in, bad[i], false), BECK_INVALID,
                     "sort_by at wc.c:17: cannot sort by ");
    assert_error(f, by(f, in, "", false), BECK_INVALID, "no column to sort by");
    assert_error(f, by(f, in, NULL, false), BECK_INVALID, "nothing to sort by is given");
    const beck_sort_key_args many = {.partitions = -2, SITE};
    assert_error(f, beck__node_sort_by_key(&f->graph, in, &many), BECK_INVALID, "-2 partitions");
    const beck_sort_args schema = {.by = "x DUBLE", .fn = nop, SITE};
    assert_error(f, beck__node_sort_by(&f->graph, in, &schema), BECK_INVALID, "sort_by at wc.c:17");
    assert_null(by(f, NULL, "n", false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_orders, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_text, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_callback, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_refused, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
