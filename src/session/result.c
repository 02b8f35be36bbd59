/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions and their results. A result keeps blocks by partition and finds row i through the running
 * totals of the blocks.
 */
#include "formats/formats.h"
#include "session/session.h"

struct beck_result {
    struct beck_result *older, **link;
    struct blocks *lists; /* by partition, while the job runs */
    uint32_t list_count;
    struct blocks rows; /* all of them, in partition order */
    uint64_t *starts;   /* of each block */
    size_t start_capacity;
    struct error error;
};

static struct beck_result *result_new(struct session_life *life)
{
    const struct allocator *memory = &life->ctx->os->memory;
    struct beck_result *result = beck__alloc_zero(memory, sizeof *result);

    if (!result) {
        beck__error_memory(life->graph.error, "a result", sizeof *result);
        return NULL;
    }
    result->rows.memory = memory;
    result->older = life->results;
    result->link = &life->results;
    if (life->results)
        life->results->link = &result->older;
    life->results = result;
    return result;
}

static void lists_free(struct beck_result *result)
{
    for (uint32_t i = 0; i < result->list_count; i++)
        beck__blocks_deinit(&result->lists[i]);
    beck__free(result->rows.memory, result->lists, result->list_count * sizeof *result->lists);
    result->lists = NULL;
    result->list_count = 0;
}

void beck_result_free(beck_result *result)
{
    if (!result || !result->link) /* the one that stands for no memory */
        return;
    const struct allocator *memory = result->rows.memory;
    *result->link = result->older;
    if (result->older)
        result->older->link = result->link;
    lists_free(result);
    beck__blocks_deinit(&result->rows);
    beck__free(memory, result->starts, result->start_capacity * sizeof *result->starts);
    beck__free(memory, result, sizeof *result);
}

static void deliver(void *user, uint32_t partition, const struct blocks *rows)
{
    struct beck_result *result = user;

    if (!beck__blocks_append(&result->lists[partition], rows))
        beck__error_memory(&result->error, "the rows of a result", 0);
}

/* The lists in partition order become one. */
static void gather(struct beck_result *result)
{
    for (uint32_t p = 0; p < result->list_count && !result->error.status; p++)
        if (!beck__blocks_append(&result->rows, &result->lists[p]))
            beck__error_memory(&result->error, "the rows of a result", 0);
    lists_free(result);
    uint64_t row = 0;
    if (!beck__vector_reserve(result->rows.memory, (void **)&result->starts,
                              &result->start_capacity, result->rows.count + 1,
                              sizeof *result->starts)) {
        beck__error_memory(&result->error, "the rows of a result", 0);
        return;
    }
    for (size_t i = 0; i < result->rows.count; i++) {
        result->starts[i] = row;
        row += result->rows.items[i]->chunk->rows;
    }
}

beck_status beck__session_job(struct session_life *life, struct node *node,
                              const struct program *action,
                              void (*deliver_fn)(void *, uint32_t, const struct blocks *),
                              void *user, const char *what, struct error *error)
{
    struct dataset *dataset = NULL;
    beck_status status = beck__node_dataset(&life->stamp, node, &dataset, error);

    if (status || !dataset)
        return status;
    struct job job = {.scope = life->stamp.scope,
                      .dataset = dataset,
                      .action = action,
                      .what = what,
                      .deliver = deliver_fn,
                      .user = user};
    struct engine *engine = life->stamp.engine;
    return engine->job_run(engine, &job, error);
}

/* --describe shows the action instead of running it. */
static void describe(beck_rdd *r, const char *what)
{
    beck_context *ctx = r->life->ctx;
    struct described *d = beck__arena_alloc(&ctx->arena, sizeof *d);

    if (!d)
        return;
    d->what = beck__arena_text(&ctx->arena, what);
    d->node = r->node;
    d->older = ctx->actions;
    ctx->actions = d;
}

/* A graph without error. */
static bool healthy(const beck_rdd *r, const char *what, struct error *error)
{
    if (!r->life)
        return !beck__error_set(error, BECK_NO_MEMORY, "%s: out of memory", what);
    const struct error *held = r->life->graph.error;
    if (held->status)
        beck__error_set(error, held->status, "%s", held->text);
    else if (!r->node)
        beck__error_set(error, BECK_INVALID, "the RDD is poisoned by an earlier error");
    return !error->status;
}

/* The right thread, and the engine open. */
static bool usable(beck_rdd *r, const char *what, struct error *error)
{
    if (!healthy(r, what, error))
        return false;
    beck_context *ctx = r->life->ctx;
    if (beck__session_own_thread(ctx, what, error) && !ctx->engine && beck__session_engine(ctx))
        beck__error_set(error, ctx->error.status, "%s", ctx->error.text);
    return !error->status;
}

bool beck__session_ready(beck_rdd *r, const char *what, struct error *error)
{
    const beck_context *ctx = r->life ? r->life->ctx : NULL;

    if (!ctx || (!ctx->help && !ctx->describe))
        return usable(r, what, error);
    if (!healthy(r, what, error))
        return false;
    describe(r, what);
    beck__error_set(error, BECK_CANCELLED, "%s: only %s was asked for", what,
                    ctx->help ? "--help" : "--describe");
    return false;
}

void beck__session_stick(beck_rdd *r, const struct error *error)
{
    beck_context *ctx = r->life ? r->life->ctx : NULL;

    if (ctx && error->status && !beck__session_wrong_thread(ctx) && !ctx->help && !ctx->describe)
        beck__error_set(r->life->graph.error, error->status, "%s", error->text);
}

static bool lists_new(struct beck_result *result, uint32_t count)
{
    result->lists = beck__alloc_zero(result->rows.memory, (count + 1) * sizeof *result->lists);
    if (!result->lists) {
        beck__error_memory(&result->error, "a result", count * sizeof *result->lists);
        return false;
    }
    result->list_count = count + 1;
    for (uint32_t i = 0; i <= count; i++)
        result->lists[i].memory = result->rows.memory;
    return true;
}

/* Runs the partitions and the action of `like` over the node and appends to the result. */
static void run_some(struct beck_result *result, struct session_life *life, struct node *node,
                     const struct job *like)
{
    struct stamp *stamp = &life->stamp;
    struct job job = *like;

    if (beck__node_dataset(stamp, node, &job.dataset, &result->error) || !job.dataset)
        return;
    uint32_t partitions = stamp->engine->partitions(job.dataset);
    if (!result->lists && !lists_new(result, partitions))
        return;
    job.scope = stamp->scope;
    job.deliver = deliver;
    job.user = result;
    if (job.first < partitions)
        stamp->engine->job_run(stamp->engine, &job, &result->error);
}

static beck_result *poisoned_result(void)
{
    static beck_result none = {.error = {.status = BECK_NO_MEMORY, .text = "out of memory"}};

    return &none;
}

static beck_result *result_for(beck_rdd *r)
{
    return r->life ? result_new(r->life) : NULL;
}

static beck_result *collect_node(beck_rdd *r, const char *what)
{
    struct beck_result *result = result_for(r);

    if (!result)
        return poisoned_result();
    if (beck__session_ready(r, what, &result->error)) {
        run_some(result, r->life, r->node, &(const struct job){.what = what});
        gather(result);
    }
    beck__session_stick(r, &result->error);
    return result;
}

struct beck_result *beck__session_collect(struct session_life *life, struct session_life *owner,
                                          struct node *node, const char *what)
{
    struct beck_result *result = result_new(owner);

    if (result) {
        run_some(result, life, node, &(const struct job){.what = what});
        gather(result);
        if (result->error.status)
            beck__error_set(life->graph.error, result->error.status, "%s", result->error.text);
    }
    return result;
}

beck_result *beck_collect(beck_rdd *r)
{
    return collect_node(r, "collect");
}

static uint64_t rows_so_far(const struct beck_result *result)
{
    uint64_t rows = 0;

    for (uint32_t i = 0; i < result->list_count; i++)
        rows += result->lists[i].rows;
    return rows;
}

/* As Spark does: the first partition, then four times as many at each step, until there are enough.
 */
static void take_rows(struct beck_result *result, beck_rdd *r, uint64_t n, const char *what)
{
    const struct program *limit = beck__program_limit(&r->life->graph, r->node, n);
    struct stamp *stamp = &r->life->stamp;
    struct dataset *dataset = NULL;

    if (!limit)
        beck__error_memory(&result->error, what, 0);
    else
        beck__node_dataset(stamp, r->node, &dataset, &result->error);
    uint32_t partitions = dataset ? stamp->engine->partitions(dataset) : 0, first = 0, step = 1;
    while (n && !result->error.status && first < partitions && rows_so_far(result) < n) {
        run_some(result, r->life, r->node,
                 &(const struct job){.action = limit, .what = what, .first = first, .count = step});
        first += step;
        step *= 4;
    }
    uint64_t left = n; /* partitions behind the last one that is needed give nothing */
    for (uint32_t p = 0; p < result->list_count; p++)
        for (size_t i = 0; i < result->lists[p].count && !result->error.status; i++) {
            struct block *block = result->lists[p].items[i];
            uint32_t rows = block->chunk->rows < left ? block->chunk->rows : (uint32_t)left;
            left -= rows;
            if (rows == 0)
                continue;
            struct block *cut =
                beck__block_new(result->rows.memory, block->schema, block->chunk, 0, rows, NULL);
            if (!cut || !beck__blocks_add(&result->rows, cut))
                beck__error_memory(&result->error, what, 0);
        }
    lists_free(result);
    gather(result);
}

beck_result *beck_take(beck_rdd *r, uint64_t n)
{
    struct beck_result *result = result_for(r);

    if (!result)
        return poisoned_result();
    if (beck__session_ready(r, "take", &result->error))
        take_rows(result, r, n, "take");
    beck__session_stick(r, &result->error);
    return result;
}

beck_result *beck_first(beck_rdd *r)
{
    struct beck_result *result = result_for(r);

    if (!result)
        return poisoned_result();
    if (beck__session_ready(r, "first", &result->error))
        take_rows(result, r, 1, "first");
    beck__session_stick(r, &result->error);
    if (!result->error.status && result->rows.rows == 0)
        beck__error_set(&result->error, BECK_NOT_FOUND, "first: the RDD has no rows");
    return result;
}

beck_result *beck__session_result(beck_rdd *r, struct node *node, const char *what,
                                  const beck_site *some)
{
    beck_result *result = collect_node(r->life ? beck__session_rdd(r->life, node) : r, what);

    if (some && !result->error.status && result->rows.rows == 0) {
        const char *file = some->file ? some->file : "?", *slash = strrchr(file, '/');
        beck__error_set(&result->error, BECK_NOT_FOUND,
                        "%s at %s:%d: the RDD has no rows, so there is none to give; ask "
                        "beck_is_empty before, or use beck_fold, which begins with a zero",
                        what, slash ? slash + 1 : file, some->line);
    }
    return result;
}

beck_result *beck__session_rows(beck_rdd *r, const struct builder *rows)
{
    struct beck_result *result = result_for(r);

    if (!result)
        return poisoned_result();
    struct block *block =
        beck__block_new(result->rows.memory, rows->schema, rows->chunk, 0, rows->chunk->rows, NULL);
    if (!block || !beck__blocks_add(&result->rows, block))
        beck__error_memory(&result->error, "a result", 0);
    gather(result);
    beck__session_stick(r, &result->error);
    return result;
}

static void add_count(void *user, uint32_t partition, const struct blocks *rows)
{
    int64_t *total = user;

    (void)partition;
    for (size_t i = 0; i < rows->count; i++)
        *total += *(const int64_t *)rows->items[i]->chunk->column[0].data;
}

int64_t beck_rdd_count(beck_rdd *r, const beck_none_args *args)
{
    struct error error = {0};
    int64_t total = 0;

    (void)args;
    if (!beck__session_ready(r, "count", &error))
        return -1;
    const struct program *count = beck__program_count(&r->life->graph, r->node);
    if (!count)
        return -1;
    beck__session_job(r->life, r->node, count, add_count, &total, "count", &error);
    beck__session_stick(r, &error);
    return error.status ? -1 : total;
}

int beck_rdd_partitions(beck_rdd *r)
{
    struct dataset *dataset = NULL;
    struct error error = {0};

    if (!usable(r, "partitions", &error))
        return -1;
    beck__node_dataset(&r->life->stamp, r->node, &dataset, &error);
    beck__session_stick(r, &error);
    return dataset ? (int)r->life->stamp.engine->partitions(dataset) : error.status ? -1 : 0;
}

static beck_status run_for_effect(beck_rdd *r, const struct program *program, const char *what)
{
    struct error error = {0};

    if (!program)
        return r->life->graph.error->status;
    beck__session_job(r->life, r->node, program, NULL, NULL, what, &error);
    beck__session_stick(r, &error);
    return error.status;
}

beck_status beck__foreach(beck_rdd *r, const beck_foreach_args *args)
{
    struct error error = {0};

    if (!beck__session_ready(r, "foreach", &error))
        return error.status;
    return run_for_effect(r, beck__program_foreach(&r->life->graph, r->node, args), "foreach");
}

beck_status beck__foreach_partition(beck_rdd *r, const beck_foreach_partition_args *args)
{
    struct error error = {0};

    if (!beck__session_ready(r, "foreach_partition", &error))
        return error.status;
    return run_for_effect(r, beck__program_foreach_partition(&r->life->graph, r->node, args),
                          "foreach_partition");
}

/* ---- reading a result ------------------------------------------------------------------------ */

beck_status beck_result_status(const beck_result *result)
{
    return result->error.status;
}

const char *beck_result_error_text(const beck_result *result)
{
    return result->error.text;
}

uint64_t beck_result_rows(const beck_result *result)
{
    return result->error.status ? 0 : result->rows.rows;
}

beck_row beck_result_row(const beck_result *result, uint64_t i)
{
    size_t low = 0, high = result->rows.count;

    if (i >= beck_result_rows(result))
        return (beck_row){NULL, 0, 0};
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (result->starts[middle] <= i)
            low = middle;
        else
            high = middle;
    }
    return (beck_row){result->rows.items[low]->chunk, (uint32_t)(i - result->starts[low]), 0};
}

size_t beck_row_text(beck_row row, char *text, size_t size)
{
    struct text out = {.memory = &beck__os_current()->memory};

    if (row.chunk)
        beck__row_print(row.chunk, row.first, row.index, &out);
    size_t length = out.size, copied = size ? (length < size ? length : size - 1) : 0;
    if (copied)
        memcpy(text, out.data, copied);
    if (size)
        text[copied] = 0;
    beck__text_deinit(&out);
    return length;
}
