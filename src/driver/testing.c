/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testing.h: steps by hand, collected batches, simulated worlds.
 */
#include <beck/testing.h>

#include "driver/driver.h"

/* ---- stepping -------------------------------------------------------------------------------- */

/* What the inputs have now. */
static void step_inputs(struct driver *driver)
{
    for (struct input *i = driver->first_input; i; i = i->next)
        if (i->direct)
            beck__direct_look(i->direct);
    if (driver->ingest)
        beck__ingest_step(driver->ingest);
}

static bool run_waiting(struct driver *driver)
{
    while (driver->first_waiting && atomic_load(&driver->stop) != STOP_NOW)
        if (!beck__batch_run(driver))
            return false;
    return true;
}

beck_status beck_step(beck_context *ctx, int64_t ms)
{
    if (!ctx)
        return BECK_NO_MEMORY;
    if (!ctx->manual_clock)
        return beck__error_set(&ctx->error, BECK_STATE,
                               "beck_step: the context has no .manual_clock");
    if (ms < 0)
        return BECK_INVALID; /* time does not go back */
    if (beck_context_state(ctx) == BECK_INITIALIZED && beck__driver_start(ctx, false))
        return beck_error(ctx);
    if (beck_context_state(ctx) == BECK_STOPPED)
        return beck_error(ctx) ? beck_error(ctx) : BECK_STATE;
    struct driver *driver = ctx->stream.driver;
    int64_t target = ctx->manual_ms + ms;
    bool go_on = true;
    do {
        int64_t due = beck__driver_due_ms(driver, ctx->manual_ms);
        due = due > ctx->manual_ms ? due : ctx->manual_ms;
        ctx->manual_ms = due < target ? due : target;
        step_inputs(driver);
        beck__driver_tick(driver);
        go_on = run_waiting(driver) && !driver->error.status;
    } while (go_on && ctx->manual_ms < target && atomic_load(&driver->stop) == STOP_NO);
    beck__bus_deliver(ctx->bus);
    if (!go_on)
        beck__driver_end(driver);
    else if (atomic_load(&driver->stop) != STOP_NO)
        beck__driver_finish(driver);
    return beck_error(ctx);
}

/* ---- collecting ------------------------------------------------------------------------------ */

/* It has a life of its own: the driver's thread adds to it while another owns the context. */
struct beck_collector {
    struct arena arena;
    struct session_life results; /* only to hold them */
    int64_t *times;
    size_t time_capacity;
    beck_result **items;
    size_t capacity, count;
};

static void collect(const struct output *output, struct batch *batch)
{
    struct beck_collector *c = output->ctx;

    if (!beck__arena_reserve(&c->arena, (void **)&c->items, &c->capacity, c->count + 1,
                             sizeof *c->items) ||
        !beck__arena_reserve(&c->arena, (void **)&c->times, &c->time_capacity, c->count + 1,
                             sizeof *c->times)) {
        beck__error_memory(&batch->error, "a collector", 0);
        return;
    }
    c->results.graph.error = &batch->error;
    beck_result *result =
        beck__session_collect(&batch->life, &c->results, output->node, output->what);
    if (!result || batch->error.status)
        return;
    c->times[c->count] = batch->time_ms;
    c->items[c->count++] = result;
}

void beck__collectors_free(struct driver *driver)
{
    for (struct output *o = driver->streams.first; o; o = o->next) {
        struct beck_collector *c = o->kind == OUTPUT_COLLECT ? o->ctx : NULL;
        if (!c)
            continue;
        beck__session_life_end(&c->results);
        beck__arena_deinit(&c->arena);
    }
}

beck_collector *beck_collect_stream(beck_dstream *s)
{
    static beck_collector none;
    beck_site site = {NULL, 0};
    struct driver *driver = s->streams ? s->streams->owner : NULL;
    beck_collector *c = driver ? beck__arena_alloc(&driver->ctx->arena, sizeof *c) : NULL;

    if (driver && !c)
        beck__error_memory(&driver->ctx->error, "a collector", sizeof *c);
    struct output *output =
        c ? beck__output_new(s, OUTPUT_COLLECT, "collect_stream", site, NULL) : NULL;
    if (!output)
        return &none;
    beck__arena_init(&c->arena, &driver->os->memory);
    c->results.ctx = driver->ctx;
    output->collect = collect;
    output->ctx = c;
    return c;
}

size_t beck_collector_batches(const beck_collector *collector)
{
    return collector->count;
}

int64_t beck_collector_time(const beck_collector *collector, size_t i)
{
    return i < collector->count ? collector->times[i] : -1;
}

const beck_result *beck_collector_result(const beck_collector *collector, size_t i)
{
    return i < collector->count ? collector->items[i] : NULL;
}

/* ---- simulation ------------------------------------------------------------------------------ */

uint64_t beck_simulate(uint64_t seed, void (*body)(void *user), void *user)
{
    struct os_simulation simulation = {.seed = seed};
    struct error error = {0};

    if (beck__os_simulate(&simulation, body, user, NULL, &error) || simulation.deadlock)
        return 0;
    return simulation.trace;
}

struct server {
    struct os *os;
    struct os_socket *listener;
    struct os_poller *poller;
    size_t size;
    char data[];
};

static void server_free(struct server *server)
{
    struct os *os = server->os;

    os->shut(os, server->listener);
    os->poller_free(os, server->poller);
    beck__free(&os->memory, server, sizeof *server + server->size);
}

static void serve_one(struct server *server, struct os_socket *client)
{
    size_t at = 0;

    while (at < server->size) {
        size_t sent = 0;
        if (server->os->send(server->os, client, server->data + at, server->size - at, &sent, -1,
                             NULL))
            break;
        at += sent;
    }
    server->os->shut(server->os, client);
}

/* Ends when nobody has connected for a simulated minute, so that the world can end. */
static void serve(void *user)
{
    struct server *server = user;
    struct os *os = server->os;
    struct os_wait wait = {.socket = server->listener, .read = true};

    while (os->poller_wait(os, server->poller, &wait, 1, (int64_t)60 * 1000000000)) {
        struct os_socket *client;
        if (!os->accept(os, server->listener, &client, NULL))
            serve_one(server, client);
    }
    server_free(server);
}

beck_status beck_simulated_server(int port, const char *data, size_t size)
{
    struct os *os = beck__os_current();
    int bound;

    if (!os->simulated)
        return BECK_STATE;
    struct server *server = beck__alloc_zero(&os->memory, sizeof *server + size);
    if (!server)
        return BECK_NO_MEMORY;
    if (size)
        memcpy(server->data, data, size);
    server->os = os;
    server->size = size;
    server->poller = os->poller_new(os);
    beck_status status = server->poller
                             ? os->listen(os, "localhost", port, &server->listener, &bound, NULL)
                             : BECK_NO_MEMORY;
    if (!status && !os->thread_start(os, "server", serve, server, NULL))
        status = BECK_NO_MEMORY;
    if (status)
        server_free(server);
    return status;
}

/* The directories that lead to the path. */
static beck_status make_directories(struct os *os, char *path)
{
    beck_status status = BECK_OK;

    for (char *slash = strchr(path + 1, '/'); slash && !status; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        status = os->mkdir(os, path, NULL);
        if (status == BECK_EXISTS)
            status = BECK_OK;
        *slash = '/';
    }
    return status;
}

static beck_status write_file(struct os *os, const char *path, const char *data, size_t size)
{
    struct os_file *file;
    beck_status status = os->open(os, path, OS_CREATE, &file, NULL);

    if (status)
        return status;
    status = os->write(os, file, data, size, NULL);
    os->close(os, file, NULL);
    return status;
}

beck_status beck_simulated_file(const char *path, const char *data, size_t size)
{
    struct os *os = beck__os_current();
    struct arena arena;

    if (!os->simulated)
        return BECK_STATE;
    if (!path || !*path)
        return BECK_INVALID;
    beck__arena_init(&arena, &os->memory);
    char *copy = beck__arena_text(&arena, path);
    const char *aside = beck__arena_printf(&arena, "%s.tmp", path);
    beck_status status = copy && aside ? make_directories(os, copy) : BECK_NO_MEMORY;
    if (!status)
        status = write_file(os, aside, data, size);
    if (!status)
        status = os->rename(os, aside, path, NULL);
    beck__arena_deinit(&arena);
    return status;
}
