/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns of names: * any bytes, ? one, [a-z] one of these, [!a-z] none of these. A [ without its
 * ] is itself. One step back to the last *, so a long name costs at most size times size.
 */
#include "connectors/connectors.h"

/* The place behind the ] of a class that begins at p, or NULL if it has no end. */
static const char *class_end(const char *p)
{
    p += p[1] == '!' ? 2 : 1;
    if (*p == ']')
        p++; /* as the first it is one of the class */
    while (*p && *p != ']')
        p++;
    return *p ? p + 1 : NULL;
}

static bool in_class(const char *p, const char *end, char c)
{
    bool negated = p[1] == '!', found = false;
    unsigned char byte = (unsigned char)c;

    for (p += negated ? 2 : 1; p < end - 1; p++) {
        unsigned char least = (unsigned char)*p, most = least;
        if (p[1] == '-' && p + 2 < end - 1) {
            most = (unsigned char)p[2];
            p += 2;
        }
        found |= least <= byte && byte <= most;
    }
    return found != negated;
}

/* Takes one element of the pattern off if it fits the byte. */
static bool fits(const char **pattern, char c)
{
    const char *p = *pattern, *end = *p == '[' ? class_end(p) : NULL;

    *pattern = end ? end : p + 1;
    return end ? in_class(p, end, c) : *p == '?' || *p == c;
}

bool beck__glob_match(const char *pattern, const char *name)
{
    const char *star = NULL, *retry = NULL;

    while (*name) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = name;
        } else if (*pattern && fits(&pattern, *name)) {
            name++;
        } else if (star) {
            pattern = star;
            name = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}
