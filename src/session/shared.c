/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Broadcast values and accumulators, as users see them; what they are is in exec/shared.c. They are
 * made where jobs may run, totals are read by any thread.
 */
#include "session/session.h"

/* Defines it. The first error sticks, to the batch in a driver callback; that of another thread
 * does not. */
static beck_status define(beck_context *ctx, const char *what, beck_site site,
                          const beck_broadcast_args *args, enum shared_kind kind)
{
    struct error error = {0};

    if (!ctx)
        return BECK_NO_MEMORY;
    if (!beck__session_own_thread(ctx, what, &error))
        return error.status;
    if (args->size && !args->data)
        beck__error_set(&error, BECK_INVALID, "%zu bytes, but data is NULL", args->size);
    else
        beck__shared_set(&ctx->shared, args->name, kind, beck_bytes_of(args->data, args->size),
                         &error);
    if (error.status)
        beck__node_error(&beck__session_life(ctx)->graph, what, site, error.status, "%s",
                         error.text);
    return error.status;
}

beck_status beck__broadcast(beck_context *ctx, const beck_broadcast_args *args)
{
    return define(ctx, "broadcast", args->site, args, SHARED_VALUE);
}

beck_status beck__accumulator(beck_context *ctx, const beck_accumulator_args *args)
{
    const beck_broadcast_args like = {.name = args->name};
    const char *type = args->type ? args->type : "BIGINT";
    bool real = strcmp(type, "DOUBLE") == 0;

    if (ctx && !real && strcmp(type, "BIGINT") != 0) {
        beck__node_error(&beck__session_life(ctx)->graph, "accumulator", args->site, BECK_INVALID,
                         ".type is \"%.100s\"; give \"BIGINT\" or \"DOUBLE\"", type);
        return BECK_INVALID;
    }
    return define(ctx, "accumulator", args->site, &like, real ? SHARED_DOUBLE : SHARED_BIGINT);
}

static beck_value total(beck_context *ctx, const char *name)
{
    beck_value value = ctx ? beck__shared_total(&ctx->shared, name ? name : "") : beck_null;

    if (ctx && value.kind == BECK_KIND_NULL)
        beck__log(&ctx->log, BECK_LOG_WARNING, "accumulated: there is no counter \"%s\"",
                  name ? name : "");
    return value;
}

int64_t beck_accumulated(beck_context *ctx, const char *name)
{
    beck_value value = total(ctx, name);

    if (value.kind != BECK_KIND_DOUBLE)
        return value.kind == BECK_KIND_INTEGER ? value.u.integer : 0;
    if (!(value.u.real > -9.2e18 && value.u.real < 9.2e18))
        return value.u.real > 0 ? INT64_MAX : value.u.real < 0 ? INT64_MIN : 0;
    return (int64_t)value.u.real;
}

double beck_accumulated_double(beck_context *ctx, const char *name)
{
    beck_value value = total(ctx, name);

    return value.kind == BECK_KIND_DOUBLE    ? value.u.real
           : value.kind == BECK_KIND_INTEGER ? (double)value.u.integer
                                             : 0;
}
