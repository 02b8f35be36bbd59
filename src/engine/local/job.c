/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job becomes stages: the lineage is cut at its shuffles, at stateful operations, and where rows
 * stay; each of them that has not run yet is a stage of its own, parents first; the last stage
 * delivers rows. A failed task is tried again from its lineage, up to the limit; then the stage is
 * cancelled and the job fails with the first such error.
 */
#include "engine/local/local.h"

#include <stdio.h>

#define DEPTH_MAX 10000u

static void run_free(struct local *local, struct run *run)
{
    beck__run_drop(run);
    beck__free(&local->os->memory, run, sizeof *run);
}

static void keep_shuffle(struct dataset *shuffle, struct run *run)
{
    if (shuffle->kind == DATA_KEPT) {
        beck__kept_put(shuffle, run->partition, &run->out[0]);
        return;
    }
    struct blocks *row = shuffle->out + (size_t)run->partition * shuffle->lists;
    bool same = shuffle->partitioning.kind == PARTITION_SAME;

    for (uint32_t t = 0; t < run->out_count; t++) {
        row[t] = run->out[t];
        shuffle->target_rows[same ? run->partition : t] += run->out[t].rows;
    }
    memset(run->out, 0, run->out_count * sizeof *run->out);
    run->out[0].memory = row[0].memory; /* so that the empty lists can be dropped */
}

/* The sums of a task, until the stage is through. */
static bool keep_sums(struct stage *stage, struct run *run)
{
    const struct allocator *memory = &stage->engine->os->memory;

    if (!run->sums.items)
        return true;
    if (!stage->sums)
        stage->sums = beck__alloc_zero(memory, stage->sum_count * sizeof *stage->sums);
    if (!stage->sums) {
        beck__error_memory(&stage->error, "counters", stage->sum_count * sizeof *stage->sums);
        atomic_store(&stage->cancelled, true);
        return false;
    }
    stage->sums[run->partition - stage->first] = run->sums;
    run->sums = (struct sums){0};
    return true;
}

/* In the order of partitions, so that fractions add up to the same bits on any number of threads.
 */
static void count_sums(struct stage *stage)
{
    const struct allocator *memory = &stage->engine->os->memory;

    for (uint32_t i = 0; stage->sums && i < stage->sum_count; i++) {
        if (!stage->error.status)
            beck__shared_add(stage->engine->options.shared, &stage->sums[i]);
        beck__sums_deinit(&stage->sums[i]);
    }
    beck__free(memory, stage->sums, stage->sum_count * sizeof *stage->sums);
    stage->sums = NULL;
}

static void keep_state(struct dataset *state, struct run *run)
{
    struct blocks *out = &state->out[run->partition];

    state->target_rows[run->partition] = run->out[0].rows;
    *out = run->out[0];
    run->out[0] = (struct blocks){.memory = out->memory};
    beck__keeper_take(state->keeper, run);
}

static void task_failed(struct stage *stage, const struct run *run)
{
    char batch[48] = "";
    const char *what = stage->job->what;
    bool said = strncmp(run->error.text, what, strlen(what)) == 0; /* the operator is the output */

    if (stage->input->scope->batch_ms)
        snprintf(batch, sizeof batch, ", batch %lld ms", (long long)stage->input->scope->batch_ms);
    beck__error_set(&stage->error, run->status, "%s%s%s (partition %u%s, attempt %u of %d)",
                    said ? "" : what, said ? "" : ": ", run->error.text, run->partition, batch,
                    run->attempt + 1, stage->engine->options.attempts);
    atomic_store(&stage->cancelled, true);
}

static void note_warning(struct stage *stage, const struct run *run)
{
    if (*run->warning && !stage->warned++)
        snprintf(stage->warning, sizeof stage->warning, "%s", run->warning);
}

static void log_warnings(const struct stage *stage)
{
    char more[48] = "";

    if (!stage->warned)
        return;
    if (stage->warned > 1)
        snprintf(more, sizeof more, "; and more in %u other tasks", stage->warned - 1);
    beck__log(stage->engine->log, BECK_LOG_WARNING, "%s: %s%s", stage->job->what, stage->warning,
              more);
}

enum after { RUN_DONE, RUN_AGAIN, RUN_LATER };

/* What becomes of a run that has ended. LATER: the stage has it. */
static enum after finish_run(struct stage *stage, struct run *run)
{
    struct local *local = stage->engine;

    if (run->status && atomic_load(&local->cancelled))
        beck__error_set(&stage->error, BECK_CANCELLED, "%s: cancelled", stage->job->what);
    if (run->status && !stage->error.status && atomic_load(&local->store.lost)) {
        beck__log(local->log, BECK_LOG_WARNING, "%s: %s; they are computed again", stage->job->what,
                  run->error.text);
        run->status = BECK_OK;
        beck__error_clear(&run->error);
        run->next = stage->later;
        stage->later = run;
        return RUN_LATER;
    }
    if (run->status && !stage->error.status &&
        run->attempt + 1 < (uint32_t)local->options.attempts) {
        beck__log(local->log, BECK_LOG_INFO, "%s: attempt %u of partition %u failed: %s",
                  stage->job->what, run->attempt + 1, run->partition, run->error.text);
        run->attempt++;
        run->status = BECK_OK;
        beck__error_clear(&run->error);
        beck__fault_plan(local, run);
        return RUN_AGAIN;
    }
    note_warning(stage, run);
    if (run->status)
        task_failed(stage, run);
    else if (!keep_sums(stage, run))
        return RUN_DONE;
    else if (!stage->error.status && stage->shuffle)
        keep_shuffle(stage->shuffle, run);
    else if (!stage->error.status && stage->state)
        keep_state(stage->state, run);
    else if (!stage->error.status && stage->job->deliver)
        stage->job->deliver(stage->job->user, run->partition, run->out);
    return RUN_DONE;
}

static bool stage_inline(const struct stage *stage)
{
    const struct local *local = stage->engine;

    if (local->options.inline_all)
        return !local->options.isolate;
    if (beck__dataset_calls(stage->input) || (stage->action && beck__program_calls(stage->action)))
        return false;
    return beck__dataset_rows(stage->input) <= local->options.inline_rows;
}

static void launch(struct stage *stage, struct run *run)
{
    struct local *local = stage->engine;
    enum after after;

    if (!stage->inline_run && !local->options.inline_all) {
        stage->running++;
        local->runs++;
        beck__pool_push(local, run);
        return;
    }
    do {
        beck__pool_run(local, run);
        after = finish_run(stage, run);
    } while (after == RUN_AGAIN);
    if (after == RUN_DONE)
        run_free(local, run);
}

static beck_status start_task(struct stage *stage, uint32_t partition)
{
    struct local *local = stage->engine;
    struct run *run = beck__alloc(&local->os->memory, sizeof *run);

    if (!run)
        return beck__error_memory(&stage->error, stage->job->what, sizeof *run);
    memset(run, 0, offsetof(struct run, error));
    beck__error_clear(&run->error);
    run->records = 0;
    run->stage = stage;
    run->partition = partition;
    run->pool = stage->job->pool;
    beck__fault_plan(local, run);
    launch(stage, run);
    return stage->error.status;
}

/* True if the task of a partition would do and give nothing. */
static bool needless(const struct stage *stage, bool silent, uint32_t partition)
{
    const struct dataset *to = stage->shuffle;

    if (to && to->kind == DATA_KEPT && !(to->marks[partition] & MARK_MISSING))
        return true;
    if (!silent || !beck__dataset_nothing(stage->input, partition))
        return false;
    return !stage->state ||
           beck__keeper_idle(stage->state->keeper, partition, stage->input->scope->batch_ms);
}

static beck_status prepare(struct local *local, struct dataset *d, const struct job *job,
                           uint32_t depth, struct error *error);

/* Runs that could not read what was stored start again when it has been computed again. */
static bool run_later(struct stage *stage)
{
    struct local *local = stage->engine;
    struct run *run = stage->later;

    stage->later = NULL;
    while (run && local->runs) /* of other jobs, which may read it, too */
        beck__local_pass(&local->base);
    if (run && !stage->error.status)
        prepare(local, stage->input, stage->job, 0, &stage->error);
    for (struct run *next; run; run = next) {
        next = run->next;
        if (stage->error.status)
            run_free(local, run);
        else
            launch(stage, run);
    }
    return stage->running || stage->later;
}

/* A run has come back from the workers: of this thread's stage, or of another one's. */
static void take_back(struct local *local, struct run *run)
{
    struct stage *stage = run->stage;

    if (run->spill) {
        beck__kept_written(run);
        beck__pool_stir(local);
        run_free(local, run);
        return;
    }
    if (atomic_load(&local->cancelled))
        atomic_store(&stage->cancelled, true);
    enum after after = finish_run(stage, run);
    if (after == RUN_AGAIN) {
        beck__pool_push(local, run);
        return;
    }
    local->runs--;
    if (--stage->running == 0)
        beck__pool_stir(local);
    if (after == RUN_DONE)
        run_free(local, run);
}

void beck__local_pass(struct engine *engine)
{
    struct local *local = (struct local *)engine;
    struct run *run = beck__pool_take(local);

    if (run)
        take_back(local, run);
}

static void wait_for_runs(struct stage *stage)
{
    struct local *local = stage->engine;

    while (stage->running) {
        beck__local_pass(&local->base);
        if (atomic_load(&local->cancelled))
            atomic_store(&stage->cancelled, true);
    }
}

/* Runs tasks for partitions [first, last) of stage->input. */
static beck_status stage_run(struct stage *stage, uint32_t first, uint32_t last)
{
    bool silent = !stage->action || beck__program_silent(stage->action);

    stage->inline_run = stage_inline(stage);
    stage->first = first;
    stage->sum_count = last - first;
    for (uint32_t p = first; p < last && !stage->error.status; p++)
        if (!needless(stage, silent, p))
            start_task(stage, p);
    if (stage->error.status)
        atomic_store(&stage->cancelled, true);
    do
        wait_for_runs(stage);
    while (run_later(stage));
    log_warnings(stage);
    count_sums(stage);
    return stage->error.status;
}

static void stage_init(struct stage *stage, struct local *local, const struct job *job)
{
    memset(stage, 0, offsetof(struct stage, error));
    beck__error_clear(&stage->error);
    stage->engine = local;
    stage->number = ++local->stages;
    stage->job = job;
}

/* Room for what the maps make. */
static beck_status shuffle_begin(struct local *local, struct dataset *d, struct error *error)
{
    struct arena *arena = &d->scope->arena;

    d->lists = beck__partitioning_lists(&d->partitioning);
    d->target_rows = beck__arena_alloc(arena, (d->partitions + 1) * sizeof *d->target_rows);
    d->out =
        beck__arena_alloc(arena, ((size_t)d->parent->partitions * d->lists + 1) * sizeof *d->out);
    if (!d->target_rows || !d->out) {
        d->target_rows = NULL;
        return beck__error_memory(error, "a shuffle",
                                  (size_t)d->parent->partitions * d->lists * sizeof *d->out);
    }
    d->maps = d->parent->partitions;
    for (size_t i = 0; i < (size_t)d->maps * d->lists; i++)
        d->out[i].memory = &local->os->memory;
    return BECK_OK;
}

static void shuffle_drop(struct dataset *d)
{
    for (size_t i = 0; i < (size_t)d->maps * d->lists; i++)
        beck__blocks_deinit(&d->out[i]);
    d->maps = 0;
    d->target_rows = NULL; /* a later job runs it again */
}

/* The stage of a stateful operation. What it has changed in some partitions when it fails in
 * another one is undone with the batch, or before it runs again. */
static beck_status state_run(struct local *local, struct dataset *d, const struct job *job,
                             struct error *error)
{
    struct stage stage;

    stage_init(&stage, local, job);
    stage.input = d->parent;
    stage.action = d->keeper->program;
    stage.state = d;
    if (d->parent->partitions != d->partitions)
        return beck__error_set(error, BECK_INVALID, "%s: %u partitions, its state has %u",
                               job->what, d->parent->partitions, d->partitions);
    if (shuffle_begin(local, d, error))
        return error->status;
    stage_run(&stage, 0, d->partitions);
    if (!stage.error.status)
        return BECK_OK;
    local->base.keeper_seal(d->keeper, false);
    shuffle_drop(d);
    return beck__error_set(error, stage.error.status, "%s", stage.error.text);
}

/* The stage of one shuffle. */
static beck_status shuffle_run(struct local *local, struct dataset *d, const struct job *job,
                               struct error *error)
{
    struct stage stage;
    beck_status status = shuffle_begin(local, d, error);

    if (status)
        return status;
    stage_init(&stage, local, job);
    stage.input = d->parent;
    stage.shuffle = d;
    stage_run(&stage, 0, d->parent->partitions);
    if (!stage.error.status && d->partitioning.kind == PARTITION_RANGE)
        beck__range_cut(d, &stage.error);
    if (!stage.error.status)
        return BECK_OK;
    shuffle_drop(d);
    return beck__error_set(error, stage.error.status, "%s", stage.error.text);
}

/* The stage that computes what a hold has not. */
static beck_status kept_run(struct local *local, struct dataset *d, const struct job *job,
                            struct error *error)
{
    struct stage stage;
    struct blocks none = {.memory = &local->os->memory};

    stage_init(&stage, local, job);
    stage.input = d->parent;
    stage.shuffle = d;
    stage_run(&stage, 0, d->partitions);
    for (uint32_t p = 0; p < d->partitions && !stage.error.status; p++)
        if (d->marks[p] & MARK_MISSING)
            beck__kept_put(d, p, &none); /* its task was needless */
    beck__kept_done(d);
    return stage.error.status ? beck__error_set(error, stage.error.status, "%s", stage.error.text)
                              : BECK_OK;
}

/* Marks the partitions of KEPT ones that a task for this one reads. */
static void need(struct dataset *d, uint32_t p)
{
    uint32_t q, first = p, last = p + 1;

    if (!d->holds)
        return;
    switch (d->kind) {
    case DATA_KEPT:
        d->marks[p] |= MARK_NEEDED;
        break;
    case DATA_NARROW:
        if (d->program->count && d->program->ops[0].kind == OP_INDEX) /* counts those before it */
            first = 0;
        for (q = first; q < last; q++)
            need(d->parent, q);
        break;
    case DATA_UNION:
    case DATA_COALESCE: {
        struct pieces pieces = beck__dataset_pieces(d, p);
        for (uint32_t i = 0; i < pieces.count; i++) {
            struct dataset *piece = beck__dataset_piece(d, p, pieces.first + i, &q);
            need(piece, q);
        }
        break;
    }
    case DATA_PAIR: {
        uint32_t meets[2];
        beck__dataset_meet(d, p, meets);
        need(d->parents[0], meets[0]);
        need(d->parents[1], meets[1]);
        break;
    }
    default:
        break;
    }
}

/* True if the stage of `d` must run; then what it reads is marked. */
static bool must_run(struct dataset *d)
{
    bool kept = d->kind == DATA_KEPT;

    if (kept ? !beck__kept_find(d) : d->target_rows != NULL)
        return false;
    for (uint32_t p = 0; d->parent && p < d->parent->partitions; p++)
        if (!kept || d->marks[p] & MARK_MISSING)
            need(d->parent, p);
    return true;
}

static beck_status run_for(struct local *local, struct dataset *d, const struct job *job,
                           struct error *error)
{
    switch (d->kind) {
    case DATA_STATE:
        return state_run(local, d, job, error);
    case DATA_SHUFFLE:
        return shuffle_run(local, d, job, error);
    case DATA_KEPT:
        return kept_run(local, d, job, error);
    default:
        return BECK_OK;
    }
}

static beck_status prepare_parents(struct local *local, struct dataset *d, const struct job *job,
                                   uint32_t depth, struct error *error)
{
    beck_status status = BECK_OK;

    if (d->parent)
        status = prepare(local, d->parent, job, depth, error);
    for (uint32_t i = 0; !status && i < d->parent_count; i++)
        status = prepare(local, d->parents[i], job, depth, error);
    return status;
}

/* Runs every stage that `d` stands on and that has not run yet, parents first. Another job that is
 * at one of them is waited for; who waits has only what stands on it, so it is never a circle. */
static beck_status prepare(struct local *local, struct dataset *d, const struct job *job,
                           uint32_t depth, struct error *error)
{
    bool kept = d->kind == DATA_KEPT;

    if (depth > DEPTH_MAX)
        return beck__error_set(error, BECK_INVALID, "%s: more than %u operators in a row",
                               job->what, DEPTH_MAX);
    if (!kept && d->kind != DATA_SHUFFLE && d->kind != DATA_STATE)
        return prepare_parents(local, d, job, depth + 1, error);
    while (d->busy || (kept && atomic_load(&local->store.lost) && local->runs))
        beck__local_pass(&local->base); /* what is lost is forgotten when no task reads it */
    if (!must_run(d))
        return BECK_OK;
    if (kept && !d->parent)
        return beck__error_set(error, BECK_STATE, "%s: rows of an earlier batch are gone",
                               d->hold->what);
    d->busy = true;
    beck_status status = prepare_parents(local, d, job, depth + 1, error);
    if (!status)
        status = run_for(local, d, job, error);
    d->busy = false;
    beck__pool_stir(local);
    return status;
}

static beck_status run_job(struct local *local, const struct job *job, struct error *error)
{
    struct stage stage;
    uint32_t last = job->dataset->partitions;

    if (atomic_load(&local->cancelled))
        return beck__error_set(error, BECK_CANCELLED, "%s: cancelled", job->what);
    if (job->count && job->first + job->count < last)
        last = job->first + job->count;
    for (uint32_t p = job->first; p < last; p++)
        need(job->dataset, p);
    beck_status status = prepare(local, job->dataset, job, 0, error);
    if (status || job->stages_only)
        return status;
    stage_init(&stage, local, job);
    stage.input = job->dataset;
    stage.action = job->action;
    if (stage_run(&stage, job->first, last))
        return beck__error_set(error, stage.error.status, "%s", stage.error.text);
    return BECK_OK;
}

beck_status beck__local_job(struct engine *engine, const struct job *job, struct error *error)
{
    struct local *local = (struct local *)engine;
    struct shared *shared = local->options.shared;

    local->jobs++;
    if (shared)
        shared->busy = true;
    beck_status status = run_job(local, job, error);
    if (--local->jobs > 0) /* the last one tidies up */
        return status;
    beck__kept_release(local);
    if (shared)
        shared->busy = false;
    while (beck__store_lags(local)) /* or memory would follow the jobs */
        beck__local_pass(engine);
    return status;
}
