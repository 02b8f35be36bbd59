/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The look at a directory: which files are new, and complete. One table remembers what is there; a
 * file in it is its device, inode and time of birth, so a renamed one is not read again and a new
 * one under an old name is.
 *
 *      first look, new files only -> OLD --changes--.
 *                                                   v   the same size and time of change
 *      seen for the first time ----------------> GROWING ---- for settle_ms ----> TAKEN
 *                                                   ^  |                            |
 *                                                   '--' changes                    '--> changes:
 * told
 *
 * Memory: one entry for each file that is there, at most known_max; one that has been gone for a
 * minute is forgotten. The thread that looks owns all of it.
 */
/* tests: src/driver/files_test.c */
#include "connectors/files.h"

#define SETTLE_MS   500
#define FORGET_MS   60000
#define PRUNE_MS    10000
#define NESTING_MAX 32

static const struct error no_memory = {.status = BECK_NO_MEMORY,
                                       .text = "out of memory for a path"};

enum file_is { FILE_GROWING, FILE_TAKEN, FILE_OLD };

struct known {
    struct os_stat stat;
    enum file_is is;
    bool told;        /* that it changed after it was taken */
    int64_t since_ms; /* it has been as in `stat` */
    int64_t seen_ms;
    uint64_t offered; /* TAKEN: bytes that are ranges already */
};

struct files {
    const struct allocator *memory;
    struct known *known;
    size_t capacity, count;
    uint64_t *hashes;
    size_t hash_capacity;
    struct hash index;
    bool begun;
    int64_t pruned_ms;
};

/* One look. */
struct look {
    struct files *files;
    const struct beck__file_params *params;
    beck_ranges *found;
    struct os *os;
    struct arena arena;
    int64_t now_ms;
    struct os_stat above[NESTING_MAX]; /* the directories that lead here */
    uint32_t depth;
    bool full;          /* no more ranges in this look */
    bool missed;        /* files may be there that this look has not seen */
    struct error error; /* the first; the look goes on with what is left */
};

/* ---- what is known --------------------------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 32) * 0x9fb21c651e98df25u;
    x = (x ^ x >> 32) * 0x9fb21c651e98df25u;
    return x ^ x >> 32;
}

static uint64_t hash_of(const struct os_stat *s)
{
    return mix(mix(mix(s->inode) + s->device) + (uint64_t)s->born_ns);
}

static bool same_file(const struct os_stat *a, const struct os_stat *b)
{
    return a->inode == b->inode && a->device == b->device && a->born_ns == b->born_ns;
}

/* The entry of the file, or NULL and the slot where it would be. */
static struct known *lookup(struct files *f, const struct os_stat *stat, uint64_t hash, size_t *at)
{
    for (*at = beck__hash_first(&f->index, hash);; *at = beck__hash_next(&f->index, *at)) {
        uint64_t slot = f->index.slots[*at];
        if (!slot)
            return NULL;
        struct known *k = &f->known[beck__hash_item(slot)];
        if (beck__hash_same(slot, hash) && same_file(&k->stat, stat))
            return k;
    }
}

static bool reserve(struct files *f)
{
    return beck__vector_reserve(f->memory, (void **)&f->known, &f->capacity, f->count + 1,
                                sizeof *f->known) &&
           beck__vector_reserve(f->memory, (void **)&f->hashes, &f->hash_capacity, f->count + 1,
                                sizeof *f->hashes) &&
           beck__hash_reserve(&f->index, 1, f->hashes);
}

/* Forgets the files that have been gone for long. */
static void prune(struct files *f, int64_t now_ms)
{
    size_t kept = 0, at;

    if (now_ms - f->pruned_ms < PRUNE_MS)
        return;
    f->pruned_ms = now_ms;
    beck__hash_clear(&f->index);
    for (size_t i = 0; i < f->count; i++) {
        if (now_ms - f->known[i].seen_ms >= FORGET_MS)
            continue;
        f->known[kept] = f->known[i];
        f->hashes[kept] = f->hashes[i];
        if (f->index.slots) {
            lookup(f, &f->known[kept].stat, f->hashes[kept], &at);
            beck__hash_put(&f->index, at, f->hashes[kept], (uint32_t)kept);
        }
        kept++;
    }
    f->count = kept;
}

/* ---- one file -------------------------------------------------------------------------------- */

/* The entry of a file that is there; NULL with the error set. */
static struct known *note(struct look *l, const struct os_stat *stat)
{
    struct files *f = l->files;
    uint64_t hash = hash_of(stat);
    size_t at = 0;

    if (!reserve(f)) {
        l->missed = true;
        beck__error_memory(&l->error, "the files of a directory", f->count * sizeof *f->known);
        return NULL;
    }
    struct known *k = lookup(f, stat, hash, &at);
    if (!k && f->count >= l->params->known_max) {
        beck__error_set(&l->error, BECK_INVALID,
                        "%s holds more than %llu files; the others are not read until some are "
                        "moved away (files.known_max)",
                        l->params->path, (unsigned long long)l->params->known_max);
        return NULL;
    }
    if (!k) {
        k = &f->known[f->count];
        f->hashes[f->count] = hash;
        bool old = !f->begun && !l->params->from_beginning;
        *k = (struct known){
            .stat = *stat, .is = old ? FILE_OLD : FILE_GROWING, .since_ms = l->now_ms};
        beck__hash_put(&f->index, at, hash, (uint32_t)f->count++);
    }
    k->seen_ms = l->now_ms;
    return k;
}

/* What became of it since the last look. */
static void compare(struct look *l, struct known *k, const struct os_stat *stat, const char *path)
{
    if (k->stat.size == stat->size && k->stat.changed_ns == stat->changed_ns)
        return;
    if (k->is != FILE_TAKEN) {
        k->is = FILE_GROWING;
        k->stat = *stat;
        k->since_ms = l->now_ms;
    } else if (!k->told) {
        k->told = true;
        beck_ranges_warn(l->found,
                         "%s was changed after it was listed with %llu bytes: it is not read "
                         "again; write files under another name and rename them when they are "
                         "complete",
                         path, (unsigned long long)k->stat.size);
    }
}

/* Ranges of a file that is complete. */
static void offer(struct look *l, struct known *k, const char *path)
{
    struct beck__file_range range = {.listed = k->stat, .path = path};

    k->is = FILE_TAKEN;
    beck_status status =
        beck__file_cut(l->found, &l->arena, &range, l->params->split_bytes, &k->offered);
    l->full = status == BECK_AGAIN;
    if (status && !l->full)
        beck__error_memory(&l->error, path, 0);
}

static void consider(struct look *l, const char *path, const struct os_stat *stat)
{
    struct known *k = note(l, stat);

    if (!k)
        return;
    compare(l, k, stat, path);
    bool complete = k->is == FILE_TAKEN ||
                    (k->is == FILE_GROWING && l->now_ms - k->since_ms >= l->params->settle_ms);
    /* An empty file has been made, but not written yet. */
    if (complete && k->offered < k->stat.size && !l->full)
        offer(l, k, path);
}

/* ---- directories ----------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *end)
{
    size_t size = strlen(name), end_size = strlen(end);

    return size >= end_size && strcmp(name + size - end_size, end) == 0;
}

/* Names of files that are not meant for us, or not yet. */
static bool is_hidden(const char *name)
{
    return *name == '.' || *name == '_' || ends_with(name, ".tmp") || ends_with(name, "._COPYING_");
}

/* The first error is reported; what could not be seen is not gone. */
static void missed(struct look *l, const struct error *error)
{
    l->missed = true;
    beck__error_set(&l->error, error->status, "%s", error->text);
}

static const char *path_in(struct look *l, const char *directory, const char *name)
{
    const char *slash = ends_with(directory, "/") || !*directory ? "" : "/";
    const char *path = beck__arena_printf(&l->arena, "%s%s%s", directory, slash, name);

    if (!path)
        missed(l, &no_memory);
    return path;
}

/* The names in a directory; one that has gone since it was seen has none. */
static size_t names_in(struct look *l, const char *path, bool must, char ***names)
{
    struct error error = {0};
    size_t count = 0;
    beck_status status = l->os->list(l->os, path, &l->arena, names, &count, &error);

    if (status == BECK_NOT_FOUND && !must)
        return 0;
    if (!status)
        return count;
    l->missed = true;
    beck__error_set(&l->error, status, "%s%s", error.text,
                    status == BECK_NO_MEMORY
                        ? ""
                        : "; it must be a directory that this user may list and search");
    return 0;
}

/* True if the directory is one of those above: a link that leads back. */
static bool is_above(const struct look *l, const struct os_stat *stat)
{
    for (uint32_t i = 0; i < l->depth; i++)
        if (same_file(&l->above[i], stat))
            return true;
    return false;
}

static void visit(struct look *l, const char *directory, bool must);

static void visit_below(struct look *l, const char *path, const struct os_stat *stat)
{
    if (is_above(l, stat))
        return;
    if (l->depth == NESTING_MAX) {
        beck__error_set(&l->error, BECK_INVALID,
                        "%s lies more than %d directories deep and is not looked at", path,
                        NESTING_MAX);
        return;
    }
    l->above[l->depth++] = *stat;
    visit(l, path, false);
    l->depth--;
}

static void visit(struct look *l, const char *directory, bool must)
{
    const struct beck__file_params *params = l->params;
    char **names = NULL;
    size_t count = names_in(l, directory, must, &names);

    for (size_t i = 0; i < count && !l->full && !beck_ranges_stopping(l->found); i++) {
        struct error error = {0};
        struct os_stat stat;
        const char *path = is_hidden(names[i]) ? NULL : path_in(l, directory, names[i]);
        if (!path)
            continue;
        if (l->os->stat(l->os, path, &stat, &error))
            missed(l, &error);
        else if (stat.kind == OS_DIRECTORY && params->recursive)
            visit_below(l, path, &stat);
        else if (stat.kind == OS_FILE &&
                 (!*params->glob || beck__glob_match(params->glob, names[i])))
            consider(l, path, &stat);
    }
}

/* Visits the directories that fit base/rest, where rest may hold patterns. */
static void expand(struct look *l, const char *base, const char *rest, bool pattern)
{
    const char *special = strpbrk(rest, "*?[");
    char **names = NULL;

    if (!special) {
        const char *path = *rest ? path_in(l, base, rest) : base;
        if (path)
            visit(l, path, !pattern);
        return;
    }
    size_t front = 0; /* literal directories before the first pattern */
    for (const char *p = rest; p < special; p++)
        front = *p == '/' ? (size_t)(p - rest) + 1 : front;
    size_t size = strcspn(rest + front, "/");
    const char *above = beck__arena_printf(
        &l->arena, "%s%s%.*s", base, *base && !ends_with(base, "/") ? "/" : "", (int)front, rest);
    const char *part = beck__arena_printf(&l->arena, "%.*s", (int)size, rest + front);
    if (!above || !part) {
        missed(l, &no_memory);
        return;
    }
    rest += front + size;
    rest += strspn(rest, "/");
    size_t count = names_in(l, *above ? above : ".", !pattern, &names);
    for (size_t i = 0; i < count; i++) {
        struct os_stat stat = {.kind = OS_ABSENT};
        const char *path = beck__glob_match(part, names[i]) && *names[i] != '.'
                               ? path_in(l, above, names[i])
                               : NULL;
        if (path && !l->os->stat(l->os, path, &stat, NULL) && stat.kind == OS_DIRECTORY)
            expand(l, path, rest, true);
    }
}

/* ---- the look -------------------------------------------------------------------------------- */

static struct files *files_of(void *state)
{
    struct files **place = state;
    struct os *os = beck__os_current();

    if (!*place) {
        *place = beck__alloc_zero(&os->memory, sizeof **place);
        if (*place) {
            (*place)->memory = &os->memory;
            (*place)->index.memory = &os->memory;
        }
    }
    return *place;
}

beck_status beck__files_list(beck_ranges *found, void *state, const void *data, size_t size)
{
    struct look l = {.files = files_of(state), .params = data, .found = found};

    (void)size;
    if (!l.files)
        return beck_ranges_error(found, BECK_NO_MEMORY, "out of memory for a directory");
    l.os = beck__os_current();
    l.now_ms = beck_ranges_now_ms(found);
    beck__arena_init(&l.arena, l.files->memory);
    expand(&l, "", l.params->path, false);
    l.files->begun = true;
    if (!l.missed && !l.full && !beck_ranges_stopping(found))
        prune(l.files, l.now_ms);
    beck__arena_deinit(&l.arena);
    return l.error.status ? beck_ranges_error(found, l.error.status, "%s", l.error.text) : BECK_OK;
}

void beck__files_close(void *state)
{
    struct files *f = *(struct files **)state;

    if (!f)
        return;
    const struct allocator *memory = f->memory;
    beck__hash_deinit(&f->index);
    beck__free(memory, f->known, f->capacity * sizeof *f->known);
    beck__free(memory, f->hashes, f->hash_capacity * sizeof *f->hashes);
    beck__free(memory, f, sizeof *f);
}
