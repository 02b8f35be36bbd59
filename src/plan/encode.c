/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage programs as bytes. Layout: "BKP2", u32 count, schema text of the input, then per operation
 * its fields in the order of struct op; schemas travel as text. Decoding trusts nothing: kinds and
 * numbers are checked against the schemas (check.c), so that the interpreter may index columns
 * unchecked.
 */
#include "plan/plan.h"

#define MAGIC   0x32504b42u /* "BKP2" */
#define OPS_MAX 10000u

/* A C string or none: NULL and "" are told apart. */
static void put_name(struct text *out, const char *name)
{
    beck__put_u8(out, name != NULL);
    if (name)
        beck__put_string(out, beck_string(name));
}

static void put_op(struct text *out, const struct op *op)
{
    beck__put_u8(out, (uint8_t)op->kind);
    put_name(out, op->name);
    put_name(out, op->label);
    put_name(out, op->file);
    beck__put_u32(out, op->line);
    beck__schema_put(out, op->out);
    beck__put_u32(out, op->keys);
    beck__put_u8(out, op->values);
    beck__put_u8(out, (uint8_t)op->emits);
    beck__put_u8(out, (uint8_t)op->adds);
    beck__put_u8(out, (uint8_t)op->fold);
    beck__put_u8(out, op->state_in);
    beck__put_u8(out, op->state_out);
    beck__put_u8(out, op->always);
    beck__put_u64(out, op->number);
    beck__put_u8(out, op->state != NULL);
    if (op->state)
        beck__schema_put(out, op->state);
    beck__put_u8(out, op->every);
    beck__put_u64(out, (uint64_t)op->timeout_ms);
    beck__put_u64(out, (uint64_t)op->period_ms);
    beck__put_u64(out, op->slices);
    for (int i = 0; i < 3; i++) {
        beck__put_u64(out, op->function[i].module);
        beck__put_u64(out, op->function[i].offset);
    }
    beck__put_string(out, op->bytes);
    beck__put_string(out, op->row);
    beck__put_u32(out, op->column_count);
    for (uint32_t i = 0; i < op->column_count; i++)
        beck__put_u32(out, op->columns[i]);
}

void beck__program_encode(const struct program *program, struct text *out)
{
    beck__put_u32(out, MAGIC);
    beck__put_u32(out, program->count);
    beck__schema_put(out, program->in);
    for (uint32_t i = 0; i < program->count; i++)
        put_op(out, &program->ops[i]);
}

/* ---- decoding -------------------------------------------------------------------------------- */

struct source {
    struct arena *arena;
    struct reader *in;
    bool no_memory;
};

/* A copy with a NUL behind it; NULL for none, and without memory. */
static const char *get_name(struct source *from)
{
    if (!beck__get_u8(from->in))
        return NULL;
    beck_str s = beck__get_string(from->in);
    char *name = beck__arena_raw(from->arena, s.size + 1);

    from->no_memory |= !name;
    if (!name)
        return NULL;
    memcpy(name, s.data, s.size);
    name[s.size] = 0;
    return name;
}

static void get_columns(struct source *from, struct op *op)
{
    uint32_t count = beck__get_u32(from->in);

    if (count > BECK__COLUMNS_MAX)
        from->in->bad = true;
    if (from->in->bad)
        return;
    uint32_t *columns = beck__arena_alloc(from->arena, (count + 1) * sizeof *columns);
    from->no_memory |= !columns;
    for (uint32_t i = 0; columns && i < count; i++)
        columns[i] = beck__get_u32(from->in);
    op->columns = columns;
    op->column_count = columns ? count : 0;
}

static beck_str get_bytes(struct source *from)
{
    beck_str bytes = beck__get_string(from->in);
    const void *copy = beck__arena_copy(from->arena, bytes.data, bytes.size);

    from->no_memory |= !copy;
    return beck_bytes_of(copy, copy ? bytes.size : 0);
}

static beck_status get_op(struct source *from, struct op *op, struct error *error)
{
    struct reader *in = from->in;

    op->kind = (enum op_kind)beck__get_u8(in);
    op->name = get_name(from);
    op->label = get_name(from);
    op->file = get_name(from);
    op->line = beck__get_u32(in);
    beck_status status = beck__schema_get(from->arena, in, &op->out, error);
    if (status)
        return status;
    op->keys = beck__get_u32(in);
    op->values = beck__get_u8(in) != 0;
    op->emits = (enum op_emits)beck__get_u8(in);
    op->adds = (enum op_adds)beck__get_u8(in);
    op->fold = (enum op_fold)beck__get_u8(in);
    op->state_in = beck__get_u8(in) != 0;
    op->state_out = beck__get_u8(in) != 0;
    op->always = beck__get_u8(in) != 0;
    op->number = beck__get_u64(in);
    if (beck__get_u8(in))
        status = beck__schema_get(from->arena, in, &op->state, error);
    if (status)
        return status;
    op->every = beck__get_u8(in) != 0;
    op->timeout_ms = (int64_t)beck__get_u64(in);
    op->period_ms = (int64_t)beck__get_u64(in);
    op->slices = beck__get_u64(in);
    for (int i = 0; i < 3; i++) {
        op->function[i].module = beck__get_u64(in);
        op->function[i].offset = beck__get_u64(in);
    }
    op->bytes = get_bytes(from);
    op->row = get_bytes(from);
    get_columns(from, op);
    if (from->no_memory)
        return beck__error_memory(error, "a stage program", 0);
    if (in->bad || !beck__op_fits(op))
        return beck__error_set(error, BECK_CORRUPT, "stage program: damaged operation at byte %zu",
                               in->at);
    return BECK_OK;
}

beck_status beck__program_decode(struct arena *arena, struct reader *in,
                                 const struct program **program, struct error *error)
{
    struct source from = {.arena = arena, .in = in};
    uint32_t magic = beck__get_u32(in), count = beck__get_u32(in);

    if (in->bad || magic != MAGIC || count > OPS_MAX || count > in->size - in->at)
        return beck__error_set(error, BECK_CORRUPT, "stage program: bad magic or length");
    struct program *p = beck__arena_alloc(arena, sizeof *p);
    struct op *ops = beck__arena_alloc(arena, (count + 1) * sizeof *ops);
    if (!p || !ops)
        return beck__error_memory(error, "a stage program", count * sizeof *ops);
    beck_status status = beck__schema_get(arena, in, &p->in, error);
    p->out = p->in;
    for (uint32_t i = 0; !status && i < count; i++) {
        ops[i].in = p->out;
        status = get_op(&from, &ops[i], error);
        p->out = ops[i].out;
    }
    p->count = count;
    p->ops = ops;
    *program = p;
    return status;
}
