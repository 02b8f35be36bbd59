/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testing - a context on worker threads that keeps its log, for tests of session and above.
 */
#ifndef BECK_SESSION_TESTING_H
#define BECK_SESSION_TESTING_H

#include "session/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static inline void no_log(void *user, beck_log_level level, const char *text)
{
    (void)user;
    (void)level;
    (void)text;
}

#define test_context(...) beck_context_new("test", .log = no_log, __VA_ARGS__)

/* n, n + 1, ... as rows of one BIGINT. */
static inline beck_rdd *numbers(beck_context *ctx, int64_t from, size_t count, int partitions)
{
    beck_value *values = calloc(count + 1, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = beck_integer_value(from + (int64_t)i);
    beck_rdd *r = beck_parallelize(ctx, "n BIGINT", values, count, .partitions = partitions);
    free(values);
    return r;
}

/* As the driver does it for each batch. */
struct one_batch {
    struct arena arena;
    struct session_life life;
    struct error error;
};

static inline void batch_open(struct one_batch *b, beck_context *ctx)
{
    memset(b, 0, sizeof *b);
    beck__arena_init(&b->arena, &ctx->os->memory);
    assert_int_equal(beck__session_life_init(&b->life, ctx, &b->arena, 1000, &b->error), BECK_OK);
    atomic_store(&ctx->batch, &b->life);
}

static inline void batch_close(struct one_batch *b, beck_context *ctx)
{
    atomic_store(&ctx->batch, NULL);
    beck__session_life_end(&b->life);
    beck__arena_deinit(&b->arena);
}

static inline void assert_sum(beck_rdd *r, int64_t expected)
{
    beck_result *sum = beck_reduce(r, beck_sum);

    assert_int_equal(beck_result_status(sum), BECK_OK);
    assert_int_equal(beck_get_bigint(beck_result_row(sum, 0), 0), expected);
    beck_result_free(sum);
}

/* A fresh folder below TMPDIR; the caller removes it. */
static inline char *temporary(char *path, size_t size)
{
    const char *base = getenv("TMPDIR");
    snprintf(path, size, "%s/beck-test-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(path));
    return path;
}

static inline void write_text(const char *folder, const char *name, const char *text, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, size, f), size);
    fclose(f);
}

static inline void remove_all(const char *folder)
{
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

#endif
