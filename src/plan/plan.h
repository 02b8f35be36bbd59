/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan - the stage program as data: a list of operations with function ids and parameter bytes, no
 * pointer into the driver's heap that matters elsewhere. Build, fuse, print, encode, decode.
 */
#ifndef BECK_PLAN_H
#define BECK_PLAN_H

#include "data/data.h"

/* X(id, text): the kinds of operation. */
#define BECK__OPS(X)                                                                               \
    X(CALL, "call")           /* a callback per row: the map family, key_by, foreach */            \
    X(FILTER, "filter")       /* a callback per row: keeps or drops it */                          \
    X(WORDS, "words")         /* kernel of beck_words */                                           \
    X(LINES, "lines")         /* kernel of beck_lines */                                           \
    X(PROJECT, "project")     /* columns[] of the input, in that order */                          \
    X(PARTITION, "partition") /* a callback per partition: map_partitions, foreach_partition */    \
    X(GLOM, "glom")           /* a partition becomes one array */                                  \
    X(GROUP, "group")         /* a group table over the key columns */                             \
    X(LIMIT, "limit")         /* the first `number` rows of a partition */                         \
    X(SINK, "sink")           /* a sink class writes the partition; its message comes out */       \
    X(SIDE, "side")           /* of a cogroup: the values become the STRUCT column `number` */     \
    X(JOIN, "join")           /* sided rows, the right ones first; `number` is an op_join */       \
    X(SORT, "sort")           /* by columns[], as in struct order; the first `number`, 0: all */   \
    X(INDEX, "index")         /* appends the number of the row within the whole dataset */         \
    X(SAME, "same")           /* the rows whose key is that of `row` */                            \
    X(UPDATE, "update")       /* stateful: a callback per key and its values of the batch */       \
    X(TRACK, "track")         /* stateful: a callback per row, and per key that timed out */       \
    X(WINDOW, "window")       /* stateful: partial states of a batch to results of a window */     \
    X(ACCUMULATE, "running")  /* stateful: a fold per key over all batches, of numbers */

enum op_kind {
#define BECK__OP_ENUM(id, text) OP_##id,
    BECK__OPS(BECK__OP_ENUM)
#undef BECK__OP_ENUM
        OP_COUNT
};

/* How many rows a callback emits. */
enum op_emits { EMITS_NONE, EMITS_ONE, EMITS_ANY };

/* What CALL adds to an emitted row. */
enum op_adds { ADDS_NOTHING, ADDS_KEY_BEFORE, ADDS_ROW_AFTER };

/* How GROUP folds the values of a key. */
enum op_fold {
    FOLD_SUM,
    FOLD_MIN,
    FOLD_MAX,
    FOLD_AVG,
    FOLD_COUNT, /* of rows */
    FOLD_DISTINCT,
    FOLD_TOP,
    FOLD_USER,    /* an aggregate object: function[0] is its address */
    FOLD_REDUCE,  /* function[0] */
    FOLD_COMBINE, /* function[0] create or `row`, [1] merge_value, [2] merge_combiners */
    FOLD_LIST,    /* group_by_key */
    FOLD_SIDES,   /* cogroup: an ARRAY per STRUCT column, of those that are not null */
    FOLD_LAST,    /* of ACCUMULATE alone */
    FOLD_KINDS
};

/* What JOIN makes of the rows of two sides: pairs, as the kinds of beck_join_kind do. */
enum op_join {
    JOIN_LEFT_ALONE = BECK_FULL_OUTER + 1, /* left rows whose key the right side has not */
    JOIN_KEYS,                             /* keys that both sides have */
    JOIN_KINDS
};

struct op {
    enum op_kind kind;
    const char *name;  /* of the operator as users know it: "flat_map" */
    const char *label; /* the user's .name, or NULL */
    const char *file;  /* call site */
    uint32_t line;
    const beck_schema *in, *out;
    uint32_t keys; /* key columns at the front of the input */
    bool values;   /* the callback sees the columns after the key only */
    enum op_emits emits;
    enum op_adds adds;
    enum op_fold fold;
    bool state_in, state_out; /* GROUP: rows carry partial states, not values */
    bool always;              /* GROUP without keys: emits its start value for no rows at all */
    uint64_t number;          /* of rows; n of FOLD_TOP; others as BECK__OPS says */
    const beck_schema *state; /* of a stateful one: columns of a key's state; else NULL */
    bool every;               /* UPDATE: also keys without values in the batch */
    int64_t timeout_ms;       /* a key that was not touched for longer is due; 0: never */
    int64_t period_ms;        /* WINDOW: from slice to slice */
    uint64_t slices;          /* WINDOW: in it */
    struct function_id function[3];
    beck_str bytes; /* context bytes of the callback; parameters of a sink */
    beck_str row;   /* an encoded block of one row: a key of SAME; what FOLD_COMBINE begins with
                       (the columns after the key), if it does not create; "": none */
    uint32_t column_count;
    const uint32_t *columns; /* of PROJECT, SORT */
};

struct program {
    uint32_t count;
    const struct op *ops;
    const beck_schema *in, *out; /* equal types if count is 0 */
};

/* True if some operation runs the user's code. */
bool beck__program_calls(const struct program *program);
/* True if it begins with a JOIN, which may make many rows of few. */
bool beck__program_joins(const struct program *program);
/* True if a partition without rows gives no rows and has no effect: its task need not run. */
bool beck__program_silent(const struct program *program);

/* True if the schemas, columns and keys of an operation are such as its kind takes and makes: then
 * the interpreter can run it on any rows of the input schema. What is built passes; what is decoded
 * is asked. */
bool beck__op_fits(const struct op *op);

/* True if its operation keeps something between batches (a program of its own, of one). */
bool beck__program_stateful(const struct program *program);

/* One after the other; in the arena; ops are copied, what they point to is shared. NULL without
 * memory. */
const struct program *beck__program_join(struct arena *arena, const struct program *a,
                                         const struct program *b);
/* A program of one op. */
const struct program *beck__program_of(struct arena *arena, const struct op *op);

/* "flat_map at wc.c:17". */
void beck__op_name(const struct op *op, struct text *out);
/* One line per operation: name, site, kernel or callback, output schema. */
void beck__program_print(const struct program *program, struct text *out);

/* Little-endian, self-contained, versioned; decoding checks everything. In the arena. */
void beck__program_encode(const struct program *program, struct text *out);
beck_status beck__program_decode(struct arena *arena, struct reader *in,
                                 const struct program **program, struct error *error);

#endif
