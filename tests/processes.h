/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs as processes of their own, watched through what they print, and a server for them;
 * nothing here waits for a clock. Define _GNU_SOURCE before.
 */
#ifndef BECK_TESTS_PROCESSES_H
#define BECK_TESTS_PROCESSES_H

#include "driver/testing.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a child and what it prints -------------------------------------------------------------- */

struct child {
    pid_t pid;
    int in, out;
    struct text said; /* standard output and error */
};

/* A program in the folder of this build; "examples/word_count". */
static inline const char *built(const char *name)
{
    static char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 100);

    assert_true(size > 0);
    path[size] = 0;
    for (int i = 0; i < 3; i++) /* tests/whole/process_test */
        *strrchr(path, '/') = 0;
    strcat(path, "/");
    return strcat(path, name);
}

static inline void run_in_child(const char *program, char *const argv[], const int in[2],
                                const int out[2])
{
    dup2(in[0], 0);
    dup2(out[1], 1);
    dup2(out[1], 2);
    for (int i = 0; i < 2; i++) {
        close(in[i]);
        close(out[i]);
    }
    execv(program, argv);
    _exit(127);
}

static inline struct child start(const char *program, char *const argv[])
{
    struct child child = {.said = {.memory = &beck__os_real()->memory}};
    int in[2], out[2];

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    fflush(NULL);
    child.pid = fork();
    assert_true(child.pid >= 0);
    if (child.pid == 0)
        run_in_child(program, argv, in, out);
    close(in[0]);
    close(out[1]);
    child.in = in[1];
    child.out = out[0];
    return child;
}

/* Reads on; false at the end. */
static inline bool listen_to(struct child *child)
{
    char piece[1000];
    ssize_t got = read(child->out, piece, sizeof piece);

    if (got > 0)
        beck__text_append(&child->said, piece, (size_t)got);
    return got > 0;
}

static inline void wait_for(struct child *child, const char *text)
{
    while (!strstr(beck__text_get(&child->said), text))
        if (!listen_to(child)) {
            print_error("it ended without \"%s\":\n%s\n", text, beck__text_get(&child->said));
            fail();
        }
}

/* Its exit code, or -signal; all it says is in child->said. */
static inline int wait_for_end(struct child *child)
{
    int status;

    while (listen_to(child)) {
    }
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    close(child->in);
    close(child->out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline void child_deinit(struct child *child)
{
    beck__text_deinit(&child->said);
}

static inline int run_example(const char *name, char *const argv[], struct child *child)
{
    char path[64];

    snprintf(path, sizeof path, "examples/%s", name);
    *child = start(built(path), argv);
    return wait_for_end(child);
}

/* ---- a real server --------------------------------------------------------------------------- */

struct server {
    struct os *os;
    struct os_socket *listener, *client;
    struct os_poller *poller;
    int port;
};

static inline void server_open(struct server *s)
{
    struct error error = {0};

    s->os = beck__os_real();
    s->poller = s->os->poller_new(s->os);
    assert_ok(s->os->listen(s->os, "localhost", 0, &s->listener, &s->port, &error), error);
}

static inline void server_send(struct server *s, const char *text)
{
    struct os_wait wait = {.socket = s->listener, .read = true};
    size_t sent = 0;

    while (!s->client)
        if (s->os->accept(s->os, s->listener, &s->client, NULL) == BECK_AGAIN)
            s->os->poller_wait(s->os, s->poller, &wait, 1, -1);
    assert_int_equal(s->os->send(s->os, s->client, text, strlen(text), &sent, -1, NULL), BECK_OK);
    assert_int_equal(sent, strlen(text));
}

static inline void server_close(struct server *s)
{
    s->os->shut(s->os, s->client);
    s->os->shut(s->os, s->listener);
    s->os->poller_free(s->os, s->poller);
}

#endif
