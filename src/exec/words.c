/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels of beck_words and beck_lines: delimiters are found 64 bytes at a time as a bit mask,
 * words leave as views that share the line's bytes.
 *
 *   bytes   t h e _ q u i c k _          delimiters  0 0 0 1 0 0 0 0 0 1
 *   a word starts where a byte follows a delimiter, and ends where a delimiter follows a byte
 */
#include "exec/call.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef SANITIZED
#include <sanitizer/asan_interface.h>
#endif

struct words {
    struct operator base;
    struct builder out;
    bool lines, count;
    /* the words since the last flush; out's columns and rows are set when it is flushed */
    beck_view *views;
    uint32_t rows, room;
    uint32_t ones; /* rows of the second column that hold 1: they stay so */
};

/* Bit i is set if byte i of 64 is a delimiter. */
static inline uint64_t delimiters(const char *p)
{
    uint64_t mask = 0;
#if defined(__SSE2__)
    const __m128i space = _mm_set1_epi8(' '), lf = _mm_set1_epi8('\n');
    const __m128i tab = _mm_set1_epi8('\t'), cr = _mm_set1_epi8('\r');
    for (unsigned i = 0; i < 4; i++) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        __m128i a = _mm_or_si128(_mm_cmpeq_epi8(v, space), _mm_cmpeq_epi8(v, lf));
        __m128i b = _mm_or_si128(_mm_cmpeq_epi8(v, tab), _mm_cmpeq_epi8(v, cr));
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_or_si128(a, b)) << (16 * i);
    }
#else
    for (unsigned i = 0; i < 64; i++)
        mask |= (uint64_t)(p[i] == ' ' || p[i] == '\n' || p[i] == '\t' || p[i] == '\r') << i;
#endif
    return mask;
}

static enum flow pass_on(struct words *self)
{
    beck_chunk *out = self->out.chunk;

    for (uint32_t k = 0; k < out->columns; k++)
        out->column[k].size = self->rows;
    out->rows = self->rows;
    self->rows = 0;
    return beck__flush(&self->base, &self->out);
}

/* Makes room for `more` words, pushing on what is there. */
static enum flow room(struct words *self, uint32_t more)
{
    beck_chunk *out = self->out.chunk;

    if (self->rows + more <= self->room)
        return FLOW_MORE;
    if (self->rows + more > BECK__CHUNK_ROWS) {
        enum flow flow = pass_on(self);
        if (flow != FLOW_MORE)
            return flow;
    }
    for (uint32_t k = 0; k < out->columns; k++)
        out->column[k].size = self->rows;
    if (!beck__builder_reserve(&self->out, more)) {
        beck__error_memory(&self->base.task->error, self->base.op->name, 0);
        return FLOW_FAILED;
    }
    self->views = out->column[0].data;
    self->room = out->column[0].capacity;
    if (self->room > BECK__CHUNK_ROWS)
        self->room = BECK__CHUNK_ROWS;
    if (self->count) {
        int64_t *ones = out->column[1].data;
        if (self->room > out->column[1].capacity)
            self->room = out->column[1].capacity;
        while (self->ones < self->room)
            ones[self->ones++] = 1;
    }
    return FLOW_MORE;
}

static inline void put(struct words *self, beck_view view)
{
    self->views[self->rows++] = view;
}

/* A word on its way: where it began, if it has. */
struct word {
    const char *start;
    bool open;
};

/* The words that end within 64 bytes at `at`; there is room for 33. `safe`: words up to here have
 * 16 readable bytes. */
static inline void cut_block(struct words *self, const char *at, uint64_t mask, const char *safe,
                             struct word *word)
{
    uint64_t inside = ~mask;
    uint64_t edges = inside ^ (inside << 1 | (uint64_t)word->open); /* starts and ends in turn */
    beck_view *out = self->views + self->rows;
    const char *start = word->start;

    if (!word->open && edges) {
        start = at + __builtin_ctzll(edges);
        edges &= edges - 1;
        word->open = true;
    }
    while (edges) {
        size_t size = (size_t)(at + __builtin_ctzll(edges) - start);
        edges &= edges - 1;
        if (__builtin_expect(size <= BECK_VIEW_INLINE && start <= safe, 1))
            *out = beck__view_padded(start, size);
        else
            *out = beck__view(start, size);
        out++;
        word->open = edges != 0;
        if (!edges)
            break;
        start = at + __builtin_ctzll(edges);
        edges &= edges - 1;
    }
    word->start = start;
    self->rows = (uint32_t)(out - self->views);
}

static enum flow cut_words(struct words *self, beck_str text)
{
    struct word word = {text.data, false};
    const char *at = text.data, *end = text.data + text.size,
               *safe = text.size < 16 ? at - 1 : end - 16;

    for (; end - at >= 64; at += 64) {
        enum flow flow = room(self, 33);
        if (flow != FLOW_MORE)
            return flow;
        cut_block(self, at, delimiters(at), safe, &word);
    }
    enum flow flow = room(self, 34);
    if (flow != FLOW_MORE)
        return flow;
    if (at < end) {
        char block[64];
        memset(block, ' ', sizeof block);
        memcpy(block, at, (size_t)(end - at));
        cut_block(self, at, delimiters(block), safe, &word);
    }
    if (word.open)
        put(self, beck__view(word.start, (size_t)(end - word.start)));
    return FLOW_MORE;
}

static enum flow cut_lines(struct words *self, beck_str rest)
{
    while (rest.size) {
        const char *end = memchr(rest.data, '\n', rest.size);
        size_t size = end ? (size_t)(end - rest.data) : rest.size, used = end ? size + 1 : size;
        enum flow flow = room(self, 1);
        if (flow != FLOW_MORE)
            return flow;
        if (end && size && rest.data[size - 1] == '\r')
            size--;
        put(self, beck__view(rest.data, size));
        rest.data += used;
        rest.size -= used;
    }
    return FLOW_MORE;
}

/* True if nothing but a line end lies between two strings. The bytes between may belong to nobody
 * (an arena rounds up): whatever stands there, the words are the same. AddressSanitizer is asked.
 */
static inline bool line_end_between(const char *end, const char *next)
{
    uintptr_t gap = (uintptr_t)next - (uintptr_t)end;

    if (gap != 1 && gap != 2)
        return false;
#ifdef SANITIZED
    if (__asan_region_is_poisoned((void *)(uintptr_t)end, gap))
        return false;
#endif
    return gap == 1 ? end[0] == '\n' : end[0] == '\r' && end[1] == '\n';
}

/* Lines that lie behind one another with nothing but a line end between them are one text: the
 * words of all of them are found in one go. Returns the row behind the last one taken. */
static uint32_t join_lines(const beck_view *views, const beck_column *k, uint32_t row,
                           uint32_t rows, beck_str *text)
{
    *text = beck_view_string(&views[row]);
    while (++row < rows && !k->valid && text->size > BECK_VIEW_INLINE) {
        const beck_view *next = &views[row];
        const char *end = text->data + text->size;
        if (next->size <= BECK_VIEW_INLINE || !line_end_between(end, next->u.data))
            break;
        text->size = (size_t)(next->u.data - text->data) + next->size;
    }
    return row;
}

static enum flow words_push(struct operator *base, const beck_chunk *chunk)
{
    struct words *self = (struct words *)base;
    const beck_column *k = &chunk->column[0];
    const beck_view *views = k->data;
    enum flow flow = FLOW_MORE;

    for (uint32_t i = 0; i < chunk->rows && flow == FLOW_MORE;) {
        beck_str text = beck_view_string(&views[i]);
        if (k->valid && !beck__bit_get(k->valid, i)) {
            i++;
        } else if (self->lines) {
            flow = cut_lines(self, text);
            i++;
        } else {
            i = join_lines(views, k, i, chunk->rows, &text);
            flow = cut_words(self, text);
        }
    }
    return flow == FLOW_MORE && self->rows ? pass_on(self) : flow;
}

static void words_close(struct operator *base)
{
    beck__builder_deinit(&((struct words *)base)->out);
}

struct operator *beck__words_open(struct task *task, const struct op *op)
{
    struct words *self = beck__operator_new(task, op, sizeof *self);

    if (!self || beck__builder_init(&self->out, task->memory, op->out, 0, &task->error))
        return NULL;
    self->lines = op->kind == OP_LINES;
    self->count = op->out->count == 2;
    self->base.push = words_push;
    self->base.close = words_close;
    return &self->base;
}

/* ---- as callbacks: what runs if the kernel is not recognised --------------------------------- */

static void emit_piece(beck_call *c, beck_str piece)
{
    beck_value values[2] = {beck_string_value(piece), beck_integer_value(1)};

    beck_emit_values(c, values, c->width == 2 ? 2 : 1);
}

void beck_words(beck_call *c, beck_row line)
{
    beck_str rest = beck_get_string(line, 0), word;

    while (beck_next_token(&rest, " \t\r\n", &word))
        emit_piece(c, word);
}

void beck_lines(beck_call *c, beck_row text)
{
    beck_str rest = beck_get_string(text, 0);

    while (rest.size) {
        const char *end = memchr(rest.data, '\n', rest.size);
        size_t size = end ? (size_t)(end - rest.data) : rest.size, used = end ? size + 1 : size;
        if (end && size && rest.data[size - 1] == '\r')
            size--;
        emit_piece(c, beck_bytes_of(rest.data, size));
        rest.data += used;
        rest.size -= used;
    }
}
