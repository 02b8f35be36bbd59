/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operators without a shuffle: the map family, filter, map_partitions, key_by, glom, union; and the
 * programs at the end of a job.
 */
#include "rdd/inside.h"

static const char *const map_names[] = {"map", "flat_map", "map_values", "flat_map_values"};

/* A kernel stands behind the callback if it is a known one and the schemas are those it makes. */
static enum op_kind known_kind(beck_map_fn *fn, const beck_schema *in, const beck_schema *out)
{
    enum op_kind kind = beck__known_row_function(fn);

    if (kind == OP_COUNT || in->fields[0].type != BECK_STRING || out->fields[0].type != BECK_STRING)
        return OP_CALL;
    if (out->count == 1 || (out->count == 2 && out->fields[1].type == BECK_BIGINT))
        return kind;
    return OP_CALL;
}

bool beck__node_pair(struct graph *graph, const struct origin *origin, const struct node *parent)
{
    if (parent->schema->count > parent->keys)
        return true;
    struct text schema = {.memory = graph->arena->memory};
    beck__schema_print(parent->schema, &schema);
    beck__node_error(
        graph, origin->name, origin->site, BECK_TYPE,
        "needs a key and a value, but the rows are (%s); emit a pair in a map before, or "
        "choose the key with beck_key_by",
        beck__text_get(&schema));
    beck__text_deinit(&schema);
    return false;
}

static bool needs_callback(struct graph *graph, const struct origin *origin, const void *address)
{
    if (!address)
        beck__node_error(graph, origin->name, origin->site, BECK_INVALID, "the callback is NULL");
    return address != NULL;
}

struct node *beck__node_map(struct graph *graph, struct node *parent, enum map_kind kind,
                            const beck_map_args *args)
{
    struct origin origin = {map_names[kind], args->site, args->name};
    bool values = kind == MAP_VALUES || kind == MAP_FLAT_VALUES;

    if (!parent || !needs_callback(graph, &origin, BECK__ADDRESS(args->fn)) ||
        (values && !beck__node_pair(graph, &origin, parent)))
        return NULL;
    const beck_schema *schema = beck__node_schema(graph, &origin, args->schema);
    struct op op = {.kind = OP_CALL, .keys = parent->keys, .values = values};
    if (!schema || !beck__node_context(graph, &origin, &op, args->ctx, args->ctx_size))
        return NULL;
    op.emits = kind == MAP_MAP || kind == MAP_VALUES ? EMITS_ONE : EMITS_ANY;
    op.function[0] = beck__node_function(graph, BECK__ADDRESS(args->fn));
    if (values) {
        op.adds = ADDS_KEY_BEFORE;
        schema = beck__schema_join(graph, parent->schema->fields, parent->keys, schema->fields,
                                   schema->count);
        if (!schema)
            return NULL;
    } else if (kind == MAP_FLAT_MAP) {
        op.kind = known_kind(args->fn, parent->schema, schema);
    }
    op.out = schema;
    struct node *node = beck__node_narrow(graph, parent, &origin, &op);
    if (node && values)
        node->keys = parent->keys;
    return node;
}

struct node *beck__node_filter(struct graph *graph, struct node *parent,
                               const beck_filter_args *args)
{
    struct origin origin = {"filter", args->site, args->name};

    if (!parent || !needs_callback(graph, &origin, BECK__ADDRESS(args->fn)))
        return NULL;
    struct op op = {
        .kind = OP_FILTER, .keys = parent->keys, .emits = EMITS_ANY, .out = parent->schema};
    if (!beck__node_context(graph, &origin, &op, args->ctx, args->ctx_size))
        return NULL;
    op.function[0] = beck__node_function(graph, BECK__ADDRESS(args->fn));
    struct node *node = beck__node_narrow(graph, parent, &origin, &op);
    if (node)
        node->keys = parent->keys;
    return node;
}

struct node *beck__node_map_partitions(struct graph *graph, struct node *parent,
                                       const beck_map_partitions_args *args)
{
    struct origin origin = {"map_partitions", args->site, args->name};

    if (!parent || !needs_callback(graph, &origin, BECK__ADDRESS(args->fn)))
        return NULL;
    struct op op = {.kind = OP_PARTITION, .keys = parent->keys, .emits = EMITS_ANY};
    op.out = beck__node_schema(graph, &origin, args->schema);
    if (!op.out || !beck__node_context(graph, &origin, &op, args->ctx, args->ctx_size))
        return NULL;
    op.function[0] = beck__node_function(graph, BECK__ADDRESS(args->fn));
    return beck__node_narrow(graph, parent, &origin, &op);
}

/* ---- key_by ---------------------------------------------------------------------------------- */

/* The next name of "user, page", spaces cut off; false at the end. */
static bool next_name(beck_str *rest, beck_str *name)
{
    if (!beck_next_token(rest, ",", name))
        return false;
    while (name->size && *name->data == ' ') {
        name->data++;
        name->size--;
    }
    while (name->size && name->data[name->size - 1] == ' ')
        name->size--;
    return true;
}

/* columns[]: the named ones first, then the others in their order. Returns how many were named, 0
 * after an error. */
static uint32_t key_columns(struct graph *graph, const struct origin *origin,
                            const struct node *parent, const char *key, uint32_t *columns)
{
    beck_str rest = beck_string(key), name;
    const beck_schema *schema = parent->schema;
    uint32_t keys = 0, count;

    while (next_name(&rest, &name)) {
        int k = beck__schema_find(schema, name);
        for (uint32_t i = 0; k >= 0 && i < keys; i++)
            if (columns[i] == (uint32_t)k)
                k = -1;
        if (k < 0 || keys == schema->count) {
            struct text text = {.memory = graph->arena->memory};
            beck__schema_print(schema, &text);
            beck__node_error(graph, origin->name, origin->site, BECK_INVALID,
                             "no column \"%.*s\" (or named twice); the columns are (%s)",
                             (int)name.size, name.data, beck__text_get(&text));
            beck__text_deinit(&text);
            return 0;
        }
        columns[keys++] = (uint32_t)k;
    }
    if (keys == 0)
        beck__node_error(graph, origin->name, origin->site, BECK_INVALID, "no key column is named");
    count = keys;
    for (uint32_t k = 0; k < schema->count; k++) {
        bool used = false;
        for (uint32_t i = 0; i < keys; i++)
            used |= columns[i] == k;
        if (!used)
            columns[count++] = k;
    }
    return keys;
}

static struct node *key_by_columns(struct graph *graph, struct node *parent,
                                   const struct origin *origin, const char *key)
{
    uint32_t count = parent->schema->count;
    uint32_t *columns = beck__arena_alloc(graph->arena, (count + 1) * sizeof *columns);
    struct field *fields = beck__arena_alloc(graph->arena, (count + 1) * sizeof *fields);
    uint32_t keys = columns && fields ? key_columns(graph, origin, parent, key, columns) : 0;

    if (!columns || !fields)
        beck__error_memory(graph->error, origin->name, count * sizeof *fields);
    if (!keys)
        return NULL;
    for (uint32_t k = 0; k < count; k++)
        fields[k] = parent->schema->fields[columns[k]];
    struct op op = {
        .kind = OP_PROJECT, .keys = parent->keys, .column_count = count, .columns = columns};
    op.out = beck__schema_join(graph, fields, count, NULL, 0);
    struct node *node = op.out ? beck__node_narrow(graph, parent, origin, &op) : NULL;
    if (node)
        node->keys = keys;
    return node;
}

struct node *beck__node_keyed(struct graph *graph, struct node *parent, const struct origin *origin,
                              const beck_key_by_args *args)
{
    if (!args->key)
        return beck__node_error(graph, origin->name, origin->site, BECK_INVALID, "no key is given");
    if (!args->fn)
        return key_by_columns(graph, parent, origin, args->key);
    const beck_schema *key = beck__node_schema(graph, origin, args->key);
    struct op op = {
        .kind = OP_CALL, .keys = parent->keys, .emits = EMITS_ONE, .adds = ADDS_ROW_AFTER};
    if (!key || !beck__node_context(graph, origin, &op, args->ctx, args->ctx_size))
        return NULL;
    op.function[0] = beck__node_function(graph, BECK__ADDRESS(args->fn));
    op.out = beck__schema_join(graph, key->fields, key->count, parent->schema->fields,
                               parent->schema->count);
    struct node *node = op.out ? beck__node_narrow(graph, parent, origin, &op) : NULL;
    if (node)
        node->keys = key->count;
    return node;
}

struct node *beck__node_key_by(struct graph *graph, struct node *parent,
                               const beck_key_by_args *args)
{
    struct origin origin = {"key_by", args->site, args->name};

    return parent ? beck__node_keyed(graph, parent, &origin, args) : NULL;
}

/* ---- columns --------------------------------------------------------------------------------- */

struct node *beck__node_project(struct graph *graph, struct node *parent,
                                const struct origin *origin, uint32_t first, uint32_t count)
{
    uint32_t *columns = beck__arena_alloc(graph->arena, (count + 1) * sizeof *columns);

    if (!columns) {
        beck__error_memory(graph->error, origin->name, count * sizeof *columns);
        return NULL;
    }
    for (uint32_t k = 0; k < count; k++)
        columns[k] = first + k;
    struct op op = {
        .kind = OP_PROJECT, .keys = parent->keys, .column_count = count, .columns = columns};
    op.out = beck__schema_join(graph, parent->schema->fields + first, count, NULL, 0);
    return op.out ? beck__node_narrow(graph, parent, origin, &op) : NULL;
}

struct node *beck__node_keys(struct graph *graph, struct node *parent, const beck_none_args *args)
{
    struct origin origin = {"keys", args->site, args->name};
    struct node *node = parent ? beck__node_project(graph, parent, &origin, 0, parent->keys) : NULL;

    if (node)
        node->keys = parent->keys;
    return node;
}

struct node *beck__node_values(struct graph *graph, struct node *parent, const beck_none_args *args)
{
    struct origin origin = {"values", args->site, args->name};

    if (!parent || !beck__node_pair(graph, &origin, parent))
        return NULL;
    return beck__node_project(graph, parent, &origin, parent->keys,
                              parent->schema->count - parent->keys);
}

/* ---- glom, union ----------------------------------------------------------------------------- */

/* ARRAY of these columns: of the type itself if there is one, else of STRUCT. */
static const beck_schema *array_schema(struct graph *graph, const char *name,
                                       const struct field *fields, uint32_t count)
{
    struct field *array = beck__arena_alloc(graph->arena, 2 * sizeof *array);

    if (!array) {
        beck__error_memory(graph->error, "a schema", 2 * sizeof *array);
        return NULL;
    }
    array[0] = (struct field){.name = name, .type = BECK_ARRAY, .count = 1, .fields = &array[1]};
    array[1] = count == 1 ? fields[0]
                          : (struct field){.type = BECK_STRUCT, .count = count, .fields = fields};
    array[1].name = "element";
    return beck__schema_join(graph, array, 1, NULL, 0);
}

struct node *beck__node_glom(struct graph *graph, struct node *parent, const beck_none_args *args)
{
    struct origin origin = {"glom", args->site, args->name};

    if (!parent)
        return NULL;
    struct op op = {.kind = OP_GLOM, .keys = parent->keys};
    op.out = array_schema(graph, "elements", parent->schema->fields, parent->schema->count);
    return op.out ? beck__node_narrow(graph, parent, &origin, &op) : NULL;
}

static bool same_types(struct graph *graph, const struct node *a, const struct node *b,
                       beck_site site)
{
    if (beck__schema_equal(a->schema, b->schema, false))
        return true;
    struct text left = {.memory = graph->arena->memory}, right = {.memory = graph->arena->memory};
    beck__schema_print(a->schema, &left);
    beck__schema_print(b->schema, &right);
    beck__node_error(graph, "union", site, BECK_TYPE,
                     "the types differ: (%s) and (%s); map one of them to the other's types before",
                     beck__text_get(&left), beck__text_get(&right));
    beck__text_deinit(&left);
    beck__text_deinit(&right);
    return false;
}

struct node *beck__node_union_all(struct graph *graph, struct node *const *parents, uint32_t count,
                                  const beck_none_args *args)
{
    struct origin origin = {"union", args->site, args->name};

    for (uint32_t i = 0; i < count; i++)
        if (!parents[i] || !same_types(graph, parents[0], parents[i], args->site))
            return NULL;
    struct node *node = beck__node_new(graph, NODE_UNION, &origin);
    if (!node || !beck__node_parents(graph, node, parents, count))
        return NULL;
    node->schema = parents[0]->schema;
    node->keys = parents[0]->keys;
    node->needs_rdd = true;
    return node;
}

struct node *beck__node_union(struct graph *graph, struct node *a, struct node *b, beck_site site)
{
    const beck_none_args args = {.site = site};

    return beck__node_union_all(graph, (struct node *const[]){a, b}, 2, &args);
}

/* ---- ends of a pipeline ---------------------------------------------------------------------- */

static const struct program *end(struct graph *graph, const struct node *node,
                                 const struct origin *origin, struct op *op)
{
    op->name = origin->name;
    op->file = origin->site.file;
    op->line = (uint32_t)origin->site.line;
    op->in = node->schema;
    assert(!op->out || beck__op_fits(op));
    const struct program *program = op->out ? beck__program_of(graph->arena, op) : NULL;
    if (!program)
        beck__error_memory(graph->error, origin->name, sizeof *op);
    return program;
}

const struct program *beck__program_limit(struct graph *graph, const struct node *node,
                                          uint64_t rows)
{
    struct origin origin = {"take", {NULL, 0}, NULL};
    struct op op = {.kind = OP_LIMIT, .number = rows, .out = node->schema};

    return end(graph, node, &origin, &op);
}

static const struct field count_field = {.name = "count", .type = BECK_BIGINT};

const struct program *beck__program_count(struct graph *graph, const struct node *node)
{
    struct origin origin = {"count", {NULL, 0}, NULL};
    struct op op = {.kind = OP_GROUP, .fold = FOLD_COUNT};

    op.out = beck__schema_join(graph, &count_field, 1, NULL, 0);
    return end(graph, node, &origin, &op);
}

const struct program *beck__program_foreach(struct graph *graph, const struct node *node,
                                            const beck_foreach_args *args)
{
    struct origin origin = {"foreach", args->site, NULL};
    struct op op = {.kind = OP_CALL, .emits = EMITS_NONE, .out = node->schema};

    if (!needs_callback(graph, &origin, BECK__ADDRESS(args->fn)) ||
        !beck__node_context(graph, &origin, &op, args->ctx, args->ctx_size))
        return NULL;
    op.function[0] = beck__node_function(graph, BECK__ADDRESS(args->fn));
    return end(graph, node, &origin, &op);
}

const struct program *beck__program_foreach_partition(struct graph *graph, const struct node *node,
                                                      const beck_foreach_partition_args *args)
{
    struct origin origin = {"foreach_partition", args->site, NULL};
    struct op op = {.kind = OP_PARTITION, .emits = EMITS_NONE, .out = node->schema};

    if (!needs_callback(graph, &origin, BECK__ADDRESS(args->fn)) ||
        !beck__node_context(graph, &origin, &op, args->ctx, args->ctx_size))
        return NULL;
    op.function[0] = beck__node_function(graph, BECK__ADDRESS(args->fn));
    return end(graph, node, &origin, &op);
}

static const struct field message_field = {.name = "message", .type = BECK_BINARY};

const struct program *beck__program_sink(struct graph *graph, const struct node *node,
                                         const beck_save_args *args, uint64_t rows)
{
    struct origin origin = {args->class_of->name, args->site, args->name};
    struct op op = {.kind = OP_SINK, .emits = EMITS_ANY};
    struct op limit = {.kind = OP_LIMIT, .number = rows, .out = node->schema};

    const void *params = beck__arena_copy(graph->arena, args->params, args->params_size);
    if (params)
        op.out = beck__schema_join(graph, &message_field, 1, NULL, 0);
    op.bytes = beck_bytes_of(params, args->params_size);
    op.function[0] = beck__node_function(graph, args->class_of);
    const struct program *program = end(graph, node, &origin, &op);
    if (!rows || !program)
        return program;
    const struct program *first = end(graph, node, &origin, &limit);
    program = first ? beck__program_join(graph->arena, first, program) : NULL;
    if (!program)
        beck__error_memory(graph->error, origin.name, sizeof op);
    return program;
}
