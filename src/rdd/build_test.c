/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_test - every operator, one after the other: what it makes fits its schemas and survives its
 * bytes, so that a worker process can run it; memory that ends at any byte is told.
 */
#include "data/testing.h"
#include "rdd/testing.h"

static const beck_aggregate own = {
    .name = "own", .state_size = 8, .step = step, .merge = merge, .value = value};
static const beck_sink_class sink = {.name = "nowhere"};
static const beck_direct_class ranges = {.name = "ranges",
                                         .schema = "`odd ``name` STRING, n BIGINT"};

/* ---- every operator -------------------------------------------------------------------------- */

#define NODES_MAX 96

struct built {
    struct node *nodes[NODES_MAX];
    const struct program *programs[8];
    uint32_t count, programs_count;
};

/* A NULL has an error, and is not looked at any more. */
static struct node *add(struct built *b, struct graph *graph, struct node *node)
{
    assert_true(node || graph->error->status);
    if (node)
        b->nodes[b->count++] = node;
    return node;
}

static void add_program(struct built *b, struct graph *graph, const struct program *program)
{
    assert_true(program || graph->error->status);
    if (program)
        b->programs[b->programs_count++] = program;
}

static void build_narrow(struct built *b, struct graph *g, struct node *in)
{
    static const char bytes[] = "context";
    static const enum map_kind kinds[] = {MAP_MAP, MAP_FLAT_MAP, MAP_VALUES, MAP_FLAT_VALUES};
    beck_map_args map = {.schema = "a STRING, b ARRAY<STRUCT<x DOUBLE>>",
                         .fn = nop,
                         .ctx = bytes,
                         .ctx_size = sizeof bytes,
                         .name = "label",
                         SITE};
    for (size_t i = 0; i < BECK__COUNT_OF(kinds); i++)
        add(b, g, beck__node_map(g, in, kinds[i], &map));
    map.fn = beck_words;
    map.schema = "word STRING, n BIGINT";
    add(b, g, beck__node_map(g, in, MAP_FLAT_MAP, &map));
    add(b, g, beck__node_filter(g, in, &(const beck_filter_args){.fn = keep, SITE}));
    add(b, g,
        beck__node_map_partitions(
            g, in, &(const beck_map_partitions_args){.schema = "n BIGINT", .fn = whole, SITE}));
    add(b, g, beck__node_key_by(g, in, &(const beck_key_by_args){.key = "n", SITE}));
    add(b, g,
        beck__node_key_by(g, in, &(const beck_key_by_args){.key = "n DOUBLE", .fn = nop, SITE}));
    add(b, g, beck__node_glom(g, in, &(const beck_none_args){SITE}));
    add(b, g, beck__node_union(g, in, in, (beck_site){"src/wc.c", 18}));
    struct node *all[] = {in, in, in};
    add(b, g, beck__node_union_all(g, all, 3, &(const beck_none_args){SITE}));
    add(b, g, beck__node_made(g, "made", (beck_site){"src/wc.c", 20}, "n BIGINT", all, 3));
}

static void build_wide(struct built *b, struct graph *g, struct node *in)
{
    static const beck_aggregate *const known[] = {beck_count, beck_min,      beck_max,
                                                  beck_top,   beck_distinct, &own};
    for (size_t i = 0; i < BECK__COUNT_OF(known); i++) {
        const beck_reduce_args args = {.reducer = beck__by_aggregate(known[i]), .n = 2, SITE};
        add(b, g, beck__node_reduce_by_key(g, in, &args));
        add(b, g, beck__node_reduce(g, in, &args));
    }
    const beck_reduce_args reduce = {.reducer = beck__by_callback(fold), SITE};
    add(b, g, beck__node_reduce_by_key(g, in, &reduce));
    add(b, g, beck__node_reduce(g, in, &reduce));
    add(b, g, beck__node_group_by_key(g, in, &(const beck_group_args){SITE}));
    beck_combine_args combine = {.schema = "s STRING, t STRING",
                                 .create = nop,
                                 .merge_value = fold,
                                 .merge_combiners = fold,
                                 SITE};
    add(b, g, beck__node_combine_by_key(g, in, &combine));
    combine.no_map_side = true;
    add(b, g, beck__node_combine_by_key(g, in, &combine));
    add(b, g, beck__node_count(g, in, &(const beck_none_args){SITE}));
    add(b, g, beck__node_count_by_value(g, in, &(const beck_group_args){SITE}));
    add(b, g, beck__node_repartition(g, in, &(const beck_repartition_args){.partitions = 3, SITE}));
}

static void build_beside(struct built *b, struct graph *g, struct node *in)
{
    const beck_none_args none = {SITE};
    const beck_group_args group = {SITE};

    add(b, g, beck__node_keys(g, in, &none));
    add(b, g, beck__node_values(g, in, &none));
    add(b, g, beck__node_sort_by(g, in, &(const beck_sort_args){.by = "n DESC", SITE}));
    add(b, g,
        beck__node_sort_by(g, in, &(const beck_sort_args){.by = "x DOUBLE", .fn = nop, SITE}));
    add(b, g, beck__node_sort_by_key(g, in, &(const beck_sort_key_args){SITE}));
    add(b, g, beck__node_zip_with_index(g, in, &none));
    add(b, g, beck__node_coalesce(g, in, &(const beck_repartition_args){.partitions = 2, SITE}));
    add(b, g, beck__node_zip(g, in, in, &none));
    add(b, g, beck__node_cartesian(g, in, in, &none));
    add(b, g, beck__node_subtract(g, in, in, &group));
    add(b, g, beck__node_intersection(g, in, in, &group));
    add(b, g, beck__node_subtract_by_key(g, in, in, &group));
    add(b, g, beck__node_group_by(g, in, &(const beck_group_by_args){.key = "n", SITE}));
    const beck_ordered_args three = {.n = 3, SITE};
    add(b, g, beck__node_ordered(g, in, "top", &three, true));
    add(b, g, beck__node_last_by_key(g, in, &none));
    add(b, g, beck__node_count_by_key(g, in, &none));
    struct node *numbers = beck__node_values(g, in, &none);
    const double edges[] = {0, 1, 2};
    const beck_histogram_args histogram = {.edges = edges, .edge_count = 3, SITE};
    add(b, g, beck__node_stats(g, numbers, &none));
    add(b, g, beck__node_histogram(g, numbers, &histogram));
}

/* Those whose operations carry a row, which is encoded outside the arena. */
static void build_carrying(struct built *b, struct graph *g, struct node *in)
{
    const beck_fold_args zero = {.zero = beck_integer_value(1), .fn = fold, SITE};
    add(b, g, beck__node_fold_by_key(g, in, &zero));
    const beck_value cells[] = {beck_text_value("a zero"), beck_null};
    const beck_aggregate_args own_zero = {.schema = "s STRING, t STRING",
                                          .zero = beck_values_value(cells, 2),
                                          .merge_value = fold,
                                          .merge_combiners = fold,
                                          SITE};
    add(b, g, beck__node_aggregate_by_key(g, in, &own_zero));
    add(b, g, beck__node_aggregate(g, in, &own_zero));
    const beck_lookup_args key = {.key = beck_text_value("k"), SITE};
    add(b, g, beck__node_lookup(g, in, &key));
}

static void build_ends(struct built *b, struct graph *g, const struct node *in)
{
    const beck_save_args save = {.class_of = &sink, .params = "params", .params_size = 7, SITE};
    add_program(b, g, beck__program_limit(g, in, 5));
    add_program(b, g, beck__program_count(g, in));
    add_program(b, g, beck__program_foreach(g, in, &(const beck_foreach_args){.fn = nop, SITE}));
    add_program(b, g,
                beck__program_foreach_partition(
                    g, in, &(const beck_foreach_partition_args){.fn = whole, SITE}));
    add_program(b, g, beck__program_sink(g, in, &save, 0));
    add_program(b, g, beck__program_sink(g, in, &save, 7));
}

static void build(struct built *b, struct graph *g)
{
    memset(b, 0, sizeof *b);
    struct node *in =
        beck__node_ranges(g, "ranges", (beck_site){"src/wc.c", 3}, &ranges, beck_string("params"));
    struct node *odd = beck__node_source(g, "source", (beck_site){"src/wc.c", 4},
                                         "k STRUCT<a STRING>, v ARRAY<BIGINT>, w TIMESTAMP", 0);
    add(b, g, in);
    add(b, g, odd);
    build_narrow(b, g, in);
    build_wide(b, g, in);
    build_wide(b, g, odd);
    build_beside(b, g, in);
    if (in)
        build_ends(b, g, in);
}

/* ---- it fits, and travels -------------------------------------------------------------------- */

static void check_program(const struct program *program)
{
    struct arena arena = {.memory = &beck__os_real()->memory};
    struct text bytes = {.memory = arena.memory}, again = bytes;
    const struct program *copy = NULL;
    struct error error = {0};

    for (uint32_t i = 0; i < program->count; i++)
        assert_true(beck__op_fits(&program->ops[i]));
    beck__program_encode(program, &bytes);
    struct reader in = {.data = (const uint8_t *)bytes.data, .size = bytes.size};
    if (beck__program_decode(&arena, &in, &copy, &error))
        print_error("%s\n", error.text);
    assert_int_equal(error.status, BECK_OK);
    assert_true(beck__schema_equal(copy->in, program->in, true));
    assert_true(beck__schema_equal(copy->out, program->out, true));
    beck__program_encode(copy, &again);
    assert_int_equal(again.size, bytes.size);
    assert_memory_equal(again.data, bytes.data, bytes.size);
    beck__text_deinit(&bytes);
    beck__text_deinit(&again);
    beck__arena_deinit(&arena);
}

static void test_travels(void **state)
{
    struct fixture *f = *state;
    struct built b;
    struct text text = {.memory = f->arena.memory};

    build(&b, &f->graph);
    build_carrying(&b, &f->graph, b.nodes[0]);
    if (f->error.status)
        print_error("%s\n", f->error.text);
    assert_int_equal(f->error.status, BECK_OK);
    assert_int_equal(b.count, 77);
    assert_int_equal(b.programs_count, 6);
    for (uint32_t i = 0; i < b.count; i++) {
        for (const struct node *n = b.nodes[i]; n; n = n->parents[0])
            if (n->kind == NODE_NARROW)
                check_program(n->fused);
        beck__node_print(b.nodes[i], &text);
    }
    for (uint32_t i = 0; i < b.programs_count; i++)
        check_program(b.programs[i]);
    assert_non_null(strstr(beck__text_get(&text), "`odd ``name` STRING"));
    beck__text_deinit(&text);
}

/* Each operator of the list on top of the one before, as far as its types go: fused in any order.
 */
static void test_chains(void **state)
{
    struct fixture *f = *state;
    struct built first, second;

    build(&first, &f->graph);
    for (uint32_t i = 2; i < first.count; i++) {
        memset(&second, 0, sizeof second);
        build_narrow(&second, &f->graph, first.nodes[i]);
        beck__error_clear(&f->error);
        for (uint32_t k = 0; k < second.count; k++)
            if (second.nodes[k]->kind == NODE_NARROW)
                check_program(second.nodes[k]->fused);
        memset(&second, 0, sizeof second);
        build_wide(&second, &f->graph, first.nodes[i]);
        beck__error_clear(&f->error);
        for (uint32_t k = 0; k < second.count; k++)
            if (second.nodes[k]->kind == NODE_NARROW)
                check_program(second.nodes[k]->fused);
    }
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* An arena of `bytes` and nothing else: true if the graph was built. */
static bool build_within(size_t bytes)
{
    struct os *os = beck__os_real();
    struct arena arena = {.memory = &os->memory, .first = bytes};
    struct error error = {0};
    struct graph graph = {.arena = &arena, .os = os, .error = &error, .partitions = 8};
    struct built b;

    beck__arena_raw(&arena, 1);
    beck__os_memory_fail(os, 1, true);
    build(&b, &graph);
    beck__os_memory_fail(os, 0, false);
    assert_true(error.status == BECK_OK || error.status == BECK_NO_MEMORY);
    beck__arena_deinit(&arena);
    return error.status == BECK_OK;
}

static void test_no_memory(void **state)
{
    size_t bytes = 64;
    (void)state;
    while (!build_within(bytes))
        bytes += 16;
    assert_true(bytes > 10000 && bytes < 1000000);
}

/* Every allocation fails once. */
static void test_no_memory_for_rows(void **state)
{
    struct os *os = beck__os_real();
    struct error error = {.status = BECK_NO_MEMORY};

    (void)state;
    for (uint64_t n = 1; error.status; n++) {
        struct arena arena = {.memory = &os->memory};
        struct graph graph = {.arena = &arena, .os = os, .error = &error, .partitions = 8};
        struct built b = {.count = 0};
        beck__error_clear(&error);
        struct node *in = beck__node_ranges(&graph, "ranges", (beck_site){"src/wc.c", 3}, &ranges,
                                            beck_string("params"));
        beck__os_memory_fail(os, n, false);
        build_carrying(&b, &graph, in);
        beck__os_memory_fail(os, 0, false);
        assert_true(error.status == BECK_OK || error.status == BECK_NO_MEMORY);
        beck__arena_deinit(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_travels, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_chains, fixture_setup, fixture_teardown),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_no_memory_for_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
