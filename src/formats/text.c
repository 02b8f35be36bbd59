/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text - the text of rows as print shows it and files hold it. Nothing is quoted, so it is for
 * people; what must be read back goes through encoded blocks. Does not depend on the locale.
 */
#include "formats/formats.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

/* The locale's decimal point, of whatever bytes, becomes '.'. Returns the new length. */
static size_t fix_point(char *text)
{
    static const char plain[] = "+-0123456789e";
    size_t n = 0;
    for (const char *at = text; *at; at++) {
        if (strchr(plain, *at))
            text[n++] = *at;
        else if (n == 0 || text[n - 1] != '.')
            text[n++] = '.';
    }
    text[n] = '\0';
    return n;
}

/* The fewest digits that read back as the same number: 15 always hold for a decimal of up to 15
 * digits, 17 for every double; only where doubles lose precision fewer may do. */
static void print_double(double x, struct text *out)
{
    char text[40];
    if (x != x) {
        beck__text_add(out, "NaN");
        return;
    }
    if (x > DBL_MAX || x < -DBL_MAX) {
        beck__text_add(out, x > 0 ? "Infinity" : "-Infinity");
        return;
    }
    if (x > -1e15 && x < 1e15 && (double)(int64_t)x == x && x != 0) {
        beck__text_printf(out, "%lld.0", (long long)x);
        return;
    }
    bool subnormal = x < DBL_MIN && x > -DBL_MIN;
    for (int digits = subnormal ? 1 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    size_t size = fix_point(text);
    beck__text_append(out, text, size);
    if (!strpbrk(text, ".e"))
        beck__text_append(out, ".0", 2);
}

/* Days since 1970-01-01 to a date of the proleptic Gregorian calendar, by eras of 400 years whose
 * years begin in March (Hinnant, "chrono-compatible low-level date algorithms"). */
static void print_timestamp(int64_t ms, struct text *out)
{
    const int64_t day_ms = 86400000;
    int64_t days = ms / day_ms - (ms % day_ms < 0);
    int64_t in_day = ms % day_ms + (ms % day_ms < 0 ? day_ms : 0);
    int64_t shifted = days + 719468; /* since 0000-03-01 */
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t shifted_month = (5 * of_year + 2) / 153;
    int64_t day = of_year - (153 * shifted_month + 2) / 5 + 1;
    int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    year += era * 400 + (month <= 2);

    const char *sign = year < 0 ? "-" : year > 9999 ? "+" : "";
    beck__text_printf(out, "%s%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ", sign,
                      (long long)(year < 0 ? -year : year), (int)month, (int)day,
                      (int)(in_day / 3600000), (int)(in_day / 60000 % 60),
                      (int)(in_day / 1000 % 60), (int)(in_day % 1000));
}

static void print_hex(beck_str s, struct text *out)
{
    static const char digits[] = "0123456789abcdef";
    if (!beck__text_reserve(out, 2 * s.size))
        return;
    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.data[i];
        char pair[2] = {digits[c >> 4], digits[c & 15]};
        beck__text_append(out, pair, 2);
    }
}

static void print_fields(const beck_chunk *chunk, uint32_t first, uint32_t row, struct text *out)
{
    beck__text_append(out, "(", 1);
    for (uint32_t i = first; i < chunk->columns; i++) {
        if (i > first)
            beck__text_append(out, ",", 1);
        beck__cell_print(&chunk->column[i], row, out);
    }
    beck__text_append(out, ")", 1);
}

static void print_array(const beck_column *column, uint32_t row, struct text *out)
{
    const uint32_t *offset = (const uint32_t *)column->data + row;
    beck__text_append(out, "[", 1);
    for (uint32_t i = offset[0]; i < offset[1]; i++) {
        if (i > offset[0])
            beck__text_append(out, ", ", 2);
        beck__cell_print(&column->child->column[0], i, out);
    }
    beck__text_append(out, "]", 1);
}

void beck__cell_print(const beck_column *column, uint32_t row, struct text *out)
{
    const void *data = column->data;
    beck_str s;
    if (column->valid && !beck__bit_get(column->valid, row)) {
        beck__text_add(out, "null");
        return;
    }
    switch ((beck_type)column->type) {
    case BECK_BOOLEAN:
        beck__text_add(out, ((const uint8_t *)data)[row] ? "true" : "false");
        return;
    case BECK_BIGINT:
        beck__text_printf(out, "%lld", (long long)((const int64_t *)data)[row]);
        return;
    case BECK_DOUBLE:
        print_double(((const double *)data)[row], out);
        return;
    case BECK_TIMESTAMP:
        print_timestamp(((const int64_t *)data)[row], out);
        return;
    case BECK_STRING:
        s = beck_view_string((const beck_view *)data + row);
        beck__text_append(out, s.data, s.size);
        return;
    case BECK_BINARY:
        print_hex(beck_view_string((const beck_view *)data + row), out);
        return;
    case BECK_ARRAY:
        print_array(column, row, out);
        return;
    case BECK_STRUCT:
        print_fields(column->child, 0, row, out);
        return;
    case BECK_NONE_TYPE:
        break;
    }
    assert(0 && "a column without a type");
}

void beck__row_print(const beck_chunk *chunk, uint32_t first, uint32_t row, struct text *out)
{
    if (first + 1 == chunk->columns)
        beck__cell_print(&chunk->column[first], row, out);
    else
        print_fields(chunk, first, row, out);
}
