/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows that stay, as bytes: a list of blocks, in memory or in a file of its own. The files lie in
 * one directory that the engine makes when it needs it and removes at its end. They are read by
 * tasks and written by worker threads, so that a slow disk does not hold up the driver's.
 */
/* tests: store_test.c */
#include "engine/local/local.h"

#include <stdio.h>

#define NAMES       8 /* that are tried for the directory */
#define LEAVING_MAX ((uint64_t)64 << 20)

/* ---- memory ---------------------------------------------------------------------------------- */

static bool encode(const struct stored *e, struct text *bytes)
{
    return !beck__blocks_encode(bytes, &e->blocks, e->hold->schema, NULL) && !bytes->failed;
}

/* What it takes in memory is now `size`. */
static void account(struct stored *e, size_t size)
{
    e->hold->engine->store.used += size - e->size;
    e->size = size;
}

bool beck__stored_encode(struct stored *e)
{
    struct text bytes = {.memory = e->blocks.memory};

    if (!encode(e, &bytes)) {
        beck__text_deinit(&bytes);
        return false;
    }
    beck__blocks_deinit(&e->blocks);
    e->bytes = bytes;
    account(e, bytes.capacity);
    return true;
}

static void free_memory(struct stored *e)
{
    beck__blocks_deinit(&e->blocks);
    beck__text_deinit(&e->bytes);
    e->bytes = (struct text){.memory = e->blocks.memory};
    account(e, 0);
}

/* ---- files ----------------------------------------------------------------------------------- */

/* With what is in it: a lack of memory may have left something there, and so does a crash. */
static void remove_directory(struct os *os, const char *directory)
{
    struct arena arena = {.memory = &os->memory};
    char **names, *path;
    size_t count = 0;

    if (!os->remove(os, directory, NULL))
        return;
    if (os->list(os, directory, &arena, &names, &count, NULL))
        count = 0;
    for (size_t i = 0; i < count; i++)
        if ((path = beck__arena_printf(&arena, "%s/%s", directory, names[i])))
            os->remove(os, path, NULL);
    os->remove(os, directory, NULL);
    beck__arena_deinit(&arena);
}

static bool is_storage(const char *name)
{
    return strlen(name) == 21 && !memcmp(name, "beck-", 5) &&
           strspn(name + 5, "0123456789abcdef") == 16;
}

/* What those have left whose process is gone: nobody holds it. */
static void remove_leftovers(struct os *os, const char *dir)
{
    struct arena arena = {.memory = &os->memory};
    struct os_file *held;
    char **names, *path;
    size_t count = 0;

    if (os->list(os, dir, &arena, &names, &count, NULL))
        count = 0;
    for (size_t i = 0; i < count; i++) {
        path = is_storage(names[i]) ? beck__arena_printf(&arena, "%s/%s", dir, names[i]) : NULL;
        if (!path || os->open(os, path, OS_HOLD, &held, NULL))
            continue;
        remove_directory(os, path);
        os->close(os, held, NULL);
    }
    beck__arena_deinit(&arena);
}

/* A new directory, held. One that is taken for a leftover before that is gone: BECK_EXISTS. */
static beck_status make_held(struct store *store, struct os *os, const char *path,
                             struct error *error)
{
    beck_status status = os->mkdir(os, path, error);

    if (status)
        return status;
    status = os->open(os, path, OS_HOLD, &store->held, error);
    if (status == BECK_STATE || status == BECK_NOT_FOUND)
        return BECK_EXISTS;
    if (status == BECK_UNSUPPORTED) { /* without locks there nobody clears away anything */
        beck__error_clear(error);
        return BECK_OK;
    }
    if (status)
        os->remove(os, path, NULL);
    return status;
}

static beck_status make_directory(struct local *local, struct error *error)
{
    struct store *store = &local->store;
    struct os *os = local->os;
    const char *dir = local->options.storage_dir ? local->options.storage_dir : "/tmp";
    size_t size = strlen(dir) + 32;
    char *path = beck__alloc(&os->memory, size);
    beck_status status = BECK_EXISTS;

    if (!path)
        return beck__error_memory(error, "a directory", size);
    remove_leftovers(os, dir);
    for (int i = 0; i < NAMES && status == BECK_EXISTS; i++) {
        uint64_t name;
        os->random(os, &name, sizeof name);
        snprintf(path, size, "%s/beck-%016llx", dir, (unsigned long long)name);
        beck__error_clear(error);
        status = make_held(store, os, path, error);
    }
    if (status) {
        beck__free(&os->memory, path, size);
        return status;
    }
    store->directory = path;
    store->directory_bytes = size;
    return BECK_OK;
}

static char *path_of(const struct local *local, uint64_t file, size_t *size)
{
    *size = local->store.directory_bytes + 24;
    char *path = beck__alloc(&local->os->memory, *size);

    if (path)
        snprintf(path, *size, "%s/%llu", local->store.directory, (unsigned long long)file);
    return path;
}

/* Any thread. */
static beck_status write_file(struct local *local, uint64_t number, const struct text *bytes,
                              struct error *error)
{
    struct os *os = local->os;
    struct os_file *file;
    size_t size;
    char *path = path_of(local, number, &size);

    if (!path)
        return beck__error_memory(error, "a path", size);
    beck_status status = os->open(os, path, OS_CREATE_NEW, &file, error);
    if (!status) {
        status = os->write(os, file, bytes->data, bytes->size, error);
        beck_status closed = os->close(os, file, status ? NULL : error);
        status = status ? status : closed;
        if (status)
            os->remove(os, path, NULL);
    }
    beck__free(&os->memory, path, size);
    return status;
}

static void warn(const struct stored *e, const char *reason)
{
    struct local *local = e->hold->engine;

    if (!local->store.warned)
        beck__log(
            local->log, BECK_LOG_WARNING,
            "%s: rows cannot be stored on disk, so they %s: %s; this is said once", e->hold->what,
            e->hold->storage & STORAGE_LASTING ? "stay in memory" : "are computed again", reason);
    local->store.warned = true;
}

bool beck__store_lags(const struct local *local)
{
    uint64_t limit = local->options.storage_bytes;

    return local->store.leaving > (limit ? limit / 4 : LEAVING_MAX);
}

void beck__stored_write(struct run *run)
{
    struct stored *e = run->spill;
    struct local *local = e->hold->engine;
    struct text bytes = {.memory = e->blocks.memory};
    const struct text *whole = e->bytes.size ? &e->bytes : &bytes;

    if (run->gives_way)
        run->slot->wait_begin(run->slot);
    if (whole == &bytes && !encode(e, &bytes))
        beck__error_memory(&run->error, "encoded blocks", bytes.size);
    else
        write_file(local, run->records, whole, &run->error);
    if (run->gives_way)
        run->slot->wait_end(run->slot);
    run->status = run->error.status;
    run->file_bytes = whole->size;
    beck__text_deinit(&bytes);
}

bool beck__stored_land(struct run *run)
{
    struct stored *e = run->spill;
    struct store *store = &e->hold->engine->store;

    store->writing -= e->writing;
    store->leaving -= e->writing ? e->size : 0;
    e->writing = false;
    if (run->status) {
        warn(e, run->error.text);
        return false;
    }
    e->written = run->records;
    e->file_bytes = run->file_bytes;
    if (e->pins <= e->fresh) /* but by the stage that has put it */
        beck__stored_settle(e);
    return true;
}

void beck__stored_settle(struct stored *e)
{
    e->file = e->written;
    e->written = 0;
    free_memory(e);
}

bool beck__stored_spill(struct stored *e)
{
    struct local *local = e->hold->engine;
    struct store *store = &local->store;
    struct run here = {.spill = e}, *run = NULL;

    if (e->rows == 0)
        return true; /* it takes nothing */
    if (!store->directory && make_directory(local, &here.error)) {
        warn(e, here.error.text);
        return false;
    }
    here.records = ++store->files;
    if (local->worker_count)
        run = beck__alloc(&local->os->memory, sizeof *run);
    if (!run) {
        beck__stored_write(&here);
        return beck__stored_land(&here);
    }
    *run = here;
    run->overtakes = true;
    run->gives_way = !beck__store_lags(local);
    e->writing = true;
    store->writing++;
    store->leaving += e->size;
    beck__pool_push(local, run);
    return true;
}

static beck_status read_file(const struct stored *e, struct text *out, struct error *error)
{
    struct local *local = e->hold->engine;
    struct os *os = local->os;
    struct os_file *file;
    size_t size, got = 0;
    char *path = path_of(local, e->file, &size);

    if (!path || !beck__text_reserve(out, e->file_bytes + 1)) {
        beck__free(&os->memory, path, path ? size : 0);
        return beck__error_memory(error, "stored rows", e->file_bytes);
    }
    beck_status status = os->open(os, path, OS_READ, &file, error);
    if (!status) {
        status = os->read(os, file, 0, out->data, e->file_bytes, &got, error);
        os->close(os, file, NULL);
    }
    if (!status && got < e->file_bytes)
        status = beck__error_set(error, BECK_CORRUPT, "%s has %zu bytes, not %llu", path, got,
                                 (unsigned long long)e->file_bytes);
    out->size = got;
    beck__free(&os->memory, path, size);
    return status;
}

beck_status beck__stored_read(const struct stored *e, struct blocks *rows, struct error *error)
{
    struct text file = {.memory = rows->memory};
    const struct text *bytes = e->file ? &file : &e->bytes;

    if (!e->file && e->bytes.size == 0)
        return beck__blocks_append(rows, &e->blocks) ? BECK_OK
                                                     : beck__error_memory(error, "stored rows", 0);
    beck_status status = e->file ? read_file(e, &file, error) : BECK_OK;
    struct reader in = {.data = (const uint8_t *)bytes->data, .size = bytes->size};
    if (!status)
        status = beck__blocks_get(rows->memory, &in, e->hold->schema, rows, error);
    if (!status && rows->rows != e->rows)
        status = beck__error_set(error, BECK_CORRUPT, "%llu rows, not %llu",
                                 (unsigned long long)rows->rows, (unsigned long long)e->rows);
    beck__text_deinit(&file);
    return status;
}

void beck__stored_forget(struct stored *e)
{
    struct local *local = e->hold->engine;
    size_t size;

    free_memory(e);
    uint64_t file = e->file ? e->file : e->written;
    char *path = file ? path_of(local, file, &size) : NULL;
    if (path) { /* else it goes with the directory */
        local->os->remove(local->os, path, NULL);
        beck__free(&local->os->memory, path, size);
    }
    e->file = e->file_bytes = e->written = e->rows = 0;
    e->present = false;
}

void beck__store_close(struct local *local)
{
    struct store *store = &local->store;
    struct os *os = local->os;

    assert(store->used == 0); /* all holds have been given back */
    if (!store->directory)
        return;
    remove_directory(os, store->directory);
    os->close(os, store->held, NULL);
    beck__free(&os->memory, store->directory, store->directory_bytes);
}
