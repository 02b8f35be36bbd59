/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tasks share by name: values that they read and counters that they add to. The driver's
 * thread defines them while no job runs, so tasks read without a lock; totals belong to the lock.
 * A worker process has a copy of the items, in the same order, and is told what is new to it.
 */
#include "exec/call.h"

#include <stdio.h>

beck_status beck__shared_init(struct shared *shared, struct os *os)
{
    *shared = (struct shared){.os = os, .lock = os->lock_new(os)};
    return shared->lock ? BECK_OK : BECK_NO_MEMORY;
}

static void item_free(struct shared *shared, struct shared_item *item)
{
    const struct allocator *memory = &shared->os->memory;

    beck__free(memory, item->bytes, item->size);
    beck__free(memory, item, sizeof *item);
}

void beck__shared_deinit(struct shared *shared)
{
    while (shared->first) {
        struct shared_item *item = shared->first;
        shared->first = item->next;
        item_free(shared, item);
    }
    if (shared->lock)
        shared->os->lock_free(shared->os, shared->lock);
    *shared = (struct shared){0};
}

static struct shared_item *find(const struct shared *shared, const char *name)
{
    struct shared_item *item = shared ? shared->first : NULL;

    while (item && strcmp(item->name, name) != 0)
        item = item->next;
    return item;
}

static const char *kind_text(enum shared_kind kind)
{
    static const char *const texts[] = {"a broadcast value", "a BIGINT counter",
                                        "a DOUBLE counter"};

    return texts[kind];
}

static beck_status check(const struct shared *shared, const char *name, enum shared_kind kind,
                         struct error *error)
{
    const struct shared_item *old = name ? find(shared, name) : NULL;

    if (!name || !*name || strlen(name) >= BECK__SHARED_NAME)
        return beck__error_set(error, BECK_INVALID, "the name is empty or longer than %d bytes",
                               BECK__SHARED_NAME - 1);
    if (shared->busy)
        return beck__error_set(error, BECK_STATE,
                               "\"%s\" while a job runs; do it before the job or after it", name);
    if (old && old->kind != kind)
        return beck__error_set(error, BECK_TYPE, "\"%s\" is %s already; give %s another name", name,
                               kind_text(old->kind), kind_text(kind));
    return BECK_OK;
}

static struct shared_item *item_new(struct shared *shared, const char *name, enum shared_kind kind)
{
    struct shared_item *item = beck__alloc_zero(&shared->os->memory, sizeof *item);

    if (!item)
        return NULL;
    snprintf(item->name, sizeof item->name, "%s", name);
    item->kind = kind;
    item->index = shared->count++;
    if (shared->last)
        shared->last->next = item;
    else
        shared->first = item;
    shared->last = item;
    return item;
}

beck_status beck__shared_set(struct shared *shared, const char *name, enum shared_kind kind,
                             beck_str bytes, struct error *error)
{
    const struct allocator *memory = &shared->os->memory;
    beck_status status = check(shared, name, kind, error);

    if (status || (kind != SHARED_VALUE && find(shared, name)))
        return status;
    void *copy = bytes.size ? beck__alloc(memory, bytes.size) : NULL;
    if (bytes.size && !copy)
        return beck__error_memory(error, name, bytes.size);
    if (copy)
        memcpy(copy, bytes.data, bytes.size);
    shared->os->lock(shared->os, shared->lock);
    struct shared_item *item = find(shared, name);
    if (!item)
        item = item_new(shared, name, kind);
    if (item) {
        beck__free(memory, item->bytes, item->size);
        item->bytes = copy;
        item->size = bytes.size;
        item->version = ++shared->version;
    }
    shared->os->unlock(shared->os, shared->lock);
    if (item)
        return BECK_OK;
    beck__free(memory, copy, bytes.size);
    return beck__error_memory(error, name, sizeof *item);
}

bool beck__sums_init(struct sums *sums, const struct allocator *memory, uint32_t count)
{
    uint64_t *items = beck__alloc_zero(memory, count * sizeof *items);

    *sums = (struct sums){memory, items, items ? count : 0};
    return items != NULL;
}

void beck__sums_deinit(struct sums *sums)
{
    if (sums->items)
        beck__free(sums->memory, sums->items, sums->count * sizeof *sums->items);
    *sums = (struct sums){0};
}

/* ---- totals ---------------------------------------------------------------------------------- */

static double as_double(uint64_t bits)
{
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t add(enum shared_kind kind, uint64_t a, uint64_t b)
{
    if (kind != SHARED_DOUBLE)
        return a + b;
    double sum = as_double(a) + as_double(b);
    memcpy(&a, &sum, sizeof a);
    return a;
}

void beck__shared_add(struct shared *shared, const struct sums *sums)
{
    struct os *os = shared->os;

    os->lock(os, shared->lock);
    for (struct shared_item *item = shared->first; item && item->index < sums->count;
         item = item->next)
        if (item->kind != SHARED_VALUE)
            item->total = add(item->kind, item->total, sums->items[item->index]);
    os->unlock(os, shared->lock);
}

beck_value beck__shared_total(struct shared *shared, const char *name)
{
    beck_value total = {0};

    shared->os->lock(shared->os, shared->lock);
    const struct shared_item *item = find(shared, name);
    if (item && item->kind == SHARED_BIGINT)
        total = beck_integer_value((int64_t)item->total);
    else if (item && item->kind == SHARED_DOUBLE)
        total = beck_double_value(as_double(item->total));
    shared->os->unlock(shared->os, shared->lock);
    return total;
}

/* ---- as bytes: count u32; kind u8, name, bytes of each item that is newer than `since` ---------
 */

void beck__shared_encode(const struct shared *shared, uint64_t since, struct text *out)
{
    uint32_t count = 0;

    for (const struct shared_item *i = shared ? shared->first : NULL; i; i = i->next)
        count += i->version > since;
    beck__put_u32(out, count);
    for (const struct shared_item *i = shared ? shared->first : NULL; i; i = i->next) {
        if (i->version <= since)
            continue;
        beck__put_u8(out, (uint8_t)i->kind);
        beck__put_string(out, beck_string(i->name));
        beck__put_string(out, beck_bytes_of(i->bytes, i->size));
    }
}

beck_status beck__shared_decode(struct shared *shared, struct reader *in, struct error *error)
{
    uint32_t count = beck__get_u32(in);
    beck_status status = BECK_OK;

    for (uint32_t i = 0; i < count && !status && !in->bad; i++) {
        char name[BECK__SHARED_NAME];
        enum shared_kind kind = (enum shared_kind)beck__get_u8(in);
        beck_str text = beck__get_string(in), bytes = beck__get_string(in);
        in->bad |= kind > SHARED_DOUBLE || text.size >= sizeof name;
        if (in->bad)
            break;
        memcpy(name, text.data, text.size);
        name[text.size] = 0;
        status = beck__shared_set(shared, name, kind, bytes, error);
    }
    if (in->bad)
        return beck__error_set(error, BECK_CORRUPT, "shared values that this worker cannot read");
    return status;
}

/* ---- in a callback ----------------------------------------------------------------------------
 */

const void *beck_broadcast_get(beck_call *c, const char *name, size_t *size)
{
    const struct shared_item *item = find(c->shared, name);
    bool value = item && item->kind == SHARED_VALUE;

    if (!value)
        beck_fail(c, "there is no broadcast value \"%s\"; make it with beck_broadcast before",
                  name);
    if (size)
        *size = value ? item->size : 0;
    return !value ? NULL : item->bytes ? item->bytes : "";
}

/* The counter; the one of the call before needs no search. NULL: the call has failed. */
static struct shared_item *counter(beck_call *c, const char *name)
{
    if (!c->counter || strcmp(c->counter->name, name) != 0)
        c->counter = find(c->shared, name);
    if (c->counter && c->counter->kind != SHARED_VALUE)
        return c->counter;
    beck_fail(c, "there is no counter \"%s\"; make it with beck_accumulator before", name);
    return NULL;
}

static bool sum_of(beck_call *c, const struct shared_item *item, beck_value amount, uint64_t *bits)
{
    double real = amount.u.real;

    if (amount.kind == BECK_KIND_INTEGER || amount.kind == BECK_KIND_UNSIGNED) {
        *bits = (uint64_t)amount.u.integer;
        real =
            amount.kind == BECK_KIND_INTEGER ? (double)amount.u.integer : (double)amount.u.natural;
    } else if (amount.kind != BECK_KIND_DOUBLE || item->kind != SHARED_DOUBLE) {
        beck_fail(c, "\"%s\" is %s; what is added is %s", item->name, kind_text(item->kind),
                  amount.kind == BECK_KIND_DOUBLE ? "a fraction" : "no number");
        return false;
    }
    if (item->kind == SHARED_DOUBLE)
        memcpy(bits, &real, sizeof real);
    return true;
}

void beck__accumulate(beck_call *c, const char *name, beck_value amount)
{
    struct shared_item *item = counter(c, name);
    uint64_t bits = 0;

    if (!item || !sum_of(c, item, amount, &bits))
        return;
    if (!c->task) { /* of the driver: nothing is retried */
        struct os *os = c->shared->os;
        os->lock(os, c->shared->lock);
        item->total = add(item->kind, item->total, bits);
        os->unlock(os, c->shared->lock);
        return;
    }
    struct sums *sums = &c->task->sums;
    if (sums->items || beck__sums_init(sums, c->task->memory, c->shared->count))
        sums->items[item->index] = add(item->kind, sums->items[item->index], bits);
    else
        beck__call_no_memory(c, "counters");
}
