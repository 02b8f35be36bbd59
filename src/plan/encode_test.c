/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_test - programs survive their bytes; damaged bytes are told, or still give a program that
 * fits; memory that ends is told.
 */
#include "plan/testing.h"

struct fixture {
    struct test_memory memory;
    struct arena arena;
    struct text bytes;
};

static void open(struct fixture *f)
{
    beck__arena_init(&f->arena, test_memory_init(&f->memory, 0));
    f->bytes = (struct text){.memory = &f->memory.allocator};
}

static void close(struct fixture *f)
{
    beck__text_deinit(&f->bytes);
    beck__arena_deinit(&f->arena);
    assert_int_equal(f->memory.used, 0);
}

static struct reader reader_of(const struct text *bytes, size_t size)
{
    return (struct reader){.data = (const uint8_t *)bytes->data, .size = size};
}

/* All fields set to something of their own. */
static struct op full_op(struct arena *arena, const struct test_sample *sample, uint64_t *seed)
{
    static const char *const names[] = {"map", "", "reduce_by_key"};
    static const char *const labels[] = {NULL, "", "a label"};
    struct op op = test_sample_op(arena, sample);
    op.name = names[test_below(seed, 3)];
    op.label = labels[test_below(seed, 3)];
    op.file = labels[test_below(seed, 3)];
    op.line = test_below(seed, 1000);
    op.values = test_below(seed, 2) == 1;
    op.emits = (enum op_emits)test_below(seed, 3);
    op.always = op.keys == 0 && test_below(seed, 2) == 1;
    op.number = op.kind == OP_SIDE ? 0 : test_random(seed); /* of a side: which one */
    for (int i = 0; i < 3; i++)
        op.function[i] = (struct function_id){test_random(seed), test_random(seed)};
    op.bytes = beck_bytes_of("\0context\xff", test_below(seed, 10));
    op.row = beck_bytes_of("a row\0", test_below(seed, 7));
    return op;
}

static void same_name(const char *a, const char *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a)
        assert_string_equal(a, b);
}

static void same_op(const struct op *a, const struct op *b)
{
    assert_int_equal(a->kind, b->kind);
    same_name(a->name, b->name);
    same_name(a->label, b->label);
    same_name(a->file, b->file);
    assert_int_equal(a->line, b->line);
    assert_true(beck__schema_equal(a->in, b->in, true));
    assert_true(beck__schema_equal(a->out, b->out, true));
    assert_int_equal(a->keys, b->keys);
    assert_int_equal(a->values, b->values);
    assert_int_equal(a->emits, b->emits);
    assert_int_equal(a->adds, b->adds);
    assert_int_equal(a->fold, b->fold);
    assert_int_equal(a->state_in, b->state_in);
    assert_int_equal(a->state_out, b->state_out);
    assert_int_equal(a->always, b->always);
    assert_int_equal(a->number, b->number);
    assert_memory_equal(a->function, b->function, sizeof a->function);
    assert_int_equal(a->bytes.size, b->bytes.size);
    assert_true(beck_string_equal(a->bytes, b->bytes));
    assert_true(beck_string_equal(a->row, b->row));
    assert_int_equal(a->column_count, b->column_count);
    for (uint32_t i = 0; i < a->column_count; i++)
        assert_int_equal(a->columns[i], b->columns[i]);
}

static void check_round(struct fixture *f, const struct program *program)
{
    const struct program *copy = NULL;
    struct error error = {0};
    struct text again = {.memory = &f->memory.allocator};

    beck__text_clear(&f->bytes);
    beck__program_encode(program, &f->bytes);
    struct reader in = reader_of(&f->bytes, f->bytes.size);
    if (beck__program_decode(&f->arena, &in, &copy, &error))
        print_error("%s\n", error.text);
    assert_int_equal(error.status, BECK_OK);
    assert_int_equal(in.at, in.size);
    assert_int_equal(copy->count, program->count);
    assert_true(beck__schema_equal(copy->in, program->in, true));
    assert_true(beck__schema_equal(copy->out, program->out, true));
    for (uint32_t i = 0; i < copy->count; i++)
        same_op(&copy->ops[i], &program->ops[i]);
    beck__program_encode(copy, &again);
    assert_int_equal(again.size, f->bytes.size);
    assert_memory_equal(again.data, f->bytes.data, again.size);
    beck__text_deinit(&again);
}

static void test_round(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t seed = 1;
    open(&f);
    for (size_t i = 0; i < BECK__COUNT_OF(test_samples); i++) {
        struct op op = full_op(&f.arena, &test_samples[i], &seed);
        check_round(&f, beck__program_of(&f.arena, &op));
    }
    struct op project = test_op(&f.arena, OP_PROJECT, "a STRING, b BIGINT", "b BIGINT, a STRING");
    project.columns = (const uint32_t[]){1, 0};
    project.column_count = 2;
    check_round(&f, beck__program_of(&f.arena, &project));
    struct program none = {.in = project.in, .out = project.in};
    check_round(&f, &none);
    close(&f);
}

/* Operations of one type of row after each other, as fusing makes them. */
static const struct program *chain(struct arena *arena, uint32_t count, uint64_t *seed)
{
    struct op ops[8];
    for (uint32_t i = 0; i < count; i++) {
        ops[i] = full_op(arena, &test_samples[3], seed);
        ops[i].kind = i % 2 ? OP_FILTER : OP_LIMIT;
    }
    return test_program(arena, ops, count);
}

static void test_chain(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t seed = 2;
    open(&f);
    for (uint32_t count = 1; count <= 8; count++)
        check_round(&f, chain(&f.arena, count, &seed));
    close(&f);
}

static void test_random_schemas(void **state)
{
    (void)state;
    struct fixture f;
    open(&f);
    for (uint64_t i = 1; i <= 100; i++) {
        uint64_t seed = i;
        struct op op = full_op(&f.arena, &test_samples[0], &seed);
        op.in = test_random_schema(&f.arena, &seed);
        op.out = test_random_schema(&f.arena, &seed);
        op.keys = 0;
        check_round(&f, beck__program_of(&f.arena, &op));
    }
    close(&f);
}

/* Every prefix of the bytes is cut off. */
static void test_cut(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t seed = 3;
    open(&f);
    beck__program_encode(chain(&f.arena, 3, &seed), &f.bytes);
    for (size_t size = 0; size < f.bytes.size; size++) {
        struct arena arena = {.memory = &f.memory.allocator};
        struct reader in = reader_of(&f.bytes, size);
        const struct program *program = NULL;
        struct error error = {0};
        assert_int_equal(beck__program_decode(&arena, &in, &program, &error), BECK_CORRUPT);
        assert_int_equal(error.status, BECK_CORRUPT);
        assert_true(strstr(error.text, "stage program") || strstr(error.text, "schema is cut"));
        beck__arena_deinit(&arena);
    }
    close(&f);
}

/* Every byte changed: BECK_CORRUPT, or a program of which each operation fits. */
static void test_damage(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t seed = 4;
    open(&f);
    beck__program_encode(chain(&f.arena, 3, &seed), &f.bytes);
    for (size_t at = 0; at < f.bytes.size; at++) {
        char good = f.bytes.data[at];
        for (unsigned i = 0; i < 9; i++) {
            f.bytes.data[at] = (char)(i < 8 ? (unsigned char)good ^ 1u << i : 0xffu);
            struct arena arena = {.memory = &f.memory.allocator};
            struct reader in = reader_of(&f.bytes, f.bytes.size);
            const struct program *program = NULL;
            struct error error = {0};
            beck_status status = beck__program_decode(&arena, &in, &program, &error);
            assert_true(status == BECK_OK || status == BECK_CORRUPT);
            for (uint32_t k = 0; !status && k < program->count; k++)
                assert_true(beck__op_fits(&program->ops[k]));
            beck__arena_deinit(&arena);
        }
        f.bytes.data[at] = good;
    }
    close(&f);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t seed = 5;
    beck_status status = BECK_NO_MEMORY;
    open(&f);
    const struct program *program = chain(&f.arena, 4, &seed), *copy;
    beck__program_encode(program, &f.bytes);
    uint64_t n = 1;
    for (; status; n++) {
        struct test_memory poor;
        struct arena arena = {.memory = test_memory_init(&poor, n), .first = 32};
        struct reader in = reader_of(&f.bytes, f.bytes.size);
        struct error error = {0};
        status = beck__program_decode(&arena, &in, &copy, &error);
        assert_int_equal(status, error.status);
        assert_true(status == BECK_OK || status == BECK_NO_MEMORY);
        beck__arena_deinit(&arena);
        assert_int_equal(poor.used, 0);
    }
    assert_true(n > 4);
    for (n = 1, status = BECK_NO_MEMORY; status; n++) {
        struct test_memory poor;
        struct text bytes = {.memory = test_memory_init(&poor, n)};
        beck__program_encode(program, &bytes);
        status = bytes.failed ? BECK_NO_MEMORY : BECK_OK;
        beck__text_deinit(&bytes);
        assert_int_equal(poor.used, 0);
    }
    assert_true(n > 2);
    close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),          cmocka_unit_test(test_chain),
        cmocka_unit_test(test_random_schemas), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_damage),         cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
