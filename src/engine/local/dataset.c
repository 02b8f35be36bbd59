/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datasets and scopes. A dataset is a small struct in its scope's arena; a scope that is freed goes
 * to a free list with its memory, so that a batch that repeats allocates nothing.
 */
#include "engine/local/local.h"

static struct scope *scope_new(struct engine *engine, int64_t batch_ms)
{
    struct local *local = (struct local *)engine;
    struct scope *scope = local->free_scopes;

    if (scope) {
        local->free_scopes = scope->next;
    } else {
        scope = beck__alloc_zero(&local->os->memory, sizeof *scope);
        if (!scope)
            return NULL;
        scope->engine = local;
        beck__arena_init(&scope->arena, &local->os->memory);
    }
    scope->batch_ms = batch_ms;
    return scope;
}

static void dataset_deinit(struct dataset *d)
{
    for (uint32_t i = 0; i < d->value_blocks; i++)
        beck__block_unref(d->values[0].items[i]);
    for (size_t i = 0; d->out && i < (size_t)d->maps * d->lists; i++)
        beck__blocks_deinit(&d->out[i]);
}

static void scope_free(struct engine *engine, struct scope *scope)
{
    struct local *local = (struct local *)engine;

    if (!scope)
        return;
    for (struct dataset *d = scope->newest; d; d = d->older)
        dataset_deinit(d);
    scope->newest = NULL;
    beck__arena_reset(&scope->arena);
    scope->next = local->free_scopes;
    local->free_scopes = scope;
}

void beck__local_scopes_free(struct local *local)
{
    while (local->free_scopes) {
        struct scope *scope = local->free_scopes;
        local->free_scopes = scope->next;
        beck__arena_deinit(&scope->arena);
        beck__free(&local->os->memory, scope, sizeof *scope);
    }
}

static struct dataset *dataset_new(struct scope *scope, enum dataset_kind kind,
                                   const beck_schema *schema, uint32_t partitions)
{
    struct dataset *d = beck__arena_alloc(&scope->arena, sizeof *d);

    if (!d)
        return NULL;
    d->kind = kind;
    d->scope = scope;
    d->schema = schema;
    d->partitions = partitions;
    d->older = scope->newest;
    scope->newest = d;
    return d;
}

/* The same over several parents, which its tasks read. */
static struct dataset *dataset_over(struct scope *scope, enum dataset_kind kind,
                                    const beck_schema *schema, uint32_t partitions,
                                    struct dataset *const *parents, uint32_t count)
{
    struct dataset *d = dataset_new(scope, kind, schema, partitions);

    if (!d)
        return NULL;
    d->parents = beck__arena_copy(&scope->arena, parents, count * sizeof(struct dataset *));
    d->parent_count = count;
    for (uint32_t i = 0; i < count; i++)
        d->holds |= parents[i]->holds;
    return d->parents ? d : NULL;
}

/* ---- values: lists of blocks, or received blocks packed by bytes ----------------------------- */

static bool values_reserve(struct dataset *d, size_t blocks)
{
    d->values = beck__arena_alloc(&d->scope->arena, (d->partitions + 1) * sizeof *d->values);
    if (d->values)
        d->values[0].items =
            beck__arena_alloc(&d->scope->arena, (blocks + 1) * sizeof(struct block *));
    return d->values && d->values[0].items;
}

static void values_add(struct dataset *d, uint32_t partition, struct block *block)
{
    struct slice *slice = &d->values[partition];

    if (slice->count == 0)
        slice->items = d->values[0].items + d->value_blocks;
    d->values[0].items[d->value_blocks++] = block;
    beck__block_ref(block);
    slice->count++;
    slice->rows += block->chunk->rows;
}

static struct dataset *from_values(struct scope *scope, const beck_schema *schema,
                                   const struct blocks *partitions, uint32_t count)
{
    struct dataset *d = dataset_new(scope, DATA_VALUES, schema, count);
    size_t blocks = 0;

    for (uint32_t p = 0; p < count; p++)
        blocks += partitions[p].count;
    if (!d || !values_reserve(d, blocks))
        return NULL;
    for (uint32_t p = 0; p < count; p++)
        for (size_t i = 0; i < partitions[p].count; i++)
            values_add(d, p, partitions[p].items[i]);
    return d;
}

/* Consecutive blocks share a partition: as few of equal size as the split size allows, at most one
 * per block. Their number follows the bytes, never the number of threads or of block intervals. */
static struct dataset *from_received(struct scope *scope, const beck_schema *schema,
                                     const struct blocks *received)
{
    uint64_t limit = (uint64_t)scope->engine->options.received_split_bytes, at = 0;
    uint64_t total = received->bytes ? received->bytes : 1;
    uint64_t partitions = (total + limit - 1) / limit;
    if (partitions > received->count)
        partitions = received->count;
    struct dataset *d = dataset_new(scope, DATA_VALUES, schema, (uint32_t)partitions);

    if (!d || !values_reserve(d, received->count))
        return NULL;
    for (size_t i = 0; i < received->count; i++) {
        values_add(d, (uint32_t)(at * partitions / total), received->items[i]);
        at += received->items[i]->bytes;
    }
    return d;
}

static struct dataset *from_ranges(struct scope *scope, const struct range_source *source,
                                   const beck_str *ranges, uint32_t count)
{
    struct dataset *d = dataset_new(scope, DATA_RANGES, source->schema, count);

    if (!d)
        return NULL;
    d->source = *source;
    d->ranges = ranges;
    return d;
}

static struct dataset *narrow(struct scope *scope, struct dataset *parent,
                              const struct program *program)
{
    struct dataset *d = dataset_new(scope, DATA_NARROW, program->out, parent->partitions);

    if (!d)
        return NULL;
    d->parent = parent;
    d->holds = parent->holds;
    d->program = program;
    d->silent = beck__program_silent(program);
    d->calls = beck__program_calls(program);
    return d;
}

static struct dataset *shuffle(struct scope *scope, struct dataset *parent,
                               struct partitioning partitioning, const beck_schema *schema)
{
    bool same = partitioning.kind == PARTITION_SAME;
    struct dataset *d =
        dataset_new(scope, DATA_SHUFFLE, schema, same ? parent->partitions : partitioning.count);

    if (!d)
        return NULL;
    d->parent = parent;
    d->partitioning = partitioning;
    d->partitioning.count = d->partitions;
    return d;
}

static struct dataset *advance(struct scope *scope, struct dataset *parent, struct keeper *keeper,
                               bool due)
{
    struct dataset *d = dataset_new(scope, DATA_STATE, keeper->program->out, keeper->partitions);

    if (!d)
        return NULL;
    d->parent = parent;
    d->partitioning.kind = PARTITION_SAME;
    d->keeper = keeper;
    d->due = due;
    return d;
}

static struct dataset *scan(struct scope *scope, struct dataset *advanced)
{
    while (advanced->kind == DATA_KEPT)
        advanced = advanced->parent;
    const struct op *op = &advanced->keeper->program->ops[0];
    const beck_schema *schema = beck__resident_schema(&scope->arena, op, false);
    struct dataset *d = schema ? dataset_new(scope, DATA_SCAN, schema, advanced->partitions) : NULL;

    if (!d)
        return NULL;
    d->parent = advanced;
    d->keeper = advanced->keeper;
    return d;
}

static struct dataset *unite(struct scope *scope, struct dataset *const *parents, uint32_t count)
{
    uint32_t partitions = 0;

    for (uint32_t i = 0; i < count; i++)
        partitions += parents[i]->partitions;
    struct dataset *d =
        dataset_over(scope, DATA_UNION, parents[0]->schema, partitions, parents, count);
    uint32_t *starts = d ? beck__arena_alloc(&scope->arena, count * sizeof *starts) : NULL;
    if (!starts)
        return NULL;
    for (uint32_t i = 1; i < count; i++)
        starts[i] = starts[i - 1] + parents[i - 1]->partitions;
    d->starts = starts;
    return d;
}

static struct dataset *merge(struct scope *scope, struct dataset *const *parents, uint32_t count)
{
    return dataset_over(scope, DATA_COALESCE, parents[0]->schema, parents[0]->partitions, parents,
                        count);
}

static struct dataset *coalesce(struct scope *scope, struct dataset *parent, uint32_t count)
{
    uint32_t partitions = count < parent->partitions ? count : parent->partitions;
    struct dataset *d = dataset_new(scope, DATA_COALESCE, parent->schema, partitions);

    if (!d)
        return NULL;
    d->parent = parent;
    d->holds = parent->holds;
    return d;
}

static struct dataset *pair(struct scope *scope, enum pair_kind kind, struct dataset *left,
                            struct dataset *right, const beck_schema *schema)
{
    struct dataset *both[] = {left, right};
    uint64_t partitions = left->partitions;
    if (kind == PAIR_CARTESIAN)
        partitions *= right->partitions;
    struct dataset *d = partitions > UINT32_MAX
                            ? NULL
                            : dataset_over(scope, DATA_PAIR, schema, (uint32_t)partitions, both, 2);

    if (d)
        d->pair = kind;
    return d;
}

/* What the hold has stands for the parent; see job.c. */
static struct dataset *keep(struct scope *scope, struct dataset *parent, struct hold *hold)
{
    struct dataset *d = dataset_new(scope, DATA_KEPT, hold->schema, hold->partitions);

    if (!d)
        return NULL;
    assert(!parent || parent->partitions == hold->partitions);
    d->parent = parent;
    d->hold = hold;
    d->holds = true;
    d->partitioning = (struct partitioning){.kind = PARTITION_SAME, .count = d->partitions};
    d->marks = beck__arena_alloc(&scope->arena, d->partitions + 1u);
    d->target_rows = beck__arena_alloc(&scope->arena, (d->partitions + 1u) * sizeof(uint64_t));
    return d->marks && d->target_rows ? d : NULL;
}

static uint32_t partitions(const struct dataset *dataset)
{
    return dataset->partitions;
}

void beck__local_datasets(struct engine *engine)
{
    engine->scope_new = scope_new;
    engine->scope_free = scope_free;
    engine->from_values = from_values;
    engine->from_ranges = from_ranges;
    engine->from_received = from_received;
    engine->narrow = narrow;
    engine->shuffle = shuffle;
    engine->unite = unite;
    engine->coalesce = coalesce;
    engine->merge = merge;
    engine->pair = pair;
    engine->keep = keep;
    engine->advance = advance;
    engine->scan = scan;
    engine->partitions = partitions;
}

/* ---- where a partition comes from ------------------------------------------------------------ */

struct strip beck__dataset_strip(const struct dataset *d, uint32_t p)
{
    if (d->partitioning.kind == PARTITION_SAME)
        return (struct strip){d->out + p, 0, 1};
    return (struct strip){d->out + p, d->lists, d->maps};
}

/* The last parent that starts at p or before: it has that partition. */
static uint32_t find_parent(const struct dataset *d, uint32_t p)
{
    uint32_t low = 0, high = d->parent_count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (d->starts[middle] <= p)
            low = middle;
        else
            high = middle;
    }
    return low;
}

struct pieces beck__dataset_pieces(const struct dataset *d, uint32_t p)
{
    if (d->kind == DATA_UNION)
        return (struct pieces){find_parent(d, p), 1};
    uint64_t all = d->parent ? d->parent->partitions : d->parent_count;
    uint64_t first = d->parent ? p * all / d->partitions : 0;
    uint64_t end = d->parent ? ((uint64_t)p + 1) * all / d->partitions : all;

    return (struct pieces){(uint32_t)first, (uint32_t)(end - first)};
}

struct dataset *beck__dataset_piece(const struct dataset *d, uint32_t p, uint32_t i,
                                    uint32_t *partition)
{
    *partition = d->parent ? i : d->kind == DATA_UNION ? p - d->starts[i] : p;
    return d->parent ? d->parent : d->parents[i];
}

void beck__dataset_meet(const struct dataset *d, uint32_t p, uint32_t meets[2])
{
    uint32_t right = d->pair == PAIR_CARTESIAN ? d->parents[1]->partitions : 0;

    meets[0] = right ? p / right : p;
    meets[1] = right ? p % right : p;
}

uint64_t beck__dataset_rows_before(const struct dataset *d, uint32_t p)
{
    uint64_t rows = d->rows_before;

    for (uint32_t i = 0; i < p && d->kind == DATA_VALUES; i++)
        rows += d->values[i].rows;
    for (uint32_t i = 0; i < p && (d->kind == DATA_SHUFFLE || d->kind == DATA_KEPT); i++)
        rows += d->target_rows[i];
    return rows;
}

/* ---- what a stage needs to know -------------------------------------------------------------- */

static bool pieces_nothing(const struct dataset *d, uint32_t p)
{
    struct pieces pieces = beck__dataset_pieces(d, p);

    for (uint32_t i = 0; i < pieces.count; i++) {
        uint32_t q;
        const struct dataset *piece = beck__dataset_piece(d, p, pieces.first + i, &q);
        if (!beck__dataset_nothing(piece, q))
            return false;
    }
    return true;
}

/* Rows that have no partner are an error of ZIP, so both must have none. */
static bool pair_nothing(const struct dataset *d, uint32_t p)
{
    uint32_t meets[2];

    beck__dataset_meet(d, p, meets);
    bool left = beck__dataset_nothing(d->parents[0], meets[0]);
    bool right = beck__dataset_nothing(d->parents[1], meets[1]);
    return d->pair == PAIR_ZIP ? left && right : left || right;
}

bool beck__dataset_nothing(const struct dataset *d, uint32_t partition)
{
    switch (d->kind) {
    case DATA_VALUES:
        return d->values[partition].rows == 0;
    case DATA_RANGES:
        return false;
    case DATA_NARROW:
        return d->silent && beck__dataset_nothing(d->parent, partition);
    case DATA_SHUFFLE:
    case DATA_STATE:
    case DATA_KEPT:
        return d->target_rows && d->target_rows[partition] == 0;
    case DATA_SCAN:
        return beck__keeper_count(d->keeper, partition) == 0;
    case DATA_UNION:
    case DATA_COALESCE:
        return pieces_nothing(d, partition);
    case DATA_PAIR:
        return pair_nothing(d, partition);
    }
    return true;
}

static uint64_t add_rows(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t multiply_rows(uint64_t a, uint64_t b)
{
    return b && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

uint64_t beck__dataset_rows(const struct dataset *d)
{
    uint64_t rows = 0;

    switch (d->kind) {
    case DATA_VALUES:
        for (uint32_t p = 0; p < d->partitions; p++)
            rows += d->values[p].rows;
        return rows;
    case DATA_RANGES:
        return UINT64_MAX;
    case DATA_NARROW:
        rows = beck__dataset_rows(d->parent);
        return beck__program_joins(d->program) ? multiply_rows(rows / 2, rows / 2) : rows;
    case DATA_SCAN:
        for (uint32_t p = 0; p < d->partitions; p++)
            rows += beck__keeper_count(d->keeper, p);
        return rows;
    case DATA_KEPT: /* a file may take any time */
        for (uint32_t p = 0; p < d->partitions; p++)
            if (d->hold->entries[p].file)
                return UINT64_MAX; /* fall through */
    case DATA_SHUFFLE:
    case DATA_STATE:
        if (!d->target_rows)
            return UINT64_MAX;
        for (uint32_t p = 0; p < d->partitions; p++)
            rows += d->target_rows[p];
        return rows;
    case DATA_COALESCE:
        rows = d->parent ? beck__dataset_rows(d->parent) : 0; /* fall through */
    case DATA_UNION:
        for (uint32_t i = 0; i < d->parent_count; i++)
            rows = add_rows(rows, beck__dataset_rows(d->parents[i]));
        return rows;
    case DATA_PAIR:
        rows = beck__dataset_rows(d->parents[0]);
        return d->pair == PAIR_ZIP ? rows : multiply_rows(rows, beck__dataset_rows(d->parents[1]));
    }
    return rows;
}

bool beck__dataset_calls(const struct dataset *d)
{
    switch (d->kind) {
    case DATA_NARROW:
        return d->calls || beck__dataset_calls(d->parent);
    case DATA_COALESCE:
    case DATA_UNION:
    case DATA_PAIR:
        if (d->parent)
            return beck__dataset_calls(d->parent);
        for (uint32_t i = 0; i < d->parent_count; i++)
            if (beck__dataset_calls(d->parents[i]))
                return true;
        return false;
    default:
        return false;
    }
}
