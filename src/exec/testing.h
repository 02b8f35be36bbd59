/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testing.h - for tests of this room and of those above: a task that runs a program over chunks
 * that are gone after each push, and its rows as text.
 *
 *     struct bench x;
 *     bench_open(&x, "word STRING, n BIGINT");
 *     ROW(&x, "a", 1);
 *     bench_run(&x, &op, 1);
 *     assert_string_equal(bench_text(&x), "(a,1)\n");
 *     bench_close(&x);
 */
#ifndef BECK_EXEC_TESTING_H
#define BECK_EXEC_TESTING_H

#include "exec/exec.h"
#include "formats/formats.h"
#include "os/testing.h"
#include "plan/testing.h"

struct bench {
    struct os *os;
    struct arena arena;
    struct builder in;    /* rows on their way into the next input chunk */
    struct blocks chunks; /* the input */
    struct task task;
    struct blocks out;
    enum flow flow;
    uint64_t pushed; /* input chunks that were taken */
    struct text text;
};

static inline void bench_open(struct bench *x, const char *schema)
{
    memset(x, 0, offsetof(struct bench, task));
    x->os = beck__os_real();
    beck__arena_init(&x->arena, &x->os->memory);
    beck__builder_init(&x->in, &x->os->memory, test_schema(&x->arena, schema), UINT32_MAX, NULL);
    x->chunks = x->out = (struct blocks){.memory = &x->os->memory};
    x->text = (struct text){.memory = &x->os->memory};
    beck__task_init(&x->task, x->os);
}

static inline void bench_close(struct bench *x)
{
    beck__task_deinit(&x->task);
    beck__blocks_deinit(&x->chunks);
    beck__blocks_deinit(&x->out);
    beck__text_deinit(&x->text);
    beck__builder_deinit(&x->in);
    beck__arena_deinit(&x->arena);
}

/* What has been added becomes a chunk of its own. */
static inline void bench_cut(struct bench *x)
{
    const beck_chunk *chunk = x->in.chunk;
    if (chunk->rows == 0)
        return;
    assert_true(beck__blocks_add(
        &x->chunks, beck__block_new(&x->os->memory, x->in.schema, chunk, 0, chunk->rows, NULL)));
    beck__builder_clear(&x->in);
}

static inline enum flow bench_push(struct bench *x, struct operator *head)
{
    enum flow flow = FLOW_MORE;
    for (size_t i = 0; i < x->chunks.count && flow == FLOW_MORE; i++) {
        const struct block *block = x->chunks.items[i];
        struct block *copy = beck__block_new(&x->os->memory, block->schema, block->chunk, 0,
                                             block->chunk->rows, NULL);
        if (!copy) /* a test ends the memory */
            return FLOW_FAILED;
        flow = head->push(head, copy->chunk);
        beck__block_unref(copy);
        x->pushed++;
    }
    return flow;
}

/* Pushes all chunks through the program into `sink`, finishes and closes both. */
static inline void bench_run_into(struct bench *x, const struct program *program,
                                  struct operator *sink)
{
    struct operator *head = NULL;
    x->pushed = 0;
    x->flow = FLOW_FAILED;
    bench_cut(x);
    if (sink && !beck__pipeline_open(&x->task, program, sink, &head)) {
        x->flow = bench_push(x, head);
        if (x->flow != FLOW_FAILED && beck__pipeline_finish(head, sink) == FLOW_FAILED)
            x->flow = FLOW_FAILED;
        beck__pipeline_close(head, sink);
    }
    if (x->flow != FLOW_FAILED && sink->finish && sink->finish(sink) == FLOW_FAILED)
        x->flow = FLOW_FAILED;
    if (sink && sink->close)
        sink->close(sink);
}

/* Runs operations whose schemas follow each other; their rows come to x->out. */
static inline void bench_try(struct bench *x, const struct op *ops, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        assert_true(beck__op_fits(&ops[i]));
    const struct program *program = test_program(&x->arena, ops, count);
    beck__blocks_deinit(&x->out);
    bench_run_into(x, program, beck__collector_open(&x->task, program->out, &x->out));
}

static inline void bench_run(struct bench *x, const struct op *ops, uint32_t count)
{
    bench_try(x, ops, count);
    if (x->task.error.status)
        print_error("%s\n", x->task.error.text);
    assert_int_equal(x->task.error.status, BECK_OK);
    assert_int_not_equal(x->flow, FLOW_FAILED);
}

/* The rows that came out are the next input. */
static inline void bench_turn(struct bench *x, const beck_schema *schema)
{
    beck__blocks_deinit(&x->chunks);
    x->chunks = x->out;
    x->out = (struct blocks){.memory = &x->os->memory};
    beck__builder_deinit(&x->in);
    beck__builder_init(&x->in, &x->os->memory, schema, UINT32_MAX, NULL);
}

static inline const char *blocks_text(const struct blocks *list, struct text *text)
{
    beck__text_clear(text);
    for (size_t i = 0; i < list->count; i++)
        for (uint32_t row = 0; row < list->items[i]->chunk->rows; row++) {
            beck__row_print(list->items[i]->chunk, 0, row, text);
            beck__text_add(text, "\n");
        }
    return beck__text_get(text);
}

static inline const char *bench_text(struct bench *x)
{
    return blocks_text(&x->out, &x->text);
}

/* The same with every allocation failing once, and with all from one on: told as BECK_NO_MEMORY, or
 * the rows are those of a run that had enough. */
static inline void bench_exhaust(struct bench *x, const struct op *ops, uint32_t count)
{
    bench_run(x, ops, count);
    const struct program *program = test_program(&x->arena, ops, count);
    const char *expected = beck__arena_text(&x->arena, bench_text(x));
    for (uint64_t n = 1, used = UINT64_MAX; used >= n - 1; n++)
        for (int all = 0; all < 2; all++) {
            beck__task_deinit(&x->task);
            beck__task_init(&x->task, x->os);
            beck__blocks_deinit(&x->out);
            uint64_t before = beck__os_memory_calls(x->os);
            beck__os_memory_fail(x->os, n, all == 1);
            bench_run_into(x, program, beck__collector_open(&x->task, program->out, &x->out));
            used = beck__os_memory_calls(x->os) - before;
            beck__os_memory_fail(x->os, 0, false);
            if (x->task.error.status)
                assert_int_equal(x->task.error.status, BECK_NO_MEMORY);
            else if (x->flow != FLOW_FAILED)
                assert_string_equal(bench_text(x), expected);
        }
    beck__task_deinit(&x->task);
    beck__task_init(&x->task, x->os);
}

/* An operation with a callback (or an object) as its function i. */
#define SET_FUNCTION(op, i, callback)                                                              \
    do {                                                                                           \
        __typeof__(&*(callback)) pointer_ = (callback);                                            \
        const void *address_;                                                                      \
        memcpy(&address_, &pointer_, sizeof address_);                                             \
        (op)->function[i] = beck__os_real()->function_id(beck__os_real(), address_);               \
    } while (0)

static inline struct op call_op(struct bench *x, const char *in, const char *out, beck_map_fn *fn)
{
    struct op op = test_op(&x->arena, OP_CALL, in, out);
    op.emits = EMITS_ANY;
    SET_FUNCTION(&op, 0, fn);
    return op;
}

#endif
