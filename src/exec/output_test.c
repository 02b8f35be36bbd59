/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output_test - the collector, and the shuffle writer: every row goes to the partition that its key
 * says, in order, and none is lost.
 */
#include "exec/testing.h"

static void test_collector(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, "k STRING");
    struct program none = {.in = x.in.schema, .out = x.in.schema};
    ROW(&x, "a string longer than a view");
    bench_cut(&x);
    ROW(&x, "b");
    bench_run_into(&x, &none, beck__collector_open(&x.task, x.in.schema, &x.out));
    assert_int_equal(x.flow, FLOW_MORE);
    assert_string_equal(bench_text(&x), "a string longer than a view\nb\n");
    assert_int_equal(x.out.rows, 2);
    bench_close(&x);
}

/* ---- shuffle --------------------------------------------------------------------------------- */

#define TARGETS_MAX 300

/* Rows "n BIGINT" behind random columns: n counts up, so that order can be seen. */
struct shuffled {
    struct bench x;
    struct partitioning to;
    struct blocks out[TARGETS_MAX];
};

static void shuffle_open(struct shuffled *s, const char *schema, struct partitioning to)
{
    bench_open(&s->x, schema);
    s->to = to;
    for (int i = 0; i < TARGETS_MAX; i++)
        s->out[i] = (struct blocks){.memory = &s->x.os->memory};
}

static void shuffle_run(struct shuffled *s)
{
    struct program none = {.in = s->x.in.schema, .out = s->x.in.schema};
    bench_run_into(&s->x, &none,
                   beck__shuffle_writer_open(&s->x.task, s->x.in.schema, s->to, s->out));
}

static void shuffle_close(struct shuffled *s)
{
    for (int i = 0; i < TARGETS_MAX; i++)
        beck__blocks_deinit(&s->out[i]);
    bench_close(&s->x);
}

static void random_rows(struct shuffled *s, uint32_t rows, uint64_t *seed)
{
    const beck_schema *schema = s->x.in.schema;
    for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t k = 0; k + 1 < schema->count; k++) {
            beck_value v = test_random_value(&s->x.arena, &schema->fields[k], seed);
            assert_false(beck__builder_value(&s->x.in, k, &v, NULL, NULL));
        }
        beck_value n = beck_integer_value(i);
        assert_false(beck__builder_value(&s->x.in, schema->count - 1, &n, NULL, NULL));
        beck__builder_end_row(&s->x.in);
        if (test_below(seed, 500) == 0)
            bench_cut(&s->x);
    }
}

static uint32_t expected_target(const struct shuffled *s, const beck_chunk *chunk, uint32_t row,
                                uint64_t n, struct text *scratch)
{
    uint32_t count = s->to.count;
    if (s->to.kind == PARTITION_SINGLE)
        return 0;
    if (s->to.kind == PARTITION_ROUND_ROBIN)
        return (uint32_t)((s->x.task.partition + n) % count);
    return (uint32_t)(beck__key_hash(chunk, 0, s->to.keys, row, scratch) % count);
}

/* Each row is where it belongs, in order, and all are there. */
static void check_targets(struct shuffled *s, uint32_t rows)
{
    struct text scratch = {.memory = &s->x.os->memory};
    uint64_t all = 0;
    for (uint32_t t = 0; t < s->to.count; t++) {
        int64_t last = -1;
        for (size_t i = 0; i < s->out[t].count; i++) {
            const beck_chunk *chunk = s->out[t].items[i]->chunk;
            assert_true(chunk->rows > 0 && chunk->rows <= BECK__CHUNK_ROWS);
            if (i + 1 < s->out[t].count)
                assert_int_equal(chunk->rows, BECK__CHUNK_ROWS);
            for (uint32_t row = 0; row < chunk->rows; row++) {
                int64_t n = beck_get_bigint((beck_row){chunk, row, 0}, chunk->columns - 1);
                assert_true(n > last);
                assert_int_equal(expected_target(s, chunk, row, (uint64_t)n, &scratch), t);
                last = n;
            }
            all += chunk->rows;
        }
    }
    assert_int_equal(all, rows);
    beck__text_deinit(&scratch);
}

static void check_shuffle(const char *schema, struct partitioning to, uint32_t rows, uint64_t seed)
{
    static struct shuffled s;
    printf("%s to %u by %d, seed %llu\n", schema, to.count, to.kind, (unsigned long long)seed);
    shuffle_open(&s, schema, to);
    s.x.task.partition = (uint32_t)seed;
    random_rows(&s, rows, &seed);
    shuffle_run(&s);
    assert_int_equal(s.x.flow, FLOW_MORE);
    check_targets(&s, rows);
    shuffle_close(&s);
}

static void test_hash(void **state)
{
    (void)state;
    static const char *const schemas[] = {
        "k STRING, n BIGINT",
        "k BIGINT, v STRING, n BIGINT",
        "k DOUBLE, v ARRAY<STRING>, n BIGINT",
        "k BOOLEAN, v STRUCT<a STRING, b ARRAY<DOUBLE>>, n BIGINT",
        "k ARRAY<STRING>, n BIGINT",
        "k STRUCT<a STRING, b DOUBLE>, v BINARY, n BIGINT",
    };
    static const uint32_t counts[] = {1, 2, 8, 300};
    for (size_t i = 0; i < BECK__COUNT_OF(schemas); i++)
        for (size_t k = 0; k < BECK__COUNT_OF(counts); k++)
            check_shuffle(
                schemas[i],
                (struct partitioning){.kind = PARTITION_HASH, .keys = 1, .count = counts[k]}, 3000,
                i + 1);
    check_shuffle("k STRING, l DOUBLE, n BIGINT",
                  (struct partitioning){.kind = PARTITION_HASH, .keys = 2, .count = 8}, 3000, 9);
}

static void test_round_robin(void **state)
{
    (void)state;
    for (uint32_t count = 1; count < 20; count += 6)
        check_shuffle("v STRING, n BIGINT",
                      (struct partitioning){.kind = PARTITION_ROUND_ROBIN, .count = count}, 5000,
                      count);
}

static void test_single(void **state)
{
    (void)state;
    check_shuffle("v STRING, n BIGINT", (struct partitioning){.kind = PARTITION_SINGLE, .count = 1},
                  7000, 3);
    check_shuffle("v STRING, n BIGINT", (struct partitioning){.kind = PARTITION_SINGLE, .count = 1},
                  0, 4);
}

/* Rows with the same key, whatever its bits, are in one partition. */
static void test_equal_keys(void **state)
{
    (void)state;
    static struct shuffled s;
    shuffle_open(&s, "k DOUBLE, n BIGINT",
                 (struct partitioning){.kind = PARTITION_HASH, .keys = 1, .count = 300});
    ROW(&s.x, 0.0, 0);
    ROW(&s.x, -0.0, 1);
    shuffle_run(&s);
    uint32_t used = 0;
    for (int t = 0; t < TARGETS_MAX; t++)
        used += s.out[t].rows > 0;
    assert_int_equal(used, 1);
    shuffle_close(&s);
}

/* Memory that ends is told: no row may go to a wrong partition because its key had no room. */
static void test_no_memory(void **state)
{
    (void)state;
    static struct shuffled s;
    uint64_t seed = 1;
    shuffle_open(&s, "k STRING, l DOUBLE, n BIGINT",
                 (struct partitioning){.kind = PARTITION_HASH, .keys = 2, .count = 3});
    random_rows(&s, 200, &seed);
    struct os *os = s.x.os;
    for (uint64_t n = 1, used = UINT64_MAX; used >= n - 1; n++)
        for (int all = 0; all < 2; all++) {
            for (int t = 0; t < 3; t++)
                beck__blocks_deinit(&s.out[t]);
            beck__task_deinit(&s.x.task);
            beck__task_init(&s.x.task, os);
            bench_cut(&s.x);
            uint64_t before = beck__os_memory_calls(os);
            beck__os_memory_fail(os, n, all == 1);
            shuffle_run(&s);
            used = beck__os_memory_calls(os) - before;
            beck__os_memory_fail(os, 0, false);
            if (s.x.task.error.status)
                assert_int_equal(s.x.task.error.status, BECK_NO_MEMORY);
            else if (s.x.flow != FLOW_FAILED)
                check_targets(&s, 200);
        }
    shuffle_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_collector), test(test_hash),       test(test_round_robin),
        test(test_single),    test(test_equal_keys), test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
