/* SPDX-License-Identifier: Apache-2.0 */
/*
 * beck_keep: the rows of a batch's RDD in a life of their own, which ends with the context or with
 * beck_rdd_free. All of it belongs to the thread that runs jobs.
 */
#include "session/session.h"

struct keeping {
    struct blocks *lists; /* by partition */
    struct error *error;
};

static void keep_rows(void *user, uint32_t partition, const struct blocks *rows)
{
    struct keeping *keeping = user;

    if (!beck__blocks_append(&keeping->lists[partition], rows))
        beck__error_memory(keeping->error, "keep", 0);
}

/* The same schema in the arena of what is kept. NULL with the error set. */
static const beck_schema *keep_schema(struct arena *arena, const beck_schema *schema,
                                      struct error *error)
{
    struct text text = {.memory = arena->memory};
    const beck_schema *copy = NULL;

    beck__schema_print(schema, &text);
    if (text.failed)
        beck__error_memory(error, "keep", text.size);
    else
        beck__schema_parse(arena, beck__text_get(&text), &copy, error);
    beck__text_deinit(&text);
    return copy;
}

/* A node of `kept` over the rows of `r`. NULL with the error set. */
static struct node *keep_node(struct kept_rdd *kept, beck_rdd *r, beck_site site,
                              struct error *error)
{
    const struct allocator *memory = kept->arena.memory;
    struct engine *engine = r->life->stamp.engine;
    const beck_schema *schema = keep_schema(&kept->arena, r->node->schema, error);
    struct program same = {.in = schema, .out = schema};
    struct dataset *dataset = NULL;
    struct node *node = NULL;

    if (!schema || beck__node_dataset(&r->life->stamp, r->node, &dataset, error) || !dataset)
        return NULL;
    uint32_t count = engine->partitions(dataset);
    struct keeping keeping = {beck__alloc_zero(memory, (count + 1) * sizeof(struct blocks)), error};
    struct job job = {.scope = r->life->stamp.scope,
                      .dataset = dataset,
                      .action = &same,
                      .what = "keep",
                      .deliver = keep_rows,
                      .user = &keeping};
    if (!keeping.lists)
        beck__error_memory(error, "keep", count * sizeof(struct blocks));
    for (uint32_t p = 0; keeping.lists && p < count; p++)
        keeping.lists[p].memory = memory;
    if (keeping.lists && !engine->job_run(engine, &job, error) && !error->status)
        node = beck__session_values(&kept->life, "keep", site, schema, keeping.lists, count);
    for (uint32_t p = 0; keeping.lists && p < count; p++)
        beck__blocks_deinit(&keeping.lists[p]);
    beck__free(memory, keeping.lists, (count + 1) * sizeof(struct blocks));
    if (node)
        node->keys = r->node->keys;
    return node;
}

static struct kept_rdd *kept_new(beck_context *ctx, struct error *error)
{
    const struct allocator *memory = &ctx->os->memory;
    struct kept_rdd *kept = beck__alloc_zero(memory, sizeof *kept);

    if (!kept) {
        beck__error_memory(error, "keep", sizeof *kept);
        return NULL;
    }
    beck__arena_init(&kept->arena, memory);
    kept->older = ctx->kept;
    ctx->kept = kept;
    return beck__session_life_init(&kept->life, ctx, &kept->arena, 0, error) ? NULL : kept;
}

beck_rdd *beck__keep(beck_rdd *r, const beck_none_args *args)
{
    struct error error = {0};

    if (!r->node || beck__session_lasts(r, r->life->ctx))
        return r;
    beck_context *ctx = r->life->ctx;
    beck_rdd *result = NULL;
    struct kept_rdd *kept = beck__session_ready(r, "keep", &error) ? kept_new(ctx, &error) : NULL;
    struct node *node = kept ? keep_node(kept, r, args->site, &error) : NULL;
    if (node)
        result = beck__session_rdd(&kept->life, node);
    if (kept)
        kept->life.graph.error = &ctx->error; /* of what is made of it later */
    beck__session_stick(r, &error);
    return result ? result : beck__session_rdd(r->life, NULL);
}

/* ---- release --------------------------------------------------------------------------------- */

void beck__session_kept_free(beck_context *ctx, bool all)
{
    struct kept_rdd **at = &ctx->kept;

    while (*at) {
        struct kept_rdd *kept = *at;
        if (!all && !kept->dropped) {
            at = &kept->older;
            continue;
        }
        *at = kept->older;
        beck__session_life_end(&kept->life);
        beck__arena_deinit(&kept->arena);
        beck__free(&ctx->os->memory, kept, sizeof *kept);
    }
}

void beck_rdd_free(beck_rdd *r)
{
    beck_context *ctx = r && r->life ? r->life->ctx : NULL;

    if (!ctx || !beck__session_own_thread(ctx, "rdd_free", NULL))
        return;
    for (struct kept_rdd *kept = ctx->kept; kept; kept = kept->older)
        kept->dropped |= &kept->life == r->life;
    if (beck_context_state(ctx) != BECK_ACTIVE) /* else a batch may stand on it till its end */
        beck__session_kept_free(ctx, false);
}
