/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.c - memory that is freed whole. One thread at a time.
 *
 *     arena->block --> newest --> older --> ... --> NULL
 *                      | next, size | used ......|  free .....|
 *
 * Only the newest block is filled. A request that would waste most of a fresh block gets a block of
 * its own, which is linked behind the newest. Under AddressSanitizer what is not handed out is
 * poisoned.
 */
#include "base/base.h"

#include <stdio.h>

#if defined(__SANITIZE_ADDRESS__)
#define POISONING 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONING 1
#endif
#endif

#ifdef POISONING
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, size)   ((void)(p), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(p, size) ((void)(p), (void)(size))
#endif

#define ALIGN      ((size_t)16)
#define FIRST      ((size_t)4096)
#define BLOCK_MOST ((size_t)1 << 20)

struct arena_block {
    struct arena_block *next;
    size_t size; /* with this header */
};

static_assert(sizeof(struct arena_block) % 16 == 0, "data behind the header is aligned");

void beck__arena_init(struct arena *arena, const struct allocator *memory)
{
    memset(arena, 0, sizeof *arena);
    arena->memory = memory;
}

static void free_block(struct arena *arena, struct arena_block *block)
{
    ASAN_UNPOISON_MEMORY_REGION(block, block->size);
    beck__free(arena->memory, block, block->size);
}

void beck__arena_deinit(struct arena *arena)
{
    while (arena->block) {
        struct arena_block *next = arena->block->next;
        free_block(arena, arena->block);
        arena->block = next;
    }
    arena->used = arena->total = 0;
}

void beck__arena_reset(struct arena *arena)
{
    struct arena_block *keep = arena->block;
    if (!keep)
        return;
    for (struct arena_block *b = keep->next; b; b = b->next)
        if (b->size > keep->size)
            keep = b;
    for (struct arena_block *b = arena->block, *next; b; b = next) {
        next = b->next;
        if (b != keep)
            free_block(arena, b);
    }
    keep->next = NULL;
    arena->block = keep;
    arena->used = sizeof *keep;
    arena->total = keep->size;
    ASAN_POISON_MEMORY_REGION(keep + 1, keep->size - sizeof *keep);
}

static size_t next_block_size(const struct arena *arena)
{
    size_t first = arena->first ? arena->first : FIRST;
    if (!arena->block)
        return (first + ALIGN - 1) & ~(ALIGN - 1);
    size_t size = arena->block->size;
    return size >= BLOCK_MOST / 2 ? BLOCK_MOST : size * 2;
}

/* `size` bytes at the front of a fresh block. */
static void *from_new_block(struct arena *arena, size_t size)
{
    size_t usual = next_block_size(arena);
    bool own = arena->block && size > usual / 2;
    size_t bytes = own || usual < size + sizeof *arena->block ? size + sizeof *arena->block : usual;
    struct arena_block *block = beck__alloc(arena->memory, bytes);
    if (!block)
        return NULL;
    block->size = bytes;
    arena->total += bytes;
    ASAN_POISON_MEMORY_REGION(block + 1, bytes - sizeof *block);
    if (own) {
        block->next = arena->block->next;
        arena->block->next = block;
    } else {
        block->next = arena->block;
        arena->block = block;
        arena->used = sizeof *block + size;
    }
    return block + 1;
}

void *beck__arena_raw(struct arena *arena, size_t size)
{
    if (size > (size_t)PTRDIFF_MAX - BLOCK_MOST)
        return NULL;
    size_t rounded = size ? (size + ALIGN - 1) & ~(ALIGN - 1) : ALIGN;
    void *p;
    if (arena->block && rounded <= arena->block->size - arena->used) {
        p = (char *)arena->block + arena->used;
        arena->used += rounded;
    } else {
        p = from_new_block(arena, rounded);
    }
    if (p)
        ASAN_UNPOISON_MEMORY_REGION(p, size);
    return p;
}

void *beck__arena_alloc(struct arena *arena, size_t size)
{
    void *p = beck__arena_raw(arena, size);
    if (p)
        memset(p, 0, size);
    return p;
}

void *beck__arena_copy(struct arena *arena, const void *data, size_t size)
{
    static const char nothing[1] = {0};
    if (!size)
        return (void *)(uintptr_t)nothing; /* nobody writes zero bytes */
    void *p = beck__arena_raw(arena, size);
    if (p)
        memcpy(p, data, size);
    return p;
}

char *beck__arena_text(struct arena *arena, const char *text)
{
    return text ? beck__arena_copy(arena, text, strlen(text) + 1) : NULL;
}

char *beck__arena_printf(struct arena *arena, const char *format, ...)
{
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    int size = vsnprintf(NULL, 0, format, list);
    char *text = size < 0 ? NULL : beck__arena_raw(arena, (size_t)size + 1);
    if (text)
        vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    va_end(list);
    return text;
}
