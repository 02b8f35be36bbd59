/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.c - the few calls of an allocator, and vectors that grow.
 */
#include "base/base.h"

void *beck__alloc(const struct allocator *memory, size_t size)
{
    return memory->resize(memory->self, NULL, 0, size ? size : 1);
}

void *beck__alloc_zero(const struct allocator *memory, size_t size)
{
    void *p = beck__alloc(memory, size);
    if (p)
        memset(p, 0, size);
    return p;
}

void beck__free(const struct allocator *memory, void *p, size_t size)
{
    if (p)
        memory->resize(memory->self, p, size ? size : 1, 0);
}

/* The capacity to grow to for `need` items; 0 if it cannot be a number of bytes. */
static size_t grown(size_t capacity, size_t need, size_t size)
{
    size_t most = (size_t)PTRDIFF_MAX / size;
    size_t next = capacity < 8 ? 8 : capacity > most / 2 ? most : capacity * 2;
    if (next < need)
        next = need;
    return next <= most ? next : 0;
}

bool beck__vector_reserve(const struct allocator *memory, void **items, size_t *capacity,
                          size_t need, size_t size)
{
    if (need <= *capacity)
        return true;
    size_t next = grown(*capacity, need, size);
    if (!next)
        return false;
    void *moved = memory->resize(memory->self, *items, *capacity * size, next * size);
    if (!moved)
        return false;
    *items = moved;
    *capacity = next;
    return true;
}

bool beck__arena_reserve(struct arena *arena, void **items, size_t *capacity, size_t need,
                         size_t size)
{
    if (need <= *capacity)
        return true;
    size_t next = grown(*capacity, need, size);
    if (!next)
        return false;
    void *moved = beck__arena_raw(arena, next * size);
    if (!moved)
        return false;
    if (*capacity)
        memcpy(moved, *items, *capacity * size);
    *items = moved;
    *capacity = next;
    return true;
}
