/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_test - a block has the rows it was made of and nothing else; buffers live as long as
 * someone points into them; lists hold references.
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

static void test_is_a_copy(void **state)
{
    (void)state;
    uint64_t seed = 41;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 300; round++) {
        struct fixture f;
        beck__arena_init(&f.arena, test_memory_init(&f.memory, 0));
        const beck_schema *schema = test_random_schema(&f.arena, &seed);
        const struct allocator *memory = &f.memory.allocator;
        assert_int_equal(beck__builder_init(&f.b, memory, schema, 0, NULL), BECK_OK);
        test_random_rows(&f.b, &f.arena, test_below(&seed, 200), &seed);
        uint32_t from = test_below(&seed, f.b.chunk->rows + 1);
        uint32_t count = test_below(&seed, f.b.chunk->rows - from + 1);

        size_t before = f.memory.used;
        struct block *block = beck__block_new(memory, schema, f.b.chunk, from, count, NULL);
        assert_non_null(block);
        assert_int_equal(block->bytes, f.memory.used - before);
        assert_int_equal(block->chunk->rows, count);
        assert_true(test_same_rows(block->chunk, f.b.chunk, NULL, from, count));
        struct block *again = beck__block_new(memory, schema, block->chunk, 0, count, NULL);
        assert_int_equal(again->bytes, block->bytes);
        beck__builder_deinit(&f.b);
        assert_true(test_same_rows(block->chunk, again->chunk, NULL, 0, count));
        beck__block_unref(block);
        beck__block_unref(again);
        beck__arena_deinit(&f.arena);
        assert_int_equal(f.memory.used, 0);
    }
}

static void test_shares_a_buffer(void **state)
{
    (void)state;
    struct fixture f;
    open(&f, "s STRING");
    struct buffer *buffer = beck__buffer_new(&f.memory.allocator, 100);
    memset(buffer->data, 'x', 100);
    buffer->size = 100;
    static const char other[] = "a long string somewhere else";
    beck_view *views;
    assert_true(beck__builder_reserve(&f.b, 4));
    views = f.b.chunk->column[0].data;
    views[0] = beck__view(buffer->data, 5);
    views[1] = beck__view(buffer->data + 5, 60);
    views[2] = beck__view(other, sizeof other);
    views[3] = beck__view(buffer->data + 70, 30);
    f.b.chunk->column[0].size = f.b.chunk->rows = 4;

    struct block *one = beck__block_new(&f.memory.allocator, f.b.schema, f.b.chunk, 0, 4, buffer);
    struct block *two = beck__block_new(&f.memory.allocator, f.b.schema, f.b.chunk, 0, 1, buffer);
    struct block *own = beck__block_new(&f.memory.allocator, f.b.schema, f.b.chunk, 0, 4, NULL);
    assert_int_equal(one->buffer_count, 1);
    assert_ptr_equal(one->buffers[0], buffer);
    assert_int_equal(two->buffer_count, 0); /* short strings do not pin it */
    assert_int_equal(own->buffer_count, 0);
    assert_int_equal(one->bytes, own->bytes + sizeof buffer);
    const beck_view *shared = one->chunk->column[0].data;
    assert_ptr_equal(shared[1].u.data, buffer->data + 5);
    assert_ptr_not_equal(shared[2].u.data, other);
    assert_ptr_equal(shared[3].u.data, buffer->data + 70);

    beck__buffer_unref(buffer);
    assert_true(test_same_rows(one->chunk, own->chunk, NULL, 0, 4));
    beck__block_ref(one);
    beck__block_unref(one);
    assert_true(test_same_rows(one->chunk, own->chunk, NULL, 0, 4));
    beck__block_unref(one);
    beck__block_unref(two);
    beck__block_unref(own);
    beck__block_unref(NULL);
    beck__buffer_unref(NULL);
    close(&f);
}

static void test_lists(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t seed = 2;
    open(&f, "s STRING, n BIGINT");
    test_random_rows(&f.b, &f.arena, 10, &seed);
    const struct allocator *memory = &f.memory.allocator;
    struct blocks list = {.memory = memory}, other = {.memory = memory};
    size_t bytes = 0;
    for (uint32_t i = 0; i < 20; i++) {
        struct block *block = beck__block_new(memory, f.b.schema, f.b.chunk, 0, i % 10, NULL);
        bytes += block->bytes;
        assert_true(beck__blocks_add(&list, block));
    }
    assert_int_equal(list.count, 20);
    assert_int_equal(list.rows, 90);
    assert_int_equal(list.bytes, bytes);
    assert_true(beck__blocks_append(&other, &list));
    assert_true(beck__blocks_append(&other, &other));
    assert_int_equal(other.count, 40);
    assert_int_equal(other.rows, 180);
    beck__blocks_deinit(&list);
    beck__blocks_deinit(&list);
    assert_int_equal(other.items[39]->chunk->rows, 9);
    beck__blocks_deinit(&other);
    close(&f);
}

static void test_every_allocation_fails(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t seed = 2;
    open(&f, "s STRING, n ARRAY<BIGINT>");
    test_random_rows(&f.b, &f.arena, 10, &seed);
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        struct test_memory memory;
        test_memory_init(&memory, n);
        struct buffer *buffer = beck__buffer_new(&memory.allocator, 10);
        struct blocks list = {.memory = &memory.allocator}, other = list;
        done = buffer != NULL;
        for (uint32_t i = 0; i < 10; i++) {
            struct block *block =
                beck__block_new(&memory.allocator, f.b.schema, f.b.chunk, 0, i, NULL);
            done = block && beck__blocks_add(&list, block) && done;
        }
        done = beck__blocks_append(&other, &list) && done;
        beck__blocks_deinit(&list);
        beck__blocks_deinit(&other);
        beck__buffer_unref(buffer);
        assert_int_equal(memory.used, 0);
    }
    assert_null(beck__buffer_new(&f.memory.allocator, SIZE_MAX));
    close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_a_copy),
        cmocka_unit_test(test_shares_a_buffer),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
