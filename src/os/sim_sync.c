/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_sync.c - clock, threads, locks and gates of the simulated world. Who waits asks again after a
 * wake: between the wake and its turn another thread may have come first.
 */
#define _GNU_SOURCE
#include "os/sim.h"

#include "os/real.h"

struct sim_lock {
    struct sim_object object;
    struct sim_thread *owner;
};

struct sim_gate {
    struct sim_object object;
};

/* ---- clock --------------------------------------------------------------------------------- */

static int64_t mono_ns(struct os *os)
{
    return beck__sim_enter(os, SIM_CLOCK)->now;
}

static int64_t wall_ms(struct os *os)
{
    const struct world *world = beck__sim_enter(os, SIM_CLOCK);
    return world->config->start_ms + world->now / 1000000;
}

static int64_t cpu_ns(struct os *os)
{
    beck__sim_enter(os, SIM_CLOCK);
    return 0;
}

static void sleep_ns(struct os *os, int64_t ns)
{
    struct world *world = beck__sim_enter(os, SIM_SLEEP);
    beck__sim_block(world, beck__sim_self(), "time", beck__sim_until(world, ns > 0 ? ns : 0));
}

/* ---- threads ------------------------------------------------------------------------------- */

static struct os_thread *thread_start(struct os *os, const char *name, void (*run)(void *),
                                      void *user, struct error *error)
{
    struct world *world = beck__sim_enter(os, SIM_START);
    struct sim_thread *thread = NULL;
    int code = beck__sim_begin(world, name, run, user, &thread);
    if (code)
        beck__os_fail(error, code, "start thread %s", name);
    return (struct os_thread *)thread;
}

static void thread_join(struct os *os, struct os_thread *handle)
{
    struct sim_thread *thread = (struct sim_thread *)handle;
    if (!thread)
        return;
    struct world *world = beck__sim_enter(os, SIM_JOIN);
    assert(thread != beck__sim_self());
    while (thread->state != SIM_ENDED)
        beck__sim_block(world, thread, "the end of a thread", BECK__NEVER);
    beck__sim_forget(world, thread);
}

static uint64_t thread_self(struct os *os)
{
    (void)os;
    return beck__sim_self()->id;
}

/* ---- locks --------------------------------------------------------------------------------- */

static struct os_lock *lock_new(struct os *os)
{
    struct world *world = beck__sim_enter(os, SIM_OTHER);
    return beck__sim_new(world, sizeof(struct sim_lock));
}

static void lock_free(struct os *os, struct os_lock *handle)
{
    struct sim_lock *lock = (struct sim_lock *)handle;
    if (!lock)
        return;
    struct world *world = beck__sim_enter(os, SIM_OTHER);
    assert(!lock->owner);
    beck__sim_free(world, lock);
}

static void take(struct world *world, struct sim_lock *lock)
{
    assert(lock->owner != beck__sim_self());
    while (lock->owner)
        beck__sim_block(world, lock, "a lock", BECK__NEVER);
    lock->owner = beck__sim_self();
}

static void give(struct world *world, struct sim_lock *lock)
{
    assert(lock->owner == beck__sim_self());
    lock->owner = NULL;
    beck__sim_wake(world, lock, true);
}

static void lock_take(struct os *os, struct os_lock *lock)
{
    take(beck__sim_enter(os, SIM_LOCK), (struct sim_lock *)lock);
}

static void lock_give(struct os *os, struct os_lock *lock)
{
    give(beck__sim_enter(os, SIM_UNLOCK), (struct sim_lock *)lock);
}

/* ---- gates --------------------------------------------------------------------------------- */

static struct os_gate *gate_new(struct os *os)
{
    struct world *world = beck__sim_enter(os, SIM_OTHER);
    return beck__sim_new(world, sizeof(struct sim_gate));
}

static void gate_free(struct os *os, struct os_gate *gate)
{
    if (gate)
        beck__sim_free(beck__sim_enter(os, SIM_OTHER), gate);
}

/* Sometimes it wakes for no reason, as the door allows. */
static bool gate_wait(struct os *os, struct os_gate *gate, struct os_lock *handle,
                      int64_t timeout_ns)
{
    struct world *world = beck__sim_enter(os, SIM_GATE_WAIT);
    struct sim_lock *lock = (struct sim_lock *)handle;
    int64_t until = beck__sim_until(world, timeout_ns);
    bool woken = true;
    give(world, lock);
    if (timeout_ns == 0 || !beck__sim_chance(&world->order, 1, 16))
        woken = beck__sim_block(world, gate, "a gate", until);
    take(world, lock);
    return woken;
}

static void gate_wake(struct os *os, struct os_gate *gate)
{
    beck__sim_wake(beck__sim_enter(os, SIM_GATE_WAKE), gate, false);
}

static void gate_wake_all(struct os *os, struct os_gate *gate)
{
    beck__sim_wake(beck__sim_enter(os, SIM_GATE_WAKE), gate, true);
}

void beck__sim_sync(struct os *os)
{
    os->mono_ns = mono_ns;
    os->wall_ms = wall_ms;
    os->cpu_ns = cpu_ns;
    os->sleep_ns = sleep_ns;
    os->thread_start = thread_start;
    os->thread_join = thread_join;
    os->thread_self = thread_self;
    os->lock_new = lock_new;
    os->lock_free = lock_free;
    os->lock = lock_take;
    os->unlock = lock_give;
    os->gate_new = gate_new;
    os->gate_free = gate_free;
    os->gate_wait = gate_wait;
    os->gate_wake = gate_wake;
    os->gate_wake_all = gate_wake_all;
}
