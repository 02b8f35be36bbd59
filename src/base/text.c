/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c - text and bytes that grow. Invariant: if data is set, size < capacity and data[size] is
 * 0.
 */
#include "base/base.h"

#include <stdio.h>

void beck__text_deinit(struct text *text)
{
    if (text->data)
        beck__free(text->memory, text->data, text->capacity);
    text->data = NULL;
    text->size = text->capacity = 0;
    text->failed = false;
}

void beck__text_clear(struct text *text)
{
    text->size = 0;
    text->failed = false;
    if (text->data)
        text->data[0] = 0;
}

bool beck__text_reserve(struct text *text, size_t more)
{
    if (text->failed)
        return false;
    if (more >= (size_t)PTRDIFF_MAX - text->size) {
        text->failed = true;
        return false;
    }
    void *data = text->data;
    if (!beck__vector_reserve(text->memory, &data, &text->capacity, text->size + more + 1, 1)) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->data[text->size] = 0;
    return true;
}

void beck__text_append(struct text *text, const void *data, size_t size)
{
    if (!beck__text_reserve(text, size))
        return;
    if (size)
        memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = 0;
}

void beck__text_add(struct text *text, const char *string)
{
    beck__text_append(text, string, strlen(string));
}

void beck__text_printf(struct text *text, const char *format, ...)
{
    if (!beck__text_reserve(text, 0))
        return;
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    size_t room = text->capacity - text->size;
    int size = vsnprintf(text->data + text->size, room, format, list);
    if (size < 0)
        text->failed = true;
    else if ((size_t)size >= room && beck__text_reserve(text, (size_t)size))
        vsnprintf(text->data + text->size, (size_t)size + 1, format, again);
    if (text->failed)
        text->data[text->size] = 0;
    else
        text->size += (size_t)size;
    va_end(again);
    va_end(list);
}

const char *beck__text_get(const struct text *text)
{
    return text->data ? text->data : "";
}
