/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words - check sums of word counts, as the yardsticks make them: the sum of FNV-1a(word) x count
 * is the same in any order. Tasks add to it from their threads.
 */
#ifndef BENCH_WORDS_H
#define BENCH_WORDS_H

#include <beck/beck.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

static _Atomic uint64_t words_total, words_check;

static inline double seconds_now(void)
{
    struct timespec t;

    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* foreach_partition of (word STRING, n BIGINT). */
static inline void add_up(beck_call *c, beck_rows *rows)
{
    uint64_t total = 0, check = 0;
    beck_row row;

    (void)c;
    while (beck_next_row(rows, &row)) {
        beck_str word = beck_get_string(row, 0);
        uint64_t n = (uint64_t)beck_get_bigint(row, 1), h = 0xcbf29ce484222325u;
        for (size_t i = 0; i < word.size; i++)
            h = (h ^ (unsigned char)word.data[i]) * 0x100000001b3u;
        total += n;
        check += h * n;
    }
    atomic_fetch_add(&words_total, total);
    atomic_fetch_add(&words_check, check);
}

/* The document's own callback: "the quick fox" -> ("the", 1) ("quick", 1) ("fox", 1) */
static inline void split(beck_call *c, beck_row line)
{
    beck_str rest = beck_get_string(line, 0), word;

    while (beck_next_token(&rest, " ", &word))
        beck_emit(c, word, 1);
}

static inline void print_words(double seconds)
{
    printf("%.6f %llu %016llx\n", seconds, (unsigned long long)atomic_load(&words_total),
           (unsigned long long)atomic_load(&words_check));
}

#endif
