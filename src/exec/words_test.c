/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words_test - the kernels of beck_words and beck_lines give what the functions give, on random
 * bytes; and what those give, by example.
 */
#include "exec/testing.h"

static const char *const schemas[] = {"word STRING", "word STRING, n BIGINT"};

static struct op words_op(struct bench *x, enum op_kind kind, const char *in, const char *out)
{
    struct op op = test_op(&x->arena, kind, in, out);
    op.emits = EMITS_ANY;
    if (kind == OP_LINES)
        SET_FUNCTION(&op, 0, beck_lines);
    else
        SET_FUNCTION(&op, 0, beck_words);
    return op;
}

/* ---- by example ------------------------------------------------------------------------------ */

static void check(enum op_kind kind, const char *out, beck_str text, const char *expected)
{
    for (int kernel = 0; kernel < 2; kernel++) {
        struct bench x;
        bench_open(&x, "text STRING");
        ROW(&x, text);
        struct op op = words_op(&x, kind, "text STRING", out);
        if (!kernel)
            op.kind = OP_CALL;
        bench_run(&x, &op, 1);
        assert_string_equal(bench_text(&x), expected);
        bench_close(&x);
    }
}

static void test_words(void **state)
{
    (void)state;
    check(OP_WORDS, schemas[0], beck_string("the quick  brown\tfox"), "the\nquick\nbrown\nfox\n");
    check(OP_WORDS, schemas[1], beck_string(" a\r\na \n"), "(a,1)\n(a,1)\n");
    check(OP_WORDS, schemas[1], beck_string(""), "");
    check(OP_WORDS, schemas[1], beck_string(" \t\r\n"), "");
    check(OP_WORDS, schemas[0], beck_string("characteristically antidisestablishmentarianism"),
          "characteristically\nantidisestablishmentarianism\n");
    check(OP_WORDS, schemas[0], beck_string("a\vb\fc"), "a\vb\fc\n"); /* only these four cut */
}

static void test_lines(void **state)
{
    (void)state;
    check(OP_LINES, schemas[0], beck_string("one\ntwo\r\nthree"), "one\ntwo\nthree\n");
    check(OP_LINES, schemas[0], beck_string("\n\r\n"), "\n\n");
    check(OP_LINES, schemas[0], beck_string("a\rb\r\r\nc\r"), "a\rb\r\nc\r\n");
    check(OP_LINES, schemas[1], beck_string("x y\n"), "(x y,1)\n");
    check(OP_LINES, schemas[0], beck_string(""), "");
}

/* ---- on random bytes ------------------------------------------------------------------------- */

/* A line of up to 300 bytes: words of all lengths, now and then a very long one, any bytes. */
static void random_line(struct text *text, uint64_t *seed)
{
    static const char delimiters[] = " \t\r \n";
    uint32_t kind = test_below(seed, 8), size = test_below(seed, kind == 0 ? 2 : 300);
    uint32_t often = 1 + test_below(seed, kind == 1 ? 100 : 8);

    for (uint32_t i = 0; i < size; i++) {
        uint32_t c = test_below(seed, often) == 0 ? (unsigned char)delimiters[test_below(seed, 5)]
                                                  : test_below(seed, kind < 4 ? 256 : 120);
        beck__put_u8(text, (uint8_t)c);
    }
}

/* Rows of text: each for itself, or views of one text with line ends or nothing between them. */
static void random_rows(struct builder *b, struct text *text, uint64_t *seed)
{
    uint32_t rows = 1 + test_below(seed, 40), from[40], size[40];
    bool shared = test_below(seed, 2) == 1, nulls = test_below(seed, 4) == 0;

    beck__text_clear(text);
    beck__builder_clear(b);
    for (uint32_t i = 0; i < rows; i++) {
        from[i] = (uint32_t)text->size;
        random_line(text, seed);
        size[i] = (uint32_t)text->size - from[i];
        static const char *const ends[] = {"\n", "\r\n", "", " ", "x", "\n\n"};
        beck__text_add(text, ends[test_below(seed, shared ? 6 : 1)]);
    }
    beck_str keep = shared ? beck_bytes_of(text->data, text->size) : (beck_str){NULL, 0};
    for (uint32_t i = 0; i < rows; i++) {
        beck_value v = beck_string_value(beck_bytes_of(text->data + from[i], size[i]));
        if (nulls && test_below(seed, 3) == 0)
            v = beck_null;
        assert_false(beck__builder_value(b, 0, &v, &keep, NULL));
        beck__builder_end_row(b);
    }
}

/* All rows of the output as one text. */
static void run_chunk(struct bench *x, const struct op *op, const beck_chunk *chunk,
                      struct text *out)
{
    struct operator *head = NULL;
    struct operator *sink = beck__collector_open(&x->task, op->out, &x->out);
    const struct program program = {.count = 1, .ops = op, .in = op->in, .out = op->out};

    assert_false(beck__pipeline_open(&x->task, &program, sink, &head));
    assert_int_equal(head->push(head, chunk), FLOW_MORE);
    assert_int_equal(beck__pipeline_finish(head, sink), FLOW_MORE);
    beck__pipeline_close(head, sink);
    beck__text_clear(out);
    for (size_t i = 0; i < x->out.count; i++)
        for (uint32_t row = 0; row < x->out.items[i]->chunk->rows; row++) {
            test_row_text(x->out.items[i]->chunk, row, out);
            beck__text_add(out, "\n");
        }
    beck__blocks_deinit(&x->out);
}

static void check_random(struct bench *x, enum op_kind kind, uint64_t seed)
{
    struct text text = {.memory = &x->os->memory}, kernel = text, callback = text;
    struct op op = words_op(x, kind, "text STRING", schemas[test_below(&seed, 2)]);

    random_rows(&x->in, &text, &seed);
    run_chunk(x, &op, x->in.chunk, &kernel);
    op.kind = OP_CALL;
    run_chunk(x, &op, x->in.chunk, &callback);
    assert_string_equal(beck__text_get(&kernel), beck__text_get(&callback));
    beck__text_deinit(&text);
    beck__text_deinit(&kernel);
    beck__text_deinit(&callback);
}

static void test_random_text(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct bench x;
        bench_open(&x, "text STRING");
        printf("seed %llu\r", (unsigned long long)seed);
        check_random(&x, OP_WORDS, seed);
        check_random(&x, OP_LINES, seed);
        bench_close(&x);
    }
    printf("\n");
}

/* ---- sizes ----------------------------------------------------------------------------------- */

/* Words of one length n, m apart, around all edges of blocks of 16 and 64 bytes. */
static void test_lengths(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, "text STRING");
    struct op op = words_op(&x, OP_WORDS, "text STRING", schemas[0]);
    struct text kernel = {.memory = &x.os->memory}, callback = kernel;
    for (uint32_t n = 1; n <= 70; n++) {
        beck__builder_clear(&x.in);
        for (uint32_t size = 0; size <= 200; size += n < 14 ? 1 : 7) {
            char line[200];
            for (uint32_t i = 0; i < size; i++)
                line[i] = i % (n + 1) == n ? ' ' : (char)('a' + i % 26);
            ROW(&x, beck_bytes_of(line, size));
        }
        op.kind = OP_WORDS;
        run_chunk(&x, &op, x.in.chunk, &kernel);
        op.kind = OP_CALL;
        run_chunk(&x, &op, x.in.chunk, &callback);
        assert_string_equal(beck__text_get(&kernel), beck__text_get(&callback));
    }
    beck__text_deinit(&kernel);
    beck__text_deinit(&callback);
    bench_close(&x);
}

/* 100,000 words in one row come in chunks of at most 2048. */
static void test_many(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, "text STRING");
    struct text text = {.memory = &x.os->memory};
    for (uint32_t i = 0; i < 100000; i++)
        beck__text_printf(&text, "%u\n", i);
    ROW(&x, beck_bytes_of(text.data, text.size));
    for (int kind = 0; kind < 2; kind++) {
        struct op op = words_op(&x, kind ? OP_LINES : OP_WORDS, "text STRING", schemas[1]);
        bench_run(&x, &op, 1);
        assert_int_equal(x.out.rows, 100000);
        int64_t n = 0;
        for (size_t i = 0; i < x.out.count; i++) {
            const beck_chunk *chunk = x.out.items[i]->chunk;
            assert_true(chunk->rows <= BECK__CHUNK_ROWS);
            for (uint32_t row = 0; row < chunk->rows; row++) {
                beck_row r = {chunk, row, 0};
                char digits[24];
                size_t size = (size_t)snprintf(digits, sizeof digits, "%lld", (long long)n++);
                assert_true(beck_string_equal(beck_get_string(r, 0), beck_bytes_of(digits, size)));
                assert_int_equal(beck_get_bigint(r, 1), 1);
            }
        }
    }
    beck__text_deinit(&text);
    bench_close(&x);
}

/* The first of 100 chunks is enough. */
static void test_done(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, "text STRING");
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < 100; k++)
            ROW(&x, "a b c d e f g h i j k l m n o p q r s t u v w x y z and some more words");
        bench_cut(&x);
    }
    struct op ops[] = {words_op(&x, OP_WORDS, "text STRING", schemas[0]),
                       test_op(&x.arena, OP_LIMIT, schemas[0], schemas[0])};
    ops[1].number = 3;
    bench_run(&x, ops, 2);
    assert_string_equal(bench_text(&x), "a\nb\nc\n");
    assert_int_equal(x.pushed, 1);
    bench_close(&x);
}

/* Strings that a callback has made: 16 bytes apart in the heap of its builder, padding between. */
static void emit_lengths(beck_call *c, beck_row in)
{
    char text[64];
    (void)in;
    memset(text, 'a', sizeof text);
    for (size_t n = 13; n < sizeof text; n++)
        beck_emit(c, beck_bytes_of(text, n));
}

static void test_words_of_made_strings(void **state)
{
    (void)state;
    struct bench x;
    bench_open(&x, "text STRING");
    for (int i = 0; i < 10; i++)
        ROW(&x, "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n");
    struct op ops[] = {call_op(&x, "text STRING", "text STRING", emit_lengths),
                       words_op(&x, OP_WORDS, "text STRING", schemas[0])};
    bench_run(&x, ops, 2);
    assert_int_equal(x.out.rows, 10 * (64 - 13));
    bench_close(&x);
}

/* Strings of random lengths, each a row of its own that was put into one builder. */
static void test_neighbours(void **state)
{
    (void)state;
    struct bench x;
    uint64_t seed = 5;
    char text[64];
    bench_open(&x, "text STRING");
    memset(text, '\n', sizeof text);
    for (int round = 0; round < 20; round++) {
        beck__builder_clear(&x.in); /* what is left in its heap are line ends */
        uint32_t words = 0;
        for (int i = 0; i < 50; i++) {
            size_t size = 13 + test_below(&seed, 50);
            memset(text, round % 2 ? 'a' : '\n', sizeof text);
            ROW(&x, beck_bytes_of(text, size));
            words += round % 2 ? 1 : 0;
        }
        struct text out = {.memory = &x.os->memory};
        struct op op = words_op(&x, OP_WORDS, "text STRING", schemas[0]);
        run_chunk(&x, &op, x.in.chunk, &out);
        uint32_t lines = 0;
        for (size_t i = 0; i < out.size; i++)
            lines += out.data[i] == '\n';
        assert_int_equal(lines, words);
        beck__text_deinit(&out);
    }
    bench_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_words), test(test_lines), test(test_random_text),           test(test_lengths),
        test(test_many),  test(test_done),  test(test_words_of_made_strings), test(test_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
