/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OP_JOIN: a hash join of rows that have taken their sides. Right rows come first and are kept, by
 * key; left rows then come by and are put beside those of their key, in order. At the end come the
 * right rows of keys that no left row had.
 *
 *   (k, null, {w}) ...   keys  | a | b |      next (by row)
 *                        first | 0 | 1 |      0 -> 2 -> END       rows | w0 | w1 | w2 |
 *   (a, {v}, null)  -->  (a, v, w0) (a, v, w2)
 */
#include "exec/call.h"
#include "state/state.h"

#define END UINT32_MAX

/* Rows of one key. While no key has two of them, row and slot are the same number but for the row
 * of nulls, and nobody needs chains. */
struct chain {
    uint32_t first, last;
};

struct join {
    struct operator base;
    struct keys table; /* of the right rows */
    struct builder right;
    uint32_t nulls;       /* 1: row 0 of the right is one of nulls, for left rows without a match */
    struct chain *chains; /* by slot; those above `chained` are rows of their own */
    uint32_t *next;       /* by row */
    uint32_t chained, linked;
    size_t chain_capacity, next_capacity;
    uint8_t *met; /* bits by slot: a left row has come by; NULL: nobody asks */
    size_t met_bytes;
    bool done; /* nobody wants more */
    struct builder out;
    uint32_t count; /* of pairs that are collected as row numbers */
    uint32_t slots[BECK__CHUNK_ROWS];
    uint32_t rows[2][BECK__CHUNK_ROWS];
    beck_schema right_schema;
};

static bool has_left(uint64_t kind)
{
    return kind != JOIN_KEYS;
}

static bool has_right(uint64_t kind)
{
    return kind <= BECK_FULL_OUTER;
}

/* Left rows without a match are wanted; so are right ones. */
static bool keeps_left(uint64_t kind)
{
    return kind == JOIN_LEFT_ALONE || (has_right(kind) && (kind & BECK_LEFT_OUTER));
}

static bool keeps_right(uint64_t kind)
{
    return has_right(kind) && (kind & BECK_RIGHT_OUTER);
}

static enum flow no_memory(struct join *self)
{
    beck__error_memory(&self->base.task->error, self->base.op->name, 0);
    return FLOW_FAILED;
}

/* ---- the right side -------------------------------------------------------------------------- */

/* Chains for the rows of slots [0, count). */
static bool make_chains(struct join *self, uint32_t count, uint32_t rows)
{
    const struct allocator *memory = self->base.task->memory;

    if (!beck__vector_reserve(memory, (void **)&self->chains, &self->chain_capacity,
                              (size_t)count + 1, sizeof *self->chains) ||
        !beck__vector_reserve(memory, (void **)&self->next, &self->next_capacity, (size_t)rows + 1,
                              sizeof *self->next))
        return false;
    for (; self->linked < rows; self->linked++)
        self->next[self->linked] = END;
    for (; self->chained < count; self->chained++) /* rows that were alone until now */
        self->chains[self->chained] = (struct chain){END, END};
    return true;
}

static void link_row(struct join *self, uint32_t slot, uint32_t row)
{
    struct chain *chain = &self->chains[slot];

    if (chain->first == END)
        chain->first = row;
    else
        self->next[chain->last] = row;
    chain->last = row;
}

/* The newest `count` rows, whose slots are known. */
static bool link_rows(struct join *self, uint32_t count)
{
    uint32_t keys = beck__keys_count(&self->table), rows = self->right.chunk->rows;
    uint32_t from = rows - count, alone = self->chains ? 0 : from - self->nulls;

    if (!self->chains && keys == rows - self->nulls)
        return true;
    if (!make_chains(self, keys, rows))
        return false;
    for (uint32_t slot = 0; slot < alone; slot++)
        link_row(self, slot, slot + self->nulls);
    for (uint32_t i = 0; i < count; i++)
        link_row(self, self->slots[i], from + i);
    return true;
}

static enum flow add_right(struct join *self, const beck_chunk *chunk, uint32_t from,
                           uint32_t count)
{
    const struct op *op = self->base.op;
    const beck_column *values = chunk->column[op->keys + 1].child->column;

    self->table.frozen = false;
    if (!beck__keys_find(&self->table, chunk, from, count, self->slots))
        return FLOW_FAILED;
    if (!has_right(op->number))
        return FLOW_MORE;
    if (count >= END - self->right.chunk->rows) /* their numbers end */
        return no_memory(self);
    for (uint32_t i = 0; i < count; i++)
        self->rows[1][i] = from + i;
    for (uint32_t k = 0; k < self->right_schema.count; k++)
        if (!beck__builder_cells(&self->right, k, &values[k], self->rows[1], count, false))
            return no_memory(self);
    self->right.chunk->rows += count;
    return link_rows(self, count) ? FLOW_MORE : no_memory(self);
}

static uint32_t first_of(const struct join *self, uint32_t slot)
{
    return self->chains ? self->chains[slot].first : slot + self->nulls;
}

static uint32_t next_of(const struct join *self, uint32_t row)
{
    return self->chains ? self->next[row] : END;
}

/* ---- pairs ----------------------------------------------------------------------------------- */

/* As the table of keys has them. */
static void normalise(beck_column *k, uint32_t count)
{
    double *values = (double *)k->data + k->size - count;

    for (uint32_t i = 0; k->type == BECK_DOUBLE && i < count; i++)
        if (values[i] == 0)
            values[i] = 0;
}

static bool add_nulls(struct builder *out, uint32_t k, uint32_t count)
{
    beck_value null = beck_null;

    for (uint32_t i = 0; i < count; i++)
        if (beck__builder_value(out, k, &null, NULL, NULL))
            return false;
    return true;
}

/* The pairs collected so far, into the output chunk. left NULL: rows[0] are slots, and the left
 * values null. */
static bool append(struct join *self, const beck_chunk *left)
{
    const struct op *op = self->base.op;
    const beck_column *keys = left ? left->column : self->table.rows.chunk->column;
    const beck_column *values = left ? left->column[op->keys].child->column : NULL;
    uint32_t at = op->keys, width = op->in->fields[op->keys].count, count = self->count;
    bool ok = true;

    for (uint32_t k = 0; ok && k < op->keys; k++) {
        ok = beck__builder_cells(&self->out, k, &keys[k], self->rows[0], count, true);
        if (ok)
            normalise(&self->out.chunk->column[k], count);
    }
    for (uint32_t i = 0; ok && has_left(op->number) && i < width; i++, at++)
        ok = values ? beck__builder_cells(&self->out, at, &values[i], self->rows[0], count, true)
                    : add_nulls(&self->out, at, count);
    for (uint32_t i = 0; ok && has_right(op->number) && i < self->right_schema.count; i++, at++)
        ok = beck__builder_cells(&self->out, at, &self->right.chunk->column[i], self->rows[1],
                                 count, true);
    self->out.chunk->rows += ok ? count : 0;
    self->count = 0;
    return ok;
}

static enum flow send(struct join *self)
{
    enum flow flow = beck__flush(&self->base, &self->out);

    self->done |= flow == FLOW_DONE;
    return flow;
}

static enum flow add(struct join *self, const beck_chunk *left, uint32_t a, uint32_t b)
{
    if (self->count == BECK__CHUNK_ROWS) {
        if (!append(self, left))
            return no_memory(self);
        enum flow flow = send(self);
        if (flow != FLOW_MORE)
            return flow;
    }
    self->rows[0][self->count] = a;
    self->rows[1][self->count++] = b;
    return FLOW_MORE;
}

static enum flow flush(struct join *self, const beck_chunk *left)
{
    if (self->count && !append(self, left))
        return no_memory(self);
    return send(self);
}

/* ---- the left side --------------------------------------------------------------------------- */

/* A row and the slot of its key. */
static enum flow meet(struct join *self, const beck_chunk *left, uint32_t row, uint32_t slot)
{
    uint64_t kind = self->base.op->number;
    enum flow flow = FLOW_MORE;

    if (slot == NO_SLOT)
        return keeps_left(kind) ? add(self, left, row, 0) : FLOW_MORE;
    bool again = self->met && beck__bit_get(self->met, slot);
    if (self->met)
        beck__bit_set(self->met, slot);
    if (kind == JOIN_KEYS && !again)
        return add(self, left, row, 0);
    if (!has_right(kind))
        return FLOW_MORE;
    for (uint32_t i = first_of(self, slot); i != END && flow == FLOW_MORE; i = next_of(self, i))
        flow = add(self, left, row, i);
    return flow;
}

/* Bits for the keys that there are. */
static bool grow_met(struct join *self)
{
    const struct allocator *memory = self->base.task->memory;
    uint64_t kind = self->base.op->number;
    size_t old = self->met_bytes, need = beck__bitmap_bytes(beck__keys_count(&self->table));

    if ((!keeps_right(kind) && kind != JOIN_KEYS) || need <= old)
        return true;
    if (!beck__vector_reserve(memory, (void **)&self->met, &self->met_bytes, need, 1))
        return false;
    memset(self->met + old, 0, self->met_bytes - old);
    return true;
}

static enum flow add_left(struct join *self, const beck_chunk *chunk, uint32_t from, uint32_t count)
{
    enum flow flow = FLOW_MORE;

    self->table.frozen = true;
    if (!beck__keys_find(&self->table, chunk, from, count, self->slots))
        return FLOW_FAILED;
    if (!grow_met(self))
        return no_memory(self);
    for (uint32_t i = 0; i < count && flow == FLOW_MORE; i++)
        flow = meet(self, chunk, from + i, self->slots[i]);
    return flow == FLOW_MORE ? flush(self, chunk) : flow; /* before the left rows are gone */
}

/* ---- the operator ---------------------------------------------------------------------------- */

/* A row that has no left values is one of the right side. */
static bool is_right(const beck_chunk *chunk, uint32_t keys, uint32_t row)
{
    const uint8_t *valid = chunk->column[keys].valid;

    return valid && !beck__bit_get(valid, row);
}

static enum flow join_push(struct operator *base, const beck_chunk *chunk)
{
    struct join *self = (struct join *)base;
    enum flow flow = FLOW_MORE;

    for (uint32_t at = 0, n; at < chunk->rows && flow == FLOW_MORE; at += n) {
        uint32_t most = beck__step(at, chunk->rows, BECK__CHUNK_ROWS);
        bool right = is_right(chunk, base->op->keys, at);
        for (n = 1; n < most && is_right(chunk, base->op->keys, at + n) == right;)
            n++;
        flow = right ? add_right(self, chunk, at, n) : add_left(self, chunk, at, n);
    }
    return flow;
}

static enum flow join_finish(struct operator *base)
{
    struct join *self = (struct join *)base;
    enum flow flow = FLOW_MORE;

    if (self->done || !keeps_right(base->op->number))
        return FLOW_MORE;
    if (!grow_met(self))
        return no_memory(self);
    for (uint32_t slot = 0; slot < beck__keys_count(&self->table) && flow == FLOW_MORE; slot++) {
        if (beck__bit_get(self->met, slot))
            continue;
        for (uint32_t i = first_of(self, slot); i != END && flow == FLOW_MORE; i = next_of(self, i))
            flow = add(self, NULL, slot, i);
    }
    return flow == FLOW_MORE ? flush(self, NULL) : flow;
}

static void join_close(struct operator *base)
{
    struct join *self = (struct join *)base;
    const struct allocator *memory = base->task->memory;

    beck__keys_deinit(&self->table);
    beck__builder_deinit(&self->right);
    beck__builder_deinit(&self->out);
    beck__free(memory, self->chains, self->chain_capacity * sizeof *self->chains);
    beck__free(memory, self->next, self->next_capacity * sizeof *self->next);
    beck__free(memory, self->met, self->met_bytes);
}

struct operator *beck__join_open(struct task *task, const struct op *op)
{
    struct join *self = beck__operator_new(task, op, sizeof *self);

    if (!self)
        return NULL;
    const struct field *right = &op->in->fields[op->keys + 1];
    self->right_schema =
        (beck_schema){.count = has_right(op->number) ? right->count : 0, .fields = right->fields};
    self->nulls = has_right(op->number) && keeps_left(op->number);
    self->base.push = join_push;
    self->base.finish = join_finish;
    self->base.close = join_close;
    if (beck__keys_init(&self->table, task->memory, op->in, op->keys, &task->error) ||
        beck__builder_init(&self->right, task->memory, &self->right_schema, UINT32_MAX,
                           &task->error) ||
        beck__builder_init(&self->out, task->memory, op->out, 0, &task->error)) {
        join_close(&self->base);
        return NULL;
    }
    self->table.secret = beck__task_secret;
    self->table.secret_user = task->os;
    for (uint32_t k = 0; self->nulls && k < self->right_schema.count; k++)
        if (!add_nulls(&self->right, k, 1)) {
            join_close(&self->base);
            beck__error_memory(&task->error, op->name, 0);
            return NULL;
        }
    self->right.chunk->rows = self->nulls;
    return &self->base;
}
