/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testing.h - for this room's tests: an allocator over malloc that counts, and fails on demand.
 */
#ifndef BECK_BASE_TESTING_H
#define BECK_BASE_TESTING_H

#include "base/base.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h> /* after setjmp.h */

struct test_memory {
    struct allocator allocator;
    size_t used;
    uint64_t calls;
    uint64_t fail_at; /* this call fails, and all later ones; 0: none */
};

static inline void *test_resize(void *self, void *p, size_t old_size, size_t new_size)
{
    struct test_memory *memory = self;
    if (new_size && memory->fail_at && ++memory->calls >= memory->fail_at)
        return NULL;
    if (new_size > (size_t)1 << 40) /* a sanitizer's malloc aborts */
        return NULL;
    if (!new_size) {
        free(p);
        memory->used -= old_size;
        return NULL;
    }
    /* always moves, so that a stale pointer is found out */
    void *moved = malloc(new_size);
    assert(moved);
    if (p)
        memcpy(moved, p, old_size < new_size ? old_size : new_size);
    free(p);
    memory->used += new_size - (p ? old_size : 0);
    return moved;
}

static inline const struct allocator *test_memory_init(struct test_memory *memory, uint64_t fail_at)
{
    memset(memory, 0, sizeof *memory);
    memory->fail_at = fail_at;
    memory->allocator.resize = test_resize;
    memory->allocator.self = memory;
    return &memory->allocator;
}

#endif
