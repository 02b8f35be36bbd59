/* SPDX-License-Identifier: Apache-2.0 */
/* Command line, environment and file: what is taken, what is given back, which place wins. */
#include "base/testing.h"
#include "config/inside.h"
#include <stdio.h>

struct world {
    struct test_memory test;
    struct arena arena;
    struct settings *settings;
    struct error error;
    char **rest;
    int count;
};

static void begin(struct world *w)
{
    memset(w, 0, sizeof *w);
    beck__arena_init(&w->arena, test_memory_init(&w->test, 0));
    w->settings = beck__settings_new(&w->arena);
    assert_non_null(w->settings);
}

static void end(struct world *w)
{
    beck__arena_deinit(&w->arena);
    assert_int_equal(w->test.used, 0);
}

/* Up to 9 arguments, separated by single spaces; argv[0] is "wc". */
static beck_status parse(struct world *w, const char *line)
{
    static char copy[1000];
    static char program[] = "wc";
    char *argv[10] = {program};
    int argc = 1;

    snprintf(copy, sizeof copy, "%s", line);
    for (char *at = strtok(copy, " "); at; at = strtok(NULL, " "))
        argv[argc++] = at;
    return beck__settings_argv(w->settings, argc, argv, &w->rest, &w->count, &w->error);
}

static void refuses(const char *line, const char *wanted)
{
    struct world w;

    begin(&w);
    assert_int_equal(parse(&w, line), BECK_INVALID);
    assert_string_equal(w.error.text, wanted);
    end(&w);
}

static void options_are_taken_and_the_rest_given_back(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    assert_int_equal(parse(&w, "host --batch 500ms 9999 --master=local[2] -v --isolate x"),
                     BECK_OK);
    assert_int_equal(beck__settings_number(w.settings, OPTION_BATCH), 500);
    assert_string_equal(beck__settings_text(w.settings, OPTION_MASTER), "local[2]");
    assert_int_equal(beck__settings_number(w.settings, OPTION_ISOLATE), 1);
    assert_int_equal(w.count, 5);
    assert_string_equal(w.rest[0], "wc");
    assert_string_equal(w.rest[1], "host");
    assert_string_equal(w.rest[2], "9999");
    assert_string_equal(w.rest[3], "-v");
    assert_string_equal(w.rest[4], "x");
    assert_null(w.rest[5]);
    end(&w);
}

static void after_two_dashes_all_is_the_programs(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    assert_int_equal(parse(&w, "--isolate=false -- --batch 2s --"), BECK_OK);
    assert_int_equal(w.count, 4);
    assert_string_equal(w.rest[1], "--batch");
    assert_string_equal(w.rest[3], "--");
    assert_int_equal(beck__settings_number(w.settings, OPTION_BATCH), 1000);
    assert_int_equal(beck__settings_number(w.settings, OPTION_ISOLATE), 0);
    end(&w);
}

static void conf_sets_any_key(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    assert_int_equal(parse(&w, "--conf engine.encode=all --conf=engine.attempts=7 "
                               "--conf driver.conf_file=a=b"),
                     BECK_OK);
    assert_string_equal(beck__settings_text(w.settings, OPTION_ENCODE), "all");
    assert_int_equal(beck__settings_number(w.settings, OPTION_ATTEMPTS), 7);
    assert_string_equal(beck__settings_text(w.settings, OPTION_CONF_FILE), "a=b");
    assert_int_equal(w.count, 1);
    end(&w);
}

static void mistakes_on_the_command_line(void **state)
{
    (void)state;
    refuses("--bacth 1s", "command line: there is no option \"--bacth\"; did you mean \"--batch\"? "
                          "(the program's own options go after \"--\")");
    refuses("--verbose", "command line: there is no option \"--verbose\"; --help lists all (the "
                         "program's own options go after \"--\")");
    refuses("--batch", "--batch needs a value: --batch DURATION");
    refuses("--batch=", "--batch: \"\" is not a duration such as 500ms, 2s, 1m or 1h (a number "
                        "alone is milliseconds)");
    refuses("--log loud", "--log: \"loud\" is not one of warning, error, info");
    refuses("--conf", "--conf needs a value: --conf KEY=VALUE");
    refuses("--conf engine.encode", "--conf: \"engine.encode\" is not of the form key=value");
    refuses("--conf engine.encod=all", "--conf: there is no option \"engine.encod\"; did you mean "
                                       "\"engine.encode\"?");
    refuses("--conf engine.attempts=0", "--conf engine.attempts: 0 is out of range: give 1 to 100");
}

static void without_arguments_nothing_is_taken(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    assert_int_equal(beck__settings_argv(w.settings, 0, NULL, &w.rest, &w.count, NULL), BECK_OK);
    assert_int_equal(w.count, 0);
    assert_null(w.rest[0]);
    end(&w);
}

struct variables {
    const char *name, *value;
};

static const char *lookup(void *user, const char *name)
{
    for (const struct variables *v = user; v->name; v++) {
        if (strcmp(v->name, name) == 0)
            return v->value;
    }
    return NULL;
}

static void variables_by_flag_or_key(void **state)
{
    struct variables set[] = {{"BECK_BATCH", "2s"},
                              {"BECK_ENGINE_PARTITIONS", "3"},
                              {"BECK_ON_FAILURE", "skip"},
                              {"BECK_RECEIVER_BLOCK_BYTES", "8k"},
                              {"BECK_LOG", ""},
                              {"BECK_PARTITIONS", "5"},
                              {"BECK_NOT_AN_OPTION", "1"},
                              {NULL, NULL}};
    struct world w;

    (void)state;
    begin(&w);
    assert_int_equal(beck__settings_env(w.settings, lookup, set, &w.error), BECK_OK);
    assert_int_equal(beck__settings_number(w.settings, OPTION_BATCH), 2000);
    assert_int_equal(beck__settings_number(w.settings, OPTION_PARTITIONS), 3);
    assert_string_equal(beck__settings_text(w.settings, OPTION_ON_FAILURE), "skip");
    assert_int_equal(beck__settings_number(w.settings, OPTION_BLOCK_BYTES), 8192);
    assert_false(beck__settings_given(w.settings, OPTION_LOG));
    set[0].value = "soon";
    assert_int_equal(beck__settings_env(w.settings, lookup, set, &w.error), BECK_INVALID);
    assert_int_equal(strncmp(w.error.text, "BECK_BATCH: \"soon\" is not", 25), 0);
    end(&w);
}

static void variables_that_are_no_option_are_told(void **state)
{
    static const char *const others[] = {"PATH=/bin",     "BECK",           "BECK_=1",
                                         "BECK_HOME=/x",  "BECK_BATCH=2s",  "BATCH=1",
                                         "BECK_LOG=info", "BECK_ENGINE=v8", "BECK_ENGINE_ENCODE"};
    static const char *const strays[][2] = {
        {"BECK_BACTH=2s",
         "environment: BECK_BACTH is no option and is ignored; did you mean BECK_BATCH?"},
        {"BECK_ENGINE_PARTITION=3", "environment: BECK_ENGINE_PARTITION is no option and is "
                                    "ignored; did you mean BECK_ENGINE_PARTITIONS?"},
        {"BECK_DRIVER_COLOUR=red",
         "environment: BECK_DRIVER_COLOUR is no option and is ignored; --help lists all"}};
    struct error why = {0};

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(beck__settings_stray(others[i], &why));
    for (size_t i = 0; i < sizeof strays / sizeof *strays; i++) {
        beck__error_clear(&why);
        assert_true(beck__settings_stray(strays[i][0], &why));
        assert_string_equal(why.text, strays[i][1]);
    }
}

static beck_status file(struct world *w, const char *text)
{
    return beck__settings_file(w->settings, "wc.conf", text, strlen(text), &w->error);
}

static void a_file_has_lines_of_key_and_value(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    assert_int_equal(file(&w,
                          "# how to run\r\n\r\n driver.batch =  2s \r\n\tengine.master=local[2]\n"
                          "log=info"),
                     BECK_OK);
    assert_int_equal(beck__settings_number(w.settings, OPTION_BATCH), 2000);
    assert_string_equal(beck__settings_text(w.settings, OPTION_MASTER), "local[2]");
    assert_string_equal(beck__settings_text(w.settings, OPTION_LOG), "info");
    assert_int_equal(file(&w, ""), BECK_OK);
    end(&w);
}

static void mistakes_in_a_file_name_the_line(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"\n\nbatch 2s\n", "wc.conf line 3: \"batch 2s\" is not of the form key = value"},
        {"batch = 2y", "wc.conf line 1: \"2y\" is not a duration such as 500ms, 2s, 1m or 1h (a "
                       "number alone is milliseconds)"},
        {"#\nmastr = local\n",
         "wc.conf line 2: there is no option \"mastr\"; did you mean \"master\"?"},
        {"= 1\n", "wc.conf line 1: there is no option \"\"; --help lists all"},
    };

    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++) {
        struct world w;
        begin(&w);
        assert_int_equal(file(&w, cases[i].text), BECK_INVALID);
        assert_string_equal(w.error.text, cases[i].wanted);
        end(&w);
    }
    struct world w;
    begin(&w);
    assert_int_equal(beck__settings_file(w.settings, "f", "batch = \0", 9, &w.error), BECK_INVALID);
    assert_string_equal(w.error.text, "f line 1: it contains a NUL byte");
    end(&w);
}

static void without_memory_there_is_an_error(void **state)
{
    struct world w;
    static char program[] = "wc";
    char *argv[200];

    (void)state;
    begin(&w);
    for (int i = 0; i < 200; i++)
        argv[i] = program;
    w.test.calls = 0;
    w.test.fail_at = 1;
    beck_status status = BECK_OK;
    for (int i = 0; i < 100 && status == BECK_OK; i++)
        status = beck__settings_argv(w.settings, 200, argv, &w.rest, &w.count, &w.error);
    assert_int_equal(status, BECK_NO_MEMORY);
    assert_null(w.rest);
    assert_int_equal(w.count, 0);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_taken_and_the_rest_given_back),
        cmocka_unit_test(after_two_dashes_all_is_the_programs),
        cmocka_unit_test(conf_sets_any_key),
        cmocka_unit_test(mistakes_on_the_command_line),
        cmocka_unit_test(without_arguments_nothing_is_taken),
        cmocka_unit_test(variables_by_flag_or_key),
        cmocka_unit_test(variables_that_are_no_option_are_told),
        cmocka_unit_test(a_file_has_lines_of_key_and_value),
        cmocka_unit_test(mistakes_in_a_file_name_the_line),
        cmocka_unit_test(without_memory_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
