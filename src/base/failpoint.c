/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failpoint.c - named steps at which a test makes the program fail.
 *
 * Points are armed before the threads that hit them start; hits may come from any thread. With
 * nothing armed a hit costs one relaxed load.
 */
#include "base/base.h"

#define POINTS_MAX 16

struct point {
    char name[48];
    _Atomic uint64_t hits_left; /* 0: not armed */
};

static struct point points[POINTS_MAX];
static _Atomic uint32_t used; /* points that carry a name */

bool beck__fail_point(const char *name)
{
    uint32_t count = atomic_load_explicit(&used, memory_order_relaxed);
    if (!count)
        return false;
    atomic_thread_fence(memory_order_acquire);
    for (uint32_t i = 0; i < count; i++) {
        struct point *point = &points[i];
        if (strcmp(point->name, name) != 0)
            continue;
        uint64_t left = atomic_load(&point->hits_left);
        while (left && !atomic_compare_exchange_weak(&point->hits_left, &left, left - 1)) {
        }
        return left == 1;
    }
    return false;
}

void beck__fail_point_set(const char *name, uint64_t hit)
{
    if (!name) {
        atomic_store(&used, 0);
        return;
    }
    uint32_t i = 0, count = atomic_load(&used);
    while (i < count && strcmp(points[i].name, name) != 0)
        i++;
    assert(i < POINTS_MAX);
    if (i == count) {
        assert(strlen(name) < sizeof points[i].name);
        memcpy(points[i].name, name, strlen(name) + 1);
    }
    atomic_store(&points[i].hits_left, hit);
    if (i == count)
        atomic_store(&used, count + 1);
}
