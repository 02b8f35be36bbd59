/* SPDX-License-Identifier: Apache-2.0 */
/*
 * beck/testing.h - to test a program without a clock: step batch by batch on the caller's thread,
 * look at what every batch gave, and run whole contexts in a simulated world.
 *
 *     beck_context *ctx = beck_context_new("test", .batch_ms = 1000, .manual_clock = true);
 *     beck_dstream *in = beck_queue_stream(ctx, "x BIGINT");
 *     beck_collector *out = beck_collect_stream(beck_filter(in, even));
 *     beck_queue_push(in, beck_parallelize(ctx, "x BIGINT", values, 3));
 *     beck_step(ctx, 1000);
 *     const beck_result *batch = beck_collector_result(out, 0);
 */
#ifndef BECK_TESTING_H
#define BECK_TESTING_H

#include <beck/beck.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- stepping ------------------------------------------------------------------------------ */

/* For a context with .manual_clock. Starts it if it has not been started; moves its clock by `ms`
 * and runs everything that is due by then, driver and tasks, on the caller's thread. The error of a
 * start or of a batch that failed; BECK_STATE once it has stopped. */
BECK_API beck_status beck_step(beck_context *ctx, int64_t ms);

/* ---- collecting ----------------------------------------------------------------------------- */

/* An output operation that keeps the rows of every batch that its stream produces. Owned by the
 * context, like its results; never NULL unless memory is gone. Look at it between steps. */
typedef struct beck_collector beck_collector;
BECK_API beck_collector *beck_collect_stream(beck_dstream *s);

/* How many batches there are; the time of the i-th in milliseconds (-1: no such batch); its rows in
 * partition order (NULL: no such batch). */
BECK_API size_t beck_collector_batches(const beck_collector *collector);
BECK_API int64_t beck_collector_time(const beck_collector *collector, size_t i);
BECK_API const beck_result *beck_collector_result(const beck_collector *collector, size_t i);

/* ---- simulation ----------------------------------------------------------------------------- */

/* Runs body(user) in a simulated world: the contexts made inside live on virtual time and a virtual
 * network with delays and resets, in which `seed` decides everything. Returns a hash of all that
 * happened: the same seed and body give the same one. 0 if the simulation could not run or ended in
 * a deadlock. Files are the world's own, in memory; no worker processes. */
BECK_API uint64_t beck_simulate(uint64_t seed, void (*body)(void *user), void *user);

/* Inside a simulation, before the streams that need it are started: a server on this port of
 * "localhost" that sends these bytes to each client that connects, then closes. Copied. */
BECK_API beck_status beck_simulated_server(int port, const char *data, size_t size);
/* Inside a simulation, at any time: a file of these bytes, made or made anew, with the directories
 * that lead to it ("/in/a"). It appears as one: written aside, then renamed. */
BECK_API beck_status beck_simulated_file(const char *path, const char *data, size_t size);

#ifdef __cplusplus
}
#endif
#endif
