/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wordcount_file kernel|callback FILE [options]: a batch word count. Prints "seconds words check";
 * the time is that of the job that makes the counts, the check comes after it.
 */
#include "words.h"

#include <string.h>

int main(int argc, char **argv)
{
    beck_context *ctx = beck_context_new("wordcount_file", .argc = argc, .argv = argv);

    argv = beck_args(ctx, &argc);
    if (argc != 3) {
        fprintf(stderr, "usage: wordcount_file kernel|callback FILE\n");
        beck_context_free(ctx);
        return 2;
    }
    beck_flat_map_fn *words = strcmp(argv[1], "kernel") == 0 ? beck_words : split;
    double begin = seconds_now();
    beck_rdd *lines = beck_text_file(ctx, argv[2]);
    beck_rdd *pairs = beck_flat_map(lines, "word STRING, n BIGINT", words);
    beck_rdd *counts = beck_reduce_by_key(pairs, beck_sum);
    beck_count(counts);
    double took = seconds_now() - begin;
    beck_foreach_partition(counts, add_up);
    print_words(took);
    return beck_run(ctx);
}
