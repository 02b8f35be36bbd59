/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dstream - the algebra of time: a DStream is a node of the rdd room that gets one instance per
 * batch, with a slide and a parent. A plan as well: nothing here runs.
 */
#ifndef BECK_DSTREAM_H
#define BECK_DSTREAM_H

#include "rdd/rdd.h"
#include <beck/beck.h>

struct batch;

#define BECK__SPAN_MS_MAX INT64_C(3153600000000) /* of a window, or remembered: a century */

enum output_kind { OUTPUT_SINK, OUTPUT_FOREACH, OUTPUT_COLLECT };

/* An output operation, in order of registration. */
struct output {
    enum output_kind kind;
    struct output *next;
    const char *name; /* "print" */
    char what[160];   /* "print at wc.c:17" */
    uint32_t label;   /* bytes of its .name, which then stands there for "print" */
    struct node *node;
    uint32_t number;
    bool parallel;
    const char *pool;              /* NULL: the default one */
    int64_t slide_ms;              /* of its stream: when it runs */
    const struct program *program; /* SINK */
    const beck_sink_class *class_of;
    beck_each_rdd_fn *fn;                                              /* FOREACH */
    void *ctx;                                                         /* FOREACH, COLLECT */
    void (*collect)(const struct output *output, struct batch *batch); /* COLLECT: the driver's */
    void *state;                                                       /* the driver's */
};

/* All streams of one context. */
struct streams {
    struct graph *graph;
    bool frozen; /* since start: nothing can be added */
    struct output *first, *last;
    uint32_t output_count;
    uint32_t source_count;
    beck_dstream *newest;
    void *owner; /* the driver */
};

struct beck_dstream {
    struct streams *streams;
    struct node *node; /* NULL: poisoned */
    int64_t slide_ms;  /* it has an RDD at multiples of it */
    void *source;      /* the driver's, of an input stream */
    beck_dstream *older;
};

/* A stream of a node (NULL: poisoned), never NULL. */
beck_dstream *beck__dstream_new(struct streams *streams, struct node *node, int64_t slide_ms);
/* The graph to add to, or NULL: frozen (the error is set) or poisoned. */
struct graph *beck__dstream_graph(beck_dstream *s, const char *name, beck_site site);
/* The nodes of n streams that one operator takes, in the graph's arena: of one context, with one
 * slide. NULL: frozen, poisoned, or a stream does not fit (error set). */
struct node **beck__dstream_nodes(beck_dstream *const *list, size_t n, const char *name,
                                  beck_site site);
/* What an operator gives back after an error; `s` may be NULL. */
beck_dstream *beck__dstream_poisoned(beck_dstream *s);
/* Adds an output operation; NULL with the error set (frozen, poisoned). */
struct output *beck__output_new(beck_dstream *s, enum output_kind kind, const char *name,
                                beck_site site, const char *label);
/* False with BECK_STATE set: the graph is frozen. */
bool beck__streams_open(struct streams *streams, const char *name, beck_site site);
/* A node with what leads to it, a line each, indented. */
void beck__node_tree_print(const struct node *node, struct text *out);
/* The graph as text, each output with what leads to it. */
void beck__streams_print(const struct streams *streams, struct text *out);

#endif
