/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_test - tasks in worker processes: they are processes of their own, one that dies is
 * replaced, and nothing but bytes goes over.
 */
#define _GNU_SOURCE
#include "engine/testing.h"

#include "engine/local/local.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static struct engine_options isolated(int threads)
{
    struct engine_options options = lab_options(threads);
    options.isolate = true;
    return options;
}

static int64_t counter; /* the driver changes it: workers do not see it */

static void tell_process(beck_call *c, beck_row in)
{
    (void)in;
    beck_emit(c, counter ? "driver" : "worker", getpid());
}

/* The pid of partition p; the driver's memory was not seen. */
static int64_t pid_of(struct lab *lab, uint32_t p)
{
    beck_row r = {lab->out[p].items[0]->chunk, 0, 0};
    assert_true(beck_string_equal(beck_get_string(r, 0), beck_string("worker")));
    return beck_get_bigint(r, 1);
}

static void test_own_process(void **state)
{
    (void)state;
    struct lab lab;
    counter = 1;
    lab_open(&lab, isolated(1));
    struct op op = lab_call(&lab, PAIR, PAIR, tell_process);
    lab_run(&lab, lab_narrow(&lab, lab_numbers(&lab, 2, 1), &op), NULL);
    int64_t first = pid_of(&lab, 0);
    assert_int_not_equal(first, getpid());
    assert_int_equal(pid_of(&lab, 1), first); /* one process per worker, for all its tasks */
    lab_run(&lab, lab_narrow(&lab, lab_numbers(&lab, 1, 1), &op), NULL);
    assert_int_equal(pid_of(&lab, 0), first);
    lab_close(&lab);
    counter = 0;
}

/* ---- a process that dies --------------------------------------------------------------------- */

static void die_at_first(beck_call *c, beck_row in)
{
    const int *how = beck_ctx(c);
    if (beck_attempt(c) < how[1] && beck_partition(c) == 1 && beck_get_bigint(in, 1) == 15) {
        if (how[0] == 0)
            raise(SIGKILL);
        _exit(how[0]);
    }
    beck_emit_row(c, in);
}

static struct dataset *dying(struct lab *lab, const int how[2])
{
    struct op op = lab_call(lab, PAIR, PAIR, die_at_first);
    op.bytes = beck_bytes_of(how, 2 * sizeof *how);
    return lab_sums(lab, lab_narrow(lab, lab_numbers(lab, 3, 10), &op), 3);
}

static void test_dies(void **state)
{
    (void)state;
    struct lab lab;
    const int never[] = {0, 0}, killed[] = {0, 2}, exits[] = {3, 1};
    for (int threads = 1; threads < 3; threads++) {
        lab_open(&lab, isolated(threads));
        lab_run(&lab, dying(&lab, never), NULL);
        const char *expected = beck__arena_text(&lab.arena, lab_text(&lab));
        lab_run(&lab, dying(&lab, killed), NULL);
        assert_string_equal(lab_text(&lab), expected);
        assert_contains(beck__text_get(&lab.logged), "attempt 2 of partition 1 failed: the worker "
                                                     "process was ended by signal 9");
        lab_run(&lab, dying(&lab, exits), NULL);
        assert_string_equal(lab_text(&lab), expected);
        assert_contains(beck__text_get(&lab.logged),
                        "attempt 1 of partition 1 failed: the worker process ended with code 3");
        lab_close(&lab);
    }
}

static void test_dies_always(void **state)
{
    (void)state;
    struct lab lab;
    const int always[] = {0, 100};
    lab_open(&lab, isolated(2));
    assert_int_equal(lab_try(&lab, dying(&lab, always), NULL), BECK_TASK);
    assert_string_equal(lab.error.text,
                        "collect at test.c:9: the worker process was ended by signal 9 (partition "
                        "1, batch 5000 ms, attempt 4 of 4)");
    lab_run(&lab, lab_sums(&lab, lab_numbers(&lab, 3, 10), 2), NULL);
    lab_close(&lab);
}

/* ---- what tasks share ------------------------------------------------------------------------ */

/* Adds the number in "by"; the first attempt of partition 1 dies, if "dies" says so. */
static void add_shared(beck_call *c, beck_row in)
{
    const int64_t *by = beck_broadcast_get(c, "by", NULL);
    const char *dies = beck_broadcast_get(c, "dies", NULL);

    if (by && dies && *dies && beck_attempt(c) == 0 && beck_partition(c) == 1)
        raise(SIGKILL);
    if (by)
        beck_accumulate(c, "sum", *by);
    beck_emit_row(c, in);
}

static void share(struct shared *shared, const char *name, const void *bytes, size_t size)
{
    assert_int_equal(beck__shared_set(shared, name, SHARED_VALUE, beck_bytes_of(bytes, size), NULL),
                     BECK_OK);
}

/* A process is told once what is shared, of what is new once more, and a new process all of it. */
static void test_shared(void **state)
{
    (void)state;
    struct lab lab;
    struct shared shared;
    struct engine_options options = isolated(1);
    int64_t by = 1;
    assert_int_equal(beck__shared_init(&shared, beck__os_real()), BECK_OK);
    options.shared = &shared;
    lab_open(&lab, options);
    struct local *local = (struct local *)lab.engine;
    struct op op = lab_call(&lab, PAIR, PAIR, add_shared);
    share(&shared, "by", &by, sizeof by);
    share(&shared, "dies", "", 1);
    beck__shared_set(&shared, "sum", SHARED_BIGINT, beck_string(""), NULL);
    lab_run(&lab, lab_narrow(&lab, lab_numbers(&lab, 6, 10), &op), NULL);
    assert_int_equal(beck__shared_total(&shared, "sum").u.integer, 60);
    assert_int_equal(local->workers[1].told, 3);
    by = 10;
    share(&shared, "by", &by, sizeof by);
    share(&shared, "dies", "yes", 3);
    lab_run(&lab, lab_narrow(&lab, lab_numbers(&lab, 6, 10), &op), NULL);
    assert_int_equal(beck__shared_total(&shared, "sum").u.integer, 660);
    assert_contains(beck__text_get(&lab.logged), "ended by signal 9");
    assert_int_equal(local->workers[1].told, 5);
    lab_close(&lab);
    beck__shared_deinit(&shared);
}

/* ---- what goes over -------------------------------------------------------------------------- */

static void nowhere(beck_call *c, beck_row in)
{
    beck_emit_row(c, in);
}

/* A callback in no module: a plain address, which means nothing elsewhere. */
static void test_plain_address(void **state)
{
    (void)state;
    struct lab lab;
    for (int isolate = 0; isolate < 2; isolate++) {
        lab_open(&lab, isolate ? isolated(1) : lab_options(1));
        struct op op = lab_call(&lab, PAIR, PAIR, nowhere);
        beck_map_fn *fn = nowhere;
        op.name = "map";
        op.function[0].module = 0;
        memcpy(&op.function[0].offset, &fn, sizeof fn);
        lab_try(&lab, lab_narrow(&lab, lab_numbers(&lab, 1, 1), &op), NULL);
        assert_int_equal(lab.error.status, isolate ? BECK_UNSUPPORTED : BECK_OK);
        if (isolate)
            assert_contains(lab.error.text, "map: the callback lies in no module of the program");
        lab_close(&lab);
    }
}

static void repeat(beck_call *c, beck_row in)
{
    static char text[20000];
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 2500; i++)
        beck_emit(c, beck_bytes_of(text, sizeof text), beck_get_bigint(in, 1));
}

/* 100 MB back and there again: more than sockets and encoded blocks take at once. */
static void test_large(void **state)
{
    (void)state;
    struct lab lab;
    lab_open(&lab, isolated(2));
    struct op op = lab_call(&lab, PAIR, PAIR, repeat);
    struct dataset *d = lab_narrow(&lab, lab_numbers(&lab, 2, 1), &op);
    struct op count = test_op(&lab.arena, OP_GROUP, PAIR, "count BIGINT");
    count.fold = FOLD_COUNT;
    d = lab_shuffle(&lab, d, PARTITION_SINGLE, 1, PAIR);
    lab_run(&lab, d, beck__program_of(&lab.arena, &count));
    assert_string_equal(lab_text(&lab), "[0]\n5000\n");
    lab_close(&lab);
}

static void emit_17_mb(beck_call *c, beck_row in)
{
    static char text[17 << 20];
    beck_emit(c, beck_bytes_of(text, sizeof text), beck_get_bigint(in, 1));
}

/* A row that no encoded block can hold: told by the worker as what it is. */
static void test_too_large(void **state)
{
    (void)state;
    struct lab lab;
    struct engine_options options = isolated(1);
    for (int i = 0; i < 2; i++) {
        options.isolate = i == 0;
        options.encode = i == 1;
        lab_open(&lab, options);
        struct op op = lab_call(&lab, PAIR, PAIR, emit_17_mb);
        struct dataset *d = lab_narrow(&lab, lab_numbers(&lab, 1, 1), &op);
        assert_int_equal(lab_try(&lab, d, NULL), BECK_UNSUPPORTED);
        assert_contains(lab.error.text, "collect at test.c:9: 1 rows of 17825");
        assert_contains(lab.error.text, "do not fit into a block of 16777216 bytes (partition 0");
        lab_run(&lab, lab_numbers(&lab, 1, 1), NULL);
        lab_close(&lab);
    }
}

/* ---- a process that waits -------------------------------------------------------------------- */

/* Opens a pipe with a name, which waits for the other end: of two tasks. */
static void meet_at_pipe(beck_call *c, beck_row in)
{
    int fd = open(getenv("BECK_TEST_PIPE"), beck_partition(c) ? O_WRONLY : O_RDONLY);
    if (fd < 0 || close(fd))
        beck_fail(c, "open");
    beck_emit_row(c, in);
}

/* On one slot. */
static void test_waiting_process(void **state)
{
    (void)state;
    struct lab lab;
    char directory[] = "/tmp/beck-test-XXXXXX", path[64];
    struct engine_options options = isolated(1);
    options.waiting_max = 1;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/pipe", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    setenv("BECK_TEST_PIPE", path, 1);
    lab_open(&lab, options);
    struct op op = lab_call(&lab, PAIR, PAIR, meet_at_pipe);
    lab_run(&lab, lab_narrow(&lab, lab_numbers(&lab, 2, 1), &op), NULL);
    assert_int_equal(lab.out[0].rows + lab.out[1].rows, 2);
    lab_close(&lab);
    unsetenv("BECK_TEST_PIPE");
    unlink(path);
    rmdir(directory);
}

/* ---- cancel ---------------------------------------------------------------------------------- */

static beck_status read_endless(beck_reader *r, const void *params, size_t params_size,
                                const void *range, size_t size)
{
    (void)params;
    (void)params_size;
    (void)range;
    (void)size;
    for (int64_t i = 0; beck_read_row(r, "endless", i); i++) {
    }
    return BECK_OK;
}

static const beck_direct_class endless = {.name = "endless", .schema = PAIR, .read = read_endless};

struct canceller {
    struct lab *lab;
    int wait; /* idle calls before it cancels */
};

static int64_t cancel_in_idle(void *user)
{
    struct canceller *it = user;
    struct engine *engine = it->lab->engine;
    if (it->wait-- == 0)
        engine->cancel(engine, true);
    return it->lab->os->mono_ns(it->lab->os) + 1000000;
}

/* A worker process that computes without end is ended by a cancel, whenever that comes; the next
 * job gets a new one. */
static void test_cancel(void **state)
{
    (void)state;
    struct lab lab;
    static const beck_str ranges[2] = {{"", 0}, {"", 0}};
    lab_open(&lab, isolated(2));
    for (int wait = 0; wait < 200; wait += 1 + wait) {
        struct canceller it = {&lab, wait};
        struct op count = test_op(&lab.arena, OP_GROUP, PAIR, "count BIGINT");
        count.fold = FOLD_COUNT;
        struct dataset *d = lab.engine->from_ranges(
            lab.scope, &(struct range_source){"endless", &endless, {"", 0}, count.in}, ranges, 2);
        lab.engine->set_idle(lab.engine, cancel_in_idle, &it);
        assert_int_equal(lab_try(&lab, lab_narrow(&lab, d, &count), NULL), BECK_CANCELLED);
        assert_string_equal(lab.error.text, "collect at test.c:9: cancelled");
        lab.engine->set_idle(lab.engine, NULL, NULL);
        lab.engine->cancel(lab.engine, false);
        beck__text_clear(&lab.logged);
        lab_run(&lab, lab_sums(&lab, lab_numbers(&lab, 3, 10), 2), NULL);
        assert_string_equal(beck__text_get(&lab.logged), ""); /* no attempt was lost */
    }
    lab_close(&lab);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void test_no_memory(void **state)
{
    (void)state;
    struct lab lab;
    lab_open(&lab, isolated(1));
    lab_run(&lab, lab_sums(&lab, lab_numbers(&lab, 3, 50), 2), NULL);
    const char *expected = beck__arena_text(&lab.arena, lab_text(&lab));
    for (uint64_t n = 1, used = 0, step = 0; n == 1 || used + step >= n; n += step) {
        struct dataset *d = lab_sums(&lab, lab_numbers(&lab, 3, 50), 2);
        struct job job = {.scope = lab.scope, .dataset = d, .what = "collect"};
        step = 1 + n / 10;
        lab_clear(&lab);
        uint64_t before = beck__os_memory_calls(lab.os);
        beck__os_memory_fail(lab.os, n, n % 2 == 0);
        lab.engine->job_run(lab.engine, &job, &lab.error);
        used = beck__os_memory_calls(lab.os) - before;
        beck__os_memory_fail(lab.os, 0, false);
        assert_true(lab.error.status == BECK_OK || lab.error.status == BECK_NO_MEMORY);
        lab_run(&lab, d, NULL);
        assert_string_equal(lab_text(&lab), expected);
    }
    lab_close(&lab);
}

int main(void)
{
    beck__engine_worker(beck__os_real());
    const struct CMUnitTest tests[] = {
        test(test_own_process),     test(test_dies),   test(test_dies_always), test(test_shared),
        test(test_plain_address),   test(test_large),  test(test_too_large),   test(test_too_large),
        test(test_waiting_process), test(test_cancel), test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
