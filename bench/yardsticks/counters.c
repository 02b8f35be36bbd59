/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counters KEYS UPDATES: how fast one core can add 1 to counters of keys drawn at random: a table
 * of 16-byte slots, open addressing, at most half full, on huge pages, all keys in it; 64 updates
 * are looked up ahead and prefetched. Prints "seconds updates check" (the sum of all counters).
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { AHEAD = 64 };

struct counter {
    uint64_t key, count; /* key 0: none */
};

static uint64_t draw(uint64_t *x, uint64_t keys)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    __extension__ unsigned __int128 wide = (unsigned __int128)*x * keys;
    return (uint64_t)(wide >> 64) + 1;
}

static uint64_t spread(uint64_t key)
{
    key *= 0x9e3779b97f4a7c15u;
    return key ^ (key >> 32);
}

static double seconds_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct counter *find(struct counter *table, uint64_t mask, uint64_t key, uint64_t at)
{
    while (table[at].key && table[at].key != key)
        at = (at + 1) & mask;
    return &table[at];
}

int main(int argc, char **argv)
{
    uint64_t keys = argc > 1 ? strtoull(argv[1], NULL, 10) : 0, seed = 88172645463325252u;
    uint64_t updates = argc > 2 ? strtoull(argv[2], NULL, 10) / AHEAD * AHEAD : 0, slots = 1024;

    if (!keys || !updates) {
        fprintf(stderr, "usage: counters KEYS UPDATES\n");
        return 2;
    }
    while (slots < 2 * keys)
        slots *= 2;
    size_t size = slots * sizeof(struct counter);
    struct counter *table = aligned_alloc((size_t)2 << 20, size < (2 << 20) ? 2 << 20 : size);
    if (!table)
        return 1;
    madvise(table, size, MADV_HUGEPAGE);
    memset(table, 0, size);
    for (uint64_t key = 1; key <= keys; key++)
        find(table, slots - 1, key, spread(key) & (slots - 1))->key = key;
    double begin = seconds_now();
    for (uint64_t i = 0; i < updates; i += AHEAD) {
        uint64_t key[AHEAD], at[AHEAD];
        for (int j = 0; j < AHEAD; j++) {
            key[j] = draw(&seed, keys);
            at[j] = spread(key[j]) & (slots - 1);
            __builtin_prefetch(&table[at[j]], 1);
        }
        for (int j = 0; j < AHEAD; j++)
            find(table, slots - 1, key[j], at[j])->count++;
    }
    double took = seconds_now() - begin;
    uint64_t total = 0;
    for (uint64_t i = 0; i < slots; i++)
        total += table[i].count;
    free(table);
    printf("%.9f %llu %llu\n", took, (unsigned long long)updates, (unsigned long long)total);
    return 0;
}
