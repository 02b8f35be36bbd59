/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a callback may do with the state of its key (beck_state). Changes go to the table at once;
 * the table's undo list takes them back if the attempt fails.
 */
/* tests: stateful_test.c */
#include "exec/call.h"

bool beck__state_open(struct beck_state *state, beck_call *c, struct task *task)
{
    memset(state, 0, sizeof *state);
    state->call = c;
    state->table = beck__resident_table(task, c->op);
    if (!state->table)
        return false;
    state->batch_ms = task->batch_ms;
    beck__state_set_error(state->table, &task->error);
    return !beck__builder_init(&state->put, task->memory, c->op->state, 1, &task->error);
}

void beck__state_close(struct beck_state *state)
{
    beck__builder_deinit(&state->put);
}

void beck__state_begin(struct beck_state *state, uint32_t slot, bool timing_out)
{
    state->slot = slot;
    state->call->key = (beck_row){state->table->keys.rows.chunk, slot, 0};
    state->timing_out = timing_out;
    state->removed = false;
}

bool beck__state_end(struct beck_state *state, bool touched)
{
    if (!touched || !state->table->timed || !beck__state_has(state->table, state->slot))
        return true;
    if (!beck__state_save(state->table, &state->slot, 1))
        return false;
    beck__state_touch(state->table, state->slot, state->batch_ms);
    return true;
}

bool beck_state_exists(const beck_state *state)
{
    return beck__state_has(state->table, state->slot);
}

bool beck_state_is_timing_out(const beck_state *state)
{
    return state->timing_out;
}

beck_row beck_state_get(const beck_state *state)
{
    const struct state_rows *rows = &state->table->rows;

    if (!beck_state_exists(state))
        return (beck_row){NULL, 0, 0};
    return (beck_row){rows->rows.chunk, beck__state_rows_row(rows, state->slot), 0};
}

/* True if there is a value; a wrong column fails when it is read. */
static bool has_value(const beck_state *state, beck_row *row, uint32_t column)
{
    *row = beck_state_get(state);
    return !beck_is_none(*row) && !(column < beck_columns(*row) && beck_is_null(*row, column));
}

int64_t beck_state_bigint(const beck_state *state, uint32_t column, int64_t absent)
{
    beck_row row;

    return has_value(state, &row, column) ? beck_get_bigint(row, column) : absent;
}

double beck_state_double(const beck_state *state, uint32_t column, double absent)
{
    beck_row row;

    return has_value(state, &row, column) ? beck_get_double(row, column) : absent;
}

beck_str beck_state_string(const beck_state *state, uint32_t column, beck_str absent)
{
    beck_row row;

    return has_value(state, &row, column) ? beck_get_string(row, column) : absent;
}

/* False with the call failed: the state cannot be changed any more. */
static bool may_change(beck_state *state, const char *what)
{
    if (state->call->failed)
        return false;
    if (state->timing_out)
        beck_fail(state->call, "%s: the key is timing out, its state ends with this call", what);
    else if (state->removed)
        beck_fail(state->call, "%s: the state was removed in this call", what);
    return !state->call->failed;
}

static void no_memory(beck_state *state)
{
    beck_fail(state->call, "out of memory"); /* the table has set the task's error */
    state->call->reason.status = BECK_NO_MEMORY;
}

void beck_state_put_values(beck_state *state, const beck_value *values, size_t count)
{
    beck_call *c = state->call;
    struct builder *put = &state->put;
    uint32_t width = put->schema->count;
    struct error reason = {0};

    if (!may_change(state, "beck_state_put"))
        return;
    if (count != width) {
        beck_fail(c, "puts %zu value%s, but the state has %u column%s", count,
                  count == 1 ? "" : "s", width, width == 1 ? "" : "s");
        return;
    }
    for (uint32_t k = 0; k < width; k++)
        if (beck__builder_value(put, k, &values[k], NULL, &reason)) {
            beck__builder_drop_row(put);
            beck__builder_clear(put);
            if (reason.status == BECK_NO_MEMORY)
                no_memory(state);
            else
                beck_fail(c, "state: %s", reason.text);
            return;
        }
    beck__builder_end_row(put);
    if (!beck__state_save(state->table, &state->slot, 1) ||
        !beck__state_put(state->table, &state->slot, 1, put->chunk, 0))
        no_memory(state);
    beck__builder_clear(put);
}

void beck_state_remove(beck_state *state)
{
    if (!may_change(state, "beck_state_remove"))
        return;
    if (!beck__state_save(state->table, &state->slot, 1)) {
        no_memory(state);
        return;
    }
    beck__state_remove(state->table, state->slot);
    state->removed = true;
}
