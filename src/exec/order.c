/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sorted order of the rows of a chunk, as row numbers: nothing is moved but pairs of a row and
 * the first eight bytes of its key, so made that they compare as numbers. Always stable.
 *
 * Rows that are nearly in order (the runs of a shuffle, sorted input) are merged from their natural
 * runs; many others are sorted by those eight bytes (radix, least byte first), and then the rows
 * that agree in them by the whole key.
 */
#include "exec/exec.h"

struct item {
    uint64_t prefix;
    uint32_t row;
};

struct sorter {
    const struct order *order;
    const beck_chunk *chunk;
    bool exact; /* equal prefixes are equal keys */
    struct item *items, *spare;
    uint32_t *starts; /* of runs */
};

#define RUN_ROWS_MIN   16u /* shorter runs are extended by insertion */
#define RADIX_ROWS_MIN 1024u
#define RADIX_RUN_ROWS 64u /* rows of a run, below which radix is faster */

/* ---- prefixes -------------------------------------------------------------------------------- */

#define SIGN ((uint64_t)1 << 63)

static uint64_t double_prefix(double x)
{
    uint64_t bits;

    if (x != x)
        return UINT64_MAX;
    if (x == 0)
        x = 0; /* not -0.0 */
    memcpy(&bits, &x, sizeof bits);
    return bits & SIGN ? ~bits : bits | SIGN;
}

/* Shorter ones are padded with zeros, the least byte. */
static uint64_t view_prefix(const beck_view *view)
{
    beck_str s = beck_view_string(view);
    uint64_t bytes = 0;

    if (s.size > 0)
        memcpy(&bytes, s.data, s.size < sizeof bytes ? s.size : sizeof bytes);
    return __builtin_bswap64(bytes);
}

static uint64_t prefix_of(const beck_column *k, uint32_t row)
{
    switch ((beck_type)k->type) {
    case BECK_BOOLEAN:
        return ((const uint8_t *)k->data)[row];
    case BECK_BIGINT:
    case BECK_TIMESTAMP:
        return ((const uint64_t *)k->data)[row] ^ SIGN;
    case BECK_DOUBLE:
        return double_prefix(((const double *)k->data)[row]);
    case BECK_STRING:
    case BECK_BINARY:
        return view_prefix((const beck_view *)k->data + row);
    case BECK_NONE_TYPE:
    case BECK_ARRAY:
    case BECK_STRUCT:
        break;
    }
    return 0;
}

/* A null is like the least value here: the whole keys tell them apart. */
static void fill(struct sorter *s)
{
    const beck_column *k = &s->chunk->column[s->order->columns[0] / 2];
    uint64_t turn = s->order->columns[0] % 2 ? UINT64_MAX : 0;
    bool fixed = k->type == BECK_BOOLEAN || k->type == BECK_BIGINT || k->type == BECK_DOUBLE ||
                 k->type == BECK_TIMESTAMP;

    s->exact = fixed && !k->valid && s->order->count == 1;
    for (uint32_t row = 0; row < s->chunk->rows; row++) {
        bool null = k->valid && !beck__bit_get(k->valid, row);
        s->items[row] = (struct item){(null ? 0 : prefix_of(k, row)) ^ turn, row};
    }
}

/* ---- merging natural runs -------------------------------------------------------------------- */

static inline bool is_after(const struct sorter *s, const struct item *a, const struct item *b)
{
    if (a->prefix != b->prefix)
        return a->prefix > b->prefix;
    return !s->exact && beck__row_compare(s->order, s->chunk, a->row, s->chunk, b->row) > 0;
}

/* Insertion sort of [from, to), of which [from, sorted) is sorted. */
static void insert(struct sorter *s, uint32_t from, uint32_t sorted, uint32_t to)
{
    for (uint32_t i = sorted; i < to; i++) {
        struct item item = s->items[i];
        uint32_t at = i;
        for (; at > from && is_after(s, &s->items[at - 1], &item); at--)
            s->items[at] = s->items[at - 1];
        s->items[at] = item;
    }
}

/* starts[]: the runs of [from, to), and `to` behind the last. Returns their number. */
static uint32_t find_runs(struct sorter *s, uint32_t from, uint32_t to)
{
    uint32_t count = 0;

    for (uint32_t at = from; at < to;) {
        uint32_t end = at + 1;
        while (end < to && !is_after(s, &s->items[end - 1], &s->items[end]))
            end++;
        uint32_t least = to - at < RUN_ROWS_MIN ? to : at + RUN_ROWS_MIN;
        if (end < least) {
            insert(s, at, end, least);
            end = least;
        }
        s->starts[count++] = at;
        at = end;
    }
    s->starts[count] = to;
    return count;
}

/* Two neighbouring runs of `items` into `spare`. */
static void merge(struct sorter *s, uint32_t from, uint32_t middle, uint32_t to)
{
    const struct item *a = s->items + from, *b = s->items + middle;
    const struct item *a_end = b, *b_end = s->items + to;
    struct item *out = s->spare + from;

    while (a < a_end && b < b_end)
        *out++ = is_after(s, a, b) ? *b++ : *a++;
    memcpy(out, a, (size_t)(a_end - a) * sizeof *a);
    out += a_end - a;
    memcpy(out, b, (size_t)(b_end - b) * sizeof *b);
}

/* Merges neighbours until one run is left; it is in `items` again. */
static void merge_runs(struct sorter *s, uint32_t from, uint32_t to)
{
    uint32_t count = find_runs(s, from, to);
    struct item *home = s->items;

    while (count > 1) {
        uint32_t made = 0;
        for (uint32_t i = 0; i < count; i += 2) {
            uint32_t middle = s->starts[i + 1], end = i + 2 <= count ? s->starts[i + 2] : middle;
            merge(s, s->starts[i], middle, end);
            s->starts[made++] = s->starts[i];
        }
        s->starts[made] = to;
        count = made;
        struct item *other = s->items;
        s->items = s->spare;
        s->spare = other;
    }
    if (s->items == home)
        return;
    memcpy(home + from, s->items + from, (size_t)(to - from) * sizeof *home);
    s->spare = s->items;
    s->items = home;
}

/* True if the rows change direction so often that merging would be slow. */
static bool is_shuffled(const struct sorter *s)
{
    uint32_t rows = s->chunk->rows, runs = 1;

    for (uint32_t i = 1; i < rows && rows >= RADIX_ROWS_MIN; i++) {
        runs += is_after(s, &s->items[i - 1], &s->items[i]);
        if (runs > rows / RADIX_RUN_ROWS)
            return true;
    }
    return false;
}

/* ---- radix ----------------------------------------------------------------------------------- */

static void scatter(struct sorter *s, unsigned shift, uint32_t *counts)
{
    uint32_t rows = s->chunk->rows, at = 0;

    for (unsigned byte = 0; byte < 256; byte++) {
        uint32_t count = counts[byte];
        counts[byte] = at;
        at += count;
    }
    for (uint32_t i = 0; i < rows; i++)
        s->spare[counts[s->items[i].prefix >> shift & 255]++] = s->items[i];
    struct item *other = s->items;
    s->items = s->spare;
    s->spare = other;
}

static void radix(struct sorter *s)
{
    uint32_t counts[8][256] = {{0}}, rows = s->chunk->rows;

    for (uint32_t i = 0; i < rows; i++)
        for (unsigned digit = 0; digit < 8; digit++)
            counts[digit][s->items[i].prefix >> 8 * digit & 255]++;
    for (unsigned digit = 0; digit < 8; digit++)
        if (counts[digit][s->items[0].prefix >> 8 * digit & 255] != rows)
            scatter(s, 8 * digit, counts[digit]);
    for (uint32_t from = 0, to; from < rows && !s->exact; from = to) {
        for (to = from + 1; to < rows && s->items[to].prefix == s->items[from].prefix;)
            to++;
        if (to - from > 1)
            merge_runs(s, from, to);
    }
}

/* ---- all of it ------------------------------------------------------------------------------- */

bool beck__sort_rows(const struct allocator *memory, const struct order *order,
                     const beck_chunk *chunk, uint32_t *rows)
{
    struct sorter s = {.order = order, .chunk = chunk};
    size_t items = (size_t)chunk->rows * sizeof *s.items;
    size_t starts = ((size_t)chunk->rows / RUN_ROWS_MIN + 3) * sizeof *s.starts;
    struct item *first = beck__alloc(memory, items), *second = beck__alloc(memory, items);

    s.starts = beck__alloc(memory, starts);
    s.items = first;
    s.spare = second;
    bool ok = first && second && s.starts;
    if (ok) {
        fill(&s);
        if (is_shuffled(&s))
            radix(&s);
        else
            merge_runs(&s, 0, chunk->rows);
        for (uint32_t i = 0; i < chunk->rows; i++)
            rows[i] = s.items[i].row;
    }
    beck__free(memory, first, items);
    beck__free(memory, second, items);
    beck__free(memory, s.starts, starts);
    return ok;
}
