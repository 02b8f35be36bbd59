/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table - distinct keys, numbered in the order in which they were first seen: the group table, on
 * the one hash core. Private to exec.
 */
#ifndef BECK_EXEC_TABLE_H
#define BECK_EXEC_TABLE_H

#include "exec/exec.h"

enum table_key { TABLE_STRING, TABLE_INTEGER, TABLE_ANY };

struct table {
    struct task *task;
    enum table_key kind;
    uint32_t keys; /* columns */
    struct hash index;
    uint64_t *hashes; /* by group */
    size_t hash_capacity;
    struct builder rows; /* the keys themselves; rows is the number of groups */
    struct text scratch;
    beck_schema schema;
};

/* Keys are the first `keys` columns of `schema`; 0 keys: there is one group at most. */
bool beck__table_init(struct table *table, struct task *task, const beck_schema *schema,
                      uint32_t keys);
void beck__table_deinit(struct table *table);

static inline uint32_t beck__table_count(const struct table *table)
{
    return table->rows.chunk->rows;
}

/* groups[i] becomes the group of row from + i; new keys are added (copied, -0.0 as 0.0). At most
 * BECK__CHUNK_ROWS rows. False with task->error set. */
bool beck__table_find(struct table *table, const beck_chunk *chunk, uint32_t from, uint32_t count,
                      uint32_t *groups);

#endif
