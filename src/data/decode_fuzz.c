/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode_fuzz - any bytes decode to a chunk that can be read, or are told to be damaged. They are
 * tried as they are, and once more with checksum, ids and lengths made right, so that the body is
 * reached; the word "map partition" then chooses the schema.
 */
#include "base/testing.h"
#include "data/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const schemas[] = {
    "word STRING, n BIGINT",
    "b BOOLEAN, d DOUBLE, t TIMESTAMP, x BINARY",
    "a ARRAY<STRING>, s STRUCT<x BIGINT, y STRING>",
    "k STRING, a ARRAY<STRUCT<x ARRAY<BOOLEAN>, y BINARY>>",
};

/* Reads everything, in every way the room has. */
static void read_all(const struct allocator *memory, const struct block *block)
{
    const beck_chunk *chunk = block->chunk;
    struct text out = {.memory = memory}, scratch = out;
    struct block *again = NULL;
    struct block *copy = beck__block_new(memory, block->schema, chunk, 0, chunk->rows, NULL);
    assert(copy);
    beck_status status = beck__block_encode(copy->chunk, block->schema, (struct block_place){1, 2},
                                            false, &out, NULL);
    assert(!status);
    status = beck__block_decode(memory, block->schema, out.data, out.size, &again, NULL, NULL);
    assert(!status && again->chunk->rows == chunk->rows);
    for (uint32_t i = 0; i < chunk->rows; i++) {
        for (uint32_t k = 0; k < chunk->columns; k++) {
            assert(beck__cell_equal(&chunk->column[k], i, &copy->chunk->column[k], i));
            assert(beck__cell_compare(&chunk->column[k], i, &again->chunk->column[k], i) == 0);
        }
        assert(beck__key_hash(chunk, 0, chunk->columns, i, &scratch) ==
               beck__key_hash(again->chunk, 0, chunk->columns, i, &scratch));
    }
    beck__block_unref(copy);
    beck__block_unref(again);
    beck__text_deinit(&out);
    beck__text_deinit(&scratch);
}

static void decode(const struct allocator *memory, const beck_schema *schema, const void *data,
                   size_t size)
{
    struct error error = {0};
    struct block *block = NULL;
    beck_status status = beck__block_decode(memory, schema, data, size, &block, NULL, &error);
    assert(status == (block ? BECK_OK : BECK_CORRUPT) && status == error.status);
    if (block)
        read_all(memory, block);
    beck__block_unref(block);
}

static const beck_schema *repair(struct arena *arena, struct block_header *header,
                                 const uint8_t *body, size_t size)
{
    const beck_schema *schema = NULL;
    const char *text = schemas[header->map % BECK__COUNT_OF(schemas)];
    beck_status status = beck__schema_parse(arena, text, &schema, NULL);
    assert(!status);
    memcpy(header->magic, "BKB1", 4);
    header->version = BECK__BLOCK_VERSION;
    header->flags &= BECK__BLOCK_LZ4;
    header->schema = beck__schema_id(schema);
    header->columns = schema->count;
    header->body = (uint32_t)size;
    if (header->flags == 0)
        header->raw = header->body;
    header->zero = 0;
    header->crc = beck__block_crc(header, body);
    return schema;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct test_memory memory;
    struct arena arena = {.memory = test_memory_init(&memory, 0)};
    struct block_header header;
    if (size < sizeof header)
        return 0;
    memcpy(&header, data, sizeof header);
    const beck_schema *schema = repair(&arena, &header, data + sizeof header, size - sizeof header);
    decode(&memory.allocator, schema, data, size);

    char *repaired = beck__alloc(&memory.allocator, size);
    assert(repaired);
    memcpy(repaired, data, size);
    memcpy(repaired, &header, sizeof header);
    decode(&memory.allocator, schema, repaired, size);
    beck__free(&memory.allocator, repaired, size);
    beck__arena_deinit(&arena);
    assert(memory.used == 0);
    return 0;
}
