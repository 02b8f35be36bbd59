/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conform.c - beck conform: runs the conformance vectors of any number of files and prints a line
 * for each one that fails, then "N passed, N failed".
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/inside.h"

#include <stdio.h>
#include <stdlib.h>

struct tally {
    const struct conform *conform;
    struct json_object *only; /* names that still have to be seen; NULL: run everything */
    size_t passed, failed;
};

/* A line break would make two findings of one. */
static void report(struct tally *tally, const char *name, const char *text)
{
    printf("%s: ", name);
    for (const char *at = text; *at; at++) {
        if (*at != '\n')
            putchar(*at);
        else if (at[1])
            fputs("; ", stdout);
    }
    putchar('\n');
    fflush(stdout);
    tally->failed++;
}

static void run_vector(struct tally *tally, struct json_object *vector)
{
    const char *name = beck__json_text(vector, "name");
    struct failure failure;

    if (tally->only && !(name && beck__json_get(tally->only, name)))
        return;
    if (!name) {
        report(tally, "(a vector)", "it has no name");
        return;
    }
    if (tally->only)
        json_object_object_del(tally->only, name);
    if (!beck__cli_run_vector(tally->conform, vector, &failure)) {
        report(tally, name, failure.text);
        return;
    }
    tally->passed++;
    if (tally->conform->names)
        printf("%s\n", name);
}

static void run_file(struct tally *tally, const char *path)
{
    struct failure failure = {.set = false};
    struct json_object *vectors = NULL;

    if (!beck__json_read(path, &vectors, &failure)) {
        report(tally, path, failure.text);
        return;
    }
    if (!json_object_is_type(vectors, json_type_array)) {
        report(tally, path, "it is not a list of vectors");
        json_object_put(vectors);
        return;
    }
    for (size_t i = 0; i < json_object_array_length(vectors); i++)
        run_vector(tally, json_object_array_get_idx(vectors, i));
    json_object_put(vectors);
}

/* The lines of a file as an object's fields; NULL if it cannot be read. */
static struct json_object *read_names(const char *path)
{
    FILE *file = fopen(path, "r");
    struct json_object *names = file ? json_object_new_object() : NULL;
    char *line = NULL;
    size_t capacity = 0;

    while (names && getline(&line, &capacity, file) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (*line && *line != '#')
            json_object_object_add(names, line, json_object_new_boolean(true));
    }
    free(line);
    if (file)
        fclose(file);
    return names;
}

static int run_files(const struct conform *conform, char **files, int count)
{
    struct tally tally = {.conform = conform};

    if (conform->only) {
        tally.only = read_names(conform->only);
        if (!tally.only) {
            fprintf(stderr, "beck conform: --only %s: it cannot be read\n", conform->only);
            return 2;
        }
    }
    for (int i = 0; i < count; i++)
        run_file(&tally, files[i]);
    if (tally.only) {
        json_object_object_foreach(tally.only, name, unused)
        {
            (void)unused;
            report(&tally, name, "it is in no file");
        }
    }
    json_object_put(tally.only);
    printf("%zu passed, %zu failed\n", tally.passed, tally.failed);
    return tally.failed ? 1 : 0;
}

/* Takes this command's own options out of argv; the rest is Beck's and the files. */
static bool take_own(struct conform *conform, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--kernels") == 0) {
            conform->kernels = true;
        } else if (strcmp(argv[i], "--names") == 0) {
            conform->names = true;
        } else if (strcmp(argv[i], "--only") == 0) {
            if (++i == argc) {
                fprintf(stderr, "beck conform: --only needs a file\n");
                return false;
            }
            conform->only = argv[i];
        } else {
            conform->argv[conform->argc++] = argv[i];
        }
    }
    return true;
}

int beck__cli_conform(int argc, char **argv)
{
    struct conform conform = {.argv = calloc((size_t)argc + 1, sizeof *argv)};
    int count = 0, code = 2;

    if (!conform.argv || !take_own(&conform, argc, argv)) {
        free(conform.argv);
        return code;
    }
    /* A context that only looks at the options: the files are what it gives back. */
    beck_context *probe = beck_context_new("conform", .argc = conform.argc, .argv = conform.argv);
    if (!probe || beck_error(probe) != BECK_OK) {
        fprintf(stderr, "beck conform: %s\n", probe ? beck_error_text(probe) : "out of memory");
    } else {
        char **files = beck_args(probe, &count);
        if (count < 2)
            fprintf(stderr, "beck conform: name at least one file of vectors\n");
        else
            code = run_files(&conform, files + 1, count - 1);
    }
    beck_context_free(probe);
    free(conform.argv);
    return code;
}
