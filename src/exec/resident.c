/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stateful operation keeps of one partition between batches: a table of states, or the
 * slices of a window; as rows to read, as blocks to move, and sealed at the end of a batch.
 */
/* tests: stateful_test.c window_test.c */
#include "exec/window.h"

struct resident {
    const struct allocator *memory;
    struct arena arena;
    const struct op *op;
    struct state_table table;
    struct window_state window; /* of OP_WINDOW, instead */
    const beck_schema *rows;    /* key and state: what is read */
    const beck_schema *saved;   /* and two columns more, where a snapshot needs them */
    struct error error;         /* of what happens outside of tasks */
};

static bool is_window(const struct resident *r)
{
    return r->op->kind == OP_WINDOW;
}

const beck_schema *beck__resident_schema(struct arena *arena, const struct op *op, bool saved)
{
    static const struct field more[] = {{.name = "a", .type = BECK_BIGINT},
                                        {.name = "b", .type = BECK_BIGINT}};
    bool needed = op->timeout_ms > 0 || op->kind == OP_WINDOW;
    uint32_t count = op->keys + op->state->count;
    struct field *fields = beck__arena_alloc(arena, ((size_t)count + 2) * sizeof *fields);
    beck_schema *schema = beck__arena_alloc(arena, sizeof *schema);

    if (!fields || !schema)
        return NULL;
    memcpy(fields, op->in->fields, op->keys * sizeof *fields);
    memcpy(fields + op->keys, op->state->fields, op->state->count * sizeof *fields);
    memcpy(fields + count, more, sizeof more);
    *schema = (beck_schema){.count = count + (saved && needed ? 2 : 0), .fields = fields};
    return schema;
}

static beck_status memory_init(struct resident *r, struct error *error)
{
    const struct op *op = r->op;

    if (is_window(r))
        return beck__window_init(&r->window, r->memory, op, error);
    return beck__state_init(&r->table, r->memory, op->in, op->keys, op->state, op->timeout_ms > 0,
                            error);
}

struct resident *beck__resident_new(struct os *os, const struct op *op, struct error *error)
{
    struct resident *r = beck__alloc_zero(&os->memory, sizeof *r);

    if (!r) {
        beck__error_memory(error, op->name, sizeof *r);
        return NULL;
    }
    r->memory = &os->memory;
    r->op = op;
    beck__arena_init(&r->arena, r->memory);
    r->rows = beck__resident_schema(&r->arena, op, false);
    r->saved = beck__resident_schema(&r->arena, op, true);
    if (!r->rows || !r->saved)
        beck__error_memory(error, op->name, 0);
    if (!r->rows || !r->saved || memory_init(r, error)) {
        beck__resident_free(r);
        return NULL;
    }
    struct keys *keys = is_window(r) ? &r->window.keys : &r->table.keys;
    keys->secret = beck__task_secret;
    keys->secret_user = os;
    return r;
}

void beck__resident_free(struct resident *r)
{
    if (!r)
        return;
    beck__state_deinit(&r->table);
    beck__window_deinit(&r->window);
    beck__arena_deinit(&r->arena);
    beck__free(r->memory, r, sizeof *r);
}

struct state_table *beck__resident_table(struct task *task, const struct op *op)
{
    struct resident *r = task->resident;

    if (r && r->op == op && !is_window(r))
        return &r->table;
    beck__error_set(&task->error, BECK_CORRUPT, "%s: a stateful operation in the wrong place",
                    op->name);
    return NULL;
}

struct window_state *beck__resident_window(struct task *task, const struct op *op)
{
    struct resident *r = task->resident;

    if (r && r->op == op && is_window(r))
        return &r->window;
    beck__error_set(&task->error, BECK_CORRUPT, "%s: a window in the wrong place", op->name);
    return NULL;
}

uint64_t beck__resident_count(const struct resident *r)
{
    return is_window(r) ? beck__window_live(&r->window) : r->table.count;
}

bool beck__resident_idle(const struct resident *r, int64_t batch_ms)
{
    if (is_window(r))
        return !r->window.oldest && !(r->op->always && r->window.seen);
    if (r->op->every)
        return r->table.count == 0;
    return beck__state_due(&r->table, batch_ms - r->op->timeout_ms) == NO_SLOT;
}

/* When a key that was touched then times out. */
static int64_t timeout_after(const struct op *op, int64_t touched_ms)
{
    return touched_ms + op->timeout_ms + 1;
}

int64_t beck__resident_due(const struct resident *r)
{
    uint32_t slot = is_window(r) ? NO_SLOT : beck__state_due(&r->table, INT64_MAX);

    if (is_window(r))
        return beck__window_live(&r->window) ? 0 : INT64_MAX;
    return slot == NO_SLOT ? INT64_MAX : timeout_after(r->op, r->table.touches.time_ms[slot]);
}

/* A window without rows has a row at most, which says that there were some. */
int64_t beck__saved_due(const struct op *op, const struct blocks *saved)
{
    uint32_t touched = op->keys + op->state->count;
    int64_t due = INT64_MAX;

    if (op->kind == OP_WINDOW)
        return saved->rows > 1 ? 0 : INT64_MAX;
    for (size_t i = 0; op->timeout_ms > 0 && i < saved->count; i++) {
        const beck_chunk *chunk = saved->items[i]->chunk;
        const int64_t *times = chunk->column[touched].data;
        for (uint32_t k = 0; k < chunk->rows; k++)
            due = timeout_after(op, times[k]) < due ? timeout_after(op, times[k]) : due;
    }
    return due;
}

void beck__resident_rest(struct resident *r)
{
    if (is_window(r))
        beck__window_set_error(&r->window, &r->error);
    else
        beck__state_set_error(&r->table, &r->error);
}

void beck__resident_seal(struct resident *r, bool keep)
{
    beck__resident_rest(r);
    if (is_window(r))
        beck__window_seal(&r->window, keep);
    else
        beck__state_seal(&r->table, keep);
    beck__error_clear(&r->error); /* no memory to be tidy: the next time will do */
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Key and state of those slots as rows of `out`, which has these columns or more. */
static bool gather(struct resident *r, const uint32_t *slots, uint32_t count, struct builder *out)
{
    const struct state_table *table = &r->table;
    bool ok = true;

    for (uint32_t k = 0; ok && k < r->op->keys; k++)
        ok = beck__builder_cells(out, k, &table->keys.rows.chunk->column[k], slots, count, true);
    ok = ok && beck__state_rows_get(&table->rows, slots, count, out, r->op->keys);
    if (ok)
        out->chunk->rows += count;
    return ok;
}

enum flow beck__resident_scan(struct resident *r, struct task *task, struct operator *sink)
{
    struct builder out;
    uint32_t slots[BECK__CHUNK_ROWS], at = 0, count;
    uint32_t step = 64; /* who wants ten rows gets few more; who wants all soon gets full chunks */
    enum flow flow = FLOW_MORE;

    if (beck__builder_init(&out, task->memory, r->rows, 0, &task->error))
        return FLOW_FAILED;
    while (flow == FLOW_MORE && (count = beck__state_scan(&r->table, &at, slots, step)) > 0) {
        if (!gather(r, slots, count, &out)) {
            beck__error_memory(&task->error, r->op->name, 0);
            flow = FLOW_FAILED;
        } else {
            flow = sink->push(sink, out.chunk);
        }
        beck__builder_clear(&out);
        step = step < BECK__CHUNK_ROWS ? step * 2 : step;
    }
    beck__builder_deinit(&out);
    return flow;
}

/* ---- as blocks ------------------------------------------------------------------------------- */

/* The two columns of a touch: places[slot] is its place in the order of touches. */
static bool gather_touches(struct resident *r, const uint32_t *slots, uint32_t count,
                           const uint32_t *places, struct builder *out)
{
    int64_t numbers[BECK__CHUNK_ROWS];
    beck_column column = {.type = BECK_BIGINT, .size = count, .data = numbers};
    uint32_t first = r->rows->count;

    for (uint32_t i = 0; i < count; i++)
        numbers[i] = r->table.touches.time_ms[slots[i]];
    if (!beck__builder_cells(out, first, &column, NULL, count, false))
        return false;
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = places[slots[i]];
    return beck__builder_cells(out, first + 1, &column, NULL, count, false);
}

beck_status beck__resident_save(struct resident *r, struct blocks *out, struct error *error)
{
    if (is_window(r))
        return beck__window_save(&r->window, r->saved, out)
                   ? BECK_OK
                   : beck__error_memory(error, r->op->name, 0);
    const struct touches *t = &r->table.touches;
    size_t size = ((size_t)r->table.rows.slots + 1) * sizeof(uint32_t);
    uint32_t slots[BECK__CHUNK_ROWS], at = 0, count, *places = beck__alloc(r->memory, size);
    struct builder rows;
    bool ok = places != NULL;

    if (!ok || beck__builder_init(&rows, r->memory, r->saved, 0, error)) {
        beck__free(r->memory, places, size);
        return beck__error_memory(error, r->op->name, size);
    }
    for (uint32_t s = t->oldest, place = 0; r->table.timed && s != NO_SLOT; s = t->newer[s])
        places[s] = place++;
    while (ok && (count = beck__state_scan(&r->table, &at, slots, BECK__CHUNK_ROWS)) > 0) {
        ok = gather(r, slots, count, &rows) &&
             (!r->table.timed || gather_touches(r, slots, count, places, &rows));
        struct block *block =
            ok ? beck__block_new(out->memory, r->saved, rows.chunk, 0, count, NULL) : NULL;
        ok = block && beck__blocks_add(out, block);
        beck__builder_clear(&rows);
    }
    beck__builder_deinit(&rows);
    beck__free(r->memory, places, size);
    return ok ? BECK_OK : beck__error_memory(error, r->op->name, 0);
}

struct touch {
    uint32_t slot;
    int64_t time_ms;
};

/* The rows of one block; its touches go to their places. Rows without were touched at batch_ms, in
 * order. */
static bool load_chunk(struct resident *r, const struct block *block, struct touch *touches,
                       uint64_t rows, int64_t batch_ms)
{
    const beck_chunk *chunk = block->chunk;
    uint32_t slots[BECK__CHUNK_ROWS], first = r->rows->count;
    bool timed = chunk->columns > first;
    const int64_t *times = timed ? chunk->column[first].data : NULL;
    const int64_t *places = timed ? chunk->column[first + 1].data : NULL;

    if (chunk->rows > BECK__CHUNK_ROWS)
        return beck__error_set(r->table.keys.error, BECK_CORRUPT, "%s: a state's block has %u rows",
                               r->op->name, chunk->rows) == BECK_OK;
    if (!beck__state_find(&r->table, chunk, 0, chunk->rows, slots) ||
        !beck__state_save(&r->table, slots, chunk->rows) ||
        !beck__state_put(&r->table, slots, chunk->rows, chunk, r->op->keys))
        return false;
    for (uint32_t i = 0; r->table.timed && i < chunk->rows; i++) {
        if (!timed)
            beck__state_touch(&r->table, slots[i], batch_ms);
        else if ((uint64_t)places[i] < rows)
            touches[places[i]] = (struct touch){slots[i], times[i]};
    }
    return true;
}

beck_status beck__resident_load(struct resident *r, const struct blocks *in, int64_t batch_ms,
                                struct error *error)
{
    if (is_window(r)) {
        beck__window_set_error(&r->window, error);
        return beck__window_load(&r->window, in)
                   ? BECK_OK
                   : beck__error_set(error, BECK_CORRUPT, "%s: a window that cannot be read",
                                     r->op->name);
    }
    size_t size = (size_t)(in->rows + 1) * sizeof(struct touch);
    struct touch *touches = beck__alloc(r->memory, size);
    bool ok = touches != NULL;

    if (!ok)
        return beck__error_memory(error, r->op->name, size);
    beck__state_set_error(&r->table, error);
    for (uint64_t i = 0; i < in->rows; i++)
        touches[i].slot = NO_SLOT;
    for (size_t i = 0; ok && i < in->count; i++)
        ok = load_chunk(r, in->items[i], touches, in->rows, batch_ms);
    for (uint64_t i = 0; ok && i < in->rows; i++)
        if (touches[i].slot != NO_SLOT)
            beck__state_touch(&r->table, touches[i].slot, touches[i].time_ms);
    beck__free(r->memory, touches, size);
    beck__resident_seal(r, ok);
    return ok ? BECK_OK : error->status;
}
