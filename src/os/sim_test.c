/* SPDX-License-Identifier: Apache-2.0 */
/* Seeds replay; threads end; deadlocks, endless loops and lost worlds come back as errors. */
#include "os/testing.h"

#define WORKERS 4
#define SEEDS   20

struct program {
    struct os *os;
    struct os_lock *lock;
    int turns, started;
};

static void say(struct os *os, const char *format, int a, long long b)
{
    char line[80];
    int size = snprintf(line, sizeof line, format, a, b);
    os->print(os, 1, line, (size_t)size);
}

static void take_turns(void *user)
{
    struct program *program = user;
    struct os *os = program->os;
    for (int i = 0; i < 5; i++) {
        uint64_t pause;
        os->random(os, &pause, sizeof pause);
        os->sleep_ns(os, (int64_t)(pause % 3000000));
        os->lock(os, program->lock);
        program->turns++;
        say(os, "thread %d at %lld\n", (int)os->thread_self(os), os->mono_ns(os));
        os->unlock(os, program->lock);
    }
}

static void run_workers(void *user)
{
    struct program *program = user;
    struct os *os = program->os = beck__os_current();
    struct os_thread *threads[WORKERS];
    assert(os->simulated);
    program->lock = os->lock_new(os);
    for (int i = 0; i < WORKERS; i++)
        threads[i] = os->thread_start(os, "worker", take_turns, program, NULL);
    for (int i = 0; i < WORKERS; i++)
        os->thread_join(os, threads[i]);
    os->lock_free(os, program->lock);
}

static struct os_simulation run(uint64_t seed, void (*body)(void *), void *user, struct text *out)
{
    struct os_simulation simulation = {.seed = seed};
    struct error error = {0};
    beck__text_clear(out);
    assert_ok(beck__os_simulate(&simulation, body, user, out, &error), error);
    return simulation;
}

static void a_seed_replays_and_seeds_differ(void **state)
{
    (void)state;
    struct text one = {.memory = &beck__os_real()->memory}, two = one;
    uint64_t traces[SEEDS];
    int same_output = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct program a = {0}, b = {0};
        struct os_simulation first = run(seed, run_workers, &a, &one);
        struct os_simulation second = run(seed, run_workers, &b, &two);
        assert_int_equal(a.turns, WORKERS * 5);
        assert_string_equal(beck__text_get(&one), beck__text_get(&two));
        assert_true(first.trace == second.trace);
        assert_true(first.steps == second.steps);
        traces[seed] = first.trace;
        for (uint64_t other = 0; other < seed; other++)
            assert_true(traces[other] != traces[seed]);
        run(seed + 1000, run_workers, &b, &two);
        same_output += !strcmp(beck__text_get(&one), beck__text_get(&two));
    }
    assert_int_equal(same_output, 0);
    beck__text_deinit(&one);
    beck__text_deinit(&two);
}

/* ---- time ---------------------------------------------------------------------------------- */

static void watch_clock(void *user)
{
    struct os *os = beck__os_current();
    int64_t *times = user;
    times[0] = os->mono_ns(os);
    times[1] = os->wall_ms(os);
    os->sleep_ns(os, (int64_t)3600 * 1000000000);
    times[2] = os->mono_ns(os);
    times[3] = os->wall_ms(os);
    times[4] = os->cpu_ns(os);
}

static void an_hour_takes_no_time(void **state)
{
    (void)state;
    int64_t times[5];
    struct os_simulation simulation = {.seed = 1, .start_ms = 5000};
    assert_int_equal(beck__os_simulate(&simulation, watch_clock, times, NULL, NULL), BECK_OK);
    assert_int_equal(times[0], 0);
    assert_int_equal(times[1], 5000);
    assert_int_equal(times[2], (int64_t)3600 * 1000000000);
    assert_int_equal(times[3], 5000 + 3600 * 1000);
    assert_int_equal(times[4], 0);
}

static void spin(void *user)
{
    struct os *os = beck__os_current();
    (void)user;
    while (os->mono_ns(os) < 1000000) {
    }
}

static void a_loop_that_looks_at_the_clock_ends(void **state)
{
    (void)state;
    struct os_simulation simulation = {.seed = 1};
    assert_int_equal(beck__os_simulate(&simulation, spin, NULL, NULL, NULL), BECK_OK);
}

/* ---- ends ---------------------------------------------------------------------------------- */

static void count_late(void *user)
{
    struct program *program = user;
    program->os->sleep_ns(program->os, 1000000);
    program->turns++;
}

static void start_and_leave(void *user)
{
    struct program *program = user;
    program->os = beck__os_current();
    for (int i = 0; i < WORKERS; i++)
        program->os->thread_start(program->os, "late", count_late, program, NULL);
}

static void it_returns_when_all_threads_have_ended(void **state)
{
    (void)state;
    struct program program = {0};
    struct os_simulation simulation = {.seed = 3};
    assert_int_equal(beck__os_simulate(&simulation, start_and_leave, &program, NULL, NULL),
                     BECK_OK);
    assert_int_equal(program.turns, WORKERS);
    assert_false(beck__os_current()->simulated);
}

static void wait_for_nobody(void *user)
{
    struct program *program = user;
    struct os *os = program->os;
    struct os_gate *gate = os->gate_new(os);
    os->lock(os, program->lock);
    program->started++;
    for (;;) /* spurious wakes are no help */
        os->gate_wait(os, gate, program->lock, -1);
}

static void wait_for_waiter(void *user)
{
    struct program *program = user;
    struct os *os = program->os = beck__os_current();
    program->lock = os->lock_new(os);
    struct os_thread *thread = os->thread_start(os, "waiter", wait_for_nobody, program, NULL);
    os->thread_join(os, thread);
    program->turns = 1;
}

static void a_deadlock_is_an_error(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < SEEDS; seed++) {
        struct program program = {0};
        struct os_simulation simulation = {.seed = seed};
        struct error error = {0};
        assert_int_equal(beck__os_simulate(&simulation, wait_for_waiter, &program, NULL, &error),
                         BECK_STATE);
        assert_true(simulation.deadlock);
        assert_contains(error.text, "deadlock");
        assert_contains(error.text, "main waits for the end of a thread");
        assert_contains(error.text, "waiter waits for a gate");
        assert_int_equal(program.started, 1);
        assert_int_equal(program.turns, 0);
    }
}

static void leave_early(void *user)
{
    struct program *program = user;
    struct os *os = program->os = beck__os_current();
    program->lock = os->lock_new(os);
    os->thread_start(os, "waiter", wait_for_nobody, program, NULL);
    os->sleep_ns(os, 1000);
    os->exit(os, 3);
    program->turns = 1;
}

static void exit_ends_the_world(void **state)
{
    (void)state;
    struct program program = {0};
    struct os_simulation simulation = {.seed = 5};
    assert_int_equal(beck__os_simulate(&simulation, leave_early, &program, NULL, NULL),
                     BECK_CANCELLED);
    assert_false(simulation.deadlock);
    assert_int_equal(program.turns, 0);
}

static void without_memory_it_fails_or_runs(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct os_simulation simulation = {.seed = 5};
    int64_t times[5];
    beck__os_memory_fail(os, 1, false);
    assert_int_equal(beck__os_simulate(&simulation, watch_clock, times, NULL, NULL),
                     BECK_NO_MEMORY);
    beck__os_memory_fail(os, 0, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_seed_replays_and_seeds_differ),
        test(an_hour_takes_no_time),
        test(a_loop_that_looks_at_the_clock_ends),
        test(it_returns_when_all_threads_have_ended),
        test(a_deadlock_is_an_error),
        test(exit_ends_the_world),
        test(without_memory_it_fails_or_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
