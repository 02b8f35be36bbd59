/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a file or directory, as a batch: word_count [PATH [DIR]]. Prints the first ten
 * counts, or saves all of them as text files in DIR. Without PATH a text that every Debian has.
 */
#include <beck/beck.h>

int main(int argc, char **argv)
{
    beck_context *ctx = beck_context_new("word_count", .argc = argc, .argv = argv);

    argv = beck_args(ctx, &argc);
    const char *path = argc > 1 ? argv[1] : "/usr/share/common-licenses/GPL-3";

    beck_rdd *lines = beck_text_file(ctx, path);
    beck_rdd *pairs = beck_flat_map(lines, "word STRING, n BIGINT", beck_words);
    beck_rdd *counts = beck_reduce_by_key(pairs, beck_sum);
    if (argc > 2)
        beck_save_as_text_file(counts, argv[2]);
    else
        beck_print(counts);
    return beck_run(ctx);
}
