/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines - cuts received bytes into lines. The newlines of 64 bytes are found at once, as the bits
 * of a word; a line becomes a view of the bytes where they lie, written straight into the column.
 *
 * Invariant: how the bytes are split over calls does not change the lines. Any thread, one cutter.
 */
#include "formats/formats.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define STEP       64u
#define ROWS_FIRST 64u

/* Bit i is set if p[i] is a newline, for 64 bytes. */
#if defined(__SSE2__)
static inline uint64_t newlines(const char *p)
{
    const __m128i newline = _mm_set1_epi8('\n');
    uint64_t bits = 0;
    for (unsigned i = 0; i < 4; i++) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        uint64_t found = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, newline));
        bits |= found << (16 * i);
    }
    return bits;
}
#else
static inline uint64_t newlines(const char *p)
{
    const uint64_t low = 0x7f7f7f7f7f7f7f7fu;
    uint64_t bits = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t x;
        memcpy(&x, p + 8 * i, 8);
        x ^= 0x0a0a0a0a0a0a0a0au;                /* a newline is 0 now */
        x = ~(((x & low) + low) | x | low) >> 7; /* 1 in the bytes that were 0 */
        bits |= (x * 0x0102040810204080u >> 56) << (8 * i);
    }
    return bits;
}
#endif

struct cutting {
    struct line_cutter *cutter;
    const char *data;
    size_t size;
    size_t start; /* of the line */
    struct builder *b;
    beck_view *views;
    uint32_t rows, room;
    bool no_memory;
};

static bool grow(struct cutting *c)
{
    uint32_t more = c->rows < ROWS_FIRST ? ROWS_FIRST : c->rows;
    if (c->rows >= c->b->limit)
        return false;
    if (more > c->b->limit - c->rows)
        more = c->b->limit - c->rows;
    beck_column *column = &c->b->chunk->column[0];
    column->size = c->rows;
    if (!beck__builder_reserve(c->b, more)) {
        c->no_memory = true;
        return false;
    }
    c->views = column->data;
    c->room = c->rows + more;
    return true;
}

/* Bytes [0, n) of a little-endian word. */
static inline uint64_t first_bytes(uint64_t x, size_t n)
{
    return n >= 8 ? x : x & (((uint64_t)1 << 8 * n) - 1);
}

/* Short or long is decided without a branch, which text would mispredict; to that end 12 bytes are
 * read, where the data has them. A view is two words: size and prefix, the rest or the pointer. */
static inline void put_view(struct cutting *c, size_t start, size_t size)
{
    const char *p = c->data + start;
    beck_view *view = &c->views[c->rows++];
    uint64_t words[2], rest;
    uint32_t prefix;
    if (c->size - start < BECK_VIEW_INLINE) {
        *view = beck__view(p, size);
        return;
    }
    memcpy(&prefix, p, 4);
    memcpy(&rest, p + 4, 8);
    words[0] = size | first_bytes(prefix, size) << 32;
    words[1] = first_bytes(rest, size > 4 ? size - 4 : 0);
    words[1] = size > BECK_VIEW_INLINE ? (uintptr_t)p : words[1];
    memcpy(view, words, sizeof *view);
}

/* The line [start, end), `next` begins the one behind it. False, and nothing happens, if there is
 * no room. */
static inline bool put_line(struct cutting *c, size_t end, size_t next)
{
    if (c->rows == c->room && !grow(c))
        return false;
    size_t size = end - c->start;
    if (size > c->cutter->line_max) {
        size = c->cutter->line_max;
        c->cutter->cut++;
    }
    put_view(c, c->start, size);
    c->start = next;
    return true;
}

/* The line that a newline at `end` completes; its CR is dropped. */
static inline bool put_complete(struct cutting *c, size_t end)
{
    size_t cr = end > c->start && c->data[end - 1] == '\r';
    return put_line(c, end - cr, end + 1);
}

/* True if all complete lines have become rows. */
static bool cut_complete(struct cutting *c)
{
    size_t at = c->start;
    for (; at < c->size; at += STEP) {
        uint64_t bits;
        if (c->size - at >= STEP) {
            bits = newlines(c->data + at);
        } else {
            char tail[STEP] = {0};
            memcpy(tail, c->data + at, c->size - at);
            bits = newlines(tail);
        }
        for (; bits != 0; bits &= bits - 1)
            if (!put_complete(c, at + (size_t)__builtin_ctzll(bits)))
                return false;
    }
    return true;
}

/* Drops the rest of a line that was cut; true if its newline was found. */
static bool skip(struct cutting *c)
{
    const char *newline = memchr(c->data, '\n', c->size);
    c->start = newline ? (size_t)(newline - c->data) + 1 : c->size;
    return newline != NULL;
}

size_t beck__lines_cut(struct line_cutter *cutter, const char *data, size_t size, bool last,
                       struct builder *b, bool *ok)
{
    beck_column *column = &b->chunk->column[0];
    struct cutting c = {.cutter = cutter, .data = data, .size = size, .b = b};
    assert(b->chunk->columns == 1 && column->type == BECK_STRING);
    assert(cutter->line_max <= UINT32_MAX);

    *ok = true;
    if (size == 0)
        return 0;
    c.views = column->data;
    c.rows = b->chunk->rows;
    c.room = column->capacity < b->limit ? column->capacity : b->limit;
    if (c.room < c.rows)
        c.room = c.rows;
    if (cutter->skipping)
        cutter->skipping = !skip(&c);

    if (cut_complete(&c) && c.start < size) {
        size_t rest = size - c.start;
        if (last)
            put_line(&c, size, size);
        else if (rest >= 2 && rest - 2 >= cutter->line_max)
            cutter->skipping = put_line(&c, size, size);
    }
    for (uint32_t i = b->chunk->rows; column->valid && i < c.rows; i++)
        beck__bit_set(column->valid, i);
    column->size = b->chunk->rows = c.rows;
    *ok = !c.no_memory;
    return c.start;
}
