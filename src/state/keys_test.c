/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys_test - keys are numbered in the order in which they were first seen, whatever the
 * types, the nulls, and the number of growths.
 */
#include "state/testing.h"

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

static void check_case(const struct table_case *t, uint64_t seed, bool lean)
{
    struct bench x;
    struct keys table;
    uint32_t *numbers, known = 0, groups[BECK__CHUNK_ROWS], keys[BECK__CHUNK_ROWS];

    printf("%s, seed %llu\n", t->schema, (unsigned long long)seed);
    bench_open(&x, t->schema);
    numbers = beck__arena_alloc(&x.arena, KEYS * sizeof *numbers); /* group + 1 of key n */
    assert_false(beck__keys_init(&table, x.memory, x.in.schema, x.in.schema->count, &x.error));
    table.lean = lean;
    for (int round = 0; round < 40; round++) {
        uint32_t rows = 1 + test_below(&seed, BECK__CHUNK_ROWS), from = test_below(&seed, rows);
        uint32_t different = 1 + test_below(&seed, round % 4 ? KEYS : 10);
        for (uint32_t i = 0; i < rows; i++) {
            keys[i] = test_below(&seed, different);
            add_row(&x.in, t, keys[i]);
        }
        table.frozen = true; /* those that are known */
        assert_true(beck__keys_find(&table, x.in.chunk, from, rows - from, groups));
        for (uint32_t i = from; i < rows; i++)
            assert_int_equal(groups[i - from], numbers[keys[i]] ? numbers[keys[i]] - 1 : NO_SLOT);
        assert_int_equal(beck__keys_count(&table), known);
        table.frozen = false;
        assert_true(beck__keys_find(&table, x.in.chunk, from, rows - from, groups));
        for (uint32_t i = from; i < rows; i++) {
            if (numbers[keys[i]] == 0)
                numbers[keys[i]] = ++known;
            assert_int_equal(groups[i - from], numbers[keys[i]] - 1);
        }
        assert_int_equal(beck__keys_count(&table), known);
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
    beck__keys_deinit(&table);
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
        check_case(&cases[i], i + 1, i % 2);
}

/* Two key columns that would be one text if they stood side by side. */
static void test_tuples(void **state)
{
    (void)state;
    struct bench x;
    struct keys table;
    uint32_t groups[4];
    bench_open(&x, "k STRING, l STRING");
    ROW(&x, "ab", "c");
    ROW(&x, "a", "bc");
    ROW(&x, "abc", beck_null);
    ROW(&x, beck_null, "abc");
    assert_false(beck__keys_init(&table, x.memory, x.in.schema, 2, &x.error));
    assert_true(beck__keys_find(&table, x.in.chunk, 0, 4, groups));
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(groups[i], i);
    beck__keys_deinit(&table);
    bench_close(&x);
}

static void test_no_keys(void **state)
{
    (void)state;
    struct bench x;
    struct keys table;
    uint32_t groups[2] = {7, 7};
    bench_open(&x, "k STRING");
    ROW(&x, "a");
    ROW(&x, "b");
    assert_false(beck__keys_init(&table, x.memory, x.in.schema, 0, &x.error));
    assert_true(beck__keys_find(&table, x.in.chunk, 0, 0, groups));
    assert_int_equal(beck__keys_count(&table), 0);
    assert_true(beck__keys_find(&table, x.in.chunk, 0, 2, groups));
    assert_int_equal(beck__keys_count(&table), 1);
    assert_int_equal(groups[0] + groups[1], 0);
    beck__keys_deinit(&table);
    beck__keys_deinit(&table); /* nothing to do */
    bench_close(&x);
}

/* Keys outlive the chunks that they came in. */
static void test_keys_are_copied(void **state)
{
    (void)state;
    struct bench x;
    struct keys table;
    uint32_t groups[1];
    bench_open(&x, "k STRING");
    assert_false(beck__keys_init(&table, x.memory, x.in.schema, 1, &x.error));
    for (int round = 0; round < 2; round++)
        for (uint32_t n = 0; n < 100; n++) {
            add_row(&x.in, &(const struct table_case){"", {long_string}, false}, n);
            struct block *block = beck__block_new(x.memory, x.in.schema, x.in.chunk, 0, 1, NULL);
            beck__builder_clear(&x.in);
            assert_true(beck__keys_find(&table, block->chunk, 0, 1, groups));
            assert_int_equal(groups[0], n);
            beck__block_unref(block);
        }
    beck__keys_deinit(&table);
    bench_close(&x);
}

/* Keys come and go; a model knows which are there. */
static void check_removal(const struct table_case *t, uint64_t seed, bool lean)
{
    enum { DIFFERENT = 3000 };
    struct bench x;
    struct keys table;
    uint32_t *slot_of, order[DIFFERENT], live = 0;

    printf("%s, seed %llu\n", t->schema, (unsigned long long)seed);
    bench_open(&x, t->schema);
    slot_of = beck__arena_alloc(&x.arena, DIFFERENT * sizeof *slot_of); /* slot + 1 of key n */
    assert_false(beck__keys_init(&table, x.memory, x.in.schema, x.in.schema->count, &x.error));
    table.lean = lean;
    for (int step = 0; step < 20000; step++) {
        uint32_t n = test_below(&seed, DIFFERENT), slot;
        if (slot_of[n] && test_below(&seed, 2)) {
            beck__keys_remove(&table, slot_of[n] - 1);
            slot_of[n] = 0;
            live--;
            continue;
        }
        add_row(&x.in, t, n);
        uint32_t next = beck__keys_count(&table);
        assert_true(beck__keys_find(&table, x.in.chunk, 0, 1, &slot));
        assert_int_equal(slot, slot_of[n] ? slot_of[n] - 1 : next);
        live += slot_of[n] == 0;
        slot_of[n] = slot + 1;
        beck__builder_clear(&x.in);
        assert_int_equal(beck__keys_count(&table) - table.removed, live);
        if (step % 5000 != 4999)
            continue;
        uint32_t count = 0, slots = beck__keys_count(&table);
        for (uint32_t s = 0; s < slots; s++)
            for (uint32_t k = 0; k < DIFFERENT; k++)
                if (slot_of[k] == s + 1) {
                    order[count++] = s;
                    slot_of[k] = count;
                    break;
                }
        assert_int_equal(count, live);
        assert_true(beck__keys_keep(&table, order, count));
        assert_int_equal(beck__keys_count(&table), live);
    }
    beck__keys_deinit(&table);
    bench_close(&x);
}

static void test_removal(void **state)
{
    (void)state;
    static const struct table_case cases[] = {
        {"k STRING", {long_string}, false},
        {"k STRING", {short_string}, false},
        {"k BIGINT", {small_integer}, true},
        {"k STRING, l BIGINT", {any_string, high_integer}, true},
    };
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++)
        check_removal(&cases[i], i + 1, i != 1);
}

/* Integers whose fast hashes end alike, as somebody would choose them who knows the function. */
static uint64_t fast_hash(uint64_t x)
{
    x ^= x >> 32;
    x *= 0x9e3779b97f4a7c15u;
    return x ^ (x >> 29);
}

static uint64_t some_secret(void *user)
{
    ++*(int *)user;
    return 4711;
}

static void test_chosen_keys(void **state)
{
    (void)state;
    struct bench x;
    struct keys table;
    enum { CHOSEN = 600 };
    static uint64_t chosen[CHOSEN];
    uint32_t slot, found = 0;
    int asked = 0;

    for (uint64_t n = 1; found < CHOSEN; n++)
        if (fast_hash(n) % 4096 < 4)
            chosen[found++] = n;
    for (int secret = 0; secret < 2; secret++) {
        bench_open(&x, "k BIGINT");
        assert_false(beck__keys_init(&table, x.memory, x.in.schema, 1, &x.error));
        table.lean = secret != 0;
        table.secret = some_secret;
        table.secret_user = &asked;
        for (int round = 0; round < 2; round++)
            for (uint32_t i = 0; i < CHOSEN; i++) {
                ROW(&x, chosen[i]);
                assert_true(beck__keys_find(&table, x.in.chunk, 0, 1, &slot));
                assert_int_equal(slot, i);
                beck__builder_clear(&x.in);
            }
        assert_int_equal(asked, secret + 1);
        assert_true(table.seed != 0);
        beck__keys_remove(&table, 7);
        ROW(&x, chosen[7]);
        assert_true(beck__keys_find(&table, x.in.chunk, 0, 1, &slot));
        assert_int_equal(slot, CHOSEN);
        beck__keys_deinit(&table);
        bench_close(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),    cmocka_unit_test(test_tuples),
        cmocka_unit_test(test_no_keys), cmocka_unit_test(test_keys_are_copied),
        cmocka_unit_test(test_removal), cmocka_unit_test(test_chosen_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
