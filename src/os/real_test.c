/* SPDX-License-Identifier: Apache-2.0 */
/* The os of a thread, randomness, environment, printing; statuses made from errno. */
#define _GNU_SOURCE
#include "os/real.h"
#include "os/testing.h"

#include <errno.h>
#include <unistd.h>

static void outside_a_simulation_it_is_the_real_one(void **state)
{
    (void)state;
    assert_ptr_equal(beck__os_current(), beck__os_real());
    assert_false(beck__os_real()->simulated);
}

static void random_bytes_differ(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    char a[300] = {0}, b[300] = {0};
    os->random(os, a, sizeof a);
    os->random(os, b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a, a + 150, 150);
    os->random(os, a, 0);
}

static void environment_and_processors(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    setenv("BECK_TEST_X", "y", 1);
    assert_string_equal(os->env(os, "BECK_TEST_X"), "y");
    size_t i = 0;
    while (os->env_at(os, i) && strcmp(os->env_at(os, i), "BECK_TEST_X=y") != 0)
        i++;
    assert_non_null(os->env_at(os, i));
    unsetenv("BECK_TEST_X");
    assert_null(os->env(os, "BECK_TEST_X"));
    assert_true(os->cpu_count(os) >= 1);
}

/* Standard output goes into a pipe while `run` runs. */
static void print_writes_behind_what_was_printed(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    int ends[2], saved = dup(1);
    char text[32] = {0};
    fflush(stdout);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], 1);
    printf("one ");
    os->print(os, 1, "two", 3);
    fflush(stdout);
    dup2(saved, 1);
    close(saved);
    close(ends[1]);
    assert_int_equal(read(ends[0], text, sizeof text - 1), 7);
    close(ends[0]);
    assert_string_equal(text, "one two");
}

static void errors_name_call_and_reason(void **state)
{
    (void)state;
    static const struct {
        int code;
        beck_status status;
    } cases[] = {
        {EACCES, BECK_IO},        {ENOENT, BECK_NOT_FOUND},   {EEXIST, BECK_EXISTS},
        {ENOMEM, BECK_NO_MEMORY}, {EPIPE, BECK_CLOSED},       {ETIMEDOUT, BECK_TIMEOUT},
        {ENOSPC, BECK_IO},        {ENOSYS, BECK_UNSUPPORTED}, {EINVAL, BECK_INVALID},
    };
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++)
        assert_int_equal(beck__os_fail(NULL, cases[i].code, "x"), cases[i].status);
    struct error error = {0};
    beck__os_fail(&error, EACCES, "open %s", "/x/y");
    assert_string_equal(error.text, "open /x/y: Permission denied");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(outside_a_simulation_it_is_the_real_one),
        test(random_bytes_differ),
        test(environment_and_processors),
        test(print_writes_behind_what_was_printed),
        test(errors_name_call_and_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
