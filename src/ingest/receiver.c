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

const struct beck_schema *beck__receiver_schema(const beck_receiver *r)
{
    return r->schema;
}

void beck__receiver_restart(beck_receiver *r, int64_t after_ms)
{
    r->restart_ms = after_ms;
}

void beck__receiver_watch(beck_receiver *r, struct os_socket *socket, bool write)
{
    r->socket = socket;
    r->wait_write = write;
}

beck_status beck_receiver_error(beck_receiver *r, beck_status status, const char *format, ...)
{
    va_list list;

    if (!status)
        status = BECK_INVALID; /* an error is one */
    va_start(list, format);
    beck__error_set_list(&r->reason, status, format, list);
    va_end(list);
    return status;
}

bool beck_receiver_stopping(const beck_receiver *r)
{
    return atomic_load(&r->ingest->stop);
}

bool beck_receiver_wait(beck_receiver *r, int64_t ms)
{
    struct os *os = r->ingest->options.os;
    int64_t left = ms < INT64_MAX / 1000000 ? ms * 1000000 : INT64_MAX / 2;
    int64_t by = os->mono_ns(os) + left;

    for (; left > 0 && !beck_receiver_stopping(r); left = by - os->mono_ns(os))
        os->poller_wait(os, r->poller, NULL, 0, left);
    return !beck_receiver_stopping(r);
}

void beck_receiver_warn(beck_receiver *r, const char *format, ...)
{
    struct os *os = r->ingest->options.os;
    struct error text = {0};
    va_list list;

    va_start(list, format);
    beck__error_set_list(&text, BECK_IO, format, list);
    va_end(list);
    os->lock(os, r->ingest->lock);
    if (!r->ingest->orphaned) {
        beck__log(r->ingest->options.log, BECK_LOG_WARNING, "%s: %s", r->what, text.text);
        beck__receiver_post(r, BECK_EVENT_RECEIVER_ERROR, text.text);
    }
    os->unlock(os, r->ingest->lock);
}

void beck__receiver_post(struct beck_receiver *r, beck_event_kind kind, const char *error)
{
    const struct ingest_options *o = &r->ingest->options;
    beck_event event = {.kind = kind,
                        .time_ms = beck__receiver_now_ms(r),
                        .batch_ms = -1,
                        .scheduling_us = -1,
                        .processing_us = -1,
                        .name = r->name,
                        .error = error};

    beck__bus_post(o->bus, &event);
    if (o->posted)
        o->posted(o->user);
}

int64_t beck__receiver_now_ms(const struct beck_receiver *r)
{
    return r->ingest->options.now_ms(r->ingest->options.user);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* Appends a sealed block; takes the reference. Under the lock. */
static bool add_sealed(struct beck_receiver *r, struct block *block, int64_t first_ms)
{
    if (r->sealed_first * 2 >= r->sealed_count && r->sealed_first) { /* the front is used up */
        r->sealed_count -= r->sealed_first;
        memmove(r->sealed, r->sealed + r->sealed_first, r->sealed_count * sizeof *r->sealed);
        r->sealed_first = 0;
    }
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
    r->open_bytes = 0;
    r->open_ms = -1;
    r->sealed_token = r->open_token;
    r->untold = true;
    return true;
}

/* About what it takes in a column. */
static uint64_t value_bytes(const beck_value *value)
{
    uint64_t bytes = sizeof(beck_view);

    if (value->kind == BECK_KIND_STRING)
        bytes += value->u.string.size;
    if (value->kind == BECK_KIND_LIST)
        bytes += value->u.list.count * sizeof(beck_view);
    for (uint32_t i = 0; value->kind == BECK_KIND_VALUES && i < value->count; i++)
        bytes += value_bytes(&value->u.values[i]);
    return bytes;
}

/* True: a receiver that blocks is not at its limit, or the stream stops. Under the lock. */
static bool has_room(const struct beck_receiver *r)
{
    return r->bytes + r->open_bytes < (uint64_t)r->ingest->options.bytes_max ||
           atomic_load(&r->ingest->stop);
}

/* Takes the lock for a store; one that may block waits for room first. Otherwise an error: it is
 * too late. */
static beck_status admit(beck_receiver *r)
{
    struct ingest *ingest = r->ingest;
    struct os *os = ingest->options.os;
    bool blocks = beck__receiver_blocks(r);

    os->lock(os, ingest->lock);
    while (blocks && !ingest->orphaned && !has_room(r)) {
        os->unlock(os, ingest->lock);
        os->poller_wait(os, r->poller, NULL, 0, -1);
        os->lock(os, ingest->lock);
    }
    if (!ingest->orphaned && !(blocks && atomic_load(&ingest->stop)))
        return BECK_OK;
    os->unlock(os, ingest->lock);
    return BECK_CANCELLED;
}

/* After a store, without the lock. */
static void stored(beck_receiver *r)
{
    if (beck__receiver_blocks(r)) { /* no poll returns, after which it would be done */
        beck__receiver_up(r);
        beck__receiver_announce(r);
        beck__receiver_tell(r);
    }
}

static beck_status append(beck_receiver *r, uint64_t token, const beck_value *values)
{
    beck_status status = BECK_OK;
    struct builder *b = &r->open;
    const struct ingest_options *o = &r->ingest->options;

    bool full = beck__builder_full(b) || r->open_bytes >= (uint64_t)o->block_bytes;
    if (beck__receiver_blocks(r) && r->open_ms >= 0)
        full |= beck__receiver_now_ms(r) - r->open_ms >= o->block_ms;
    if (full && !beck__receiver_seal(r))
        return beck_receiver_error(r, BECK_NO_MEMORY, "out of memory for received rows");
    for (uint32_t k = 0; !status && k < r->schema->count; k++)
        status = beck__builder_value(b, k, &values[k], NULL, &r->reason);
    if (status) {
        beck__builder_drop_row(b);
        return status;
    }
    beck__builder_end_row(b);
    for (uint32_t k = 0; k < r->schema->count; k++)
        r->open_bytes += value_bytes(&values[k]);
    if (r->open_ms < 0)
        r->open_ms = beck__receiver_now_ms(r);
    r->open_token = token;
    return BECK_OK;
}

beck_status beck_store_values(beck_receiver *r, uint64_t token, const beck_value *values,
                              size_t count)
{
    struct os *os = r->ingest->options.os;

    if (count != r->width)
        return beck_receiver_error(r, BECK_TYPE, "stores %zu values, but the stream has %u columns",
                                   count, r->width);
    beck_status status = admit(r);
    if (status)
        return status;
    status = append(r, token, values);
    os->unlock(os, r->ingest->lock);
    stored(r);
    return status;
}

/* The rows as blocks of their own. Under the lock, or the schema might go. */
static beck_status make_blocks(beck_receiver *r, const beck_value *values, size_t rows,
                               struct blocks *list)
{
    struct builder b;
    uint32_t width = r->schema->count;
    beck_status status = beck__builder_init(&b, list->memory, r->schema, 0, &r->reason);

    for (size_t i = 0; i < rows && !status; i++) {
        for (uint32_t k = 0; k < width && !status; k++)
            status = beck__builder_value(&b, k, &values[i * width + k], NULL, &r->reason);
        if (status)
            break;
        beck__builder_end_row(&b);
        if (!beck__builder_full(&b) && i + 1 < rows)
            continue;
        struct block *block =
            beck__block_new(list->memory, r->schema, b.chunk, 0, b.chunk->rows, NULL);
        if (!block || !beck__blocks_add(list, block))
            status = beck__error_memory(&r->reason, "received rows", 0);
        beck__builder_clear(&b);
    }
    beck__builder_deinit(&b);
    return status;
}

/* All of the list or nothing, behind what is open. Under the lock. */
static bool add_blocks(beck_receiver *r, const struct blocks *list)
{
    int64_t now = beck__receiver_now_ms(r);

    if (!beck__receiver_seal(r) ||
        !beck__vector_reserve(&r->ingest->options.os->memory, (void **)&r->sealed,
                              &r->sealed_capacity, r->sealed_count + list->count,
                              sizeof *r->sealed))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        beck__block_ref(list->items[i]);
        bool added = add_sealed(r, list->items[i], now);
        assert(added); /* there is room */
        (void)added;
    }
    return true;
}

beck_status beck_store_rows(beck_receiver *r, uint64_t token, const beck_value *values, size_t rows)
{
    struct os *os = r->ingest->options.os;
    struct blocks list = {.memory = &os->memory};
    beck_status status = admit(r);

    if (status)
        return status;
    status = make_blocks(r, values, rows, &list);
    if (!status && !add_blocks(r, &list))
        status = beck__error_memory(&r->reason, "received rows", 0);
    if (!status) {
        r->open_token = r->sealed_token = token;
        r->untold = true;
    }
    os->unlock(os, r->ingest->lock);
    if (!status)
        stored(r);
    beck__blocks_deinit(&list);
    return status;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* Told once for each connection. */
static void line_was_cut(beck_receiver *r)
{
    if (r->cut++ == 0)
        beck_receiver_warn(r, "lines longer than %zu bytes are cut off there (text.line_bytes_max)",
                           r->ingest->options.line_bytes_max);
}

/* What there is of the line becomes a row; `complete`: an LF followed. */
static beck_status store_line(beck_receiver *r, uint64_t token, bool complete)
{
    size_t line_max = r->ingest->options.line_bytes_max, size = r->partial.size;

    if (complete && !r->skipping && size && r->partial.data[size - 1] == '\r')
        size--;
    if (size > line_max) {
        if (!r->skipping)
            line_was_cut(r);
        size = line_max;
    }
    beck_value value = beck_string_value(beck_bytes_of(beck__text_get(&r->partial), size));
    beck_status status = beck_store_values(r, token, &value, 1);
    beck__text_clear(&r->partial);
    r->skipping = false;
    return status;
}

void beck__receiver_end_line(struct beck_receiver *r)
{
    if (r->partial.size)
        store_line(r, r->token, false);
    r->skipping = false;
}

beck_status beck_store_bytes(beck_receiver *r, uint64_t token, const void *data, size_t size)
{
    const char *p = data;
    size_t keep = r->ingest->options.line_bytes_max + 1; /* a CR may come behind a line */
    beck_status status = BECK_OK;

    if (!r->lines)
        return beck_receiver_error(r, BECK_TYPE,
                                   "beck_store_bytes needs a schema of one STRING column");
    while (size > 0 && !status) {
        const char *lf = memchr(p, '\n', size);
        size_t piece = lf ? (size_t)(lf - p) : size, room = keep - r->partial.size;
        if (piece > room && !r->skipping) {
            r->skipping = true;
            line_was_cut(r);
        }
        beck__text_append(&r->partial, p, piece < room ? piece : room);
        if (r->partial.failed)
            return beck_receiver_error(r, BECK_NO_MEMORY, "out of memory for a received line");
        if (lf)
            status = store_line(r, token, true);
        p += piece + (lf != NULL);
        size -= piece + (lf != NULL);
    }
    r->token = token;
    return status;
}

beck_status beck__receiver_store_block(beck_receiver *r, uint64_t token, struct block *block)
{
    struct os *os = r->ingest->options.os;

    if (!block)
        return beck_receiver_error(r, BECK_NO_MEMORY, "out of memory for received rows");
    beck_status status = admit(r);
    if (status) {
        beck__block_unref(block);
        return status;
    }
    int64_t now = beck__receiver_now_ms(r);
    bool ok = beck__receiver_seal(r);
    if (ok)
        ok = add_sealed(r, block, now);
    else
        beck__block_unref(block);
    r->open_token = r->sealed_token = token;
    r->untold = true;
    os->unlock(os, r->ingest->lock);
    stored(r);
    return ok ? BECK_OK : beck_receiver_error(r, BECK_NO_MEMORY, "out of memory for received rows");
}
