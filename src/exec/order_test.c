/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order_test - row numbers in order, against an insertion sort that compares whole rows, over every
 * type, shape of input and number of rows at which another way is taken.
 */
#include "exec/testing.h"

#include "data/testing.h"
#include <math.h>

#define COLUMNS "b BOOLEAN, n BIGINT, x DOUBLE, s STRING, t TIMESTAMP, a ARRAY<BIGINT>, y BINARY"

enum shape { SHAPE_RANDOM, SHAPE_FEW, SHAPE_RISING, SHAPE_FALLING, SHAPE_RUNS, SHAPES };

static int64_t number(enum shape shape, uint64_t *seed, uint32_t i)
{
    switch (shape) {
    case SHAPE_RANDOM:
        return (int64_t)test_random(seed);
    case SHAPE_FEW:
        return (int64_t)test_below(seed, 5) - 2;
    case SHAPE_RISING:
        return i / 2;
    case SHAPE_FALLING:
        return -(int64_t)(i / 3);
    case SHAPE_RUNS:
        return i % 300;
    case SHAPES:
        break;
    }
    return 0;
}

static beck_value cell(uint32_t column, int64_t n, char text[40], beck_value *element)
{
    switch (column) {
    case 0:
        return beck_boolean_value(n % 2 != 0);
    case 2:
        return beck_double_value(n % 7 == 6 ? (double)NAN : n % 7 == 5 ? -0.0 : (double)n / 4);
    case 3:
    case 6: /* some with the same first eight bytes, some shorter */
        snprintf(text, 40, n % 2 ? "a long common beginning %lld" : "%lld", (long long)n);
        return beck_text_value(text);
    case 5:
        *element = beck_integer_value(n);
        return beck_values_value(element, n % 3 != 0);
    default:
        return beck_integer_value(n);
    }
}

static void fill(struct builder *b, enum shape shape, uint32_t rows, bool nulls, uint64_t *seed)
{
    for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t k = 0; k < b->schema->count; k++) {
            char text[40];
            beck_value element, v = beck_null;
            int64_t n = number(shape, seed, i);
            if (!nulls || test_below(seed, 5))
                v = cell(k, n, text, &element);
            assert_int_equal(beck__builder_value(b, k, &v, NULL, NULL), BECK_OK);
        }
        beck__builder_end_row(b);
    }
}

/* In order, equal ones as they were, and each of them once. */
static void check(const struct order *order, const beck_chunk *chunk)
{
    const struct allocator *memory = &beck__os_real()->memory;
    uint32_t *rows = beck__alloc(memory, (chunk->rows + 1) * sizeof *rows);
    uint8_t *seen = beck__alloc_zero(memory, chunk->rows + 1);

    assert_true(beck__sort_rows(memory, order, chunk, rows));
    for (uint32_t i = 0; i < chunk->rows; i++) {
        assert_true(rows[i] < chunk->rows);
        assert_false(seen[rows[i]]++);
        int by = i ? beck__row_compare(order, chunk, rows[i - 1], chunk, rows[i]) : -1;
        assert_true(by < 0 || (by == 0 && rows[i - 1] < rows[i]));
    }
    beck__free(memory, rows, (chunk->rows + 1) * sizeof *rows);
    beck__free(memory, seen, chunk->rows + 1);
}

static void test_all(void **state)
{
    static const uint32_t sizes[] = {0, 1, 2, 15, 16, 17, 100, 1023, 1024, 5000};
    struct arena arena;
    struct builder b;
    uint64_t seed = 7;

    (void)state;
    beck__arena_init(&arena, &beck__os_real()->memory);
    for (int shape = 0; shape < SHAPES; shape++)
        for (size_t i = 0; i < BECK__COUNT_OF(sizes); i++) {
            beck__builder_init(&b, arena.memory, test_schema(&arena, COLUMNS), UINT32_MAX, NULL);
            fill(&b, (enum shape)shape, sizes[i], i % 2 == 1, &seed);
            for (uint32_t k = 0; k < 7; k++) {
                uint32_t columns[] = {2 * k + test_below(&seed, 2), 2 * ((k + 1) % 7)};
                check(&(struct order){1, columns}, b.chunk);
                check(&(struct order){2, columns}, b.chunk);
            }
            beck__builder_deinit(&b);
        }
    beck__arena_deinit(&arena);
}

static void test_no_memory(void **state)
{
    struct arena arena;
    struct builder b;
    struct os *os = beck__os_real();
    uint64_t seed = 8;
    uint32_t rows[100], columns[] = {2};

    (void)state;
    beck__arena_init(&arena, &os->memory);
    beck__builder_init(&b, arena.memory, test_schema(&arena, COLUMNS), UINT32_MAX, NULL);
    fill(&b, SHAPE_RANDOM, 100, false, &seed);
    for (uint64_t n = 1; n <= 3; n++) {
        beck__os_memory_fail(os, n, false);
        assert_false(beck__sort_rows(arena.memory, &(struct order){1, columns}, b.chunk, rows));
        beck__os_memory_fail(os, 0, false);
    }
    beck__builder_deinit(&b);
    beck__arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
