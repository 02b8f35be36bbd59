/* SPDX-License-Identifier: Apache-2.0 */
/* The error on the stack: sticking, prefixes, texts that are too long. */
#include "base/testing.h"

static void first_error_sticks(void **state)
{
    (void)state;
    struct error error = {0};
    assert_int_equal(beck__error_set(&error, BECK_IO, "open %s", "a"), BECK_IO);
    assert_int_equal(beck__error_set(&error, BECK_STATE, "second"), BECK_STATE);
    assert_int_equal(error.status, BECK_IO);
    assert_string_equal(error.text, "open a");
    assert_int_equal(beck__error_set(NULL, BECK_TYPE, "x"), BECK_TYPE);
    beck__error_clear(&error);
    beck__error_clear(NULL);
    assert_int_equal(error.status, BECK_OK);
    assert_string_equal(error.text, "");
}

static void prefix_goes_in_front(void **state)
{
    (void)state;
    struct error error = {0};
    beck__error_prefix(&error, "nothing to prefix: ");
    assert_string_equal(error.text, "");
    beck__error_memory(&error, "a table", 64);
    beck__error_prefix(&error, "batch %d ms: ", 1000);
    assert_string_equal(error.text, "batch 1000 ms: out of memory: 64 bytes for a table");
    beck__error_prefix(NULL, "x");
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    struct error error = {0};
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    beck__error_set(&error, BECK_IO, "%s", text);
    assert_int_equal(strlen(error.text), sizeof error.text - 1);
    assert_string_equal(error.text + sizeof error.text - 4, "...");
    beck__error_prefix(&error, "front: ");
    assert_memory_equal(error.text, "front: xxx", 10);
    assert_int_equal(strlen(error.text), sizeof error.text - 1);
    beck__error_prefix(&error, "%s", text);
    assert_string_equal(error.text + sizeof error.text - 5, "x...");

    /* a prefix that just fits is not marked */
    beck__error_clear(&error);
    beck__error_set(&error, BECK_IO, "end");
    text[sizeof error.text - 4] = 0;
    beck__error_prefix(&error, "%s", text);
    assert_string_equal(error.text + sizeof error.text - 5, "xend");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_error_sticks),
        cmocka_unit_test(prefix_goes_in_front),
        cmocka_unit_test(long_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
