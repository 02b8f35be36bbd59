/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_stream: one row for each file, its path and all its bytes. Worker threads and processes.
 */
/* tests: src/driver/files_test.c */
#include "connectors/files.h"

static beck_status read_whole(struct beck__file *file, beck_reader *r, struct error *error)
{
    struct os *os = beck__os_current();
    const struct beck__file_range *range = &file->range;
    size_t size = (size_t)range->listed.size, got = 0;
    char *data = beck__alloc(&os->memory, size);

    if (!data)
        return beck__error_memory(error, range->path, size);
    beck_status status = os->read(os, file->handle, 0, data, size, &got, error);
    if (!status)
        beck_read_row(r, range->path, beck_bytes_of(data, got));
    beck__free(&os->memory, data, size);
    return status;
}

static beck_status whole_read(beck_reader *r, const void *data, size_t params_size,
                              const void *range, size_t size)
{
    const struct beck__file_params *params = data;
    struct beck__file file = {0};
    struct error error = {0};

    (void)params_size;
    beck_status status = beck__file_open(&file, range, size, &error);
    if (!status && file.range.listed.size > params->file_bytes_max)
        status = beck__error_set(&error, BECK_INVALID,
                                 "%s has %llu bytes, more than .file_bytes_max = %llu of one row",
                                 file.range.path, (unsigned long long)file.range.listed.size,
                                 (unsigned long long)params->file_bytes_max);
    if (!status)
        status = read_whole(&file, r, &error);
    return beck__file_close(&file, r, params, status, &error);
}

const beck_direct_class beck__whole_source[1] = {{.name = "file_stream",
                                                  .schema = "path STRING, content BINARY",
                                                  .read = whole_read,
                                                  .list = beck__files_list,
                                                  .close = beck__files_close,
                                                  .state_size = BECK__FILES_STATE_SIZE}};
