/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.c - the growing half of the hash core; lookup is inline in the door.
 * Invariant: the number of slots is a power of two, at least 16, and at least twice the count (of a
 * dense one, four thirds of it).
 */
#include "base/base.h"

#define SLOTS_LEAST ((size_t)16)

/* Puts every old slot where its full hash wants it now. */
static void move_slots(const struct hash *old, struct hash *fresh, const uint64_t *hashes)
{
    for (size_t i = 0; i <= old->mask; i++) {
        uint64_t slot = old->slots[i];
        if (!slot)
            continue;
        size_t at = beck__hash_first(fresh, hashes[beck__hash_item(slot)]);
        while (fresh->slots[at])
            at = beck__hash_next(fresh, at);
        fresh->slots[at] = slot;
    }
}

bool beck__hash_reserve(struct hash *hash, size_t more, const uint64_t *hashes)
{
    size_t slots = hash->slots ? hash->mask + 1 : 0;
    if (more > UINT32_MAX - 1 - hash->count)
        return false; /* a slot numbers its item in 32 bits */
    if (hash->count + more <= beck__hash_limit(hash, slots))
        return true;
    size_t next = slots ? slots : SLOTS_LEAST;
    while (beck__hash_limit(hash, next) < hash->count + more)
        next *= 2;
    struct hash fresh = *hash;
    fresh.slots = beck__alloc_zero(hash->memory, next * sizeof *fresh.slots);
    if (!fresh.slots)
        return false;
    fresh.mask = next - 1;
    if (hash->slots) {
        move_slots(hash, &fresh, hashes);
        beck__free(hash->memory, hash->slots, slots * sizeof *hash->slots);
    }
    *hash = fresh;
    return true;
}

/* A slot at j may fill the hole at i unless its search begins behind the hole. */
void beck__hash_remove(struct hash *hash, size_t i, uint64_t (*hash_of)(void *user, uint32_t item),
                       void *user)
{
    size_t hole = i;

    for (size_t j = beck__hash_next(hash, i); hash->slots[j]; j = beck__hash_next(hash, j)) {
        size_t first = beck__hash_first(hash, hash_of(user, beck__hash_item(hash->slots[j])));
        size_t from_first = (j - first) & hash->mask, from_hole = (j - hole) & hash->mask;
        if (from_first < from_hole)
            continue;
        hash->slots[hole] = hash->slots[j];
        hole = j;
    }
    hash->slots[hole] = 0;
    hash->count--;
}

void beck__hash_deinit(struct hash *hash)
{
    if (hash->slots)
        beck__free(hash->memory, hash->slots, (hash->mask + 1) * sizeof *hash->slots);
    hash->slots = NULL;
    hash->mask = hash->count = 0;
}

void beck__hash_clear(struct hash *hash)
{
    if (hash->slots)
        memset(hash->slots, 0, (hash->mask + 1) * sizeof *hash->slots);
    hash->count = 0;
}
