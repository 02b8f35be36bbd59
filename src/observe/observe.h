/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe - the listener bus: events, in order, to every listener, on the driver's thread; and the
 * log. Histories are rings of fixed size.
 */
#ifndef BECK_OBSERVE_H
#define BECK_OBSERVE_H

#include "base/base.h"
#include "os/os.h"
#include <beck/beck.h>

/* Posts may come from any thread; listeners run in beck__bus_deliver only. The ring holds
 * `capacity` events (rounded up to 256); over it the oldest waiting event is dropped and counted.
 * Texts in a posted event are copied (names to 100 bytes, errors to 500). */
struct bus;
struct bus *beck__bus_new(struct os *os, const struct allocator *memory, size_t capacity);
void beck__bus_free(struct bus *bus);
beck_status beck__bus_add(struct bus *bus, beck_listener_fn *listener, void *user);
void beck__bus_post(struct bus *bus, const beck_event *event);
/* Driver's thread. Returns how many were delivered. Allocates nothing. */
size_t beck__bus_deliver(struct bus *bus);
uint64_t beck__bus_dropped(const struct bus *bus);

/* The log: `level` and above go to the callback, by default as "beck: warning: ..." to standard
 * error. Any thread; one line at a time. */
struct log {
    struct os *os;
    beck_log_fn *fn;
    void *user;
    beck_log_level level;
};
void beck__log(struct log *log, beck_log_level level, const char *format, ...) BECK__PRINTF(3, 4);

/* A histogram of microseconds, eight buckets per power of two: a quantile is right to 12 %. Fixed
 * size, one thread. */
struct histogram {
    uint64_t buckets[64 * 8];
    uint64_t count, max;
};
void beck__histogram_add(struct histogram *h, uint64_t us);
uint64_t beck__histogram_quantile(const struct histogram *h, double q);

#endif
