/* SPDX-License-Identifier: Apache-2.0 */
/* Threads pass numbers through a lock and a gate; gates with timeouts. */
#include "os/testing.h"

struct box {
    struct os *os;
    struct os_lock *lock;
    struct os_gate *gate;
    int full, sum;
    uint64_t ids[2];
};

static void init(struct box *box)
{
    memset(box, 0, sizeof *box);
    box->os = beck__os_real();
    box->lock = box->os->lock_new(box->os);
    box->gate = box->os->gate_new(box->os);
    assert_non_null(box->lock);
    assert_non_null(box->gate);
}

static void deinit(struct box *box)
{
    box->os->gate_free(box->os, box->gate);
    box->os->lock_free(box->os, box->lock);
}

static void put_numbers(void *user)
{
    struct box *box = user;
    struct os *os = box->os;
    for (int i = 1; i <= 100; i++) {
        os->lock(os, box->lock);
        while (box->full)
            os->gate_wait(os, box->gate, box->lock, -1);
        box->full = i;
        os->gate_wake_all(os, box->gate);
        os->unlock(os, box->lock);
    }
}

static void take_numbers(void *user)
{
    struct box *box = user;
    struct os *os = box->os;
    for (int i = 1; i <= 100; i++) {
        os->lock(os, box->lock);
        while (!box->full)
            os->gate_wait(os, box->gate, box->lock, (int64_t)1 << 62);
        box->sum += box->full;
        box->full = 0;
        os->gate_wake_all(os, box->gate);
        os->unlock(os, box->lock);
    }
}

static void numbers_pass_between_threads(void **state)
{
    (void)state;
    struct box box;
    struct error error = {0};
    init(&box);
    struct os_thread *a =
        box.os->thread_start(box.os, "a name that is too long", put_numbers, &box, &error);
    struct os_thread *b = box.os->thread_start(box.os, "b", take_numbers, &box, &error);
    assert_non_null(a);
    assert_non_null(b);
    box.os->thread_join(box.os, a);
    box.os->thread_join(box.os, b);
    box.os->thread_join(box.os, NULL);
    assert_int_equal(box.sum, 5050);
    deinit(&box);
}

static void a_gate_times_out(void **state)
{
    (void)state;
    struct box box;
    init(&box);
    box.os->lock(box.os, box.lock);
    assert_false(box.os->gate_wait(box.os, box.gate, box.lock, 0));
    int64_t before = box.os->mono_ns(box.os);
    while (box.os->gate_wait(box.os, box.gate, box.lock, 1000000)) {
    }
    assert_true(box.os->mono_ns(box.os) >= before + 1000000);
    box.os->unlock(box.os, box.lock);
    deinit(&box);
}

static void note_self(void *user)
{
    struct box *box = user;
    box->ids[0] = box->os->thread_self(box->os);
    box->ids[1] = box->os->thread_self(box->os);
}

static void each_thread_has_a_number(void **state)
{
    (void)state;
    struct box box;
    init(&box);
    uint64_t self = box.os->thread_self(box.os);
    struct os_thread *thread = box.os->thread_start(box.os, "n", note_self, &box, NULL);
    box.os->thread_join(box.os, thread);
    assert_true(box.ids[0] != self && box.ids[0] && self);
    assert_true(box.ids[0] == box.ids[1]);
    assert_true(self == box.os->thread_self(box.os));
    deinit(&box);
}

static void without_memory_nothing_starts(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct error error = {0};
    beck__os_memory_fail(os, 1, true);
    assert_null(os->lock_new(os));
    assert_null(os->gate_new(os));
    assert_null(os->thread_start(os, "x", note_self, NULL, &error));
    beck__os_memory_fail(os, 0, false);
    assert_int_equal(error.status, BECK_NO_MEMORY);
    os->lock_free(os, NULL);
    os->gate_free(os, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(numbers_pass_between_threads),
        test(a_gate_times_out),
        test(each_thread_has_a_number),
        test(without_memory_nothing_starts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
