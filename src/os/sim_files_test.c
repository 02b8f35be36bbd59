/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a simulated world: what the real ones do, in memory. */
#include "os/testing.h"

static void run(void (*body)(void *user), void *user)
{
    struct os_simulation simulation = {.seed = 11};
    struct error error = {0};

    assert_ok(beck__os_simulate(&simulation, body, user, NULL, &error), error);
}

static beck_status put(const char *path, enum os_open how, const char *text)
{
    struct os *os = beck__os_current();
    struct os_file *file;
    beck_status status = os->open(os, path, how, &file, NULL);

    if (status)
        return status;
    status = os->write(os, file, text, strlen(text), NULL);
    assert(!os->sync(os, file, NULL) && !os->close(os, file, NULL));
    return status;
}

static const char *get(const char *path, struct error *error)
{
    static char text[100];
    struct os *os = beck__os_current();
    struct os_file *file;
    size_t got;

    if (os->open(os, path, OS_READ, &file, error))
        return NULL;
    assert(!os->read(os, file, 0, text, sizeof text - 1, &got, NULL));
    text[got] = 0;
    os->close(os, file, NULL);
    return text;
}

static const char *names_in(const char *path)
{
    static char all[100];
    struct os *os = beck__os_current();
    struct arena arena;
    char **names;
    size_t count;

    beck__arena_init(&arena, &os->memory);
    beck_status status = os->list(os, path, &arena, &names, &count, NULL);
    all[0] = 0;
    for (size_t i = 0; i < count; i++)
        strcat(strcat(all, names[i]), " ");
    beck__arena_deinit(&arena);
    return status ? "error" : all;
}

static void files_keep_bytes(void *user)
{
    struct os *os = beck__os_current();
    struct error error = {0};
    struct os_stat stat, again;
    struct os_file *file;

    (void)user;
    assert(!os->mkdir(os, "/d", NULL) && os->mkdir(os, "/d", NULL) == BECK_EXISTS);
    assert(os->mkdir(os, "/no/d", NULL) == BECK_NOT_FOUND);
    assert(!put("/d/a", OS_CREATE_NEW, "one"));
    assert(put("/d/a", OS_CREATE_NEW, "two") == BECK_EXISTS);
    assert(!strcmp(get("/d/a", NULL), "one"));
    assert(!os->stat(os, "/d/a", &stat, NULL) && stat.kind == OS_FILE && stat.size == 3);
    os->sleep_ns(os, 5000000);
    assert(!put("/d/a", OS_CREATE, "three"));
    assert(!os->open(os, "/d/a", OS_READ, &file, NULL));
    assert(!os->stat_open(os, file, &again, NULL) && again.size == 5);
    assert(again.inode == stat.inode && again.born_ns == stat.born_ns);
    assert(again.changed_ns >= stat.changed_ns + 5000000);
    assert(os->write(os, file, "x", 1, NULL));
    os->close(os, file, NULL);
    assert(!get("/d/b", &error));
    assert(!strcmp(error.text, "open /d/b: No such file or directory"));
    assert(!get("/d", NULL) && put("/no/b", OS_CREATE, "") == BECK_NOT_FOUND);
    assert(!os->stat(os, "/d/b", &stat, NULL) && stat.kind == OS_ABSENT);
    assert(!os->stat(os, "/", &stat, NULL) && stat.kind == OS_DIRECTORY);
    assert(!os->close(os, NULL, NULL));
}

static void a_file_is_there_until_it_is_closed(void *user)
{
    struct os *os = beck__os_current();
    struct os_file *file;
    char text[10];
    size_t got;

    (void)user;
    assert(!put("/a", OS_CREATE, "alive"));
    assert(!os->open(os, "/a", OS_READ, &file, NULL));
    assert(!os->remove(os, "/a", NULL) && os->remove(os, "/a", NULL) == BECK_NOT_FOUND);
    assert(!put("/a", OS_CREATE, "other"));
    assert(!os->read(os, file, 1, text, sizeof text, &got, NULL) && got == 4);
    assert(!memcmp(text, "live", 4));
    os->close(os, file, NULL);
}

static void names_move(void *user)
{
    struct os *os = beck__os_current();
    struct os_stat before, after;

    (void)user;
    assert(!os->mkdir(os, "/d", NULL) && !os->mkdir(os, "/d/e", NULL) &&
           !os->mkdir(os, "/f", NULL));
    assert(!put("/d/b", OS_CREATE, "b") && !put("/d/a", OS_CREATE, "a"));
    assert(!put("/d/e/c", OS_CREATE, "c"));
    assert(!strcmp(names_in("/d"), "a b e ") && !strcmp(names_in("/"), "d f "));
    assert(!strcmp(names_in("/no"), "error") && !strcmp(names_in("/d/a"), "error"));
    assert(!os->stat(os, "/d/a", &before, NULL));
    assert(!os->rename(os, "/d/a", "/d/b", NULL)); /* in place of what was there */
    assert(!os->stat(os, "/d/b", &after, NULL) && after.inode == before.inode);
    assert(!strcmp(names_in("/d"), "b e ") && !strcmp(get("/d/b", NULL), "a"));
    assert(!os->rename(os, "/d", "/f", NULL)); /* a whole directory */
    assert(!strcmp(names_in("/f"), "b e ") && !strcmp(get("/f/e/c", NULL), "c"));
    assert(os->rename(os, "/d", "/g", NULL) && os->rename(os, "/f", "/f/b", NULL));
    assert(os->rename(os, "/f", "/f/x", NULL));
    assert(os->rename(os, "/f/b", "/no/b", NULL) == BECK_NOT_FOUND);
    assert(!os->rename(os, "/f/b", "/f/b", NULL));
    assert(os->remove(os, "/f/e", NULL) && !os->sync_dir(os, "/f", NULL));
    assert(os->sync_dir(os, "/no", NULL) && os->sync_dir(os, "/f/b", NULL));
}

static void one_holds(void *user)
{
    struct os *os = beck__os_current();
    struct os_file *file, *other;

    (void)user;
    assert(!os->mkdir(os, "/d", NULL) && !put("/f", OS_CREATE, "f"));
    assert(!os->open(os, "/d", OS_HOLD, &file, NULL));
    assert(os->open(os, "/d", OS_HOLD, &other, NULL) == BECK_STATE && !other);
    os->close(os, file, NULL);
    assert(!os->open(os, "/d", OS_HOLD, &file, NULL) && !os->remove(os, "/d", NULL));
    os->close(os, file, NULL);
    assert(os->open(os, "/d", OS_HOLD, &file, NULL) == BECK_NOT_FOUND);
    assert(os->open(os, "/f", OS_HOLD, &file, NULL) == BECK_NOT_FOUND);
}

static void they_keep_bytes(void **state)
{
    (void)state;
    run(files_keep_bytes, NULL);
}

static void an_open_one_outlives_its_name(void **state)
{
    (void)state;
    run(a_file_is_there_until_it_is_closed, NULL);
}

static void names_and_directories_move(void **state)
{
    (void)state;
    run(names_move, NULL);
}

static void a_directory_is_held_by_one(void **state)
{
    (void)state;
    run(one_holds, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_keep_bytes),
        cmocka_unit_test(an_open_one_outlives_its_name),
        cmocka_unit_test(names_and_directories_move),
        cmocka_unit_test(a_directory_is_held_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
