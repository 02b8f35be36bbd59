/* SPDX-License-Identifier: Apache-2.0 */
/* Order, copies, a full ring, several listeners, posts from threads, no memory. */
#include "base/testing.h"
#include "observe/observe.h"

#include <stdio.h>

struct seen {
    struct bus *bus;
    size_t count;
    int64_t last_batch;
    char name[200], error[600];
    bool post_again, add_again;
};

static void keep(void *user, const beck_event *event)
{
    struct seen *seen = user;

    seen->count++;
    seen->last_batch = event->batch_ms;
    snprintf(seen->name, sizeof seen->name, "%s", event->name ? event->name : "(null)");
    snprintf(seen->error, sizeof seen->error, "%s", event->error ? event->error : "(null)");
    if (seen->post_again) {
        beck_event another = *event;
        another.batch_ms++;
        seen->post_again = false;
        beck__bus_post(seen->bus, &another);
    }
    if (seen->add_again) {
        seen->add_again = false;
        assert_int_equal(beck__bus_add(seen->bus, keep, seen), BECK_OK);
    }
}

static void post(struct bus *bus, int64_t batch_ms)
{
    beck_event event = {.kind = BECK_EVENT_BATCH_COMPLETED, .batch_ms = batch_ms};

    beck__bus_post(bus, &event);
}

static void events_reach_every_listener_in_order(void **state)
{
    struct test_memory test;
    struct seen one = {0}, two = {0};
    struct bus *bus = beck__bus_new(beck__os_real(), test_memory_init(&test, 0), 10);

    (void)state;
    assert_non_null(bus);
    assert_int_equal(beck__bus_add(bus, keep, &one), BECK_OK);
    assert_int_equal(beck__bus_add(bus, keep, &two), BECK_OK);
    assert_int_equal(beck__bus_deliver(bus), 0);
    post(bus, 1000);
    post(bus, 2000);
    assert_int_equal(one.count, 0); /* only deliver calls them */
    assert_int_equal(beck__bus_deliver(bus), 2);
    assert_int_equal(one.count, 2);
    assert_int_equal(two.last_batch, 2000);
    beck__bus_free(bus);
    assert_int_equal(test.used, 0);
}

static void texts_are_copied_and_cut_off(void **state)
{
    struct test_memory test;
    struct seen seen = {0};
    char name[400], error[1000];
    struct bus *bus = beck__bus_new(beck__os_real(), test_memory_init(&test, 0), 1);
    beck_event event = {.name = name, .error = error};

    (void)state;
    beck__bus_add(bus, keep, &seen);
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    memset(error, 'e', sizeof error);
    error[sizeof error - 1] = '\0';
    beck__bus_post(bus, &event);
    memset(name, 'x', 10);
    memset(error, 'x', 10);
    beck__bus_deliver(bus);
    assert_int_equal(strlen(seen.name), 100);
    assert_int_equal(strlen(seen.error), 500);
    assert_int_equal(seen.name[0], 'n');
    assert_int_equal(seen.error[0], 'e');
    post(bus, 1);
    beck__bus_deliver(bus);
    assert_string_equal(seen.name, "(null)");
    assert_string_equal(seen.error, "(null)");
    beck__bus_free(bus);
}

static void a_full_ring_drops_the_oldest(void **state)
{
    struct test_memory test;
    struct seen seen = {0};
    struct bus *bus = beck__bus_new(beck__os_real(), test_memory_init(&test, 0), 257);

    (void)state;
    beck__bus_add(bus, keep, &seen);
    uint64_t calls = test.calls;
    for (int64_t i = 0; i < 512; i++)
        post(bus, i);
    assert_true(beck__bus_dropped(bus) == 0); /* 257 was rounded up to 512 */
    for (int64_t i = 512; i < 600; i++)
        post(bus, i);
    assert_true(beck__bus_dropped(bus) == 88);
    assert_int_equal(beck__bus_deliver(bus), 512);
    assert_int_equal(seen.last_batch, 599);
    assert_true(test.calls == calls); /* nothing was allocated */
    beck__bus_free(bus);
}

static void a_listener_may_post_and_add(void **state)
{
    struct test_memory test;
    struct seen seen = {.post_again = true, .add_again = true};
    struct bus *bus = beck__bus_new(beck__os_real(), test_memory_init(&test, 0), 1);

    (void)state;
    seen.bus = bus;
    beck__bus_add(bus, keep, &seen);
    post(bus, 1000);
    assert_int_equal(beck__bus_deliver(bus), 2);
    assert_int_equal(seen.count, 4);
    assert_int_equal(seen.last_batch, 1001);
    beck__bus_free(bus);
    assert_int_equal(test.used, 0);
}

static void post_many(void *user)
{
    for (int64_t i = 0; i < 1000; i++)
        post(user, i);
}

static void any_thread_may_post(void **state)
{
    struct os *os = beck__os_real();
    struct test_memory test;
    struct seen seen = {0};
    struct error error = {0};
    struct os_thread *threads[4];
    struct bus *bus = beck__bus_new(os, test_memory_init(&test, 0), 4096);

    (void)state;
    beck__bus_add(bus, keep, &seen);
    for (int i = 0; i < 4; i++) {
        threads[i] = os->thread_start(os, "poster", post_many, bus, &error);
        assert_non_null(threads[i]);
    }
    for (int i = 0; i < 10; i++)
        beck__bus_deliver(bus);
    for (int i = 0; i < 4; i++)
        os->thread_join(os, threads[i]);
    beck__bus_deliver(bus);
    assert_int_equal(seen.count, 4000);
    assert_true(beck__bus_dropped(bus) == 0);
    beck__bus_free(bus);
    assert_int_equal(test.used, 0);
}

static void without_memory_there_is_no_bus(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        struct test_memory test;
        assert_null(beck__bus_new(beck__os_real(), test_memory_init(&test, n), 1));
        assert_int_equal(test.used, 0);
    }
    struct test_memory test;
    struct bus *bus = beck__bus_new(beck__os_real(), test_memory_init(&test, 3), 1);
    assert_non_null(bus);
    assert_int_equal(beck__bus_add(bus, keep, NULL), BECK_NO_MEMORY);
    beck__bus_free(bus);
    beck__bus_free(NULL);
    assert_int_equal(test.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_reach_every_listener_in_order),
        cmocka_unit_test(texts_are_copied_and_cut_off),
        cmocka_unit_test(a_full_ring_drops_the_oldest),
        cmocka_unit_test(a_listener_may_post_and_add),
        cmocka_unit_test(any_thread_may_post),
        cmocka_unit_test(without_memory_there_is_no_bus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
