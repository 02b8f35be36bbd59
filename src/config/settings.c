/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.c - the table, and a set of values for it. A later value of an option replaces an
 * earlier one, so the caller applies the places a value can come from in rising order.
 */
#include "config/inside.h"

const struct definition beck__definitions[OPTION_COUNT] = {
#define BECK__OPTION_DEFINITION(id, key, flag, kind, initial, least, most, help)                   \
    {key, flag, KIND_##kind, initial, least, most, help},
    BECK__OPTIONS(BECK__OPTION_DEFINITION)
#undef BECK__OPTION_DEFINITION
};

struct settings *beck__settings_new(struct arena *arena)
{
    struct settings *settings = beck__arena_alloc(arena, sizeof *settings);

    if (!settings)
        return NULL;
    settings->arena = arena;
    for (int i = 0; i < OPTION_COUNT; i++) {
        beck_str initial = beck__value_initial(&beck__definitions[i]);
        if (beck__settings_put(settings, (enum option)i, initial, "default", NULL) != BECK_OK)
            return NULL;
        settings->values[i].given = false;
    }
    return settings;
}

enum option beck__option_find(beck_str name)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct definition *d = &beck__definitions[i];
        if (beck_string_equal(name, beck_string(d->key)))
            return (enum option)i;
        if (*d->flag && beck_string_equal(name, beck_string(d->flag)))
            return (enum option)i;
    }
    return OPTION_COUNT;
}

beck_status beck__settings_put(struct settings *settings, enum option option, beck_str value,
                               const char *origin, struct error *error)
{
    struct value *slot = &settings->values[option];
    int64_t number;
    beck_status status =
        beck__value_parse(&beck__definitions[option], value, &number, origin, error);

    if (status != BECK_OK)
        return status;
    char *text = beck__arena_alloc(settings->arena, value.size + 1);
    if (!text)
        return beck__error_memory(error, "an option", value.size + 1);
    memcpy(text, value.data, value.size);
    slot->text = text;
    slot->number = number;
    slot->given = true;
    return BECK_OK;
}

beck_status beck__settings_unknown(beck_str name, const char *dashes, const char *origin,
                                   struct error *error)
{
    const char *names[2 * OPTION_COUNT];
    size_t count = 0;
    int shown = name.size > 100 ? 100 : (int)name.size;

    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct definition *d = &beck__definitions[i];
        if (*d->flag)
            names[count++] = d->flag;
        if (!*dashes)
            names[count++] = d->key;
    }
    const char *nearest = beck__nearest_name(name, names, count);
    if (nearest)
        return beck__error_set(error, BECK_INVALID,
                               "%s: there is no option \"%s%.*s\"; did you mean \"%s%s\"?", origin,
                               dashes, shown, name.data, dashes, nearest);
    return beck__error_set(error, BECK_INVALID,
                           "%s: there is no option \"%s%.*s\"; --help lists all", origin, dashes,
                           shown, name.data);
}

beck_status beck__settings_set(struct settings *settings, const char *name, const char *value,
                               const char *origin, struct error *error)
{
    enum option option = beck__option_find(beck_string(name));

    if (option == OPTION_COUNT)
        return beck__settings_unknown(beck_string(name), "", origin, error);
    return beck__settings_put(settings, option, beck_string(value), origin, error);
}

int64_t beck__settings_number(const struct settings *settings, enum option option)
{
    return settings->values[option].number;
}

const char *beck__settings_text(const struct settings *settings, enum option option)
{
    return settings->values[option].text;
}

bool beck__settings_given(const struct settings *settings, enum option option)
{
    return settings->values[option].given;
}
