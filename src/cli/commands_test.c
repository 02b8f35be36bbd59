/* SPDX-License-Identifier: Apache-2.0 */
/* The commands: what they print and what they return. Standard output goes to a file meanwhile. */
#define _POSIX_C_SOURCE 200809L
#include "base/testing.h"
#include "cli/cli.h"
#include "cli/inside.h"

#include <stdio.h>
#include <unistd.h>

static char printed[100000];

enum { ARGUMENTS = 4 };

/* Runs beck with these arguments (NULL ends them) and keeps what one stream printed. */
static int run(FILE *stream, const char *const given[ARGUMENTS])
{
    char arguments[ARGUMENTS + 1][1000] = {"beck"}, *argv[ARGUMENTS + 2] = {arguments[0]};
    int argc = 1, kept = dup(fileno(stream));
    FILE *file = tmpfile();

    for (int i = 0; i < ARGUMENTS && given[i]; i++) {
        snprintf(arguments[argc], sizeof arguments[argc], "%s", given[i]);
        argv[argc] = arguments[argc];
        argc++;
    }
    assert_non_null(file);
    fflush(stream);
    dup2(fileno(file), fileno(stream));
    int code = beck__cli(argc, argv);
    fflush(stream);
    dup2(kept, fileno(stream));
    close(kept);
    rewind(file);
    printed[fread(printed, 1, sizeof printed - 1, file)] = '\0';
    fclose(file);
    return code;
}

static int beck(FILE *stream, const char *a, const char *b, const char *c)
{
    return run(stream, (const char *const[ARGUMENTS]){a, b, c, NULL});
}

/* beck conform OPTION VALUE VECTORS */
static int conform(const char *option, const char *value, const char *vectors)
{
    return run(stdout, (const char *const[ARGUMENTS]){"conform", option, value, vectors});
}

static void version_and_help(void **state)
{
    (void)state;
    assert_int_equal(beck(stdout, "version", NULL, NULL), 0);
    assert_string_equal(printed, "beck " BECK_VERSION "\n");
    assert_int_equal(beck(stdout, "--version", NULL, NULL), 0);
    assert_int_equal(beck(stdout, "help", NULL, NULL), 0);
    assert_int_equal(strncmp(printed, "Usage: beck COMMAND", 19), 0);
    assert_int_equal(beck(stdout, "help", "conform", NULL), 0);
    assert_int_equal(strncmp(printed, "Usage: beck COMMAND", 19), 0);
    assert_int_equal(beck(stderr, "help", "optoins", NULL), 2);
    assert_string_equal(printed,
                        "beck: there is no command \"optoins\"; did you mean \"options\"?\n");
    assert_int_equal(beck(stdout, "conform", "--help", NULL), 0);
    assert_int_equal(strncmp(printed, "Usage: beck COMMAND", 19), 0);
    assert_int_equal(beck(stderr, NULL, NULL, NULL), 2);
    assert_int_equal(strncmp(printed, "Usage: beck COMMAND", 19), 0);
}

static void wrong_commands(void **state)
{
    (void)state;
    assert_int_equal(beck(stderr, "confrom", NULL, NULL), 2);
    assert_string_equal(printed,
                        "beck: there is no command \"confrom\"; did you mean \"conform\"?\n");
    assert_int_equal(beck(stderr, "dance", NULL, NULL), 2);
    assert_string_equal(printed, "beck: there is no command \"dance\"; beck help lists all\n");
    assert_int_equal(beck(stderr, "version", "3", NULL), 2);
    assert_int_equal(beck(stderr, "conform", NULL, NULL), 2);
    assert_string_equal(printed, "beck conform: name at least one file of vectors\n");
    assert_int_equal(beck(stderr, "conform", "--mastre", "local"), 2);
    assert_non_null(strstr(printed, "did you mean \"--master\"?"));
    assert_int_equal(beck(stderr, "conform", "--only", NULL), 2);
    const char *const seeds[] = {"0", "-1", "x", "1..", "2..1", "1..2..3", "1 ", "1e3", NULL};
    for (size_t i = 0; i < BECK__COUNT_OF(seeds); i++)
        assert_int_equal(beck(stderr, "conform", "--seed", seeds[i]), 2);
    assert_string_equal(printed, "beck conform: --seed \"\": give a number from 1 on, or a range "
                                 "such as 1..50\n");
}

static void options_as_page_and_document(void **state)
{
    static char document[100000];
    FILE *file = fopen(BECK_SOURCE_DIR "/docs/options.md", "rb");

    (void)state;
    assert_int_equal(beck(stdout, "options", NULL, NULL), 0);
    assert_non_null(strstr(printed, "--batch DURATION"));
    assert_int_equal(beck(stdout, "options", "--markdown", NULL), 0);
    assert_non_null(file);
    document[fread(document, 1, sizeof document - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(printed, document); /* else: beck options --markdown > docs/options.md */
}

/* A file of vectors: one passes, one fails, one has no name. */
static void conform_counts(void **state)
{
    char folder[500], vectors[600], names[600];

    (void)state;
    assert_true(beck__cli_temporary(folder, sizeof folder));
    snprintf(vectors, sizeof vectors, "%s/v.json", folder);
    snprintf(names, sizeof names, "%s/names", folder);
    FILE *file = fopen(vectors, "w");
    for (int i = 0; i < 2; i++)
        fprintf(file,
                "%s{\"name\": \"v%d\", \"kind\": \"rdd\", \"inputs\": {\"in\": [1, 2]}, \"plan\": "
                "[{\"id\": \"out\", \"of\": \"in\", \"op\": \"count\"}], \"output\": \"out\", "
                "\"expect\": %d}",
                i ? ", " : "[", i, 2 + i);
    fputs(", {}]", file);
    fclose(file);
    file = fopen(names, "w");
    fputs("# those that pass\nv0\n", file);
    fclose(file);

    assert_int_equal(beck(stdout, "conform", vectors, NULL), 1);
    assert_string_equal(printed, "v1: expected 3, got 2\n(a vector): it has no name\n"
                                 "1 passed, 2 failed\n");
    assert_int_equal(conform("--only", names, vectors), 0);
    assert_string_equal(printed, "1 passed, 0 failed\n");
    assert_int_equal(beck(stdout, "conform", "/does/not/exist", NULL), 1);
    assert_string_equal(printed, "/does/not/exist: No such file or directory\n"
                                 "0 passed, 1 failed\n");
    assert_int_equal(conform("--seed", "3..4", vectors), 1);
    char plan[400], wanted[1000];
    struct plan picked;
    beck__cli_plan(4, &picked);
    beck__cli_plan_text(&picked, plan, sizeof plan);
    assert_non_null(strstr(plan, "--conf=engine.faults="));
    snprintf(wanted, sizeof wanted,
             "seed 4 (%s): v1: expected 3, got 2\nseed 4 (%s): (a vector): it has no name\n"
             "2 passed, 4 failed\n",
             plan, plan);
    assert_string_equal(strstr(printed, "seed 4"), wanted);
    beck__cli_remove(folder);
}

/* What beck conform says of a file with these bytes. */
static const char *conform_says(const char *path, const char *bytes)
{
    FILE *file = fopen(path, "w");

    fputs(bytes, file);
    fclose(file);
    assert_int_equal(beck(stdout, "conform", path, NULL), 1);
    char *after = strstr(printed, ".json: ");
    assert_non_null(after);
    after[strcspn(after, "\n")] = '\0';
    return after + strlen(".json: ");
}

static void damaged_files_are_told_apart(void **state)
{
    char folder[500], path[600];

    (void)state;
    assert_true(beck__cli_temporary(folder, sizeof folder));
    snprintf(path, sizeof path, "%s/v.json", folder);
    assert_string_equal(conform_says(path, ""), "not JSON: it ends too early, in line 1");
    assert_string_equal(conform_says(path, "[\n{\"name\":"),
                        "not JSON: it ends too early, in line 2");
    assert_non_null(strstr(conform_says(path, "[\n\n]\nx"), "not JSON: line 4: "));
    assert_non_null(strstr(conform_says(path, "[\n?]"), "not JSON: line 2: "));
    assert_string_equal(conform_says(path, "{}"), "it is not a list of vectors");
    beck__cli_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_and_help),
        cmocka_unit_test(wrong_commands),
        cmocka_unit_test(options_as_page_and_document),
        cmocka_unit_test(conform_counts),
        cmocka_unit_test(damaged_files_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
