/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - one table of options feeds parsing, checking, --help and docs/options.md. A value comes,
 * in rising order, from: the default, the program (a set of it), the file, the environment, the
 * command line. No I/O here: the caller brings the file's text and the environment.
 */
#ifndef BECK_CONFIG_H
#define BECK_CONFIG_H

#include "base/base.h"

/* Kinds: DURATION "500ms", "2s", "1m", "1h", plain number = ms (kept in ms); BYTES "64k", "1m",
 * "2g"; COUNT an integer; FLAG true or false (on the command line `--flag` alone is true); TEXT
 * anything; MASTER "local", "local[N]", "local[*]"; POOLS "NAME:WEIGHT,NAME:WEIGHT".
 *
 * X(id, key, flag, kind, default, least, most, help). Command line: --flag VALUE, --flag=VALUE, or
 * --conf key=VALUE; environment: BECK_ and the flag, or the key, in capitals with _ for - and dot
 * (BECK_BATCH, BECK_DRIVER_BATCH); file: lines `key = value`, # begins a comment. An empty flag:
 * only
 * --conf. */
#define BECK__OPTIONS(X)                                                                           \
    X(MASTER, "engine.master", "master", MASTER, "local[*]", 0, 0,                                 \
      "where tasks run: local[N] with N worker threads, local[*] with one per processor")          \
    X(BATCH, "driver.batch", "batch", DURATION, "1s", 1, 86400000, "batch interval")               \
    X(TRIGGER, "driver.trigger", "trigger", CHOICE, "interval|event", 0, 0,                        \
      "when batches begin: at each interval, or as soon as there is data; driver.batch is then "   \
      "the shortest time between two, by default 1ms")                                             \
    X(BATCH_BYTES, "driver.batch_bytes", "batch-bytes", BYTES, "0", 0, 1125899906842624,           \
      "bytes of each input in one batch; what is more waits for the next one; 0: no limit")        \
    X(PARTITIONS, "engine.partitions", "partitions", COUNT, "8", 1, 65536,                         \
      "number of partitions after a shuffle")                                                      \
    X(POOLS, "engine.pools", "pools", POOLS, "", 0, 0,                                             \
      "weights of pools, such as alerts:4,reports:1: outputs with .pool share the worker threads " \
      "by weight (a pool that is not listed has 1, and so has default)")                           \
    X(WAITING_TASKS, "engine.waiting_tasks", "", COUNT, "64", 0, 4096,                             \
      "tasks that may wait for files or peers beside those that compute")                          \
    X(ISOLATE, "engine.isolate", "isolate", FLAG, "false", 0, 1,                                   \
      "run tasks in worker processes, each a copy of this program")                                \
    X(DESCRIBE, "driver.describe", "describe", FLAG, "false", 0, 1,                                \
      "print the graph of operators and end")                                                      \
    X(HELP, "driver.help", "help", FLAG, "false", 0, 1, "print the options and end")               \
    X(CONF_FILE, "driver.conf_file", "conf-file", TEXT, "", 0, 0, "read options from this file")   \
    X(ENCODE, "engine.encode", "", CHOICE, "none|all", 0, 0,                                       \
      "test mode: all encodes and decodes every block that is handed over")                        \
    X(FAULTS, "engine.faults", "", COUNT, "0", 0, 1000000000000000000,                             \
      "test mode: a seed by which tasks fail, worker processes are killed and cached rows are "    \
      "lost, as far as results stay the same; 0: none")                                            \
    X(ATTEMPTS, "engine.attempts", "", COUNT, "4", 1, 100,                                         \
      "attempts of a task before its batch fails")                                                 \
    X(INLINE_ROWS, "engine.inline_rows", "", COUNT, "4096", 0, 1000000000,                         \
      "stages without user callbacks up to this many rows run on the driver's thread")             \
    X(SPLIT_BYTES, "engine.split_bytes", "", BYTES, "32m", 4096, 1099511627776,                    \
      "files are cut into partitions of this size")                                                \
    X(MEMORY, "engine.memory", "memory", BYTES, "0", 0, 1125899906842624,                          \
      "limit of the memory Beck takes; 0: none")                                                   \
    X(STORAGE_BYTES, "engine.storage_bytes", "", BYTES, "0", 0, 1125899906842624,                  \
      "rows that persist and windows hold in memory, the rest goes to disk or is dropped; 0: "     \
      "half of engine.memory, or no limit without that one")                                       \
    X(STORAGE_DIR, "engine.storage_dir", "", TEXT, "/tmp", 0, 0,                                   \
      "where rows that go to disk lie, in a directory that is removed at the end")                 \
    X(ON_FAILURE, "driver.on_failure", "on-failure", CHOICE, "stop|skip", 0, 0,                    \
      "after a batch that failed: stop, or skip it and go on (it is reported)")                    \
    X(WAITING_BATCHES, "driver.waiting_batches", "", COUNT, "100", 1, 1000000,                     \
      "batches that may wait; further ones are made when there is room")                           \
    X(STOP_TIMEOUT, "driver.stop_timeout", "", DURATION, "0", 0, 86400000,                         \
      "longest wait of a graceful stop; 0: ten batch intervals, at least 10 s")                    \
    X(BLOCK, "receiver.block", "block", DURATION, "200ms", 1, 86400000,                            \
      "received data is sealed into a block after this time")                                      \
    X(BLOCK_BYTES, "receiver.block_bytes", "", BYTES, "4m", 4096, 1073741824,                      \
      "received data is sealed into a block at this size")                                         \
    X(RECEIVER_BYTES, "receiver.bytes_max", "", BYTES, "0", 0, 1125899906842624,                   \
      "received data that waits or is being processed, per receiver; then it is not read on; "     \
      "0: a quarter of engine.memory, or 256m without that limit")                                 \
    X(RECONNECT, "socket.reconnect", "", DURATION, "2s", 1, 86400000,                              \
      "wait before a receiver that failed starts again")                                           \
    X(LINE_BYTES, "text.line_bytes_max", "", BYTES, "1m", 16, 268435456,                           \
      "longer lines are cut off there and counted")                                                \
    X(KNOWN_FILES, "files.known_max", "", COUNT, "1000000", 1, 1000000000,                         \
      "files that a stream over a directory remembers, at about 100 bytes each")                   \
    X(LOG, "log.level", "log", CHOICE, "warning|error|info", 0, 0,                                 \
      "what is written to standard error")

enum option {
#define BECK__OPTION_ENUM(id, key, flag, kind, initial, least, most, help) OPTION_##id,
    BECK__OPTIONS(BECK__OPTION_ENUM)
#undef BECK__OPTION_ENUM
        OPTION_COUNT
};

struct settings;

/* All defaults; everything lives in the arena. NULL without memory. */
struct settings *beck__settings_new(struct arena *arena);

/* Sets one by key or flag. An unknown name suggests the nearest one; a bad value says what is
 * accepted; a value out of range says the range. `origin` is named in errors ("--batch",
 * "BECK_BATCH", "wc.conf line 3", "beck_context_new"). */
beck_status beck__settings_set(struct settings *settings, const char *name, const char *value,
                               const char *origin, struct error *error);
/* Takes the options out of argv: everything unknown that does not begin with "--", and everything
 * after a "--" argument, is given back in `rest` (argv[0] first, NULL at the end). An argument that
 * begins with "--" and is no option is an error that suggests the nearest one; the program's own
 * options therefore come after "--". */
beck_status beck__settings_argv(struct settings *settings, int argc, char **argv, char ***rest,
                                int *rest_count, struct error *error);
/* Asks `lookup` for both variable names of each option. */
beck_status beck__settings_env(struct settings *settings,
                               const char *(*lookup)(void *user, const char *name), void *user,
                               struct error *error);
/* True for a variable ("NAME=value") that looks like an option's and is none; `why` says so. All
 * others are somebody else's, also with BECK_: neither like an option nor of a group of options. */
bool beck__settings_stray(const char *variable, struct error *why);
beck_status beck__settings_file(struct settings *settings, const char *path, const char *text,
                                size_t size, struct error *error);

int64_t beck__settings_number(const struct settings *settings,
                              enum option option); /* ms, bytes, count, 0/1; index of a CHOICE */
const char *beck__settings_text(const struct settings *settings, enum option option);
bool beck__settings_given(const struct settings *settings,
                          enum option option); /* not the default */
/* Takes the first item off a list of POOLS; false: there is none, and *list is empty unless it is
 * no list of pools. */
bool beck__pools_next(beck_str *list, beck_str *name, uint32_t *weight);
/* Worker threads that "local[4]" asks for. */
int beck__master_threads(const char *master, int cpu_count);

/* The page of --help for `program`, at most 80 columns wide; and docs/options.md. */
void beck__settings_help(const char *program, struct text *out);
void beck__settings_document(struct text *out);

/* "Did you mean ...?": the name that is few typing mistakes away; NULL if none is near. */
const char *beck__nearest_name(beck_str name, const char *const *names, size_t count);

#endif
