/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window_test - a window against a model that looks at every slice again: an associative function
 * that does not commute, keys that come and go, gaps in time, attempts that fail, memory that runs
 * out, and a window that is saved and loaded in the middle.
 */
#include "exec/testing.h"

#define KEYS    12u
#define BATCHES 90

/* What every batch brought of every key, as text; "": nothing. */
struct model {
    char text[BATCHES][KEYS][40];
};

struct windowed {
    struct bench x;
    const struct program *program;
    struct resident *resident;
    uint32_t length;
};

static void concatenate(beck_call *c, beck_row a, beck_row b)
{
    char text[2000];
    beck_str x = beck_get_string(a, 0), y = beck_get_string(b, 0);

    snprintf(text, sizeof text, "%.*s%.*s", (int)x.size, x.data, (int)y.size, y.data);
    if (strstr(text, "!"))
        beck_fail(c, "a mark");
    beck_emit(c, text);
}

static void open(struct windowed *w, const char *in, const char *out, uint32_t keys,
                 enum op_fold fold, uint32_t length)
{
    bench_open(&w->x, in);
    struct op op = test_op(&w->x.arena, OP_WINDOW, in, out);
    beck_schema *state = beck__arena_alloc(&w->x.arena, sizeof *state);
    *state = (beck_schema){op.in->count - keys, op.in->fields + keys};
    op.keys = keys;
    op.state = state;
    op.fold = fold;
    op.emits = EMITS_ONE;
    op.period_ms = 1000;
    op.slices = length;
    op.number = 3;
    w->length = length;
    w->program = test_program(&w->x.arena, &op, 1);
    w->resident = NULL;
}

static struct op *op_of(struct windowed *w)
{
    return (struct op *)(uintptr_t)&w->program->ops[0];
}

static void attempt(struct windowed *w, int64_t number, bool due)
{
    struct bench *x = &w->x;

    if (!w->resident)
        w->resident = beck__resident_new(x->os, op_of(w), &x->task.error);
    assert_non_null(w->resident);
    beck__task_deinit(&x->task);
    beck__task_init(&x->task, x->os);
    x->task.resident = w->resident;
    x->task.batch_ms = number * 1000;
    x->task.due = due;
    beck__blocks_deinit(&x->out);
    bench_run_into(x, w->program, beck__collector_open(&x->task, w->program->out, &x->out));
}

static const char *batch(struct windowed *w, int64_t number)
{
    attempt(w, number, true);
    if (w->x.task.error.status)
        print_error("%s\n", w->x.task.error.text);
    assert_int_equal(w->x.task.error.status, BECK_OK);
    beck__resident_seal(w->resident, true);
    beck__blocks_deinit(&w->x.chunks);
    return bench_text(&w->x);
}

static void close(struct windowed *w)
{
    beck__resident_free(w->resident);
    bench_close(&w->x);
}

/* ---- against the model ----------------------------------------------------------------------- */

static void add_row(struct windowed *w, uint32_t key, const char *text)
{
    char name[40];

    snprintf(name, sizeof name, key % 2 ? "%u" : "key number %u, a long one", key);
    ROW(&w->x, name, text);
}

/* Random rows of batch n, also into the model. */
static void make_rows(struct windowed *w, struct model *m, uint32_t n, uint64_t *seed)
{
    memset(m->text[n], 0, sizeof m->text[n]);
    for (uint32_t i = test_below(seed, 4) ? test_below(seed, 8) : 0; i > 0; i--) {
        uint32_t key = test_below(seed, n < 45 ? KEYS / 2 : KEYS);
        char *all = m->text[n][key], piece[16];
        snprintf(piece, sizeof piece, "%u.", n);
        if (strlen(all) + strlen(piece) >= sizeof m->text[n][key])
            continue;
        strcat(all, piece);
        add_row(w, key, piece);
        if (test_below(seed, 3) == 0)
            bench_cut(&w->x);
    }
}

static void check(struct windowed *w, const struct model *m, int64_t n)
{
    uint32_t expected = 0;
    char row[3000];

    beck__text_add(&w->x.text, "");
    const char *got = beck__arena_text(&w->x.arena, bench_text(&w->x));
    for (uint32_t key = 0; key < KEYS; key++) {
        char all[2500] = "";
        for (int64_t i = n - w->length + 1; i <= n; i++)
            if (i >= 0)
                strcat(all, m->text[i][key]);
        if (!*all)
            continue;
        expected++;
        snprintf(row, sizeof row, key % 2 ? "(%u,%s)\n" : "(key number %u, a long one,%s)\n", key,
                 all);
        if (!strstr(got, row))
            fail_msg("batch %lld: %s is not in\n%s", (long long)n, row, got);
    }
    assert_int_equal(w->x.out.rows, expected);
}

/* What is saved and loaded goes on like the one it was made of. */
static void reload(struct windowed *w)
{
    struct error error = {0};
    struct blocks saved = {.memory = &w->x.os->memory};
    struct resident *copy = beck__resident_new(w->x.os, op_of(w), &error);

    assert_int_equal(beck__resident_save(w->resident, &saved, &error), BECK_OK);
    assert_int_equal(beck__resident_load(copy, &saved, 0, &error), BECK_OK);
    assert_int_equal(beck__resident_count(copy), beck__resident_count(w->resident));
    beck__blocks_deinit(&saved);
    beck__resident_free(w->resident);
    w->resident = copy;
}

static void check_seed(uint64_t seed, uint32_t length)
{
    struct windowed w;
    static struct model m;
    uint64_t random = seed;

    printf("seed %llu, %u slices\n", (unsigned long long)seed, length);
    open(&w, "k STRING, v STRING", "k STRING, v STRING", 1, FOLD_REDUCE, length);
    SET_FUNCTION(op_of(&w), 0, concatenate);
    memset(&m, 0, sizeof m);
    for (uint32_t n = 0; n < BATCHES; n++) {
        make_rows(&w, &m, n, &random);
        if (test_below(&random, 12) == 0) { /* not even a task */
            memset(m.text[n], 0, sizeof m.text[n]);
            beck__builder_clear(&w.x.in);
            beck__blocks_deinit(&w.x.chunks);
            continue;
        }
        if (test_below(&random, 6) == 0) {
            struct blocks good = {.memory = &w.x.os->memory};
            bench_cut(&w.x);
            assert_true(beck__blocks_append(&good, &w.x.chunks));
            add_row(&w, 3, "!");
            add_row(&w, 3, "!");
            attempt(&w, n, true);
            assert_int_equal(w.x.task.error.status, BECK_TASK);
            beck__resident_seal(w.resident, false);
            beck__blocks_deinit(&w.x.chunks);
            w.x.chunks = good;
        }
        bool due = test_below(&random, 3) != 0;
        attempt(&w, n, due);
        assert_int_equal(w.x.task.error.status, BECK_OK);
        bool keep = test_below(&random, 8) != 0;
        if (due)
            check(&w, &m, n);
        beck__resident_seal(w.resident, keep);
        beck__blocks_deinit(&w.x.chunks);
        if (!keep)
            memset(m.text[n], 0, sizeof m.text[n]);
        if (test_below(&random, 7) == 0)
            reload(&w);
    }
    close(&w);
}

static void test_model(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {1, 2, 3, 7, 30, 200};

    for (size_t i = 0; i < BECK__COUNT_OF(lengths); i++)
        for (uint64_t seed = 1; seed <= 8; seed++)
            check_seed(seed * 100 + i, lengths[i]);
}

/* ---- kinds of folds -------------------------------------------------------------------------- */

static void test_sums(void **state)
{
    (void)state;
    struct windowed w;
    open(&w, "k STRING, n BIGINT, x DOUBLE", "k STRING, n BIGINT, x DOUBLE", 1, FOLD_SUM, 3);
    ROW(&w.x, "a", 1, 0.5);
    ROW(&w.x, "b", 2, beck_null);
    assert_string_equal(batch(&w, 5), "(a,1,0.5)\n(b,2,null)\n");
    ROW(&w.x, "a", 10, 0.25);
    assert_string_equal(batch(&w, 6), "(a,11,0.75)\n(b,2,null)\n");
    assert_string_equal(batch(&w, 7), "(a,11,0.75)\n(b,2,null)\n");
    ROW(&w.x, "c", 5, 1);
    assert_string_equal(batch(&w, 8), "(a,10,0.25)\n(c,5,1.0)\n");
    assert_string_equal(batch(&w, 9), "(c,5,1.0)\n");
    assert_string_equal(batch(&w, 11), "");
    assert_true(beck__resident_idle(w.resident, 12000));
    close(&w);
}

static void test_averages_and_lists(void **state)
{
    (void)state;
    struct windowed w;
    open(&w, "k BIGINT, x STRUCT<s DOUBLE, n BIGINT>", "k BIGINT, x DOUBLE", 1, FOLD_AVG, 2);
    beck_value one[] = {beck_double_value(3), beck_integer_value(1)};
    beck_value two[] = {beck_double_value(1), beck_integer_value(3)};
    ROW(&w.x, 7, beck_values_value(one, 2));
    assert_string_equal(batch(&w, 0), "(7,3.0)\n");
    ROW(&w.x, 7, beck_values_value(two, 2));
    assert_string_equal(batch(&w, 1), "(7,1.0)\n");
    assert_string_equal(batch(&w, 2), "(7,0.3333333333333333)\n");
    close(&w);
    open(&w, "k BIGINT, x ARRAY<BIGINT>", "k BIGINT, x ARRAY<BIGINT>", 1, FOLD_TOP, 2);
    beck_value few[] = {beck_integer_value(5), beck_integer_value(2)};
    beck_value more[] = {beck_integer_value(9), beck_integer_value(4), beck_integer_value(3)};
    ROW(&w.x, 7, beck_values_value(few, 2));
    assert_string_equal(batch(&w, 0), "(7,[5, 2])\n");
    ROW(&w.x, 7, beck_values_value(more, 3));
    assert_string_equal(batch(&w, 1), "(7,[9, 5, 4])\n");
    assert_string_equal(batch(&w, 2), "(7,[9, 4, 3])\n");
    close(&w);
    open(&w, "k BIGINT, x ARRAY<STRING>", "k BIGINT, x ARRAY<STRING>", 1, FOLD_DISTINCT, 4);
    beck_value ab[] = {beck_text_value("a"), beck_text_value("b")};
    beck_value bc[] = {beck_text_value("b"), beck_text_value("c")};
    ROW(&w.x, 7, beck_values_value(ab, 2));
    batch(&w, 1);
    ROW(&w.x, 7, beck_values_value(bc, 2));
    batch(&w, 3);
    assert_string_equal(batch(&w, 4), "(7,[a, b, c])\n");
    assert_string_equal(batch(&w, 5), "(7,[b, c])\n");
    close(&w);
}

/* Without keys: nothing before the first row, then always a number. */
static void test_counts(void **state)
{
    (void)state;
    struct windowed w;
    open(&w, "count BIGINT", "count BIGINT", 0, FOLD_COUNT, 2);
    op_of(&w)->always = true;
    assert_string_equal(batch(&w, 0), "");
    ROW(&w.x, 4);
    ROW(&w.x, 3);
    assert_string_equal(batch(&w, 1), "7\n");
    ROW(&w.x, 1);
    assert_string_equal(batch(&w, 2), "8\n");
    assert_string_equal(batch(&w, 3), "1\n");
    assert_string_equal(batch(&w, 4), "0\n");
    reload(&w);
    assert_false(beck__resident_idle(w.resident, 5000));
    assert_string_equal(batch(&w, 5), "0\n");
    close(&w);
}

/* Rows of a batch that failed were never there. */
static void test_counts_of_a_failed_batch(void **state)
{
    (void)state;
    struct windowed w;
    open(&w, "count BIGINT", "count BIGINT", 0, FOLD_COUNT, 2);
    op_of(&w)->always = true;
    ROW(&w.x, 5);
    attempt(&w, 0, true);
    assert_string_equal(bench_text(&w.x), "5\n");
    beck__resident_seal(w.resident, false);
    beck__blocks_deinit(&w.x.chunks);
    assert_string_equal(batch(&w, 1), "");
    assert_true(beck__resident_idle(w.resident, 2000));
    close(&w);
}

/* Fractions: the same bits, loaded in the middle or not. */
static void test_bits(void **state)
{
    (void)state;
    struct windowed a, b;
    uint64_t seed = 7;
    open(&a, "k BIGINT, x DOUBLE", "k BIGINT, x DOUBLE", 1, FOLD_SUM, 10);
    open(&b, "k BIGINT, x DOUBLE", "k BIGINT, x DOUBLE", 1, FOLD_SUM, 10);
    for (int64_t n = 0; n < 60; n++) {
        for (int i = 0; i < 20; i++) {
            uint32_t key = test_below(&seed, 5);
            double x = (double)test_random(&seed) / 3e9;
            ROW(&a.x, key, x);
            ROW(&b.x, key, x);
        }
        const char *first = batch(&a, n);
        assert_string_equal(batch(&b, n), first);
        if (n % 3 == 0)
            reload(&b);
    }
    close(&a);
    close(&b);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* Keys that come once and go: what is kept follows those in the window. */
static void test_churn(void **state)
{
    (void)state;
    struct windowed w;
    size_t used = 0;
    open(&w, "k STRING, v STRING", "k STRING, v STRING", 1, FOLD_REDUCE, 5);
    SET_FUNCTION(op_of(&w), 0, concatenate);
    for (uint32_t n = 0; n < 600; n++) {
        for (uint32_t i = 0; i < 100; i++)
            add_row(&w, n * 100 + i, "a value of more than 12 bytes");
        batch(&w, n);
        assert_int_equal(w.x.out.rows, n < 4 ? (n + 1) * 100 : 500);
        beck__blocks_deinit(&w.x.out);
        if (n == 300)
            used = beck__os_memory_used(w.x.os);
    }
    assert_true(beck__os_memory_used(w.x.os) < used + used / 2);
    close(&w);
}

/* Every allocation fails once; then the same batch goes well. */
static void test_no_memory(void **state)
{
    (void)state;
    struct windowed w;
    struct model m;
    memset(&m, 0, sizeof m);
    open(&w, "k STRING, v STRING", "k STRING, v STRING", 1, FOLD_REDUCE, 3);
    SET_FUNCTION(op_of(&w), 0, concatenate);
    for (uint32_t n = 0; n < 8; n++) { /* over two blocks */
        uint64_t seed = n + 1;
        make_rows(&w, &m, n, &seed);
        bench_cut(&w.x);
        if (!w.resident)
            w.resident = beck__resident_new(w.x.os, op_of(&w), &w.x.task.error);
        for (uint64_t fail = 1, used = UINT64_MAX; used >= fail - 1; fail++) {
            uint64_t at = beck__os_memory_calls(w.x.os);
            beck__os_memory_fail(w.x.os, fail, fail % 2);
            attempt(&w, n, true);
            used = beck__os_memory_calls(w.x.os) - at;
            beck__os_memory_fail(w.x.os, 0, false);
            if (w.x.task.error.status)
                assert_int_equal(w.x.task.error.status, BECK_NO_MEMORY);
            else if (w.x.flow != FLOW_FAILED)
                check(&w, &m, n);
            beck__resident_seal(w.resident, false);
        }
        attempt(&w, n, true);
        assert_int_equal(w.x.task.error.status, BECK_OK);
        check(&w, &m, n);
        beck__resident_seal(w.resident, true);
        beck__blocks_deinit(&w.x.chunks);
    }
    close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_model),
        test(test_sums),
        test(test_averages_and_lists),
        test(test_counts),
        test(test_counts_of_a_failed_batch),
        test(test_bits),
        test(test_churn),
        test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
