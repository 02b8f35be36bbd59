/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local_test - the engine's door: opening without memory, several engines at once.
 */
#include "engine/testing.h"

static void test_open(void **state)
{
    (void)state;
    struct lab a, b;
    lab_open(&a, lab_options(2));
    lab_open(&b, lab_options(1));
    assert_string_equal(a.engine->name, "local");
    lab_run(&a, lab_sums(&a, lab_numbers(&a, 3, 30), 2), NULL);
    lab_run(&b, lab_sums(&b, lab_numbers(&b, 3, 30), 2), NULL);
    const char *rows = beck__arena_text(&a.arena, lab_text(&a));
    assert_string_equal(lab_text(&b), rows);
    b.engine->cancel(b.engine, true); /* of b only */
    lab_run(&a, lab_numbers(&a, 1, 1), NULL);
    assert_int_equal(lab_try(&b, lab_numbers(&b, 1, 1), NULL), BECK_CANCELLED);
    lab_close(&a);
    lab_close(&b);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct engine_options options = lab_options(2);
    struct log log = {.os = os};
    struct engine *engine = NULL;
    for (uint64_t n = 1; !engine; n++) {
        struct error error = {0};
        beck__os_memory_fail(os, n, false);
        engine = beck__engine_local(os, &options, &log, &error);
        beck__os_memory_fail(os, 0, false);
        assert_int_equal(engine == NULL, error.status != BECK_OK);
        assert_true(n < 100);
    }
    engine->close(engine);
}

/* Datasets without memory are NULL. */
static void test_datasets_no_memory(void **state)
{
    (void)state;
    struct lab lab;
    lab_open(&lab, lab_options(1));
    struct os *os = lab.os;
    struct op op = test_op(&lab.arena, OP_LIMIT, PAIR, PAIR);
    const struct program *program = beck__program_of(&lab.arena, &op);
    struct dataset *parent = lab_numbers(&lab, 2, 2), *many[1000];
    struct blocks received = {.memory = &os->memory};
    for (size_t i = 0; i < BECK__COUNT_OF(many); i++)
        many[i] = parent;
    beck__os_memory_fail(os, 1, true);
    assert_null(lab.engine->scope_new(lab.engine, 1));
    assert_null(lab.engine->unite(lab.scope, many, BECK__COUNT_OF(many)));
    struct dataset *d = parent;
    for (int i = 0; d && i < 1000; i++)
        d = lab.engine->narrow(lab.scope, d, program);
    assert_null(d);
    assert_null(lab.engine->from_received(lab.scope, op.in, &received));
    assert_null(
        lab.engine->from_ranges(lab.scope, &(struct range_source){.schema = op.in}, NULL, 0));
    assert_null(lab.engine->shuffle(lab.scope, parent, (struct partitioning){0}, op.in));
    beck__os_memory_fail(os, 0, false);
    lab_run(&lab, parent, NULL);
    lab_close(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_open),
        test(test_no_memory),
        test(test_datasets_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
