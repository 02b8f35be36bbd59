/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector.c - runs one conformance vector: a context of its own, inputs, operators, and either
 * batches on a manual clock or a batch job, then the comparison.
 */
/* tests: conform_test.c */
#include "cli/inside.h"

#include <beck/testing.h>
#include <stdio.h>
#include <stdlib.h>

struct run {
    const struct conform *conform;
    struct json_object *vector;
    struct failure *failure;
    struct graph *graph;
    beck_context *ctx;
    bool batch; /* an RDD vector: no batches */
    int guess;  /* type of inputs without elements */
    bool guessed;
    char folder[500]; /* "": none */
};

static void no_log(void *user, beck_log_level level, const char *text)
{
    (void)user;
    (void)level;
    (void)text; /* what matters is in the error of the context */
}

/* ---- inputs ---------------------------------------------------------------------------------- */

/* An input without any element has none to tell its type; numbers first. All such are of one type,
 * and if that does not fit, those after the first are of another. */
enum { GUESSES = 6 };

static const struct type *guess_type(struct types *types, int guess)
{
    const struct type *number = beck__cli_type(types, TYPE_NUMBER, NULL, NULL);
    const struct type *text = beck__cli_type(types, TYPE_TEXT, NULL, NULL);

    switch (guess) {
    case 0:
        return number;
    case 1:
        return text;
    default:
        return beck__cli_type(types, TYPE_PAIR, guess % 2 ? text : number,
                              guess < 4 ? number : text);
    }
}

/* The type of the first element of a list of elements, or of a list of such lists. */
static const struct type *first_type(struct types *types, struct json_object *list, bool lists)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        if (!lists)
            return beck__cli_infer(types, item);
        if (json_object_is_type(item, json_type_array) && json_object_array_length(item) > 0)
            return first_type(types, item, false);
    }
    return NULL;
}

static bool has_elements(struct json_object *list, bool lists)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        if (!lists ||
            (json_object_is_type(item, json_type_array) && json_object_array_length(item) > 0))
            return true;
    }
    return false;
}

/* After the last listed batch come empty ones, cut into as many partitions as the others. */
static bool push_batches(struct run *run, struct node *node, struct json_object *batches,
                         int partitions)
{
    char schema[SCHEMA_BYTES];
    struct json_object *none = json_object_new_array();
    int64_t steps = beck__json_number(run->vector, "batches", 0);
    size_t listed = json_object_array_length(batches), count = steps > 0 ? (size_t)steps : 0;
    bool good = true;

    beck__cli_schema(node->type, schema, sizeof schema);
    node->stream = beck_queue_stream(run->ctx, schema, .name = node->id);
    for (size_t i = 0; good && i < (listed > count ? listed : count); i++) {
        struct json_object *batch = i < listed ? json_object_array_get_idx(batches, i) : none;
        beck_rdd *rdd = NULL;
        if (batch)
            rdd = beck__cli_rdd(run->ctx, batch, node->type, partitions);
        if (beck_queue_push(node->stream, rdd) != BECK_OK)
            good =
                beck__cli_fail(run->failure, "input %s: %s", node->id, beck_error_text(run->ctx));
    }
    json_object_put(none);
    return good;
}

static bool add_input(struct run *run, const char *id, struct json_object *data)
{
    struct graph *graph = run->graph;
    struct node *node = &graph->nodes[graph->count];
    int partitions = (int)beck__json_number(run->vector, "input_partitions", 1);

    if (!json_object_is_type(data, json_type_array) || graph->count == NODES_MAX)
        return beck__cli_fail(run->failure, "input %s is not a list", id);
    node->id = id;
    if (has_elements(data, !run->batch)) {
        node->type = first_type(&graph->types, data, !run->batch);
    } else {
        int further = run->guessed ? run->guess / GUESSES : 0;
        node->type = guess_type(&graph->types, (run->guess + further) % GUESSES);
        run->guessed = true;
    }
    if (!node->type)
        return beck__cli_fail(run->failure,
                              "input %s: an element is a number, a text or a pair of them", id);
    graph->count++;
    if (!run->batch)
        return push_batches(run, node, data, partitions);
    node->rdd = beck__cli_rdd(run->ctx, data, node->type, partitions);
    return node->rdd || beck__cli_fail(run->failure, "input %s: out of memory", id);
}

/* ---- the run --------------------------------------------------------------------------------- */

static bool build(struct run *run)
{
    struct json_object *plan = beck__json_get(run->vector, "plan");
    struct json_object *inputs = beck__json_get(run->vector, "inputs");
    bool good = true;

    if (!json_object_is_type(inputs, json_type_object) ||
        !json_object_is_type(plan, json_type_array))
        return beck__cli_fail(run->failure, "the vector lacks inputs or plan");
    json_object_object_foreach(inputs, id, data)
    {
        good = good && add_input(run, id, data);
    }
    for (size_t i = 0; good && i < json_object_array_length(plan); i++)
        good = beck__cli_build(run->graph, json_object_array_get_idx(plan, i));
    if (good && beck_error(run->ctx) != BECK_OK)
        good = beck__cli_fail(run->failure, "%s", beck_error_text(run->ctx));
    return good;
}

/* The batches of the collector as JSON, without the empty ones if asked. */
static struct json_object *batches_of(const beck_collector *collector, const struct type *type,
                                      bool only_non_empty)
{
    struct json_object *batches = json_object_new_array();

    for (size_t i = 0; i < beck_collector_batches(collector); i++) {
        const beck_result *result = beck_collector_result(collector, i);
        if (!only_non_empty || beck_result_rows(result) > 0)
            json_object_array_add(batches, beck__cli_elements(result, type));
    }
    return batches;
}

static bool compare_batches(struct run *run, struct json_object *got, const struct type *type)
{
    struct json_object *expected = beck__json_get(run->vector, "expect");
    struct type list = {TYPE_LIST, type, NULL};
    bool ordered = beck__json_truth(run->vector, "ordered");

    if (!json_object_is_type(expected, json_type_array))
        return beck__cli_fail(run->failure, "the vector lacks expect");
    size_t wanted = json_object_array_length(expected), found = json_object_array_length(got);
    for (size_t i = 0; i < wanted && i < found; i++) {
        char where[100];
        snprintf(where, sizeof where, "batch %zu: ", i);
        if (!beck__cli_compare(json_object_array_get_idx(expected, i),
                               json_object_array_get_idx(got, i), &list, ordered, where,
                               run->failure))
            return false;
    }
    return wanted == found ||
           beck__cli_fail(run->failure, "batch %zu: expected %zu batches, got %zu",
                          wanted < found ? wanted : found, wanted, found);
}

/* Bit for bit what it was in the first run, if there are several. */
static bool repeats(struct run *run, struct json_object *got)
{
    struct json_object *reference = run->conform->reference, *before;
    const char *name = beck__json_text(run->vector, "name");

    if (!reference)
        return true;
    before = beck__json_get(reference, name);
    const char *now = json_object_to_json_string_ext(got, JSON_C_TO_STRING_PLAIN);
    if (!before)
        return json_object_object_add(reference, name, json_object_new_string(now)) == 0;
    return strcmp(json_object_get_string(before), now) == 0 ||
           beck__cli_fail(run->failure, "without faults it gives %.600s, now %.600s",
                          json_object_get_string(before), now);
}

static bool step_all(struct run *run)
{
    int64_t batch_ms = beck__json_number(run->vector, "batch_ms", 1000);
    int64_t batches = beck__json_number(run->vector, "batches", 0);

    for (int64_t i = 0; i < batches; i++) {
        beck_status status = beck_step(run->ctx, batch_ms);
        if (status != BECK_OK)
            return beck__cli_fail(run->failure, "batch %lld: %s: %s", (long long)i,
                                  beck_status_name(status), beck_error_text(run->ctx));
    }
    return true;
}

static bool run_stream(struct run *run, const struct node *output)
{
    bool save = beck__json_truth(run->vector, "also_save_as_text_files");
    bool only_non_empty = beck__json_truth(run->vector, "collect_only_non_empty");
    beck_collector *collector = beck_collect_stream(output->stream);
    char prefix[600];

    if (save && !beck__cli_temporary(run->folder, sizeof run->folder))
        return beck__cli_fail(run->failure, "no temporary directory");
    snprintf(prefix, sizeof prefix, "%s/out", run->folder);
    if (save)
        beck_save_as_text_files(output->stream, prefix);
    if (!step_all(run))
        return false;
    struct json_object *got = batches_of(collector, output->type, only_non_empty);
    bool same = repeats(run, got) && compare_batches(run, got, output->type);
    json_object_put(got);
    if (same && save)
        same = beck__cli_compare_saved(prefix, beck__json_number(run->vector, "batch_ms", 1000),
                                       beck__json_get(run->vector, "expect"), output->type,
                                       run->failure);
    return same;
}

static bool run_batch(struct run *run, const struct node *output)
{
    struct json_object *expected = beck__json_get(run->vector, "expect");
    bool ordered = beck__json_truth(run->vector, "ordered");
    struct type list = {TYPE_LIST, output->type, NULL};

    if (output->answer)
        return repeats(run, output->answer) &&
               beck__cli_compare(expected, output->answer, output->type, ordered, "", run->failure);
    beck_result *result = beck_collect(output->rdd);
    if (!result || beck_result_status(result) != BECK_OK) {
        beck_result_free(result);
        return beck__cli_fail(run->failure, "%s", beck_error_text(run->ctx));
    }
    struct json_object *got = beck__cli_elements(result, output->type);
    bool same =
        repeats(run, got) && beck__cli_compare(expected, got, &list, ordered, "", run->failure);
    json_object_put(got);
    beck_result_free(result);
    return same;
}

/* Only a restart reads a checkpoint: without one, a directory would change nothing. */
static bool open_context(struct run *run)
{
    bool restart = beck__json_get(run->vector, "restart_after_batches") != NULL;

    if (restart && !beck__cli_temporary(run->folder, sizeof run->folder))
        return beck__cli_fail(run->failure, "no temporary directory");
    run->ctx = beck_context_new(
        beck__json_text(run->vector, "name"),
        .batch_ms = beck__json_number(run->vector, "batch_ms", 1000), .argc = run->conform->argc,
        .argv = run->conform->argv,
        .partitions = (int)beck__json_number(run->vector, "default_parallelism", 1),
        .checkpoint = restart ? run->folder : NULL, .log = no_log, .manual_clock = true);
    if (!run->ctx)
        return beck__cli_fail(run->failure, "out of memory");
    run->graph->ctx = run->ctx;
    if (beck_error(run->ctx) != BECK_OK)
        return beck__cli_fail(run->failure, "%s", beck_error_text(run->ctx));
    return !restart || beck__cli_fail(run->failure, "restart_after_batches: this runner cannot "
                                                    "restart from a checkpoint yet");
}

static bool run_once(struct run *run)
{
    const char *output = beck__json_text(run->vector, "output");

    if (!open_context(run) || !build(run))
        return false;
    const struct node *node = output ? beck__cli_node(run->graph, output) : NULL;
    if (!node)
        return beck__cli_fail(run->failure, "there is no output \"%s\"", output ? output : "");
    return run->batch ? run_batch(run, node) : run_stream(run, node);
}

static bool run_with_guess(struct run *run)
{
    bool passed = false;

    run->folder[0] = '\0';
    run->guessed = false;
    run->graph = calloc(1, sizeof *run->graph);
    if (!run->graph)
        return beck__cli_fail(run->failure, "out of memory");
    run->graph->failure = run->failure;
    run->graph->kernels = run->conform->kernels;
    run->graph->persist = run->conform->persist;
    passed = run_once(run);
    beck_context_free(run->ctx);
    run->ctx = NULL;
    beck__cli_graph_free(run->graph);
    free(run->graph);
    if (run->folder[0])
        beck__cli_remove(run->folder);
    return passed;
}

static const char *const fields[] = {
    "name",
    "kind",
    "batch_ms",
    "batches",
    "input_partitions",
    "default_parallelism",
    "inputs",
    "plan",
    "output",
    "expect",
    "ordered",
    "collect_only_non_empty",
    "also_save_as_text_files",
    "checkpoint_ms",
    "restart_after_batches",
    "spark_differs",
    "spark_expect",
};

bool beck__cli_run_vector(const struct conform *conform, struct json_object *vector,
                          struct failure *failure)
{
    const char *kind = beck__json_text(vector, "kind");
    struct run run = {.conform = conform, .vector = vector, .failure = failure};

    memset(failure, 0, sizeof *failure);
    const char *stranger = beck__json_stranger(vector, fields, sizeof fields / sizeof *fields);
    if (stranger)
        return beck__cli_fail(failure, "unknown field %s", stranger);
    if (kind && strcmp(kind, "rdd") != 0)
        return beck__cli_fail(failure, "unknown kind %s", kind);
    run.batch = kind != NULL;
    for (run.guess = 0;; run.guess++) {
        memset(failure, 0, sizeof *failure);
        if (run_with_guess(&run))
            return true;
        if (!failure->misfit || !run.guessed || run.guess + 1 == GUESSES * GUESSES)
            return false;
    }
}
