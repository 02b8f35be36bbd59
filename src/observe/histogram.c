/* SPDX-License-Identifier: Apache-2.0 */
/*
 * histogram.c - counts by magnitude. Bucket of a value v with highest bit e, for v >= 8:
 *
 *     v = 1 s2 s1 s0 x ... x        bucket = (e - 2) * 8 + s,  s = the three bits after the first
 *
 * Values below 8 have a bucket each; the last one is that of e = 63, s = 7: 495.
 */
#include "observe/observe.h"

static size_t bucket_of(uint64_t us)
{
    if (us < 8)
        return (size_t)us;
    unsigned e = 63 - (unsigned)__builtin_clzll(us);
    return (e - 2) * 8 + (size_t)(us >> (e - 3) & 7);
}

/* The value in the middle of a bucket. */
static uint64_t middle_of(size_t bucket)
{
    if (bucket < 16) /* up to 15 a bucket is one value */
        return bucket;
    unsigned e = (unsigned)(bucket / 8) + 2;
    uint64_t least = (8 + (uint64_t)(bucket % 8)) << (e - 3);
    return least + ((UINT64_C(1) << (e - 3)) >> 1);
}

void beck__histogram_add(struct histogram *h, uint64_t us)
{
    h->buckets[bucket_of(us)]++;
    h->count++;
    if (us > h->max)
        h->max = us;
}

uint64_t beck__histogram_quantile(const struct histogram *h, double q)
{
    uint64_t below = 0;

    if (h->count == 0)
        return 0;
    if (q >= 1)
        return h->max;
    uint64_t rank = q > 0 ? (uint64_t)(q * (double)h->count) : 0;
    for (size_t i = 0; i < BECK__COUNT_OF(h->buckets); i++) {
        below += h->buckets[i];
        if (below > rank)
            return middle_of(i) < h->max ? middle_of(i) : h->max;
    }
    return h->max;
}
