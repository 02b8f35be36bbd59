/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_files.c - the files of the simulated world: a list of nodes, each with its whole path and its
 * bytes in memory. Every call is a point at which others may run, so a reader meets files that are
 * half written, renamed or gone. What was written is there at once; nothing is lost in a crash,
 * because there are no crashes yet.
 *
 * Invariant: a node has a path as long as it is in the list; an open file keeps its node after the
 * path is gone.
 */
#define _GNU_SOURCE
#include "os/sim.h"

#include "os/real.h"

#include <errno.h>
#include <stdlib.h>

/* An object: path and bytes are objects of their own, because they change. */
struct sim_bytes {
    struct sim_object object;
    size_t capacity;
    char data[];
};

struct sim_node {
    struct sim_object object;
    struct sim_node *next;
    struct sim_bytes *path, *bytes;
    size_t size;
    bool directory, held;
    uint32_t users; /* open files, and the list */
    uint64_t inode;
    int64_t born_ns, changed_ns;
};

struct sim_file {
    struct sim_object object;
    struct sim_node *node;
    bool write, holds;
};

static int64_t wall_ns(const struct world *world)
{
    return world->config->start_ms * 1000000 + world->now;
}

static beck_status failed(struct world *world, struct error *error, int code, const char *verb,
                          const char *path)
{
    beck__sim_trace(world, (uint64_t)code);
    return beck__os_fail(error, code, "%s %s", verb, path);
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static bool reserve(struct world *world, struct sim_bytes **bytes, size_t used, size_t capacity)
{
    struct sim_bytes *old = *bytes;

    if (old && old->capacity >= capacity)
        return true;
    if (old && capacity < old->capacity * 2)
        capacity = old->capacity * 2;
    struct sim_bytes *fresh = beck__sim_new(world, sizeof *fresh + capacity);
    if (!fresh)
        return false;
    fresh->capacity = capacity;
    if (used)
        memcpy(fresh->data, old->data, used);
    beck__sim_free(world, old);
    *bytes = fresh;
    return true;
}

static void release(struct world *world, struct sim_node *node)
{
    if (--node->users)
        return;
    beck__sim_free(world, node->path);
    beck__sim_free(world, node->bytes);
    beck__sim_free(world, node);
}

static struct sim_node **place_of(struct world *world, const char *path, size_t size)
{
    struct sim_node **link = &world->nodes;

    while (*link &&
           (strlen((*link)->path->data) != size || memcmp((*link)->path->data, path, size)))
        link = &(*link)->next;
    return link;
}

static struct sim_node *node_of(struct world *world, const char *path)
{
    return *place_of(world, path, strlen(path));
}

/* "/a/b" -> "/a". The roots of paths are there always. */
static bool parent_exists(struct world *world, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash || slash == path)
        return true;
    const struct sim_node *parent = *place_of(world, path, (size_t)(slash - path));
    return parent && parent->directory;
}

static bool is_root(const char *path)
{
    return !*path || !strcmp(path, "/") || !strcmp(path, ".");
}

static void unlink_node(struct world *world, struct sim_node **link)
{
    struct sim_node *node = *link;

    *link = node->next;
    release(world, node);
}

static struct sim_node *add_node(struct world *world, const char *path, bool directory)
{
    struct sim_node *node = beck__sim_new(world, sizeof *node);
    size_t size = strlen(path) + 1;

    if (!node || !reserve(world, &node->path, 0, size)) {
        beck__sim_free(world, node);
        return NULL;
    }
    memcpy(node->path->data, path, size);
    node->directory = directory;
    node->users = 1;
    node->inode = ++world->last_inode;
    node->born_ns = node->changed_ns = wall_ns(world);
    node->next = world->nodes;
    world->nodes = node;
    return node;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* The node to open, an errno if there is none. */
static int find_or_make(struct world *world, const char *path, enum os_open how,
                        struct sim_node **result)
{
    struct sim_node *node = node_of(world, path);

    *result = node;
    if (how == OS_HOLD)
        return !node ? ENOENT : !node->directory ? ENOTDIR : node->held ? EBUSY : 0;
    if (is_root(path) || (node && node->directory))
        return EISDIR;
    if (how == OS_READ)
        return node ? 0 : ENOENT;
    if (node && how == OS_CREATE_NEW)
        return EEXIST;
    if (!node && !parent_exists(world, path))
        return ENOENT;
    if (!node)
        *result = node = add_node(world, path, false);
    if (!node)
        return ENOMEM;
    node->size = 0;
    node->changed_ns = wall_ns(world);
    return 0;
}

static beck_status file_open(struct os *os, const char *path, enum os_open how,
                             struct os_file **result, struct error *error)
{
    struct world *world = beck__sim_enter(os, SIM_FILE);
    struct sim_file *file = beck__sim_new(world, sizeof *file);
    static const char *const verbs[] = {"open", "create", "create", "hold"};
    struct sim_node *node;
    int code = file ? find_or_make(world, path, how, &node) : ENOMEM;

    *result = NULL;
    if (code) {
        beck__sim_free(world, file);
        return failed(world, error, code, verbs[how], path);
    }
    node->users++;
    file->node = node;
    file->write = how == OS_CREATE || how == OS_CREATE_NEW;
    file->holds = how == OS_HOLD;
    node->held |= file->holds;
    *result = (struct os_file *)file;
    return BECK_OK;
}

static beck_status file_read(struct os *os, struct os_file *handle, uint64_t at, void *data,
                             size_t size, size_t *got, struct error *error)
{
    struct world *world = beck__sim_enter(os, SIM_FILE);
    const struct sim_node *node = ((struct sim_file *)handle)->node;
    uint64_t left = at < node->size ? node->size - at : 0;

    (void)error;
    *got = left < size ? (size_t)left : size;
    if (*got)
        memcpy(data, node->bytes->data + at, *got);
    beck__sim_trace_bytes(world, data, *got);
    return BECK_OK;
}

static beck_status file_write(struct os *os, struct os_file *handle, const void *data, size_t size,
                              struct error *error)
{
    struct world *world = beck__sim_enter(os, SIM_FILE);
    struct sim_file *file = (struct sim_file *)handle;
    struct sim_node *node = file->node;

    if (!file->write)
        return failed(world, error, EBADF, "write", node->path->data);
    if (!reserve(world, &node->bytes, node->size, node->size + size))
        return failed(world, error, ENOMEM, "write", node->path->data);
    memcpy(node->bytes->data + node->size, data, size);
    node->size += size;
    node->changed_ns = wall_ns(world);
    beck__sim_trace_bytes(world, data, size);
    return BECK_OK;
}

static beck_status file_sync(struct os *os, struct os_file *file, struct error *error)
{
    (void)file, (void)error;
    beck__sim_enter(os, SIM_FILE);
    return BECK_OK;
}

static beck_status file_close(struct os *os, struct os_file *handle, struct error *error)
{
    struct sim_file *file = (struct sim_file *)handle;

    (void)error;
    if (!file)
        return BECK_OK;
    struct world *world = beck__sim_enter(os, SIM_FILE);
    if (file->holds)
        file->node->held = false;
    release(world, file->node);
    beck__sim_free(world, file);
    return BECK_OK;
}

/* ---- paths ----------------------------------------------------------------------------------- */

static void fill_stat(struct os_stat *stat, const struct sim_node *node)
{
    *stat = (struct os_stat){.kind = node->directory ? OS_DIRECTORY : OS_FILE,
                             .size = node->size,
                             .device = 1,
                             .inode = node->inode,
                             .born_ns = node->born_ns,
                             .changed_ns = node->changed_ns};
}

static beck_status path_stat(struct os *os, const char *path, struct os_stat *stat,
                             struct error *error)
{
    struct world *world = beck__sim_enter(os, SIM_FILE);
    const struct sim_node *node = node_of(world, path);

    (void)error;
    *stat = (struct os_stat){.kind = is_root(path) ? OS_DIRECTORY : OS_ABSENT};
    if (node)
        fill_stat(stat, node);
    return BECK_OK;
}

static beck_status file_stat(struct os *os, struct os_file *file, struct os_stat *stat,
                             struct error *error)
{
    beck__sim_enter(os, SIM_FILE);
    (void)error;
    fill_stat(stat, ((struct sim_file *)file)->node);
    return BECK_OK;
}

/* True if the path lies below the directory. */
static bool is_below(const char *path, const char *directory)
{
    size_t size = strlen(directory);

    return strncmp(path, directory, size) == 0 && path[size] == '/';
}

static bool has_children(const struct world *world, const struct sim_node *directory)
{
    for (const struct sim_node *n = world->nodes; n; n = n->next)
        if (is_below(n->path->data, directory->path->data))
            return true;
    return false;
}

/* Puts `to` in place of the first `skip` bytes of the path. */
static bool move_node(struct world *world, struct sim_node *node, size_t skip, const char *to)
{
    size_t front = strlen(to), rest = strlen(node->path->data + skip) + 1;
    struct sim_bytes *path = NULL;

    if (!reserve(world, &path, 0, front + rest))
        return false;
    memcpy(path->data, to, front);
    memcpy(path->data + front, node->path->data + skip, rest);
    beck__sim_free(world, node->path);
    node->path = path;
    return true;
}

static int move(struct world *world, const char *from, const char *to)
{
    struct sim_node *node = node_of(world, from), *old = node_of(world, to);

    if (!node || !parent_exists(world, to))
        return ENOENT;
    if (node == old)
        return 0;
    if (is_below(to, from))
        return EINVAL;
    if (old && old->directory != node->directory)
        return old->directory ? EISDIR : ENOTDIR;
    if (old && old->directory && has_children(world, old))
        return ENOTEMPTY;
    if (old)
        unlink_node(world, place_of(world, to, strlen(to)));
    for (struct sim_node *n = world->nodes; n; n = n->next)
        if (n != node && is_below(n->path->data, from) && !move_node(world, n, strlen(from), to))
            return ENOMEM;
    return move_node(world, node, strlen(from), to) ? 0 : ENOMEM;
}

static beck_status path_rename(struct os *os, const char *from, const char *to, struct error *error)
{
    struct world *world = beck__sim_enter(os, SIM_FILE);
    int code = move(world, from, to);

    if (!code)
        return BECK_OK;
    beck__sim_trace(world, (uint64_t)code);
    return beck__os_fail(error, code, "rename %s to %s", from, to);
}

static beck_status path_remove(struct os *os, const char *path, struct error *error)
{
    struct world *world = beck__sim_enter(os, SIM_FILE);
    struct sim_node **link = place_of(world, path, strlen(path));

    if (!*link)
        return failed(world, error, ENOENT, "remove", path);
    if ((*link)->directory && has_children(world, *link))
        return failed(world, error, ENOTEMPTY, "remove", path);
    unlink_node(world, link);
    return BECK_OK;
}

static beck_status path_mkdir(struct os *os, const char *path, struct error *error)
{
    struct world *world = beck__sim_enter(os, SIM_FILE);
    int code = 0;

    if (is_root(path) || node_of(world, path))
        code = EEXIST;
    else if (!parent_exists(world, path))
        code = ENOENT;
    else if (!add_node(world, path, true))
        code = ENOMEM;
    return code ? failed(world, error, code, "make directory", path) : BECK_OK;
}

static beck_status path_sync_dir(struct os *os, const char *path, struct error *error)
{
    struct world *world = beck__sim_enter(os, SIM_FILE);
    const struct sim_node *node = node_of(world, path);

    if (is_root(path) || (node && node->directory))
        return BECK_OK;
    return failed(world, error, node ? ENOTDIR : ENOENT, "open directory", path);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The name of a node right below the directory, else NULL. */
static const char *name_in(const struct sim_node *node, const char *directory)
{
    size_t size = strlen(directory);
    const char *path = node->path->data, *name = path;

    if (size && directory[size - 1] == '/')
        size--;
    if (strcmp(directory, ".")) {
        if (strncmp(path, directory, size) || path[size] != '/')
            return NULL;
        name = path + size + 1;
    }
    return *name && !strchr(name, '/') ? name : NULL;
}

static beck_status path_list(struct os *os, const char *path, struct arena *arena, char ***names,
                             size_t *count, struct error *error)
{
    struct world *world = beck__sim_enter(os, SIM_FILE);
    const struct sim_node *node = node_of(world, path);
    size_t capacity = 0;

    *names = NULL;
    *count = 0;
    if (!is_root(path) && !(node && node->directory))
        return failed(world, error, node ? ENOTDIR : ENOENT, "list", path);
    for (const struct sim_node *n = world->nodes; n; n = n->next) {
        const char *name = name_in(n, path);
        if (!name)
            continue;
        if (!beck__arena_reserve(arena, (void **)names, &capacity, *count + 1, sizeof **names) ||
            !((*names)[*count] = beck__arena_text(arena, name)))
            return beck__error_memory(error, "names of files", sizeof **names);
        ++*count;
    }
    if (*count)
        qsort(*names, *count, sizeof **names, by_bytes);
    return BECK_OK;
}

void beck__sim_files(struct os *os)
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
    os->sync_dir = path_sync_dir;
    os->list = path_list;
}
