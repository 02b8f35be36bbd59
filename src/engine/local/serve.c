/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task of another process: reads what wire.c wrote there (its head draws it), runs it and writes
 * the reply. Trusts nothing: what does not fit is told before it runs.
 */
/* tests: wire_test.c */
#include "engine/local/local.h"

#define DEPTH_MAX   10000u
#define TARGETS_MAX 65536u

struct served {
    struct os *os;
    struct arena arena;
    struct scope scope;
    struct local local; /* only its os and what is shared are used */
    struct blocks blocks, state;
    const beck_schema *saved; /* of the state; NULL: there is none */
    struct error *error;
};

static struct dataset *damaged(struct served *s, const char *what)
{
    beck__error_set(s->error, BECK_CORRUPT, "a task that this worker cannot read: %.900s", what);
    return NULL;
}

static struct dataset *dataset_new(struct served *s, enum dataset_kind kind)
{
    struct dataset *d = beck__arena_alloc(&s->arena, sizeof *d);

    if (!d) {
        beck__error_memory(s->error, "a task", sizeof *d);
        return NULL;
    }
    d->kind = kind;
    d->scope = &s->scope;
    d->partitions = 1;
    return d;
}

static const struct program *get_program(struct served *s, struct reader *in)
{
    const struct program *program = NULL;

    if (beck__program_decode(&s->arena, in, &program, s->error))
        return NULL;
    for (uint32_t i = 0; i < program->count; i++)
        for (int k = 0; k < 3; k++)
            if (!beck__function_travels(program->ops[i].function[k])) {
                damaged(s, "a function");
                return NULL;
            }
    return program;
}

/* A copy, because a source reads its structs from the bytes: they must be aligned. A NUL follows.
 */
static beck_str get_bytes(struct served *s, struct reader *in)
{
    beck_str bytes = beck__get_string(in);
    char *copy = beck__arena_alloc(&s->arena, bytes.size + 1); /* zeroed */

    if (copy)
        memcpy(copy, bytes.data, bytes.size);
    else
        beck__error_memory(s->error, "a task", bytes.size);
    return beck_bytes_of(copy, copy ? bytes.size : 0);
}

static struct dataset *get_ranges(struct served *s, struct reader *in, struct dataset *d)
{
    struct function_id id = {beck__get_u64(in), 0};
    beck_str *range = beck__arena_alloc(&s->arena, sizeof *range);

    if (!range) {
        beck__error_memory(s->error, "a task", sizeof *range);
        return NULL;
    }
    id.offset = beck__get_u64(in);
    d->source.schema = d->schema;
    d->source.params = get_bytes(s, in);
    d->source.what = get_bytes(s, in).data;
    *range = get_bytes(s, in);
    d->ranges = range;
    if (s->error->status)
        return NULL;
    d->source.class_of = id.module ? s->os->function_of(s->os, id) : NULL;
    return in->bad || !d->source.class_of ? damaged(s, "its source") : d;
}

static struct dataset *get_values(struct served *s, struct reader *in, struct dataset *d)
{
    struct slice *slice = beck__arena_alloc(&s->arena, sizeof *slice);

    if (!slice) {
        beck__error_memory(s->error, "a task", sizeof *slice);
        return NULL;
    }
    d->rows_before = beck__get_u64(in);
    struct blocks list = {.memory = &s->os->memory};
    bool whole = !beck__blocks_get(&s->os->memory, in, d->schema, &list, s->error);
    /* the leaves share one list of references, whose array moves; each has its own of pointers */
    slice->items = beck__arena_copy(&s->arena, list.items, list.count * sizeof(struct block *));
    slice->count = (uint32_t)list.count;
    slice->rows = list.rows;
    if (!slice->items || !beck__blocks_append(&s->blocks, &list))
        beck__error_memory(s->error, "a task", list.count * sizeof(struct block *));
    beck__blocks_deinit(&list);
    d->values = slice;
    return whole && !s->error->status ? d : NULL;
}

static struct dataset *get_leaf(struct served *s, struct reader *in, uint8_t kind)
{
    if (kind != 'R' && kind != 'V')
        return damaged(s, "its path");
    struct dataset *d = dataset_new(s, kind == 'R' ? DATA_RANGES : DATA_VALUES);
    if (!d)
        return NULL;
    if (beck__schema_get(&s->arena, in, &d->schema, s->error))
        return NULL;
    return kind == 'R' ? get_ranges(s, in, d) : get_values(s, in, d);
}

static struct dataset *get_path(struct served *s, struct reader *in, uint32_t depth);

static struct dataset *get_narrow(struct served *s, struct reader *in, uint32_t depth)
{
    struct dataset *d = dataset_new(s, DATA_NARROW);

    if (!d)
        return NULL;
    d->program = get_program(s, in);
    if (!d->program)
        return NULL;
    d->schema = d->program->out;
    d->parent = get_path(s, in, depth + 1);
    if (d->parent && !beck__schema_equal(d->program->in, d->parent->schema, false))
        return damaged(s, "the types of its path");
    return d->parent ? d : NULL;
}

/* `count` paths as the parents of a dataset. */
static bool get_parents(struct served *s, struct reader *in, struct dataset *d, uint32_t count,
                        uint32_t depth)
{
    if (in->bad || count == 0 || count > in->size - in->at)
        return damaged(s, "its path") != NULL;
    struct dataset **parents = beck__arena_alloc(&s->arena, count * sizeof *parents);
    if (!parents)
        return beck__error_memory(s->error, "a task", count * sizeof *parents) == BECK_OK;
    for (uint32_t i = 0; i < count; i++) {
        parents[i] = get_path(s, in, depth + 1);
        if (!parents[i])
            return false;
    }
    d->parents = parents;
    d->parent_count = count;
    return true;
}

static struct dataset *get_pieces(struct served *s, struct reader *in, uint32_t depth)
{
    struct dataset *d = dataset_new(s, DATA_COALESCE);

    if (!d || beck__schema_get(&s->arena, in, &d->schema, s->error) ||
        !get_parents(s, in, d, beck__get_u32(in), depth))
        return NULL;
    for (uint32_t i = 0; i < d->parent_count; i++)
        if (!beck__schema_equal(d->schema, d->parents[i]->schema, false))
            return damaged(s, "the types of its path");
    return d;
}

/* True if the pairs are the columns of the left, then those of the right. */
static bool pair_fits(const struct dataset *d)
{
    const beck_schema *left = d->parents[0]->schema, *right = d->parents[1]->schema;

    if (d->schema->count != left->count + right->count)
        return false;
    beck_schema first = {.count = left->count, .fields = d->schema->fields};
    beck_schema second = {.count = right->count, .fields = d->schema->fields + left->count};
    return beck__schema_equal(&first, left, false) && beck__schema_equal(&second, right, false);
}

static struct dataset *get_pair(struct served *s, struct reader *in, uint32_t depth)
{
    struct dataset *d = dataset_new(s, DATA_PAIR);

    if (!d)
        return NULL;
    d->pair = (enum pair_kind)beck__get_u8(in);
    if (beck__schema_get(&s->arena, in, &d->schema, s->error) || !get_parents(s, in, d, 2, depth))
        return NULL;
    return d->pair <= PAIR_CARTESIAN && pair_fits(d) ? d : damaged(s, "its pairs");
}

static struct dataset *get_path(struct served *s, struct reader *in, uint32_t depth)
{
    uint8_t kind = beck__get_u8(in);

    if (depth > DEPTH_MAX)
        return damaged(s, "its depth");
    if (kind == 'N')
        return get_narrow(s, in, depth);
    if (kind == 'C')
        return get_pieces(s, in, depth);
    return kind == 'P' ? get_pair(s, in, depth) : get_leaf(s, in, kind);
}

static bool partitioning_fits(const struct partitioning *to, const beck_schema *schema)
{
    return to->kind <= PARTITION_RANGE && to->count <= TARGETS_MAX && to->keys <= schema->count &&
           (to->kind != PARTITION_HASH || to->keys > 0 || to->count == 0);
}

/* saved: of the second list, of a stateful action; or NULL. */
static beck_status put_reply(struct text *reply, const struct run *run, const beck_schema *schema,
                             const beck_schema *saved, struct error *error)
{
    beck_status status = BECK_OK;

    beck__put_u8(reply, (uint8_t)run->status);
    beck__put_string(reply, beck_string(run->status ? run->error.text : run->warning));
    beck__put_u64(reply, run->records);
    beck__put_u32(reply, run->sums.count);
    for (uint32_t i = 0; i < run->sums.count; i++)
        beck__put_u64(reply, run->sums.items[i]);
    beck__put_u32(reply, run->out ? run->out_count : 0);
    for (uint32_t i = 0; !status && run->out && i < run->out_count; i++)
        status = beck__blocks_encode(reply, &run->out[i], i == 1 && saved ? saved : schema, error);
    if (!status && reply->failed)
        status = beck__error_memory(error, "a task's reply", reply->size);
    return status;
}

static void get_state(struct served *s, struct reader *in, const struct program *action,
                      struct run *run)
{
    s->saved = beck__resident_schema(&s->arena, &action->ops[0], true);
    if (!s->saved)
        beck__error_memory(s->error, "a task", 0);
    else
        beck__blocks_get(&s->os->memory, in, s->saved, &s->state, s->error);
    run->state = &s->state;
}

static beck_status serve(struct served *s, struct reader *in, struct text *reply)
{
    struct run run = {0};
    struct partitioning to = {0};
    const struct program *action = NULL;

    s->scope.batch_ms = (int64_t)beck__get_u64(in);
    run.partition = beck__get_u32(in);
    run.attempt = beck__get_u32(in);
    run.due = beck__get_u8(in) != 0;
    to.kind = (enum partitioner)beck__get_u8(in);
    to.keys = beck__get_u32(in);
    to.count = beck__get_u32(in);
    bool acts = beck__get_u8(in) != 0;
    if (acts)
        action = get_program(s, in);
    if (action && beck__program_stateful(action))
        get_state(s, in, action, &run);
    bool good = !s->error->status && (!acts || action);
    struct dataset *input = good ? get_path(s, in, 0) : NULL;
    if (!input)
        return s->error->status;
    const beck_schema *schema = action ? action->out : input->schema;
    if ((action && !beck__schema_equal(action->in, input->schema, false)) ||
        !partitioning_fits(&to, schema)) {
        damaged(s, "what it makes");
        return s->error->status;
    }
    beck__run_here(s->os, &run, input, action, to.count ? &to : NULL);
    beck_status status = put_reply(reply, &run, schema, s->saved, s->error);
    beck__run_drop(&run);
    return status;
}

beck_status beck__request_serve(struct os *os, struct shared *shared, struct reader *in,
                                struct text *reply, struct error *error)
{
    struct error reason = {0};
    struct served s = {.os = os,
                       .blocks = {.memory = &os->memory},
                       .state = {.memory = &os->memory},
                       .error = &reason};

    beck__arena_init(&s.arena, &os->memory);
    s.scope.engine = &s.local;
    s.local.os = os;
    s.local.options.shared = shared;
    beck_status status = serve(&s, in, reply);
    beck__blocks_deinit(&s.blocks);
    beck__blocks_deinit(&s.state);
    beck__arena_deinit(&s.arena);
    return status ? beck__error_set(error, status, "%s", reason.text) : BECK_OK;
}
