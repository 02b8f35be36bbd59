/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program_test - joining, asking and printing programs.
 */
#include "plan/testing.h"

struct fixture {
    struct test_memory memory;
    struct arena arena;
    struct text text;
};

static void open(struct fixture *f)
{
    beck__arena_init(&f->arena, test_memory_init(&f->memory, 0));
    f->text = (struct text){.memory = &f->memory.allocator};
}

static void close(struct fixture *f)
{
    beck__text_deinit(&f->text);
    beck__arena_deinit(&f->arena);
    assert_int_equal(f->memory.used, 0);
}

static void test_join(void **state)
{
    (void)state;
    struct fixture f;
    open(&f);
    struct op words = test_op(&f.arena, OP_WORDS, "line STRING", "word STRING, n BIGINT");
    struct op keep = test_op(&f.arena, OP_FILTER, "word STRING, n BIGINT", "word STRING, n BIGINT");
    const struct program *a = beck__program_of(&f.arena, &words);
    const struct program *b = beck__program_of(&f.arena, &keep);
    struct program none = {.in = words.in, .out = words.in};

    const struct program *both = beck__program_join(&f.arena, a, b);
    assert_int_equal(both->count, 2);
    assert_int_equal(both->ops[0].kind, OP_WORDS);
    assert_int_equal(both->ops[1].kind, OP_FILTER);
    assert_ptr_equal(both->in, words.in);
    assert_ptr_equal(both->out, keep.out);
    assert_int_equal(a->count, 1); /* as before */

    const struct program *same = beck__program_join(&f.arena, &none, a);
    assert_int_equal(same->count, 1);
    assert_ptr_equal(same->out, words.out);
    close(&f);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct fixture f;
    open(&f);
    struct op op = test_op(&f.arena, OP_WORDS, "line STRING", "word STRING");
    const struct program *one = beck__program_of(&f.arena, &op);
    struct test_memory poor;
    for (uint64_t n = 1; n < 3; n++) {
        struct arena arena = {.memory = test_memory_init(&poor, n), .first = 64};
        assert_null(beck__program_of(&arena, &op));
        beck__arena_deinit(&arena);
        arena = (struct arena){.memory = test_memory_init(&poor, n), .first = 64};
        assert_null(beck__program_join(&arena, one, one));
        beck__arena_deinit(&arena);
        assert_int_equal(poor.used, 0);
    }
    close(&f);
}

/* Which programs run the user's code, and which have something to do for an empty partition. */
static void test_questions(void **state)
{
    (void)state;
    struct fixture f;
    open(&f);
    for (size_t i = 0; i < BECK__COUNT_OF(test_samples); i++) {
        struct op op = test_sample_op(&f.arena, &test_samples[i]);
        const struct program *program = beck__program_of(&f.arena, &op);
        bool group = op.kind == OP_GROUP;
        bool user = op.fold == FOLD_USER || op.fold == FOLD_REDUCE || op.fold == FOLD_COMBINE;
        bool calls = op.kind == OP_CALL || op.kind == OP_FILTER || op.kind == OP_PARTITION ||
                     op.kind == OP_SINK || op.kind == OP_UPDATE || op.kind == OP_TRACK ||
                     (group && user);
        assert_int_equal(beck__program_calls(program), calls);
        assert_int_equal(beck__program_silent(program),
                         op.kind != OP_PARTITION && op.kind != OP_GLOM);
        if (group) {
            op.always = true;
            assert_false(beck__program_silent(beck__program_of(&f.arena, &op)));
        }
    }
    const struct program none = {0};
    assert_false(beck__program_calls(&none));
    assert_true(beck__program_silent(&none));
    close(&f);
}

static const char *name(struct fixture *f, const struct op *op)
{
    beck__text_clear(&f->text);
    beck__op_name(op, &f->text);
    return beck__text_get(&f->text);
}

static void test_name(void **state)
{
    (void)state;
    struct fixture f;
    open(&f);
    struct op op = {.name = "flat_map", .file = "/src/apps/wc.c", .line = 17};
    assert_string_equal(name(&f, &op), "flat_map at wc.c:17");
    op.file = "wc.c";
    op.label = "words";
    assert_string_equal(name(&f, &op), "flat_map \"words\" at wc.c:17");
    op.file = NULL;
    assert_string_equal(name(&f, &op), "flat_map \"words\"");
    close(&f);
}

static void test_print(void **state)
{
    (void)state;
    struct fixture f;
    open(&f);
    struct op ops[4];
    ops[0] = test_op(&f.arena, OP_WORDS, "line STRING", "word STRING, n BIGINT");
    ops[1] = test_op(&f.arena, OP_CALL, "word STRING, n BIGINT", "word STRING, n BIGINT");
    ops[2] = test_op(&f.arena, OP_GROUP, "word STRING, n BIGINT", "word STRING, n BIGINT");
    ops[3] = ops[2];
    ops[0].name = "flat_map";
    ops[1].name = "map";
    ops[2].name = ops[3].name = "reduce_by_key";
    ops[2].state_out = ops[3].state_in = true;
    ops[3].fold = FOLD_REDUCE;
    beck__program_print(test_program(&f.arena, ops, 4), &f.text);
    assert_string_equal(beck__text_get(&f.text),
                        "flat_map at test.c:7  words  -> word STRING, n BIGINT\n"
                        "map at test.c:7  callback  -> word STRING, n BIGINT\n"
                        "reduce_by_key at test.c:7  kernel sum, partial  -> word STRING, n BIGINT\n"
                        "reduce_by_key at test.c:7  callback reduce, merges  -> word STRING, n "
                        "BIGINT\n");
    close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join),      cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_questions), cmocka_unit_test(test_name),
        cmocka_unit_test(test_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
