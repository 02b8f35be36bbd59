/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode_test - damaged blocks are told apart, never read out of bounds (the sanitizers watch),
 * never allocated for beyond the limit.
 */
#include "data/inside.h"
#include "data/testing.h"

struct fixture {
    struct test_memory memory;
    struct arena arena;
    const beck_schema *schema;
    struct text out;
    struct error error;
};

#define SCHEMA                                                                                     \
    "s STRING, b BOOLEAN, n BIGINT, a ARRAY<STRUCT<x BINARY, y ARRAY<DOUBLE>>>, t STRUCT<z "       \
    "STRING>"

static void open(struct fixture *f, const char *schema, uint32_t rows, bool compress)
{
    struct builder b;
    uint64_t seed = 12;
    memset(f, 0, sizeof *f);
    beck__arena_init(&f->arena, test_memory_init(&f->memory, 0));
    f->out.memory = &f->memory.allocator;
    f->schema = test_schema(&f->arena, schema);
    beck__builder_init(&b, &f->memory.allocator, f->schema, 0, NULL);
    test_random_rows(&b, &f->arena, rows, &seed);
    assert_int_equal(
        beck__block_encode(b.chunk, f->schema, (struct block_place){1, 2}, compress, &f->out, NULL),
        BECK_OK);
    beck__builder_deinit(&b);
}

static void close(struct fixture *f)
{
    beck__text_deinit(&f->out);
    beck__arena_deinit(&f->arena);
    assert_int_equal(f->memory.used, 0);
}

/* Decodes a copy of exactly these bytes. */
static beck_status decode(struct fixture *f, const char *data, size_t size)
{
    struct block *block = NULL;
    char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, data, size);
    beck__error_clear(&f->error);
    beck_status status =
        beck__block_decode(&f->memory.allocator, f->schema, copy, size, &block, NULL, &f->error);
    assert_int_equal(status, f->error.status);
    assert_int_equal(status == BECK_OK, block != NULL);
    beck__block_unref(block);
    free(copy);
    return status;
}

static void test_every_bit(void **state)
{
    (void)state;
    for (int compress = 0; compress < 2; compress++) {
        struct fixture f;
        open(&f, SCHEMA, 10, compress);
        assert_int_equal(decode(&f, f.out.data, f.out.size), BECK_OK);
        for (size_t i = 0; i < 8 * f.out.size; i++) {
            f.out.data[i / 8] ^= (char)(1 << i % 8);
            assert_int_equal(decode(&f, f.out.data, f.out.size), BECK_CORRUPT);
            f.out.data[i / 8] ^= (char)(1 << i % 8);
        }
        close(&f);
    }
}

static void test_every_length(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, SCHEMA, 5, true);
    for (size_t size = 0; size < f.out.size; size++)
        assert_int_equal(decode(&f, f.out.data, size), BECK_CORRUPT);
    beck__text_append(&f.out, "x", 1);
    assert_int_equal(decode(&f, f.out.data, f.out.size), BECK_CORRUPT);
    close(&f);
}

static void seal(struct fixture *f)
{
    struct block_header header;
    memcpy(&header, f->out.data, sizeof header);
    header.crc = beck__block_crc(&header, f->out.data + sizeof header);
    memcpy(f->out.data, &header, sizeof header);
}

/* With a right CRC: whatever is accepted can be read without harm. */
static void test_resealed(void **state)
{
    (void)state;
    uint64_t seed = 70;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 20000; round++) {
        struct fixture f;
        if (round % 100 == 0)
            open(&f, SCHEMA, 1 + test_below(&seed, 6), round % 200 == 0);
        size_t at = 16 + test_below(&seed, (uint32_t)f.out.size - 16);
        char before = f.out.data[at];
        if (at >= 32 && at < 44) /* lengths and CRC: checked without */
            at = 44;
        before = f.out.data[at];
        f.out.data[at] = (char)test_random(&seed);
        seal(&f);
        beck_status status = decode(&f, f.out.data, f.out.size);
        assert_true(status == BECK_OK || status == BECK_CORRUPT);
        f.out.data[at] = before;
        if (round % 100 == 99)
            close(&f);
    }
}

static void set_u32(struct fixture *f, size_t at, uint32_t x)
{
    memcpy(f->out.data + at, &x, sizeof x);
}

/* One row of one column, one lie after another; offsets in the block as drawn in inside.h. */
static void check_lie(const char *schema, size_t at, uint32_t lie, const char *expected)
{
    struct fixture f;
    struct builder b;
    beck_value one = beck_text_value("a string of 22 bytes..");
    beck_value two[] = {beck_null, beck_null};
    open(&f, schema, 0, false);
    beck__builder_init(&b, &f.memory.allocator, f.schema, 0, NULL);
    if (f.schema->fields[0].type == BECK_ARRAY)
        one = beck_values_value(two, 2);
    else if (f.schema->fields[0].type == BECK_BIGINT)
        one = beck_null;
    else if (f.schema->fields[0].type == BECK_BOOLEAN)
        one = beck_boolean_value(true);
    test_row(&b, &one, 1);
    beck__text_clear(&f.out);
    beck__block_encode(b.chunk, f.schema, (struct block_place){0, 0}, false, &f.out, NULL);
    beck__builder_deinit(&b);
    set_u32(&f, at, lie);
    seal(&f);
    assert_int_equal(decode(&f, f.out.data, f.out.size), BECK_CORRUPT);
    assert_string_equal(f.error.text, expected);
    close(&f);
}

static void test_lies(void **state)
{
    (void)state;
    check_lie("s STRING", 6, 0x80, "encoded block: word of flags is 128, expected 1");
    check_lie("s STRING", 16, UINT32_MAX,
              "encoded block: number of bytes in the body is 40, expected 68719476720");
    check_lie("s STRING", 20, 2, "encoded block: number of columns is 2, expected 1");
    check_lie("s STRING", 36, 40, "encoded block: size of the body is 40, expected 48");
    check_lie("s STRING", 36, UINT32_MAX,
              "encoded block: size of the body is 4294967295, expected 16777216");
    check_lie("s STRING", 44, 1, "encoded block: last word of the header is 1, expected 0");
    check_lie("s STRING", 48, 2, "encoded block: flags of a column is 2, expected 1");
    check_lie("s STRING", 52, 30, "encoded block: number of bytes in the body is 24, expected 32");
    check_lie("s STRING", 52, 23, "encoded block: number of bytes in strings is 23, expected 22");
    check_lie("s STRING", 56, 23, "encoded block: size of a string is 23, expected 22");
    check_lie("s STRING", 56, 12, "encoded block: number of bytes in strings is 22, expected 0");
    check_lie("s STRING", 56, 9, "encoded block: number of bytes in strings is 22, expected 0");
    check_lie("s STRING", 56, 3, "encoded block: byte behind a short string is 116, expected 0");
    check_lie("s STRING", 60, 0,
              "encoded block: the prefix of a string is not what it begins with");
    check_lie("s STRING", 64, 1, "encoded block: offset of a string is 1, expected 0");
    check_lie("s STRING", 92, 0x01002e2e, "encoded block: padding is 1, expected 0");
    check_lie("n BIGINT", 64, 5, "encoded block: a null has a value");
    check_lie("n BIGINT", 52, 5, "encoded block: number of string bytes is 5, expected 0");
    check_lie("b BOOLEAN", 56, 2, "encoded block: BOOLEAN is 2, expected 1");
    check_lie("a ARRAY<BIGINT>", 56, 1, "encoded block: first offset of an ARRAY is 1, expected 0");
    check_lie("a ARRAY<BIGINT>", 60, 1000000,
              "encoded block: number of bytes in the body is 24, expected 125000");
    check_lie("a ARRAY<BIGINT>", 60, 1, "encoded block: size of the body is 48, expected 40");
}

static void test_offsets_fall(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "a ARRAY<BOOLEAN>", 2, false);
    set_u32(&f, 60, 9);
    set_u32(&f, 64, 8);
    seal(&f);
    f.out.data[48] = 0;
    seal(&f);
    assert_int_equal(decode(&f, f.out.data, f.out.size), BECK_CORRUPT);
    close(&f);
}

static void test_other_schema(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "s STRING", 2, false);
    f.schema = test_schema(&f.arena, "t STRING");
    assert_int_equal(decode(&f, f.out.data, f.out.size), BECK_CORRUPT);
    assert_memory_equal(f.error.text, "encoded block: schema id is", 27);
    close(&f);
}

static void test_bounded_memory(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "s STRING", 200, true);
    struct block_header header;
    memcpy(&header, f.out.data, sizeof header);
    header.raw = BECK__BLOCK_BYTES_MAX - BECK__BLOCK_HEADER;
    memcpy(f.out.data, &header, sizeof header);
    seal(&f);
    f.memory.fail_at = UINT64_MAX;
    uint64_t calls = f.memory.calls;
    assert_int_equal(decode(&f, f.out.data, f.out.size), BECK_CORRUPT);
    assert_int_equal(f.memory.calls, calls);
    close(&f);
}

static void test_size_of_no_block(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "s STRING", 2, false);
    assert_int_equal(beck__block_size(f.out.data), f.out.size);
    f.out.data[3] = '2';
    assert_int_equal(beck__block_size(f.out.data), 0);
    f.out.data[3] = '1';
    f.out.data[4] = 2;
    assert_int_equal(beck__block_size(f.out.data), 0);
    f.out.data[4] = 1;
    set_u32(&f, 32, BECK__BLOCK_BYTES_MAX);
    assert_int_equal(beck__block_size(f.out.data), 0);
    close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit),      cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_resealed),       cmocka_unit_test(test_lies),
        cmocka_unit_test(test_offsets_fall),   cmocka_unit_test(test_other_schema),
        cmocka_unit_test(test_bounded_memory), cmocka_unit_test(test_size_of_no_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
