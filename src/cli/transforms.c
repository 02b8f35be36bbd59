/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transforms.c - transform and transform_with: their functions are plans of one operator over RDDs,
 * built once over empty RDDs, which tells their types, and again over the RDDs of every batch.
 */
/* tests: conform_test.c */
#include "cli/inside.h"

#include <stdlib.h>

static const struct {
    const char *name, *entry;
    bool self; /* its one input stands on both sides */
} functions[] = {
    {"rdd_map_to_string", "{\"op\": \"map\", \"fn\": \"to_string\"}", false},
    {"rdd_distinct", "{\"op\": \"distinct\"}", false},
    {"rdd_sort", "{\"op\": \"sort_by\", \"fn\": \"identity\", \"ascending\": true}", false},
    {"rdd_cartesian_self", "{\"op\": \"cartesian\"}", true},
    {"rdd_union", "{\"op\": \"union\"}", false},
    {"rdd_join", "{\"op\": \"join\"}", false},
    {"rdd_subtract", "{\"op\": \"subtract\"}", false},
    {"rdd_intersection", "{\"op\": \"intersection\"}", false},
};

enum { INPUTS_MAX = 4 };
static const char *const ids[INPUTS_MAX] = {"0", "1", "2", "3"};

/* What the callback is told; lives as long as the graph of the stream. */
struct transform {
    struct transform *older;
    struct graph *graph;
    struct graph *built; /* over the empty RDDs: it holds the types */
    struct json_object *entry;
    size_t count;
    const struct node *inputs[INPUTS_MAX];
};

/* A graph with the operator over these RDDs, as its last node. NULL with *failure set. */
static struct graph *apply(const struct transform *t, beck_rdd *const *in, struct failure *failure)
{
    struct graph *inner = calloc(1, sizeof *inner);

    if (!inner) {
        beck__cli_fail(failure, "out of memory");
        return NULL;
    }
    inner->ctx = t->graph->ctx;
    inner->kernels = t->graph->kernels;
    inner->persist = t->graph->persist;
    inner->failure = failure;
    inner->count = t->count;
    for (size_t i = 0; i < t->count; i++)
        inner->nodes[i] = (struct node){.id = ids[i], .type = t->inputs[i]->type, .rdd = in[i]};
    if (beck__cli_build(inner, t->entry))
        return inner;
    free(inner);
    return NULL;
}

static beck_rdd *run(beck_call *c, beck_rdd *const *in, size_t n)
{
    const struct transform *t = beck_ctx(c);
    struct failure failure = {0};
    struct graph *inner = apply(t, in, &failure);

    if (!inner) {
        beck_fail(c, "%s", failure.text);
        return NULL;
    }
    beck_rdd *out = inner->nodes[n].rdd;
    free(inner);
    return out;
}

static beck_rdd *run_one(beck_call *c, beck_rdd *in)
{
    return run(c, &in, 1);
}

/* The operator's entry, over "0", "1" ... */
static struct json_object *entry_of(size_t fn, size_t count)
{
    struct json_object *entry = json_tokener_parse(functions[fn].entry);
    struct json_object *of = json_object_new_array();

    for (size_t i = 0; i < count + functions[fn].self; i++)
        json_object_array_add(of, json_object_new_string(ids[i % count]));
    json_object_object_add(entry, "id", json_object_new_string("out"));
    json_object_object_add(entry, "of", of);
    return entry;
}

static bool find_inputs(struct graph *graph, const struct step *step, struct transform *t)
{
    struct json_object *of = beck__json_get(step->json, "of");
    bool list = json_object_is_type(of, json_type_array);

    t->count = list ? json_object_array_length(of) : 1;
    if (t->count > INPUTS_MAX)
        return beck__cli_fail(graph->failure, "op %s: more than %d inputs", step->op, INPUTS_MAX);
    for (size_t i = 0; i < t->count; i++) {
        const char *id = json_object_get_string(list ? json_object_array_get_idx(of, i) : of);
        t->inputs[i] = id ? beck__cli_node(graph, id) : NULL;
        if (!t->inputs[i] || !t->inputs[i]->stream)
            return beck__cli_fail(graph->failure, "op %s: there is no \"%s\"", step->op,
                                  id ? id : "null");
    }
    return true;
}

static bool build(struct graph *graph, struct step *step, size_t fn)
{
    struct transform *t = calloc(1, sizeof *t);
    beck_rdd *empty[INPUTS_MAX];
    beck_dstream *in[INPUTS_MAX];
    char schema[SCHEMA_BYTES];

    if (!t)
        return beck__cli_fail(graph->failure, "out of memory");
    t->older = graph->transforms;
    graph->transforms = t;
    t->graph = graph;
    if (!find_inputs(graph, step, t))
        return false;
    t->entry = entry_of(fn, t->count);
    struct json_object *none = json_object_new_array();
    for (size_t i = 0; i < t->count; i++) {
        in[i] = t->inputs[i]->stream;
        empty[i] = beck__cli_rdd(graph->ctx, none, t->inputs[i]->type, 1);
    }
    json_object_put(none);
    t->built = apply(t, empty, graph->failure);
    if (!t->built || !beck__cli_typed(graph, step, t->built->nodes[t->count].type, schema))
        return false;
    step->out->stream = t->count == 1 ? beck_transform(in[0], schema, run_one, .ctx = t)
                                      : beck_transform_all(in, t->count, schema, run, .ctx = t);
    return true;
}

bool beck__cli_transform(struct graph *graph, struct step *step, bool *known)
{
    *known = step->in->stream && strncmp(step->op, "transform", strlen("transform")) == 0;
    const char *fn = *known ? beck__cli_name(graph, step, "fn") : NULL;

    for (size_t i = 0; fn && i < sizeof functions / sizeof *functions; i++)
        if (strcmp(functions[i].name, fn) == 0)
            return build(graph, step, i);
    return fn && beck__cli_unknown(graph, fn);
}

void beck__cli_transforms_free(struct graph *graph)
{
    while (graph->transforms) {
        struct transform *t = graph->transforms;
        graph->transforms = t->older;
        json_object_put(t->entry);
        free(t->built);
        free(t);
    }
}
