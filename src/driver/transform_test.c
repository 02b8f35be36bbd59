/* SPDX-License-Identifier: Apache-2.0 */
/* transform: once in a batch, with any RDD of the context; what it may not return; RDDs made in a
 * callback, and those kept. */
#include "driver/driver.h"
#include "driver/testing.h"

static bool is_odd(beck_call *c, beck_row in)
{
    (void)c;
    return beck_get_bigint(in, 0) % 2 != 0;
}

static void parity(beck_call *c, beck_row in)
{
    beck_emit(c, beck_get_bigint(in, 0) % 2 ? "odd" : "even");
}

static beck_rdd *same(beck_call *c, beck_rdd *in)
{
    (void)c;
    return in;
}

/* n BIGINT: 0 to 6 in three partitions, in each of that many batches. */
static beck_dstream *numbers_stream(beck_context *ctx, int batches)
{
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");

    for (int i = 0; i < batches; i++)
        beck_queue_push(in, numbers(ctx, 0, 7, 3));
    return in;
}

/* ---- what it is for -------------------------------------------------------------------------- */

struct table {
    beck_context *ctx;
    beck_rdd *names; /* changes between batches */
    int calls;
};

static beck_rdd *join_table(beck_call *c, beck_rdd *in)
{
    struct table *t = (void *)(uintptr_t)beck_ctx(c);

    t->calls++;
    assert_int_equal(beck_batch_time(c), 1000 * t->calls);
    assert_int_equal(beck_partition(c), -1);
    assert_int_equal(beck_count(in), 7);
    return beck_join(beck_key_by(in, "k STRING", parity), t->names, .partitions = 1);
}

static beck_rdd *table_of(beck_context *ctx, const char *key, int64_t x)
{
    beck_value values[] = {beck_text_value(key), beck_integer_value(x)};

    return beck_parallelize(ctx, "k STRING, x BIGINT", values, 1);
}

/* A table that changes from batch to batch; two outputs, one call per batch. */
static void a_table_that_changes(void **state)
{
    struct table t = {.ctx = stepped("table")};
    beck_dstream *in = numbers_stream(t.ctx, 3);
    beck_dstream *joined =
        beck_transform(in, "key STRING, number BIGINT, x BIGINT", join_table, .ctx = &t);

    (void)state;
    assert_string_equal(beck_schema_text(joined), "key STRING, number BIGINT, x BIGINT");
    beck_collector *rows = beck_collect_stream(joined);
    beck_collector *sums = beck_collect_stream(beck_reduce_by_key(joined, beck_sum));
    t.names = table_of(t.ctx, "odd", 10);
    assert_int_equal(beck_step(t.ctx, 1000), BECK_OK);
    t.names = beck_union(t.names, table_of(t.ctx, "odd", 20));
    assert_int_equal(beck_step(t.ctx, 1000), BECK_OK);
    t.names = table_of(t.ctx, "none", 0);
    assert_int_equal(beck_step(t.ctx, 1000), BECK_OK);
    assert_batches(rows, "1000 (odd,1,10)|(odd,3,10)|(odd,5,10)|;"
                         "2000 (odd,1,10)|(odd,1,20)|(odd,3,10)|(odd,3,20)|(odd,5,10)|(odd,5,20)|;"
                         "3000 ;");
    assert_batches(sums, "1000 (odd,9,30)|;2000 (odd,18,90)|;3000 ;");
    assert_int_equal(t.calls, 3);
    beck_context_free(t.ctx);
}

static beck_rdd *minus_first(beck_call *c, beck_rdd *const *in, size_t n)
{
    const int *expected = beck_ctx(c);

    assert_int_equal(n, *expected);
    return beck_union_all(in + 1, n - 1);
}

static void several_streams(void **state)
{
    int two = 2, four = 4;
    beck_context *ctx = stepped("several");
    beck_dstream *in = numbers_stream(ctx, 1), *odd = beck_filter(in, is_odd);
    beck_dstream *all[] = {in, odd, beck_count(in), odd};

    (void)state;
    beck_collector *second =
        beck_collect_stream(beck_transform_with(in, odd, "m BIGINT", minus_first, .ctx = &two));
    beck_dstream *rest = beck_transform_all(all, 4, "m BIGINT", minus_first, .ctx = &four);
    beck_collector *others = beck_collect_stream(rest);
    beck_collector *union_of = beck_collect_stream(beck_union_all(all, 4));
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_batches(second, "1000 1|3|5|;");
    assert_batches(others, "1000 1|3|5|7|1|3|5|;");
    assert_batches(union_of, "1000 0|1|2|3|4|5|6|1|3|5|7|1|3|5|;");
    beck_context_free(ctx);
}

static void describe_shows_it(void **state)
{
    beck_context *ctx = stepped("describe");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");

    (void)state;
    beck_print(beck_transform(in, "m BIGINT", same, .name = "mine"));
    assert_contains(beck_describe(ctx), "transform \"mine\" at transform_test.c:");
    assert_contains(beck_describe(ctx), "callback  (m BIGINT)");
    assert_contains(beck_describe(ctx), "queue_stream");
    beck_context_free(ctx);
}

/* ---- no RDD ---------------------------------------------------------------------------------- */

static beck_rdd *first_of_two(beck_call *c, beck_rdd *const *in, size_t n)
{
    (void)c;
    (void)n;
    return in[0];
}

static void check_none(bool with)
{
    beck_context *ctx = stepped("none");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT", .none_when_empty = true);
    beck_dstream *odd = beck_filter(in, is_odd), *full = numbers_stream(ctx, 2);

    beck_print(with ? beck_transform_with(full, odd, "n BIGINT", first_of_two)
                    : beck_transform(odd, "n BIGINT", same));
    beck_queue_push(in, NULL);
    assert_int_equal(beck_step(ctx, 1000), BECK_STATE);
    assert_contains(beck_error_text(ctx), with ? "transform_with at transform_test.c:"
                                               : "transform at transform_test.c:");
    assert_contains(beck_error_text(ctx),
                    " has no RDD in this batch, and this operator needs one; ");
    beck_context_free(ctx);
}

static void a_source_without_an_rdd_fails_it(void **state)
{
    (void)state;
    check_none(false);
    check_none(true);
}

/* ---- what it may not return ------------------------------------------------------------------ */

static beck_rdd *returns_null(beck_call *c, beck_rdd *in)
{
    (void)c;
    (void)in;
    return NULL;
}

static beck_rdd *returns_other_types(beck_call *c, beck_rdd *in)
{
    (void)c;
    return beck_key_by(in, "k STRING", parity);
}

static beck_rdd *returns_foreign(beck_call *c, beck_rdd *in)
{
    beck_rdd *const *foreign = beck_ctx(c);

    (void)in;
    return *foreign;
}

static beck_rdd *returns_poisoned(beck_call *c, beck_rdd *in)
{
    (void)c;
    return beck_key_by(in, "no_such_column");
}

static beck_rdd *gives_up(beck_call *c, beck_rdd *in)
{
    beck_fail(c, "no %s today", "luck");
    return in;
}

static void bad_answers(void **state)
{
    static const struct {
        beck_transform_fn *fn;
        beck_status status;
        const char *text;
    } all[] = {
        {returns_null, BECK_INVALID, "the callback returned NULL; return the RDD that it got"},
        {returns_other_types, BECK_TYPE,
         "the callback returned rows of (k STRING, n BIGINT), but its schema says (n BIGINT)"},
        {returns_foreign, BECK_INVALID, "the callback returned an RDD of another context"},
        {returns_poisoned, BECK_INVALID, "no_such_column"},
        {gives_up, BECK_TASK, "no luck today"},
    };
    beck_context *other = stepped("other");
    beck_rdd *foreign = numbers(other, 0, 3, 1);

    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(all); i++) {
        struct said said;
        said_init(&said);
        beck_context *ctx = beck_context_new("bad", .batch_ms = 1000, .manual_clock = true,
                                             .log = say, .log_user = &said);
        beck_print(beck_transform(numbers_stream(ctx, 1), "n BIGINT", all[i].fn, .ctx = &foreign));
        assert_int_equal(beck_step(ctx, 1000), all[i].status);
        assert_contains(beck_error_text(ctx), all[i].text);
        assert_contains(beck_error_text(ctx), "batch 1000 ms failed: ");
        assert_contains(beck_error_text(ctx), " at transform_test.c:");
        beck_context_free(ctx);
        said_deinit(&said);
    }
    beck_context_free(other);
}

/* ---- what is found when the graph is built --------------------------------------------------- */

static void assert_refused(beck_context *ctx, const char *text)
{
    assert_contains(beck_error_text(ctx), text);
    assert_contains(beck_error_text(ctx), " at transform_test.c:");
    beck_context_free(ctx);
}

static void bad_calls(void **state)
{
    beck_context *ctx = stepped("bad"), *other = stepped("other");
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT"),
                 *there = beck_queue_stream(other, "n BIGINT");

    (void)state;
    beck_print(beck_transform(in, "n BIGINT", NULL));
    assert_refused(ctx, "the callback is NULL");
    ctx = stepped("bad");
    in = beck_queue_stream(ctx, "n BIGINT");
    beck_transform_with(in, in, "n BIGINT", NULL);
    assert_refused(ctx, "transform_with at ");
    ctx = stepped("bad");
    beck_transform(beck_queue_stream(ctx, "n BIGINT"), "n BIGIN", same);
    assert_refused(ctx, "schema: ");
    ctx = stepped("bad");
    beck_transform_with(beck_queue_stream(ctx, "n BIGINT"), there, "n BIGINT", first_of_two);
    assert_refused(ctx, "the streams belong to different contexts");
    ctx = stepped("bad");
    beck_dstream *holed[] = {beck_queue_stream(ctx, "n BIGINT"), NULL};
    beck_transform_all(holed, 2, "n BIGINT", first_of_two);
    assert_refused(ctx, "stream 1 of the list is NULL");
    ctx = stepped("bad");
    in = beck_queue_stream(ctx, "n BIGINT");
    beck_dstream *mixed[] = {in, in, beck_queue_stream(ctx, "s STRING")};
    beck_union_all(mixed, 3);
    assert_refused(ctx, "the types differ: (n BIGINT) and (s STRING)");
    ctx = stepped("bad");
    in = beck_queue_stream(ctx, "n BIGINT");
    beck_transform_all(&in, SIZE_MAX, "n BIGINT", first_of_two);
    assert_refused(ctx, "streams; give 1 to 65536");
    ctx = stepped("bad");
    in = beck_queue_stream(ctx, "n BIGINT");
    beck_print(in);
    beck_step(ctx, 1000);
    beck_transform(in, "n BIGINT", same);
    assert_refused(ctx, "the graph is frozen");
    assert_string_equal(beck_schema_text(beck_union_all((beck_dstream **)NULL, 0)), "");
    beck_context_free(other);
}

/* ---- what the tasks of a batch share ----------------------------------------------------------
 */

static bool is_wanted(beck_call *c, beck_row in)
{
    size_t size;
    const int64_t *wanted = beck_broadcast_get(c, "wanted", &size);

    for (size_t i = 0; wanted && i < size / sizeof *wanted; i++)
        if (wanted[i] == beck_get_bigint(in, 0))
            return true;
    beck_accumulate(c, "dropped", 1);
    return false;
}

static beck_rdd *broadcast_and_filter(beck_call *c, beck_rdd *in)
{
    beck_context *const *ctx = beck_ctx(c);
    int64_t wanted[] = {beck_batch_time(c) / 1000, 5};

    assert_int_equal(beck_broadcast(*ctx, "wanted", wanted, sizeof wanted), BECK_OK);
    beck_accumulate(c, "batches", 1);
    assert_non_null(beck_broadcast_get(c, "wanted", NULL));
    return beck_filter(in, is_wanted);
}

/* A value that is new in every batch, on threads and in worker processes; counters go on. */
static void check_shared(char *const *argv, int argc)
{
    beck_context *ctx = beck_context_new("shared", .batch_ms = 1000, .manual_clock = true,
                                         .argc = argc, .argv = (char **)argv);
    beck_accumulator(ctx, "dropped");
    beck_accumulator(ctx, "batches");
    beck_dstream *in = numbers_stream(ctx, 3);
    beck_collector *found =
        beck_collect_stream(beck_transform(in, "n BIGINT", broadcast_and_filter, .ctx = &ctx));
    assert_int_equal(beck_step(ctx, 2000), BECK_OK);
    assert_int_equal(beck_accumulated(ctx, "dropped"), 10);
    assert_int_equal(beck_step(ctx, 1000), BECK_OK);
    assert_batches(found, "1000 1|5|;2000 2|5|;3000 3|5|;");
    assert_int_equal(beck_accumulated(ctx, "dropped"), 15);
    assert_int_equal(beck_accumulated(ctx, "batches"), 3);
    beck_context_free(ctx);
}

static void a_value_that_changes_with_the_batches(void **state)
{
    static char *argv[] = {(char *)"shared", (char *)"--master", (char *)"local[2]",
                           (char *)"--isolate", NULL};

    (void)state;
    check_shared(argv, 1);
    check_shared(argv, 3);
    check_shared(argv, 4);
}

static beck_rdd *redefine(beck_call *c, beck_rdd *in)
{
    beck_context *const *ctx = beck_ctx(c);

    beck_accumulator(*ctx, "n", .type = "DOUBLE");
    return in;
}

static void a_bad_definition_fails_the_batch(void **state)
{
    struct said said;

    (void)state;
    said_init(&said);
    beck_context *ctx = beck_context_new("bad", .batch_ms = 1000, .manual_clock = true, .log = say,
                                         .log_user = &said);
    beck_accumulator(ctx, "n");
    beck_print(beck_transform(numbers_stream(ctx, 1), "n BIGINT", redefine, .ctx = &ctx));
    assert_int_equal(beck_step(ctx, 1000), BECK_TYPE);
    assert_contains(beck_error_text(ctx), "batch 1000 ms failed: accumulator at transform_test.c:");
    beck_context_free(ctx);
    said_deinit(&said);
}

/* ---- RDDs that are made in a callback -------------------------------------------------------- */

struct running {
    beck_context *ctx;
    beck_dstream *again;
    beck_rdd *table; /* of the context */
    beck_rdd *total; /* of all batches so far */
};

static beck_rdd *add_up(beck_call *c, beck_rdd *in)
{
    struct running *k = (void *)(uintptr_t)beck_ctx(c);
    beck_rdd *more = numbers(k->ctx, 100, 102, 2), *all = beck_union(in, more);

    assert_int_equal(beck_queue_push(k->again, more), BECK_INVALID); /* of the batch */
    beck_rdd *odd = beck_filter(k->table, is_odd);
    assert_int_equal(beck_queue_push(k->again, odd), BECK_INVALID);
    assert_int_equal(beck_queue_push(k->again, beck_union(k->table, k->table)), BECK_INVALID);
    assert_rows(beck_collect(odd), "1|");
    beck_rdd *both[] = {k->total, all};
    if (k->total)
        all = beck_union_all(both, 2);
    k->total = beck_keep(all);
    assert_ptr_equal(beck_keep(k->total), k->total);
    assert_int_equal(beck_queue_push(k->again, k->total), BECK_OK);
    assert_int_equal(beck_rdd_partitions(k->total), beck_rdd_partitions(all));
    return k->total;
}

/* One made on the context in a callback goes with the batch; beck_keep makes it stay. */
static void what_is_kept_outlives_the_batch(void **state)
{
    struct running k = {.ctx = stepped("kept")};
    beck_dstream *in = beck_queue_stream(k.ctx, "n BIGINT");

    (void)state;
    k.again = beck_queue_stream(k.ctx, "n BIGINT");
    k.table = numbers(k.ctx, 0, 3, 1);
    beck_collector *totals = beck_collect_stream(beck_transform(in, "n BIGINT", add_up, .ctx = &k));
    beck_collector *later = beck_collect_stream(k.again);
    beck_queue_push(in, numbers(k.ctx, 0, 2, 1));
    beck_queue_push(in, numbers(k.ctx, 2, 3, 1));
    assert_int_equal(beck_step(k.ctx, 3000), BECK_OK);
    assert_batches(totals, "1000 0|1|100|101|;2000 0|1|100|101|2|100|101|;"
                           "3000 0|1|100|101|2|100|101|100|101|;");
    assert_batches(later, "1000 ;2000 0|1|100|101|;3000 0|1|100|101|2|100|101|;");
    assert_rows(beck_collect(k.total), "0|1|100|101|2|100|101|100|101|");
    assert_int_equal(beck_count(beck_filter(k.total, is_odd)), 4);
    beck_context_free(k.ctx);
}

static void keep_badly(beck_call *c, beck_rdd *rdd)
{
    beck_rdd **kept = (void *)(uintptr_t)beck_ctx(c);

    *kept = beck_keep(beck_key_by(rdd, "no_such_column"));
}

/* What cannot be computed cannot be kept: the batch fails. */
static void a_failed_keep_fails_the_batch(void **state)
{
    struct said said;
    beck_rdd *kept = NULL;

    (void)state;
    said_init(&said);
    beck_context *ctx = beck_context_new("keep", .batch_ms = 1000, .manual_clock = true, .log = say,
                                         .log_user = &said);
    beck_foreach_rdd(numbers_stream(ctx, 1), keep_badly, .ctx = &kept);
    assert_int_not_equal(beck_step(ctx, 1000), BECK_OK);
    assert_contains(beck_error_text(ctx), "key_by at transform_test.c:");
    assert_non_null(kept);
    beck_context_free(ctx);
    said_deinit(&said);
}

int main(void)
{
    beck__engine_worker(beck__os_real()); /* the tests start themselves as worker processes */
    const struct CMUnitTest tests[] = {
        test(a_table_that_changes),
        test(several_streams),
        test(describe_shows_it),
        test(a_source_without_an_rdd_fails_it),
        test(bad_answers),
        test(bad_calls),
        test(a_value_that_changes_with_the_batches),
        test(a_bad_definition_fails_the_batch),
        test(what_is_kept_outlives_the_batch),
        test(a_failed_keep_fails_the_batch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
