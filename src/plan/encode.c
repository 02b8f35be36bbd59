/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage programs as bytes. Layout: "BKP1", u32 count, schema text of the input, then per operation
 * its fields in the order of struct op; schemas travel as text. Decoding trusts nothing: kinds and
 * numbers are checked against the schemas, so that the interpreter may index columns unchecked.
 */
#include "plan/plan.h"

#define MAGIC   0x31504b42u /* "BKP1" */
#define OPS_MAX 10000u

static void put_schema(struct text *out, const beck_schema *schema)
{
    struct text text = {.memory = out->memory};

    beck__schema_print(schema, &text);
    if (text.failed)
        out->failed = true;
    beck__put_string(out, beck_string(beck__text_get(&text)));
    beck__text_deinit(&text);
}

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
    put_schema(out, op->out);
    beck__put_u32(out, op->keys);
    beck__put_u8(out, op->values);
    beck__put_u8(out, (uint8_t)op->emits);
    beck__put_u8(out, (uint8_t)op->adds);
    beck__put_u8(out, (uint8_t)op->fold);
    beck__put_u8(out, op->state_in);
    beck__put_u8(out, op->state_out);
    beck__put_u8(out, op->always);
    beck__put_u64(out, op->number);
    for (int i = 0; i < 3; i++) {
        beck__put_u64(out, op->function[i].module);
        beck__put_u64(out, op->function[i].offset);
    }
    beck__put_string(out, op->bytes);
    beck__put_u32(out, op->column_count);
    for (uint32_t i = 0; i < op->column_count; i++)
        beck__put_u32(out, op->columns[i]);
}

void beck__program_encode(const struct program *program, struct text *out)
{
    beck__put_u32(out, MAGIC);
    beck__put_u32(out, program->count);
    put_schema(out, program->in);
    for (uint32_t i = 0; i < program->count; i++)
        put_op(out, &program->ops[i]);
}

static beck_status get_schema(struct arena *arena, struct reader *in, const beck_schema **schema,
                              struct error *error)
{
    beck_str s = beck__get_string(in);
    char *text = in->bad ? NULL : beck__arena_raw(arena, s.size + 1);

    if (!text)
        return beck__error_set(error, BECK_CORRUPT, "stage program: schema is cut off");
    memcpy(text, s.data, s.size);
    text[s.size] = 0;
    return beck__schema_parse(arena, text, schema, error);
}

static const char *get_name(struct arena *arena, struct reader *in)
{
    if (!beck__get_u8(in))
        return NULL;
    beck_str s = beck__get_string(in);
    char *copy = in->bad ? NULL : beck__arena_raw(arena, s.size + 1);
    if (!copy)
        return NULL;
    memcpy(copy, s.data, s.size);
    copy[s.size] = 0;
    return copy;
}

static bool get_columns(struct arena *arena, struct reader *in, struct op *op)
{
    op->column_count = beck__get_u32(in);
    if (in->bad || op->column_count > BECK__COLUMNS_MAX)
        return false;
    uint32_t *columns = beck__arena_alloc(arena, (op->column_count + 1) * sizeof *columns);
    if (!columns)
        return false;
    for (uint32_t i = 0; i < op->column_count; i++) {
        columns[i] = beck__get_u32(in);
        if (columns[i] >= op->in->count)
            return false;
    }
    op->columns = columns;
    return true;
}

static bool op_fits(const struct op *op)
{
    if (op->kind >= OP_COUNT || op->emits > EMITS_ANY || op->adds > ADDS_ROW_AFTER ||
        op->fold >= FOLD_KINDS || !op->name || op->keys > op->in->count)
        return false;
    switch (op->kind) {
    case OP_CALL:
        return op->adds != ADDS_KEY_BEFORE || op->keys <= op->out->count;
    case OP_WORDS:
    case OP_LINES:
        return op->in->fields[0].type == BECK_STRING && op->out->fields[0].type == BECK_STRING &&
               (op->out->count == 1 ||
                (op->out->count == 2 && op->out->fields[1].type == BECK_BIGINT));
    case OP_PROJECT:
        return op->column_count == op->out->count;
    case OP_GLOM:
        return op->out->count == 1 && op->out->fields[0].type == BECK_ARRAY;
    case OP_GROUP:
        return op->keys <= op->out->count;
    case OP_SINK:
        return op->out->count == 1 && op->out->fields[0].type == BECK_BINARY;
    default:
        return true;
    }
}

static beck_status get_op(struct arena *arena, struct reader *in, struct op *op,
                          struct error *error)
{
    op->kind = (enum op_kind)beck__get_u8(in);
    op->name = get_name(arena, in);
    op->label = get_name(arena, in);
    op->file = get_name(arena, in);
    op->line = beck__get_u32(in);
    beck_status status = get_schema(arena, in, &op->out, error);
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
    for (int i = 0; i < 3; i++) {
        op->function[i].module = beck__get_u64(in);
        op->function[i].offset = beck__get_u64(in);
    }
    beck_str bytes = beck__get_string(in);
    op->bytes = beck_bytes_of(beck__arena_copy(arena, bytes.data, bytes.size), bytes.size);
    if (!get_columns(arena, in, op) || in->bad || !op_fits(op))
        return beck__error_set(error, BECK_CORRUPT, "stage program: damaged operation at byte %zu",
                               in->at);
    return BECK_OK;
}

beck_status beck__program_decode(struct arena *arena, struct reader *in,
                                 const struct program **program, struct error *error)
{
    uint32_t magic = beck__get_u32(in), count = beck__get_u32(in);

    if (in->bad || magic != MAGIC || count > OPS_MAX)
        return beck__error_set(error, BECK_CORRUPT, "stage program: bad magic or length");
    struct program *p = beck__arena_alloc(arena, sizeof *p);
    struct op *ops = beck__arena_alloc(arena, (count + 1) * sizeof *ops);
    if (!p || !ops)
        return beck__error_memory(error, "a stage program", count * sizeof *ops);
    beck_status status = get_schema(arena, in, &p->in, error);
    p->out = p->in;
    for (uint32_t i = 0; !status && i < count; i++) {
        ops[i].in = p->out;
        status = get_op(arena, in, &ops[i], error);
        p->out = ops[i].out;
    }
    p->count = count;
    p->ops = ops;
    *program = p;
    return status;
}
