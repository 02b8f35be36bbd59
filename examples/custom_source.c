/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A direct source of one's own: ranges that can be read again at any time. Here a range is an
 * interval of numbers, cut into pieces of 1000; the program adds up the squares of all numbers
 * below N.
 *
 *     custom_source [N]
 */
#include <beck/connector.h>

#include <stdio.h>
#include <stdlib.h>

struct interval {
    int64_t from, to;
};

/* In the driver: which ranges exist. Each becomes a partition. */
static beck_status plan(beck_ranges *ranges, const void *params, size_t size)
{
    const struct interval *all = params;
    beck_status status = BECK_OK;

    (void)size;
    for (int64_t from = all->from; from < all->to && !status; from += 1000) {
        struct interval piece = {from, from + 1000 < all->to ? from + 1000 : all->to};
        status = beck_add_range(ranges, &piece, sizeof piece);
    }
    return status;
}

/* In a task: the rows of one range. The same bytes give the same rows, however often they are read.
 */
static beck_status read_range(beck_reader *r, const void *params, size_t params_size,
                              const void *range, size_t size)
{
    struct interval piece;

    (void)params;
    (void)params_size;
    if (size != sizeof piece)
        return beck_reader_error(r, BECK_CORRUPT, "a range of %zu bytes", size);
    memcpy(&piece, range, sizeof piece);
    for (int64_t n = piece.from; n < piece.to; n++)
        if (!beck_read_row(r, n))
            break; /* enough, or a failure that is noted already */
    return BECK_OK;
}

static const beck_direct_class numbers = {
    .name = "numbers", .schema = "n BIGINT", .plan = plan, .read = read_range};

static void square(beck_call *c, beck_row row)
{
    int64_t n = beck_get_bigint(row, 0);

    beck_emit(c, n * n);
}

int main(int argc, char **argv)
{
    beck_context *ctx = beck_context_new("custom_source", .argc = argc, .argv = argv);

    argv = beck_args(ctx, &argc);
    struct interval all = {0, argc > 1 ? atoll(argv[1]) : 10000};
    beck_rdd *rows = beck_direct_rdd(ctx, &numbers, .params = &all, .params_size = sizeof all);
    int64_t count = beck_count(rows); /* -1: it failed, or this run is --help or --describe */
    beck_result *sum = beck_reduce(beck_map(rows, "n BIGINT", square), beck_sum);

    if (count >= 0)
        printf("%lld rows in %d partitions\n", (long long)count, beck_rdd_partitions(rows));
    if (beck_result_rows(sum) > 0)
        printf("sum of squares: %lld\n", (long long)beck_get_bigint(beck_result_row(sum, 0), 0));
    beck_result_free(sum);
    return beck_run(ctx);
}
