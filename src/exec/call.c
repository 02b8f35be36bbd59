/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a user's callback may ask of its beck_call: emit, fail, where am I. A mistake is noted and
 * the callback goes on; the operator looks at it afterwards.
 */
#include "exec/call.h"

#include "formats/formats.h"


static _Thread_local beck_call *current;

void beck__call_init(beck_call *c, struct task *task, const struct op *op, struct builder *out)
{
    memset(c, 0, offsetof(beck_call, reason));
    beck__error_clear(&c->reason);
    c->outer = NULL;
    c->task = task;
    c->op = op;
    c->batch_ms = task->batch_ms;
    c->shared = task->shared;
    c->ctx = op->bytes.size ? op->bytes.data : NULL;
    c->out = out;
    c->width = out ? out->schema->count : 0;
}

void beck__call_enter(beck_call *c)
{
    c->outer = current;
    current = c;
}

void beck__call_leave(beck_call *c)
{
    current = c->outer;
}

void beck__call_row(beck_call *c, const beck_chunk *chunk, uint32_t row)
{
    const beck_column *k = chunk->columns > c->in.first ? &chunk->column[c->in.first] : NULL;

    c->in.chunk = chunk;
    c->in.index = row;
    c->emitted = 0;
    c->record++;
    c->keep.size = 0;
    if (k && (k->type == BECK_STRING || k->type == BECK_BINARY)) {
        const beck_view *view = (const beck_view *)k->data + row;
        if (view->size > BECK_VIEW_INLINE)
            c->keep = beck_bytes_of(view->u.data, view->size);
    }
}

#define KEY_TEXT_MAX 100

/* " (key a, record 7)", as far as there is one. */
static void print_place(const beck_call *c, struct text *out)
{
    struct text key = {.memory = out->memory};

    if (c->key.chunk) {
        beck__row_print(c->key.chunk, 0, c->key.index, &key);
        beck__text_printf(out, " (key %.*s%s", KEY_TEXT_MAX, beck__text_get(&key),
                          key.size > KEY_TEXT_MAX ? "..." : "");
    }
    if (c->record)
        beck__text_printf(out, "%srecord %llu", out->size ? ", " : " (",
                          (unsigned long long)c->record);
    if (out->size)
        beck__text_add(out, ")");
    out->failed |= key.failed;
    beck__text_deinit(&key);
}

enum flow beck__call_check(beck_call *c)
{
    bool dropped = c->flow != FLOW_MORE; /* then rows are no longer taken, nor counted */

    if (!c->failed && !dropped && c->op->emits == EMITS_ONE && c->emitted != 1)
        beck_fail(c, "must emit exactly one row, emitted %llu", (unsigned long long)c->emitted);
    if (!c->failed)
        return c->flow;
    if (c->reason.status == BECK_NO_MEMORY) {
        beck__error_set(&c->task->error, BECK_NO_MEMORY, "%s", c->reason.text);
        return FLOW_FAILED;
    }
    struct text name = {.memory = c->task->memory}, place = name;
    beck__op_name(c->op, &name);
    print_place(c, &place);
    beck__error_set(&c->task->error, BECK_TASK, "%s: %s%s",
                    name.failed ? c->op->name : beck__text_get(&name), c->reason.text,
                    place.failed ? "" : beck__text_get(&place));
    beck__text_deinit(&name);
    beck__text_deinit(&place);
    return FLOW_FAILED;
}

/* How many rows the callback has read. */
static uint64_t rows_read(const struct beck_rows *rows)
{
    uint64_t count = rows->row;

    for (size_t i = 0; i < rows->block; i++)
        count += rows->blocks->items[i]->chunk->rows;
    return count;
}

/* The first failure is the one that is told; a callback may read on after it. */
static void set_failed(beck_call *c)
{
    if (!c->failed && c->rows)
        c->record = rows_read(c->rows);
    c->failed = true;
}

void beck_fail(beck_call *c, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    beck__error_set_list(&c->reason, BECK_TASK, format, list);
    va_end(list);
    set_failed(c);
}

void beck__call_no_memory(beck_call *c, const char *what)
{
    beck__error_memory(&c->reason, what, 0);
    set_failed(c);
}

void beck__wrong_column(beck_row row, uint32_t column, beck_type wanted)
{
    beck_call *c = current;

    if (!c)
        return;
    if (!row.chunk)
        beck_fail(c, "reads column %u of a row that is none", column);
    else if (row.first + column >= row.chunk->columns)
        beck_fail(c, "reads column %u as %s, but the row has %u columns", column,
                  beck__type_name(wanted), row.chunk->columns - row.first);
    else
        beck_fail(c, "reads column %u as %s, but it is %s", column, beck__type_name(wanted),
                  beck__type_name((beck_type)row.chunk->column[row.first + column].type));
}

const void *beck_ctx(const beck_call *c)
{
    return c->ctx;
}

int64_t beck_batch_time(const beck_call *c)
{
    return c->batch_ms;
}

int beck_partition(const beck_call *c)
{
    return c->task ? (int)c->task->partition : -1;
}

int beck_attempt(const beck_call *c)
{
    return c->task ? (int)c->task->attempt : -1;
}

/* ---- emit ------------------------------------------------------------------------------------ */

/* Room for one more row, or what keeps us from it. */
static bool emit_ready_slowly(beck_call *c, size_t count)
{
    if (c->failed || c->flow != FLOW_MORE)
        return false;
    if (!c->out) {
        beck_fail(c, "emits a row, but nothing can be emitted here");
        return false;
    }
    if (count != c->width) {
        beck_fail(c, "emits %zu value%s, but the output has %u column%s", count,
                  count == 1 ? "" : "s", c->width, c->width == 1 ? "" : "s");
        return false;
    }
    if (c->flusher && beck__builder_full(c->out)) {
        c->flow = beck__flush(c->flusher, c->out);
        return c->flow == FLOW_MORE;
    }
    return true;
}

static inline bool emit_ready(beck_call *c, size_t count)
{
    if (!c->failed && c->flow == FLOW_MORE && c->out && count == c->width &&
        !beck__builder_full(c->out))
        return true;
    return emit_ready_slowly(c, count);
}

/* The columns that the operator itself adds: the key in front, or the whole row behind. */
static bool emit_copies(beck_call *c)
{
    const beck_chunk *in = c->in.chunk;
    uint32_t to = c->adds == ADDS_KEY_BEFORE ? 0 : c->width;
    uint32_t count = c->adds == ADDS_KEY_BEFORE  ? c->first
                     : c->adds == ADDS_ROW_AFTER ? in->columns
                                                 : 0;

    for (uint32_t k = 0; k < count; k++)
        if (!beck__builder_cell(c->out, to + k, &in->column[k], c->in.index, true))
            return false;
    return true;
}

/* The usual cases without a call: strings that fit a view or are shared, integers, doubles. */
static inline bool emit_fast(beck_call *c, beck_column *k, const beck_value *v)
{
    if (k->size >= k->capacity || k->valid)
        return false;
    if (k->type == BECK_STRING && v->kind == BECK_KIND_STRING) {
        beck_str s = v->u.string;
        size_t offset = (size_t)((uintptr_t)s.data - (uintptr_t)c->keep.data);
        bool kept = offset <= c->keep.size && s.size <= c->keep.size - offset;
        if (s.size > BECK_VIEW_INLINE && (s.size > UINT32_MAX || !kept))
            return false;
        bool padded = kept && c->keep.size - offset >= 16 && s.size <= BECK_VIEW_INLINE;
        ((beck_view *)k->data)[k->size++] =
            padded ? beck__view_padded(s.data, s.size) : beck__view(s.data, s.size);
        return true;
    }
    if (k->type == BECK_BIGINT && v->kind == BECK_KIND_INTEGER) {
        ((int64_t *)k->data)[k->size++] = v->u.integer;
        return true;
    }
    if (k->type == BECK_DOUBLE && v->kind == BECK_KIND_DOUBLE) {
        ((double *)k->data)[k->size++] = v->u.real;
        return true;
    }
    return false;
}

void beck_emit_values(beck_call *c, const beck_value *values, size_t count)
{
    if (!emit_ready(c, count))
        return;
    beck_column *column = c->out->chunk->column + c->first;
    for (uint32_t k = 0; k < c->width; k++) {
        if (emit_fast(c, &column[k], &values[k]))
            continue;
        if (beck__builder_value(c->out, c->first + k, &values[k], &c->keep, &c->reason)) {
            set_failed(c);
            beck__builder_drop_row(c->out);
            return;
        }
    }
    if (c->adds != ADDS_NOTHING && !emit_copies(c)) {
        beck__call_no_memory(c, "an emitted row");
        beck__builder_drop_row(c->out);
        return;
    }
    c->out->chunk->rows++; /* every column has its cell */
    c->emitted++;
}

void beck_emit_row(beck_call *c, beck_row row)
{
    beck_value few[16] = {{0}};
    uint32_t count = beck_columns(row);
    beck_value *values = few;

    if (!emit_ready(c, count))
        return;
    if (count > BECK__COUNT_OF(few))
        values = beck__alloc(c->task->memory, count * sizeof *values);
    if (!values) {
        beck__error_memory(&c->reason, "an emitted row", count * sizeof *values);
        set_failed(c);
        return;
    }
    for (uint32_t k = 0; k < count; k++)
        values[k] = beck_cell(row, k);
    beck_emit_values(c, values, count);
    if (values != few)
        beck__free(c->task->memory, values, count * sizeof *values);
}

/* ---- rows of a partition --------------------------------------------------------------------- */

uint64_t beck_rows_count(const beck_rows *rows)
{
    return rows->blocks ? rows->blocks->rows : rows->end - rows->first;
}

bool beck_next_row(beck_rows *rows, beck_row *row)
{
    const struct blocks *list = rows->blocks;

    if (!list) {
        if (rows->first + rows->row >= rows->end)
            return false;
        *row = (beck_row){rows->chunk, rows->first + rows->row++, 0};
        return true;
    }
    while (rows->block < list->count && rows->row >= list->items[rows->block]->chunk->rows) {
        rows->block++;
        rows->row = 0;
    }
    if (rows->block >= list->count)
        return false;
    *row = (beck_row){list->items[rows->block]->chunk, rows->row++, 0};
    return true;
}

void beck_rewind_rows(beck_rows *rows)
{
    rows->block = 0;
    rows->row = 0;
}

/* ---- driver callbacks ------------------------------------------------------------------------ */

beck_rdd *beck__driver_call(const struct driver_call *call, struct error *error)
{
    beck_rdd *out = NULL;
    beck_call c;

    memset(&c, 0, sizeof c);
    c.ctx = call->ctx;
    c.batch_ms = call->batch_ms;
    c.shared = call->shared;
    beck__call_enter(&c);
    if (call->each)
        call->each(&c, call->in[0]);
    else if (call->transform)
        out = call->transform(&c, call->in[0]);
    else
        out = call->with(&c, call->in, call->count);
    beck__call_leave(&c);
    if (c.failed)
        beck__error_set(error, BECK_TASK, "%s", c.reason.text);
    return out;
}
