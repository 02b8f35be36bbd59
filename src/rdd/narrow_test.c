/* SPDX-License-Identifier: Apache-2.0 */
/*
 * narrow_test - schemas, keys, fusing and type errors of the operators without a shuffle.
 */
#include "rdd/testing.h"

static struct node *map(struct fixture *f, struct node *parent, enum map_kind kind,
                        const char *schema)
{
    return beck__node_map(&f->graph, parent, kind,
                          &(const beck_map_args){.schema = schema, .fn = nop, SITE});
}

static void test_map_family(void **state)
{
    struct fixture *f = *state;
    struct node *in = source(f, "user STRING, page STRING, n BIGINT");

    struct node *one = map(f, in, MAP_MAP, "x DOUBLE, y DOUBLE");
    assert_string_equal(schema_of(f, one), "x DOUBLE, y DOUBLE");
    assert_int_equal(one->fused->ops[0].emits, EMITS_ONE);
    assert_int_equal(map(f, in, MAP_FLAT_MAP, "x BIGINT")->fused->ops[0].emits, EMITS_ANY);

    struct node *values = map(f, in, MAP_VALUES, "x BIGINT");
    assert_string_equal(schema_of(f, values), "user STRING, x BIGINT");
    assert_true(values->fused->ops[0].values);
    assert_int_equal(values->fused->ops[0].adds, ADDS_KEY_BEFORE);
}

static void test_fusing(void **state)
{
    struct fixture *f = *state;
    struct node *in = source(f, "line STRING");
    struct node *a = map(f, in, MAP_FLAT_MAP, "word STRING");
    struct node *b = beck__node_filter(&f->graph, a, &(const beck_filter_args){.fn = keep, SITE});
    struct node *c = map(f, b, MAP_MAP, "word STRING, n BIGINT");

    assert_int_equal(c->fused->count, 3);
    assert_ptr_equal(c->base, in);
    assert_int_equal(b->fused->count, 2); /* a part of it stands on its own */
    assert_string_equal(c->fused->ops[1].name, "filter");
}

static void test_known_functions(void **state)
{
    struct fixture *f = *state;
    struct node *in = source(f, "line STRING");
    beck_map_args words = {.schema = "word STRING, n BIGINT", .fn = beck_words, SITE};

    assert_int_equal(beck__node_map(&f->graph, in, MAP_FLAT_MAP, &words)->fused->ops[0].kind,
                     OP_WORDS);
    words.schema = "word STRING, n DOUBLE"; /* not what the kernel makes */
    assert_int_equal(beck__node_map(&f->graph, in, MAP_FLAT_MAP, &words)->fused->ops[0].kind,
                     OP_CALL);
}

static void test_key_by(void **state)
{
    struct fixture *f = *state;
    struct node *in = source(f, "user STRING, page STRING, n BIGINT");

    struct node *named =
        beck__node_key_by(&f->graph, in, &(const beck_key_by_args){.key = " n , user", SITE});
    assert_string_equal(schema_of(f, named), "n BIGINT, user STRING, page STRING");
    assert_int_equal(named->keys, 2);

    struct node *made = beck__node_key_by(
        &f->graph, in, &(const beck_key_by_args){.key = "k BIGINT", .fn = nop, SITE});
    assert_string_equal(schema_of(f, made), "k BIGINT, user STRING, page STRING, n BIGINT");
    assert_int_equal(made->keys, 1);

    assert_error(
        f, beck__node_key_by(&f->graph, in, &(const beck_key_by_args){.key = "user, sight", SITE}),
        BECK_INVALID, "key_by at wc.c:17: no column \"sight\"");
    assert_error(
        f, beck__node_key_by(&f->graph, in, &(const beck_key_by_args){.key = "user, user", SITE}),
        BECK_INVALID, "named twice");
    assert_error(f, beck__node_key_by(&f->graph, in, &(const beck_key_by_args){.key = "", SITE}),
                 BECK_INVALID, "no key column");
}

static void test_glom_and_partitions(void **state)
{
    struct fixture *f = *state;
    const beck_none_args none = {SITE};

    assert_string_equal(schema_of(f, beck__node_glom(&f->graph, source(f, "n BIGINT"), &none)),
                        "elements ARRAY<BIGINT>");
    assert_string_equal(
        schema_of(f, beck__node_glom(&f->graph, source(f, "k STRING, n BIGINT"), &none)),
        "elements ARRAY<STRUCT<k STRING, n BIGINT>>");
    struct node *sums = beck__node_map_partitions(
        &f->graph, source(f, "n BIGINT"),
        &(const beck_map_partitions_args){.schema = "sum BIGINT", .fn = whole, SITE});
    assert_string_equal(schema_of(f, sums), "sum BIGINT");
}

static void test_union(void **state)
{
    struct fixture *f = *state;
    struct node *a = source(f, "k STRING, n BIGINT"), *b = source(f, "word STRING, m BIGINT");

    struct node *both = beck__node_union(&f->graph, a, b, (beck_site){"src/wc.c", 17});
    assert_string_equal(schema_of(f, both), "k STRING, n BIGINT");
    assert_true(both->needs_rdd);
    assert_error(
        f, beck__node_union(&f->graph, a, source(f, "k STRING"), (beck_site){"src/wc.c", 17}),
        BECK_TYPE, "union at wc.c:17: the types differ: (k STRING, n BIGINT) and (k STRING)");
}

static void test_errors(void **state)
{
    struct fixture *f = *state;
    struct node *in = source(f, "n BIGINT");
    int k = 1;

    assert_error(f, map(f, in, MAP_MAP, "word STRNG"), BECK_INVALID, "map at wc.c:17: schema:");
    assert_error(f, map(f, in, MAP_VALUES, "x BIGINT"), BECK_TYPE,
                 "map_values at wc.c:17: needs a key and a value, but the rows are (n BIGINT)");
    assert_error(
        f,
        beck__node_map(&f->graph, in, MAP_MAP, &(const beck_map_args){.schema = "x BIGINT", SITE}),
        BECK_INVALID, "the callback is NULL");
    assert_error(
        f,
        beck__node_map(&f->graph, in, MAP_MAP,
                       &(const beck_map_args){.schema = "x BIGINT", .fn = nop, .ctx = &k, SITE}),
        BECK_INVALID, ".ctx without .ctx_size");
    assert_error(f, map(f, in, MAP_MAP, NULL), BECK_INVALID, "map at wc.c:17: schema:");
    assert_error(f, map(f, in, MAP_MAP, "a STRING, b ARRAY<STRIN>"), BECK_INVALID,
                 "position 19: found \"STRIN\"");
    assert_error(f,
                 beck__node_map(
                     &f->graph, in, MAP_MAP,
                     &(const beck_map_args){.schema = "x BIGINT", .fn = nop, .ctx_size = 4, SITE}),
                 BECK_INVALID, ".ctx_size without .ctx");
    assert_error(f, beck__node_filter(&f->graph, in, &(const beck_filter_args){SITE}), BECK_INVALID,
                 "filter at wc.c:17: the callback is NULL");
    assert_error(f, beck__node_key_by(&f->graph, in, &(const beck_key_by_args){SITE}), BECK_INVALID,
                 "key_by at wc.c:17: no key is given");
    assert_error(f,
                 beck__node_map_partitions(
                     &f->graph, in, &(const beck_map_partitions_args){.schema = "a STRING", SITE}),
                 BECK_INVALID, "map_partitions at wc.c:17: the callback is NULL");
    assert_null(map(f, NULL, MAP_MAP, "x BIGINT")); /* poisoned: no second error */
    assert_int_equal(f->error.status, BECK_OK);
}

/* The context's bytes are copied. */
static void test_context(void **state)
{
    struct fixture *f = *state;
    char bytes[] = "bytes";
    struct node *node =
        beck__node_filter(&f->graph, source(f, "n BIGINT"),
                          &(const beck_filter_args){.fn = keep, .ctx = bytes, .ctx_size = 6, SITE});
    memset(bytes, 0, sizeof bytes);
    assert_string_equal(node->fused->ops[0].bytes.data, "bytes");
}

/* Rows that no schema text could say cannot be made by nesting or by putting side by side. */
static void test_limits(void **state)
{
    struct fixture *f = *state;
    const beck_none_args none = {SITE};
    struct text wide = {.memory = f->arena.memory};
    struct node *node = source(f, "n BIGINT");
    for (int i = 0; i < 15; i++) {
        node = beck__node_glom(&f->graph, node, &none);
        assert_non_null(node);
    }
    assert_error(f, beck__node_glom(&f->graph, node, &none), BECK_TYPE,
                 "glom at wc.c:17: makes rows of more than 1000 columns or 16 levels");
    for (int i = 0; i < 1000; i++)
        beck__text_printf(&wide, "%sc%d BIGINT", i ? ", " : "", i);
    node = source(f, beck__text_get(&wide));
    assert_non_null(
        beck__node_filter(&f->graph, node, &(const beck_filter_args){.fn = keep, SITE}));
    assert_error(f,
                 beck__node_key_by(&f->graph, node,
                                   &(const beck_key_by_args){.key = "k BIGINT", .fn = nop, SITE}),
                 BECK_TYPE, "key_by at wc.c:17: makes rows of more than 1000 columns");
    beck__text_deinit(&wide);
}

static void test_ends(void **state)
{
    struct fixture *f = *state;
    struct node *in = source(f, "k STRING, n BIGINT");

    const struct program *count = beck__program_count(&f->graph, in);
    assert_int_equal(count->out->fields[0].type, BECK_BIGINT);
    assert_true(beck__program_silent(count)); /* no rows: nothing to add up */
    const struct program *each =
        beck__program_foreach(&f->graph, in, &(const beck_foreach_args){.fn = nop, SITE});
    assert_int_equal(each->ops[0].emits, EMITS_NONE);
    const struct program *part = beck__program_foreach_partition(
        &f->graph, in, &(const beck_foreach_partition_args){.fn = whole, SITE});
    assert_false(beck__program_silent(part)); /* runs for an empty partition, too */
    static const beck_sink_class sink = {.name = "nowhere"};
    const struct program *limited =
        beck__program_sink(&f->graph, in, &(const beck_save_args){.class_of = &sink, SITE}, 11);
    assert_int_equal(limited->count, 2);
    assert_int_equal(limited->ops[0].number, 11);
    assert_int_equal(limited->out->fields[0].type, BECK_BINARY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_map_family, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_fusing, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_known_functions, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_key_by, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_glom_and_partitions, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_union, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_errors, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_context, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_limits, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_ends, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
