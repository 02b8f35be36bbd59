/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connectors - Beck's own sources and sinks, written against connector.h: one class each, with the
 * bytes of its parameters. Nothing else is visible from here.
 */
#ifndef BECK_CONNECTORS_H
#define BECK_CONNECTORS_H

#include <beck/connector.h>

/* socket_text_stream: lines from a TCP server; stdin_stream: from standard input, which ends. Rows
 * "value STRING". raw_socket_stream: encoded blocks, one behind the other, of the stream's schema.
 */
extern const beck_receiver_class beck__socket_receiver[1];
extern const beck_receiver_class beck__stdin_receiver[1];
extern const beck_receiver_class beck__raw_socket_receiver[1];
struct beck__socket_params {
    char host[256]; /* empty: standard input */
    int port;
    size_t line_bytes_max; /* 0: the setting's */
    int64_t reconnect_ms;  /* the same */
};

/* Files as direct sources. A range is a file and its bytes [from, to). Of a stream also what the
 * file was when it was listed, and reading says so when it is no longer that. */
struct beck__file_params {
    uint64_t split_bytes;
    uint64_t line_bytes_max;
    uint64_t record_bytes;   /* binary_records_stream */
    uint64_t file_bytes_max; /* file_stream */
    int64_t settle_ms;  /* a file is complete when it has not changed for so long; -1: at once */
    uint64_t known_max; /* files in the directory */
    bool from_beginning, recursive, skip_lost;
    char glob[256];  /* names of files; "": all */
    char path[4096]; /* the bytes behind the text may be left out */
};

/* Lines: the range's are those that begin in it. Rows "value STRING". As an RDD: a file, or the
 * files of a directory. */
extern const beck_direct_class beck__text_source[1];
/* Records of record_bytes each: rows "value BINARY". A stream only. */
extern const beck_direct_class beck__binary_source[1];
/* Whole files: rows "path STRING, content BINARY". A stream only. */
extern const beck_direct_class beck__whole_source[1];

/* True if the name fits a pattern of * ? [a-z] [!a-z]. */
bool beck__glob_match(const char *pattern, const char *name);

/* print: the first rows of a batch on standard output, in Spark's layout. A partition nobody ran
 * for has an empty message. */
extern const beck_sink_class beck__print_sink[1];
struct beck__print_params {
    uint32_t rows;
    bool header; /* dashes and time around a batch; without: just the rows, "..." if there are more
                  */
    char title[64]; /* after the time; "": none */
};

/* save_as_text_file(s): part-NNNNN files of lines, then _SUCCESS. Two-phase: writers fill
 * DIR.writing/part-NNNNN.attempt-N, commit renames the good ones, adds _SUCCESS and renames the
 * directory to DIR, all idempotent. In a stream DIR is PREFIX-TIME[.SUFFIX]. */
extern const beck_sink_class beck__text_sink[1];
struct beck__text_sink_params {
    bool batches; /* name by batch time; else the path as it is, and an existing DIR is BECK_EXISTS
                   */
    bool empty;   /* also batches without rows */
    char path[4096];
    char suffix[256];
};

#endif
