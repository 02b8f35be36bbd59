/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which run is next. Each pool has a queue, in order; of the pools in which something waits, that
 * one is next which has used the least time for its weight (start-time fair queueing, Goyal, Vin
 * and Cheng 1996). A pool that comes back begins where the others are: nothing can be saved up.
 * Under the lock of whoever owns it.
 *
 *   used, by weight:   alerts (4)  |====|====|====|...
 *                      default (1) |================|...       <- both at the same point: a tie
 */
#include "engine/local/local.h"

#define RUN_COST_NS 1000 /* of any run, so that those that take no time have turns, too */

/* By weight, the time that its runs have used by now: their ends less their starts; and that of
 * others which it has skipped. */
static double used(const struct pool *pool, int64_t now_ns)
{
    uint64_t ns = pool->used_ns + pool->running * (uint64_t)now_ns;

    return pool->skipped + (double)(int64_t)ns / pool->weight;
}

uint32_t beck__fair_pool(struct fair *fair, beck_str name, uint32_t weight)
{
    uint32_t i = 0;

    while (i < fair->count && !beck_string_equal(name, fair->pools[i].name))
        i++;
    if (i < fair->count) {
        fair->pools[i].weight = weight ? weight : fair->pools[i].weight;
        return i;
    }
    if (!beck__vector_reserve(fair->memory, (void **)&fair->pools, &fair->capacity, i + 1,
                              sizeof *fair->pools))
        return BECK__NO_POOL;
    fair->pools[i] = (struct pool){.name = name, .weight = weight ? weight : 1};
    fair->count++;
    return i;
}

void beck__fair_deinit(struct fair *fair)
{
    beck__free(fair->memory, fair->pools, fair->capacity * sizeof *fair->pools);
}

void beck__fair_put(struct fair *fair, struct run *run, bool front)
{
    struct pool *pool = &fair->pools[run->pool];
    double behind = pool->first || pool->running ? 0 : fair->clock - used(pool, 0);

    if (behind > 0)
        pool->skipped += behind;
    front |= !pool->first;
    run->next = front ? pool->first : NULL;
    if (front)
        pool->first = run;
    else
        pool->last->next = run;
    if (!run->next)
        pool->last = run;
    fair->waiting++;
}

struct run *beck__fair_take(struct fair *fair, int64_t now_ns)
{
    struct pool *next = NULL;
    double least = 0;

    for (uint32_t i = 0; i < fair->count; i++) {
        struct pool *pool = &fair->pools[i];
        double its = pool->first ? used(pool, now_ns) : 0;
        if (pool->first && (!next || its < least)) {
            next = pool;
            least = its;
        }
    }
    if (!next)
        return NULL;
    struct run *run = next->first;
    next->first = run->next;
    fair->waiting--;
    if (fair->clock < least)
        fair->clock = least;
    next->used_ns += RUN_COST_NS;
    beck__fair_begin(fair, run, now_ns);
    return run;
}

void beck__fair_begin(struct fair *fair, const struct run *run, int64_t now_ns)
{
    struct pool *pool = &fair->pools[run->pool];

    pool->running++;
    pool->used_ns -= (uint64_t)now_ns;
}

void beck__fair_end(struct fair *fair, const struct run *run, int64_t now_ns)
{
    struct pool *pool = &fair->pools[run->pool];

    pool->running--;
    pool->used_ns += (uint64_t)now_ns;
}
