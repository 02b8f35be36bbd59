/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams over directories: their arguments, checked, as parameters of a direct source.
 */
#include "connectors/connectors.h"
#include "driver/driver.h"

#define SETTLE_MS      500
#define FILE_BYTES_MAX ((int64_t)16 << 20)

/* What the three kinds have in common. */
struct options {
    const char *path;
    beck_site site;
    BECK__FILE_OPTIONS
    int64_t line_bytes_max, record_bytes, file_bytes_max;
};

#define COMMON(a)                                                                                  \
    .path = (a)->path ? (a)->path : "", .site = (a)->site, .name = (a)->name,                      \
    .glob = (a)->glob ? (a)->glob : "", .from_beginning = (a)->from_beginning,                     \
    .recursive = (a)->recursive, .skip_lost = (a)->skip_lost, .settle_ms = (a)->settle_ms,         \
    .interval_ms = (a)->interval_ms, .files_max = (a)->files_max, .bytes_max = (a)->bytes_max,     \
    .split_bytes = (a)->split_bytes

/* The first wrong argument; sticks. True if there is none. */
static bool options_fit(beck_context *ctx, const char *kind, const struct options *o)
{
    struct graph *graph = &ctx->life.graph;
    const struct beck__file_params *params = NULL;
    const struct {
        const char *name;
        int64_t value, least, most;
    } numbers[] = {
        {".settle_ms", o->settle_ms, -1, INT64_MAX},
        {".interval_ms", o->interval_ms, 0, INT64_MAX},
        {".files_max", o->files_max, 0, INT64_MAX},
        {".bytes_max", o->bytes_max, 0, INT64_MAX},
        {".split_bytes", o->split_bytes, 0, INT64_MAX},
        {".line_bytes_max", o->line_bytes_max, 0, UINT32_MAX},
        {"record_bytes", o->record_bytes, 1, FILE_BYTES_MAX},
        {".file_bytes_max", o->file_bytes_max, 0, UINT32_MAX},
    };

    if (!*o->path || strlen(o->path) >= sizeof params->path)
        beck__node_error(graph, kind, o->site, BECK_INVALID,
                         "the path is empty or longer than %zu bytes", sizeof params->path - 1);
    if (strlen(o->glob) >= sizeof params->glob || strchr(o->glob, '/'))
        beck__node_error(graph, kind, o->site, BECK_INVALID,
                         ".glob is a pattern of names of files, without a / and of at most %zu "
                         "bytes; patterns of directories belong into the path",
                         sizeof params->glob - 1);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].value < numbers[i].least || numbers[i].value > numbers[i].most)
            beck__node_error(graph, kind, o->site, BECK_INVALID, "%s is %lld; give %lld to %lld",
                             numbers[i].name, (long long)numbers[i].value,
                             (long long)numbers[i].least, (long long)numbers[i].most);
    return !graph->error->status;
}

/* Pieces of a file: whole records; a whole file is one. */
static uint64_t split_of(beck_context *ctx, const struct options *o, bool whole)
{
    uint64_t record = (uint64_t)o->record_bytes;
    uint64_t split =
        (uint64_t)(o->split_bytes ? o->split_bytes
                                  : beck__settings_number(ctx->settings, OPTION_SPLIT_BYTES));

    if (whole)
        return UINT64_MAX;
    return split < record ? record : split / record * record;
}

static beck_dstream *file_stream(beck_context *ctx, const char *kind,
                                 const beck_direct_class *class_of, const struct options *o)
{
    struct beck__file_params params = {0};
    beck_direct_stream_args args = {.class_of = class_of,
                                    .site = o->site,
                                    .params = &params,
                                    .params_size = sizeof params,
                                    .name = o->name,
                                    .interval_ms = o->interval_ms,
                                    .units_max = o->files_max,
                                    .bytes_max = o->bytes_max};

    if (!ctx || !options_fit(ctx, kind, o)) {
        args.interval_ms = args.units_max = args.bytes_max = 0;
        return beck__direct_stream_of(ctx, kind, &args);
    }
    int64_t line = beck__settings_number(ctx->settings, OPTION_LINE_BYTES);
    params.split_bytes = split_of(ctx, o, class_of == beck__whole_source);
    params.line_bytes_max = (uint64_t)(o->line_bytes_max ? o->line_bytes_max : line);
    params.record_bytes = (uint64_t)o->record_bytes;
    params.file_bytes_max = (uint64_t)(o->file_bytes_max ? o->file_bytes_max : FILE_BYTES_MAX);
    params.settle_ms = o->settle_ms ? o->settle_ms : SETTLE_MS;
    params.known_max = (uint64_t)beck__settings_number(ctx->settings, OPTION_KNOWN_FILES);
    params.from_beginning = o->from_beginning;
    params.recursive = o->recursive;
    params.skip_lost = o->skip_lost;
    memcpy(params.glob, o->glob, strlen(o->glob));
    memcpy(params.path, o->path, strlen(o->path));
    args.params_size = offsetof(struct beck__file_params, path) + strlen(o->path) + 1;
    return beck__direct_stream_of(ctx, kind, &args);
}

beck_dstream *beck__text_file_stream(beck_context *ctx, const beck_text_file_stream_args *args)
{
    struct options o = {COMMON(args), .line_bytes_max = args->line_bytes_max, .record_bytes = 1};

    return file_stream(ctx, "text_file_stream", beck__text_source, &o);
}

beck_dstream *beck__binary_records_stream(beck_context *ctx,
                                          const beck_binary_records_stream_args *args)
{
    struct options o = {COMMON(args), .record_bytes = args->record_bytes};

    return file_stream(ctx, "binary_records_stream", beck__binary_source, &o);
}

beck_dstream *beck__file_stream(beck_context *ctx, const beck_file_stream_args *args)
{
    struct options o = {COMMON(args), .file_bytes_max = args->file_bytes_max, .record_bytes = 1};

    return file_stream(ctx, "file_stream", beck__whole_source, &o);
}
