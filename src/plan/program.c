/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building, fusing and printing stage programs. Programs are immutable once made.
 */
#include "plan/plan.h"

static const char *const op_texts[] = {
#define OP_TEXT(id, text) text,
    BECK__OPS(OP_TEXT)
#undef OP_TEXT
};

static const char *const fold_texts[] = {"sum",      "min",   "max",  "avg",    "count",
                                         "distinct", "top",   "user", "reduce", "combine",
                                         "list",     "sides", "last"};

static bool op_calls(const struct op *op)
{
    return op->kind == OP_CALL || op->kind == OP_FILTER || op->kind == OP_PARTITION ||
           op->kind == OP_SINK || op->kind == OP_UPDATE || op->kind == OP_TRACK ||
           ((op->kind == OP_GROUP || op->kind == OP_WINDOW) && op->fold >= FOLD_USER &&
            op->fold <= FOLD_COMBINE);
}

bool beck__program_calls(const struct program *program)
{
    for (uint32_t i = 0; i < program->count; i++)
        if (op_calls(&program->ops[i]))
            return true;
    return false;
}

bool beck__program_joins(const struct program *program)
{
    return program->count > 0 && program->ops[0].kind == OP_JOIN;
}

bool beck__program_stateful(const struct program *program)
{
    return program->count == 1 && program->ops[0].state != NULL;
}

bool beck__program_silent(const struct program *program)
{
    for (uint32_t i = 0; i < program->count; i++) {
        const struct op *op = &program->ops[i];
        if (op->kind == OP_PARTITION || op->kind == OP_GLOM || (op->kind == OP_GROUP && op->always))
            return false;
    }
    return true;
}

const struct program *beck__program_join(struct arena *arena, const struct program *a,
                                         const struct program *b)
{
    struct program *p = beck__arena_alloc(arena, sizeof *p);
    struct op *ops = beck__arena_alloc(arena, (a->count + b->count + 1) * sizeof *ops);

    if (!p || !ops)
        return NULL;
    if (a->count)
        memcpy(ops, a->ops, a->count * sizeof *ops);
    if (b->count)
        memcpy(ops + a->count, b->ops, b->count * sizeof *ops);
    p->count = a->count + b->count;
    p->ops = ops;
    p->in = a->in;
    p->out = b->out;
    return p;
}

const struct program *beck__program_of(struct arena *arena, const struct op *op)
{
    struct program *p = beck__arena_alloc(arena, sizeof *p);
    struct op *copy = beck__arena_copy(arena, op, sizeof *op);

    if (!p || !copy)
        return NULL;
    *p = (struct program){.count = 1, .ops = copy, .in = op->in, .out = op->out};
    return p;
}

void beck__op_name(const struct op *op, struct text *out)
{
    const char *slash = op->file ? strrchr(op->file, '/') : NULL;

    beck__text_add(out, op->name);
    if (op->label)
        beck__text_printf(out, " \"%s\"", op->label);
    if (op->file)
        beck__text_printf(out, " at %s:%u", slash ? slash + 1 : op->file, op->line);
}

void beck__program_print(const struct program *program, struct text *out)
{
    for (uint32_t i = 0; i < program->count; i++) {
        const struct op *op = &program->ops[i];

        beck__op_name(op, out);
        if (op->kind == OP_GROUP)
            beck__text_printf(out, "  %s %s%s%s", op_calls(op) ? "callback" : "kernel",
                              fold_texts[op->fold], op->state_in ? ", merges" : "",
                              op->state_out ? ", partial" : "");
        else
            beck__text_printf(out, "  %s", op_calls(op) ? "callback" : op_texts[op->kind]);
        beck__text_add(out, "  -> ");
        beck__schema_print(op->out, out);
        beck__text_add(out, "\n");
    }
}
