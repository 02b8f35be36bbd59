/* SPDX-License-Identifier: Apache-2.0 */
/* The runner itself: vectors that pass, and what it says about those that must not. */
#include "base/testing.h"
#include "cli/cli.h"
#include "cli/inside.h"

#include <stdio.h>

/* A vector with one input "in"; fields is the rest. */
static bool run(const char *input, const char *plan, const char *fields, struct failure *failure)
{
    static char program[] = "beck", master[] = "--master", local[] = "local[2]";
    char *argv[] = {program, master, local, NULL};
    struct conform conform = {.argc = 3, .argv = argv};
    char text[4000];

    snprintf(text, sizeof text,
             "{\"name\": \"v\", \"batch_ms\": 1000, \"input_partitions\": 2, "
             "\"default_parallelism\": 3, \"inputs\": {\"in\": %s}, \"plan\": [%s], "
             "\"output\": \"out\", %s}",
             input, plan, fields);
    struct json_object *vector = json_tokener_parse(text);
    assert_non_null(vector);
    memset(failure, 0, sizeof *failure);
    bool passed = beck__cli_run_vector(&conform, vector, failure);
    json_object_put(vector);
    return passed;
}

static void passes(const char *input, const char *plan, const char *fields)
{
    struct failure failure;

    if (!run(input, plan, fields, &failure))
        fail_msg("%s", failure.text);
}

static void fails(const char *input, const char *plan, const char *fields, const char *wanted)
{
    struct failure failure;

    assert_false(run(input, plan, fields, &failure));
    if (!strstr(failure.text, wanted))
        fail_msg("\"%s\" is not in \"%s\"", wanted, failure.text);
}

#define OP(rest)   "{\"id\": \"out\", \"of\": \"in\", " rest "}"
#define BATCHES(n) "\"batches\": " #n ", "
#define ORDERED    "\"ordered\": true, "
#define EXPECT(x)  "\"expect\": " x
#define RDD        "\"kind\": \"rdd\", "

static void streams_batch_by_batch(void **state)
{
    (void)state;
    passes("[[1, 2, 3], [], [9223372036854775807]]", OP("\"op\": \"map\", \"fn\": \"plus_10\""),
           BATCHES(4) ORDERED EXPECT("[[11, 12, 13], [], [-9223372036854775799], []]"));
    passes("[[\"a b\", \"\", \"c\"]]", OP("\"op\": \"flat_map\", \"fn\": \"split_words\""),
           BATCHES(1) ORDERED EXPECT("[[\"a\", \"b\", \"c\"]]"));
    passes("[[1, 2, 3, 4, 5]]", OP("\"op\": \"glom\""),
           BATCHES(1) ORDERED EXPECT("[[[1, 2], [3, 4, 5]]]"));
    passes("[[1], null, [2]]", OP("\"op\": \"filter\", \"fn\": \"even\""),
           BATCHES(3) ORDERED EXPECT("[[], [2]]"));
}

static void pairs_and_lists_in_any_order(void **state)
{
    (void)state;
    passes("[[[\"a\", 1], [\"b\", 2], [\"a\", 3]]]", OP("\"op\": \"group_by_key\""),
           BATCHES(1) "\"ordered\": false, " EXPECT("[[[\"b\", [2]], [\"a\", [3, 1]]]]"));
    passes("[[[\"a\", 1], [\"a\", 1], [\"b\", 2]]]", OP("\"op\": \"count_by_value\""),
           BATCHES(1) EXPECT("[[[[\"b\", 2], 1], [[\"a\", 1], 2]]]"));
    passes("[[[\"a\", 1], [\"b\", 2]]]",
           "{\"id\": \"s\", \"of\": \"in\", \"op\": \"map\", \"fn\": \"swap\"}, "
           "{\"id\": \"out\", \"of\": [\"s\", \"s\"], \"op\": \"union\"}",
           BATCHES(1) EXPECT("[[[1, \"a\"], [2, \"b\"], [1, \"a\"], [2, \"b\"]]]"));
    passes("[[5, 6]]",
           "{\"id\": \"s\", \"of\": \"in\", \"op\": \"map\", \"fn\": \"pair_with_self\"}, "
           "{\"id\": \"t\", \"of\": \"s\", \"op\": \"map\", \"fn\": \"pair_with_x\"}, "
           "{\"id\": \"out\", \"of\": \"t\", \"op\": \"map\", \"fn\": \"key\"}",
           BATCHES(1) ORDERED EXPECT("[[[5, 5], [6, 6]]]"));
}

static void combining(void **state)
{
    (void)state;
    passes("[[[\"a\", -1], [\"b\", 2], [\"a\", -1]]]",
           OP("\"op\": \"combine_by_key\", \"create\": \"to_string\", \"merge_value\": "
              "\"append_to_string\", \"merge_combiners\": \"concatenate\""),
           BATCHES(1) EXPECT("[[[\"a\", \"-1-1\"], [\"b\", \"2\"]]]"));
    passes("[[3, 5, 4], []]", OP("\"op\": \"reduce\", \"fn\": \"max\""),
           BATCHES(2) EXPECT("[[5], []]"));
    passes("[[[\"a\", 3], [\"a\", 5]]]", OP("\"op\": \"reduce_by_key\", \"fn\": \"add\""),
           BATCHES(1) EXPECT("[[[\"a\", 8]]]"));
    passes("[[[\"a\", 12]]]",
           "{\"id\": \"s\", \"of\": \"in\", \"op\": \"key_by\", \"fn\": \"mod_10\"}, "
           "{\"id\": \"out\", \"of\": \"s\", \"op\": \"map\", \"fn\": \"value\"}",
           BATCHES(1) EXPECT("[[[\"a\", 12]]]"));
}

static void transforms(void **state)
{
    (void)state;
    passes("[[3, 1], []]", OP("\"op\": \"transform\", \"fn\": \"rdd_map_to_string\""),
           BATCHES(2) ORDERED EXPECT("[[\"3\", \"1\"], []]"));
    passes("[[1, 1]]",
           "{\"id\": \"s\", \"of\": [\"in\", \"in\", \"in\"], \"op\": \"transform_with\", "
           "\"fn\": \"rdd_union\"}, "
           "{\"id\": \"out\", \"of\": \"s\", \"op\": \"transform\", \"fn\": \"rdd_distinct\"}",
           BATCHES(1) EXPECT("[[1]]"));
    fails("[[1]]", OP("\"op\": \"transform\", \"fn\": \"rdd_nonsense\""), BATCHES(1) EXPECT("[]"),
          "unknown fn rdd_nonsense");
    fails("[[1]]", OP("\"op\": \"transform\", \"fn\": \"rdd_join\""), BATCHES(1) EXPECT("[]"),
          "op join needs two inputs");
    fails("[[1]]",
          "{\"id\": \"out\", \"of\": [\"in\", \"is\"], \"op\": \"transform_with\", \"fn\": "
          "\"rdd_union\"}",
          BATCHES(1) EXPECT("[]"), "op transform_with: there is no \"is\"");
}

static void batch_jobs_and_actions(void **state)
{
    (void)state;
    passes("[3, 1, 2]", OP("\"op\": \"map\", \"fn\": \"negate\""),
           RDD ORDERED EXPECT("[-3, -1, -2]"));
    passes("[3, 1, 2]", OP("\"op\": \"count\""), RDD EXPECT("3"));
    passes("[3, 1, 2]", OP("\"op\": \"take\", \"n\": 2"), RDD ORDERED EXPECT("[3, 1]"));
    passes("[[\"a\", 1]]", OP("\"op\": \"first\""), RDD EXPECT("[\"a\", 1]"));
    passes("[\"b\", \"ab\"]", OP("\"op\": \"min\""), RDD EXPECT("\"ab\""));
    passes("[\"b\", \"b\"]", OP("\"op\": \"count_by_value\""), RDD EXPECT("[[\"b\", 2]]"));
    passes("[1, 3]",
           "{\"id\": \"s\", \"of\": \"in\", \"op\": \"filter\", \"fn\": \"even\"}, "
           "{\"id\": \"out\", \"of\": \"s\", \"op\": \"is_empty\"}",
           RDD EXPECT("true"));
}

static void inputs_without_elements_take_the_type_that_fits(void **state)
{
    (void)state;
    passes("[[], []]", OP("\"op\": \"map\", \"fn\": \"length\""), BATCHES(2) EXPECT("[[], []]"));
    passes("[[], []]", OP("\"op\": \"reduce_by_key\", \"fn\": \"add\""),
           BATCHES(2) EXPECT("[[], []]"));
}

static void differences_are_shown(void **state)
{
    (void)state;
    fails("[[1], [2]]", OP("\"op\": \"map\", \"fn\": \"negate\""), BATCHES(2) EXPECT("[[-1], [7]]"),
          "batch 1: expected [7], got [-2]");
    fails("[[1, 2]]", OP("\"op\": \"map\", \"fn\": \"negate\""),
          BATCHES(1) ORDERED EXPECT("[[-2, -1]]"), "batch 0: expected [-2,-1], got [-1,-2]");
    fails("[[1]]", OP("\"op\": \"map\", \"fn\": \"negate\""), BATCHES(2) EXPECT("[[-1]]"),
          "batch 1: expected 1 batches, got 2");
    fails("[1]", OP("\"op\": \"count\""), RDD EXPECT("2"), "expected 2, got 1");
}

static void what_is_unknown_fails(void **state)
{
    (void)state;
    fails("[[1]]", OP("\"op\": \"teleport\""), BATCHES(1) EXPECT("[[1]]"), "unknown op teleport");
    fails("[[1]]", OP("\"op\": \"map\", \"fn\": \"wish\""), BATCHES(1) EXPECT("[[1]]"),
          "unknown fn wish");
    fails("[[1]]", OP("\"op\": \"map\", \"fn\": \"length\""), BATCHES(1) EXPECT("[[1]]"),
          "op map: fn length does not fit \"v BIGINT\"");
    fails("[[1]]", OP("\"op\": \"map\""), BATCHES(1) EXPECT("[[1]]"),
          "op map has no parameter \"fn\"");
    fails("[[1]]", OP("\"op\": \"group_by_key\""), BATCHES(1) EXPECT("[[1]]"),
          "op group_by_key needs pairs, not \"v BIGINT\"");
    fails("[[1.5]]", OP("\"op\": \"count\""), BATCHES(1) EXPECT("[[1]]"),
          "an element is a number, a text or a pair");
    fails("[[1]]", "{\"id\": \"out\", \"of\": \"x\", \"op\": \"count\"}",
          BATCHES(1) EXPECT("[[1]]"), "there is no \"x\"");
    fails("[1]", OP("\"op\": \"count\""), "\"kind\": \"graph\"", "unknown kind graph");
    fails("[[1]]", OP("\"op\": \"count\""), BATCHES(1) "\"retries\": 3, " EXPECT("[[1]]"),
          "unknown field retries");
    fails("[[1]]", OP("\"op\": \"count\", \"weight\": 2"), BATCHES(1) EXPECT("[[1]]"),
          "op count: unknown parameter weight");
    fails("[[1]]",
          OP("\"op\": \"reduce_by_window\", \"fn\": \"add\", \"inverse\": \"forget\", "
             "\"window_ms\": 1000, \"slide_ms\": 1000"),
          BATCHES(1) EXPECT("[[1]]"), "unknown fn forget");
}

/* Whatever the order may be: it is that of the first run. */
static void a_run_repeats_the_first_one(void **state)
{
    struct json_object *reference = json_object_new_object();
    struct conform conform = {.argc = 1, .argv = (char *[]){(char *)"beck", NULL}};
    struct json_object *vector = json_tokener_parse(
        "{\"name\": \"v\", \"kind\": \"rdd\", \"inputs\": {\"in\": [1, 2]}, \"output\": \"out\", "
        "\"plan\": [{\"id\": \"out\", \"of\": \"in\", \"op\": \"map\", \"fn\": \"negate\"}], "
        "\"expect\": [-2, -1]}");
    struct failure failure;

    (void)state;
    conform.reference = reference;
    for (int i = 0; i < 2; i++)
        assert_true(beck__cli_run_vector(&conform, vector, &failure));
    json_object_object_add(reference, "v", json_object_new_string("[-2,-1]"));
    assert_false(beck__cli_run_vector(&conform, vector, &failure));
    assert_string_equal(failure.text, "without faults it gives [-2,-1], now [-1,-2]");
    json_object_put(vector);
    json_object_put(reference);
}

static void checkpoints_are_refused(void **state)
{
    (void)state;
    fails("[[1]]", OP("\"op\": \"map\", \"fn\": \"negate\""),
          BATCHES(1) "\"restart_after_batches\": 1, " EXPECT("[[-1]]"), "checkpoint");
}

static void saved_files_are_compared(void **state)
{
    (void)state;
    passes("[[[\"a\", 1], [\"b\", 2]], [], [[\"\", 3]]]",
           OP("\"op\": \"map_values\", \"fn\": \"negate\""),
           BATCHES(3) "\"also_save_as_text_files\": true, " EXPECT(
               "[[[\"a\", -1], [\"b\", -2]], [], [[\"\", -3]]]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_batch_by_batch),
        cmocka_unit_test(pairs_and_lists_in_any_order),
        cmocka_unit_test(combining),
        cmocka_unit_test(batch_jobs_and_actions),
        cmocka_unit_test(transforms),
        cmocka_unit_test(inputs_without_elements_take_the_type_that_fits),
        cmocka_unit_test(differences_are_shown),
        cmocka_unit_test(what_is_unknown_fails),
        cmocka_unit_test(a_run_repeats_the_first_one),
        cmocka_unit_test(checkpoints_are_refused),
        cmocka_unit_test(saved_files_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
