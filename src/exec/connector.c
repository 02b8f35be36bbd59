/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The task's side of connector.h: a reader of one range, and the operator that drives a sink's
 * writer.
 */
#include "exec/call.h"

#include <stdio.h>

/* ---- reading a range ------------------------------------------------------------------------- */

struct beck_reader {
    const char *name;
    struct task *task;
    struct operator *head;
    struct builder rows;
    enum flow flow;
    struct error reason;
};

static bool reader_push(beck_reader *r, const beck_chunk *chunk)
{
    if (chunk->rows == 0 || r->flow != FLOW_MORE)
        return r->flow == FLOW_MORE;
    if (r->task->cancelled && atomic_load_explicit(r->task->cancelled, memory_order_relaxed)) {
        beck__error_set(&r->task->error, BECK_CANCELLED, "cancelled");
        r->flow = FLOW_FAILED;
        return false;
    }
    r->task->records += chunk->rows;
    r->flow = r->head->push(r->head, chunk);
    return r->flow == FLOW_MORE;
}

static bool chunk_fits(const beck_schema *schema, const beck_chunk *chunk)
{
    if (chunk->columns != schema->count)
        return false;
    for (uint32_t k = 0; k < schema->count; k++)
        if (chunk->column[k].type != (int32_t)schema->fields[k].type)
            return false;
    return true;
}

/* Of what `read` gives, who then may wait again. */
static bool read_push(beck_reader *r, const beck_chunk *chunk)
{
    beck__task_wait_end(r->task);
    bool more = reader_push(r, chunk);
    beck__task_wait_begin(r->task);
    return more;
}

bool beck_read_chunk(beck_reader *r, const beck_chunk *chunk)
{
    if (!chunk_fits(r->rows.schema, chunk)) {
        beck_reader_error(r, BECK_TYPE, "a chunk of %u columns whose types are not the schema's",
                          chunk->columns);
        return false;
    }
    if (r->rows.chunk->rows) {
        if (!read_push(r, r->rows.chunk))
            return false;
        beck__builder_clear(&r->rows);
    }
    return read_push(r, chunk);
}

bool beck_read_values(beck_reader *r, const beck_value *values, size_t count)
{
    if (r->flow != FLOW_MORE)
        return false;
    if (count != r->rows.schema->count) {
        beck_reader_error(r, BECK_TYPE, "a row has %zu values instead of %u", count,
                          r->rows.schema->count);
        return false;
    }
    for (uint32_t k = 0; k < count; k++)
        if (beck__builder_value(&r->rows, k, &values[k], NULL, &r->reason)) {
            beck__builder_drop_row(&r->rows);
            return false;
        }
    beck__builder_end_row(&r->rows);
    if (!beck__builder_full(&r->rows))
        return true;
    bool more = read_push(r, r->rows.chunk);
    beck__builder_clear(&r->rows);
    return more;
}

void beck_reader_warn(beck_reader *r, const char *format, ...)
{
    char *warning = r->task->warning;
    size_t size = sizeof r->task->warning;
    va_list list;

    if (*warning)
        return;
    int front = snprintf(warning, size, "%.100s: ", r->name);
    va_start(list, format);
    vsnprintf(warning + front, size - (size_t)front, format, list);
    va_end(list);
}

beck_status beck_reader_error(beck_reader *r, beck_status status, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    beck__error_set_list(&r->reason, status, format, list);
    va_end(list);
    return r->reason.status;
}

enum flow beck__range_read(struct task *task, const struct range_source *source, beck_str range,
                           struct operator *head)
{
    beck_reader *r = beck__arena_alloc(&task->arena, sizeof *r);

    if (!r || beck__builder_init(&r->rows, task->memory, source->schema, 0, &task->error)) {
        beck__error_memory(&task->error, source->what, sizeof *r);
        return FLOW_FAILED;
    }
    r->name = source->what;
    r->task = task;
    r->head = head;
    beck__task_wait_begin(task);
    beck_status status =
        source->class_of->read(r, source->params.data, source->params.size, range.data, range.size);
    beck__task_wait_end(task);
    if (status && !r->reason.status)
        beck__error_set(&r->reason, status, "%s", beck_status_text(status));
    if (!r->reason.status && r->flow == FLOW_MORE)
        reader_push(r, r->rows.chunk);
    if (r->reason.status) {
        beck__error_set(&task->error, r->reason.status, "%s: %s", source->what, r->reason.text);
        r->flow = FLOW_FAILED;
    }
    beck__builder_deinit(&r->rows);
    return r->flow;
}

/* ---- ranges in the driver -------------------------------------------------------------------- */

beck_status beck_add_range_of(beck_ranges *ranges, const void *range, size_t size,
                              beck_range_size counts)
{
    if (ranges->taker)
        return ranges->taker->add(ranges->taker, beck_bytes_of(range, size), counts);
    beck_str item = beck_bytes_of(beck__arena_copy(ranges->arena, range, size), size);

    if (!item.data || !beck__arena_reserve(ranges->arena, (void **)&ranges->items,
                                           &ranges->capacity, ranges->count + 1, sizeof item))
        return beck__error_memory(ranges->error, "ranges of a source", size);
    ranges->items[ranges->count++] = item;
    return BECK_OK;
}

beck_status beck_add_range(beck_ranges *ranges, const void *range, size_t size)
{
    return beck_add_range_of(ranges, range, size, (beck_range_size){.bytes = 0});
}

int64_t beck_ranges_now_ms(const beck_ranges *ranges)
{
    return ranges->taker ? ranges->taker->now_ms(ranges->taker) : 0;
}

bool beck_ranges_stopping(const beck_ranges *ranges)
{
    return ranges->taker && ranges->taker->stopping(ranges->taker);
}

void beck_ranges_warn(beck_ranges *ranges, const char *format, ...)
{
    struct error text = {0};
    va_list list;

    if (!ranges->taker)
        return;
    va_start(list, format);
    beck__error_set_list(&text, BECK_IO, format, list);
    va_end(list);
    ranges->taker->warn(ranges->taker, text.text);
}

beck_status beck_ranges_error(beck_ranges *ranges, beck_status status, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    beck__error_set_list(ranges->error, status, format, list);
    va_end(list);
    return status;
}

/* ---- writing a partition --------------------------------------------------------------------- */

#define MESSAGE_MAX (1u << 20)

/* Parameters of OP_SINK: `bytes`; the class: function[0]. */
struct beck_writer {
    beck_str params;
    const beck_schema *schema; /* of the rows */
    struct text block;         /* the newest encoded one */
    struct error reason;
};

struct sink {
    struct operator base;
    const beck_sink_class *class_of;
    void *state;
    bool begun, prepared;
    beck_writer writer;
    struct builder out;
};

const void *beck_writer_params(const beck_writer *w, size_t *size)
{
    if (size)
        *size = w->params.size;
    return w->params.data;
}

beck_status beck_writer_encode(beck_writer *w, const beck_chunk *rows, beck_str *block)
{
    struct block_place place = {0, 0};

    beck__text_clear(&w->block);
    beck_status status = beck__block_encode(rows, w->schema, place, true, &w->block, &w->reason);
    if (!status && w->block.failed)
        status = beck__error_memory(&w->reason, "an encoded block", w->block.size);
    *block = beck_bytes_of(beck__text_get(&w->block), status ? 0 : w->block.size);
    return status;
}

beck_status beck_writer_error(beck_writer *w, beck_status status, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    beck__error_set_list(&w->reason, status, format, list);
    va_end(list);
    return status;
}

static enum flow sink_failed(struct sink *self, beck_status status)
{
    struct error *reason = &self->writer.reason;

    if (!reason->status)
        beck__error_set(reason, status, "%s", beck_status_text(status));
    beck__error_set(&self->base.task->error, reason->status, "%s: %s", self->class_of->name,
                    reason->text);
    return FLOW_FAILED;
}

static enum flow sink_push(struct operator *base, const beck_chunk *chunk)
{
    struct sink *self = (struct sink *)base;

    beck__task_wait_begin(base->task);
    beck_status status = self->class_of->write(&self->writer, self->state, chunk);
    beck__task_wait_end(base->task);
    return status ? sink_failed(self, status) : FLOW_MORE;
}

static enum flow sink_finish(struct operator *base)
{
    struct sink *self = (struct sink *)base;
    beck_str message = {"", 0};

    beck__task_wait_begin(base->task);
    beck_status status = self->class_of->prepare(&self->writer, self->state, &message);
    beck__task_wait_end(base->task);
    if (status)
        return sink_failed(self, status);
    if (message.size > MESSAGE_MAX)
        return sink_failed(self, beck_writer_error(&self->writer, BECK_INVALID,
                                                   "a message of %zu bytes, at most %u",
                                                   message.size, MESSAGE_MAX));
    beck_value value = beck_string_value(message);
    if (beck__builder_value(&self->out, 0, &value, NULL, &base->task->error))
        return FLOW_FAILED;
    beck__builder_end_row(&self->out);
    self->prepared = true;
    return beck__flush(base, &self->out);
}

static void sink_close(struct operator *base)
{
    struct sink *self = (struct sink *)base;

    if (self->begun) {
        beck__task_wait_begin(base->task);
        self->class_of->end(&self->writer, self->state,
                            self->prepared && !base->task->error.status);
        beck__task_wait_end(base->task);
    }
    beck__text_deinit(&self->writer.block);
    beck__builder_deinit(&self->out);
}

struct operator *beck__sink_open(struct task *task, const struct op *op)
{
    struct sink *self = beck__operator_new(task, op, sizeof *self);

    if (!self || !beck__function_get(task, op, 0, &self->class_of))
        return NULL;
    self->state = beck__arena_alloc(&task->arena, self->class_of->writer_size + 1);
    if (!self->state || beck__builder_init(&self->out, task->memory, op->out, 0, &task->error)) {
        beck__error_memory(&task->error, op->name, self->class_of->writer_size);
        return NULL;
    }
    self->writer.params = op->bytes;
    self->writer.schema = op->in;
    self->writer.block.memory = task->memory;
    self->base.push = sink_push;
    self->base.finish = sink_finish;
    self->base.close = sink_close;
    self->begun = true;
    beck_write_id id = {task->batch_ms, task->partition, task->attempt};
    beck__task_wait_begin(task);
    beck_status status = self->class_of->begin(&self->writer, self->state, id);
    beck__task_wait_end(task);
    if (status) {
        sink_failed(self, status);
        sink_close(&self->base);
        return NULL;
    }
    return &self->base;
}
