/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.h - what the file sources of this room share: ranges of files that may have changed since
 * they were listed (file_range.c), and the look at a directory (files.c). Private to connectors.
 */
#ifndef BECK_CONNECTORS_FILES_H
#define BECK_CONNECTORS_FILES_H

#include "connectors/connectors.h"
#include "data/data.h"
#include "os/os.h"

/* As bytes: the fields up to path, then the path with its NUL. */
struct beck__file_range {
    uint64_t from, to;
    struct os_stat listed; /* kind OS_ABSENT: of an RDD, not compared */
    const char *path;
};

/* Adds the pieces of the file from *from on, at most `split` bytes each, and moves *from on behind
 * what was added. */
beck_status beck__file_cut(beck_ranges *ranges, struct arena *arena, struct beck__file_range *range,
                           uint64_t split, uint64_t *from);

/* A range's file while it is read. Zeroed before open. */
struct beck__file {
    struct os_file *handle;
    struct beck__file_range range; /* path: borrowed from the bytes */
    bool lost;                     /* it is gone, or no longer what was listed */
};

beck_status beck__file_open(struct beck__file *file, const void *bytes, size_t size,
                            struct error *error);
/* Closes it, when `status` is of the reading so far: what was read counts only if the file is still
 * what was listed. Returns what `read` should: after an error it is the reader's, and a lost file
 * is a warning under .skip_lost. */
beck_status beck__file_close(struct beck__file *file, beck_reader *r,
                             const struct beck__file_params *params, beck_status status,
                             struct error *error);

/* list and close of the classes. */
#define BECK__FILES_STATE_SIZE sizeof(void *)
beck_status beck__files_list(beck_ranges *found, void *state, const void *params, size_t size);
void beck__files_close(void *state);

#endif
