/* SPDX-License-Identifier: Apache-2.0 */
/*
 * save_as_text_file(s): two-phase. Tasks write and sync DIR.writing/part-NNNNN.attempt-N; the
 * driver renames the good ones, adds _SUCCESS and renames DIR.writing to DIR, so that a directory
 * appears whole. Every step may be done again. A writer makes no file before its first row.
 */
#include "connectors/connectors.h"

#include "formats/formats.h"
#include "os/os.h"

#include <stdlib.h>

#define FLUSH_BYTES ((size_t)64 << 10)

/* Message of a writer that has rows. */
struct written {
    uint32_t partition, attempt;
    uint64_t rows;
};

struct text_writer {
    struct os *os;
    struct arena arena;
    const char *path; /* of the attempt's file */
    const char *dir;  /* DIR.writing */
    struct os_file *file;
    struct text lines;
    struct written written;
};

static const char *final_dir(struct arena *arena, const struct beck__text_sink_params *params,
                             int64_t batch_ms)
{
    if (!params->batches)
        return params->path;
    return beck__arena_printf(arena, "%s-%lld%s%s", params->path, (long long)batch_ms,
                              params->suffix[0] ? "." : "", params->suffix);
}

/* Makes a directory and those above it; that it exists is fine. */
static beck_status make_dirs(struct os *os, struct arena *arena, const char *path,
                             struct error *error)
{
    char *copy = beck__arena_text(arena, path);

    if (!copy)
        return beck__error_memory(error, "a path", 0);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        struct os_stat stat = {.kind = OS_ABSENT};
        *slash = 0;
        beck_status status = os->stat(os, copy, &stat, error);
        if (!status && stat.kind == OS_ABSENT)
            status = os->mkdir(os, copy, error);
        if (status && status != BECK_EXISTS)
            return status;
        beck__error_clear(error);
        *slash = '/';
    }
    beck_status status = os->mkdir(os, copy, error);
    if (status != BECK_EXISTS)
        return status;
    beck__error_clear(error);
    return BECK_OK;
}

/* ---- in tasks -------------------------------------------------------------------------------- */

static beck_status text_begin(beck_writer *w, void *writer, beck_write_id id)
{
    const struct beck__text_sink_params *params = beck_writer_params(w, NULL);
    struct text_writer *t = writer;

    t->os = beck__os_current();
    beck__arena_init(&t->arena, &t->os->memory);
    t->lines.memory = &t->os->memory;
    t->written.partition = id.partition;
    t->written.attempt = id.attempt;
    const char *dir = final_dir(&t->arena, params, id.batch_ms);
    t->dir = dir ? beck__arena_printf(&t->arena, "%s.writing", dir) : NULL;
    if (t->dir)
        t->path = beck__arena_printf(&t->arena, "%s/part-%05u.attempt-%u", t->dir, id.partition,
                                     id.attempt);
    return t->path ? BECK_OK : BECK_NO_MEMORY;
}

static beck_status flush(beck_writer *w, struct text_writer *t)
{
    struct error error = {0};
    beck_status status = BECK_OK;

    if (t->lines.failed)
        return BECK_NO_MEMORY;
    if (!t->file)
        status = make_dirs(t->os, &t->arena, t->dir, &error);
    if (!t->file && !status)
        status = t->os->open(t->os, t->path, OS_CREATE, &t->file, &error);
    if (!status)
        status = t->os->write(t->os, t->file, t->lines.data, t->lines.size, &error);
    beck__text_clear(&t->lines);
    return status ? beck_writer_error(w, status, "%s", error.text) : BECK_OK;
}

static beck_status text_write(beck_writer *w, void *writer, const beck_chunk *chunk)
{
    struct text_writer *t = writer;

    for (uint32_t i = 0; i < chunk->rows; i++) {
        beck__row_print(chunk, 0, i, &t->lines);
        beck__text_add(&t->lines, "\n");
        if (t->lines.size >= FLUSH_BYTES) {
            beck_status status = flush(w, t);
            if (status)
                return status;
        }
    }
    t->written.rows += chunk->rows;
    return t->lines.failed ? BECK_NO_MEMORY : BECK_OK;
}

static beck_status text_prepare(beck_writer *w, void *writer, beck_str *message)
{
    struct text_writer *t = writer;
    struct error error = {0};

    if (t->written.rows == 0)
        return BECK_OK;
    beck_status status = t->lines.size ? flush(w, t) : BECK_OK;
    if (status)
        return status;
    status = t->os->sync(t->os, t->file, &error);
    beck_status closed = t->os->close(t->os, t->file, status ? NULL : &error);
    t->file = NULL;
    if (status || closed)
        return beck_writer_error(w, status ? status : closed, "%s", error.text);
    *message = beck_bytes_of(&t->written, sizeof t->written);
    return BECK_OK;
}

static void text_end(beck_writer *w, void *writer, bool keep)
{
    struct text_writer *t = writer;

    (void)w;
    if (!t->os)
        return;
    if (t->file)
        t->os->close(t->os, t->file, NULL);
    if (!keep && t->path && t->written.rows)
        t->os->remove(t->os, t->path, NULL);
    beck__text_deinit(&t->lines);
    beck__arena_deinit(&t->arena);
}

/* ---- in the driver --------------------------------------------------------------------------- */

struct text_commit {
    struct os *os;
    struct arena arena;
    const struct beck__text_sink_params *params;
    const char *dir, *writing;
    struct error error;
};

static beck_status commit_init(struct text_commit *c, beck_sink *s, int64_t batch_ms)
{
    memset(c, 0, offsetof(struct text_commit, error));
    beck__error_clear(&c->error);
    c->os = beck__os_current();
    beck__arena_init(&c->arena, &c->os->memory);
    c->params = beck_sink_params(s, NULL);
    c->dir = final_dir(&c->arena, c->params, batch_ms);
    c->writing = c->dir ? beck__arena_printf(&c->arena, "%s.writing", c->dir) : NULL;
    return c->writing ? BECK_OK : BECK_NO_MEMORY;
}

static enum os_kind kind_of(struct text_commit *c, const char *path)
{
    struct os_stat stat = {.kind = OS_ABSENT};

    c->os->stat(c->os, path, &stat, NULL);
    return stat.kind;
}

/* A directory of files, and then itself. */
static beck_status remove_dir(struct text_commit *c, const char *path)
{
    char **names;
    size_t count;
    beck_status status = c->os->list(c->os, path, &c->arena, &names, &count, &c->error);

    for (size_t i = 0; !status && i < count; i++) {
        const char *file = beck__arena_printf(&c->arena, "%s/%s", path, names[i]);
        status = file ? c->os->remove(c->os, file, &c->error) : BECK_NO_MEMORY;
    }
    return status ? status : c->os->remove(c->os, path, &c->error);
}

static beck_status empty_file(struct text_commit *c, const char *path)
{
    struct os_file *file;
    beck_status status = c->os->open(c->os, path, OS_CREATE, &file, &c->error);

    return status ? status : c->os->close(c->os, file, &c->error);
}

/* part-NNNNN of one partition, from its attempt's file or empty. */
static beck_status place_part(struct text_commit *c, size_t partition, beck_str message)
{
    const char *part = beck__arena_printf(&c->arena, "%s/part-%05zu", c->writing, partition);
    struct written written = {0};

    if (!part)
        return BECK_NO_MEMORY;
    if (message.size != sizeof written)
        return empty_file(c, part);
    memcpy(&written, message.data, sizeof written);
    const char *attempt = beck__arena_printf(&c->arena, "%s.attempt-%u", part, written.attempt);
    if (!attempt)
        return BECK_NO_MEMORY;
    if (kind_of(c, attempt) == OS_ABSENT && kind_of(c, part) == OS_FILE)
        return BECK_OK; /* renamed before */
    return c->os->rename(c->os, attempt, part, &c->error);
}

/* Removes what an earlier run that ended in the middle has left: attempts, and parts from `count`
 * on. */
static beck_status remove_others(struct text_commit *c, size_t count)
{
    char **names;
    size_t name_count;
    beck_status status = c->os->list(c->os, c->writing, &c->arena, &names, &name_count, &c->error);

    for (size_t i = 0; !status && i < name_count; i++) {
        char *end = names[i];
        bool part = strncmp(names[i], "part-", 5) == 0;
        if (part && strtoull(names[i] + 5, &end, 10) < count && !*end)
            continue;
        const char *file = beck__arena_printf(&c->arena, "%s/%s", c->writing, names[i]);
        status = file ? c->os->remove(c->os, file, &c->error) : BECK_NO_MEMORY;
    }
    return status;
}

/* The directory that holds `path`, to make a rename in it durable. */
static beck_status sync_parent(struct text_commit *c, const char *path)
{
    char *parent = beck__arena_text(&c->arena, path);
    char *slash = parent ? strrchr(parent, '/') : NULL;

    if (!parent)
        return BECK_NO_MEMORY;
    if (slash)
        slash[slash == parent] = 0;
    return c->os->sync_dir(c->os, slash ? parent : ".", &c->error);
}

static beck_status place_all(struct text_commit *c, const beck_str *messages, size_t count)
{
    beck_status status = make_dirs(c->os, &c->arena, c->writing, &c->error);

    for (size_t i = 0; !status && i < count; i++)
        status = place_part(c, i, messages[i]);
    if (!status)
        status = remove_others(c, count);
    const char *success = beck__arena_printf(&c->arena, "%s/_SUCCESS", c->writing);
    if (!status)
        status = success ? empty_file(c, success) : BECK_NO_MEMORY;
    if (!status)
        status = c->os->sync_dir(c->os, c->writing, &c->error);
    if (!status && c->params->batches && kind_of(c, c->dir) == OS_DIRECTORY)
        status = remove_dir(c, c->dir); /* of an earlier run of this batch */
    if (!status)
        status = c->os->rename(c->os, c->writing, c->dir, &c->error);
    return status ? status : sync_parent(c, c->dir);
}

static beck_status text_commit(beck_sink *s, void *state, int64_t batch_ms,
                               const beck_str *messages, size_t count)
{
    const struct beck__text_sink_params *params = beck_sink_params(s, NULL);
    struct text_commit c;
    bool rows = false;

    (void)state;
    for (size_t i = 0; i < count; i++)
        rows |= messages[i].size != 0;
    if (!rows && !params->empty)
        return BECK_OK;
    beck_status status = commit_init(&c, s, batch_ms);
    if (!status) {
        bool again =
            rows && kind_of(&c, c.writing) == OS_ABSENT && kind_of(&c, c.dir) == OS_DIRECTORY;
        if (!again)
            status = place_all(&c, messages, count);
    }
    if (status && c.error.status)
        beck_sink_error(s, status, "%s", c.error.text);
    beck__arena_deinit(&c.arena);
    return status;
}

static void text_abort(beck_sink *s, void *state, int64_t batch_ms)
{
    struct text_commit c;

    (void)state;
    if (!commit_init(&c, s, batch_ms) && kind_of(&c, c.writing) == OS_DIRECTORY)
        remove_dir(&c, c.writing);
    beck__arena_deinit(&c.arena);
}

static beck_status text_open(beck_sink *s, void *state, int64_t *last_batch)
{
    struct text_commit c;
    beck_status status = commit_init(&c, s, 0);

    (void)state;
    (void)last_batch;
    if (!status && !c.params->batches && kind_of(&c, c.dir) != OS_ABSENT)
        status = beck_sink_error(s, BECK_EXISTS,
                                 "%s exists already; remove it or choose another name", c.dir);
    beck__arena_deinit(&c.arena);
    return status;
}

const beck_sink_class beck__text_sink[1] = {{
    .name = "save_as_text_file",
    .guarantee = BECK_TWO_PHASE,
    .writer_size = sizeof(struct text_writer),
    .open = text_open,
    .begin = text_begin,
    .write = text_write,
    .prepare = text_prepare,
    .end = text_end,
    .commit = text_commit,
    .abort = text_abort,
}};
