/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines_test - where lines end, what is carried, what is cut off; and that neither the pieces in
 * which bytes arrive nor the size of chunks change the lines.
 */
#include "data/testing.h"
#include "formats/formats.h"

struct fixture {
    struct test_memory memory;
    struct arena arena;
    struct builder b;
    struct text lines; /* all so far, each in <> */
};

static void open(struct fixture *f, uint32_t limit)
{
    beck__arena_init(&f->arena, test_memory_init(&f->memory, 0));
    f->lines = (struct text){.memory = &f->memory.allocator};
    beck__builder_init(&f->b, &f->memory.allocator, test_schema(&f->arena, "value STRING"), limit,
                       NULL);
}

static void close(struct fixture *f)
{
    beck__builder_deinit(&f->b);
    beck__text_deinit(&f->lines);
    beck__arena_deinit(&f->arena);
    assert_int_equal(f->memory.used, 0);
}

static void take_lines(struct fixture *f)
{
    const beck_view *views = f->b.chunk->column[0].data;
    assert_int_equal(f->b.chunk->column[0].size, f->b.chunk->rows);
    assert_true(f->b.chunk->rows <= f->b.limit);
    for (uint32_t i = 0; i < f->b.chunk->rows; i++) {
        beck_str s = beck_view_string(&views[i]);
        beck_view again = beck__view(s.data, s.size);
        assert_true(beck__view_equal(&views[i], &again));
        beck__text_add(&f->lines, "<");
        beck__text_append(&f->lines, s.data, s.size);
        beck__text_add(&f->lines, ">");
    }
    beck__builder_clear(&f->b);
}

/* Cuts as long as there is something to take; the number of bytes used up. */
static size_t cut(struct fixture *f, struct line_cutter *cutter, beck_str bytes, bool last)
{
    size_t used = 0;
    for (bool full = true; full;) {
        bool ok;
        used += beck__lines_cut(cutter, bytes.data + used, bytes.size - used, last, &f->b, &ok);
        assert_true(ok && used <= bytes.size);
        full = beck__builder_full(&f->b);
        take_lines(f);
    }
    return used;
}

static void check(const char *bytes, size_t size, size_t line_max, const char *expected)
{
    struct fixture f;
    struct line_cutter cutter = {.line_max = line_max};
    open(&f, 0);
    char *exact = malloc(size + 1); /* for a sanitizer to see reads beyond */
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    char *tight = realloc(exact, size ? size : 1);
    assert_non_null(tight);
    size_t used = cut(&f, &cutter, beck_bytes_of(tight, size), false);
    beck__text_printf(&f.lines, " %zu cut %d", size - used, (int)cutter.cut);
    assert_string_equal(beck__text_get(&f.lines), expected);
    free(tight);
    close(&f);
}

#define CHECK(bytes, line_max, expected) check(bytes, sizeof(bytes) - 1, line_max, expected)

static void test_ends_of_lines(void **state)
{
    (void)state;
    CHECK("", 100, " 0 cut 0");
    CHECK("\n", 100, "<> 0 cut 0");
    CHECK("a\n", 100, "<a> 0 cut 0");
    CHECK("a", 100, " 1 cut 0");
    CHECK("a\nbc", 100, "<a> 2 cut 0");
    CHECK("a\n\nb\n", 100, "<a><><b> 0 cut 0");
    CHECK("a\r\nb\r\n\r\n", 100, "<a><b><> 0 cut 0");
    CHECK("a\r\r\n\rb\n", 100, "<a\r><\rb> 0 cut 0");
    CHECK("a\r", 100, " 2 cut 0");
    CHECK("\xff\xfe\n\x80\n", 100, "<\xff\xfe><\x80> 0 cut 0");
    CHECK("123456789012\n1234567890123\n", 100, "<123456789012><1234567890123> 0 cut 0");
}

static void test_line_max(void **state)
{
    (void)state;
    CHECK("1234\n", 4, "<1234> 0 cut 0");
    CHECK("1234\r\n", 4, "<1234> 0 cut 0");
    CHECK("12345\n1\n", 4, "<1234><1> 0 cut 1");
    CHECK("12345\r\n1\n", 4, "<1234><1> 0 cut 1");
    CHECK("1234\r", 4, " 5 cut 0"); /* its LF may come */
    CHECK("12345", 4, " 5 cut 0");  /* could be told, need not */
    CHECK("123456", 4, "<1234> 0 cut 1");
    CHECK("1\n123456", 4, "<1><1234> 0 cut 1");
    CHECK("a\n\nb", 0, "<><> 1 cut 1");
}

static void test_nul_bytes_are_carried(void **state)
{
    (void)state;
    struct fixture f;
    struct line_cutter cutter = {.line_max = 100};
    bool ok;
    open(&f, 0);
    assert_int_equal(beck__lines_cut(&cutter, "a\0b\n\0\n", 6, false, &f.b, &ok), 6);
    const beck_view *views = f.b.chunk->column[0].data;
    assert_true(beck_string_equal(beck_view_string(&views[0]), beck_bytes_of("a\0b", 3)));
    assert_true(beck_string_equal(beck_view_string(&views[1]), beck_bytes_of("\0", 1)));
    close(&f);
}

static void test_last(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *lines;
        uint64_t cut;
    } cases[] = {{"a\nb", "<a><b>", 0}, {"a\n", "<a>", 0},        {"", "", 0},
                 {"b\r", "<b\r>", 0},   {"12345", "<1234>", 1},   {"1\n1234\r", "<1><1234>", 1},
                 {"1234", "<1234>", 0}, {"12345678", "<1234>", 1}};
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++) {
        struct fixture f;
        struct line_cutter cutter = {.line_max = 4};
        open(&f, 1);
        beck_str bytes = beck_string(cases[i].bytes);
        assert_int_equal(cut(&f, &cutter, bytes, true), bytes.size);
        assert_string_equal(beck__text_get(&f.lines), cases[i].lines);
        assert_int_equal(cutter.cut, cases[i].cut);
        close(&f);
    }
}

/* Nobody looks at the rest of a line that was cut, in as many pieces as it comes. */
static void test_skips_the_rest(void **state)
{
    (void)state;
    struct fixture f;
    struct line_cutter cutter = {.line_max = 4};
    open(&f, 0);
    assert_int_equal(cut(&f, &cutter, beck_string("1234567"), false), 7);
    assert_true(cutter.skipping);
    assert_int_equal(cut(&f, &cutter, beck_string("8888888"), false), 7);
    assert_int_equal(cut(&f, &cutter, beck_string("99\n1\n2"), false), 5);
    assert_false(cutter.skipping);
    assert_int_equal(cutter.cut, 1);
    assert_string_equal(beck__text_get(&f.lines), "<1234><1>");
    close(&f);
}

static void test_nulls_before(void **state)
{
    (void)state;
    struct fixture f;
    struct line_cutter cutter = {.line_max = 4};
    bool ok;
    open(&f, 0);
    beck_value null = beck_null;
    beck__builder_value(&f.b, 0, &null, NULL, NULL);
    beck__builder_end_row(&f.b);
    beck__lines_cut(&cutter, "a\nb\n", 4, false, &f.b, &ok);
    assert_int_equal(f.b.chunk->column[0].valid[0] & 7, 6);
    close(&f);
}

static void random_bytes(struct text *bytes, uint64_t *seed, size_t size)
{
    uint32_t most = 1 + test_below(seed, 150);
    while (bytes->size < size) {
        uint32_t n = test_below(seed, most), end = test_below(seed, 8);
        for (uint32_t i = 0; i < n; i++)
            beck__put_u8(bytes, (uint8_t)("ab\r"[test_below(seed, 3)]));
        beck__text_add(bytes, end == 0 ? "\r\n" : "\n");
    }
}

/* What the rules say, byte by byte. */
static void model(beck_str bytes, size_t line_max, struct text *lines, uint64_t *cut)
{
    size_t start = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        if (bytes.data[i] != '\n')
            continue;
        size_t n = i - start;
        if (n > 0 && bytes.data[i - 1] == '\r')
            n--;
        *cut += n > line_max;
        beck__text_add(lines, "<");
        beck__text_append(lines, bytes.data + start, n > line_max ? line_max : n);
        beck__text_add(lines, ">");
        start = i + 1;
    }
}

static void test_pieces_do_not_matter(void **state)
{
    (void)state;
    uint64_t seed = 4;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 1000; round++) {
        struct fixture f;
        open(&f, 1 + test_below(&seed, 200));
        struct text bytes = {.memory = &f.memory.allocator}, expected = bytes;
        size_t line_max = test_below(&seed, 200), at = 0, end = 0;
        uint32_t piece = 1 + test_below(&seed, 500);
        uint64_t cut_lines = 0;
        struct line_cutter cutter = {.line_max = line_max};
        random_bytes(&bytes, &seed, test_below(&seed, 4000));
        model(beck_bytes_of(beck__text_get(&bytes), bytes.size), line_max, &expected, &cut_lines);
        while (at < bytes.size) {
            end += test_below(&seed, piece);
            end = end < bytes.size ? end : bytes.size;
            at += cut(&f, &cutter, beck_bytes_of(bytes.data + at, end - at), false);
            assert_true(end - at < line_max + 2);
        }
        assert_string_equal(beck__text_get(&f.lines), beck__text_get(&expected));
        assert_int_equal(cutter.cut, cut_lines);
        beck__text_deinit(&bytes);
        beck__text_deinit(&expected);
        close(&f);
    }
}

static void test_every_allocation_fails(void **state)
{
    (void)state;
    struct fixture f;
    char bytes[2 * 1500];
    bool ok = false;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = i % 2 ? '\n' : 'x';
    open(&f, 0);
    for (uint64_t n = 1; !ok; n++) {
        struct test_memory memory;
        struct builder b;
        struct line_cutter cutter = {.line_max = 10};
        test_memory_init(&memory, n);
        if (!beck__builder_init(&b, &memory.allocator, f.b.schema, 0, NULL)) {
            size_t used = beck__lines_cut(&cutter, bytes, sizeof bytes, false, &b, &ok);
            assert_int_equal(used, 2 * b.chunk->rows); /* nothing is lost */
            assert_int_equal(ok, used == sizeof bytes);
        }
        beck__builder_deinit(&b);
        assert_int_equal(memory.used, 0);
    }
    close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends_of_lines),         cmocka_unit_test(test_line_max),
        cmocka_unit_test(test_nul_bytes_are_carried), cmocka_unit_test(test_last),
        cmocka_unit_test(test_skips_the_rest),        cmocka_unit_test(test_nulls_before),
        cmocka_unit_test(test_pieces_do_not_matter),  cmocka_unit_test(test_every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
