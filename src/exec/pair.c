/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two partitions become one of pairs: row by row (zip), or each row of the left with all of the
 * right (cartesian). The right partition is held, the left one comes by.
 */
#include "exec/call.h"

struct pair {
    struct operator base;
    enum pair_kind kind;
    const struct blocks *right;
    size_t block; /* ZIP: next row of the right */
    uint32_t row;
    uint64_t left_rows;
    bool done;
    struct builder out;
    uint32_t rows[2][BECK__CHUNK_ROWS];
};

static enum flow flush(struct pair *self)
{
    enum flow flow = beck__flush(&self->base, &self->out);

    self->done |= flow == FLOW_DONE;
    return flow;
}

/* Pairs of rows[0] of the left and rows[1] of the right chunk; flushed if there is no room. */
static enum flow add(struct pair *self, const beck_chunk *left, const beck_chunk *right,
                     uint32_t count)
{
    enum flow flow = FLOW_MORE;
    bool ok = true;

    if (self->out.chunk->rows + count > BECK__CHUNK_ROWS)
        flow = flush(self);
    if (flow != FLOW_MORE)
        return flow;
    for (uint32_t k = 0; ok && k < left->columns; k++)
        ok = beck__builder_cells(&self->out, k, &left->column[k], self->rows[0], count, true);
    for (uint32_t k = 0; ok && k < right->columns; k++)
        ok = beck__builder_cells(&self->out, left->columns + k, &right->column[k], self->rows[1],
                                 count, true);
    if (!ok) {
        beck__error_memory(&self->base.task->error, "pairs of rows", 0);
        return FLOW_FAILED;
    }
    self->out.chunk->rows += count;
    return FLOW_MORE;
}

static enum flow unequal(struct pair *self)
{
    struct task *task = self->base.task;

    beck__error_set(&task->error, BECK_INVALID,
                    "zip: partition %u has %llu rows on the left and %llu on the right, or more; "
                    "both must have as many: zip an RDD with what map made of it",
                    task->partition, (unsigned long long)self->left_rows,
                    (unsigned long long)self->right->rows);
    return FLOW_FAILED;
}

static enum flow zip_push(struct pair *self, const beck_chunk *left)
{
    enum flow flow = FLOW_MORE;

    self->left_rows += left->rows;
    if (self->left_rows > self->right->rows)
        return unequal(self);
    for (uint32_t at = 0, n; at < left->rows && flow == FLOW_MORE; at += n) {
        const beck_chunk *right = self->right->items[self->block]->chunk;
        n = beck__step(at, left->rows, BECK__CHUNK_ROWS);
        if (n > right->rows - self->row)
            n = right->rows - self->row;
        for (uint32_t i = 0; i < n; i++) {
            self->rows[0][i] = at + i;
            self->rows[1][i] = self->row + i;
        }
        flow = add(self, left, right, n);
        self->row += n;
        if (self->row == right->rows) {
            self->row = 0;
            self->block++;
        }
    }
    return flow;
}

/* One row of the left with all rows of one block. */
static enum flow spread(struct pair *self, const beck_chunk *left, uint32_t row,
                        const beck_chunk *right)
{
    enum flow flow = FLOW_MORE;

    for (uint32_t at = 0, n; at < right->rows && flow == FLOW_MORE; at += n) {
        n = beck__step(at, right->rows, BECK__CHUNK_ROWS);
        for (uint32_t i = 0; i < n; i++) {
            self->rows[0][i] = row;
            self->rows[1][i] = at + i;
        }
        flow = add(self, left, right, n);
    }
    return flow;
}

static enum flow cartesian_push(struct pair *self, const beck_chunk *left)
{
    enum flow flow = FLOW_MORE;

    for (uint32_t row = 0; row < left->rows && flow == FLOW_MORE; row++)
        for (size_t i = 0; i < self->right->count && flow == FLOW_MORE; i++)
            flow = spread(self, left, row, self->right->items[i]->chunk);
    return flow;
}

static enum flow pair_push(struct operator *base, const beck_chunk *left)
{
    struct pair *self = (struct pair *)base;
    enum flow flow = self->kind == PAIR_ZIP ? zip_push(self, left) : cartesian_push(self, left);

    return flow == FLOW_MORE ? flush(self) : flow; /* before the left rows are gone */
}

static enum flow pair_finish(struct operator *base)
{
    struct pair *self = (struct pair *)base;
    bool more = self->kind == PAIR_ZIP && self->left_rows < self->right->rows;

    return more && !self->done ? unequal(self) : FLOW_MORE;
}

static void pair_close(struct operator *base)
{
    beck__builder_deinit(&((struct pair *)base)->out);
}

struct operator *beck__pair_open(struct task *task, enum pair_kind kind, const beck_schema *schema,
                                 const struct blocks *right, struct operator *next)
{
    struct pair *self = beck__operator_new(task, NULL, sizeof *self);

    if (!self || beck__builder_init(&self->out, task->memory, schema, 0, &task->error))
        return NULL;
    self->kind = kind;
    self->right = right;
    self->base.next = next;
    self->base.push = pair_push;
    self->base.finish = pair_finish;
    self->base.close = pair_close;
    return &self->base;
}
