/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words counted since the start: stateful_word_count [HOST [PORT]]. Each word keeps its count from
 * batch to batch; the ten most frequent ones are printed after every batch.
 *
 *     nc -lk 9999 &
 *     ./stateful_word_count
 */
#include <beck/beck.h>

#include <stdlib.h>

/* Once per batch for each word that came (.touched_only), with its ones of this batch. Nothing of
 * the count is kept in this program: a task that is tried again finds the state as it was. */
static void add(beck_call *c, beck_row word, beck_rows *ones, beck_state *count)
{
    (void)c;
    (void)word;
    beck_state_put(count, beck_state_bigint(count, 0, 0) + (int64_t)beck_rows_count(ones));
}

int main(int argc, char **argv)
{
    beck_context *ctx =
        beck_context_new("stateful_word_count", .batch_ms = 1000, .argc = argc, .argv = argv);

    argv = beck_args(ctx, &argc);
    const char *host = argc > 1 ? argv[1] : "localhost";
    int port = argc > 2 ? atoi(argv[2]) : 9999;

    /* Counts to begin with, perhaps those of yesterday. */
    beck_value known[] = {beck_value_of("hello"), beck_value_of(1), beck_value_of("world"),
                          beck_value_of(1)};
    beck_rdd *start = beck_parallelize(ctx, "word STRING, n BIGINT", known, 2);

    beck_dstream *lines = beck_socket_text_stream(ctx, host, port);
    beck_dstream *ones = beck_flat_map(lines, "word STRING, n BIGINT", beck_words);
    beck_dstream *counts = beck_update_state_by_key(ones, "n BIGINT", add, .initial = start,
                                                    .touched_only = true, .name = "counts");
    beck_print(beck_sort_by(counts, "n DESC, word"));
    return beck_run(ctx);
}
