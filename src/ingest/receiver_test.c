/* SPDX-License-Identifier: Apache-2.0 */
/* What a receiver stores: lines however they are cut, long ones, rows by values, blocks by size. */
#include "ingest/testing.h"

#include "ingest/inside.h"

/* ---- lines ----------------------------------------------------------------------------------- */

static void poll_acts(const struct act *acts, size_t count, const char *expected)
{
    struct intake t;
    struct script script = {.acts = acts, .count = count};

    intake_init(&t, &(struct ingest_options){.line_bytes_max = 16});
    int stream = intake_add(&t, &script, "lines");
    intake_start(&t, false);
    beck__ingest_step(t.ingest);
    beck__ingest_stop(t.ingest);
    assert_batch(&t, stream, 1000, expected);
    assert_true(beck__ingest_drained(t.ingest));
    intake_deinit(&t);
}

static void lines_do_not_depend_on_how_bytes_come(void **state)
{
    const char *text = "one\n\ntwo\r\nthe third one\n\xff\xfe\r\rx\nlast";
    size_t size = strlen(text);
    char front[64], middle[64];

    (void)state;
    for (size_t a = 0; a <= size; a++)
        for (size_t b = a; b <= size; b++) {
            memcpy(front, text, a);
            front[a] = 0;
            memcpy(middle, text + a, b - a);
            middle[b - a] = 0;
            const struct act acts[] = {{.bytes = front}, {.bytes = middle}, {.bytes = text + b}};
            poll_acts(acts, 3, "one||two|the third one|\xff\xfe\r\rx|last|");
        }
}

static void a_line_without_end_counts_when_the_receiver_ends(void **state)
{
    const struct act closed[] = {{.bytes = "a\nb"}, {.answer = BECK_CLOSED}};
    const struct act failed[] = {{.bytes = "a\nb"}, {.answer = BECK_IO}};

    (void)state;
    poll_acts(closed, 2, "a|b|");
    poll_acts(failed, 2, "a|b|");
    poll_acts(failed, 1, "a|b|"); /* by the stop */
}

static beck_status poll_nul(beck_receiver *r, void *state, int64_t timeout_ms)
{
    (void)state, (void)timeout_ms;
    beck_store_bytes(r, 0, "", 0);
    beck_store_bytes(r, 0, NULL, 0);
    assert_int_equal(beck_store_bytes(r, 0, "a\0b\n\0\n", 6), BECK_OK);
    return BECK_CLOSED;
}

static beck_status open_nothing(beck_receiver *r, void *state)
{
    (void)r, (void)state;
    return BECK_OK;
}

static void close_nothing(beck_receiver *r, void *state)
{
    (void)r, (void)state;
}

static struct blocks run_class(struct intake *t, const beck_receiver_class *class_of,
                               const char *schema_text)
{
    const beck_schema *schema;
    struct blocks blocks = {.memory = &t->os->memory};

    assert_int_equal(beck__schema_parse(&t->arena, schema_text, &schema, NULL), BECK_OK);
    struct received received = {
        .class_of = class_of, .schema = schema, .params = beck_string(""), .name = class_of->name};
    int stream = beck__ingest_add(t->ingest, &received);
    assert_true(stream >= 0);
    intake_start(t, false);
    beck__ingest_step(t->ingest);
    beck__ingest_allot(t->ingest, stream, t->now_ms, &blocks);
    return blocks;
}

static void nul_bytes_are_carried(void **state)
{
    const beck_receiver_class nul = {
        .name = "nul", .open = open_nothing, .poll = poll_nul, .close = close_nothing};
    struct intake t;

    (void)state;
    intake_init(&t, &(struct ingest_options){0});
    struct blocks blocks = run_class(&t, &nul, "value STRING");
    assert_int_equal(blocks.rows, 2);
    const beck_view *views = blocks.items[0]->chunk->column[0].data;
    assert_true(beck_string_equal(beck_view_string(&views[0]), beck_bytes_of("a\0b", 3)));
    assert_true(beck_string_equal(beck_view_string(&views[1]), beck_bytes_of("\0", 1)));
    beck__blocks_deinit(&blocks);
    intake_deinit(&t);
}

static void long_lines_are_cut_and_reported_once(void **state)
{
    const struct act acts[] = {
        {.bytes = "0123456789abcdef\r\n"}, /* 16: just fits */
        {.bytes = "0123456789abcdefg\n0123456789abcdef"},
        {.bytes = "\rg"},
        {.bytes = "hijklmnopqrstuvwxyz\n"},
        {.bytes = "short\n0123456789abcdef\r"},
        {.bytes = "\n", .answer = BECK_IO, .why = "gone"}, /* another connection follows */
        {.bytes = "0123456789abcdef--------"},
        {.answer = BECK_CLOSED},
    };
    struct script script = {.acts = acts, .count = BECK__COUNT_OF(acts)};
    struct intake t;

    (void)state;
    intake_init(&t, &(struct ingest_options){.line_bytes_max = 16});
    int stream = intake_add(&t, &script, "lines");
    intake_start(&t, false);
    beck__ingest_step(t.ingest);
    assert_events(&t, "started lines\n"
                      "error lines: lines longer than 16 bytes are cut off there "
                      "(text.line_bytes_max)\n"
                      "error lines: gone\n");
    t.now_ms += 2000;
    beck__ingest_step(t.ingest);
    assert_events(&t, "started lines\n"
                      "error lines: lines longer than 16 bytes are cut off there "
                      "(text.line_bytes_max)\n"
                      "stopped lines\n");
    assert_batch(&t, stream, t.now_ms,
                 "0123456789abcdef|0123456789abcdef|0123456789abcdef|short|0123456789abcdef|"
                 "0123456789abcdef|");
    intake_deinit(&t);
}

/* ---- values ---------------------------------------------------------------------------------- */

static beck_status poll_values(beck_receiver *r, void *state, int64_t timeout_ms)
{
    (void)state, (void)timeout_ms;
    assert_int_equal(beck_store(r, 0, "a", 1), BECK_OK);
    assert_int_equal(beck_store(r, 0, "b"), BECK_TYPE);
    assert_int_equal(beck_store(r, 0, "c", "not a number"), BECK_TYPE);
    assert_int_equal(beck_store(r, 0, 5, 5), BECK_TYPE);
    assert_int_equal(beck_store_bytes(r, 0, "d\n", 2), BECK_TYPE);
    assert_int_equal(beck_store(r, 0, beck_null, -2), BECK_OK);
    assert_contains(r->reason.text, "stores 1 values, but the stream has 2 columns");
    return BECK_CLOSED;
}

static void a_row_that_does_not_fit_is_refused_alone(void **state)
{
    const beck_receiver_class values = {
        .name = "values", .open = open_nothing, .poll = poll_values, .close = close_nothing};
    struct intake t;

    (void)state;
    intake_init(&t, &(struct ingest_options){0});
    struct blocks blocks = run_class(&t, &values, "word STRING, n BIGINT");
    assert_int_equal(blocks.rows, 2);
    const beck_chunk *chunk = blocks.items[0]->chunk;
    const int64_t *numbers = chunk->column[1].data;
    assert_true(beck_string_equal(beck_view_string(chunk->column[0].data), beck_string("a")));
    assert_true(beck_is_null((beck_row){chunk, 1, 0}, 0));
    assert_int_equal(numbers[0], 1);
    assert_int_equal(numbers[1], -2);
    beck__blocks_deinit(&blocks);
    intake_deinit(&t);
}

static beck_status poll_kilobytes(beck_receiver *r, void *state, int64_t timeout_ms)
{
    static const char kilobyte[1024];

    (void)state, (void)timeout_ms;
    for (int i = 0; i < 100; i++) {
        beck_value item = beck_string_value(beck_bytes_of(kilobyte, sizeof kilobyte));
        beck_value values[] = {beck_values_value(&item, 1)};
        assert_int_equal(beck_store_values(r, 0, values, 1), BECK_OK);
    }
    return BECK_CLOSED;
}

static beck_status poll_numbers(beck_receiver *r, void *state, int64_t timeout_ms)
{
    (void)state, (void)timeout_ms;
    for (int i = 0; i < 5000; i++)
        assert_int_equal(beck_store(r, 0, i), BECK_OK);
    return BECK_CLOSED;
}

static void blocks_are_sealed_by_size_and_by_rows(void **state)
{
    const beck_receiver_class big = {
        .name = "big", .open = open_nothing, .poll = poll_kilobytes, .close = close_nothing};
    const beck_receiver_class many = {
        .name = "many", .open = open_nothing, .poll = poll_numbers, .close = close_nothing};
    struct intake t;

    (void)state;
    intake_init(&t, &(struct ingest_options){.block_bytes = 10 << 10});
    struct blocks blocks = run_class(&t, &big, "values ARRAY<STRING>");
    assert_int_equal(blocks.rows, 100);
    assert_int_equal(blocks.count, 10);
    beck__blocks_deinit(&blocks);
    intake_deinit(&t);
    intake_init(&t, &(struct ingest_options){0});
    blocks = run_class(&t, &many, "n BIGINT");
    assert_int_equal(blocks.rows, 5000);
    assert_int_equal(blocks.count, 3);
    beck__blocks_deinit(&blocks);
    intake_deinit(&t);
}

/* ---- out of memory --------------------------------------------------------------------------- */

/* Rows that were stored with BECK_OK come out, in order; a failure is a status. */
static void memory_that_runs_out_loses_no_stored_row(void **state)
{
    const struct act acts[] = {{.bytes = "one\ntwo\n"},
                               {.bytes = "three and a longer line\nfour"},
                               {.bytes = "\nfive\n", .answer = BECK_CLOSED}};
    static const char all[] = "one|two|three and a longer line|four|five|";

    (void)state;
    for (uint64_t n = 1; n < 60; n++) {
        struct script script = {.acts = acts, .count = 3};
        struct intake t;
        struct text got = {.memory = &beck__os_real()->memory};
        intake_init(&t, &(struct ingest_options){.restart_ms = 1});
        int stream = intake_add(&t, &script, "lines");
        intake_start(&t, false);
        beck__text_reserve(&got, 1000);
        beck__os_memory_fail(t.os, n, false);
        for (; t.now_ms < 1010; t.now_ms++)
            beck__ingest_step(t.ingest);
        beck__os_memory_fail(t.os, 0, false);
        intake_take(&t, stream, t.now_ms, &got);
        beck__bus_deliver(t.bus);
        if (!strstr(beck__text_get(&t.events), "out of memory"))
            assert_string_equal(beck__text_get(&got), all);
        else
            assert_true(got.size <= sizeof all);
        assert_true(beck__ingest_drained(t.ingest));
        beck__text_deinit(&got);
        intake_deinit(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(lines_do_not_depend_on_how_bytes_come),
        test(a_line_without_end_counts_when_the_receiver_ends),
        test(nul_bytes_are_carried),
        test(long_lines_are_cut_and_reported_once),
        test(a_row_that_does_not_fit_is_refused_alone),
        test(blocks_are_sealed_by_size_and_by_rows),
        test(memory_that_runs_out_loses_no_stored_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
