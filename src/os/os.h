/* SPDX-License-Identifier: Apache-2.0 */
/*
 * os - the only door to the kernel: clock, memory, threads, files, sockets, processes, randomness.
 * One vtable, two implementations: the real one, and a simulated one in which a seed decides
 * everything (virtual clock, exactly one runnable thread at a time, network with delays and
 * resets), so that one seed replays a run bit for bit.
 *
 * Everything that can fail returns a status and sets `error` (may be NULL) to a text that names the
 * call, the object and the reason ("open /x/y: Permission denied"). Nothing here retries, except
 * for EINTR and short writes. Timeouts are in nanoseconds: 0 returns at once, negative waits for
 * ever. Every function may be called from any thread, unless it says otherwise.
 */
#ifndef BECK_OS_H
#define BECK_OS_H

#include "base/base.h"

struct os_thread;
struct os_lock;
struct os_gate;
struct os_poller;
struct os_file;
struct os_socket;
struct os_process;

/* CREATE truncates; CREATE_NEW: BECK_EXISTS. HOLD: a directory of this user's, no link to one,
 * which nobody else holds (BECK_STATE) until it is closed or the process has ended, however it did;
 * BECK_UNSUPPORTED: its file system has no locks. */
enum os_open { OS_READ, OS_CREATE, OS_CREATE_NEW, OS_HOLD };
enum os_kind { OS_ABSENT, OS_FILE, OS_DIRECTORY, OS_OTHER };

/* A file is its device, inode and time of birth (0: the file system does not tell): a new name does
 * not change them, and what is put under the old name has others. Times in ns since 1970. */
struct os_stat {
    enum os_kind kind;
    uint64_t size;
    uint64_t device, inode;
    int64_t born_ns, changed_ns; /* changed: the bytes */
};

/* One thing to wait for. `ready` is set on return (readable or writable as asked, or broken). */
struct os_wait {
    struct os_socket *socket;
    bool read, write, ready;
};

struct os {
    struct allocator memory; /* counts against memory_max; see below */
    bool simulated;

    /* clock */
    int64_t (*mono_ns)(struct os *os); /* never goes back */
    int64_t (*wall_ms)(struct os *os); /* since 1970 */
    int64_t (*cpu_ns)(struct os *os);  /* CPU time of the calling thread; 0 in the simulation */
    void (*sleep_ns)(struct os *os, int64_t ns);

    /* threads, locks; a gate is a condition: wait gives the lock back while it waits, may wake for
     * no reason, and returns false after the timeout */
    struct os_thread *(*thread_start)(struct os *os, const char *name, void (*run)(void *),
                                      void *user, struct error *error);
    void (*thread_join)(struct os *os, struct os_thread *thread); /* waits and frees */
    uint64_t (*thread_self)(struct os *os);
    struct os_lock *(*lock_new)(struct os *os);
    void (*lock_free)(struct os *os, struct os_lock *lock); /* NULL is nothing, here and below */
    void (*lock)(struct os *os, struct os_lock *lock);
    void (*unlock)(struct os *os, struct os_lock *lock);
    struct os_gate *(*gate_new)(struct os *os);
    void (*gate_free)(struct os *os, struct os_gate *gate);
    bool (*gate_wait)(struct os *os, struct os_gate *gate, struct os_lock *lock,
                      int64_t timeout_ns);
    void (*gate_wake)(struct os *os, struct os_gate *gate); /* one waiter */
    void (*gate_wake_all)(struct os *os, struct os_gate *gate);

    /* waiting for sockets. One thread waits; any thread (and a signal handler) may wake it: a wake
     * that comes early is remembered. True: something is ready or it was woken. */
    struct os_poller *(*poller_new)(struct os *os);
    void (*poller_free)(struct os *os, struct os_poller *poller);
    bool (*poller_wait)(struct os *os, struct os_poller *poller, struct os_wait *waits,
                        size_t count, int64_t timeout_ns);
    void (*poller_wake)(struct os *os, struct os_poller *poller);

    /* SIGINT and SIGTERM: each one adds 1 to *count and wakes the poller. SIGPIPE is ignored. One
     * user at a time, the newest; release puts the old handlers back. */
    void (*signals_catch)(struct os *os, struct os_poller *poller, _Atomic int *count);
    void (*signals_release)(struct os *os);

    /* files */
    beck_status (*open)(struct os *os, const char *path, enum os_open how, struct os_file **file,
                        struct error *error);
    beck_status (*read)(struct os *os, struct os_file *file, uint64_t at, void *data, size_t size,
                        size_t *got, struct error *error); /* *got < size only at the end */
    beck_status (*write)(struct os *os, struct os_file *file, const void *data, size_t size,
                         struct error *error); /* appends all of it */
    beck_status (*sync)(struct os *os, struct os_file *file, struct error *error);
    /* Frees the file always. */
    beck_status (*close)(struct os *os, struct os_file *file, struct error *error);
    beck_status (*stat)(struct os *os, const char *path, struct os_stat *stat, struct error *error);
    beck_status (*stat_open)(struct os *os, struct os_file *file, struct os_stat *stat,
                             struct error *error);
    beck_status (*rename)(struct os *os, const char *from, const char *to, struct error *error);
    /* A file or an empty directory. */
    beck_status (*remove)(struct os *os, const char *path, struct error *error);
    beck_status (*mkdir)(struct os *os, const char *path, struct error *error); /* BECK_EXISTS */
    beck_status (*sync_dir)(struct os *os, const char *path, struct error *error);
    /* Names in order of bytes, without . and ..; in the arena. */
    beck_status (*list)(struct os *os, const char *path, struct arena *arena, char ***names,
                        size_t *count, struct error *error);

    /* sockets: stream, never blocking unless a timeout says so. BECK_AGAIN: nothing now (it sets no
     * error); BECK_CLOSED: the other side has ended, or the connection was reset. send gives as
     * much as it can until the time is over (BECK_OK if that is anything, *sent is right after an
     * error, too); recv waits for the first byte and gives what is there. */
    beck_status (*listen)(struct os *os, const char *host, int port, struct os_socket **socket,
                          int *bound, struct error *error); /* port 0: a free one */
    beck_status (*accept)(struct os *os, struct os_socket *listener, struct os_socket **socket,
                          struct error *error); /* BECK_AGAIN */
    /* Starts to connect; then wait until it is writable and ask `connected`. A name with several
     * addresses: they are tried in order, and BECK_AGAIN means that the next one is under way.
     * Looking the name up may take the time it takes. */
    beck_status (*connect)(struct os *os, const char *host, int port, struct os_socket **socket,
                           struct error *error);
    beck_status (*connected)(struct os *os, struct os_socket *socket, struct error *error);
    beck_status (*send)(struct os *os, struct os_socket *socket, const void *data, size_t size,
                        size_t *sent, int64_t timeout_ns, struct error *error);
    beck_status (*recv)(struct os *os, struct os_socket *socket, void *data, size_t size,
                        size_t *got, int64_t timeout_ns, struct error *error);
    void (*shut)(struct os *os, struct os_socket *socket); /* frees; NULL is nothing */
    /* Standard input as a socket to receive from. Not in the simulation: BECK_UNSUPPORTED. */
    beck_status (*input)(struct os *os, struct os_socket **socket, struct error *error);

    /* processes: the same executable again, with a socket to it; in the child, parent_channel gives
     * the other end (else NULL). Not in the simulation: BECK_UNSUPPORTED. */
    beck_status (*process_start)(struct os *os, struct os_process **process,
                                 struct os_socket **channel, struct error *error);
    struct os_socket *(*parent_channel)(struct os *os);
    void (*process_kill)(struct os *os, struct os_process *process);
    /* True if its first thread sleeps: it waits for a file, a peer, a lock. */
    bool (*process_waits)(struct os *os, struct os_process *process);
    /* Waits for its end and frees; *code: exit code, or -signal. */
    void (*process_wait)(struct os *os, struct os_process *process, int *code);
    void (*exit)(struct os *os, int code);

    /* the rest */
    void (*random)(struct os *os, void *data, size_t size);
    const char *(*env)(struct os *os, const char *name); /* NULL: not set */
    const char *(*env_at)(struct os *os, size_t i);      /* "NAME=value"; NULL: no more */
    void (*print)(struct os *os, int stream, const char *data, size_t size); /* 1 or 2 */
    int (*cpu_count)(struct os *os);
    struct function_id (*function_id)(struct os *os, const void *address);
    void *(*function_of)(struct os *os, struct function_id id); /* NULL: unknown module */
};

/* The real one, made once, never freed. */
struct os *beck__os_real(void);

/* The os of the calling thread: the simulated one inside beck__os_simulate, else the real one. */
struct os *beck__os_current(void);

/* At most this many bytes from os->memory of the real os; 0: no limit. Further allocations fail. */
void beck__os_memory_max(struct os *os, size_t bytes);
size_t beck__os_memory_used(struct os *os);
/* Number of calls of os->memory that allocated or moved, since the start of the process. */
uint64_t beck__os_memory_calls(struct os *os);
/* Tests: the n-th allocation from now on fails (and with `all` every later one); 0: none. */
void beck__os_memory_fail(struct os *os, uint64_t n, bool all);

/* ---- simulation ---------------------------------------------------------------------------- */

struct os_simulation {
    uint64_t seed;
    int64_t start_ms;          /* wall clock at the start; 0: 1,000,000 */
    int64_t delay_ns_max;      /* of each message; 0: 5 ms */
    unsigned reset_per_mille;  /* chance that a send resets the connection */
    unsigned refuse_per_mille; /* chance that a connect is refused */
    /* results */
    uint64_t trace; /* hash of every scheduling decision, call and byte */
    uint64_t steps;
    bool deadlock; /* no thread could run and no timer was pending */
};

/* Runs body(user) as the first thread of a simulated world and returns when all its threads have
 * ended. Each thread is a real one, but only the holder of the baton runs; every os call is a point
 * at which the seed may hand it on. print() goes to `out` if not NULL. The files are the world's
 * own, in memory, at first none; paths are compared as text. */
beck_status beck__os_simulate(struct os_simulation *simulation, void (*body)(void *user),
                              void *user, struct text *out, struct error *error);

#endif
