/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block - compact copies of chunks that live longer than a push, and lists of them. A block is one
 * allocation, measured before it is made:
 *
 *     | struct owner | chunk and column structs | cells and bitmaps, each 8-byte aligned |
 *     | buffer pointer | bytes of long strings |
 *
 * Read-only from its birth; references are counted by any thread.
 */
#include "data/inside.h"

/* A block and the size of its allocation. */
struct owner {
    struct block block;
    size_t size;
};

/* ---- references ------------------------------------------------------------------------------ */

static void refs_add(_Atomic uint32_t *refs)
{
    uint32_t old = atomic_fetch_add_explicit(refs, 1, memory_order_relaxed);
    assert(old > 0 && old < UINT32_MAX);
}

/* True for the last one, which has then seen what all others did. */
static bool refs_drop(_Atomic uint32_t *refs)
{
    uint32_t old = atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel);
    assert(old > 0);
    return old == 1;
}

struct buffer *beck__buffer_new(const struct allocator *memory, size_t capacity)
{
    struct buffer *buffer = NULL;
    if (capacity < SIZE_MAX - sizeof *buffer)
        buffer = beck__alloc(memory, sizeof *buffer + capacity);
    if (!buffer)
        return NULL;
    buffer->memory = memory;
    atomic_init(&buffer->refs, 1);
    buffer->size = 0;
    buffer->capacity = capacity;
    return buffer;
}

void beck__buffer_ref(struct buffer *buffer)
{
    refs_add(&buffer->refs);
}

void beck__buffer_unref(struct buffer *buffer)
{
    if (buffer && refs_drop(&buffer->refs))
        beck__free(buffer->memory, buffer, sizeof *buffer + buffer->capacity);
}

void beck__block_ref(struct block *block)
{
    refs_add(&block->refs);
}

void beck__block_unref(struct block *block)
{
    if (!block || !refs_drop(&block->refs))
        return;
    for (uint32_t i = 0; i < block->buffer_count; i++)
        beck__buffer_unref(block->buffers[i]);
    beck__free(block->memory, block, ((struct owner *)(void *)block)->size);
}

struct block *beck__block_make(const struct allocator *memory, const beck_schema *schema,
                               size_t more, char **rest)
{
    size_t size = beck__round_8(sizeof(struct owner)) +
                  beck__shape_bytes(schema->count, schema->fields) + more;
    struct owner *owner = beck__alloc(memory, size);
    if (!owner)
        return NULL;
    memset(owner, 0, sizeof *owner);
    char *at = (char *)owner + beck__round_8(sizeof *owner);
    beck_chunk *chunk = beck__shape_build(&at, schema->count, schema->fields);
    chunk->schema = schema;
    owner->size = size;
    owner->block.memory = memory;
    atomic_init(&owner->block.refs, 1);
    owner->block.bytes = size;
    owner->block.chunk = chunk;
    owner->block.schema = schema;
    *rest = at;
    return &owner->block;
}

/* ---- copying --------------------------------------------------------------------------------- */

struct measure {
    beck_str keep;  /* bytes of the shared buffer */
    size_t cells;   /* and bitmaps, rounded */
    size_t strings; /* copied ones */
    size_t shared;
};

struct copy {
    beck_str keep;
    char *cells, *strings;
};

static void measure_strings(struct measure *m, const beck_view *views, uint32_t count)
{
    size_t copied = 0, shared = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (views[i].size <= BECK_VIEW_INLINE)
            continue;
        if (beck__inside(m->keep, views[i].u.data))
            shared += views[i].size;
        else
            copied += views[i].size;
    }
    m->strings += copied;
    m->shared += shared;
}

static void measure_column(struct measure *m, const beck_column *column, uint32_t from,
                           uint32_t count)
{
    m->cells += beck__round_8(beck__cells_bytes(column->type, count));
    if (beck__any_null(column, from, count))
        m->cells += beck__round_8(beck__bitmap_bytes(count));
    if (column->type == BECK_STRING || column->type == BECK_BINARY) {
        measure_strings(m, beck__cell_at(column, from), count);
    } else if (column->type == BECK_ARRAY) {
        const uint32_t *offsets = beck__cell_at(column, from);
        measure_column(m, &column->child->column[0], offsets[0], offsets[count] - offsets[0]);
    } else if (column->type == BECK_STRUCT) {
        for (uint32_t i = 0; i < column->child->columns; i++)
            measure_column(m, &column->child->column[i], from, count);
    }
}

static void *take_cells(struct copy *c, size_t size)
{
    char *at = c->cells;
    c->cells += beck__round_8(size);
    if (size & 7)
        memset(at + (size & ~(size_t)7), 0, 8);
    return at;
}

static void copy_views(struct copy *c, beck_view *to, const beck_view *from, uint32_t count)
{
    char *strings = c->strings;
    for (uint32_t i = 0; i < count; i++) {
        to[i] = from[i];
        if (from[i].size <= BECK_VIEW_INLINE || beck__inside(c->keep, from[i].u.data))
            continue;
        memcpy(strings, from[i].u.data, from[i].size);
        to[i].u.data = strings;
        strings += from[i].size;
    }
    c->strings = strings;
}

/* `to` has its type and child already. */
static void copy_column(struct copy *c, beck_column *to, const beck_column *column, uint32_t from,
                        uint32_t count)
{
    size_t cell = beck__cell_size(column->type);
    to->data = take_cells(c, beck__cells_bytes(column->type, count));
    to->size = to->capacity = count;
    if (beck__any_null(column, from, count)) {
        to->valid = take_cells(c, beck__bitmap_bytes(count));
        beck__bits_copy(to->valid, 0, column->valid, from, count);
        beck__bits_fill(to->valid, count, -(size_t)count & 7, false);
    }
    if (column->type == BECK_STRING || column->type == BECK_BINARY) {
        copy_views(c, to->data, beck__cell_at(column, from), count);
    } else if (column->type == BECK_ARRAY) {
        const uint32_t *offsets = beck__cell_at(column, from);
        uint32_t *out = to->data;
        for (uint32_t i = 0; i <= count; i++)
            out[i] = offsets[i] - offsets[0];
        to->child->rows = out[count];
        copy_column(c, &to->child->column[0], &column->child->column[0], offsets[0], out[count]);
    } else if (column->type == BECK_STRUCT) {
        to->child->rows = count;
        for (uint32_t i = 0; i < column->child->columns; i++)
            copy_column(c, &to->child->column[i], &column->child->column[i], from, count);
    } else if (count > 0) {
        memcpy(to->data, beck__cell_at(column, from), cell * count);
    }
}

struct block *beck__block_new(const struct allocator *memory, const beck_schema *schema,
                              const beck_chunk *chunk, uint32_t from, uint32_t count,
                              struct buffer *share)
{
    assert(chunk->columns == schema->count && from <= chunk->rows && count <= chunk->rows - from);
    beck_str keep = share ? beck_bytes_of(share->data, share->capacity) : BECK__KEEP_NONE;
    struct measure m = {.keep = keep};
    for (uint32_t i = 0; i < chunk->columns; i++)
        measure_column(&m, &chunk->column[i], from, count);

    size_t buffers = m.shared > 0 ? sizeof share : 0;
    char *at;
    struct block *block = beck__block_make(memory, schema, m.cells + buffers + m.strings, &at);
    if (!block)
        return NULL;
    struct copy c = {.keep = keep, .cells = at, .strings = at + m.cells + buffers};
    beck_chunk *out = (beck_chunk *)(uintptr_t)block->chunk;
    out->rows = count;
    for (uint32_t i = 0; i < chunk->columns; i++)
        copy_column(&c, &out->column[i], &chunk->column[i], from, count);
    assert(c.cells == at + m.cells && c.strings == c.cells + buffers + m.strings);
    if (buffers > 0) {
        block->buffers = (struct buffer **)(void *)c.cells;
        block->buffers[0] = share;
        block->buffer_count = 1;
        block->bytes += m.shared;
        beck__buffer_ref(share);
    }
    return block;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static bool reserve(struct blocks *list, size_t more)
{
    void *items = list->items;
    if (!beck__vector_reserve(list->memory, &items, &list->capacity, list->count + more,
                              sizeof *list->items))
        return false;
    list->items = items;
    return true;
}

bool beck__blocks_add(struct blocks *list, struct block *block)
{
    if (!reserve(list, 1)) {
        beck__block_unref(block);
        return false;
    }
    list->items[list->count++] = block;
    list->rows += block->chunk->rows;
    list->bytes += block->bytes;
    return true;
}

bool beck__blocks_append(struct blocks *list, const struct blocks *from)
{
    size_t count = from->count; /* it may be the list itself */
    if (!reserve(list, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        beck__block_ref(from->items[i]);
        beck__blocks_add(list, from->items[i]);
    }
    return true;
}

void beck__blocks_deinit(struct blocks *list)
{
    for (size_t i = 0; i < list->count; i++)
        beck__block_unref(list->items[i]);
    if (list->items)
        beck__free(list->memory, list->items, list->capacity * sizeof *list->items);
    *list = (struct blocks){.memory = list->memory};
}
