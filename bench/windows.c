/* SPDX-License-Identifier: Apache-2.0 */
/*
 * windows plain|window FILE... [options]: word counts of a stream, a file per batch of one second,
 * on a manual clock; of each batch alone, or over a window of half of all batches that slides by
 * one. Prints "seconds words check" of what the last window holds; making the check is not timed.
 */
#include "words.h"

#include <beck/testing.h>
#include <string.h>

struct run {
    bool window;
    int batch, batches;
    double checking;
};

static void count(beck_call *c, beck_rdd *counts)
{
    struct run *run = (void *)(uintptr_t)beck_ctx(c);

    beck_count(counts);
    run->batch++;
    if (run->window ? run->batch < run->batches : run->batch <= run->batches / 2)
        return;
    double begin = seconds_now();
    beck_foreach_partition(counts, add_up);
    run->checking += seconds_now() - begin;
}

int main(int argc, char **argv)
{
    beck_context *ctx = beck_context_new("windows", .batch_ms = 1000, .manual_clock = true,
                                         .argc = argc, .argv = argv);

    argv = beck_args(ctx, &argc);
    if (argc < 4) {
        fprintf(stderr, "usage: windows plain|window FILE FILE...\n");
        beck_context_free(ctx);
        return 2;
    }
    struct run run = {.window = strcmp(argv[1], "window") == 0, .batches = argc - 2};
    beck_dstream *lines = beck_queue_stream(ctx, "line STRING");
    beck_dstream *pairs = beck_flat_map(lines, "word STRING, n BIGINT", beck_words);
    beck_dstream *counts =
        run.window ? beck_reduce_by_key_and_window(
                         pairs, beck_sum, .window_ms = run.batches / 2 * 1000, .slide_ms = 1000)
                   : beck_reduce_by_key(pairs, beck_sum);
    beck_foreach_rdd(counts, count, .ctx = &run);
    for (int i = 2; i < argc; i++)
        beck_queue_push(lines, beck_text_file(ctx, argv[i], .split_bytes = 4 << 20));
    double begin = seconds_now();
    for (int i = 0; i < run.batches && beck_step(ctx, 1000) == BECK_OK; i++)
        ;
    double took = seconds_now() - begin - run.checking;
    print_words(took);
    int code = beck_error(ctx) ? 1 : 0;
    beck_context_free(ctx);
    return code;
}
