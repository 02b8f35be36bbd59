/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bits - ranges of bits in validity bitmaps. Never touches a byte outside the range, nor a bit.
 */
#include "data/inside.h"

static void put(uint8_t *bits, size_t i, bool value)
{
    if (value)
        beck__bit_set(bits, i);
    else
        beck__bit_clear(bits, i);
}

void beck__bits_fill(uint8_t *bits, size_t from, size_t count, bool value)
{
    size_t end = from + count;
    for (; from < end && (from & 7) != 0; from++)
        put(bits, from, value);
    size_t bytes = (end - from) >> 3;
    if (bytes > 0)
        memset(bits + (from >> 3), value ? 0xff : 0, bytes);
    for (from += bytes << 3; from < end; from++)
        put(bits, from, value);
}

void beck__bits_copy(uint8_t *to, size_t at, const uint8_t *from, size_t first, size_t count)
{
    for (; count > 0 && (at & 7) != 0; count--)
        put(to, at++, beck__bit_get(from, first++));

    size_t bytes = count >> 3;
    unsigned shift = first & 7;
    uint8_t *out = to + (at >> 3);
    const uint8_t *in = from + (first >> 3);
    if (shift == 0 && bytes > 0)
        memcpy(out, in, bytes);
    for (size_t i = 0; shift != 0 && i < bytes; i++)
        out[i] = (uint8_t)(in[i] >> shift | in[i + 1] << (8 - shift));

    at += bytes << 3;
    first += bytes << 3;
    for (count &= 7; count > 0; count--)
        put(to, at++, beck__bit_get(from, first++));
}

/* Neighbours are added up: bits, pairs, nibbles, bytes (the instruction is not everywhere). */
static size_t ones_of(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (size_t)(x * 0x0101010101010101u >> 56);
}

size_t beck__bits_ones(const uint8_t *bits, size_t from, size_t count)
{
    size_t end = from + count, ones = 0;
    for (; from < end && (from & 7) != 0; from++)
        ones += beck__bit_get(bits, from);
    for (; from + 64 <= end; from += 64) {
        uint64_t word;
        memcpy(&word, bits + (from >> 3), sizeof word);
        ones += ones_of(word);
    }
    for (; from < end; from++)
        ones += beck__bit_get(bits, from);
    return ones;
}
