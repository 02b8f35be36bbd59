/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fold - how the values of a group become one: the accumulators behind OP_GROUP. Private to exec.
 *
 *   values  --update-->  +-------+  --emit(state)-->   to the shuffle
 *   states  --merge-->   | fold  |  --emit(result)-->  to the next operator
 *                        +-------+
 */
#ifndef BECK_EXEC_FOLD_H
#define BECK_EXEC_FOLD_H

#include "exec/call.h"

/* Rows of one chunk and the groups they belong to: row from + i goes to groups[i]. */
struct fold_input {
    const beck_chunk *chunk;
    uint32_t from, count;
    const uint32_t *groups;
    uint32_t group_count; /* groups that exist by now */
};

struct fold {
    struct task *task;
    const struct op *op;
    uint32_t column; /* first input column it reads */
    uint32_t output; /* first output column it writes */
    struct field value;
    /* task->error is set on false */
    bool (*update)(struct fold *fold, const struct fold_input *in);
    bool (*merge)(struct fold *fold, const struct fold_input *in);
    /* Appends the cells of groups [from, from + count) to out, from column fold->output on. */
    bool (*emit)(struct fold *fold, struct builder *out, uint32_t from, uint32_t count);
    void (*clear)(struct fold *fold); /* no groups; keeps the memory */
    void (*close)(struct fold *fold);
};

/* One fold per value column, or one for all of them (REDUCE, COMBINE, LIST). `place` gives task,
 * op, column, output and value. NULL, task->error set. */
struct fold *beck__fold_number(const struct fold *place);
struct fold *beck__fold_user(const struct fold *place);
struct fold *beck__fold_store(const struct fold *place);
struct fold *beck__fold_list(const struct fold *place);

/* The order of the library: NaN is the largest number. */
static inline bool beck__double_less(double a, double b)
{
    return a < b || (b != b && a == a);
}

/* All of an operation. After a failed open close it, too. */
struct folds {
    const struct op *op;
    struct fold **items;
    uint32_t count;
};

bool beck__folds_open(struct folds *folds, struct task *task, const struct op *op);
bool beck__folds_add(struct folds *folds, const struct fold_input *in);
bool beck__folds_emit(struct folds *folds, struct builder *out, uint32_t from, uint32_t count);
void beck__folds_clear(struct folds *folds);
void beck__folds_close(struct folds *folds);

/* A zeroed fold struct of `size` bytes that begins with *place. */
void *beck__fold_new(const struct fold *place, size_t size);

bool beck__fold_memory(struct fold *fold); /* sets the error; false */

#endif
