/* SPDX-License-Identifier: Apache-2.0 */
/* No processes, signals or environment; seeded randomness; print goes into the text. */
#include "os/testing.h"

struct findings {
    beck_status start;
    char random[20];
    bool env, channel;
    int cpus;
    struct function_id id;
};

static void look_around(void *user)
{
    struct findings *found = user;
    struct os *os = beck__os_current();
    struct os_process *process;
    struct os_socket *socket;
    found->start = os->process_start(os, &process, &socket, NULL);
    found->channel = os->parent_channel(os) != NULL;
    found->env = os->env(os, "PATH") != NULL;
    found->cpus = os->cpu_count(os);
    found->id = os->function_id(os, (const void *)(uintptr_t)look_around);
    _Atomic int count_signals = 0;
    struct os_poller *poller = os->poller_new(os);
    os->signals_catch(os, poller, &count_signals);
    os->signals_release(os);
    os->poller_free(os, poller);
    os->random(os, found->random, sizeof found->random);
    os->print(os, 1, "one ", 4);
    os->print(os, 2, "two", 3);
}

static void what_there_is_and_is_not(void **state)
{
    (void)state;
    struct findings first = {0}, second = {0}, other = {0};
    struct os_simulation simulation = {.seed = 9};
    struct text out = {.memory = &beck__os_real()->memory};
    assert_int_equal(beck__os_simulate(&simulation, look_around, &first, &out, NULL), BECK_OK);
    assert_int_equal(first.start, BECK_UNSUPPORTED);
    assert_false(first.channel);
    assert_false(first.env);
    assert_true(first.cpus >= 1);
    assert_true(first.id.module != 0);
    assert_string_equal(beck__text_get(&out), "one two");
    beck__text_deinit(&out);

    assert_int_equal(beck__os_simulate(&simulation, look_around, &second, NULL, NULL), BECK_OK);
    assert_memory_equal(first.random, second.random, sizeof first.random);
    simulation.seed = 10;
    assert_int_equal(beck__os_simulate(&simulation, look_around, &other, NULL, NULL), BECK_OK);
    assert_memory_not_equal(first.random, other.random, sizeof first.random);
}

static void without_memory_nothing_leaks(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    for (uint64_t n = 1; n < 12; n++) {
        struct findings found = {0};
        struct os_simulation simulation = {.seed = n};
        struct text out = {.memory = &os->memory};
        beck__os_memory_fail(os, n, false);
        beck_status status = beck__os_simulate(&simulation, look_around, &found, &out, NULL);
        beck__os_memory_fail(os, 0, false);
        assert_int_equal(status, n == 1 ? BECK_NO_MEMORY : BECK_OK);
        beck__text_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {test(what_there_is_and_is_not),
                                       test(without_memory_nothing_leaks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
