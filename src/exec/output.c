/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a task's rows end: the collector keeps them as blocks; the shuffle writer cuts them by
 * target partition, in order. Both copy: a block owns all its bytes.
 */
#include "exec/call.h"

struct collector {
    struct operator base;
    const beck_schema *schema;
    struct blocks *out;
};

static enum flow keep(struct operator *base, const beck_schema *schema, const beck_chunk *chunk,
                      struct blocks *out)
{
    struct block *block = beck__block_new(base->task->memory, schema, chunk, 0, chunk->rows, NULL);

    if (block && beck__blocks_add(out, block))
        return FLOW_MORE;
    beck__error_memory(&base->task->error, "the rows of a partition", 0);
    return FLOW_FAILED;
}

static enum flow collector_push(struct operator *base, const beck_chunk *chunk)
{
    struct collector *self = (struct collector *)base;

    return chunk->rows ? keep(base, self->schema, chunk, self->out) : FLOW_MORE;
}

struct operator*
    beck__collector_open(struct task *task, const beck_schema *schema, struct blocks *out)
{
    struct collector *self = beck__operator_new(task, NULL, sizeof *self);

    if (!self)
        return NULL;
    self->schema = schema;
    self->out = out;
    self->base.push = collector_push;
    return &self->base;
}

/* ---- shuffle writer -------------------------------------------------------------------------- */

struct shuffle {
    struct operator base;
    const beck_schema *schema;
    struct partitioning partitioning;
    struct blocks *out;
    struct builder *targets;
    uint32_t opened;
    uint32_t turn; /* ROUND_ROBIN: next target */
    struct text scratch;
    uint32_t *counts, *starts; /* by target */
    uint32_t target[BECK__CHUNK_ROWS], order[BECK__CHUNK_ROWS];
};

static enum flow target_flush(struct shuffle *self, uint32_t t)
{
    if (self->targets[t].chunk->rows == 0)
        return FLOW_MORE;
    enum flow flow = keep(&self->base, self->schema, self->targets[t].chunk, &self->out[t]);
    beck__builder_clear(&self->targets[t]);
    return flow;
}

/* False if a key could not be encoded: its hash means nothing. */
static bool choose(struct shuffle *self, const beck_chunk *chunk, uint32_t from, uint32_t count)
{
    uint32_t n = self->partitioning.count, keys = self->partitioning.keys;
    bool failed = false;

    for (uint32_t i = 0; i < count; i++) {
        if (self->partitioning.kind == PARTITION_HASH) {
            self->target[i] =
                (uint32_t)(beck__key_hash(chunk, 0, keys, from + i, &self->scratch) % n);
            failed |= self->scratch.failed;
        } else if (self->partitioning.kind == PARTITION_ROUND_ROBIN) {
            self->target[i] = self->turn;
            self->turn = self->turn + 1 == n ? 0 : self->turn + 1;
        } else {
            self->target[i] = 0;
        }
    }
    return !failed;
}

/* order[]: the rows by target, in order within each (a counting sort). */
static void sort_by_target(struct shuffle *self, uint32_t from, uint32_t count)
{
    uint32_t n = self->partitioning.count, at = 0;

    memset(self->counts, 0, n * sizeof *self->counts);
    for (uint32_t i = 0; i < count; i++)
        self->counts[self->target[i]]++;
    for (uint32_t t = 0; t < n; t++) {
        self->starts[t] = at;
        at += self->counts[t];
    }
    for (uint32_t i = 0; i < count; i++)
        self->order[self->starts[self->target[i]]++] = from + i;
}

/* Appends rows to a target; blocks are cut at BECK__CHUNK_ROWS rows. */
static enum flow deliver(struct shuffle *self, uint32_t t, const beck_chunk *chunk,
                         const uint32_t *rows, uint32_t count)
{
    struct builder *b = &self->targets[t];

    while (count) {
        uint32_t space = BECK__CHUNK_ROWS - b->chunk->rows, n = count < space ? count : space;
        if (!beck__builder_rows(b, chunk, rows, n, false)) {
            beck__error_memory(&self->base.task->error, "a shuffle", 0);
            return FLOW_FAILED;
        }
        rows += n;
        count -= n;
        if (b->chunk->rows == BECK__CHUNK_ROWS && target_flush(self, t) == FLOW_FAILED)
            return FLOW_FAILED;
    }
    return FLOW_MORE;
}

static enum flow shuffle_push(struct operator *base, const beck_chunk *chunk)
{
    struct shuffle *self = (struct shuffle *)base;
    uint32_t n = self->partitioning.count;

    for (uint32_t from = 0; from < chunk->rows; from += BECK__CHUNK_ROWS) {
        uint32_t count = beck__step(from, chunk->rows, BECK__CHUNK_ROWS);
        if (!choose(self, chunk, from, count)) {
            beck__error_memory(&base->task->error, "a shuffle", self->scratch.capacity);
            return FLOW_FAILED;
        }
        sort_by_target(self, from, count);
        for (uint32_t t = 0; t < n; t++)
            if (self->counts[t] &&
                deliver(self, t, chunk, self->order + self->starts[t] - self->counts[t],
                        self->counts[t]) == FLOW_FAILED)
                return FLOW_FAILED;
    }
    return FLOW_MORE;
}

static enum flow shuffle_finish(struct operator *base)
{
    struct shuffle *self = (struct shuffle *)base;

    for (uint32_t t = 0; t < self->partitioning.count; t++)
        if (target_flush(self, t) == FLOW_FAILED)
            return FLOW_FAILED;
    return FLOW_MORE;
}

static void shuffle_close(struct operator *base)
{
    struct shuffle *self = (struct shuffle *)base;

    for (uint32_t t = 0; t < self->opened; t++)
        beck__builder_deinit(&self->targets[t]);
    beck__text_deinit(&self->scratch);
}

struct operator *beck__shuffle_writer_open(struct task *task, const beck_schema *schema,
                                           struct partitioning partitioning, struct blocks *out)
{
    struct shuffle *self = beck__operator_new(task, NULL, sizeof *self);
    uint32_t n = partitioning.count;

    if (!self)
        return NULL;
    self->schema = schema;
    self->partitioning = partitioning;
    self->out = out;
    self->turn = task->partition % n;
    self->scratch.memory = task->memory;
    self->targets = beck__arena_alloc(&task->arena, n * sizeof *self->targets);
    self->counts = beck__arena_alloc(&task->arena, n * sizeof *self->counts);
    self->starts = beck__arena_alloc(&task->arena, n * sizeof *self->starts);
    if (!self->targets || !self->counts || !self->starts) {
        beck__error_memory(&task->error, "a shuffle", n * sizeof *self->targets);
        return NULL;
    }
    for (; self->opened < n; self->opened++)
        if (beck__builder_init(&self->targets[self->opened], task->memory, schema, 0,
                               &task->error)) {
            shuffle_close(&self->base);
            return NULL;
        }
    self->base.push = shuffle_push;
    self->base.finish = shuffle_finish;
    self->base.close = shuffle_close;
    return &self->base;
}
