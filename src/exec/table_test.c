/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_test - groups are numbered in the order in which their keys were first seen, whatever the
 * types, the nulls, and the number of growths.
 */
#include "exec/testing.h"

#include "exec/table.h"

#define KEYS 20000u

/* The value of key number n: different for different n. */
typedef beck_value key_fn(uint32_t n, char *text, size_t size);

static beck_value short_string(uint32_t n, char *text, size_t size)
{
    return beck_string_value(beck_bytes_of(text, (size_t)snprintf(text, size, "%u", n)));
}

static beck_value long_string(uint32_t n, char *text, size_t size)
{
    int length = snprintf(text, size, "the same beginning, then %u", n);
    return beck_string_value(beck_bytes_of(text, (size_t)length));
}

/* Lengths around the 12 bytes of a view. */
static beck_value any_string(uint32_t n, char *text, size_t size)
{
    int length = snprintf(text, size, "%0*u", 8 + (int)(n % 8), n);
    return beck_string_value(beck_bytes_of(text, (size_t)length));
}

static beck_value small_integer(uint32_t n, char *text, size_t size)
{
    (void)text;
    (void)size;
    return beck_integer_value((int64_t)n - 1000);
}

/* Differ in their upper halves only. */
static beck_value high_integer(uint32_t n, char *text, size_t size)
{
    (void)text;
    (void)size;
    return beck_unsigned_value((uint64_t)n << 40);
}

static beck_value real(uint32_t n, char *text, size_t size)
{
    (void)text;
    (void)size;
    return beck_double_value((double)n / 8);
}

struct table_case {
    const char *schema;
    key_fn *fn[2];
    bool nulls; /* key number 0 is null */
};

static void add_row(struct builder *b, const struct table_case *t, uint32_t n)
{
    for (uint32_t k = 0; k < b->schema->count; k++) {
        char text[64];
        beck_value v = t->fn[k](n, text, sizeof text);
        if (t->nulls && n == 0)
            v = beck_null;
        assert_false(beck__builder_value(b, k, &v, NULL, NULL));
    }
    beck__builder_end_row(b);
}

static void check_case(const struct table_case *t, uint64_t seed)
{
    struct bench x;
    struct table table;
    uint32_t *numbers, known = 0, groups[BECK__CHUNK_ROWS], keys[BECK__CHUNK_ROWS];

    printf("%s, seed %llu\n", t->schema, (unsigned long long)seed);
    bench_open(&x, t->schema);
    numbers = beck__arena_alloc(&x.arena, KEYS * sizeof *numbers); /* group + 1 of key n */
    assert_true(beck__table_init(&table, &x.task, x.in.schema, x.in.schema->count));
    for (int round = 0; round < 40; round++) {
        uint32_t rows = 1 + test_below(&seed, BECK__CHUNK_ROWS), from = test_below(&seed, rows);
        uint32_t different = 1 + test_below(&seed, round % 4 ? KEYS : 10);
        for (uint32_t i = 0; i < rows; i++) {
            keys[i] = test_below(&seed, different);
            add_row(&x.in, t, keys[i]);
        }
        assert_true(beck__table_find(&table, x.in.chunk, from, rows - from, groups));
        for (uint32_t i = from; i < rows; i++) {
            if (numbers[keys[i]] == 0)
                numbers[keys[i]] = ++known;
            assert_int_equal(groups[i - from], numbers[keys[i]] - 1);
        }
        assert_int_equal(beck__table_count(&table), known);
        beck__builder_clear(&x.in);
    }
    for (uint32_t n = 0; n < KEYS; n++) { /* the keys themselves */
        if (numbers[n] == 0)
            continue;
        add_row(&x.in, t, n);
        for (uint32_t k = 0; k < x.in.schema->count; k++)
            assert_true(beck__cell_equal(&x.in.chunk->column[k], 0, &table.rows.chunk->column[k],
                                         numbers[n] - 1));
        beck__builder_clear(&x.in);
    }
    assert_true(known > 5000);
    beck__table_deinit(&table);
    bench_close(&x);
}

static void test_keys(void **state)
{
    (void)state;
    static const struct table_case cases[] = {
        {"k STRING", {short_string}, false},
        {"k STRING", {short_string}, true},
        {"k STRING", {long_string}, false},
        {"k BINARY", {any_string}, false},
        {"k STRING", {any_string}, true},
        {"k BIGINT", {small_integer}, false},
        {"k BIGINT", {small_integer}, true},
        {"k TIMESTAMP", {high_integer}, false},
        {"k DOUBLE", {real}, true},
        {"k STRING, l BIGINT", {any_string, high_integer}, false},
        {"k DOUBLE, l STRING", {real, long_string}, true},
    };
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++)
        check_case(&cases[i], i + 1);
}

/* Two key columns that would be one text if they stood side by side. */
static void test_tuples(void **state)
{
    (void)state;
    struct bench x;
    struct table table;
    uint32_t groups[4];
    bench_open(&x, "k STRING, l STRING");
    ROW(&x, "ab", "c");
    ROW(&x, "a", "bc");
    ROW(&x, "abc", beck_null);
    ROW(&x, beck_null, "abc");
    assert_true(beck__table_init(&table, &x.task, x.in.schema, 2));
    assert_true(beck__table_find(&table, x.in.chunk, 0, 4, groups));
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(groups[i], i);
    beck__table_deinit(&table);
    bench_close(&x);
}

static void test_no_keys(void **state)
{
    (void)state;
    struct bench x;
    struct table table;
    uint32_t groups[2] = {7, 7};
    bench_open(&x, "k STRING");
    ROW(&x, "a");
    ROW(&x, "b");
    assert_true(beck__table_init(&table, &x.task, x.in.schema, 0));
    assert_true(beck__table_find(&table, x.in.chunk, 0, 0, groups));
    assert_int_equal(beck__table_count(&table), 0);
    assert_true(beck__table_find(&table, x.in.chunk, 0, 2, groups));
    assert_int_equal(beck__table_count(&table), 1);
    assert_int_equal(groups[0] + groups[1], 0);
    beck__table_deinit(&table);
    beck__table_deinit(&table); /* nothing to do */
    bench_close(&x);
}

/* Keys outlive the chunks that they came in. */
static void test_keys_are_copied(void **state)
{
    (void)state;
    struct bench x;
    struct table table;
    uint32_t groups[1];
    bench_open(&x, "k STRING");
    assert_true(beck__table_init(&table, &x.task, x.in.schema, 1));
    for (int round = 0; round < 2; round++)
        for (uint32_t n = 0; n < 100; n++) {
            add_row(&x.in, &(const struct table_case){"", {long_string}, false}, n);
            bench_cut(&x);
            assert_true(beck__table_find(&table, x.chunks.items[0]->chunk, 0, 1, groups));
            assert_int_equal(groups[0], n);
            beck__blocks_deinit(&x.chunks);
        }
    beck__table_deinit(&table);
    bench_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_keys),
        test(test_tuples),
        test(test_no_keys),
        test(test_keys_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
