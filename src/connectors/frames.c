/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cutting a stream of encoded blocks: a header says how long its block is. Nothing is believed
 * before it was checked, and nothing is kept for a length that no block can have.
 */
/* tests: raw_socket_test.c */
#include "connectors/frames.h"

/* What was cut makes room. */
static void drop_front(struct frames *f)
{
    f->bytes.size -= f->at;
    if (f->bytes.size)
        memmove(f->bytes.data, f->bytes.data + f->at, f->bytes.size);
    f->at = 0;
}

beck_status beck__frames_next(struct frames *f, struct block **block, struct error *error)
{
    const char *data = f->bytes.data + f->at;
    size_t open = beck__frames_open(f);
    size_t size = open < BECK__BLOCK_HEADER ? BECK__BLOCK_HEADER : beck__block_size(data);

    *block = NULL;
    if (size < BECK__BLOCK_HEADER || size > BECK__BLOCK_HEADER + BECK__BLOCK_BYTES_MAX)
        return beck__error_set(error, BECK_CORRUPT, "what comes is no block of Beck's format");
    if (open < size) {
        if (f->at)
            drop_front(f);
        return BECK_AGAIN;
    }
    beck_status status =
        beck__block_decode(f->bytes.memory, f->schema, data, size, block, NULL, error);
    f->at += size;
    return status;
}
