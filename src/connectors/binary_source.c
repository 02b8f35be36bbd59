/* SPDX-License-Identifier: Apache-2.0 */
/*
 * binary_records_stream: files of records of one length. Ranges are multiples of it, so a record is
 * never cut. Worker threads and processes.
 */
/* tests: src/driver/files_test.c */
#include "connectors/files.h"

#define PIECE_BYTES ((uint64_t)256 << 10)

static beck_status read_records(struct beck__file *file, beck_reader *r, uint64_t record,
                                struct error *error)
{
    struct os *os = beck__os_current();
    const struct beck__file_range *range = &file->range;
    uint64_t piece = record > PIECE_BYTES ? record : PIECE_BYTES / record * record;
    char *data = beck__alloc(&os->memory, piece);
    bool more = true;
    beck_status status = BECK_OK;

    if (!data)
        return beck__error_memory(error, "records of a file", piece);
    for (uint64_t at = range->from; at < range->to && more && !status; at += piece) {
        uint64_t want = range->to - at < piece ? range->to - at : piece;
        size_t got = 0;
        status = os->read(os, file->handle, at, data, want, &got, error);
        for (uint64_t i = 0; !status && more && i + record <= got; i += record) {
            beck_value value = beck_string_value(beck_bytes_of(data + i, record));
            more = beck_read_values(r, &value, 1);
        }
    }
    beck__free(&os->memory, data, piece);
    return status;
}

static beck_status binary_read(beck_reader *r, const void *data, size_t params_size,
                               const void *range, size_t size)
{
    const struct beck__file_params *params = data;
    uint64_t record = params->record_bytes;
    struct beck__file file = {0};
    struct error error = {0};

    (void)params_size;
    beck_status status = beck__file_open(&file, range, size, &error);
    uint64_t bytes = file.range.listed.size;
    if (!status && bytes % record)
        status =
            beck__error_set(&error, BECK_CORRUPT,
                            "%s has %llu bytes, which is no multiple of the record length %llu: "
                            "the record at byte %llu is cut short",
                            file.range.path, (unsigned long long)bytes, (unsigned long long)record,
                            (unsigned long long)(bytes / record * record));
    if (!status)
        status = read_records(&file, r, record, &error);
    return beck__file_close(&file, r, params, status, &error);
}

const beck_direct_class beck__binary_source[1] = {{.name = "binary_records_stream",
                                                   .schema = "value BINARY",
                                                   .read = binary_read,
                                                   .list = beck__files_list,
                                                   .close = beck__files_close,
                                                   .state_size = BECK__FILES_STATE_SIZE}};
