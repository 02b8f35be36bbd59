/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nearest.c - "did you mean ...?": the name with the smallest edit distance. Nothing here
 * allocates; longer names than NAME_MAX_OF are never near.
 */
#include "config/config.h"

enum { NAME_MAX_OF = 63 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that turn a into b (optimal string
 * alignment), row by row with the last three rows kept. */
static size_t distance(beck_str a, beck_str b)
{
    size_t rows[3][NAME_MAX_OF + 1];

    for (size_t j = 0; j <= b.size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            bool same = a.data[i - 1] == b.data[j - 1];
            row[j] = smaller(above[j - 1] + !same, smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1])
                row[j] = smaller(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a.size % 3][b.size];
}

const char *beck__nearest_name(beck_str name, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t least = smaller(name.size < 6 ? 1 : name.size / 3, 4) + 1; /* farther is no help */

    if (name.size == 0 || name.size > NAME_MAX_OF)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        beck_str candidate = beck_string(names[i]);
        size_t steps = candidate.size <= NAME_MAX_OF ? distance(name, candidate) : least;
        if (steps < least && steps < candidate.size) {
            least = steps;
            nearest = names[i];
        }
    }
    return nearest;
}
