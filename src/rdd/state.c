/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stateful operators of a stream:
 *
 *   parent -> shuffle by key hash -> ADVANCE (what the callback emits) -> SCAN (key and state)
 *                                        | a keeper, from batch to batch
 *
 * map_with_state is the first of the last two, update_state_by_key and state_snapshots the second.
 */
/* tests: build_test.c */
#include "rdd/inside.h"

struct state_args {
    const char *schema; /* of the state */
    beck_rdd *initial;
    int64_t slide_ms, timeout_ms;
    const char *timeout; /* its name in messages */
    int partitions;
    const void *ctx;
    size_t ctx_size;
};

/* The initial states, partitioned as the stream is. NULL with the error set. */
static struct node *initial_node(struct graph *graph, const struct origin *origin,
                                 const struct op *op, struct partitioning partitioning,
                                 beck_rdd *initial)
{
    const beck_schema *wanted =
        beck__schema_join(graph, op->in->fields, op->keys, op->state->fields, op->state->count);

    if (!initial->node || !wanted)
        return NULL;
    if (initial->graph != graph)
        return beck__node_error(graph, origin->name, origin->site, BECK_INVALID,
                                ".initial belongs to another context, or to one batch only");
    if (beck__schema_equal(initial->node->schema, wanted, false))
        return beck__node_shuffle(graph, initial->node, origin, partitioning);
    struct text has = {.memory = graph->arena->memory}, needs = has;
    beck__schema_print(initial->node->schema, &has);
    beck__schema_print(wanted, &needs);
    beck__node_error(graph, origin->name, origin->site, BECK_TYPE,
                     ".initial has (%s), but key and state are (%s)", beck__text_get(&has),
                     beck__text_get(&needs));
    beck__text_deinit(&has);
    beck__text_deinit(&needs);
    return NULL;
}

/* False after an error: the parent has no values, the state no schema, or a number is wrong. */
static bool state_op(struct graph *graph, const struct node *parent, const struct origin *origin,
                     const struct state_args *args, struct op *op)
{
    if (!beck__node_pair(graph, origin, parent))
        return false;
    op->state = beck__node_schema(graph, origin, args->schema);
    if (!op->state || !beck__node_context(graph, origin, op, args->ctx, args->ctx_size))
        return false;
    if (args->timeout_ms < 0)
        beck__node_error(graph, origin->name, origin->site, BECK_INVALID,
                         "%s is %lld; give a positive number, or 0 for none", args->timeout,
                         (long long)args->timeout_ms);
    op->timeout_ms = args->timeout_ms;
    op->keys = parent->keys;
    op->in = parent->schema;
    return args->timeout_ms >= 0;
}

struct node *beck__node_advance(struct graph *graph, struct node *shuffle,
                                const struct origin *origin, struct op *op,
                                const struct stateful *like)
{
    struct node *node = beck__node_new(graph, NODE_ADVANCE, origin);
    struct stateful *stateful = beck__arena_copy(graph->arena, like, sizeof *like);

    if (!node || !stateful) {
        beck__error_memory(graph->error, origin->name, sizeof *stateful);
        return NULL;
    }
    shuffle->hidden = true;
    for (const struct stateful *s = graph->first_stateful; node->label && s; s = s->next)
        if (s->node->label && strcmp(s->node->label, node->label) == 0)
            return beck__node_error(graph, origin->name, origin->site, BECK_INVALID,
                                    "two operators that keep something are named \"%s\"; give one "
                                    "another .name",
                                    node->label);
    op->name = origin->name;
    op->label = node->label;
    op->file = origin->site.file;
    op->line = (uint32_t)origin->site.line;
    op->in = shuffle->schema;
    assert(beck__op_fits(op));
    stateful->program = beck__program_of(graph->arena, op);
    stateful->node = node;
    if (!stateful->program) {
        beck__error_memory(graph->error, origin->name, sizeof *op);
        return NULL;
    }
    if (graph->last_stateful)
        graph->last_stateful->next = stateful;
    else
        graph->first_stateful = stateful;
    graph->last_stateful = stateful;
    node->stateful = stateful;
    node->schema = op->out;
    node->parents[0] = shuffle;
    node->parent_count = 1;
    return node;
}

static struct node *keyed(struct graph *graph, struct node *parent, const struct origin *origin,
                          const struct state_args *args, struct op *op)
{
    uint32_t n = beck__node_partitions(graph, origin, args->partitions);
    struct partitioning to = {.kind = PARTITION_HASH, .keys = parent->keys, .count = n};
    struct node *shuffle = n ? beck__node_shuffle(graph, parent, origin, to) : NULL;
    struct stateful like = {.slide_ms = args->slide_ms};

    if (!shuffle)
        return NULL;
    if (args->initial) {
        like.initial = initial_node(graph, origin, op, to, args->initial);
        if (!like.initial)
            return NULL;
    }
    return beck__node_advance(graph, shuffle, origin, op, &like);
}

static struct node *scan(struct graph *graph, struct node *parent, const struct origin *origin)
{
    const struct op *op = &parent->stateful->program->ops[0];
    struct node *node = beck__node_new(graph, NODE_SCAN, origin);
    const beck_schema *schema =
        beck__schema_join(graph, op->in->fields, op->keys, op->state->fields, op->state->count);

    if (!node || !schema)
        return NULL;
    node->stateful = parent->stateful;
    node->schema = schema;
    node->keys = op->keys;
    node->parents[0] = parent;
    node->parent_count = 1;
    return node;
}

/* ---- known functions ------------------------------------------------------------------------- */

/* What a known function keeps of the values of op->in; NULL with the error set. */
static const beck_schema *known_state(struct graph *graph, const struct origin *origin,
                                      enum op_fold fold, const struct op *op)
{
    static const struct field count = {.name = "count", .type = BECK_BIGINT};
    const struct field *values = op->in->fields + op->keys;
    uint32_t width = op->in->count - op->keys;
    struct field *fields = beck__arena_alloc(graph->arena, ((size_t)width + 1) * sizeof *fields);
    struct field result;
    struct error error = {0};

    if (fold == FOLD_COUNT)
        return beck__schema_join(graph, &count, 1, NULL, 0);
    if ((fold == FOLD_DISTINCT || fold == FOLD_TOP) && width > 1)
        beck__error_set(&error, BECK_TYPE,
                        "the known function takes one value column, but there are %u", width);
    if (!fields)
        beck__error_memory(&error, "a schema", width * sizeof *fields);
    for (uint32_t k = 0; k < width && !error.status; k++) {
        fields[k] = values[k];
        if (fold != FOLD_LAST)
            beck__fold_types(graph->arena, fold, NULL, &values[k], &fields[k], &result, &error);
    }
    if (!error.status)
        return beck__schema_join(graph, &count, fold == FOLD_DISTINCT, fields, width);
    beck__node_error(graph, origin->name, origin->site, error.status, "%s", error.text);
    return NULL;
}

static bool is_made(struct graph *graph, const struct origin *origin, const char *what,
                    const beck_schema *made, const beck_schema *given)
{
    struct text makes = {.memory = graph->arena->memory}, has = makes;

    if (!made || beck__schema_equal(made, given, false))
        return made != NULL;
    beck__schema_print(made, &makes);
    beck__schema_print(given, &has);
    beck__node_error(graph, origin->name, origin->site, BECK_TYPE,
                     "of these values the known function makes (%s), but the %s has (%s)",
                     beck__text_get(&makes), what, beck__text_get(&has));
    beck__text_deinit(&makes);
    beck__text_deinit(&has);
    return false;
}

/* True if the schemas are what the known function makes, or it is none; else the error is set. */
static bool known_fits(struct graph *graph, const struct origin *origin, enum op_fold fold,
                       const struct op *op)
{
    if (fold == FOLD_KINDS)
        return true;
    const beck_schema *state = known_state(graph, origin, fold, op);
    const beck_schema *row =
        state ? beck__schema_join(graph, op->in->fields, op->keys, state->fields, state->count)
              : NULL;

    return is_made(graph, origin, "state", state, op->state) &&
           is_made(graph, origin, "output", row, op->out);
}

/* One of numbers has a kernel behind it. */
static void use_kernel(struct op *op, enum op_fold fold, enum op_emits emits)
{
    struct op kernel = *op;

    kernel.kind = OP_ACCUMULATE;
    kernel.name = "kernel"; /* advance gives the name */
    kernel.fold = fold;
    kernel.emits = emits;
    kernel.every = false;
    if (fold != FOLD_KINDS && beck__op_fits(&kernel))
        *op = kernel;
}

struct node *beck__node_map_with_state(struct graph *graph, struct node *parent, int64_t slide_ms,
                                       const beck_map_with_state_args *args)
{
    struct origin origin = {"map_with_state", args->site, args->name};
    struct state_args common = {.schema = args->state,
                                .initial = args->initial,
                                .slide_ms = slide_ms,
                                .timeout_ms = args->timeout_ms,
                                .timeout = ".timeout_ms",
                                .partitions = args->partitions,
                                .ctx = args->ctx,
                                .ctx_size = args->ctx_size};
    enum op_fold fold = beck__known_track(args->fn);
    struct op op = {.kind = OP_TRACK, .emits = EMITS_ANY};

    if (!parent || !state_op(graph, parent, &origin, &common, &op))
        return NULL;
    if (!args->fn)
        return beck__node_error(graph, origin.name, origin.site, BECK_INVALID,
                                "the callback is NULL");
    op.function[0] = beck__node_function(graph, BECK__ADDRESS(args->fn));
    op.out = beck__node_schema(graph, &origin, args->schema);
    if (!op.out || !known_fits(graph, &origin, fold, &op))
        return NULL;
    use_kernel(&op, fold, EMITS_ONE);
    return keyed(graph, parent, &origin, &common, &op);
}

struct node *beck__node_update_state_by_key(struct graph *graph, struct node *parent,
                                            int64_t slide_ms, const beck_update_args *args)
{
    struct origin origin = {"update_state_by_key", args->site, args->name};
    struct state_args common = {.schema = args->schema,
                                .initial = args->initial,
                                .slide_ms = slide_ms,
                                .timeout_ms = args->ttl_ms,
                                .timeout = ".ttl_ms",
                                .partitions = args->partitions,
                                .ctx = args->ctx,
                                .ctx_size = args->ctx_size};
    enum op_fold fold = beck__known_update(args->fn);
    struct op op = {
        .kind = OP_UPDATE, .emits = EMITS_NONE, .every = !args->touched_only && fold == FOLD_KINDS};

    if (!parent || !state_op(graph, parent, &origin, &common, &op))
        return NULL;
    if (!args->fn)
        return beck__node_error(graph, origin.name, origin.site, BECK_INVALID,
                                "the callback is NULL");
    op.function[0] = beck__node_function(graph, BECK__ADDRESS(args->fn));
    op.out = beck__schema_join(graph, op.in->fields, op.keys, op.state->fields, op.state->count);
    if (!op.out || !known_fits(graph, &origin, fold, &op))
        return NULL;
    use_kernel(&op, fold, EMITS_NONE);
    struct node *node = keyed(graph, parent, &origin, &common, &op);
    return node ? scan(graph, node, &origin) : NULL;
}

struct node *beck__node_state_snapshots(struct graph *graph, struct node *parent,
                                        const beck_none_args *args)
{
    struct origin origin = {"state_snapshots", args->site, args->name};

    if (!parent)
        return NULL;
    if (!parent->stateful)
        return beck__node_error(graph, origin.name, origin.site, BECK_INVALID,
                                "%s keeps no state; give the stream that map_with_state or "
                                "update_state_by_key has returned",
                                parent->name);
    return scan(graph, parent->stateful->node, &origin);
}

bool beck__advance_waits(const struct node *node)
{
    return !node->stateful->begun && node->stateful->program->ops[0].kind == OP_UPDATE;
}

struct dataset *beck__advance_dataset(struct stamp *stamp, const struct node *node,
                                      struct dataset *parent)
{
    const struct node *shuffle = node->parents[0];
    uint32_t count = shuffle->partitioning.count;

    if (!parent) { /* a batch without an RDD is one without rows */
        struct blocks *none = beck__arena_alloc(stamp->arena, (count + 1) * sizeof *none);
        parent =
            none ? stamp->engine->from_values(stamp->scope, shuffle->schema, none, count) : NULL;
    }
    const struct stateful *s = node->stateful;
    bool due = !s->window_ms || (stamp->batch_ms - stamp->zero_ms) % s->due_ms == 0;
    return parent ? stamp->engine->advance(stamp->scope, parent, s->keeper, due) : NULL;
}
