/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a file or directory, as a batch: word_count PATH [DIR]. Prints the first ten counts,
 * or saves all of them as text files in DIR.
 */
#include <beck/beck.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    beck_context *ctx = beck_context_new("word_count", .argc = argc, .argv = argv);

    argv = beck_args(ctx, &argc);
    if (argc < 2) {
        fprintf(stderr, "usage: word_count PATH [DIR]\n");
        beck_context_free(ctx);
        return 2;
    }
    beck_rdd *lines = beck_text_file(ctx, argv[1]);
    beck_rdd *pairs = beck_flat_map(lines, "word STRING, n BIGINT", beck_words);
    beck_rdd *counts = beck_reduce_by_key(pairs, beck_sum);
    if (argc > 2)
        beck_save_as_text_file(counts, argv[2]);
    else
        beck_print(counts);
    return beck_run(ctx);
}
