/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One task as bytes, for a worker process. Blocks travel encoded; a request is the task's own path
 * through the lineage, leaf included:
 *
 *   request  batch u64, partition u32, attempt u32, due u8, targets: kind u8, keys u32, count u32
 *            (0: collect), action u8 + program, if that is stateful the blocks of what it keeps,
 *            then the path:
 *            'N' program path | 'R' schema class params what range | 'V' schema, rows before u64,
 * blocks | 'C' schema, u32 count, as many paths | 'P' kind u8, schema, two paths reply    status
 * u8, text (error or warning), records u64, u32 sums, u64 each, u32 lists, for each list its blocks
 *
 * Before a request stands what the process does not know yet of what tasks share (exec/shared.c).
 */
#include "engine/local/local.h"

#include <stdio.h>

/* ---- request --------------------------------------------------------------------------------- */

static beck_status check_function(struct function_id id, const char *name, struct error *error)
{
    if (beck__function_travels(id))
        return BECK_OK;
    return beck__error_set(error, BECK_UNSUPPORTED,
                           "%s: the callback lies in no module of the program, so that a worker "
                           "process cannot find it; run without --isolate",
                           name);
}

static beck_status put_program(struct text *out, const struct program *program, struct error *error)
{
    beck_status status = BECK_OK;

    for (uint32_t i = 0; !status && i < program->count; i++)
        for (int k = 0; !status && k < 3; k++)
            status = check_function(program->ops[i].function[k], program->ops[i].name, error);
    if (!status)
        beck__program_encode(program, out);
    return status;
}

static beck_status put_ranges(struct text *out, const struct dataset *d, uint32_t p,
                              struct error *error)
{
    struct os *os = d->scope->engine->os;
    struct function_id id = os->function_id(os, d->source.class_of);

    beck__put_u8(out, 'R');
    beck__schema_put(out, d->schema);
    beck__put_u64(out, id.module);
    beck__put_u64(out, id.offset);
    beck__put_string(out, d->source.params);
    beck__put_string(out, beck_string(d->source.what));
    beck__put_string(out, d->ranges[p]);
    return check_function(id, d->source.what, error);
}

/* Key and state of every key. */
static beck_status put_scan(struct text *out, const struct dataset *d, uint32_t p,
                            struct error *error)
{
    struct os *os = d->scope->engine->os;
    struct blocks rows = {.memory = &os->memory};
    struct task task;

    beck__put_u8(out, 'V');
    beck__schema_put(out, d->schema);
    beck__put_u64(out, 0); /* rows before: nobody counts those of a scan */
    beck__task_init(&task, os);
    task.batch_ms = d->scope->batch_ms;
    struct operator *sink = beck__collector_open(&task, d->schema, &rows);
    if (sink && beck__keeper_scan(d->keeper, p, &task, sink) != FLOW_FAILED)
        beck__blocks_encode(out, &rows, d->schema, &task.error);
    beck_status status = task.error.status;
    if (status)
        beck__error_set(error, status, "%s", task.error.text);
    beck__blocks_deinit(&rows);
    beck__task_deinit(&task);
    return status;
}

/* The rows of a partition that are there: of values, or of a shuffle from all its maps. */
static beck_status put_values(struct text *out, const struct dataset *d, uint32_t p,
                              struct error *error)
{
    struct block_writer w;
    beck_status status = BECK_OK;

    beck__put_u8(out, 'V');
    beck__schema_put(out, d->schema);
    beck__put_u64(out, beck__dataset_rows_before(d, p));
    beck__blocks_begin(&w, out, d->schema);
    if (d->kind == DATA_VALUES)
        status = beck__blocks_put(&w, d->values[p].items, d->values[p].count, error);
    struct strip strip = d->kind != DATA_VALUES ? beck__dataset_strip(d, p) : (struct strip){0};
    for (uint32_t m = 0; !status && m < strip.count; m++) {
        const struct blocks *list = strip.first + m * strip.step;
        status = beck__blocks_put(&w, list->items, list->count, error);
    }
    beck__blocks_end(&w);
    return status;
}

static beck_status put_kept(struct text *out, const struct dataset *d, uint32_t p,
                            struct error *error)
{
    struct blocks rows = {.memory = out->memory};

    beck__put_u8(out, 'V');
    beck__schema_put(out, d->schema);
    beck__put_u64(out, beck__dataset_rows_before(d, p));
    beck_status status = beck__kept_read(d, p, &rows, error);
    if (!status)
        status = beck__blocks_encode(out, &rows, d->schema, error);
    beck__blocks_deinit(&rows);
    return status;
}

static beck_status put_path(struct text *out, const struct dataset *d, uint32_t p,
                            struct error *error);

/* One piece stands for the whole if its columns also have the names that the rows travel under. */
static bool stands_alone(const struct dataset *d, uint32_t p, const struct pieces *pieces)
{
    uint32_t q;

    return pieces->count == 1 &&
           beck__schema_equal(d->schema, beck__dataset_piece(d, p, pieces->first, &q)->schema,
                              true);
}

static beck_status put_pieces(struct text *out, const struct dataset *d, uint32_t p,
                              struct error *error)
{
    struct pieces pieces = beck__dataset_pieces(d, p);
    beck_status status = BECK_OK;

    if (!stands_alone(d, p, &pieces)) {
        beck__put_u8(out, 'C');
        beck__schema_put(out, d->schema);
        beck__put_u32(out, pieces.count);
    }
    for (uint32_t i = 0; !status && i < pieces.count; i++) {
        uint32_t q;
        const struct dataset *piece = beck__dataset_piece(d, p, pieces.first + i, &q);
        status = put_path(out, piece, q, error);
    }
    return status;
}

static beck_status put_pair(struct text *out, const struct dataset *d, uint32_t p,
                            struct error *error)
{
    uint32_t meets[2];

    beck__dataset_meet(d, p, meets);
    beck__put_u8(out, 'P');
    beck__put_u8(out, (uint8_t)d->pair);
    beck__schema_put(out, d->schema);
    beck_status status = put_path(out, d->parents[0], meets[0], error);
    return status ? status : put_path(out, d->parents[1], meets[1], error);
}

static beck_status put_path(struct text *out, const struct dataset *d, uint32_t p,
                            struct error *error)
{
    beck_status status;

    switch (d->kind) {
    case DATA_NARROW:
        beck__put_u8(out, 'N');
        status = put_program(out, d->program, error);
        return status ? status : put_path(out, d->parent, p, error);
    case DATA_RANGES:
        return put_ranges(out, d, p, error);
    case DATA_VALUES:
    case DATA_SHUFFLE:
    case DATA_STATE:
        return put_values(out, d, p, error);
    case DATA_UNION:
    case DATA_COALESCE:
        return put_pieces(out, d, p, error);
    case DATA_PAIR:
        return put_pair(out, d, p, error);
    case DATA_SCAN:
        return put_scan(out, d, p, error);
    case DATA_KEPT:
        return put_kept(out, d, p, error);
    }
    return beck__error_set(error, BECK_INVALID, "no partition %u", p);
}

beck_status beck__request_encode(const struct run *run, struct text *out, struct error *error)
{
    const struct stage *stage = run->stage;
    struct partitioning none = {0};
    const struct partitioning *to = stage->shuffle ? &stage->shuffle->partitioning : &none;

    beck__put_u64(out, (uint64_t)stage->input->scope->batch_ms);
    beck__put_u32(out, run->partition);
    beck__put_u32(out, run->attempt);
    beck__put_u8(out, run->due);
    beck__put_u8(out, (uint8_t)to->kind);
    beck__put_u32(out, to->keys);
    beck__put_u32(out, to->count);
    beck__put_u8(out, stage->action != NULL);
    beck_status status = stage->action ? put_program(out, stage->action, error) : BECK_OK;
    if (!status && stage->state)
        status = beck__blocks_encode(out, run->state, stage->state->keeper->saved, error);
    if (!status)
        status = put_path(out, stage->input, run->partition, error);
    if (!status && out->failed)
        status = beck__error_memory(error, "a task's message", out->size);
    return status;
}

/* ---- reply ----------------------------------------------------------------------------------- */

static beck_status get_sums(const struct allocator *memory, struct reader *in, struct run *run,
                            struct error *error)
{
    const struct shared *shared = run->stage->engine->options.shared;
    uint32_t count = beck__get_u32(in);

    if (count == 0 || in->bad)
        return BECK_OK;
    if (!shared || count > shared->count)
        return beck__error_set(error, BECK_CORRUPT, "a worker's reply has %u sums", count);
    if (!beck__sums_init(&run->sums, memory, count))
        return beck__error_memory(error, "a worker's reply", count * sizeof *run->sums.items);
    for (uint32_t i = 0; i < count; i++)
        run->sums.items[i] = beck__get_u64(in);
    return BECK_OK;
}

beck_status beck__reply_decode(const struct allocator *memory, struct reader *in, struct run *run,
                               struct error *error)
{
    beck_status status = (beck_status)beck__get_u8(in);
    beck_str text = beck__get_string(in);

    run->records = beck__get_u64(in);
    if (get_sums(memory, in, run, error))
        return error->status;
    uint32_t lists = beck__get_u32(in);
    struct dataset *shuffle = run->stage->shuffle;
    if (in->bad || status >= BECK_STATUS_COUNT)
        return beck__error_set(error, BECK_CORRUPT, "a worker's reply is damaged");
    if (status)
        return beck__error_set(error, status, "%.*s", (int)text.size, text.data);
    snprintf(run->warning, sizeof run->warning, "%.*s", (int)text.size, text.data);
    uint32_t expected = shuffle             ? beck__partitioning_lists(&shuffle->partitioning)
                        : run->stage->state ? 2
                                            : 1;
    if (lists != expected)
        return beck__error_set(error, BECK_CORRUPT, "a worker's reply has %u lists", lists);
    run->out = beck__alloc_zero(memory, lists * sizeof *run->out);
    if (!run->out)
        return beck__error_memory(error, "a worker's reply", lists * sizeof *run->out);
    run->out_count = lists;
    for (uint32_t i = 0; i < lists; i++)
        run->out[i].memory = memory;
    for (uint32_t i = 0; !status && i < lists; i++)
        status = beck__blocks_get(memory, in, beck__run_schema(run, i), &run->out[i], error);
    return status;
}
