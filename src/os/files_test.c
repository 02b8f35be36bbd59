/* SPDX-License-Identifier: Apache-2.0 */
/* Files and directories in a fresh directory under /tmp; permissions in a child that is nobody. */
#define _GNU_SOURCE
#include "os/testing.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[64];

static const char *path(const char *name)
{
    static char paths[4][160];
    static int next;
    char *text = paths[next++ % 4];
    snprintf(text, sizeof paths[0], "%s/%s", root, name);
    return text;
}

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/beck-files-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    return os->remove(os, root, NULL) == BECK_OK ? 0 : -1; /* empty: every test cleans up */
}

static void write_file(const char *name, const char *text, enum os_open how)
{
    struct os *os = beck__os_real();
    struct os_file *file;
    struct error error = {0};
    assert_ok(os->open(os, path(name), how, &file, &error), error);
    assert_ok(os->write(os, file, text, strlen(text), &error), error);
    assert_ok(os->close(os, file, &error), error);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct os_file *file;
    struct error error = {0};
    assert_ok(os->open(os, path("a"), OS_CREATE, &file, &error), error);
    assert_ok(os->write(os, file, "hello ", 6, &error), error);
    assert_ok(os->write(os, file, "world", 5, &error), error);
    assert_ok(os->sync(os, file, &error), error);
    assert_ok(os->close(os, file, &error), error);
    assert_ok(os->sync_dir(os, root, &error), error);
    assert_ok(os->close(os, NULL, &error), error);

    struct os_stat stat;
    assert_ok(os->stat(os, path("a"), &stat, &error), error);
    assert_int_equal(stat.kind, OS_FILE);
    assert_int_equal(stat.size, 11);

    char data[20] = {0};
    size_t got;
    assert_ok(os->open(os, path("a"), OS_READ, &file, &error), error);
    assert_ok(os->read(os, file, 4, data, 4, &got, &error), error);
    assert_int_equal(got, 4);
    assert_string_equal(data, "o wo");
    assert_ok(os->read(os, file, 0, data, sizeof data, &got, &error), error);
    assert_int_equal(got, 11);
    assert_ok(os->read(os, file, 100, data, 1, &got, &error), error);
    assert_int_equal(got, 0);
    assert_ok(os->close(os, file, &error), error);
    write_file("a", "", OS_CREATE); /* truncates */
    assert_ok(os->stat(os, path("a"), &stat, &error), error);
    assert_int_equal(stat.size, 0);
    assert_ok(os->remove(os, path("a"), &error), error);
}

static void a_file_keeps_its_identity(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct os_file *file;
    struct error error = {0};
    struct os_stat before, after, open, other;
    write_file("a", "old", OS_CREATE);
    assert_ok(os->stat(os, path("a"), &before, &error), error);
    assert_ok(os->rename(os, path("a"), path("b"), &error), error);
    assert_ok(os->open(os, path("b"), OS_READ, &file, &error), error);
    write_file("b", "longer", OS_CREATE); /* other bytes in the same file */
    write_file("a", "old", OS_CREATE);    /* another file under the old name */
    assert_ok(os->stat(os, path("b"), &after, &error), error);
    assert_ok(os->stat_open(os, file, &open, &error), error);
    assert_ok(os->stat(os, path("a"), &other, &error), error);
    assert_true(before.inode == after.inode && before.device == after.device &&
                before.born_ns == after.born_ns);
    assert_true(after.changed_ns >= before.changed_ns && after.size == 6);
    assert_memory_equal(&open, &after, sizeof open);
    assert_true(other.inode != before.inode);
    os->close(os, file, NULL);
    assert_ok(os->remove(os, path("a"), &error), error);
    assert_ok(os->remove(os, path("b"), &error), error);
}

static void errors_say_what_happened(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct os_file *file = NULL;
    struct os_stat stat;
    struct error error = {0};
    assert_int_equal(os->open(os, path("no"), OS_READ, &file, &error), BECK_NOT_FOUND);
    assert_null(file);
    assert_memory_equal(error.text, "open /tmp/", 10);
    assert_contains(error.text, "/no: No such file or directory");

    beck__error_clear(&error);
    assert_int_equal(os->open(os, root, OS_READ, &file, &error), BECK_IO);
    assert_contains(error.text, "Is a directory");

    write_file("f", "x", OS_CREATE_NEW);
    beck__error_clear(&error);
    assert_int_equal(os->open(os, path("f"), OS_CREATE_NEW, &file, &error), BECK_EXISTS);
    assert_contains(error.text, "create /tmp/");
    assert_int_equal(os->mkdir(os, path("f"), NULL), BECK_EXISTS);
    assert_int_equal(os->remove(os, root, NULL), BECK_EXISTS); /* not empty */
    assert_int_equal(os->rename(os, path("no"), path("f"), NULL), BECK_NOT_FOUND);
    assert_int_equal(os->sync_dir(os, path("no"), NULL), BECK_NOT_FOUND);
    assert_int_equal(os->stat(os, path("f/g"), &stat, NULL), BECK_OK);
    assert_int_equal(stat.kind, OS_ABSENT);
    assert_int_equal(os->stat(os, path("no"), &stat, NULL), BECK_OK);
    assert_int_equal(stat.kind, OS_ABSENT);
    assert_int_equal(os->stat(os, "/dev/null", &stat, NULL), BECK_OK);
    assert_int_equal(stat.kind, OS_OTHER);
    assert_int_equal(os->remove(os, path("f"), NULL), BECK_OK);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct os_file *file;
    struct error error = {0};
    assert_ok(os->open(os, "/dev/full", OS_CREATE, &file, &error), error);
    assert_int_equal(os->write(os, file, "x", 1, &error), BECK_IO);
    assert_string_equal(error.text, "write /dev/full: No space left on device");
    assert_int_equal(os->close(os, file, NULL), BECK_OK);
}

/* In a child that is nobody: root ignores modes. */
static int try_as_nobody(void)
{
    struct os *os = beck__os_real();
    struct os_file *file;
    struct error error = {0};
    if (getuid() == 0 && (setgid(65534) || setuid(65534)))
        return 1;
    if (os->open(os, path("locked/f"), OS_CREATE, &file, &error) != BECK_IO)
        return 2;
    if (!strstr(error.text, "/locked/f: Permission denied"))
        return 3;
    beck__error_clear(&error);
    if (os->mkdir(os, path("locked/d"), &error) != BECK_IO)
        return 4;
    return strstr(error.text, "make directory /tmp/") ? 0 : 5;
}

static void permission_is_an_error(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    assert_int_equal(os->mkdir(os, path("locked"), NULL), BECK_OK);
    assert_int_equal(chmod(root, 0755), 0);
    assert_int_equal(chmod(path("locked"), 0555), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(try_as_nobody());
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(os->remove(os, path("locked"), NULL), BECK_OK);
}

static void lists_are_in_order_of_bytes(void **state)
{
    (void)state;
    static const char *const names[] = {"b", "a10", "a2", "B", "\xc3\xa4", ".hidden"};
    static const char *const sorted[] = {".hidden", "B", "a10", "a2", "b", "\xc3\xa4"};
    struct os *os = beck__os_real();
    struct error error = {0};
    struct arena arena;
    char **found;
    size_t count;
    beck__arena_init(&arena, &os->memory);
    assert_ok(os->list(os, root, &arena, &found, &count, &error), error);
    assert_int_equal(count, 0);
    for (size_t i = 0; i < BECK__COUNT_OF(names); i++)
        write_file(names[i], "", OS_CREATE_NEW);
    assert_ok(os->list(os, root, &arena, &found, &count, &error), error);
    assert_int_equal(count, BECK__COUNT_OF(sorted));
    for (size_t i = 0; i < count; i++)
        assert_string_equal(found[i], sorted[i]);
    beck__arena_deinit(&arena);

    beck__os_memory_fail(os, 1, true);
    assert_int_equal(os->list(os, root, &arena, &found, &count, NULL), BECK_NO_MEMORY);
    beck__os_memory_fail(os, 0, false);
    assert_int_equal(os->list(os, path("no"), &arena, &found, &count, &error), BECK_NOT_FOUND);
    for (size_t i = 0; i < BECK__COUNT_OF(names); i++)
        assert_int_equal(os->remove(os, path(names[i]), NULL), BECK_OK);
    beck__arena_deinit(&arena);
}

static void renaming_replaces(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct os_stat stat;
    struct error error = {0};
    write_file("from", "12345", OS_CREATE);
    write_file("to", "1", OS_CREATE);
    assert_ok(os->rename(os, path("from"), path("to"), &error), error);
    assert_ok(os->stat(os, path("to"), &stat, &error), error);
    assert_int_equal(stat.size, 5);
    assert_ok(os->stat(os, path("from"), &stat, &error), error);
    assert_int_equal(stat.kind, OS_ABSENT);
    assert_ok(os->remove(os, path("to"), &error), error);
}

/* One holder, also within a process, until it closes or ends without a word. */
static void a_directory_is_held_by_one(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct os_file *file, *other;
    struct error error = {0};
    assert_ok(os->mkdir(os, path("d"), &error), error);
    assert_ok(os->open(os, path("d"), OS_HOLD, &file, &error), error);
    assert_int_equal(os->open(os, path("d"), OS_HOLD, &other, &error), BECK_STATE);
    assert_contains(error.text, "hold /tmp/");
    assert_int_equal(os->close(os, file, NULL), BECK_OK);
    pid_t pid = fork();
    if (pid == 0)
        _exit(os->open(os, path("d"), OS_HOLD, &file, NULL) != BECK_OK);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(symlink(path("d"), path("link")), 0);
    assert_int_not_equal(os->open(os, path("link"), OS_HOLD, &other, NULL), BECK_OK);
    assert_int_equal(os->open(os, path("no"), OS_HOLD, &other, NULL), BECK_NOT_FOUND);
    assert_int_equal(os->remove(os, path("link"), NULL), BECK_OK);
    beck__error_clear(&error);
    assert_ok(os->open(os, path("d"), OS_HOLD, &file, &error), error);
    assert_int_equal(os->remove(os, path("d"), NULL), BECK_OK);
    assert_int_equal(os->close(os, file, NULL), BECK_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(what_is_written_is_read),     test(errors_say_what_happened),
        test(a_full_disk_is_an_error),     test(permission_is_an_error),
        test(lists_are_in_order_of_bytes), test(renaming_replaces),
        test(a_file_keeps_its_identity),   test(a_directory_is_held_by_one),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
