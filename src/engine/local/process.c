/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --isolate: each worker thread has a worker process, the same executable started again, and hands
 * its tasks over through a Unix socket: u64 length and request, u64 length and reply. A process
 * that dies fails the attempt; the next one starts a new process.
 */
#include "engine/local/local.h"

#define MESSAGE_MAX ((uint64_t)1 << 40)

static beck_status send_all(struct os *os, struct os_socket *socket, const void *data, size_t size,
                            struct error *error)
{
    const char *p = data;
    beck_status status = BECK_OK;

    while (size && !status) {
        size_t sent = 0;
        status = os->send(os, socket, p, size, &sent, -1, error);
        p += sent;
        size -= sent;
    }
    return status;
}

static beck_status recv_all(struct os *os, struct os_socket *socket, void *data, size_t size,
                            struct error *error)
{
    char *p = data;
    beck_status status = BECK_OK;

    while (size && !status) {
        size_t got = 0;
        status = os->recv(os, socket, p, size, &got, -1, error);
        p += got;
        size -= got;
    }
    return status;
}

static beck_status send_message(struct os *os, struct os_socket *socket, const struct text *message,
                                struct error *error)
{
    uint8_t size[8];

    for (int i = 0; i < 8; i++)
        size[i] = (uint8_t)((uint64_t)message->size >> (8 * i));
    beck_status status = send_all(os, socket, size, sizeof size, error);
    return status ? status : send_all(os, socket, message->data, message->size, error);
}

static beck_status recv_message(struct os *os, struct os_socket *socket, struct text *message,
                                struct error *error)
{
    uint8_t header[8];
    uint64_t size = 0;

    beck__text_clear(message);
    beck_status status = recv_all(os, socket, header, sizeof header, error);
    if (status)
        return status;
    for (int i = 0; i < 8; i++)
        size |= (uint64_t)header[i] << (8 * i);
    if (size > MESSAGE_MAX)
        return beck__error_set(error, BECK_CORRUPT, "a message of %llu bytes",
                               (unsigned long long)size);
    if (!beck__text_reserve(message, size + 1))
        return beck__error_memory(error, "a message", size);
    message->size = size;
    return recv_all(os, socket, message->data, size, error);
}

static beck_status talk(struct worker *worker, struct run *run)
{
    struct os *os = worker->engine->os;
    struct text *text = &worker->request;
    beck_status status = BECK_OK;

    if (!worker->process)
        status = os->process_start(os, &worker->process, &worker->channel, &run->error);
    if (status)
        return status;
    beck__text_clear(text);
    status = beck__request_encode(run, text, &run->error);
    if (status)
        return status;
    struct error broken = {0};
    status = send_message(os, worker->channel, text, &broken);
    if (!status)
        status = recv_message(os, worker->channel, text, &broken);
    if (status) {
        beck__worker_process_stop(worker);
        return beck__error_set(&run->error, BECK_TASK, "the worker process ended: %s",
                               status == BECK_CLOSED ? "it closed its channel" : broken.text);
    }
    struct reader in = {.data = (const uint8_t *)text->data, .size = text->size};
    return beck__reply_decode(&os->memory, &in, run, &run->error);
}

void beck__run_in_process(struct worker *worker, struct run *run)
{
    run->status = talk(worker, run);
}

void beck__worker_process_stop(struct worker *worker)
{
    struct os *os = worker->engine ? worker->engine->os : NULL;
    int code;

    if (!worker->process)
        return;
    os->shut(os, worker->channel); /* it ends when its channel closes */
    os->process_wait(os, worker->process, &code);
    worker->process = NULL;
    worker->channel = NULL;
}

void beck__engine_worker(struct os *os)
{
    struct os_socket *channel = os->parent_channel(os);
    struct text request = {.memory = &os->memory}, reply = {.memory = &os->memory};

    if (!channel)
        return;
    for (;;) {
        struct error error = {0};
        if (recv_message(os, channel, &request, &error))
            break;
        struct reader in = {.data = (const uint8_t *)request.data, .size = request.size};
        beck__text_clear(&reply);
        if (beck__request_serve(os, &in, &reply, &error)) {
            beck__text_clear(&reply);
            beck__put_u8(&reply, (uint8_t)error.status);
            beck__put_string(&reply, beck_string(error.text));
            beck__put_u64(&reply, 0);
            beck__put_u32(&reply, 0);
        }
        if (reply.failed || send_message(os, channel, &reply, &error))
            break;
    }
    os->exit(os, 0);
}
