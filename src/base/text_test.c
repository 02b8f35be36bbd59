/* SPDX-License-Identifier: Apache-2.0 */
/* Appending, and failures that stay. */
#include "base/testing.h"

static void appends_grow_and_end_with_nul(void **state)
{
    (void)state;
    struct test_memory test;
    struct text text = {.memory = test_memory_init(&test, 0)};
    assert_string_equal(beck__text_get(&text), "");
    for (int i = 0; i < 100; i++) {
        beck__text_printf(&text, "%d,", i);
        assert_int_equal(strlen(text.data), text.size);
    }
    beck__text_add(&text, "end");
    assert_int_equal(text.size, 10 * 2 + 90 * 3 + 3);
    beck__text_clear(&text);
    assert_string_equal(beck__text_get(&text), "");
    beck__text_append(&text, "a\0b", 3);
    assert_int_equal(text.size, 3);
    assert_memory_equal(text.data, "a\0b", 4);
    beck__text_append(&text, NULL, 0);
    beck__text_printf(&text, "%.*s", 0, "");
    assert_int_equal(text.size, 3);
    beck__text_deinit(&text);
    beck__text_deinit(&text);
    assert_int_equal(test.used, 0);
}

static void a_failure_stays(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 5; n++) {
        struct test_memory test;
        struct text text = {.memory = test_memory_init(&test, n)};
        for (int i = 0; i < 50; i++)
            beck__text_printf(&text, "%s", "0123456789");
        assert_true(text.failed);
        assert_int_equal(strlen(beck__text_get(&text)), text.size);
        assert_int_equal(text.size % 10, 0);
        beck__text_deinit(&text);
        assert_int_equal(test.used, 0);
    }
}

static void impossible_sizes_fail(void **state)
{
    (void)state;
    struct test_memory test;
    struct text text = {.memory = test_memory_init(&test, 0)};
    beck__text_add(&text, "x");
    assert_false(beck__text_reserve(&text, SIZE_MAX));
    assert_true(text.failed);
    assert_string_equal(text.data, "x");
    beck__text_clear(&text);
    assert_false(text.failed);
    assert_false(beck__text_reserve(&text, SIZE_MAX / 2 - 1));
    beck__text_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_grow_and_end_with_nul),
        cmocka_unit_test(a_failure_stays),
        cmocka_unit_test(impossible_sizes_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
