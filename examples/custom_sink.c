/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sink of one's own. Tasks count and measure the words of their partition and send the figures to
 * the driver, which adds them up and prints one line per commit: at least once, as any printing is.
 *
 *     custom_sink [TEXT]
 */
#include <beck/connector.h>

#include <stdio.h>

struct figures {
    uint64_t words, bytes;
};

static beck_status begin(beck_writer *w, void *writer, beck_write_id id)
{
    (void)w;
    (void)writer; /* zeroed: nothing to prepare; a file would be opened here, named by id */
    (void)id;
    return BECK_OK;
}

static beck_status write_rows(beck_writer *w, void *writer, const beck_chunk *rows)
{
    struct figures *f = writer;

    (void)w;
    for (uint32_t i = 0; i < rows->rows; i++) {
        beck_row row = {rows, i, 0};
        f->words++;
        f->bytes += beck_get_string(row, 0).size;
    }
    return BECK_OK;
}

/* The message is what the driver learns of this partition. */
static beck_status prepare(beck_writer *w, void *writer, beck_str *message)
{
    (void)w;
    *message = beck_bytes_of(writer, sizeof(struct figures));
    return BECK_OK;
}

static void end(beck_writer *w, void *writer, bool keep)
{
    (void)w;
    (void)writer;
    (void)keep;
}

/* In the driver, when all tasks have succeeded. A partition without rows has an empty message. */
static beck_status commit(beck_sink *s, void *state, int64_t batch_ms, const beck_str *messages,
                          size_t count)
{
    struct figures all = {0, 0}, one;

    (void)s;
    (void)state;
    (void)batch_ms;
    for (size_t i = 0; i < count; i++) {
        if (messages[i].size != sizeof one)
            continue;
        memcpy(&one, messages[i].data, sizeof one);
        all.words += one.words;
        all.bytes += one.bytes;
    }
    printf("%llu words of %llu bytes\n", (unsigned long long)all.words,
           (unsigned long long)all.bytes);
    return BECK_OK;
}

static const beck_sink_class measure = {
    .name = "measure",
    .guarantee = BECK_AT_LEAST_ONCE,
    .writer_size = sizeof(struct figures),
    .begin = begin,
    .write = write_rows,
    .prepare = prepare,
    .end = end,
    .commit = commit,
};

int main(int argc, char **argv)
{
    beck_context *ctx = beck_context_new("custom_sink", .argc = argc, .argv = argv);

    argv = beck_args(ctx, &argc);
    beck_value text = beck_text_value(argc > 1 ? argv[1] : "the quick brown fox jumps");
    beck_rdd *line = beck_parallelize(ctx, "line STRING", &text, 1);
    beck_save(beck_flat_map(line, "word STRING", beck_words), &measure);
    return beck_run(ctx);
}
