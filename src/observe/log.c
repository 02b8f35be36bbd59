/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c - the log: a line for the user's callback, or in one piece to standard error. Nothing is
 * allocated, so that it also works when memory is gone.
 */
#include "observe/observe.h"

#include <stdio.h>

enum { LINE_BYTES = 2000 };

void beck__log(struct log *log, beck_log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "info"};
    char line[LINE_BYTES];
    size_t room = sizeof line - 1; /* for the newline */
    va_list list;

    if (level > log->level)
        return;
    size_t front = (size_t)snprintf(line, room, "beck: %s: ", names[level]);
    va_start(list, format);
    int printed = vsnprintf(line + front, room - front, format, list);
    va_end(list);
    size_t size = front + (printed > 0 ? (size_t)printed : 0);
    if (size >= room) {
        size = room - 1;
        memcpy(line + size - 3, "...", 3);
    }
    if (log->fn) {
        log->fn(log->user, level, line + front);
        return;
    }
    line[size++] = '\n';
    log->os->print(log->os, 2, line, size);
}
