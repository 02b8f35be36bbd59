/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.h - a 64-bit hash for traces and build ids: eight bytes a step, well mixed, not for tables.
 */
#ifndef BECK_OS_HASH_H
#define BECK_OS_HASH_H

#include "base/base.h"

/* The finaliser of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
 */
static inline uint64_t beck__os_mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static inline uint64_t beck__os_hash(uint64_t seed, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t hash = seed ^ size;
    while (size) {
        size_t step = size < 8 ? size : 8;
        uint64_t word = 0;
        memcpy(&word, bytes, step);
        hash = beck__os_mix(hash + 0x9e3779b97f4a7c15u + word);
        bytes += step;
        size -= step;
    }
    return hash;
}

#endif
