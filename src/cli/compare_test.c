/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing values and saved files. */
#define _POSIX_C_SOURCE 200809L
#include "base/testing.h"
#include "cli/inside.h"

#include <stdio.h>
#include <sys/stat.h>

static const struct type number = {TYPE_NUMBER, NULL, NULL}, text = {TYPE_TEXT, NULL, NULL};
static const struct type numbers = {TYPE_LIST, &number, NULL};
static const struct type pair = {TYPE_PAIR, &text, &numbers};

static bool same(const char *expected, const char *got, const struct type *type, bool ordered,
                 struct failure *failure)
{
    struct json_object *a = json_tokener_parse(expected), *b = json_tokener_parse(got);

    memset(failure, 0, sizeof *failure);
    bool result = beck__cli_compare(a, b, type, ordered, "here: ", failure);
    json_object_put(a);
    json_object_put(b);
    return result;
}

static void order_matters_when_asked(void **state)
{
    struct failure failure;

    (void)state;
    assert_true(same("[1,2,2]", "[2,1,2]", &numbers, false, &failure));
    assert_false(same("[1,2,2]", "[2,1,1]", &numbers, false, &failure));
    assert_false(same("[1,2]", "[2,1]", &numbers, true, &failure));
    assert_string_equal(failure.text, "here: expected [1,2], got [2,1]");
    assert_true(same("[\"a\",[1,2]]", "[\"a\",[2,1]]", &pair, false, &failure));
}

static void write_file(const char *folder, const char *name, const char *content)
{
    char path[700];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void saved_directories_hold_the_batches(void **state)
{
    struct failure failure = {0};
    char folder[500], prefix[600], batch[700];

    (void)state;
    assert_true(beck__cli_temporary(folder, sizeof folder));
    snprintf(prefix, sizeof prefix, "%s/out", folder);
    snprintf(batch, sizeof batch, "%s-2000", prefix);
    assert_int_equal(mkdir(batch, 0700), 0);
    write_file(batch, "part-00000", "(b,[])\n");
    write_file(batch, "part-00001", "(a,[1, 2])\n");
    write_file(batch, "_SUCCESS", "not a part\n");
    struct json_object *batches = json_tokener_parse("[[], [[\"a\", [1, 2]], [\"b\", []]]]");
    if (!beck__cli_compare_saved(prefix, 1000, batches, &pair, &failure))
        fail_msg("%s", failure.text);
    write_file(batch, "part-00002", "(c,[])\n");
    assert_false(beck__cli_compare_saved(prefix, 1000, batches, &pair, &failure));
    assert_non_null(strstr(failure.text, "saved batch 1: expected [\"(a,[1, 2])\",\"(b,[])\"]"));
    json_object_put(batches);
    beck__cli_remove(folder);
    struct stat gone;
    assert_int_equal(stat(folder, &gone), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_matters_when_asked),
        cmocka_unit_test(saved_directories_hold_the_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
