/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bits_test - ranges of bits, against a loop over single ones, with guards on both sides.
 */
#include "data/inside.h"
#include "data/testing.h"

#define BITS 400u

static void randomize(uint8_t *bits, uint64_t *seed)
{
    for (size_t i = 0; i < BITS / 8; i++)
        bits[i] = (uint8_t)test_random(seed);
}

static void test_ranges(void **state)
{
    (void)state;
    uint64_t seed = 20;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 20000; round++) {
        uint8_t a[BITS / 8], b[BITS / 8], from[BITS / 8];
        randomize(a, &seed);
        randomize(from, &seed);
        memcpy(b, a, sizeof a);
        uint32_t at = test_below(&seed, BITS), first = test_below(&seed, BITS);
        uint32_t longest = BITS - (at > first ? at : first);
        uint32_t count = test_below(&seed, longest + 1), ones = 0;
        bool value = test_below(&seed, 2) == 1, copy = test_below(&seed, 2) == 1;

        for (uint32_t i = 0; i < count; i++) {
            ones += beck__bit_get(from, first + i);
            if (copy ? beck__bit_get(from, first + i) : value)
                beck__bit_set(b, at + i);
            else
                beck__bit_clear(b, at + i);
        }
        if (copy)
            beck__bits_copy(a, at, from, first, count);
        else
            beck__bits_fill(a, at, count, value);
        assert_memory_equal(a, b, sizeof a);
        assert_int_equal(beck__bits_ones(from, first, count), ones);
    }
}

/* No byte behind the last bit is read: the array ends there, and a sanitizer looks. */
static void test_ends(void **state)
{
    (void)state;
    for (size_t bits = 1; bits < 200; bits++) {
        size_t bytes = beck__bitmap_bytes(bits);
        uint8_t *from = malloc(bytes), *to = malloc(bytes);
        assert_true(from && to);
        memset(from, 0xff, bytes);
        memset(to, 0, bytes);
        for (size_t shift = 0; shift < 9 && shift <= bits; shift++) {
            beck__bits_copy(to, 0, from, shift, bits - shift);
            assert_int_equal(beck__bits_ones(to, 0, bits - shift), bits - shift);
        }
        free(from);
        free(to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
