/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.c - the error on the caller's stack: the first failure sticks, outer layers put context in
 * front of it. Nothing here allocates. A text that is too long ends in "...".
 */
#include "base/base.h"

#include <stdio.h>

static void mark_cut(char *text, size_t size)
{
    memcpy(text + size - 4, "...", 4);
}

beck_status beck__error_set_list(struct error *error, beck_status status, const char *format,
                                 va_list list)
{
    assert(status != BECK_OK);
    if (!error || error->status)
        return status;
    error->status = status;
    int size = vsnprintf(error->text, sizeof error->text, format, list);
    if (size < 0)
        error->text[0] = 0;
    else if ((size_t)size >= sizeof error->text)
        mark_cut(error->text, sizeof error->text);
    return status;
}

beck_status beck__error_set(struct error *error, beck_status status, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    beck__error_set_list(error, status, format, list);
    va_end(list);
    return status;
}

void beck__error_prefix(struct error *error, const char *format, ...)
{
    if (!error || !error->status)
        return;
    char prefix[sizeof error->text];
    va_list list;
    va_start(list, format);
    int printed = vsnprintf(prefix, sizeof prefix, format, list);
    va_end(list);
    if (printed <= 0)
        return;
    size_t front = (size_t)printed < sizeof prefix ? (size_t)printed : sizeof prefix - 1;
    size_t back = strlen(error->text);
    bool fits = (size_t)printed == front && front + back < sizeof error->text;
    if (front + back >= sizeof error->text)
        back = sizeof error->text - 1 - front;
    memmove(error->text + front, error->text, back);
    memcpy(error->text, prefix, front);
    error->text[front + back] = 0;
    if (!fits)
        mark_cut(error->text, sizeof error->text);
}

void beck__error_clear(struct error *error)
{
    if (error) {
        error->status = BECK_OK;
        error->text[0] = 0;
    }
}

beck_status beck__error_memory(struct error *error, const char *what, size_t bytes)
{
    return beck__error_set(error, BECK_NO_MEMORY, "out of memory: %zu bytes for %s", bytes, what);
}
