/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value_test - what each type of column accepts, and the texts about what it does not.
 */
#include "data/testing.h"

struct fixture {
    struct test_memory memory;
    struct arena arena;
    struct builder b;
};

static void open(struct fixture *f, const char *schema)
{
    beck__arena_init(&f->arena, test_memory_init(&f->memory, 0));
    assert_int_equal(
        beck__builder_init(&f->b, &f->memory.allocator, test_schema(&f->arena, schema), 0, NULL),
        BECK_OK);
}

static void close(struct fixture *f)
{
    beck__builder_deinit(&f->b);
    beck__arena_deinit(&f->arena);
    assert_int_equal(f->memory.used, 0);
}

/* Puts a value into the only column: the text of the cell, or of the error. */
static const char *put(struct fixture *f, beck_value value)
{
    struct text text = {.memory = &f->memory.allocator};
    struct error error = {0};
    beck_status status = beck__builder_value(&f->b, 0, &value, NULL, &error);
    const char *result;
    assert_int_equal(status, error.status);
    if (status) {
        assert_int_equal(status, BECK_TYPE);
        result = beck__arena_text(&f->arena, error.text);
        beck__builder_drop_row(&f->b);
    } else {
        beck__builder_end_row(&f->b);
        test_cell_text(&f->b.chunk->column[0], f->b.chunk->rows - 1, &text);
        result = beck__arena_text(&f->arena, beck__text_get(&text));
    }
    beck__text_deinit(&text);
    return result;
}

static void test_boolean(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "b BOOLEAN");
    assert_string_equal(put(&f, beck_boolean_value(true)), "1");
    assert_string_equal(put(&f, beck_boolean_value(false)), "0");
    assert_string_equal(put(&f, beck_integer_value(1)), "1");
    assert_string_equal(put(&f, beck_unsigned_value(0)), "0");
    assert_string_equal(put(&f, beck_null), "null");
    assert_string_equal(put(&f, beck_integer_value(-1)),
                        "column 0 \"b\" is BOOLEAN: got integer -1, of integers only 0 and 1 are "
                        "accepted");
    assert_string_equal(put(&f, beck_double_value(1)), "column 0 \"b\" is BOOLEAN: got DOUBLE 1");
    close(&f);
}

static void test_integers(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "n BIGINT");
    assert_string_equal(put(&f, beck_integer_value(-1)), "ffffffffffffffff");
    assert_string_equal(put(&f, beck_unsigned_value(INT64_MAX)), "7fffffffffffffff");
    assert_string_equal(put(&f, beck_null), "null");
    assert_string_equal(
        put(&f, beck_unsigned_value((uint64_t)INT64_MAX + 1)),
        "column 0 \"n\" is BIGINT: got integer 9223372036854775808, which is out of "
        "range");
    assert_string_equal(put(&f, beck_double_value(0.5)),
                        "column 0 \"n\" is BIGINT: got DOUBLE 0.5");
    assert_string_equal(put(&f, beck_boolean_value(true)),
                        "column 0 \"n\" is BIGINT: got BOOLEAN true");
    assert_string_equal(put(&f, beck_text_value("abc")),
                        "column 0 \"n\" is BIGINT: got STRING \"abc\"");
    assert_string_equal(put(&f, beck_string_value(beck_bytes_of("a\n\0\x7f\xff", 5))),
                        "column 0 \"n\" is BIGINT: got STRING \"a\\x0a\\x00\\x7f\xff\"");
    assert_string_equal(put(&f, beck_text_value("0123456789012345678901234567890123456789+")),
                        "column 0 \"n\" is BIGINT: got STRING "
                        "\"0123456789012345678901234567890123456789\"...");
    assert_string_equal(put(&f, beck_values_value(NULL, 0)),
                        "column 0 \"n\" is BIGINT: got 0 values");
    assert_string_equal(put(&f, beck_list_value((beck_list){0})),
                        "column 0 \"n\" is BIGINT: got an ARRAY of 0");
    beck_value odd = {.kind = (beck_kind)99};
    assert_string_equal(put(&f, odd), "column 0 \"n\" is BIGINT: got a value of unknown kind 99");
    close(&f);
}

static void test_timestamp(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "t TIMESTAMP");
    assert_string_equal(put(&f, beck_integer_value(16)), "10");
    assert_string_equal(put(&f, beck_double_value(1)), "column 0 \"t\" is TIMESTAMP: got DOUBLE 1");
    close(&f);
}

static void test_double(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "d DOUBLE");
    assert_string_equal(put(&f, beck_double_value(1)), "3ff0000000000000");
    assert_string_equal(put(&f, beck_integer_value(-2)), "c000000000000000");
    assert_string_equal(put(&f, beck_integer_value(INT64_MIN)), "c3e0000000000000");
    assert_string_equal(put(&f, beck_unsigned_value(1ull << 63)), "43e0000000000000");
    assert_string_equal(put(&f, beck_integer_value((1ll << 53) + 1)),
                        "column 0 \"d\" is DOUBLE: got integer 9007199254740993, which a DOUBLE "
                        "does not hold exactly");
    assert_int_equal(strncmp(put(&f, beck_integer_value(INT64_MAX)), "column", 6), 0);
    assert_int_equal(strncmp(put(&f, beck_unsigned_value(UINT64_MAX)), "column", 6), 0);
    assert_int_equal(strncmp(put(&f, beck_boolean_value(true)), "column", 6), 0);
    close(&f);
}

static void test_strings(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "s STRING");
    assert_string_equal(put(&f, beck_text_value("")), "\"");
    assert_string_equal(put(&f, beck_string_value((beck_str){NULL, 0})), "\"");
    assert_string_equal(put(&f, beck_text_value("012345678901")), "\"303132333435363738393031");
    assert_string_equal(put(&f, beck_text_value("0123456789012")), "\"30313233343536373839303132");
    assert_string_equal(put(&f, beck_string_value(beck_bytes_of("\0\xff", 2))), "\"00ff");
    assert_string_equal(put(&f, beck_integer_value(1)), "column 0 \"s\" is STRING: got integer 1");
    if (SIZE_MAX > UINT32_MAX) {
        static const char start[64] = "only the start of it is shown"; /* the rest is not there */
        beck_str endless = {start, (size_t)UINT32_MAX + 1};
        assert_int_equal(strncmp(put(&f, beck_string_value(endless)), "column", 6), 0);
    }
    close(&f);
}

static void test_copies_unless_kept(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "s STRING");
    static const char bytes[] = "a line of text in a buffer";
    beck_value inside = beck_string_value(beck_bytes_of(bytes + 2, 20));
    beck_value outside = beck_text_value("another string of more than 12");
    beck_str keep = {bytes, sizeof bytes};
    const beck_view *views;
    assert_int_equal(beck__builder_value(&f.b, 0, &inside, &keep, NULL), BECK_OK);
    assert_int_equal(beck__builder_value(&f.b, 0, &inside, NULL, NULL), BECK_OK);
    assert_int_equal(beck__builder_value(&f.b, 0, &outside, &keep, NULL), BECK_OK);
    views = f.b.chunk->column[0].data;
    assert_ptr_equal(views[0].u.data, bytes + 2);
    assert_ptr_not_equal(views[1].u.data, bytes + 2);
    assert_ptr_not_equal(views[2].u.data, outside.u.string.data);
    close(&f);
}

static void test_arrays(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "a ARRAY<BIGINT>");
    beck_value three[] = {beck_integer_value(1), beck_null, beck_integer_value(3)};
    beck_value bad[] = {beck_integer_value(1), beck_text_value("x")};
    assert_string_equal(put(&f, beck_values_value(three, 3)), "[1,null,3,]");
    assert_string_equal(put(&f, beck_values_value(three, 0)), "[]");
    assert_string_equal(put(&f, beck_values_value(bad, 2)),
                        "column 0 \"a\", element 1 is BIGINT: got STRING \"x\"");
    assert_string_equal(put(&f, beck_list_value((beck_list){0})), "[]");
    beck_list list = {f.b.chunk->column[0].child, 1, 2};

    struct fixture g;
    open(&g, "a ARRAY<BIGINT>");
    assert_string_equal(put(&g, beck_list_value(list)), "[null,3,]");
    beck_row row = {f.b.chunk, 0, 0};
    assert_string_equal(put(&g, beck_cell(row, 0)), "[1,null,3,]");
    assert_string_equal(put(&g, beck_integer_value(300)),
                        "column 0 \"a\" is ARRAY: got integer 300");
    close(&g);

    /* elements of another type are converted one by one */
    open(&g, "a ARRAY<DOUBLE>");
    assert_string_equal(put(&g, beck_list_value(list)), "[null,4008000000000000,]");
    close(&g);
    open(&g, "a ARRAY<STRING>");
    assert_string_equal(put(&g, beck_cell(row, 0)),
                        "column 0 \"a\", element 0 is STRING: got integer 1");
    close(&g);
    close(&f);
}

static void test_structs(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "s STRUCT<x BIGINT, y ARRAY<STRUCT<z STRING>>>");
    beck_value z[] = {beck_text_value("z")}, bad_z[] = {beck_boolean_value(true)};
    beck_value y[] = {beck_values_value(z, 1)}, bad_y[] = {beck_null, beck_values_value(bad_z, 1)};
    beck_value good[] = {beck_integer_value(5), beck_values_value(y, 1), beck_null};
    beck_value bad[] = {beck_integer_value(5), beck_values_value(bad_y, 2)};
    assert_string_equal(put(&f, beck_values_value(good, 2)), "(5,[(\"7a,),],)");
    assert_string_equal(put(&f, beck_null), "null");
    assert_string_equal(put(&f, beck_values_value(good, 3)),
                        "column 0 \"s\" is STRUCT of 2 fields: got 3 values");
    assert_string_equal(
        put(&f, beck_values_value(bad, 2)),
        "column 0 \"s\", field \"y\", element 1, field \"z\" is STRING: got BOOLEAN "
        "true");
    assert_string_equal(put(&f, beck_integer_value(2)), "column 0 \"s\" is STRUCT: got integer 2");
    /* the fields of a null one read as nothing */
    const beck_column *x = &f.b.chunk->column[0].child->column[0];
    assert_int_equal(((const int64_t *)x->data)[1], 0);
    assert_false(beck__bit_get(x->valid, 1));

    struct fixture g;
    open(&g, "s STRUCT<x DOUBLE, y ARRAY<STRUCT<z BINARY>>>");
    beck_row row = {f.b.chunk, 0, 0};
    assert_string_equal(put(&g, beck_cell(row, 0)), "(4014000000000000,[(\"7a,),],)");
    close(&g);
    open(&g, "s STRUCT<x STRING>");
    assert_string_equal(put(&g, beck_cell(row, 0)),
                        "column 0 \"s\" is STRUCT of 1 fields: got 2 values");
    close(&g);
    close(&f);
}

static void test_cells(void **state)
{
    (void)state;
    static const char *const types[] = {"BOOLEAN", "BIGINT", "DOUBLE",        "TIMESTAMP",
                                        "STRING",  "BINARY", "ARRAY<BIGINT>", "STRUCT<x BIGINT>"};
    static const char *const accepted[] = {"10000000", "11110000", "00100000", "00010000",
                                           "00001100", "00001100", "00000010", "00000001"};
    struct fixture f;
    beck_value one[] = {beck_integer_value(1)};
    beck_value values[] = {beck_boolean_value(true),  beck_integer_value(1),
                           beck_double_value(1),      beck_integer_value(1),
                           beck_text_value("1"),      beck_text_value("1"),
                           beck_values_value(one, 1), beck_values_value(one, 1)};
    open(&f, "a BOOLEAN, b BIGINT, c DOUBLE, d TIMESTAMP, e STRING, f BINARY, g ARRAY<BIGINT>, "
             "h STRUCT<x BIGINT>");
    test_row(&f.b, values, 8);
    for (uint32_t to = 0; to < 8; to++) {
        struct fixture g;
        char schema[40];
        snprintf(schema, sizeof schema, "x %s", types[to]);
        open(&g, schema);
        for (uint32_t from = 0; from < 8; from++) {
            beck_row row = {f.b.chunk, 0, 0};
            bool fits = strncmp(put(&g, beck_cell(row, from)), "column", 6) != 0;
            assert_int_equal(fits, accepted[from][to] == '1');
        }
        close(&g);
    }
    close(&f);
}

static void test_first_error_sticks(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "n BIGINT");
    struct error error = {0};
    beck_value bad = beck_text_value("x");
    beck__error_set(&error, BECK_IO, "before");
    assert_int_equal(beck__builder_value(&f.b, 0, &bad, NULL, &error), BECK_TYPE);
    assert_string_equal(error.text, "before");
    close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boolean),   cmocka_unit_test(test_integers),
        cmocka_unit_test(test_timestamp), cmocka_unit_test(test_double),
        cmocka_unit_test(test_strings),   cmocka_unit_test(test_copies_unless_kept),
        cmocka_unit_test(test_arrays),    cmocka_unit_test(test_structs),
        cmocka_unit_test(test_cells),     cmocka_unit_test(test_first_error_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
