/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wide_test - schemas, steps and type errors of the operators with a shuffle.
 */
#include "rdd/testing.h"

static struct node *by_key(struct fixture *f, struct node *parent, const beck_aggregate *aggregate)
{
    return beck__node_reduce_by_key(
        &f->graph, parent,
        &(const beck_reduce_args){.reducer = beck__by_aggregate(aggregate), SITE});
}

static void test_aggregates(void **state)
{
    struct fixture *f = *state;
    struct node *in = source(f, "k STRING, a BIGINT, b DOUBLE");

    assert_string_equal(schema_of(f, by_key(f, in, beck_sum)), "k STRING, a BIGINT, b DOUBLE");
    assert_string_equal(schema_of(f, by_key(f, in, beck_avg)), "k STRING, a DOUBLE, b DOUBLE");
    assert_string_equal(schema_of(f, by_key(f, in, beck_count)), "k STRING, a BIGINT, b BIGINT");
    assert_string_equal(schema_of(f, by_key(f, in, beck_distinct)),
                        "k STRING, a ARRAY<BIGINT>, b ARRAY<DOUBLE>");
    assert_error(f, by_key(f, source(f, "k STRING, word STRING"), beck_sum), BECK_TYPE,
                 "reduce_by_key at wc.c:17: sum takes BIGINT and DOUBLE, but column \"word\" is "
                 "STRING");
}

static void test_own_aggregates(void **state)
{
    struct fixture *f = *state;
    struct node *in = source(f, "k STRING, a BIGINT, b STRING");
    beck_aggregate own = {
        .name = "own", .state_size = 8, .step = step, .merge = merge, .value = value};

    struct node *node = by_key(f, in, &own);
    assert_string_equal(schema_of(f, node), "k STRING, a BIGINT, b STRING");
    assert_string_equal(schema_of(f, node->parents[0]), "k STRING, a BINARY, b BINARY");
    own.result = "ARRAY<DOUBLE>";
    assert_string_equal(schema_of(f, by_key(f, in, &own)),
                        "k STRING, a ARRAY<DOUBLE>, b ARRAY<DOUBLE>");
    own.result = "ARRAY<DUOBLE>";
    assert_error(f, by_key(f, in, &own), BECK_INVALID,
                 "reduce_by_key at wc.c:17: result of aggregate \"own\": ");
    own.result = NULL;
    own.state_size = 70000;
    assert_error(f, by_key(f, in, &own), BECK_INVALID,
                 "reduce_by_key at wc.c:17: the state of aggregate \"own\" has 70000 bytes");
    own.state_size = 0;
    own.merge = NULL;
    assert_error(f, by_key(f, in, &own), BECK_INVALID,
                 "reduce_by_key at wc.c:17: the aggregate \"own\" has no .merge");
    assert_error(f, by_key(f, in, NULL), BECK_INVALID, "the function is NULL");
    assert_error(f,
                 beck__node_reduce(&f->graph, in,
                                   &(const beck_reduce_args){
                                       .reducer = beck__by_aggregate(beck_top), .n = -3, SITE}),
                 BECK_INVALID, "reduce at wc.c:17: .n is -3");
}

static void test_reduce(void **state)
{
    struct fixture *f = *state;
    struct node *in = source(f, "a BIGINT, b DOUBLE");
    const beck_reduce_args top = {.reducer = beck__by_aggregate(beck_top), .n = 3, SITE},
                           ten = {.reducer = beck__by_aggregate(beck_top), SITE};

    struct node *node = beck__node_reduce(&f->graph, in, &top);
    assert_string_equal(schema_of(f, node), "a ARRAY<BIGINT>, b ARRAY<DOUBLE>");
    assert_int_equal(node->keys, 1);
    assert_int_equal(node->fused->ops[0].keys, 0);
    assert_int_equal(node->fused->ops[0].number, 3);
    assert_int_equal(node->parents[0]->partitioning.kind, PARTITION_SINGLE);
    assert_int_equal(beck__node_reduce(&f->graph, in, &ten)->fused->ops[0].number, 10);
}

static void test_three_steps(void **state)
{
    struct fixture *f = *state;
    struct node *out = by_key(f, source(f, "k STRING, n BIGINT"), beck_avg);
    struct node *shuffle = out->parents[0], *partial = shuffle->parents[0];

    assert_int_equal(shuffle->kind, NODE_SHUFFLE);
    assert_int_equal(shuffle->partitioning.kind, PARTITION_HASH);
    assert_int_equal(shuffle->partitioning.count, 8);
    assert_true(shuffle->hidden && partial->hidden && !out->hidden);
    assert_true(partial->fused->ops[0].state_out);
    assert_true(out->fused->ops[0].state_in);
    assert_string_equal(schema_of(f, partial), "k STRING, n STRUCT<sum DOUBLE, n BIGINT>");
}

static void test_callbacks(void **state)
{
    struct fixture *f = *state;
    struct node *in = source(f, "k STRING, n BIGINT");

    struct node *reduced = beck__node_reduce_by_key(
        &f->graph, in,
        &(const beck_reduce_args){.reducer = beck__by_callback(fold), .partitions = 3, SITE});
    assert_int_equal(reduced->fused->ops[0].fold, FOLD_REDUCE);
    assert_int_equal(reduced->parents[0]->partitioning.count, 3);

    beck_combine_args args = {.schema = "sum DOUBLE, n BIGINT",
                              .create = nop,
                              .merge_value = fold,
                              .merge_combiners = fold,
                              SITE};
    struct node *combined = beck__node_combine_by_key(&f->graph, in, &args);
    assert_string_equal(schema_of(f, combined), "k STRING, sum DOUBLE, n BIGINT");
    assert_int_equal(combined->parents[0]->parents[0]->kind, NODE_NARROW);
    args.no_map_side = true;
    assert_ptr_equal(beck__node_combine_by_key(&f->graph, in, &args)->parents[0]->parents[0], in);
    args.merge_value = NULL;
    assert_error(f, beck__node_combine_by_key(&f->graph, in, &args), BECK_INVALID,
                 "needs .create, .merge_value and .merge_combiners");
}

static void test_groups_and_counts(void **state)
{
    struct fixture *f = *state;
    const beck_group_args group = {SITE};
    const beck_none_args none = {SITE};
    struct node *pair = source(f, "k STRING, n BIGINT"),
                *wide = source(f, "k STRING, n BIGINT, m DOUBLE");

    assert_string_equal(schema_of(f, beck__node_group_by_key(&f->graph, pair, &group)),
                        "k STRING, n ARRAY<BIGINT>");
    assert_string_equal(schema_of(f, beck__node_group_by_key(&f->graph, wide, &group)),
                        "k STRING, values ARRAY<STRUCT<n BIGINT, m DOUBLE>>");
    struct node *values = beck__node_count_by_value(&f->graph, pair, &group);
    assert_string_equal(schema_of(f, values), "k STRING, n BIGINT, count BIGINT");
    assert_int_equal(values->keys, 2);
    struct node *count = beck__node_count(&f->graph, pair, &none);
    assert_string_equal(schema_of(f, count), "count BIGINT");
    assert_true(count->fused->ops[0].always && count->needs_rdd);
    assert_int_equal(count->parents[0]->partitioning.count, 1);
}

static void test_partitions(void **state)
{
    struct fixture *f = *state;
    struct node *in = source(f, "n BIGINT");
    beck_repartition_args args = {.partitions = 5, SITE};

    struct node *five = beck__node_repartition(&f->graph, in, &args);
    assert_int_equal(five->partitioning.kind, PARTITION_ROUND_ROBIN);
    assert_int_equal(five->partitioning.count, 5);
    args.partitions = 0;
    assert_error(f, beck__node_repartition(&f->graph, in, &args), BECK_INVALID, "0 partitions");
    args.partitions = -1;
    assert_error(f, beck__node_repartition(&f->graph, in, &args), BECK_INVALID, "-1 partitions");
    assert_error(f, by_key(f, in, beck_sum), BECK_TYPE, "needs a key and a value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_aggregates, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_own_aggregates, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_reduce, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_three_steps, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_callbacks, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_groups_and_counts, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_partitions, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
