/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands.c - the commands of beck, and what is said to a wrong one.
 */
#include "cli/cli.h"
#include "cli/inside.h"
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "Usage: beck COMMAND [ARGUMENT]...\n"
    "\n"
    "  beck version             the version of the library\n"
    "  beck options             the options that every program with Beck takes\n"
    "  beck options --markdown  the same as the document docs/options.md\n"
    "  beck conform FILE...     run conformance vectors; ends with N passed, N failed\n"
    "      --master MASTER      on local[N] with N threads (default local[*])\n"
    "      --isolate            in worker processes\n"
    "      --conf KEY=VALUE     with this option, for example engine.encode=all\n"
    "      --only FILE          only the vectors named in this file, one a line\n"
    "      --kernels            add, max and min by the built-in aggregates\n"
    "      --persist            what each operator makes stays, each at another level\n"
    "      --names              also print the names of those that pass\n"
    "      --seed N or N..M     each seed picks a master, a mode of the engine and faults: tasks\n"
    "                           fail and processes are killed; the same rows must come out\n"
    "  beck help                this page\n";

static int wrong_use(const char *command, const char *argument)
{
    fprintf(stderr, "beck %s: \"%s\" is too much; see beck help\n", command, argument);
    return 2;
}

static int version(int argc, char **argv)
{
    if (argc > 1)
        return wrong_use("version", argv[1]);
    printf("beck %s\n", beck_version());
    return 0;
}

/* Memory for a struct text. */
static void *resize(void *self, void *p, size_t old_size, size_t new_size)
{
    (void)self;
    (void)old_size;
    if (new_size == 0) {
        free(p);
        return NULL;
    }
    return realloc(p, new_size);
}

static int options(int argc, char **argv)
{
    const struct allocator memory = {resize, NULL};
    struct text page = {.memory = &memory};
    bool markdown = argc > 1 && strcmp(argv[1], "--markdown") == 0;

    if (argc > 1 + markdown)
        return wrong_use("options", argv[1 + markdown]);
    if (markdown)
        beck__settings_document(&page);
    else
        beck__settings_help("PROGRAM", &page);
    if (page.failed)
        fprintf(stderr, "beck options: out of memory\n");
    else
        fwrite(page.data, 1, page.size, stdout);
    int code = page.failed ? 1 : 0;
    beck__text_deinit(&page);
    return code;
}

static int help(int argc, char **argv);

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"version", version}, {"options", options}, {"conform", beck__cli_conform}, {"help", help}};

enum { COMMANDS = sizeof commands / sizeof *commands };

static int unknown(const char *name)
{
    const char *names[COMMANDS];

    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    const char *nearest = beck__nearest_name(beck_string(name), names, COMMANDS);
    if (nearest)
        fprintf(stderr, "beck: there is no command \"%s\"; did you mean \"%s\"?\n", name, nearest);
    else
        fprintf(stderr, "beck: there is no command \"%s\"; beck help lists all\n", name);
    return 2;
}

static const struct command *command_of(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* One page tells it all; a command that it does not have is said to be unknown. */
static int help(int argc, char **argv)
{
    if (argc > 1 && !command_of(argv[1]))
        return unknown(argv[1]);
    if (argc > 2)
        return wrong_use("help", argv[2]);
    fputs(usage, stdout);
    return 0;
}

int beck__cli(int argc, char **argv)
{
    if (argc < 2) {
        fputs(usage, stderr);
        return 2;
    }
    const char *name = argv[1];
    while (*name == '-') /* --help and --version, as people try them */
        name++;
    const struct command *command = command_of(name);
    if (!command)
        return unknown(argv[1]);
    if (argc > 2 && strcmp(argv[2], "--help") == 0)
        return help(1, argv);
    return command->run(argc - 1, argv + 1);
}
