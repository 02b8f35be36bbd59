/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h - what the files of config share: the table as data, and values by kind.
 */
#ifndef BECK_CONFIG_INSIDE_H
#define BECK_CONFIG_INSIDE_H

#include "config/config.h"

enum kind {
    KIND_DURATION,
    KIND_BYTES,
    KIND_COUNT,
    KIND_FLAG,
    KIND_TEXT,
    KIND_MASTER,
    KIND_POOLS,
    KIND_CHOICE /* `initial` lists the choices as "a|b|c"; the first is the default */
};

struct definition {
    const char *key;
    const char *flag; /* "": none */
    enum kind kind;
    const char *initial;
    int64_t least, most;
    const char *help;
};

extern const struct definition beck__definitions[OPTION_COUNT];

struct value {
    const char *text;
    int64_t number; /* as beck__settings_number gives it */
    bool given;
};

struct settings {
    struct arena *arena;
    struct value values[OPTION_COUNT];
};

/* The option with this key or flag, or OPTION_COUNT. */
enum option beck__option_find(beck_str name);

/* Sets a value; `origin` begins the error text. */
beck_status beck__settings_put(struct settings *settings, enum option option, beck_str value,
                               const char *origin, struct error *error);
/* The error for a name that is no option. `dashes` is "--" or "", put before what is suggested. */
beck_status beck__settings_unknown(beck_str name, const char *dashes, const char *origin,
                                   struct error *error);

/* Reads `text` as a value of that option. Errors say what is accepted. */
beck_status beck__value_parse(const struct definition *definition, beck_str text, int64_t *number,
                              const char *origin, struct error *error);

/* Without the blanks around it. */
beck_str beck__trimmed(beck_str text, const char *blanks);

/* "DURATION", "a|b|c", "": what stands for the value in help. */
const char *beck__value_placeholder(const struct definition *definition);
/* The default as text: the first choice of a CHOICE. */
beck_str beck__value_initial(const struct definition *definition);
/* A number as its kind writes it: 90000 "90s", 65536 "64k". */
void beck__value_print(enum kind kind, int64_t number, char *text, size_t size);

/* The variable of a key or flag: "driver.batch" -> "BECK_DRIVER_BATCH". */
void beck__option_variable(const char *name, char *variable, size_t size);

/* Item i of "a|b|c"; false after the last. */
bool beck__choice_at(const char *choices, size_t i, beck_str *choice);

#endif
