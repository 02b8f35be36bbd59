/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim.h - what the files of the simulated implementation share.
 *
 * A world has threads, a clock, a network, and one baton. Who holds the baton runs and may touch
 * the world; nobody else does, so the world needs no lock beyond the one that hands the baton on.
 * Every os call enters the world through beck__sim_enter, where the seed decides who goes on.
 */
#ifndef BECK_OS_SIM_H
#define BECK_OS_SIM_H

#include "os/os.h"

#include <pthread.h>
#include <setjmp.h>

#define BECK__NEVER INT64_MAX

struct world;

/* In front of everything a world hands out: what a deadlock leaves behind is freed with the world.
 */
struct sim_object {
    struct sim_object *next, **link;
    size_t size;
};

enum sim_state { SIM_READY, SIM_WAITING, SIM_ENDED };

struct sim_thread {
    struct sim_object object;
    struct world *world;
    struct sim_thread *next; /* in order of ids */
    uint64_t id;
    char name[16];
    void (*run)(void *user);
    void *user;
    pthread_t pthread;
    pthread_cond_t baton;
    jmp_buf leave; /* out of a world that stops */
    enum sim_state state;
    /* while it waits */
    const void *on;
    const char *what;
    int64_t until;
    bool timed_out;
};

/* A sequence of seeded numbers. Each use has its own, so that one does not shift the others. */
struct sim_random {
    uint64_t state;
};

uint64_t beck__sim_next(struct sim_random *random);
uint64_t beck__sim_below(struct sim_random *random, uint64_t limit);
bool beck__sim_chance(struct sim_random *random, uint64_t per, uint64_t of);

struct world {
    struct os os; /* first: an os of this kind is a world */
    struct os_simulation *config;
    struct text *out;
    struct error *error;
    beck_status status;

    pthread_mutex_t mutex; /* of `running` */
    pthread_cond_t over;
    struct sim_thread *running; /* holds the baton; NULL: all have ended */

    struct sim_thread *threads;
    struct sim_object *objects;
    uint64_t last_id;
    int64_t now;          /* ns */
    uint64_t still_steps; /* since the clock has moved */
    bool stopping;        /* every call leaves its thread */

    struct sim_random order, network, user; /* scheduling, network, os->random */
    struct sim_socket *listeners;
    int ports;              /* given out */
    struct sim_node *nodes; /* files and directories */
    uint64_t last_inode;
};

enum sim_call {
    SIM_CLOCK = 1,
    SIM_SLEEP,
    SIM_START,
    SIM_JOIN,
    SIM_END,
    SIM_LOCK,
    SIM_UNLOCK,
    SIM_GATE_WAIT,
    SIM_GATE_WAKE,
    SIM_POLL,
    SIM_POLLER_WAKE,
    SIM_LISTEN,
    SIM_ACCEPT,
    SIM_CONNECT,
    SIM_CONNECTED,
    SIM_SEND,
    SIM_RECV,
    SIM_SHUT,
    SIM_RANDOM,
    SIM_PRINT,
    SIM_FILE,
    SIM_OTHER
};

/* The world of a call; counts it, and may let others run first. Does not return when the world
 * stops. */
struct world *beck__sim_enter(struct os *os, enum sim_call call);
struct sim_thread *beck__sim_self(void);

/* Adds to the hash of all that happens. */
void beck__sim_trace(struct world *world, uint64_t value);
void beck__sim_trace_bytes(struct world *world, const void *data, size_t size);

/* Waits for somebody to wake waiters of `on`, at most until `until`; false if the time is over.
 * `what` is for the text of a deadlock. */
bool beck__sim_block(struct world *world, const void *on, const char *what, int64_t until);
/* Makes all waiters, or one that the seed chooses, ready. */
void beck__sim_wake(struct world *world, const void *on, bool all);
/* now + timeout; never for a negative one. */
int64_t beck__sim_until(const struct world *world, int64_t timeout_ns);

/* Ends the world: every thread leaves at its next call. */
void beck__sim_stop(struct world *world, beck_status status, const char *why);

/* A zeroed object that begins with a struct sim_object; NULL without memory. */
void *beck__sim_new(struct world *world, size_t size);
void beck__sim_free(struct world *world, void *object);

/* Starts a thread of the world; it runs when it gets the baton. 0 or an errno. */
int beck__sim_begin(struct world *world, const char *name, void (*run)(void *), void *user,
                    struct sim_thread **thread);
/* Takes an ended thread out of the world. */
void beck__sim_forget(struct world *world, struct sim_thread *thread);

void beck__sim_sync(struct os *os);
void beck__sim_network(struct os *os);
void beck__sim_files(struct os *os);
void beck__sim_others(struct os *os);

#endif
