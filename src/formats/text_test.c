/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_test - the text of every type of cell and of rows, by example; doubles read back.
 */
#include "data/testing.h"
#include "formats/formats.h"

#include <locale.h>

struct fixture {
    struct test_memory memory;
    struct arena arena;
    struct builder b;
    struct text text;
};

static void open(struct fixture *f, const char *schema)
{
    beck__arena_init(&f->arena, test_memory_init(&f->memory, 0));
    f->text = (struct text){.memory = &f->memory.allocator};
    beck__builder_init(&f->b, &f->memory.allocator, test_schema(&f->arena, schema), 0, NULL);
}

static void close(struct fixture *f)
{
    beck__builder_deinit(&f->b);
    beck__text_deinit(&f->text);
    beck__arena_deinit(&f->arena);
    assert_int_equal(f->memory.used, 0);
}

static const char *print(struct fixture *f, const beck_value *values, uint32_t first)
{
    beck__builder_clear(&f->b);
    test_row(&f->b, values, f->b.schema->count);
    beck__text_clear(&f->text);
    beck__row_print(f->b.chunk, first, 0, &f->text);
    return beck__text_get(&f->text);
}

static void check(const char *schema, beck_value value, const char *expected)
{
    struct fixture f;
    open(&f, schema);
    assert_string_equal(print(&f, &value, 0), expected);
    close(&f);
}

static void test_plain(void **state)
{
    (void)state;
    check("b BOOLEAN", beck_boolean_value(true), "true");
    check("b BOOLEAN", beck_boolean_value(false), "false");
    check("n BIGINT", beck_integer_value(INT64_MIN), "-9223372036854775808");
    check("n BIGINT", beck_integer_value(0), "0");
    check("n BIGINT", beck_null, "null");
    check("s STRING", beck_text_value(""), "");
    check("s STRING", beck_text_value("a \"b\", (c)"), "a \"b\", (c)");
    check("s STRING", beck_text_value("null"), "null");
    check("s BINARY", beck_string_value(beck_bytes_of("\0\x7f\xff", 3)), "007fff");
}

static void test_timestamps(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {951827696789, "2000-02-29T12:34:56.789Z"},
        {1709251199999, "2024-02-29T23:59:59.999Z"},
        {1709251200000, "2024-03-01T00:00:00.000Z"},
        {-2203891200001, "1900-02-28T23:59:59.999Z"},
        {-2203891200000, "1900-03-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {253402300800000, "+10000-01-01T00:00:00.000Z"},
        {-62167219200000, "0000-01-01T00:00:00.000Z"},
        {-62167219200001, "-0001-12-31T23:59:59.999Z"},
        {INT64_MAX, "+292278994-08-17T07:12:55.807Z"},
        {INT64_MIN, "-292275055-05-16T16:47:04.192Z"},
    };
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++)
        check("t TIMESTAMP", beck_integer_value(cases[i].ms), cases[i].text);
}

static const struct {
    double x;
    const char *text;
} doubles[] = {
    {0, "0.0"},
    {-0.0, "-0.0"},
    {1, "1.0"},
    {-1, "-1.0"},
    {0.1, "0.1"},
    {0.1 + 0.2, "0.30000000000000004"},
    {100, "100.0"},
    {1e10, "10000000000.0"},
    {999999999999999, "999999999999999.0"},
    {1e15, "1e+15"},
    {1e22, "1e+22"},
    {123456.789, "123456.789"},
    {1.0 / 3, "0.3333333333333333"},
    {2.0 / 3, "0.6666666666666666"},
    {1e-5, "1e-05"},
    {0.0001, "0.0001"},
    {4.9e-324, "5e-324"},
    {2.2250738585072014e-308, "2.2250738585072014e-308"},
    {1.7976931348623157e308, "1.7976931348623157e+308"},
    {NAN, "NaN"},
    {-NAN, "NaN"},
    {INFINITY, "Infinity"},
    {-INFINITY, "-Infinity"},
};

static void test_doubles(void **state)
{
    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(doubles); i++)
        check("d DOUBLE", beck_double_value(doubles[i].x), doubles[i].text);
}

static void test_doubles_read_back(void **state)
{
    (void)state;
    uint64_t seed = 90;
    printf("seed %llu\n", (unsigned long long)seed);
    struct fixture f;
    open(&f, "d DOUBLE");
    for (int i = 0; i < 20000; i++) {
        double x;
        uint64_t bits = test_random(&seed);
        memcpy(&x, &bits, sizeof x);
        if (i % 2)
            x = (double)(int64_t)(bits >> (bits & 31)) / 1000;
        beck_value value = beck_double_value(x);
        const char *text = print(&f, &value, 0);
        assert_true(x != x || strtod(text, NULL) == x);
    }
    close(&f);
}

/* The program may have set any locale it likes. */
static void test_locale(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8", "ar_EG.UTF-8"};
    for (size_t i = 0; i < BECK__COUNT_OF(names); i++)
        if (setlocale(LC_ALL, names[i]))
            test_doubles(state);
    setlocale(LC_ALL, "C");
}

static void test_nested(void **state)
{
    (void)state;
    beck_value fields[] = {beck_text_value("a"), beck_null};
    beck_value elements[] = {beck_values_value(fields, 2), beck_null};
    check("a ARRAY<STRUCT<x STRING, n BIGINT>>", beck_values_value(elements, 2),
          "[(a,null), null]");
    check("a ARRAY<BIGINT>", beck_values_value(NULL, 0), "[]");
    check("a ARRAY<BIGINT>", beck_null, "null");
    check("a STRUCT<x STRING, n BIGINT>", beck_values_value(fields, 2), "(a,null)");
    check("a STRUCT<x STRING>", beck_values_value(fields, 1), "(a)");
}

static void test_rows(void **state)
{
    (void)state;
    struct fixture f;
    beck_value row[] = {beck_text_value("the"), beck_integer_value(3), beck_double_value(0.5)};
    open(&f, "word STRING, n BIGINT, d DOUBLE");
    assert_string_equal(print(&f, row, 0), "(the,3,0.5)");
    assert_string_equal(print(&f, row, 1), "(3,0.5)");
    assert_string_equal(print(&f, row, 2), "0.5");
    close(&f);
}

static void test_every_allocation_fails(void **state)
{
    (void)state;
    struct fixture f;
    beck_value row[] = {beck_text_value("a string of some length"), beck_integer_value(3),
                        beck_double_value(0.3), beck_integer_value(5),
                        beck_text_value("binary that is printed twice as long")};
    open(&f, "s STRING, n BIGINT, d DOUBLE, t TIMESTAMP, b BINARY");
    print(&f, row, 0);
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        struct test_memory memory;
        struct text text = {.memory = test_memory_init(&memory, n)};
        beck__row_print(f.b.chunk, 0, 0, &text);
        failed = text.failed;
        if (!failed)
            assert_string_equal(beck__text_get(&text), beck__text_get(&f.text));
        beck__text_deinit(&text);
        assert_int_equal(memory.used, 0);
    }
    close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),   cmocka_unit_test(test_timestamps),
        cmocka_unit_test(test_doubles), cmocka_unit_test(test_doubles_read_back),
        cmocka_unit_test(test_locale),  cmocka_unit_test(test_nested),
        cmocka_unit_test(test_rows),    cmocka_unit_test(test_every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
