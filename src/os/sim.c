/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim.c - the simulated world: the baton, the choice of who holds it next, the virtual clock.
 *
 *     thread 1  ==call==>......................==call==>.......
 *     thread 2  .........==run==call==>........................
 *     thread 3  ......................==run====>........==run=>
 *               time stands still while anybody can run; then it jumps to the next timer
 *
 * Invariant: exactly one thread is between hand_over and its next one, and world->running is it.
 * Nothing here may depend on addresses, on the real clock or on the order in which the real threads
 * come to run: a seed replays a run bit for bit.
 */
#define _GNU_SOURCE
#include "os/sim.h"

#include "os/hash.h"
#include "os/real.h"

#include <errno.h>
#include <stdio.h>

#define STEPS_MAX ((uint64_t)50000000)
#define STILL_STEPS                                                                                \
    10000 /* from here on a call takes time, or a loop that looks at the clock hangs */
#define STILL_NS 1000

static _Thread_local struct sim_thread *self;

struct sim_thread *beck__sim_self(void)
{
    return self;
}

/* ---- numbers and trace --------------------------------------------------------------------- */

uint64_t beck__sim_next(struct sim_random *random)
{
    random->state += 0x9e3779b97f4a7c15u;
    return beck__os_mix(random->state);
}

uint64_t beck__sim_below(struct sim_random *random, uint64_t limit)
{
    return limit ? beck__sim_next(random) % limit : 0;
}

bool beck__sim_chance(struct sim_random *random, uint64_t per, uint64_t of)
{
    return beck__sim_below(random, of) < per;
}

void beck__sim_trace(struct world *world, uint64_t value)
{
    uint64_t *trace = &world->config->trace;
    *trace = beck__os_mix(*trace + 0x9e3779b97f4a7c15u + value);
}

void beck__sim_trace_bytes(struct world *world, const void *data, size_t size)
{
    beck__sim_trace(world, beck__os_hash(3, data, size));
}

/* ---- objects ------------------------------------------------------------------------------- */

void *beck__sim_new(struct world *world, size_t size)
{
    struct sim_object *object = beck__alloc_zero(&world->os.memory, size);
    if (!object)
        return NULL;
    object->size = size;
    object->next = world->objects;
    object->link = &world->objects;
    if (object->next)
        object->next->link = &object->next;
    world->objects = object;
    return object;
}

void beck__sim_free(struct world *world, void *p)
{
    struct sim_object *object = p;
    if (!object)
        return;
    *object->link = object->next;
    if (object->next)
        object->next->link = object->link;
    beck__free(&world->os.memory, object, object->size);
}

/* ---- the baton ----------------------------------------------------------------------------- */

static void pass_baton(struct world *world, struct sim_thread *next)
{
    world->running = next;
    pthread_cond_signal(next ? &next->baton : &world->over);
}

static void await_baton(struct world *world, struct sim_thread *thread)
{
    while (world->running != thread)
        pthread_cond_wait(&thread->baton, &world->mutex);
}

static void make_ready(struct sim_thread *thread, bool timed_out)
{
    thread->state = SIM_READY;
    thread->timed_out = timed_out;
    thread->on = NULL;
}

/* Moves the clock to `now` and ends the waits that are over. */
static void set_clock(struct world *world, int64_t now)
{
    if (now > world->now) {
        world->now = now;
        world->still_steps = 0;
    }
    for (struct sim_thread *t = world->threads; t; t = t->next)
        if (t->state == SIM_WAITING && t->until <= world->now)
            make_ready(t, true);
}

static struct sim_thread *nth_ready(const struct world *world, uint64_t n)
{
    struct sim_thread *t = world->threads;
    while (t->state != SIM_READY || n--)
        t = t->next;
    return t;
}

static void stop_deadlock(struct world *world)
{
    char why[800];
    size_t at = 0;
    why[0] = 0;
    for (const struct sim_thread *t = world->threads; t && at < sizeof why - 80; t = t->next)
        if (t->state == SIM_WAITING)
            at += (size_t)snprintf(why + at, sizeof why - at, "%s%s waits for %.40s",
                                   at ? ", " : "", t->name, t->what);
    world->config->deadlock = true;
    beck__sim_stop(world, BECK_STATE, why);
}

/* Who goes on; NULL when all threads have ended. */
static struct sim_thread *choose(struct world *world)
{
    for (;;) {
        uint64_t ready = 0;
        bool waiting = false;
        int64_t next = BECK__NEVER;
        for (const struct sim_thread *t = world->threads; t; t = t->next) {
            ready += t->state == SIM_READY;
            waiting |= t->state == SIM_WAITING;
            if (t->state == SIM_WAITING && t->until < next)
                next = t->until;
        }
        if (ready) {
            struct sim_thread *t = nth_ready(world, beck__sim_below(&world->order, ready));
            beck__sim_trace(world, t->id);
            return t;
        }
        if (!waiting)
            return NULL;
        if (next == BECK__NEVER)
            stop_deadlock(world);
        else
            set_clock(world, next);
    }
}

/* Lets the chosen thread run, and comes back when this one is chosen. */
static void give_way(struct world *world)
{
    struct sim_thread *next = choose(world);
    if (next != self) {
        pthread_mutex_lock(&world->mutex);
        pass_baton(world, next);
        await_baton(world, self);
        pthread_mutex_unlock(&world->mutex);
    }
    if (world->stopping)
        longjmp(self->leave, 1);
}

struct world *beck__sim_enter(struct os *os, enum sim_call call)
{
    struct world *world = (struct world *)os;
    assert(self && self->world == world); /* a thread of this world, started through its os */
    if (world->stopping)
        longjmp(self->leave, 1);
    if (++world->config->steps == STEPS_MAX)
        beck__sim_stop(world, BECK_TIMEOUT, "it does not come to an end");
    beck__sim_trace(world, (uint64_t)call);
    beck__sim_trace(world, (uint64_t)world->now);
    if (++world->still_steps > STILL_STEPS) {
        world->now += STILL_NS;
        set_clock(world, world->now);
    }
    give_way(world);
    return world;
}

bool beck__sim_block(struct world *world, const void *on, const char *what, int64_t until)
{
    if (until <= world->now)
        return false;
    self->state = SIM_WAITING;
    self->on = on;
    self->what = what;
    self->until = until;
    give_way(world);
    return !self->timed_out;
}

void beck__sim_wake(struct world *world, const void *on, bool all)
{
    uint64_t waiters = 0;
    for (struct sim_thread *t = world->threads; t; t = t->next)
        waiters += t->state == SIM_WAITING && t->on == on;
    uint64_t chosen = all || waiters < 2 ? 0 : beck__sim_below(&world->order, waiters);
    for (struct sim_thread *t = world->threads; t; t = t->next) {
        if (t->state != SIM_WAITING || t->on != on)
            continue;
        if (all || chosen-- == 0)
            make_ready(t, false);
    }
}

int64_t beck__sim_until(const struct world *world, int64_t timeout_ns)
{
    if (timeout_ns < 0 || timeout_ns > BECK__NEVER - world->now)
        return BECK__NEVER;
    return world->now + timeout_ns;
}

void beck__sim_stop(struct world *world, beck_status status, const char *why)
{
    const char *kind = world->config->deadlock ? "deadlock: " : "";
    world->stopping = true;
    world->status = beck__error_set(
        world->error, status, "simulation with seed %llu, at %lld ms: %s%s",
        (unsigned long long)world->config->seed, (long long)(world->now / 1000000), kind, why);
    for (struct sim_thread *t = world->threads; t; t = t->next)
        if (t->state == SIM_WAITING)
            make_ready(t, true);
}

/* ---- threads ------------------------------------------------------------------------------- */

static void run_in_world(struct sim_thread *thread)
{
    if (setjmp(thread->leave) == 0 && !thread->world->stopping)
        thread->run(thread->user);
}

static void *run_thread(void *user)
{
    struct sim_thread *thread = user;
    struct world *world = thread->world;
    self = thread;
    beck__os_enter(&world->os);
    pthread_mutex_lock(&world->mutex);
    await_baton(world, thread);
    pthread_mutex_unlock(&world->mutex);
    run_in_world(thread);
    thread->state = SIM_ENDED;
    beck__sim_trace(world, SIM_END);
    beck__sim_wake(world, thread, true); /* who joins it */
    struct sim_thread *next = choose(world);
    pthread_mutex_lock(&world->mutex);
    pass_baton(world, next);
    pthread_mutex_unlock(&world->mutex);
    return NULL;
}

int beck__sim_begin(struct world *world, const char *name, void (*run)(void *), void *user,
                    struct sim_thread **result)
{
    struct sim_thread *thread = beck__sim_new(world, sizeof *thread);
    if (!thread)
        return ENOMEM;
    thread->world = world;
    thread->id = world->last_id + 1;
    thread->run = run;
    thread->user = user;
    memcpy(thread->name, name, strnlen(name, sizeof thread->name - 1));
    pthread_cond_init(&thread->baton, NULL);
    int code = beck__thread_create(&thread->pthread, run_thread, thread);
    if (code) {
        pthread_cond_destroy(&thread->baton);
        beck__sim_free(world, thread);
        return code;
    }
    struct sim_thread **end = &world->threads;
    while (*end)
        end = &(*end)->next;
    *end = thread;
    world->last_id = thread->id;
    *result = thread;
    return 0;
}

void beck__sim_forget(struct world *world, struct sim_thread *thread)
{
    struct sim_thread **link = &world->threads;
    while (*link != thread)
        link = &(*link)->next;
    *link = thread->next;
    pthread_join(thread->pthread, NULL);
    pthread_cond_destroy(&thread->baton);
    beck__sim_free(world, thread);
}

/* ---- the door ------------------------------------------------------------------------------ */

static void init_world(struct world *world, struct os_simulation *config)
{
    memset(world, 0, sizeof *world);
    if (!config->start_ms)
        config->start_ms = 1000000;
    if (!config->delay_ns_max)
        config->delay_ns_max = 5000000;
    config->trace = config->seed;
    config->steps = 0;
    config->deadlock = false;
    world->config = config;
    world->order.state = beck__os_mix(config->seed + 1);
    world->network.state = beck__os_mix(config->seed + 2);
    world->user.state = beck__os_mix(config->seed + 3);
    world->os.simulated = true;
    world->os.memory = beck__os_real()->memory;
    beck__sim_sync(&world->os);
    beck__sim_network(&world->os);
    beck__sim_files(&world->os);
    beck__sim_others(&world->os);
    pthread_mutex_init(&world->mutex, NULL);
    pthread_cond_init(&world->over, NULL);
}

static void deinit_world(struct world *world)
{
    while (world->threads)
        beck__sim_forget(world, world->threads);
    while (world->objects)
        beck__sim_free(world, world->objects);
    pthread_cond_destroy(&world->over);
    pthread_mutex_destroy(&world->mutex);
}

beck_status beck__os_simulate(struct os_simulation *simulation, void (*body)(void *user),
                              void *user, struct text *out, struct error *error)
{
    struct world world;
    struct sim_thread *first;
    assert(!self); /* no world inside a world */
    init_world(&world, simulation);
    world.out = out;
    world.error = error;
    int code = beck__sim_begin(&world, "main", body, user, &first);
    if (code) {
        world.status = beck__os_fail(error, code, "start a simulation");
    } else {
        pthread_mutex_lock(&world.mutex);
        pass_baton(&world, first);
        while (world.running)
            pthread_cond_wait(&world.over, &world.mutex);
        pthread_mutex_unlock(&world.mutex);
    }
    deinit_world(&world);
    return world.status;
}
