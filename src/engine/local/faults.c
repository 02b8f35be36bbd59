/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults on purpose: which attempts of tasks fail, and how. With a seed it depends on the stage,
 * the partition and the attempt alone, never on threads, so that a seed does the same again; and
 * the last attempt of a task is spared, so that what can succeed does. The driver's thread.
 */
#include "engine/local/local.h"

static void fault(struct engine *engine, uint64_t n, uint64_t seed)
{
    struct local *local = (struct local *)engine;

    local->fault_of = n;
    local->fault_seed = seed;
}

/* Numbers as random as the seed and all of these (the finaliser of splitmix64). */
static uint64_t draw(uint64_t seed, const struct run *run)
{
    const uint64_t of[] = {run->stage->number, run->partition, run->attempt};
    uint64_t x = seed;

    for (size_t i = 0; i < BECK__COUNT_OF(of); i++) {
        x += (of[i] + 1) * 0x9e3779b97f4a7c15u;
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
        x = (x ^ x >> 27) * 0x94d049bb133111ebu;
        x ^= x >> 31;
    }
    return x;
}

void beck__fault_plan(struct local *local, struct run *run)
{
    run->fault = FAULT_NONE;
    if (!local->fault_of)
        return;
    if (!local->fault_seed) {
        run->fault = --local->fault_of ? FAULT_NONE : FAULT_BEFORE;
        return;
    }
    uint64_t x = draw(local->fault_seed, run);
    bool process = local->options.isolate && !run->stage->inline_run;
    run->overtakes = x >> 63;
    if (run->attempt + 1 == (uint32_t)local->options.attempts || (x >> 8) % local->fault_of)
        return;
    if (process && x % 8 == 0) /* seldom: a process takes long to start */
        run->fault = x & 8 ? FAULT_KILLED_IDLE : FAULT_KILLED_BUSY;
    else
        run->fault = x & 1 ? FAULT_BEFORE : FAULT_AFTER;
}

void beck__local_faults(struct engine *engine)
{
    engine->fault = fault;
}
