/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver's side of the receivers: what has come goes into batches, and back. Driver's thread.
 */
/* tests: supervisor_test.c */
#include "ingest/inside.h"

#define HANG_MS 10000

static struct beck_receiver *receiver_of(struct ingest *ingest, int stream)
{
    struct beck_receiver *r = ingest->first;

    while (r && r->stream != stream)
        r = r->next;
    return r;
}

bool beck__ingest_drained(struct ingest *ingest)
{
    struct os *os = ingest->options.os;
    bool drained = true;

    os->lock(os, ingest->lock);
    for (struct beck_receiver *r = ingest->first; r; r = r->next)
        drained &= r->open_ms < 0 && r->sealed_first == r->sealed_count;
    os->unlock(os, ingest->lock);
    return drained;
}

int64_t beck__ingest_first_ms(struct ingest *ingest)
{
    struct os *os = ingest->options.os;
    int64_t oldest = INT64_MAX;

    os->lock(os, ingest->lock);
    for (struct beck_receiver *r = ingest->first; r; r = r->next)
        oldest = beck__receiver_first_ms(r) < oldest ? beck__receiver_first_ms(r) : oldest;
    os->unlock(os, ingest->lock);
    return oldest;
}

/* Says it once when a function of the receiver has not returned for long. */
static void watch(struct beck_receiver *r)
{
    struct os *os = r->ingest->options.os;
    struct error why = {0};

    os->lock(os, r->ingest->lock);
    int64_t since = r->inside && !r->told && !beck__receiver_blocks(r)
                        ? beck__receiver_now_ms(r) - r->since_ms
                        : 0;
    r->told |= since >= HANG_MS;
    os->unlock(os, r->ingest->lock);
    if (since < HANG_MS)
        return;
    beck__error_set(&why, BECK_TIMEOUT,
                    "poll has not returned for %lld ms; until it does nothing is received here (a "
                    "receiver that must block needs .run)",
                    (long long)since);
    beck__log(r->ingest->options.log, BECK_LOG_WARNING, "%s: %s", r->what, why.text);
    beck__receiver_post(r, BECK_EVENT_RECEIVER_ERROR, why.text);
}

void beck__ingest_allot(struct ingest *ingest, int stream, int64_t batch_ms, struct blocks *out)
{
    struct os *os = ingest->options.os;
    struct beck_receiver *r = receiver_of(ingest, stream);
    uint64_t limit = (uint64_t)ingest->options.batch_bytes;

    watch(r);
    os->lock(os, ingest->lock);
    if (r->open_ms >= 0 && r->open_ms <= batch_ms)
        beck__receiver_seal(r);
    r->announced = false;
    while (r->sealed_first < r->sealed_count && r->sealed[r->sealed_first].first_ms <= batch_ms) {
        struct block *block = r->sealed[r->sealed_first].block;
        if (limit && out->count && out->bytes + block->bytes > limit)
            break; /* the batch is full */
        beck__block_ref(block);
        if (!beck__blocks_add(out, block))
            break; /* stays for the next batch */
        beck__block_unref(block);
        r->sealed_first++;
    }
    os->unlock(os, ingest->lock);
}

void beck__ingest_release(struct ingest *ingest, int stream, uint64_t bytes)
{
    struct os *os = ingest->options.os;
    struct beck_receiver *r = receiver_of(ingest, stream);
    uint64_t limit = (uint64_t)ingest->options.bytes_max;

    os->lock(os, ingest->lock);
    bool was_full = r->bytes >= limit;
    r->bytes -= bytes < r->bytes ? bytes : r->bytes;
    bool wake = was_full && r->bytes < limit;
    os->unlock(os, ingest->lock);
    if (wake)
        os->poller_wake(os, r->poller);
}
