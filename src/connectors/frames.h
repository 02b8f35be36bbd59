/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frames.h - encoded blocks one behind the other, as they come in pieces from a connection. Private
 * to connectors.
 */
#ifndef BECK_CONNECTORS_FRAMES_H
#define BECK_CONNECTORS_FRAMES_H

#include "data/data.h"

struct frames {
    const beck_schema *schema;
    struct text bytes; /* not cut yet; memory set by the user */
    size_t at;         /* of them: cut already */
};

/* Takes the next whole block (a reference) off; BECK_AGAIN: more bytes must come first;
 * BECK_CORRUPT: what came is no block of this schema. */
beck_status beck__frames_next(struct frames *frames, struct block **block, struct error *error);
/* Bytes of a block that has only begun. */
static inline size_t beck__frames_open(const struct frames *frames)
{
    return frames->bytes.size - frames->at;
}

#endif
