/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ten most frequent hashtags of the last minute, every second, of messages on standard input:
 *
 *     tail -f messages | ./top_hashtags [WINDOW_SECONDS]
 */
#include <beck/beck.h>

#include <stdlib.h>

/* "#Beck, at last!" -> ("#Beck", 1) */
static void hashtags(beck_call *c, beck_row message)
{
    beck_str rest = beck_get_string(message, 0), word;

    while (beck_next_token(&rest, " \t,.;:!?", &word))
        if (word.size > 1 && word.data[0] == '#')
            beck_emit(c, word, 1);
}

int main(int argc, char **argv)
{
    beck_context *ctx =
        beck_context_new("top_hashtags", .batch_ms = 1000, .argc = argc, .argv = argv);

    argv = beck_args(ctx, &argc);
    int64_t window_ms = 1000 * (argc > 1 ? atoll(argv[1]) : 60);

    beck_dstream *messages = beck_stdin_stream(ctx);
    beck_dstream *tags = beck_flat_map(messages, "tag STRING, n BIGINT", hashtags);
    beck_dstream *counts =
        beck_reduce_by_key_and_window(tags, beck_sum, .window_ms = window_ms, .slide_ms = 1000);
    /* The name breaks ties, so that the same messages give the same page. */
    beck_print(beck_sort_by(counts, "n DESC, tag"), .rows = 10);
    return beck_run(ctx);
}
