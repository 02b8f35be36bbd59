/* SPDX-License-Identifier: Apache-2.0 */
/*
 * help.c - the page of --help, at most 80 columns wide, and the document docs/options.md. Both
 * come from the table, so that they cannot be out of date.
 */
#include "config/inside.h"

#include <stdio.h>

enum { COLUMNS = 80, OPTION_COLUMNS = 26, KEY_COLUMNS = 34 };

static void spaces(struct text *out, size_t count)
{
    beck__text_printf(out, "%*s", (int)count, "");
}

/* `left`, then the words of `help`, wrapped between column `from` and COLUMNS. */
static void wrapped(struct text *out, const char *left, size_t from, beck_str help)
{
    size_t column = strlen(left);
    beck_str word;
    bool first = true;

    beck__text_add(out, left);
    if (column + 2 > from) {
        beck__text_add(out, "\n");
        column = 0;
    }
    spaces(out, from - column);
    column = from;
    for (; beck_next_token(&help, " ", &word); first = false) {
        if (!first && column + 1 + word.size > COLUMNS) {
            beck__text_add(out, "\n");
            spaces(out, from);
            column = from;
        } else if (!first) {
            beck__text_add(out, " ");
            column++;
        }
        beck__text_append(out, word.data, word.size);
        column += word.size;
    }
    beck__text_add(out, "\n");
}

/* "  --batch DURATION   batch interval (default 1s)" */
static void entry(struct text *out, const struct definition *d)
{
    bool option = *d->flag;
    char left[COLUMNS], help[400];
    beck_str initial = beck__value_initial(d);
    const char *placeholder = beck__value_placeholder(d);

    snprintf(left, sizeof left, "  %s%s%s%s", option ? "--" : "", option ? d->flag : d->key,
             *placeholder ? " " : "", placeholder);
    if (d->kind == KIND_FLAG || initial.size == 0)
        snprintf(help, sizeof help, "%s", d->help);
    else
        snprintf(help, sizeof help, "%s (default %.*s)", d->help, (int)initial.size, initial.data);
    wrapped(out, left, option ? OPTION_COLUMNS : KEY_COLUMNS, beck_string(help));
}

void beck__settings_help(const char *program, struct text *out)
{
    beck__text_printf(out, "Usage: %s [OPTION]... [ARGUMENT]...\n\n", program);
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (*beck__definitions[i].flag)
            entry(out, &beck__definitions[i]);
    }
    wrapped(out, "  --conf KEY=VALUE", OPTION_COLUMNS, beck_string("set any option by its key"));
    wrapped(out, "  --", OPTION_COLUMNS,
            beck_string("everything after it is an argument of the program"));

    beck__text_add(out, "\nKeys without an option of their own:\n\n");
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (!*beck__definitions[i].flag)
            entry(out, &beck__definitions[i]);
    }
    beck__text_add(out,
                   "\n"
                   "DURATION is a number with ms, s, m or h; BYTES a number with k, m, g or t.\n"
                   "A value also comes from a variable (--batch: BECK_BATCH, or by its key\n"
                   "BECK_DRIVER_BATCH) or from a file of lines key = value (--conf-file). The\n"
                   "command line wins over variables, these over the file, the file over the\n"
                   "program's own settings.\n");
}

/* A '|' would end a cell of the table. */
static void cell(struct text *out, const char *before, beck_str content, const char *after)
{
    beck__text_add(out, before);
    for (size_t i = 0; i < content.size; i++)
        beck__text_append(out, content.data[i] == '|' ? "\\|" : &content.data[i],
                          content.data[i] == '|' ? 2 : 1);
    beck__text_add(out, after);
}

static void range(const struct definition *d, char *text, size_t size)
{
    char least[32], most[32];

    snprintf(text, size, "%s", beck__value_placeholder(d));
    if (d->kind == KIND_DURATION || d->kind == KIND_BYTES || d->kind == KIND_COUNT) {
        beck__value_print(d->kind, d->least, least, sizeof least);
        beck__value_print(d->kind, d->most, most, sizeof most);
        snprintf(text, size, "%s, %s to %s", beck__value_placeholder(d), least, most);
    } else if (d->kind == KIND_FLAG) {
        snprintf(text, size, "true\\|false");
    }
}

static void row(struct text *out, const struct definition *d)
{
    char value[100], variable[100];
    beck_str initial = beck__value_initial(d);

    range(d, value, sizeof value);
    beck__option_variable(*d->flag ? d->flag : d->key, variable, sizeof variable);
    beck__text_printf(out, "| `%s` ", d->key);
    if (*d->flag)
        beck__text_printf(out, "| `--%s` ", d->flag);
    else
        beck__text_add(out, "| ");
    beck__text_printf(out, "| `%s` ", variable);
    if (d->kind == KIND_CHOICE)
        cell(out, "| ", beck_string(value), " ");
    else
        beck__text_printf(out, "| %s ", value);
    if (initial.size > 0)
        cell(out, "| `", initial, "` ");
    else
        beck__text_add(out, "| ");
    cell(out, "| ", beck_string(d->help), " |\n");
}

void beck__settings_document(struct text *out)
{
    beck__text_add(
        out, "# Options\n"
             "\n"
             "This page is made from the option table in `src/config/config.h` by\n"
             "`beck options --markdown`; do not edit it.\n"
             "\n"
             "Every program that uses Beck takes these options. A value comes, in rising order,\n"
             "from the default, the program (`beck_context_new(..., .batch_ms = 500)`), a file\n"
             "(`--conf-file` or `BECK_CONF_FILE`; lines `key = value`, `#` begins a comment), the\n"
             "environment, and the command line (`--flag VALUE`, `--flag=VALUE` or\n"
             "`--conf key=VALUE`). A variable may also be named after the key:\n"
             "`BECK_DRIVER_BATCH`. Arguments after `--` are the program's own.\n"
             "\n"
             "DURATION is a number with `ms`, `s`, `m` or `h` (alone: milliseconds), BYTES a\n"
             "number with `k`, `m`, `g` or `t` (1024 each), N a whole number, MASTER `local`,\n"
             "`local[N]` or `local[*]`, POOLS `alerts:4,reports:1`.\n"
             "\n"
             "| key | option | variable | value | default | meaning |\n"
             "| --- | --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < OPTION_COUNT; i++)
        row(out, &beck__definitions[i]);
}
