/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocks_test - lists of blocks survive their bytes, also those that are larger than an encoded
 * block may be.
 */
#include "engine/testing.h"

#include "engine/local/local.h"

struct fixture {
    struct bench x;
    struct text bytes;
    struct blocks back;
    struct error error;
};

static void open(struct fixture *f, const char *schema)
{
    bench_open(&f->x, schema);
    f->bytes = (struct text){.memory = &f->x.os->memory};
    f->back = (struct blocks){.memory = &f->x.os->memory};
    beck__error_clear(&f->error);
}

static void close(struct fixture *f)
{
    beck__text_deinit(&f->bytes);
    beck__blocks_deinit(&f->back);
    bench_close(&f->x);
}

static void there_and_back(struct fixture *f)
{
    struct block_writer w;
    const beck_schema *schema = f->x.in.schema;
    bench_cut(&f->x);
    beck__text_clear(&f->bytes);
    beck__blocks_begin(&w, &f->bytes, schema);
    assert_ok(beck__blocks_put(&w, f->x.chunks.items, f->x.chunks.count, &f->error), f->error);
    beck__blocks_end(&w);
    struct reader in = {.data = (const uint8_t *)f->bytes.data, .size = f->bytes.size};
    assert_ok(beck__blocks_get(&f->x.os->memory, &in, schema, &f->back, &f->error), f->error);
    assert_int_equal(in.at, in.size);
}

static void test_round(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "k STRING, n BIGINT");
    there_and_back(&f);
    assert_int_equal(f.back.count, 0);
    for (int i = 0; i < 1000; i++) {
        ROW(&f.x, i % 3 ? "short" : "a string longer than a view", i);
        if (i % 100 == 7)
            bench_cut(&f.x);
    }
    there_and_back(&f);
    assert_int_equal(f.back.count, f.x.chunks.count);
    struct text a = {.memory = &f.x.os->memory}, b = a;
    assert_string_equal(blocks_text(&f.back, &a), blocks_text(&f.x.chunks, &b));
    beck__text_deinit(&a);
    beck__text_deinit(&b);
    close(&f);
}

static void check_same(const struct blocks *a, const struct blocks *b)
{
    struct text x = {.memory = a->memory}, y = x;
    assert_int_equal(a->rows, b->rows);
    assert_string_equal(blocks_text(a, &x), blocks_text(b, &y));
    beck__text_deinit(&x);
    beck__text_deinit(&y);
}

/* One block of 40 MiB: rows of 100 KiB. */
static void test_large(void **state)
{
    (void)state;
    struct fixture f;
    struct text line = {.memory = &beck__os_real()->memory};
    open(&f, "k STRING, n BIGINT");
    for (int i = 0; i < 100 * 1024 / 8; i++)
        beck__text_printf(&line, "%07d ", i);
    for (int i = 0; i < 410; i++)
        ROW(&f.x, beck_bytes_of(line.data, line.size), i);
    there_and_back(&f);
    assert_int_equal(f.x.chunks.count, 1);
    assert_true(f.back.count >= 3);
    check_same(&f.back, &f.x.chunks);
    beck__blocks_deinit(&f.back);
    struct blocks list = {.memory = &f.x.os->memory};
    assert_true(beck__blocks_append(&list, &f.x.chunks));
    assert_ok(beck__blocks_recode(list.memory, f.x.in.schema, &list, &f.error), f.error);
    assert_true(list.count >= 3);
    check_same(&list, &f.x.chunks);
    beck__blocks_deinit(&list);
    beck__text_deinit(&line);
    close(&f);
}

/* A row of its own that is too large: told with its size. */
static void test_too_large(void **state)
{
    (void)state;
    struct fixture f;
    struct block_writer w;
    size_t size = 17 << 20;
    open(&f, "k STRING");
    char *data = beck__arena_alloc(&f.x.arena, size);
    ROW(&f.x, "small");
    ROW(&f.x, beck_bytes_of(data, size));
    bench_cut(&f.x);
    beck__blocks_begin(&w, &f.bytes, f.x.in.schema);
    assert_int_equal(beck__blocks_put(&w, f.x.chunks.items, 1, &f.error), BECK_UNSUPPORTED);
    assert_contains(f.error.text, "1 rows of ");
    assert_contains(f.error.text, "do not fit into a block");
    close(&f);
}

static void test_recode(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t seed = 3;
    for (int round = 0; round < 20; round++) {
        struct arena arena = {.memory = &beck__os_real()->memory};
        struct text schema = {.memory = arena.memory};
        beck__schema_print(test_random_schema(&arena, &seed), &schema);
        open(&f, beck__text_get(&schema));
        for (int i = 0; i < 5; i++) {
            test_random_rows(&f.x.in, &arena, test_below(&seed, 50), &seed);
            bench_cut(&f.x);
        }
        struct blocks list = {.memory = arena.memory};
        assert_true(beck__blocks_append(&list, &f.x.chunks));
        assert_ok(beck__blocks_recode(arena.memory, f.x.in.schema, &list, &f.error), f.error);
        assert_int_equal(list.count, f.x.chunks.count);
        for (size_t i = 0; i < list.count; i++)
            assert_true(test_same_rows(list.items[i]->chunk, f.x.chunks.items[i]->chunk, NULL, 0,
                                       list.items[i]->chunk->rows));
        beck__blocks_deinit(&list);
        beck__text_deinit(&schema);
        beck__arena_deinit(&arena);
        close(&f);
    }
}

static void test_damage(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "k STRING");
    ROW(&f.x, "a string longer than a view");
    bench_cut(&f.x);
    ROW(&f.x, "b");
    there_and_back(&f);
    for (size_t size = 0; size < f.bytes.size; size++) {
        struct reader in = {.data = (const uint8_t *)f.bytes.data, .size = size};
        beck__blocks_deinit(&f.back);
        beck__error_clear(&f.error);
        assert_int_equal(beck__blocks_get(&f.x.os->memory, &in, f.x.in.schema, &f.back, &f.error),
                         BECK_CORRUPT);
    }
    close(&f);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "k STRING");
    for (int i = 0; i < 3; i++) {
        ROW(&f.x, "a string longer than a view");
        bench_cut(&f.x);
    }
    struct os *os = f.x.os;
    beck_status status = BECK_NO_MEMORY;
    for (uint64_t n = 1; status; n++) {
        struct blocks list = {.memory = &os->memory};
        assert_true(beck__blocks_append(&list, &f.x.chunks));
        beck__error_clear(&f.error);
        beck__os_memory_fail(os, n, false);
        status = beck__blocks_recode(&os->memory, f.x.in.schema, &list, &f.error);
        beck__os_memory_fail(os, 0, false);
        assert_true(status == BECK_OK || status == BECK_NO_MEMORY);
        assert_int_equal(status, f.error.status);
        check_same(&list, &f.x.chunks); /* after a failure what it was */
        beck__blocks_deinit(&list);
        assert_true(n < 1000);
    }
    close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_round),  test(test_large),  test(test_too_large),
        test(test_recode), test(test_damage), test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
