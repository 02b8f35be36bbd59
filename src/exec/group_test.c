/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group_test - OP_GROUP with every built-in fold against a simple reference: random keys and values
 * of many types; partial states that are merged equal what is folded at once.
 */
#include "exec/testing.h"

/* ---- the reference --------------------------------------------------------------------------- */

/* Rows by key, in the order in which the keys were first seen. */
struct reference {
    struct arena *arena;
    const beck_chunk *chunk;
    uint32_t keys, count;
    uint32_t *first;  /* row of each group */
    uint32_t *sizes;  /* rows of each group */
    uint32_t *groups; /* group of each row */
};

static bool same_key(const struct reference *r, uint32_t a, uint32_t b)
{
    for (uint32_t k = 0; k < r->keys; k++)
        if (!beck__cell_equal(&r->chunk->column[k], a, &r->chunk->column[k], b))
            return false;
    return true;
}

static void reference_make(struct reference *r, struct arena *arena, const beck_chunk *chunk,
                           uint32_t keys)
{
    *r = (struct reference){.arena = arena, .chunk = chunk, .keys = keys};
    r->first = beck__arena_alloc(arena, (chunk->rows + 1) * sizeof *r->first);
    r->sizes = beck__arena_alloc(arena, (chunk->rows + 1) * sizeof *r->sizes);
    r->groups = beck__arena_alloc(arena, (chunk->rows + 1) * sizeof *r->groups);
    for (uint32_t row = 0; row < chunk->rows; row++) {
        uint32_t g = 0;
        while (g < r->count && !same_key(r, r->first[g], row))
            g++;
        if (g == r->count)
            r->first[r->count++] = row;
        r->groups[row] = g;
        r->sizes[g]++;
    }
}

/* The values of a group in column k, without nulls, as cells. */
static uint32_t values_of(const struct reference *r, uint32_t group, uint32_t k, beck_value *values)
{
    uint32_t count = 0;
    for (uint32_t row = r->first[group]; row < r->chunk->rows; row++)
        if (r->groups[row] == group) {
            values[count] = beck_cell((beck_row){r->chunk, row, 0}, k);
            count += values[count].kind != BECK_KIND_NULL;
        }
    return count;
}

static int compare(const beck_value *a, const beck_value *b)
{
    return beck__cell_compare(&a->u.row.chunk->column[a->count], a->u.row.index,
                              &b->u.row.chunk->column[b->count], b->u.row.index);
}

static beck_value sum(const beck_value *values, uint32_t count, bool average)
{
    uint64_t whole = 0;
    double real = 0;
    bool is_double = false;
    for (uint32_t i = 0; i < count; i++) {
        beck_row row = values[i].u.row;
        is_double = row.chunk->column[values[i].count].type == BECK_DOUBLE;
        if (is_double)
            real += beck_get_double(row, values[i].count);
        else
            whole += (uint64_t)beck_get_bigint(row, values[i].count);
        if (!is_double && average)
            real += (double)beck_get_bigint(row, values[i].count);
    }
    if (average)
        return beck_double_value(real / (double)count);
    return is_double ? beck_double_value(real) : beck_integer_value((int64_t)whole);
}

static uint32_t distinct(beck_value *values, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t k = 0;
        while (k < kept && compare(&values[k], &values[i]) != 0)
            k++;
        if (k == kept)
            values[kept++] = values[i];
    }
    return kept;
}

/* Largest first, earlier first among equals. */
static void sort_down(beck_value *values, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        beck_value v = values[i];
        uint32_t k = i;
        for (; k > 0 && compare(&values[k - 1], &v) < 0; k--)
            values[k] = values[k - 1];
        values[k] = v;
    }
}

static beck_value expected_value(const struct reference *r, const struct op *op, uint32_t group,
                                 uint32_t k)
{
    beck_value *values = beck__arena_alloc(r->arena, (r->sizes[group] + 1) * sizeof *values);
    uint32_t count = values_of(r, group, k, values), rows = 0;

    switch (op->fold) {
    case FOLD_SUM:
    case FOLD_AVG:
        return count ? sum(values, count, op->fold == FOLD_AVG) : beck_null;
    case FOLD_MIN:
    case FOLD_MAX:
        for (uint32_t i = 1; i < count; i++) {
            int order = compare(&values[i], &values[0]);
            if (op->fold == FOLD_MIN ? order < 0 : order > 0)
                values[0] = values[i];
        }
        return count ? values[0] : beck_null;
    case FOLD_DISTINCT:
        return beck_values_value(values, distinct(values, count));
    case FOLD_TOP:
        sort_down(values, count);
        return beck_values_value(values, count < op->number ? count : (uint32_t)op->number);
    case FOLD_LIST:
        for (uint32_t row = 0; row < r->chunk->rows; row++)
            if (r->groups[row] == group)
                values[rows++] = beck_cell((beck_row){r->chunk, row, 0}, k);
        return beck_values_value(values, rows);
    default:
        return beck_integer_value(r->sizes[group]);
    }
}

static void reference_rows(const struct reference *r, const struct op *op, struct builder *out)
{
    for (uint32_t g = 0; g < r->count; g++) {
        for (uint32_t k = 0; k < op->out->count; k++) {
            beck_value v = k < op->keys ? beck_cell((beck_row){r->chunk, r->first[g], 0}, k)
                                        : expected_value(r, op, g, k);
            struct error error = {0};
            if (beck__builder_value(out, k, &v, NULL, &error))
                print_error("%s\n", error.text);
            assert_int_equal(error.status, BECK_OK);
        }
        beck__builder_end_row(out);
    }
}

/* ---- comparing ------------------------------------------------------------------------------- */

static bool minus_zero(const beck_column *k, uint32_t row)
{
    double x = k->type == BECK_DOUBLE ? ((const double *)k->data)[row] : 1;
    return x == 0 && signbit(x);
}

static void check_rows(const struct blocks *got, const beck_chunk *expected, uint32_t keys)
{
    uint32_t at = 0;
    assert_int_equal(got->rows, expected->rows);
    for (size_t i = 0; i < got->count; i++) {
        const beck_chunk *chunk = got->items[i]->chunk;
        assert_int_equal(chunk->columns, expected->columns);
        for (uint32_t row = 0; row < chunk->rows; row++, at++)
            for (uint32_t k = 0; k < chunk->columns; k++) {
                if (!beck__cell_equal(&chunk->column[k], row, &expected->column[k], at))
                    print_error("row %u, column %u\n", at, k);
                assert_true(beck__cell_equal(&chunk->column[k], row, &expected->column[k], at));
                assert_false(k < keys && minus_zero(&chunk->column[k], row));
            }
    }
}

/* ---- random input ---------------------------------------------------------------------------- */

struct fold_case {
    enum op_fold fold;
    const char *keys, *values;
    uint32_t key_count, rows, different;
};

/* A double whose sums are exact in any order, and the special ones. */
static double random_double(uint64_t *seed)
{
    static const double special[] = {0.0, -0.0, NAN, INFINITY, -INFINITY};
    uint32_t kind = test_below(seed, 40);
    return kind < 5 ? special[kind] : ((double)test_below(seed, 4000) - 2000) / 4;
}

static beck_value random_value(struct arena *arena, const struct field *field,
                               const struct fold_case *t, uint64_t *seed)
{
    uint32_t different = t->different;
    if (test_below(seed, 10) == 0)
        return beck_null;
    if (field->type == BECK_DOUBLE)
        return beck_double_value(test_below(seed, 2) ? random_double(seed)
                                                     : (double)test_below(seed, different));
    if (field->type == BECK_BIGINT || field->type == BECK_TIMESTAMP)
        return beck_integer_value(t->fold != FOLD_AVG && test_below(seed, 50) == 0
                                      ? (int64_t)test_random(seed)
                                      : (int64_t)test_below(seed, different) - 5);
    if (field->type == BECK_STRING || field->type == BECK_BINARY) {
        uint32_t n = test_below(seed, different);
        return beck_text_value(
            beck__arena_printf(arena, n % 3 ? "%u" : "key number %u, longer than a view", n));
    }
    return test_random_value(arena, field, seed);
}

/* Rows in chunks of random sizes; all of them in x->in, too. */
static void random_rows(struct bench *x, struct builder *all, const struct fold_case *t,
                        uint64_t *seed)
{
    const beck_schema *schema = x->in.schema;
    uint32_t cut = 1 + test_below(seed, t->rows + 1);
    for (uint32_t i = 0; i < t->rows; i++) {
        for (uint32_t k = 0; k < schema->count; k++) {
            beck_value v = random_value(&x->arena, &schema->fields[k], t, seed);
            assert_false(beck__builder_value(&x->in, k, &v, NULL, NULL));
            assert_false(beck__builder_value(all, k, &v, NULL, NULL));
        }
        beck__builder_end_row(&x->in);
        beck__builder_end_row(all);
        if (i % cut == cut - 1)
            bench_cut(x);
    }
    bench_cut(x);
}

/* ---- one case -------------------------------------------------------------------------------- */

/* The operations of a fold: complete; partial; merging. */
static void make_ops(struct bench *x, const struct fold_case *t, struct op ops[3])
{
    const char *in =
        beck__arena_printf(&x->arena, "%s%s%s", t->keys, *t->keys ? ", " : "", t->values);
    struct text state = {.memory = &x->os->memory}, result = state;
    const beck_schema *schema = test_schema(&x->arena, in);
    struct field *states = beck__arena_alloc(&x->arena, schema->count * sizeof *states);
    struct field *results = beck__arena_alloc(&x->arena, schema->count * sizeof *results);
    for (uint32_t k = 0; k < schema->count; k++) {
        states[k] = results[k] = schema->fields[k];
        if (k >= t->key_count && t->fold != FOLD_LIST)
            assert_false(beck__fold_types(&x->arena, t->fold, NULL, &schema->fields[k], &states[k],
                                          &results[k], NULL));
        if (k >= t->key_count && t->fold == FOLD_LIST)
            results[k] = (struct field){
                .name = "v", .type = BECK_ARRAY, .count = 1, .fields = &schema->fields[k]};
    }
    const beck_schema middle = {schema->count, states}, last = {schema->count, results};
    beck__schema_print(&middle, &state);
    beck__schema_print(&last, &result);
    ops[0] = test_op(&x->arena, OP_GROUP, in, beck__text_get(&result));
    ops[1] = test_op(&x->arena, OP_GROUP, in, beck__text_get(&state));
    ops[2] = test_op(&x->arena, OP_GROUP, beck__text_get(&state), beck__text_get(&result));
    ops[1].state_out = ops[2].state_in = true;
    for (int i = 0; i < 3; i++) {
        ops[i].fold = t->fold;
        ops[i].keys = t->key_count;
        ops[i].number = 3;
    }
    beck__text_deinit(&state);
    beck__text_deinit(&result);
}

/* Each third of the chunks makes partial states of its own; then these are merged in order. */
static void run_in_parts(struct bench *x, const struct op *partial, const struct op *merging)
{
    struct blocks all = x->chunks, states = {.memory = &x->os->memory};
    size_t third = all.count / 3 + 1;
    for (size_t from = 0; from < all.count; from += third) {
        x->chunks = (struct blocks){.memory = &x->os->memory};
        for (size_t i = from; i < all.count && i < from + third; i++) {
            beck__block_ref(all.items[i]);
            assert_true(beck__blocks_add(&x->chunks, all.items[i]));
        }
        bench_run(x, partial, 1);
        assert_true(beck__blocks_append(&states, &x->out));
        beck__blocks_deinit(&x->chunks);
    }
    x->chunks = states;
    bench_run(x, merging, 1);
    beck__blocks_deinit(&x->chunks);
    x->chunks = all;
}

static void check_case(const struct fold_case *t, uint64_t seed)
{
    struct bench x;
    struct builder all, expected;
    struct reference reference;
    struct op ops[3];
    uint64_t random = seed;

    bench_open(&x, "x BIGINT");
    make_ops(&x, t, ops);
    beck__builder_deinit(&x.in);
    beck__builder_init(&x.in, &x.os->memory, ops[0].in, UINT32_MAX, NULL);
    beck__builder_init(&all, &x.os->memory, ops[0].in, UINT32_MAX, NULL);
    beck__builder_init(&expected, &x.os->memory, ops[0].out, UINT32_MAX, NULL);
    random_rows(&x, &all, t, &random);
    reference_make(&reference, &x.arena, all.chunk, t->key_count);
    reference_rows(&reference, &ops[0], &expected);
    printf("fold %d of %s by %s, seed %llu\n", t->fold, t->values, t->keys,
           (unsigned long long)seed);

    bench_run(&x, &ops[0], 1);
    check_rows(&x.out, expected.chunk, t->key_count);
    if (t->fold != FOLD_LIST) {
        run_in_parts(&x, &ops[1], &ops[2]);
        check_rows(&x.out, expected.chunk, t->key_count);
    }
    beck__builder_deinit(&all);
    beck__builder_deinit(&expected);
    bench_close(&x);
}

/* ---- the cases ------------------------------------------------------------------------------- */

static const char *const key_types[] = {
    "k STRING",
    "k BIGINT",
    "k DOUBLE",
    "k BOOLEAN",
    "k BINARY, l BIGINT",
    "k DOUBLE, l STRING",
    "k STRUCT<a BIGINT, b STRING>",
    "k ARRAY<BIGINT>, l TIMESTAMP",
};

static uint32_t columns_of(const char *text)
{
    uint32_t depth = 0, count = *text != 0;
    for (; *text; text++) {
        depth += *text == '<' ? 1 : 0;
        depth -= *text == '>' ? 1 : 0;
        count += *text == ',' && depth == 0;
    }
    return count;
}

static void check_fold(enum op_fold fold, const char *const *values)
{
    for (; *values; values++)
        for (size_t k = 0; k < BECK__COUNT_OF(key_types); k++) {
            struct fold_case t = {.fold = fold, .keys = key_types[k], .values = *values};
            t.key_count = columns_of(t.keys);
            t.rows = 300;
            t.different = 20;
            check_case(&t, 1 + k);
        }
    for (uint32_t rows = 0; rows < 3; rows++) { /* one group at most */
        struct fold_case none = {
            .fold = fold, .keys = "", .values = values[-1], .rows = rows * 50, .different = 20};
        check_case(&none, 100 + rows);
    }
}

static void test_sum(void **state)
{
    (void)state;
    check_fold(FOLD_SUM, (const char *const[]){"v BIGINT", "v DOUBLE", "v BIGINT, w DOUBLE", NULL});
}

static void test_avg(void **state)
{
    (void)state;
    check_fold(FOLD_AVG, (const char *const[]){"v BIGINT", "v DOUBLE, w BIGINT", NULL});
}

static const char *const any_type[] = {
    "v BIGINT",           "v DOUBLE",
    "v STRING",           "v TIMESTAMP, w STRING",
    "v ARRAY<BIGINT>",    "v BOOLEAN, w STRUCT<a BIGINT, b STRING>",
    "v BINARY, w DOUBLE", NULL};

static void test_min(void **state)
{
    (void)state;
    check_fold(FOLD_MIN, any_type);
}

static void test_max(void **state)
{
    (void)state;
    check_fold(FOLD_MAX, any_type);
}

static void test_count(void **state)
{
    (void)state;
    check_fold(FOLD_COUNT, any_type);
}

static void test_distinct(void **state)
{
    (void)state;
    check_fold(FOLD_DISTINCT, any_type);
}

static void test_top(void **state)
{
    (void)state;
    check_fold(FOLD_TOP, any_type);
}

static void test_list(void **state)
{
    (void)state;
    check_fold(FOLD_LIST,
               (const char *const[]){"v BIGINT", "v DOUBLE", "v STRING", "v ARRAY<BIGINT>",
                                     "v STRUCT<a BIGINT, b STRING>", NULL});
}

/* More groups than a chunk has rows, and more than one growth of every table. */
static void test_many_groups(void **state)
{
    (void)state;
    static const enum op_fold folds[] = {FOLD_SUM, FOLD_AVG,      FOLD_MIN, FOLD_COUNT,
                                         FOLD_TOP, FOLD_DISTINCT, FOLD_LIST};
    for (size_t i = 0; i < BECK__COUNT_OF(folds); i++) {
        struct fold_case t = {.fold = folds[i], .keys = "k STRING", .values = "v BIGINT"};
        t.key_count = 1;
        t.rows = 4500;
        t.different = 1000000;
        check_case(&t, 7 + i);
    }
}

/* ---- the rest -------------------------------------------------------------------------------- */

static struct op group_op(struct bench *x, const char *in, const char *out, uint32_t keys,
                          enum op_fold fold)
{
    struct op op = test_op(&x->arena, OP_GROUP, in, out);
    op.fold = fold;
    op.keys = keys;
    op.number = 2;
    return op;
}

static void test_empty(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, "k STRING, v BIGINT");
    struct op by_key = group_op(&x, "k STRING, v BIGINT", "k STRING, v BIGINT", 1, FOLD_SUM);
    bench_run(&x, &by_key, 1);
    assert_int_equal(x.out.rows, 0);
    struct op count = group_op(&x, "k STRING, v BIGINT", "count BIGINT", 0, FOLD_COUNT);
    bench_run(&x, &count, 1);
    assert_int_equal(x.out.rows, 0);
    count.always = true;
    bench_run(&x, &count, 1);
    assert_string_equal(bench_text(&x), "0\n");
    ROW(&x, "a", 1);
    ROW(&x, beck_null, beck_null);
    bench_run(&x, &count, 1);
    assert_string_equal(bench_text(&x), "2\n");
    bench_close(&x);
}

/* Without rows every fold has a start value. */
static void test_always(void **state)
{
    (void)state;
    static const struct {
        enum op_fold fold;
        const char *out, *expected;
    } cases[] = {
        {FOLD_SUM, "v BIGINT", "null\n"},           {FOLD_AVG, "v DOUBLE", "null\n"},
        {FOLD_MAX, "v BIGINT", "null\n"},           {FOLD_COUNT, "v BIGINT", "0\n"},
        {FOLD_DISTINCT, "v ARRAY<BIGINT>", "[]\n"}, {FOLD_TOP, "v ARRAY<BIGINT>", "[]\n"},
        {FOLD_LIST, "v ARRAY<BIGINT>", "[]\n"},
    };
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++) {
        struct bench x;
        bench_open(&x, "v BIGINT");
        struct op op = group_op(&x, "v BIGINT", cases[i].out, 0, cases[i].fold);
        op.always = true;
        bench_run(&x, &op, 1);
        assert_string_equal(bench_text(&x), cases[i].expected);
        bench_close(&x);
    }
}

static void test_sum_wraps(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, "k STRING, v BIGINT");
    ROW(&x, "a", INT64_MAX);
    ROW(&x, "a", 1);
    ROW(&x, "b", INT64_MIN);
    ROW(&x, "b", -1);
    struct op op = group_op(&x, "k STRING, v BIGINT", "k STRING, v BIGINT", 1, FOLD_SUM);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(a,-9223372036854775808)\n(b,9223372036854775807)\n");
    ROW(&x, "b", beck_null); /* the loop for columns with nulls */
    ROW(&x, "b", 2);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(a,-9223372036854775808)\n(b,-9223372036854775807)\n");
    bench_close(&x);
}

static void test_zero_and_nan_keys(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, "k DOUBLE, v BIGINT");
    ROW(&x, -0.0, 1);
    ROW(&x, 0.0, 1);
    ROW(&x, (double)NAN, 1);
    ROW(&x, -(double)NAN, 1);
    ROW(&x, beck_null, 1);
    ROW(&x, beck_null, 1);
    struct op op = group_op(&x, "k DOUBLE, v BIGINT", "k DOUBLE, v BIGINT", 1, FOLD_SUM);
    bench_run(&x, &op, 1);
    assert_string_equal(bench_text(&x), "(0.0,2)\n(NaN,2)\n(null,2)\n");
    bench_close(&x);
}

/* A chunk of more rows than our chunks have. */
static void test_large_chunk(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, "k BIGINT, v BIGINT");
    for (int i = 0; i < 10000; i++)
        ROW(&x, i % 5000, 1);
    struct op op = group_op(&x, "k BIGINT, v BIGINT", "k BIGINT, v BIGINT", 1, FOLD_SUM);
    bench_run(&x, &op, 1);
    assert_int_equal(x.chunks.count, 1);
    assert_int_equal(x.out.rows, 5000);
    int64_t n = 0;
    for (size_t i = 0; i < x.out.count; i++)
        for (uint32_t row = 0; row < x.out.items[i]->chunk->rows; row++) {
            beck_row r = {x.out.items[i]->chunk, row, 0};
            assert_int_equal(beck_get_bigint(r, 0), n++);
            assert_int_equal(beck_get_bigint(r, 1), 2);
        }
    struct op limit = test_op(&x.arena, OP_LIMIT, "k BIGINT, v BIGINT", "k BIGINT, v BIGINT");
    limit.number = 3;
    bench_run(&x, (struct op[]){op, limit}, 2);
    assert_string_equal(bench_text(&x), "(0,2)\n(1,2)\n(2,2)\n");
    bench_close(&x);
}

static void test_no_memory(void **state)
{
    (void)state;
    static const struct {
        enum op_fold fold;
        const char *out;
    } cases[] = {
        {FOLD_SUM, "a DOUBLE, b STRING, v BIGINT"},
        {FOLD_AVG, "a DOUBLE, b STRING, v DOUBLE"},
        {FOLD_MIN, "a DOUBLE, b STRING, v BIGINT"},
        {FOLD_COUNT, "a DOUBLE, b STRING, v BIGINT"},
        {FOLD_DISTINCT, "a DOUBLE, b STRING, v ARRAY<BIGINT>"},
        {FOLD_TOP, "a DOUBLE, b STRING, v ARRAY<BIGINT>"},
        {FOLD_LIST, "a DOUBLE, b STRING, v ARRAY<BIGINT>"},
    };
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++) {
        struct bench x;
        bench_open(&x, "a DOUBLE, b STRING, v BIGINT");
        for (int row = 0; row < 200; row++) {
            char key[40];
            snprintf(key, sizeof key, "a key longer than a view: %d", row % 50);
            ROW(&x, row % 3 * 0.5, key, row);
            if (row % 70 == 0)
                bench_cut(&x);
        }
        struct op op = group_op(&x, "a DOUBLE, b STRING, v BIGINT", cases[i].out, 2, cases[i].fold);
        bench_exhaust(&x, &op, 1);
        bench_close(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_sum),
        test(test_avg),
        test(test_min),
        test(test_max),
        test(test_count),
        test(test_distinct),
        test(test_top),
        test(test_list),
        test(test_many_groups),
        test(test_empty),
        test(test_always),
        test(test_sum_wraps),
        test(test_zero_and_nan_keys),
        test(test_large_chunk),
        test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
