/* SPDX-License-Identifier: Apache-2.0 */
/*
 * beck_persist of an RDD: its node gets one on top whose rows stay. It belongs to the thread that
 * runs jobs.
 */
#include "session/session.h"

void beck__session_copies(beck_context *ctx, beck_storage_level level)
{
    if (ctx->told_copies || !beck__level_twice(level))
        return;
    ctx->told_copies = true;
    beck__log(&ctx->log, BECK_LOG_WARNING, "%s: there is one executor, so one copy is kept",
              beck__level_name(level));
}

beck_rdd *beck_rdd_persist(beck_rdd *r, const beck_persist_args *args)
{
    struct error error = {0};

    if (!r->node || !beck__session_own_thread(r->life->ctx, "persist", &error))
        return r;
    beck_context *ctx = r->life->ctx;
    struct session_life *life = beck__session_life(ctx);
    if (r->life == &ctx->life && life != r->life) {
        beck__node_error(&life->graph, "persist", args->site, BECK_STATE,
                         "an RDD of the context is persisted before beck_start");
        return beck__session_rdd(life, NULL);
    }
    struct node *node = beck__node_persist(r->graph, ctx->engine, r->node, args);
    if (!node)
        return beck__session_rdd(r->life, NULL);
    beck__session_copies(ctx, node->holding->level);
    r->node = node;
    return r;
}

beck_rdd *beck_unpersist(beck_rdd *r)
{
    struct error error = {0};

    if (r->node && beck__session_own_thread(r->life->ctx, "unpersist", &error))
        beck__node_unpersist(r->life->ctx->engine, r->node);
    return r;
}
