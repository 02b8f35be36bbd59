/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pairs.c - functions that make pairs and take them apart. A pair as an element is two columns; as
 * a key, a value or an item of a list it is one STRUCT.
 */
/* tests: functions_test.c conform_test.c */
#include "cli/inside.h"

static const struct signature signatures[PAIR_COUNT] = {
    [PAIR_WITH_1] = {"pair_with_1", FITS_ANY, GIVES_SAME},
    [PAIR_WITH_X] = {"pair_with_x", FITS_ANY, GIVES_SAME},
    [PAIR_WITH_SELF] = {"pair_with_self", FITS_ANY, GIVES_SAME},
    [PAIR_WITH_LENGTH] = {"pair_with_length", FITS_TEXT, GIVES_SAME},
    [PAIR_BY_MOD_3] = {"pair_by_mod_3", FITS_NUMBER, GIVES_SAME},
    [PAIR_KEY] = {"key", FITS_PAIR, GIVES_SAME},
    [PAIR_VALUE] = {"value", FITS_PAIR, GIVES_SAME},
    [PAIR_SWAP] = {"swap", FITS_PAIR, GIVES_SAME},
};

int beck__cli_pairing(const char *name, const struct signature **signature)
{
    for (int i = 0; i < PAIR_COUNT; i++) {
        if (strcmp(signatures[i].name, name) == 0) {
            *signature = &signatures[i];
            return i;
        }
    }
    return -1;
}

void beck__cli_emit_column(beck_call *c, beck_row in, uint32_t k)
{
    if (in.chunk->column[in.first + k].type == BECK_STRUCT) {
        beck_row pair = beck_get_struct(in, k);
        beck_emit(c, beck_cell(pair, 0), beck_cell(pair, 1));
    } else {
        beck_emit(c, beck_cell(in, k));
    }
}

/* (a, b), or given a pair (key, (a, b)). */
static void emit_pair(beck_call *c, beck_row in, bool pair, beck_value a, beck_value b)
{
    beck_value inside[2] = {a, b};

    if (pair)
        beck_emit(c, beck_cell(in, 0), beck_values_value(inside, 2));
    else
        beck_emit(c, a, b);
}

void beck__cli_map_pairing(beck_call *c, beck_row in)
{
    const struct function_args *args = beck_ctx(c);
    uint32_t column = args->pair ? 1 : 0;
    beck_value cells[2] = {beck_cell(in, 0), beck_cell(in, 1)};
    beck_value whole = args->pair ? beck_values_value(cells, 2) : cells[0];
    int64_t rest;

    switch ((enum pairing)args->function) {
    case PAIR_WITH_1:
        beck_emit(c, whole, 1);
        break;
    case PAIR_WITH_X:
        beck_emit(c, whole, "x");
        break;
    case PAIR_WITH_SELF:
        beck_emit(c, whole, whole);
        break;
    case PAIR_WITH_LENGTH:
        emit_pair(c, in, args->pair, cells[column],
                  beck_integer_value((int64_t)beck_get_string(in, column).size));
        break;
    case PAIR_BY_MOD_3:
        rest = beck_get_bigint(in, column) % 3;
        emit_pair(c, in, args->pair, beck_integer_value(rest < 0 ? rest + 3 : rest), cells[column]);
        break;
    case PAIR_KEY:
        beck__cli_emit_column(c, in, 0);
        break;
    case PAIR_VALUE:
        beck__cli_emit_column(c, in, 1);
        break;
    case PAIR_SWAP:
        beck_emit(c, cells[1], cells[0]);
        break;
    case PAIR_COUNT:
        break;
    }
}

void beck__cli_nest(beck_call *c, beck_row in)
{
    const struct function_args *args = beck_ctx(c);
    beck_value cells[3] = {beck_cell(in, 0), beck_cell(in, 1), beck_cell(in, 2)};

    if (args->function == PAIR_KEY)
        beck_emit(c, cells[0], beck_values_value(cells + 1, 2));
    else
        beck_emit(c, beck_values_value(cells, 2), cells[2]);
}
