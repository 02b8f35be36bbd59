/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema - the text of schemas, to fields and back.
 *
 *     schema := field { "," field }
 *     field  := name type
 *     name   := letters, digits and "_"  |  "`" anything, a backquote twice "`"
 *     type   := word  |  "ARRAY" "<" type ">"  |  "STRUCT" "<" schema ">"
 *
 * A parsed schema lies in an arena and is read-only. What is printed parses to an equal schema.
 */
#include "data/inside.h"

#include <stdio.h>

static const struct {
    const char *name;
    beck_type type;
} words[] = {
    {"NONE", BECK_NONE_TYPE}, {"BOOLEAN", BECK_BOOLEAN},     {"BIGINT", BECK_BIGINT},
    {"DOUBLE", BECK_DOUBLE},  {"TIMESTAMP", BECK_TIMESTAMP}, {"STRING", BECK_STRING},
    {"BINARY", BECK_BINARY},  {"ARRAY", BECK_ARRAY},         {"STRUCT", BECK_STRUCT},
    {"INTEGER", BECK_BIGINT}, {"INT", BECK_BIGINT},          {"LONG", BECK_BIGINT},
    {"FLOAT", BECK_DOUBLE},   {"DATE", BECK_TIMESTAMP},
};

#define EXPECT_TYPE                                                                                \
    "a type: BOOLEAN, BIGINT, DOUBLE, STRING, BINARY, TIMESTAMP, ARRAY<...> or STRUCT<...>"

const char *beck__type_name(beck_type type)
{
    return words[(unsigned)type <= BECK_STRUCT ? type : BECK_NONE_TYPE].name;
}

/* ---- parsing -----------------------------------------------------------------------------------
 */

struct parser {
    struct arena *arena;
    const char *text;
    size_t at;
    uint32_t fields; /* all so far, of all levels */
    struct error *error;
};

struct field_list {
    struct field *items;
    size_t count, capacity;
};

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static void skip_space(struct parser *p)
{
    while (p->text[p->at] != '\0' && strchr(" \t\r\n", p->text[p->at]))
        p->at++;
}

static bool accept(struct parser *p, char c)
{
    skip_space(p);
    if (p->text[p->at] != c)
        return false;
    p->at++;
    return true;
}

static size_t word_length(const char *text)
{
    size_t n = 0;
    while (is_word(text[n]))
        n++;
    return n;
}

#define SHOW 60

/* schema "a STRIN": position 3: found "STRIN", expected ... */
static bool fail(struct parser *p, const char *expected)
{
    const char *found = p->text + p->at, *more = strlen(p->text) > SHOW ? "..." : "";
    char quoted[SHOW + 16] = "the end";

    if (*found != '\0') {
        size_t length = word_length(found);
        if (length == 0)
            length = 1;
        while (((unsigned char)found[length] & 0xc0) == 0x80) /* a whole UTF-8 character */
            length++;
        snprintf(quoted, sizeof quoted, "\"%.*s\"", length < SHOW ? (int)length : SHOW, found);
    }
    beck__error_set(p->error, BECK_INVALID,
                    "schema \"%.*s%s\": position %zu: found %s, expected %s", SHOW, p->text, more,
                    p->at + 1, quoted, expected);
    return false;
}

static bool no_memory(struct parser *p, size_t bytes)
{
    beck__error_memory(p->error, "a schema", bytes);
    return false;
}

static bool quoted_name(struct parser *p, const char **name)
{
    size_t from = ++p->at, size = 0;
    bool closed = false;
    for (; p->text[p->at] != '\0' && !closed; p->at++, size++) {
        if (p->text[p->at] == '`' && p->text[p->at + 1] != '`')
            closed = true;
        else if (p->text[p->at] == '`')
            p->at++;
    }
    if (!closed)
        return fail(p, "a closing backquote");
    if (--size == 0) { /* the closing one was counted */
        p->at = from;
        return fail(p, "a name between the backquotes");
    }
    char *copy = beck__arena_alloc(p->arena, size + 1);
    if (!copy)
        return no_memory(p, size + 1);
    for (size_t i = 0, in = from; i < size; i++, in++) {
        copy[i] = p->text[in];
        in += copy[i] == '`';
    }
    *name = copy;
    return true;
}

static bool parse_name(struct parser *p, const char **name)
{
    skip_space(p);
    if (p->text[p->at] == '`')
        return quoted_name(p, name);

    size_t size = word_length(p->text + p->at);
    if (size == 0)
        return fail(p, "a column name of letters, digits and _, or any in `backquotes`");
    char *copy = beck__arena_alloc(p->arena, size + 1);
    if (!copy)
        return no_memory(p, size + 1);
    memcpy(copy, p->text + p->at, size);
    p->at += size;
    *name = copy;
    return true;
}

static bool same_word(const char *text, size_t size, const char *word)
{
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (c != word[i])
            return false;
    }
    return word[size] == '\0';
}

static beck_type find_type(const char *text, size_t size)
{
    for (size_t i = 1; i < BECK__COUNT_OF(words); i++)
        if (same_word(text, size, words[i].name))
            return words[i].type;
    return BECK_NONE_TYPE;
}

static bool parse_fields(struct parser *p, struct field_list *list, uint32_t depth);

static bool count_field(struct parser *p)
{
    if (++p->fields <= BECK__COLUMNS_MAX)
        return true;
    beck__error_set(
        p->error, BECK_INVALID,
        "schema: position %zu: more than %u columns, those in ARRAY and STRUCT counted too",
        p->at + 1, BECK__COLUMNS_MAX);
    return false;
}

static bool parse_type(struct parser *p, struct field *field, uint32_t depth)
{
    skip_space(p);
    if (depth > BECK__NESTING_MAX) {
        beck__error_set(p->error, BECK_INVALID,
                        "schema: position %zu: types nest deeper than %u levels", p->at + 1,
                        BECK__NESTING_MAX);
        return false;
    }
    size_t size = word_length(p->text + p->at);
    field->type = find_type(p->text + p->at, size);
    if (field->type == BECK_NONE_TYPE)
        return fail(p, EXPECT_TYPE);
    p->at += size;
    if (field->type != BECK_ARRAY && field->type != BECK_STRUCT)
        return true;
    if (!accept(p, '<'))
        return fail(p, "\"<\"");

    if (field->type == BECK_STRUCT) {
        struct field_list list = {0};
        if (!parse_fields(p, &list, depth + 1))
            return false;
        field->fields = list.items;
        field->count = (uint32_t)list.count;
        return accept(p, '>') || fail(p, "\",\" or \">\"");
    }
    struct field *element = beck__arena_alloc(p->arena, sizeof *element);
    if (!element)
        return no_memory(p, sizeof *element);
    element->name = "element";
    field->fields = element;
    field->count = 1;
    if (!count_field(p) || !parse_type(p, element, depth + 1))
        return false;
    return accept(p, '>') || fail(p, "\">\"");
}

static bool parse_fields(struct parser *p, struct field_list *list, uint32_t depth)
{
    do {
        void *items = list->items;
        if (!beck__arena_reserve(p->arena, &items, &list->capacity, list->count + 1,
                                 sizeof *list->items))
            return no_memory(p, (list->count + 1) * sizeof *list->items);
        list->items = items;
        struct field *field = &list->items[list->count++];
        memset(field, 0, sizeof *field);
        if (!parse_name(p, &field->name) || !count_field(p) || !parse_type(p, field, depth))
            return false;
    } while (accept(p, ','));
    return true;
}

beck_status beck__schema_parse(struct arena *arena, const char *text, const beck_schema **schema,
                               struct error *error)
{
    struct error local = {0};
    struct parser p = {.arena = arena, .text = text ? text : "", .error = &local};
    struct field_list list = {0};

    if (parse_fields(&p, &list, 1)) {
        skip_space(&p);
        if (p.text[p.at] != '\0')
            fail(&p, "\",\" or the end");
    }
    beck_schema *made = local.status ? NULL : beck__arena_alloc(arena, sizeof *made);
    if (!made && !local.status)
        no_memory(&p, sizeof *made);
    if (local.status)
        return beck__error_set(error, local.status, "%s", local.text);
    made->count = (uint32_t)list.count;
    made->fields = list.items;
    *schema = made;
    return BECK_OK;
}

/* ---- printing ----------------------------------------------------------------------------------
 */

struct printer {
    beck__piece_fn *put;
    void *self;
};

static void put(const struct printer *p, const char *text)
{
    p->put(p->self, text, strlen(text));
}

static void put_name(const struct printer *p, const char *name)
{
    if (name[word_length(name)] == '\0' && name[0] != '\0') {
        put(p, name);
        return;
    }
    put(p, "`");
    for (const char *at = name; *at; at++) {
        p->put(p->self, at, 1);
        if (*at == '`')
            put(p, "`");
    }
    put(p, "`");
}

static void put_fields(const struct printer *p, uint32_t count, const struct field *fields);

static void put_type(const struct printer *p, const struct field *field)
{
    put(p, beck__type_name(field->type));
    if (field->type != BECK_ARRAY && field->type != BECK_STRUCT)
        return;
    put(p, "<");
    if (field->type == BECK_ARRAY)
        put_type(p, field->fields);
    else
        put_fields(p, field->count, field->fields);
    put(p, ">");
}

static void put_fields(const struct printer *p, uint32_t count, const struct field *fields)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            put(p, ", ");
        put_name(p, fields[i].name);
        put(p, " ");
        put_type(p, &fields[i]);
    }
}

static void put_to_text(void *self, const char *data, size_t size)
{
    beck__text_append(self, data, size);
}

void beck__schema_pieces(const beck_schema *schema, beck__piece_fn *piece, void *self)
{
    struct printer p = {piece, self};
    put_fields(&p, schema->count, schema->fields);
}

void beck__schema_print(const beck_schema *schema, struct text *out)
{
    beck__schema_pieces(schema, put_to_text, out);
}

void beck__schema_put(struct text *out, const beck_schema *schema)
{
    size_t at = out->size;

    beck__put_u32(out, 0);
    beck__schema_print(schema, out);
    beck__set_u32(out, at, (uint32_t)(out->size - at - 4));
}

beck_status beck__schema_get(struct arena *arena, struct reader *in, const beck_schema **schema,
                             struct error *error)
{
    beck_str bytes = beck__get_string(in);
    char *text = beck__arena_raw(arena, bytes.size + 1);
    struct error reason = {0};

    if (!text)
        return beck__error_memory(error, "a schema", bytes.size);
    if (in->bad)
        return beck__error_set(error, BECK_CORRUPT, "a schema is cut off");
    memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = 0;
    beck_status status = beck__schema_parse(arena, text, schema, &reason);
    if (status == BECK_INVALID)
        return beck__error_set(error, BECK_CORRUPT, "a damaged schema: %s", reason.text);
    return status ? beck__error_set(error, status, "%s", reason.text) : BECK_OK;
}

void beck__field_print_type(const struct field *field, struct text *out)
{
    struct printer p = {put_to_text, out};
    put_type(&p, field);
}

/* ---- comparing and finding ---------------------------------------------------------------------
 */

static bool fields_equal(const struct field *a, const struct field *b, uint32_t count, bool names)
{
    for (uint32_t i = 0; i < count; i++) {
        if (a[i].type != b[i].type || a[i].count != b[i].count)
            return false;
        if (names && strcmp(a[i].name, b[i].name) != 0)
            return false;
        if (!fields_equal(a[i].fields, b[i].fields, a[i].count, names))
            return false;
    }
    return true;
}

bool beck__schema_equal(const beck_schema *a, const beck_schema *b, bool names)
{
    return a == b || (a->count == b->count && fields_equal(a->fields, b->fields, a->count, names));
}

int beck__schema_find(const beck_schema *schema, beck_str name)
{
    for (uint32_t i = 0; i < schema->count; i++)
        if (beck_string_equal(beck_string(schema->fields[i].name), name))
            return (int)i;
    return -1;
}
