/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare.c - what came out against what is expected: in memory, and as saved text files.
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/inside.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHOWN_BYTES = 300 };

bool beck__cli_compare(struct json_object *expected, struct json_object *got,
                       const struct type *type, bool ordered, const char *where,
                       struct failure *failure)
{
    char wanted[SHOWN_BYTES], found[SHOWN_BYTES];

    if (!ordered) {
        beck__json_sort_lists(expected, type);
        beck__json_sort_lists(got, type);
    }
    if (beck__json_compare(expected, got) == 0)
        return true;
    beck__json_show(expected, wanted, sizeof wanted);
    beck__json_show(got, found, sizeof found);
    return beck__cli_fail(failure, "%sexpected %s, got %s", where, wanted, found);
}

/* ---- saved text files ---------------------------------------------------------------------------
 */

/* The text of an element as save_as_text_files writes it; the caller frees it. */
static char *text_of(struct json_object *value, const struct type *type)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    if (json_object_is_type(value, json_type_array)) {
        bool pair = type->kind == TYPE_PAIR;
        fputs(pair ? "(" : "[", out);
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            const struct type *item = pair && i == 1 ? type->second : type->first;
            char *inside = text_of(json_object_array_get_idx(value, i), item);
            fprintf(out, "%s%s", i == 0 ? "" : pair ? "," : ", ", inside ? inside : "");
            free(inside);
        }
        fputs(pair ? ")" : "]", out);
    } else {
        fputs(value ? json_object_get_string(value) : "null", out);
    }
    fclose(out);
    return text;
}

static void add_lines(const char *path, struct json_object *lines)
{
    FILE *file = fopen(path, "rb");
    char *line = NULL;
    size_t capacity = 0;

    if (!file)
        return;
    for (;;) {
        ssize_t size = getline(&line, &capacity, file);
        if (size < 0)
            break;
        if (size > 0 && line[size - 1] == '\n')
            size--;
        json_object_array_add(lines, json_object_new_string_len(line, (int)size));
    }
    free(line);
    fclose(file);
}

/* All lines of the part files of a directory. */
static struct json_object *saved_lines(const char *path)
{
    struct json_object *lines = json_object_new_array();
    DIR *folder = opendir(path);

    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        char file[1000];
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (strncmp(entry->d_name, "part-", 5) == 0)
            add_lines(file, lines);
    }
    if (folder)
        closedir(folder);
    return lines;
}

bool beck__cli_compare_saved(const char *prefix, int64_t batch_ms, struct json_object *batches,
                             const struct type *type, struct failure *failure)
{
    static const struct type text = {TYPE_TEXT, NULL, NULL}, texts = {TYPE_LIST, &text, NULL};
    bool same = true;

    for (size_t i = 0; same && i < json_object_array_length(batches); i++) {
        struct json_object *batch = json_object_array_get_idx(batches, i);
        struct json_object *expected = json_object_new_array();
        char path[600], where[100];
        for (size_t k = 0; k < json_object_array_length(batch); k++) {
            char *line = text_of(json_object_array_get_idx(batch, k), type);
            json_object_array_add(expected, json_object_new_string(line ? line : ""));
            free(line);
        }
        snprintf(path, sizeof path, "%s-%" PRId64, prefix, ((int64_t)i + 1) * batch_ms);
        snprintf(where, sizeof where, "saved batch %zu: ", i);
        struct json_object *got = saved_lines(path);
        same = beck__cli_compare(expected, got, &texts, false, where, failure);
        json_object_put(expected);
        json_object_put(got);
    }
    return same;
}

bool beck__cli_temporary(char *path, size_t size)
{
    const char *parent = getenv("TMPDIR");

    snprintf(path, size, "%s/beck-conform-XXXXXX", parent && *parent ? parent : "/tmp");
    return mkdtemp(path) != NULL;
}

void beck__cli_remove(const char *path)
{
    DIR *folder = opendir(path);

    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        char file[1000];
        bool self = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (!self)
            beck__cli_remove(file);
    }
    if (folder)
        closedir(folder);
    remove(path);
}
