/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of an allocator; vectors that double, also without memory. */
#include "base/testing.h"

static void alloc_and_free_balance(void **state)
{
    (void)state;
    struct test_memory test;
    const struct allocator *memory = test_memory_init(&test, 0);
    char *zeros = beck__alloc_zero(memory, 100);
    void *empty = beck__alloc(memory, 0);
    assert_non_null(empty);
    for (int i = 0; i < 100; i++)
        assert_int_equal(zeros[i], 0);
    beck__free(memory, zeros, 100);
    beck__free(memory, empty, 0);
    beck__free(memory, NULL, 10);
    assert_int_equal(test.used, 0);
}

static void vectors_double_from_eight(void **state)
{
    (void)state;
    struct test_memory test;
    const struct allocator *memory = test_memory_init(&test, 0);
    void *items = NULL;
    size_t capacity = 0;
    assert_true(beck__vector_reserve(memory, &items, &capacity, 1, sizeof(int)));
    assert_int_equal(capacity, 8);
    for (int i = 0; i < 100; i++) {
        assert_true(beck__vector_reserve(memory, &items, &capacity, (size_t)i + 1, sizeof(int)));
        ((int *)items)[i] = i;
    }
    assert_int_equal(capacity, 128);
    for (int i = 0; i < 100; i++)
        assert_int_equal(((int *)items)[i], i);
    assert_true(beck__vector_reserve(memory, &items, &capacity, 1000, sizeof(int)));
    assert_int_equal(capacity, 1000);
    beck__free(memory, items, capacity * sizeof(int));
    assert_int_equal(test.used, 0);
}

static void a_vector_that_cannot_grow_is_unchanged(void **state)
{
    (void)state;
    struct test_memory test;
    const struct allocator *memory = test_memory_init(&test, 2);
    void *items = NULL;
    size_t capacity = 0;
    assert_true(beck__vector_reserve(memory, &items, &capacity, 3, 8));
    void *before = items;
    assert_false(beck__vector_reserve(memory, &items, &capacity, 9, 8));
    assert_false(beck__vector_reserve(memory, &items, &capacity, SIZE_MAX / 4, 8));
    assert_ptr_equal(items, before);
    assert_int_equal(capacity, 8);
    beck__free(memory, items, capacity * 8);
    assert_int_equal(test.used, 0);
}

static void vectors_grow_in_an_arena(void **state)
{
    (void)state;
    struct test_memory test;
    struct arena arena;
    beck__arena_init(&arena, test_memory_init(&test, 0));
    void *items = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 5000; i++) {
        assert_true(beck__arena_reserve(&arena, &items, &capacity, (size_t)i + 1, sizeof(int)));
        ((int *)items)[i] = i;
    }
    for (int i = 0; i < 5000; i++)
        assert_int_equal(((int *)items)[i], i);
    assert_false(beck__arena_reserve(&arena, &items, &capacity, SIZE_MAX / 2, sizeof(int)));
    beck__arena_deinit(&arena);
    assert_int_equal(test.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alloc_and_free_balance),
        cmocka_unit_test(vectors_double_from_eight),
        cmocka_unit_test(a_vector_that_cannot_grow_is_unchanged),
        cmocka_unit_test(vectors_grow_in_an_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
