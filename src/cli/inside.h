/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h - what the files of cli share. A conformance vector becomes a graph of operators over
 * typed rows; the types are found step by step, from the data and the functions.
 *
 *     element      row
 *     x            v T
 *     [k, v]       k K, v V          (a pair inside a value or a list is a STRUCT<k K, v V>)
 */
#ifndef BECK_CLI_INSIDE_H
#define BECK_CLI_INSIDE_H

#include <beck/beck.h>
#include <json-c/json.h>

#define CLI_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* ---- commands -------------------------------------------------------------------------------- */

int beck__cli_conform(int argc, char **argv);

/* ---- failures: the first one sticks ---------------------------------------------------------- */

struct failure {
    bool set;
    bool misfit; /* a function met a type it is not for */
    char text[1500];
};

/* Both return false. */
bool beck__cli_fail(struct failure *failure, const char *format, ...) CLI_PRINTF(2, 3);
bool beck__cli_misfit(struct failure *failure, const char *format, ...) CLI_PRINTF(2, 3);

/* ---- types ----------------------------------------------------------------------------------- */

enum type_kind { TYPE_NUMBER, TYPE_TEXT, TYPE_TRUTH, TYPE_LIST, TYPE_PAIR };

struct type {
    enum type_kind kind;
    const struct type *first, *second; /* of PAIR; first: of LIST */
};

struct types {
    struct type items[1000];
    size_t count;
};

/* NULL if there is no room. */
const struct type *beck__cli_type(struct types *types, enum type_kind kind,
                                  const struct type *first, const struct type *second);
bool beck__cli_type_equal(const struct type *a, const struct type *b);
/* The schema of rows of such elements, as text. */
void beck__cli_schema(const struct type *type, char *text, size_t size);
/* The same for one column of that type: what *_values operators emit. */
void beck__cli_column(const struct type *type, char *text, size_t size);
/* The type of an element of an input: number, text or a pair of them. NULL: anything else. */
const struct type *beck__cli_infer(struct types *types, struct json_object *element);

/* True if a value is of that type. */
bool beck__cli_is(const struct type *type, struct json_object *value);

/* The value of a pair, or the element itself. */
static inline const struct type *beck__cli_value_type(const struct type *type)
{
    return type->kind == TYPE_PAIR ? type->second : type;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/* The one value of a file; false, and why, if it cannot be read or is not JSON. */
bool beck__json_read(const char *path, struct json_object **value, struct failure *failure);
/* NULL if there is no such field. */
struct json_object *beck__json_get(struct json_object *object, const char *field);
const char *beck__json_text(struct json_object *object, const char *field); /* NULL: absent */
/* NULL, or the first field of an object that is none of these. */
const char *beck__json_stranger(struct json_object *object, const char *const *known, size_t count);
int64_t beck__json_number(struct json_object *object, const char *field, int64_t absent);
bool beck__json_truth(struct json_object *object, const char *field);
/* A total order of values; lists element by element. */
int beck__json_compare(struct json_object *a, struct json_object *b);
/* Sorts every list inside a value of that type: what is compared as multisets is then equal. */
void beck__json_sort_lists(struct json_object *value, const struct type *type);
/* Sorts the elements of a list. */
void beck__json_sort(struct json_object *list);
/* One line of at most `size` - 1 bytes, "..." at its end if something was cut off. */
void beck__json_show(struct json_object *value, char *text, size_t size);

/* ---- rows ------------------------------------------------------------------------------------ */

/* Elements as an RDD. */
beck_rdd *beck__cli_rdd(beck_context *ctx, struct json_object *elements, const struct type *type,
                        int partitions);
/* A number or a text; null for anything else. It borrows the bytes. */
beck_value beck__cli_scalar(struct json_object *value);
/* A row as an element. The caller owns it. */
struct json_object *beck__cli_element(beck_row row, const struct type *type);
/* All rows of a result as a list of elements. */
struct json_object *beck__cli_elements(const beck_result *result, const struct type *type);

/* ---- functions of the vocabulary ------------------------------------------------------------- */

/* The context bytes of every callback: which function, and whether the rows are pairs. */
struct function_args {
    int32_t function;
    int32_t pair;
};

/* What a function accepts and what it gives. */
enum fits {
    FITS_ANY,
    FITS_NUMBER,
    FITS_TEXT,
    FITS_SCALAR,
    FITS_ORDERED, /* scalars, and pairs of such: what max and min can compare */
    FITS_LIST,
    FITS_NUMBERS,
    FITS_PAIR,
    FITS_SIDES, /* two numbers, as a join gives them */
    FITS_LISTS  /* two lists, as cogroup gives them */
};
enum gives { GIVES_SAME, GIVES_NUMBER, GIVES_TEXT, GIVES_ITEM };

bool beck__cli_fits(enum fits fits, const struct type *type);

struct signature {
    const char *name;
    enum fits fits;
    enum gives gives;
};

/* Index of the function in its table and its signature; -1: not there. */
int beck__cli_value_function(const char *name, const struct signature **signature);
int beck__cli_predicate(const char *name, const struct signature **signature);
int beck__cli_many_function(const char *name, const struct signature **signature);
int beck__cli_partition_function(const char *name, const struct signature **signature);

/* Callbacks for them, with struct function_args as context. */
void beck__cli_map(beck_call *c, beck_row in);
/* key_by and its like: emits the result alone. Its `pair` is the column, or KEY_OF_PAIR. */
enum { KEY_OF_PAIR = 2 };
void beck__cli_map_key(beck_call *c, beck_row in);
bool beck__cli_filter(beck_call *c, beck_row in);
void beck__cli_flat_map(beck_call *c, beck_row in);
void beck__cli_map_partition(beck_call *c, beck_rows *rows);

/* Functions that make or take apart pairs; the enumerator is the function of the context bytes. */
enum pairing {
    PAIR_WITH_1,
    PAIR_WITH_X,
    PAIR_WITH_SELF,
    PAIR_WITH_LENGTH,
    PAIR_BY_MOD_3,
    PAIR_KEY,
    PAIR_VALUE,
    PAIR_SWAP,
    PAIR_COUNT
};
int beck__cli_pairing(const char *name, const struct signature **signature);
void beck__cli_map_pairing(beck_call *c, beck_row in);
/* Column k as an element: a STRUCT becomes two columns. */
void beck__cli_emit_column(beck_call *c, beck_row in, uint32_t k);
/* Rows (k, v, x) to pairs ([k, v], x), and with PAIR_KEY as function to (k, [v, x]). */
void beck__cli_nest(beck_call *c, beck_row in);

/* Two values to one. `acc` says what the left one is, fits what the right one is. */
struct reducer {
    const char *name;
    enum fits accumulator, value;
    bool same; /* both are of one type, as reduce needs it */
    beck_reduce_fn *callback;
    const beck_aggregate *kernel; /* the built-in one that does the same, or NULL */
};
/* NULL: not there. */
const struct reducer *beck__cli_reducer(const char *name);

/* ---- graphs ---------------------------------------------------------------------------------- */

enum { NODES_MAX = 200, SCHEMA_BYTES = 16000 };

/* An input or the result of an operator: one of stream, rdd and answer. */
struct node {
    const char *id;
    const struct type *type;
    beck_dstream *stream;
    beck_rdd *rdd;
    struct json_object *answer; /* of an action; owned */
    const struct type *kept;    /* key and state of a stateful operator; else NULL */
};

struct graph {
    beck_context *ctx;
    bool kernels; /* reduce by the built-in aggregates */
    bool persist; /* results stay */
    struct types types;
    struct node nodes[NODES_MAX];
    size_t count;
    struct failure *failure;
    struct transform *transforms; /* newest first */
};

/* An operator in the making. */
struct step {
    const char *op;
    struct json_object *json;
    const struct node *in;
    struct node *out;
};

/* Applies an operator to the stream or the RDD of `from`. */
#define CLI_APPLY(to, from, op, ...)                                                               \
    ((from)->stream ? (void)((to)->stream = op((from)->stream, __VA_ARGS__))                       \
                    : (void)((to)->rdd = op((from)->rdd, __VA_ARGS__)))
/* The same for an operator without required arguments. */
#define CLI_APPLY0(to, from, op)                                                                   \
    ((from)->stream ? (void)((to)->stream = op((from)->stream))                                    \
                    : (void)((to)->rdd = op((from)->rdd)))

static inline const struct type *beck__cli_pair(struct graph *graph, const struct type *first,
                                                const struct type *second)
{
    return beck__cli_type(&graph->types, TYPE_PAIR, first, second);
}

const struct node *beck__cli_node(const struct graph *graph, const char *id);
/* Adds the operator of one entry of `plan`. */
bool beck__cli_build(struct graph *graph, struct json_object *entry);
/* The parameter `field` as name of a function; fails if it is absent. */
const char *beck__cli_name(struct graph *graph, const struct step *step, const char *field);
bool beck__cli_unknown(struct graph *graph, const char *name);
bool beck__cli_no_fit(struct graph *graph, const struct step *step, const char *fn,
                      const struct type *type);
/* Gives the result its type; with `schema` (SCHEMA_BYTES of it) also that type's text. */
bool beck__cli_typed(struct graph *graph, struct step *step, const struct type *type, char *schema);
bool beck__cli_needs_pair(struct graph *graph, const struct step *step);
/* The reduce function that the parameter "fn" names, for two values of that type; NULL and a
 * failure if there is none or it does not fit. */
const struct reducer *beck__cli_reducer_of(struct graph *graph, const struct step *step,
                                           const struct type *type);
/* Rows (columns of the element, count) to pairs: the counted element, a pair too, is the key. */
bool beck__cli_counted(struct graph *graph, struct step *step, const struct node *counted);
/* transform and transform_with of streams; false with *known false: it is neither. */
bool beck__cli_transform(struct graph *graph, struct step *step, bool *known);
void beck__cli_transforms_free(struct graph *graph);
/* Operators over windows of a stream; false with *known false: it is none. */
bool beck__cli_window(struct graph *graph, struct step *step, bool *known);
/* Operators with a state per key; false with *known false: it is none. */
bool beck__cli_state(struct graph *graph, struct step *step, bool *known);
/* Operators that combine elements; false with *known false: it is none. */
bool beck__cli_combine(struct graph *graph, struct step *step, bool *known);
/* The same for operators that order, number or compare elements. */
bool beck__cli_arrange(struct graph *graph, struct step *step, bool *known);
/* The zero of aggregate and fold ("zero"), and the functions that merge into it (fold: "fn" for
 * both). False with a failure if they do not fit values of that type. */
struct merging {
    beck_value zero;
    const struct type *combiner;
    beck_reduce_fn *merge_value, *merge_combiners;
};
bool beck__cli_merging(struct graph *graph, struct step *step, const struct type *value,
                       struct merging *merging);
/* Runs an action of an RDD; false with *known false: it is not one. */
bool beck__cli_action(struct graph *graph, struct step *step, bool *known);
void beck__cli_graph_free(struct graph *graph);

/* ---- vectors --------------------------------------------------------------------------------- */

/* --seed N or N..M */
#define SEED_MAX ((uint64_t)1 << 53)

struct seeds {
    uint64_t first, last; /* 0: none is given */
};

struct conform {
    int argc; /* of Beck's own options, for each vector's context */
    char **argv;
    struct json_object *reference; /* rows by name that must come out in every run, or NULL */
    bool kernels;                  /* --kernels: reduce by built-in aggregates */
    bool persist;                  /* --persist: what each operator makes stays */
    const char *only;              /* --only FILE: the names in it, one a line */
    bool names;                    /* --names: print the names of those that pass */
    struct seeds seeds;
};

/* False if that is none. */
bool beck__cli_seeds(const char *text, struct seeds *seeds);

/* What a seed picks: options for Beck, --kernels and --persist. */
struct plan {
    bool kernels;
    bool persist;
    int argc;
    char *argv[8];
    char words[8][40];
};

void beck__cli_plan(uint64_t seed, struct plan *plan); /* 0: no faults, to compare with */
void beck__cli_plan_text(const struct plan *plan, char *text, size_t size);

/* Runs one vector; false with the reason. */
bool beck__cli_run_vector(const struct conform *conform, struct json_object *vector,
                          struct failure *failure);
/* Compares two values of that type, with their lists as multisets unless `ordered`. `where` begins
 * the failure. Lists may be sorted by it. */
bool beck__cli_compare(struct json_object *expected, struct json_object *got,
                       const struct type *type, bool ordered, const char *where,
                       struct failure *failure);

/* A temporary directory for also_save_as_text_files; false if there is none. */
bool beck__cli_temporary(char *path, size_t size);
/* Compares the directories PREFIX-TIME with the batches, lists of elements of that type; a missing
 * directory is an empty batch. */
bool beck__cli_compare_saved(const char *prefix, int64_t batch_ms, struct json_object *batches,
                             const struct type *type, struct failure *failure);
void beck__cli_remove(const char *path); /* a directory with all that is in it */

#endif
