/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash_test - the encoding of a key is fixed for ever: bytes written by hand, and hashes of keys
 * that were once and must stay.
 */
#include "data/testing.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

struct fixture {
    struct test_memory memory;
    struct arena arena;
    struct builder b;
    struct text scratch;
};

static void open(struct fixture *f, const char *schema)
{
    beck__arena_init(&f->arena, test_memory_init(&f->memory, 0));
    f->scratch = (struct text){.memory = &f->memory.allocator};
    beck__builder_init(&f->b, &f->memory.allocator, test_schema(&f->arena, schema), 0, NULL);
}

static void close(struct fixture *f)
{
    beck__builder_deinit(&f->b);
    beck__arena_deinit(&f->arena);
    beck__text_deinit(&f->scratch);
    assert_int_equal(f->memory.used, 0);
}

static uint64_t hash(struct fixture *f, const beck_value *values)
{
    test_row(&f->b, values, f->b.schema->count);
    return beck__key_hash(f->b.chunk, 0, f->b.schema->count, f->b.chunk->rows - 1, &f->scratch);
}

static uint64_t hash_one(const char *schema, beck_value value)
{
    struct fixture f;
    open(&f, schema);
    uint64_t h = hash(&f, &value);
    assert_null(f.scratch.data);
    close(&f);
    return h;
}

#define XXH(bytes) XXH3_64bits(bytes, sizeof(bytes) - 1)

static void test_single_columns(void **state)
{
    (void)state;
    static const char long_one[] = "longer than the twelve bytes of a view";
    assert_int_equal(hash_one("s STRING", beck_text_value("the")), XXH("the"));
    assert_int_equal(hash_one("s STRING", beck_text_value("")), XXH(""));
    assert_int_equal(hash_one("s BINARY", beck_text_value(long_one)), XXH(long_one));
    assert_int_equal(hash_one("n BIGINT", beck_integer_value(258)), XXH("\2\1\0\0\0\0\0\0"));
    assert_int_equal(hash_one("t TIMESTAMP", beck_integer_value(-1)),
                     XXH("\xff\xff\xff\xff\xff\xff\xff\xff"));
    assert_int_equal(hash_one("b BOOLEAN", beck_boolean_value(true)), XXH("\1"));
    assert_int_equal(hash_one("d DOUBLE", beck_double_value(1)), XXH("\0\0\0\0\0\0\xf0\x3f"));
    assert_int_equal(hash_one("d DOUBLE", beck_double_value(-0.0)), XXH("\0\0\0\0\0\0\0\0"));
    assert_int_equal(hash_one("d DOUBLE", beck_double_value(-NAN)), XXH("\0\0\0\0\0\0\xf8\x7f"));
    assert_int_equal(hash_one("d DOUBLE", beck_null), XXH3_64bits_withSeed("", 0, 1));
    assert_int_equal(hash_one("s STRING", beck_null), XXH3_64bits_withSeed("", 0, 1));
}

/* From the first version. */
static void test_for_ever(void **state)
{
    (void)state;
    assert_int_equal(hash_one("s STRING", beck_text_value("the")), 0xcb1283631cf33d7du);
    assert_int_equal(hash_one("n BIGINT", beck_integer_value(1)), 0x2fbc593564db792eu);
    assert_int_equal(hash_one("n BIGINT", beck_null), 0x4dc5b0cc826f6703u);
}

static void test_several_columns(void **state)
{
    (void)state;
    struct fixture f;
    beck_value row[] = {beck_text_value("ab"), beck_integer_value(3), beck_null,
                        beck_boolean_value(true), beck_double_value(-0.0)};
    open(&f, "s STRING, n BIGINT, x STRING, b BOOLEAN, d DOUBLE");
    assert_int_equal(hash(&f, row), XXH("\1\2\0\0\0ab\1\3\0\0\0\0\0\0\0\0\1\1\1\0\0\0\0\0\0\0\0"));
    assert_int_equal(beck__key_hash(f.b.chunk, 1, 2, 0, &f.scratch), XXH("\1\3\0\0\0\0\0\0\0\0"));
    assert_int_equal(beck__key_hash(f.b.chunk, 1, 1, 0, &f.scratch), XXH("\3\0\0\0\0\0\0\0"));
    close(&f);
}

static void test_nested(void **state)
{
    (void)state;
    struct fixture f;
    beck_value elements[] = {beck_integer_value(1), beck_null};
    beck_value fields[] = {beck_values_value(elements, 2), beck_text_value("x")};
    beck_value row = beck_values_value(fields, 2), null = beck_null;
    open(&f, "s STRUCT<a ARRAY<BIGINT>, t STRING>");
    assert_int_equal(hash(&f, &row), XXH("\1\1\2\0\0\0\1\1\0\0\0\0\0\0\0\0\1\1\0\0\0x"));
    assert_int_equal(hash(&f, &null), XXH("\0"));
    close(&f);
}

static void test_views(void **state)
{
    (void)state;
    char bytes[64];
    memset(bytes, 'a', sizeof bytes);
    char copy[64];
    memcpy(copy, bytes, sizeof copy);
    for (size_t i = 0; i < 60; i++) {
        beck_view a = beck__view(bytes, i), b = beck__view(copy, i), c = beck__view(bytes, i + 1);
        assert_true(beck__view_equal(&a, &b));
        assert_int_equal(beck__view_hash(&a), beck__view_hash(&b));
        assert_false(beck__view_equal(&a, &c));
        assert_int_not_equal(beck__view_hash(&a), beck__view_hash(&c));
        copy[i / 2] = 'b';
        b = beck__view(copy, i);
        assert_int_equal(beck__view_equal(&a, &b), i == 0);
        copy[i / 2] = 'a';
    }
}

static void test_schema_id(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "word string, n long");
    assert_int_equal(beck__schema_id(f.b.schema), XXH("word STRING, n BIGINT"));
    close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_columns),  cmocka_unit_test(test_for_ever),
        cmocka_unit_test(test_several_columns), cmocka_unit_test(test_nested),
        cmocka_unit_test(test_views),           cmocka_unit_test(test_schema_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
