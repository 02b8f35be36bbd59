/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sorted shuffle without a job that samples: every map leaves a sorted run, and when all are
 * there their samples say where to cut. Whole blocks change hands; of one that lies across a cut
 * its rows are copied.
 *
 *   map 0   a a c d | e f | h        partition 0: the runs  a a c d,  b d d
 *   map 1   b d d   | g   | i i      ...
 *
 * The cuts follow from the rows alone, never from the number of threads. Driver's thread.
 */
#include "engine/local/local.h"

#define ROWS_MIN       256u /* a partition of fewer is not worth a task */
#define SAMPLES        64u  /* per partition, and per run and partition ... */
#define SAMPLES_A_RUN  4u
#define SAMPLES_AT_ALL 65536u

/* A place in a run. */
struct cursor {
    size_t block;
    uint32_t row;
};

struct cut {
    struct dataset *shuffle;
    uint32_t used;          /* partitions that get rows */
    struct builder samples; /* whole rows */
    uint32_t *sorted;       /* rows of samples */
    struct blocks *out;     /* [map * partitions + target] */
};

/* Every step-th row of all runs, one after the other. */
static bool take_samples(struct cut *c, uint64_t step)
{
    const struct dataset *d = c->shuffle;
    uint64_t next = step / 2, at = 0;

    for (uint32_t m = 0; m < d->maps; m++)
        for (size_t i = 0; i < d->out[m].count; i++) {
            const beck_chunk *chunk = d->out[m].items[i]->chunk;
            for (; next < at + chunk->rows; next += step) {
                uint32_t row = (uint32_t)(next - at);
                if (!beck__builder_rows(&c->samples, chunk, &row, 1, true))
                    return false;
            }
            at += chunk->rows;
        }
    return true;
}

/* True if a row of the run is behind the splitter: in a later partition. */
static bool is_behind(const struct cut *c, const beck_chunk *chunk, uint32_t row, uint32_t splitter)
{
    return beck__row_compare(&c->shuffle->partitioning.order, chunk, row, c->samples.chunk,
                             splitter) > 0;
}

/* The first row of the run that is behind the splitter. */
static struct cursor find_cut(const struct cut *c, const struct blocks *run, uint32_t splitter)
{
    size_t low = 0, high = run->count;

    while (low < high) { /* the first block whose last row is behind it */
        size_t middle = (low + high) / 2;
        const beck_chunk *chunk = run->items[middle]->chunk;
        if (is_behind(c, chunk, chunk->rows - 1, splitter))
            high = middle;
        else
            low = middle + 1;
    }
    if (low == run->count)
        return (struct cursor){low, 0};
    const beck_chunk *chunk = run->items[low]->chunk;
    uint32_t first = 0, last = chunk->rows - 1;
    while (first < last) {
        uint32_t middle = first + (last - first) / 2;
        if (is_behind(c, chunk, middle, splitter))
            last = middle;
        else
            first = middle + 1;
    }
    return (struct cursor){low, first};
}

/* Rows [from, end) of one block. */
static bool give(struct block *block, uint32_t from, uint32_t end, struct blocks *to)
{
    if (from == end)
        return true;
    if (from > 0 || end < block->chunk->rows) {
        struct block *part =
            beck__block_new(to->memory, block->schema, block->chunk, from, end - from, NULL);
        return part && beck__blocks_add(to, part);
    }
    beck__block_ref(block);
    return beck__blocks_add(to, block);
}

static bool give_rows(const struct blocks *run, struct cursor from, struct cursor end,
                      struct blocks *to)
{
    bool ok = true;

    for (; ok && from.block < end.block; from = (struct cursor){from.block + 1, 0})
        ok = give(run->items[from.block], from.row, run->items[from.block]->chunk->rows, to);
    return ok && (from.row >= end.row || give(run->items[from.block], from.row, end.row, to));
}

static bool cut_run(struct cut *c, uint32_t m)
{
    struct dataset *d = c->shuffle;
    const struct blocks *run = &d->out[m];
    struct cursor from = {0, 0};

    for (uint32_t t = 0; t < c->used; t++) {
        struct cursor end = {run->count, 0};
        struct blocks *to = &c->out[(size_t)m * d->partitions + t];
        if (t + 1 < c->used) {
            uint64_t sample = (uint64_t)(t + 1) * c->samples.chunk->rows / c->used;
            end = find_cut(c, run, c->sorted[sample]);
        }
        if (!give_rows(run, from, end, to))
            return false;
        d->target_rows[t] += to->rows;
        from = end;
    }
    return true;
}

static bool choose(struct cut *c, uint64_t rows)
{
    const struct dataset *d = c->shuffle;
    uint64_t wanted = (uint64_t)c->used * (SAMPLES + SAMPLES_A_RUN * d->maps);

    if (c->used == 1)
        return true;
    if (wanted > SAMPLES_AT_ALL)
        wanted = SAMPLES_AT_ALL;
    if (beck__builder_init(&c->samples, &d->scope->engine->os->memory, d->schema, UINT32_MAX,
                           NULL) ||
        !take_samples(c, rows > wanted ? rows / wanted : 1))
        return false;
    c->sorted =
        beck__arena_alloc(&d->scope->arena, (c->samples.chunk->rows + 1) * sizeof *c->sorted);
    return c->sorted &&
           beck__sort_rows(c->samples.memory, &d->partitioning.order, c->samples.chunk, c->sorted);
}

/* The new lists take the place of the runs, or go if they are not whole. */
static void replace(struct cut *c, bool whole)
{
    struct dataset *d = c->shuffle;
    struct blocks *gone = whole ? d->out : c->out;
    size_t count = (size_t)d->maps * (whole ? 1 : d->partitions);

    for (size_t i = 0; i < count; i++)
        beck__blocks_deinit(&gone[i]);
    if (whole) {
        d->out = c->out;
        d->lists = d->partitions;
    }
}

beck_status beck__range_cut(struct dataset *d, struct error *error)
{
    struct cut c = {.shuffle = d};
    uint64_t rows = d->target_rows[0], used = (rows + ROWS_MIN - 1) / ROWS_MIN;
    size_t lists = (size_t)d->maps * d->partitions;

    c.used = used < 1 ? 1 : used < d->partitions ? (uint32_t)used : d->partitions;
    d->target_rows[0] = 0;
    c.out = beck__arena_alloc(&d->scope->arena, (lists + 1) * sizeof *c.out);
    if (!c.out)
        return beck__error_memory(error, "a sorted shuffle", lists * sizeof *c.out);
    for (size_t i = 0; i < lists; i++)
        c.out[i].memory = &d->scope->engine->os->memory;
    bool whole = choose(&c, rows);
    for (uint32_t m = 0; whole && m < d->maps; m++)
        whole = cut_run(&c, m);
    beck__builder_deinit(&c.samples);
    replace(&c, whole);
    return whole ? BECK_OK : beck__error_memory(error, "a sorted shuffle", 0);
}
