/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idle rss: a word count on a silent socket, 100 batches of 10 ms; prints its resident MiB.
 * idle start: ends after the first batch; prints the seconds from its first instruction to then.
 */
#include "words.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

struct progress {
    beck_context *ctx;
    int batches, wanted;
    double first;
};

static double resident_mib(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[200];
    unsigned long kib = 0;

    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmRSS: %lu", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return (double)kib / 1024;
}

static void watch(void *user, const beck_event *event)
{
    struct progress *p = user;

    if (event->kind != BECK_EVENT_BATCH_COMPLETED)
        return;
    if (p->batches++ == 0)
        p->first = seconds_now();
    if (p->batches == p->wanted)
        beck_stop(p->ctx);
}

static int silent_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) ||
        listen(listener, 1) || getsockname(listener, (struct sockaddr *)&address, &length))
        return 1;
    return ntohs(address.sin_port);
}

int main(int argc, char **argv)
{
    double begin = seconds_now();
    bool rss = argc > 1 && strcmp(argv[1], "rss") == 0;
    beck_context *ctx =
        beck_context_new("idle", .batch_ms = rss ? 10 : 1, .argc = argc, .argv = argv);
    struct progress progress = {.ctx = ctx, .wanted = rss ? 100 : 1};
    beck_dstream *lines = beck_socket_text_stream(ctx, "127.0.0.1", silent_port());
    beck_dstream *pairs = beck_flat_map(lines, "word STRING, n BIGINT", beck_words);

    beck_save_as_text_files(beck_reduce_by_key(pairs, beck_sum), "never-written");
    beck_add_listener(ctx, watch, &progress);
    if (beck_start(ctx) || beck_await_termination(ctx)) {
        fprintf(stderr, "%s\n", beck_error_text(ctx));
        return 1;
    }
    printf("%.6f\n", rss ? resident_mib() : progress.first - begin);
    beck_context_free(ctx);
    return 0;
}
