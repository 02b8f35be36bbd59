/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dstream_test - the algebra of time as a plan: streams, outputs, the frozen graph, its text.
 */
#include "dstream/dstream.h"

#include "rdd/testing.h"

static struct streams streams_of(struct fixture *f)
{
    return (struct streams){.graph = &f->graph};
}

static void each(beck_call *c, beck_rdd *rdd)
{
    (void)c;
    (void)rdd;
}

static void test_operators(void **state)
{
    struct fixture *f = *state;
    struct streams streams = streams_of(f);
    beck_dstream *lines = beck__dstream_new(&streams, source(f, "line STRING"), 1000);
    beck_dstream *words = beck_flat_map(lines, "word STRING, n BIGINT", beck_words);
    beck_dstream *counts = beck_reduce_by_key(beck_filter(words, keep), beck_sum);

    assert_string_equal(beck_schema_text(counts), "word STRING, n BIGINT");
    assert_string_equal(beck_schema_text(beck_count(counts)), "count BIGINT");
    assert_string_equal(beck_schema_text(beck_union(counts, words)), "word STRING, n BIGINT");
    assert_string_equal(beck_schema_text(beck_glom(lines)), "elements ARRAY<STRING>");
    assert_int_equal(f->error.status, BECK_OK);
}

/* The first error sticks; what follows is poisoned, never NULL. */
static void test_poison(void **state)
{
    struct fixture *f = *state;
    struct streams streams = streams_of(f);
    beck_dstream *lines = beck__dstream_new(&streams, source(f, "line STRING"), 1000);
    beck_dstream *bad = beck_reduce_by_key(lines, beck_sum);

    assert_non_null(bad);
    assert_null(bad->node);
    beck_dstream *worse = beck_map(beck_union(bad, lines), "no schema", NULL);
    assert_non_null(worse);
    assert_string_equal(beck_schema_text(worse), "");
    beck_print(worse);
    assert_null(streams.first);
    assert_int_equal(f->error.status, BECK_TYPE);
    assert_non_null(strstr(f->error.text, "reduce_by_key at dstream_test.c:"));
}

static void test_outputs(void **state)
{
    struct fixture *f = *state;
    struct streams streams = streams_of(f);
    beck_dstream *lines = beck__dstream_new(&streams, source(f, "line STRING"), 1000);

    beck_print(lines);
    beck_foreach_rdd(lines, each, .name = "mine");
    beck_save_as_text_files(lines, "/tmp/out", .suffix = "txt");
    assert_int_equal(streams.output_count, 3);
    struct output *o = streams.first;
    assert_int_equal(o->kind, OUTPUT_SINK);
    assert_int_equal(o->program->ops[0].kind, OP_LIMIT); /* one more than it shows */
    assert_int_equal(o->program->ops[0].number, 11);
    o = o->next;
    assert_int_equal(o->kind, OUTPUT_FOREACH);
    assert_non_null(strstr(o->what, "mine at dstream_test.c:"));
    assert_int_equal(o->next->class_of->guarantee, BECK_TWO_PHASE);

    beck_save_as_text_files(lines, "");
    assert_int_equal(f->error.status, BECK_INVALID);
    assert_int_equal(streams.output_count, 3);
}

static void test_frozen(void **state)
{
    struct fixture *f = *state;
    struct streams streams = streams_of(f);
    beck_dstream *lines = beck__dstream_new(&streams, source(f, "line STRING"), 1000);

    streams.frozen = true;
    beck_filter(lines, keep);
    assert_int_equal(f->error.status, BECK_STATE);
    assert_non_null(strstr(f->error.text, "filter at dstream_test.c:"));
    assert_non_null(strstr(f->error.text, "frozen"));
    beck__error_clear(&f->error);
    beck_print(lines);
    assert_int_equal(f->error.status, BECK_STATE);
    assert_null(streams.first);
}

/* A stream has its parent's slide, a window its own; windows of windows are multiples of that. */
static void test_slides(void **state)
{
    struct fixture *f = *state;
    struct streams streams = streams_of(f);
    beck_dstream *lines = beck__dstream_new(&streams, source(f, "line STRING"), 1000);
    beck_dstream *slow = beck_window(lines, .window_ms = 4000, .slide_ms = 2000);
    beck_dstream *count = beck_count(slow);

    assert_int_equal(count->slide_ms, 2000);
    assert_int_equal(beck_count_by_window(count, .window_ms = 6000, .slide_ms = 6000)->slide_ms,
                     6000);
    beck_print(slow);
    assert_int_equal(streams.first->slide_ms, 2000);
    assert_int_equal(f->error.status, BECK_OK);
    assert_null(beck_window(slow, .window_ms = 4000, .slide_ms = 3000)->node);
    assert_non_null(strstr(f->error.text, "multiple of the stream's slide of 2000 ms"));
}

/* What is known when the graph is built is told then: which, its value, what to give. */
static void test_refused_windows(void **state)
{
    struct fixture *f = *state;
    struct streams streams = streams_of(f);
    beck_dstream *pairs = beck__dstream_new(&streams, source(f, "k STRING, n BIGINT"), 1000);
    beck_dstream *slow = beck_window(pairs, .window_ms = 4000, .slide_ms = 2000);
    static const char *const texts[] = {
        "window at dstream_test.c:",
        ".window_ms is missing; give a multiple of the stream's slide of 1000 ms",
        ".slide_ms is missing; give a multiple of the stream's slide of 1000 ms",
        ".window_ms is 1500; give a positive multiple of the stream's slide of 1000 ms",
        ".slide_ms is -1000; give a positive multiple of the stream's slide of 1000 ms",
        ".window_ms is 4000000000000; give a positive multiple of the stream's slide of 1000 ms, "
        "at most 2147483647000",
        ".slide_ms is 3155000000000; give a positive multiple of the stream's slide of 2000 ms, "
        "at most 3153600000000",
        "-2 partitions; give a number from 1 to 65536",
        "-3 partitions; give a number from 1 to 65536",
        "-4 partitions; give a number from 1 to 65536",
        "-5 partitions; give a number from 1 to 65536",
        "join at dstream_test.c:",
        "the streams have different slides, 1000 ms and 2000 ms",
    };

    for (size_t i = 0; i < BECK__COUNT_OF(texts); i++) {
        beck_dstream *s =
            i == 0   ? beck_window(pairs)
            : i == 1 ? beck_count_by_window(pairs, .slide_ms = 1000)
            : i == 2 ? beck_reduce_by_key_and_window(pairs, beck_sum, .window_ms = 1000)
            : i == 3 ? beck_group_by_key_and_window(pairs, .window_ms = 1500, .slide_ms = 1000)
            : i == 4 ? beck_reduce_by_window(pairs, beck_max, .window_ms = 1000, .slide_ms = -1000)
            : i == 5 ? beck_window(pairs, .window_ms = 4000000000000, .slide_ms = 1000)
            : i == 6 ? beck_window(slow, .window_ms = 4000, .slide_ms = 3155000000000)
            : i == 7 ? beck_window(pairs, .window_ms = 1000, .slide_ms = 1000, .partitions = -2)
            : i == 8
                ? beck_count_by_window(pairs, .window_ms = 1000, .slide_ms = 1000, .partitions = -3)
            : i == 9  ? beck_reduce(pairs, beck_max, .partitions = -4)
            : i == 10 ? beck_count_by_value_and_window(pairs, .window_ms = 1000, .slide_ms = 1000,
                                                       .partitions = -5)
                      : beck_join(pairs, slow);
        assert_error(f, s->node, BECK_INVALID, texts[i]);
    }
    beck_print(pairs, .rows = -1);
    assert_error(f, NULL, BECK_INVALID, "print at dstream_test.c:");
    assert_null(streams.first);
}

static void test_two_contexts(void **state)
{
    struct fixture *f = *state;
    struct streams one = streams_of(f), two = streams_of(f);
    beck_dstream *a = beck__dstream_new(&one, source(f, "line STRING"), 1000);
    beck_dstream *b = beck__dstream_new(&two, source(f, "line STRING"), 1000);

    assert_null(beck_union(a, b)->node);
    assert_non_null(strstr(f->error.text, "different contexts"));
}

static void test_many(void **state)
{
    struct fixture *f = *state;
    struct streams streams = streams_of(f);
    beck_dstream *lines = beck__dstream_new(&streams, source(f, "line STRING"), 1000);
    beck_dstream *slow = beck_window(lines, .window_ms = 4000, .slide_ms = 2000);
    beck_dstream *list[] = {slow, slow, slow, lines};
    beck_dstream *three = beck_union_all(list, 3);

    assert_int_equal(three->node->parent_count, 3);
    assert_int_equal(three->slide_ms, 2000);
    assert_int_equal(f->error.status, BECK_OK);
    assert_null(beck_union_all(list, 4)->node);
    assert_non_null(strstr(f->error.text, "union at dstream_test.c:"));
    assert_non_null(strstr(f->error.text, "different slides, 2000 ms and 1000 ms"));
}

static void test_text(void **state)
{
    struct fixture *f = *state;
    struct streams streams = streams_of(f);
    struct text text = {.memory = f->arena.memory};
    beck_dstream *lines = beck__dstream_new(&streams, source(f, "line STRING"), 1000);

    beck_print(beck_reduce_by_key(beck_flat_map(lines, "w STRING, n BIGINT", beck_words), beck_sum,
                                  .partitions = 3));
    beck__streams_print(&streams, &text);
    const char *page = beck__text_get(&text);
    assert_non_null(strstr(page, "print at dstream_test.c:"));
    assert_non_null(strstr(page, "at least once"));
    assert_non_null(strstr(page, "to 3 partitions"));
    assert_non_null(strstr(page, "kernel"));
    assert_null(strstr(page, "callback"));
    assert_non_null(strstr(page, "(line STRING)"));
    beck__text_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_operators, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_poison, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_outputs, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_frozen, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_slides, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_refused_windows, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_two_contexts, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_many, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_text, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
