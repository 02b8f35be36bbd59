/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of options: an error or values in their range, never a crash. */
#include "base/testing.h"
#include "config/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct test_memory test;
    struct arena arena = {0};
    struct error error = {0};

    beck__arena_init(&arena, test_memory_init(&test, 0));
    struct settings *settings = beck__settings_new(&arena);
    assert(settings);
    beck_status status = beck__settings_file(settings, "f", (const char *)data, size, &error);
    assert((status == BECK_OK) == (error.text[0] == '\0'));
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct definition *d = &beck__definitions[i];
        int64_t number = beck__settings_number(settings, (enum option)i);
        bool ranged = d->kind == KIND_DURATION || d->kind == KIND_BYTES || d->kind == KIND_COUNT;
        assert(!ranged || (number >= d->least && number <= d->most));
        (void)number;
        (void)ranged;
    }
    beck__arena_deinit(&arena);
    assert(test.used == 0);
    return 0;
}
