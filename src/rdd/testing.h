/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testing - a graph without a context, and what its nodes look like as text. For tests of rdd and
 * above.
 */
#ifndef BECK_RDD_TESTING_H
#define BECK_RDD_TESTING_H

#include "rdd/rdd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
    struct arena arena;
    struct error error;
    struct graph graph;
};

static inline int fixture_setup(void **state)
{
    struct os *os = beck__os_real();
    struct fixture *f = beck__alloc_zero(&os->memory, sizeof *f);

    beck__arena_init(&f->arena, &os->memory);
    f->graph = (struct graph){.arena = &f->arena, .os = os, .error = &f->error, .partitions = 8};
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    beck__arena_deinit(&f->arena);
    beck__free(&beck__os_real()->memory, f, sizeof *f);
    return 0;
}

static inline struct node *source(struct fixture *f, const char *schema)
{
    struct node *node =
        beck__node_source(&f->graph, "queue_stream", (beck_site){"wc.c", 3}, schema, 0);

    assert_non_null(node);
    return node;
}

static inline const char *schema_of(struct fixture *f, const struct node *node)
{
    struct text text = {.memory = f->arena.memory};

    assert_non_null(node);
    beck__schema_print(node->schema, &text);
    const char *copy = beck__arena_text(&f->arena, beck__text_get(&text));
    beck__text_deinit(&text);
    return copy;
}

/* The graph's error says this, and is forgotten. */
static inline void assert_error(struct fixture *f, const struct node *node, beck_status status,
                                const char *part)
{
    assert_null(node);
    assert_int_equal(f->error.status, status);
    if (!strstr(f->error.text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, f->error.text);
    beck__error_clear(&f->error);
}

/* Callbacks for nodes that are built and never run. */
static inline void nop(beck_call *c, beck_row row)
{
    (void)c;
    (void)row;
}

static inline bool keep(beck_call *c, beck_row row)
{
    (void)c;
    (void)row;
    return true;
}

static inline void whole(beck_call *c, beck_rows *rows)
{
    (void)c;
    (void)rows;
}

static inline void fold(beck_call *c, beck_row a, beck_row b)
{
    (void)c;
    (void)a;
    (void)b;
}

static inline void step(beck_call *c, void *state, beck_row value)
{
    (void)c;
    (void)state;
    (void)value;
}

static inline void merge(beck_call *c, void *state, const void *other)
{
    (void)c;
    (void)state;
    (void)other;
}

static inline void value(beck_call *c, const void *state)
{
    (void)c;
    (void)state;
}

#define SITE .site = {"src/wc.c", 17}

#endif
