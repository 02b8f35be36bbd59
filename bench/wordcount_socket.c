/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wordcount_socket PORT [options]: a live word count of a text that a server on loopback
 * sends once. Prints "seconds words check": from the start of the context to the end of the batch
 * with the last word.
 */
#include "words.h"

#include <stdlib.h>

struct progress {
    beck_context *ctx;
    double end;
};

static void count_batch(beck_call *c, beck_rdd *counts)
{
    (void)c;
    beck_foreach_partition(counts, add_up);
}

/* The line ends are not part of the rows: the last bytes are in when the server has closed. */
static void watch(void *user, const beck_event *event)
{
    struct progress *p = user;

    if (event->kind == BECK_EVENT_BATCH_COMPLETED && event->records > 0)
        p->end = seconds_now();
    if (event->kind == BECK_EVENT_RECEIVER_ERROR)
        beck_stop(p->ctx, .graceful = true);
}

static void quiet(void *user, beck_log_level level, const char *text)
{
    (void)user;
    if (level == BECK_LOG_ERROR)
        fprintf(stderr, "%s\n", text);
}

int main(int argc, char **argv)
{
    beck_context *ctx =
        beck_context_new("wordcount_socket", .argc = argc, .argv = argv, .log = quiet);
    struct progress progress = {.ctx = ctx};

    argv = beck_args(ctx, &argc);
    if (argc != 2) {
        fprintf(stderr, "usage: wordcount_socket PORT\n");
        beck_context_free(ctx);
        return 2;
    }
    beck_dstream *lines = beck_socket_text_stream(ctx, "127.0.0.1", atoi(argv[1]));
    beck_dstream *pairs = beck_flat_map(lines, "word STRING, n BIGINT", beck_words);
    beck_foreach_rdd(beck_reduce_by_key(pairs, beck_sum), count_batch);
    beck_add_listener(ctx, watch, &progress);
    double begin = seconds_now();
    int code = beck_run(ctx);
    print_words(progress.end - begin);
    return code;
}
