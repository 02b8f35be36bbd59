/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sources.c - where values come from: the command line, the environment, the text of a file.
 */
#include "config/inside.h"

#include <stdio.h>

/* Longest name of an option or variable that is worth looking at. */
enum { NAME_BYTES = 128 };

/* ---- command line ---------------------------------------------------------------------------- */

struct arguments {
    int at, count;
    char **list;
};

/* The value of an option: what stands after '=' in its argument, else the next argument. */
static bool take_value(struct arguments *arguments, const char *after_equal, beck_str *value)
{
    if (!after_equal && arguments->at + 1 >= arguments->count)
        return false;
    *value = beck_string(after_equal ? after_equal : arguments->list[++arguments->at]);
    return true;
}

/* --conf KEY=VALUE */
static beck_status take_pair(struct settings *settings, beck_str pair, struct error *error)
{
    char origin[NAME_BYTES + 8];
    const char *equal = memchr(pair.data, '=', pair.size);

    if (!equal)
        return beck__error_set(error, BECK_INVALID,
                               "--conf: \"%.100s\" is not of the form key=value", pair.data);
    beck_str key = beck_bytes_of(pair.data, (size_t)(equal - pair.data));
    enum option option = beck__option_find(key);
    if (option == OPTION_COUNT)
        return beck__settings_unknown(key, "", "--conf", error);
    snprintf(origin, sizeof origin, "--conf %s", beck__definitions[option].key);
    beck_str value = beck_bytes_of(equal + 1, pair.size - key.size - 1);
    return beck__settings_put(settings, option, value, origin, error);
}

/* One argument that begins with "--", and its value. */
static beck_status take_option(struct settings *settings, struct arguments *arguments,
                               struct error *error)
{
    char origin[NAME_BYTES];
    const char *name = arguments->list[arguments->at] + 2;
    const char *equal = strchr(name, '=');
    beck_str flag = beck_bytes_of(name, equal ? (size_t)(equal - name) : strlen(name));
    bool conf = beck_string_equal(flag, beck_string("conf"));
    enum option option = beck__option_find(flag);
    beck_str value = beck_string("true");

    if (!conf && option == OPTION_COUNT) {
        beck_status status = beck__settings_unknown(flag, "--", "command line", error);
        size_t used = error ? strlen(error->text) : 0;
        if (error)
            snprintf(error->text + used, sizeof error->text - used,
                     " (the program's own options go after \"--\")");
        return status;
    }
    snprintf(origin, sizeof origin, "--%.*s", (int)flag.size, flag.data);
    bool alone = !conf && beck__definitions[option].kind == KIND_FLAG && !equal;
    if (!alone && !take_value(arguments, equal ? equal + 1 : NULL, &value))
        return beck__error_set(error, BECK_INVALID, "%s needs a value: %s %s", origin, origin,
                               conf ? "KEY=VALUE"
                                    : beck__value_placeholder(&beck__definitions[option]));
    if (conf)
        return take_pair(settings, value, error);
    return beck__settings_put(settings, option, value, origin, error);
}

beck_status beck__settings_argv(struct settings *settings, int argc, char **argv, char ***rest,
                                int *rest_count, struct error *error)
{
    struct arguments arguments = {1, argc, argv};
    size_t bytes = ((size_t)(argc > 0 ? argc : 0) + 1) * sizeof(char *);
    char **others = beck__arena_alloc(settings->arena, bytes);
    bool all_own = false;
    int count = 0;

    *rest = NULL;
    *rest_count = 0;
    if (!others)
        return beck__error_memory(error, "the arguments", bytes);
    if (argc > 0)
        others[count++] = argv[0];
    for (; arguments.at < argc; arguments.at++) {
        char *argument = argv[arguments.at];
        if (all_own || strncmp(argument, "--", 2) != 0) {
            others[count++] = argument;
        } else if (argument[2] == '\0') {
            all_own = true;
        } else {
            beck_status status = take_option(settings, &arguments, error);
            if (status != BECK_OK)
                return status;
        }
    }
    *rest = others;
    *rest_count = count;
    return BECK_OK;
}

/* ---- environment -------------------------------------------------------------------------------
 */

/* "driver.batch" -> "BECK_DRIVER_BATCH" */
void beck__option_variable(const char *name, char *variable, size_t size)
{
    size_t used = (size_t)snprintf(variable, size, "BECK_%s", name);

    assert(used < size);
    for (size_t i = 0; i < used; i++) {
        char c = variable[i];
        if (c >= 'a' && c <= 'z')
            variable[i] = (char)(c - 'a' + 'A');
        else if (c == '-' || c == '.')
            variable[i] = '_';
    }
}

beck_status beck__settings_env(struct settings *settings,
                               const char *(*lookup)(void *user, const char *name), void *user,
                               struct error *error)
{
    char variable[NAME_BYTES];

    for (int i = 0; i < 2 * OPTION_COUNT; i++) {
        const struct definition *d = &beck__definitions[i / 2];
        const char *name = i % 2 ? d->key : d->flag; /* the key, being longer, wins */
        if (*name == '\0')
            continue;
        beck__option_variable(name, variable, sizeof variable);
        const char *value = lookup(user, variable);
        if (!value || *value == '\0')
            continue;
        beck_status status =
            beck__settings_put(settings, (enum option)(i / 2), beck_string(value), variable, error);
        if (status != BECK_OK)
            return status;
    }
    return BECK_OK;
}

bool beck__settings_stray(const char *variable, struct error *why)
{
    char variables[2 * OPTION_COUNT][NAME_BYTES];
    const char *names[2 * OPTION_COUNT];
    beck_str name = beck_bytes_of(variable, strcspn(variable, "="));
    size_t prefix = sizeof "BECK_" - 1, count = 0;
    bool ours = false;

    if (strncmp(variable, "BECK_", prefix) != 0)
        return false;
    for (int i = 0; i < 2 * OPTION_COUNT; i++) {
        const struct definition *d = &beck__definitions[i / 2];
        const char *option = i % 2 ? d->key : d->flag, *dot = strchr(option, '.');
        if (*option == '\0')
            continue;
        beck__option_variable(option, variables[count], NAME_BYTES);
        if (beck_string_equal(name, beck_string(variables[count])))
            return false;
        size_t group = dot ? prefix + (size_t)(dot - option) + 1 : 0;
        ours |= dot && strncmp(variable, variables[count], group) == 0;
        names[count] = variables[count] + prefix;
        count++;
    }
    beck_str own = beck_bytes_of(variable + prefix, name.size - prefix);
    const char *nearest = beck__nearest_name(own, names, count);
    int shown = name.size > 100 ? 100 : (int)name.size;
    if (nearest)
        beck__error_set(why, BECK_INVALID,
                        "environment: %.*s is no option and is ignored; did you mean BECK_%s?",
                        shown, variable, nearest);
    else if (ours)
        beck__error_set(why, BECK_INVALID,
                        "environment: %.*s is no option and is ignored; --help lists all", shown,
                        variable);
    return nearest || ours;
}

/* ---- file ------------------------------------------------------------------------------------ */

#define BLANKS " \t\r"

static beck_status take_line(struct settings *settings, beck_str line, const char *origin,
                             struct error *error)
{
    if (line.size == 0 || line.data[0] == '#')
        return BECK_OK;
    if (memchr(line.data, '\0', line.size))
        return beck__error_set(error, BECK_INVALID, "%s: it contains a NUL byte", origin);
    const char *equal = memchr(line.data, '=', line.size);
    if (!equal) {
        int shown = line.size > 100 ? 100 : (int)line.size;
        return beck__error_set(error, BECK_INVALID, "%s: \"%.*s\" is not of the form key = value",
                               origin, shown, line.data);
    }
    beck_str key = beck__trimmed(beck_bytes_of(line.data, (size_t)(equal - line.data)), BLANKS);
    beck_str value = beck__trimmed(
        beck_bytes_of(equal + 1, line.size - (size_t)(equal + 1 - line.data)), BLANKS);
    enum option option = beck__option_find(key);
    if (option == OPTION_COUNT)
        return beck__settings_unknown(key, "", origin, error);
    return beck__settings_put(settings, option, value, origin, error);
}

beck_status beck__settings_file(struct settings *settings, const char *path, const char *text,
                                size_t size, struct error *error)
{
    char origin[400];
    size_t at = 0;

    for (int number = 1; at < size; number++) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;
        snprintf(origin, sizeof origin, "%.350s line %d", path, number);
        beck_status status = take_line(
            settings, beck__trimmed(beck_bytes_of(text + at, length), BLANKS), origin, error);
        if (status != BECK_OK)
            return status;
        at += length + 1;
    }
    return BECK_OK;
}
