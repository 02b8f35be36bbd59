/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector_test - the task's side of connector.h: reading a range, and writing a partition.
 */
#include "exec/testing.h"

#define SCHEMA "word STRING, n BIGINT"

/* ---- reading --------------------------------------------------------------------------------- */

/* What the range of a test says: how to read, and how many rows. */
struct range {
    enum { VALUES, CHUNKS, MIXED, WRONG_COUNT, WRONG_TYPE, WRONG_CHUNK, STATUS, TEXT, WARN } how;
    uint32_t rows;
    bool careless; /* goes on after it was told to stop */
    beck_chunk *chunk;
    uint32_t *read; /* rows that were taken */
};

static beck_status read_rows(beck_reader *r, const struct range *range)
{
    for (uint32_t i = 0; i < range->rows; i++) {
        bool chunk = range->how == CHUNKS || (range->how == MIXED && i % 3 == 2);
        bool more = chunk ? beck_read_chunk(r, range->chunk)
                          : beck_read_row(r, "a word longer than a view", i);
        if (!more && !range->careless)
            return BECK_OK;
        ++*range->read;
    }
    return BECK_OK;
}

static beck_status read_range(beck_reader *r, const void *params, size_t params_size,
                              const void *range, size_t size)
{
    struct range it;
    assert_int_equal(size, sizeof it);
    assert_int_equal(params_size, 4);
    assert_memory_equal(params, "par", 4);
    memcpy(&it, range, sizeof it);
    switch (it.how) {
    case WRONG_COUNT:
        beck_read_row(r, "one");
        return BECK_OK;
    case WRONG_TYPE:
        beck_read_row(r, "fine", 1);
        beck_read_row(r, "word", "number");
        return BECK_OK;
    case WRONG_CHUNK:
        beck_read_chunk(r, it.chunk);
        return BECK_OK;
    case STATUS:
        return BECK_IO;
    case WARN:
        beck_reader_warn(r, "%d lines were %s", 3, "cut off");
        beck_reader_warn(r, "the second one is not told");
        return read_rows(r, &it);
    case TEXT:
        return beck_reader_error(r, BECK_IO, "%s is gone", "the disk");
    default:
        return read_rows(r, &it);
    }
}

static const beck_direct_class source = {.name = "source", .schema = SCHEMA, .read = read_range};

/* Reads into the operations and the collector. */
static void read_into(struct bench *x, struct range range, const struct op *ops, uint32_t count)
{
    struct program program = {.count = count, .ops = ops, .in = x->in.schema, .out = x->in.schema};
    struct operator *head, *sink = beck__collector_open(&x->task, program.out, &x->out);
    uint32_t read = 0;
    range.read = &read;
    range.chunk = range.chunk ? range.chunk : x->in.chunk;
    assert_false(beck__pipeline_open(&x->task, &program, sink, &head));
    const struct range_source from = {"source", &source, beck_bytes_of("par", 4), x->in.schema};
    x->flow = beck__range_read(&x->task, &from, beck_bytes_of(&range, sizeof range), head);
    if (x->flow != FLOW_FAILED)
        beck__pipeline_finish(head, sink);
    beck__pipeline_close(head, sink);
    x->pushed = read;
}

static void check_read(struct range range, uint64_t rows)
{
    struct bench x;
    bench_open(&x, SCHEMA);
    ROW(&x, "from a chunk", 1);
    ROW(&x, "from a chunk", 2);
    read_into(&x, range, NULL, 0);
    assert_int_equal(x.task.error.status, BECK_OK);
    assert_int_equal(x.flow, FLOW_MORE);
    assert_int_equal(x.out.rows, rows);
    assert_int_equal(x.task.records, rows);
    bench_close(&x);
}

static void test_read(void **state)
{
    (void)state;
    check_read((struct range){.how = VALUES, .rows = 0}, 0);
    check_read((struct range){.how = VALUES, .rows = 5}, 5);
    check_read((struct range){.how = VALUES, .rows = 5000}, 5000);
    check_read((struct range){.how = CHUNKS, .rows = 3}, 6);
    check_read((struct range){.how = MIXED, .rows = 9}, 12);
}

/* The rows come in the order in which they were read. */
static void test_read_order(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, SCHEMA);
    ROW(&x, "from a chunk", 77);
    read_into(&x, (struct range){.how = MIXED, .rows = 4}, NULL, 0);
    assert_string_equal(bench_text(&x), "(a word longer than a view,0)\n"
                                        "(a word longer than a view,1)\n(from a chunk,77)\n"
                                        "(a word longer than a view,3)\n");
    bench_close(&x);
}

static void check_stops(struct range range, uint64_t read_most)
{
    struct bench x;
    bench_open(&x, SCHEMA);
    ROW(&x, "from a chunk", 77);
    struct op limit = test_op(&x.arena, OP_LIMIT, SCHEMA, SCHEMA);
    limit.number = 3;
    read_into(&x, range, &limit, 1);
    assert_int_equal(x.flow, FLOW_DONE);
    assert_int_equal(x.task.error.status, BECK_OK);
    assert_int_equal(x.out.rows, 3);
    assert_true(x.pushed <= read_most);
    bench_close(&x);
}

/* take(3) of a huge source reads no more than a chunk. */
static void test_stops(void **state)
{
    (void)state;
    check_stops((struct range){.how = VALUES, .rows = 1000000}, BECK__CHUNK_ROWS);
    check_stops((struct range){.how = CHUNKS, .rows = 1000000}, 3);
    check_stops((struct range){.how = MIXED, .rows = 5000, .careless = true}, 5000);
}

static void check_error(struct range range, beck_status status, const char *expected)
{
    struct bench x;
    bench_open(&x, SCHEMA);
    read_into(&x, range, NULL, 0);
    assert_int_equal(x.flow, FLOW_FAILED);
    assert_int_equal(x.task.error.status, status);
    assert_string_equal(x.task.error.text, expected);
    bench_close(&x);
}

static void test_read_errors(void **state)
{
    (void)state;
    check_error((struct range){.how = WRONG_COUNT}, BECK_TYPE,
                "source: a row has 1 values instead of 2");
    check_error((struct range){.how = WRONG_TYPE}, BECK_TYPE,
                "source: column 1 \"n\" is BIGINT: got STRING \"number\"");
    check_error((struct range){.how = STATUS}, BECK_IO, "source: input or output failed");
    check_error((struct range){.how = TEXT}, BECK_IO, "source: the disk is gone");

    struct bench x;
    bench_open(&x, "word STRING, n DOUBLE");
    check_error((struct range){.how = WRONG_CHUNK, .chunk = x.in.chunk}, BECK_TYPE,
                "source: a chunk of 2 columns whose types are not the schema's");
    bench_close(&x);
    bench_open(&x, "word STRING");
    check_error((struct range){.how = WRONG_CHUNK, .chunk = x.in.chunk}, BECK_TYPE,
                "source: a chunk of 1 columns whose types are not the schema's");
    bench_close(&x);
}

static void test_warning(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, SCHEMA);
    read_into(&x, (struct range){.how = VALUES, .rows = 3}, NULL, 0);
    assert_string_equal(x.task.warning, "");
    read_into(&x, (struct range){.how = WARN, .rows = 3}, NULL, 0);
    assert_string_equal(x.task.warning, "source: 3 lines were cut off");
    assert_int_equal(x.task.error.status, BECK_OK);
    assert_int_equal(x.out.rows, 6);
    bench_close(&x);
}

static void test_cancelled(void **state)
{
    (void)state;
    struct bench x;
    _Atomic bool cancelled = true;
    bench_open(&x, SCHEMA);
    x.task.cancelled = &cancelled;
    read_into(&x, (struct range){.how = VALUES, .rows = 1000000, .careless = true}, NULL, 0);
    assert_int_equal(x.flow, FLOW_FAILED);
    assert_int_equal(x.task.error.status, BECK_CANCELLED);
    bench_close(&x);
}

/* ---- ranges ---------------------------------------------------------------------------------- */

static void test_ranges(void **state)
{
    (void)state;
    struct arena arena = {.memory = &beck__os_real()->memory};
    struct error error = {0};
    struct beck_ranges ranges = {.arena = &arena, .error = &error};
    for (int i = 0; i < 100; i++)
        assert_int_equal(beck_add_range(&ranges, &i, sizeof i), BECK_OK);
    assert_int_equal(beck_add_range(&ranges, "", 0), BECK_OK);
    assert_int_equal(ranges.count, 101);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ranges.items[i].size, sizeof i);
        assert_memory_equal(ranges.items[i].data, &i, sizeof i);
    }
    assert_int_equal(ranges.items[100].size, 0);
    assert_int_equal(beck_ranges_error(&ranges, BECK_NOT_FOUND, "no %s", "file"), BECK_NOT_FOUND);
    assert_string_equal(error.text, "no file");
    beck__arena_deinit(&arena);
}

static void test_ranges_no_memory(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    for (uint64_t n = 1; n < 3; n++) {
        struct arena arena = {.memory = &os->memory, .first = 16};
        struct error error = {0};
        struct beck_ranges ranges = {.arena = &arena, .error = &error};
        beck__os_memory_fail(os, n, true);
        assert_int_equal(beck_add_range(&ranges, "0123456789", 10), BECK_NO_MEMORY);
        beck__os_memory_fail(os, 0, false);
        assert_int_equal(error.status, BECK_NO_MEMORY);
        beck__arena_deinit(&arena);
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

/* The parameters of a test's sink: where to note its calls, and what fails. */
struct sink_params {
    struct text *calls;
    const char *fails;
    bool told; /* with a text of its own */
    size_t message;
};

struct writer_state {
    struct sink_params params;
    uint64_t rows;
    char *message;
};

static beck_status note(beck_writer *w, const struct sink_params *params, const char *call)
{
    beck__text_printf(params->calls, "%s ", call);
    if (!params->fails || strcmp(params->fails, call) != 0)
        return BECK_OK;
    return params->told ? beck_writer_error(w, BECK_IO, "%s says no", call) : BECK_IO;
}

static beck_status sink_begin(beck_writer *w, void *writer, beck_write_id id)
{
    struct writer_state *s = writer;
    size_t size;
    const void *params = beck_writer_params(w, &size);
    assert_int_equal(size, sizeof s->params);
    memcpy(&s->params, params, size);
    beck__text_printf(s->params.calls, "%lld/%u/%u ", (long long)id.batch_ms, id.partition,
                      id.attempt);
    return note(w, &s->params, "begin");
}

static beck_status sink_write(beck_writer *w, void *writer, const beck_chunk *rows)
{
    struct writer_state *s = writer;
    s->rows += rows->rows;
    return note(w, &s->params, "write");
}

static beck_status sink_prepare(beck_writer *w, void *writer, beck_str *message)
{
    static char large[(1 << 20) + 1];
    struct writer_state *s = writer;
    int size = snprintf(large, sizeof large, "%llu rows", (unsigned long long)s->rows);
    *message = beck_bytes_of(large, s->params.message ? s->params.message : (size_t)size);
    return note(w, &s->params, "prepare");
}

static void sink_end(beck_writer *w, void *writer, bool keep)
{
    struct writer_state *s = writer;
    note(w, &s->params, keep ? "keep" : "drop");
}

static const beck_sink_class sink_class = {.name = "sink",
                                           .writer_size = sizeof(struct writer_state),
                                           .begin = sink_begin,
                                           .write = sink_write,
                                           .prepare = sink_prepare,
                                           .end = sink_end};

static struct op sink_op(struct bench *x, const struct sink_params *params)
{
    struct op op = test_op(&x->arena, OP_SINK, SCHEMA, "message BINARY");
    op.name = "sink";
    op.bytes = beck_bytes_of(params, sizeof *params);
    op.function[0] = x->os->function_id(x->os, &sink_class);
    x->task.batch_ms = 5000;
    x->task.partition = 3;
    x->task.attempt = 1;
    return op;
}

static void check_sink(struct sink_params params, const char *calls, const char *result)
{
    struct bench x;
    bench_open(&x, SCHEMA);
    struct text noted = {.memory = &x.os->memory};
    params.calls = &noted;
    ROW(&x, "a", 1);
    bench_cut(&x);
    ROW(&x, "b", 2);
    ROW(&x, "c", 3);
    struct op op = sink_op(&x, &params);
    bench_try(&x, &op, 1);
    assert_string_equal(beck__text_get(&noted), calls);
    assert_string_equal(x.task.error.status ? x.task.error.text : bench_text(&x), result);
    beck__text_deinit(&noted);
    bench_close(&x);
}

static void test_sink(void **state)
{
    (void)state;
    check_sink((struct sink_params){0}, "5000/3/1 begin write write prepare keep ",
               "3320726f7773\n"); /* "3 rows" */
}

static void test_sink_fails(void **state)
{
    (void)state;
    check_sink((struct sink_params){.fails = "begin"}, "5000/3/1 begin drop ",
               "sink: input or output failed");
    check_sink((struct sink_params){.fails = "begin", .told = true}, "5000/3/1 begin drop ",
               "sink: begin says no");
    check_sink((struct sink_params){.fails = "write", .told = true}, "5000/3/1 begin write drop ",
               "sink: write says no");
    check_sink((struct sink_params){.fails = "prepare", .told = true},
               "5000/3/1 begin write write prepare drop ", "sink: prepare says no");
    check_sink((struct sink_params){.message = (1 << 20) + 1},
               "5000/3/1 begin write write prepare drop ",
               "sink: a message of 1048577 bytes, at most 1048576");
}

static void fail_always(beck_call *c, beck_row in)
{
    (void)in;
    beck_fail(c, "before the sink");
}

/* What fails in front of the sink makes it drop what it has; and so does what never starts. */
static void test_sink_dropped(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, SCHEMA);
    struct text noted = {.memory = &x.os->memory};
    struct sink_params params = {.calls = &noted};
    ROW(&x, "a", 1);
    struct op ops[] = {call_op(&x, SCHEMA, SCHEMA, fail_always), sink_op(&x, &params)};
    bench_try(&x, ops, 2);
    assert_string_equal(beck__text_get(&noted), "5000/3/1 begin drop ");
    beck__error_clear(&x.task.error);
    beck__text_clear(&noted);
    ops[0].function[0].module = 77;
    bench_try(&x, ops, 2);
    assert_int_equal(x.task.error.status, BECK_UNSUPPORTED);
    assert_string_equal(beck__text_get(&noted), "5000/3/1 begin drop ");
    beck__text_deinit(&noted);
    bench_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_read),        test(test_read_order),       test(test_stops),
        test(test_read_errors), test(test_cancelled),        test(test_warning),
        test(test_ranges),      test(test_ranges_no_memory), test(test_sink),
        test(test_sink_fails),  test(test_sink_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
