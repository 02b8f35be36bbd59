/* SPDX-License-Identifier: Apache-2.0 */
/* Pools: who is next, by time and weight, on a clock of the test's own. */
#include "base/testing.h"
#include "engine/testing.h"

#include "engine/local/local.h"

#define RUNS 400u

struct fixture {
    struct fair fair;
    struct run runs[RUNS];
    uint32_t made;
    int64_t now_ns;
    uint32_t begun[3]; /* by pool */
};

static void setup(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->fair.memory = &beck__os_real()->memory;
    assert_int_equal(beck__fair_pool(&f->fair, beck_string("default"), 0), 0);
}

static void put(struct fixture *f, uint32_t pool, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_true(f->made < RUNS);
        struct run *run = &f->runs[f->made++];
        run->pool = pool;
        beck__fair_put(&f->fair, run, false);
    }
}

static struct run *take(struct fixture *f)
{
    struct run *run = beck__fair_take(&f->fair, f->now_ns);

    if (run)
        f->begun[run->pool]++;
    return run;
}

/* One thread: `count` runs, each of which takes so long, by pool. */
static void work(struct fixture *f, uint32_t count, const int64_t *takes_ns)
{
    for (uint32_t i = 0; i < count; i++) {
        struct run *run = take(f);
        assert_non_null(run);
        f->now_ns += takes_ns[run->pool];
        beck__fair_end(&f->fair, run, f->now_ns);
    }
}

/* One pool is a queue; a run may overtake. */
static void test_in_order(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f);
    assert_null(take(&f));
    put(&f, 0, 3);
    struct run first = {.pool = 0};
    beck__fair_put(&f.fair, &first, true);
    assert_int_equal(f.fair.waiting, 4);
    assert_ptr_equal(take(&f), &first);
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(take(&f), &f.runs[i]);
    assert_null(take(&f));
    assert_int_equal(f.fair.waiting, 0);
    beck__fair_deinit(&f.fair);
}

/* The same name is the same pool; a weight that is given counts, whenever it comes. */
static void test_names(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f);
    assert_int_equal(beck__fair_pool(&f.fair, beck_string("alerts"), 0), 1);
    assert_int_equal(beck__fair_pool(&f.fair, beck_string("reports"), 7), 2);
    assert_int_equal(beck__fair_pool(&f.fair, beck_string("alerts"), 4), 1);
    assert_int_equal(beck__fair_pool(&f.fair, beck_string("reports"), 0), 2);
    assert_int_equal(f.fair.pools[0].weight, 1);
    assert_int_equal(f.fair.pools[1].weight, 4);
    assert_int_equal(f.fair.pools[2].weight, 7);
    beck__fair_deinit(&f.fair);
}

/* Three pools of weights 1, 1, 2 on one thread. */
static void check_shares(const int64_t *takes_ns, uint32_t count, uint32_t first, uint32_t second,
                         uint32_t third)
{
    struct fixture f;

    setup(&f);
    beck__fair_pool(&f.fair, beck_string("one"), 1);
    beck__fair_pool(&f.fair, beck_string("two"), 2);
    put(&f, 0, 100);
    put(&f, 1, 100);
    put(&f, 2, 100);
    work(&f, count, takes_ns);
    assert_in_range(f.begun[0], first - 1, first + 1);
    assert_in_range(f.begun[1], second - 1, second + 1);
    assert_in_range(f.begun[2], third - 1, third + 1);
    beck__fair_deinit(&f.fair);
}

static void test_by_weight(void **state)
{
    const int64_t equal[] = {1000000, 1000000, 1000000}, none[] = {0, 0, 0};
    const int64_t slow[] = {1000000, 4000000, 1000000};

    (void)state;
    check_shares(equal, 80, 20, 20, 40);
    check_shares(none, 80, 20, 20, 40); /* a clock that stands still: by runs */
    check_shares(slow, 65, 20, 5, 40);  /* by time, not by runs */
}

/* Two threads: one is held up in a long run of a pool, which pays for it while it lasts. */
static void test_long_run(void **state)
{
    const int64_t takes_ns[] = {1000000, 1000000};
    struct fixture f;

    (void)state;
    setup(&f);
    beck__fair_pool(&f.fair, beck_string("long"), 1);
    put(&f, 1, 20);
    struct run *held = take(&f);
    put(&f, 0, 20);
    work(&f, 20, takes_ns);
    assert_in_range(f.begun[0], 18, 20);
    beck__fair_end(&f.fair, held, f.now_ns);
    beck__fair_deinit(&f.fair);
}

/* A pool that was away has saved nothing up, and one that has worked alone owes nothing. */
static void test_comes_back(void **state)
{
    const int64_t takes_ns[] = {1000000, 1000000};
    struct fixture f;

    (void)state;
    setup(&f);
    beck__fair_pool(&f.fair, beck_string("other"), 1);
    put(&f, 0, 100);
    work(&f, 60, takes_ns); /* alone */
    put(&f, 1, 100);
    work(&f, 40, takes_ns);
    assert_in_range(f.begun[1], 19, 21);
    work(&f, 100, takes_ns); /* until both are through */
    assert_null(take(&f));
    f.now_ns += 1000000000;
    memset(f.begun, 0, sizeof f.begun);
    put(&f, 1, 60);
    put(&f, 0, 60);
    work(&f, 60, takes_ns);
    assert_in_range(f.begun[1], 29, 31);
    beck__fair_deinit(&f.fair);
}

/* After years, too, whatever its weight. */
static void test_years(void **state)
{
    const int64_t takes_ns[] = {1000, 1000000};
    struct fixture f;

    (void)state;
    setup(&f);
    beck__fair_pool(&f.fair, beck_string("heavy"), 1000);
    put(&f, 0, 100);
    struct run *run = take(&f);
    f.now_ns = INT64_C(300000000000000000);
    beck__fair_end(&f.fair, run, f.now_ns);
    work(&f, 1, takes_ns);
    put(&f, 1, 100);
    work(&f, 90, takes_ns); /* each counts twice as much in the default pool */
    assert_in_range(f.begun[0], 30, 34);
    assert_in_range(f.begun[1], 58, 62);
    beck__fair_deinit(&f.fair);
}

/* What waits for a disk costs nothing. */
static void test_waiting_is_free(void **state)
{
    const int64_t takes_ns[] = {1000000, 1000000};
    struct fixture f;

    (void)state;
    setup(&f);
    beck__fair_pool(&f.fair, beck_string("disk"), 1);
    put(&f, 1, 30);
    put(&f, 0, 30);
    struct run *waits = take(&f);
    beck__fair_end(&f.fair, waits, f.now_ns);
    work(&f, 40, takes_ns);
    beck__fair_begin(&f.fair, waits, f.now_ns);
    f.now_ns += 1000;
    beck__fair_end(&f.fair, waits, f.now_ns);
    assert_in_range(f.begun[0], 19, 21);
    beck__fair_deinit(&f.fair);
}

static void test_no_memory(void **state)
{
    struct test_memory failing;
    struct fixture f = {.fair.memory = test_memory_init(&failing, 1)};

    (void)state;
    assert_int_equal(beck__fair_pool(&f.fair, beck_string("default"), 0), BECK__NO_POOL);
    assert_int_equal(f.fair.count, 0);
    beck__fair_deinit(&f.fair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_in_order),   test(test_names), test(test_by_weight),       test(test_long_run),
        test(test_comes_back), test(test_years), test(test_waiting_is_free), test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
