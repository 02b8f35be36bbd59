/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processes.c - the same executable again, with a socket pair between the two.
 *
 *     parent                                        child
 *     process_start: BECK_WORKER=<fd>, fork, exec   parent_channel: takes <fd>, unsets BECK_WORKER
 *     channel <---------- socketpair -------------> channel
 *
 * Each child has a keeper thread in the parent, which forks it and then waits for its end: a child
 * is killed with the *thread* that forked it (PR_SET_PDEATHSIG), and any thread may start one. The
 * child ignores SIGINT and SIGTERM: Ctrl-C goes to the whole group, and the parent finishes its
 * batch first.
 */
#define _GNU_SOURCE
#include "os/real.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define VARIABLE "BECK_WORKER"

extern char **environ;

/* What exec needs, made before the fork: afterwards only async-signal-safe calls are allowed. */
struct image {
    struct arena arena;
    char **arguments, **environment;
    char variable[32];
    sigset_t signals; /* the mask of the thread that asked */
    int channel;      /* the child's end */
    pid_t parent;
};

struct os_process {
    pthread_t keeper;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct image *image; /* until it is started */
    pid_t pid;           /* > 0 while it may be killed */
    int code;            /* errno of the start */
    bool started;        /* or failed to: code */
    int status;
};

/* ---- before the fork ----------------------------------------------------------------------- */

/* The whole of a file of /proc. */
static bool read_all(const char *path, struct text *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = 1;
    while (got && beck__text_reserve(out, 4096)) {
        got = read(fd, out->data + out->size, out->capacity - out->size - 1);
        if (got < 0 && errno != EINTR)
            break;
        if (got > 0)
            out->size += (size_t)got;
    }
    close(fd);
    return got == 0 && !out->failed;
}

/* "a\0b\0" as a list that ends with NULL. */
static bool split_arguments(struct image *image, const struct text *text)
{
    size_t count = 0;
    for (size_t i = 0; i < text->size; i++)
        count += !text->data[i];
    char *copy = beck__arena_copy(&image->arena, text->data, text->size + 1);
    image->arguments = beck__arena_alloc(&image->arena, (count + 2) * sizeof *image->arguments);
    if (!copy || !image->arguments)
        return false;
    const char *end = copy + text->size;
    for (size_t i = 0; copy < end; copy += strlen(copy) + 1)
        image->arguments[i++] = copy;
    return true;
}

/* Our environment with BECK_WORKER=<fd>. The strings stay where they are: exec comes at once. */
static bool make_environment(struct image *image)
{
    size_t count = 0, name = strlen(VARIABLE "=");
    while (environ[count])
        count++;
    char **list = beck__arena_alloc(&image->arena, (count + 2) * sizeof *list);
    if (!list)
        return false;
    image->environment = list;
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], VARIABLE "=", name) != 0)
            *list++ = environ[i];
    snprintf(image->variable, sizeof image->variable, VARIABLE "=%d", image->channel);
    *list = image->variable;
    return true;
}

static int make_image(struct os *os, struct image *image, int channel)
{
    struct text text = {.memory = &os->memory};
    image->channel = channel;
    image->parent = getpid();
    pthread_sigmask(SIG_SETMASK, NULL, &image->signals);
    errno = ENOMEM;
    bool ok = read_all("/proc/self/cmdline", &text);
    int code = text.failed ? ENOMEM : errno;
    if (ok && (!split_arguments(image, &text) || !make_environment(image))) {
        ok = false;
        code = ENOMEM;
    }
    beck__text_deinit(&text);
    return ok ? 0 : code;
}

/* ---- the child ----------------------------------------------------------------------------- */

static _Noreturn void become(const struct image *image, int report)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != image->parent)
        _exit(127); /* it died before */
    sigaction(SIGINT, &ignore, NULL);
    sigaction(SIGTERM, &ignore, NULL);
    sigprocmask(SIG_SETMASK, &image->signals, NULL);
    fcntl(image->channel, F_SETFD, 0);
    execve("/proc/self/exe", image->arguments, image->environment);
    int code = errno;
    ssize_t wrote = write(report, &code, sizeof code);
    (void)wrote;
    _exit(127);
}

/* Forks and waits until exec has closed the pipe or reported its errno. */
static int fork_child(const struct image *image, pid_t *pid)
{
    int ends[2], code = 0;
    if (pipe2(ends, O_CLOEXEC))
        return errno;
    *pid = fork();
    if (*pid == 0)
        become(image, ends[1]);
    if (*pid < 0)
        code = errno;
    close(ends[1]);
    ssize_t got = 0;
    if (*pid > 0) {
        do
            got = read(ends[0], &code, sizeof code);
        while (got < 0 && errno == EINTR);
        if (got != sizeof code)
            code = 0;
        else
            waitpid(*pid, NULL, 0);
    }
    close(ends[0]);
    return code;
}

/* ---- the keeper ---------------------------------------------------------------------------- */

static void *keep(void *user)
{
    struct os_process *process = user;
    pid_t pid = 0;
    int code = fork_child(process->image, &pid);
    pthread_mutex_lock(&process->mutex);
    process->code = code;
    process->pid = code ? 0 : pid;
    process->started = true;
    pthread_cond_signal(&process->changed);
    pthread_mutex_unlock(&process->mutex);
    if (code)
        return NULL;
    siginfo_t info;
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) && errno == EINTR) {
    }
    pthread_mutex_lock(&process->mutex);
    process->pid = 0; /* from here on the number may be another's */
    waitpid(pid, &process->status, 0);
    pthread_mutex_unlock(&process->mutex);
    return NULL;
}

static void process_free(struct os *os, struct os_process *process)
{
    pthread_cond_destroy(&process->changed);
    pthread_mutex_destroy(&process->mutex);
    beck__free(&os->memory, process, sizeof *process);
}

/* Starts the keeper and waits until it knows whether the child runs. */
static int start_keeper(struct os_process *process)
{
    int code = beck__thread_create(&process->keeper, keep, process);
    if (code)
        return code;
    pthread_mutex_lock(&process->mutex);
    while (!process->started)
        pthread_cond_wait(&process->changed, &process->mutex);
    pthread_mutex_unlock(&process->mutex);
    if (process->code)
        pthread_join(process->keeper, NULL);
    return process->code;
}

static beck_status process_start(struct os *os, struct os_process **result,
                                 struct os_socket **channel, struct error *error)
{
    int ends[2];
    *result = NULL;
    *channel = NULL;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return beck__os_fail(error, errno, "start process: make a pair of sockets");
    struct image image;
    memset(&image, 0, sizeof image);
    beck__arena_init(&image.arena, &os->memory);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    struct os_socket *socket = beck__socket_of(os, ends[0], "a worker process");
    struct os_process *process = beck__alloc_zero(&os->memory, sizeof *process);
    int code = socket && process ? make_image(os, &image, ends[1]) : ENOMEM;
    if (process) {
        pthread_mutex_init(&process->mutex, NULL);
        pthread_cond_init(&process->changed, NULL);
        process->image = &image;
    }
    if (!code)
        code = start_keeper(process);
    close(ends[1]);
    beck__arena_deinit(&image.arena);
    if (code) {
        os->shut(os, socket);
        if (process)
            process_free(os, process);
        return beck__os_fail(error, code, "start process: run /proc/self/exe again");
    }
    process->image = NULL;
    *result = process;
    *channel = socket;
    return BECK_OK;
}

static void process_kill(struct os *os, struct os_process *process)
{
    (void)os;
    pthread_mutex_lock(&process->mutex);
    if (process->pid > 0)
        kill(process->pid, SIGKILL);
    pthread_mutex_unlock(&process->mutex);
}

/* /proc/PID/stat: "PID (name) S ..."; the name may hold anything. */
static bool process_waits(struct os *os, struct os_process *process)
{
    struct text text = {.memory = &os->memory};
    char path[40];

    pthread_mutex_lock(&process->mutex);
    snprintf(path, sizeof path, "/proc/%d/stat", (int)process->pid);
    bool read = process->pid > 0 && read_all(path, &text);
    pthread_mutex_unlock(&process->mutex);
    size_t i = text.size;
    while (i > 0 && text.data[i - 1] != ')')
        i--;
    bool waits = read && i > 0 && i + 1 < text.size && strchr("SD", text.data[i + 1]);
    beck__text_deinit(&text);
    return waits;
}

static void process_wait(struct os *os, struct os_process *process, int *code)
{
    if (!process)
        return;
    pthread_join(process->keeper, NULL);
    int status = process->status;
    if (code)
        *code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    process_free(os, process);
}

/* ---- in the child -------------------------------------------------------------------------- */

/* The descriptor that BECK_WORKER names, if it is a socket; -1. */
static int inherited(const char *text)
{
    char *end;
    struct stat s;
    long fd = strtol(text, &end, 10);
    if (*end || end == text || fd < 3 || fd > INT32_MAX || fstat((int)fd, &s) ||
        !S_ISSOCK(s.st_mode))
        return -1;
    return (int)fd;
}

static struct os_socket *parent_channel(struct os *os)
{
    static _Atomic bool asked;
    const char *text = getenv(VARIABLE);
    if (!text || atomic_exchange(&asked, true))
        return NULL;
    int fd = inherited(text);
    unsetenv(VARIABLE);
    if (fd < 0)
        return NULL;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return beck__socket_of(os, fd, "the driver process");
}

void beck__real_processes(struct os *os)
{
    os->process_start = process_start;
    os->parent_channel = parent_channel;
    os->process_kill = process_kill;
    os->process_waits = process_waits;
    os->process_wait = process_wait;
}
