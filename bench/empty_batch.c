/* SPDX-License-Identifier: Apache-2.0 */
/*
 * empty_batch: CPU time of the driver for a batch without data, of a graph of four operators behind
 * a socket, one batch per millisecond of a manual clock. Prints "microseconds allocations wakes":
 * the median of the batches, and the sums over all of them after the first hundred.
 */
#include "os/os.h"
#include "session/session.h"
#include "words.h"

#include <beck/testing.h>
#include <stdlib.h>

#define BATCHES 20000
#define WARM_UP 100

static bool longer(beck_call *c, beck_row row)
{
    (void)c;
    return beck_get_string(row, 0).size > 3;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int main(void)
{
    static int64_t times[BATCHES];
    struct os *os = beck__os_real();
    int bound;
    struct os_socket *listener;
    uint64_t tasks, wakes = 0, allocations = 0;

    if (os->listen(os, "127.0.0.1", 0, &listener, &bound, NULL))
        return 1;
    beck_context *ctx =
        beck_context_new("empty_batch", .batch_ms = 1, .manual_clock = true, .master = "local[2]");
    beck_dstream *lines = beck_socket_text_stream(ctx, "127.0.0.1", bound);
    beck_dstream *pairs = beck_flat_map(lines, "word STRING, n BIGINT", split);
    beck_dstream *counts = beck_reduce_by_key(beck_filter(pairs, longer), beck_sum);
    beck_save_as_text_files(counts, "never-written");
    for (int i = -WARM_UP; i < BATCHES; i++) {
        if (i == 0)
            allocations = beck__os_memory_calls(os);
        int64_t from = os->cpu_ns(os);
        if (beck_step(ctx, 1))
            return 1;
        if (i >= 0)
            times[i] = os->cpu_ns(os) - from;
    }
    allocations = beck__os_memory_calls(os) - allocations;
    ctx->engine->counters(ctx->engine, &tasks, &wakes);
    qsort(times, BATCHES, sizeof *times, by_value);
    printf("%.3f %llu %llu\n", (double)times[BATCHES / 2] / 1000, (unsigned long long)allocations,
           (unsigned long long)wakes);
    beck_context_free(ctx);
    os->shut(os, listener);
    return 0;
}
