/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testing.h - for tests of this room and of those above: random schemas, random chunks, and a model
 * of a cell's value as text to compare with.
 */
#ifndef BECK_DATA_TESTING_H
#define BECK_DATA_TESTING_H

#include "base/testing.h"
#include "data/data.h"

#include <beck/beck.h>
#include <math.h>
#include <stdio.h>

/* SplitMix64: any seed is good. */
static inline uint64_t test_random(uint64_t *seed)
{
    uint64_t x = (*seed += 0x9e3779b97f4a7c15u);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint32_t test_below(uint64_t *seed, uint32_t n)
{
    return (uint32_t)(test_random(seed) % n);
}

static inline const beck_schema *test_schema(struct arena *arena, const char *text)
{
    const beck_schema *schema = NULL;
    struct error error = {0};
    if (beck__schema_parse(arena, text, &schema, &error))
        printf("%s\n", error.text);
    assert(schema);
    return schema;
}

static inline void test_random_type(struct text *out, uint64_t *seed, uint32_t depth)
{
    static const char *const names[] = {"BOOLEAN",   "BIGINT", "DOUBLE",
                                        "TIMESTAMP", "STRING", "BINARY"};
    uint32_t kind = test_below(seed, depth > 0 ? 9 : 6);
    if (kind < 6) {
        beck__text_add(out, names[kind]);
    } else if (kind == 6) {
        beck__text_add(out, "ARRAY<");
        test_random_type(out, seed, depth - 1);
        beck__text_add(out, ">");
    } else {
        uint32_t fields = 1 + test_below(seed, 3);
        beck__text_add(out, "STRUCT<");
        for (uint32_t i = 0; i < fields; i++) {
            beck__text_printf(out, "%sf%u ", i ? ", " : "", i);
            test_random_type(out, seed, depth - 1);
        }
        beck__text_add(out, ">");
    }
}

static inline const beck_schema *test_random_schema(struct arena *arena, uint64_t *seed)
{
    struct text text = {.memory = arena->memory};
    uint32_t columns = 1 + test_below(seed, 4);
    for (uint32_t i = 0; i < columns; i++) {
        beck__text_printf(&text, "%sc%u ", i ? ", " : "", i);
        test_random_type(&text, seed, 3);
    }
    const beck_schema *schema = test_schema(arena, beck__text_get(&text));
    beck__text_deinit(&text);
    return schema;
}

static inline void test_row(struct builder *b, const beck_value *values, size_t count)
{
    assert_int_equal(count, b->schema->count);
    for (uint32_t k = 0; k < count; k++)
        assert_int_equal(beck__builder_value(b, k, &values[k], NULL, NULL), BECK_OK);
    beck__builder_end_row(b);
}
/* x->in takes a row. */
#define ROW(x, ...)                                                                                \
    test_row(&(x)->in, (const beck_value[]){BECK__VALUES(__VA_ARGS__)}, BECK__COUNT(__VA_ARGS__))

static inline double test_random_double(uint64_t *seed)
{
    static const double special[] = {0.0, -0.0, 1.0, -1.5, 1e300, INFINITY, -INFINITY, NAN};
    uint32_t i = test_below(seed, 12);
    return i < BECK__COUNT_OF(special) ? special[i]
                                       : (double)(int64_t)test_random(seed) / (1 << 20);
}

/* A value that fits the field; nested ones and strings lie in the arena. Few different ones, so
 * that equal cells happen. */
static inline beck_value test_random_value(struct arena *arena, const struct field *field,
                                           uint64_t *seed)
{
    static const uint32_t lengths[] = {0, 1, 3, 4, 5, 11, 12, 13, 14, 40};
    if (test_below(seed, 8) == 0)
        return beck_null;
    if (field->type == BECK_BOOLEAN)
        return beck_boolean_value(test_below(seed, 2) == 1);
    if (field->type == BECK_BIGINT || field->type == BECK_TIMESTAMP)
        return beck_integer_value(test_below(seed, 2) ? (int64_t)test_random(seed)
                                                      : (int64_t)test_below(seed, 5) - 2);
    if (field->type == BECK_DOUBLE)
        return beck_double_value(test_random_double(seed));
    if (field->type == BECK_STRING || field->type == BECK_BINARY) {
        uint32_t size = lengths[test_below(seed, BECK__COUNT_OF(lengths))];
        char *data = beck__arena_alloc(arena, size + 1);
        for (uint32_t i = 0; i < size; i++)
            data[i] = "ab\0\xff"[test_below(seed, i + 2 < size ? 1 : 4)];
        return beck_string_value(beck_bytes_of(data, size));
    }
    uint32_t count = field->type == BECK_ARRAY ? test_below(seed, 5) : field->count;
    beck_value *values = beck__arena_alloc(arena, (count + 1) * sizeof *values);
    for (uint32_t i = 0; i < count; i++)
        values[i] =
            test_random_value(arena, &field->fields[field->type == BECK_STRUCT ? i : 0], seed);
    return beck_values_value(values, count);
}

static inline void test_random_rows(struct builder *b, struct arena *arena, uint32_t rows,
                                    uint64_t *seed)
{
    for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t k = 0; k < b->schema->count; k++) {
            struct error error = {0};
            beck_value value = test_random_value(arena, &b->schema->fields[k], seed);
            if (beck__builder_value(b, k, &value, NULL, &error))
                printf("%s\n", error.text);
            assert(!error.status);
        }
        beck__builder_end_row(b);
    }
}

/* A cell as text that tells all different cells apart, read through nothing but the layout. */
static inline void test_cell_text(const beck_column *column, uint32_t row, struct text *out)
{
    assert(row < column->size);
    if (column->valid && !beck__bit_get(column->valid, row)) {
        beck__text_add(out, "null");
    } else if (column->type == BECK_BOOLEAN) {
        beck__text_printf(out, "%d", ((const uint8_t *)column->data)[row]);
    } else if (column->type == BECK_STRING || column->type == BECK_BINARY) {
        const beck_view *view = (const beck_view *)column->data + row;
        beck_str s = beck_view_string(view);
        assert(s.size <= BECK_VIEW_INLINE || memcmp(view->prefix, s.data, 4) == 0);
        beck__text_add(out, "\"");
        for (size_t i = 0; i < s.size; i++)
            beck__text_printf(out, "%02x", (unsigned char)s.data[i]);
    } else if (column->type == BECK_ARRAY) {
        const uint32_t *offset = (const uint32_t *)column->data + row;
        beck__text_add(out, "[");
        for (uint32_t i = offset[0]; i < offset[1]; i++) {
            test_cell_text(&column->child->column[0], i, out);
            beck__text_add(out, ",");
        }
        beck__text_add(out, "]");
    } else if (column->type == BECK_STRUCT) {
        beck__text_add(out, "(");
        for (uint32_t i = 0; i < column->child->columns; i++) {
            test_cell_text(&column->child->column[i], row, out);
            beck__text_add(out, ",");
        }
        beck__text_add(out, ")");
    } else {
        uint64_t bits;
        memcpy(&bits, (const char *)column->data + 8 * (size_t)row, 8);
        beck__text_printf(out, "%llx", (unsigned long long)bits);
    }
}

static inline void test_row_text(const beck_chunk *chunk, uint32_t row, struct text *out)
{
    for (uint32_t i = 0; i < chunk->columns; i++) {
        test_cell_text(&chunk->column[i], row, out);
        beck__text_add(out, ";");
    }
}

/* Row i of one chunk is row rows[i] (from + i without rows) of the other. */
static inline bool test_same_rows(const beck_chunk *chunk, const beck_chunk *other,
                                  const uint32_t *rows, uint32_t from, uint32_t count)
{
    struct test_memory memory;
    struct text a = {.memory = test_memory_init(&memory, 0)}, b = {.memory = &memory.allocator};
    bool same = true;
    for (uint32_t i = 0; i < count && same; i++) {
        beck__text_clear(&a);
        beck__text_clear(&b);
        test_row_text(chunk, i, &a);
        test_row_text(other, rows ? rows[i] : from + i, &b);
        same = strcmp(beck__text_get(&a), beck__text_get(&b)) == 0;
        if (!same)
            printf("row %u: %s is not %s\n", i, beck__text_get(&a), beck__text_get(&b));
    }
    beck__text_deinit(&a);
    beck__text_deinit(&b);
    return same;
}

#endif
