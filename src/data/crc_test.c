/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crc_test - known sums (RFC 3720, appendix B.4), and that both ways agree on all lengths.
 */
#include "data/inside.h"
#include "data/testing.h"

static void test_known(void **state)
{
    (void)state;
    char zeros[32] = {0}, ones[32], rising[32];
    memset(ones, 0xff, sizeof ones);
    for (int i = 0; i < 32; i++)
        rising[i] = (char)i;
    assert_int_equal(beck__crc32c(0, "", 0), 0);
    assert_int_equal(beck__crc32c(0, "123456789", 9), 0xe3069283u);
    assert_int_equal(beck__crc32c(0, zeros, 32), 0x8a9136aau);
    assert_int_equal(beck__crc32c(0, ones, 32), 0x62a8ab43u);
    assert_int_equal(beck__crc32c(0, rising, 32), 0x46dd794eu);
}

static void test_both_ways(void **state)
{
    (void)state;
    uint64_t seed = 1;
    uint8_t bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)test_random(&seed);
    for (size_t from = 0; from < 9; from++) {
        for (size_t size = 0; size + from <= sizeof bytes; size++) {
            uint32_t whole = beck__crc32c(7, bytes + from, size), half;
            assert_int_equal(beck__crc32c_table(7, bytes + from, size), whole);
            half = beck__crc32c(7, bytes + from, size / 3);
            assert_int_equal(beck__crc32c(half, bytes + from + size / 3, size - size / 3), whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
