/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_file: lines of files, cut by bytes. A range is a file and [from, to); it owns the lines that
 * begin in it:
 *
 *        from                      to
 *   ...one\n|two\nthree\nfo|ur\nfive\n...       this range: two, three, four
 */
#include "connectors/connectors.h"

#include "connectors/files.h"
#include "formats/formats.h"

#define PIECE_BYTES ((size_t)256 << 10)

/* ---- planning -------------------------------------------------------------------------------- */

static beck_status add_file(beck_ranges *ranges, struct arena *arena, const char *path,
                            uint64_t size, uint64_t split)
{
    struct beck__file_range range = {.path = path};
    uint64_t from = 0;

    range.listed.size = size;
    return beck__file_cut(ranges, arena, &range, split, &from);
}

static beck_status add_directory(beck_ranges *ranges, struct arena *arena, const char *path,
                                 uint64_t split, struct error *error)
{
    struct os *os = beck__os_current();
    char **names;
    size_t count;
    beck_status status = os->list(os, path, arena, &names, &count, error);

    for (size_t i = 0; !status && i < count; i++) {
        struct os_stat stat;
        if (names[i][0] == '.' || names[i][0] == '_')
            continue;
        const char *file = beck__arena_printf(arena, "%s/%s", path, names[i]);
        status = file ? os->stat(os, file, &stat, error) : BECK_NO_MEMORY;
        if (!status && stat.kind == OS_FILE)
            status = add_file(ranges, arena, file, stat.size, split);
    }
    return status;
}

static beck_status text_plan(beck_ranges *ranges, const void *data, size_t size)
{
    const struct beck__file_params *params = data;
    struct os *os = beck__os_current();
    struct error error = {0};
    struct arena arena;
    struct os_stat stat = {.kind = OS_ABSENT};

    (void)size;
    beck__arena_init(&arena, &os->memory);
    beck_status status = os->stat(os, params->path, &stat, &error);
    if (!status && stat.kind == OS_ABSENT)
        status = beck__error_set(&error, BECK_NOT_FOUND, "%s does not exist", params->path);
    else if (!status && stat.kind == OS_DIRECTORY)
        status = add_directory(ranges, &arena, params->path, params->split_bytes, &error);
    else if (!status)
        status = add_file(ranges, &arena, params->path, stat.size, params->split_bytes);
    if (status)
        beck_ranges_error(ranges, status, "%s",
                          error.status ? error.text : beck_status_text(status));
    beck__arena_deinit(&arena);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

struct text_reader {
    beck_reader *r;
    struct os *os;
    struct beck__file file;
    uint64_t to;
    uint64_t base; /* place in the file of data[0] */
    char *data;
    size_t size, capacity;
    struct line_cutter cutter;
    struct arena arena;
    struct builder rows;
    bool end_of_file, stopped;
    struct error error;
};

/* Reads the next piece behind what is there. */
static beck_status fill(struct text_reader *t)
{
    const struct allocator *memory = &t->os->memory;
    size_t got = 0;

    if (t->capacity - t->size < PIECE_BYTES) {
        size_t capacity = t->size + PIECE_BYTES;
        char *data = memory->resize(memory->self, t->data, t->capacity, capacity);
        if (!data)
            return beck__error_memory(&t->error, "text_file", capacity);
        t->data = data;
        t->capacity = capacity;
    }
    beck_status status = t->os->read(t->os, t->file.handle, t->base + t->size, t->data + t->size,
                                     PIECE_BYTES, &got, &t->error);
    t->size += got;
    t->end_of_file = got < PIECE_BYTES;
    return status;
}

static void drop(struct text_reader *t, size_t bytes)
{
    t->size -= bytes;
    t->base += bytes;
    memmove(t->data, t->data + bytes, t->size);
}

/* The line that began before us belongs to the range before: [base - 1] is looked at, too. */
static beck_status skip_line(struct text_reader *t)
{
    for (;;) {
        beck_status status = fill(t);
        if (status)
            return status;
        char *lf = memchr(t->data, '\n', t->size);
        drop(t, lf ? (size_t)(lf - t->data) + 1 : t->size);
        if (lf || t->end_of_file)
            return BECK_OK;
    }
}

/* Pushes the lines of data[0, size). */
static beck_status push_lines(struct text_reader *t, size_t size, bool last)
{
    size_t at = 0;
    bool ok = true;

    while (at < size && !t->stopped) {
        size_t used = beck__lines_cut(&t->cutter, t->data + at, size - at, last, &t->rows, &ok);
        at += used;
        if (!ok)
            return beck__error_memory(&t->error, "text_file", 0);
        if (t->rows.chunk->rows == 0)
            break;
        t->stopped = !beck_read_chunk(t->r, t->rows.chunk);
        beck__builder_clear(&t->rows);
    }
    drop(t, at);
    return BECK_OK;
}

static beck_status read_lines(struct text_reader *t, uint64_t from)
{
    beck_status status = BECK_OK;
    bool done = false;

    t->base = from ? from - 1 : 0;
    if (from)
        status = skip_line(t);
    while (!status && !done && !t->stopped && t->base < t->to) {
        if (!t->end_of_file)
            status = fill(t);
        if (status)
            break;
        size_t size = t->size;
        done = t->end_of_file;            /* a file may be shorter now than when it was planned */
        if (t->base + t->size >= t->to) { /* up to the end of the line that holds byte to - 1 */
            size_t at = (size_t)(t->to - 1 - t->base);
            char *lf = memchr(t->data + at, '\n', t->size - at);
            size = lf ? (size_t)(lf - t->data) + 1 : t->size;
            done |= lf != NULL;
        }
        status = push_lines(t, size, done);
    }
    return status;
}

static beck_status text_read(beck_reader *r, const void *data, size_t params_size,
                             const void *range, size_t size)
{
    const struct beck__file_params *params = data;
    struct text_reader t = {.r = r, .os = beck__os_current()};
    const beck_schema *schema;

    (void)params_size;
    t.cutter.line_max = params->line_bytes_max;
    beck__arena_init(&t.arena, &t.os->memory);
    beck_status status = beck__schema_parse(&t.arena, "value STRING", &schema, &t.error);
    if (!status)
        status = beck__builder_init(&t.rows, &t.os->memory, schema, 0, &t.error);
    if (!status)
        status = beck__file_open(&t.file, range, size, &t.error);
    if (!status) {
        t.to = t.file.range.to;
        status = read_lines(&t, t.file.range.from);
        if (t.cutter.cut)
            beck_reader_warn(r,
                             "lines longer than %llu bytes are cut off there: %llu "
                             "(text.line_bytes_max)",
                             (unsigned long long)params->line_bytes_max,
                             (unsigned long long)t.cutter.cut);
    }
    if (t.rows.memory)
        beck__builder_deinit(&t.rows);
    beck__free(&t.os->memory, t.data, t.capacity);
    beck__arena_deinit(&t.arena);
    return beck__file_close(&t.file, r, params, status, &t.error);
}

const beck_direct_class beck__text_source[1] = {{.name = "text_file",
                                                 .schema = "value STRING",
                                                 .plan = text_plan,
                                                 .read = text_read,
                                                 .list = beck__files_list,
                                                 .close = beck__files_close,
                                                 .state_size = BECK__FILES_STATE_SIZE}};
