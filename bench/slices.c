/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slices N [options]: a sum per key over a window of N batches that slides by one, 10,000 keys in
 * every batch. Prints microseconds per batch and the rows that were shown; the first thousand
 * batches fill the window and are not timed.
 */
#include "words.h"

#include <beck/testing.h>
#include <stdlib.h>

enum { KEYS = 10000, FILL = 1000, TIMED = 2000 };

static void count(beck_call *c, beck_rdd *sums)
{
    int64_t *shown = (void *)(uintptr_t)beck_ctx(c);

    *shown += beck_count(sums);
}

int main(int argc, char **argv)
{
    beck_context *ctx = beck_context_new("slices", .batch_ms = 1000, .manual_clock = true,
                                         .argc = argc, .argv = argv);
    static beck_value values[2 * KEYS];
    int64_t shown = 0;

    argv = beck_args(ctx, &argc);
    if (argc != 2) {
        fprintf(stderr, "usage: slices N\n");
        beck_context_free(ctx);
        return 2;
    }
    for (int i = 0; i < KEYS; i++) {
        values[2 * i] = beck_integer_value(i * 7919LL % KEYS);
        values[2 * i + 1] = beck_integer_value(i);
    }
    beck_rdd *rdd = beck_parallelize(ctx, "k BIGINT, n BIGINT", values, KEYS, .partitions = 2);
    beck_dstream *pairs = beck_queue_stream(ctx, "k BIGINT, n BIGINT");
    beck_dstream *sums = beck_reduce_by_key_and_window(
        pairs, beck_sum, .window_ms = atoi(argv[1]) * 1000, .slide_ms = 1000);
    beck_foreach_rdd(sums, count, .ctx = &shown);
    for (int i = 0; i < FILL + TIMED; i++)
        beck_queue_push(pairs, rdd);
    beck_step(ctx, FILL * 1000);
    double begin = seconds_now();
    beck_step(ctx, TIMED * 1000);
    double took = seconds_now() - begin;
    printf("%.3f %lld\n", took / TIMED * 1e6, (long long)shown);
    int code = beck_error(ctx) ? 1 : 0;
    beck_context_free(ctx);
    return code;
}
