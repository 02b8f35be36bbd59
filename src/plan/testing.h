/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testing.h - for tests of this room and of those above: operations by hand, and one valid sample
 * of every kind.
 */
#ifndef BECK_PLAN_TESTING_H
#define BECK_PLAN_TESTING_H

#include "data/testing.h"
#include "plan/plan.h"

static inline struct op test_op(struct arena *arena, enum op_kind kind, const char *in,
                                const char *out)
{
    struct op op = {.kind = kind, .name = "op", .file = "src/test.c", .line = 7};
    op.in = test_schema(arena, in);
    op.out = test_schema(arena, out);
    return op;
}

/* One program of `count` operations, whose schemas follow each other. */
static inline const struct program *test_program(struct arena *arena, const struct op *ops,
                                                 uint32_t count)
{
    struct program *program = beck__arena_alloc(arena, sizeof *program);
    program->count = count;
    program->ops = beck__arena_copy(arena, ops, count * sizeof *ops);
    program->in = ops[0].in;
    program->out = ops[count - 1].out;
    return program;
}

/* What an operation may look like; each of them fits. */
struct test_sample {
    enum op_kind kind;
    const char *in, *out;
    uint32_t keys;
    enum op_fold fold;
    enum op_adds adds;
    bool state_in, state_out;
};

static const struct test_sample test_samples[] = {
    {OP_CALL, "a STRING", "x BIGINT, y ARRAY<DOUBLE>", 0, 0, ADDS_NOTHING, 0, 0},
    {OP_CALL, "k STRING, v BIGINT", "k STRING, w DOUBLE", 1, 0, ADDS_KEY_BEFORE, 0, 0},
    {OP_CALL, "a STRING, b DOUBLE", "k BIGINT, a STRING, b DOUBLE", 1, 0, ADDS_ROW_AFTER, 0, 0},
    {OP_FILTER, "a STRING, n BIGINT", "a STRING, n BIGINT", 1, 0, 0, 0, 0},
    {OP_WORDS, "line STRING, x DOUBLE", "word STRING", 0, 0, 0, 0, 0},
    {OP_WORDS, "line STRING", "word STRING, n BIGINT", 1, 0, 0, 0, 0},
    {OP_LINES, "text STRING", "line STRING", 0, 0, 0, 0, 0},
    {OP_PARTITION, "a STRING", "n BIGINT", 0, 0, 0, 0, 0},
    {OP_GLOM, "a STRING", "e ARRAY<STRING>", 0, 0, 0, 0, 0},
    {OP_GLOM, "a STRING, b DOUBLE", "e ARRAY<STRUCT<a STRING, b DOUBLE>>", 0, 0, 0, 0, 0},
    {OP_LIMIT, "a STRUCT<x BIGINT>", "a STRUCT<x BIGINT>", 0, 0, 0, 0, 0},
    {OP_SINK, "a STRING, b TIMESTAMP", "message BINARY", 0, 0, 0, 0, 0},
    {OP_GROUP, "k STRING, n BIGINT, x DOUBLE", "k STRING, n BIGINT, x DOUBLE", 1, FOLD_SUM, 0, 0,
     1},
    {OP_GROUP, "k STRING, n BIGINT", "k STRING, n BIGINT", 1, FOLD_SUM, 0, 1, 0},
    {OP_GROUP, "k STRING, n STRING", "k STRING, n STRING", 1, FOLD_MIN, 0, 0, 0},
    {OP_GROUP, "k STRING, n TIMESTAMP", "k STRING, n TIMESTAMP", 1, FOLD_MAX, 0, 1, 1},
    {OP_GROUP, "k BIGINT, n BIGINT", "k BIGINT, n STRUCT<s DOUBLE, n BIGINT>", 1, FOLD_AVG, 0, 0,
     1},
    {OP_GROUP, "k BIGINT, n STRUCT<s DOUBLE, n BIGINT>", "k BIGINT, n DOUBLE", 1, FOLD_AVG, 0, 1,
     0},
    {OP_GROUP, "a STRING, b STRING", "count BIGINT", 0, FOLD_COUNT, 0, 0, 1},
    {OP_GROUP, "count BIGINT", "count BIGINT", 0, FOLD_COUNT, 0, 1, 0},
    {OP_GROUP, "a STRING, b STRING", "a STRING, b STRING, count BIGINT", 2, FOLD_COUNT, 0, 0, 0},
    {OP_GROUP, "k STRING, v BINARY", "k STRING, v ARRAY<BINARY>", 1, FOLD_DISTINCT, 0, 0, 1},
    {OP_GROUP, "k STRING, v ARRAY<BINARY>", "k STRING, v ARRAY<BINARY>", 1, FOLD_DISTINCT, 0, 1, 0},
    {OP_GROUP, "k STRING, v DOUBLE", "k STRING, v ARRAY<DOUBLE>", 1, FOLD_TOP, 0, 0, 0},
    {OP_GROUP, "k STRING, v DOUBLE", "k STRING, v BINARY", 1, FOLD_USER, 0, 0, 1},
    {OP_GROUP, "k STRING, v BINARY", "k STRING, v STRING", 1, FOLD_USER, 0, 1, 0},
    {OP_GROUP, "k STRING, v DOUBLE, w STRING", "k STRING, v DOUBLE, w STRING", 1, FOLD_REDUCE, 0, 0,
     0},
    {OP_GROUP, "k STRING, v DOUBLE", "k STRING, c STRING, d BIGINT", 1, FOLD_COMBINE, 0, 0, 1},
    {OP_GROUP, "k STRING, c STRING", "k STRING, c STRING", 1, FOLD_COMBINE, 0, 1, 0},
    {OP_GROUP, "k STRING, v STRING", "k STRING, v ARRAY<STRING>", 1, FOLD_LIST, 0, 0, 0},
    {OP_GROUP, "k STRING, v STRING, w BIGINT", "k STRING, v ARRAY<STRUCT<v STRING, w BIGINT>>", 1,
     FOLD_LIST, 0, 0, 0},
    {OP_SIDE, "k STRING, v STRING, w BIGINT", "k STRING, l STRUCT<v STRING, w BIGINT>", 1, 0, 0, 0,
     0},
    {OP_INDEX, "k STRING, v STRING", "k STRING, v STRING, index BIGINT", 1, 0, 0, 0, 0},
    {OP_SAME, "k STRING, v STRING", "k STRING, v STRING", 1, 0, 0, 0, 0},
    {OP_GROUP, "k STRING, l STRUCT<n DOUBLE>, r STRUCT<s STRING, t STRING>",
     "k STRING, l ARRAY<DOUBLE>, r ARRAY<STRUCT<s STRING, t STRING>>", 1, FOLD_SIDES, 0, 0, 0},
    {OP_UPDATE, "k STRING, v DOUBLE", "k STRING, n BIGINT, s STRING", 1, 0, 0, 0, 0},
    {OP_TRACK, "k STRING, v DOUBLE", "x DOUBLE", 1, 0, 0, 0, 0},
    {OP_WINDOW, "k STRING, n STRUCT<s DOUBLE, n BIGINT>", "k STRING, n DOUBLE", 1, FOLD_AVG, 0, 0,
     0},
    {OP_ACCUMULATE, "k STRING, v DOUBLE", "k STRING, v DOUBLE", 1, FOLD_MAX, 0, 0, 0},
    {OP_WINDOW, "c BIGINT", "c BIGINT", 0, FOLD_COUNT, 0, 0, 0},
};

static inline struct op test_sample_op(struct arena *arena, const struct test_sample *sample)
{
    struct op op = test_op(arena, sample->kind, sample->in, sample->out);
    op.keys = sample->keys;
    op.fold = sample->fold;
    op.adds = sample->adds;
    op.state_in = sample->state_in;
    op.state_out = sample->state_out;
    if (op.kind == OP_UPDATE || op.kind == OP_TRACK) {
        op.state = test_schema(arena, "n BIGINT, s STRING");
        op.every = op.kind == OP_UPDATE;
        op.timeout_ms = 5000;
    }
    if (op.kind == OP_WINDOW || op.kind == OP_ACCUMULATE) {
        beck_schema *state = beck__arena_alloc(arena, sizeof *state);
        *state = (beck_schema){op.in->count - op.keys, op.in->fields + op.keys};
        op.state = state;
        op.period_ms = 1000;
        op.slices = 30;
    }
    return op;
}

#endif
