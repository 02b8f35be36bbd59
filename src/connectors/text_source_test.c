/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of files: every split, every kind of line, directories, files that are not there. */
#include "connectors/connectors.h"
#include "connectors/testing.h"

struct reading {
    struct folder folder;
    struct said said;
    beck_context *ctx;
};

static void begin(struct reading *r)
{
    r->folder = folder_new();
    said_init(&r->said);
    r->ctx = beck_context_new("test", .master = "local[2]", .log = say, .log_user = &r->said);
    assert_non_null(r->ctx);
}

static void end(struct reading *r)
{
    beck_context_free(r->ctx);
    said_deinit(&r->said);
    remove_all(r->folder.path);
}

static const char *file(struct reading *r, const char *name, const char *text)
{
    const char *path = in_folder(&r->folder, name);

    put_file(path, text, strlen(text));
    return path;
}

static void splits_do_not_change_the_lines(void **state)
{
    const char *text = "one\n\ntwo\r\nthe third one is longer\n\r\n\xff\xfe x\n\n\nlast";
    const char *lines = "one||two|the third one is longer||\xff\xfe x|||last|";
    struct reading r;

    (void)state;
    begin(&r);
    for (size_t size = strlen(text); size + 2 > strlen(text); size--) {
        const char *path = in_folder(&r.folder, "text");
        put_file(path, text, size);
        for (int64_t split = 1; split <= (int64_t)size + 1; split++) {
            beck_rdd *rdd = beck_text_file(r.ctx, path, .split_bytes = split);
            assert_int_equal(beck_rdd_partitions(rdd), (size + (size_t)split - 1) / (size_t)split);
            beck_result *result = beck_collect(rdd);
            assert_int_equal(beck_result_rows(result), 9);
            assert_memory_equal(rows_text(result), lines, strlen(lines) - 3);
            beck_result_free(result);
        }
        text = "one\n\ntwo\r\nthe third one is longer\n\r\n\xff\xfe x\n\n\nlas\n";
    }
    end(&r);
}

static void bytes_are_carried(void **state)
{
    struct reading r;

    (void)state;
    begin(&r);
    const char *path = in_folder(&r.folder, "bytes");
    put_file(path, "a\0b\n\0\n\r\nx\ry\n", 12);
    beck_result *result = beck_collect(beck_text_file(r.ctx, path));
    assert_int_equal(beck_result_rows(result), 4);
    assert_true(beck_string_equal(beck_get_string(beck_result_row(result, 0), 0),
                                  beck_bytes_of("a\0b", 3)));
    assert_true(
        beck_string_equal(beck_get_string(beck_result_row(result, 1), 0), beck_bytes_of("", 1)));
    assert_true(beck_string_equal(beck_get_string(beck_result_row(result, 2), 0), beck_string("")));
    assert_true(
        beck_string_equal(beck_get_string(beck_result_row(result, 3), 0), beck_string("x\ry")));
    beck_result_free(result);
    end(&r);
}

static void a_directory_is_its_files(void **state)
{
    struct reading r;

    (void)state;
    begin(&r);
    file(&r, "b.txt", "second\nfile\n");
    file(&r, "a.txt", "first file");
    file(&r, ".hidden", "not this\n");
    file(&r, "_SUCCESS", "nor this\n");
    file(&r, "empty", "");
    assert_int_equal(beck__os_real()->mkdir(beck__os_real(), in_folder(&r.folder, "c"), NULL),
                     BECK_OK);
    assert_rows(beck_collect(beck_text_file(r.ctx, r.folder.path)), "first file|second|file|");
    assert_rows(beck_collect(beck_text_file(r.ctx, in_folder(&r.folder, "c"))), "");
    assert_rows(beck_collect(beck_text_file(r.ctx, in_folder(&r.folder, "empty"))), "");
    assert_rows(beck_collect(beck_text_file(r.ctx, in_folder(&r.folder, ".hidden"))),
                "not this|"); /* named, it is read */
    assert_int_equal(beck_error(r.ctx), BECK_OK);
    end(&r);
}

static void a_file_that_is_not_there_is_an_error(void **state)
{
    struct reading r;

    (void)state;
    begin(&r);
    beck_result *result = beck_collect(beck_text_file(r.ctx, in_folder(&r.folder, "absent")));
    assert_int_equal(beck_result_status(result), BECK_NOT_FOUND);
    assert_int_equal(beck_result_rows(result), 0);
    assert_int_equal(beck_error(r.ctx), BECK_NOT_FOUND);
    assert_contains(beck_error_text(r.ctx), "text_file at text_source_test.c:");
    assert_contains(beck_error_text(r.ctx), "/absent does not exist");
    beck_result_free(result);
    end(&r);
    begin(&r);
    assert_int_equal(beck_rdd_count(beck_text_file(r.ctx, ""), &(beck_none_args){0}), -1);
    assert_contains(beck_error_text(r.ctx), "the path is empty");
    end(&r);
}

static void a_file_that_goes_away_fails_the_task(void **state)
{
    struct reading r;

    (void)state;
    begin(&r);
    beck_rdd *rdd = beck_text_file(r.ctx, file(&r, "short lived", "a\n"));
    assert_int_equal(beck_rdd_partitions(rdd), 1);
    remove_all(in_folder(&r.folder, "short lived"));
    assert_int_equal(beck_count(rdd), -1);
    assert_contains(beck_error_text(r.ctx), "count: text_file at text_source_test.c:");
    assert_contains(beck_error_text(r.ctx),
                    "No such file or directory (partition 0, attempt 4 of 4)");
    end(&r);
}

/* Planned for more bytes than there are when it is read. */
static void a_file_that_became_shorter_ends_where_it_ends(void **state)
{
    struct reading r;

    (void)state;
    begin(&r);
    beck_rdd *one = beck_text_file(r.ctx, file(&r, "log", "first\nsecond\nthird\nfourth\n"));
    beck_rdd *cut = beck_text_file(r.ctx, in_folder(&r.folder, "log"), .split_bytes = 8);
    assert_int_equal(beck_rdd_partitions(one), 1);
    assert_int_equal(beck_rdd_partitions(cut), 4);
    file(&r, "log", "first\nsecond\nth");
    assert_rows(beck_collect(one), "first|second|th|");
    assert_rows(beck_collect(cut), "first|second|th|");
    end(&r);
}

static void long_lines_are_cut(void **state)
{
    struct reading r;

    (void)state;
    begin(&r);
    const char *text = "0123456789abcdef\r\n0123456789abcdefg\nshort\n"
                       "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz";
    const char *path = file(&r, "long", text);
    for (int64_t split = 1; split < 140; split++)
        assert_rows(
            beck_collect(beck_text_file(r.ctx, path, .line_bytes_max = 16, .split_bytes = split)),
            "0123456789abcdef|0123456789abcdef|short|0123456789abcdef|");
    beck__text_clear(&r.said.text);
    beck_rdd *one = beck_text_file(r.ctx, path, .line_bytes_max = 16);
    beck_rdd *two = beck_text_file(r.ctx, path, .line_bytes_max = 16, .split_bytes = 30);
    assert_int_equal(beck_count(one), 4);
    assert_contains(beck__text_get(&r.said.text), "count: text_file at text_source_test.c:");
    assert_contains(beck__text_get(&r.said.text),
                    ": lines longer than 16 bytes are cut off there: 2 (text.line_bytes_max)\n");
    beck__text_clear(&r.said.text);
    assert_int_equal(beck_count(two), 4);
    assert_contains(beck__text_get(&r.said.text), "count: text_file at text_source_test.c:");
    assert_contains(beck__text_get(&r.said.text),
                    ": lines longer than 16 bytes are cut off there: 1 (text.line_bytes_max); and "
                    "more in 1 other tasks\n");
    end(&r);
}

/* Longer than what is read at once, several times. */
static void large_files_are_read_in_pieces(void **state)
{
    struct text text = {.memory = &beck__os_real()->memory};
    struct reading r;

    (void)state;
    begin(&r);
    for (int i = 0; i < 60000; i++)
        beck__text_printf(&text, "%0*d\n", 1 + i % 40, i);
    const char *path = in_folder(&r.folder, "large");
    put_file(path, text.data, text.size);
    for (int64_t split = 100000; split < 1000000; split += 123457) {
        beck_result *result = beck_collect(beck_text_file(r.ctx, path, .split_bytes = split));
        assert_int_equal(beck_result_rows(result), 60000);
        for (uint64_t i = 0; i < 60000; i += 997) {
            char expected[64], got[64];
            snprintf(expected, sizeof expected, "%0*d", 1 + (int)i % 40, (int)i);
            beck_row_text(beck_result_row(result, i), got, sizeof got);
            assert_string_equal(got, expected);
        }
        beck_result_free(result);
    }
    beck_result *few = beck_take(beck_text_file(r.ctx, path), 3); /* does not read on */
    assert_rows(few, "0|01|002|");
    beck__text_deinit(&text);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(splits_do_not_change_the_lines),
        test(bytes_are_carried),
        test(a_directory_is_its_files),
        test(a_file_that_is_not_there_is_an_error),
        test(a_file_that_goes_away_fails_the_task),
        test(a_file_that_became_shorter_ends_where_it_ends),
        test(long_lines_are_cut),
        test(large_files_are_read_in_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
