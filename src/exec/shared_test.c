/* SPDX-License-Identifier: Apache-2.0 */
/* Values and counters by name: defining, adding, reading, as bytes for a worker, and what a
 * callback may not do. */
#include "exec/call.h"
#include "exec/testing.h"

static void open(struct shared *shared)
{
    assert_int_equal(beck__shared_init(shared, beck__os_real()), BECK_OK);
}

static beck_status set(struct shared *shared, const char *name, enum shared_kind kind,
                       const char *text, struct error *error)
{
    beck__error_clear(error);
    return beck__shared_set(shared, name, kind, beck_string(text), error);
}

static void refused(struct shared *shared, const char *name, enum shared_kind kind,
                    beck_status status, const char *text)
{
    struct error error;

    assert_int_equal(set(shared, name, kind, "x", &error), status);
    assert_non_null(strstr(error.text, text));
}

static void test_names(void **state)
{
    struct shared shared;
    struct error error = {0};
    char longest[BECK__SHARED_NAME + 1];
    (void)state;

    open(&shared);
    memset(longest, 'n', sizeof longest);
    longest[sizeof longest - 1] = 0;
    assert_int_equal(set(&shared, "table", SHARED_VALUE, "one", &error), BECK_OK);
    assert_int_equal(set(&shared, "table", SHARED_VALUE, "", &error), BECK_OK);
    assert_int_equal(set(&shared, "rows", SHARED_BIGINT, "", &error), BECK_OK);
    assert_int_equal(set(&shared, "rows", SHARED_BIGINT, "", &error), BECK_OK);
    assert_int_equal(set(&shared, longest + 1, SHARED_DOUBLE, "", &error), BECK_OK);
    assert_int_equal(shared.count, 3);
    refused(&shared, longest, SHARED_VALUE, BECK_INVALID, "longer than 127 bytes");
    refused(&shared, "", SHARED_VALUE, BECK_INVALID, "the name is empty");
    refused(&shared, NULL, SHARED_VALUE, BECK_INVALID, "the name is empty");
    refused(&shared, "rows", SHARED_DOUBLE, BECK_TYPE,
            "\"rows\" is a BIGINT counter already; give a DOUBLE counter another name");
    refused(&shared, "table", SHARED_BIGINT, BECK_TYPE, "\"table\" is a broadcast value already");
    shared.busy = true;
    refused(&shared, "more", SHARED_VALUE, BECK_STATE, "\"more\" while a job runs");
    assert_int_equal(shared.count, 3);
    beck__shared_deinit(&shared);
}

static void call_open(beck_call *c, struct shared *shared, struct task *task)
{
    memset(c, 0, sizeof *c);
    c->shared = shared;
    c->task = task;
}

static void call_failed(beck_call *c, const char *text)
{
    assert_true(c->failed);
    assert_non_null(strstr(c->reason.text, text));
    c->failed = false;
    beck__error_clear(&c->reason);
}

/* What a task adds is in its sums; what the driver adds, in the total. */
static void test_sums(void **state)
{
    struct shared shared;
    struct error error = {0};
    struct task task;
    beck_call c;
    (void)state;

    open(&shared);
    beck__task_init(&task, beck__os_real());
    set(&shared, "table", SHARED_VALUE, "", &error);
    set(&shared, "rows", SHARED_BIGINT, "", &error);
    set(&shared, "time", SHARED_DOUBLE, "", &error);
    call_open(&c, &shared, &task);
    beck_accumulate(&c, "rows", 3);
    beck_accumulate(&c, "rows", -1);
    beck_accumulate(&c, "time", 0.5);
    beck_accumulate(&c, "time", 2);
    beck_accumulate(&c, "time", UINT64_MAX);
    assert_false(c.failed);
    assert_int_equal(beck__shared_total(&shared, "rows").u.integer, 0);
    beck__shared_add(&shared, &task.sums);
    beck__shared_add(&shared, &task.sums);
    assert_int_equal(beck__shared_total(&shared, "rows").u.integer, 4);
    assert_true(beck__shared_total(&shared, "time").u.real == 2 * (2.5 + (double)UINT64_MAX));
    beck__task_deinit(&task);
    assert_null(task.sums.items);

    call_open(&c, &shared, NULL);
    beck_accumulate(&c, "rows", INT64_MAX); /* wraps */
    assert_int_equal(beck__shared_total(&shared, "rows").u.integer, INT64_MIN + 3);
    assert_int_equal(beck__shared_total(&shared, "table").kind, BECK_KIND_NULL);
    assert_int_equal(beck__shared_total(&shared, "none").kind, BECK_KIND_NULL);

    beck_accumulate(&c, "none", 1);
    call_failed(&c, "there is no counter \"none\"; make it with beck_accumulator before");
    beck_accumulate(&c, "table", 1);
    call_failed(&c, "there is no counter \"table\"");
    beck_accumulate(&c, "rows", 0.5);
    call_failed(&c, "\"rows\" is a BIGINT counter; what is added is a fraction");
    beck_accumulate(&c, "time", "text");
    call_failed(&c, "\"time\" is a DOUBLE counter; what is added is no number");
    beck__shared_deinit(&shared);
}

static void assert_value(beck_call *c, const char *name, const char *text)
{
    size_t size = 99;
    const void *bytes = beck_broadcast_get(c, name, &size);

    assert_non_null(bytes);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(bytes, text, size);
}

/* A copy is told what is new, item by item, and has the same order. */
static void test_copies(void **state)
{
    struct shared shared, copy;
    struct error error = {0};
    struct text text = {.memory = &beck__os_real()->memory};
    beck_call c;
    (void)state;

    open(&shared);
    open(&copy);
    set(&shared, "a", SHARED_VALUE, "one", &error);
    set(&shared, "n", SHARED_BIGINT, "", &error);
    set(&shared, "b", SHARED_VALUE, "", &error);
    beck__shared_encode(&shared, 0, &text);
    struct reader in = {.data = (const uint8_t *)text.data, .size = text.size};
    assert_int_equal(beck__shared_decode(&copy, &in, &error), BECK_OK);
    assert_int_equal(in.at, in.size);
    call_open(&c, &copy, NULL);
    assert_value(&c, "a", "one");
    assert_value(&c, "b", "");
    assert_int_equal(copy.count, 3);

    uint64_t told = shared.version;
    set(&shared, "a", SHARED_VALUE, "another", &error);
    set(&shared, "n", SHARED_BIGINT, "", &error); /* nothing new */
    set(&shared, "m", SHARED_DOUBLE, "", &error);
    beck__text_clear(&text);
    beck__shared_encode(&shared, told, &text);
    assert_null(strstr(text.data + 9, "one"));
    in = (struct reader){.data = (const uint8_t *)text.data, .size = text.size};
    assert_int_equal(beck__shared_decode(&copy, &in, &error), BECK_OK);
    assert_value(&c, "a", "another");
    assert_int_equal(copy.count, 4);
    for (const struct shared_item *a = shared.first, *b = copy.first; a; a = a->next, b = b->next) {
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->index, b->index);
    }
    for (size_t cut = 0; cut < text.size; cut++) {
        in = (struct reader){.data = (const uint8_t *)text.data, .size = cut};
        beck__error_clear(&error);
        assert_int_equal(beck__shared_decode(&copy, &in, &error), BECK_CORRUPT);
    }
    beck__text_clear(&text);
    beck__shared_encode(NULL, 0, &text);
    assert_int_equal(text.size, 4);
    beck__text_deinit(&text);

    assert_null(beck_broadcast_get(&c, "n", NULL));
    call_failed(&c, "there is no broadcast value \"n\"; make it with beck_broadcast before");
    call_open(&c, NULL, NULL);
    assert_null(beck_broadcast_get(&c, "a", NULL));
    call_failed(&c, "there is no broadcast value \"a\"");
    beck__shared_deinit(&copy);
    beck__shared_deinit(&shared);
}

/* Without memory nothing changes. */
static void test_no_memory(void **state)
{
    struct os *os = beck__os_real();
    struct shared shared;
    struct error error = {0};
    beck_call c;
    (void)state;

    open(&shared);
    set(&shared, "a", SHARED_VALUE, "one", &error);
    call_open(&c, &shared, NULL);
    for (uint64_t n = 1; n < 3; n++) {
        beck__os_memory_fail(os, n, true);
        beck_status status = set(&shared, "b", SHARED_VALUE, "two", &error);
        beck__os_memory_fail(os, 0, false);
        assert_int_equal(status, BECK_NO_MEMORY);
        assert_int_equal(shared.count, 1);
    }
    beck__os_memory_fail(os, 1, true);
    beck_status status = set(&shared, "a", SHARED_VALUE, "two", &error);
    beck__os_memory_fail(os, 0, false);
    assert_int_equal(status, BECK_NO_MEMORY);
    assert_value(&c, "a", "one");
    beck__shared_deinit(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_names),
        test(test_sums),
        test(test_copies),
        test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
