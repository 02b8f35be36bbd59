/* SPDX-License-Identifier: Apache-2.0 */
/*
 * states track|touched|callback KEYS ROWS BATCHES [options]: counters by key, KEYS of them there
 * already, and BATCHES batches of ROWS updates of keys drawn at random (0: empty batches). Prints
 * "seconds updates check bytes": the time of the batches, the sum of all counters, and what a key
 * takes in memory, of those after the first million.
 */
#include "words.h"

#include <beck/streams.h>
#include <beck/testing.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 100000, DIFFERENT = 4 };

struct piece {
    int64_t keys;
};

/* The number of a piece -> (k, 0) for each of its keys. */
static void make_keys(beck_call *c, beck_row in)
{
    const struct piece *p = beck_ctx(c);
    int64_t first = beck_get_bigint(in, 0) * PIECE, end = first + PIECE;

    for (int64_t k = first; k < (end < p->keys ? end : p->keys); k++)
        beck_emit(c, k, 0);
}

/* A running sum of one's own. */
static void running(beck_call *c, beck_row key, beck_rows *values, beck_state *state)
{
    int64_t sum = beck_state_bigint(state, 0, 0);
    beck_row row;

    (void)c;
    (void)key;
    while (beck_next_row(values, &row))
        sum += beck_get_bigint(row, 0);
    beck_state_put(state, sum);
}

static void add(beck_call *c, beck_row in)
{
    (void)c;
    atomic_fetch_add_explicit(&words_check, (uint64_t)beck_get_bigint(in, 1), memory_order_relaxed);
    atomic_fetch_add_explicit(&words_total, 1, memory_order_relaxed);
}

static void look(beck_call *c, beck_rdd *states)
{
    if (*(const bool *)beck_ctx(c))
        beck_foreach(states, add);
}

static double resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long size = 0, pages = 0;

    if (f && fscanf(f, "%lu %lu", &size, &pages) != 2)
        pages = 0;
    if (f)
        fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static uint64_t draw(uint64_t *x, uint64_t keys)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    __extension__ unsigned __int128 wide = (unsigned __int128)*x * keys;
    return (uint64_t)(wide >> 64);
}

static beck_rdd *updates(beck_context *ctx, int64_t keys, int64_t rows, uint64_t *seed)
{
    beck_value *values = calloc((size_t)rows * 2 + 1, sizeof *values);

    for (int64_t i = 0; values && i < rows; i++) {
        values[2 * i] = beck_integer_value((int64_t)draw(seed, (uint64_t)keys));
        values[2 * i + 1] = beck_integer_value(1);
    }
    beck_rdd *rdd = beck_parallelize(ctx, "k BIGINT, n BIGINT", values, (size_t)rows);
    free(values);
    return rdd;
}

/* All keys, a million per batch. */
static void fill(beck_context *ctx, beck_dstream *pieces, int64_t first, int64_t keys)
{
    beck_value numbers[10];

    for (int64_t piece = first / PIECE; piece * PIECE < keys; piece += 10) {
        for (int64_t i = 0; i < 10; i++)
            numbers[i] = beck_integer_value(piece + i);
        beck_queue_push(pieces, beck_parallelize(ctx, "piece BIGINT", numbers, 10));
        beck_step(ctx, 1000);
    }
}

int main(int argc, char **argv)
{
    beck_context *ctx = beck_context_new("states", .batch_ms = 1000, .manual_clock = true,
                                         .argc = argc, .argv = argv);
    bool last = false;
    uint64_t seed = 88172645463325252u;

    argv = beck_args(ctx, &argc);
    if (argc != 5) {
        fprintf(stderr, "usage: states track|touched|callback KEYS ROWS BATCHES\n");
        beck_context_free(ctx);
        return 2;
    }
    struct piece piece = {atoll(argv[2])};
    int64_t rows = atoll(argv[3]), batches = atoll(argv[4]);
    beck_rdd *different[DIFFERENT];
    for (int i = 0; i < DIFFERENT && rows; i++)
        different[i] = updates(ctx, piece.keys, rows, &seed);
    beck_dstream *pieces = beck_queue_stream(ctx, "piece BIGINT");
    beck_dstream *added = beck_queue_stream(ctx, "k BIGINT, n BIGINT");
    beck_dstream *all = beck_union(beck_flat_map(pieces, "k BIGINT, n BIGINT", make_keys,
                                                 .ctx = &piece, .ctx_size = sizeof piece),
                                   added);
    beck_dstream *states =
        strcmp(argv[1], "track") == 0
            ? beck_state_snapshots(
                  beck_map_with_state(all, "n BIGINT", "k BIGINT, n BIGINT", beck_track_sum))
            : beck_update_state_by_key(
                  all, "n BIGINT", strcmp(argv[1], "callback") == 0 ? running : beck_running_sum,
                  .touched_only = true);
    beck_foreach_rdd(states, look, .ctx = &last);
    int64_t first = piece.keys < 10 * PIECE ? piece.keys : 10 * PIECE;
    fill(ctx, pieces, 0, first);
    double before = resident_bytes();
    fill(ctx, pieces, first, piece.keys);
    double bytes = (resident_bytes() - before) / (double)(piece.keys - first);
    for (int64_t i = 0; rows && i < batches; i++)
        beck_queue_push(added, different[i % DIFFERENT]);
    double begin = seconds_now();
    beck_step(ctx, batches * 1000);
    double took = seconds_now() - begin;
    last = true;
    beck_step(ctx, 1000);
    printf("%.9f %lld %llu", took, (long long)(rows * batches),
           (unsigned long long)atomic_load(&words_check));
    if (piece.keys > first)
        printf(" %.1f", bytes);
    printf("\n");
    int code = beck_error(ctx) ? 1 : 0;
    beck_context_free(ctx);
    return code;
}
