/* SPDX-License-Identifier: Apache-2.0 */
/* Locks exclude, gates wake and time out, under many seeds. */
#include "os/testing.h"

#define SEEDS  50
#define THREES 3

struct room {
    struct os *os;
    struct os_lock *lock;
    struct os_gate *gate;
    int inside, most, visits;
    int queue, produced, consumed;
    int64_t waited;
    bool done;
};

static void open_room(struct room *room)
{
    room->os = beck__os_current();
    room->lock = room->os->lock_new(room->os);
    room->gate = room->os->gate_new(room->os);
}

static void close_room(struct room *room)
{
    room->os->gate_free(room->os, room->gate);
    room->os->lock_free(room->os, room->lock);
}

static void start_three(struct room *room, void (*run)(void *))
{
    struct os *os = room->os;
    struct os_thread *threads[THREES];
    for (int i = 0; i < THREES; i++)
        threads[i] = os->thread_start(os, "three", run, room, NULL);
    for (int i = 0; i < THREES; i++)
        os->thread_join(os, threads[i]);
}

static void simulate(uint64_t seed, void (*body)(void *), struct room *room)
{
    struct os_simulation simulation = {.seed = seed};
    struct error error = {0};
    if (beck__os_simulate(&simulation, body, room, NULL, &error))
        print_error("seed %llu\n", (unsigned long long)seed);
    assert_ok(error.status, error);
}

/* ---- locks --------------------------------------------------------------------------------- */

static void visit(void *user)
{
    struct room *room = user;
    struct os *os = room->os;
    for (int i = 0; i < 10; i++) {
        os->lock(os, room->lock);
        room->inside++;
        if (room->inside > room->most)
            room->most = room->inside;
        os->mono_ns(os); /* others may run here */
        room->visits++;
        room->inside--;
        os->unlock(os, room->lock);
    }
}

static void visits(void *user)
{
    open_room(user);
    start_three(user, visit);
    close_room(user);
}

static void a_lock_excludes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct room room = {0};
        simulate(seed, visits, &room);
        assert_int_equal(room.most, 1);
        assert_int_equal(room.visits, THREES * 10);
    }
}

/* ---- gates --------------------------------------------------------------------------------- */

static void consume(void *user)
{
    struct room *room = user;
    struct os *os = room->os;
    os->lock(os, room->lock);
    while (room->queue || !room->done) {
        if (!room->queue) {
            os->gate_wait(os, room->gate, room->lock, -1);
            continue;
        }
        room->queue--;
        room->consumed++;
        os->unlock(os, room->lock);
        os->sleep_ns(os, 1000);
        os->lock(os, room->lock);
    }
    os->unlock(os, room->lock);
}

static void produce(void *user)
{
    struct room *room = user;
    struct os *os = room->os;
    for (; room->produced < 20; room->produced++) {
        os->lock(os, room->lock);
        room->queue++;
        os->gate_wake(os, room->gate);
        os->unlock(os, room->lock);
        os->sleep_ns(os, 500);
    }
    os->lock(os, room->lock);
    room->done = true;
    os->gate_wake_all(os, room->gate);
    os->unlock(os, room->lock);
}

static void produce_and_consume(void *user)
{
    struct room *room = user;
    open_room(room);
    struct os_thread *producer = room->os->thread_start(room->os, "produce", produce, room, NULL);
    start_three(room, consume);
    room->os->thread_join(room->os, producer);
    close_room(room);
}

static void a_gate_wakes_waiters(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct room room = {0};
        simulate(seed, produce_and_consume, &room);
        assert_int_equal(room.consumed, 20);
    }
}

static void wait_in_vain(void *user)
{
    struct room *room = user;
    struct os *os = room->os;
    open_room(room);
    os = room->os;
    os->lock(os, room->lock);
    assert(!os->gate_wait(os, room->gate, room->lock, 0));
    while (os->gate_wait(os, room->gate, room->lock, 5000000)) {
    }
    room->waited = os->mono_ns(os);
    os->unlock(os, room->lock);
    close_room(room);
}

static void a_gate_times_out(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct room room = {0};
        simulate(seed, wait_in_vain, &room);
        assert_int_equal(room.waited, 5000000);
    }
}

/* ---- order --------------------------------------------------------------------------------- */

static void sleep_by_number(void *user)
{
    struct room *room = user;
    struct os *os = room->os;
    int64_t self = (int64_t)os->thread_self(os);
    os->sleep_ns(os, 1000 * (100 - self));
    room->waited = self; /* the last to wake is the one with the least number */
    room->visits++;
}

static void sleep_all(void *user)
{
    open_room(user);
    start_three(user, sleep_by_number);
    close_room(user);
}

static void sleepers_wake_in_order_of_time(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct room room = {0};
        simulate(seed, sleep_all, &room);
        assert_int_equal(room.visits, THREES);
        assert_int_equal(room.waited, 2); /* main is 1 */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_lock_excludes),
        test(a_gate_wakes_waiters),
        test(a_gate_times_out),
        test(sleepers_wake_in_order_of_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
