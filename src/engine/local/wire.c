/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One task as bytes, for a worker process. Blocks travel encoded; a request is the task's own path
 * through the lineage, leaf included:
 *
 *   request  batch u64, partition u32, attempt u32, targets: kind u8, keys u32, count u32
 *            (0: collect), action u8 + program, then the path:
 *            'N' program path | 'R' schema class params range | 'V' schema, blocks
 *   reply    status u8, text, records u64, u32 lists, schema, for each list its blocks
 *   blocks   u32 count, each u32 length + encoded block
 */
#include "engine/local/local.h"

static void put_schema(struct text *out, const beck_schema *schema)
{
    struct text text = {.memory = out->memory};

    beck__schema_print(schema, &text);
    out->failed |= text.failed;
    beck__put_string(out, beck_string(beck__text_get(&text)));
    beck__text_deinit(&text);
}

static const beck_schema *get_schema(struct arena *arena, struct reader *in, struct error *error)
{
    beck_str s = beck__get_string(in);
    char *text = in->bad ? NULL : beck__arena_raw(arena, s.size + 1);
    const beck_schema *schema = NULL;

    if (!text)
        return NULL;
    memcpy(text, s.data, s.size);
    text[s.size] = 0;
    beck__schema_parse(arena, text, &schema, error);
    return schema;
}

static beck_status put_block(struct text *out, const beck_schema *schema, const struct block *block,
                             uint32_t sequence, struct error *error)
{
    size_t at = out->size;

    beck__put_u32(out, 0);
    beck_status status = beck__block_encode(block->chunk, schema, (struct block_place){0, sequence},
                                            false, out, error);
    if (!status && !out->failed) {
        uint32_t size = (uint32_t)(out->size - at - 4);
        for (int i = 0; i < 4; i++)
            out->data[at + (size_t)i] = (char)(size >> (8 * i));
    }
    return status;
}

static beck_status get_blocks(const struct allocator *memory, struct reader *in,
                              const beck_schema *schema, struct blocks *list, struct error *error)
{
    uint32_t count = beck__get_u32(in);
    beck_status status = BECK_OK;

    for (uint32_t i = 0; !status && !in->bad && i < count; i++) {
        beck_str bytes = beck__get_string(in);
        struct block *block = NULL;
        struct block_place place;
        if (in->bad)
            break;
        status = beck__block_decode(memory, schema, bytes.data, bytes.size, &block, &place, error);
        if (!status && !beck__blocks_add(list, block))
            status = beck__error_memory(error, "a block", bytes.size);
    }
    if (in->bad)
        status =
            beck__error_set(error, BECK_CORRUPT, "a message between driver and worker is cut off");
    return status;
}

/* ---- request --------------------------------------------------------------------------------- */

static beck_status put_slice(struct text *out, const beck_schema *schema,
                             struct block *const *items, size_t count, uint32_t *sequence,
                             struct error *error)
{
    beck_status status = BECK_OK;

    for (size_t i = 0; !status && i < count; i++)
        status = put_block(out, schema, items[i], (*sequence)++, error);
    return status;
}

static beck_status put_path(struct text *out, const struct dataset *d, uint32_t p,
                            struct error *error)
{
    uint32_t count = 0, sequence = 0;
    beck_status status = BECK_OK;

    switch (d->kind) {
    case DATA_NARROW:
        beck__put_u8(out, 'N');
        beck__program_encode(d->program, out);
        return put_path(out, d->parent, p, error);
    case DATA_UNION:
        for (uint32_t i = 0; i < d->parent_count; i++) {
            if (p < d->parents[i]->partitions)
                return put_path(out, d->parents[i], p, error);
            p -= d->parents[i]->partitions;
        }
        return BECK_INVALID;
    case DATA_RANGES: {
        struct os *os = d->scope->engine->os;
        struct function_id id = os->function_id(os, d->class_of);
        beck__put_u8(out, 'R');
        put_schema(out, d->schema);
        beck__put_u64(out, id.module);
        beck__put_u64(out, id.offset);
        beck__put_string(out, d->params);
        beck__put_string(out, d->ranges[p]);
        return BECK_OK;
    }
    case DATA_VALUES:
        beck__put_u8(out, 'V');
        put_schema(out, d->schema);
        beck__put_u32(out, d->values[p].count);
        return put_slice(out, d->schema, d->values[p].items, d->values[p].count, &sequence, error);
    case DATA_SHUFFLE:
        beck__put_u8(out, 'V');
        put_schema(out, d->schema);
        for (uint32_t m = 0; m < d->maps; m++)
            count += (uint32_t)d->out[(size_t)m * d->partitions + p].count;
        beck__put_u32(out, count);
        for (uint32_t m = 0; !status && m < d->maps; m++) {
            const struct blocks *list = &d->out[(size_t)m * d->partitions + p];
            status = put_slice(out, d->schema, list->items, list->count, &sequence, error);
        }
        return status;
    }
    return BECK_INVALID;
}

beck_status beck__request_encode(const struct run *run, struct text *out, struct error *error)
{
    const struct stage *stage = run->stage;
    struct partitioning none = {0};
    const struct partitioning *to = stage->shuffle ? &stage->shuffle->partitioning : &none;

    beck__put_u64(out, (uint64_t)stage->input->scope->batch_ms);
    beck__put_u32(out, run->partition);
    beck__put_u32(out, run->attempt);
    beck__put_u8(out, (uint8_t)to->kind);
    beck__put_u32(out, to->keys);
    beck__put_u32(out, to->count);
    beck__put_u8(out, stage->action != NULL);
    if (stage->action)
        beck__program_encode(stage->action, out);
    beck_status status = put_path(out, stage->input, run->partition, error);
    if (!status && out->failed)
        status = beck__error_memory(error, "a task's message", out->size);
    return status;
}

/* ---- in the worker --------------------------------------------------------------------------- */

struct served {
    struct os *os;
    struct arena arena;
    struct scope scope;
    struct local local; /* only its os is used */
    struct blocks blocks;
};

static struct dataset *get_leaf(struct served *s, struct reader *in, uint8_t kind,
                                struct error *error)
{
    struct dataset *d = beck__arena_alloc(&s->arena, sizeof *d);
    struct slice *slice = beck__arena_alloc(&s->arena, sizeof *slice);
    beck_str *range = beck__arena_alloc(&s->arena, sizeof *range);
    const beck_schema *schema = get_schema(&s->arena, in, error);

    if (!d || !slice || !range || !schema)
        return NULL;
    *d = (struct dataset){.scope = &s->scope, .schema = schema, .partitions = 1};
    if (kind == 'R') {
        struct function_id id = {beck__get_u64(in), 0};
        id.offset = beck__get_u64(in);
        d->kind = DATA_RANGES;
        d->class_of = s->os->function_of(s->os, id);
        d->params = beck__get_string(in);
        *range = beck__get_string(in);
        d->ranges = range;
        return d->class_of && !in->bad ? d : NULL;
    }
    if (get_blocks(&s->os->memory, in, schema, &s->blocks, error))
        return NULL;
    d->kind = DATA_VALUES;
    *slice = (struct slice){s->blocks.items, (uint32_t)s->blocks.count, s->blocks.rows};
    d->values = slice;
    return d;
}

static struct dataset *get_path(struct served *s, struct reader *in, struct error *error)
{
    struct dataset *first = NULL, *last = NULL;
    uint8_t kind;

    while ((kind = beck__get_u8(in)) == 'N') {
        struct dataset *d = beck__arena_alloc(&s->arena, sizeof *d);
        if (!d || beck__program_decode(&s->arena, in, &d->program, error))
            return NULL;
        d->kind = DATA_NARROW;
        d->scope = &s->scope;
        d->schema = d->program->out;
        d->partitions = 1;
        if (last)
            last->parent = d;
        else
            first = d;
        last = d;
    }
    struct dataset *leaf = kind == 'R' || kind == 'V' ? get_leaf(s, in, kind, error) : NULL;
    if (last)
        last->parent = leaf;
    return !leaf ? NULL : first ? first : leaf;
}

static beck_status put_reply(struct text *reply, const struct run *run, const beck_schema *schema,
                             struct error *error)
{
    beck_status status = BECK_OK;

    beck__put_u8(reply, (uint8_t)run->status);
    beck__put_string(reply, beck_string(run->error.text));
    beck__put_u64(reply, run->records);
    beck__put_u32(reply, run->out ? run->out_count : 0);
    put_schema(reply, schema);
    for (uint32_t i = 0; !status && run->out && i < run->out_count; i++) {
        uint32_t sequence = 0;
        beck__put_u32(reply, (uint32_t)run->out[i].count);
        status = put_slice(reply, schema, run->out[i].items, run->out[i].count, &sequence, error);
    }
    if (!status && reply->failed)
        status = beck__error_memory(error, "a task's reply", reply->size);
    return status;
}

static beck_status serve(struct served *s, struct reader *in, struct text *reply,
                         struct error *error)
{
    struct run run = {0};
    struct partitioning to = {0};
    const struct program *action = NULL;

    s->scope.batch_ms = (int64_t)beck__get_u64(in);
    run.partition = beck__get_u32(in);
    run.attempt = beck__get_u32(in);
    to.kind = (enum partitioner)beck__get_u8(in);
    to.keys = beck__get_u32(in);
    to.count = beck__get_u32(in);
    if (beck__get_u8(in) && beck__program_decode(&s->arena, in, &action, error))
        return error->status;
    struct dataset *input = get_path(s, in, error);
    if (!input)
        return beck__error_set(error, BECK_CORRUPT, "a task that this worker cannot read");
    beck__run_here(s->os, &run, input, action, to.count ? &to : NULL);
    beck_status status = put_reply(reply, &run, action ? action->out : input->schema, error);
    beck__run_drop(&run);
    return status;
}

beck_status beck__request_serve(struct os *os, struct reader *in, struct text *reply,
                                struct error *error)
{
    struct served s = {.os = os, .blocks = {.memory = &os->memory}};

    beck__arena_init(&s.arena, &os->memory);
    s.scope.engine = &s.local;
    s.local.os = os;
    beck_status status = serve(&s, in, reply, error);
    beck__blocks_deinit(&s.blocks);
    beck__arena_deinit(&s.arena);
    return status;
}

/* ---- back in the driver ---------------------------------------------------------------------- */

beck_status beck__reply_decode(const struct allocator *memory, struct reader *in, struct run *run,
                               struct error *error)
{
    beck_status status = (beck_status)beck__get_u8(in);
    beck_str text = beck__get_string(in);

    run->records = beck__get_u64(in);
    uint32_t lists = beck__get_u32(in);
    struct dataset *shuffle = run->stage->shuffle;
    if (in->bad || status >= BECK_STATUS_COUNT)
        return beck__error_set(error, BECK_CORRUPT, "a worker's reply is damaged");
    if (status)
        return beck__error_set(error, status, "%.*s", (int)text.size, text.data);
    if (lists != (shuffle ? shuffle->partitions : 1))
        return beck__error_set(error, BECK_CORRUPT, "a worker's reply has %u lists", lists);
    beck__get_string(in); /* the schema: ours is the one that lives on */
    run->out = beck__alloc_zero(memory, lists * sizeof *run->out);
    if (!run->out)
        return beck__error_memory(error, "a worker's reply", lists * sizeof *run->out);
    run->out_count = lists;
    for (uint32_t i = 0; i < lists; i++)
        run->out[i].memory = memory;
    for (uint32_t i = 0; !status && i < lists; i++)
        status = get_blocks(memory, in, beck__stage_schema(run->stage), &run->out[i], error);
    return status;
}
