/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus.c - the listener bus: a ring of events that any thread may fill and the driver's thread
 * empties. Invariant: `waiting` events begin at slot `first`; the lock guards ring and listeners,
 * and is never held while a listener runs. Nothing is allocated after the bus was made, except for
 * another listener.
 */
#include "observe/observe.h"

enum { ROUND = 256, NAME_BYTES = 100, ERROR_BYTES = 500 };

struct slot {
    beck_event event;
    char name[NAME_BYTES + 1];
    char error[ERROR_BYTES + 1];
};

struct listener {
    beck_listener_fn *call;
    void *user;
};

struct bus {
    struct os *os;
    const struct allocator *memory;
    struct os_lock *lock;
    struct slot *slots;
    size_t capacity, first, waiting;
    uint64_t dropped;
    struct listener *listeners;
    size_t listener_count, listener_capacity;
};

struct bus *beck__bus_new(struct os *os, const struct allocator *memory, size_t capacity)
{
    struct bus *bus = beck__alloc_zero(memory, sizeof *bus);

    if (!bus)
        return NULL;
    bus->os = os;
    bus->memory = memory;
    bus->capacity = capacity ? (capacity + ROUND - 1) / ROUND * ROUND : ROUND;
    bus->lock = os->lock_new(os);
    bus->slots = beck__alloc(memory, bus->capacity * sizeof *bus->slots);
    if (!bus->lock || !bus->slots) {
        beck__bus_free(bus);
        return NULL;
    }
    return bus;
}

void beck__bus_free(struct bus *bus)
{
    if (!bus)
        return;
    bus->os->lock_free(bus->os, bus->lock);
    beck__free(bus->memory, bus->slots, bus->capacity * sizeof *bus->slots);
    beck__free(bus->memory, bus->listeners, bus->listener_capacity * sizeof *bus->listeners);
    beck__free(bus->memory, bus, sizeof *bus);
}

beck_status beck__bus_add(struct bus *bus, beck_listener_fn *listener, void *user)
{
    beck_status status = BECK_NO_MEMORY;

    bus->os->lock(bus->os, bus->lock);
    void *items = bus->listeners;
    if (beck__vector_reserve(bus->memory, &items, &bus->listener_capacity, bus->listener_count + 1,
                             sizeof *bus->listeners)) {
        bus->listeners = items;
        bus->listeners[bus->listener_count++] = (struct listener){listener, user};
        status = BECK_OK;
    }
    bus->os->unlock(bus->os, bus->lock);
    return status;
}

/* NULL stays NULL; a longer text is cut off. */
static const char *copy_text(char *to, size_t bytes, const char *from)
{
    size_t size = 0;

    if (!from)
        return NULL;
    while (size < bytes && from[size])
        size++;
    memcpy(to, from, size);
    to[size] = '\0';
    return to;
}

static void copy_event(struct slot *slot, const beck_event *event)
{
    slot->event = *event;
    slot->event.name = copy_text(slot->name, NAME_BYTES, event->name);
    slot->event.error = copy_text(slot->error, ERROR_BYTES, event->error);
}

void beck__bus_post(struct bus *bus, const beck_event *event)
{
    bus->os->lock(bus->os, bus->lock);
    if (bus->waiting == bus->capacity) {
        bus->first = (bus->first + 1) % bus->capacity;
        bus->waiting--;
        bus->dropped++;
    }
    copy_event(&bus->slots[(bus->first + bus->waiting) % bus->capacity], event);
    bus->waiting++;
    bus->os->unlock(bus->os, bus->lock);
}

static bool take_event(struct bus *bus, struct slot *slot)
{
    bool taken = false;

    bus->os->lock(bus->os, bus->lock);
    if (bus->waiting > 0) {
        copy_event(slot, &bus->slots[bus->first].event);
        bus->first = (bus->first + 1) % bus->capacity;
        bus->waiting--;
        taken = true;
    }
    bus->os->unlock(bus->os, bus->lock);
    return taken;
}

/* A listener may be added meanwhile, also by a listener. */
static bool listener_at(struct bus *bus, size_t i, struct listener *listener)
{
    bool found = false;

    bus->os->lock(bus->os, bus->lock);
    if (i < bus->listener_count) {
        *listener = bus->listeners[i];
        found = true;
    }
    bus->os->unlock(bus->os, bus->lock);
    return found;
}

size_t beck__bus_deliver(struct bus *bus)
{
    struct slot slot;
    struct listener listener;
    size_t count = 0;

    for (; take_event(bus, &slot); count++) {
        for (size_t i = 0; listener_at(bus, i, &listener); i++)
            listener.call(listener.user, &slot.event);
    }
    return count;
}

uint64_t beck__bus_dropped(const struct bus *bus)
{
    bus->os->lock(bus->os, bus->lock);
    uint64_t dropped = bus->dropped;
    bus->os->unlock(bus->os, bus->lock);
    return dropped;
}
