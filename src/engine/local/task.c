/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt of one partition: the pipeline of its stage from the leaf to the shuffle writer or
 * the collector. The same code runs on worker threads, on the driver's thread, and in worker
 * processes.
 */
#include "engine/local/local.h"

/* tests: job_test.c dataset_test.c */

static enum flow push_block(struct operator *sink, struct task *task, const struct block *block)
{
    if (task->cancelled && atomic_load_explicit(task->cancelled, memory_order_relaxed)) {
        beck__error_set(&task->error, BECK_CANCELLED, "cancelled");
        return FLOW_FAILED;
    }
    task->records += block->chunk->rows;
    return sink->push(sink, block->chunk);
}

static enum flow run_partition(struct task *task, const struct dataset *d, uint32_t p,
                               struct operator *sink);

static enum flow run_program(struct task *task, const struct program *program,
                             const struct dataset *parent, uint32_t p, struct operator *sink)
{
    struct operator *head;

    task->rows_before = beck__dataset_rows_before(parent, p);
    if (beck__pipeline_open(task, program, sink, &head))
        return FLOW_FAILED;
    enum flow flow = run_partition(task, parent, p, head);
    if (flow != FLOW_FAILED && beck__pipeline_finish(head, sink) == FLOW_FAILED)
        flow = FLOW_FAILED;
    beck__pipeline_close(head, sink);
    return flow;
}

static enum flow run_shuffled(struct task *task, const struct dataset *d, uint32_t p,
                              struct operator *sink)
{
    struct strip strip = beck__dataset_strip(d, p);
    enum flow flow = FLOW_MORE;

    for (uint32_t m = 0; m < strip.count && flow == FLOW_MORE; m++) {
        const struct blocks *list = strip.first + m * strip.step;
        for (size_t i = 0; i < list->count && flow == FLOW_MORE; i++)
            flow = push_block(sink, task, list->items[i]);
    }
    return flow;
}

static enum flow run_kept(struct task *task, const struct dataset *d, uint32_t p,
                          struct operator *sink)
{
    struct blocks rows = {.memory = task->memory};

    beck__task_wait_begin(task);
    enum flow flow = beck__kept_read(d, p, &rows, &task->error) ? FLOW_FAILED : FLOW_MORE;
    beck__task_wait_end(task);
    for (size_t i = 0; i < rows.count && flow == FLOW_MORE; i++)
        flow = push_block(sink, task, rows.items[i]);
    beck__blocks_deinit(&rows);
    return flow;
}

static enum flow run_pieces(struct task *task, const struct dataset *d, uint32_t p,
                            struct operator *sink)
{
    struct pieces pieces = beck__dataset_pieces(d, p);
    enum flow flow = FLOW_MORE;

    for (uint32_t i = 0; i < pieces.count && flow == FLOW_MORE; i++) {
        uint32_t q;
        const struct dataset *piece = beck__dataset_piece(d, p, pieces.first + i, &q);
        flow = run_partition(task, piece, q, sink);
    }
    return flow;
}

/* The right partition is held, then the left one comes by. */
static enum flow run_pair(struct task *task, const struct dataset *d, uint32_t p,
                          struct operator *sink)
{
    struct blocks right = {.memory = task->memory};
    struct operator *keep = beck__collector_open(task, d->parents[1]->schema, &right);
    struct operator *pair = NULL;
    enum flow flow = FLOW_FAILED;
    uint32_t meets[2];

    beck__dataset_meet(d, p, meets);
    if (keep && run_partition(task, d->parents[1], meets[1], keep) != FLOW_FAILED)
        pair = beck__pair_open(task, d->pair, d->schema, &right, sink);
    if (pair) {
        flow = run_partition(task, d->parents[0], meets[0], pair);
        if (flow != FLOW_FAILED && beck__pipeline_finish(pair, sink) == FLOW_FAILED)
            flow = FLOW_FAILED;
        beck__pipeline_close(pair, sink);
    }
    beck__blocks_deinit(&right);
    return flow;
}

static enum flow run_partition(struct task *task, const struct dataset *d, uint32_t p,
                               struct operator *sink)
{
    enum flow flow = FLOW_MORE;

    switch (d->kind) {
    case DATA_VALUES:
        for (uint32_t i = 0; i < d->values[p].count && flow == FLOW_MORE; i++)
            flow = push_block(sink, task, d->values[p].items[i]);
        break;
    case DATA_SCAN:
        return beck__keeper_scan(d->keeper, p, task, sink);
    case DATA_SHUFFLE:
    case DATA_STATE:
        flow = run_shuffled(task, d, p, sink);
        break;
    case DATA_KEPT:
        return run_kept(task, d, p, sink);
    case DATA_RANGES:
        flow = beck__range_read(task, &d->source, d->ranges[p], sink);
        break;
    case DATA_NARROW:
        flow = run_program(task, d->program, d->parent, p, sink);
        break;
    case DATA_UNION:
    case DATA_COALESCE:
        return run_pieces(task, d, p, sink);
    case DATA_PAIR:
        return run_pair(task, d, p, sink);
    }
    return flow;
}

const beck_schema *beck__run_schema(const struct run *run, uint32_t i)
{
    const struct stage *stage = run->stage;

    if (stage->state && i == 1)
        return stage->state->keeper->saved;
    return stage->action ? stage->action->out : stage->input->schema;
}

static struct operator *sink_open(struct task *task, struct run *run, const beck_schema *schema,
                                  const struct partitioning *partitioning)
{
    run->out_count = partitioning ? beck__partitioning_lists(partitioning) : run->state ? 2 : 1;
    run->out = beck__alloc_zero(task->memory, run->out_count * sizeof *run->out);
    if (!run->out) {
        beck__error_memory(&task->error, "the output of a task", run->out_count * sizeof *run->out);
        return NULL;
    }
    for (uint32_t i = 0; i < run->out_count; i++)
        run->out[i].memory = task->memory;
    return partitioning && (run->out_count > 1 || partitioning->kind <= PARTITION_SINGLE)
               ? beck__shuffle_writer_open(task, schema, *partitioning, run->out)
               : beck__collector_open(task, schema, run->out);
}

/* The resident of a stateful action: the run's, or one made of its blocks, in *own. */
static bool resident_get(struct task *task, struct run *run, const struct program *action,
                         struct resident **own)
{
    *own = NULL;
    task->resident = run->resident;
    if (!run->state)
        return true;
    *own = task->resident = beck__resident_new(task->os, &action->ops[0], &task->error);
    return *own && !beck__resident_load(*own, run->state, task->batch_ms, &task->error);
}

void beck__run_here(struct os *os, struct run *run, const struct dataset *input,
                    const struct program *action, const struct partitioning *partitioning)
{
    const beck_schema *schema = action ? action->out : input->schema;
    struct task task;
    enum flow flow = FLOW_FAILED;

    beck__task_init(&task, os);
    task.batch_ms = input->scope->batch_ms;
    task.shared = input->scope->engine->options.shared;
    task.partition = run->partition;
    task.due = run->due;
    task.attempt = run->attempt;
    task.slot = run->slot;
    if (run->stage) /* a stage that runs inline on the driver's thread ends with its first failure
                     */
        task.cancelled =
            run->stage->inline_run ? &run->stage->engine->cancelled : &run->stage->cancelled;
    uint32_t p = run->stage ? run->partition : 0;
    struct resident *own;
    struct operator *sink = sink_open(&task, run, schema, partitioning);
    if (!resident_get(&task, run, action, &own))
        sink = NULL;
    if (sink) {
        flow = action ? run_program(&task, action, input, p, sink)
                      : run_partition(&task, input, p, sink);
        if (flow != FLOW_FAILED && sink->finish && sink->finish(sink) == FLOW_FAILED)
            flow = FLOW_FAILED;
        if (sink->close)
            sink->close(sink);
    }
    if (flow != FLOW_FAILED && own) {
        beck__resident_seal(own, true);
        if (beck__resident_save(own, &run->out[1], &task.error))
            flow = FLOW_FAILED;
    }
    beck__resident_free(own);
    if (run->resident)
        beck__resident_rest(run->resident);
    if (flow == FLOW_FAILED && !task.error.status)
        beck__error_set(&task.error, BECK_TASK, "failed without a reason");
    run->records = task.records;
    memcpy(run->warning, task.warning, sizeof run->warning);
    run->error = task.error;
    run->status = task.error.status;
    run->sums = task.sums;
    task.sums = (struct sums){0};
    if (run->status)
        beck__run_drop(run);
    beck__task_deinit(&task);
}

void beck__run_drop(struct run *run)
{
    beck__sums_deinit(&run->sums);
    if (!run->out)
        return;
    const struct allocator *memory = run->out[0].memory;
    for (uint32_t i = 0; i < run->out_count; i++)
        beck__blocks_deinit(&run->out[i]);
    beck__free(memory, run->out, run->out_count * sizeof *run->out);
    run->out = NULL;
}
