/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder_test - chunks grow, are cleared, drop rows, keep bitmaps right, and survive a failure of
 * every single allocation.
 */
#include "data/testing.h"

struct fixture {
    struct test_memory memory;
    struct arena arena;
    struct builder b;
};

static struct fixture *setup(struct fixture *f, const char *schema, uint32_t limit)
{
    beck__arena_init(&f->arena, test_memory_init(&f->memory, 0));
    assert_int_equal(beck__builder_init(&f->b, &f->memory.allocator, test_schema(&f->arena, schema),
                                        limit, NULL),
                     BECK_OK);
    return f;
}

static void teardown(struct fixture *f)
{
    beck__builder_deinit(&f->b);
    beck__builder_deinit(&f->b);
    beck__arena_deinit(&f->arena);
    assert_int_equal(f->memory.used, 0);
}

static void put(struct fixture *f, uint32_t k, beck_value value)
{
    assert_int_equal(beck__builder_value(&f->b, k, &value, NULL, NULL), BECK_OK);
}

static void test_empty(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "a BIGINT, b ARRAY<STRING>, c STRUCT<x ARRAY<BIGINT>>", 0);
    assert_int_equal(f.b.limit, BECK__CHUNK_ROWS);
    assert_int_equal(f.b.chunk->rows, 0);
    assert_int_equal(f.b.chunk->columns, 3);
    assert_int_equal(((uint32_t *)f.b.chunk->column[1].data)[0], 0);
    beck__builder_clear(&f.b);
    beck__builder_drop_row(&f.b);
    teardown(&f);
}

static void test_grows_on_demand(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "a BIGINT", 100);
    put(&f, 0, beck_integer_value(0));
    beck__builder_end_row(&f.b);
    assert_int_equal(f.b.chunk->column[0].capacity, 64);
    for (int i = 1; i < 100; i++) {
        assert_false(beck__builder_full(&f.b));
        put(&f, 0, beck_integer_value(i));
        beck__builder_end_row(&f.b);
    }
    assert_true(beck__builder_full(&f.b));
    assert_int_equal(f.b.chunk->column[0].capacity, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(((int64_t *)f.b.chunk->column[0].data)[i], i);
    teardown(&f);
}

static void test_clear_keeps_the_memory(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "a STRING, b ARRAY<STRUCT<x STRING, n BIGINT>>", 200);
    uint64_t seed = 7, calls = 0;
    for (int round = 0; round < 4; round++) {
        struct arena arena = {.memory = &f.memory.allocator};
        uint64_t same = seed;
        beck__builder_clear(&f.b);
        assert_int_equal(f.b.chunk->rows, 0);
        test_random_rows(&f.b, &arena, 200, &same);
        beck__arena_deinit(&arena);
    }
    /* with everything grown, a round that repeats allocates nothing */
    f.memory.fail_at = UINT64_MAX;
    for (int round = 0; round < 5; round++) {
        beck__builder_clear(&f.b);
        calls = f.memory.calls;
        for (int i = 0; i < 200; i++) {
            put(&f, 0, beck_text_value("a string of more than twelve bytes"));
            put(&f, 1, beck_null);
            beck__builder_end_row(&f.b);
        }
    }
    assert_int_equal(f.memory.calls, calls);
    teardown(&f);
}

/* The bitmap appears with the first null, is right for all rows before, and goes with clear. */
static void test_validity(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "a BIGINT", 0);
    for (uint32_t i = 0; i < 1000; i++) {
        put(&f, 0, i >= 70 && i % 7 == 0 ? beck_null : beck_integer_value(i));
        beck__builder_end_row(&f.b);
        const beck_column *column = &f.b.chunk->column[0];
        assert_int_equal(column->valid != NULL, i >= 70);
        for (uint32_t j = 0; column->valid && j <= i; j++) {
            bool null = j >= 70 && j % 7 == 0;
            assert_int_equal(beck__bit_get(column->valid, j), !null);
            assert_int_equal(((int64_t *)column->data)[j], null ? 0 : j);
        }
    }
    beck__builder_clear(&f.b);
    assert_null(f.b.chunk->column[0].valid);
    teardown(&f);
}

static void test_drop_row(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "a BIGINT, b ARRAY<STRUCT<x STRING, n ARRAY<BIGINT>>>, c BIGINT", 0);
    uint64_t seed = 11;
    printf("seed %llu\n", (unsigned long long)seed);
    struct builder model;
    beck__builder_init(&model, &f.memory.allocator, f.b.schema, 0, NULL);
    for (int i = 0; i < 300; i++) {
        uint64_t at = seed;
        test_random_rows(&f.b, &f.arena, 1, &seed);
        test_random_rows(&model, &f.arena, 1, &at);
        uint32_t cells = test_below(&seed, 3);
        for (uint32_t k = 0; k < cells; k++)
            put(&f, k, test_random_value(&f.arena, &f.b.schema->fields[k], &seed));
        beck_value bad[2] = {
            beck_values_value((beck_value[]){beck_text_value("x"), beck_null}, 2),
            beck_values_value((beck_value[]){beck_null, beck_boolean_value(1)}, 2)};
        beck_value list = beck_values_value(bad, 2);
        if (cells == 1)
            assert_int_equal(beck__builder_value(&f.b, 1, &list, NULL, NULL), BECK_TYPE);
        beck__builder_drop_row(&f.b);
        assert_int_equal(f.b.chunk->rows, i + 1);
    }
    assert_true(test_same_rows(f.b.chunk, model.chunk, NULL, 0, 300));
    beck__builder_deinit(&model);
    teardown(&f);
}

static void test_reserve(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "a STRING, s STRUCT<x BIGINT, y BOOLEAN>", 500);
    assert_true(beck__builder_reserve(&f.b, 10));
    assert_int_equal(f.b.chunk->column[0].capacity, 64);
    assert_true(beck__builder_reserve(&f.b, 500));
    assert_int_equal(f.b.chunk->column[0].capacity, 500);
    assert_int_equal(f.b.chunk->column[1].child->column[1].capacity, 500);
    assert_true(beck__builder_reserve(&f.b, 501)); /* the limit is the caller's */
    assert_int_equal(f.b.chunk->rows, 0);
    assert_int_equal(f.b.chunk->column[0].size, 0);
    teardown(&f);
}

static bool fill(struct builder *b, struct arena *arena, uint64_t seed)
{
    for (uint32_t i = 0; i < 150; i++) {
        for (uint32_t k = 0; k < b->schema->count; k++) {
            struct error error = {0};
            beck_value value = test_random_value(arena, &b->schema->fields[k], &seed);
            if (beck__builder_value(b, k, &value, NULL, &error)) {
                assert_int_equal(error.status, BECK_NO_MEMORY);
                beck__builder_drop_row(b);
                return false;
            }
        }
        beck__builder_end_row(b);
    }
    return true;
}

static void test_every_allocation_fails(void **state)
{
    (void)state;
    struct test_memory memory, plain;
    struct arena arena = {.memory = test_memory_init(&plain, 0)};
    const beck_schema *schema = test_schema(
        &arena, "a STRING, b ARRAY<STRUCT<x BINARY, y ARRAY<DOUBLE>>>, c STRUCT<z STRING>");
    bool done = false;
    uint64_t n = 1;
    for (; !done; n++) {
        struct builder b;
        struct error error = {0};
        test_memory_init(&memory, n);
        if (beck__builder_init(&b, &memory.allocator, schema, 0, &error)) {
            assert_int_equal(error.status, BECK_NO_MEMORY);
        } else {
            done = fill(&b, &arena, 3);
            for (uint32_t k = 0; k < 3; k++)
                assert_int_equal(b.chunk->column[k].size, b.chunk->rows);
        }
        beck__builder_deinit(&b);
        assert_int_equal(memory.used, 0);
    }
    assert_true(n > 10);
    beck__arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_grows_on_demand),
        cmocka_unit_test(test_clear_keeps_the_memory),
        cmocka_unit_test(test_validity),
        cmocka_unit_test(test_drop_row),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
