/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shared_fuzz.c - any bytes as news of what tasks share: the copy takes them, or says that they are
 * damaged; what it took it can pass on.
 */
#include "exec/exec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct os *os = beck__os_real();
    struct reader in = {.data = data, .size = size};
    struct text text = {.memory = &os->memory};
    struct error error = {0};
    struct shared copy, again;

    if (beck__shared_init(&copy, os) || beck__shared_init(&again, os))
        return 0;
    beck_status status = beck__shared_decode(&copy, &in, &error);
    assert(status == error.status && in.at <= size);
    beck__shared_encode(&copy, 0, &text);
    in = (struct reader){.data = (const uint8_t *)text.data, .size = text.size};
    assert(beck__shared_decode(&again, &in, NULL) == BECK_OK);
    assert(again.count == copy.count);
    beck__text_deinit(&text);
    beck__shared_deinit(&copy);
    beck__shared_deinit(&again);
    return 0;
}
