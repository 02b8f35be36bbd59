/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program becomes a chain of operators; this file opens, finishes and closes the chain, and keeps
 * the life of a task.
 */
#include "exec/call.h"

void beck__task_init(struct task *task, struct os *os)
{
    memset(task, 0, offsetof(struct task, error));
    beck__error_clear(&task->error);
    task->os = os;
    task->memory = &os->memory;
    beck__arena_init(&task->arena, task->memory);
}

void beck__task_deinit(struct task *task)
{
    beck__sums_deinit(&task->sums);
    beck__arena_deinit(&task->arena);
}

uint64_t beck__task_secret(void *user)
{
    struct os *os = user;
    uint64_t secret = 0;

    os->random(os, &secret, sizeof secret);
    return secret;
}

void *beck__operator_new(struct task *task, const struct op *op, size_t size)
{
    struct operator *self = beck__arena_alloc(&task->arena, size);

    if (!self) {
        beck__error_memory(&task->error, op ? op->name : "an operator", size);
        return NULL;
    }
    self->task = task;
    self->op = op;
    return self;
}

bool beck__function_get(struct task *task, const struct op *op, int i, void *function)
{
    void *address = task->os->function_of(task->os, op->function[i]);

    if (!address)
        beck__error_set(&task->error, BECK_UNSUPPORTED, "%s: the callback is not in this program",
                        op->name);
    memcpy(function, &address, sizeof address);
    return address != NULL;
}

enum flow beck__flush(struct operator *self, struct builder *out)
{
    if (out->chunk->rows == 0)
        return FLOW_MORE;
    enum flow flow = self->next->push(self->next, out->chunk);
    beck__builder_clear(out);
    return flow;
}

static struct operator *open_one(struct task *task, const struct op *op)
{
    switch (op->kind) {
    case OP_CALL:
        return beck__call_open(task, op);
    case OP_FILTER:
        return beck__filter_open(task, op);
    case OP_WORDS:
    case OP_LINES:
        return beck__words_open(task, op);
    case OP_PROJECT:
        return beck__project_open(task, op);
    case OP_PARTITION:
        return beck__partition_open(task, op);
    case OP_GLOM:
        return beck__glom_open(task, op);
    case OP_GROUP:
        return beck__group_open(task, op);
    case OP_LIMIT:
        return beck__limit_open(task, op);
    case OP_SINK:
        return beck__sink_open(task, op);
    case OP_SIDE:
        return beck__side_open(task, op);
    case OP_JOIN:
        return beck__join_open(task, op);
    case OP_SORT:
        return beck__sort_open(task, op);
    case OP_INDEX:
        return beck__index_open(task, op);
    case OP_SAME:
        return beck__same_open(task, op);
    case OP_UPDATE:
        return beck__update_open(task, op);
    case OP_TRACK:
        return beck__track_open(task, op);
    case OP_WINDOW:
        return beck__window_open(task, op);
    case OP_ACCUMULATE:
        return beck__accumulate_open(task, op);
    case OP_COUNT:
        break;
    }
    beck__error_set(&task->error, BECK_CORRUPT, "unknown operation %d", (int)op->kind);
    return NULL;
}

beck_status beck__pipeline_open(struct task *task, const struct program *program,
                                struct operator *sink, struct operator** head)
{
    *head = sink;
    for (uint32_t i = program->count; i-- > 0;) {
        struct operator *o = open_one(task, &program->ops[i]);

        if (!o) {
            beck__pipeline_close(*head, sink);
            *head = NULL;
            return task->error.status;
        }
        o->next = *head;
        *head = o;
    }
    return BECK_OK;
}

enum flow beck__pipeline_finish(struct operator *head, struct operator *sink)
{
    for (struct operator *o = head; o != sink; o = o->next)
        if (o->finish && o->finish(o) == FLOW_FAILED)
            return FLOW_FAILED;
    return FLOW_MORE;
}

void beck__pipeline_close(struct operator *head, struct operator *sink)
{
    for (struct operator *o = head; o && o != sink; o = o->next)
        if (o->close)
            o->close(o);
}
