/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_fuzz - any bytes decode to a program that fits, prints and survives its own bytes, or are
 * told to be damaged.
 */
#include "base/testing.h"
#include "plan/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct arena *arena, const struct program *program)
{
    struct text first = {.memory = arena->memory}, second = first;
    const struct program *copy = NULL;

    for (uint32_t i = 0; i < program->count; i++)
        assert(beck__op_fits(&program->ops[i]));
    beck__program_encode(program, &first);
    struct reader in = {.data = (const uint8_t *)first.data, .size = first.size};
    beck_status status = beck__program_decode(arena, &in, &copy, NULL);
    assert(!status && copy->count == program->count);
    assert(beck__schema_equal(copy->out, program->out, true));
    beck__program_encode(copy, &second);
    assert(second.size == first.size && memcmp(first.data, second.data, first.size) == 0);
    beck__program_print(copy, &second);
    assert(!second.failed);
    (void)beck__program_calls(copy);
    (void)beck__program_silent(copy);
    beck__text_deinit(&first);
    beck__text_deinit(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct test_memory memory;
    struct arena arena = {.memory = test_memory_init(&memory, 0)};
    struct reader in = {.data = data, .size = size};
    const struct program *program = NULL;
    struct error error = {0};
    beck_status status = beck__program_decode(&arena, &in, &program, &error);

    assert(status == error.status && (!status || status == BECK_CORRUPT));
    if (!status)
        check(&arena, program);
    beck__arena_deinit(&arena);
    assert(memory.used == 0);
    return 0;
}
