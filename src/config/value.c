/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.c - values by kind: reading them, with errors that say what is accepted, and writing
 * numbers back the way a user gives them. Nothing here allocates.
 */
#include "config/inside.h"

#include <inttypes.h>
#include <stdio.h>

#define POOL_WEIGHT_MAX 1000

struct unit {
    const char *name;
    int64_t factor;
};

/* Largest first: the first one that divides a number writes it. */
static const struct unit durations[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
static const struct unit sizes[] = {
    {"t", INT64_C(1) << 40}, {"g", 1 << 30}, {"m", 1 << 20}, {"k", 1 << 10}, {"", 1}};
static const struct unit ones[] = {{"", 1}};

struct units {
    const struct unit *unit;
    size_t count;
    const char *accepted;
};

static struct units units_of(enum kind kind)
{
    struct units units = {ones, 1, "a whole number"};

    if (kind == KIND_DURATION) {
        units.unit = durations;
        units.count = BECK__COUNT_OF(durations);
        units.accepted = "a duration such as 500ms, 2s, 1m or 1h (a number alone is milliseconds)";
    } else if (kind == KIND_BYTES) {
        units.unit = sizes;
        units.count = BECK__COUNT_OF(sizes);
        units.accepted = "a size such as 4096, 64k, 32m or 2g";
    }
    return units;
}

bool beck__choice_at(const char *choices, size_t i, beck_str *choice)
{
    const char *at = choices;

    for (; i > 0; i--) {
        at = strchr(at, '|');
        if (!at)
            return false;
        at++;
    }
    const char *end = strchr(at, '|');
    *choice = beck_bytes_of(at, end ? (size_t)(end - at) : strlen(at));
    return true;
}

beck_str beck__value_initial(const struct definition *definition)
{
    beck_str initial = beck_string(definition->initial);

    if (definition->kind == KIND_CHOICE)
        beck__choice_at(definition->initial, 0, &initial);
    return initial;
}

const char *beck__value_placeholder(const struct definition *definition)
{
    switch (definition->kind) {
    case KIND_DURATION:
        return "DURATION";
    case KIND_BYTES:
        return "BYTES";
    case KIND_COUNT:
        return "N";
    case KIND_MASTER:
        return "MASTER";
    case KIND_CHOICE:
        return definition->initial;
    case KIND_POOLS:
        return "POOLS";
    case KIND_TEXT:
        return strstr(definition->key, "file") ? "FILE" : "TEXT";
    case KIND_FLAG:
        break;
    }
    return "";
}

void beck__value_print(enum kind kind, int64_t number, char *text, size_t size)
{
    struct units units = units_of(kind);
    size_t i = units.count - 1;

    for (size_t k = 0; k < units.count && number != 0; k++) {
        if (number % units.unit[k].factor == 0) {
            i = k;
            break;
        }
    }
    snprintf(text, size, "%" PRId64 "%s", number / units.unit[i].factor, units.unit[i].name);
}

/* Digits at the front of *text; false if there is none or the number is beyond int64_t. */
static bool take_number(beck_str *text, int64_t *number)
{
    size_t i = 0;

    *number = 0;
    for (; i < text->size && text->data[i] >= '0' && text->data[i] <= '9'; i++) {
        int digit = text->data[i] - '0';
        if (*number > (INT64_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    text->data += i;
    text->size -= i;
    return i > 0;
}

static bool same_letters(beck_str text, const char *lower)
{
    if (text.size != strlen(lower))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if ((c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c) != lower[i])
            return false;
    }
    return true;
}

static bool parse_number(enum kind kind, beck_str text, int64_t *number)
{
    struct units units = units_of(kind);
    int64_t n;

    if (!take_number(&text, &n))
        return false;
    if (text.size == 0) {
        *number = n;
        return true;
    }
    for (size_t i = 0; i < units.count; i++) {
        if (same_letters(text, units.unit[i].name)) {
            if (n > INT64_MAX / units.unit[i].factor)
                return false;
            *number = n * units.unit[i].factor;
            return true;
        }
    }
    return false;
}

/* N of "local[N]", 0 for "local[*]", 1 for "local"; -1 for anything else. */
static int64_t local_threads(beck_str master)
{
    static const char open[] = "local[";
    size_t front = sizeof open - 1;
    int64_t n;

    if (beck_string_equal(master, beck_string("local")))
        return 1;
    if (master.size < front + 2 || memcmp(master.data, open, front) != 0 ||
        master.data[master.size - 1] != ']')
        return -1;
    beck_str inside = beck_bytes_of(master.data + front, master.size - front - 1);
    if (beck_string_equal(inside, beck_string("*")))
        return 0;
    return take_number(&inside, &n) && inside.size == 0 && n >= 1 && n <= 4096 ? n : -1;
}

int beck__master_threads(const char *master, int cpu_count)
{
    int64_t n = local_threads(beck_string(master));

    if (n == 0)
        return cpu_count > 0 ? cpu_count : 1;
    return n > 0 ? (int)n : 1;
}

static bool is_one_of(char c, const char *set)
{
    return memchr(set, c, strlen(set)) != NULL;
}

beck_str beck__trimmed(beck_str text, const char *blanks)
{
    while (text.size && is_one_of(text.data[0], blanks))
        text = beck_bytes_of(text.data + 1, text.size - 1);
    while (text.size && is_one_of(text.data[text.size - 1], blanks))
        text.size--;
    return text;
}

/* What is before the sign, which goes, too; or all of it. */
static beck_str take_until(beck_str *text, char sign)
{
    const char *at = text->size ? memchr(text->data, sign, text->size) : NULL;
    size_t size = at ? (size_t)(at - text->data) : text->size, used = at ? size + 1 : size;
    beck_str front = beck_bytes_of(text->data, size);

    *text = beck_bytes_of(text->data + used, text->size - used);
    return beck__trimmed(front, " ");
}

bool beck__pools_next(beck_str *list, beck_str *name, uint32_t *weight)
{
    beck_str rest = *list, item = take_until(&rest, ','), number = item;
    int64_t n = 1;

    *name = take_until(&number, ':');
    bool weighed = name->size < item.size;
    number = beck__trimmed(number, " ");
    if (!name->size || (weighed && (!take_number(&number, &n) || number.size)) || n < 1 ||
        n > POOL_WEIGHT_MAX)
        return false;
    *weight = (uint32_t)n;
    *list = rest;
    return true;
}

static beck_status not_accepted(beck_str text, const char *accepted, const char *origin,
                                struct error *error)
{
    int shown = text.size > 100 ? 100 : (int)text.size;

    return beck__error_set(error, BECK_INVALID, "%s: \"%.*s\" is not %s", origin, shown, text.data,
                           accepted);
}

static beck_status parse_count(const struct definition *d, beck_str text, int64_t *number,
                               const char *origin, struct error *error)
{
    char least[32], most[32];

    if (!parse_number(d->kind, text, number))
        return not_accepted(text, units_of(d->kind).accepted, origin, error);
    if (*number >= d->least && *number <= d->most)
        return BECK_OK;
    beck__value_print(d->kind, d->least, least, sizeof least);
    beck__value_print(d->kind, d->most, most, sizeof most);
    return beck__error_set(error, BECK_INVALID, "%s: %.*s is out of range: give %s to %s", origin,
                           (int)text.size, text.data, least, most);
}

static beck_status parse_choice(const struct definition *d, beck_str text, int64_t *number,
                                const char *origin, struct error *error)
{
    char accepted[200] = "one of ";
    size_t used = strlen(accepted);
    beck_str choice;

    for (size_t i = 0; beck__choice_at(d->initial, i, &choice); i++) {
        if (beck_string_equal(choice, text)) {
            *number = (int64_t)i;
            return BECK_OK;
        }
        snprintf(accepted + used, sizeof accepted - used, "%s%.*s", i ? ", " : "", (int)choice.size,
                 choice.data);
        used = strlen(accepted);
    }
    return not_accepted(text, accepted, origin, error);
}

static beck_status parse_pools(beck_str text, const char *origin, struct error *error)
{
    beck_str rest = beck__trimmed(text, " "), name;
    uint32_t weight;

    while (beck__pools_next(&rest, &name, &weight))
        continue;
    if (!rest.size)
        return BECK_OK;
    return not_accepted(text,
                        "a list of pools with weights from 1 to 1000, such as alerts:4,"
                        "reports:1",
                        origin, error);
}

beck_status beck__value_parse(const struct definition *definition, beck_str text, int64_t *number,
                              const char *origin, struct error *error)
{
    *number = 0;
    switch (definition->kind) {
    case KIND_DURATION:
    case KIND_BYTES:
    case KIND_COUNT:
        return parse_count(definition, text, number, origin, error);
    case KIND_FLAG:
        *number = beck_string_equal(text, beck_string("true"));
        if (*number || beck_string_equal(text, beck_string("false")))
            return BECK_OK;
        return not_accepted(text, "true or false", origin, error);
    case KIND_MASTER:
        if (local_threads(text) >= 0)
            return BECK_OK;
        return not_accepted(text, "local, local[N] or local[*] (N threads, or one per processor)",
                            origin, error);
    case KIND_POOLS:
        return parse_pools(text, origin, error);
    case KIND_CHOICE:
        return parse_choice(definition, text, number, origin, error);
    case KIND_TEXT:
        break;
    }
    return BECK_OK;
}
