/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of the last minute, every ten seconds: windowed_word_count [HOST [PORT [WINDOW
 * SLIDE]]], window and slide in seconds.
 *
 *     nc -lk 9999 &
 *     ./windowed_word_count localhost 9999 30 1
 */
#include <beck/beck.h>

#include <stdlib.h>

int main(int argc, char **argv)
{
    beck_context *ctx =
        beck_context_new("windowed_word_count", .batch_ms = 1000, .argc = argc, .argv = argv);

    argv = beck_args(ctx, &argc);
    const char *host = argc > 1 ? argv[1] : "localhost";
    int port = argc > 2 ? atoi(argv[2]) : 9999;
    int window = argc > 3 ? atoi(argv[3]) : 60;
    int slide = argc > 4 ? atoi(argv[4]) : 10;

    beck_dstream *lines = beck_socket_text_stream(ctx, host, port);
    beck_dstream *pairs = beck_flat_map(lines, "word STRING, n BIGINT", beck_words);

    /* A long window costs no more than a short one: each batch is added up once, and a word that
     * leaves the window needs no function that takes it away again. */
    beck_dstream *counts = beck_reduce_by_key_and_window(
        pairs, beck_sum, .window_ms = window * 1000, .slide_ms = slide * 1000);
    beck_print(beck_sort_by(counts, "n DESC, word"));
    return beck_run(ctx);
}
