/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receiver of one's own: it is polled, stores rows, and may end. Here it invents readings of
 * three sensors, and the program prints the mean of each for every batch until there are no more.
 *
 *     custom_receiver [READINGS]
 */
#include <beck/connector.h>

#include <stdio.h>
#include <stdlib.h>

struct sensors {
    int64_t next;
};

static beck_status open_sensors(beck_receiver *r, void *state)
{
    (void)r;
    (void)state; /* zeroed: the first reading is number 0 */
    return BECK_OK;
}

/* Stores what is there, without waiting for more. */
static beck_status poll_sensors(beck_receiver *r, void *state, int64_t timeout_ms)
{
    static const char *const names[] = {"attic", "cellar", "garden"};
    const int64_t *readings = beck_receiver_params(r);
    struct sensors *s = state;

    (void)timeout_ms;
    for (int i = 0; i < 100; i++, s->next++) {
        if (s->next == *readings)
            return BECK_CLOSED; /* ended for good: the stream stays empty */
        double celsius = 20 + (double)(s->next % 3) + (double)(s->next / 3 % 5) / 4;
        beck_status status = beck_store(r, (uint64_t)s->next, names[s->next % 3], celsius);
        if (status)
            return status;
    }
    return BECK_OK; /* there is more at once; BECK_AGAIN would mean: ask again later */
}

static void close_sensors(beck_receiver *r, void *state)
{
    (void)r;
    (void)state;
}

static const beck_receiver_class sensors = {
    .name = "sensors",
    .schema = "sensor STRING, celsius DOUBLE",
    .state_size = sizeof(struct sensors),
    .open = open_sensors,
    .poll = poll_sensors,
    .close = close_sensors,
};

/* Ends the program when a batch has been done after the receiver's end. */
struct ending {
    beck_context *ctx;
    bool ended;
};

static void watch(void *user, const beck_event *event)
{
    struct ending *e = user;

    e->ended |= event->kind == BECK_EVENT_RECEIVER_STOPPED;
    if (e->ended && event->kind == BECK_EVENT_BATCH_COMPLETED)
        beck_stop(e->ctx, .graceful = true);
}

int main(int argc, char **argv)
{
    beck_context *ctx =
        beck_context_new("custom_receiver", .batch_ms = 100, .argc = argc, .argv = argv);
    struct ending ending = {.ctx = ctx};

    argv = beck_args(ctx, &argc);
    int64_t readings = argc > 1 ? atoll(argv[1]) : 3000;
    beck_dstream *values =
        beck_receiver_stream(ctx, &sensors, .params = &readings, .params_size = sizeof readings);
    beck_print(beck_reduce_by_key(values, beck_avg, .partitions = 1));
    beck_add_listener(ctx, watch, &ending);
    return beck_run(ctx);
}
