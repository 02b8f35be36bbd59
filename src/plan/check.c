/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does an operation fit its schemas? What passes here may be run by the interpreter, which indexes
 * columns and copies cells without asking again. So it is asked of every operation that is built,
 * and of every one that is decoded.
 */
#include "plan/plan.h"

static bool same_types(const struct field *a, const struct field *b, uint32_t count)
{
    const beck_schema left = {.count = count, .fields = a}, right = {.count = count, .fields = b};

    return beck__schema_equal(&left, &right, false);
}

static bool same_schemas(const struct op *op)
{
    return beck__schema_equal(op->in, op->out, false);
}

/* The element of an ARRAY of these columns: the type itself if there is one, else a STRUCT. */
static bool is_array_of(const struct field *array, const struct field *fields, uint32_t count)
{
    const struct field *element = array->fields;

    if (array->type != BECK_ARRAY)
        return false;
    if (count == 1)
        return same_types(element, fields, 1);
    return element->type == BECK_STRUCT && element->count == count &&
           same_types(element->fields, fields, count);
}

static bool call_fits(const struct op *op)
{
    uint32_t in = op->in->count, out = op->out->count;

    switch (op->adds) {
    case ADDS_NOTHING:
        return true;
    case ADDS_KEY_BEFORE:
        return op->keys <= out && same_types(op->in->fields, op->out->fields, op->keys);
    case ADDS_ROW_AFTER:
        return in <= out && same_types(op->in->fields, op->out->fields + (out - in), in);
    }
    return false;
}

static bool words_fit(const struct op *op)
{
    const struct field *out = op->out->fields;

    return op->in->fields[0].type == BECK_STRING && out[0].type == BECK_STRING &&
           (op->out->count == 1 || (op->out->count == 2 && out[1].type == BECK_BIGINT));
}

static bool project_fits(const struct op *op)
{
    if (op->column_count != op->out->count)
        return false;
    for (uint32_t k = 0; k < op->column_count; k++)
        if (op->columns[k] >= op->in->count ||
            !same_types(&op->in->fields[op->columns[k]], &op->out->fields[k], 1))
            return false;
    return true;
}

/* ---- group ----------------------------------------------------------------------------------- */

static bool is_average(const struct field *state)
{
    return state->type == BECK_STRUCT && state->count == 2 &&
           state->fields[0].type == BECK_DOUBLE && state->fields[1].type == BECK_BIGINT;
}

/* A fold that sees one column and makes one; `in` is NULL for a count that needs no column. */
static bool column_fits(const struct op *op, const struct field *in, const struct field *out)
{
    if (!in)
        return op->fold == FOLD_COUNT && !op->state_in && out->type == BECK_BIGINT;
    bool number = in->type == BECK_BIGINT || in->type == BECK_DOUBLE;
    switch (op->fold) {
    case FOLD_SUM:
        return number && out->type == in->type;
    case FOLD_AVG:
        return (op->state_in ? is_average(in) : number) &&
               (op->state_out ? is_average(out) : out->type == BECK_DOUBLE);
    case FOLD_MIN:
    case FOLD_MAX:
        return same_types(in, out, 1);
    case FOLD_COUNT:
        return out->type == BECK_BIGINT && (!op->state_in || in->type == BECK_BIGINT);
    case FOLD_DISTINCT:
    case FOLD_TOP:
        return op->state_in ? out->type == BECK_ARRAY && same_types(in, out, 1)
                            : out->type == BECK_ARRAY && same_types(out->fields, in, 1);
    case FOLD_USER:
        return (!op->state_in || in->type == BECK_BINARY) &&
               (!op->state_out || out->type == BECK_BINARY);
    case FOLD_SIDES:
        return !op->state_in && !op->state_out && in->type == BECK_STRUCT && in->count > 0 &&
               is_array_of(out, in->fields, in->count);
    default:
        return false;
    }
}

static bool group_fits(const struct op *op)
{
    uint32_t in = op->in->count - op->keys, out = op->out->count - op->keys;
    const struct field *values = op->in->fields + op->keys, *results = op->out->fields + op->keys;

    if (op->keys > op->out->count || (op->always && op->keys) ||
        !same_types(op->in->fields, op->out->fields, op->keys))
        return false;
    if (op->fold == FOLD_LIST)
        return !op->state_in && !op->state_out && in > 0 && out == 1 &&
               is_array_of(results, values, in);
    if (op->fold == FOLD_REDUCE || (op->fold == FOLD_COMBINE && op->state_in))
        return in > 0 && in == out && same_types(values, results, in);
    if (op->fold == FOLD_COMBINE)
        return in > 0 && out > 0;
    if (in != out && (op->fold != FOLD_COUNT || op->state_in))
        return false;
    for (uint32_t i = 0; i < out; i++)
        if (!column_fits(op, i < in ? &values[i] : NULL, &results[i]))
            return false;
    return true;
}

/* ---- cogroup and join ------------------------------------------------------------------------ */

static bool side_fits(const struct op *op)
{
    uint32_t sides = op->out->count - op->keys, values = op->in->count - op->keys;
    const struct field *side = op->out->fields + op->keys;

    if (op->keys >= op->out->count || op->number >= sides || values == 0 ||
        !same_types(op->in->fields, op->out->fields, op->keys))
        return false;
    for (uint32_t i = 0; i < sides; i++)
        if (side[i].type != BECK_STRUCT || side[i].count == 0)
            return false;
    return side[op->number].count == values &&
           same_types(op->in->fields + op->keys, side[op->number].fields, values);
}

static bool join_fits(const struct op *op)
{
    const struct field *sides = op->in->fields + op->keys, *out = op->out->fields + op->keys;

    if (op->keys == 0 || op->in->count != op->keys + 2 || op->number >= JOIN_KINDS ||
        op->keys > op->out->count || !same_types(op->in->fields, op->out->fields, op->keys) ||
        sides[0].type != BECK_STRUCT || sides[1].type != BECK_STRUCT)
        return false;
    uint32_t left = op->number != JOIN_KEYS ? sides[0].count : 0;
    uint32_t right = op->number <= BECK_FULL_OUTER ? sides[1].count : 0;
    return op->out->count == op->keys + left + right && same_types(sides[0].fields, out, left) &&
           same_types(sides[1].fields, out + left, right);
}

/* ---- order ----------------------------------------------------------------------------------- */

static bool sort_fits(const struct op *op)
{
    for (uint32_t i = 0; i < op->column_count; i++)
        if (op->columns[i] / 2 >= op->in->count)
            return false;
    return op->column_count > 0 && same_schemas(op);
}

static bool index_fits(const struct op *op)
{
    uint32_t count = op->in->count;

    return op->out->count == count + 1 && op->out->fields[count].type == BECK_BIGINT &&
           same_types(op->in->fields, op->out->fields, count);
}

/* UPDATE makes nothing of its own: its output is what is read of the states, key and state. */
static bool state_fits(const struct op *op)
{
    if (!op->state || op->state->count == 0 || op->keys == 0 || op->keys >= op->in->count ||
        op->timeout_ms < 0)
        return false;
    return op->kind == OP_TRACK || op->kind == OP_ACCUMULATE ||
           (op->out->count == op->keys + op->state->count &&
            same_types(op->in->fields, op->out->fields, op->keys) &&
            same_types(op->state->fields, op->out->fields + op->keys, op->state->count));
}

/* Its rows are partial states, as GROUP takes them from another task. */
static bool window_fits(const struct op *op)
{
    struct op group = *op;

    group.state_in = true;
    group.state_out = false;
    return op->state && op->fold != FOLD_LIST && op->fold != FOLD_SIDES && op->period_ms > 0 &&
           op->slices > 0 && op->slices <= INT32_MAX &&
           op->in->count == op->keys + op->state->count && op->state->count > 0 &&
           same_types(op->in->fields + op->keys, op->state->fields, op->state->count) &&
           group_fits(&group);
}

static bool is_number(const struct field *field)
{
    return field->type == BECK_BIGINT || field->type == BECK_DOUBLE ||
           field->type == BECK_TIMESTAMP;
}

/* Numbers to numbers of the same types, or one count. */
static bool accumulate_fits(const struct op *op)
{
    bool counts = op->fold == FOLD_COUNT;
    uint32_t values = op->in->count - op->keys;

    if (!state_fits(op) || op->out->count != op->keys + op->state->count ||
        !same_types(op->in->fields, op->out->fields, op->keys) ||
        !same_types(op->state->fields, op->out->fields + op->keys, op->state->count))
        return false;
    for (uint32_t i = 0; i < op->state->count; i++)
        if (!is_number(&op->state->fields[i]) ||
            (op->fold == FOLD_SUM && op->state->fields[i].type == BECK_TIMESTAMP))
            return false;
    if (counts)
        return op->state->count == 1 && op->state->fields[0].type == BECK_BIGINT;
    return (op->fold == FOLD_SUM || op->fold == FOLD_MIN || op->fold == FOLD_MAX ||
            op->fold == FOLD_LAST) &&
           values == op->state->count &&
           same_types(op->in->fields + op->keys, op->state->fields, values);
}

bool beck__op_fits(const struct op *op)
{
    if (op->emits > EMITS_ANY || op->adds > ADDS_ROW_AFTER || op->fold >= FOLD_KINDS || !op->name ||
        op->keys > op->in->count || op->in->count == 0 || op->out->count == 0)
        return false;
    switch (op->kind) {
    case OP_CALL:
        return call_fits(op);
    case OP_FILTER:
    case OP_LIMIT:
        return same_schemas(op);
    case OP_WORDS:
    case OP_LINES:
        return words_fit(op);
    case OP_PROJECT:
        return project_fits(op);
    case OP_PARTITION:
        return true;
    case OP_GLOM:
        return op->out->count == 1 &&
               is_array_of(&op->out->fields[0], op->in->fields, op->in->count);
    case OP_GROUP:
        return group_fits(op);
    case OP_SINK:
        return op->out->count == 1 && op->out->fields[0].type == BECK_BINARY;
    case OP_SIDE:
        return side_fits(op);
    case OP_JOIN:
        return join_fits(op);
    case OP_SORT:
        return sort_fits(op);
    case OP_INDEX:
        return index_fits(op);
    case OP_SAME:
        return same_schemas(op) && op->keys > 0;
    case OP_UPDATE:
    case OP_TRACK:
        return state_fits(op);
    case OP_WINDOW:
        return window_fits(op);
    case OP_ACCUMULATE:
        return accumulate_fits(op);
    case OP_COUNT:
        break;
    }
    return false;
}
