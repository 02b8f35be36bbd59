/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema_fuzz - any text parses or is an error; what parses prints to a text that parses to the
 * same.
 */
#include "base/testing.h"
#include "data/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct test_memory memory;
    struct arena arena = {.memory = test_memory_init(&memory, 0)};
    struct text input = {.memory = &memory.allocator}, output = input;
    struct error error = {0};
    const beck_schema *schema, *again;

    beck__text_append(&input, data, size);
    if (beck__schema_parse(&arena, beck__text_get(&input), &schema, &error)) {
        assert(error.status == BECK_INVALID && error.text[0]);
    } else {
        beck__schema_print(schema, &output);
        assert(!beck__schema_parse(&arena, beck__text_get(&output), &again, &error));
        assert(beck__schema_equal(schema, again, true));
        assert(beck__schema_id(schema) == beck__schema_id(again));
    }
    beck__text_deinit(&input);
    beck__text_deinit(&output);
    beck__arena_deinit(&arena);
    assert(memory.used == 0);
    return 0;
}
