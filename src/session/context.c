/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The context: options, log, engine; its birth and its end. It belongs to one thread.
 */
#include "session/session.h"

#include <stdio.h>

#define CONF_BYTES_MAX    (1 << 20)
#define FAULTS_ONE_IN_MAX 8 /* attempts; a seed that is a multiple of it fails all it may */

static const char *lookup(void *user, const char *name)
{
    struct os *os = user;

    return os->env(os, name);
}

static beck_status read_file(struct os *os, const char *path, struct text *out, struct error *error)
{
    struct os_file *file;
    char piece[4096];
    size_t got = 0;
    beck_status status = os->open(os, path, OS_READ, &file, error);

    if (status)
        return status;
    do {
        status = os->read(os, file, out->size, piece, sizeof piece, &got, error);
        beck__text_append(out, piece, got);
    } while (!status && got == sizeof piece && out->size <= CONF_BYTES_MAX);
    os->close(os, file, NULL);
    if (!status && out->size > CONF_BYTES_MAX)
        status = beck__error_set(error, BECK_INVALID, "%s has more than %d bytes of options", path,
                                 CONF_BYTES_MAX);
    if (!status && out->failed)
        status = beck__error_memory(error, path, out->size);
    return status;
}

static beck_status read_conf(beck_context *ctx, const char *path)
{
    struct text text = {.memory = &ctx->os->memory};
    beck_status status = read_file(ctx->os, path, &text, &ctx->error);

    if (!status)
        status =
            beck__settings_file(ctx->settings, path, beck__text_get(&text), text.size, &ctx->error);
    beck__text_deinit(&text);
    return status;
}

/* The program's own values, then file, environment, command line: the later wins. The file's name
 * is found first, wherever it stands. */
static void read_settings(beck_context *ctx, const beck_context_args *args)
{
    struct settings *s = ctx->settings, *first = beck__settings_new(&ctx->arena);
    char *none[] = {(char *)"beck", NULL};
    char **argv = args->argv ? args->argv : none;
    int argc = args->argv ? args->argc : 1;
    char number[32];

    if (!first)
        beck__error_memory(&ctx->error, "options", 0);
    if (!first || beck__settings_env(first, lookup, ctx->os, &ctx->error) ||
        beck__settings_argv(first, argc, argv, &ctx->args, &ctx->arg_count, &ctx->error))
        return;
    if (args->batch_ms) {
        snprintf(number, sizeof number, "%lld", (long long)args->batch_ms);
        if (beck__settings_set(s, "driver.batch", number, "beck_context_new .batch_ms",
                               &ctx->error))
            return;
    }
    if (args->trigger == BECK_TRIGGER_EVENT)
        beck__settings_set(s, "driver.trigger", "event", "beck_context_new .trigger", &ctx->error);
    if (args->batch_bytes_max) {
        snprintf(number, sizeof number, "%lld", (long long)args->batch_bytes_max);
        if (beck__settings_set(s, "driver.batch_bytes", number, "beck_context_new .batch_bytes_max",
                               &ctx->error))
            return;
    }
    if (args->partitions) {
        snprintf(number, sizeof number, "%d", args->partitions);
        if (beck__settings_set(s, "engine.partitions", number, "beck_context_new .partitions",
                               &ctx->error))
            return;
    }
    if (args->pools &&
        beck__settings_set(s, "engine.pools", args->pools, "beck_context_new .pools", &ctx->error))
        return;
    if (args->master && beck__settings_set(s, "engine.master", args->master,
                                           "beck_context_new .master", &ctx->error))
        return;
    const char *file = beck__settings_text(first, OPTION_CONF_FILE);
    if (*file && read_conf(ctx, file))
        return;
    if (!beck__settings_env(s, lookup, ctx->os, &ctx->error))
        beck__settings_argv(s, argc, argv, &ctx->args, &ctx->arg_count, &ctx->error);
}

static void apply_settings(beck_context *ctx, const beck_context_args *args)
{
    static const beck_log_level levels[] = {BECK_LOG_WARNING, BECK_LOG_ERROR, BECK_LOG_INFO};
    int64_t memory = beck__settings_number(ctx->settings, OPTION_MEMORY);

    ctx->log.level = levels[beck__settings_number(ctx->settings, OPTION_LOG)];
    ctx->event_trigger = beck__settings_number(ctx->settings, OPTION_TRIGGER) == 1;
    ctx->batch_ms = ctx->event_trigger && !beck__settings_given(ctx->settings, OPTION_BATCH)
                        ? 1
                        : beck__settings_number(ctx->settings, OPTION_BATCH);
    ctx->help = beck__settings_number(ctx->settings, OPTION_HELP) != 0;
    ctx->describe = beck__settings_number(ctx->settings, OPTION_DESCRIBE) != 0;
    ctx->life.graph.partitions = (uint32_t)beck__settings_number(ctx->settings, OPTION_PARTITIONS);
    ctx->memory_limited = memory != 0;
    if (memory)
        beck__os_memory_max(ctx->os, (size_t)memory);
    if (args->checkpoint)
        beck__error_set(&ctx->error, BECK_UNSUPPORTED,
                        "beck_context_new: .checkpoint is not in this version; leave it out");
}

/* What looks like one of our variables and does nothing is told. */
static void warn_of_strays(beck_context *ctx)
{
    const char *variable;

    for (size_t i = 0; (variable = ctx->os->env_at(ctx->os, i)); i++) {
        struct error why = {0};
        if (beck__settings_stray(variable, &why))
            beck__log(&ctx->log, BECK_LOG_WARNING, "%s", why.text);
    }
}

static void life_init(struct session_life *life, beck_context *ctx, struct arena *arena,
                      struct error *error)
{
    life->ctx = ctx;
    life->graph = (struct graph){.arena = arena, .os = ctx->os, .error = error};
    life->stamp = (struct stamp){.arena = arena, .life = life};
    life->results = NULL;
    life->of_batch = false;
}

beck_context *beck__context_new(const beck_context_args *args)
{
    struct os *os = beck__os_current();

    beck__engine_worker(os);
    beck_context *ctx = beck__alloc_zero(&os->memory, sizeof *ctx);
    if (!ctx)
        return NULL;
    ctx->os = os;
    beck__arena_init(&ctx->arena, &os->memory);
    ctx->described.memory = &os->memory;
    ctx->log =
        (struct log){.os = os, .fn = args->log, .user = args->log_user, .level = BECK_LOG_WARNING};
    ctx->name = beck__arena_text(&ctx->arena, args->name ? args->name : "beck");
    ctx->manual_clock = args->manual_clock;
    ctx->manual_ms = args->manual_start_ms;
    life_init(&ctx->life, ctx, &ctx->arena, &ctx->error);
    ctx->settings = beck__settings_new(&ctx->arena);
    ctx->bus = beck__bus_new(os, &os->memory, 1024);
    if (!ctx->settings || !ctx->bus || !ctx->name || beck__shared_init(&ctx->shared, os)) {
        beck_context_free(ctx);
        return NULL;
    }
    read_settings(ctx, args);
    apply_settings(ctx, args);
    warn_of_strays(ctx);
    return ctx;
}

beck_status beck__session_life_init(struct session_life *life, beck_context *ctx,
                                    struct arena *arena, int64_t batch_ms, struct error *error)
{
    life_init(life, ctx, arena, error);
    life->of_batch = batch_ms != 0;
    life->stamp.batch_ms = batch_ms;
    life->graph.partitions = ctx->life.graph.partitions;
    life->stamp.engine = ctx->engine;
    life->stamp.scope = ctx->engine->scope_new(ctx->engine, batch_ms);
    return life->stamp.scope ? BECK_OK : beck__error_memory(error, "a batch", 0);
}

bool beck__session_wrong_thread(const beck_context *ctx)
{
    uint64_t allowed = atomic_load(&ctx->engine_thread);

    return allowed != SESSION_ANY_THREAD && allowed != ctx->os->thread_self(ctx->os);
}

bool beck__session_own_thread(beck_context *ctx, const char *what, struct error *error)
{
    if (!beck__session_wrong_thread(ctx))
        return true;
    beck__error_set(error, BECK_STATE,
                    "%s: while a stream runs, it is for its driver callbacks only, such as that of "
                    "foreach_rdd",
                    what);
    /* Nothing sticks: the stream goes on. So somebody has to say it. */
    beck__log(&ctx->log, BECK_LOG_WARNING, "%s", error->text);
    return false;
}

bool beck__session_lasts(const beck_rdd *r, const beck_context *ctx)
{
    return r->life && r->life->ctx == ctx && !r->life->of_batch;
}

struct session_life *beck__session_life(beck_context *ctx)
{
    struct session_life *batch = atomic_load(&ctx->batch);

    return batch && !beck__session_wrong_thread(ctx) ? batch : &ctx->life;
}

void beck__session_life_end(struct session_life *life)
{
    while (life->results)
        beck_result_free(life->results);
    if (life->stamp.scope)
        life->stamp.engine->scope_free(life->stamp.engine, life->stamp.scope);
    life->stamp.scope = NULL;
    beck__holdings_free(&life->graph, life->stamp.engine);
    if (life->of_batch)
        beck__session_kept_free(life->ctx, false);
}

static uint64_t storage_bytes(const struct settings *s)
{
    int64_t given = beck__settings_number(s, OPTION_STORAGE_BYTES);

    return (uint64_t)(given ? given : beck__settings_number(s, OPTION_MEMORY) / 2);
}

static beck_status weigh_pools(beck_context *ctx)
{
    beck_str list = beck_string(beck__settings_text(ctx->settings, OPTION_POOLS)), name;
    uint32_t weight;

    while (!ctx->error.status && beck__pools_next(&list, &name, &weight))
        ctx->engine->pool(ctx->engine, name, weight, &ctx->error);
    return ctx->error.status;
}

beck_status beck__session_engine(beck_context *ctx)
{
    const struct settings *s = ctx->settings;
    struct engine_options options = {
        .threads = beck__master_threads(beck__settings_text(s, OPTION_MASTER),
                                        ctx->os->cpu_count(ctx->os)),
        .isolate = beck__settings_number(s, OPTION_ISOLATE) != 0,
        .encode = beck__settings_number(s, OPTION_ENCODE) != 0,
        .attempts = (int)beck__settings_number(s, OPTION_ATTEMPTS),
        .inline_rows = (uint64_t)beck__settings_number(s, OPTION_INLINE_ROWS),
        .inline_all = ctx->manual_clock && !beck__settings_given(s, OPTION_MASTER),
        .received_split_bytes = 16 << 20,
        .storage_bytes = storage_bytes(s),
        .storage_dir = beck__settings_text(s, OPTION_STORAGE_DIR),
        .waiting_max = (uint32_t)beck__settings_number(s, OPTION_WAITING_TASKS),
        .shared = &ctx->shared,
    };

    if (ctx->error.status)
        return ctx->error.status;
    if (!ctx->engine) {
        ctx->engine = beck__engine_local(ctx->os, &options, &ctx->log, &ctx->error);
        if (!ctx->engine)
            return ctx->error.status;
        uint64_t seed = (uint64_t)beck__settings_number(s, OPTION_FAULTS);
        uint64_t one_in = seed ? 1 + seed % FAULTS_ONE_IN_MAX : 0;
        ctx->engine->fault(ctx->engine, one_in, seed);
        ctx->engine->lose(ctx->engine, one_in, seed);
        if (weigh_pools(ctx))
            return ctx->error.status;
    }
    if (!ctx->life.stamp.scope) {
        ctx->life.stamp.engine = ctx->engine;
        ctx->life.stamp.scope = ctx->engine->scope_new(ctx->engine, 0);
    }
    if (!ctx->life.stamp.scope)
        return beck__error_memory(&ctx->error, "the engine", 0);
    return BECK_OK;
}

void beck_context_free(beck_context *ctx)
{
    if (!ctx)
        return;
    struct os *os = ctx->os;
    if (ctx->stream.driver)
        ctx->stream.free(ctx->stream.driver);
    beck__session_kept_free(ctx, true);
    beck__session_life_end(&ctx->life);
    if (ctx->engine)
        ctx->engine->close(ctx->engine);
    beck__shared_deinit(&ctx->shared);
    if (ctx->memory_limited)
        beck__os_memory_max(os, 0);
    beck__bus_free(ctx->bus);
    beck__text_deinit(&ctx->described);
    beck__arena_deinit(&ctx->arena);
    beck__free(&os->memory, ctx, sizeof *ctx);
}

/* ---- questions; a context that could not be made is one that has no memory ------------------- */

const struct error *beck__session_error(const beck_context *ctx)
{
    static const struct error none = {.status = BECK_NO_MEMORY, .text = "out of memory"};

    if (!ctx)
        return &none;
    bool ended = ctx->stream.error && beck_context_state(ctx) == BECK_STOPPED;
    return !ctx->error.status && ended ? ctx->stream.error : &ctx->error;
}

char **beck_args(beck_context *ctx, int *argc)
{
    static char *none[] = {NULL};
    bool given = ctx && ctx->args;

    *argc = given ? ctx->arg_count : 0;
    return given ? ctx->args : none;
}

beck_state_of beck_context_state(const beck_context *ctx)
{
    return ctx ? (beck_state_of)atomic_load(&ctx->state) : BECK_STOPPED;
}

beck_status beck_error(const beck_context *ctx)
{
    return beck__session_error(ctx)->status;
}

const char *beck_error_text(const beck_context *ctx)
{
    return beck__session_error(ctx)->text;
}

void beck_add_listener(beck_context *ctx, beck_listener_fn *listener, void *user)
{
    if (ctx && beck__bus_add(ctx->bus, listener, user))
        beck__error_memory(&ctx->error, "a listener", 0);
}
