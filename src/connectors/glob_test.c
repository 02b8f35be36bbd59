/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of names, one by one, and one that would take for ever if it went back everywhere. */
#include "connectors/connectors.h"
#include "os/testing.h"

static void patterns_fit_or_not(void **state)
{
    static const struct {
        const char *pattern, *fits, *does_not;
    } cases[] = {
        {"", "", "a"},
        {"abc", "abc", "ab"},
        {"abc", "abc", "abcd"},
        {"*", "", NULL},
        {"*.csv", "a.csv", "a.csv.gz"},
        {"*.csv", ".csv", "csv"},
        {"a*b*c", "a-b-b-c", "a-c-b"},
        {"?", "x", ""},
        {"a?c", "abc", "ac"},
        {"[a-c]x", "bx", "dx"},
        {"[!a-c]x", "dx", "bx"},
        {"[abz-]", "-", "c"},
        {"[]]", "]", "["},
        {"[!]]", "x", "]"},
        {"[a", "[a", "a"},
        {"*[0-9]", "part-7", "part-x"},
        {"log-[0-9][0-9]*", "log-12-x", "log-1x"},
        {"\xff*", "\xff\xfe", "\xfe"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(beck__glob_match(cases[i].pattern, cases[i].fits));
        if (cases[i].does_not)
            assert_false(beck__glob_match(cases[i].pattern, cases[i].does_not));
    }
}

static void a_mean_one_ends(void **state)
{
    char name[4000], pattern[2000];

    (void)state;
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = 0;
    for (size_t i = 0; i + 2 < sizeof pattern; i += 2)
        memcpy(pattern + i, "*a", 2);
    memcpy(pattern + sizeof pattern - 2, "b", 2);
    assert_false(beck__glob_match(pattern, name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_fit_or_not),
        cmocka_unit_test(a_mean_one_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
