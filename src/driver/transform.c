/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transform: in every batch a callback in the driver makes one RDD of those of its streams. It is a
 * MADE node, so it runs once in a batch; the RDDs live as long as the batch.
 */
#include "driver/driver.h"

struct transform {
    struct driver *driver;
    struct driver_call call; /* without RDDs */
    bool inside;             /* the callback */
    struct program same;     /* gives the rows the declared schema, which outlives the batch */
};

static beck_status type_error(struct session_life *life, const struct node *node,
                              const beck_schema *got)
{
    struct text schemas[2] = {{.memory = life->graph.arena->memory},
                              {.memory = life->graph.arena->memory}};

    beck__schema_print(got, &schemas[0]);
    beck__schema_print(node->schema, &schemas[1]);
    beck__node_error(&life->graph, node->name, node->site, BECK_TYPE,
                     "the callback returned rows of (%s), but its schema says (%s)",
                     beck__text_get(&schemas[0]), beck__text_get(&schemas[1]));
    beck__text_deinit(&schemas[0]);
    beck__text_deinit(&schemas[1]);
    return BECK_TYPE;
}

/* What the callback returned is an RDD of this batch or of the context, and of these types. */
static beck_status check(struct session_life *life, const struct node *node, const beck_rdd *out)
{
    const char *fault = NULL;

    if (life->graph.error->status) /* of an operator or an action in it */
        return life->graph.error->status;
    if (!out)
        fault = "the callback returned NULL; return the RDD that it got, or what is made of it";
    else if (!out->life)
        fault = "the callback returned an RDD that could not be made";
    else if (out->life != life && !beck__session_lasts(out, life->ctx))
        fault = "the callback returned an RDD of another context or of an earlier batch";
    else if (!out->node)
        fault = "the callback returned an RDD that could not be made";
    else if (!beck__schema_equal(out->node->schema, node->schema, false))
        return type_error(life, node, out->node->schema);
    if (fault)
        beck__node_error(&life->graph, node->name, node->site, BECK_INVALID, "%s", fault);
    return life->graph.error->status;
}

static beck_status make(struct node *node, struct stamp *stamp, struct dataset *const *parents,
                        struct dataset **dataset, struct error *error)
{
    struct transform *t = node->user;
    struct session_life *life = stamp->life;
    struct driver_call call = t->call;
    struct dataset *made = NULL;
    struct error reason = {0};
    beck_rdd **in = beck__arena_alloc(stamp->arena, node->parent_count * sizeof(beck_rdd *));

    (void)parents; /* the RDDs find them in the stamp */
    if (!in)
        return beck__error_memory(error, node->name, 0);
    if (t->inside) { /* by way of beck_slice */
        beck__node_error(&life->graph, node->name, node->site, BECK_INVALID,
                         "the callback asks for the RDD that it is to make");
        return beck__error_set(error, BECK_INVALID, "%s", life->graph.error->text);
    }
    for (uint32_t i = 0; i < node->parent_count; i++)
        in[i] = beck__session_rdd(life, node->parents[i]);
    call.in = in;
    call.count = node->parent_count;
    call.batch_ms = stamp->batch_ms;
    t->inside = true;
    beck_rdd *out = beck__driver_callback(t->driver, life, &call, &reason);
    t->inside = false;
    if (reason.status)
        beck__node_error(&life->graph, node->name, node->site, reason.status, "%s", reason.text);
    beck_status status = check(life, node, out);
    if (status)
        return beck__error_set(error, status, "%s", life->graph.error->text);
    status = beck__node_dataset(stamp, out->node, &made, error);
    if (status || !made)
        return status;
    *dataset = stamp->engine->narrow(stamp->scope, made, &t->same);
    return *dataset ? BECK_OK : beck__error_memory(error, node->name, 0);
}

/* A stream whose batches the callback makes of those of n streams. */
static beck_dstream *transform(beck_dstream *const *streams, size_t n,
                               const beck_transform_with_args *args, const char *name,
                               beck_transform_fn *one)
{
    struct node **nodes = beck__dstream_nodes(streams, n, name, args->site);
    beck_dstream *first = n && streams ? streams[0] : NULL;

    if (!nodes)
        return beck__dstream_poisoned(first);
    struct graph *graph = first->streams->graph;
    struct transform *t = beck__arena_alloc(graph->arena, sizeof *t);
    const char *label = beck__arena_text(graph->arena, args->name);
    struct node *node = NULL;
    if (!t || (args->name && !label))
        beck__error_memory(graph->error, name, sizeof *t);
    else if (!one && !args->fn)
        beck__node_error(graph, name, args->site, BECK_INVALID, "the callback is NULL");
    else
        node = beck__node_made(graph, name, args->site, args->schema, nodes, (uint32_t)n);
    if (!node)
        return beck__dstream_poisoned(first);
    t->driver = first->streams->owner;
    t->call = (struct driver_call){.transform = one, .with = args->fn, .ctx = args->ctx};
    t->same = (struct program){.in = node->schema, .out = node->schema};
    node->label = label;
    node->needs_rdd = true;
    node->make = make;
    node->user = t;
    return beck__dstream_new(first->streams, node, first->slide_ms);
}

beck_dstream *beck__transform(beck_dstream *s, const beck_transform_args *args)
{
    const beck_transform_with_args like = {
        .schema = args->schema, .site = args->site, .ctx = args->ctx, .name = args->name};

    return transform(&s, 1, &like, "transform", args->fn);
}

beck_dstream *beck__transform_with(beck_dstream *a, beck_dstream *b,
                                   const beck_transform_with_args *args)
{
    return transform((beck_dstream *const[]){a, b}, 2, args, "transform_with", NULL);
}

beck_dstream *beck__transform_all(beck_dstream *const *streams, size_t n,
                                  const beck_transform_with_args *args)
{
    return transform(streams, n, args, "transform_all", NULL);
}
