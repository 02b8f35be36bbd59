/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dataset_test - datasets of every kind, their partitions and rows; scopes that are used again.
 */
#include "engine/testing.h"

#include "engine/local/local.h"

static void test_values(void **state)
{
    (void)state;
    struct lab lab;
    lab_open(&lab, lab_options(1));
    struct dataset *d = lab_numbers(&lab, 3, 2);
    assert_int_equal(lab.engine->partitions(d), 3);
    assert_int_equal(beck__dataset_rows(d), 6);
    assert_false(beck__dataset_calls(d));
    lab_run(&lab, d, NULL);
    assert_string_equal(lab_text(&lab), "[0]\n(key number 0,0)\n(1,1)\n[1]\n(key number 2,2)\n"
                                        "(3,3)\n[2]\n(key number 4,4)\n(5,5)\n");
    struct dataset *none = lab_numbers(&lab, 0, 0);
    assert_int_equal(lab.engine->partitions(none), 0);
    lab_run(&lab, none, NULL);
    assert_string_equal(lab_text(&lab), "");
    struct dataset *empty = lab_numbers(&lab, 2, 0);
    assert_true(beck__dataset_nothing(empty, 1));
    lab_run(&lab, empty, NULL);
    assert_string_equal(lab_text(&lab), "");
    lab_close(&lab);
}

/* ---- received blocks ------------------------------------------------------------------------- */

static struct block *block_of(struct lab *lab, const beck_schema *schema, size_t bytes)
{
    struct builder b;
    char *text = beck__arena_alloc(&lab->arena, bytes + 1);
    beck_value v = beck_string_value(beck_bytes_of(text, bytes));
    beck__builder_init(&b, &lab->os->memory, schema, 0, NULL);
    test_row(&b, &v, 1);
    struct block *block = beck__block_new(b.memory, schema, b.chunk, 0, 1, NULL);
    beck__builder_deinit(&b);
    return block;
}

/* Sizes of strings, 0: the end; then the rows of each partition, when a partition is to have
 * 10,000 bytes at most. */
static void check_received(const size_t *sizes, const uint32_t *expected)
{
    struct lab lab;
    struct engine_options options = lab_options(1);
    options.received_split_bytes = 10000;
    lab_open(&lab, options);
    const beck_schema *schema = test_schema(&lab.arena, "s STRING");
    struct blocks received = {.memory = &lab.os->memory};
    for (; *sizes; sizes++)
        assert_true(beck__blocks_add(&received, block_of(&lab, schema, *sizes)));
    struct dataset *d = lab.engine->from_received(lab.scope, schema, &received);
    uint32_t p = 0;
    lab_run(&lab, d, NULL);
    for (; expected[p]; p++)
        assert_int_equal(lab.out[p].rows, expected[p]);
    assert_int_equal(lab.engine->partitions(d), p);
    beck__blocks_deinit(&received);
    lab_close(&lab);
}

static void test_received(void **state)
{
    (void)state;
    check_received((const size_t[]){0}, (const uint32_t[]){0});
    check_received((const size_t[]){1000, 0}, (const uint32_t[]){1, 0});
    check_received((const size_t[]){50000, 0}, (const uint32_t[]){1, 0});
    check_received((const size_t[]){50000, 50000, 0}, (const uint32_t[]){1, 1, 0});
    check_received((const size_t[]){1000, 1000, 1000, 0}, (const uint32_t[]){3, 0});
    check_received((const size_t[]){6000, 6000, 6000, 6000, 6000, 6000, 0},
                   (const uint32_t[]){2, 1, 2, 1, 0});
    check_received((const size_t[]){20, 20, 20, 20, 11000, 20, 20, 20, 0},
                   (const uint32_t[]){5, 3, 0});
}

/* ---- ranges ---------------------------------------------------------------------------------- */

static beck_status read_range(beck_reader *r, const void *params, size_t params_size,
                              const void *range, size_t size)
{
    const char *text = params;
    assert_int_equal(params_size, 6);
    for (size_t i = 0; i < size; i++)
        if (!beck_read_row(r, beck_bytes_of(text, 6), ((const char *)range)[i]))
            return BECK_OK;
    return BECK_OK;
}

static const beck_direct_class source = {.name = "source", .schema = PAIR, .read = read_range};

static void check_ranges(struct lab *lab)
{
    const beck_str ranges[] = {{"ab", 2}, {"", 0}, {"c", 1}};
    const struct range_source from = {"source", &source, beck_bytes_of("params", 6),
                                      test_schema(&lab->arena, PAIR)};
    struct dataset *d = lab->engine->from_ranges(lab->scope, &from, ranges, 3);
    assert_int_equal(lab->engine->partitions(d), 3);
    assert_false(beck__dataset_nothing(d, 1));
    assert_true(beck__dataset_rows(d) == UINT64_MAX);
    lab_run(lab, d, NULL);
    assert_string_equal(lab_text(lab), "[0]\n(params,97)\n(params,98)\n[2]\n(params,99)\n");
}

/* ---- narrow, union --------------------------------------------------------------------------- */

static void plus_1000(beck_call *c, beck_row in)
{
    beck_emit(c, beck_get_string(in, 0), beck_get_bigint(in, 1) + 1000);
}

static void count_rows(beck_call *c, beck_rows *rows)
{
    beck_emit(c, "count", beck_rows_count(rows));
}

static void check_union(struct lab *lab)
{
    struct op plus = lab_call(lab, PAIR, PAIR, plus_1000);
    struct dataset *a = lab_numbers(lab, 2, 1), *b = lab_narrow(lab, a, &plus);
    struct dataset *empty = lab_numbers(lab, 1, 0);
    struct dataset *inner[] = {b, empty};
    struct dataset *c = lab->engine->unite(lab->scope, inner, 2);
    struct dataset *outer[] = {a, c, a};
    struct dataset *d = lab->engine->unite(lab->scope, outer, 3);
    assert_int_equal(lab->engine->partitions(d), 7);
    assert_int_equal(beck__dataset_rows(d), 6);
    assert_true(beck__dataset_calls(d));
    assert_true(beck__dataset_nothing(d, 4));
    assert_false(beck__dataset_nothing(d, 5));
    lab_run(lab, lab_narrow(lab, d, &plus), NULL);
    assert_string_equal(lab_text(lab),
                        "[0]\n(key number 0,1000)\n[1]\n(1,1001)\n[2]\n(key number 0,2000)\n"
                        "[3]\n(1,2001)\n[5]\n(key number 0,1000)\n[6]\n(1,1001)\n");
}

/* Neighbouring partitions, one after the other; of whatever they are made. */
static void check_coalesce(struct lab *lab)
{
    struct op plus = lab_call(lab, PAIR, PAIR, plus_1000);
    struct dataset *a = lab_numbers(lab, 5, 1);
    struct dataset *both[] = {lab_narrow(lab, a, &plus), a};
    struct dataset *d = lab->engine->unite(lab->scope, both, 2);
    d = lab->engine->coalesce(lab->scope, lab->engine->coalesce(lab->scope, d, 4), 3);
    assert_int_equal(lab->engine->partitions(d), 3);
    assert_int_equal(lab->engine->partitions(lab->engine->coalesce(lab->scope, d, 9)), 3);
    assert_int_equal(beck__dataset_rows(d), 10);
    assert_true(beck__dataset_calls(d));
    lab_run(lab, lab_narrow(lab, d, &plus), NULL);
    assert_string_equal(lab_text(lab),
                        "[0]\n(key number 0,2000)\n(1,2001)\n[1]\n(key number 2,2002)\n"
                        "(3,2003)\n(key number 4,2004)\n[2]\n(key number 0,1000)\n(1,1001)\n"
                        "(key number 2,1002)\n(3,1003)\n(key number 4,1004)\n");
    struct dataset *none = lab->engine->coalesce(lab->scope, lab_numbers(lab, 4, 0), 2);
    assert_true(beck__dataset_nothing(none, 1));
    none = lab->engine->coalesce(lab->scope, lab_numbers(lab, 0, 0), 2);
    assert_int_equal(lab->engine->partitions(none), 0);
}

static void check_pairs(struct lab *lab)
{
    const beck_schema *beside = test_schema(&lab->arena, PAIR ", k2 STRING, n2 BIGINT");
    struct op plus = lab_call(lab, PAIR, PAIR, plus_1000);
    struct dataset *a = lab_numbers(lab, 2, 1), *b = lab_narrow(lab, a, &plus);
    struct dataset *d = lab->engine->pair(lab->scope, PAIR_ZIP, a, b, beside);
    assert_true(beck__dataset_calls(d));
    assert_int_equal(beck__dataset_rows(d), 2);
    lab_run(lab, d, NULL);
    assert_string_equal(lab_text(lab),
                        "[0]\n(key number 0,0,key number 0,1000)\n[1]\n(1,1,1,1001)\n");
    d = lab->engine->pair(lab->scope, PAIR_CARTESIAN, a, b, beside);
    assert_int_equal(lab->engine->partitions(d), 4);
    assert_int_equal(beck__dataset_rows(d), 4);
    lab_run(lab, d, NULL);
    assert_string_equal(lab_text(lab),
                        "[0]\n(key number 0,0,key number 0,1000)\n[1]\n(key number 0,0,1,1001)\n"
                        "[2]\n(1,1,key number 0,1000)\n[3]\n(1,1,1,1001)\n");
    struct dataset *none = lab_numbers(lab, 2, 0);
    d = lab->engine->pair(lab->scope, PAIR_CARTESIAN, a, none, beside);
    assert_true(beck__dataset_nothing(d, 3));
    d = lab->engine->pair(lab->scope, PAIR_ZIP, a, none, beside);
    assert_false(beck__dataset_nothing(d, 1));
    assert_int_equal(lab_try(lab, d, NULL), BECK_INVALID);
    assert_non_null(strstr(lab->error.text, "1 rows on the left and 0 on the right"));
}

/* Rows are kept where they are, and those of earlier partitions are counted. */
static void check_same(struct lab *lab)
{
    struct op plus = lab_call(lab, PAIR, PAIR, plus_1000);
    struct op index = test_op(&lab->arena, OP_INDEX, PAIR, PAIR ", index BIGINT");
    struct dataset *both[] = {lab_numbers(lab, 2, 2), lab_numbers(lab, 1, 0),
                              lab_narrow(lab, lab_numbers(lab, 1, 1), &plus)};
    struct dataset *d = lab->engine->unite(lab->scope, both, 3);
    d = lab_shuffle(lab, d, PARTITION_SAME, 0, PAIR);
    assert_int_equal(lab->engine->partitions(d), 4);
    d = lab_narrow(lab, d, &index);
    lab_run(lab, d, NULL);
    assert_string_equal(lab_text(lab), "[0]\n(key number 0,0,0)\n(1,1,1)\n"
                                       "[1]\n(key number 2,2,2)\n(3,3,3)\n"
                                       "[3]\n(key number 0,1000,4)\n");
    d = lab_narrow(lab, lab_numbers(lab, 3, 1), &index); /* values are counted already */
    lab_run(lab, d, NULL);
    assert_string_equal(lab_text(lab), "[0]\n(key number 0,0,0)\n[1]\n(1,1,1)\n"
                                       "[2]\n(key number 2,2,2)\n");
}

static void test_everywhere(void **state)
{
    (void)state;
    void (*const checks[])(struct lab * lab) = {check_ranges, check_union, check_coalesce,
                                                check_pairs, check_same};
    struct lab lab;
    struct engine_options options;
    for (uint32_t i = 0; lab_variant(i, true, &options); i++)
        for (size_t k = 0; k < BECK__COUNT_OF(checks); k++) {
            lab_open(&lab, options);
            checks[k](&lab);
            lab_close(&lab);
        }
}

/* map_partitions runs for an empty partition, too; a map does not. */
static void test_silent(void **state)
{
    (void)state;
    struct lab lab;
    uint64_t tasks, wakes;
    lab_open(&lab, lab_options(2));
    struct dataset *empty = lab_numbers(&lab, 3, 0);
    struct op map = lab_call(&lab, PAIR, PAIR, plus_1000), each = map;
    each.kind = OP_PARTITION;
    SET_FUNCTION(&each, 0, count_rows);
    assert_true(beck__dataset_nothing(lab_narrow(&lab, empty, &map), 0));
    assert_false(beck__dataset_nothing(lab_narrow(&lab, empty, &each), 0));
    lab_run(&lab, lab_narrow(&lab, empty, &map), NULL);
    lab.engine->counters(lab.engine, &tasks, &wakes);
    assert_int_equal(tasks, 0);
    lab_run(&lab, lab_narrow(&lab, empty, &each), NULL);
    assert_string_equal(lab_text(&lab), "[0]\n(count,0)\n[1]\n(count,0)\n[2]\n(count,0)\n");
    lab.engine->counters(lab.engine, &tasks, &wakes);
    assert_int_equal(tasks, 3);
    lab_run(&lab, empty, beck__program_of(&lab.arena, &each));
    assert_int_equal(lab.delivered[0] + lab.delivered[1] + lab.delivered[2], 3);
    lab_close(&lab);
}

/* ---- scopes ---------------------------------------------------------------------------------- */

/* A batch of 4 operators. */
static void run_batch(struct lab *lab, const struct program *programs[3], const beck_schema *schema)
{
    struct engine *engine = lab->engine;
    struct blocks none = {.memory = &lab->os->memory};
    struct scope *scope = engine->scope_new(engine, 1000);
    struct dataset *d = engine->from_received(scope, schema, &none);
    d = engine->narrow(scope, d, programs[0]);
    d = engine->shuffle(
        scope, d, (struct partitioning){.kind = PARTITION_HASH, .keys = 1, .count = 8}, schema);
    d = engine->narrow(scope, d, programs[1]);
    struct job job = {.scope = scope,
                      .dataset = d,
                      .action = programs[2],
                      .what = "print",
                      .deliver = lab_deliver,
                      .user = lab};
    assert_int_equal(engine->job_run(engine, &job, &lab->error), BECK_OK);
    engine->scope_free(engine, scope);
}

static void test_empty_batch(void **state)
{
    (void)state;
    struct lab lab;
    lab_open(&lab, lab_options(2));
    const struct program *programs[3];
    struct op map = lab_call(&lab, PAIR, PAIR, plus_1000);
    struct op sum = test_op(&lab.arena, OP_GROUP, PAIR, PAIR);
    struct op limit = test_op(&lab.arena, OP_LIMIT, PAIR, PAIR);
    sum.keys = 1;
    programs[0] = beck__program_of(&lab.arena, &map);
    programs[1] = beck__program_of(&lab.arena, &sum);
    programs[2] = beck__program_of(&lab.arena, &limit);
    run_batch(&lab, programs, map.in);
    uint64_t before = beck__os_memory_calls(lab.os), tasks, wakes;
    for (int i = 0; i < 1000; i++)
        run_batch(&lab, programs, map.in);
    assert_int_equal(beck__os_memory_calls(lab.os), before);
    lab.engine->counters(lab.engine, &tasks, &wakes);
    assert_int_equal(tasks, 0);
    assert_int_equal(wakes, 0);
    lab_close(&lab);
}

/* Two scopes at once, freed in any order. */
static void test_scopes(void **state)
{
    (void)state;
    struct lab lab;
    lab_open(&lab, lab_options(1));
    struct scope *own = lab.scope;
    struct scope *a = lab.engine->scope_new(lab.engine, 1),
                 *b = lab.engine->scope_new(lab.engine, 2);
    assert_ptr_not_equal(a, b);
    lab.scope = a;
    struct dataset *in_a = lab_sums(&lab, lab_numbers(&lab, 3, 10), 2);
    lab.scope = b;
    struct dataset *in_b = lab_sums(&lab, lab_numbers(&lab, 3, 10), 2);
    lab_run(&lab, in_a, NULL);
    const char *first = beck__arena_text(&lab.arena, lab_text(&lab));
    lab.engine->scope_free(lab.engine, a);
    lab_run(&lab, in_b, NULL);
    assert_string_equal(lab_text(&lab), first);
    lab.engine->scope_free(lab.engine, b);
    lab.engine->scope_free(lab.engine, NULL);
    lab.scope = own;
    lab_close(&lab);
}

/* Blocks of a dataset outlive the list that they came in, and go with the scope. */
static void test_references(void **state)
{
    (void)state;
    struct lab lab;
    lab_open(&lab, lab_options(1));
    size_t before = beck__os_memory_used(lab.os);
    struct scope *own = lab.scope;
    lab.scope = lab.engine->scope_new(lab.engine, 0);
    struct dataset *d = lab_numbers(&lab, 4, 1000);
    lab_run(&lab, lab_sums(&lab, d, 4), NULL);
    lab_clear(&lab);
    lab.engine->scope_free(lab.engine, lab.scope);
    assert_true(beck__os_memory_used(lab.os) < before + 40000); /* its arena, and ours */
    lab.scope = own;
    lab_close(&lab);
}

int main(void)
{
    beck__engine_worker(beck__os_real());
    const struct CMUnitTest tests[] = {
        test(test_values),      test(test_received), test(test_everywhere), test(test_silent),
        test(test_empty_batch), test(test_scopes),   test(test_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
