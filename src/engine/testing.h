/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testing.h - for tests of this room and of those above: an engine with one scope, datasets of
 * numbers, and what a job delivers, by partition. A test whose labs isolate begins its main with
 * beck__engine_worker(beck__os_real()).
 */
#ifndef BECK_ENGINE_TESTING_H
#define BECK_ENGINE_TESTING_H

#include "engine/engine.h"
#include "exec/testing.h"

#define LAB_PARTITIONS 64u
#define PAIR           "k STRING, n BIGINT"

struct lab {
    struct os *os;
    struct log log;
    struct text logged;
    struct engine_options options;
    struct engine *engine;
    struct scope *scope;
    struct arena arena;
    struct blocks out[LAB_PARTITIONS];
    uint32_t delivered[LAB_PARTITIONS]; /* how often */
    struct error error;
    struct text text;
};

static inline void lab_log(void *user, beck_log_level level, const char *text)
{
    struct lab *lab = user;
    (void)level;
    beck__text_printf(&lab->logged, "%s\n", text);
}

static inline struct engine_options lab_options(int threads)
{
    return (struct engine_options){
        .threads = threads, .attempts = 4, .inline_rows = 10, .received_split_bytes = 1000};
}

static inline void lab_open(struct lab *lab, struct engine_options options)
{
    memset(lab, 0, sizeof *lab);
    lab->os = beck__os_real();
    lab->logged = lab->text = (struct text){.memory = &lab->os->memory};
    lab->log = (struct log){.os = lab->os, .fn = lab_log, .user = lab, .level = BECK_LOG_INFO};
    lab->options = options;
    beck__arena_init(&lab->arena, &lab->os->memory);
    for (uint32_t i = 0; i < LAB_PARTITIONS; i++)
        lab->out[i].memory = &lab->os->memory;
    lab->engine = beck__engine_local(lab->os, &lab->options, &lab->log, &lab->error);
    if (!lab->engine)
        print_error("%s\n", lab->error.text);
    assert_non_null(lab->engine);
    lab->scope = lab->engine->scope_new(lab->engine, 5000);
    assert_non_null(lab->scope);
}

static inline void lab_clear(struct lab *lab)
{
    for (uint32_t i = 0; i < LAB_PARTITIONS; i++) {
        beck__blocks_deinit(&lab->out[i]);
        lab->delivered[i] = 0;
    }
    beck__error_clear(&lab->error);
}

static inline void lab_close(struct lab *lab)
{
    lab_clear(lab);
    lab->engine->scope_free(lab->engine, lab->scope);
    lab->engine->close(lab->engine);
    beck__text_deinit(&lab->logged);
    beck__text_deinit(&lab->text);
    beck__arena_deinit(&lab->arena);
}

/* ---- datasets -------------------------------------------------------------------------------- */

/* `partitions` lists of blocks of 100 rows ("key number 3", 17): n counts up over all, there are 7
 * keys. */
static inline struct dataset *lab_numbers(struct lab *lab, uint32_t partitions, uint32_t rows)
{
    const beck_schema *schema = test_schema(&lab->arena, PAIR);
    struct blocks lists[LAB_PARTITIONS] = {{0}};
    struct builder b;
    int64_t n = 0;
    beck__builder_init(&b, &lab->os->memory, schema, 100, NULL);
    for (uint32_t p = 0; p < partitions; p++) {
        lists[p].memory = &lab->os->memory;
        for (uint32_t i = 0; i < rows; i++, n++) {
            char key[40];
            snprintf(key, sizeof key, n % 2 ? "%d" : "key number %d", (int)(n % 7));
            beck_value values[] = {beck_text_value(key), beck_integer_value(n)};
            test_row(&b, values, 2);
            if (beck__builder_full(&b) || i + 1 == rows) {
                struct block *block =
                    beck__block_new(b.memory, schema, b.chunk, 0, b.chunk->rows, NULL);
                assert_true(beck__blocks_add(&lists[p], block));
                beck__builder_clear(&b);
            }
        }
    }
    struct dataset *d = lab->engine->from_values(lab->scope, schema, lists, partitions);
    assert_non_null(d);
    for (uint32_t p = 0; p < partitions; p++)
        beck__blocks_deinit(&lists[p]);
    beck__builder_deinit(&b);
    return d;
}

static inline struct dataset *lab_narrow(struct lab *lab, struct dataset *parent,
                                         const struct op *op)
{
    assert_true(beck__op_fits(op));
    struct dataset *d = lab->engine->narrow(lab->scope, parent, beck__program_of(&lab->arena, op));
    assert_non_null(d);
    return d;
}

static inline struct dataset *lab_shuffle(struct lab *lab, struct dataset *parent,
                                          enum partitioner kind, uint32_t count, const char *schema)
{
    struct partitioning to = {.kind = kind, .keys = kind == PARTITION_HASH, .count = count};
    struct dataset *d =
        lab->engine->shuffle(lab->scope, parent, to, test_schema(&lab->arena, schema));
    assert_non_null(d);
    return d;
}

static inline struct op lab_call(struct lab *lab, const char *in, const char *out, beck_map_fn *fn)
{
    struct op op = test_op(&lab->arena, OP_CALL, in, out);
    op.emits = EMITS_ANY;
    SET_FUNCTION(&op, 0, fn);
    return op;
}

/* sum of n by k: partial states, shuffle, results */
static inline struct dataset *lab_sums(struct lab *lab, struct dataset *parent, uint32_t count)
{
    struct op op = test_op(&lab->arena, OP_GROUP, PAIR, PAIR);
    op.keys = 1;
    op.state_out = true;
    struct dataset *d = lab_narrow(lab, parent, &op);
    d = lab_shuffle(lab, d, PARTITION_HASH, count, PAIR);
    op.state_out = false;
    op.state_in = true;
    return lab_narrow(lab, d, &op);
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static inline void lab_deliver(void *user, uint32_t partition, const struct blocks *rows)
{
    struct lab *lab = user;
    assert_true(partition < LAB_PARTITIONS);
    lab->delivered[partition]++;
    assert_true(beck__blocks_append(&lab->out[partition], rows));
}

static inline beck_status lab_try(struct lab *lab, struct dataset *dataset,
                                  const struct program *action)
{
    struct job job = {.scope = lab->scope,
                      .dataset = dataset,
                      .action = action,
                      .what = "collect at test.c:9",
                      .deliver = lab_deliver,
                      .user = lab};
    lab_clear(lab);
    beck_status status = lab->engine->job_run(lab->engine, &job, &lab->error);
    assert_int_equal(status, lab->error.status);
    return status;
}

/* The rows of each partition after a line with its number. */
static inline const char *lab_text(struct lab *lab)
{
    struct text rows = {.memory = &lab->os->memory};
    beck__text_clear(&lab->text);
    for (uint32_t p = 0; p < LAB_PARTITIONS; p++)
        if (lab->out[p].rows)
            beck__text_printf(&lab->text, "[%u]\n%s", p, blocks_text(&lab->out[p], &rows));
    beck__text_deinit(&rows);
    return beck__text_get(&lab->text);
}

/* The caller frees it. */
static inline char *copy_of(const char *text)
{
    char *copy = malloc(strlen(text) + 1);
    return strcpy(copy, text);
}

static inline void lab_run(struct lab *lab, struct dataset *dataset, const struct program *action)
{
    if (lab_try(lab, dataset, action))
        print_error("%s\n", lab->error.text);
    assert_int_equal(lab->error.status, BECK_OK);
    for (uint32_t p = 0; p < LAB_PARTITIONS; p++)
        assert_true(lab->delivered[p] <= 1);
}

/* ---- the ways to run ------------------------------------------------------------------------- */

/* Engines that must give the same rows: number i, false after the last. Without `isolate` only
 * those of one process. */
static inline bool lab_variant(uint32_t i, bool isolate, struct engine_options *options)
{
    static const int threads[] = {1, 2, 4, 1, 1, 2, 2};
    *options = lab_options(i < BECK__COUNT_OF(threads) ? threads[i] : 1);
    options->inline_all = i == 3;
    options->inline_rows = i == 4 ? 1000000 : 10;
    options->encode = i == 5;
    options->isolate = i == 6;
    return i < (isolate ? 7 : 6);
}

#endif
