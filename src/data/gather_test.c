/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gather_test - cells by row number are the same as one after another, for random chunks of random
 * schemas; what is shared and what is copied; arrays made of rows.
 */
#include "data/testing.h"

struct fixture {
    struct test_memory memory;
    struct arena arena;
    struct builder from, to;
};

static void open(struct fixture *f, const beck_schema *schema)
{
    const struct allocator *memory = &f->memory.allocator;
    assert_int_equal(beck__builder_init(&f->from, memory, schema, 0, NULL), BECK_OK);
    assert_int_equal(beck__builder_init(&f->to, memory, schema, 0, NULL), BECK_OK);
}

static void close(struct fixture *f)
{
    beck__builder_deinit(&f->from);
    beck__builder_deinit(&f->to);
}

static void one_by_one(struct fixture *f, const uint32_t *rows, uint32_t count, bool share)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < f->from.schema->count; k++)
            assert_true(beck__builder_cell(&f->to, k, &f->from.chunk->column[k], rows[i], share));
        beck__builder_end_row(&f->to);
    }
}

static void test_gathers_rows(void **state)
{
    (void)state;
    uint64_t seed = 31;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 300; round++) {
        struct fixture f;
        beck__arena_init(&f.arena, test_memory_init(&f.memory, 0));
        open(&f, test_random_schema(&f.arena, &seed));
        uint32_t rows[600], count = test_below(&seed, 200), have = 1 + test_below(&seed, 150);
        bool share = test_below(&seed, 2) == 1;
        test_random_rows(&f.from, &f.arena, have, &seed);
        for (uint32_t i = 0; i < count; i++)
            rows[i] = test_below(&seed, have);

        assert_true(beck__builder_rows(&f.to, f.from.chunk, rows, count, share));
        assert_int_equal(f.to.chunk->rows, count);
        assert_true(beck__builder_rows(&f.to, f.from.chunk, NULL, have, !share));
        for (uint32_t i = 0; i < have; i++)
            rows[count + i] = i;
        one_by_one(&f, rows, count, share);
        for (uint32_t i = 0; i < count; i++)
            rows[count + have + i] = rows[i];
        assert_int_equal(f.to.chunk->rows, 2 * count + have);
        assert_true(test_same_rows(f.to.chunk, f.from.chunk, rows, 0, count + have));

        struct builder again;
        beck__builder_init(&again, &f.memory.allocator, f.to.schema, 0, NULL);

        assert_true(beck__builder_rows(&again, f.to.chunk, NULL, f.to.chunk->rows, true));
        assert_true(test_same_rows(again.chunk, f.to.chunk, NULL, 0, f.to.chunk->rows));
        beck__builder_deinit(&again);
        close(&f);
        beck__arena_deinit(&f.arena);
        assert_int_equal(f.memory.used, 0);
    }
}

static void test_no_nulls_no_bitmap(void **state)
{
    (void)state;
    struct fixture f;
    beck__arena_init(&f.arena, test_memory_init(&f.memory, 0));
    open(&f, test_schema(&f.arena, "n BIGINT"));
    for (int i = 0; i < 10; i++) {
        beck_value v = i == 5 ? beck_null : beck_integer_value(i);
        test_row(&f.from, &v, 1);
    }
    const uint32_t rows[] = {9, 1, 6, 5};
    assert_true(beck__builder_rows(&f.to, f.from.chunk, rows, 3, false));
    assert_null(f.to.chunk->column[0].valid);
    assert_true(beck__builder_rows(&f.to, f.from.chunk, rows, 4, false));
    assert_non_null(f.to.chunk->column[0].valid);
    assert_int_equal(f.to.chunk->column[0].valid[0] & 0x7f, 0x3f);
    close(&f);
    beck__arena_deinit(&f.arena);
}

static void test_sharing(void **state)
{
    (void)state;
    struct fixture f;
    beck__arena_init(&f.arena, test_memory_init(&f.memory, 0));
    open(&f, test_schema(&f.arena, "s STRING"));
    char bytes[] = "exactly 20 bytes ...";
    beck_value v = beck_text_value(bytes);
    beck_str keep = {bytes, sizeof bytes};
    assert_int_equal(beck__builder_value(&f.from, 0, &v, &keep, NULL), BECK_OK);
    beck__builder_end_row(&f.from);
    const beck_view *from = f.from.chunk->column[0].data;
    assert_ptr_equal(from[0].u.data, bytes);

    assert_true(beck__builder_rows(&f.to, f.from.chunk, NULL, 1, true));
    assert_true(beck__builder_rows(&f.to, f.from.chunk, NULL, 1, false));
    const beck_view *to = f.to.chunk->column[0].data;
    assert_ptr_equal(to[0].u.data, bytes);
    assert_ptr_not_equal(to[1].u.data, bytes);
    assert_true(beck__view_equal(&to[0], &to[1]));
    bytes[10] = 'X';
    assert_false(beck__view_equal(&to[0], &to[1]));
    close(&f);
    beck__arena_deinit(&f.arena);
}

/* Three ways to say it: elements of one column, fields of the element, an element that is a STRUCT.
 */
static void test_arrays(void **state)
{
    (void)state;
    uint64_t seed = 8;
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"v STRING", "a ARRAY<STRING>"},
        {"x STRING, y BIGINT", "a ARRAY<STRUCT<x STRING, y BIGINT>>"},
        {"s STRUCT<x STRING, y BIGINT>", "a ARRAY<STRUCT<x STRING, y BIGINT>>"},
        {"s STRING", "a ARRAY<STRUCT<x STRING>>"},
        {"l ARRAY<BIGINT>", "a ARRAY<ARRAY<BIGINT>>"},
    };
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++) {
        struct fixture f;
        beck__arena_init(&f.arena, test_memory_init(&f.memory, 0));
        const struct allocator *memory = &f.memory.allocator;
        beck__builder_init(&f.from, memory, test_schema(&f.arena, cases[i].from), 0, NULL);
        beck__builder_init(&f.to, memory, test_schema(&f.arena, cases[i].to), 0, NULL);
        test_random_rows(&f.from, &f.arena, 20, &seed);
        const uint32_t rows[] = {7, 7, 0, 19, 3};
        assert_true(beck__builder_array(&f.to, 0, f.from.chunk, rows, 5, false));
        beck__builder_end_row(&f.to);
        assert_true(beck__builder_array(&f.to, 0, f.from.chunk, rows, 0, false));
        beck__builder_end_row(&f.to);
        assert_true(beck__builder_array(&f.to, 0, f.from.chunk, NULL, 20, true));
        beck__builder_end_row(&f.to);

        const uint32_t *offsets = f.to.chunk->column[0].data;
        const uint32_t expected[] = {0, 5, 5, 25};
        assert_memory_equal(offsets, expected, sizeof expected);
        const beck_chunk *elements = f.to.chunk->column[0].child;
        assert_int_equal(elements->rows, 25);
        if (i == 1 || i == 3)
            elements = elements->column[0].child;
        assert_true(test_same_rows(elements, f.from.chunk, rows, 0, 5));
        close(&f);
        beck__arena_deinit(&f.arena);
        assert_int_equal(f.memory.used, 0);
    }
}

static void test_every_allocation_fails(void **state)
{
    (void)state;
    uint64_t seed = 77;
    struct fixture f;
    beck__arena_init(&f.arena, test_memory_init(&f.memory, 0));
    const beck_schema *schema =
        test_schema(&f.arena, "a STRING, b ARRAY<STRUCT<x BINARY, y BIGINT>>, c STRUCT<z STRING>");
    open(&f, schema);
    test_random_rows(&f.from, &f.arena, 300, &seed);
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        struct test_memory memory;
        struct builder b = {0};
        test_memory_init(&memory, n);
        if (!beck__builder_init(&b, &memory.allocator, schema, 0, NULL)) {
            done = beck__builder_rows(&b, f.from.chunk, NULL, 300, false);
            assert_int_equal(b.chunk->rows, done ? 300 : 0);
            for (uint32_t k = 0; k < 3; k++)
                assert_int_equal(b.chunk->column[k].size, b.chunk->rows);
        }
        beck__builder_deinit(&b);
        assert_int_equal(memory.used, 0);
    }
    close(&f);
    beck__arena_deinit(&f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gathers_rows),
        cmocka_unit_test(test_no_nulls_no_bitmap),
        cmocka_unit_test(test_sharing),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
