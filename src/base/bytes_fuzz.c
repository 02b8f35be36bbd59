/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes_fuzz.c - any bytes are read without leaving them: each input byte chooses the next read.
 */
#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = {.data = data, .size = size};
    while (!in.bad && in.at < in.size) {
        size_t before = in.at;
        beck_str s;
        switch (beck__get_u8(&in) & 3) {
        case 0:
            beck__get_u32(&in);
            break;
        case 1:
            beck__get_u64(&in);
            break;
        case 2:
            s = beck__get_string(&in);
            for (size_t i = 0; i < s.size; i++)
                assert((const uint8_t *)s.data + i < data + size);
            break;
        default:
            break;
        }
        assert(in.at > before && in.at <= in.size);
    }
    return 0;
}
