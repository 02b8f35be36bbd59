/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_test - rows that stay are computed once, by the partitions that somebody wants; over the
 * limit they go to disk or are computed again; whatever is lost on the way, the rows are the same.
 */
#define _DEFAULT_SOURCE /* mkdtemp, truncate */
#include "engine/testing.h"

#include "engine/local/local.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS 300u /* of a partition */

static const unsigned storages[] = {
    STORAGE_MEMORY,
    STORAGE_MEMORY | STORAGE_DISK,
    STORAGE_DISK,
    STORAGE_MEMORY | STORAGE_ENCODED,
    STORAGE_MEMORY | STORAGE_DISK | STORAGE_ENCODED,
    0,
};

struct stored_lab {
    struct lab lab;
    char place[64];
    char path[512]; /* of the file that `file` has found */
    struct hold *hold;
    struct dataset *kept;
};

/* Partitions of numbers, summed, kept. */
static void open_lab(struct stored_lab *s, struct engine_options options, unsigned storage,
                     uint64_t limit)
{
    memset(s, 0, sizeof *s);
    snprintf(s->place, sizeof s->place, "/tmp/beck-store-test-XXXXXX");
    assert_non_null(mkdtemp(s->place));
    options.storage_bytes = limit;
    options.storage_dir = s->place;
    lab_open(&s->lab, options);
    s->hold = s->lab.engine->hold_new(s->lab.engine, test_schema(&s->lab.arena, PAIR), 4, storage,
                                      "persist at test.c:5");
    assert_non_null(s->hold);
}

static void identity(beck_call *c, beck_row in)
{
    beck_emit_row(c, in);
}

/* The kept dataset in the lab's scope, its rows behind a stage of their own, or without lineage. */
static struct dataset *kept_of(struct stored_lab *s, bool shuffled)
{
    struct lab *lab = &s->lab;
    struct op map = lab_call(lab, PAIR, PAIR, identity);
    struct dataset *d = lab_narrow(lab, lab_numbers(lab, 4, ROWS), &map);
    if (shuffled)
        d = lab_shuffle(lab, d, PARTITION_HASH, 4, PAIR);
    return lab->engine->keep(lab->scope, d, s->hold);
}

/* The same after a function, as a user would have it. */
static struct dataset *used(struct stored_lab *s, struct dataset *kept)
{
    struct op map = lab_call(&s->lab, PAIR, PAIR, identity);
    return lab_narrow(&s->lab, kept, &map);
}

/* The number of files; the path of the first. */
static unsigned files(struct stored_lab *s, bool *directory)
{
    unsigned count = 0;
    DIR *outer = opendir(s->place);
    assert_non_null(outer);
    for (struct dirent *e; (e = readdir(outer));) {
        if (e->d_name[0] == '.')
            continue;
        *directory = true;
        char path[400];
        snprintf(path, sizeof path, "%s/%.200s", s->place, e->d_name);
        DIR *inner = opendir(path);
        assert_non_null(inner);
        for (struct dirent *f; (f = readdir(inner));)
            if (f->d_name[0] != '.' && !count++)
                snprintf(s->path, sizeof s->path, "%s/%.90s", path, f->d_name);
        closedir(inner);
    }
    closedir(outer);
    return count;
}

static unsigned file_count(struct stored_lab *s)
{
    bool directory;
    const struct local *local = (const struct local *)s->lab.engine;
    while (local->store.writing)
        beck__local_pass(s->lab.engine);
    return files(s, &directory);
}

static void close_lab(struct stored_lab *s)
{
    bool directory = false;
    s->lab.engine->hold_free(s->lab.engine, s->hold);
    lab_close(&s->lab);
    assert_int_equal(files(s, &directory), 0);
    assert_false(directory);
    assert_int_equal(rmdir(s->place), 0);
}

static const char *expected_rows(struct arena *arena, bool shuffled)
{
    struct stored_lab s;
    open_lab(&s, lab_options(1), 0, 0);
    lab_run(&s.lab, kept_of(&s, shuffled), NULL);
    const char *text = beck__arena_text(arena, lab_text(&s.lab));
    close_lab(&s);
    return text;
}

static uint64_t tasks_of(struct stored_lab *s, struct dataset *d, const char *expected)
{
    uint64_t before, after, wakes;
    s->lab.engine->counters(s->lab.engine, &before, &wakes);
    lab_run(&s->lab, d, NULL);
    assert_string_equal(lab_text(&s->lab), expected);
    s->lab.engine->counters(s->lab.engine, &after, &wakes);
    return after - before;
}

/* Every storage, every engine, two instances in two scopes, with and without a limit. */
static void test_same_everywhere(void **state)
{
    (void)state;
    struct arena arena = {.memory = &beck__os_real()->memory};
    const char *expected = expected_rows(&arena, true);
    struct engine_options options;
    for (uint32_t i = 0; lab_variant(i, true, &options); i++)
        for (size_t k = 0; k < 2 * BECK__COUNT_OF(storages); k++) {
            struct stored_lab s;
            unsigned storage = storages[k / 2];
            bool all = k % 2 == 0; /* fits */
            open_lab(&s, options, storage, all ? 0 : 20000);
            struct dataset *kept = kept_of(&s, true);
            assert_int_equal(tasks_of(&s, used(&s, kept), expected), 12); /* map, keep, use */
            uint64_t again = tasks_of(&s, used(&s, kept), expected);
            bool whole = storage & STORAGE_DISK || (storage && all);
            assert_true(whole ? again == 4 : again > 4 && again <= 8);
            struct scope *own = s.lab.scope;
            s.lab.scope = s.lab.engine->scope_new(s.lab.engine, 6000);
            again = tasks_of(&s, used(&s, kept_of(&s, true)), expected);
            assert_true(whole ? again == 4 : again > 8 && again <= 12);
            assert_int_equal(file_count(&s), !(storage & STORAGE_DISK)     ? 0
                                             : !(storage & STORAGE_MEMORY) ? 4
                                             : all                         ? 0
                                                                           : file_count(&s));
            s.lab.engine->scope_free(s.lab.engine, s.lab.scope);
            s.lab.scope = own;
            close_lab(&s);
        }
    beck__arena_deinit(&arena);
}

static const char *in_place(struct stored_lab *s, const char *name)
{
    snprintf(s->path, sizeof s->path, "%s/%s", s->place, name);
    return s->path;
}

static void make(struct stored_lab *s, const char *directory)
{
    struct os *os = s->lab.os;
    struct os_file *file;
    assert_int_equal(os->mkdir(os, in_place(s, directory), NULL), BECK_OK);
    strcat(s->path, "/1");
    assert_int_equal(os->open(os, s->path, OS_CREATE_NEW, &file, NULL), BECK_OK);
    os->close(os, file, NULL);
}

/* Directories of those that are gone go before the first one is made; all others stay. */
static void test_leftovers(void **state)
{
    (void)state;
    static const char *const stay[] = {"beck-00000000000000bb", "beck-of somebody else's ", "cc"};
    struct stored_lab s;
    struct os_file *held;
    struct os_stat stat;
    open_lab(&s, lab_options(1), STORAGE_DISK, 0);
    struct os *os = s.lab.os;
    make(&s, "beck-00000000000000aa");
    for (size_t i = 0; i < BECK__COUNT_OF(stay); i++)
        make(&s, stay[i]);
    assert_int_equal(symlink("cc", in_place(&s, "beck-00000000000000cc")), 0);
    assert_int_equal(os->open(os, in_place(&s, stay[0]), OS_HOLD, &held, NULL), BECK_OK);
    lab_run(&s.lab, kept_of(&s, false), NULL);
    assert_int_equal(os->stat(os, in_place(&s, "beck-00000000000000aa"), &stat, NULL), BECK_OK);
    assert_int_equal(stat.kind, OS_ABSENT);
    assert_int_equal(os->close(os, held, NULL), BECK_OK);
    assert_int_equal(os->remove(os, in_place(&s, "beck-00000000000000cc"), NULL), BECK_OK);
    for (size_t i = 0; i < BECK__COUNT_OF(stay); i++) {
        in_place(&s, stay[i]);
        assert_int_equal(os->remove(os, strcat(s.path, "/1"), NULL), BECK_OK);
        assert_int_equal(os->remove(os, in_place(&s, stay[i]), NULL), BECK_OK);
    }
    close_lab(&s);
}

static void test_only_what_is_needed(void **state)
{
    (void)state;
    struct stored_lab s;
    open_lab(&s, lab_options(2), STORAGE_MEMORY, 0);
    struct dataset *kept = kept_of(&s, false), *parts[] = {lab_numbers(&s.lab, 2, 5), kept};
    struct dataset *d = s.lab.engine->unite(s.lab.scope, parts, 2);
    struct job job = {.scope = s.lab.scope, .dataset = d, .what = "take", .first = 3, .count = 1};
    assert_int_equal(s.lab.engine->job_run(s.lab.engine, &job, &s.lab.error), BECK_OK);
    assert_int_equal(s.lab.engine->hold_rows(s.hold), ROWS); /* partition 1 */
    job.dataset = s.lab.engine->coalesce(s.lab.scope, kept, 2);
    job.first = 1;
    assert_int_equal(s.lab.engine->job_run(s.lab.engine, &job, &s.lab.error), BECK_OK);
    assert_int_equal(s.lab.engine->hold_rows(s.hold), 3 * ROWS);
    s.lab.engine->hold_set(s.hold, 0);
    assert_int_equal(s.lab.engine->hold_rows(s.hold), 0);
    const beck_schema *pairs = test_schema(&s.lab.arena, "k STRING, n BIGINT, l STRING, m BIGINT");
    job.dataset = s.lab.engine->pair(s.lab.scope, PAIR_CARTESIAN, parts[0], kept, pairs);
    job.first = 6; /* 1 and 2 */
    s.lab.engine->hold_set(s.hold, STORAGE_MEMORY);
    assert_int_equal(s.lab.engine->job_run(s.lab.engine, &job, &s.lab.error), BECK_OK);
    assert_int_equal(s.lab.engine->hold_rows(s.hold), ROWS);
    close_lab(&s);
}

/* The least recently used goes first. */
static void test_limit(void **state)
{
    (void)state;
    struct stored_lab s;
    struct arena arena = {.memory = &beck__os_real()->memory};
    const char *expected = expected_rows(&arena, false);
    open_lab(&s, lab_options(1), STORAGE_MEMORY, 0);
    struct local *local = (struct local *)s.lab.engine;
    struct dataset *kept = kept_of(&s, false);
    assert_int_equal(tasks_of(&s, kept, expected), 8);
    local->options.storage_bytes = local->store.used - 1;
    struct job job = {.scope = s.lab.scope, .dataset = kept, .what = "take", .count = 1};
    assert_int_equal(s.lab.engine->job_run(s.lab.engine, &job, &s.lab.error), BECK_OK);
    assert_int_equal(s.lab.engine->hold_rows(s.hold), 3 * ROWS);
    assert_true(s.hold->entries[0].present); /* it was used just now */
    assert_false(s.hold->entries[1].present);
    assert_int_equal(tasks_of(&s, kept, expected), 5);
    assert_true(local->store.used <= local->options.storage_bytes);
    close_lab(&s);
    beck__arena_deinit(&arena);
}

/* ---- what is lost ---------------------------------------------------------------------------- */

enum { DAMAGE_GONE, DAMAGE_SHORT, DAMAGE_BYTE, DAMAGE_COUNT };

static void damage(struct stored_lab *s, int how)
{
    assert_true(file_count(s) > 0);
    if (how == DAMAGE_GONE)
        assert_int_equal(unlink(s->path), 0);
    if (how == DAMAGE_SHORT)
        assert_int_equal(truncate(s->path, 30), 0);
    FILE *f = how == DAMAGE_BYTE || how == DAMAGE_COUNT ? fopen(s->path, "r+") : NULL;
    if (!f)
        return;
    fseek(f, how == DAMAGE_COUNT ? 0 : 200, SEEK_SET);
    int byte = fgetc(f);
    fseek(f, -1, SEEK_CUR);
    fputc(how == DAMAGE_COUNT ? byte - 1 : byte ^ 0x20, f);
    fclose(f);
}

static void test_damage(void **state)
{
    (void)state;
    struct arena arena = {.memory = &beck__os_real()->memory};
    const char *expected = expected_rows(&arena, true);
    struct engine_options options;
    for (uint32_t i = 0; lab_variant(i, true, &options); i++)
        for (int how = DAMAGE_GONE; how <= DAMAGE_COUNT; how++) {
            struct stored_lab s;
            options.attempts = 1; /* no attempt is lost with it */
            open_lab(&s, options, STORAGE_DISK, 0);
            struct dataset *d = s.lab.engine->coalesce(s.lab.scope, used(&s, kept_of(&s, true)), 4);
            tasks_of(&s, d, expected);
            for (int n = 0; n < 3; n++) {
                damage(&s, how);
                beck__text_clear(&s.lab.logged);
                assert_int_equal(tasks_of(&s, d, expected), 6); /* 4, one of them twice, keep */
                assert_non_null(strstr(beck__text_get(&s.lab.logged),
                                       "collect at test.c:9: persist at test.c:5: stored rows of "
                                       "partition"));
                assert_int_equal(file_count(&s), 4);
            }
            close_lab(&s);
        }
    beck__arena_deinit(&arena);
}

/* What cannot be computed again is an error that says so; what was not damaged can still be read.
 */
static void test_damage_without_lineage(void **state)
{
    (void)state;
    struct engine_options options;
    for (uint32_t i = 0; lab_variant(i, true, &options); i++) {
        struct stored_lab s;
        open_lab(&s, options, STORAGE_MEMORY | STORAGE_DISK | STORAGE_LASTING, 1);
        lab_run(&s.lab, kept_of(&s, true), NULL);
        struct arena arena = {.memory = &s.lab.os->memory};
        const char *expected = beck__arena_text(&arena, lab_text(&s.lab));
        struct dataset *d = s.lab.engine->keep(s.lab.scope, NULL, s.hold);
        tasks_of(&s, d, expected);
        s.lab.engine->lose(s.lab.engine, 1, 0); /* only what can be computed again */
        tasks_of(&s, d, expected);
        damage(&s, DAMAGE_GONE);
        assert_int_not_equal(lab_try(&s.lab, d, NULL), BECK_OK);
        assert_non_null(strstr(s.lab.error.text, "persist at test.c:5: stored rows of partition"));
        assert_non_null(strstr(s.lab.error.text, "which cannot be computed again"));
        s.lab.engine->hold_set(s.hold, 0);
        assert_int_equal(lab_try(&s.lab, d, NULL), BECK_STATE);
        assert_string_equal(s.lab.error.text,
                            "persist at test.c:5: rows of an earlier batch are gone");
        beck__arena_deinit(&arena);
        close_lab(&s);
    }
}

static void test_lose_hook(void **state)
{
    (void)state;
    struct arena arena = {.memory = &beck__os_real()->memory};
    const char *expected = expected_rows(&arena, true);
    struct engine_options options;
    for (uint32_t i = 0; lab_variant(i, true, &options); i++) {
        struct stored_lab s;
        open_lab(&s, options, STORAGE_MEMORY, 0);
        struct dataset *d = kept_of(&s, true);
        tasks_of(&s, d, expected);
        for (uint64_t n = 1; n <= 5; n++) {
            s.lab.engine->lose(s.lab.engine, n, 0);
            assert_int_equal(tasks_of(&s, d, expected), n <= 4 ? 5 : 4);
        }
        s.lab.engine->lose(s.lab.engine, 2, 12345);
        uint64_t tasks = 0;
        for (int n = 0; n < 10; n++)
            tasks += tasks_of(&s, d, expected);
        assert_true(tasks > 50 && tasks < 75); /* 40, and one for each that was lost */
        s.lab.engine->lose(s.lab.engine, 0, 0);
        assert_int_equal(tasks_of(&s, d, expected), 4);
        close_lab(&s);
    }
    beck__arena_deinit(&arena);
}

/* ---- a disk that takes nothing, memory that ends --------------------------------------------- */

static void test_no_disk(void **state)
{
    (void)state;
    struct arena arena = {.memory = &beck__os_real()->memory};
    const char *expected = expected_rows(&arena, true);
    for (int lasting = 0; lasting < 2; lasting++) {
        struct stored_lab s;
        open_lab(&s, lab_options(2), STORAGE_DISK | (lasting ? STORAGE_LASTING : 0u), 0);
        ((struct local *)s.lab.engine)->options.storage_dir = "/dev/null/nowhere";
        struct dataset *d = kept_of(&s, true);
        tasks_of(&s, d, expected);
        assert_int_equal(tasks_of(&s, d, expected), lasting ? 4 : 8);
        const char *said = strstr(beck__text_get(&s.lab.logged), "rows cannot be stored on disk");
        assert_non_null(said);
        assert_non_null(strstr(said, "/dev/null/nowhere"));
        assert_non_null(strstr(said, lasting ? "stay in memory" : "are computed again"));
        assert_null(strstr(said + 1, "rows cannot be stored"));
        close_lab(&s);
    }
    beck__arena_deinit(&arena);
}

static void exhaust(struct engine_options options, unsigned storage, bool all)
{
    struct arena arena = {.memory = &beck__os_real()->memory};
    const char *expected = expected_rows(&arena, true);
    struct stored_lab s;
    open_lab(&s, options, storage, 20000);
    uint64_t used_calls = 1;
    for (uint64_t n = 1; n <= used_calls; n++) {
        struct dataset *d = used(&s, kept_of(&s, true));
        if (n % 3)
            s.lab.engine->hold_set(s.hold, 0);
        s.lab.engine->hold_set(s.hold, storage);
        struct job job = {.scope = s.lab.scope, .dataset = d, .what = "collect"};
        lab_clear(&s.lab);
        uint64_t before = beck__os_memory_calls(s.lab.os);
        beck__os_memory_fail(s.lab.os, n, all);
        s.lab.engine->job_run(s.lab.engine, &job, &s.lab.error);
        used_calls = beck__os_memory_calls(s.lab.os) - before;
        beck__os_memory_fail(s.lab.os, 0, false);
        if (s.lab.error.status)
            assert_int_equal(s.lab.error.status, BECK_NO_MEMORY);
        lab_run(&s.lab, d, NULL);
        assert_string_equal(lab_text(&s.lab), expected);
    }
    close_lab(&s);
    beck__arena_deinit(&arena);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct engine_options options = lab_options(2);
    for (size_t k = 0; k < BECK__COUNT_OF(storages); k++) {
        exhaust(options, storages[k], k % 2);
        options.inline_all = true;
        options.attempts = 1;
        exhaust(options, storages[k], false);
    }
}

static void test_hold_without_memory(void **state)
{
    (void)state;
    struct lab lab;
    lab_open(&lab, lab_options(1));
    const beck_schema *schema = test_schema(&lab.arena, PAIR);
    for (uint64_t n = 1; n <= 2; n++) {
        beck__os_memory_fail(lab.os, n, true);
        assert_null(lab.engine->hold_new(lab.engine, schema, 3, STORAGE_MEMORY, "persist"));
        beck__os_memory_fail(lab.os, 0, false);
    }
    lab.engine->hold_free(lab.engine, NULL);
    lab_close(&lab);
}

/* ---- merge ----------------------------------------------------------------------------------- */

static void test_merge(void **state)
{
    (void)state;
    struct engine_options options;
    for (uint32_t i = 0; lab_variant(i, true, &options); i++) {
        struct lab lab;
        lab_open(&lab, options);
        struct dataset *parents[] = {lab_numbers(&lab, 2, 1), lab_numbers(&lab, 2, 2),
                                     lab_numbers(&lab, 2, 1)};
        struct dataset *d = lab.engine->merge(lab.scope, parents, 3);
        assert_int_equal(lab.engine->partitions(d), 2);
        lab_run(&lab, d, NULL);
        assert_string_equal(lab_text(&lab), "[0]\n(key number 0,0)\n(key number 0,0)\n(1,1)\n"
                                            "(key number 0,0)\n[1]\n(1,1)\n(key number 2,2)\n"
                                            "(3,3)\n(1,1)\n");
        lab_close(&lab);
    }
}

int main(void)
{
    beck__engine_worker(beck__os_real());
    const struct CMUnitTest tests[] = {
        test(test_same_everywhere),
        test(test_leftovers),
        test(test_only_what_is_needed),
        test(test_limit),
        test(test_damage),
        test(test_damage_without_lineage),
        test(test_lose_hook),
        test(test_no_disk),
        test(test_no_memory),
        test(test_hold_without_memory),
        test(test_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
