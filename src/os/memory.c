/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.c - the process's allocator: libc's, and huge pages for large pieces. It counts bytes and
 * calls, keeps a limit, and fails on demand for tests. Any thread; the counters are atomic.
 */
#include "os/real.h"

#include <stdlib.h>

struct memory {
    _Atomic size_t used, max;
    _Atomic uint64_t calls;
    _Atomic uint64_t fail_from, fail_to; /* numbers of calls; 0: none */
};

static bool is_large(size_t size)
{
    return !BECK__SANITIZED && size >= BECK__LARGE;
}

static void *take(size_t size)
{
    return is_large(size) ? beck__large_alloc(size) : malloc(size);
}

static void give(void *p, size_t size)
{
    if (is_large(size))
        beck__large_free(p, size);
    else
        free(p);
}

static void *change(void *p, size_t old_size, size_t new_size)
{
    if (!is_large(old_size) && !is_large(new_size))
        return realloc(p, new_size);
    if (is_large(old_size) && is_large(new_size))
        return beck__large_resize(p, old_size, new_size);
    void *moved = take(new_size);
    if (moved) {
        memcpy(moved, p, old_size < new_size ? old_size : new_size);
        give(p, old_size);
    }
    return moved;
}

/* Counts a call that goes from old_size to new_size; false if it must fail. */
static bool admit(struct memory *memory, size_t old_size, size_t new_size)
{
    uint64_t call = atomic_fetch_add_explicit(&memory->calls, 1, memory_order_relaxed) + 1;
    uint64_t from = atomic_load_explicit(&memory->fail_from, memory_order_relaxed);
    if (from && call >= from && call <= atomic_load(&memory->fail_to))
        return false;
    size_t more = new_size - old_size; /* modulo 2^64 when it shrinks */
    size_t used = atomic_fetch_add_explicit(&memory->used, more, memory_order_relaxed) + more;
    size_t max = atomic_load_explicit(&memory->max, memory_order_relaxed);
    if (max && used > max && new_size > old_size) {
        atomic_fetch_sub_explicit(&memory->used, more, memory_order_relaxed);
        return false;
    }
    return true;
}

static void *resize(void *self, void *p, size_t old_size, size_t new_size)
{
    struct memory *memory = self;
    if (!p)
        old_size = 0;
    if (!new_size) {
        if (p)
            give(p, old_size);
        atomic_fetch_sub_explicit(&memory->used, old_size, memory_order_relaxed);
        return NULL;
    }
    if (new_size > PTRDIFF_MAX || !admit(memory, old_size, new_size))
        return NULL;
    void *moved = p ? change(p, old_size, new_size) : take(new_size);
    if (!moved)
        atomic_fetch_sub_explicit(&memory->used, new_size - old_size, memory_order_relaxed);
    return moved;
}

void beck__real_memory(struct os *os)
{
    static struct memory memory;
    os->memory.resize = resize;
    os->memory.self = &memory;
}

static struct memory *of(struct os *os)
{
    return os->memory.self;
}

void beck__os_memory_max(struct os *os, size_t bytes)
{
    atomic_store(&of(os)->max, bytes);
}

size_t beck__os_memory_used(struct os *os)
{
    return atomic_load(&of(os)->used);
}

uint64_t beck__os_memory_calls(struct os *os)
{
    return atomic_load(&of(os)->calls);
}

void beck__os_memory_fail(struct os *os, uint64_t n, bool all)
{
    struct memory *memory = of(os);
    uint64_t from = n ? atomic_load(&memory->calls) + n : 0;
    atomic_store(&memory->fail_to, all ? UINT64_MAX : from);
    atomic_store(&memory->fail_from, from);
}
