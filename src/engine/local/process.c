/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --isolate: each worker thread has a worker process, the same executable started again, and hands
 * its tasks over through a Unix socket: u64 length and request, u64 length and reply. A process
 * that dies fails the attempt; the next one starts a new process.
 */
#include "engine/local/local.h"

#define MESSAGE_MAX ((uint64_t)1 << 40)
#define HEADER      8 /* bytes: a size */
#define LOOK_NS     (10 * 1000000)

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
    uint8_t size[HEADER];

    for (int i = 0; i < HEADER; i++)
        size[i] = (uint8_t)((uint64_t)message->size >> (8 * i));
    beck_status status = send_all(os, socket, size, sizeof size, error);
    return status ? status : send_all(os, socket, message->data, message->size, error);
}

/* What follows its header. */
static beck_status recv_body(struct os *os, struct os_socket *socket, const uint8_t *header,
                             struct text *message, struct error *error)
{
    uint64_t size = 0;

    beck__text_clear(message);
    for (int i = 0; i < HEADER; i++)
        size |= (uint64_t)header[i] << (8 * i);
    if (size > MESSAGE_MAX)
        return beck__error_set(error, BECK_CORRUPT, "a message of %llu bytes",
                               (unsigned long long)size);
    if (!beck__text_reserve(message, size + 1))
        return beck__error_memory(error, "a message", size);
    message->size = size;
    return recv_all(os, socket, message->data, size, error);
}

static beck_status recv_message(struct os *os, struct os_socket *socket, struct text *message,
                                struct error *error)
{
    uint8_t header[HEADER];
    beck_status status = recv_all(os, socket, header, sizeof header, error);

    return status ? status : recv_body(os, socket, header, message, error);
}

/* The header of the reply. While the process sleeps another one may have its slot. */
static beck_status await_reply(struct worker *worker, uint8_t *header, struct error *error)
{
    struct os *os = worker->engine->os;
    struct slot *slot = &worker->slot;
    bool waits = false;
    size_t have = 0;
    beck_status status = BECK_OK;

    while (have < HEADER && (!status || status == BECK_AGAIN)) {
        size_t got = 0;
        bool slept = status == BECK_AGAIN && os->process_waits(os, worker->process);
        if (slept && !waits)
            slot->wait_begin(slot);
        else if (!slept && waits)
            slot->wait_end(slot);
        waits = slept;
        status = os->recv(os, worker->channel, header + have, HEADER - have, &got, LOOK_NS, error);
        have += got;
    }
    if (waits)
        slot->wait_end(slot);
    return status;
}

static beck_status process_start(struct worker *worker, struct error *error)
{
    struct os *os = worker->engine->os;
    struct os_process *process;
    beck_status status = os->process_start(os, &process, &worker->channel, error);

    if (status)
        return status;
    os->lock(os, worker->engine->lock);
    worker->process = process;
    worker->told = 0;
    worker->killed = atomic_load(&worker->engine->cancelled);
    if (worker->killed)
        os->process_kill(os, process);
    os->unlock(os, worker->engine->lock);
    return BECK_OK;
}

static bool was_killed(struct worker *worker)
{
    struct os *os = worker->engine->os;

    os->lock(os, worker->engine->lock);
    bool killed = worker->killed;
    os->unlock(os, worker->engine->lock);
    return killed;
}

/* Sends the request and gets the reply into the same text. */
static beck_status exchange(struct worker *worker, enum fault fault, struct error *error)
{
    struct os *os = worker->engine->os;
    uint8_t header[HEADER];

    if (fault == FAULT_KILLED_IDLE)
        os->process_kill(os, worker->process);
    beck_status status = send_message(os, worker->channel, &worker->request, error);
    if (fault == FAULT_KILLED_BUSY)
        os->process_kill(os, worker->process);
    if (!status)
        status = await_reply(worker, header, error);
    return status ? status : recv_body(os, worker->channel, header, &worker->request, error);
}

/* Why there is no reply: the process has ended, or it no longer makes sense to talk to it. */
static beck_status no_reply(struct worker *worker, const struct error *reason, struct error *error)
{
    int code = beck__worker_process_stop(worker);

    if (reason->status == BECK_NO_MEMORY)
        return beck__error_set(error, BECK_NO_MEMORY, "%s", reason->text);
    if (code < 0)
        return beck__error_set(error, BECK_TASK, "the worker process was ended by signal %d",
                               -code);
    return beck__error_set(error, BECK_TASK, "the worker process ended with code %d: %s", code,
                           reason->text);
}

static beck_status talk(struct worker *worker, struct run *run)
{
    struct os *os = worker->engine->os;
    struct error reason = {0};
    beck_status status = BECK_OK;

    if (was_killed(worker))
        beck__worker_process_stop(worker);
    if (!worker->process)
        status = process_start(worker, &run->error);
    if (status)
        return status;
    const struct shared *shared = worker->engine->options.shared;
    beck__text_clear(&worker->request);
    beck__shared_encode(shared, worker->told, &worker->request);
    status = beck__request_encode(run, &worker->request, &run->error);
    if (status)
        return status;
    if (exchange(worker, run->fault, &reason) || run->fault == FAULT_KILLED_BUSY)
        return no_reply(worker, &reason, &run->error);
    struct reader in = {.data = (const uint8_t *)worker->request.data,
                        .size = worker->request.size};
    status = beck__reply_decode(&os->memory, &in, run, &run->error);
    if (!status && shared)
        worker->told = shared->version;
    return status;
}

void beck__run_in_process(struct worker *worker, struct run *run)
{
    run->status = talk(worker, run);
}

int beck__worker_process_stop(struct worker *worker)
{
    struct os_process *process = worker->process;
    int code = 0;

    if (!process)
        return code;
    struct os *os = worker->engine->os;
    os->lock(os, worker->engine->lock);
    worker->process = NULL;
    worker->killed = false;
    os->unlock(os, worker->engine->lock);
    os->shut(os, worker->channel); /* it ends when its channel closes */
    os->process_wait(os, process, &code);
    worker->channel = NULL;
    return code;
}

void beck__worker_processes_kill(struct local *local)
{
    struct os *os = local->os;

    os->lock(os, local->lock);
    for (uint32_t i = 0; i <= local->worker_max; i++)
        if (local->workers[i].process) {
            local->workers[i].killed = true;
            os->process_kill(os, local->workers[i].process);
        }
    os->unlock(os, local->lock);
}

void beck__engine_worker(struct os *os)
{
    struct os_socket *channel = os->parent_channel(os);
    struct text request = {.memory = &os->memory}, reply = {.memory = &os->memory};
    struct shared shared;

    if (!channel)
        return;
    if (beck__shared_init(&shared, os))
        os->exit(os, 1);
    for (;;) {
        struct error error = {0};
        if (recv_message(os, channel, &request, &error))
            break;
        struct reader in = {.data = (const uint8_t *)request.data, .size = request.size};
        beck__text_clear(&reply);
        if (beck__shared_decode(&shared, &in, &error) ||
            beck__request_serve(os, &shared, &in, &reply, &error)) {
            beck__text_clear(&reply);
            beck__put_u8(&reply, (uint8_t)error.status);
            beck__put_string(&reply, beck_string(error.text));
            beck__put_u64(&reply, 0);
            beck__put_u32(&reply, 0);
            beck__put_u32(&reply, 0);
        }
        if (reply.failed || send_message(os, channel, &reply, &error))
            break;
    }
    os->exit(os, 0);
}
