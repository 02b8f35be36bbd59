/* SPDX-License-Identifier: Apache-2.0 */
/*
 * formats - bytes to rows and rows to text: cutting lines, and the text of a row.
 */
#ifndef BECK_FORMATS_H
#define BECK_FORMATS_H

#include "data/data.h"

/* ---- lines ----------------------------------------------------------------------------------- */

/* Cuts lines at LF; one CR before it is dropped; any other byte, NUL too, is carried. A line is at
 * most line_max bytes: the rest of it is dropped and it is counted in `cut`. Zero `cut` when a new
 * connection begins. */
struct line_cutter {
    size_t line_max;
    uint64_t cut;  /* lines that were too long */
    bool skipping; /* inside a line that was cut: drop up to the next LF */
};

/* Appends the complete lines of [data, data + size) as rows of one STRING column to `b` until it is
 * full; views share the bytes. Returns how many bytes were used up: at `size - used` bytes from the
 * end stands an unfinished line (less than line_max + 2 bytes, else it is cut), or the builder is
 * full. With `last` the unfinished line counts as one, if it is not empty. False in *ok without
 * memory. */
size_t beck__lines_cut(struct line_cutter *cutter, const char *data, size_t size, bool last,
                       struct builder *b, bool *ok);

/* ---- text of rows: DESIGN rule 5 ------------------------------------------------------------- */

/* One column: its bytes; several: (a,b,c). STRUCT the same, ARRAY [a, b], null, true, false, DOUBLE
 * as the shortest text that reads back with at least .0, TIMESTAMP ISO 8601 UTC with milliseconds,
 * BINARY hex. Nothing is quoted. Columns from `first` on. */
void beck__row_print(const beck_chunk *chunk, uint32_t first, uint32_t row, struct text *out);
void beck__cell_print(const beck_column *column, uint32_t row, struct text *out);

#endif
