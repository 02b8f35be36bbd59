/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print: each task sends the texts of its first rows, the driver prints them in Spark's layout. At
 * least once. Message: u32 rows, then each as u32 length and bytes.
 */
#include "connectors/connectors.h"

#include "formats/formats.h"
#include "os/os.h"

struct print_writer {
    struct text rows, message;
    uint32_t count;
};

static beck_status print_begin(beck_writer *w, void *writer, beck_write_id id)
{
    struct print_writer *p = writer;

    (void)w;
    (void)id;
    p->rows.memory = p->message.memory = &beck__os_current()->memory;
    return BECK_OK;
}

static beck_status print_write(beck_writer *w, void *writer, const beck_chunk *chunk)
{
    struct print_writer *p = writer;
    struct text row = {.memory = p->rows.memory};

    (void)w;
    for (uint32_t i = 0; i < chunk->rows; i++) {
        beck__text_clear(&row);
        beck__row_print(chunk, 0, i, &row);
        beck__put_string(&p->rows, beck_bytes_of(row.data, row.size));
        p->count++;
    }
    bool failed = row.failed || p->rows.failed;
    beck__text_deinit(&row);
    return failed ? BECK_NO_MEMORY : BECK_OK;
}

static beck_status print_prepare(beck_writer *w, void *writer, beck_str *message)
{
    struct print_writer *p = writer;

    (void)w;
    beck__put_u32(&p->message, p->count);
    beck__text_append(&p->message, p->rows.data, p->rows.size);
    *message = beck_bytes_of(p->message.data, p->message.size);
    return p->message.failed ? BECK_NO_MEMORY : BECK_OK;
}

static void print_end(beck_writer *w, void *writer, bool keep)
{
    struct print_writer *p = writer;

    (void)w;
    (void)keep;
    beck__text_deinit(&p->rows);
    beck__text_deinit(&p->message);
}

/* In the driver: the text of a batch, whose memory the next one uses again. */
struct print_state {
    struct text out;
};

static beck_status print_open(beck_sink *s, void *state, int64_t *last_batch)
{
    struct print_state *p = state;

    (void)s;
    (void)last_batch;
    p->out.memory = &beck__os_current()->memory;
    return BECK_OK;
}

static void print_close(beck_sink *s, void *state)
{
    struct print_state *p = state;

    (void)s;
    beck__text_deinit(&p->out);
}

static void add_rows(struct text *out, const beck_str *messages, size_t count, uint32_t limit)
{
    uint32_t printed = 0;

    for (size_t i = 0; i < count; i++) {
        struct reader in = {.data = (const uint8_t *)messages[i].data, .size = messages[i].size};
        uint32_t rows = messages[i].size ? beck__get_u32(&in) : 0;
        for (uint32_t k = 0; k < rows; k++) {
            beck_str row = beck__get_string(&in);
            if (printed++ == limit) {
                beck__text_add(out, "...\n");
                return;
            }
            beck__text_append(out, row.data, row.size);
            beck__text_add(out, "\n");
        }
    }
}

static beck_status print_commit(beck_sink *s, void *state, int64_t batch_ms,
                                const beck_str *messages, size_t count)
{
    static const char dashes[] = "-------------------------------------------\n";
    const struct beck__print_params *params = beck_sink_params(s, NULL);
    struct os *os = beck__os_current();
    struct text *out = &((struct print_state *)state)->out;

    beck__text_clear(out);
    if (params->header)
        beck__text_printf(out, "%sTime: %lld ms%s%s\n%s", dashes, (long long)batch_ms,
                          *params->title ? "  " : "", params->title, dashes);
    add_rows(out, messages, count, params->rows);
    if (params->header)
        beck__text_add(out, "\n");
    if (out->failed)
        return BECK_NO_MEMORY;
    os->print(os, 1, beck__text_get(out), out->size);
    return BECK_OK;
}

const beck_sink_class beck__print_sink[1] = {{
    .name = "print",
    .guarantee = BECK_AT_LEAST_ONCE,
    .state_size = sizeof(struct print_state),
    .writer_size = sizeof(struct print_writer),
    .open = print_open,
    .begin = print_begin,
    .write = print_write,
    .prepare = print_prepare,
    .end = print_end,
    .commit = print_commit,
    .close = print_close,
}};
