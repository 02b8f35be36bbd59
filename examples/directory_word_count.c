/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of files, as they appear in a directory: directory_word_count DIR. Those that are there
 * at the start count, too. Write a file anywhere on the same file system and move it in, or write
 * it in place: it is taken once, when it has stopped growing.
 *
 *     ./directory_word_count --batch 1s incoming &
 *     cp text incoming/
 */
#include <beck/beck.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    beck_context *ctx =
        beck_context_new("directory_word_count", .batch_ms = 1000, .argc = argc, .argv = argv);

    argv = beck_args(ctx, &argc);
    if (argc < 2) {
        fprintf(stderr, "usage: directory_word_count DIR\n");
        beck_context_free(ctx);
        return 1;
    }
    beck_dstream *lines = beck_text_file_stream(ctx, argv[1], .from_beginning = true);
    beck_dstream *pairs = beck_flat_map(lines, "word STRING, n BIGINT", beck_words);
    beck_dstream *counts = beck_reduce_by_key(pairs, beck_sum);
    beck_print(counts);
    return beck_run(ctx);
}
