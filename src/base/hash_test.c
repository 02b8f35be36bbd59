/* SPDX-License-Identifier: Apache-2.0 */
/* A set of numbers on the hash core: good and bad hashes, growth, no memory. */
#include "base/testing.h"

#include <stdio.h>

/* A set of numbers: the smallest user of the hash core. `weak` makes hashes collide. */
struct set {
    struct hash hash;
    uint64_t *keys, *hashes;
    size_t capacity, hash_capacity;
    bool weak;
};

static uint64_t hash_of(const struct set *set, uint64_t key)
{
    if (set->weak)
        return key % 7 << 33 | key % 3;
    key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
    key = (key ^ key >> 27) * 0x94d049bb133111ebu;
    return key ^ key >> 31;
}

static bool reserve(struct set *set, size_t more)
{
    void *keys = set->keys, *hashes = set->hashes;
    size_t need = set->hash.count + more;
    const struct allocator *memory = set->hash.memory;
    bool ok = beck__vector_reserve(memory, &keys, &set->capacity, need, sizeof *set->keys);
    set->keys = keys;
    ok =
        ok && beck__vector_reserve(memory, &hashes, &set->hash_capacity, need, sizeof *set->hashes);
    set->hashes = hashes;
    return ok && beck__hash_reserve(&set->hash, more, set->hashes);
}

/* The item of the key, added if it was absent; -1 without memory. */
static int64_t put(struct set *set, uint64_t key)
{
    uint64_t hash = hash_of(set, key);
    if (!reserve(set, 1))
        return -1;
    struct hash *h = &set->hash;
    for (size_t i = beck__hash_first(h, hash);; i = beck__hash_next(h, i)) {
        uint64_t slot = h->slots[i];
        if (!slot) {
            uint32_t item = (uint32_t)h->count;
            set->keys[item] = key;
            set->hashes[item] = hash;
            beck__hash_put(h, i, hash, item);
            return item;
        }
        if (beck__hash_same(slot, hash) && set->keys[beck__hash_item(slot)] == key)
            return beck__hash_item(slot);
    }
}

static void deinit(struct set *set)
{
    beck__free(set->hash.memory, set->keys, set->capacity * sizeof *set->keys);
    beck__free(set->hash.memory, set->hashes, set->hash_capacity * sizeof *set->hashes);
    beck__hash_deinit(&set->hash);
    beck__hash_deinit(&set->hash);
}

static void items_are_in_order_of_insertion(bool weak, uint64_t keys)
{
    struct test_memory test;
    struct set set = {.hash.memory = test_memory_init(&test, 0), .weak = weak};
    for (int round = 0; round < 2; round++) {
        for (uint64_t key = 0; key < keys; key++)
            assert_int_equal(put(&set, key * key + 1), key);
        for (uint64_t key = keys; key-- > 0;)
            assert_int_equal(put(&set, key * key + 1), key);
        assert_int_equal(set.hash.count, keys);
        assert_true(set.hash.mask + 1 >= 2 * keys);
        beck__hash_clear(&set.hash);
    }
    deinit(&set);
    assert_int_equal(test.used, 0);
}

static void good_hashes(void **state)
{
    (void)state;
    items_are_in_order_of_insertion(false, 20000);
}

static void colliding_hashes(void **state)
{
    (void)state;
    items_are_in_order_of_insertion(true, 300);
}

static void a_reserve_at_once_never_moves_again(void **state)
{
    (void)state;
    struct test_memory test;
    struct set set = {.hash.memory = test_memory_init(&test, 0)};
    assert_true(reserve(&set, 1000));
    uint64_t *slots = set.hash.slots;
    for (uint64_t key = 0; key < 1000; key++)
        put(&set, key);
    assert_ptr_equal(set.hash.slots, slots);
    assert_false(beck__hash_reserve(&set.hash, UINT32_MAX, set.hashes));
    assert_ptr_equal(set.hash.slots, slots);
    deinit(&set);
}

static void without_memory_nothing_changes(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 12; n++) {
        struct test_memory test;
        struct set set = {.hash.memory = test_memory_init(&test, n)};
        uint64_t key = 0;
        while (put(&set, key) >= 0)
            key++;
        assert_int_equal(set.hash.count, key);
        for (uint64_t k = 0; set.hash.slots && k < key; k++)
            assert_int_equal(set.keys[k], k);
        deinit(&set);
        assert_int_equal(test.used, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_hashes),
        cmocka_unit_test(colliding_hashes),
        cmocka_unit_test(a_reserve_at_once_never_moves_again),
        cmocka_unit_test(without_memory_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
