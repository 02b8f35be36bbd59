/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of blocks as bytes: u32 count, each u32 length and an encoded block. An encoded block has a
 * limit, a block in memory has none: one that is too large is cut into halves on its way.
 */
#include "engine/local/local.h"

void beck__blocks_begin(struct block_writer *w, struct text *out, const beck_schema *schema)
{
    *w = (struct block_writer){.out = out, .schema = schema, .at = out->size};
    beck__put_u32(out, 0);
}

static beck_status put_chunk(struct block_writer *w, const beck_chunk *chunk, struct error *error);

static beck_status put_half(struct block_writer *w, const beck_chunk *chunk, uint32_t from,
                            uint32_t count, struct error *error)
{
    struct block *half = beck__block_new(w->out->memory, w->schema, chunk, from, count, NULL);

    if (!half)
        return beck__error_memory(error, "a block", 0);
    beck_status status = put_chunk(w, half->chunk, error);
    beck__block_unref(half);
    return status;
}

static beck_status put_chunk(struct block_writer *w, const beck_chunk *chunk, struct error *error)
{
    struct error reason = {0};
    size_t at = w->out->size;

    beck__put_u32(w->out, 0);
    beck_status status = beck__block_encode(chunk, w->schema, (struct block_place){0, w->count},
                                            w->compress && w->count % 2, w->out, &reason);
    if (status == BECK_UNSUPPORTED && chunk->rows > 1) {
        uint32_t half = chunk->rows / 2;
        w->out->size = at;
        status = put_half(w, chunk, 0, half, error);
        return status ? status : put_half(w, chunk, half, chunk->rows - half, error);
    }
    if (status)
        return beck__error_set(error, status, "%s", reason.text);
    beck__set_u32(w->out, at, (uint32_t)(w->out->size - at - 4));
    w->count++;
    return BECK_OK;
}

beck_status beck__blocks_put(struct block_writer *w, struct block *const *items, size_t count,
                             struct error *error)
{
    beck_status status = BECK_OK;

    for (size_t i = 0; !status && i < count; i++)
        status = put_chunk(w, items[i]->chunk, error);
    return status;
}

void beck__blocks_end(struct block_writer *w)
{
    beck__set_u32(w->out, w->at, w->count);
}

beck_status beck__blocks_encode(struct text *out, const struct blocks *list,
                                const beck_schema *schema, struct error *error)
{
    struct block_writer w;

    beck__blocks_begin(&w, out, schema);
    beck_status status = beck__blocks_put(&w, list->items, list->count, error);
    beck__blocks_end(&w);
    return status;
}

beck_status beck__blocks_get(const struct allocator *memory, struct reader *in,
                             const beck_schema *schema, struct blocks *list, struct error *error)
{
    uint32_t count = beck__get_u32(in);
    beck_status status = BECK_OK;

    for (uint32_t i = 0; !status && !in->bad && i < count; i++) {
        beck_str bytes = beck__get_string(in);
        struct block *block = NULL;
        struct block_place place;
        if (in->bad)
            break;
        status = beck__block_decode(memory, schema, bytes.data, bytes.size, &block, &place, error);
        if (!status && !beck__blocks_add(list, block))
            status = beck__error_memory(error, "a block", bytes.size);
    }
    if (!status && in->bad)
        status = beck__error_set(error, BECK_CORRUPT, "a list of blocks is cut off");
    return status;
}

beck_status beck__blocks_recode(const struct allocator *memory, const beck_schema *schema,
                                struct blocks *list, struct error *error)
{
    struct blocks fresh = {.memory = memory};
    struct text bytes = {.memory = memory};
    struct block_writer w;

    beck__blocks_begin(&w, &bytes, schema);
    w.compress = true;
    beck_status status = beck__blocks_put(&w, list->items, list->count, error);
    beck__blocks_end(&w);
    if (!status && bytes.failed)
        status = beck__error_memory(error, "encoded blocks", bytes.size);
    struct reader in = {.data = (const uint8_t *)bytes.data, .size = bytes.size};
    if (!status)
        status = beck__blocks_get(memory, &in, schema, &fresh, error);
    beck__text_deinit(&bytes);
    if (status) {
        beck__blocks_deinit(&fresh);
        return status;
    }
    beck__blocks_deinit(list);
    *list = fresh;
    return BECK_OK;
}
