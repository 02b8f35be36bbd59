/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare_test - the order by example, and that it is total: antisymmetric, transitive, in
 * agreement with equality and with the hash of a key.
 */
#include "data/testing.h"

struct fixture {
    struct test_memory memory;
    struct arena arena;
    struct builder b;
    struct text scratch;
};

static void open(struct fixture *f)
{
    beck__arena_init(&f->arena, test_memory_init(&f->memory, 0));
    f->scratch = (struct text){.memory = &f->memory.allocator};
}

static void close(struct fixture *f)
{
    beck__builder_deinit(&f->b);
    beck__arena_deinit(&f->arena);
    beck__text_deinit(&f->scratch);
    assert_int_equal(f->memory.used, 0);
}

/* The values, in rising order. */
static void check_rising(const char *schema, const beck_value *values, uint32_t count)
{
    struct fixture f;
    open(&f);
    beck__builder_init(&f.b, &f.memory.allocator, test_schema(&f.arena, schema), 0, NULL);
    for (uint32_t i = 0; i < count; i++) {
        test_row(&f.b, &values[i], 1);
    }
    const beck_column *column = &f.b.chunk->column[0];
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < count; j++) {
            int order = beck__cell_compare(column, i, column, j);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            assert_int_equal(beck__cell_equal(column, i, column, j), i == j);
        }
    }
    close(&f);
}

#define BYTES(s) beck_string_value(beck_bytes_of(s, sizeof(s) - 1))

static void test_order(void **state)
{
    (void)state;
    const beck_value booleans[] = {beck_null, beck_boolean_value(false), beck_boolean_value(true)};
    const beck_value integers[] = {beck_null, beck_integer_value(INT64_MIN), beck_integer_value(-1),
                                   beck_integer_value(0), beck_integer_value(INT64_MAX)};
    const beck_value doubles[] = {beck_null,
                                  beck_double_value(-INFINITY),
                                  beck_double_value(-1.5),
                                  beck_double_value(-0.0),
                                  beck_double_value(4.9e-324),
                                  beck_double_value(INFINITY),
                                  beck_double_value(NAN)};
    const beck_value strings[] = {beck_null,
                                  BYTES(""),
                                  BYTES("\0"),
                                  BYTES("\0\0"),
                                  BYTES("\0a"),
                                  BYTES("a"),
                                  BYTES("a\0"),
                                  BYTES("aaaa"),
                                  BYTES("aaaa\0"),
                                  BYTES("aaaab"),
                                  BYTES("abcdefghijkl"),
                                  BYTES("abcdefghijkl\0"),
                                  BYTES("abcdefghijklm"),
                                  BYTES("abcdefghijklmn"),
                                  BYTES("abcdefghijklmo"),
                                  BYTES("abcdefghijkm"),
                                  BYTES("\x7f"),
                                  BYTES("\x80"),
                                  BYTES("\xff\xff\xff\xff")};
    check_rising("x BOOLEAN", booleans, BECK__COUNT_OF(booleans));
    check_rising("x BIGINT", integers, BECK__COUNT_OF(integers));
    check_rising("x TIMESTAMP", integers, BECK__COUNT_OF(integers));
    check_rising("x DOUBLE", doubles, BECK__COUNT_OF(doubles));
    check_rising("x STRING", strings, BECK__COUNT_OF(strings));
    check_rising("x BINARY", strings, BECK__COUNT_OF(strings));

    beck_value lists[] = {beck_null,
                          beck_values_value(integers, 0),
                          beck_values_value(integers, 1),
                          beck_values_value(integers, 2),
                          beck_values_value(integers + 1, 1),
                          beck_values_value(integers + 2, 2)};
    check_rising("x ARRAY<BIGINT>", lists, BECK__COUNT_OF(lists));
    beck_value a[] = {beck_null, beck_null}, b[] = {beck_null, BYTES("x")},
               c[] = {integers[1], beck_null}, d[] = {integers[1], BYTES("x")};
    beck_value structs[] = {beck_null, beck_values_value(a, 2), beck_values_value(b, 2),
                            beck_values_value(c, 2), beck_values_value(d, 2)};
    check_rising("x STRUCT<n BIGINT, s STRING>", structs, BECK__COUNT_OF(structs));
}

static void test_special_doubles(void **state)
{
    (void)state;
    struct fixture f;
    open(&f);
    beck__builder_init(&f.b, &f.memory.allocator, test_schema(&f.arena, "x DOUBLE"), 0, NULL);
    const double values[] = {0.0, -0.0, NAN, -NAN};
    for (uint32_t i = 0; i < 4; i++) {
        beck_value v = beck_double_value(values[i]);
        test_row(&f.b, &v, 1);
    }
    const beck_column *column = &f.b.chunk->column[0];
    for (uint32_t i = 0; i < 4; i += 2) {
        assert_int_equal(beck__cell_compare(column, i, column, i + 1), 0);
        assert_true(beck__cell_equal(column, i, column, i + 1));
        assert_int_equal(beck__key_hash(f.b.chunk, 0, 1, i, &f.scratch),
                         beck__key_hash(f.b.chunk, 0, 1, i + 1, &f.scratch));
    }
    close(&f);
}

static int sign(int x)
{
    return (x > 0) - (x < 0);
}

static void test_total_order(void **state)
{
    (void)state;
    uint64_t seed = 61;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 200; round++) {
        struct fixture f;
        open(&f);
        const beck_schema *schema = test_random_schema(&f.arena, &seed);
        beck__builder_init(&f.b, &f.memory.allocator, schema, 0, NULL);
        test_random_rows(&f.b, &f.arena, 100, &seed);
        const beck_column *x = &f.b.chunk->column[0];
        for (int i = 0; i < 2000; i++) {
            uint32_t a = test_below(&seed, 100), b = test_below(&seed, 100),
                     c = test_below(&seed, 100);
            int ab = beck__cell_compare(x, a, x, b), bc = beck__cell_compare(x, b, x, c);
            assert_int_equal(sign(ab), -sign(beck__cell_compare(x, b, x, a)));
            assert_int_equal(beck__cell_equal(x, a, x, b), ab == 0);
            if (ab <= 0 && bc <= 0)
                assert_true(beck__cell_compare(x, a, x, c) <= 0);
            if (ab == 0 && bc == 0)
                assert_int_equal(beck__cell_compare(x, a, x, c), 0);
            if (ab == 0)
                assert_int_equal(beck__key_hash(f.b.chunk, 0, 1, a, &f.scratch),
                                 beck__key_hash(f.b.chunk, 0, 1, b, &f.scratch));
        }
        close(&f);
    }
}

/* By several columns, each in its own direction. */
static void test_rows(void **state)
{
    (void)state;
    static const int64_t rows[][2] = {{1, 5}, {1, 4}, {2, 9}, {2, 9}};
    static const uint32_t columns[] = {0, 3};
    const struct order order = {2, columns};
    struct fixture f;

    open(&f);
    beck__builder_init(&f.b, &f.memory.allocator, test_schema(&f.arena, "a BIGINT, b BIGINT"), 0,
                       NULL);
    for (uint32_t i = 0; i < BECK__COUNT_OF(rows); i++) {
        beck_value values[] = {beck_integer_value(rows[i][0]), beck_integer_value(rows[i][1])};
        test_row(&f.b, values, 2);
    }
    const beck_chunk *chunk = f.b.chunk;
    assert_true(beck__row_compare(&order, chunk, 0, chunk, 1) < 0);
    assert_true(beck__row_compare(&order, chunk, 2, chunk, 1) > 0);
    assert_int_equal(beck__row_compare(&order, chunk, 2, chunk, 3), 0);
    close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_special_doubles),
        cmocka_unit_test(test_total_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
