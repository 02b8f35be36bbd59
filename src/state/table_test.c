/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_test - a table of states against a model: what is kept stays, what is undone leaves nothing
 * behind, whatever the rows are made of, and also when memory runs out in the middle.
 */
#include "state/testing.h"

#define KEYS 300u

struct model {
    bool present[KEYS];
    int64_t value[KEYS], touched[KEYS];
    uint64_t order[KEYS]; /* of touches */
};

struct states_case {
    const char *key, *state;
    bool timed;
};

static void add_key(struct builder *b, uint32_t n)
{
    char text[64];
    beck_value v = beck_integer_value(n);

    if (b->schema->fields[0].type == BECK_STRING) {
        int size = snprintf(text, sizeof text, "key number %u", n);
        v = beck_string_value(beck_bytes_of(text, (size_t)size));
    }
    test_row(b, &v, 1);
}

/* (n) or (text of n, n). Negative numbers are null. */
static void add_state(struct builder *b, int64_t n)
{
    char text[64];
    beck_value number = n < 0 ? beck_null : beck_integer_value(n);

    snprintf(text, sizeof text, "a state of %lld", (long long)n);
    beck_value both[] = {beck_string_value(beck_string(text)), number};
    test_row(b, b->schema->count == 1 ? &number : both, b->schema->count);
}

static int64_t state_of(const struct state_table *table, uint32_t slot)
{
    const beck_chunk *chunk = table->rows.rows.chunk;
    const beck_column *column = &chunk->column[chunk->columns - 1];
    uint32_t row = beck__state_rows_row(&table->rows, slot);

    int64_t n = !column->valid || beck__bit_get(column->valid, row)
                    ? ((const int64_t *)column->data)[row]
                    : -1;
    if (chunk->columns > 1) { /* the columns of a row belong together */
        char text[64];
        snprintf(text, sizeof text, "a state of %lld", (long long)n);
        beck_str got = beck_view_string(&((const beck_view *)chunk->column[0].data)[row]);
        assert_int_equal(got.size, strlen(text));
        assert_memory_equal(got.data, text, got.size);
    }
    return n;
}

/* Looks every key up in an attempt of its own, which is undone. */
static void check(struct bench *x, struct state_table *table, const struct model *m)
{
    uint32_t slots[KEYS], scanned[64], at = 0, got, live = 0, seen = 0;

    for (uint32_t n = 0; n < KEYS; n++)
        add_key(&x->in, n);
    assert_true(beck__state_find(table, x->in.chunk, 0, KEYS, slots));
    beck__builder_clear(&x->in);
    for (uint32_t n = 0; n < KEYS; n++) {
        assert_int_equal(beck__state_has(table, slots[n]), m->present[n]);
        if (m->present[n])
            assert_int_equal(state_of(table, slots[n]), m->value[n]);
        live += m->present[n];
    }
    while ((got = beck__state_scan(table, &at, scanned, 64)) > 0)
        seen += got;
    assert_int_equal(seen, live);
    assert_int_equal(table->count, live);
    uint32_t linked = 0;
    uint64_t last = 0;
    for (uint32_t s = table->touches.oldest; s != NO_SLOT; s = table->touches.newer[s], linked++) {
        uint32_t n = 0;
        while (slots[n] != s)
            n++;
        assert_true(m->order[n] > last);
        last = m->order[n];
    }
    assert_int_equal(linked, table->timed ? live : 0); /* in order of their touches */
    if (linked) {                                      /* who is due first */
        uint32_t oldest = UINT32_MAX;
        for (uint32_t n = 0; n < KEYS; n++)
            if (m->present[n] && (oldest == UINT32_MAX || m->order[n] < m->order[oldest]))
                oldest = n;
        assert_int_equal(beck__state_due(table, m->touched[oldest]), NO_SLOT);
        assert_int_equal(beck__state_due(table, m->touched[oldest] + 1), slots[oldest]);
    }
    beck__state_seal(table, false);
}

/* One step of an attempt; false: out of memory. */
static bool change(struct bench *x, struct state_table *table, struct builder *states,
                   struct model *m, uint64_t *seed, int64_t now)
{
    static uint64_t order;
    uint32_t n = test_below(seed, KEYS), slot;
    int64_t value = (int64_t)test_below(seed, 1000) - 50;

    add_key(&x->in, n);
    bool ok =
        beck__state_find(table, x->in.chunk, 0, 1, &slot) && beck__state_save(table, &slot, 1);
    beck__builder_clear(&x->in);
    if (!ok)
        return false;
    if (test_below(seed, 4) == 0) {
        beck__state_remove(table, slot);
        m->present[n] = false;
        return true;
    }
    add_state(states, value < 0 ? -1 : value);
    ok = beck__state_put(table, &slot, 1, states->chunk, 0);
    beck__builder_clear(states);
    if (!ok)
        return false;
    beck__state_touch(table, slot, now);
    m->present[n] = true;
    m->value[n] = value < 0 ? -1 : value;
    m->touched[n] = now;
    m->order[n] = ++order;
    return true;
}

/* Saves many slots ahead, some of which nothing will happen to. */
static bool save_ahead(struct bench *x, struct state_table *table, uint64_t *seed)
{
    uint32_t slots[50], count = test_below(seed, BECK__COUNT_OF(slots));

    for (uint32_t i = 0; i < count; i++)
        add_key(&x->in, test_below(seed, KEYS));
    bool ok = beck__state_find(table, x->in.chunk, 0, count, slots) &&
              beck__state_save(table, slots, count);
    beck__builder_clear(&x->in);
    return ok;
}

static void check_case(const struct states_case *t, uint64_t seed)
{
    struct bench x;
    struct state_table table;
    struct builder states;
    static struct model kept, attempt;

    printf("%s -> %s, seed %llu\n", t->key, t->state, (unsigned long long)seed);
    memset(&kept, 0, sizeof kept);
    bench_open(&x, t->key);
    const beck_schema *state = test_schema(&x.arena, t->state);
    beck__builder_init(&states, x.memory, state, UINT32_MAX, NULL);
    assert_false(beck__state_init(&table, x.memory, x.in.schema, 1, state, t->timed, &x.error));
    for (int batch = 0; batch < 150; batch++) {
        bool ok = true;
        attempt = kept;
        if (batch % 7 == 3)
            x.counted.fail_at = x.counted.calls + 1 + test_below(&seed, 6);
        for (uint32_t i = test_below(&seed, 200); ok && i > 0; i--)
            ok = (i % 64 || save_ahead(&x, &table, &seed)) &&
                 change(&x, &table, &states, &attempt, &seed, batch);
        x.counted.fail_at = 0;
        beck__builder_clear(&states);
        bool keep = ok && test_below(&seed, 3);
        assert_true(beck__state_seal(&table, keep));
        beck__error_clear(&x.error);
        if (keep)
            kept = attempt;
        check(&x, &table, &kept);
    }
    beck__state_deinit(&table);
    beck__builder_deinit(&states);
    bench_close(&x);
}

static void test_states(void **state)
{
    (void)state;
    static const struct states_case cases[] = {
        {"k BIGINT", "n BIGINT", false},          {"k BIGINT", "n BIGINT", true},
        {"k STRING", "n BIGINT", true},           {"k STRING", "s STRING, n BIGINT", false},
        {"k BIGINT", "s STRING, n BIGINT", true},
    };
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++)
        for (uint64_t seed = 1; seed <= 3; seed++)
            check_case(&cases[i], seed);
}

/* Keys that come once and go: memory follows those that are there. */
static void test_churn(void **state)
{
    (void)state;
    struct bench x;
    struct state_table table;
    struct builder states;
    uint32_t slot;
    size_t used = 0;

    bench_open(&x, "k STRING");
    const beck_schema *schema = test_schema(&x.arena, "s STRING, n BIGINT");
    beck__builder_init(&states, x.memory, schema, UINT32_MAX, NULL);
    add_state(&states, 7);
    assert_false(beck__state_init(&table, x.memory, x.in.schema, 1, schema, true, &x.error));
    for (uint32_t n = 0; n < 60000; n++) {
        add_key(&x.in, n);
        assert_true(beck__state_find(&table, x.in.chunk, 0, 1, &slot));
        assert_true(beck__state_save(&table, &slot, 1));
        assert_true(beck__state_put(&table, &slot, 1, states.chunk, 0));
        beck__state_touch(&table, slot, n);
        uint32_t due = beck__state_due(&table, (int64_t)n - 100);
        if (due != NO_SLOT) {
            assert_true(beck__state_save(&table, &due, 1));
            beck__state_remove(&table, due);
        }
        beck__builder_clear(&x.in);
        assert_true(beck__state_seal(&table, true));
        if (n == 20000)
            used = x.counted.used;
    }
    assert_int_equal(table.count, 101);
    assert_true(x.counted.used <= used + used / 4);
    beck__state_deinit(&table);
    beck__builder_deinit(&states);
    bench_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_churn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
