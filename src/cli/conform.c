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
    const char *before;       /* each finding */
    bool quiet;               /* nothing is told or counted */
    size_t passed, failed;
};

/* A line break would make two findings of one. */
static void report(struct tally *tally, const char *name, const char *text)
{
    if (tally->quiet)
        return;
    printf("%s%s: ", tally->before, name);
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
    if (tally->quiet)
        return;
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

static bool run_files(struct tally *tally, char **files, int count)
{
    const char *only = tally->conform->only;

    tally->only = only ? read_names(only) : NULL;
    if (only && !tally->only) {
        fprintf(stderr, "beck conform: --only %s: it cannot be read\n", only);
        return false;
    }
    for (int i = 0; i < count; i++)
        run_file(tally, files[i]);
    if (tally->only) {
        json_object_object_foreach(tally->only, name, unused)
        {
            (void)unused;
            report(tally, name, "it is in no file");
        }
    }
    json_object_put(tally->only);
    return true;
}

/* With the options of a seed, then the user's, which win. */
static bool run_seed(struct tally *tally, uint64_t seed, char **files, int count)
{
    const struct conform *given = tally->conform;
    struct conform conform = *given;
    struct plan plan;
    char text[400], before[450];

    beck__cli_plan(seed, &plan);
    beck__cli_plan_text(&plan, text, sizeof text);
    snprintf(before, sizeof before, "seed %llu (%s): ", (unsigned long long)seed, text);
    conform.kernels = given->kernels || plan.kernels;
    conform.persist = given->persist || plan.persist;
    conform.argc = given->argc + plan.argc;
    conform.argv = calloc((size_t)conform.argc + 1, sizeof *conform.argv);
    if (!conform.argv)
        return false;
    conform.argv[0] = given->argv[0];
    memcpy(conform.argv + 1, plan.argv, (size_t)plan.argc * sizeof *plan.argv);
    memcpy(conform.argv + 1 + plan.argc, given->argv + 1,
           (size_t)(given->argc - 1) * sizeof *given->argv);
    tally->conform = &conform;
    tally->before = before;
    tally->quiet = !seed;
    bool good = run_files(tally, files, count);
    tally->conform = given;
    free(conform.argv);
    return good;
}

/* The first run is without faults: the others must give the same rows in the same order. */
static bool run_seeds(struct tally *tally, const struct seeds *seeds, char **files, int count)
{
    bool good = run_seed(tally, 0, files, count);

    for (uint64_t seed = seeds->first; good && seed <= seeds->last; seed++)
        good = run_seed(tally, seed, files, count);
    return good;
}

static int run_all(struct conform *conform, char **files, int count)
{
    struct tally tally = {.conform = conform, .before = ""};
    bool good;

    if (conform->seeds.first) {
        conform->reference = json_object_new_object();
        good = run_seeds(&tally, &conform->seeds, files, count);
        json_object_put(conform->reference);
    } else {
        good = run_files(&tally, files, count);
    }
    if (good)
        printf("%zu passed, %zu failed\n", tally.passed, tally.failed);
    return !good ? 2 : tally.failed ? 1 : 0;
}

/* Takes this command's own options out of argv; the rest is Beck's and the files. */
static bool take_own(struct conform *conform, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--kernels") == 0) {
            conform->kernels = true;
        } else if (strcmp(argv[i], "--persist") == 0) {
            conform->persist = true;
        } else if (strcmp(argv[i], "--names") == 0) {
            conform->names = true;
        } else if (strcmp(argv[i], "--only") == 0) {
            if (++i == argc) {
                fprintf(stderr, "beck conform: --only needs a file\n");
                return false;
            }
            conform->only = argv[i];
        } else if (strcmp(argv[i], "--seed") == 0) {
            const char *text = ++i < argc ? argv[i] : "";
            if (!beck__cli_seeds(text, &conform->seeds)) {
                fprintf(stderr,
                        "beck conform: --seed \"%s\": give a number from 1 on, or a range such as "
                        "1..50\n",
                        text);
                return false;
            }
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
            code = run_all(&conform, files + 1, count - 1);
    }
    beck_context_free(probe);
    free(conform.argv);
    return code;
}
