/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_fuzz - any bytes as a request to a worker, or as its reply: they are served, or told to be
 * damaged. Function ids are numbers of a table here; a request whose operations name functions of
 * another form is not tried, as no check could tell.
 */
#include "base/testing.h"
#include "engine/local/local.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the functions of a worker -----------------------------------------------------------------
 */

enum { MODULE = 7, MAP = 1, FILTER, REDUCE, ROWS, AGGREGATE, SOURCE, SINK, FUNCTIONS };

static void map(beck_call *c, beck_row in)
{
    beck_emit_row(c, in);
}

static bool filter(beck_call *c, beck_row in)
{
    (void)c;
    return beck_is_null(in, 0) || beck_get_string(in, 0).size % 2;
}

static void reduce(beck_call *c, beck_row a, beck_row b)
{
    beck_emit_row(c, beck_is_null(a, 0) ? b : a);
}

static void each(beck_call *c, beck_rows *rows)
{
    beck_row row;
    while (beck_next_row(rows, &row))
        beck_emit_row(c, row);
}

static void step(beck_call *c, void *state, beck_row value)
{
    int64_t *sum = state;
    *sum += (int64_t)beck_get_string(value, 0).size;
    (void)c;
}

static void merge(beck_call *c, void *state, const void *other)
{
    uint64_t a, b;
    memcpy(&a, state, sizeof a);
    memcpy(&b, other, sizeof b);
    a += b;
    memcpy(state, &a, sizeof a);
    (void)c;
}

static void value(beck_call *c, const void *state)
{
    beck_emit(c, *(const int64_t *)state);
}

static const beck_aggregate aggregate = {
    .name = "size", .state_size = sizeof(int64_t), .step = step, .merge = merge, .value = value};

static beck_status read_range(beck_reader *r, const void *params, size_t params_size,
                              const void *range, size_t size)
{
    beck_read_row(r, beck_bytes_of(range, size), params_size);
    (void)params;
    return BECK_OK;
}

static const beck_direct_class source = {.name = "source", .read = read_range};

static beck_status sink_begin(beck_writer *w, void *writer, beck_write_id id)
{
    (void)writer;
    (void)id;
    return beck_writer_params(w, NULL) ? BECK_OK : BECK_IO;
}

static beck_status sink_write(beck_writer *w, void *writer, const beck_chunk *rows)
{
    (void)w;
    *(uint64_t *)writer += rows->rows;
    return BECK_OK;
}

static beck_status sink_prepare(beck_writer *w, void *writer, beck_str *message)
{
    (void)w;
    *message = beck_bytes_of(writer, 8);
    return BECK_OK;
}

static void sink_end(beck_writer *w, void *writer, bool keep)
{
    (void)w;
    (void)writer;
    (void)keep;
}

static const beck_sink_class sink = {.name = "sink",
                                     .writer_size = 8,
                                     .begin = sink_begin,
                                     .write = sink_write,
                                     .prepare = sink_prepare,
                                     .end = sink_end};

static void *function_of(struct os *os, struct function_id id)
{
    static beck_map_fn *const map_fn = map;
    static beck_filter_fn *const filter_fn = filter;
    static beck_reduce_fn *const reduce_fn = reduce;
    static beck_rows_fn *const rows_fn = each;
    const void *const places[FUNCTIONS] = {
        [MAP] = &map_fn, [FILTER] = &filter_fn, [REDUCE] = &reduce_fn, [ROWS] = &rows_fn};
    const void *const objects[FUNCTIONS] = {
        [AGGREGATE] = &aggregate, [SOURCE] = &source, [SINK] = &sink};
    void *address = NULL;

    (void)os;
    if (id.module != MODULE || id.offset >= FUNCTIONS)
        return NULL;
    if (places[id.offset])
        memcpy(&address, places[id.offset], sizeof address);
    else
        address = (void *)(uintptr_t)objects[id.offset];
    return address;
}

static bool may_be(struct function_id id, uint64_t function)
{
    return id.module != MODULE || id.offset == function || id.offset >= FUNCTIONS;
}

static bool op_names_its_own(const struct op *op)
{
    const struct function_id *f = op->function;

    switch (op->kind) {
    case OP_CALL:
        return may_be(f[0], MAP);
    case OP_FILTER:
        return may_be(f[0], FILTER);
    case OP_PARTITION:
        return may_be(f[0], ROWS);
    case OP_SINK:
        return may_be(f[0], SINK);
    case OP_GROUP:
        if (op->fold == FOLD_COMBINE)
            return may_be(f[0], MAP) && may_be(f[1], REDUCE) && may_be(f[2], REDUCE);
        return op->fold == FOLD_REDUCE ? may_be(f[0], REDUCE)
               : op->fold == FOLD_USER ? may_be(f[0], AGGREGATE)
                                       : true;
    default:
        return true;
    }
}

/* ---- a request ------------------------------------------------------------------------------- */

static bool names_its_own(struct arena *arena, struct reader *in)
{
    const struct program *program = NULL;

    if (beck__program_decode(arena, in, &program, NULL))
        return true; /* damaged: it will be told */
    for (uint32_t i = 0; i < program->count; i++)
        if (!op_names_its_own(&program->ops[i]))
            return false;
    return true;
}

/* A leaf of rows is passed over: nothing of it is a function. */
static void skip_values(struct reader *in)
{
    beck__get_string(in);
    beck__get_u64(in);
    for (uint32_t count = beck__get_u32(in); count && !in->bad; count--)
        beck__get_string(in);
}

static bool path_is_fair(struct arena *arena, struct reader *in)
{
    uint64_t paths = 1; /* that are still to come */

    for (; paths && !in->bad; paths--) {
        uint8_t kind = beck__get_u8(in);
        if (kind == 'N' && !names_its_own(arena, in))
            return false;
        if (kind == 'C') {
            beck__get_string(in);
            paths += beck__get_u32(in);
        }
        if (kind == 'P') {
            beck__get_u8(in);
            beck__get_string(in);
            paths++;
        }
        paths += kind == 'N' || kind == 'P';
        if (kind == 'V')
            skip_values(in);
        if (kind != 'R')
            continue;
        beck__get_string(in);
        struct function_id id = {beck__get_u64(in), 0};
        id.offset = beck__get_u64(in);
        if (!may_be(id, SOURCE))
            return false;
        for (int i = 0; i < 3; i++) /* parameters, name, range */
            beck__get_string(in);
    }
    return true;
}

/* May be tried: each function is of the form that is asked for, and there are few targets. */
static bool is_fair(struct arena *arena, struct reader in)
{
    in.at = in.size < 21 ? in.size : 21;
    if (beck__get_u32(&in) > 100)
        return false;
    if (beck__get_u8(&in) && !names_its_own(arena, &in))
        return false;
    return path_is_fair(arena, &in);
}

static void serve(struct os *os, struct arena *arena, struct reader in)
{
    struct text reply = {.memory = arena->memory};
    struct error error = {0};

    if (is_fair(arena, in)) {
        beck_status status = beck__request_serve(os, NULL, &in, &reply, &error);
        assert(status == error.status);
        assert(status == BECK_OK || status == BECK_CORRUPT);
    }
    beck__text_deinit(&reply);
}

/* ---- a reply --------------------------------------------------------------------------------- */

static void take_reply(struct os *os, struct arena *arena, struct reader in, bool shuffled)
{
    const beck_schema *schema = NULL;
    struct error error = {0};
    beck__schema_parse(arena, "k STRING, n BIGINT", &schema, &error);
    struct dataset shuffle = {
        .kind = DATA_SHUFFLE, .schema = schema, .partitions = 3, .partitioning = {.count = 3}};
    struct dataset input = {.kind = DATA_VALUES, .schema = schema, .partitions = 1};
    struct shared shared = {.count = 2};
    struct local local = {.options = {.shared = &shared}};
    struct stage stage = {.engine = &local, .input = &input, .shuffle = shuffled ? &shuffle : NULL};
    struct run run = {.stage = &stage};
    beck_status status = beck__reply_decode(&os->memory, &in, &run, &error);

    assert(status == error.status);
    for (uint32_t i = 0; !status && i < run.out_count; i++)
        for (size_t k = 0; k < run.out[i].count; k++)
            assert(run.out[i].items[k]->chunk->columns == 2);
    beck__run_drop(&run);
}

/* The first byte says which of the three. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct test_memory memory;
    struct os os = *beck__os_real();
    os.memory = *test_memory_init(&memory, 0);
    os.function_of = function_of;
    struct arena arena = {.memory = &os.memory};
    struct reader in = {.data = data + 1, .size = size - 1};

    if (size == 0)
        return 0;
    if (data[0] % 4 < 2)
        serve(&os, &arena, in);
    else
        take_reply(&os, &arena, in, data[0] % 4 == 3);
    beck__arena_deinit(&arena);
    assert(memory.used == 0);
    return 0;
}
