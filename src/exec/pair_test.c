/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair_test - rows beside rows: one by one across blocks of other sizes, each beside all; too many
 * on one side; a sink that has enough; memory that ends.
 */
#include "exec/testing.h"

#define BESIDE "l BIGINT, r BIGINT"

struct pairs {
    struct bench x; /* its input is the left side */
    struct blocks right;
};

/* n, n + 1, ... in blocks of `cut` rows. */
static void numbers(struct blocks *list, struct bench *x, uint32_t rows, uint32_t cut)
{
    struct builder b;
    *list = (struct blocks){.memory = &x->os->memory};
    beck__builder_init(&b, list->memory, test_schema(&x->arena, "n BIGINT"), UINT32_MAX, NULL);
    for (uint32_t i = 0; i < rows; i++) {
        beck_value v = beck_integer_value(i);
        test_row(&b, &v, 1);
        if ((i + 1) % cut == 0 || i + 1 == rows) {
            assert_true(beck__blocks_add(
                list, beck__block_new(b.memory, b.schema, b.chunk, 0, b.chunk->rows, NULL)));
            beck__builder_clear(&b);
        }
    }
    beck__builder_deinit(&b);
}

static void open(struct pairs *p, uint32_t left, uint32_t left_cut, uint32_t right,
                 uint32_t right_cut)
{
    bench_open(&p->x, "n BIGINT");
    beck__blocks_deinit(&p->x.chunks);
    numbers(&p->x.chunks, &p->x, left, left_cut);
    numbers(&p->right, &p->x, right, right_cut);
}

static void close(struct pairs *p)
{
    beck__blocks_deinit(&p->right);
    bench_close(&p->x);
}

/* Through a limit, if it is not 0. */
static void run(struct pairs *p, enum pair_kind kind, uint64_t limit)
{
    const beck_schema *schema = test_schema(&p->x.arena, BESIDE);
    struct op op = test_op(&p->x.arena, OP_LIMIT, BESIDE, BESIDE);
    const struct program *program = beck__program_of(&p->x.arena, &op);
    struct operator *sink = beck__collector_open(&p->x.task, schema, &p->x.out), *head = NULL;
    struct operator *pair = NULL;

    ((struct op *)(uintptr_t)program->ops)->number = limit ? limit : UINT64_MAX;
    p->x.flow = FLOW_FAILED;
    p->x.pushed = 0;
    if (!sink || beck__pipeline_open(&p->x.task, program, sink, &head))
        return;
    pair = beck__pair_open(&p->x.task, kind, schema, &p->right, head);
    if (pair)
        p->x.flow = bench_push(&p->x, pair);
    if (p->x.flow != FLOW_FAILED && beck__pipeline_finish(pair, sink) == FLOW_FAILED)
        p->x.flow = FLOW_FAILED;
    beck__pipeline_close(pair ? pair : head, sink);
}

/* Row i of the output is (left(i), right(i)). */
static void check_zip(uint32_t rows, uint32_t left_cut, uint32_t right_cut)
{
    struct pairs p;
    uint32_t at = 0;

    open(&p, rows, left_cut, rows, right_cut);
    run(&p, PAIR_ZIP, 0);
    assert_int_equal(p.x.task.error.status, BECK_OK);
    assert_int_equal(p.x.out.rows, rows);
    for (size_t i = 0; i < p.x.out.count; i++)
        for (uint32_t k = 0; k < p.x.out.items[i]->chunk->rows; k++, at++)
            for (uint32_t c = 0; c < 2; c++)
                assert_int_equal(((int64_t *)p.x.out.items[i]->chunk->column[c].data)[k], at);
    close(&p);
}

static void test_zip(void **state)
{
    static const uint32_t cuts[] = {1, 3, 2048, 5000};
    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(cuts); i++)
        for (size_t k = 0; k < BECK__COUNT_OF(cuts); k++)
            check_zip(6000, cuts[i], cuts[k]);
    check_zip(0, 1, 1);
    check_zip(1, 1, 1);
}

static void test_unequal(void **state)
{
    struct pairs p;

    (void)state;
    open(&p, 5, 2, 4, 4);
    run(&p, PAIR_ZIP, 0);
    assert_int_equal(p.x.task.error.status, BECK_INVALID);
    assert_non_null(strstr(p.x.task.error.text, "partition 0 has 5 rows on the left and 4"));
    close(&p);
    open(&p, 3, 2, 4, 1);
    run(&p, PAIR_ZIP, 0);
    assert_int_equal(p.x.task.error.status, BECK_INVALID);
    assert_non_null(strstr(p.x.task.error.text, "3 rows on the left and 4 on the right"));
    close(&p);
    open(&p, 5000, 100, 7000, 100); /* nobody looks at what is not asked for */
    run(&p, PAIR_ZIP, 10);
    assert_int_equal(p.x.task.error.status, BECK_OK);
    assert_int_equal(p.x.out.rows, 10);
    close(&p);
}

static void test_cartesian(void **state)
{
    struct pairs p;

    (void)state;
    open(&p, 3, 2, 2, 1);
    run(&p, PAIR_CARTESIAN, 0);
    assert_string_equal(bench_text(&p.x), "(0,0)\n(0,1)\n(1,0)\n(1,1)\n(2,0)\n(2,1)\n");
    close(&p);
    open(&p, 3, 3, 5000, 3000);
    run(&p, PAIR_CARTESIAN, 0);
    assert_int_equal(p.x.out.rows, 15000);
    close(&p);
    open(&p, 300, 100, 5000, 3000);
    run(&p, PAIR_CARTESIAN, 5001);
    assert_int_equal(p.x.out.rows, 5001);
    assert_int_equal(p.x.pushed, 1);
    close(&p);
    open(&p, 3, 3, 0, 1);
    run(&p, PAIR_CARTESIAN, 0);
    assert_int_equal(p.x.out.rows, 0);
    close(&p);
}

static void test_no_memory(void **state)
{
    (void)state;
    for (uint64_t n = 1, used = UINT64_MAX; used >= n - 1; n++) {
        struct pairs p;
        open(&p, 100, 7, 100, 9);
        uint64_t before = beck__os_memory_calls(p.x.os);
        beck__os_memory_fail(p.x.os, n, true);
        run(&p, PAIR_ZIP, 0);
        used = beck__os_memory_calls(p.x.os) - before;
        beck__os_memory_fail(p.x.os, 0, false);
        if (p.x.task.error.status)
            assert_int_equal(p.x.task.error.status, BECK_NO_MEMORY);
        else if (p.x.flow != FLOW_FAILED)
            assert_int_equal(p.x.out.rows, 100);
        close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zip),
        cmocka_unit_test(test_unequal),
        cmocka_unit_test(test_cartesian),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
