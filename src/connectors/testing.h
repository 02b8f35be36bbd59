/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testing.h - for tests of this room and of those above: a folder that goes away again, files in
 * it, a context whose log is kept, and printed text that is kept.
 */
#ifndef BECK_CONNECTORS_TESTING_H
#define BECK_CONNECTORS_TESTING_H

#include "os/testing.h"
#include <beck/beck.h>

/* ---- files ----------------------------------------------------------------------------------- */

struct folder {
    char path[200];
};

static inline struct folder folder_new(void)
{
    struct folder folder;
    const char *below = getenv("TMPDIR");
    struct os *os = beck__os_real();
    uint32_t name;

    do {
        os->random(os, &name, sizeof name);
        snprintf(folder.path, sizeof folder.path, "%s/beck-test-%08x", below ? below : "/tmp",
                 name);
    } while (os->mkdir(os, folder.path, NULL) == BECK_EXISTS);
    return folder;
}

static inline void remove_all(const char *path)
{
    struct os *os = beck__os_real();
    struct os_stat stat;
    struct arena arena = {.memory = &os->memory};
    char **names;
    size_t count = 0;

    os->stat(os, path, &stat, NULL);
    if (stat.kind == OS_DIRECTORY && !os->list(os, path, &arena, &names, &count, NULL))
        for (size_t i = 0; i < count; i++)
            remove_all(beck__arena_printf(&arena, "%s/%s", path, names[i]));
    os->remove(os, path, NULL);
    beck__arena_deinit(&arena);
}

/* A path in the folder; the newest 32 are valid. */
static inline const char *in_folder(const struct folder *folder, const char *name)
{
    static char paths[32][400];
    static int next;
    char *path = paths[next++ % 32];

    snprintf(path, sizeof paths[0], "%s/%s", folder->path, name);
    return path;
}

static inline void put_file(const char *path, const void *data, size_t size)
{
    struct os *os = beck__os_real();
    struct os_file *file;
    struct error error = {0};

    assert_ok(os->open(os, path, OS_CREATE, &file, &error), error);
    assert_ok(os->write(os, file, data, size, &error), error);
    assert_ok(os->close(os, file, &error), error);
}

static inline bool is_there(const char *path)
{
    struct os *os = beck__os_real();
    struct os_stat stat;

    os->stat(os, path, &stat, NULL);
    return stat.kind != OS_ABSENT;
}

static inline void assert_file(const char *path, const char *expected)
{
    struct os *os = beck__os_real();
    struct os_file *file;
    struct error error = {0};
    char text[10000];
    size_t got;

    assert_ok(os->open(os, path, OS_READ, &file, &error), error);
    assert_ok(os->read(os, file, 0, text, sizeof text - 1, &got, &error), error);
    text[got] = 0;
    os->close(os, file, NULL);
    assert_string_equal(text, expected);
}

/* The names in a directory, each with a blank behind it. */
static inline void assert_names(const char *path, const char *expected)
{
    struct os *os = beck__os_real();
    struct arena arena = {.memory = &os->memory};
    struct text all = {.memory = &os->memory};
    struct error error = {0};
    char **names;
    size_t count = 0;

    assert_ok(os->list(os, path, &arena, &names, &count, &error), error);
    for (size_t i = 0; i < count; i++)
        beck__text_printf(&all, "%s ", names[i]);
    beck__arena_deinit(&arena);
    assert_string_equal(beck__text_get(&all), expected);
    beck__text_deinit(&all);
}

/* ---- what a context says --------------------------------------------------------------------- */

/* Lines of the log, "warning: ..."; one lock, because any thread may log. */
struct said {
    struct text text;
    struct os_lock *lock;
};

static inline void say(void *user, beck_log_level level, const char *line)
{
    static const char *const names[] = {"error", "warning", "info"};
    struct said *said = user;
    struct os *os = beck__os_current();

    os->lock(os, said->lock);
    beck__text_printf(&said->text, "%s: %s\n", names[level], line);
    os->unlock(os, said->lock);
}

static inline void said_init(struct said *said)
{
    struct os *os = beck__os_current();

    *said = (struct said){.text = {.memory = &os->memory}, .lock = os->lock_new(os)};
}

static inline void said_deinit(struct said *said)
{
    struct os *os = beck__os_current();

    beck__text_deinit(&said->text);
    os->lock_free(os, said->lock);
}

/* ---- what is printed ------------------------------------------------------------------------- */

static struct text printed; /* while print_kept stands in for the real one */

static inline void print_kept(struct os *os, int stream, const char *data, size_t size)
{
    (void)os;
    assert_int_equal(stream, 1);
    beck__text_append(&printed, data, size);
}

static void (*print_real)(struct os *os, int stream, const char *data, size_t size);

static inline void print_keep(void)
{
    struct os *os = beck__os_real();

    printed = (struct text){.memory = &os->memory};
    print_real = os->print;
    os->print = print_kept;
}

/* Compares what was printed since print_keep, and prints for real again. */
static inline void assert_printed(const char *expected)
{
    struct os *os = beck__os_real();

    os->print = print_real;
    assert_string_equal(beck__text_get(&printed), expected);
    beck__text_deinit(&printed);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* The rows as texts, "|" behind each; the newest result is valid. */
static inline const char *rows_text(const beck_result *result)
{
    static char all[20000];
    size_t size = 0;

    all[0] = 0;
    for (uint64_t i = 0; i < beck_result_rows(result); i++) {
        size += beck_row_text(beck_result_row(result, i), all + size, sizeof all - size - 2);
        assert_true(size < sizeof all - 10);
        all[size++] = '|';
        all[size] = 0;
    }
    return all;
}

/* Takes the result. */
static inline void assert_rows(beck_result *result, const char *expected)
{
    assert_int_equal(beck_result_status(result), BECK_OK);
    assert_string_equal(rows_text(result), expected);
    beck_result_free(result);
}

#endif
