/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receivers' side of connector.h: what a poll stores becomes rows of the open block or sealed
 * blocks. Runs on the supervisor's thread; the lists are shared with the driver, under the lock.
 */
#include "ingest/inside.h"

const void *beck_receiver_params(const beck_receiver *r)
{
    return r->params.data;
}

size_t beck__receiver_line_max(const beck_receiver *r)
{
    return r->ingest->options.line_bytes_max;
}

void beck__receiver_watch(beck_receiver *r, struct os_socket *socket, bool write)
{
    r->socket = socket;
    r->wait_write = write;
}

beck_status beck_receiver_error(beck_receiver *r, beck_status status, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    beck__error_set_list(&r->reason, status, format, list);
    va_end(list);
    return status;
}

void beck_receiver_warn(beck_receiver *r, const char *format, ...)
{
    struct error text = {0};
    va_list list;

    va_start(list, format);
    beck__error_set_list(&text, BECK_IO, format, list);
    va_end(list);
    beck__log(r->ingest->options.log, BECK_LOG_WARNING, "%s: %s", r->name, text.text);
    beck_event event = {.kind = BECK_EVENT_RECEIVER_ERROR,
                        .time_ms = r->ingest->options.now_ms(r->ingest->options.now_user),
                        .batch_ms = -1,
                        .scheduling_us = -1,
                        .processing_us = -1,
                        .name = r->name,
                        .error = text.text};
    beck__bus_post(r->ingest->options.bus, &event);
}

/* Appends a sealed block; takes the reference. Under the lock. */
static bool add_sealed(struct beck_receiver *r, struct block *block, int64_t first_ms)
{
    if (r->sealed_first == r->sealed_count)
        r->sealed_first = r->sealed_count = 0;
    if (!beck__vector_reserve(&r->ingest->options.os->memory, (void **)&r->sealed,
                              &r->sealed_capacity, r->sealed_count + 1, sizeof *r->sealed)) {
        beck__block_unref(block);
        return false;
    }
    r->sealed[r->sealed_count++] = (struct sealed){block, first_ms};
    r->bytes += block->bytes;
    return true;
}

bool beck__receiver_seal(struct beck_receiver *r)
{
    if (r->open_ms < 0)
        return true;
    struct block *block = beck__block_new(&r->ingest->options.os->memory, r->schema, r->open.chunk,
                                          0, r->open.chunk->rows, NULL);
    if (!block || !add_sealed(r, block, r->open_ms))
        return false;
    beck__builder_clear(&r->open);
    r->open_ms = -1;
    r->sealed_token = r->open_token;
    return true;
}

static beck_status append(beck_receiver *r, uint64_t token, const beck_value *values)
{
    beck_status status = BECK_OK;
    struct builder *b = &r->open;

    if (beck__builder_full(b) && !beck__receiver_seal(r))
        return beck_receiver_error(r, BECK_NO_MEMORY, "out of memory for received rows");
    for (uint32_t k = 0; !status && k < r->schema->count; k++)
        status = beck__builder_value(b, k, &values[k], NULL, &r->reason);
    if (status) {
        beck__builder_drop_row(b);
        return status;
    }
    beck__builder_end_row(b);
    if (r->open_ms < 0)
        r->open_ms = r->ingest->options.now_ms(r->ingest->options.now_user);
    r->open_token = token;
    return BECK_OK;
}

beck_status beck_store_values(beck_receiver *r, uint64_t token, const beck_value *values,
                              size_t count)
{
    struct os *os = r->ingest->options.os;

    if (count != r->schema->count)
        return beck_receiver_error(r, BECK_TYPE, "stores %zu values, but the stream has %u columns",
                                   count, r->schema->count);
    os->lock(os, r->ingest->lock);
    beck_status status = append(r, token, values);
    os->unlock(os, r->ingest->lock);
    return status;
}

/* One line, without its line end. */
static beck_status store_line(beck_receiver *r, uint64_t token, beck_str line)
{
    beck_value value = beck_string_value(line);

    if (line.size && line.data[line.size - 1] == '\r')
        value.u.string.size--;
    return beck_store_values(r, token, &value, 1);
}

void beck__receiver_end_line(struct beck_receiver *r)
{
    if (r->partial.size)
        store_line(r, r->token, beck_bytes_of(r->partial.data, r->partial.size));
    beck__text_clear(&r->partial);
}

beck_status beck_store_bytes(beck_receiver *r, uint64_t token, const void *data, size_t size)
{
    const char *p = data, *end = p + size;
    size_t line_max = r->ingest->options.line_bytes_max;
    beck_status status = BECK_OK;

    if (r->schema->count != 1 || r->schema->fields[0].type != BECK_STRING)
        return beck_receiver_error(r, BECK_TYPE,
                                   "beck_store_bytes needs a schema of one STRING column");
    while (p < end && !status) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        size_t piece = (size_t)((lf ? lf : end) - p);
        size_t room = r->partial.size < line_max ? line_max - r->partial.size : 0;
        if (piece > room && r->partial.size <= line_max)
            beck_receiver_warn(r, "a line longer than %zu bytes is cut off", line_max);
        beck__text_append(&r->partial, p, piece < room ? piece : room);
        if (lf) {
            status = store_line(r, token, beck_bytes_of(r->partial.data, r->partial.size));
            beck__text_clear(&r->partial);
        }
        p = lf ? lf + 1 : end;
    }
    r->token = token;
    if (r->partial.failed)
        status = beck_receiver_error(r, BECK_NO_MEMORY, "out of memory for a received line");
    return status;
}

beck_status beck__receiver_store_block(beck_receiver *r, uint64_t token, struct block *block)
{
    struct os *os = r->ingest->options.os;
    int64_t now = r->ingest->options.now_ms(r->ingest->options.now_user);

    if (!block)
        return beck_receiver_error(r, BECK_NO_MEMORY, "out of memory for received rows");
    os->lock(os, r->ingest->lock);
    bool ok = beck__receiver_seal(r);
    if (ok)
        ok = add_sealed(r, block, now);
    else
        beck__block_unref(block);
    r->open_token = r->sealed_token = token;
    os->unlock(os, r->ingest->lock);
    return ok ? BECK_OK : beck_receiver_error(r, BECK_NO_MEMORY, "out of memory for received rows");
}
