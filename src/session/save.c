/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sinks, the driver's side: open once, run the tasks that write, commit their messages. Saving an
 * RDD is one such run; a stream's output keeps its sink open and runs it once per batch.
 */
#include "connectors/connectors.h"
#include "session/session.h"

/* What connector.h calls a sink. */
struct beck_sink {
    struct output_sink *owner;
};

const void *beck_sink_params(const beck_sink *s, size_t *size)
{
    if (size)
        *size = s->owner->params.size;
    return s->owner->params.data;
}

beck_status beck_sink_error(beck_sink *s, beck_status status, const char *format, ...)
{
    va_list list;

    if (!status)
        status = BECK_INVALID; /* an error is one */
    va_start(list, format);
    beck__error_set_list(&s->owner->reason, status, format, list);
    va_end(list);
    return status;
}

/* The sink's own reason, or what the status means. */
static beck_status sink_failed(struct output_sink *sink, beck_status status, const char *what,
                               struct error *error)
{
    const char *text = sink->reason.status ? sink->reason.text : beck_status_text(status);

    beck__error_set(error, status, "%s: %s", what, text);
    beck__error_clear(&sink->reason);
    return status;
}

beck_status beck__sink_open_once(struct output_sink *sink, struct arena *arena, const char *what,
                                 struct error *error)
{
    struct beck_sink s = {sink};
    int64_t last_batch = -1;

    if (sink->opened)
        return BECK_OK;
    if (!sink->state)
        sink->state = beck__arena_alloc(arena, sink->class_of->state_size + 1);
    if (!sink->state)
        return beck__error_memory(error, sink->class_of->name, sink->class_of->state_size);
    beck_status status =
        sink->class_of->open ? sink->class_of->open(&s, sink->state, &last_batch) : BECK_OK;
    if (status)
        return sink_failed(sink, status, what, error);
    sink->opened = true;
    return BECK_OK;
}

void beck__sink_close(struct output_sink *sink)
{
    struct beck_sink s = {sink};

    if (sink->opened && sink->class_of->close)
        sink->class_of->close(&s, sink->state);
    sink->opened = false;
}

static void take_message(void *user, uint32_t partition, const struct blocks *rows)
{
    struct sink_messages *m = user;

    if (rows->rows == 0 || partition >= m->count)
        return;
    beck_str s = beck_view_string(rows->items[0]->chunk->column[0].data);
    m->items[partition] = beck_bytes_of(beck__arena_copy(m->arena, s.data, s.size), s.size);
    m->failed |= !m->items[partition].data;
}

static void abort_sink(struct output_sink *sink, int64_t batch_ms)
{
    struct beck_sink s = {sink};

    if (sink->class_of->abort)
        sink->class_of->abort(&s, sink->state, batch_ms);
}

beck_status beck__sink_write(struct output_sink *sink, struct session_life *life, struct node *node,
                             const struct program *program, struct sink_messages *messages,
                             struct error *error)
{
    struct dataset *dataset = NULL;
    struct stamp *stamp = &life->stamp;
    const char *what = messages->what;
    beck_status status = beck__node_dataset(stamp, node, &dataset, error);

    if (status || !dataset)
        return status;
    messages->arena = stamp->arena;
    messages->count = stamp->engine->partitions(dataset);
    messages->items =
        beck__arena_alloc(stamp->arena, (messages->count + 1) * sizeof *messages->items);
    if (!messages->items)
        return beck__error_memory(error, what, messages->count * sizeof *messages->items);
    for (size_t i = 0; i < messages->count; i++)
        messages->items[i] = beck_string("");
    struct job job = {.scope = stamp->scope,
                      .dataset = dataset,
                      .action = program,
                      .what = what,
                      .pool = sink->pool,
                      .deliver = take_message,
                      .user = messages};
    status = stamp->engine->job_run(stamp->engine, &job, error);
    if (!status && messages->failed)
        status = beck__error_memory(error, what, 0);
    if (status)
        abort_sink(sink, stamp->batch_ms);
    return status;
}

beck_status beck__sink_commit(struct output_sink *sink, const struct sink_messages *m,
                              int64_t batch_ms, struct error *error)
{
    struct beck_sink s = {sink};

    if (!m->items)
        return BECK_OK;
    beck_status status = sink->class_of->commit(&s, sink->state, batch_ms, m->items, m->count);
    if (!status)
        return BECK_OK;
    sink_failed(sink, status, m->what, error);
    abort_sink(sink, batch_ms);
    return status;
}

/* ---- saving an RDD --------------------------------------------------------------------------- */

static beck_status save(beck_rdd *r, const beck_save_args *args, uint64_t rows, const char *what)
{
    struct error error = {0};

    if (!beck__session_ready(r, what, &error))
        return error.status;
    struct graph *graph = &r->life->graph;
    const struct program *program = beck__program_sink(graph, r->node, args, rows);
    if (!program)
        return graph->error->status;
    const struct op *op = &program->ops[program->count - 1];
    struct output_sink sink = {.class_of = args->class_of, .params = op->bytes};
    struct text name = {.memory = graph->arena->memory}; /* with the call site */
    beck__op_name(op, &name);
    what = name.failed ? what : beck__text_get(&name);
    if (!beck__sink_open_once(&sink, graph->arena, what, &error)) {
        struct sink_messages messages = {.what = what};
        if (!beck__sink_write(&sink, r->life, r->node, program, &messages, &error))
            beck__sink_commit(&sink, &messages, r->life->stamp.batch_ms, &error);
        beck__sink_close(&sink);
    }
    beck__text_deinit(&name);
    beck__session_stick(r, &error);
    return error.status;
}

beck_status beck_rdd_save(beck_rdd *r, const beck_save_args *args)
{
    if (!args->class_of) {
        if (r->life)
            beck__node_error(&r->life->graph, "save", args->site, BECK_INVALID,
                             "the class of the sink is NULL");
        return r->life ? BECK_INVALID : BECK_NO_MEMORY;
    }
    return save(r, args, 0, args->class_of->name);
}

beck_status beck_rdd_print(beck_rdd *r, const beck_print_args *args)
{
    uint32_t rows = args->rows > 0 ? (uint32_t)args->rows : 10;
    struct beck__print_params params = {.rows = rows};
    beck_save_args to = {.class_of = beck__print_sink,
                         .site = args->site,
                         .params = &params,
                         .params_size = sizeof params};

    return save(r, &to, (uint64_t)rows + 1, "print");
}

beck_status beck__save_as_text_file(beck_rdd *r, const beck_save_text_file_args *args)
{
    struct beck__text_sink_params params = {.empty = true};
    const char *path = args->path ? args->path : "";

    if (r->life && (!*path || strlen(path) >= sizeof params.path)) {
        beck__node_error(&r->life->graph, "save_as_text_file", args->site, BECK_INVALID,
                         "the path is empty or longer than %zu bytes", sizeof params.path - 1);
        return BECK_INVALID;
    }
    memcpy(params.path, path, strlen(path));
    beck_save_args to = {.class_of = beck__text_sink,
                         .site = args->site,
                         .params = &params,
                         .params_size = sizeof params,
                         .empty = true};
    return save(r, &to, 0, "save_as_text_file");
}
