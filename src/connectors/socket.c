/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket_text_stream: a TCP client that reads lines; stdin_stream: the same of standard input.
 * Bytes are received into a buffer of 2 MiB; the lines of one read become a block of views into it,
 * so nothing is copied but the unfinished line at the end of a full buffer. Supervisor's thread.
 */
#include "connectors/connectors.h"

#include "formats/formats.h"
#include "os/os.h"

#include <stdio.h>

/* With its header a buffer has the size that os keeps and hands out again: no page is cleared
 * twice. */
#define BUFFER_BYTES (((size_t)2 << 20) - sizeof(struct buffer))
#define LOW_BYTES    ((size_t)64 << 10) /* with less room than this a new buffer is begun */

struct socket_state {
    struct os *os;
    struct os_socket *socket;
    bool connecting, warned;
    bool ends; /* for good, when the other side does: standard input */
    struct buffer *buffer;
    size_t start; /* of the unfinished line in the buffer */
    struct line_cutter cutter;
    struct arena arena;
    const beck_schema *schema;
    struct builder rows;
};

static beck_status socket_open(beck_receiver *r, void *state)
{
    struct socket_state *s = state;
    const struct beck__socket_params *params = beck_receiver_params(r);
    struct error error = {0};

    s->os = beck__os_current();
    if (params->reconnect_ms)
        beck__receiver_restart(r, params->reconnect_ms);
    s->cutter.line_max =
        params->line_bytes_max ? params->line_bytes_max : beck__receiver_line_max(r);
    beck__arena_init(&s->arena, &s->os->memory);
    beck_status status = beck__schema_parse(&s->arena, "value STRING", &s->schema, &error);
    if (!status)
        status = beck__builder_init(&s->rows, &s->os->memory, s->schema, 8192, &error);
    if (!status && *params->host)
        status = s->os->connect(s->os, params->host, params->port, &s->socket, &error);
    else if (!status)
        status = s->os->input(s->os, &s->socket, &error);
    if (status)
        return beck_receiver_error(r, status, "%s", error.text);
    s->connecting = *params->host != '\0';
    s->ends = !s->connecting;
    beck__receiver_watch(r, s->socket, s->connecting);
    return BECK_OK;
}

/* Room for a read behind the unfinished line, which moves to a new buffer if need be. */
static bool make_room(struct socket_state *s)
{
    struct buffer *old = s->buffer;

    if (old && old->capacity - old->size >= LOW_BYTES)
        return true;
    size_t open = old ? old->size - s->start : 0;
    size_t capacity = open < BUFFER_BYTES / 2 ? BUFFER_BYTES : BUFFER_BYTES + open;
    struct buffer *fresh = beck__buffer_new(&s->os->memory, capacity);
    if (!fresh)
        return false;
    if (open)
        memcpy(fresh->data, old->data + s->start, open);
    fresh->size = open;
    s->start = 0;
    s->buffer = fresh;
    beck__buffer_unref(old);
    return true;
}

/* Stores the complete lines of the buffer; with `last` the unfinished one too. */
static beck_status store_lines(beck_receiver *r, struct socket_state *s, bool last)
{
    bool ok = true;
    beck_status status = BECK_OK;

    while (!status && s->start < s->buffer->size) {
        size_t size = s->buffer->size - s->start;
        size_t used =
            beck__lines_cut(&s->cutter, s->buffer->data + s->start, size, last, &s->rows, &ok);
        uint32_t rows = s->rows.chunk->rows;
        s->start += used;
        if (rows)
            status = beck__receiver_store_block(
                r, 0,
                beck__block_new(&s->os->memory, s->schema, s->rows.chunk, 0, rows, s->buffer));
        beck__builder_clear(&s->rows);
        if (!ok)
            return beck_receiver_error(r, BECK_NO_MEMORY, "out of memory for received lines");
        if (rows == 0)
            break;
    }
    if (s->cutter.cut && !s->warned) {
        s->warned = true;
        beck_receiver_warn(r, "lines longer than %zu bytes are cut off there (text.line_bytes_max)",
                           s->cutter.line_max);
    }
    return status;
}

/* Nothing already received is lost: the unfinished line counts, too. */
static void socket_close(beck_receiver *r, void *state)
{
    struct socket_state *s = state;

    beck__receiver_watch(r, NULL, false);
    s->os->shut(s->os, s->socket);
    if (s->buffer)
        store_lines(r, s, true);
    beck__buffer_unref(s->buffer);
    if (s->rows.memory)
        beck__builder_deinit(&s->rows);
    beck__arena_deinit(&s->arena);
}

/* An end and a reset are the same to us: both are connected again. */
static beck_status lost(beck_receiver *r, const struct socket_state *s, beck_status status,
                        const struct error *error)
{
    char cut[64] = "";

    if (s->cutter.cut)
        snprintf(cut, sizeof cut, " (%llu lines were cut off)", (unsigned long long)s->cutter.cut);
    return beck_receiver_error(r, status == BECK_CLOSED ? BECK_IO : status, "%s%s", error->text,
                               cut);
}

static beck_status socket_poll(beck_receiver *r, void *state, int64_t timeout_ms)
{
    struct socket_state *s = state;
    struct error error = {0};
    size_t got = 0;

    (void)timeout_ms;
    if (s->connecting) {
        beck_status status = s->os->connected(s->os, s->socket, &error);
        if (status == BECK_AGAIN)
            return status;
        if (status)
            return beck_receiver_error(r, status, "%s", error.text);
        s->connecting = false;
        beck__receiver_watch(r, s->socket, false);
    }
    if (!make_room(s))
        return beck_receiver_error(r, BECK_NO_MEMORY, "out of memory for received lines");
    struct buffer *b = s->buffer;
    beck_status status =
        s->os->recv(s->os, s->socket, b->data + b->size, b->capacity - b->size, &got, 0, &error);
    b->size += got;
    if (status == BECK_AGAIN)
        return status;
    if (status == BECK_CLOSED && s->ends)
        return status;
    if (status)
        return lost(r, s, status, &error);
    return store_lines(r, s, false);
}

const beck_receiver_class beck__socket_receiver[1] = {{
    .name = "socket_text_stream",
    .schema = "value STRING",
    .state_size = sizeof(struct socket_state),
    .open = socket_open,
    .poll = socket_poll,
    .close = socket_close,
}};

const beck_receiver_class beck__stdin_receiver[1] = {{
    .name = "stdin_stream",
    .schema = "value STRING",
    .state_size = sizeof(struct socket_state),
    .open = socket_open,
    .poll = socket_poll,
    .close = socket_close,
}};
