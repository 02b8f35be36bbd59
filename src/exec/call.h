/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call - the context of one user callback: where its rows go and how it fails. Private to exec.
 */
#ifndef BECK_EXEC_CALL_H
#define BECK_EXEC_CALL_H

#include "exec/exec.h"
#include "state/state.h"

struct beck_call {
    struct task *task; /* NULL: a driver callback */
    const struct op *op;
    const void *ctx;
    int64_t batch_ms;
    struct builder *out;      /* NULL: this callback emits nothing */
    struct operator *flusher; /* pushes `out` on when it is full; NULL: it grows */
    uint32_t first;           /* column of `out` that the first emitted value goes to */
    uint32_t width;           /* values that an emit must have */
    uint64_t emitted;         /* rows since the callback began */
    enum op_adds adds;
    beck_row in;                  /* current input row; first: what the callback sees */
    beck_str keep;                /* bytes of the input that outlive the push */
    uint64_t record;              /* number of the input row within the task */
    beck_row key;                 /* whose state it is; chunk NULL: none */
    const struct beck_rows *rows; /* of a partition callback: it reads them itself */
    struct shared *shared;        /* or NULL */
    struct shared_item *counter;  /* that was added to last */
    enum flow flow; /* what the flusher answered; a callback goes on, its rows are dropped */
    bool failed;
    struct error reason;
    beck_call *outer; /* the call that was current before */
};

/* All rows of a list of blocks, or those of a chunk from `first` up to `end`. */
struct beck_rows {
    const struct blocks *blocks;
    size_t block;
    const beck_chunk *chunk;
    uint32_t first, end;
    uint32_t row;
};

/* A key's state in a callback. */
struct beck_state {
    beck_call *call;
    struct state_table *table;
    struct builder put; /* one row */
    uint32_t slot;
    int64_t batch_ms;
    bool timing_out, removed;
};

void beck__call_init(beck_call *c, struct task *task, const struct op *op, struct builder *out);
/* Around callbacks: makes c the current call of the thread (accessors report to it). */
void beck__call_enter(beck_call *c);
void beck__call_leave(beck_call *c);
/* Points the call at an input row and works out what may be shared. */
void beck__call_row(beck_call *c, const beck_chunk *chunk, uint32_t row);
void beck__call_no_memory(beck_call *c, const char *what);
/* After a callback: FAILED with operator and record in task->error, else c->flow. */
enum flow beck__call_check(beck_call *c);

/* One operator per file: its constructor. NULL with task->error set. */
struct operator *beck__call_open(struct task *task, const struct op *op);
struct operator *beck__filter_open(struct task *task, const struct op *op);
struct operator *beck__words_open(struct task *task, const struct op *op);
struct operator *beck__project_open(struct task *task, const struct op *op);
struct operator *beck__partition_open(struct task *task, const struct op *op);
struct operator *beck__glom_open(struct task *task, const struct op *op);
struct operator *beck__group_open(struct task *task, const struct op *op);
struct operator *beck__limit_open(struct task *task, const struct op *op);
struct operator *beck__side_open(struct task *task, const struct op *op);
struct operator *beck__join_open(struct task *task, const struct op *op);
struct operator *beck__update_open(struct task *task, const struct op *op);
struct operator *beck__track_open(struct task *task, const struct op *op);
struct operator *beck__window_open(struct task *task, const struct op *op);
struct operator *beck__accumulate_open(struct task *task, const struct op *op);
struct operator *beck__sink_open(struct task *task, const struct op *op);
struct operator *beck__sort_open(struct task *task, const struct op *op);
struct operator *beck__index_open(struct task *task, const struct op *op);
struct operator *beck__same_open(struct task *task, const struct op *op);

/* The table of the task's resident; NULL with the error set if that is not of this operation. */
struct state_table *beck__resident_table(struct task *task, const struct op *op);
struct window_state;
struct window_state *beck__resident_window(struct task *task, const struct op *op);
bool beck__state_open(struct beck_state *state, beck_call *c, struct task *task);
void beck__state_close(struct beck_state *state);
/* Before a callback for the key of a slot; after it: its touch. */
void beck__state_begin(struct beck_state *state, uint32_t slot, bool timing_out);
bool beck__state_end(struct beck_state *state, bool touched);

/* Where a table of keys gets a secret from; user is the os. */
uint64_t beck__task_secret(void *os);

/* The address of op->function[i] into *function (a function or object pointer); false with
 * task->error set if this program does not hold it. */
bool beck__function_get(struct task *task, const struct op *op, int i, void *function);
/* op->row as a block of one row, which the caller unrefs; false with task->error set. */
bool beck__row_get(struct task *task, const struct op *op, const beck_schema *schema,
                   struct block **block);
/* Pushes what `out` holds and clears it. MORE without rows. */
enum flow beck__flush(struct operator *self, struct builder *out);
/* A zeroed operator struct of `size` bytes in the task's arena. */
void *beck__operator_new(struct task *task, const struct op *op, size_t size);

#endif
