/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions that Beck knows: recognised by content, run as kernels. Also the types that a fold
 * takes and gives.
 */
#include "exec/exec.h"

/* The constants that a user names; the functions behind them are kernels. */
#define KNOWN(id, fold_name, result_text)                                                          \
    const beck_aggregate beck_##id[1] = {{.name = #id, .kernel = fold_name, .result = result_text}}
KNOWN(sum, "sum", NULL);
KNOWN(min, "min", NULL);
KNOWN(max, "max", NULL);
KNOWN(avg, "avg", "DOUBLE");
#undef beck_count
KNOWN(count, "count", "BIGINT");
KNOWN(distinct, "distinct", NULL);
KNOWN(top, "top", NULL);

static const struct {
    const char *name;
    enum op_fold fold;
} kernels[] = {{"sum", FOLD_SUM}, {"min", FOLD_MIN},     {"max", FOLD_MAX},
               {"avg", FOLD_AVG}, {"count", FOLD_COUNT}, {"distinct", FOLD_DISTINCT},
               {"top", FOLD_TOP}};

enum op_fold beck__known_aggregate(const beck_aggregate *aggregate)
{
    for (size_t i = 0; aggregate->kernel && i < BECK__COUNT_OF(kernels); i++)
        if (strcmp(aggregate->kernel, kernels[i].name) == 0)
            return kernels[i].fold;
    return FOLD_KINDS;
}

enum op_kind beck__known_row_function(beck_map_fn *fn)
{
    return fn == beck_words ? OP_WORDS : fn == beck_lines ? OP_LINES : OP_COUNT;
}

static bool is_number(beck_type type)
{
    return type == BECK_BIGINT || type == BECK_DOUBLE;
}

static const struct field avg_fields[] = {{.name = "sum", .type = BECK_DOUBLE},
                                          {.name = "n", .type = BECK_BIGINT}};

static beck_status array_of(struct arena *arena, const struct field *value, struct field *array,
                            struct error *error)
{
    struct field *element = beck__arena_copy(arena, value, sizeof *value);

    if (!element)
        return beck__error_memory(error, "a schema", sizeof *value);
    element->name = "element";
    array->type = BECK_ARRAY;
    array->count = 1;
    array->fields = element;
    return BECK_OK;
}

static beck_status user_result(struct arena *arena, const beck_aggregate *aggregate,
                               struct field *result, struct error *error)
{
    const beck_schema *schema;
    const char *text = aggregate->result, *name = result->name;
    struct error reason = {0};

    if (!text)
        return BECK_OK;
    const char *whole = beck__arena_printf(arena, "value %s", text);
    if (!whole)
        return beck__error_memory(error, "a schema", strlen(text));
    if (beck__schema_parse(arena, whole, &schema, &reason))
        return beck__error_set(error, reason.status, "result of aggregate \"%s\": %s",
                               aggregate->name, reason.text);
    if (schema->count != 1)
        return beck__error_set(error, BECK_INVALID,
                               "aggregate \"%s\": its result is not one type: %s", aggregate->name,
                               text);
    *result = schema->fields[0];
    result->name = name;
    return BECK_OK;
}

beck_status beck__fold_types(struct arena *arena, enum op_fold fold,
                             const beck_aggregate *aggregate, const struct field *value,
                             struct field *state, struct field *result, struct error *error)
{
    struct field array = {.name = value->name};
    beck_status status = BECK_OK;

    *state = *result = *value;
    switch (fold) {
    case FOLD_SUM:
    case FOLD_AVG:
        if (!is_number(value->type))
            return beck__error_set(
                error, BECK_TYPE,
                "%s takes BIGINT and DOUBLE, but column \"%s\" is %s; convert it with "
                "map_values before, or use another aggregate",
                fold == FOLD_SUM ? "sum" : "avg", value->name, beck__type_name(value->type));
        if (fold == FOLD_AVG) {
            *state = (struct field){
                .name = value->name, .type = BECK_STRUCT, .count = 2, .fields = avg_fields};
            result->type = BECK_DOUBLE;
        }
        break;
    case FOLD_COUNT:
        *state = *result = (struct field){.name = value->name, .type = BECK_BIGINT};
        break;
    case FOLD_DISTINCT:
    case FOLD_TOP:
        status = array_of(arena, value, &array, error);
        *state = *result = array;
        break;
    case FOLD_USER:
        *state = (struct field){.name = value->name, .type = BECK_BINARY};
        status = user_result(arena, aggregate, result, error);
        break;
    default:
        break;
    }
    return status;
}
