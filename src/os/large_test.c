/* SPDX-License-Identifier: Apache-2.0 */
/* Large pieces are aligned, keep their bytes when they move, and are reused. */
#include "os/real.h"
#include "os/testing.h"

#define MIB ((size_t)1 << 20)

static void pieces_are_aligned_and_reused(void **state)
{
    (void)state;
    char *a = beck__large_alloc(3 * MIB), *b = beck__large_alloc(3 * MIB);
    assert_int_equal((uintptr_t)a % BECK__LARGE, 0);
    assert_int_equal((uintptr_t)b % BECK__LARGE, 0);
    memset(a, 1, 3 * MIB);
    memset(b, 2, 3 * MIB);
    assert_int_equal(a[3 * MIB - 1], 1);
    beck__large_free(a, 3 * MIB);
    assert_ptr_equal(beck__large_alloc(3 * MIB - 100), a); /* the same after rounding */
    beck__large_free(a, 3 * MIB - 100);
    beck__large_free(b, 3 * MIB);
}

static void many_are_not_all_kept(void **state)
{
    (void)state;
    void *p[20];
    for (size_t i = 0; i < 20; i++)
        assert_non_null(p[i] = beck__large_alloc(2 * MIB + i * MIB));
    for (size_t i = 0; i < 20; i++)
        beck__large_free(p[i], 2 * MIB + i * MIB);
}

static void growing_moves_pages(void **state)
{
    (void)state;
    size_t size = 2 * MIB;
    char *p = beck__large_alloc(size);
    memset(p, 7, size);
    for (int i = 0; i < 4; i++) {
        void *in_the_way = beck__large_alloc(2 * MIB);
        p = beck__large_resize(p, size, size * 2);
        assert_non_null(p);
        for (size_t k = 0; k < size; k += 1000)
            assert_int_equal(p[k], 7);
        memset(p, 7, size * 2);
        size *= 2;
        beck__large_free(in_the_way, 2 * MIB);
    }
    p = beck__large_resize(p, size, 2 * MIB);
    assert_int_equal(p[2 * MIB - 1], 7);
    beck__large_free(p, 2 * MIB);
}

static void the_impossible_fails(void **state)
{
    (void)state;
    assert_null(beck__large_alloc(SIZE_MAX / 2 + MIB));
    assert_null(beck__large_alloc((size_t)1 << 60));
    void *p = beck__large_alloc(2 * MIB);
    assert_null(beck__large_resize(p, 2 * MIB, (size_t)1 << 60));
    beck__large_free(p, 2 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(pieces_are_aligned_and_reused),
        test(many_are_not_all_kept),
        test(growing_moves_pages),
        test(the_impossible_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
