/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare - the total order of cells, and their equality, which agrees with it.
 */
#include "data/inside.h"

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_doubles(double a, double b)
{
    if (a < b)
        return -1;
    if (a > b)
        return 1;
    return (a != a) - (b != b); /* equal, or NaN, which comes last */
}

static uint32_t prefix(const beck_view *view)
{
    uint32_t x;
    memcpy(&x, view->prefix, sizeof x);
    return __builtin_bswap32(x);
}

/* The first four bytes decide most cases; those of a shorter string are padded with zeros, the
 * least byte, so what differs there differs the right way. */
static int compare_views(const beck_view *a, const beck_view *b)
{
    uint32_t x = prefix(a), y = prefix(b);
    if (x != y)
        return x < y ? -1 : 1;
    beck_str s = beck_view_string(a), t = beck_view_string(b);
    int order = memcmp(s.data, t.data, s.size < t.size ? s.size : t.size);
    return order ? order : ORDER(s.size, t.size);
}

static int compare_arrays(const beck_column *a, uint32_t i, const beck_column *b, uint32_t j)
{
    const uint32_t *x = (const uint32_t *)a->data + i, *y = (const uint32_t *)b->data + j;
    uint32_t n = x[1] - x[0], m = y[1] - y[0];
    for (uint32_t k = 0; k < n && k < m; k++) {
        int order =
            beck__cell_compare(&a->child->column[0], x[0] + k, &b->child->column[0], y[0] + k);
        if (order)
            return order;
    }
    return ORDER(n, m);
}

static int compare_structs(const beck_column *a, uint32_t i, const beck_column *b, uint32_t j)
{
    for (uint32_t k = 0; k < a->child->columns; k++) {
        int order = beck__cell_compare(&a->child->column[k], i, &b->child->column[k], j);
        if (order)
            return order;
    }
    return 0;
}

int beck__cell_compare(const beck_column *a, uint32_t i, const beck_column *b, uint32_t j)
{
    bool x = !beck__is_null(a, i), y = !beck__is_null(b, j);
    if (!x || !y)
        return x - y;
    switch ((beck_type)a->type) {
    case BECK_BOOLEAN:
        return ((const uint8_t *)a->data)[i] - ((const uint8_t *)b->data)[j];
    case BECK_BIGINT:
    case BECK_TIMESTAMP:
        return ORDER(((const int64_t *)a->data)[i], ((const int64_t *)b->data)[j]);
    case BECK_DOUBLE:
        return compare_doubles(((const double *)a->data)[i], ((const double *)b->data)[j]);
    case BECK_STRING:
    case BECK_BINARY:
        return compare_views((const beck_view *)a->data + i, (const beck_view *)b->data + j);
    case BECK_ARRAY:
        return compare_arrays(a, i, b, j);
    case BECK_STRUCT:
        return compare_structs(a, i, b, j);
    case BECK_NONE_TYPE:
        break;
    }
    assert(0 && "a column without a type");
    return 0;
}

bool beck__cell_equal(const beck_column *a, uint32_t i, const beck_column *b, uint32_t j)
{
    if (beck__is_null(a, i) || beck__is_null(b, j))
        return beck__is_null(a, i) && beck__is_null(b, j);
    if (a->type == BECK_STRING || a->type == BECK_BINARY)
        return beck__view_equal((const beck_view *)a->data + i, (const beck_view *)b->data + j);
    if (a->type == BECK_BIGINT || a->type == BECK_TIMESTAMP)
        return ((const int64_t *)a->data)[i] == ((const int64_t *)b->data)[j];
    return beck__cell_compare(a, i, b, j) == 0;
}

int beck__row_compare(const struct order *order, const beck_chunk *a, uint32_t i,
                      const beck_chunk *b, uint32_t j)
{
    for (uint32_t n = 0; n < order->count; n++) {
        uint32_t k = order->columns[n] / 2;
        int by = beck__cell_compare(&a->column[k], i, &b->column[k], j);
        if (by)
            return order->columns[n] % 2 ? -by : by;
    }
    return 0;
}
