/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream over a directory in simulated worlds: files appear, grow, are renamed before and after
 * they were read, while batches run. Every line is counted once, and a seed replays all of it.
 */
#include "driver/testing.h"

#define SEEDS 30
#define FILES 12
#define LINES 5

struct watched {
    struct os *os;
    beck_context *ctx;
    int64_t counted[FILES][LINES];
    int64_t rows;
    bool limited;
};

static uint64_t below(struct watched *w, uint64_t limit)
{
    uint64_t x;

    w->os->random(w->os, &x, sizeof x);
    return x % limit;
}

static void rest(struct watched *w, uint64_t ms)
{
    w->os->sleep_ns(w->os, (int64_t)below(w, ms) * 1000000);
}

/* LINES lines "file line", in pieces that cut lines; at times with a pause between them. */
static void write_slowly(struct watched *w, const char *path, int file)
{
    struct os *os = w->os;
    struct os_file *f;
    char text[200];
    size_t size = 0, at = 0;

    for (int i = 0; i < LINES; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%d %d\n", file, i);
    assert(!os->open(os, path, OS_CREATE, &f, NULL));
    while (at < size) {
        size_t piece = 1 + below(w, size - at);
        assert(!os->write(os, f, text + at, piece, NULL));
        at += piece;
        rest(w, 250); /* less than settle_ms */
    }
    assert(!os->close(os, f, NULL));
}

/* Each file in one of four ways. */
static void write_files(struct watched *w)
{
    struct os *os = w->os;
    char path[64], other[64];

    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "/in/f%02d", i);
        snprintf(other, sizeof other, i % 4 == 1 ? "/in/.f%02d" : "/out%02d", i);
        bool moved = i % 4 == 1 || i % 4 == 2; /* from a hidden name, from another directory */
        write_slowly(w, moved ? other : path, i);
        if (moved)
            assert(!os->rename(os, other, path, NULL));
        rest(w, 2000);
        snprintf(other, sizeof other, "/in/g%02d", i);
        if (i % 4 == 3) { /* before, while or after it is read */
            while (!w->counted[i][0])
                os->sleep_ns(os, 50000000);
            assert(!os->rename(os, path, other, NULL));
            write_slowly(w, "/in/again.tmp", i); /* never seen */
        }
    }
}

static void count_lines(beck_call *c, beck_rdd *rdd)
{
    struct watched *w = (void *)(uintptr_t)beck_ctx(c);
    beck_result *result = beck_collect(rdd);

    assert(beck_result_status(result) == BECK_OK);
    for (uint64_t i = 0; i < beck_result_rows(result); i++) {
        char text[64];
        int file, line, end;
        beck_row_text(beck_result_row(result, i), text, sizeof text);
        assert(sscanf(text, "%d %d%n", &file, &line, &end) == 2 && !text[end]);
        w->counted[file][line]++;
        w->rows++;
    }
    beck_result_free(result);
}

static void run_world(void *user)
{
    struct watched *w = user;
    struct os *os = w->os = beck__os_current();

    assert(!os->mkdir(os, "/in", NULL));
    w->ctx = beck_context_new("watch", .batch_ms = 300, .master = "local[2]");
    beck_dstream *lines =
        beck_text_file_stream(w->ctx, "/in", .files_max = w->limited ? 1 : 0, .split_bytes = 7);
    beck_foreach_rdd(lines, count_lines, .ctx = w);
    assert(!beck_start(w->ctx));
    write_files(w);
    while (w->rows < FILES * LINES)
        os->sleep_ns(os, 100000000);
    os->sleep_ns(os, (int64_t)5000000000); /* nothing comes twice */
    assert(!beck_stop(w->ctx, .graceful = true));
    beck_context_free(w->ctx);
    for (int i = 0; i < FILES; i++)
        for (int k = 0; k < LINES; k++)
            assert(w->counted[i][k] == 1);
}

static void every_line_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct watched a = {.limited = seed % 2}, b = {.limited = seed % 2};
        struct os_simulation first =
            simulate(&(struct os_simulation){.seed = seed}, run_world, &a, NULL);
        struct os_simulation again =
            simulate(&(struct os_simulation){.seed = seed}, run_world, &b, NULL);
        assert_true(first.trace == again.trace && first.steps == again.steps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_line_once)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
