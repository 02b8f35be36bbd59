/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_test - graphs of several operators, run by an engine: what they say is what comes out, on
 * every engine that the lab has.
 */
#include "engine/testing.h"
#include "rdd/testing.h"

struct world {
    struct lab lab;
    struct fixture f;
    struct stamp stamp;
};

static void open(struct world *w, struct engine_options options)
{
    lab_open(&w->lab, options);
    memset(&w->f, 0, sizeof w->f);
    beck__arena_init(&w->f.arena, &w->lab.os->memory);
    w->f.graph = (struct graph){
        .arena = &w->f.arena, .os = w->lab.os, .error = &w->f.error, .partitions = 3};
    w->stamp = (struct stamp){
        .engine = w->lab.engine, .scope = w->lab.scope, .arena = &w->f.arena, .batch_ms = 5000};
}

static void close(struct world *w)
{
    beck__arena_deinit(&w->f.arena);
    lab_close(&w->lab);
}

static const char *run(struct world *w, struct node *node)
{
    struct dataset *dataset = NULL;
    if (w->f.error.status)
        print_error("%s\n", w->f.error.text);
    assert_non_null(node);
    assert_ok(beck__node_dataset(&w->stamp, node, &dataset, &w->f.error), w->f.error);
    lab_run(&w->lab, dataset, NULL);
    return lab_text(&w->lab);
}

/* ---- sources --------------------------------------------------------------------------------- */

static struct blocks lists[2];

static struct node *values(struct world *w, const char *first, const char *second)
{
    const char *const lines[] = {first, second};
    const beck_schema *schema = test_schema(&w->f.arena, "line STRING");
    struct builder b;
    beck__builder_init(&b, &w->lab.os->memory, schema, 0, NULL);
    for (int p = 0; p < 2; p++) {
        beck_value v = beck_text_value(lines[p]);
        beck__builder_clear(&b);
        test_row(&b, &v, 1);
        lists[p] = (struct blocks){.memory = b.memory};
        assert_true(
            beck__blocks_add(&lists[p], beck__block_new(b.memory, schema, b.chunk, 0, 1, NULL)));
    }
    beck__builder_deinit(&b);
    return beck__node_from_values(&w->f.graph, "parallelize", (beck_site){"wc.c", 3}, schema, lists,
                                  2);
}

static void values_free(void)
{
    beck__blocks_deinit(&lists[0]);
    beck__blocks_deinit(&lists[1]);
}

static beck_status plan_two(beck_ranges *ranges, const void *params, size_t size)
{
    assert_int_equal(size, 2);
    beck_add_range(ranges, params, 1);
    return beck_add_range(ranges, (const char *)params + 1, 1);
}

static beck_status read_one(beck_reader *r, const void *params, size_t params_size,
                            const void *range, size_t size)
{
    (void)params;
    (void)params_size;
    beck_read_row(r, beck_bytes_of(range, size));
    return BECK_OK;
}

static const beck_direct_class letters = {
    .name = "letters", .schema = "line STRING", .plan = plan_two, .read = read_one};

/* ---- graphs ---------------------------------------------------------------------------------- */

static bool no_fox(beck_call *c, beck_row in)
{
    (void)c;
    return !beck_string_equal(beck_get_string(in, 0), beck_string("fox"));
}

static void times_10(beck_call *c, beck_row in)
{
    beck_emit(c, 10 * beck_get_bigint(in, 0));
}

/* Words of values and ranges, counted: everything that a word count has. */
static struct node *word_count(struct world *w)
{
    struct graph *g = &w->f.graph;
    struct node *lines = values(w, "the quick fox the", "lazy fox");
    struct node *more =
        beck__node_ranges(g, "letters", (beck_site){"wc.c", 4}, &letters, beck_string("ax"));
    struct node *node = beck__node_union(g, lines, more, (beck_site){"wc.c", 5});
    node = beck__node_map(
        g, node, MAP_FLAT_MAP,
        &(const beck_map_args){.schema = "word STRING, n BIGINT", .fn = beck_words, SITE});
    node = beck__node_filter(g, node, &(const beck_filter_args){.fn = no_fox, SITE});
    node = beck__node_reduce_by_key(
        g, node, &(const beck_reduce_args){.reducer = beck__by_aggregate(beck_sum), SITE});
    node = beck__node_map(g, node, MAP_VALUES,
                          &(const beck_map_args){.schema = "n BIGINT", .fn = times_10, SITE});
    return beck__node_repartition(g, node, &(const beck_repartition_args){.partitions = 1, SITE});
}

static void test_word_count(void **state)
{
    (void)state;
    struct world w;
    struct engine_options options;
    for (uint32_t i = 0; lab_variant(i, true, &options); i++) {
        open(&w, options);
        const char *rows = run(&w, word_count(&w));
        assert_non_null(strstr(rows, "(the,20)\n"));
        assert_non_null(strstr(rows, "(quick,10)\n"));
        assert_non_null(strstr(rows, "(lazy,10)\n"));
        assert_non_null(strstr(rows, "(a,10)\n"));
        assert_non_null(strstr(rows, "(x,10)\n"));
        assert_null(strstr(rows, "fox"));
        assert_int_equal(w.lab.out[0].rows, 5);
        values_free();
        close(&w);
    }
}

/* The parts of a graph that two nodes share are computed once. */
static void test_shared(void **state)
{
    (void)state;
    struct world w;
    uint64_t tasks, again, wakes;
    open(&w, lab_options(1));
    struct node *count = word_count(&w);
    struct node *sum = beck__node_reduce(
        &w.f.graph,
        beck__node_key_by(&w.f.graph, count, &(const beck_key_by_args){.key = "n", SITE}),
        &(const beck_reduce_args){.reducer = beck__by_aggregate(beck_max), SITE});
    run(&w, count);
    w.lab.engine->counters(w.lab.engine, &tasks, &wakes);
    assert_string_equal(run(&w, sum), "[0]\n(20,x)\n");
    w.lab.engine->counters(w.lab.engine, &again, &wakes);
    assert_int_equal(again - tasks, 2); /* partial and merged; the rest is there */
    values_free();
    close(&w);
}

/* Gives the last of the parents. */
static beck_status last_parent(struct node *node, struct stamp *stamp,
                               struct dataset *const *parents, struct dataset **dataset,
                               struct error *error)
{
    (void)stamp;
    (void)error;
    ++*(int *)node->user;
    *dataset = parents[node->parent_count - 1];
    return BECK_OK;
}

/* A union of more than two, and a node whose dataset a function makes, once. */
static void test_many_parents(void **state)
{
    (void)state;
    struct world w;
    int calls = 0;
    open(&w, lab_options(1));
    struct graph *g = &w.f.graph;
    struct node *lines = values(&w, "a", "b");
    struct node *more =
        beck__node_ranges(g, "letters", (beck_site){"wc.c", 4}, &letters, beck_string("xy"));
    struct node *all[] = {more, lines, more};
    struct node *three = beck__node_union_all(g, all, 3, &(const beck_none_args){SITE});
    assert_string_equal(run(&w, three), "[0]\nx\n[1]\ny\n[2]\na\n[3]\nb\n[4]\nx\n[5]\ny\n");
    struct node *made = beck__node_made(g, "transform", (beck_site){"wc.c", 6}, "l STRING", all, 3);
    made->make = last_parent;
    made->user = &calls;
    struct node *both = beck__node_union(g, made, made, (beck_site){"wc.c", 7});
    assert_string_equal(run(&w, both), "[0]\nx\n[1]\ny\n[2]\nx\n[3]\ny\n");
    assert_int_equal(calls, 1);
    values_free();
    close(&w);
}

/* A stamp finds each of many nodes again. */
static void test_many_nodes(void **state)
{
    (void)state;
    struct world w;
    struct dataset *first[300], *dataset;
    struct node *nodes[300];
    open(&w, lab_options(1));
    struct node *lines = values(&w, "a", "b");
    for (int i = 0; i < 300; i++) {
        nodes[i] = beck__node_union(&w.f.graph, lines, lines, (beck_site){"wc.c", i});
        assert_ok(beck__node_dataset(&w.stamp, nodes[i], &first[i], &w.f.error), w.f.error);
    }
    for (int i = 0; i < 300; i++) {
        assert_ok(beck__node_dataset(&w.stamp, nodes[i], &dataset, &w.f.error), w.f.error);
        assert_ptr_equal(dataset, first[i]);
        assert_true(i == 0 || first[i] != first[i - 1]);
    }
    assert_int_equal(w.stamp.count, 301);
    values_free();
    close(&w);
}

/* Without memory a dataset is an error, never NULL with BECK_OK. */
static void test_no_memory(void **state)
{
    (void)state;
    struct world w;
    open(&w, lab_options(1));
    struct node *node = word_count(&w);
    struct os *os = w.lab.os;
    for (uint64_t n = 1; n < 20; n++) {
        struct error error = {0};
        struct dataset *dataset = NULL;
        struct arena arena = {.memory = &os->memory, .first = 16};
        w.stamp.made = NULL;
        w.stamp.count = w.stamp.capacity = 0;
        w.stamp.arena = &arena;
        beck__os_memory_fail(os, n, true);
        beck_status status = beck__node_dataset(&w.stamp, node, &dataset, &error);
        beck__os_memory_fail(os, 0, false);
        assert_int_equal(status, error.status);
        assert_int_equal(dataset == NULL, status != BECK_OK);
        beck__arena_deinit(&arena);
    }
    values_free();
    close(&w);
}

int main(void)
{
    beck__engine_worker(beck__os_real());
    const struct CMUnitTest tests[] = {
        test(test_word_count), test(test_shared),    test(test_many_parents),
        test(test_many_nodes), test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
