/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_test - the bytes of a block are fixed; what goes in comes out, compressed or not; a
 * failure leaves the text as it was.
 */
#include "data/inside.h"
#include "data/testing.h"

struct fixture {
    struct test_memory memory;
    struct arena arena;
    struct builder b;
    struct text out;
};

static const struct block_place place = {7, 9};

static void open(struct fixture *f)
{
    beck__arena_init(&f->arena, test_memory_init(&f->memory, 0));
    f->out = (struct text){.memory = &f->memory.allocator};
}

static void close(struct fixture *f)
{
    beck__builder_deinit(&f->b);
    beck__text_deinit(&f->out);
    beck__arena_deinit(&f->arena);
    assert_int_equal(f->memory.used, 0);
}

static void test_layout(void **state)
{
    (void)state;
    struct fixture f;
    static const char text[] = "fourteen bytes";
    static const unsigned char expected[] = {
        /* header: magic, version 1, no flags, schema id (compared below) */
        'B', 'K', 'B', '1', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        /* 3 rows, 2 columns, map 7, sequence 9 */
        3, 0, 0, 0, 2, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0,
        /* 112 bytes, the same uncompressed, CRC (compared below) */
        112, 0, 0, 0, 112, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        /* s: no nulls, 14 bytes of long strings */
        0, 0, 0, 0, 14, 0, 0, 0,
        /* "ab", the long one at 0, "" */
        2, 0, 0, 0, 'a', 'b', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,      /* */
        14, 0, 0, 0, 'f', 'o', 'u', 'r', 0, 0, 0, 0, 0, 0, 0, 0, /* */
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,          /* */
        'f', 'o', 'u', 'r', 't', 'e', 'e', 'n', ' ', 'b', 'y', 't', 'e', 's', 0, 0,
        /* n: with nulls, no strings; rows 0 and 2 are valid */
        1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0,
        /* 258, 0, -1 */
        2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* */
        255, 255, 255, 255, 255, 255, 255, 255};
    const beck_value rows[][2] = {{beck_text_value("ab"), beck_integer_value(258)},
                                  {beck_text_value(text), beck_null},
                                  {beck_text_value(""), beck_integer_value(-1)}};
    open(&f);
    const beck_schema *schema = test_schema(&f.arena, "s STRING, n BIGINT");
    beck__builder_init(&f.b, &f.memory.allocator, schema, 0, NULL);
    for (uint32_t i = 0; i < 3; i++)
        test_row(&f.b, rows[i], 2);
    assert_int_equal(beck__block_encode(f.b.chunk, schema, place, false, &f.out, NULL), BECK_OK);
    assert_int_equal(f.out.size, sizeof expected);
    uint64_t id;
    memcpy(&id, f.out.data + 8, 8);
    assert_int_equal(id, beck__schema_id(schema));
    memset(f.out.data + 8, 0, 8);
    memset(f.out.data + 40, 0, 4);
    assert_memory_equal(f.out.data, expected, sizeof expected);
    close(&f);
}

static void check_block(struct fixture *f, size_t from, uint32_t rows)
{
    struct block *block = NULL;
    struct block_place got = {0, 0};
    struct error error = {0};
    size_t size = f->out.size - from;
    assert_int_equal(beck__block_size(f->out.data + from), size);
    if (beck__block_decode(&f->memory.allocator, f->b.schema, f->out.data + from, size, &block,
                           &got, &error))
        printf("%s\n", error.text);
    assert_non_null(block);
    assert_int_equal(got.map, place.map);
    assert_int_equal(got.sequence, place.sequence);
    assert_int_equal(block->chunk->rows, rows);
    assert_true(test_same_rows(block->chunk, f->b.chunk, NULL, 0, rows));

    /* and what was decoded encodes to the same bytes */
    struct text again = {.memory = &f->memory.allocator};
    bool compress = f->out.data[from + offsetof(struct block_header, flags)];
    assert_int_equal(beck__block_encode(block->chunk, f->b.schema, place, compress, &again, NULL),
                     BECK_OK);
    assert_int_equal(again.size, size);
    assert_memory_equal(again.data, f->out.data + from, size);
    beck__text_deinit(&again);
    beck__block_unref(block);
}

static void test_round_trip(void **state)
{
    (void)state;
    uint64_t seed = 51;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 400; round++) {
        struct fixture f;
        open(&f);
        const beck_schema *schema = test_random_schema(&f.arena, &seed);
        beck__builder_init(&f.b, &f.memory.allocator, schema, 0, NULL);
        uint32_t rows = test_below(&seed, 4) ? test_below(&seed, 200) : 0;
        test_random_rows(&f.b, &f.arena, rows, &seed);
        for (int compress = 0; compress < 2; compress++) {
            size_t from = f.out.size;
            assert_int_equal(beck__block_encode(f.b.chunk, schema, place, compress, &f.out, NULL),
                             BECK_OK);
            check_block(&f, from, rows);
            beck__text_append(&f.out, "x", 1); /* blocks need no alignment */
        }
        close(&f);
    }
}

static void fill(struct fixture *f, uint32_t rows, uint32_t size, bool random)
{
    uint64_t seed = 1;
    for (uint32_t i = 0; i < rows; i++) {
        char *data = beck__arena_alloc(&f->arena, size);
        for (uint32_t k = 0; k < size; k++)
            data[k] = random ? (char)test_random(&seed) : 'x';
        beck_value value = beck_string_value(beck_bytes_of(data, size));
        test_row(&f->b, &value, 1);
    }
}

static void test_compression(void **state)
{
    (void)state;
    for (int random = 0; random < 2; random++) {
        struct fixture f;
        open(&f);
        beck__builder_init(&f.b, &f.memory.allocator, test_schema(&f.arena, "s STRING"), 0, NULL);
        fill(&f, 1, 100000, random);
        assert_int_equal(beck__block_encode(f.b.chunk, f.b.schema, place, true, &f.out, NULL),
                         BECK_OK);
        const struct block_header *header = (const void *)f.out.data;
        assert_int_equal(header->flags, random ? 0 : BECK__BLOCK_LZ4);
        assert_int_equal(header->raw, 8 + 16 + 100000);
        assert_true(f.out.size < (random ? 100100 : 1000));
        check_block(&f, 0, 1);
        close(&f);
    }
}

static void test_too_large(void **state)
{
    (void)state;
    struct fixture f;
    struct error error = {0};
    open(&f);
    beck__builder_init(&f.b, &f.memory.allocator, test_schema(&f.arena, "s STRING"), 0, NULL);
    fill(&f, 15, 1 << 20, false);
    fill(&f, 1, (1 << 20) - 48 - 8 - 16 * 16, false);
    beck__text_add(&f.out, "before");
    assert_int_equal(beck__block_encode(f.b.chunk, f.b.schema, place, false, &f.out, NULL),
                     BECK_OK);
    assert_int_equal(f.out.size, 6 + BECK__BLOCK_BYTES_MAX);
    assert_int_equal(beck__block_size(f.out.data + 6), BECK__BLOCK_BYTES_MAX);
    beck__text_clear(&f.out);
    beck__text_add(&f.out, "before");
    fill(&f, 1, 1, false);
    assert_int_equal(beck__block_encode(f.b.chunk, f.b.schema, place, true, &f.out, &error),
                     BECK_UNSUPPORTED);
    assert_string_equal(beck__text_get(&f.out), "before");
    assert_string_equal(error.text,
                        "17 rows of 16777184 bytes do not fit into a block of 16777216 bytes");
    close(&f);
}

static void test_every_allocation_fails(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t seed = 3;
    open(&f);
    beck__builder_init(&f.b, &f.memory.allocator, test_schema(&f.arena, "s STRING"), 0, NULL);
    test_random_rows(&f.b, &f.arena, 100, &seed);
    beck_status status = BECK_NO_MEMORY;
    for (uint64_t n = 1; status; n++) {
        struct test_memory memory;
        struct text out = {.memory = test_memory_init(&memory, n)};
        struct error error = {0};
        struct block *block = NULL;
        status = beck__block_encode(f.b.chunk, f.b.schema, place, true, &out, &error);
        if (!status)
            status = beck__block_decode(&memory.allocator, f.b.schema, out.data, out.size, &block,
                                        NULL, &error);
        assert_true(status == BECK_OK || status == BECK_NO_MEMORY);
        assert_int_equal(status, error.status);
        beck__block_unref(block);
        beck__text_deinit(&out);
        assert_int_equal(memory.used, 0);
    }
    close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_compression),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
