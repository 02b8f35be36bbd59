/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep_test - RDDs of a batch, made by hand here, that outlive it, until they are freed.
 */
#define _GNU_SOURCE
#include "session/testing.h"

static void twice(beck_call *c, beck_row in)
{
    beck_emit(c, 2 * beck_get_bigint(in, 0), beck_get_bigint(in, 0));
}

static void test_outlives(void **state)
{
    (void)state;
    struct one_batch b;
    beck_context *ctx = test_context(.master = "local[2]");
    beck_rdd *table = numbers(ctx, 0, 4, 2);

    batch_open(&b, ctx);
    beck_rdd *made =
        beck_map(beck_union(table, numbers(ctx, 10, 2, 1)), "d BIGINT, n BIGINT", twice);
    assert_false(beck__session_lasts(made, ctx));
    beck_rdd *kept = beck_keep(beck_key_by(made, "n, d"));
    assert_true(beck__session_lasts(kept, ctx));
    assert_ptr_equal(beck_keep(kept), kept);
    assert_sum(kept, 27);
    batch_close(&b, ctx);

    assert_sum(kept, 27);
    assert_int_equal(beck_rdd_partitions(kept), 3);
    assert_string_equal(beck_schema_text(kept), "n BIGINT, d BIGINT");
    assert_int_equal(kept->node->keys, 2);
    assert_sum(beck_union(kept, kept), 54);
    assert_int_equal(b.error.status, BECK_OK);
    beck_context_free(ctx);
}

/* In a batch a freed one stays for what stands on it; then its memory is back. */
static void test_freed(void **state)
{
    (void)state;
    struct one_batch b;
    beck_context *ctx = test_context(.master = "local[1]");
    beck_rdd *sum = NULL, *table = numbers(ctx, 0, 4, 2);
    size_t used = 0;

    atomic_store(&ctx->state, BECK_ACTIVE);
    for (int i = 0; i < 20; i++) {
        batch_open(&b, ctx);
        beck_rdd *in = numbers(ctx, i, 1, 1);
        beck_rdd *all = beck_repartition(sum ? beck_union(sum, in) : in, 1);
        beck_rdd *older = sum;
        sum = beck_keep(all);
        beck_rdd_free(older);
        assert_int_equal(beck_count(all), i + 1);
        beck_rdd *next =
            beck_keep(beck_reduce_by_key(beck_map(all, "k BIGINT, n BIGINT", twice), beck_sum));
        beck_rdd_free(next);
        batch_close(&b, ctx);
        assert_non_null(ctx->kept);
        assert_null(ctx->kept->older);
        if (i == 10)
            used = beck__os_memory_used(ctx->os);
    }
    assert_true(beck__os_memory_used(ctx->os) < used + 2000); /* ten rows more */
    atomic_store(&ctx->state, BECK_STOPPED);
    assert_int_equal(beck_count(sum), 20);
    beck_rdd_free(sum);
    assert_null(ctx->kept);
    beck_rdd_free(NULL);
    beck_rdd_free(table); /* of the context: nothing */
    assert_int_equal(beck_count(table), 4);
    beck_context_free(ctx);
}

static void test_fails(void **state)
{
    (void)state;
    struct one_batch b;
    beck_context *ctx = test_context(.master = "local[1]");

    numbers(ctx, 0, 1, 1);
    batch_open(&b, ctx);
    beck_rdd *lost = beck_keep(beck_text_file(ctx, "/there/is/no/such/file"));
    assert_non_null(lost);
    assert_int_equal(b.error.status, BECK_NOT_FOUND);
    assert_int_equal(beck_error(ctx), BECK_OK); /* it is the batch that fails */
    beck_rdd_free(lost);
    assert_int_equal(beck_count(beck_keep(lost)), -1);
    batch_close(&b, ctx);
    beck_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outlives),
        cmocka_unit_test(test_freed),
        cmocka_unit_test(test_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
