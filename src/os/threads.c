/* SPDX-License-Identifier: Apache-2.0 */
/*
 * threads.c - threads, locks and gates on pthreads. Our threads block all signals, so that handlers
 * run where the user's program expects them; their stacks are below the size of a huge page, so
 * that an idle thread costs a few small pages.
 */
#define _GNU_SOURCE
#include "os/real.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#define STACK_BYTES ((size_t)(BECK__SANITIZED ? 8 : 1) << 20)

struct os_thread {
    pthread_t id;
    void (*run)(void *);
    void *user;
    char name[16]; /* what the kernel takes */
};

struct os_lock {
    pthread_mutex_t mutex;
};

struct os_gate {
    pthread_cond_t condition;
};

int beck__thread_create(pthread_t *thread, void *(*run)(void *), void *user)
{
    pthread_attr_t attributes;
    int code = pthread_attr_init(&attributes);
    if (code)
        return code;
    sigset_t all, old;
    sigfillset(&all);
    code = pthread_attr_setstacksize(&attributes, STACK_BYTES);
    if (!code) {
        pthread_sigmask(SIG_SETMASK, &all, &old);
        code = pthread_create(thread, &attributes, run, user);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    }
    pthread_attr_destroy(&attributes);
    return code;
}

static void *run_thread(void *user)
{
    struct os_thread *thread = user;
    pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->user);
    return NULL;
}

static struct os_thread *thread_start(struct os *os, const char *name, void (*run)(void *),
                                      void *user, struct error *error)
{
    struct os_thread *thread = beck__alloc_zero(&os->memory, sizeof *thread);
    if (!thread) {
        beck__error_memory(error, "a thread", sizeof *thread);
        return NULL;
    }
    thread->run = run;
    thread->user = user;
    memcpy(thread->name, name, strnlen(name, sizeof thread->name - 1));
    int code = beck__thread_create(&thread->id, run_thread, thread);
    if (code) {
        beck__os_fail(error, code, "start thread %s", name);
        beck__free(&os->memory, thread, sizeof *thread);
        return NULL;
    }
    return thread;
}

static void thread_join(struct os *os, struct os_thread *thread)
{
    if (!thread)
        return;
    int code = pthread_join(thread->id, NULL);
    assert(!code);
    (void)code;
    beck__free(&os->memory, thread, sizeof *thread);
}

static uint64_t thread_self(struct os *os)
{
    static _Atomic uint64_t last;
    static _Thread_local uint64_t self;
    (void)os;
    if (!self)
        self = atomic_fetch_add(&last, 1) + 1;
    return self;
}

static struct os_lock *lock_new(struct os *os)
{
    struct os_lock *lock = beck__alloc_zero(&os->memory, sizeof *lock);
    if (lock)
        pthread_mutex_init(&lock->mutex, NULL);
    return lock;
}

static void lock_free(struct os *os, struct os_lock *lock)
{
    if (!lock)
        return;
    int code = pthread_mutex_destroy(&lock->mutex);
    assert(!code); /* EBUSY: somebody holds it */
    (void)code;
    beck__free(&os->memory, lock, sizeof *lock);
}

static void lock_take(struct os *os, struct os_lock *lock)
{
    (void)os;
    int code = pthread_mutex_lock(&lock->mutex);
    assert(!code);
    (void)code;
}

static void lock_give(struct os *os, struct os_lock *lock)
{
    (void)os;
    int code = pthread_mutex_unlock(&lock->mutex);
    assert(!code);
    (void)code;
}

static struct os_gate *gate_new(struct os *os)
{
    struct os_gate *gate = beck__alloc_zero(&os->memory, sizeof *gate);
    if (!gate)
        return NULL;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&gate->condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return gate;
}

static void gate_free(struct os *os, struct os_gate *gate)
{
    if (!gate)
        return;
    pthread_cond_destroy(&gate->condition);
    beck__free(&os->memory, gate, sizeof *gate);
}

static bool gate_wait(struct os *os, struct os_gate *gate, struct os_lock *lock, int64_t timeout_ns)
{
    (void)os;
    if (timeout_ns == 0)
        return false;
    int64_t now = timeout_ns < 0 ? 0 : beck__mono_ns();
    if (timeout_ns < 0 || timeout_ns > INT64_MAX - now) {
        pthread_cond_wait(&gate->condition, &lock->mutex);
        return true;
    }
    struct timespec until = beck__timespec(now + timeout_ns);
    return pthread_cond_timedwait(&gate->condition, &lock->mutex, &until) != ETIMEDOUT;
}

static void gate_wake(struct os *os, struct os_gate *gate)
{
    (void)os;
    pthread_cond_signal(&gate->condition);
}

static void gate_wake_all(struct os *os, struct os_gate *gate)
{
    (void)os;
    pthread_cond_broadcast(&gate->condition);
}

void beck__real_threads(struct os *os)
{
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
