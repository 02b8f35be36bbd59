/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stateful_test - map_with_state and update_state_by_key in one partition: what stays from batch to
 * batch, what a failed attempt leaves (nothing), who is due, and a state as blocks and back.
 */
#include "exec/testing.h"

#define IN "k STRING, n BIGINT"

/* One operation, and what it keeps. */
struct stateful {
    struct bench x;
    const struct program *program;
    struct resident *resident;
    int64_t batch_ms;
};

static void open(struct stateful *s, enum op_kind kind, const char *out, const char *state)
{
    bench_open(&s->x, IN);
    struct op op = test_op(&s->x.arena, kind, IN, out);
    op.keys = 1;
    op.emits = EMITS_ANY;
    op.state = test_schema(&s->x.arena, state);
    s->program = test_program(&s->x.arena, &op, 1);
    s->resident = NULL;
    s->batch_ms = 0;
}

static struct op *op_of(struct stateful *s)
{
    return (struct op *)(uintptr_t)&s->program->ops[0];
}

#define FUNCTION(s, fn) SET_FUNCTION(op_of(s), 0, fn)

/* map_with_state over a number a key. */
static void open_track(struct stateful *s, beck_track_fn *fn)
{
    open(s, OP_TRACK, IN, "n BIGINT");
    FUNCTION(s, fn);
}

/* The rows so far as one batch; the caller looks at the error and seals. */
static void attempt(struct stateful *s)
{
    struct bench *x = &s->x;

    assert_true(beck__op_fits(op_of(s)));
    if (!s->resident)
        s->resident = beck__resident_new(x->os, op_of(s), &x->task.error);
    assert_non_null(s->resident);
    beck__task_deinit(&x->task);
    beck__task_init(&x->task, x->os);
    x->task.resident = s->resident;
    x->task.batch_ms = s->batch_ms;
    beck__blocks_deinit(&x->out);
    bench_run_into(x, s->program, beck__collector_open(&x->task, s->program->out, &x->out));
}

static const char *batch(struct stateful *s)
{
    s->batch_ms += 1000;
    attempt(s);
    if (s->x.task.error.status)
        print_error("%s\n", s->x.task.error.text);
    assert_int_equal(s->x.task.error.status, BECK_OK);
    beck__resident_seal(s->resident, true);
    beck__blocks_deinit(&s->x.chunks);
    return bench_text(&s->x);
}

static void fails(struct stateful *s, const char *text)
{
    attempt(s);
    assert_int_equal(s->x.task.error.status, BECK_TASK);
    if (!strstr(s->x.task.error.text, text))
        fail_msg("\"%s\" is not in \"%s\"", text, s->x.task.error.text);
    beck__resident_seal(s->resident, false);
    beck__blocks_deinit(&s->x.chunks);
}

/* Key and state of every key. */
static const char *states(struct stateful *s, struct resident *resident)
{
    struct bench *x = &s->x;
    const beck_schema *schema = beck__resident_schema(&x->arena, op_of(s), false);

    beck__task_deinit(&x->task);
    beck__task_init(&x->task, x->os);
    beck__blocks_deinit(&x->out);
    struct operator *sink = beck__collector_open(&x->task, schema, &x->out);
    assert_int_equal(beck__resident_scan(resident, &x->task, sink), FLOW_MORE);
    return bench_text(x);
}

static void close(struct stateful *s)
{
    beck__resident_free(s->resident);
    bench_close(&s->x);
}

/* ---- map_with_state -------------------------------------------------------------------------- */

static void count(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    int64_t n = beck_state_bigint(state, 0, 0);

    if (beck_state_is_timing_out(state)) {
        assert_true(beck_is_none(value));
        beck_emit(c, beck_cell(key, 0), -n);
        return;
    }
    assert_int_equal(beck_columns(key), 1);
    n += beck_get_bigint(value, 0);
    if (beck_get_bigint(value, 0) == 13)
        beck_fail(c, "thirteen");
    if (beck_get_bigint(value, 0) == 0)
        beck_state_remove(state);
    else
        beck_state_put(state, n);
    beck_emit(c, beck_cell(key, 0), n);
}

static void test_track(void **state)
{
    (void)state;
    struct stateful s;
    open_track(&s, count);
    ROW(&s.x, "a", 1);
    ROW(&s.x, "b", 2);
    ROW(&s.x, "a", 3);
    assert_string_equal(batch(&s), "(a,1)\n(b,2)\n(a,4)\n");
    ROW(&s.x, "b", 0);
    ROW(&s.x, "a long key of more than 12", 5);
    assert_string_equal(batch(&s), "(b,2)\n(a long key of more than 12,5)\n");
    assert_string_equal(states(&s, s.resident), "(a,4)\n(a long key of more than 12,5)\n");
    ROW(&s.x, "b", 7);
    assert_string_equal(batch(&s), "(b,7)\n");
    assert_string_equal(batch(&s), "");
    assert_int_equal(beck__resident_count(s.resident), 3);
    close(&s);
}

static void test_failed_attempts_leave_nothing(void **state)
{
    (void)state;
    struct stateful s;
    open_track(&s, count);
    ROW(&s.x, "a", 1);
    ROW(&s.x, "b", 2);
    batch(&s);
    ROW(&s.x, "a", 10);
    ROW(&s.x, "b", 0);
    ROW(&s.x, "c", 3);
    ROW(&s.x, "c", 13);
    fails(&s, "thirteen (key c, record 4)");
    assert_string_equal(states(&s, s.resident), "(a,1)\n(b,2)\n");
    ROW(&s.x, "c", 3);
    ROW(&s.x, "a", 1);
    assert_string_equal(batch(&s), "(c,3)\n(a,2)\n");
    close(&s);
}

/* Due in the first batch in which they were not touched for longer, oldest first, once. */
static void test_timeouts(void **state)
{
    (void)state;
    struct stateful s;
    open_track(&s, count);
    op_of(&s)->timeout_ms = 2000;
    ROW(&s.x, "a", 1);
    ROW(&s.x, "b", 2);
    batch(&s); /* 1000 */
    ROW(&s.x, "a", 1);
    ROW(&s.x, "c", 3);
    batch(&s); /* 2000 */
    assert_true(beck__resident_idle(s.resident, 3000));
    assert_string_equal(batch(&s), "");
    assert_false(beck__resident_idle(s.resident, 4000));
    assert_string_equal(batch(&s), "(b,-2)\n");
    ROW(&s.x, "c", 1); /* in time */
    assert_string_equal(batch(&s), "(c,4)\n(a,-2)\n");
    assert_string_equal(states(&s, s.resident), "(c,4)\n");
    close(&s);
}

static void remove_and_put(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    (void)c;
    (void)key;
    (void)value;
    beck_state_put(state, 1);
    beck_state_remove(state);
    beck_state_put(state, 2);
}

static void put_while_timing_out(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    (void)c;
    (void)key;
    (void)value;
    beck_state_put(state, 1);
}

static void put_two(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    (void)c;
    (void)key;
    (void)value;
    beck_state_put(state, 1, 2);
}

static void read_none(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    (void)c;
    (void)key;
    (void)value;
    assert_true(beck_is_none(beck_state_get(state)));
    beck_get_bigint(beck_state_get(state), 0);
}

static void remove_while_timing_out(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    (void)c;
    (void)key;
    if (beck_is_none(value))
        beck_state_remove(state);
    else
        beck_state_put(state, 1);
}

static void put_text(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    (void)c;
    (void)key;
    (void)value;
    beck_state_put(state, "text");
}

static void emit_twice(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    (void)state;
    beck_emit(c, beck_cell(key, 0), beck_cell(value, 0));
    beck_emit(c, beck_cell(key, 0), beck_cell(value, 0));
}

static void test_mistakes(void **state)
{
    (void)state;
    static const struct {
        beck_track_fn *fn;
        const char *text;
    } cases[] = {
        {remove_and_put, "beck_state_put: the state was removed in this call"},
        {put_two, "puts 2 values, but the state has 1 column"},
        {put_text, "state: column 0 \"n\" is BIGINT: got STRING \"text\" (key a, record 1)"},
        {read_none, "(key a, record 1)"},
        {emit_twice, "must emit no row or one, emitted 2"},
    };
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++) {
        struct stateful s;
        open_track(&s, cases[i].fn);
        ROW(&s.x, "a", 1);
        fails(&s, cases[i].text);
        assert_int_equal(beck__resident_count(s.resident), 0);
        close(&s);
    }
    for (int i = 0; i < 2; i++) {
        struct stateful s;
        open_track(&s, i == 0 ? put_while_timing_out : remove_while_timing_out);
        op_of(&s)->timeout_ms = 1;
        ROW(&s.x, "a", 1);
        batch(&s);
        s.batch_ms += 1000;
        fails(&s, "the key is timing out, its state ends with this call (key a)");
        assert_int_equal(beck__resident_count(s.resident), 1);
        close(&s);
    }
}

/* A row that changes nothing is a touch all the same. */
static void look_only(beck_call *c, beck_row key, beck_row value, beck_state *state)
{
    if (!beck_state_exists(state))
        beck_state_put(state, beck_get_bigint(value, 0));
    else if (beck_is_none(value))
        beck_emit(c, beck_cell(key, 0), beck_state_bigint(state, 0, 0));
}

static void test_touched_without_change(void **state)
{
    (void)state;
    struct stateful s;
    open_track(&s, look_only);
    op_of(&s)->timeout_ms = 1500;
    ROW(&s.x, "a", 1);
    ROW(&s.x, "b", 2);
    assert_string_equal(batch(&s), "");
    ROW(&s.x, "a", 7);
    assert_string_equal(batch(&s), "");
    assert_string_equal(batch(&s), "(b,2)\n");
    assert_string_equal(batch(&s), "(a,1)\n");
    close(&s);
}

struct ten {
    struct operator base;
    uint64_t rows;
};

static enum flow push_ten(struct operator *base, const beck_chunk *chunk)
{
    struct ten *self = (struct ten *)base;

    self->rows += chunk->rows;
    return self->rows >= 10 ? FLOW_DONE : FLOW_MORE;
}

/* Who wants ten rows of many does not pay for the others. */
static void test_lazy_scan(void **state)
{
    (void)state;
    struct stateful s;
    struct ten sink = {.base = {.push = push_ten}};
    open(&s, OP_UPDATE, "k STRING, n BIGINT", "n BIGINT");
    FUNCTION(&s, beck_running_sum);
    for (int i = 0; i < 20000; i++) {
        char key[32];
        snprintf(key, sizeof key, "key %d", i);
        ROW(&s.x, key, i);
        if (i % 1000 == 999)
            bench_cut(&s.x);
    }
    batch(&s);
    assert_int_equal(beck__resident_count(s.resident), 20000);
    assert_int_equal(beck__resident_scan(s.resident, &s.x.task, &sink.base), FLOW_DONE);
    assert_true(sink.rows <= 64);
    close(&s);
}

/* ---- update_state_by_key --------------------------------------------------------------------- */

/* State: the values so far as text, and how often it was called. */
static void remember(beck_call *c, beck_row key, beck_rows *values, beck_state *state)
{
    char text[200];
    beck_row row;

    (void)c;
    (void)key;
    snprintf(text, sizeof text, "%.*s", (int)beck_state_string(state, 0, beck_string("")).size,
             beck_state_string(state, 0, beck_string("")).data);
    while (beck_next_row(values, &row))
        snprintf(text + strlen(text), sizeof text - strlen(text), " %lld",
                 (long long)beck_get_bigint(row, 0));
    if (strstr(text, "13"))
        beck_fail(c, "thirteen");
    beck_state_put(state, text, beck_state_bigint(state, 1, 0) + 1);
}

static void open_update(struct stateful *s)
{
    open(s, OP_UPDATE, "k STRING, seen STRING, calls BIGINT", "seen STRING, calls BIGINT");
    FUNCTION(s, remember);
}

static void test_update(void **state)
{
    (void)state;
    struct stateful s;
    open_update(&s);
    op_of(&s)->every = true;
    ROW(&s.x, "a", 1);
    ROW(&s.x, "b", 2);
    bench_cut(&s.x);
    ROW(&s.x, "a", 3);
    assert_string_equal(batch(&s), "");
    assert_string_equal(states(&s, s.resident), "(a, 1 3,1)\n(b, 2,1)\n");
    assert_false(beck__resident_idle(s.resident, 2000));
    ROW(&s.x, "c", 4);
    batch(&s);
    assert_string_equal(states(&s, s.resident), "(a, 1 3,2)\n(b, 2,2)\n(c, 4,1)\n");
    ROW(&s.x, "a", 5);
    ROW(&s.x, "b", 13);
    fails(&s, "thirteen (key b)");
    assert_string_equal(states(&s, s.resident), "(a, 1 3,2)\n(b, 2,2)\n(c, 4,1)\n");
    close(&s);
}

static void test_update_of_touched_keys_and_time_to_live(void **state)
{
    (void)state;
    struct stateful s;
    open_update(&s);
    op_of(&s)->timeout_ms = 1000;
    ROW(&s.x, "a", 1);
    ROW(&s.x, "b", 2);
    batch(&s);
    ROW(&s.x, "a", 3);
    batch(&s);
    assert_string_equal(states(&s, s.resident), "(a, 1 3,2)\n(b, 2,1)\n");
    assert_false(beck__resident_idle(s.resident, 3000));
    batch(&s); /* 3000: b was touched at 1000 */
    assert_string_equal(states(&s, s.resident), "(a, 1 3,2)\n");
    assert_true(beck__resident_idle(s.resident, 3000));
    close(&s);
}

/* What a failed attempt has touched stands in line as before, also between keys that it has not. */
static void check_line(enum op_kind kind)
{
    struct stateful s;
    open(&s, kind, "k STRING, n BIGINT", "n BIGINT");
    op_of(&s)->timeout_ms = 2500;
    op_of(&s)->fold = FOLD_SUM;
    op_of(&s)->emits = EMITS_NONE;
    if (kind == OP_UPDATE)
        FUNCTION(&s, beck_running_sum);
    ROW(&s.x, "x", 1);
    batch(&s);
    ROW(&s.x, "a", 1);
    ROW(&s.x, "c", 1);
    batch(&s);
    ROW(&s.x, "y", 1);
    batch(&s);
    ROW(&s.x, "a", 2);
    ROW(&s.x, "c", 2);
    attempt(&s);
    beck__resident_seal(s.resident, false);
    beck__blocks_deinit(&s.x.chunks);
    s.batch_ms = 4000;
    batch(&s); /* 5000: a and c were touched at 2000 */
    assert_string_equal(states(&s, s.resident), "(y,1)\n");
    close(&s);
}

static void test_undo_of_touches(void **state)
{
    (void)state;
    check_line(OP_UPDATE);
    check_line(OP_ACCUMULATE);
}

/* ---- known functions ------------------------------------------------------------------------- */

/* One value column of that type; the state and what a row emits are its like. */
static void open_known(struct stateful *s, bool kernel, enum op_fold fold, const char *value)
{
    char in[40], out[60];

    snprintf(in, sizeof in, "k STRING, v %s", value);
    snprintf(out, sizeof out, "v %s", fold == FOLD_COUNT ? "BIGINT" : value);
    bench_open(&s->x, in);
    struct op op = test_op(&s->x.arena, kernel ? OP_ACCUMULATE : OP_TRACK, in, in);
    op.out = fold == FOLD_COUNT ? test_schema(&s->x.arena, "k STRING, v BIGINT") : op.in;
    op.keys = 1;
    op.emits = kernel ? EMITS_ONE : EMITS_ANY;
    op.fold = fold;
    op.state = test_schema(&s->x.arena, out);
    s->program = test_program(&s->x.arena, &op, 1);
    s->resident = NULL;
    s->batch_ms = 0;
    if (kernel)
        return;
    if (fold == FOLD_SUM)
        FUNCTION(s, beck_track_sum);
    else if (fold == FOLD_MIN)
        FUNCTION(s, beck_track_min);
    else if (fold == FOLD_MAX)
        FUNCTION(s, beck_track_max);
    else if (fold == FOLD_COUNT)
        FUNCTION(s, beck_track_count);
    else
        FUNCTION(s, beck_track_last);
}

static void random_rows(struct stateful *s, bool real, uint64_t *seed)
{
    static const double odd[] = {0.0, -0.0, 1e300, -1e300};

    for (uint32_t i = test_below(seed, 40); i > 0; i--) {
        char key[40];
        int64_t n = (int64_t)test_random(seed);
        beck_value v = test_below(seed, 8) == 0 ? beck_null
                       : !real                  ? beck_integer_value(n)
                       : test_below(seed, 5)    ? beck_double_value((double)n)
                                                : beck_double_value(odd[test_below(seed, 4)]);
        if (real && test_below(seed, 12) == 0)
            v = beck_double_value((double)NAN);
        snprintf(key, sizeof key, "key %u", test_below(seed, 12));
        ROW(&s->x, key, v);
    }
}

/* The kernel does what the callback behind the same name does, also when attempts fail. */
static void test_kernels(void **state)
{
    (void)state;
    static const enum op_fold folds[] = {FOLD_SUM, FOLD_MIN, FOLD_MAX, FOLD_COUNT, FOLD_LAST};

    for (size_t i = 0; i < 2 * BECK__COUNT_OF(folds); i++) {
        struct stateful a, b;
        enum op_fold fold = folds[i / 2];
        bool real = i % 2 != 0;
        uint64_t seed = i + 1, same = i + 1;
        open_known(&a, true, fold, real ? "DOUBLE" : "BIGINT");
        open_known(&b, false, fold, real ? "DOUBLE" : "BIGINT");
        for (int n = 0; n < 40; n++) {
            random_rows(&a, real, &seed);
            random_rows(&b, real, &same);
            if (test_below(&seed, 4) == 0) {
                attempt(&a);
                assert_int_equal(a.x.task.error.status, BECK_OK);
                beck__resident_seal(a.resident, false);
            }
            test_below(&same, 4);
            const char *rows = beck__arena_text(&a.x.arena, batch(&b));
            assert_string_equal(batch(&a), rows);
            rows = beck__arena_text(&a.x.arena, states(&b, b.resident));
            assert_string_equal(states(&a, a.resident), rows);
        }
        close(&a);
        close(&b);
    }
}

/* Who comes back after its time to live starts anew, kernel or callback. */
static void test_kernels_and_time_to_live(void **state)
{
    (void)state;
    for (int kernel = 0; kernel < 2; kernel++) {
        struct stateful s;
        open(&s, kernel ? OP_ACCUMULATE : OP_UPDATE, "k STRING, n BIGINT", "n BIGINT");
        op_of(&s)->timeout_ms = 1500;
        op_of(&s)->fold = FOLD_SUM;
        op_of(&s)->emits = EMITS_NONE;
        if (!kernel)
            FUNCTION(&s, beck_running_sum);
        ROW(&s.x, "a", 1);
        ROW(&s.x, "b", 1);
        batch(&s);
        ROW(&s.x, "b", 2);
        batch(&s);
        ROW(&s.x, "a", 5); /* 3000: was touched at 1000 */
        ROW(&s.x, "b", 5);
        batch(&s);
        assert_string_equal(states(&s, s.resident), "(a,5)\n(b,8)\n");
        close(&s);
    }
}

static void test_known_lists(void **state)
{
    (void)state;
    static const int two = 2;
    struct stateful s;
    open(&s, OP_UPDATE, "k STRING, count BIGINT, values ARRAY<BIGINT>",
         "count BIGINT, values ARRAY<BIGINT>");
    FUNCTION(&s, beck_running_distinct);
    ROW(&s.x, "a", 5);
    ROW(&s.x, "a", 7);
    ROW(&s.x, "a", 5);
    ROW(&s.x, "b", beck_null);
    batch(&s);
    ROW(&s.x, "a", 9);
    ROW(&s.x, "a", 7);
    batch(&s);
    assert_string_equal(states(&s, s.resident), "(a,3,[5, 7, 9])\n(b,0,[])\n");
    close(&s);
    open(&s, OP_UPDATE, "k STRING, values ARRAY<BIGINT>", "values ARRAY<BIGINT>");
    FUNCTION(&s, beck_running_top);
    op_of(&s)->bytes = beck_bytes_of(&two, sizeof two);
    for (int i = 0; i < 5; i++)
        ROW(&s.x, "a", i * 7 % 5);
    batch(&s);
    assert_string_equal(states(&s, s.resident), "(a,[4, 3])\n");
    ROW(&s.x, "a", 9);
    batch(&s);
    assert_string_equal(states(&s, s.resident), "(a,[9, 4])\n");
    close(&s);
}

/* ---- as blocks ------------------------------------------------------------------------------- */

/* What is loaded again looks and times out like what was saved. */
static void test_snapshots(void **state)
{
    (void)state;
    struct stateful s;
    struct error error = {0};
    open_track(&s, count);
    op_of(&s)->timeout_ms = 10000;
    for (int64_t b = 0; b < 5; b++) {
        for (int64_t i = 0; i < 3000; i++) {
            char key[30];
            snprintf(key, sizeof key, "the key number %lld", (long long)(i * (b + 7) % 5000));
            ROW(&s.x, key, i % 5 ? 1 : 0);
        }
        batch(&s);
    }
    struct blocks saved = {.memory = &s.x.os->memory};
    assert_int_equal(beck__resident_save(s.resident, &saved, &error), BECK_OK);
    assert_int_equal(saved.rows, beck__resident_count(s.resident));
    struct resident *copy = beck__resident_new(s.x.os, op_of(&s), &error);
    assert_int_equal(beck__resident_load(copy, &saved, 0, &error), BECK_OK);
    char *before = beck__arena_text(&s.x.arena, states(&s, s.resident));
    assert_string_equal(states(&s, copy), before);
    s.batch_ms = 13000; /* some are due */
    attempt(&s);
    before = beck__arena_text(&s.x.arena, bench_text(&s.x));
    assert_true(strlen(before) > 1000);
    beck__resident_seal(s.resident, true);
    struct resident *first = s.resident;
    s.resident = copy;
    attempt(&s);
    assert_string_equal(bench_text(&s.x), before);
    beck__resident_seal(copy, true);
    beck__resident_free(first);
    beck__blocks_deinit(&saved);
    close(&s);
}

/* Every allocation fails once: told as such, and the state is what it was. */
static void exhaust(struct stateful *s)
{
    struct bench *x = &s->x;
    const char *before = beck__arena_text(&x->arena, states(s, s->resident));

    for (uint64_t n = 1, used = UINT64_MAX; used >= n - 1; n++)
        for (int all = 0; all < 2; all++) {
            uint64_t at = beck__os_memory_calls(x->os);
            beck__os_memory_fail(x->os, n, all == 1);
            attempt(s);
            used = beck__os_memory_calls(x->os) - at;
            beck__resident_seal(s->resident, false);
            beck__os_memory_fail(x->os, 0, false);
            if (x->task.error.status)
                assert_int_equal(x->task.error.status, BECK_NO_MEMORY);
            if (strcmp(states(s, s->resident), before))
                fail_msg("allocation %llu: \"%s\" was \"%s\"", (unsigned long long)n,
                         states(s, s->resident), before);
        }
}

static void test_no_memory(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct stateful s;
        if (kind)
            open_track(&s, count);
        else
            open_update(&s);
        op_of(&s)->timeout_ms = 1500;
        op_of(&s)->every = !kind;
        ROW(&s.x, "a", 1);
        ROW(&s.x, "another key, a longer one", 2);
        batch(&s);
        ROW(&s.x, "a", 2);
        ROW(&s.x, "b", 2);
        batch(&s);
        ROW(&s.x, "a", 3);
        for (int i = 0; i < 40; i++)
            ROW(&s.x, "one more key that is long", i + 20);
        s.batch_ms += 1000;
        exhaust(&s);
        close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_track),
        test(test_failed_attempts_leave_nothing),
        test(test_timeouts),
        test(test_mistakes),
        test(test_touched_without_change),
        test(test_lazy_scan),
        test(test_update),
        test(test_update_of_touched_keys_and_time_to_live),
        test(test_kernels),
        test(test_known_lists),
        test(test_snapshots),
        test(test_no_memory),
        test(test_undo_of_touches),
        test(test_kernels_and_time_to_live),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
