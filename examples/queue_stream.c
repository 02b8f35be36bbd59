/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of RDDs that the program itself pushes, one per batch: how many of the numbers 1 to 1000
 * end in each digit, BATCHES times (3), then the program ends.
 *
 *     queue_stream [BATCHES]
 */
#include <beck/beck.h>

#include <stdlib.h>

enum { NUMBERS = 1000 };

/* 1234 -> (4, 1) */
static void last_digit(beck_call *c, beck_row number)
{
    beck_emit(c, beck_get_bigint(number, 0) % 10, 1);
}

struct ending {
    beck_context *ctx;
    int batches; /* that are still to come */
};

/* A queue may be filled at any time, so the stream cannot know its end; the program does. */
static void watch(void *user, const beck_event *event)
{
    struct ending *ending = user;

    if (event->kind == BECK_EVENT_BATCH_COMPLETED && --ending->batches == 0)
        beck_stop(ending->ctx, .graceful = true);
}

int main(int argc, char **argv)
{
    beck_context *ctx =
        beck_context_new("queue_stream", .batch_ms = 1000, .argc = argc, .argv = argv);

    argv = beck_args(ctx, &argc);
    struct ending ending = {ctx, argc > 1 ? atoi(argv[1]) : 3};

    beck_value numbers[NUMBERS];
    for (int i = 0; i < NUMBERS; i++)
        numbers[i] = beck_value_of(i + 1);
    beck_rdd *rdd = beck_parallelize(ctx, "number BIGINT", numbers, NUMBERS, .partitions = 10);

    beck_dstream *queue = beck_queue_stream(ctx, "number BIGINT");
    beck_dstream *pairs = beck_map(queue, "digit BIGINT, n BIGINT", last_digit);
    beck_print(beck_sort_by_key(beck_reduce_by_key(pairs, beck_sum)));

    /* RDDs do not change: the same one may be pushed as often as one likes. */
    for (int i = 0; i < ending.batches; i++)
        beck_queue_push(queue, rdd);
    beck_add_listener(ctx, watch, &ending);
    return beck_run(ctx);
}
