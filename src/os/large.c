/* SPDX-License-Identifier: Apache-2.0 */
/*
 * large.c - large pieces of memory: mapped at 2 MiB boundaries and advised for huge pages, which
 * saves most TLB misses of a hash table. A few freed ones are kept, so that a buffer that comes and
 * goes with every block does not fault its pages in each time. Any thread.
 */
#define _GNU_SOURCE
#include "os/real.h"

#include <sys/mman.h>

#define STEP       ((size_t)64 << 10) /* sizes are rounded up to it, so that kept ones fit again */
#define KEEP_COUNT 128
#define KEEP_EACH  ((size_t)8 << 20)
#define KEEP_ALL   ((size_t)64 << 20) /* and half of what is in use */

struct kept {
    void *p;
    size_t bytes;
};

static struct {
    pthread_mutex_t mutex;
    struct kept kept[KEEP_COUNT];
    size_t bytes;
    size_t used; /* handed out */
} cache = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static size_t round_up(size_t size)
{
    return (size + STEP - 1) & ~(STEP - 1);
}

static void *take_kept(size_t bytes)
{
    void *p = NULL;
    pthread_mutex_lock(&cache.mutex);
    for (int i = 0; i < KEEP_COUNT && !p; i++) {
        struct kept *kept = &cache.kept[i];
        if (kept->bytes == bytes) {
            p = kept->p;
            cache.bytes -= bytes;
            kept->p = NULL;
            kept->bytes = 0;
        }
    }
    cache.used += bytes;
    pthread_mutex_unlock(&cache.mutex);
    return p;
}

static bool keep(void *p, size_t bytes)
{
    bool done = false;
    pthread_mutex_lock(&cache.mutex);
    cache.used -= bytes < cache.used ? bytes : cache.used;
    bool fits = bytes <= KEEP_EACH && cache.bytes + bytes <= KEEP_ALL + cache.used / 2;
    for (int i = 0; i < KEEP_COUNT && !done && fits; i++) {
        struct kept *kept = &cache.kept[i];
        if (!kept->bytes) {
            kept->p = p;
            kept->bytes = bytes;
            cache.bytes += bytes;
            done = true;
        }
    }
    pthread_mutex_unlock(&cache.mutex);
    return done;
}

/* A mapping that begins at a 2 MiB boundary: maps more and cuts both ends off. */
static void *map_aligned(size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return NULL;
    size_t whole = bytes + BECK__LARGE;
    char *p = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    size_t front = (size_t)(-(uintptr_t)p & (BECK__LARGE - 1));
    if (front)
        munmap(p, front);
    munmap(p + front + bytes, whole - front - bytes);
    madvise(p + front, bytes, MADV_HUGEPAGE); /* a kernel without them still works */
    return p + front;
}

void *beck__large_alloc(size_t size)
{
    size_t bytes = round_up(size);
    void *p = take_kept(bytes);
    return p ? p : map_aligned(bytes);
}

void beck__large_free(void *p, size_t size)
{
    size_t bytes = round_up(size);
    if (!keep(p, bytes))
        munmap(p, bytes);
}

/* Moves pages, not bytes. */
void *beck__large_resize(void *p, size_t old_size, size_t new_size)
{
    size_t old_bytes = round_up(old_size), new_bytes = round_up(new_size);
    if (old_bytes == new_bytes)
        return p;
    if (mremap(p, old_bytes, new_bytes, 0) != MAP_FAILED)
        return p;
    void *target = map_aligned(new_bytes);
    if (!target)
        return NULL;
    void *moved = mremap(p, old_bytes, new_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, target);
    if (moved == MAP_FAILED) {
        munmap(target, new_bytes);
        return NULL;
    }
    return moved;
}
