/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gentext BYTES - a text for word counts, the same on every machine: 100,000 words, the word of
 * rank r with a probability of 1/r (Zipf), frequent ones short and rare ones long, single spaces,
 * lines of at most 100 bytes. Ends at the first line end at or after BYTES.
 *
 * Ranks are drawn by inverting the running sum of 1/r with a table of 2^20 steps, refined by a
 * walk.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 100000u
#define STEPS (1u << 20)
#define LINE  100u

static uint64_t state = 0x853c49e6748fea9bu;

static uint64_t random_next(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1du;
}

static uint32_t random_below(uint32_t n)
{
    return (uint32_t)((random_next() >> 32) * n >> 32);
}

struct word {
    char text[32];
    uint32_t size;
};

static struct word words[WORDS];
static uint64_t sums[WORDS]; /* of 2^60 / r, so that no floating point decides */
static uint32_t first[STEPS + 1];

/* A length that grows by 2/5 of a byte per doubling of the rank; one word in sixteen gets a tail.
 */
static void make_word(struct word *w, uint32_t rank, uint32_t tries)
{
    uint32_t doublings = 31 - (uint32_t)__builtin_clz(rank + 1);

    w->size = 1 + doublings * 2 / 5 + random_below(3) + tries / 16;
    if (random_below(16) == 0)
        w->size += random_below(9);
    if (w->size > 31)
        w->size = 31;
    for (uint32_t i = 0; i < w->size; i++)
        w->text[i] = (char)('a' + random_below(26));
}

static uint32_t slot_of(const struct word *w, uint32_t mask)
{
    uint64_t h = 1469598103934665603u;

    for (uint32_t i = 0; i < w->size; i++)
        h = (h ^ (unsigned char)w->text[i]) * 1099511628211u;
    return (uint32_t)(h >> 20) & mask;
}

static void make_words(void)
{
    uint32_t mask = (1u << 19) - 1;
    uint32_t *slots = calloc(mask + 1, sizeof *slots); /* rank + 1 */

    if (!slots)
        exit(1);
    for (uint32_t r = 0; r < WORDS; r++)
        for (uint32_t tries = 0;; tries++) {
            struct word *w = &words[r];
            make_word(w, r, tries);
            uint32_t at = slot_of(w, mask);
            while (slots[at] && (words[slots[at] - 1].size != w->size ||
                                 memcmp(words[slots[at] - 1].text, w->text, w->size) != 0))
                at = (at + 1) & mask;
            if (slots[at])
                continue;
            slots[at] = r + 1;
            break;
        }
    free(slots);
}

static void make_sums(void)
{
    uint64_t sum = 0, one = (uint64_t)1 << 58;
    uint32_t rank = 0;

    for (uint32_t r = 0; r < WORDS; r++)
        sums[r] = sum += one / (r + 1);
    for (uint32_t s = 0; s < STEPS; s++) {
        __extension__ uint64_t at = (uint64_t)((unsigned __int128)sum * s / STEPS);
        while (sums[rank] <= at)
            rank++;
        first[s] = rank;
    }
}

static uint32_t draw(void)
{
    uint64_t x = random_next();
    __extension__ uint64_t at = (uint64_t)((unsigned __int128)sums[WORDS - 1] * x >> 64);
    uint32_t rank = first[x >> 44];

    while (sums[rank] <= at)
        rank++;
    return rank;
}

int main(int argc, char **argv)
{
    uint64_t bytes = argc == 2 ? strtoull(argv[1], NULL, 10) : 0, written = 0;
    static char line[LINE + 32];
    uint32_t size = 0;

    if (bytes == 0) {
        fprintf(stderr, "usage: gentext BYTES > FILE\n");
        return 2;
    }
    make_words();
    make_sums();
    while (written < bytes) {
        const struct word *w = &words[draw()];
        if (size && size + 1 + w->size + 1 > LINE) {
            line[size++] = '\n';
            if (fwrite(line, 1, size, stdout) != size)
                return 1;
            written += size;
            size = 0;
        }
        if (size)
            line[size++] = ' ';
        memcpy(line + size, w->text, w->size);
        size += w->size;
    }
    return fflush(stdout) ? 1 : 0;
}
