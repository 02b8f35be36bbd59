/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.c - files and directories. Writing appends; reading says where. A file belongs to one
 * thread at a time.
 */
#define _GNU_SOURCE
#include "os/real.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct os_file {
    int fd;
    size_t size; /* of this struct */
    char path[];
};

/* An errno. A directory may have been removed before it was locked. */
static int hold(int fd)
{
    struct stat s;
    int failed;

    do
        failed = flock(fd, LOCK_EX | LOCK_NB);
    while (failed && errno == EINTR);
    if (failed)
        return errno == EWOULDBLOCK ? EBUSY : ENOSYS;
    if (fstat(fd, &s))
        return errno;
    return s.st_uid != geteuid() ? EPERM : s.st_nlink ? 0 : ENOENT;
}

static beck_status file_open(struct os *os, const char *path, enum os_open how,
                             struct os_file **file, struct error *error)
{
    static const int flags[] = {
        [OS_READ] = O_RDONLY,
        [OS_CREATE] = O_WRONLY | O_CREAT | O_TRUNC,
        [OS_CREATE_NEW] = O_WRONLY | O_CREAT | O_EXCL,
        [OS_HOLD] = O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
    };
    static const char *const verbs[] = {"open", "create", "create", "hold"};
    size_t size = sizeof **file + strlen(path) + 1;
    *file = NULL;
    struct os_file *f = beck__alloc(&os->memory, size);
    if (!f)
        return beck__error_memory(error, path, size);
    f->size = size;
    memcpy(f->path, path, strlen(path) + 1);
    do
        f->fd = open(path, flags[how] | O_CLOEXEC, 0666);
    while (f->fd < 0 && errno == EINTR);
    struct stat s;
    int code = f->fd < 0 ? errno : 0;
    if (!code && how == OS_READ && fstat(f->fd, &s) == 0 && S_ISDIR(s.st_mode))
        code = EISDIR; /* else only the first read would say so */
    if (!code && how == OS_HOLD)
        code = hold(f->fd);
    if (code) {
        if (f->fd >= 0)
            close(f->fd);
        beck__free(&os->memory, f, size);
        return beck__os_fail(error, code, "%s %s", verbs[how], path);
    }
    *file = f;
    return BECK_OK;
}

static beck_status file_read(struct os *os, struct os_file *file, uint64_t at, void *data,
                             size_t size, size_t *got, struct error *error)
{
    (void)os;
    *got = 0;
    while (*got < size) {
        ssize_t n = pread(file->fd, (char *)data + *got, size - *got, (off_t)(at + *got));
        if (n > 0)
            *got += (size_t)n;
        else if (n == 0)
            break;
        else if (errno != EINTR)
            return beck__os_fail(error, errno, "read %s", file->path);
    }
    return BECK_OK;
}

static beck_status file_write(struct os *os, struct os_file *file, const void *data, size_t size,
                              struct error *error)
{
    (void)os;
    const char *at = data;
    while (size) {
        ssize_t n = write(file->fd, at, size);
        if (n > 0) {
            at += n;
            size -= (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            return beck__os_fail(error, n ? errno : EIO, "write %s", file->path);
        }
    }
    return BECK_OK;
}

static beck_status file_sync(struct os *os, struct os_file *file, struct error *error)
{
    (void)os;
    return fsync(file->fd) ? beck__os_fail(error, errno, "sync %s", file->path) : BECK_OK;
}

static beck_status file_close(struct os *os, struct os_file *file, struct error *error)
{
    if (!file)
        return BECK_OK;
    beck_status status = BECK_OK;
    if (close(file->fd) && errno != EINTR) /* Linux has closed it even so */
        status = beck__os_fail(error, errno, "close %s", file->path);
    beck__free(&os->memory, file, file->size);
    return status;
}

static int64_t time_ns(const struct statx_timestamp *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static void fill_stat(struct os_stat *result, const struct statx *s)
{
    *result = (struct os_stat){
        .kind = S_ISREG(s->stx_mode)   ? OS_FILE
                : S_ISDIR(s->stx_mode) ? OS_DIRECTORY
                                       : OS_OTHER,
        .size = s->stx_size,
        .device = (uint64_t)s->stx_dev_major << 32 | s->stx_dev_minor,
        .inode = s->stx_ino,
        .born_ns = s->stx_mask & STATX_BTIME ? time_ns(&s->stx_btime) : 0,
        .changed_ns = time_ns(&s->stx_mtime),
    };
}

#define STAT_WHAT (STATX_BASIC_STATS | STATX_BTIME)

static beck_status path_stat(struct os *os, const char *path, struct os_stat *result,
                             struct error *error)
{
    (void)os;
    struct statx s;
    memset(result, 0, sizeof *result);
    if (statx(AT_FDCWD, path, 0, STAT_WHAT, &s)) {
        if (errno == ENOENT || errno == ENOTDIR)
            return BECK_OK;
        return beck__os_fail(error, errno, "stat %s", path);
    }
    fill_stat(result, &s);
    return BECK_OK;
}

static beck_status file_stat(struct os *os, struct os_file *file, struct os_stat *result,
                             struct error *error)
{
    (void)os;
    struct statx s;
    memset(result, 0, sizeof *result);
    if (statx(file->fd, "", AT_EMPTY_PATH, STAT_WHAT, &s))
        return beck__os_fail(error, errno, "stat %s", file->path);
    fill_stat(result, &s);
    return BECK_OK;
}

static beck_status path_rename(struct os *os, const char *from, const char *to, struct error *error)
{
    (void)os;
    return rename(from, to) ? beck__os_fail(error, errno, "rename %s to %s", from, to) : BECK_OK;
}

static beck_status path_remove(struct os *os, const char *path, struct error *error)
{
    (void)os;
    return remove(path) ? beck__os_fail(error, errno, "remove %s", path) : BECK_OK;
}

static beck_status path_mkdir(struct os *os, const char *path, struct error *error)
{
    (void)os;
    return mkdir(path, 0777) ? beck__os_fail(error, errno, "make directory %s", path) : BECK_OK;
}

static beck_status sync_dir(struct os *os, const char *path, struct error *error)
{
    (void)os;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return beck__os_fail(error, errno, "open directory %s", path);
    int code = fsync(fd) ? errno : 0;
    close(fd);
    if (code && code != EINVAL) /* a file system that has no such thing */
        return beck__os_fail(error, code, "sync directory %s", path);
    return BECK_OK;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Appends the name to the vector in the arena. */
static bool add_name(struct arena *arena, const char *name, char ***names, size_t *capacity,
                     size_t count)
{
    void *items = *names;
    if (!beck__arena_reserve(arena, &items, capacity, count + 1, sizeof **names))
        return false;
    *names = items;
    (*names)[count] = beck__arena_text(arena, name);
    return (*names)[count] != NULL;
}

static beck_status path_list(struct os *os, const char *path, struct arena *arena, char ***names,
                             size_t *count, struct error *error)
{
    (void)os;
    *names = NULL;
    *count = 0;
    DIR *dir = opendir(path);
    if (!dir)
        return beck__os_fail(error, errno, "list %s", path);
    beck_status status = BECK_OK;
    size_t capacity = 0;
    while (!status) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (!entry) {
            if (errno)
                status = beck__os_fail(error, errno, "list %s", path);
            break;
        }
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (add_name(arena, entry->d_name, names, &capacity, *count))
            ++*count;
        else
            status = beck__error_memory(error, "names of files", sizeof **names);
    }
    closedir(dir);
    if (*count)
        qsort(*names, *count, sizeof **names, by_bytes);
    return status;
}

void beck__real_files(struct os *os)
{
    os->open = file_open;
    os->read = file_read;
    os->write = file_write;
    os->sync = file_sync;
    os->close = file_close;
    os->stat = path_stat;
    os->stat_open = file_stat;
    os->rename = path_rename;
    os->remove = path_remove;
    os->mkdir = path_mkdir;
    os->sync_dir = sync_dir;
    os->list = path_list;
}
