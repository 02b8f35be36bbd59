/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counter - counts the words of a text as fast as one thread of this machine can: the measuring
 * stick of the word counts. Nothing of the library uses it.
 *
 * A word is a run of bytes other than space and newline. A block of text is gone through three
 * times, so that no step waits for the one before:
 *
 *   1. positions of the delimiters, 64 bytes at a time
 *   2. each word becomes a key: up to 7 bytes in one number, up to 15 in two (length in the top
 * byte); the slot of a short key is fetched ahead. No branch depends on the text.
 *   3. counts go up: short keys, then middle ones, then long words
 *
 * Tables: open addressing, linear probing; a quarter full at most while small, else half.
 */
#ifndef YARDSTICK_COUNTER_H
#define YARDSTICK_COUNTER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define COUNTER_BLOCK 32768u
#define COUNTER_SLACK 64u /* readable bytes behind every text */

struct short_slot {
    uint64_t key, count;
};
struct middle_slot {
    uint64_t low, high, count, hash;
};
struct long_slot {
    char *bytes;
    uint64_t size, count, hash;
};
struct span {
    uint32_t at, size;
};
struct pair_key {
    uint64_t low, high, hash;
};

struct counter {
    struct short_slot *shorts;
    struct middle_slot *middles;
    struct long_slot *longs;
    uint64_t short_mask, middle_mask, long_mask;
    uint64_t short_used, middle_used, long_used;
    uint64_t words;
    uint32_t *marks;      /* delimiters of the block */
    uint64_t *short_keys; /* of the block */
    struct span *rest;    /* words that are not short */
    struct pair_key *middle_keys;
};

/* ---- memory and time ------------------------------------------------------------------------- */

static inline double seconds_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline void die(const char *what)
{
    perror(what);
    exit(1);
}

/* Zeroed pages, huge ones where they help. */
static inline void *pages(size_t size)
{
    size_t huge = (size_t)2 << 20, whole = (size + huge - 1) / huge * huge;

    if (size < huge) {
        void *p = calloc(1, size);
        if (!p)
            die("calloc");
        return p;
    }
    char *p = mmap(NULL, whole + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        die("mmap");
    char *aligned = (char *)(((uintptr_t)p + huge - 1) / huge * huge);
    size_t before = (size_t)(aligned - p);
    if (before)
        munmap(p, before);
    if (before < huge)
        munmap(aligned + whole, huge - before);
    madvise(aligned, whole, MADV_HUGEPAGE);
    return aligned;
}

static inline void give_back(void *p, size_t size)
{
    size_t huge = (size_t)2 << 20;

    if (size < huge)
        free(p);
    else
        munmap(p, (size + huge - 1) / huge * huge);
}

static inline void counter_init(struct counter *c)
{
    memset(c, 0, sizeof *c);
    c->short_mask = c->middle_mask = c->long_mask = 1023;
    c->shorts = pages(1024 * sizeof *c->shorts);
    c->middles = pages(1024 * sizeof *c->middles);
    c->longs = pages(1024 * sizeof *c->longs);
    c->marks = pages((COUNTER_BLOCK + 128) * sizeof *c->marks);
    c->short_keys = pages((COUNTER_BLOCK + 64) * sizeof *c->short_keys);
    c->rest = pages((COUNTER_BLOCK + 64) * sizeof *c->rest);
    c->middle_keys = pages((COUNTER_BLOCK + 64) * sizeof *c->middle_keys);
}

static inline void counter_deinit(struct counter *c)
{
    for (uint64_t i = 0; i <= c->long_mask; i++)
        free(c->longs[i].bytes);
    give_back(c->shorts, (c->short_mask + 1) * sizeof *c->shorts);
    give_back(c->middles, (c->middle_mask + 1) * sizeof *c->middles);
    give_back(c->longs, (c->long_mask + 1) * sizeof *c->longs);
    give_back(c->marks, (COUNTER_BLOCK + 128) * sizeof *c->marks);
    give_back(c->short_keys, (COUNTER_BLOCK + 64) * sizeof *c->short_keys);
    give_back(c->rest, (COUNTER_BLOCK + 64) * sizeof *c->rest);
    give_back(c->middle_keys, (COUNTER_BLOCK + 64) * sizeof *c->middle_keys);
}

/* ---- hashing ----------------------------------------------------- */

static inline uint64_t hash_short(uint64_t key)
{
#if defined(__SSE4_2__)
    return _mm_crc32_u64(0, key);
#else
    key *= 0x9e3779b97f4a7c15u;
    return key ^ key >> 32;
#endif
}

static inline uint64_t hash_pair(uint64_t low, uint64_t high)
{
    __extension__ unsigned __int128 m =
        (unsigned __int128)(low ^ 0xa0761d6478bd642fu) * (high ^ 0xe7037ed1a0b428dbu);
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* ---- tables ----------------------------------------------------- */

static void shorts_grow(struct counter *c)
{
    uint64_t slots = 2 * (c->short_mask + 1);
    struct short_slot *fresh = pages(slots * sizeof *fresh);

    for (uint64_t i = 0; i <= c->short_mask; i++) {
        if (!c->shorts[i].key)
            continue;
        uint64_t at = hash_short(c->shorts[i].key) & (slots - 1);
        while (fresh[at].key)
            at = (at + 1) & (slots - 1);
        fresh[at] = c->shorts[i];
    }
    give_back(c->shorts, (c->short_mask + 1) * sizeof *fresh);
    c->shorts = fresh;
    c->short_mask = slots - 1;
}

static inline void add_short(struct counter *c, uint64_t key, uint64_t n)
{
    uint64_t at = hash_short(key) & c->short_mask;

    while (c->shorts[at].key != key) {
        if (!c->shorts[at].key) {
            c->shorts[at].key = key;
            c->shorts[at].count = n;
            if (++c->short_used * (c->short_mask < 131071 ? 4 : 2) > c->short_mask)
                shorts_grow(c);
            return;
        }
        at = (at + 1) & c->short_mask;
    }
    c->shorts[at].count += n;
}

static void middles_grow(struct counter *c)
{
    uint64_t slots = 2 * (c->middle_mask + 1);
    struct middle_slot *fresh = pages(slots * sizeof *fresh);

    for (uint64_t i = 0; i <= c->middle_mask; i++) {
        if (!c->middles[i].high)
            continue;
        uint64_t at = c->middles[i].hash & (slots - 1);
        while (fresh[at].high)
            at = (at + 1) & (slots - 1);
        fresh[at] = c->middles[i];
    }
    give_back(c->middles, (c->middle_mask + 1) * sizeof *fresh);
    c->middles = fresh;
    c->middle_mask = slots - 1;
}

static inline void add_middle(struct counter *c, const struct pair_key *key, uint64_t n)
{
    uint64_t at = key->hash & c->middle_mask;

    while ((c->middles[at].low ^ key->low) | (c->middles[at].high ^ key->high)) {
        if (!c->middles[at].high) {
            c->middles[at] = (struct middle_slot){key->low, key->high, n, key->hash};
            if (++c->middle_used * 2 > c->middle_mask)
                middles_grow(c);
            return;
        }
        at = (at + 1) & c->middle_mask;
    }
    c->middles[at].count += n;
}

static void longs_grow(struct counter *c)
{
    uint64_t slots = 2 * (c->long_mask + 1);
    struct long_slot *fresh = pages(slots * sizeof *fresh);

    for (uint64_t i = 0; i <= c->long_mask; i++) {
        if (!c->longs[i].bytes)
            continue;
        uint64_t at = c->longs[i].hash & (slots - 1);
        while (fresh[at].bytes)
            at = (at + 1) & (slots - 1);
        fresh[at] = c->longs[i];
    }
    give_back(c->longs, (c->long_mask + 1) * sizeof *fresh);
    c->longs = fresh;
    c->long_mask = slots - 1;
}

static uint64_t hash_bytes(const char *p, uint64_t size)
{
    uint64_t h = size, x;

    for (; size >= 8; p += 8, size -= 8) {
        memcpy(&x, p, 8);
        h = hash_pair(h ^ x, h);
    }
    x = 0;
    memcpy(&x, p, size);
    return hash_pair(h ^ x, h);
}

static void add_long(struct counter *c, const char *p, uint64_t size, uint64_t n)
{
    uint64_t h = hash_bytes(p, size), at = h & c->long_mask;

    for (; c->longs[at].bytes; at = (at + 1) & c->long_mask)
        if (c->longs[at].hash == h && c->longs[at].size == size &&
            !memcmp(c->longs[at].bytes, p, size)) {
            c->longs[at].count += n;
            return;
        }
    char *copy = malloc(size);
    if (!copy)
        die("malloc");
    memcpy(copy, p, size);
    c->longs[at] = (struct long_slot){copy, size, n, h};
    if (++c->long_used * 2 > c->long_mask)
        longs_grow(c);
}

/* One word, reading nothing behind it. */
static void add_word(struct counter *c, const char *p, uint64_t size, uint64_t n)
{
    uint64_t x[2] = {0, 0};

    if (size > 15) {
        add_long(c, p, size, n);
        return;
    }
    memcpy(x, p, size);
    if (size < 8) {
        add_short(c, x[0] | size << 56, n);
        return;
    }
    struct pair_key key = {x[0], x[1] | size << 56, 0};
    key.hash = hash_pair(key.low, key.high);
    add_middle(c, &key, n);
}

/* ---- a block ----------------------------------------------------- */

static inline uint64_t marks_of(const char *p)
{
    uint64_t mask = 0;
#if defined(__AVX512BW__)
    __m512i v = _mm512_loadu_si512(p);
    mask = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(' ')) |
           _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\n'));
#elif defined(__SSE2__)
    for (int i = 0; i < 4; i++) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')),
                                   _mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(hit) << (16 * i);
    }
#else
    for (int i = 0; i < 64; i++)
        mask |= (uint64_t)(p[i] == ' ' || p[i] == '\n') << i;
#endif
    return mask;
}

/* Writes positions of the bits of `mask`, counted from `base`; up to 64 entries may be scribbled
 * on. */
static inline uint32_t spread_bits(uint64_t mask, uint32_t base, uint32_t *out)
{
    uint32_t n = (uint32_t)__builtin_popcountll(mask);
#if defined(__AVX512VBMI2__)
    static const uint8_t numbers[64] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    __m512i packed = _mm512_maskz_compress_epi8(mask, _mm512_loadu_si512(numbers));
    __m512i first = _mm512_set1_epi32((int)base);
    _mm512_storeu_si512(
        out, _mm512_add_epi32(first, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(packed))));
    if (__builtin_expect(n > 16, 0)) {
        uint8_t left[64];
        _mm512_storeu_si512(left, packed);
        for (uint32_t i = 16; i < n; i++)
            out[i] = base + left[i];
    }
#else
    for (uint32_t i = 0; i < n; i++, mask &= mask - 1)
        out[i] = base + (uint32_t)__builtin_ctzll(mask);
#endif
    return n;
}

static inline uint64_t short_key(const char *p, uint32_t size) /* size > 7: of no use */
{
    uint64_t x;

    memcpy(&x, p, 8);
#if defined(__BMI2__)
    x = _bzhi_u64(x, 8 * size);
#else
    x &= ~(~(uint64_t)0 << (8 * size & 63));
#endif
    return x | (uint64_t)size << 56;
}

static inline struct pair_key middle_key(const char *p, uint32_t size) /* 8 to 15 bytes */
{
    struct pair_key key;
    uint64_t high;

    memcpy(&key.low, p, 8);
    memcpy(&high, p + 8, 8);
    key.high = (high & (((uint64_t)1 << (8 * (size - 8))) - 1)) | (uint64_t)size << 56;
    key.hash = hash_pair(key.low, key.high);
    return key;
}

static inline void count_rest(struct counter *c, const char *p, uint32_t count)
{
    uint32_t middles = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct span s = c->rest[i];
        if (__builtin_expect(s.size > 15, 0)) {
            add_long(c, p + s.at, s.size, 1);
            continue;
        }
        struct pair_key key = middle_key(p + s.at, s.size);
        __builtin_prefetch(&c->middles[key.hash & c->middle_mask], 1);
        c->middle_keys[middles++] = key;
    }
    for (uint32_t i = 0; i < middles; i++)
        add_middle(c, &c->middle_keys[i], 1);
}

/* Counts the words of p[0, size) that end at a delimiter; returns where the unfinished one begins.
 */
static uint32_t count_block(struct counter *c, const char *p, uint32_t size)
{
    uint32_t marks = 0, shorts = 0, others = 0, start = 0;

    for (uint32_t at = 0; at < size; at += 64) {
        uint64_t mask = marks_of(p + at);
        if (size - at < 64)
            mask &= ((uint64_t)1 << (size - at)) - 1;
        marks += spread_bits(mask, at, c->marks + marks);
    }
    for (uint32_t i = 0; i < marks; i++) {
        uint32_t end = c->marks[i], length = end - start;
        uint64_t key = short_key(p + start, length);
        __builtin_prefetch(&c->shorts[hash_short(key) & c->short_mask], 1);
        c->short_keys[shorts] = key;
        shorts += length - 1 < 7;
        c->rest[others] = (struct span){start, length};
        others += length > 7;
        start = end + 1;
    }
    for (uint32_t i = 0; i < shorts; i++)
        add_short(c, c->short_keys[i], 1);
    count_rest(c, p, others);
    c->words += shorts + others;
    return start;
}

/* Counts the words of p[0, size) that are finished; returns how many bytes were used. */
static inline size_t counter_feed(struct counter *c, const char *p, size_t size)
{
    size_t at = 0;

    while (at < size) {
        uint32_t piece = size - at < COUNTER_BLOCK ? (uint32_t)(size - at) : COUNTER_BLOCK;
        uint32_t used = count_block(c, p + at, piece);
        if (used == 0 && piece == COUNTER_BLOCK) { /* a word longer than a block */
            size_t end = at + piece;
            while (end < size && p[end] != ' ' && p[end] != '\n')
                end++;
            if (end == size)
                return at;
            add_long(c, p + at, end - at, 1);
            c->words++;
            used = (uint32_t)(end - at) + 1;
        }
        if (used == 0)
            return at;
        at += used;
    }
    return at;
}

static inline void counter_last(struct counter *c, const char *p, size_t size)
{
    if (size) {
        add_word(c, p, size, 1);
        c->words++;
    }
}

static inline void counter_merge(struct counter *into, const struct counter *from)
{
    for (uint64_t i = 0; i <= from->short_mask; i++)
        if (from->shorts[i].key)
            add_short(into, from->shorts[i].key, from->shorts[i].count);
    for (uint64_t i = 0; i <= from->middle_mask; i++)
        if (from->middles[i].high) {
            struct pair_key key = {from->middles[i].low, from->middles[i].high,
                                   from->middles[i].hash};
            add_middle(into, &key, from->middles[i].count);
        }
    for (uint64_t i = 0; i <= from->long_mask; i++)
        if (from->longs[i].bytes)
            add_long(into, from->longs[i].bytes, from->longs[i].size, from->longs[i].count);
    into->words += from->words;
}

/* FNV-1a of a word: what the check sums are made of. */
static inline uint64_t check_word(const char *p, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < size; i++)
        h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
    return h;
}

/* Sum over all words of check_word x count: the same for every order and every way of counting. */
static inline uint64_t counter_check(const struct counter *c)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i <= c->short_mask; i++)
        if (c->shorts[i].key)
            sum += check_word((const char *)&c->shorts[i].key, c->shorts[i].key >> 56) *
                   c->shorts[i].count;
    for (uint64_t i = 0; i <= c->middle_mask; i++)
        if (c->middles[i].high)
            sum += check_word((const char *)&c->middles[i].low, c->middles[i].high >> 56) *
                   c->middles[i].count;
    for (uint64_t i = 0; i <= c->long_mask; i++)
        if (c->longs[i].bytes)
            sum += check_word(c->longs[i].bytes, c->longs[i].size) * c->longs[i].count;
    return sum;
}

#endif
