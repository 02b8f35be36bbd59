/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testing.h - what the tests of this room share.
 */
#ifndef BECK_OS_TESTING_H
#define BECK_OS_TESTING_H

#include "os/os.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after setjmp.h */

/* A call must come out fine, or the test shows the error's text. */
#define assert_ok(call, error)                                                                     \
    do {                                                                                           \
        beck_status status_ = (call);                                                              \
        if (status_)                                                                               \
            print_error("%s: %s\n", beck_status_name(status_), (error).text);                      \
        assert_int_equal(status_, BECK_OK);                                                        \
    } while (0)

#define assert_contains(text, part) assert_non_null(strstr((text), (part)))

/* For group fixtures: all memory of the real os has come back. */
static inline int note_memory(void **state)
{
    static size_t used;
    used = beck__os_memory_used(beck__os_real());
    *state = &used;
    return 0;
}

static inline int check_memory(void **state)
{
    size_t before = *(size_t *)*state, now = beck__os_memory_used(beck__os_real());
    if (now != before)
        print_error("%zu bytes before the test, %zu after it\n", before, now);
    return now == before ? 0 : -1;
}

#define test(f) cmocka_unit_test_setup_teardown(f, note_memory, check_memory)

/* ---- a door that one thread opens for others ------------------------------------------------- */

struct door {
    struct os *os;
    struct os_lock *lock;
    struct os_gate *gate;
    bool open;
};

static inline void door_init(struct door *d)
{
    struct os *os = beck__os_current();
    *d = (struct door){os, os->lock_new(os), os->gate_new(os), false};
}

static inline void door_deinit(struct door *d)
{
    d->os->gate_free(d->os, d->gate);
    d->os->lock_free(d->os, d->lock);
}

static inline void door_open(struct door *d)
{
    d->os->lock(d->os, d->lock);
    d->open = true;
    d->os->gate_wake_all(d->os, d->gate);
    d->os->unlock(d->os, d->lock);
}

static inline void door_pass(struct door *d)
{
    d->os->lock(d->os, d->lock);
    while (!d->open)
        d->os->gate_wait(d->os, d->gate, d->lock, -1);
    d->os->unlock(d->os, d->lock);
}

#endif
