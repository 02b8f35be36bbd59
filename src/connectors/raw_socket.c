/* SPDX-License-Identifier: Apache-2.0 */
/*
 * raw_socket_stream: a TCP client that receives blocks that are encoded already, each checked as it
 * arrives. The receiver's thread.
 */
#include "connectors/connectors.h"
#include "connectors/frames.h"
#include "os/os.h"

#define PIECE_BYTES ((size_t)256 << 10)

struct raw_state {
    struct os *os;
    struct os_socket *socket;
    bool connecting;
    struct frames frames;
};

static beck_status raw_open(beck_receiver *r, void *state)
{
    struct raw_state *s = state;
    const struct beck__socket_params *params = beck_receiver_params(r);
    struct error error = {0};

    s->os = beck__os_current();
    s->frames.schema = beck__receiver_schema(r);
    s->frames.bytes.memory = &s->os->memory;
    if (params->reconnect_ms)
        beck__receiver_restart(r, params->reconnect_ms);
    if (s->os->connect(s->os, params->host, params->port, &s->socket, &error))
        return beck_receiver_error(r, error.status, "%s", error.text);
    s->connecting = true;
    beck__receiver_watch(r, s->socket, true);
    return BECK_OK;
}

static beck_status store_blocks(beck_receiver *r, struct frames *frames)
{
    struct error error = {0};
    struct block *block;
    beck_status status;

    while (!(status = beck__frames_next(frames, &block, &error)))
        if ((status = beck__receiver_store_block(r, 0, block)))
            return status;
    return status == BECK_AGAIN ? BECK_OK : beck_receiver_error(r, status, "%s", error.text);
}

static beck_status raw_poll(beck_receiver *r, void *state, int64_t timeout_ms)
{
    struct raw_state *s = state;
    struct text *bytes = &s->frames.bytes;
    struct error error = {0};
    size_t got = 0;
    beck_status status = BECK_OK;

    (void)timeout_ms;
    if (s->connecting) {
        status = s->os->connected(s->os, s->socket, &error);
        if (status)
            return status == BECK_AGAIN ? status : beck_receiver_error(r, status, "%s", error.text);
        s->connecting = false;
        beck__receiver_watch(r, s->socket, false);
    }
    if (!beck__text_reserve(bytes, PIECE_BYTES))
        return beck_receiver_error(r, BECK_NO_MEMORY, "out of memory for received blocks");
    status = s->os->recv(s->os, s->socket, bytes->data + bytes->size, PIECE_BYTES, &got, 0, &error);
    bytes->size += got;
    if (status == BECK_AGAIN)
        return status;
    if (!status)
        return store_blocks(r, &s->frames);
    size_t open = beck__frames_open(&s->frames);
    return open ? beck_receiver_error(r, BECK_IO, "%s, in the middle of a block (%zu bytes of it)",
                                      error.text, open)
                : beck_receiver_error(r, BECK_IO, "%s", error.text);
}

static void raw_close(beck_receiver *r, void *state)
{
    struct raw_state *s = state;

    beck__receiver_watch(r, NULL, false);
    s->os->shut(s->os, s->socket);
    beck__text_deinit(&s->frames.bytes);
}

const beck_receiver_class beck__raw_socket_receiver[1] = {{
    .name = "raw_socket_stream",
    .state_size = sizeof(struct raw_state),
    .open = raw_open,
    .poll = raw_poll,
    .close = raw_close,
}};
