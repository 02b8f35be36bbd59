/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worker threads: they take task attempts in the order that fair.c says, and make a list of
 * finished ones. A worker holds the lock only to take and to give back; the driver's thread waits
 * for finished ones and meanwhile does what its idle function says. Where several threads run jobs,
 * all but the tasks happens in turn.
 *
 * To compute, a thread needs a slot, of which there are as many as local[n] says. A task tells when
 * it may wait for a file or a peer. Mostly it does not, so nothing happens at first; but if it
 * still waits after a while and there is something to compute, its slot goes to a spare thread, or
 * back to one that has waited:
 *
 *     thread 1   --task A--| waits for a disk ........................ |-- A goes on, in the next
 *     thread 2   --task B------task C---------                             free slot
 *     thread 3             (patience)|--task D-----------------------
 */
#include "engine/local/local.h"

#define PATIENCE_NS (10 * 1000000)

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

/* ---- slots ----------------------------------------------------------------------------------- */

static void wait_begin(struct slot *slot)
{
    struct worker *worker = (struct worker *)slot;
    struct os *os = worker->engine->os;

    atomic_store(&worker->waits, os->mono_ns(os));
}

static void wait_end(struct slot *slot)
{
    struct worker *worker = (struct worker *)slot;
    struct local *local = worker->engine;
    struct os *os = local->os;

    if (atomic_exchange(&worker->waits, 0) != SLOT_TAKEN)
        return;
    os->lock(os, local->lock);
    local->coming_back++;
    os->gate_wake_all(os, local->done_gate); /* to look for a slot of one that waits */
    while (local->busy == (uint32_t)local->options.threads)
        os->gate_wait(os, local->back, local->lock, -1);
    local->coming_back--;
    local->lent--;
    local->busy++;
    beck__fair_begin(&local->fair, worker->run, os->mono_ns(os));
    os->unlock(os, local->lock);
}

static void worker_main(void *user);

static beck_status worker_start(struct local *local, struct error *error)
{
    struct os *os = local->os;
    struct worker *worker = &local->workers[local->worker_count + 1];

    worker->thread = os->thread_start(os, "beck-worker", worker_main, worker, error);
    if (!worker->thread)
        return error ? error->status : BECK_IO;
    local->worker_count++;
    return BECK_OK;
}

/* True if something could be computed, had it a slot. */
static bool wanted(const struct local *local)
{
    return local->fair.waiting || local->coming_back;
}

/* Takes the slots of tasks that have waited for long: for those that come back, which have threads,
 * then for runs in the queue. */
static void take_slots(struct local *local)
{
    struct os *os = local->os;
    uint32_t threads = (uint32_t)local->options.threads;
    int64_t now = os->mono_ns(os);

    if (now - local->looked_ns < PATIENCE_NS)
        return;
    local->looked_ns = now;
    for (uint32_t i = 1; i <= local->worker_count; i++) {
        struct worker *worker = &local->workers[i];
        int64_t since = atomic_load(&worker->waits);
        if (since <= 0 || now - since < PATIENCE_NS)
            continue;
        bool back = local->coming_back > threads - local->busy;
        bool spare = back || local->worker_count > threads + local->lent;
        if (!back && !local->fair.waiting)
            return;
        if (!spare && (local->worker_count == local->worker_max || worker_start(local, NULL)))
            return;
        if (!atomic_compare_exchange_strong(&worker->waits, &since, SLOT_TAKEN))
            continue;
        beck__fair_end(&local->fair, worker->run, now);
        local->lent++;
        local->busy--;
        os->gate_wake(os, back ? local->back : local->work);
    }
}

/* ---- threads --------------------------------------------------------------------------------- */

/* The next run, in a slot of its own; those who come back have the first claim to one. */
static struct run *begin_run(struct local *local)
{
    if (local->busy + local->coming_back >= (uint32_t)local->options.threads)
        return NULL;
    struct run *run = beck__fair_take(&local->fair, local->os->mono_ns(local->os));
    local->busy += run != NULL;
    return run;
}

static void end_run(struct local *local, struct run *run)
{
    struct os *os = local->os;

    beck__fair_end(&local->fair, run, os->mono_ns(os));
    local->busy--;
    if (local->coming_back)
        os->gate_wake(os, local->back);
    run->next = local->done;
    local->done = run;
    os->gate_wake(os, local->done_gate); /* one of those who wait: any will do */
}

static void worker_main(void *user)
{
    struct worker *worker = user;
    struct local *local = worker->engine;
    struct os *os = local->os;

    os->lock(os, local->lock);
    while (!local->stop) {
        worker->run = begin_run(local);
        if (!worker->run) {
            local->idle++;
            os->gate_wait(os, local->work, local->lock, -1);
            local->idle--;
            continue;
        }
        os->unlock(os, local->lock);
        worker->run->slot = &worker->slot;
        if (worker->run->spill)
            beck__stored_write(worker->run);
        else
            execute(worker, worker->run);
        os->lock(os, local->lock);
        end_run(local, worker->run);
    }
    os->unlock(os, local->lock);
}

beck_status beck__pool_start(struct local *local, struct error *error)
{
    struct os *os = local->os;
    const struct engine_options *options = &local->options;

    local->worker_max = (uint32_t)options->threads + options->waiting_max;
    size_t size = (local->worker_max + 1) * sizeof *local->workers;
    local->lock = os->lock_new(os);
    local->turn = os->lock_new(os);
    local->work = os->gate_new(os);
    local->back = os->gate_new(os);
    local->done_gate = os->gate_new(os);
    local->fair.memory = &os->memory;
    local->workers = beck__alloc_zero(&os->memory, size);
    if (!local->lock || !local->turn || !local->work || !local->back || !local->done_gate ||
        !local->workers || beck__fair_pool(&local->fair, beck_string("default"), 0))
        return beck__error_memory(error, "worker threads", size);
    for (uint32_t i = 0; i <= local->worker_max; i++) {
        local->workers[i].slot = (struct slot){wait_begin, wait_end};
        local->workers[i].engine = local;
        local->workers[i].request.memory = &os->memory;
    }
    beck_status status = BECK_OK;
    while (!status && !options->inline_all && local->worker_count < (uint32_t)options->threads)
        status = worker_start(local, error);
    return status;
}

void beck__pool_stop(struct local *local)
{
    struct os *os = local->os;

    if (local->worker_count) {
        os->lock(os, local->lock);
        local->stop = true;
        os->gate_wake_all(os, local->work);
        os->unlock(os, local->lock);
    }
    for (uint32_t i = 1; i <= local->worker_count; i++)
        os->thread_join(os, local->workers[i].thread);
    for (uint32_t i = 0; local->workers && i <= local->worker_max; i++) {
        beck__worker_process_stop(&local->workers[i]);
        beck__text_deinit(&local->workers[i].request);
    }
    beck__free(&os->memory, local->workers, (local->worker_max + 1) * sizeof *local->workers);
    beck__fair_deinit(&local->fair);
    os->gate_free(os, local->done_gate);
    os->gate_free(os, local->back);
    os->gate_free(os, local->work);
    os->lock_free(os, local->turn);
    os->lock_free(os, local->lock);
}

void beck__pool_run(struct local *local, struct run *run)
{
    execute(&local->workers[0], run);
}

void beck__pool_push(struct local *local, struct run *run)
{
    struct os *os = local->os;

    os->lock(os, local->lock);
    beck__fair_put(&local->fair, run, run->overtakes);
    if (local->idle && local->busy < (uint32_t)local->options.threads) {
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

/* How long to wait for a run: until the idle function wants to be called (due, INT64_MAX: never),
 * and not for ever while something could be computed in the slots of those that wait. */
static int64_t wait_ns(struct local *local, int64_t due)
{
    int64_t wait = due == INT64_MAX ? -1 : due - local->os->mono_ns(local->os);

    if (due != INT64_MAX && wait <= 0)
        return 0;
    return wanted(local) && (wait < 0 || wait > PATIENCE_NS) ? PATIENCE_NS : wait;
}

/* Whoever is woken takes whatever has finished; the turn is free before the wait and asked for
 * after it, so that nobody waits for the turn with the lock in hand. */
struct run *beck__pool_take(struct local *local)
{
    struct os *os = local->os;
    bool turns = local->entered > 0;
    bool idles = !turns || os->thread_self(os) == local->idle_thread;
    int64_t due = idles && local->idle_fn ? local->idle_fn(local->idle_user) : INT64_MAX;

    os->lock(os, local->lock);
    if (turns)
        os->unlock(os, local->turn);
    if (!local->done && !(idles && local->woken)) {
        int64_t wait = wait_ns(local, due);
        if (wait)
            os->gate_wait(os, local->done_gate, local->lock, wait);
    }
    if (wanted(local))
        take_slots(local);
    struct run *run = local->done;
    if (run)
        local->done = run->next;
    if (idles)
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
    local->entered++;
}

static uint32_t pool(struct engine *engine, beck_str name, uint32_t weight, struct error *error)
{
    struct local *local = (struct local *)engine;
    struct os *os = local->os;

    os->lock(os, local->lock);
    uint32_t number = beck__fair_pool(&local->fair, name, weight);
    os->unlock(os, local->lock);
    if (number == BECK__NO_POOL)
        beck__error_memory(error, "a pool", sizeof(struct pool));
    return number;
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
    engine->pool = pool;
}
