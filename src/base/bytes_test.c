/* SPDX-License-Identifier: Apache-2.0 */
/* What is put is got back; a reader never leaves its bytes. */
#include "base/testing.h"

static void encode(struct text *out)
{
    beck__put_u8(out, 0xfe);
    beck__put_u32(out, 0x12345678);
    beck__put_u64(out, 0xfedcba9876543210u);
    beck__put_string(out, beck_string("word"));
    beck__put_string(out, beck_string(""));
}

static void what_is_put_is_got(void **state)
{
    (void)state;
    struct test_memory test;
    struct text out = {.memory = test_memory_init(&test, 0)};
    encode(&out);
    assert_int_equal(out.size, 1 + 4 + 8 + 4 + 4 + 4);
    assert_memory_equal(out.data, "\xfe\x78\x56\x34\x12\x10\x32\x54\x76", 9);
    struct reader in = {.data = (const uint8_t *)out.data, .size = out.size};
    assert_int_equal(beck__get_u8(&in), 0xfe);
    assert_int_equal(beck__get_u32(&in), 0x12345678);
    assert_true(beck__get_u64(&in) == 0xfedcba9876543210u);
    assert_true(beck_string_equal(beck__get_string(&in), beck_string("word")));
    assert_int_equal(beck__get_string(&in).size, 0);
    assert_false(in.bad);
    assert_int_equal(in.at, in.size);
    assert_int_equal(beck__get_u8(&in), 0);
    assert_true(in.bad);
    beck__text_deinit(&out);
}

static void a_short_reader_is_bad_for_good(void **state)
{
    (void)state;
    struct test_memory test;
    struct text out = {.memory = test_memory_init(&test, 0)};
    encode(&out);
    for (size_t size = 0; size < out.size; size++) {
        void *exact = beck__alloc(&test.allocator, size); /* so that a sanitizer sees an overrun */
        memcpy(exact, out.data, size);
        struct reader in = {.data = exact, .size = size};
        beck__get_u8(&in);
        beck__get_u32(&in);
        beck__get_u64(&in);
        beck__get_string(&in);
        beck__get_string(&in);
        assert_true(in.bad);
        assert_int_equal(beck__get_u8(&in), 0);
        beck__free(&test.allocator, exact, size);
    }
    beck__text_deinit(&out);
    assert_int_equal(test.used, 0);
}

static void a_huge_length_is_bad(void **state)
{
    (void)state;
    struct reader in = {.data = (const uint8_t *)"\xff\xff\xff\xff.", .size = 5};
    assert_int_equal(beck__get_string(&in).size, 0);
    assert_true(in.bad);
}

static void a_string_over_4_gib_fails(void **state)
{
    (void)state;
    struct test_memory test;
    struct text out = {.memory = test_memory_init(&test, 0)};
    beck__put_string(&out, beck_bytes_of("", (size_t)UINT32_MAX + 1));
    assert_true(out.failed);
    beck__text_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_got),
        cmocka_unit_test(a_short_reader_is_bad_for_good),
        cmocka_unit_test(a_huge_length_is_bad),
        cmocka_unit_test(a_string_over_4_gib_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
