/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens cut by one byte, by several, by none. */
#include "base/testing.h"

#include <stdio.h>

/* "a b" -> "[a][b]" */
static void check(const char *text, size_t size, const char *separators, const char *wanted)
{
    char found[200] = "", *exact = malloc(size + 1), *at = found;
    memcpy(exact, text, size);
    exact = realloc(exact, size ? size : 1); /* so that a sanitizer sees an overrun */
    beck_str rest = beck_bytes_of(exact, size), token;
    while (beck_next_token(&rest, separators, &token))
        at += sprintf(at, "[%.*s]", (int)token.size, token.data);
    assert_string_equal(found, wanted);
    assert_int_equal(rest.size, 0);
    assert_false(beck_next_token(&rest, separators, &token));
    free(exact);
}

static void one_separator(void **state)
{
    (void)state;
    check("the quick  fox", 14, " ", "[the][quick][fox]");
    check("  abcdefgh abcdefghi jklmnopqrstuvwxyz  ", 40, " ",
          "[abcdefgh][abcdefghi][jklmnopqrstuvwxyz]");
    check("", 0, " ", "");
    check("   ", 3, " ", "");
    check("word", 4, " ", "[word]");
    check("a!!b", 4, "!", "[a][b]");
    check("\xff\xfe!\xff x", 6, "\xff", "[\xfe!][ x]");
}

static void several_separators(void **state)
{
    (void)state;
    check("a,b;c,;d", 8, ",;", "[a][b][c][d]");
    check("\tthe quick\r\n", 12, " \t\r\n", "[the][quick]");
    check("a\xe4\xf6z", 4, "\xe4\xf6", "[a][z]");
}

static void no_separator(void **state)
{
    (void)state;
    check("a b", 3, "", "[a b]");
}

/* A byte that differs from the separator by one is the hard case of the eight-byte search. */
static void every_neighbour_byte(void **state)
{
    (void)state;
    for (int separator = 1; separator < 256; separator++) {
        for (size_t at = 0; at < 16; at++) {
            char text[16], set[2] = {(char)separator, 0};
            memset(text, separator ^ 1, sizeof text);
            text[at] = (char)separator;
            beck_str rest = beck_bytes_of(text, sizeof text), token;
            assert_true(beck_next_token(&rest, set, &token));
            assert_int_equal(token.size, at ? at : 15);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_separator),
        cmocka_unit_test(several_separators),
        cmocka_unit_test(no_separator),
        cmocka_unit_test(every_neighbour_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
