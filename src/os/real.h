/* SPDX-License-Identifier: Apache-2.0 */
/*
 * real.h - what the files of the real implementation share. Each file fills its part of the vtable.
 */
#ifndef BECK_OS_REAL_H
#define BECK_OS_REAL_H

#include "os/os.h"

#include <pthread.h>

/* A sanitizer must see every allocation, and needs more stack. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BECK__SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BECK__SANITIZED 1
#endif
#endif
#ifndef BECK__SANITIZED
#define BECK__SANITIZED 0
#endif

void beck__real_memory(struct os *os);
void beck__real_clock(struct os *os);
void beck__real_threads(struct os *os);
void beck__real_files(struct os *os);
void beck__real_sockets(struct os *os);
void beck__real_poller(struct os *os);
void beck__real_signals(struct os *os);
void beck__real_processes(struct os *os);
void beck__real_functions(struct os *os);

/* The os of this thread, if it is not the real one. */
void beck__os_enter(struct os *os);

/* Sets "open /x/y: Permission denied" from the format and an errno; returns its status. */
beck_status beck__os_fail(struct error *error, int code, const char *format, ...)
    BECK__PRINTF(3, 4);

/* A joinable thread with a small stack and all signals blocked; 0 or an errno. */
int beck__thread_create(pthread_t *thread, void *(*run)(void *), void *user);

/* Memory of 2 MiB and more, on huge pages where the kernel has them; sizes as in an allocator. */
#define BECK__LARGE ((size_t)2 << 20)
void *beck__large_alloc(size_t size);
void beck__large_free(void *p, size_t size);
void *beck__large_resize(void *p, size_t old_size, size_t new_size);

/* A socket is a file descriptor and the text that names it in errors. */
struct os_socket {
    int fd;
    struct addrinfo *addresses; /* of a connect under way: all, to be freed */
    struct addrinfo *address;   /* and the one that is tried now */
    bool input;                 /* standard input: a terminal, a pipe, a file */
    size_t size;                /* of this struct */
    char name[];                /* "localhost:9999" */
};

/* Takes the descriptor, also when it fails (NULL: no memory). */
struct os_socket *beck__socket_of(struct os *os, int fd, const char *name);

/* Waits for one descriptor: > 0 ready, 0 timed out, < 0 errno. */
int beck__poll_one(int fd, short events, int64_t timeout_ns);

struct timespec;
struct timespec beck__timespec(int64_t ns);
int64_t beck__mono_ns(void);

#endif
