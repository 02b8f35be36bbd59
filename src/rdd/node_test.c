/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_test - instances of nodes: made once per stamp, none where the source has none, errors
 * named; and the text of a node.
 */
#include "rdd/testing.h"

static void twice(beck_call *c, beck_row row)
{
    beck_emit(c, 2 * beck_get_bigint(row, 0));
}

struct world {
    struct engine *engine;
    struct stamp stamp;
    struct log log;
};

static void open_world(struct world *w, struct fixture *f)
{
    struct engine_options options = {
        .threads = 1, .attempts = 1, .inline_all = true, .received_split_bytes = 1 << 20};

    w->log = (struct log){.os = f->graph.os};
    w->engine = beck__engine_local(f->graph.os, &options, &w->log, &f->error);
    assert_non_null(w->engine);
    w->stamp = (struct stamp){.engine = w->engine, .arena = &f->arena};
    w->stamp.scope = w->engine->scope_new(w->engine, 0);
}

static void close_world(struct world *w)
{
    w->engine->scope_free(w->engine, w->stamp.scope);
    w->engine->close(w->engine);
}

static void test_instances(void **state)
{
    struct fixture *f = *state;
    struct world w;
    struct dataset *empty, *sources[1], *first = NULL, *again = NULL;
    struct node *in = source(f, "n BIGINT");
    struct node *out = beck__node_map(
        &f->graph, in, MAP_MAP, &(const beck_map_args){.schema = "n BIGINT", .fn = twice, SITE});

    open_world(&w, f);
    empty = w.engine->from_values(w.stamp.scope, in->schema, NULL, 0);
    sources[0] = empty;
    w.stamp.sources = sources;
    w.stamp.source_count = 1;
    assert_int_equal(beck__node_dataset(&w.stamp, out, &first, &f->error), BECK_OK);
    assert_int_equal(beck__node_dataset(&w.stamp, out, &again, &f->error), BECK_OK);
    assert_non_null(first);
    assert_ptr_equal(first, again);
    assert_int_equal(w.engine->partitions(first), 0);
    close_world(&w);
}

/* A source without an RDD: map passes it on, count needs one. */
static void test_none(void **state)
{
    struct fixture *f = *state;
    struct world w;
    struct dataset *sources[1] = {NULL}, *dataset = NULL;
    struct node *in = source(f, "n BIGINT");
    struct node *mapped = beck__node_map(
        &f->graph, in, MAP_MAP, &(const beck_map_args){.schema = "n BIGINT", .fn = twice, SITE});
    struct node *count = beck__node_count(&f->graph, mapped, &(const beck_none_args){SITE});

    open_world(&w, f);
    w.stamp.sources = sources;
    w.stamp.source_count = 1;
    assert_int_equal(beck__node_dataset(&w.stamp, mapped, &dataset, &f->error), BECK_OK);
    assert_null(dataset);
    assert_int_equal(beck__node_dataset(&w.stamp, count, &dataset, &f->error), BECK_STATE);
    assert_non_null(strstr(f->error.text, "count at "));
    assert_non_null(strstr(f->error.text, "no RDD in this batch"));
    close_world(&w);
}

/* What follows a count is fused with it, and needs an RDD all the same; so does a union. */
static void test_none_behind(void **state)
{
    struct fixture *f = *state;
    struct world w;
    struct dataset *sources[1] = {NULL}, *dataset = NULL;
    const beck_map_args args = {.schema = "n BIGINT", .fn = twice, SITE};
    struct node *in = source(f, "n BIGINT");
    struct node *count = beck__node_count(&f->graph, in, &(const beck_none_args){SITE});
    struct node *both = beck__node_union(&f->graph, in, in, (beck_site){"src/wc.c", 18});

    open_world(&w, f);
    w.stamp.sources = sources;
    w.stamp.source_count = 1;
    struct node *out = beck__node_map(&f->graph, count, MAP_MAP, &args);
    assert_int_equal(beck__node_dataset(&w.stamp, out, &dataset, &f->error), BECK_STATE);
    assert_string_equal(f->error.text,
                        "count at wc.c:17: queue_stream at wc.c:3 has no RDD in this "
                        "batch, and this operator needs one; push an empty RDD "
                        "instead of NULL, or leave out .none_when_empty");
    beck__error_clear(&f->error);
    out = beck__node_map(&f->graph, both, MAP_MAP, &args);
    assert_int_equal(beck__node_dataset(&w.stamp, out, &dataset, &f->error), BECK_STATE);
    assert_non_null(strstr(f->error.text, "union at wc.c:18: "));
    beck__error_clear(&f->error);
    const beck_reduce_args sum = {.reducer = beck__by_aggregate(beck_sum), SITE};
    struct node *reduced = beck__node_reduce(&f->graph, in, &sum);
    assert_int_equal(beck__node_dataset(&w.stamp, reduced, &dataset, &f->error), BECK_OK);
    assert_null(dataset);
    close_world(&w);
}

/* The parents that have no RDD are NULL to the function, or an error. */
static beck_status count_none(struct node *node, struct stamp *stamp,
                              struct dataset *const *parents, struct dataset **dataset,
                              struct error *error)
{
    (void)stamp;
    (void)error;
    for (uint32_t i = 0; i < node->parent_count; i++)
        *(int *)node->user += parents[i] == NULL;
    *dataset = NULL;
    return BECK_OK;
}

static void test_made_of_none(void **state)
{
    struct fixture *f = *state;
    struct world w;
    struct dataset *sources[1] = {NULL}, *dataset = NULL;
    struct node *in = source(f, "n BIGINT"), *both[] = {in, in};
    beck_site site = {"src/wc.c", 18};
    int none = 0;

    assert_error(f, beck__node_made(&f->graph, "transform", site, "x BINT", both, 2), BECK_INVALID,
                 "transform at wc.c:18: schema: ");
    struct node *made = beck__node_made(&f->graph, "transform", site, "n BIGINT", both, 2);
    assert_non_null(made);
    made->make = count_none;
    made->user = &none;
    open_world(&w, f);
    w.stamp.sources = sources;
    w.stamp.source_count = 1;
    assert_int_equal(beck__node_dataset(&w.stamp, made, &dataset, &f->error), BECK_OK);
    assert_null(dataset);
    assert_int_equal(none, 2);
    made->needs_rdd = true;
    assert_int_equal(beck__node_dataset(&w.stamp, made, &dataset, &f->error), BECK_STATE);
    assert_non_null(strstr(f->error.text, " has no RDD in this batch"));
    assert_int_equal(none, 2);
    close_world(&w);
}

static beck_status no_plan(beck_ranges *ranges, const void *params, size_t size)
{
    (void)params;
    (void)size;
    return beck_ranges_error(ranges, BECK_NOT_FOUND, "nothing there");
}

static void test_plan_fails(void **state)
{
    static const beck_direct_class absent = {
        .name = "absent", .schema = "n BIGINT", .plan = no_plan};
    struct fixture *f = *state;
    struct world w;
    struct dataset *dataset = NULL;
    struct node *in = beck__node_ranges(&f->graph, "absent", (beck_site){"src/wc.c", 17}, &absent,
                                        beck_string(""));

    open_world(&w, f);
    assert_int_equal(beck__node_dataset(&w.stamp, in, &dataset, &f->error), BECK_NOT_FOUND);
    assert_string_equal(f->error.text, "absent at wc.c:17: nothing there");
    close_world(&w);
}

static void test_text(void **state)
{
    struct fixture *f = *state;
    struct text text = {.memory = f->arena.memory};
    struct node *in = source(f, "n BIGINT");
    struct node *out = beck__node_map(
        &f->graph, in, MAP_MAP,
        &(const beck_map_args){.schema = "n BIGINT", .fn = twice, SITE, .name = "double"});

    beck__node_name(out, &text);
    assert_string_equal(beck__text_get(&text), "map \"double\" at wc.c:17");
    beck__text_clear(&text);
    beck__node_print(out, &text);
    assert_non_null(strstr(beck__text_get(&text), "callback"));
    assert_non_null(strstr(beck__text_get(&text), "(n BIGINT)"));
    beck__text_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_instances, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_none, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_none_behind, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_made_of_none, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_plan_fails, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_text, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
