/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_test - worker threads: what wakes the driver, what it does while it waits, what runs inline.
 */
#include "engine/testing.h"

#include "engine/local/local.h"

static void pass(beck_call *c, beck_row in)
{
    beck_emit_row(c, in);
}

static uint64_t tasks_of(struct lab *lab)
{
    uint64_t tasks, wakes;
    lab->engine->counters(lab->engine, &tasks, &wakes);
    return tasks;
}

static uint64_t wakes_of(struct lab *lab)
{
    uint64_t tasks, wakes;
    lab->engine->counters(lab->engine, &tasks, &wakes);
    return wakes;
}

/* A small stage without user code does not wake a worker; a large one does, and one that calls. */
static void test_inline(void **state)
{
    (void)state;
    struct lab lab;
    struct engine_options options = lab_options(2);
    options.inline_rows = 100;
    lab_open(&lab, options);
    struct op map = lab_call(&lab, PAIR, PAIR, pass);
    lab_run(&lab, lab_numbers(&lab, 2, 50), NULL);
    assert_int_equal(tasks_of(&lab), 2);
    assert_int_equal(wakes_of(&lab), 0);
    lab_run(&lab, lab_sums(&lab, lab_numbers(&lab, 2, 50), 3), NULL);
    assert_int_equal(wakes_of(&lab), 0);

    uint64_t before = tasks_of(&lab);
    lab_run(&lab, lab_numbers(&lab, 2, 51), NULL);
    assert_int_equal(tasks_of(&lab) - before, 2);
    before = tasks_of(&lab);
    lab_run(&lab, lab_narrow(&lab, lab_numbers(&lab, 2, 1), &map), NULL);
    assert_int_equal(tasks_of(&lab) - before, 2);
    lab_close(&lab);
}

/* ---- where tasks run ------------------------------------------------------------------------- */

static uint64_t driver;
static _Atomic uint32_t on_driver, elsewhere;

static void note_thread(beck_call *c, beck_row in)
{
    struct os *os = beck__os_real();
    atomic_fetch_add(os->thread_self(os) == driver ? &on_driver : &elsewhere, 1);
    beck_emit_row(c, in);
}

static void check_threads(struct engine_options options, uint32_t here, uint32_t there)
{
    struct lab lab;
    struct os *os = beck__os_real();
    lab_open(&lab, options);
    driver = os->thread_self(os);
    atomic_store(&on_driver, 0);
    atomic_store(&elsewhere, 0);
    struct op map = lab_call(&lab, PAIR, PAIR, note_thread);
    lab_run(&lab, lab_narrow(&lab, lab_numbers(&lab, 4, 5), &map), NULL);
    assert_int_equal(atomic_load(&on_driver), here);
    assert_int_equal(atomic_load(&elsewhere), there);
    lab_close(&lab);
}

static void test_threads(void **state)
{
    (void)state;
    struct engine_options options = lab_options(2);
    check_threads(options, 0, 20);
    options.inline_all = true;
    check_threads(options, 20, 0);
    check_threads(lab_options(1), 0, 20); /* local[1] has a worker, too */
}

/* ---- idle and wake --------------------------------------------------------------------------- */

struct idler {
    struct lab *lab;
    int calls;
    int64_t due;
    struct door door;
};

static struct idler *idler;

/* A task that waits until the driver's idle function has been called again. */
static void wait_for_driver(beck_call *c, beck_row in)
{
    idler->lab->engine->wake(idler->lab->engine);
    door_pass(&idler->door);
    beck_emit_row(c, in);
}

static int64_t on_idle(void *user)
{
    struct idler *it = user;
    if (++it->calls == 2) /* the wake of the task */
        door_open(&it->door);
    return it->due;
}

static void check_idle(int64_t due)
{
    struct lab lab;
    struct idler it = {.lab = &lab, .due = due};
    lab_open(&lab, lab_options(1));
    door_init(&it.door);
    idler = &it;
    lab.engine->set_idle(lab.engine, on_idle, &it);
    struct op map = lab_call(&lab, PAIR, PAIR, wait_for_driver);
    lab_run(&lab, lab_narrow(&lab, lab_numbers(&lab, 1, 1), &map), NULL);
    assert_true(it.calls >= 2);
    lab.engine->set_idle(lab.engine, NULL, NULL);
    lab_run(&lab, lab_numbers(&lab, 2, 100), NULL);
    door_deinit(&it.door);
    lab_close(&lab);
}

/* The driver does what is due while tasks run: woken, or because its time has come. */
static void test_idle(void **state)
{
    (void)state;
    check_idle(INT64_MAX);
    check_idle(0); /* always due */
}

/* ---- start and stop -------------------------------------------------------------------------- */

static void test_start_stop(void **state)
{
    (void)state;
    struct lab lab;
    for (int threads = 1; threads <= 8; threads *= 2) {
        lab_open(&lab, lab_options(threads));
        lab_close(&lab); /* nothing has run */
    }
}

static void test_many_tasks(void **state)
{
    (void)state;
    struct lab lab;
    lab_open(&lab, lab_options(4));
    struct op map = lab_call(&lab, PAIR, PAIR, pass);
    for (int i = 0; i < 50; i++) {
        lab_run(&lab, lab_narrow(&lab, lab_numbers(&lab, 40, 2), &map), NULL);
        for (uint32_t p = 0; p < 40; p++) {
            assert_int_equal(lab.delivered[p], 1);
            assert_int_equal(lab.out[p].rows, 2);
        }
    }
    assert_int_equal(tasks_of(&lab), 2000);
    lab_close(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_inline),     test(test_threads),    test(test_idle),
        test(test_start_stop), test(test_many_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
