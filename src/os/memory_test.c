/* SPDX-License-Identifier: Apache-2.0 */
/* Counting, the limit and failure on demand; pieces below and above 2 MiB. */
#include "os/testing.h"

#define MIB ((size_t)1 << 20)

static void sizes_are_counted(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    size_t used = beck__os_memory_used(os);
    uint64_t calls = beck__os_memory_calls(os);
    void *p = beck__alloc(&os->memory, 100);
    assert_int_equal(beck__os_memory_used(os), used + 100);
    p = os->memory.resize(os->memory.self, p, 100, 5000);
    assert_int_equal(beck__os_memory_used(os), used + 5000);
    p = os->memory.resize(os->memory.self, p, 5000, 50);
    assert_int_equal(beck__os_memory_used(os), used + 50);
    beck__free(&os->memory, p, 50);
    assert_int_equal(beck__os_memory_used(os), used);
    assert_int_equal(beck__os_memory_calls(os), calls + 3);
}

static void contents_move_between_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {10,      4096,    2 * MIB - 1, 2 * MIB, 3 * MIB,
                                   9 * MIB, 2 * MIB, 100,         5 * MIB, 1};
    struct os *os = beck__os_real();
    size_t size = sizes[0];
    char *p = beck__alloc(&os->memory, size);
    memset(p, 'a', size);
    for (size_t i = 1; i < BECK__COUNT_OF(sizes); i++) {
        p = os->memory.resize(os->memory.self, p, size, sizes[i]);
        assert_non_null(p);
        size_t same = size < sizes[i] ? size : sizes[i];
        for (size_t k = 0; k < same; k++)
            assert_true(p[k] == 'a');
        size = sizes[i];
        memset(p, 'a', size);
    }
    beck__free(&os->memory, p, size);
}

static void the_limit_holds(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    size_t used = beck__os_memory_used(os);
    beck__os_memory_max(os, used + 1000);
    void *p = beck__alloc(&os->memory, 600);
    assert_non_null(p);
    assert_null(beck__alloc(&os->memory, 401));
    assert_null(os->memory.resize(os->memory.self, p, 600, 1001));
    p = os->memory.resize(os->memory.self, p, 600, 1000);
    assert_non_null(p);
    beck__os_memory_max(os, used + 10);
    p = os->memory.resize(os->memory.self, p, 1000, 500); /* smaller is always fine */
    assert_non_null(p);
    beck__free(&os->memory, p, 500);
    beck__os_memory_max(os, 0);
    assert_null(beck__alloc(&os->memory, SIZE_MAX));
}

static void the_nth_call_fails(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    void *p[6];
    beck__os_memory_fail(os, 2, false);
    for (int i = 0; i < 3; i++)
        p[i] = beck__alloc(&os->memory, 10);
    beck__os_memory_fail(os, 2, true);
    for (int i = 3; i < 6; i++)
        p[i] = beck__alloc(&os->memory, 10);
    beck__os_memory_fail(os, 0, false);
    for (int i = 0; i < 6; i++) {
        bool fails = i == 1 || i >= 4;
        assert_int_equal(p[i] == NULL, fails);
        beck__free(&os->memory, p[i], 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(sizes_are_counted),
        test(contents_move_between_sizes),
        test(the_limit_holds),
        test(the_nth_call_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
