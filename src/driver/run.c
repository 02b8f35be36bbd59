/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a streaming context: start, wait, stop, and beck_run, which does all of it.
 */
#include "driver/driver.h"

static void free_driver(struct driver *driver)
{
    beck__driver_free(driver);
}

struct driver *beck__driver_of(beck_context *ctx)
{
    struct os *os = ctx->os;
    struct driver *driver = ctx->stream.driver;

    if (driver)
        return driver;
    driver = beck__arena_alloc(&ctx->arena, sizeof *driver);
    if (!driver) {
        beck__error_memory(&ctx->error, "the driver", sizeof *driver);
        return NULL;
    }
    driver->ctx = ctx;
    driver->os = os;
    driver->streams.graph = &ctx->life.graph;
    driver->streams.owner = driver;
    driver->lock = os->lock_new(os);
    driver->gate = os->gate_new(os);
    driver->stopped_gate = os->gate_new(os);
    driver->poller = os->poller_new(os);
    ctx->stream.driver = driver;
    ctx->stream.free = free_driver;
    ctx->stream.error = &driver->error;
    if (!driver->lock || !driver->gate || !driver->stopped_gate || !driver->poller) {
        beck__error_memory(&ctx->error, "the driver", 0);
        beck__driver_free(driver);
        ctx->stream.driver = NULL;
        ctx->stream.error = NULL;
        return NULL;
    }
    return driver;
}

static void join(struct driver *driver)
{
    if (driver->thread)
        driver->os->thread_join(driver->os, driver->thread);
    driver->thread = NULL;
}

/* Asks for a stop; a stronger wish wins. Any thread. */
static void request(struct driver *driver, enum stop_kind kind)
{
    struct os *os = driver->os;
    int old = atomic_load(&driver->stop);
    int64_t limit = beck__settings_number(driver->ctx->settings, OPTION_STOP_TIMEOUT);
    int64_t none = 0;

    if (limit == 0)
        limit = driver->ctx->batch_ms * 10 > 10000 ? driver->ctx->batch_ms * 10 : 10000;
    if (kind == STOP_GRACEFUL) /* the first wish counts */
        atomic_compare_exchange_strong(&driver->stop_by_ns, &none,
                                       os->mono_ns(os) + limit * 1000000);
    do
        if ((int)kind <= old)
            return;
    while (!atomic_compare_exchange_weak(&driver->stop, &old, (int)kind));
    if (kind == STOP_NOW && driver->ctx->engine)
        driver->ctx->engine->cancel(driver->ctx->engine, true);
    if (driver->threaded)
        beck__driver_wake(driver);
}

void beck__driver_free(struct driver *driver)
{
    struct os *os = driver->os;

    if (atomic_load(&driver->ctx->state) == BECK_ACTIVE) {
        request(driver, STOP_NOW);
        if (!driver->threaded)
            beck__driver_end(driver);
    }
    join(driver);
    beck__collectors_free(driver);
    beck__batches_drop(driver);
    beck__slices_drop(driver, INT64_MAX / 2);
    beck__states_close(driver);
    for (struct input *i = driver->first_input; i; i = i->next)
        while (i->first) {
            struct queued *next = i->first->next;
            beck__free(&os->memory, i->first, sizeof *i->first);
            i->first = next;
        }
    for (struct input *i = driver->first_input; i; i = i->next)
        if (i->direct)
            beck__direct_free(i->direct);
    beck__ingest_free(driver->ingest);
    os->poller_free(os, driver->poller);
    os->gate_free(os, driver->stopped_gate);
    os->gate_free(os, driver->gate);
    os->lock_free(os, driver->lock);
}

/* ---- start
 * ------------------------------------------------------------------------------------------------
 */

static int64_t now_of(void *user)
{
    return beck__driver_now_ms(user);
}

static void wake(void *user)
{
    beck__driver_wake(user);
}

/* What one receiver may hold: a bound that a fast source and a long batch do not meet at once. */
static int64_t receiver_bytes(const struct settings *s)
{
    int64_t given = beck__settings_number(s, OPTION_RECEIVER_BYTES);
    int64_t memory = beck__settings_number(s, OPTION_MEMORY);

    return given ? given : memory ? memory / 4 : (int64_t)256 << 20;
}

static beck_status make_inputs(struct driver *driver, bool threaded)
{
    beck_context *ctx = driver->ctx;
    const struct settings *s = ctx->settings;
    struct ingest_options options = {
        .os = driver->os,
        .bus = ctx->bus,
        .log = &ctx->log,
        .block_ms = beck__settings_number(s, OPTION_BLOCK),
        .block_bytes = beck__settings_number(s, OPTION_BLOCK_BYTES),
        .bytes_max = receiver_bytes(s),
        .restart_ms = beck__settings_number(s, OPTION_RECONNECT),
        .line_bytes_max = (size_t)beck__settings_number(s, OPTION_LINE_BYTES),
        .batch_bytes = beck__settings_number(s, OPTION_BATCH_BYTES),
        .now_ms = now_of,
        .posted = threaded ? wake : NULL,
        .arrived = threaded && ctx->event_trigger ? wake : NULL,
        .user = driver,
    };

    for (struct input *i = driver->first_input; i; i = i->next) {
        if (i->kind != INPUT_RECEIVER)
            continue;
        if (!driver->ingest)
            driver->ingest = beck__ingest_new(&options, &ctx->error);
        if (!driver->ingest)
            return ctx->error.status;
        struct received received = {.class_of = i->class_of,
                                    .schema = i->node->schema,
                                    .params = i->params,
                                    .name = i->name,
                                    .what = i->what};
        i->stream = beck__ingest_add(driver->ingest, &received);
        if (i->stream < 0)
            return beck__error_memory(&ctx->error, i->name, 0);
    }
    return BECK_OK;
}

static beck_status start_inputs(struct driver *driver, bool threaded)
{
    beck_context *ctx = driver->ctx;
    beck_status status = BECK_OK;

    for (struct input *i = driver->first_input; i && !status; i = i->next)
        if (i->kind == INPUT_DIRECT)
            status = beck__direct_start(driver, i, threaded);
    if (!status && driver->ingest)
        status = beck__ingest_start(driver->ingest, threaded, &ctx->error);
    return status;
}

static beck_status open_outputs(struct driver *driver)
{
    beck_context *ctx = driver->ctx;

    for (struct output *o = driver->streams.first; o; o = o->next) {
        if (o->kind != OUTPUT_SINK)
            continue;
        struct output_sink *sink = beck__arena_alloc(&ctx->arena, sizeof *sink);
        if (!sink)
            return beck__error_memory(&ctx->error, o->what, sizeof *sink);
        sink->class_of = o->class_of;
        sink->params = o->program->ops[o->program->count - 1].bytes;
        o->state = sink;
        if (o->pool)
            sink->pool = ctx->engine->pool(ctx->engine, beck_string(o->pool), 0, &ctx->error);
        if (ctx->error.status)
            return ctx->error.status;
        if (beck__sink_open_once(sink, &ctx->arena, o->what, &ctx->error))
            return ctx->error.status;
    }
    return BECK_OK;
}

/* A weight that nothing has is a mistake, but no harm. */
static void check_pools(struct driver *driver)
{
    beck_context *ctx = driver->ctx;
    beck_str list = beck_string(beck__settings_text(ctx->settings, OPTION_POOLS)), name;
    uint32_t weight;

    while (beck__pools_next(&list, &name, &weight)) {
        const struct output *o = driver->streams.first;
        while (o && !(o->pool && beck_string_equal(name, beck_string(o->pool))))
            o = o->next;
        if (!o && !beck_string_equal(name, beck_string("default")))
            beck__log(&ctx->log, BECK_LOG_WARNING, "engine.pools: no output has the pool \"%.*s\"",
                      (int)name.size, name.data);
    }
}

static beck_status stopped_already(beck_context *ctx)
{
    if (beck_error(ctx))
        return beck_error(ctx);
    return beck__error_set(&ctx->error, BECK_STATE,
                           "beck_start: the context has stopped; a context cannot be started "
                           "again, make a new one");
}

static beck_status start(struct driver *driver, bool threaded)
{
    beck_context *ctx = driver->ctx;
    struct os *os = driver->os;
    int initialized = BECK_INITIALIZED;

    if (ctx->error.status)
        return ctx->error.status;
    if (!driver->streams.first)
        return beck__error_set(
            &ctx->error, BECK_INVALID,
            "no output operation: add one, for example beck_print(stream), before the "
            "context is started");
    if (beck__session_engine(ctx))
        return ctx->error.status;
    driver->streams.frozen = true;
    driver->waiting_max = (uint32_t)beck__settings_number(ctx->settings, OPTION_WAITING_BATCHES);
    beck__driver_prepare_clock(driver);
    check_pools(driver);
    if (open_outputs(driver) || make_inputs(driver, threaded) || beck__states_open(driver) ||
        beck__storage_open(driver))
        return ctx->error.status;
    driver->starter = os->thread_self(os);
    driver->threaded = threaded;
    if (!atomic_compare_exchange_strong(&ctx->state, &initialized, BECK_ACTIVE))
        return stopped_already(ctx); /* by another thread, meanwhile */
    beck__driver_started(driver);    /* the first of all events */
    if (start_inputs(driver, threaded))
        return ctx->error.status;
    if (!threaded) {
        driver->in_callback = true;
        beck__bus_deliver(ctx->bus);
        driver->in_callback = false;
        return BECK_OK;
    }
    atomic_store(&ctx->engine_thread, SESSION_DRIVER_SOON);
    driver->thread = os->thread_start(os, "beck-driver", beck__driver_main, driver, &ctx->error);
    return driver->thread ? BECK_OK : ctx->error.status;
}

beck_status beck__driver_start(beck_context *ctx, bool threaded)
{
    beck_state_of state = beck_context_state(ctx);

    if (state == BECK_ACTIVE) {
        beck__log(&ctx->log, BECK_LOG_WARNING, "beck_start: the context is active already");
        return BECK_OK;
    }
    if (state == BECK_STOPPED)
        return stopped_already(ctx);
    struct driver *driver = beck__driver_of(ctx);
    beck_status status = driver ? start(driver, threaded) : ctx->error.status;
    if (status && driver) {
        driver->streams.frozen = true;
        driver->error = ctx->error;
        beck__driver_end(driver);
    } else if (status) {
        atomic_store(&ctx->state, BECK_STOPPED);
    }
    return status;
}

beck_status beck_start(beck_context *ctx)
{
    if (!ctx)
        return BECK_NO_MEMORY;
    return beck__driver_start(ctx, !ctx->manual_clock);
}

/* ---- wait and stop --------------------------------------------------------------------------- */

/* Nobody may wait for what would never come. */
static beck_status may_wait(beck_context *ctx)
{
    const struct driver *driver = ctx->stream.driver;

    if (!driver || beck_context_state(ctx) == BECK_INITIALIZED || !driver->threaded)
        return BECK_STATE; /* not started, or under a manual clock */
    bool own = atomic_load(&ctx->engine_thread) == ctx->os->thread_self(ctx->os);
    return own ? BECK_STATE : BECK_OK; /* in a callback of the driver */
}

beck_status beck_await_termination_or_timeout(beck_context *ctx, int64_t timeout_ms)
{
    if (beck_context_state(ctx) == BECK_STOPPED)
        return beck_error(ctx);
    beck_status status = may_wait(ctx);
    if (status)
        return status;
    struct driver *driver = ctx->stream.driver;
    struct os *os = ctx->os;
    int64_t now = os->mono_ns(os);
    bool for_ever = timeout_ms < 0 || timeout_ms > (INT64_MAX - now) / 1000000;
    int64_t by = for_ever ? INT64_MAX : now + timeout_ms * 1000000;
    os->lock(os, driver->lock);
    while (beck_context_state(ctx) != BECK_STOPPED) {
        int64_t left = for_ever ? -1 : by - os->mono_ns(os);
        if (!for_ever && left <= 0)
            break;
        os->gate_wait(os, driver->stopped_gate, driver->lock, left);
    }
    bool stopped = beck_context_state(ctx) == BECK_STOPPED;
    os->unlock(os, driver->lock);
    return stopped ? beck_error(ctx) : BECK_TIMEOUT;
}

beck_status beck_await_termination(beck_context *ctx)
{
    return beck_await_termination_or_timeout(ctx, -1);
}

beck_status beck__stop(beck_context *ctx, const beck_stop_args *args)
{
    int initialized = BECK_INITIALIZED;

    if (!ctx || atomic_compare_exchange_strong(&ctx->state, &initialized, BECK_STOPPED))
        return BECK_OK;
    if (initialized == BECK_STOPPED)
        return BECK_OK; /* twice is nothing */
    struct driver *driver = ctx->stream.driver;
    request(driver, args->graceful ? STOP_GRACEFUL : STOP_NOW);
    if (ctx->os->thread_self(ctx->os) != driver->starter)
        return BECK_OK;
    if (driver->threaded)
        return beck_await_termination(ctx);
    if (!driver->in_callback)
        beck__driver_finish(driver);
    return beck_error(ctx);
}

/* ---- beck_run -------------------------------------------------------------------------------- */

/* Starts and waits for the end. Signals ask for it, also while it starts. */
static void run_stream(struct driver *driver)
{
    beck_context *ctx = driver->ctx;
    struct os *os = driver->os;
    _Atomic int signals = 0;

    driver->until_end = true;
    os->signals_catch(os, driver->poller, &signals);
    bool started = !beck_start(ctx) && driver->threaded;
    while (started && beck_context_state(ctx) != BECK_STOPPED) {
        os->poller_wait(os, driver->poller, NULL, 0, -1);
        int count = atomic_load(&signals);
        if (count)
            request(driver, count == 1 ? STOP_GRACEFUL : STOP_NOW);
    }
    os->signals_release(os);
    join(driver);
}

int beck_run(beck_context *ctx)
{
    if (!ctx)
        return 1;
    struct driver *driver = ctx->stream.driver;
    bool page = ctx->help || (ctx->describe && !beck_error(ctx));

    if (page)
        beck__driver_page(ctx);
    else if (driver && !beck_error(ctx))
        run_stream(driver);
    int code = beck_error(ctx) && !(page && ctx->help) ? 1 : 0;
    if (code)
        beck__log(&ctx->log, BECK_LOG_ERROR, "%s", beck_error_text(ctx));
    beck_context_free(ctx);
    return code;
}
