/* SPDX-License-Identifier: Apache-2.0 */
/*
 * raw_socket_fuzz - any bytes, in any pieces: whole blocks come out of them or an error does, the
 * same ones however they were cut, and the buffer holds no more than one block.
 */
#include "base/testing.h"
#include "connectors/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How many blocks come, and how it ends. */
static beck_status cut(const struct allocator *memory, const beck_schema *schema,
                       const uint8_t *data, size_t size, size_t piece, size_t *blocks)
{
    struct frames frames = {.schema = schema, .bytes = {.memory = memory}};
    beck_status status = BECK_AGAIN;

    *blocks = 0;
    for (size_t at = 0; at < size && status == BECK_AGAIN; at += piece) {
        struct block *block;
        beck__text_append(&frames.bytes, data + at, size - at < piece ? size - at : piece);
        while (!(status = beck__frames_next(&frames, &block, NULL))) {
            beck__block_unref(block);
            ++*blocks;
        }
    }
    beck__text_deinit(&frames.bytes);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct test_memory memory;
    struct arena arena = {.memory = test_memory_init(&memory, 0)};
    const beck_schema *schema;
    size_t whole, pieces;

    beck_status status = beck__schema_parse(&arena, "word STRING, n BIGINT", &schema, NULL);
    assert(!status);
    status = cut(&memory.allocator, schema, data, size, size ? size : 1, &whole);
    beck_status again = cut(&memory.allocator, schema, data, size, size ? 1 + data[0] : 1, &pieces);
    assert(status == again && whole == pieces);
    beck__arena_deinit(&arena);
    assert(memory.used == 0);
    return 0;
}
