/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stateful operations keep between batches. A task borrows its partition; the seal of the
 * batch, on the driver's thread, makes what the tasks have changed hold, or takes it back.
 */
/* tests: job_test.c */
#include "engine/local/local.h"

static void keeper_free(struct engine *engine, struct keeper *keeper)
{
    const struct allocator *memory = &((struct local *)engine)->os->memory;

    if (!keeper)
        return;
    size_t n = (size_t)keeper->partitions + 1;
    for (uint32_t p = 0; p < keeper->partitions; p++) {
        if (keeper->residents)
            beck__resident_free(keeper->residents[p]);
        if (keeper->before)
            beck__blocks_deinit(&keeper->before[p]);
        if (keeper->after)
            beck__blocks_deinit(&keeper->after[p]);
    }
    beck__free(memory, keeper->residents, n * sizeof(struct resident *));
    beck__free(memory, keeper->before, n * sizeof *keeper->before);
    beck__free(memory, keeper->after, n * sizeof *keeper->after);
    beck__free(memory, keeper->changed, n * sizeof *keeper->changed);
    beck__arena_deinit(&keeper->arena);
    beck__free(memory, keeper, sizeof *keeper);
}

static struct keeper *keeper_new(struct engine *engine, const struct program *program,
                                 uint32_t partitions, struct error *error)
{
    struct local *local = (struct local *)engine;
    const struct allocator *memory = &local->os->memory;
    struct keeper *keeper = beck__alloc_zero(memory, sizeof *keeper);
    size_t n = (size_t)partitions + 1;

    if (!keeper) {
        beck__error_memory(error, program->ops[0].name, sizeof *keeper);
        return NULL;
    }
    keeper->engine = local;
    keeper->program = program;
    beck__arena_init(&keeper->arena, memory);
    keeper->saved = beck__resident_schema(&keeper->arena, &program->ops[0], true);
    keeper->partitions = partitions;
    keeper->as_blocks = local->options.isolate || local->options.encode;
    keeper->residents = beck__alloc_zero(memory, n * sizeof(struct resident *));
    keeper->before = beck__alloc_zero(memory, n * sizeof *keeper->before);
    keeper->after = beck__alloc_zero(memory, n * sizeof *keeper->after);
    keeper->changed = beck__alloc_zero(memory, n * sizeof *keeper->changed);
    if (!keeper->saved || !keeper->residents || !keeper->before || !keeper->after ||
        !keeper->changed) {
        keeper_free(engine, keeper);
        beck__error_memory(error, program->ops[0].name, n * sizeof *keeper->before);
        return NULL;
    }
    keeper->due_ms = INT64_MAX;
    for (uint32_t p = 0; p < partitions; p++)
        keeper->before[p].memory = keeper->after[p].memory = memory;
    return keeper;
}

/* Makes the resident of a partition; it is needed only once there are rows. */
static struct resident *resident_of(struct keeper *keeper, uint32_t partition, struct error *error)
{
    struct resident **place = &keeper->residents[partition];

    if (!*place)
        *place = beck__resident_new(keeper->engine->os, &keeper->program->ops[0], error);
    return *place;
}

static const struct blocks *blocks_of(const struct keeper *keeper, uint32_t partition)
{
    return keeper->changed[partition] ? &keeper->after[partition] : &keeper->before[partition];
}

/* A resident of what a partition keeps as blocks. NULL with the error set. */
static struct resident *from_blocks(struct keeper *keeper, const struct blocks *rows,
                                    int64_t batch_ms, struct error *error)
{
    struct resident *r = beck__resident_new(keeper->engine->os, &keeper->program->ops[0], error);

    if (r && beck__resident_load(r, rows, batch_ms, error)) {
        beck__resident_free(r);
        r = NULL;
    }
    return r;
}

static void note_due(struct keeper *keeper)
{
    const struct op *op = &keeper->program->ops[0];

    keeper->due_ms = INT64_MAX;
    for (uint32_t p = 0; p < keeper->partitions; p++) {
        int64_t due = keeper->as_blocks      ? beck__saved_due(op, &keeper->before[p])
                      : keeper->residents[p] ? beck__resident_due(keeper->residents[p])
                                             : INT64_MAX;
        keeper->due_ms = due < keeper->due_ms ? due : keeper->due_ms;
    }
}

static int64_t keeper_due(const struct keeper *keeper)
{
    return keeper->due_ms;
}

static beck_status keeper_load(struct keeper *keeper, uint32_t partition, const struct blocks *rows,
                               int64_t batch_ms, struct error *error)
{
    struct resident *r = from_blocks(keeper, rows, batch_ms, error);

    if (!r)
        return error->status;
    if (!keeper->as_blocks) {
        beck__resident_free(keeper->residents[partition]);
        keeper->residents[partition] = r;
        note_due(keeper);
        return BECK_OK;
    }
    beck__blocks_deinit(&keeper->before[partition]);
    beck_status status = beck__resident_save(r, &keeper->before[partition], error);
    beck__resident_free(r);
    note_due(keeper);
    return status;
}

beck_status beck__keeper_lend(struct keeper *keeper, struct run *run)
{
    run->due = run->stage->state->due;
    if (keeper->as_blocks)
        run->state = blocks_of(keeper, run->partition);
    else
        run->resident = resident_of(keeper, run->partition, &run->error);
    return run->error.status;
}

void beck__keeper_take(struct keeper *keeper, struct run *run)
{
    uint32_t p = run->partition;

    if (!keeper->as_blocks)
        return;
    beck__blocks_deinit(&keeper->after[p]);
    keeper->after[p] = run->out[1];
    keeper->changed[p] = true;
    run->out[1] = (struct blocks){.memory = keeper->after[p].memory};
}

static void keeper_seal(struct keeper *keeper, bool keep)
{
    for (uint32_t p = 0; p < keeper->partitions; p++) {
        if (keeper->residents[p])
            beck__resident_seal(keeper->residents[p], keep);
        if (!keeper->changed[p])
            continue;
        struct blocks *gone = keep ? &keeper->before[p] : &keeper->after[p];
        beck__blocks_deinit(gone);
        if (keep) {
            struct blocks none = keeper->before[p];
            keeper->before[p] = keeper->after[p];
            keeper->after[p] = none;
        }
        keeper->changed[p] = false;
    }
    note_due(keeper);
}

/* As blocks it would have to be looked at to know when a key is due. */
bool beck__keeper_idle(const struct keeper *keeper, uint32_t partition, int64_t batch_ms)
{
    if (keeper->as_blocks)
        return blocks_of(keeper, partition)->rows == 0;
    const struct resident *r = keeper->residents[partition];
    return !r || beck__resident_idle(r, batch_ms);
}

uint64_t beck__keeper_count(const struct keeper *keeper, uint32_t partition)
{
    if (keeper->as_blocks)
        return blocks_of(keeper, partition)->rows;
    const struct resident *r = keeper->residents[partition];
    return r ? beck__resident_count(r) : 0;
}

enum flow beck__keeper_scan(struct keeper *keeper, uint32_t partition, struct task *task,
                            struct operator *sink)
{
    if (!keeper->as_blocks)
        return keeper->residents[partition]
                   ? beck__resident_scan(keeper->residents[partition], task, sink)
                   : FLOW_MORE;
    struct resident *r =
        from_blocks(keeper, blocks_of(keeper, partition), task->batch_ms, &task->error);
    enum flow flow = r ? beck__resident_scan(r, task, sink) : FLOW_FAILED;
    beck__resident_free(r);
    return flow;
}

void beck__local_keepers(struct engine *engine)
{
    engine->keeper_new = keeper_new;
    engine->keeper_free = keeper_free;
    engine->keeper_load = keeper_load;
    engine->keeper_seal = keeper_seal;
    engine->keeper_due = keeper_due;
}
