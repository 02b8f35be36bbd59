/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever fails by a seed, the rows are the same; and a seed does the same again. */
#include "engine/testing.h"

/* Runs a job of two stages; what it gives, and in `logged` which attempts failed. */
static const char *run_seed(struct lab *lab, struct engine_options options, uint64_t n,
                            uint64_t seed)
{
    lab_open(lab, options);
    lab->engine->fault(lab->engine, n, seed);
    lab_run(lab, lab_sums(lab, lab_numbers(lab, 5, 100), 3), NULL);
    return lab_text(lab);
}

static char *rows_without_faults(void)
{
    struct lab lab;
    char *rows = copy_of(run_seed(&lab, lab_options(1), 0, 0));

    lab_close(&lab);
    return rows;
}

/* How often the text is in the log. */
static int count_of(const struct lab *lab, const char *text)
{
    const char *at = beck__text_get((struct text *)(uintptr_t)&lab->logged);
    int count = 0;

    for (; (at = strstr(at, text)); at++)
        count++;
    return count;
}

static void any_seed_gives_the_same_rows(void **state)
{
    char *expected = rows_without_faults();
    struct engine_options options;
    int before = 0, after = 0;

    (void)state;
    for (uint32_t i = 0; lab_variant(i, false, &options); i++)
        for (uint64_t seed = 1; seed <= 30; seed++) {
            struct lab lab;
            options.attempts = 2 + (int)(seed % 3);
            assert_string_equal(run_seed(&lab, options, 1 + seed % 4, seed), expected);
            int late = count_of(&lab, "failed by a test after its work");
            after += late;
            before += count_of(&lab, "failed by a test") - late;
            lab_close(&lab);
        }
    assert_true(before > 100 && after > 100);
    free(expected);
}

/* A chance of one in one: all attempts but the last. */
static void the_last_attempt_is_spared(void **state)
{
    struct engine_options options = lab_options(2);
    struct lab lab;

    (void)state;
    options.attempts = 3;
    run_seed(&lab, options, 1, 7);
    assert_int_equal(count_of(&lab, "failed by a test"), 8 * 2);
    lab_close(&lab);
    options.attempts = 1;
    run_seed(&lab, options, 1, 7);
    assert_int_equal(count_of(&lab, "failed by a test"), 0);
    lab_close(&lab);
}

/* On one thread in the same order, too. */
static void a_seed_does_the_same_again(void **state)
{
    struct engine_options options = lab_options(1);
    char *logged[2], *other;
    struct lab lab;

    (void)state;
    for (uint64_t i = 0; i < 3; i++) {
        run_seed(&lab, options, 2, i < 2 ? 5 : 6);
        *(i < 2 ? &logged[i] : &other) = copy_of(beck__text_get(&lab.logged));
        lab_close(&lab);
    }
    assert_string_equal(logged[0], logged[1]);
    assert_string_not_equal(logged[0], other);
    free(logged[0]);
    free(logged[1]);
    free(other);
}

static void processes_are_killed(void **state)
{
    char *expected = rows_without_faults();
    int killed = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct engine_options options = lab_options(2);
        struct lab lab;
        options.isolate = true;
        options.inline_rows = 0;
        assert_string_equal(run_seed(&lab, options, 1, seed), expected);
        killed += count_of(&lab, "ended by signal 9");
        lab_close(&lab);
    }
    assert_true(killed > 10);
    free(expected);
}

int main(void)
{
    beck__engine_worker(beck__os_real());
    const struct CMUnitTest tests[] = {
        test(any_seed_gives_the_same_rows),
        test(the_last_attempt_is_spared),
        test(a_seed_does_the_same_again),
        test(processes_are_killed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
