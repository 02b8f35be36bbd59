/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input streams: receivers and queues. A queue may be pushed to from any thread.
 */
#include "connectors/connectors.h"
#include "driver/driver.h"

#define LOOK_MS_LEAST 100
#define LOOK_MS_MOST  1000

static const char *default_name(struct driver *driver, const char *kind)
{
    uint32_t ordinal = 1;

    for (const struct input *i = driver->first_input; i; i = i->next)
        if (strcmp(i->node->name, kind) == 0)
            ordinal++;
    return beck__arena_printf(&driver->ctx->arena, "%s-%u", kind, ordinal);
}

/* Fills `like` in and appends it. A poisoned stream after an error. */
static beck_dstream *input_new(beck_context *ctx, const char *kind, const char *name,
                               beck_site site, const char *schema, const struct input *like)
{
    static beck_dstream poisoned;
    struct driver *driver = ctx ? beck__driver_of(ctx) : NULL;

    if (!driver)
        return &poisoned;
    if (!beck__streams_open(&driver->streams, kind, site))
        return beck__dstream_new(&driver->streams, NULL, ctx->batch_ms);
    struct input *input = beck__arena_copy(&ctx->arena, like, sizeof *like);
    name = name ? beck__arena_text(&ctx->arena, name) : default_name(driver, kind);
    struct node *node =
        beck__node_source(&ctx->life.graph, kind, site, schema, driver->streams.source_count);
    for (const struct input *i = driver->first_input; node && name && i; i = i->next)
        if (strcmp(i->name, name) == 0)
            node = beck__node_error(&ctx->life.graph, kind, site, BECK_INVALID,
                                    "two inputs are named \"%s\"; give one another .name", name);
    char what[256] = "";
    if (node && name) {
        node->label = name;
        beck__node_what(node, what, sizeof what);
    }
    const char *copy = beck__arena_text(&ctx->arena, what);
    if (!input || !name || !node || !copy) {
        beck__error_memory(&ctx->error, kind, sizeof *input); /* keeps an error that is set */
        return beck__dstream_new(&driver->streams, NULL, ctx->batch_ms);
    }
    input->node = node;
    input->name = name;
    input->what = copy;
    if (driver->last_input)
        driver->last_input->next = input;
    else
        driver->first_input = input;
    driver->last_input = input;
    driver->streams.source_count++;
    beck_dstream *s = beck__dstream_new(&driver->streams, node, ctx->batch_ms);
    if (s->streams) /* else the one that stands for no memory */
        s->source = input;
    return s;
}

static beck_dstream *receiver(beck_context *ctx, const char *kind, const beck_receiver_args *args)
{
    const char *schema = args->schema ? args->schema : args->class_of->schema;
    struct input like = {.kind = INPUT_RECEIVER, .class_of = args->class_of};

    if (ctx)
        like.params = beck_bytes_of(beck__arena_copy(&ctx->arena, args->params, args->params_size),
                                    args->params_size);
    if (ctx && !like.params.data)
        beck__error_memory(&ctx->error, kind, args->params_size);
    return input_new(ctx, kind, args->name, args->site, schema, &like);
}

beck_dstream *beck__receiver_stream(beck_context *ctx, const beck_receiver_args *args)
{
    static const beck_receiver_class none = {.name = "receiver_stream", .schema = "value STRING"};
    beck_receiver_args to = *args;

    if (!args->class_of)
        to.class_of = &none;
    if (ctx && !args->class_of)
        beck__node_error(&ctx->life.graph, "receiver_stream", args->site, BECK_INVALID,
                         "the class of the receiver is NULL");
    else if (ctx && !args->class_of->poll == !args->class_of->run)
        beck__node_error(&ctx->life.graph, to.class_of->name, args->site, BECK_INVALID,
                         "the class of a receiver has either poll or run");
    return receiver(ctx, to.class_of->name, &to);
}

static int64_t within(int64_t n, int64_t least, int64_t most)
{
    return n < least ? least : n > most ? most : n;
}

/* True if the limits are; else the error sticks. */
static bool limits_fit(beck_context *ctx, const beck_direct_stream_args *args, const char *kind)
{
    const char *what = args->interval_ms < 0 ? ".interval_ms"
                       : args->units_max < 0 ? ".units_max"
                       : args->bytes_max < 0 ? ".bytes_max"
                                             : NULL;
    int64_t value = args->interval_ms < 0 ? args->interval_ms
                    : args->units_max < 0 ? args->units_max
                                          : args->bytes_max;

    if (what)
        beck__node_error(&ctx->life.graph, kind, args->site, BECK_INVALID,
                         "%s is %lld; give 1 or more", what, (long long)value);
    return !what;
}

beck_dstream *beck__direct_stream_of(beck_context *ctx, const char *kind,
                                     const beck_direct_stream_args *args)
{
    const beck_direct_class *class_of = args->class_of;
    struct input like = {
        .kind = INPUT_DIRECT, .direct_class = class_of, .units_max = (uint64_t)args->units_max};

    if (!ctx || !limits_fit(ctx, args, kind))
        return input_new(ctx, kind, args->name, args->site, class_of->schema, &like);
    like.interval_ms =
        args->interval_ms ? args->interval_ms : within(ctx->batch_ms, LOOK_MS_LEAST, LOOK_MS_MOST);
    like.params = beck_bytes_of(beck__arena_copy(&ctx->arena, args->params, args->params_size),
                                args->params_size);
    if (!like.params.data)
        beck__error_memory(&ctx->error, kind, args->params_size);
    int64_t all = beck__settings_number(ctx->settings, OPTION_BATCH_BYTES);
    bool own = args->bytes_max && (!all || args->bytes_max < all);
    like.bytes_max = (uint64_t)(own ? args->bytes_max : all);
    return input_new(ctx, kind, args->name, args->site, class_of->schema, &like);
}

beck_dstream *beck__direct_stream(beck_context *ctx, const beck_direct_stream_args *args)
{
    static const beck_direct_class none = {.name = "direct_stream", .schema = "value STRING"};
    const beck_direct_class *class_of = args->class_of;
    beck_direct_stream_args to = *args;

    if (ctx && (!class_of || !class_of->list || !class_of->read))
        beck__node_error(&ctx->life.graph, "direct_stream", args->site, BECK_INVALID,
                         class_of ? "the class of the source lacks list or read, which a stream "
                                    "needs"
                                  : "the class of the source is NULL");
    if (!class_of)
        to.class_of = &none;
    return beck__direct_stream_of(ctx, to.class_of->name, &to);
}

/* The parameters of a socket; an error of theirs sticks. */
static void check_socket(beck_context *ctx, const char *name, const beck_socket_text_args *args,
                         const char *host, size_t host_size)
{
    struct graph *graph = &ctx->life.graph;

    if (args->port < 1 || args->port > 65535)
        beck__node_error(graph, name, args->site, BECK_INVALID,
                         "port %d; give a number from 1 to 65535", args->port);
    else if (!*host || strlen(host) >= host_size)
        beck__node_error(graph, name, args->site, BECK_INVALID,
                         "the host is empty or longer than %zu bytes", host_size - 1);
    else if (args->line_bytes_max < 0 || args->line_bytes_max > UINT32_MAX)
        beck__node_error(graph, name, args->site, BECK_INVALID,
                         ".line_bytes_max is %lld; give a number from 1 to %lu",
                         (long long)args->line_bytes_max, (unsigned long)UINT32_MAX);
    else if (args->reconnect_ms < 0)
        beck__node_error(graph, name, args->site, BECK_INVALID,
                         ".reconnect_ms is %lld; give 1 or more", (long long)args->reconnect_ms);
}

static beck_dstream *socket_stream(beck_context *ctx, const char *kind,
                                   const beck_receiver_class *class_of,
                                   const beck_socket_text_args *args, const char *schema)
{
    struct beck__socket_params params = {.port = args->port,
                                         .line_bytes_max = (size_t)args->line_bytes_max,
                                         .reconnect_ms = args->reconnect_ms};
    const char *host = args->host ? args->host : "";
    beck_receiver_args to = {.class_of = class_of,
                             .schema = schema,
                             .site = args->site,
                             .params = &params,
                             .params_size = sizeof params,
                             .name = args->name};

    if (ctx)
        check_socket(ctx, kind, args, host, sizeof params.host);
    if (strlen(host) < sizeof params.host)
        memcpy(params.host, host, strlen(host));
    return receiver(ctx, kind, &to);
}

beck_dstream *beck__socket_text_stream(beck_context *ctx, const beck_socket_text_args *args)
{
    return socket_stream(ctx, "socket_text_stream", beck__socket_receiver, args, NULL);
}

beck_dstream *beck__raw_socket_stream(beck_context *ctx, const beck_raw_socket_args *args)
{
    beck_socket_text_args socket = {.host = args->host,
                                    .port = args->port,
                                    .site = args->site,
                                    .name = args->name,
                                    .reconnect_ms = args->reconnect_ms};

    return socket_stream(ctx, "raw_socket_stream", beck__raw_socket_receiver, &socket,
                         args->schema ? args->schema : "");
}

beck_dstream *beck__stdin_stream(beck_context *ctx, const beck_stdin_args *args)
{
    struct beck__socket_params params = {.line_bytes_max = (size_t)args->line_bytes_max};
    beck_receiver_args to = {.class_of = beck__stdin_receiver,
                             .site = args->site,
                             .params = &params,
                             .params_size = sizeof params,
                             .name = args->name};

    if (ctx && (args->line_bytes_max < 0 || args->line_bytes_max > UINT32_MAX))
        beck__node_error(&ctx->life.graph, "stdin_stream", args->site, BECK_INVALID,
                         ".line_bytes_max is %lld; give a number from 1 to %lu",
                         (long long)args->line_bytes_max, (unsigned long)UINT32_MAX);
    return receiver(ctx, "stdin_stream", &to);
}

beck_dstream *beck__constant_input(beck_context *ctx, const beck_constant_input_args *args)
{
    static beck_dstream poisoned;
    struct driver *driver = ctx ? beck__driver_of(ctx) : NULL;
    struct node *node = args->rdd ? args->rdd->node : NULL;

    if (!driver)
        return &poisoned;
    if (!beck__streams_open(&driver->streams, "constant_input", args->site))
        node = NULL;
    else if (!args->rdd || (node && args->rdd->life != &ctx->life))
        node = beck__node_error(&ctx->life.graph, "constant_input", args->site, BECK_INVALID,
                                args->rdd ? "the RDD belongs to another context, or to one batch "
                                            "only"
                                          : "the RDD is NULL");
    return beck__dstream_new(&driver->streams, node, ctx->batch_ms);
}

beck_dstream *beck__queue_stream(beck_context *ctx, const beck_queue_stream_args *args)
{
    struct input like = {
        .kind = INPUT_QUEUE, .all = args->all, .none_when_empty = args->none_when_empty};

    return input_new(ctx, "queue_stream", args->name, args->site, args->schema, &like);
}

beck_status beck_queue_push(beck_dstream *stream, beck_rdd *rdd)
{
    struct input *input = stream->source;

    if (!stream->streams || !stream->node || !input || input->kind != INPUT_QUEUE)
        return BECK_INVALID;
    struct driver *driver = stream->streams->owner;
    struct os *os = driver->os;
    if (rdd && !beck__session_lasts(rdd, driver->ctx)) /* of a batch, or of another context */
        return BECK_INVALID;
    if (rdd && (!rdd->node || !beck__schema_equal(rdd->node->schema, input->node->schema, false)))
        return BECK_TYPE;
    struct queued *item = beck__alloc_zero(&os->memory, sizeof *item);
    if (!item)
        return BECK_NO_MEMORY;
    item->node = rdd ? rdd->node : NULL;
    item->at_ms = beck__driver_now_ms(driver);
    os->lock(os, driver->lock);
    if (input->last)
        input->last->next = item;
    else
        input->first = item;
    input->last = item;
    os->unlock(os, driver->lock);
    if (driver->ctx->event_trigger)
        beck__driver_wake(driver);
    return BECK_OK;
}
