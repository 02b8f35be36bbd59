/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testing.h - for tests of this room: rows on their way into a table.
 */
#ifndef BECK_STATE_TESTING_H
#define BECK_STATE_TESTING_H

#include "data/testing.h"
#include "state/state.h"
#include <beck/beck.h>

struct bench {
    struct test_memory counted; /* everything is given back in the end */
    const struct allocator *memory;
    struct arena arena;
    struct builder in;
    struct error error;
};

static inline void bench_open(struct bench *x, const char *schema)
{
    memset(x, 0, sizeof *x);
    x->memory = test_memory_init(&x->counted, 0);
    beck__arena_init(&x->arena, x->memory);
    beck__builder_init(&x->in, x->memory, test_schema(&x->arena, schema), UINT32_MAX, NULL);
}

static inline void bench_close(struct bench *x)
{
    beck__builder_deinit(&x->in);
    beck__arena_deinit(&x->arena);
    assert_int_equal(x->counted.used, 0);
}

#endif
