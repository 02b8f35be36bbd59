/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorting: the rows of every map in order, a shuffle by ranges of the key, and in each partition a
 * merge of what came from the maps.
 *
 *   parent [ -> key of the callback ] -> SORT -> shuffle by range -> SORT [ -> without that key ]
 */
#include "rdd/inside.h"

struct node *beck__node_sorted(struct graph *graph, struct node *parent,
                               const struct origin *origin, const struct sorting *sorting)
{
    struct partitioning to = {.kind = sorting->limit ? PARTITION_SINGLE : PARTITION_RANGE,
                              .count = sorting->partitions,
                              .order = sorting->order};
    struct op op = {.kind = OP_SORT,
                    .keys = parent->keys,
                    .number = sorting->limit,
                    .column_count = sorting->order.count,
                    .columns = sorting->order.columns,
                    .out = parent->schema};
    struct op again = op;
    struct node *node = beck__node_hide(beck__node_narrow(graph, parent, origin, &op));

    if (node)
        node = beck__node_hide(beck__node_shuffle(graph, node, origin, to));
    if (node)
        node = beck__node_narrow(graph, node, origin, &again);
    if (node)
        node->keys = parent->keys;
    return node;
}

/* ---- the order ------------------------------------------------------------------------------- */

/* Columns [0, count), all of them ascending or not. */
static bool first_columns(struct graph *graph, const struct origin *origin, uint32_t count,
                          bool descending, struct order *order)
{
    uint32_t *columns = beck__arena_alloc(graph->arena, (count + 1) * sizeof *columns);

    if (!columns) {
        beck__error_memory(graph->error, origin->name, count * sizeof *columns);
        return false;
    }
    for (uint32_t k = 0; k < count; k++)
        columns[k] = 2 * k + descending;
    *order = (struct order){count, columns};
    return true;
}

static bool is_word(beck_str text, const char *upper)
{
    size_t i = 0;

    for (; i < text.size && upper[i]; i++)
        if ((text.data[i] & ~0x20) != upper[i])
            return false;
    return i == text.size && !upper[i];
}

/* "n" or "n DESC" to 2 * column + 1; -1: no such column, or no such word behind it. */
static int64_t column_of(const beck_schema *schema, beck_str item)
{
    beck_str name, direction = beck_string("ASC"), rest = item, more;

    if (!beck_next_token(&rest, " ", &name))
        return -1;
    if (beck_next_token(&rest, " ", &more))
        direction = more;
    int k = beck__schema_find(schema, name);
    bool descending = is_word(direction, "DESC");
    if (k < 0 || beck_next_token(&rest, " ", &more) || (!descending && !is_word(direction, "ASC")))
        return -1;
    return 2 * (int64_t)k + descending;
}

/* "n DESC, word". */
static bool named_columns(struct graph *graph, const struct origin *origin,
                          const beck_schema *schema, const char *by, struct order *order)
{
    beck_str rest = beck_string(by), item;
    uint32_t *columns = beck__arena_alloc(graph->arena, (strlen(by) + 1) * sizeof *columns);

    if (!columns) {
        beck__error_memory(graph->error, origin->name, strlen(by) * sizeof *columns);
        return false;
    }
    *order = (struct order){0, columns};
    while (beck_next_token(&rest, ",", &item)) {
        int64_t column = column_of(schema, item);
        if (column < 0) {
            struct text text = {.memory = graph->arena->memory};
            beck__schema_print(schema, &text);
            beck__node_error(graph, origin->name, origin->site, BECK_INVALID,
                             "cannot sort by \"%.*s\": give columns as in \"n DESC, word\"; they "
                             "are (%s)",
                             (int)item.size, item.data, beck__text_get(&text));
            beck__text_deinit(&text);
            return false;
        }
        columns[order->count++] = (uint32_t)column;
    }
    if (order->count == 0)
        beck__node_error(graph, origin->name, origin->site, BECK_INVALID,
                         "no column to sort by is named");
    return order->count > 0;
}

/* By these columns, or by all if `by` is NULL. */
static bool order_of(struct graph *graph, const struct origin *origin, const beck_schema *schema,
                     const char *by, struct order *order)
{
    return by ? named_columns(graph, origin, schema, by, order)
              : first_columns(graph, origin, schema->count, false, order);
}

/* The same columns, the other way round; they are the graph's own. */
static void reverse(const struct order *order)
{
    uint32_t *columns = (uint32_t *)(uintptr_t)order->columns;

    for (uint32_t i = 0; i < order->count; i++)
        columns[i] ^= 1;
}

/* ---- operators ------------------------------------------------------------------------------- */

/* By the row that the callback emits: put before the element, and taken away again. */
static struct node *sort_by_call(struct graph *graph, struct node *parent,
                                 const struct origin *origin, const beck_sort_args *args,
                                 struct sorting *sorting)
{
    beck_key_by_args by = {
        .key = args->by, .fn = args->fn, .ctx = args->ctx, .ctx_size = args->ctx_size};
    struct node *keyed = beck__node_hide(beck__node_keyed(graph, parent, origin, &by));

    if (!keyed || !first_columns(graph, origin, keyed->keys, args->descending, &sorting->order))
        return NULL;
    struct node *node = beck__node_hide(beck__node_sorted(graph, keyed, origin, sorting));
    if (node)
        node = beck__node_project(graph, node, origin, keyed->keys, parent->schema->count);
    if (node)
        node->keys = parent->keys;
    return node;
}

struct node *beck__node_sort_by(struct graph *graph, struct node *parent,
                                const beck_sort_args *args)
{
    struct origin origin = {"sort_by", args->site, args->name};
    struct sorting sorting = {.limit = 0};

    if (!parent)
        return NULL;
    sorting.partitions = beck__node_partitions(graph, &origin, args->partitions);
    if (!sorting.partitions)
        return NULL;
    if (!args->by)
        return beck__node_error(graph, origin.name, origin.site, BECK_INVALID,
                                "nothing to sort by is given");
    if (args->fn)
        return sort_by_call(graph, parent, &origin, args, &sorting);
    if (!named_columns(graph, &origin, parent->schema, args->by, &sorting.order))
        return NULL;
    if (args->descending)
        reverse(&sorting.order);
    return beck__node_sorted(graph, parent, &origin, &sorting);
}

struct node *beck__node_sort_by_key(struct graph *graph, struct node *parent,
                                    const beck_sort_key_args *args)
{
    struct origin origin = {"sort_by_key", args->site, args->name};
    struct sorting sorting = {.limit = 0};

    if (!parent)
        return NULL;
    sorting.partitions = beck__node_partitions(graph, &origin, args->partitions);
    if (!sorting.partitions ||
        !first_columns(graph, &origin, parent->keys, args->descending, &sorting.order))
        return NULL;
    return beck__node_sorted(graph, parent, &origin, &sorting);
}

struct node *beck__node_ordered(struct graph *graph, struct node *parent, const char *name,
                                const beck_ordered_args *args, bool top)
{
    struct origin origin = {name, args->site, NULL};
    struct sorting sorting = {.partitions = 1, .limit = args->n ? args->n : 1};

    if (!parent || !order_of(graph, &origin, parent->schema, args->by, &sorting.order))
        return NULL;
    if (top)
        reverse(&sorting.order);
    return beck__node_sorted(graph, parent, &origin, &sorting);
}
