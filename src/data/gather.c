/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gather - appends many cells of one column to another: shuffles, filters, group output. The type
 * is looked at once per call, never per cell. A failed append leaves cells behind that the builder
 * drops with its row (beck__column_truncate).
 */
#include "data/inside.h"

/* `size` is a constant where this is inlined. */
static inline void gather_cells(char *to, const char *from, const struct cells *cells, size_t size)
{
    const uint32_t *rows = cells->rows;
    if (!rows) {
        memcpy(to, from + cells->first * size, cells->count * size);
        return;
    }
    for (uint32_t i = 0; i < cells->count; i++)
        memcpy(to + i * size, from + rows[i] * size, size);
}

static inline bool is_foreign(const beck_view *view, beck_str keep)
{
    return view->size > BECK_VIEW_INLINE && !beck__inside(keep, view->u.data);
}

/* Copies the bytes of long strings into the heap, all at once. */
static bool own_strings(struct builder *b, beck_view *views, uint32_t count, beck_str keep)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += is_foreign(&views[i], keep) ? views[i].size : 0;
    if (bytes == 0)
        return true;
    char *heap = beck__arena_raw(&b->heap, bytes);
    if (!heap)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_foreign(&views[i], keep))
            continue;
        memcpy(heap, views[i].u.data, views[i].size);
        views[i].u.data = heap;
        heap += views[i].size;
    }
    return true;
}

static bool append_elements(struct builder *b, beck_column *to, struct cells *run, uint32_t end)
{
    run->count = end - run->first;
    return run->count == 0 || beck__column_append(b, to, run);
}

/* Neighbouring arrays are copied as one run of elements. */
static bool append_arrays(struct builder *b, beck_column *to, const struct cells *cells)
{
    const uint32_t *offsets = cells->from->data;
    uint32_t *out = (uint32_t *)to->data + to->size;
    struct cells run = {.from = &cells->from->child->column[0], .keep = cells->keep};
    uint64_t end = out[0];
    uint32_t run_end = 0;

    for (uint32_t i = 0; i < cells->count; i++) {
        uint32_t row = cells->rows ? cells->rows[i] : cells->first + i;
        end += offsets[row + 1] - offsets[row];
        if (end > UINT32_MAX)
            return false;
        out[i + 1] = (uint32_t)end;
        if (offsets[row] != run_end) {
            if (!append_elements(b, &to->child->column[0], &run, run_end))
                return false;
            run.first = offsets[row];
        }
        run_end = offsets[row + 1];
    }
    if (!append_elements(b, &to->child->column[0], &run, run_end))
        return false;
    to->child->rows = to->child->column[0].size;
    return true;
}

static bool append_structs(struct builder *b, beck_column *to, const struct cells *cells)
{
    struct cells fields = *cells;
    for (uint32_t i = 0; i < to->child->columns; i++) {
        fields.from = &cells->from->child->column[i];
        if (!beck__column_append(b, &to->child->column[i], &fields))
            return false;
    }
    to->child->rows = to->size + cells->count;
    return true;
}

static bool append_data(struct builder *b, beck_column *to, const struct cells *cells)
{
    const char *from = cells->from->data;
    char *end = (char *)to->data + beck__cell_size(to->type) * to->size;

    switch ((beck_type)to->type) {
    case BECK_BOOLEAN:
        gather_cells(end, from, cells, 1);
        return true;
    case BECK_BIGINT:
    case BECK_DOUBLE:
    case BECK_TIMESTAMP:
        gather_cells(end, from, cells, 8);
        return true;
    case BECK_STRING:
    case BECK_BINARY:
        gather_cells(end, from, cells, sizeof(beck_view));
        return cells->keep.size == SIZE_MAX ||
               own_strings(b, (beck_view *)(void *)end, cells->count, cells->keep);
    case BECK_ARRAY:
        return append_arrays(b, to, cells);
    case BECK_STRUCT:
        return append_structs(b, to, cells);
    case BECK_NONE_TYPE:
        break;
    }
    assert(0 && "a column without a type");
    return false;
}

static bool any_null(const struct cells *cells)
{
    if (!cells->from->valid || !cells->rows)
        return beck__any_null(cells->from, cells->first, cells->count);
    for (uint32_t i = 0; i < cells->count; i++)
        if (!beck__bit_get(cells->from->valid, cells->rows[i]))
            return true;
    return false;
}

static void append_valid(beck_column *to, const struct cells *cells)
{
    const uint8_t *from = cells->from->valid;
    if (!any_null(cells)) {
        if (to->valid)
            beck__bits_fill(to->valid, to->size, cells->count, true);
        return;
    }
    beck__column_need_valid(to);
    if (!cells->rows) {
        beck__bits_copy(to->valid, to->size, from, cells->first, cells->count);
        return;
    }
    beck__bits_fill(to->valid, to->size, cells->count, false);
    for (uint32_t i = 0; i < cells->count; i++)
        if (beck__bit_get(from, cells->rows[i]))
            beck__bit_set(to->valid, to->size + i);
}

bool beck__column_append(struct builder *b, beck_column *to, const struct cells *cells)
{
    assert(to->type == cells->from->type && to != cells->from);
    if (cells->count == 0)
        return true;
    if (!beck__column_reserve(b, to, cells->count) || !append_data(b, to, cells))
        return false;
    append_valid(to, cells);
    to->size += cells->count;
    return true;
}

/* ---- the door -------------------------------------------------------------------------------- */

bool beck__builder_cells(struct builder *b, uint32_t k, const beck_column *from,
                         const uint32_t *rows, uint32_t count, bool share)
{
    struct cells cells = {.from = from,
                          .rows = rows,
                          .count = count,
                          .keep = share ? BECK__KEEP_ALL : BECK__KEEP_NONE};
    return beck__column_append(b, &b->chunk->column[k], &cells);
}

bool beck__builder_cell(struct builder *b, uint32_t k, const beck_column *from, uint32_t index,
                        bool share)
{
    struct cells cells = {
        .from = from, .first = index, .count = 1, .keep = share ? BECK__KEEP_ALL : BECK__KEEP_NONE};
    return beck__column_append(b, &b->chunk->column[k], &cells);
}

bool beck__builder_array(struct builder *b, uint32_t k, const beck_chunk *from,
                         const uint32_t *rows, uint32_t count, bool share)
{
    beck_column *column = &b->chunk->column[k];
    assert(column->type == BECK_ARRAY);
    beck_column *element = &column->child->column[0];
    /* what a STRUCT column of these fields would look like */
    beck_column fields = {.type = BECK_STRUCT, .size = from->rows};
    fields.child = (beck_chunk *)(uintptr_t)from;
    struct cells cells = {.from = &fields,
                          .rows = rows,
                          .count = count,
                          .keep = share ? BECK__KEEP_ALL : BECK__KEEP_NONE};
    if (from->columns == 1 && beck__shape_equal(element, &from->column[0]))
        cells.from = &from->column[0];
    if (!beck__column_reserve(b, column, 1) || !beck__column_append(b, element, &cells))
        return false;
    beck__column_end_array(column);
    return true;
}
