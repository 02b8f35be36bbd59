/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network_word_count - counts the words that a TCP server sends, batch by batch, and shows below
 * each batch how it went.
 *
 *     network_word_count [HOST [PORT [SECONDS]]] [--batch 500ms] [--master local[2]] ...
 *
 * Without SECONDS it runs until Ctrl-C. Try it with: nc -lk 9999
 */
#include <beck/beck.h>
#include <stdio.h>
#include <stdlib.h>

/* "the quick fox" -> ("the", 1) ("quick", 1) ("fox", 1) */
static void split(beck_call *c, beck_row line)
{
    beck_str rest = beck_get_string(line, 0), word;

    while (beck_next_token(&rest, " \t", &word))
        beck_emit(c, word, 1);
}

struct totals {
    beck_context *ctx;
    int64_t stop_at_ms; /* batch time; 0: never */
    int64_t run_ms, first_ms, last_ms;
    uint64_t batches, records, bytes;
    int64_t processing_us_max, scheduling_us_max;
};

static double rate(uint64_t n, int64_t ms)
{
    return ms > 0 ? (double)n * 1000 / (double)ms : 0;
}

static void batch_completed(struct totals *t, const beck_event *e)
{
    int64_t before = t->batches ? t->last_ms : t->first_ms;

    t->batches++;
    t->records += e->records;
    t->bytes += e->bytes;
    t->last_ms = e->batch_ms;
    if (e->processing_us > t->processing_us_max)
        t->processing_us_max = e->processing_us;
    if (e->scheduling_us > t->scheduling_us_max)
        t->scheduling_us_max = e->scheduling_us;
    printf(
        "%.0f records/s   %.1f MB/s   processing time %.1f ms   scheduling delay %.1f ms%s%s\n\n",
        rate(e->records, e->batch_ms - before), rate(e->bytes, e->batch_ms - before) / 1e6,
        (double)e->processing_us / 1e3, (double)e->scheduling_us / 1e3,
        e->error ? "   failed: " : "", e->error ? e->error : "");
    fflush(stdout);
    if (t->stop_at_ms && e->batch_ms >= t->stop_at_ms)
        beck_stop(t->ctx, .graceful = true);
}

static void status(void *user, const beck_event *e)
{
    struct totals *t = user;

    switch (e->kind) {
    case BECK_EVENT_STREAMING_STARTED:
        t->first_ms = e->time_ms;
        t->stop_at_ms = t->run_ms ? e->time_ms + t->run_ms : 0;
        break;
    case BECK_EVENT_BATCH_COMPLETED:
        batch_completed(t, e);
        break;
    default:
        break;
    }
}

/* The whole of text as a number from least to most, or exits with a message. */
static int number(const char *text, const char *what, int least, int most)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || n < least || n > most) {
        fprintf(stderr, "%s must be a number from %d to %d, not \"%s\"\n", what, least, most, text);
        exit(1);
    }
    return (int)n;
}

int main(int argc, char **argv)
{
    struct totals t = {0};
    beck_context *ctx =
        beck_context_new("network_word_count", .batch_ms = 1000, .argc = argc, .argv = argv);
    char **own = beck_args(ctx, &argc);
    const char *host = argc > 1 ? own[1] : "localhost";
    int port = argc > 2 ? number(own[2], "PORT", 1, 65535) : 9999;

    t.ctx = ctx;
    t.run_ms = argc > 3 ? 1000 * (int64_t)number(own[3], "SECONDS", 1, 1000000) : 0;

    beck_dstream *lines = beck_socket_text_stream(ctx, host, port);
    beck_dstream *pairs = beck_flat_map(lines, "word STRING, n BIGINT", split);
    beck_dstream *counts = beck_reduce_by_key(pairs, beck_sum);
    beck_print(counts);
    beck_add_listener(ctx, status, &t);

    int code = beck_run(ctx);

    if (t.batches > 0)
        printf("%llu batches, %llu records, %.1f MB; at most %.1f ms processing time and %.1f ms "
               "scheduling delay\n",
               (unsigned long long)t.batches, (unsigned long long)t.records, (double)t.bytes / 1e6,
               (double)t.processing_us_max / 1e3, (double)t.scheduling_us_max / 1e3);
    return code;
}
