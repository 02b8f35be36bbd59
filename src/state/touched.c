/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers for the slots that an attempt touches. The array by slot stays between attempts, all
 * zero, so that an attempt does not pay for the slots that it leaves alone.
 */
/* tests: table_test.c */
#include "state/state.h"

bool beck__touched_add(struct touched *t, uint32_t slot_count, const uint32_t *slots,
                       uint32_t count, uint32_t *numbers)
{
    if (!beck__vector_reserve(t->memory, (void **)&t->number, &t->number_capacity, slot_count,
                              sizeof *t->number) ||
        !beck__vector_reserve(t->memory, (void **)&t->slots, &t->slot_capacity,
                              (size_t)t->count + count, sizeof *t->slots))
        return false;
    for (; t->known < slot_count; t->known++)
        t->number[t->known] = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = slots[i];
        if (!t->number[slot]) {
            t->slots[t->count++] = slot;
            t->number[slot] = t->count;
        }
        numbers[i] = t->number[slot] - 1;
    }
    return true;
}

void beck__touched_clear(struct touched *t)
{
    for (uint32_t i = 0; i < t->count; i++)
        t->number[t->slots[i]] = 0;
    t->count = 0;
}

void beck__touched_deinit(struct touched *t)
{
    if (!t->memory)
        return;
    beck__free(t->memory, t->number, t->number_capacity * sizeof *t->number);
    beck__free(t->memory, t->slots, t->slot_capacity * sizeof *t->slots);
    *t = (struct touched){0};
}
