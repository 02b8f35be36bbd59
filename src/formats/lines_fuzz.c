/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines_fuzz - the first bytes choose limits and pieces, the rest is text: in whatever pieces and
 * chunks it is cut, the lines are those that the rules say, byte by byte.
 */
#include "base/testing.h"
#include "formats/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_line(struct text *lines, const char *data, size_t size)
{
    beck__put_string(lines, beck_bytes_of(data, size));
}

/* Returns how many lines were too long. */
static uint64_t model(const char *data, size_t size, size_t line_max, struct text *lines)
{
    uint64_t cut = 0;
    size_t start = 0;
    for (size_t i = 0; i <= size; i++) {
        bool last = i == size;
        if (last ? start == size : data[i] != '\n')
            continue;
        size_t length = i - start;
        if (!last && length > 0 && data[i - 1] == '\r')
            length--;
        cut += length > line_max;
        put_line(lines, data + start, length < line_max ? length : line_max);
        start = i + 1;
    }
    return cut;
}

static void take_lines(struct builder *b, struct text *lines)
{
    const beck_view *views = b->chunk->column[0].data;
    for (uint32_t i = 0; i < b->chunk->rows; i++) {
        beck_str s = beck_view_string(&views[i]);
        put_line(lines, s.data, s.size);
    }
    beck__builder_clear(b);
}

static uint64_t cut(struct builder *b, beck_str bytes, size_t line_max, size_t piece,
                    struct text *lines)
{
    struct line_cutter cutter = {.line_max = line_max};
    size_t at = 0, end = 0;
    while (at < bytes.size) {
        bool ok, full = true;
        end = bytes.size - end < piece ? bytes.size : end + piece;
        while (full) {
            at += beck__lines_cut(&cutter, bytes.data + at, end - at, end == bytes.size, b, &ok);
            assert(ok && at <= end);
            full = beck__builder_full(b);
            take_lines(b, lines);
        }
        assert(end - at < line_max + 2);
    }
    return cutter.cut;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    struct test_memory memory;
    struct arena arena = {.memory = test_memory_init(&memory, 0)};
    struct text expected = {.memory = &memory.allocator}, lines = expected;
    struct builder b;
    const beck_schema *schema = NULL;
    beck_status status = beck__schema_parse(&arena, "value STRING", &schema, NULL);
    assert(!status);
    status = beck__builder_init(&b, &memory.allocator, schema, 1u + data[1], NULL);
    assert(!status);

    const char *text = (const char *)data + 3;
    uint64_t model_cut = model(text, size - 3, data[0], &expected);
    uint64_t real_cut = cut(&b, beck_bytes_of(text, size - 3), data[0], 1u + data[2], &lines);
    assert(real_cut == model_cut && lines.size == expected.size);
    assert(memcmp(beck__text_get(&lines), beck__text_get(&expected), lines.size) == 0);

    beck__builder_deinit(&b);
    beck__text_deinit(&expected);
    beck__text_deinit(&lines);
    beck__arena_deinit(&arena);
    assert(memory.used == 0);
    return 0;
}
