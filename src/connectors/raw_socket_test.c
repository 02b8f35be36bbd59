/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encoded blocks from a sink of one program to the stream of another, and what is no block; lines
 * of standard input.
 */
#define _GNU_SOURCE
#include "connectors/connectors.h"
#include "connectors/testing.h"
#include <beck/testing.h>

#include <unistd.h>

/* ---- a sink that keeps its blocks ------------------------------------------------------------ */

static struct text sent;

static beck_status kept_open(beck_sink *s, void *state, int64_t *last_batch)
{
    (void)s, (void)state;
    *last_batch = -1;
    return BECK_OK;
}

static beck_status kept_begin(beck_writer *w, void *writer, beck_write_id id)
{
    (void)w, (void)writer, (void)id;
    return BECK_OK;
}

static beck_status kept_write(beck_writer *w, void *writer, const beck_chunk *rows)
{
    beck_str block;
    beck_status status = beck_writer_encode(w, rows, &block);

    (void)writer;
    if (!status)
        beck__text_append(&sent, block.data, block.size);
    return status;
}

static beck_status kept_prepare(beck_writer *w, void *writer, beck_str *message)
{
    (void)w, (void)writer;
    *message = beck_string("");
    return BECK_OK;
}

static void kept_end(beck_writer *w, void *writer, bool keep)
{
    (void)w, (void)writer, (void)keep;
}

static beck_status kept_commit(beck_sink *s, void *state, int64_t batch_ms,
                               const beck_str *messages, size_t count)
{
    (void)s, (void)state, (void)batch_ms, (void)messages, (void)count;
    return BECK_OK;
}

static void kept_close(beck_sink *s, void *state)
{
    (void)s, (void)state;
}

static const beck_sink_class kept = {.name = "kept",
                                     .guarantee = BECK_AT_LEAST_ONCE,
                                     .open = kept_open,
                                     .begin = kept_begin,
                                     .write = kept_write,
                                     .prepare = kept_prepare,
                                     .end = kept_end,
                                     .commit = kept_commit,
                                     .close = kept_close};

/* Three rows in two blocks, in `sent`. */
static void fill(void)
{
    beck_value values[] = {
        beck_value_of("a"), beck_value_of(1),    beck_value_of("longer than a view"),
        beck_value_of(2),   beck_value_of(NULL), beck_value_of(3)};
    beck_context *ctx = beck_context_new("sender", .master = "local[1]");

    sent = (struct text){.memory = &beck__os_real()->memory};
    beck_rdd *rows = beck_parallelize(ctx, "word STRING, n BIGINT", values, 3, .partitions = 2);
    assert_int_equal(beck_save(rows, &kept), BECK_OK);
    beck_context_free(ctx);
    assert_true(sent.size > 2 * 48);
}

/* ---- the other side -------------------------------------------------------------------------- */

struct client {
    beck_context *ctx;
    struct said said;
    struct text rows;
    const char *enough; /* in the rows, or in what was said */
};

static void keep_rows(beck_call *call, beck_rdd *rdd)
{
    struct client *c = (void *)(uintptr_t)beck_ctx(call);
    beck_result *result = beck_collect(rdd);

    beck__text_add(&c->rows, rows_text(result));
    beck_result_free(result);
    beck__os_current()->lock(beck__os_current(), c->said.lock);
    bool said = strstr(beck__text_get(&c->said.text), c->enough) != NULL;
    beck__os_current()->unlock(beck__os_current(), c->said.lock);
    if (said || strstr(beck__text_get(&c->rows), c->enough))
        beck_stop(c->ctx, .graceful = true);
}

static void client_run(struct client *c, const char *schema, const char *enough)
{
    said_init(&c->said);
    c->rows = (struct text){.memory = &beck__os_current()->memory};
    c->enough = enough;
    c->ctx = beck_context_new("client", .batch_ms = 100, .master = "local[1]", .log = say,
                              .log_user = &c->said);
    beck_foreach_rdd(beck_raw_socket_stream(c->ctx, "localhost", 7000, schema, .reconnect_ms = 50),
                     keep_rows, .ctx = c);
    assert(beck_run(c->ctx) == 0);
}

static void client_deinit(struct client *c)
{
    said_deinit(&c->said);
    beck__text_deinit(&c->rows);
}

/* Sent as often as it connects. */
static void take_blocks(void *user)
{
    struct client c;

    (void)user;
    assert(!beck_simulated_server(7000, sent.data, sent.size));
    client_run(&c, "word STRING, n BIGINT", "(null,3)|(a,1)|");
    const char *rows = beck__text_get(&c.rows);
    assert(!strncmp(rows, "(a,1)|(longer than a view,2)|(null,3)|(a,1)|", 44));
    client_deinit(&c);
}

#define NOTHING 3999

struct bad {
    const char *schema, *said;
    size_t size, at; /* so many bytes are sent, one of them is another */
};

static void take_bad(void *user)
{
    const struct bad *bad = user;
    char data[4000];
    struct client c;

    memcpy(data, sent.data, bad->size);
    data[bad->at] ^= 1;
    assert(!beck_simulated_server(7000, data, bad->size));
    client_run(&c, bad->schema, bad->said);
    assert(!strstr(beck__text_get(&c.rows), "null"));
    client_deinit(&c);
}

static void in_worlds(void (*body)(void *user), void *user, uint64_t seeds)
{
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct os_simulation simulation = {.seed = seed};
        struct error error = {0};
        assert_ok(beck__os_simulate(&simulation, body, user, NULL, &error), error);
    }
}

static void blocks_travel(void **state)
{
    (void)state;
    fill();
    in_worlds(take_blocks, NULL, 20);
    beck__text_deinit(&sent);
}

static void what_is_no_block_is_told(void **state)
{
    (void)state;
    fill();
    struct bad cases[] = {
        {"word STRING, n BIGINT", "what comes is no block of Beck's format", sent.size, 0},
        {"word STRING, n BIGINT", "encoded block: CRC32C", sent.size, 60},
        {"word STRING, n BIGINT", "what comes is no block of Beck's format", sent.size, 35},
        {"word STRING", "encoded block: schema id", sent.size, NOTHING},
        {"word STRING, n BIGINT", "in the middle of a block (", sent.size - 5, NOTHING},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        in_worlds(take_bad, &cases[i], 5);
    beck__text_deinit(&sent);
}

/* ---- standard input -------------------------------------------------------------------------- */

static void lines_of_standard_input(void **state)
{
    int ends[2], before = dup(0);
    beck_context *ctx = beck_context_new("input", .batch_ms = 1000, .manual_clock = true);
    beck_collector *c = beck_collect_stream(beck_stdin_stream(ctx));

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], 0), 0);
    close(ends[0]);
    assert_int_equal(write(ends[1], "one\ntw", 6), 6);
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_string_equal(rows_text(beck_collector_result(c, 0)), "one|");
    assert_int_equal(write(ends[1], "o\nthree", 7), 7);
    close(ends[1]);
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_string_equal(rows_text(beck_collector_result(c, 1)), "two|three|");
    assert_int_equal(beck_step(ctx, 5000), BECK_OK); /* it has ended, and is not opened again */
    assert_string_equal(rows_text(beck_collector_result(c, 6)), "");
    beck_context_free(ctx);
    dup2(before, 0);
    close(before);
}

static void wrong_arguments_are_told(void **state)
{
    beck_context *ctx = beck_context_new("wrong", .manual_clock = true);

    (void)state;
    beck_raw_socket_stream(ctx, "localhost", 0, "n BIGINT");
    assert_contains(beck_error_text(ctx), "raw_socket_stream at raw_socket_test.c:");
    assert_contains(beck_error_text(ctx), "port 0; give a number from 1 to 65535");
    beck_context_free(ctx);
    ctx = beck_context_new("wrong", .manual_clock = true);
    beck_raw_socket_stream(ctx, "localhost", 1, NULL);
    assert_contains(beck_error_text(ctx), "schema: ");
    beck_context_free(ctx);
    ctx = beck_context_new("wrong", .manual_clock = true);
    beck_stdin_stream(ctx, .line_bytes_max = -1);
    assert_contains(beck_error_text(ctx), ".line_bytes_max is -1");
    beck_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(blocks_travel),
        test(what_is_no_block_is_told),
        test(lines_of_standard_input),
        test(wrong_arguments_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
