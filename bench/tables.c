/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tables sort|join ROWS [options]: a table of ROWS rows, which is made before, in the order of a
 * key; or joined with one of a tenth of the rows. Prints "seconds rows check"; the time is that of
 * making the result and keeping it, the check comes after it. yardsticks/tables.py is the same.
 */
#include <beck/beck.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PARTS = 16 };

static _Atomic uint64_t rows_seen, check_sum;

static double seconds_now(void)
{
    struct timespec t;

    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Part of a table: `modulus` is a prime, so that keys below it are scattered, and each is there
 * once per `modulus` rows. */
struct table {
    int64_t rows, modulus;
};

/* The part's number -> its keys. */
static void make_keys(beck_call *c, beck_row part)
{
    const struct table *table = beck_ctx(c);
    int64_t number = beck_get_bigint(part, 0);

    for (int64_t i = number * table->rows / PARTS; i < (number + 1) * table->rows / PARTS; i++) {
        __extension__ unsigned __int128 wide =
            (unsigned __int128)(uint64_t)i * 2862933555777941757u + 3037000493u;
        beck_emit(c, (int64_t)(wide % (uint64_t)table->modulus));
    }
}

/* (k, index), kept by the stage that numbers them. */
static beck_rdd *table_of(beck_context *ctx, struct table table)
{
    beck_value parts[PARTS];

    for (int64_t i = 0; i < PARTS; i++)
        parts[i] = beck_value_of(i);
    beck_rdd *r = beck_parallelize(ctx, "part BIGINT", parts, PARTS, .partitions = PARTS);
    r = beck_zip_with_index(
        beck_flat_map(r, "k BIGINT", make_keys, .ctx = &table, .ctx_size = sizeof table));
    beck_count(r);
    return r;
}

/* (k, index, place): where a row is counts, too. */
static void add_place(beck_call *c, beck_rows *rows)
{
    uint64_t check = 0;
    beck_row row;

    (void)c;
    while (beck_next_row(rows, &row))
        check += (uint64_t)(beck_get_bigint(row, 0) % 1000003 * (beck_get_bigint(row, 2) % 1000) +
                            beck_get_bigint(row, 1));
    atomic_fetch_add(&rows_seen, beck_rows_count(rows));
    atomic_fetch_add(&check_sum, check);
}

/* (k, index, index of the other side, place), in any order. */
static void add_pair(beck_call *c, beck_rows *rows)
{
    uint64_t check = 0;
    beck_row row;

    (void)c;
    while (beck_next_row(rows, &row))
        check += (uint64_t)(beck_get_bigint(row, 0) + 3 * beck_get_bigint(row, 1) +
                            5 * beck_get_bigint(row, 2));
    atomic_fetch_add(&rows_seen, beck_rows_count(rows));
    atomic_fetch_add(&check_sum, check);
}

int main(int argc, char **argv)
{
    beck_context *ctx = beck_context_new("tables", .argc = argc, .argv = argv);
    beck_rdd *result, *left, *right = NULL;

    argv = beck_args(ctx, &argc);
    if (argc != 3) {
        fprintf(stderr, "usage: tables sort|join ROWS\n");
        beck_context_free(ctx);
        return 2;
    }
    bool join = strcmp(argv[1], "join") == 0;
    int64_t rows = strtoll(argv[2], NULL, 10);
    struct table scattered = {rows, join ? 999983 : 9223372036854775783},
                 one_each = {999983, 999983};
    left = table_of(ctx, scattered);
    if (join)
        right = table_of(ctx, one_each);
    double begin = seconds_now();
    result = join ? beck_join(left, right) : beck_sort_by(left, "k");
    result = beck_zip_with_index(result);
    beck_count(result);
    double took = seconds_now() - begin;
    beck_foreach_partition(result, join ? add_pair : add_place);
    printf("%.6f %llu %016llx\n", took, (unsigned long long)atomic_load(&rows_seen),
           (unsigned long long)atomic_load(&check_sum));
    return beck_run(ctx);
}
