/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of text files: whole or not at all, again and again, and on bad disks. */
#define _GNU_SOURCE
#include "connectors/connectors.h"
#include "connectors/testing.h"
#include <beck/testing.h>

#include <errno.h>
#include <grp.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

struct saving {
    struct folder folder;
    struct said said;
    beck_context *ctx;
};

static void begin(struct saving *s)
{
    s->folder = folder_new();
    said_init(&s->said);
    s->ctx = beck_context_new("test", .master = "local[2]", .log = say, .log_user = &s->said);
    assert_non_null(s->ctx);
}

static void end(struct saving *s)
{
    beck_context_free(s->ctx);
    said_deinit(&s->said);
    remove_all(s->folder.path);
}

/* The first words, in partitions. */
static beck_rdd *words(beck_context *ctx, int count, int partitions)
{
    static const char *const all[] = {"zero", "one", "two", "three", "four", "five", "six"};
    beck_value values[7];

    for (int i = 0; i < count; i++)
        values[i] = beck_text_value(all[i]);
    return beck_parallelize(ctx, "word STRING", values, (size_t)count, .partitions = partitions);
}

/* ---- an RDD ---------------------------------------------------------------------------------- */

static void a_partition_is_a_file(void **state)
{
    struct saving s;

    (void)state;
    begin(&s);
    const char *dir = in_folder(&s.folder, "a/b/out"); /* made with what is above it */
    assert_int_equal(beck_save_as_text_file(words(s.ctx, 5, 3), dir), BECK_OK);
    assert_names(dir, "_SUCCESS part-00000 part-00001 part-00002 ");
    assert_file(in_folder(&s.folder, "a/b/out/part-00000"), "zero\n");
    assert_file(in_folder(&s.folder, "a/b/out/part-00001"), "one\ntwo\n");
    assert_file(in_folder(&s.folder, "a/b/out/part-00002"), "three\nfour\n");
    assert_file(in_folder(&s.folder, "a/b/out/_SUCCESS"), "");
    assert_names(in_folder(&s.folder, "a/b"), "out ");
    assert_rows(beck_collect(beck_text_file(s.ctx, dir)), "zero|one|two|three|four|");
    end(&s);
}

static void empty_partitions_are_empty_files(void **state)
{
    struct saving s;

    (void)state;
    begin(&s);
    const char *dir = in_folder(&s.folder, "out");
    assert_int_equal(beck_save_as_text_file(words(s.ctx, 1, 2), dir), BECK_OK);
    assert_names(dir, "_SUCCESS part-00000 part-00001 ");
    assert_file(in_folder(&s.folder, "out/part-00000"), "");
    assert_file(in_folder(&s.folder, "out/part-00001"), "zero\n");
    const char *none = in_folder(&s.folder, "none");
    assert_int_equal(beck_save_as_text_file(words(s.ctx, 0, 2), none), BECK_OK);
    assert_names(none, "_SUCCESS part-00000 part-00001 ");
    end(&s);
}

static void a_directory_that_exists_is_refused(void **state)
{
    struct saving s;

    (void)state;
    begin(&s);
    const char *dir = in_folder(&s.folder, "out");
    assert_int_equal(beck_save_as_text_file(words(s.ctx, 1, 1), dir), BECK_OK);
    assert_int_equal(beck_save_as_text_file(words(s.ctx, 2, 1), dir), BECK_EXISTS);
    assert_contains(beck_error_text(s.ctx),
                    "/out exists already; remove it or choose another name");
    assert_int_equal(beck_error(s.ctx), BECK_EXISTS);
    assert_file(in_folder(&s.folder, "out/part-00000"), "zero\n");
    assert_names(s.folder.path, "out ");
    end(&s);
    begin(&s);
    put_file(in_folder(&s.folder, "file"), "", 0);
    const char *below = in_folder(&s.folder, "file/out");
    assert_int_not_equal(beck_save_as_text_file(words(s.ctx, 1, 1), below), BECK_OK);
    assert_contains(beck_error_text(s.ctx), "Not a directory");
    end(&s);
    begin(&s);
    assert_int_equal(beck_save_as_text_file(words(s.ctx, 1, 1), ""), BECK_INVALID);
    assert_contains(beck_error_text(s.ctx), "save_as_text_file at text_sink_test.c:");
    end(&s);
}

/* What an earlier process has left behind when it died in the middle. */
static void leftovers_do_not_come_in(void **state)
{
    struct os *os = beck__os_real();
    struct saving s;

    (void)state;
    begin(&s);
    os->mkdir(os, in_folder(&s.folder, "out.writing"), NULL);
    put_file(in_folder(&s.folder, "out.writing/part-00000"), "old\n", 4);
    put_file(in_folder(&s.folder, "out.writing/part-00001.attempt-0"), "old\n", 4);
    put_file(in_folder(&s.folder, "out.writing/part-00001.attempt-3"), "old\n", 4);
    put_file(in_folder(&s.folder, "out.writing/part-00007"), "old\n", 4);
    put_file(in_folder(&s.folder, "out.writing/_SUCCESS"), "", 0);
    const char *dir = in_folder(&s.folder, "out");
    assert_int_equal(beck_save_as_text_file(words(s.ctx, 2, 2), dir), BECK_OK);
    assert_names(dir, "_SUCCESS part-00000 part-00001 ");
    assert_file(in_folder(&s.folder, "out/part-00000"), "zero\n");
    assert_file(in_folder(&s.folder, "out/part-00001"), "one\n");
    end(&s);
}

static void fail_on_two(beck_call *c, beck_row in)
{
    if (beck_string_equal(beck_get_string(in, 0), beck_string("two")))
        beck_fail(c, "two is not liked");
    beck_emit(c, beck_get_string(in, 0));
}

static void a_failed_job_leaves_nothing(void **state)
{
    struct saving s;

    (void)state;
    begin(&s);
    beck_rdd *bad = beck_map(words(s.ctx, 5, 3), "w STRING", fail_on_two);
    assert_int_equal(beck_save_as_text_file(bad, in_folder(&s.folder, "out")), BECK_TASK);
    assert_contains(beck_error_text(s.ctx), "two is not liked");
    assert_names(s.folder.path, "");
    end(&s);
}

static void fail_once(beck_call *c, beck_row in)
{
    if (beck_attempt(c) < 2 && beck_partition(c) == 1)
        beck_fail(c, "attempt %d", beck_attempt(c));
    beck_emit(c, beck_get_string(in, 0));
}

static void only_the_attempt_that_succeeds_counts(void **state)
{
    struct saving s;

    (void)state;
    begin(&s);
    beck_rdd *late = beck_map(words(s.ctx, 4, 2), "w STRING", fail_once);
    const char *dir = in_folder(&s.folder, "out");
    assert_int_equal(beck_save_as_text_file(late, dir), BECK_OK);
    assert_names(dir, "_SUCCESS part-00000 part-00001 ");
    assert_file(in_folder(&s.folder, "out/part-00001"), "two\nthree\n");
    end(&s);
}

/* ---- a stream -------------------------------------------------------------------------------- */

static void run_batches(const struct folder *folder, bool empty, int count)
{
    beck_context *ctx = beck_context_new("test", .batch_ms = 1000, .manual_clock = true);
    beck_dstream *in = beck_queue_stream(ctx, "word STRING");

    beck_save_as_text_files(in, in_folder(folder, "out"), .suffix = "txt", .empty = empty);
    beck_queue_push(in, words(ctx, count, 2));
    assert_int_equal(beck_step(ctx, 2000), BECK_OK);
    beck_context_free(ctx);
}

static void a_batch_is_a_directory(void **state)
{
    struct folder folder = folder_new();

    (void)state;
    run_batches(&folder, false, 3);
    assert_names(folder.path, "out-1000.txt ");
    assert_names(in_folder(&folder, "out-1000.txt"), "_SUCCESS part-00000 part-00001 ");
    put_file(in_folder(&folder, "out-1000.txt/part-00009"), "old\n", 4);
    run_batches(&folder, true, 2); /* an earlier run's directory is replaced as a whole */
    assert_names(folder.path, "out-1000.txt out-2000.txt ");
    assert_names(in_folder(&folder, "out-1000.txt"), "_SUCCESS part-00000 part-00001 ");
    assert_file(in_folder(&folder, "out-1000.txt/part-00001"), "one\n");
    assert_names(in_folder(&folder, "out-2000.txt"), "_SUCCESS ");
    remove_all(folder.path);
}

static void a_suffix_may_be_left_out(void **state)
{
    struct folder folder = folder_new();
    beck_context *ctx = beck_context_new("test", .batch_ms = 500, .manual_clock = true,
                                         .manual_start_ms = 1700000000000);
    beck_dstream *in = beck_queue_stream(ctx, "word STRING");

    (void)state;
    beck_save_as_text_files(in, in_folder(&folder, "a/deep/er/out"));
    beck_queue_push(in, words(ctx, 1, 1));
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_names(in_folder(&folder, "a/deep/er"), "out-1700000000500 ");
    beck_context_free(ctx);
    ctx = beck_context_new("test");
    beck_save_as_text_files(beck_queue_stream(ctx, "word STRING"), "");
    assert_int_equal(beck_error(ctx), BECK_INVALID);
    assert_contains(beck_error_text(ctx), "save_as_text_files at text_sink_test.c:");
    beck_context_free(ctx);
    remove_all(folder.path);
}

/* ---- a commit that fails --------------------------------------------------------------------- */

static struct os *os_of_commit;
static int renames_left;
static beck_status (*rename_real)(struct os *os, const char *from, const char *to,
                                  struct error *error);

static beck_status rename_some(struct os *os, const char *from, const char *to, struct error *error)
{
    if (renames_left-- == 0)
        return beck__error_set(error, BECK_IO, "rename %s: the power is off", from);
    return rename_real(os, from, to, error);
}

static void a_commit_that_fails_leaves_no_directory(void **state)
{
    (void)state;
    os_of_commit = beck__os_real();
    rename_real = os_of_commit->rename;
    for (int n = 0; n < 3; n++) {
        struct saving s;
        begin(&s);
        renames_left = n;
        os_of_commit->rename = rename_some;
        beck_status status =
            beck_save_as_text_file(words(s.ctx, 2, 2), in_folder(&s.folder, "out"));
        os_of_commit->rename = rename_real;
        assert_int_equal(status, BECK_IO);
        assert_contains(beck_error_text(s.ctx), "the power is off");
        assert_names(s.folder.path, "");
        end(&s);
    }
}

/* ---- bad disks ------------------------------------------------------------------------------- */

static _Atomic int writes_left; /* tasks write */
static beck_status (*write_real)(struct os *os, struct os_file *file, const void *data, size_t size,
                                 struct error *error);

static beck_status write_some(struct os *os, struct os_file *file, const void *data, size_t size,
                              struct error *error)
{
    if (writes_left-- <= 0)
        return beck__error_set(error, BECK_IO, "write: %s", strerror(ENOSPC));
    return write_real(os, file, data, size, error);
}

static void a_full_disk_is_an_error(void **state)
{
    struct os *os = beck__os_real();

    (void)state;
    write_real = os->write;
    for (int n = 0; n < 3; n++) {
        struct saving s;
        begin(&s);
        writes_left = n;
        os->write = write_some;
        beck_status status =
            beck_save_as_text_file(words(s.ctx, 6, 3), in_folder(&s.folder, "out"));
        os->write = write_real;
        assert_int_equal(status, BECK_IO);
        assert_contains(beck_error_text(s.ctx), "No space left on device");
        assert_contains(beck_error_text(s.ctx), "attempt 4 of 4");
        assert_names(s.folder.path, "");
        end(&s);
    }
}

static void long_row(beck_call *c, beck_row in)
{
    static const char bytes[50000];

    (void)in;
    beck_emit(c, beck_bytes_of(bytes, sizeof bytes));
}

static void a_small_disk_fills_up(void **state)
{
    struct saving s;

    (void)state;
    begin(&s);
    const char *disk = in_folder(&s.folder, "disk");
    beck__os_real()->mkdir(beck__os_real(), disk, NULL);
    if (mount("none", disk, "tmpfs", 0, "size=64k")) {
        print_message("skipped: mounting a tmpfs is not allowed here (%s)\n", strerror(errno));
        end(&s);
        skip();
    }
    beck_rdd *rows = beck_map(words(s.ctx, 6, 1), "b STRING", long_row);
    beck_status status = beck_save_as_text_file(rows, in_folder(&s.folder, "disk/out"));
    assert_int_equal(status, BECK_IO);
    assert_contains(beck_error_text(s.ctx), "No space left on device");
    assert_names(disk, "");
    assert_int_equal(umount(disk), 0);
    end(&s);
}

/* Root may write everywhere, so the child becomes nobody. Its exit code: 0 if all was as it should
 * be. */
static int save_as_nobody(const char *path)
{
    if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
        return 2;
    beck_context *ctx = beck_context_new("test", .log = say);
    beck_status status = beck_save_as_text_file(words(ctx, 2, 1), path);
    bool right = status == BECK_IO && strstr(beck_error_text(ctx), "Permission denied") &&
                 strstr(beck_error_text(ctx), path);
    if (!right)
        print_error("%s: %s\n", beck_status_name(status), beck_error_text(ctx));
    beck_context_free(ctx);
    return right ? 0 : 1;
}

static void a_directory_that_may_not_be_written_is_an_error(void **state)
{
    struct folder folder = folder_new();
    int status;

    (void)state;
    if (getuid() != 0) {
        print_message("skipped: only root can become nobody\n");
        remove_all(folder.path);
        skip();
    }
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(save_as_nobody(in_folder(&folder, "out")));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_names(folder.path, "");
    remove_all(folder.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_partition_is_a_file),
        test(empty_partitions_are_empty_files),
        test(a_directory_that_exists_is_refused),
        test(leftovers_do_not_come_in),
        test(a_failed_job_leaves_nothing),
        test(only_the_attempt_that_succeeds_counts),
        test(a_batch_is_a_directory),
        test(a_suffix_may_be_left_out),
        test(a_commit_that_fails_leaves_no_directory),
        test(a_full_disk_is_an_error),
        test(a_small_disk_fills_up),
        test(a_directory_that_may_not_be_written_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
