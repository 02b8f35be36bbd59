/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema_test - what the text of a schema means, its errors with their positions, and that what is
 * printed parses to the same.
 */
#include "data/testing.h"

struct fixture {
    struct test_memory memory;
    struct arena arena;
    struct text text;
};

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    beck__arena_init(&f.arena, test_memory_init(&f.memory, 0));
    f.text.memory = &f.memory.allocator;
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    beck__arena_deinit(&f->arena);
    beck__text_deinit(&f->text);
    assert_int_equal(f->memory.used, 0);
    return 0;
}

static const char *print(struct fixture *f, const beck_schema *schema)
{
    beck__text_clear(&f->text);
    beck__schema_print(schema, &f->text);
    return beck__text_get(&f->text);
}

static void test_prints_canonically(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"word STRING, n BIGINT", "word STRING, n BIGINT"},
        {" a\tinteger,b Int\n,c LONG , d bigint ", "a BIGINT, b BIGINT, c BIGINT, d BIGINT"},
        {"a float, b double, c Date, d timestamp", "a DOUBLE, b DOUBLE, c TIMESTAMP, d TIMESTAMP"},
        {"a boolean, b binary", "a BOOLEAN, b BINARY"},
        {"a array < string >", "a ARRAY<STRING>"},
        {"a STRUCT<x BIGINT,y ARRAY<ARRAY<DOUBLE>>>, b BIGINT",
         "a STRUCT<x BIGINT, y ARRAY<ARRAY<DOUBLE>>>, b BIGINT"},
        {"`a` STRING, `b c` STRING, `d``e` STRING", "a STRING, `b c` STRING, `d``e` STRING"},
        {"`\xc3\xa4` STRING, 1st STRING, _ STRING", "`\xc3\xa4` STRING, 1st STRING, _ STRING"},
        {"string STRING, array ARRAY<STRING>", "string STRING, array ARRAY<STRING>"},
        {"```` STRING", "```` STRING"},
    };
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++) {
        const beck_schema *schema = test_schema(&f->arena, cases[i].text);
        assert_string_equal(print(f, schema), cases[i].printed);
        const beck_schema *again = test_schema(&f->arena, cases[i].printed);
        assert_true(beck__schema_equal(schema, again, true));
    }
}

#define TYPES                                                                                      \
    "expected a type: BOOLEAN, BIGINT, DOUBLE, STRING, BINARY, TIMESTAMP, ARRAY<...> or "          \
    "STRUCT<...>"
#define NAME "expected a column name of letters, digits and _, or any in `backquotes`"

static void test_errors(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {NULL, "schema \"\": position 1: found the end, " NAME},
        {"", "schema \"\": position 1: found the end, " NAME},
        {"  ", "schema \"  \": position 3: found the end, " NAME},
        {"a", "schema \"a\": position 2: found the end, " TYPES},
        {"word STRIN, n BIGINT",
         "schema \"word STRIN, n BIGINT\": position 6: found \"STRIN\", " TYPES},
        {"a NONE", "schema \"a NONE\": position 3: found \"NONE\", " TYPES},
        {"a BIGINTX", "schema \"a BIGINTX\": position 3: found \"BIGINTX\", " TYPES},
        {"a BIGINT b",
         "schema \"a BIGINT b\": position 10: found \"b\", expected \",\" or the end"},
        {"a BIGINT,", "schema \"a BIGINT,\": position 10: found the end, " NAME},
        {"a BIGINT,,b", "schema \"a BIGINT,,b\": position 10: found \",\", " NAME},
        {"\xc3\xa4 BIGINT", "schema \"\xc3\xa4 BIGINT\": position 1: found \"\xc3\xa4\", " NAME},
        {"a ARRAY", "schema \"a ARRAY\": position 8: found the end, expected \"<\""},
        {"a ARRAY<", "schema \"a ARRAY<\": position 9: found the end, " TYPES},
        {"a ARRAY<BIGINT", "schema \"a ARRAY<BIGINT\": position 15: found the end, expected \">\""},
        {"a ARRAY<x BIGINT>", "schema \"a ARRAY<x BIGINT>\": position 9: found \"x\", " TYPES},
        {"a STRUCT<>", "schema \"a STRUCT<>\": position 10: found \">\", " NAME},
        {"a STRUCT<x BIGINT",
         "schema \"a STRUCT<x BIGINT\": position 18: found the end, expected \",\" or \">\""},
        {"a BIGINT>", "schema \"a BIGINT>\": position 9: found \">\", expected \",\" or the end"},
        {"`a BIGINT",
         "schema \"`a BIGINT\": position 10: found the end, expected a closing backquote"},
        {"`a``", "schema \"`a``\": position 5: found the end, expected a closing backquote"},
        {"`", "schema \"`\": position 2: found the end, expected a closing backquote"},
        {"`` BIGINT",
         "schema \"`` BIGINT\": position 2: found \"`\", expected a name between the backquotes"},
    };
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++) {
        const beck_schema *schema = NULL;
        struct error error = {0};
        assert_int_equal(beck__schema_parse(&f->arena, cases[i].text, &schema, &error),
                         BECK_INVALID);
        assert_string_equal(error.text, cases[i].error);
        assert_null(schema);
        assert_int_equal(beck__schema_parse(&f->arena, cases[i].text, &schema, NULL), BECK_INVALID);
    }
}

static void repeat(struct text *text, const char *piece, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        beck__text_add(text, piece);
}

static beck_status parse(struct fixture *f, const beck_schema **schema)
{
    struct error error = {0};
    beck_status status = beck__schema_parse(&f->arena, beck__text_get(&f->text), schema, &error);
    assert_true(strlen(error.text) < 500);
    return status;
}

static void test_limits(void **state)
{
    struct fixture *f = *state;
    const beck_schema *schema;
    for (uint32_t extra = 0; extra < 2; extra++) {
        beck__text_clear(&f->text);
        beck__text_add(&f->text, "a ");
        repeat(&f->text, "ARRAY<", BECK__NESTING_MAX - 1 + extra);
        beck__text_add(&f->text, "BIGINT");
        repeat(&f->text, ">", BECK__NESTING_MAX - 1 + extra);
        assert_int_equal(parse(f, &schema), extra ? BECK_INVALID : BECK_OK);

        beck__text_clear(&f->text);
        repeat(&f->text, "a BIGINT, ", BECK__COLUMNS_MAX - 1 + extra);
        beck__text_add(&f->text, "b STRING");
        assert_int_equal(parse(f, &schema), extra ? BECK_INVALID : BECK_OK);

        beck__text_clear(&f->text);
        beck__text_add(&f->text, "a STRUCT<");
        repeat(&f->text, "a BIGINT, ", BECK__COLUMNS_MAX - 2 + extra);
        beck__text_add(&f->text, "b STRING>");
        assert_int_equal(parse(f, &schema), extra ? BECK_INVALID : BECK_OK);
    }
    /* an error shows only the beginning of a long text */
    beck__text_clear(&f->text);
    repeat(&f->text, "a BIGINT, ", 100);
    repeat(&f->text, "x", 3000);
    assert_int_equal(parse(f, &schema), BECK_INVALID);
}

static void test_equal_and_find(void **state)
{
    struct fixture *f = *state;
    const beck_schema *a = test_schema(&f->arena, "a STRING, b STRUCT<x BIGINT, y ARRAY<DOUBLE>>");
    const beck_schema *b = test_schema(&f->arena, "c STRING, d STRUCT<x BIGINT, z ARRAY<DOUBLE>>");
    const beck_schema *c = test_schema(&f->arena, "a STRING, b STRUCT<x BIGINT, y ARRAY<BIGINT>>");
    const beck_schema *d = test_schema(&f->arena, "a STRING, b STRUCT<x BIGINT>");
    const beck_schema *e = test_schema(&f->arena, "a STRING");
    assert_true(beck__schema_equal(a, a, true));
    assert_true(beck__schema_equal(a, b, false));
    assert_false(beck__schema_equal(a, b, true));
    assert_false(beck__schema_equal(a, c, false));
    assert_false(beck__schema_equal(a, d, false));
    assert_false(beck__schema_equal(a, e, false));
    assert_int_equal(beck__schema_find(a, beck_string("a")), 0);
    assert_int_equal(beck__schema_find(a, beck_string("b")), 1);
    assert_int_equal(beck__schema_find(a, beck_string("B")), -1);
    assert_int_equal(beck__schema_find(a, beck_string("")), -1);
    assert_int_equal(beck__schema_find(a, beck_bytes_of("bx", 1)), 1);
}

static void test_type_texts(void **state)
{
    struct fixture *f = *state;
    const beck_schema *a = test_schema(&f->arena, "a ARRAY<STRUCT<`x y` INT>>, b STRING");
    beck__field_print_type(&a->fields[0], &f->text);
    assert_string_equal(beck__text_get(&f->text), "ARRAY<STRUCT<`x y` BIGINT>>");
    assert_string_equal(beck__type_name(BECK_TIMESTAMP), "TIMESTAMP");
    assert_string_equal(beck__type_name(BECK_NONE_TYPE), "NONE");
    assert_string_equal(beck__type_name((beck_type)77), "NONE");
}

static void test_random_ones(void **state)
{
    struct fixture *f = *state;
    uint64_t seed = 5;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 500; i++) {
        const beck_schema *a = test_random_schema(&f->arena, &seed);
        const beck_schema *b = test_schema(&f->arena, print(f, a));
        assert_true(beck__schema_equal(a, b, true));
        assert_int_equal(beck__schema_id(a), beck__schema_id(b));
    }
}

static void test_as_bytes(void **state)
{
    struct fixture *f = *state;
    const beck_schema *a = test_schema(&f->arena, "k STRING, v ARRAY<STRUCT<x BIGINT>>"), *b;
    struct text bytes = {.memory = f->arena.memory};
    struct error error = {0};
    beck__put_u8(&bytes, 7);
    beck__schema_put(&bytes, a);
    for (size_t size = 0; size <= bytes.size; size++) {
        struct reader in = {.data = (const uint8_t *)bytes.data, .size = size};
        assert_int_equal(beck__get_u8(&in), size ? 7 : 0);
        beck_status status = beck__schema_get(&f->arena, &in, &b, NULL);
        assert_int_equal(status, size < bytes.size ? BECK_CORRUPT : BECK_OK);
        assert_true(status || (beck__schema_equal(a, b, true) && in.at == in.size));
    }
    bytes.data[6] = '<';
    struct reader in = {.data = (const uint8_t *)bytes.data, .size = bytes.size, .at = 1};
    assert_int_equal(beck__schema_get(&f->arena, &in, &b, &error), BECK_CORRUPT);
    assert_ptr_equal(strstr(error.text, "a damaged schema: "), error.text);
    beck__text_deinit(&bytes);
}

static void test_every_allocation_fails(void **state)
{
    (void)state;
    const char *text = "a STRING, b STRUCT<x ARRAY<BIGINT>>, c STRING, `d` STRING, e STRING, "
                       "f STRING, g STRING, h STRING, i STRING, j STRUCT<k STRING>";
    beck_status status = BECK_NO_MEMORY;
    for (uint64_t n = 1; status; n++) {
        struct test_memory memory;
        struct arena arena = {.memory = test_memory_init(&memory, n), .first = 64};
        struct error error = {0};
        const beck_schema *schema;
        status = beck__schema_parse(&arena, text, &schema, &error);
        assert_true(status == BECK_OK || status == BECK_NO_MEMORY);
        assert_int_equal(error.status, status);
        beck__arena_deinit(&arena);
        assert_int_equal(memory.used, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_prints_canonically, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_equal_and_find, setup, teardown),
        cmocka_unit_test_setup_teardown(test_type_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(test_as_bytes, setup, teardown),
        cmocka_unit_test(test_every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
