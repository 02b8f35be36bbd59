/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.c - cutting tokens off a string. One separator, the usual case, is looked for eight bytes
 * at a time; several make a set of 256 bits.
 */
#include "base/base.h"

#define ONES  0x0101010101010101u
#define HIGHS 0x8080808080808080u

/* The first `byte` in [p, end), or end. */
static const char *find_byte(const char *p, const char *end, uint8_t byte)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t pattern = ONES * byte;
    for (; end - p >= 8; p += 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        word ^= pattern;
        uint64_t zeros = (word - ONES) & ~word & HIGHS; /* exact for the lowest zero byte */
        if (zeros)
            return p + __builtin_ctzll(zeros) / 8;
    }
#endif
    while (p < end && (uint8_t)*p != byte)
        p++;
    return p;
}

struct byte_set {
    uint64_t bits[4];
};

static bool in_set(const struct byte_set *set, char c)
{
    uint8_t byte = (uint8_t)c;
    return set->bits[byte >> 6] >> (byte & 63) & 1;
}

static void set_of(struct byte_set *set, const char *separators)
{
    memset(set, 0, sizeof *set);
    for (; *separators; separators++) {
        uint8_t byte = (uint8_t)*separators;
        set->bits[byte >> 6] |= (uint64_t)1 << (byte & 63);
    }
}

bool beck_next_token(beck_str *rest, const char *separators, beck_str *token)
{
    const char *p = rest->data, *end = p + rest->size, *stop;
    if (separators[0] && !separators[1]) {
        while (p < end && *p == separators[0])
            p++;
        stop = find_byte(p, end, (uint8_t)separators[0]);
    } else {
        struct byte_set set;
        set_of(&set, separators);
        while (p < end && in_set(&set, *p))
            p++;
        for (stop = p; stop < end && !in_set(&set, *stop);)
            stop++;
    }
    *token = beck_bytes_of(p, (size_t)(stop - p));
    *rest = beck_bytes_of(stop, (size_t)(end - stop));
    return token->size > 0;
}
