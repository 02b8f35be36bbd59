/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worker threads: one queue of task attempts, one list of finished ones. A worker holds the lock
 * only to take and to give back; the driver's thread waits for finished ones and meanwhile does
 * what its idle function says. Where several threads run jobs, all but the tasks happens in turn.
 */
#include "engine/local/local.h"

static void execute(struct worker *worker, struct run *run)
{
    struct local *local = worker->engine;
    struct stage *stage = run->stage;

    atomic_fetch_add(&local->tasks, 1);
    if (run->fault == FAULT_BEFORE) {
        run->status = beck__error_set(&run->error, BECK_TASK, "failed by a test");
        return;
    }
    if (stage->state && beck__keeper_lend(stage->state->keeper, run))
        run->status = run->error.status;
    else if (local->options.isolate && !stage->inline_run)
        beck__run_in_process(worker, run);
    else
        beck__run_here(local->os, run, stage->input, stage->action,
                       stage->shuffle ? &stage->shuffle->partitioning : NULL);
    for (uint32_t i = 0; local->options.encode && !run->status && i < run->out_count; i++)
        run->status = beck__blocks_recode(&local->os->memory, beck__run_schema(run, i),
                                          &run->out[i], &run->error);
    if (run->fault == FAULT_AFTER && !run->status)
        run->status = beck__error_set(&run->error, BECK_TASK, "failed by a test after its work");
    if (run->status)
        beck__run_drop(run);
    if (run->status && run->resident) /* the next attempt finds what this one found */
        beck__resident_seal(run->resident, false);
}

static void worker_main(void *user)
{
    struct worker *worker = user;
    struct local *local = worker->engine;
    struct os *os = local->os;

    os->lock(os, local->lock);
    while (!local->stop) {
        struct run *run = local->first;
        if (!run) {
            local->idle++;
            os->gate_wait(os, local->work, local->lock, -1);
            local->idle--;
            continue;
        }
        local->first = run->next;
        if (!local->first)
            local->last = NULL;
        os->unlock(os, local->lock);
        execute(worker, run);
        os->lock(os, local->lock);
        run->next = local->done;
        local->done = run;
        os->gate_wake(os, local->done_gate); /* one of those who wait: any will do */
    }
    os->unlock(os, local->lock);
}

beck_status beck__pool_start(struct local *local, struct error *error)
{
    struct os *os = local->os;
    uint32_t count = (uint32_t)local->options.threads;

    local->lock = os->lock_new(os);
    local->turn = os->lock_new(os);
    local->work = os->gate_new(os);
    local->done_gate = os->gate_new(os);
    local->workers = beck__alloc_zero(&os->memory, (count + 1) * sizeof *local->workers);
    if (!local->lock || !local->turn || !local->work || !local->done_gate || !local->workers)
        return beck__error_memory(error, "worker threads", count * sizeof *local->workers);
    for (uint32_t i = 0; i <= count; i++) {
        local->workers[i].engine = local;
        local->workers[i].request.memory = &os->memory;
    }
    /* the one behind the last is the driver's own, for tasks that run inline */
    for (; !local->options.inline_all && local->worker_count < count; local->worker_count++) {
        struct worker *worker = &local->workers[local->worker_count];
        worker->thread = os->thread_start(os, "beck-worker", worker_main, worker, error);
        if (!worker->thread)
            return error ? error->status : BECK_IO;
    }
    return BECK_OK;
}

void beck__pool_stop(struct local *local)
{
    struct os *os = local->os;
    uint32_t count = (uint32_t)local->options.threads;

    if (local->lock && local->work) {
        os->lock(os, local->lock);
        local->stop = true;
        os->gate_wake_all(os, local->work);
        os->unlock(os, local->lock);
    }
    for (uint32_t i = 0; local->workers && i < local->worker_count; i++)
        os->thread_join(os, local->workers[i].thread);
    for (uint32_t i = 0; local->workers && i <= count; i++) {
        beck__worker_process_stop(&local->workers[i]);
        beck__text_deinit(&local->workers[i].request);
    }
    if (local->workers)
        beck__free(&os->memory, local->workers, (count + 1) * sizeof *local->workers);
    if (local->done_gate)
        os->gate_free(os, local->done_gate);
    if (local->work)
        os->gate_free(os, local->work);
    if (local->turn)
        os->lock_free(os, local->turn);
    if (local->lock)
        os->lock_free(os, local->lock);
}

void beck__pool_run(struct local *local, struct run *run)
{
    execute(&local->workers[local->options.threads], run);
}

void beck__pool_push(struct local *local, struct run *run)
{
    struct os *os = local->os;

    os->lock(os, local->lock);
    bool first = run->overtakes || !local->last;
    run->next = first ? local->first : NULL;
    if (first)
        local->first = run;
    else
        local->last->next = run;
    if (!run->next)
        local->last = run;
    if (local->idle) {
        atomic_fetch_add(&local->wakes, 1);
        os->gate_wake(os, local->work);
    }
    os->unlock(os, local->lock);
}

void beck__pool_stir(struct local *local)
{
    struct os *os = local->os;

    if (local->entered < 2)
        return;
    os->lock(os, local->lock);
    os->gate_wake_all(os, local->done_gate);
    os->unlock(os, local->lock);
}

/* Whoever is woken takes whatever has finished; the turn is free before the wait and asked for
 * after it, so that nobody waits for the turn with the lock in hand. */
struct run *beck__pool_take(struct local *local)
{
    struct os *os = local->os;
    bool turns = local->entered > 0;
    bool first = !turns || os->thread_self(os) == local->first_thread;
    int64_t due = first && local->idle_fn ? local->idle_fn(local->idle_user) : INT64_MAX;

    os->lock(os, local->lock);
    if (turns)
        os->unlock(os, local->turn);
    if (!local->done && !(first && local->woken)) {
        int64_t wait = due == INT64_MAX ? -1 : due - os->mono_ns(os);
        if (due == INT64_MAX || wait > 0)
            os->gate_wait(os, local->done_gate, local->lock, wait);
    }
    struct run *run = local->done;
    if (run)
        local->done = run->next;
    if (first)
        local->woken = false;
    os->unlock(os, local->lock);
    if (turns)
        os->lock(os, local->turn);
    return run;
}

/* ---- several threads with jobs --------------------------------------------------------------- */

static void enter(struct engine *engine)
{
    struct local *local = (struct local *)engine;
    struct os *os = local->os;

    os->lock(os, local->turn);
    if (local->entered++ == 0)
        local->first_thread = os->thread_self(os);
}

static void leave(struct engine *engine)
{
    struct local *local = (struct local *)engine;

    beck__pool_stir(local);
    local->entered--;
    local->os->unlock(local->os, local->turn);
}

void beck__local_turns(struct engine *engine)
{
    engine->enter = enter;
    engine->leave = leave;
    engine->pass = beck__local_pass;
}
