/* SPDX-License-Identifier: Apache-2.0 */
/* Alignment, zeroing, blocks that are kept and reused, no memory. */
#include "base/testing.h"

static void pieces_are_aligned_zeroed_and_apart(void **state)
{
    (void)state;
    struct test_memory test;
    struct arena arena;
    beck__arena_init(&arena, test_memory_init(&test, 0));
    char *pieces[500];
    for (size_t i = 0; i < 500; i++) {
        pieces[i] = beck__arena_alloc(&arena, i);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        for (size_t k = 0; k < i; k++)
            assert_int_equal(pieces[i][k], 0);
        memset(pieces[i], (int)(i & 0xff), i);
    }
    for (size_t i = 0; i < 500; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_equal((uint8_t)pieces[i][k], i & 0xff);
    assert_int_equal(arena.total, test.used);
    beck__arena_deinit(&arena);
    assert_int_equal(test.used, 0);
    beck__arena_deinit(&arena);
}

static void a_repeating_batch_allocates_nothing(void **state)
{
    (void)state;
    struct test_memory test;
    struct arena arena;
    beck__arena_init(&arena, test_memory_init(&test, UINT64_MAX));
    uint64_t calls = 0;
    for (int batch = 0; batch < 10; batch++) {
        if (batch == 5)
            calls = test.calls;
        for (int i = 0; i < 1000; i++)
            assert_non_null(beck__arena_alloc(&arena, 100));
        beck__arena_reset(&arena);
    }
    assert_int_equal(test.calls, calls);
    beck__arena_deinit(&arena);
    assert_int_equal(test.used, 0);
}

static void a_large_piece_does_not_waste_the_newest_block(void **state)
{
    (void)state;
    struct test_memory test;
    struct arena arena = {.memory = test_memory_init(&test, 0), .first = 1024};
    char *a = beck__arena_raw(&arena, 16);
    char *large = beck__arena_raw(&arena, 3 << 20);
    char *b = beck__arena_raw(&arena, 16);
    assert_ptr_equal(b, a + 16);
    memset(large, 1, 3 << 20);
    beck__arena_reset(&arena);
    assert_true(arena.total >= 3 << 20);
    assert_non_null(beck__arena_raw(&arena, 3 << 20));
    assert_int_equal(arena.total, test.used);
    beck__arena_deinit(&arena);
    assert_int_equal(test.used, 0);
}

static void copies_and_texts(void **state)
{
    (void)state;
    struct test_memory test;
    struct arena arena;
    beck__arena_init(&arena, test_memory_init(&test, 0));
    assert_non_null(beck__arena_copy(&arena, NULL, 0));
    assert_int_equal(arena.total, 0);
    assert_memory_equal(beck__arena_copy(&arena, "a\0b", 3), "a\0b", 3);
    assert_string_equal(beck__arena_text(&arena, "text"), "text");
    assert_null(beck__arena_text(&arena, NULL));
    assert_string_equal(beck__arena_printf(&arena, "%d %s", 7, "seven"), "7 seven");
    beck__arena_deinit(&arena);
}

static void without_memory_it_stays_whole(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 8; n++) {
        struct test_memory test;
        struct arena arena;
        beck__arena_init(&arena, test_memory_init(&test, n));
        while (beck__arena_alloc(&arena, 1000)) {
        }
        assert_null(beck__arena_raw(&arena, SIZE_MAX));
        assert_null(beck__arena_raw(&arena, SIZE_MAX / 2 - 10));
        assert_int_equal(arena.total, test.used);
        beck__arena_reset(&arena);
        assert_true(n == 1 || beck__arena_alloc(&arena, 1000));
        beck__arena_deinit(&arena);
        assert_int_equal(test.used, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_zeroed_and_apart),
        cmocka_unit_test(a_repeating_batch_allocates_nothing),
        cmocka_unit_test(a_large_piece_does_not_waste_the_newest_block),
        cmocka_unit_test(copies_and_texts),
        cmocka_unit_test(without_memory_it_stays_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
