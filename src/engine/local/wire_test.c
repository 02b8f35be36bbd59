/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_test - a task as bytes: what the worker answers is what the task gives here; damaged bytes
 * are told.
 */
#include "engine/testing.h"

#include "engine/local/local.h"

static void tell(beck_call *c, beck_row in)
{
    beck_emit(c, beck_get_string(in, 0),
              beck_get_bigint(in, 1) + 10 * beck_partition(c) + 100 * beck_attempt(c) +
                  1000 * beck_batch_time(c));
}

static void refuse(beck_call *c, beck_row in)
{
    beck_fail(c, "no %lld", (long long)beck_get_bigint(in, 1));
}

/* ---- one task -------------------------------------------------------------------------------- */

struct wire {
    struct lab lab;
    struct job job;
    struct stage stage;
    struct run run;
    struct text request, reply;
};

static void open(struct wire *w)
{
    lab_open(&w->lab, lab_options(1));
    memset(&w->stage, 0, sizeof w->stage);
    memset(&w->run, 0, sizeof w->run);
    w->job = (struct job){.scope = w->lab.scope, .what = "test"};
    w->stage.engine = (struct local *)w->lab.engine;
    w->stage.job = &w->job;
    w->run.stage = &w->stage;
    w->request = w->reply = (struct text){.memory = &w->lab.os->memory};
}

static void close(struct wire *w)
{
    beck__run_drop(&w->run);
    beck__text_deinit(&w->request);
    beck__text_deinit(&w->reply);
    lab_close(&w->lab);
}

static struct reader reader_of(const struct text *text)
{
    return (struct reader){.data = (const uint8_t *)text->data, .size = text->size};
}

static void send(struct wire *w)
{
    beck__run_drop(&w->run);
    beck__text_clear(&w->request);
    beck__text_clear(&w->reply);
    beck__error_clear(&w->run.error);
    assert_ok(beck__request_encode(&w->run, &w->request, &w->run.error), w->run.error);
    struct reader in = reader_of(&w->request);
    assert_ok(beck__request_serve(w->lab.os, NULL, &in, &w->reply, &w->run.error), w->run.error);
    assert_int_equal(in.at, in.size);
    in = reader_of(&w->reply);
    beck_status status = beck__reply_decode(&w->lab.os->memory, &in, &w->run, &w->run.error);
    assert_int_equal(status, w->run.error.status);
    if (!status)
        assert_int_equal(in.at, in.size);
}

/* All rows of the run by target, as text. */
static const char *rows(struct wire *w)
{
    struct text one = {.memory = &w->lab.os->memory};
    beck__text_clear(&w->lab.text);
    for (uint32_t i = 0; w->run.out && i < w->run.out_count; i++)
        beck__text_printf(&w->lab.text, "[%u]\n%s", i, blocks_text(&w->run.out[i], &one));
    beck__text_deinit(&one);
    return beck__text_get(&w->lab.text);
}

/* The same task in this process. */
static const char *rows_here(struct wire *w)
{
    beck__run_drop(&w->run);
    beck__run_here(w->lab.os, &w->run, w->stage.input, w->stage.action,
                   w->stage.shuffle ? &w->stage.shuffle->partitioning : NULL);
    assert_int_equal(w->run.status, BECK_OK);
    return beck__arena_text(&w->lab.arena, rows(w));
}

static void check(struct wire *w)
{
    const char *expected = rows_here(w);
    uint64_t records = w->run.records;
    send(w);
    assert_int_equal(w->run.error.status, BECK_OK);
    assert_string_equal(rows(w), expected);
    assert_int_equal(w->run.records, records);
}

static void test_tasks(void **state)
{
    (void)state;
    struct wire w;
    open(&w);
    struct op map = lab_call(&w.lab, PAIR, PAIR, tell);
    struct op limit = test_op(&w.lab.arena, OP_LIMIT, PAIR, PAIR);
    limit.number = 150;
    struct dataset *numbers = lab_numbers(&w.lab, 3, 250);
    w.stage.input = numbers;
    w.run.partition = 1;
    w.run.attempt = 2;
    check(&w);
    w.stage.action = beck__program_of(&w.lab.arena, &limit);
    check(&w);
    w.stage.input = lab_narrow(&w.lab, lab_narrow(&w.lab, numbers, &map), &map);
    check(&w);
    w.stage.action = NULL;
    w.stage.shuffle = lab_shuffle(&w.lab, w.stage.input, PARTITION_HASH, 4, PAIR);
    check(&w);
    w.stage.shuffle = lab_shuffle(&w.lab, w.stage.input, PARTITION_ROUND_ROBIN, 5, PAIR);
    check(&w);
    struct dataset *both[] = {w.stage.input, numbers};
    w.stage.input = w.lab.engine->unite(w.lab.scope, both, 2);
    for (w.run.partition = 0; w.run.partition < 6; w.run.partition++)
        check(&w);
    close(&w);
}

/* The rows of a union have the names of its first part. */
static void test_names_of_union(void **state)
{
    (void)state;
    struct wire w;
    open(&w);
    struct op map = lab_call(&w.lab, PAIR, "k STRING, other BIGINT", tell);
    struct dataset *numbers = lab_numbers(&w.lab, 2, 250);
    struct dataset *both[] = {numbers, lab_narrow(&w.lab, numbers, &map)};
    w.stage.input = w.lab.engine->unite(w.lab.scope, both, 2);
    for (w.run.partition = 0; w.run.partition < 4; w.run.partition++)
        check(&w);
    w.run.partition = 3;
    w.stage.shuffle = lab_shuffle(&w.lab, w.stage.input, PARTITION_HASH, 4, PAIR);
    check(&w);
    close(&w);
}

/* A task behind a shuffle: its blocks come from all maps. */
static void test_behind_shuffle(void **state)
{
    (void)state;
    struct wire w;
    open(&w);
    struct dataset *d = lab_shuffle(&w.lab, lab_numbers(&w.lab, 3, 250), PARTITION_HASH, 2, PAIR);
    lab_run(&w.lab, d, NULL);
    w.stage.input = d;
    for (w.run.partition = 0; w.run.partition < 2; w.run.partition++)
        check(&w);
    close(&w);
}

static void test_place(void **state)
{
    (void)state;
    struct wire w;
    open(&w);
    struct op map = lab_call(&w.lab, PAIR, PAIR, tell);
    w.stage.input = lab_narrow(&w.lab, lab_numbers(&w.lab, 3, 1), &map);
    w.run.partition = 2;
    w.run.attempt = 3;
    send(&w);
    assert_string_equal(rows(&w), "[0]\n(key number 2,5000322)\n");
    assert_int_equal(w.run.records, 1);
    close(&w);
}

static void test_error(void **state)
{
    (void)state;
    struct wire w;
    open(&w);
    struct op map = lab_call(&w.lab, PAIR, PAIR, refuse);
    w.stage.input = lab_narrow(&w.lab, lab_numbers(&w.lab, 2, 5), &map);
    w.run.partition = 1;
    send(&w);
    assert_int_equal(w.run.error.status, BECK_TASK);
    assert_string_equal(w.run.error.text, "op at test.c:7: no 5 (record 1)");
    assert_null(w.run.out);
    close(&w);
}

/* ---- damage ---------------------------------------------------------------------------------- */

/* Kernels only: a changed function id would lead anywhere. */
static void make_request(struct wire *w)
{
    struct op words = test_op(&w->lab.arena, OP_WORDS, PAIR, "word STRING");
    struct op limit = test_op(&w->lab.arena, OP_LIMIT, "word STRING", "word STRING");
    limit.number = 7;
    w->stage.input = lab_narrow(&w->lab, lab_numbers(&w->lab, 1, 20), &words);
    w->stage.action = beck__program_of(&w->lab.arena, &limit);
    w->stage.shuffle = lab_shuffle(&w->lab, w->stage.input, PARTITION_HASH, 3, "word STRING");
    check(w);
}

static void serve_damaged(struct wire *w, size_t size)
{
    struct reader in = {.data = (const uint8_t *)w->request.data, .size = size};
    struct error error = {0};
    beck__text_clear(&w->reply);
    beck_status status = beck__request_serve(w->lab.os, NULL, &in, &w->reply, &error);
    assert_int_equal(status, error.status);
    assert_true(status == BECK_OK || status == BECK_CORRUPT);
    if (size < w->request.size)
        assert_int_equal(status, BECK_CORRUPT);
}

static void test_damaged_request(void **state)
{
    (void)state;
    struct wire w;
    open(&w);
    make_request(&w);
    for (size_t size = 0; size < w.request.size; size++)
        serve_damaged(&w, size);
    for (size_t at = 0; at < w.request.size; at++) {
        char good = w.request.data[at];
        if (at >= 21 && at < 24) /* the number of partitions: many take long */
            continue;
        for (unsigned bit = 0; bit < 8; bit++) {
            w.request.data[at] = (char)((unsigned char)good ^ 1u << bit);
            serve_damaged(&w, w.request.size);
        }
        w.request.data[at] = good;
    }
    close(&w);
}

static void decode_damaged(struct wire *w, size_t size)
{
    struct reader in = {.data = (const uint8_t *)w->reply.data, .size = size};
    struct error error = {0};
    beck__run_drop(&w->run);
    beck_status status = beck__reply_decode(&w->lab.os->memory, &in, &w->run, &error);
    assert_int_equal(status, error.status);
    if (size < w->reply.size)
        assert_int_equal(status, BECK_CORRUPT);
}

static void test_damaged_reply(void **state)
{
    (void)state;
    struct wire w;
    open(&w);
    make_request(&w);
    for (size_t size = 0; size < w.reply.size; size++)
        decode_damaged(&w, size);
    for (size_t at = 0; at < w.reply.size; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            char good = w.reply.data[at];
            w.reply.data[at] = (char)((unsigned char)good ^ 1u << bit);
            decode_damaged(&w, w.reply.size);
            w.reply.data[at] = good;
        }
    close(&w);
}

/* Sums for more counters than there are. */
static void test_too_many_sums(void **state)
{
    (void)state;
    struct wire w;
    struct shared shared;
    struct error error = {0};
    assert_int_equal(beck__shared_init(&shared, beck__os_real()), BECK_OK);
    beck__shared_set(&shared, "n", SHARED_BIGINT, beck_string(""), NULL);
    open(&w);
    ((struct local *)w.lab.engine)->options.shared = &shared;
    for (uint32_t count = 1; count < 3; count++) {
        beck__text_clear(&w.reply);
        beck__put_u8(&w.reply, BECK_OK);
        beck__put_string(&w.reply, beck_string(""));
        beck__put_u64(&w.reply, 0);
        beck__put_u32(&w.reply, count);
        for (uint32_t i = 0; i < count; i++)
            beck__put_u64(&w.reply, 7);
        beck__put_u32(&w.reply, 99);
        struct reader in = reader_of(&w.reply);
        beck__error_clear(&error);
        beck_status status = beck__reply_decode(&w.lab.os->memory, &in, &w.run, &error);
        assert_int_equal(status, BECK_CORRUPT);
        assert_string_equal(error.text, count == 1 ? "a worker's reply has 99 lists"
                                                   : "a worker's reply has 2 sums");
        assert_int_equal(w.run.sums.count, count == 1);
        beck__run_drop(&w.run);
    }
    close(&w);
    beck__shared_deinit(&shared);
}

/* Programs that do not fit each other, though each one fits. */
static void test_types_of_path(void **state)
{
    (void)state;
    struct wire w;
    struct error error = {0};
    open(&w);
    struct op limit = test_op(&w.lab.arena, OP_LIMIT, "n BIGINT, k STRING", "n BIGINT, k STRING");
    struct dataset *numbers = lab_numbers(&w.lab, 1, 1);
    w.stage.input = lab_narrow(&w.lab, numbers, &limit); /* the builder's fault */
    assert_ok(beck__request_encode(&w.run, &w.request, &error), error);
    serve_damaged(&w, w.request.size);
    struct reader in = reader_of(&w.request);
    assert_int_equal(beck__request_serve(w.lab.os, NULL, &in, &w.reply, &error), BECK_CORRUPT);
    assert_string_equal(error.text, "a task that this worker cannot read: the types of its path");
    w.stage.input = numbers;
    w.stage.action = beck__program_of(&w.lab.arena, &limit);
    beck__text_clear(&w.request);
    beck__error_clear(&error);
    assert_ok(beck__request_encode(&w.run, &w.request, &error), error);
    in = reader_of(&w.request);
    assert_int_equal(beck__request_serve(w.lab.os, NULL, &in, &w.reply, &error), BECK_CORRUPT);
    assert_string_equal(error.text, "a task that this worker cannot read: what it makes");
    close(&w);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct wire w;
    open(&w);
    make_request(&w);
    struct os *os = w.lab.os;
    for (int part = 0; part < 3; part++) {
        beck_status status = BECK_NO_MEMORY;
        for (uint64_t n = 1; status && n < 1000; n++) {
            struct text reply = {.memory = &os->memory};
            struct error error = {0};
            struct reader request = reader_of(&w.request), answer = reader_of(&w.reply);
            beck__run_drop(&w.run);
            beck__os_memory_fail(os, n, true);
            if (part == 0)
                status = beck__request_encode(&w.run, &reply, &error);
            else if (part == 1)
                status = beck__request_serve(os, NULL, &request, &reply, &error);
            else
                status = beck__reply_decode(&os->memory, &answer, &w.run, &error);
            beck__os_memory_fail(os, 0, false);
            /* a task that fails for want of memory says so in its reply */
            if (part == 1 && !status && reply.data[0] == BECK_NO_MEMORY)
                status = BECK_NO_MEMORY;
            assert_true(status == BECK_OK || status == BECK_NO_MEMORY);
            beck__text_deinit(&reply);
        }
        assert_int_equal(status, BECK_OK);
    }
    close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_tasks),         test(test_names_of_union), test(test_behind_shuffle),
        test(test_place),         test(test_error),          test(test_damaged_request),
        test(test_damaged_reply), test(test_types_of_path),  test(test_no_memory),
        test(test_too_many_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
