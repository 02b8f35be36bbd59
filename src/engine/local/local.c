/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded engine's door: opens and closes it, and the small calls.
 */
#include "engine/local/local.h"

static void set_idle(struct engine *engine, int64_t (*idle)(void *user), void *user)
{
    struct local *local = (struct local *)engine;

    local->idle_fn = idle;
    local->idle_user = user;
    local->idle_thread = local->os->thread_self(local->os);
}

static void wake(struct engine *engine)
{
    struct local *local = (struct local *)engine;
    struct os *os = local->os;

    os->lock(os, local->lock);
    local->woken = true;
    os->gate_wake_all(os, local->done_gate);
    os->unlock(os, local->lock);
}

static void cancel(struct engine *engine, bool cancelled)
{
    struct local *local = (struct local *)engine;

    atomic_store(&local->cancelled, cancelled);
    if (!cancelled)
        return;
    beck__worker_processes_kill(local); /* what they compute is not stopped by a flag of ours */
    wake(engine);
}

static void counters(const struct engine *engine, uint64_t *tasks, uint64_t *wakes)
{
    const struct local *local = (const struct local *)engine;

    *tasks = atomic_load(&local->tasks);
    *wakes = atomic_load(&local->wakes);
}

static void close(struct engine *engine)
{
    struct local *local = (struct local *)engine;

    beck__pool_stop(local);
    beck__store_close(local);
    beck__local_scopes_free(local);
    beck__free(&local->os->memory, local, sizeof *local);
}

struct engine *beck__engine_local(struct os *os, const struct engine_options *options,
                                  struct log *log, struct error *error)
{
    struct local *local = beck__alloc_zero(&os->memory, sizeof *local);

    if (!local) {
        beck__error_memory(error, "the engine", sizeof *local);
        return NULL;
    }
    local->base.name = "local";
    local->base.close = close;
    local->base.job_run = beck__local_job;
    local->base.set_idle = set_idle;
    local->base.wake = wake;
    local->base.cancel = cancel;
    local->base.counters = counters;
    beck__local_datasets(&local->base);
    beck__local_keepers(&local->base);
    beck__local_store(&local->base);
    beck__local_turns(&local->base);
    beck__local_faults(&local->base);
    local->os = os;
    local->log = log;
    local->options = *options;
    if (beck__pool_start(local, error)) {
        close(&local->base);
        return NULL;
    }
    return &local->base;
}
