/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of files: plain bytes that say which file was meant, and the check, before and after
 * reading, that it still is that one. Worker threads and processes.
 */
/* tests: src/driver/files_test.c */
#include "connectors/files.h"

beck_status beck__file_cut(beck_ranges *ranges, struct arena *arena, struct beck__file_range *range,
                           uint64_t split, uint64_t *from)
{
    size_t front = offsetof(struct beck__file_range, path), length = strlen(range->path) + 1;
    uint64_t size = range->listed.size;
    char *bytes = beck__arena_alloc(arena, front + length);
    beck_status status = BECK_OK;

    if (!bytes)
        return BECK_NO_MEMORY;
    memcpy(bytes + front, range->path, length);
    while (*from < size && !status) {
        range->from = *from;
        range->to = size - *from > split ? *from + split : size;
        memcpy(bytes, range, front);
        beck_range_size counts = {.bytes = range->to - range->from, .continues = *from > 0};
        status = beck_add_range_of(ranges, bytes, front + length, counts);
        if (!status)
            *from = range->to;
    }
    return status;
}

static bool same_file(const struct os_stat *a, const struct os_stat *b)
{
    return a->device == b->device && a->inode == b->inode && a->born_ns == b->born_ns &&
           a->size == b->size && a->changed_ns == b->changed_ns;
}

/* Compares the open file with what was listed. */
static beck_status check(struct beck__file *file, struct error *error)
{
    struct os *os = beck__os_current();
    const struct beck__file_range *range = &file->range;
    struct os_stat now;

    if (range->listed.kind == OS_ABSENT)
        return BECK_OK;
    beck_status status = os->stat_open(os, file->handle, &now, error);
    if (status || same_file(&range->listed, &now))
        return status;
    file->lost = true;
    return beck__error_set(error, BECK_CORRUPT,
                           "%s was changed after it was listed: it had %llu bytes then and has "
                           "%llu now; its bytes from %llu to %llu cannot be read any more",
                           range->path, (unsigned long long)range->listed.size,
                           (unsigned long long)now.size, (unsigned long long)range->from,
                           (unsigned long long)range->to);
}

beck_status beck__file_open(struct beck__file *file, const void *bytes, size_t size,
                            struct error *error)
{
    struct os *os = beck__os_current();
    struct beck__file_range *range = &file->range;
    size_t front = offsetof(struct beck__file_range, path);
    const char *path = (const char *)bytes + front;

    if (size <= front || path[size - front - 1] != '\0')
        return beck__error_set(error, BECK_CORRUPT, "a range of %zu bytes is no range of a file",
                               size);
    memcpy(range, bytes, front);
    range->path = path;
    beck_status status = os->open(os, path, OS_READ, &file->handle, error);
    if (status != BECK_NOT_FOUND || range->listed.kind == OS_ABSENT)
        return status ? status : check(file, error);
    file->lost = true;
    beck__error_clear(error);
    return beck__error_set(error, status,
                           "%s was deleted or renamed after it was listed; its bytes from %llu to "
                           "%llu cannot be read any more",
                           path, (unsigned long long)range->from, (unsigned long long)range->to);
}

beck_status beck__file_close(struct beck__file *file, beck_reader *r,
                             const struct beck__file_params *params, beck_status status,
                             struct error *error)
{
    struct os *os = beck__os_current();

    if (!status && file->handle)
        status = check(file, error);
    os->close(os, file->handle, NULL);
    if (!status)
        return BECK_OK;
    if (!file->lost || !params->skip_lost)
        return beck_reader_error(r, status, "%s", error->text);
    beck_reader_warn(r, "%s; left out (.skip_lost)", error->text);
    return BECK_OK;
}
