/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seeds.c - what a seed of beck conform picks for all vectors: a master, a mode of the engine, what
 * stays, and faults. All of it is options that a user could give, so that they are all there is to
 * tell.
 */
#include "cli/inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* tests: conform_test.c */

static bool number(const char *text, char **end, uint64_t *value)
{
    *value = *text >= '0' && *text <= '9' ? strtoull(text, end, 10) : 0;
    return *value >= 1 && *value <= SEED_MAX;
}

bool beck__cli_seeds(const char *text, struct seeds *seeds)
{
    char *end;

    if (!number(text, &end, &seeds->first))
        return false;
    seeds->last = seeds->first;
    if (strncmp(end, "..", 2) == 0 && !number(end + 2, &end, &seeds->last))
        return false;
    return *end == '\0' && seeds->first <= seeds->last;
}

/* The next random number (splitmix64), below `limit`. */
static unsigned below(uint64_t *state, unsigned limit)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15u;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (unsigned)((x ^ x >> 31) >> 33) % limit;
}

static void add(struct plan *plan, const char *format, ...) CLI_PRINTF(2, 3);
static void add(struct plan *plan, const char *format, ...)
{
    char *word = plan->words[plan->argc];
    va_list args;

    va_start(args, format);
    vsnprintf(word, sizeof plan->words[0], format, args);
    va_end(args);
    plan->argv[plan->argc++] = word;
}

void beck__cli_plan(uint64_t seed, struct plan *plan)
{
    static const int threads[] = {1, 2, 4};
    uint64_t state = seed;

    plan->argc = 0;
    plan->kernels = false;
    plan->persist = false;
    add(plan, "--master=local[%d]", seed ? threads[below(&state, 3)] : 1);
    if (!seed)
        return;
    switch (seed % 8) { /* in turns; processes take longest, and five seeds see each mode */
    case 1:
    case 6:
        plan->kernels = true;
        break;
    case 2:
    case 7:
        add(plan, "--conf=engine.encode=all");
        break;
    case 3:
        add(plan, "--isolate");
        break;
    default:
        break;
    }
    if (below(&state, 2))
        add(plan, "--conf=engine.inline_rows=0");
    plan->persist = below(&state, 3) == 0;
    if (plan->persist)
        add(plan, "--conf=engine.storage_bytes=%u", 1 + below(&state, 5000));
    add(plan, "--conf=engine.attempts=%u", 2 + below(&state, 3));
    add(plan, "--conf=engine.faults=%u", 1 + below(&state, 999999));
}

void beck__cli_plan_text(const struct plan *plan, char *text, size_t size)
{
    const char *own[] = {"", "--kernels", "--persist", "--kernels --persist"};
    size_t used =
        (size_t)snprintf(text, size, "%s", own[(plan->kernels ? 1 : 0) + (plan->persist ? 2 : 0)]);

    for (int i = 0; i < plan->argc && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " " : "", plan->argv[i]);
}
