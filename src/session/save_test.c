/* SPDX-License-Identifier: Apache-2.0 */
/*
 * save_test - sinks from the driver's side: open, tasks, commit, abort, close, each in its place;
 * and text files as users see them.
 */
#define _GNU_SOURCE
#include "session/testing.h"

static char said[1000];

static void say(const char *what)
{
    strcat(said, what);
    strcat(said, " ");
}

static beck_status open_sink(beck_sink *s, void *state, int64_t *last_batch)
{
    (void)state;
    (void)last_batch;
    say("open");
    return *(const char *)beck_sink_params(s, NULL) == 'o'
               ? beck_sink_error(s, BECK_IO, "the door is shut")
               : BECK_OK;
}

static beck_status begin(beck_writer *w, void *writer, beck_write_id id)
{
    (void)w;
    *(uint32_t *)writer = id.partition;
    return BECK_OK;
}

static beck_status write_rows(beck_writer *w, void *writer, const beck_chunk *rows)
{
    (void)writer;
    return *(const char *)beck_writer_params(w, NULL) == 'w' && rows->rows
               ? beck_writer_error(w, BECK_IO, "the pen is dry")
               : BECK_OK;
}

static beck_status prepare(beck_writer *w, void *writer, beck_str *message)
{
    (void)w;
    *message = beck_bytes_of(writer, 4);
    return BECK_OK;
}

static void end(beck_writer *w, void *writer, bool keep)
{
    (void)w;
    (void)writer;
    (void)keep;
}

static beck_status commit(beck_sink *s, void *state, int64_t batch_ms, const beck_str *messages,
                          size_t count)
{
    (void)state;
    (void)batch_ms;
    say("commit");
    for (size_t i = 0; i < count; i++) {
        uint32_t partition = 99;
        if (messages[i].size == 4)
            memcpy(&partition, messages[i].data, 4);
        char digit[] = {(char)('0' + partition % 10), 0};
        say(digit);
    }
    return *(const char *)beck_sink_params(s, NULL) == 'c' ? BECK_IO : BECK_OK;
}

static void abort_batch(beck_sink *s, void *state, int64_t batch_ms)
{
    (void)s;
    (void)state;
    (void)batch_ms;
    say("abort");
}

static void close_sink(beck_sink *s, void *state)
{
    (void)s;
    (void)state;
    say("close");
}

static const beck_sink_class diary = {.name = "diary",
                                      .writer_size = 4,
                                      .open = open_sink,
                                      .begin = begin,
                                      .write = write_rows,
                                      .prepare = prepare,
                                      .end = end,
                                      .commit = commit,
                                      .abort = abort_batch,
                                      .close = close_sink};

/* Saves four partitions, of which the first is empty, with this parameter. */
static void assert_diary(const char *params, const char *expected, const char *error)
{
    beck_context *ctx = test_context(.master = "local[2]");

    said[0] = 0;
    beck_status status =
        beck_save(numbers(ctx, 0, 3, 4), &diary, .params = params, .params_size = 2);
    assert_string_equal(said, expected);
    assert_int_equal(status == BECK_OK, error == NULL);
    if (error && !strstr(beck_error_text(ctx), error))
        fail_msg("\"%s\" is not in \"%s\"", error, beck_error_text(ctx));
    beck_context_free(ctx);
}

static void test_order_of_calls(void **state)
{
    (void)state;
    /* 9: the partition without rows has no message */
    assert_diary("-", "open commit 9 1 2 3 close ", NULL);
    assert_diary("o", "open ", "the door is shut");
    assert_diary("w", "open abort close ", "the pen is dry");
    assert_diary("c", "open commit 9 1 2 3 abort close ", "diary");
}

static void test_text_files(void **state)
{
    char folder[256], out[300], command[700];
    (void)state;

    temporary(folder, sizeof folder);
    snprintf(out, sizeof out, "%s/deep/er/out", folder);
    beck_context *ctx = test_context(.master = "local[2]");
    assert_int_equal(beck_save_as_text_file(numbers(ctx, 0, 10, 3), out), BECK_OK);
    snprintf(
        command, sizeof command,
        "cd %s && test \"$(cat part-0000?)\" = \"$(seq 0 9)\" && test \"$(ls | wc -l)\" = 4 && "
        "test -e _SUCCESS && test ! -e ../out.writing",
        out);
    assert_int_equal(system(command), 0);
    assert_int_equal(beck_save_as_text_file(numbers(ctx, 0, 10, 3), out), BECK_EXISTS);
    assert_non_null(strstr(beck_error_text(ctx), "exists already"));
    beck_context_free(ctx);

    ctx = test_context(.master = "local[2]"); /* an empty RDD has its parts, too */
    snprintf(out, sizeof out, "%s/empty", folder);
    assert_int_equal(beck_save_as_text_file(numbers(ctx, 0, 0, 2), out), BECK_OK);
    snprintf(command, sizeof command, "cd %s && test \"$(ls | wc -l)\" = 3", out);
    assert_int_equal(system(command), 0);
    beck_result *back = beck_collect(beck_text_file(ctx, out));
    assert_int_equal(beck_result_rows(back), 0);
    beck_context_free(ctx);
    remove_all(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_calls),
        cmocka_unit_test(test_text_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
