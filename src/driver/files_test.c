/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams over directories, batch by batch: what is new, what is complete, what is left alone, the
 * limits, and what is told when it cannot be read.
 */
#define _GNU_SOURCE
#include "connectors/connectors.h"
#include "driver/testing.h"

#include <unistd.h>

struct watch {
    struct folder folder;
    struct said said;
    struct text events; /* of listeners, which hear of the end, too */
    beck_context *ctx;
};

static void begin(struct watch *w)
{
    w->folder = folder_new();
    said_init(&w->said);
    w->events = (struct text){.memory = &beck__os_real()->memory};
    w->ctx = beck_context_new("test", .batch_ms = 1000, .manual_clock = true, .log = say,
                              .log_user = &w->said);
}

static void end(struct watch *w)
{
    beck_context_free(w->ctx);
    said_deinit(&w->said);
    beck__text_deinit(&w->events);
    remove_all(w->folder.path);
}

static const char *put(struct watch *w, const char *name, const char *text)
{
    const char *path = in_folder(&w->folder, name);

    put_file(path, text, strlen(text));
    return path;
}

static void make_folder(struct watch *w, const char *name)
{
    struct os *os = beck__os_real();

    assert_int_equal(os->mkdir(os, in_folder(&w->folder, name), NULL), BECK_OK);
}

static void move(struct watch *w, const char *from, const char *to)
{
    struct os *os = beck__os_real();

    assert_int_equal(os->rename(os, in_folder(&w->folder, from), in_folder(&w->folder, to), NULL),
                     BECK_OK);
}

static void step(struct watch *w, int batches)
{
    for (int i = 0; i < batches; i++)
        if (beck_step(w->ctx, 1000))
            print_error("%s\n", beck_error_text(w->ctx));
    assert_int_equal(beck_error(w->ctx), BECK_OK);
}

static int setup(void **state)
{
    struct watch *w = calloc(1, sizeof *w);

    assert_non_null(w);
    begin(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    end(*state);
    free(*state);
    return 0;
}

#define watched(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* ---- what is read ---------------------------------------------------------------------------- */

static void new_files_are_read_once(void **state)
{
    struct watch *w = *state;

    put(w, "old", "old\n");
    beck_collector *c = beck_collect_stream(beck_text_file_stream(w->ctx, w->folder.path));
    assert_int_equal(beck_step(w->ctx, 0), BECK_OK); /* starts */
    put(w, "a", "a1\na2\n");
    step(w, 2); /* seen, then taken: it has not changed */
    put(w, "b", "b");
    put(w, "empty", "");
    step(w, 4);
    assert_batches(c, "1000 ;2000 a1|a2|;3000 ;4000 b|;5000 ;6000 ;");
    assert_string_equal(beck__text_get(&w->said.text), "");
}

static void or_all_from_the_beginning(void **state)
{
    struct watch *w = *state;

    put(w, "b", "b\n");
    put(w, "a", "a\n");
    beck_collector *c =
        beck_collect_stream(beck_text_file_stream(w->ctx, w->folder.path, .from_beginning = true));
    step(w, 2);
    assert_batches(c, "1000 a|b|;2000 ;");
}

static void a_growing_file_waits(void **state)
{
    struct watch *w = *state;

    put(w, "at the start", "o");
    beck_collector *c = beck_collect_stream(beck_text_file_stream(w->ctx, w->folder.path));
    beck_step(w->ctx, 0);
    for (int i = 1; i <= 3; i++) {
        put(w, "growing", &"one\ntwo\nthree\n"[10 - 3 * i]);
        put(w, "at the start", &"old\n"[3 - i]); /* it was not complete either */
        step(w, 1);
    }
    put(w, "growing", "one\ntwo\nthree\n");
    step(w, 3);
    assert_batches(c, "1000 ;2000 ;3000 ;4000 old|;5000 one|two|three|;6000 ;");
}

static void or_does_not_if_told_so(void **state)
{
    struct watch *w = *state;

    beck_collector *c =
        beck_collect_stream(beck_text_file_stream(w->ctx, w->folder.path, .settle_ms = -1));
    beck_step(w->ctx, 0);
    put(w, "a", "a");
    step(w, 1);
    assert_batches(c, "1000 a|;");
}

/* A file is what it is, not what it is called. */
static void names_do_not_matter(void **state)
{
    struct watch *w = *state;

    beck_collector *c = beck_collect_stream(beck_text_file_stream(w->ctx, w->folder.path));
    beck_step(w->ctx, 0);
    put(w, "a", "first\n");
    put(w, ".hidden", "no\n");
    put(w, "_SUCCESS", "no\n");
    put(w, "x.tmp", "soon\n");
    put(w, "y._COPYING_", "no\n");
    step(w, 3);
    move(w, "a", "b");       /* was read under another name */
    put(w, "a", "second\n"); /* another file */
    move(w, "x.tmp", "x");
    step(w, 3);
    assert_batches(c, "1000 ;2000 first|;3000 ;4000 ;5000 second|soon|;6000 ;");
}

static void directories_by_pattern_and_below(void **state)
{
    struct watch *w = *state;
    char path[300];

    make_folder(w, "in-1");
    make_folder(w, "in-2");
    make_folder(w, "out");
    make_folder(w, "in-1/deep");
    put(w, "in-1/a.csv", "a\n");
    put(w, "in-1/a.txt", "not csv\n");
    put(w, "in-1/deep/c.csv", "c\n");
    put(w, "in-2/b.csv", "b\n");
    put(w, "out/d.csv", "d\n");
    assert_int_equal(symlink("..", in_folder(&w->folder, "in-1/deep/loop")), 0);
    snprintf(path, sizeof path, "%s/in-[0-9]", w->folder.path);
    beck_collector *flat = beck_collect_stream(
        beck_text_file_stream(w->ctx, path, .from_beginning = true, .glob = "*.csv"));
    beck_collector *deep = beck_collect_stream(beck_text_file_stream(
        w->ctx, path, .from_beginning = true, .glob = "*.csv", .recursive = true));
    step(w, 1);
    make_folder(w, "in-3");
    put(w, "in-3/new.csv", "new\n");
    step(w, 2);
    assert_batches(flat, "1000 a|b|;2000 ;3000 new|;");
    assert_batches(deep, "1000 a|c|b|;2000 ;3000 new|;");
}

static void a_batch_has_limits(void **state)
{
    struct watch *w = *state;

    put(w, "a", "a1\na2\na3\n");
    put(w, "b", "b\n");
    put(w, "c", "c\n");
    put(w, "d", "d\n");
    beck_collector *files = beck_collect_stream(
        beck_text_file_stream(w->ctx, w->folder.path, .from_beginning = true, .files_max = 2));
    beck_collector *bytes = beck_collect_stream(beck_text_file_stream(
        w->ctx, w->folder.path, .from_beginning = true, .bytes_max = 4, .split_bytes = 3));
    step(w, 5);
    assert_batches(files, "1000 a1|a2|a3|b|;2000 c|d|;3000 ;4000 ;5000 ;");
    assert_batches(bytes, "1000 a1|;2000 a2|;3000 a3|;4000 b|c|;5000 d|;");
}

/* ---- records and whole files ----------------------------------------------------------------- */

static void records_have_one_length(void **state)
{
    struct watch *w = *state;

    put(w, "a", "0011223344");
    beck_dstream *s = beck_binary_records_stream(w->ctx, w->folder.path, 2, .from_beginning = true,
                                                 .split_bytes = 5);
    beck_collector *c = beck_collect_stream(s);
    step(w, 1);
    assert_batches(c, "1000 3030|3131|3232|3333|3434|;");
    const char *path = put(w, "b", "555");
    beck_step(w->ctx, 2000);
    assert_int_equal(beck_error(w->ctx), BECK_CORRUPT);
    assert_contains(beck_error_text(w->ctx), path);
    assert_contains(beck_error_text(w->ctx),
                    "has 3 bytes, which is no multiple of the record length "
                    "2: the record at byte 2 is cut short");
}

static void parse(beck_call *c, beck_row file)
{
    beck_str path = beck_get_string(file, 0), content = beck_get_binary(file, 1);

    (void)path;
    beck_emit(c, beck_bytes_of(path.data + path.size - 1, 1), (int64_t)content.size);
}

static void a_parser_of_whole_files(void **state)
{
    struct watch *w = *state;

    put(w, "a", "one\ntwo");
    put(w, "b", "x");
    beck_dstream *files =
        beck_file_stream(w->ctx, w->folder.path, .from_beginning = true, .file_bytes_max = 7);
    beck_collector *c =
        beck_collect_stream(beck_flat_map(files, "name STRING, bytes BIGINT", parse));
    step(w, 1);
    assert_batches(c, "1000 (a,7)|(b,1)|;");
    put(w, "c", "too long");
    beck_step(w->ctx, 2000);
    assert_int_equal(beck_error(w->ctx), BECK_INVALID);
    assert_contains(beck_error_text(w->ctx), "/c has 8 bytes, more than .file_bytes_max = 7");
}

/* ---- what happens to a file between look and read -------------------------------------------- */

struct change {
    struct watch *w;
    void (*spoil)(struct watch *w);
    int64_t at_ms;
};

/* A listener: acts when the batch has been made, before its first output. */
static void spoil(void *user, const beck_event *e)
{
    struct change *change = user;

    if (e->kind == BECK_EVENT_BATCH_SUBMITTED && e->batch_ms == change->at_ms)
        change->spoil(change->w);
}

static void delete_it(struct watch *w)
{
    struct os *os = beck__os_real();

    os->remove(os, in_folder(&w->folder, "b"), NULL);
}

static void truncate_it(struct watch *w)
{
    put(w, "b", "b");
}

static void rewrite_it(struct watch *w)
{
    put(w, "b", "B1\nB2\n");
}

static void replace_it(struct watch *w)
{
    put(w, ".new", "B1\nB2\n");
    move(w, ".new", "b");
}

static const struct {
    void (*spoil)(struct watch *w);
    beck_status status;
    const char *text;
} spoilers[] = {
    {delete_it, BECK_NOT_FOUND,
     "/b was deleted or renamed after it was listed; its bytes from 0 to 6 cannot be read any "
     "more"},
    {truncate_it, BECK_CORRUPT,
     "/b was changed after it was listed: it had 6 bytes then and has 1 now; its bytes from 0 to 6 "
     "cannot be read any more"},
    {rewrite_it, BECK_CORRUPT, "it had 6 bytes then and has 6 now"},
    {replace_it, BECK_CORRUPT, "it had 6 bytes then and has 6 now"},
};

static void begin_spoiled(struct watch *w, struct change *change, size_t i)
{
    begin(w);
    put(w, "a", "a\n");
    put(w, "b", "b1\nb2\n");
    put(w, "c", "c\n");
    *change = (struct change){w, spoilers[i].spoil, 1000};
    beck_add_listener(w->ctx, spoil, change);
}

static void a_spoiled_file_fails_its_batch(void **state)
{
    struct change change;
    struct watch w;

    (void)state;
    for (size_t i = 0; i < sizeof spoilers / sizeof *spoilers; i++) {
        begin_spoiled(&w, &change, i);
        beck_collector *c = beck_collect_stream(
            beck_text_file_stream(w.ctx, w.folder.path, .from_beginning = true));
        assert_int_equal(beck_step(w.ctx, 1000), spoilers[i].status);
        assert_contains(beck_error_text(w.ctx), "batch 1000 ms failed: ");
        assert_contains(beck_error_text(w.ctx), spoilers[i].text);
        assert_int_equal(beck_collector_batches(c), 0);
        end(&w);
    }
}

/* The others are all read; so is what came in its place, which is another file or may be. */
static void or_is_left_out(void **state)
{
    struct change change;
    struct watch w;

    (void)state;
    for (size_t i = 0; i < sizeof spoilers / sizeof *spoilers; i++) {
        begin_spoiled(&w, &change, i);
        beck_collector *c = beck_collect_stream(
            beck_text_file_stream(w.ctx, w.folder.path, .from_beginning = true, .skip_lost = true));
        step(&w, 1);
        put(&w, "d", "d\n");
        step(&w, 2);
        assert_batches(c, spoilers[i].spoil == replace_it ? "1000 a|c|;2000 ;3000 B1|B2|d|;"
                                                          : "1000 a|c|;2000 ;3000 d|;");
        assert_contains(beck__text_get(&w.said.text), spoilers[i].text);
        assert_contains(beck__text_get(&w.said.text), "left out (.skip_lost)");
        end(&w);
    }
}

static void what_changes_after_it_was_read_is_told(void **state)
{
    struct watch *w = *state;

    put(w, "a", "a\n");
    beck_add_listener(w->ctx, keep_events, &w->events);
    beck_collector *c = beck_collect_stream(
        beck_text_file_stream(w->ctx, w->folder.path, .from_beginning = true, .name = "in"));
    step(w, 1);
    put(w, "a", "a\nmore\n");
    step(w, 3);
    assert_batches(c, "1000 a|;2000 ;3000 ;4000 ;");
    const char *told = strstr(beck__text_get(&w->events), "receiver error in: ");
    assert_non_null(told);
    assert_contains(told, "/a was changed after it was listed with 2 bytes: it is not read again");
    assert_null(strstr(told + 1, "receiver error in: "));
}

/* ---- directories that cannot be read --------------------------------------------------------- */

static void a_directory_must_be_there(void **state)
{
    struct watch *w = *state;

    beck_print(beck_text_file_stream(w->ctx, in_folder(&w->folder, "no"), .name = "in"));
    assert_int_equal(beck_step(w->ctx, 1000), BECK_NOT_FOUND);
    assert_contains(beck_error_text(w->ctx), "text_file_stream \"in\" at files_test.c:");
    assert_contains(beck_error_text(w->ctx),
                    "/no: No such file or directory; it must be a directory "
                    "that this user may list and search");
}

static beck_status (*list_real)(struct os *os, const char *path, struct arena *arena, char ***names,
                                size_t *count, struct error *error);

static beck_status list_denied(struct os *os, const char *path, struct arena *arena, char ***names,
                               size_t *count, struct error *error)
{
    if (strstr(path, "closed"))
        return beck__error_set(error, BECK_IO, "list %s: Permission denied", path);
    return list_real(os, path, arena, names, count, error);
}

/* Told once for each time; the other directories are read on; later it is looked at again. */
static void a_closed_directory_is_told(void **state)
{
    struct os *os = beck__os_real();
    struct watch *w = *state;

    make_folder(w, "closed");
    make_folder(w, "open");
    beck_add_listener(w->ctx, keep_events, &w->events);
    beck_collector *c = beck_collect_stream(
        beck_text_file_stream(w->ctx, w->folder.path, .recursive = true, .name = "in"));
    beck_step(w->ctx, 0);
    list_real = os->list;
    os->list = list_denied;
    put(w, "closed/a", "a\n");
    put(w, "open/b", "b\n");
    step(w, 3);
    os->list = list_real;
    step(w, 2);
    assert_batches(c, "1000 ;2000 b|;3000 ;4000 ;5000 a|;");
    const char *told = strstr(beck__text_get(&w->events), "receiver error in: list ");
    assert_non_null(told);
    assert_contains(told, "/closed: Permission denied; it must be a directory that this user may");
    assert_null(strstr(told + 1, "receiver error"));
    assert_contains(beck__text_get(&w->said.text), "in at files_test.c:");
    assert_contains(told, "receiver started in");
}

static beck_status (*open_real)(struct os *os, const char *path, enum os_open how,
                                struct os_file **file, struct error *error);

static beck_status open_denied(struct os *os, const char *path, enum os_open how,
                               struct os_file **file, struct error *error)
{
    if (how == OS_READ && strstr(path, "/secret"))
        return beck__error_set(error, BECK_IO, "open %s: Permission denied", path);
    return open_real(os, path, how, file, error);
}

/* It is not lost, so it is not left out. */
static void a_closed_file_fails_its_batch(void **state)
{
    struct os *os = beck__os_real();
    struct watch *w = *state;

    put(w, "secret", "s\n");
    beck_print(
        beck_text_file_stream(w->ctx, w->folder.path, .from_beginning = true, .skip_lost = true));
    open_real = os->open;
    os->open = open_denied;
    assert_int_equal(beck_step(w->ctx, 1000), BECK_IO);
    os->open = open_real;
    assert_contains(beck_error_text(w->ctx), "batch 1000 ms failed: print at files_test.c:");
    assert_contains(beck_error_text(w->ctx), "text_file_stream-1 at files_test.c:");
    assert_contains(beck_error_text(w->ctx), "/secret: Permission denied");
}

static void too_many_files_are_told(void **state)
{
    static char *argv[] = {(char *)"test", (char *)"--conf", (char *)"files.known_max=2", NULL};
    struct watch w = {.folder = folder_new()};

    (void)state;
    said_init(&w.said);
    w.ctx = beck_context_new("test", .manual_clock = true, .argc = 3, .argv = argv, .log = say,
                             .log_user = &w.said);
    beck_collector *c = beck_collect_stream(beck_text_file_stream(w.ctx, w.folder.path));
    beck_step(w.ctx, 0);
    put(&w, "a", "a\n");
    put(&w, "b", "b\n");
    put(&w, "c", "c\n");
    step(&w, 2);
    remove_all(in_folder(&w.folder, "a"));
    for (int i = 0; i < 75; i++) /* it is forgotten after a minute */
        step(&w, 1);
    const beck_result *last = NULL;
    for (size_t i = 2; i < beck_collector_batches(c); i++)
        if (beck_result_rows(beck_collector_result(c, i)))
            last = beck_collector_result(c, i);
    assert_non_null(last);
    assert_string_equal(rows_text(last), "c|");
    assert_contains(beck__text_get(&w.said.text), "holds more than 2 files");
    end(&w);
}

/* ---- without memory -------------------------------------------------------------------------- */

static void no_log(void *user, beck_log_level level, const char *text)
{
    (void)user, (void)level, (void)text;
}

/* Three batches while the n-th allocation fails. True if none did. */
static bool run_without(struct watch *w, uint64_t n)
{
    struct os *os = beck__os_real();
    uint64_t before = beck__os_memory_calls(os);
    char all[100] = "";

    beck__os_memory_fail(os, n, false);
    beck_context *ctx = beck_context_new("memory", .manual_clock = true, .log = no_log);
    beck_dstream *lines =
        beck_text_file_stream(ctx, w->folder.path, .from_beginning = true, .split_bytes = 2);
    beck_collector *c = beck_collect_stream(lines);
    beck_status status = ctx ? beck_step(ctx, 3000) : BECK_NO_MEMORY;
    bool reached = beck__os_memory_calls(os) - before >= n;
    beck__os_memory_fail(os, 0, false);
    assert_true(status == BECK_OK || status == BECK_NO_MEMORY);
    for (size_t i = 0; !status && i < beck_collector_batches(c); i++)
        strcat(all, rows_text(beck_collector_result(c, i)));
    if (!status) /* the second file may come first */
        assert_true(strlen(all) == 14 && strstr(all, "one|") && strstr(all, "two|") &&
                    strstr(all, "three|"));
    beck_context_free(ctx);
    return !reached;
}

static void nothing_is_lost_without_memory(void **state)
{
    struct watch w = {.folder = folder_new()};

    (void)state;
    put(&w, "a", "one\ntwo\n");
    put(&w, "b", "three\n");
    for (uint64_t n = 1; !run_without(&w, n); n++)
        assert_true(n < 5000);
    remove_all(w.folder.path);
}

/* ---- arguments ------------------------------------------------------------------------------- */

static void is_told(beck_context *ctx, const char *text)
{
    assert_int_equal(beck_error(ctx), BECK_INVALID);
    assert_contains(beck_error_text(ctx), text);
    assert_contains(beck_error_text(ctx), " at files_test.c:");
    beck_context_free(ctx);
}

static void wrong_arguments_are_told(void **state)
{
#define WRONG(...)                                                                                 \
    {                                                                                              \
        __VA_ARGS__, BECK__END(beck_text_file_stream_args)                                         \
    }
    static const struct {
        const char *text;
        beck_text_file_stream_args args;
    } cases[] = {
        {"the path is empty", WRONG(NULL)},
        {".glob is a pattern of names", WRONG("/x", .glob = "a/b")},
        {".settle_ms is -2", WRONG("/x", .settle_ms = -2)},
        {".interval_ms is -1", WRONG("/x", .interval_ms = -1)},
        {".files_max is -1", WRONG("/x", .files_max = -1)},
        {".bytes_max is -1", WRONG("/x", .bytes_max = -1)},
        {".split_bytes is -1", WRONG("/x", .split_bytes = -1)},
        {".line_bytes_max is -1", WRONG("/x", .line_bytes_max = -1)},
    };
    beck_context *ctx;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ctx = stepped("wrong");
        beck__text_file_stream(ctx, &cases[i].args);
        is_told(ctx, cases[i].text);
    }
    beck_binary_records_stream(ctx = stepped("wrong"), "/x", 0);
    is_told(ctx, "record_bytes is 0; give 1");
    beck_file_stream(ctx = stepped("wrong"), "/x", .file_bytes_max = -1);
    is_told(ctx, ".file_bytes_max is -1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        watched(new_files_are_read_once),
        watched(or_all_from_the_beginning),
        watched(a_growing_file_waits),
        watched(or_does_not_if_told_so),
        watched(names_do_not_matter),
        watched(directories_by_pattern_and_below),
        watched(a_batch_has_limits),
        watched(records_have_one_length),
        watched(a_parser_of_whole_files),
        cmocka_unit_test(a_spoiled_file_fails_its_batch),
        cmocka_unit_test(or_is_left_out),
        watched(what_changes_after_it_was_read_is_told),
        watched(a_directory_must_be_there),
        watched(a_closed_directory_is_told),
        watched(a_closed_file_fails_its_batch),
        cmocka_unit_test(too_many_files_are_told),
        cmocka_unit_test(nothing_is_lost_without_memory),
        cmocka_unit_test(wrong_arguments_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
