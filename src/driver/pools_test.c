/* SPDX-License-Identifier: Apache-2.0 */
/* Who computes when, in simulated worlds: tasks that wait for a file or a peer keep nobody from
 * computing, outputs with .pool share by weight, and no more tasks compute than there are slots. */
#include "driver/driver.h"
#include "driver/testing.h"

/* ---- a source and a sink that wait ----------------------------------------------------------- */

struct world {
    struct door door, computed;
    uint32_t passers; /* of ranges, or partitions, that wait at the door; the next one opens it */
    _Atomic int64_t sum;
    _Atomic int computing, most;
};

/* The first ones pass the door that the last one opens. */
static void meet(struct world *w, uint32_t number)
{
    if (number < w->passers)
        door_pass(&w->door);
    else
        door_open(&w->door);
}

struct numbered {
    struct world *world;
    uint32_t ranges;
};

static beck_status list_ranges(beck_ranges *found, void *state, const void *params, size_t size)
{
    const struct numbered *n = params;
    bool *listed = state;

    (void)size;
    for (uint32_t i = 0; !*listed && i < n->ranges; i++)
        beck_add_range(found, &i, sizeof i);
    *listed = true;
    return BECK_OK;
}

static beck_status read_slowly(beck_reader *r, const void *params, size_t params_size,
                               const void *range, size_t size)
{
    const struct numbered *n = params;
    uint32_t number;

    (void)params_size;
    memcpy(&number, range, size);
    meet(n->world, number);
    beck_read_row(r, number);
    return BECK_OK;
}

static const beck_direct_class slow_source = {.name = "slow",
                                              .schema = "n BIGINT",
                                              .list = list_ranges,
                                              .read = read_slowly,
                                              .state_size = sizeof(bool)};

static beck_status begin(beck_writer *w, void *writer, beck_write_id id)
{
    (void)w;
    *(uint32_t *)writer = id.partition;
    return BECK_OK;
}

static beck_status write_rows(beck_writer *w, void *writer, const beck_chunk *rows)
{
    struct world *world = *(struct world *const *)beck_writer_params(w, NULL);

    (void)writer;
    for (uint32_t i = 0; i < rows->rows; i++)
        atomic_fetch_add(&world->sum, beck_get_bigint((beck_row){rows, i, 0}, 0));
    return BECK_OK;
}

static beck_status prepare(beck_writer *w, void *writer, beck_str *message)
{
    (void)w, (void)writer;
    *message = beck_string("");
    return BECK_OK;
}

static beck_status prepare_slowly(beck_writer *w, void *writer, beck_str *message)
{
    meet(*(struct world *const *)beck_writer_params(w, NULL), *(uint32_t *)writer);
    return prepare(w, writer, message);
}

static void end(beck_writer *w, void *writer, bool keep)
{
    (void)w, (void)writer, (void)keep;
}

static beck_status commit(beck_sink *s, void *state, int64_t batch_ms, const beck_str *messages,
                          size_t count)
{
    (void)s, (void)state, (void)batch_ms, (void)messages, (void)count;
    return BECK_OK;
}

static beck_status commit_slowly(beck_sink *s, void *state, int64_t batch_ms,
                                 const beck_str *messages, size_t count)
{
    struct world *world = *(struct world *const *)beck_sink_params(s, NULL);

    (void)state, (void)batch_ms, (void)messages, (void)count;
    door_pass(&world->door);
    return BECK_OK;
}

static beck_status commit_and_open(beck_sink *s, void *state, int64_t batch_ms,
                                   const beck_str *messages, size_t count)
{
    struct world *world = *(struct world *const *)beck_sink_params(s, NULL);

    (void)state, (void)batch_ms, (void)messages, (void)count;
    door_open(&world->door);
    return BECK_OK;
}

#define SINK(name_, prepare_, commit_)                                                             \
    static const beck_sink_class name_ = {.name = #name_,                                          \
                                          .writer_size = sizeof(uint32_t),                         \
                                          .begin = begin,                                          \
                                          .write = write_rows,                                     \
                                          .prepare = prepare_,                                     \
                                          .end = end,                                              \
                                          .commit = commit_};
SINK(adds, prepare, commit)
SINK(prepares_slowly, prepare_slowly, commit)
SINK(commits_slowly, prepare, commit_slowly)
SINK(commits_and_opens, prepare, commit_and_open)

static void save(beck_dstream *s, const beck_sink_class *class_of, struct world *w)
{
    beck_save(s, class_of, .params = &w, .params_size = sizeof w);
}

static void run(beck_context *ctx, int batches)
{
    run_batches(ctx, batches);
    assert_string_equal(beck_error_text(ctx), "");
    beck_context_free(ctx);
}

/* ---- slots ----------------------------------------------------------------------------------- */

/* A short interval in the real world, whose clock is not ours. */
static int64_t interval_ms(const void *real)
{
    return real ? 10 : 1000;
}

/* One slot; three reads that wait for the fourth. */
static void slow_reads(void *user)
{
    struct world w = {.passers = 3};
    struct numbered n = {&w, 4};
    beck_context *ctx =
        beck_context_new("reads", .batch_ms = interval_ms(user), .master = "local[1]");

    door_init(&w.door);
    save(beck_direct_stream(ctx, &slow_source, .params = &n, .params_size = sizeof n), &adds, &w);
    run(ctx, 2);
    assert_int_equal(w.sum, 0 + 1 + 2 + 3);
    door_deinit(&w.door);
}

static void a_slow_read_keeps_no_slot(void **state)
{
    (void)state;
    in_worlds(slow_reads);
}

static void slow_writes(void *user)
{
    struct world w = {.passers = 3};
    beck_context *ctx =
        beck_context_new("writes", .batch_ms = interval_ms(user), .master = "local[1]");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");

    door_init(&w.door);
    save(in, &prepares_slowly, &w);
    beck_queue_push(in, numbers(ctx, 0, 10, 4));
    run(ctx, 2);
    assert_int_equal(w.sum, 45);
    door_deinit(&w.door);
}

static void a_slow_write_keeps_no_slot(void **state)
{
    (void)state;
    in_worlds(slow_writes);
}

/* Takes 5 ms. */
static void compute(beck_call *c, beck_row row)
{
    struct world *w = *(struct world *const *)beck_ctx(c);
    struct os *os = w->door.os;
    int now = atomic_fetch_add(&w->computing, 1) + 1, most = atomic_load(&w->most);

    while (now > most && !atomic_compare_exchange_weak(&w->most, &most, now))
        continue;
    os->lock(os, w->door.lock);
    int64_t until = os->mono_ns(os) + 5000000;
    while (os->mono_ns(os) < until)
        os->gate_wait(os, w->door.gate, w->door.lock, until - os->mono_ns(os));
    os->unlock(os, w->door.lock);
    atomic_fetch_sub(&w->computing, 1);
    beck_emit_row(c, row);
}

/* Ten tasks wait, then they go on, two at a time. */
static void no_more_than_slots(void *user)
{
    struct world w = {.passers = 10}, *at = &w;
    struct numbered n = {&w, 16};
    beck_context *ctx =
        beck_context_new("slots", .batch_ms = interval_ms(user), .master = "local[2]");
    beck_dstream *in = beck_direct_stream(ctx, &slow_source, .params = &n, .params_size = sizeof n);

    door_init(&w.door);
    save(beck_map(in, "n BIGINT", compute, .ctx = &at, .ctx_size = sizeof at), &adds, &w);
    run(ctx, 2);
    assert_int_equal(w.sum, 120);
    assert_int_equal(w.most, 2);
    door_deinit(&w.door);
}

static void who_comes_back_needs_a_slot(void **state)
{
    (void)state;
    in_worlds(no_more_than_slots);
}

/* A read that is back gets the slot of one that waits for what it will compute. */
static beck_status read_in_turns(beck_reader *r, const void *params, size_t params_size,
                                 const void *range, size_t size)
{
    const struct numbered *n = params;
    uint32_t number;

    (void)params_size;
    memcpy(&number, range, size);
    if (number == 0) {
        door_pass(&n->world->door);
    } else {
        door_open(&n->world->door);
        door_pass(&n->world->computed);
    }
    beck_read_row(r, number);
    return BECK_OK;
}

static const beck_direct_class source_in_turns = {.name = "in turns",
                                                  .schema = "n BIGINT",
                                                  .list = list_ranges,
                                                  .read = read_in_turns,
                                                  .state_size = sizeof(bool)};

static void open_computed(beck_call *c, beck_row row)
{
    struct world *w = *(struct world *const *)beck_ctx(c);

    door_open(&w->computed);
    beck_emit_row(c, row);
}

static void in_turns(void *user)
{
    struct world w = {.passers = 0}, *at = &w;
    struct numbered n = {&w, 2};
    beck_context *ctx =
        beck_context_new("turns", .batch_ms = interval_ms(user), .master = "local[1]");
    beck_dstream *in =
        beck_direct_stream(ctx, &source_in_turns, .params = &n, .params_size = sizeof n);

    door_init(&w.door);
    door_init(&w.computed);
    save(beck_map(in, "n BIGINT", open_computed, .ctx = &at, .ctx_size = sizeof at), &adds, &w);
    run(ctx, 2);
    assert_int_equal(w.sum, 1);
    door_deinit(&w.computed);
    door_deinit(&w.door);
}

static void who_comes_back_waits_for_nobody_who_waits(void **state)
{
    (void)state;
    in_worlds(in_turns);
}

/* ---- a disk ---------------------------------------------------------------------------------- */

static struct door *slow_disk;
static _Atomic int writes;
static beck_status (*quick_write)(struct os *os, struct os_file *file, const void *data,
                                  size_t size, struct error *error);

static beck_status write_behind_door(struct os *os, struct os_file *file, const void *data,
                                     size_t size, struct error *error)
{
    atomic_fetch_add(&writes, 1);
    door_pass(slow_disk);
    return quick_write(os, file, data, size, error);
}

static void open_at_second(void *user, const beck_event *e)
{
    int *submitted = user;

    if (e->kind == BECK_EVENT_BATCH_SUBMITTED && ++*submitted == 2)
        door_open(slow_disk);
}

/* Rows that stay on disk: their files are written when the next batch has been cut. */
static void slow_spill(void *user)
{
    struct world w = {.passers = 0};
    int submitted = 0;
    beck_context *ctx = beck_context_new("spill", .batch_ms = 1000, .master = "local[1]");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");
    struct os *os = beck__os_current();

    (void)user;
    door_init(&w.door);
    slow_disk = &w.door;
    quick_write = os->write;
    os->write = write_behind_door;
    os->mkdir(os, "/tmp", NULL);
    save(beck_persist(in, BECK_DISK_ONLY), &adds, &w);
    beck_add_listener(ctx, open_at_second, &submitted);
    beck_queue_push(in, numbers(ctx, 0, 10, 4));
    run(ctx, 3);
    assert_int_equal(w.sum, 45);
    assert_true(atomic_exchange(&writes, 0) > 0);
    os->write = quick_write;
    door_deinit(&w.door);
}

static void a_slow_disk_holds_no_tick_up(void **state)
{
    (void)state;
    in_worlds(slow_spill);
}

/* For the thread sanitizer. */
static void real_threads_lend_slots(void **state)
{
    bool real = true;

    (void)state;
    slow_reads(&real);
    slow_writes(&real);
    no_more_than_slots(&real);
    in_turns(&real);
}

/* The commit of the second output waits for that of the first, which has two stages to go. */
static void a_commit_in_order(void *user)
{
    struct world w = {.passers = 0}, *at = &w;
    beck_context *ctx = beck_context_new("commits", .batch_ms = 1000, .master = "local[2]");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");

    (void)user;
    door_init(&w.door);
    beck_dstream *slow = beck_map(in, "n BIGINT", compute, .ctx = &at, .ctx_size = sizeof at);
    beck_save(beck_sort_by(beck_distinct(slow), "n"), &commits_and_opens, .params = &at,
              .params_size = sizeof at, .parallel = true);
    save(in, &commits_slowly, &w);
    beck_queue_push(in, numbers(ctx, 0, 10, 4));
    run(ctx, 2);
    assert_int_equal(w.sum, 90);
    door_deinit(&w.door);
}

static void a_commit_in_order_holds_nobody_up(void **state)
{
    (void)state;
    in_worlds(a_commit_in_order);
}

/* ---- pools ----------------------------------------------------------------------------------- */

#define TASKS 40

struct history {
    _Atomic uint32_t count;
    char who[2 * TASKS + 1];
};

struct mark {
    struct history *history;
    char who;
};

static void note(beck_call *c, beck_row row)
{
    const struct mark *m = beck_ctx(c);

    m->history->who[atomic_fetch_add(&m->history->count, 1)] = m->who;
    beck_emit_row(c, row);
}

static void output(beck_dstream *in, struct history *history, char who, struct world *w,
                   const char *pool)
{
    struct mark mark = {history, who};
    beck_dstream *s = beck_map(in, "n BIGINT", note, .ctx = &mark, .ctx_size = sizeof mark);

    beck_save(s, &adds, .params = &w, .params_size = sizeof w, .parallel = true, .pool = pool);
}

/* Of sixteen tasks, when both have begun, those of 'b'; on one thread. */
static int share_of_b(const char *pools, const char *pool)
{
    struct world w = {.passers = 0};
    struct history history = {.count = 0};
    int share = 0;
    beck_context *ctx =
        beck_context_new("pools", .batch_ms = 1000, .master = "local[1]", .pools = pools);
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");

    output(in, &history, 'a', &w, NULL);
    output(in, &history, 'b', &w, pool);
    beck_queue_push(in, numbers(ctx, 0, TASKS, TASKS));
    run(ctx, 1);
    assert_int_equal(history.count, 2 * TASKS);
    const char *a = strchr(history.who, 'a'), *b = strchr(history.who, 'b');
    const char *from = a > b ? a : b;
    for (int i = 0; i < 16; i++)
        share += from[i] == 'b';
    return share;
}

static void by_weight(void *user)
{
    (void)user;
    assert_in_range(share_of_b(NULL, "reports"), 7, 9);
    assert_in_range(share_of_b("alerts:3", "alerts"), 11, 13);
    assert_in_range(share_of_b("default:7,alerts", "alerts"), 1, 3);
    assert_int_equal(share_of_b(NULL, NULL) % 16, 0); /* in order: one is through */
}

static void pools_share_by_weight(void **state)
{
    (void)state;
    in_worlds(by_weight);
}

static void keep_log(void *user, beck_log_level level, const char *text)
{
    (void)level;
    beck__text_printf(user, "%s\n", text);
}

/* A weight for nobody is told; a name that cannot stand in a list of weights is refused. */
static void names_are_checked(void **state)
{
    struct text log = {.memory = &beck__os_current()->memory};
    beck_context *ctx = beck_context_new("names", .manual_clock = true, .log = keep_log,
                                         .log_user = &log, .pools = "alrets:2,default:3");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");

    (void)state;
    beck_print(in, .pool = "alerts");
    assert_contains(beck_describe(ctx), "(at least once, pool alerts)");
    assert_int_equal(beck_step(ctx, 0), BECK_OK);
    assert_string_equal(beck__text_get(&log), "engine.pools: no output has the pool \"alrets\"\n");
    beck_context_free(ctx);
    beck__text_deinit(&log);

    ctx = beck_context_new("names", .manual_clock = true);
    beck_print(beck_queue_stream(ctx, "n BIGINT"), .pool = "a:b");
    assert_int_equal(beck_error(ctx), BECK_INVALID);
    assert_contains(beck_error_text(ctx), "\"a:b\" cannot be the name of a pool: give a word "
                                          "without \",\", \":\" and space");
    beck_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_slow_read_keeps_no_slot),
        test(a_slow_write_keeps_no_slot),
        test(who_comes_back_needs_a_slot),
        test(who_comes_back_waits_for_nobody_who_waits),
        test(a_slow_disk_holds_no_tick_up),
        test(real_threads_lend_slots),
        test(a_commit_in_order_holds_nobody_up),
        test(pools_share_by_weight),
        test(names_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
