/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes.c - little-endian encoding into a text, and the reader that never leaves its bytes.
 */
#include "base/base.h"

void beck__put_u8(struct text *out, uint8_t x)
{
    beck__text_append(out, &x, 1);
}

void beck__set_u32(struct text *out, size_t at, uint32_t x)
{
    for (int i = 0; i < 4 && !out->failed; i++)
        out->data[at + (size_t)i] = (char)(x >> 8 * i);
}

void beck__put_u32(struct text *out, uint32_t x)
{
    uint8_t bytes[4];
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(x >> 8 * i);
    beck__text_append(out, bytes, sizeof bytes);
}

void beck__put_u64(struct text *out, uint64_t x)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(x >> 8 * i);
    beck__text_append(out, bytes, sizeof bytes);
}

void beck__put_string(struct text *out, beck_str s)
{
    if (s.size > UINT32_MAX) {
        out->failed = true;
        return;
    }
    beck__put_u32(out, (uint32_t)s.size);
    beck__text_append(out, s.data, s.size);
}

/* The next `size` bytes, or NULL and `bad`. */
static const uint8_t *take(struct reader *in, size_t size)
{
    if (in->bad || in->at > in->size || in->size - in->at < size) {
        in->bad = true;
        return NULL;
    }
    const uint8_t *p = in->data + in->at;
    in->at += size;
    return p;
}

uint8_t beck__get_u8(struct reader *in)
{
    const uint8_t *p = take(in, 1);
    return p ? *p : 0;
}

uint32_t beck__get_u32(struct reader *in)
{
    const uint8_t *p = take(in, 4);
    return p ? (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24
             : 0;
}

uint64_t beck__get_u64(struct reader *in)
{
    const uint8_t *p = take(in, 8);
    uint64_t x = 0;
    for (int i = 0; p && i < 8; i++)
        x |= (uint64_t)p[i] << 8 * i;
    return x;
}

beck_str beck__get_string(struct reader *in)
{
    uint32_t size = beck__get_u32(in);
    if (!size)
        return beck_string("");
    const uint8_t *p = take(in, size);
    return p ? beck_bytes_of(p, size) : beck_string("");
}
