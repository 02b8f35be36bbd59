/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes: making them, fusing narrow ones, and turning them into the engine's datasets.
 */
#include "rdd/inside.h"

#include <stdio.h>

struct node *beck__node_error(struct graph *graph, const char *name, beck_site site,
                              beck_status status, const char *format, ...)
{
    const char *slash = site.file ? strrchr(site.file, '/') : NULL;
    struct error error = {0};
    va_list list;

    va_start(list, format);
    beck__error_set_list(&error, status, format, list);
    va_end(list);
    if (site.file)
        beck__error_set(graph->error, status, "%s at %s:%d: %s", name,
                        slash ? slash + 1 : site.file, site.line, error.text);
    else
        beck__error_set(graph->error, status, "%s: %s", name, error.text);
    return NULL;
}

struct node *beck__node_new(struct graph *graph, enum node_kind kind, const struct origin *origin)
{
    struct node *node = beck__arena_alloc(graph->arena, sizeof *node);

    if (!node)
        return beck__node_error(graph, origin->name, origin->site, BECK_NO_MEMORY, "no memory");
    node->kind = kind;
    node->name = origin->name;
    node->site = origin->site;
    node->label = beck__arena_text(graph->arena, origin->label);
    node->keys = 1;
    node->number = ++graph->nodes;
    node->parents = node->near;
    return node;
}

bool beck__node_parents(struct graph *graph, struct node *node, struct node *const *parents,
                        uint32_t count)
{
    if (count > BECK__COUNT_OF(node->near))
        node->parents = beck__arena_alloc(graph->arena, count * sizeof(struct node *));
    if (!node->parents) {
        beck__node_error(graph, node->name, node->site, BECK_NO_MEMORY, "no memory");
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        node->parents[i] = parents[i];
    node->parent_count = count;
    return true;
}

/* Counts the fields of all levels. False if they are more, or deeper, than a schema's text may say:
 * such rows could not travel. */
static bool within_limits(const struct field *fields, uint32_t count, uint32_t depth,
                          uint32_t *total)
{
    for (uint32_t i = 0; i < count; i++)
        if (++*total > BECK__COLUMNS_MAX || depth > BECK__NESTING_MAX ||
            !within_limits(fields[i].fields, fields[i].count, depth + 1, total))
            return false;
    return true;
}

struct node *beck__node_narrow(struct graph *graph, struct node *parent,
                               const struct origin *origin, struct op *op)
{
    struct node *node = beck__node_new(graph, NODE_NARROW, origin);

    if (!node)
        return NULL;
    op->name = origin->name;
    op->label = node->label;
    op->file = origin->site.file;
    op->line = (uint32_t)origin->site.line;
    op->in = parent->schema;
    uint32_t total = 0;
    if (!within_limits(op->out->fields, op->out->count, 1, &total))
        return beck__node_error(graph, origin->name, origin->site, BECK_TYPE,
                                "makes rows of more than %u columns or %u levels, those in ARRAY "
                                "and STRUCT counted too",
                                BECK__COLUMNS_MAX, BECK__NESTING_MAX);
    assert(beck__op_fits(op));
    const struct program *one = beck__program_of(graph->arena, op);
    bool fuse = parent->kind == NODE_NARROW;
    node->base = fuse ? parent->base : parent;
    node->fused = !one ? NULL : fuse ? beck__program_join(graph->arena, parent->fused, one) : one;
    if (!node->fused)
        return beck__node_error(graph, origin->name, origin->site, BECK_NO_MEMORY, "no memory");
    node->schema = op->out;
    return beck__node_parents(graph, node, &parent, 1) ? node : NULL;
}

struct node *beck__node_shuffle(struct graph *graph, struct node *parent,
                                const struct origin *origin, struct partitioning partitioning)
{
    struct node *node = beck__node_new(graph, NODE_SHUFFLE, origin);

    if (!node)
        return NULL;
    node->schema = parent->schema;
    node->keys = parent->keys;
    node->partitioning = partitioning;
    return beck__node_parents(graph, node, &parent, 1) ? node : NULL;
}

const beck_schema *beck__node_schema(struct graph *graph, const struct origin *origin,
                                     const char *text)
{
    const beck_schema *schema = NULL;
    struct error error = {0};

    if (beck__schema_parse(graph->arena, text, &schema, &error))
        beck__node_error(graph, origin->name, origin->site, error.status, "schema: %s", error.text);
    return error.status ? NULL : schema;
}

struct function_id beck__node_function(struct graph *graph, const void *function)
{
    return graph->os->function_id(graph->os, function);
}

bool beck__node_context(struct graph *graph, const struct origin *origin, struct op *op,
                        const void *ctx, size_t size)
{
    if (ctx && !size) {
        beck__node_error(graph, origin->name, origin->site, BECK_INVALID,
                         ".ctx without .ctx_size: tasks get a copy of the bytes; add "
                         ".ctx_size = sizeof of what .ctx points to");
        return false;
    }
    if (!ctx && size) {
        beck__node_error(graph, origin->name, origin->site, BECK_INVALID, ".ctx_size without .ctx");
        return false;
    }
    const void *copy = size ? beck__arena_copy(graph->arena, ctx, size) : NULL;
    if (size && !copy) {
        beck__error_memory(graph->error, origin->name, size);
        return false;
    }
    op->bytes = beck_bytes_of(copy, size);
    return true;
}

const beck_schema *beck__schema_join(struct graph *graph, const struct field *a, uint32_t a_count,
                                     const struct field *b, uint32_t b_count)
{
    beck_schema *schema = beck__arena_alloc(graph->arena, sizeof *schema);
    struct field *fields =
        beck__arena_alloc(graph->arena, (a_count + b_count + 1) * sizeof *fields);

    if (!schema || !fields) {
        beck__error_memory(graph->error, "a schema", (a_count + b_count) * sizeof *fields);
        return NULL;
    }
    if (a_count)
        memcpy(fields, a, a_count * sizeof *fields);
    if (b_count)
        memcpy(fields + a_count, b, b_count * sizeof *fields);
    *schema = (beck_schema){.count = a_count + b_count, .fields = fields};
    return schema;
}

struct node *beck__node_made(struct graph *graph, const char *name, beck_site site,
                             const char *schema, struct node *const *parents, uint32_t count)
{
    struct origin origin = {name, site, NULL};
    const beck_schema *parsed = beck__node_schema(graph, &origin, schema);
    struct node *node = parsed ? beck__node_new(graph, NODE_MADE, &origin) : NULL;

    if (!node || !beck__node_parents(graph, node, parents, count))
        return NULL;
    node->schema = parsed;
    return node;
}

/* ---- sources --------------------------------------------------------------------------------- */

struct node *beck__node_source(struct graph *graph, const char *name, beck_site site,
                               const char *schema, uint32_t source)
{
    struct origin origin = {name, site, NULL};
    const beck_schema *parsed = beck__node_schema(graph, &origin, schema);
    struct node *node = parsed ? beck__node_new(graph, NODE_SOURCE, &origin) : NULL;

    if (node) {
        node->schema = parsed;
        node->source = source;
    }
    return node;
}

struct node *beck__node_from_values(struct graph *graph, const char *name, beck_site site,
                                    const beck_schema *schema, const struct blocks *partitions,
                                    uint32_t count)
{
    struct origin origin = {name, site, NULL};
    struct node *node = beck__node_new(graph, NODE_VALUES, &origin);

    if (node) {
        node->schema = schema;
        node->values = partitions;
        node->value_count = count;
    }
    return node;
}

struct node *beck__node_ranges(struct graph *graph, const char *name, beck_site site,
                               const beck_direct_class *class_of, beck_str params)
{
    struct origin origin = {name, site, NULL};
    const beck_schema *schema = beck__node_schema(graph, &origin, class_of->schema);
    struct node *node = schema ? beck__node_new(graph, NODE_RANGES, &origin) : NULL;

    if (node) {
        node->schema = schema;
        node->class_of = class_of;
        node->params = params;
    }
    return node;
}

/* ---- instances ------------------------------------------------------------------------------- */

/* Where the node is, or would be. */
static struct made *slot_of(const struct stamp *stamp, const struct node *node)
{
    uint64_t hash = (uint64_t)(uintptr_t)node * 0x9e3779b97f4a7c15u;
    uint32_t mask = stamp->capacity - 1, i = (uint32_t)(hash >> 32) & mask;

    while (stamp->made[i].node && stamp->made[i].node != node)
        i = (i + 1) & mask;
    return &stamp->made[i];
}

static bool grow(struct stamp *stamp)
{
    const struct made *old = stamp->made;
    uint32_t count = stamp->capacity, more = count ? 2 * count : 64;
    struct made *made = beck__arena_alloc(stamp->arena, more * sizeof *made);

    if (!made)
        return false;
    stamp->made = made;
    stamp->capacity = more;
    for (uint32_t i = 0; i < count; i++)
        if (old[i].node)
            *slot_of(stamp, old[i].node) = old[i];
    return true;
}

/* The dataset of the node, NULL at first; valid until the next one is placed. NULL without memory.
 */
static struct dataset **place_of(struct stamp *stamp, const struct node *node)
{
    struct made *slot = stamp->capacity ? slot_of(stamp, node) : NULL;

    if (slot && slot->node)
        return &slot->dataset;
    if (2 * (stamp->count + 1) > stamp->capacity && !grow(stamp))
        return NULL;
    slot = slot_of(stamp, node);
    slot->node = node;
    stamp->count++;
    return &slot->dataset;
}

static beck_status plan_ranges(struct stamp *stamp, const struct node *node,
                               struct dataset **dataset, struct error *error)
{
    struct error reason = {0};
    struct beck_ranges ranges = {.arena = stamp->arena, .error = &reason};
    beck_status status = node->class_of->plan(&ranges, node->params.data, node->params.size);

    if (status || reason.status) {
        struct text name = {.memory = stamp->arena->memory};
        beck__node_name(node, &name);
        beck__error_set(error, reason.status ? reason.status : status, "%s: %s",
                        beck__text_get(&name),
                        reason.status ? reason.text : beck_status_text(status));
        beck__text_deinit(&name);
        return status ? status : reason.status;
    }
    char what[160];
    beck__node_what(node, what, sizeof what);
    struct range_source source = {.what = beck__arena_text(stamp->arena, what),
                                  .class_of = node->class_of,
                                  .params = node->params,
                                  .schema = node->schema};
    if (source.what)
        *dataset =
            stamp->engine->from_ranges(stamp->scope, &source, ranges.items, (uint32_t)ranges.count);
    return BECK_OK;
}

static beck_status no_rdd(const struct node *node, const struct node *parent, struct error *error)
{
    char what[160], from[160];

    while (parent->hidden && parent->parent_count)
        parent = parent->parents[0];
    beck__node_what(node, what, sizeof what);
    beck__node_what(parent, from, sizeof from);
    return beck__error_set(
        error, BECK_STATE,
        "%s: %s has no RDD in this batch, and this operator needs one; push an empty "
        "RDD instead of NULL, or leave out .none_when_empty",
        what, from);
}

/* Of a narrow node: the nearest one before it whose rows stay, or the base. */
static struct node *stands_on(const struct node *node)
{
    struct node *above = node->parents[0];

    while (above->kind == NODE_NARROW && !above->kept)
        above = above->parents[0];
    return above;
}

/* What is fused since then. NULL without memory. */
static const struct program *program_of(struct stamp *stamp, const struct node *node)
{
    const struct node *above = stands_on(node);

    if (above->kind != NODE_NARROW)
        return node->fused;
    struct program *rest = beck__arena_alloc(stamp->arena, sizeof *rest);
    if (rest)
        *rest = (struct program){.count = node->fused->count - above->fused->count,
                                 .ops = node->fused->ops + above->fused->count,
                                 .in = above->schema,
                                 .out = node->schema};
    return rest;
}

/* Those of the parents; BECK_OK with *all false: one has no RDD, and this node gives none then. */
static beck_status parents_of(struct stamp *stamp, const struct node *node,
                              struct dataset **parents, bool *all, struct error *error)
{
    beck_status status = BECK_OK;

    for (uint32_t i = 0; i < node->parent_count && !status && *all; i++) {
        struct node *above = node->kind == NODE_NARROW ? stands_on(node) : node->parents[i];
        status = beck__node_dataset(stamp, above, &parents[i], error);
        if (status || parents[i])
            continue;
        if (node->needs_rdd)
            status = no_rdd(node, node->parents[i], error);
        *all = node->kind == NODE_MADE || node->kind == NODE_ADVANCE;
    }
    return status;
}

static beck_status instance(struct stamp *stamp, struct node *node, struct dataset **dataset,
                            struct error *error)
{
    struct engine *engine = stamp->engine;
    struct dataset *near[2] = {NULL, NULL}, **parents = near;
    const struct program *program;
    bool all = true;

    if (node->parent_count > BECK__COUNT_OF(near))
        parents = beck__arena_alloc(stamp->arena, node->parent_count * sizeof(struct dataset *));
    if (!parents)
        return beck__error_memory(error, node->name, 0);
    beck_status status = node->kind == NODE_WINDOW
                             ? BECK_OK /* it stands on slices of other times as well */
                             : parents_of(stamp, node, parents, &all, error);
    if (status || !all)
        return status;
    switch (node->kind) {
    case NODE_SOURCE:
        *dataset = node->source < stamp->source_count ? stamp->sources[node->source] : NULL;
        return BECK_OK;
    case NODE_VALUES:
        *dataset = engine->from_values(stamp->scope, node->schema, node->values, node->value_count);
        break;
    case NODE_RANGES:
        status = plan_ranges(stamp, node, dataset, error);
        break;
    case NODE_NARROW:
        program = program_of(stamp, node);
        *dataset = program ? engine->narrow(stamp->scope, parents[0], program) : NULL;
        break;
    case NODE_SHUFFLE:
        *dataset = engine->shuffle(stamp->scope, parents[0], node->partitioning, node->schema);
        break;
    case NODE_UNION:
        *dataset = engine->unite(stamp->scope, parents, node->parent_count);
        break;
    case NODE_MADE:
        return node->make(node, stamp, parents, dataset, error);
    case NODE_WINDOW:
        *dataset = beck__window_dataset(stamp, node);
        break;
    case NODE_ADVANCE:
        if (!parents[0] && beck__advance_waits(node))
            return BECK_OK;
        *dataset = beck__advance_dataset(stamp, node, parents[0]);
        break;
    case NODE_SCAN:
        *dataset = engine->scan(stamp->scope, parents[0]);
        break;
    case NODE_KEEP:
        *dataset = beck__keep_dataset(stamp, node, parents[0]);
        break;
    }
    if (!status && !*dataset)
        status = beck__error_memory(error, node->name, 0);
    return status;
}

beck_status beck__node_dataset(struct stamp *stamp, struct node *node, struct dataset **dataset,
                               struct error *error)
{
    struct dataset **place = place_of(stamp, node);

    if (!place)
        return beck__error_memory(error, node->name, 0);
    if (*place) {
        *dataset = *place;
        return BECK_OK;
    }
    *dataset = NULL;
    beck_status status = instance(stamp, node, dataset, error);
    if (!status)
        *place_of(stamp, node) = *dataset; /* it is there, but may have moved */
    return status;
}

beck_status beck__node_set_dataset(struct stamp *stamp, const struct node *node,
                                   struct dataset *dataset, struct error *error)
{
    struct dataset **place = place_of(stamp, node);

    if (!place)
        return beck__error_memory(error, node->name, 0);
    *place = dataset;
    return BECK_OK;
}

/* ---- text ------------------------------------------------------------------------------------ */

void beck__node_name(const struct node *node, struct text *out)
{
    const char *slash = node->site.file ? strrchr(node->site.file, '/') : NULL;

    beck__text_add(out, node->name);
    if (node->label)
        beck__text_printf(out, " \"%s\"", node->label);
    if (node->site.file)
        beck__text_printf(out, " at %s:%d", slash ? slash + 1 : node->site.file, node->site.line);
}

void beck__node_what(const struct node *node, char *what, size_t size)
{
    const char *slash = node->site.file ? strrchr(node->site.file, '/') : NULL;
    int used = snprintf(what, size, "%s", node->label ? node->label : node->name);

    if (node->site.file && used > 0 && (size_t)used < size)
        snprintf(what + used, size - (size_t)used, " at %s:%d", slash ? slash + 1 : node->site.file,
                 node->site.line);
}

void beck__node_print(const struct node *node, struct text *out)
{
    beck__node_name(node, out);
    if (node->kind == NODE_SHUFFLE) {
        if (node->partitioning.kind == PARTITION_SAME)
            beck__text_add(out, "  keeps its partitions and counts them");
        else
            beck__text_printf(out, "  shuffle to %u partition%s", node->partitioning.count,
                              node->partitioning.count == 1 ? "" : "s");
        if (node->partitioning.kind == PARTITION_HASH)
            beck__text_printf(out, " by key hash");
        if (node->partitioning.kind == PARTITION_RANGE)
            beck__text_printf(out, " by range");
    } else if (node->kind == NODE_ADVANCE) {
        const struct op *op = &node->stateful->program->ops[0];
        bool calls = beck__program_calls(node->stateful->program);
        beck__text_printf(out, "  %s, keeps (", calls ? "callback" : "kernel");
        beck__schema_print(op->state, out);
        beck__text_printf(out, ")%s", op->every ? " and sees every key in every batch" : "");
        if (op->kind == OP_WINDOW)
            beck__text_printf(out, ", window of %lld ms every %lld ms",
                              (long long)node->stateful->window_ms,
                              (long long)node->stateful->due_ms);
        if (op->timeout_ms)
            beck__text_printf(out, ", for %lld ms", (long long)op->timeout_ms);
    } else if (node->kind == NODE_SCAN) {
        beck__text_printf(out, "  every key and its state, as far as they are asked for");
    } else if (node->kind == NODE_WINDOW) {
        beck__text_printf(out, "  window of %lld ms every %lld ms",
                          (long long)node->window->length_ms, (long long)node->window->slide_ms);
    } else if (node->kind == NODE_NARROW) {
        const struct op *op = &node->fused->ops[node->fused->count - 1];
        struct program last = {.count = 1, .ops = op};
        bool calls = beck__program_calls(&last);
        beck__text_printf(out, "  %s%s", calls ? "callback" : "kernel",
                          op->kind != OP_GROUP ? ""
                          : op->state_out      ? ", combines before the shuffle"
                                               : "");
    }
    if (node->kind == NODE_MADE)
        beck__text_add(out, "  callback");
    if (node->kind == NODE_KEEP)
        beck__text_printf(out, "  %s", beck__level_name(node->holding->level));
    if (node->kept && node->kept->level)
        beck__text_printf(out, "  %s", beck__level_name(node->kept->level));
    if (node->checkpoint_ms)
        beck__text_printf(out, "  checkpoint every %lld ms", (long long)node->checkpoint_ms);
    beck__text_add(out, "  (");
    beck__schema_print(node->schema, out);
    beck__text_add(out, ")");
}
