/* SPDX-License-Identifier: Apache-2.0 */
/* The table, defaults, setting by key and by flag, unknown names, no memory. */
#include "base/testing.h"
#include "config/inside.h"

struct world {
    struct test_memory test;
    struct arena arena;
    struct settings *settings;
    struct error error;
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

static void every_default_is_valid(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    for (int i = 0; i < OPTION_COUNT; i++) {
        assert_false(beck__settings_given(w.settings, (enum option)i));
        assert_non_null(beck__settings_text(w.settings, (enum option)i));
    }
    assert_int_equal(beck__settings_number(w.settings, OPTION_BATCH), 1000);
    assert_int_equal(beck__settings_number(w.settings, OPTION_PARTITIONS), 8);
    assert_int_equal(beck__settings_number(w.settings, OPTION_SPLIT_BYTES), 32 << 20);
    assert_int_equal(beck__settings_number(w.settings, OPTION_ON_FAILURE), 0);
    assert_string_equal(beck__settings_text(w.settings, OPTION_ON_FAILURE), "stop");
    assert_string_equal(beck__settings_text(w.settings, OPTION_MASTER), "local[*]");
    end(&w);
}

static void names_are_unique(void **state)
{
    (void)state;
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct definition *d = &beck__definitions[i];
        assert_int_equal(beck__option_find(beck_string(d->key)), i);
        assert_true(strlen(d->help) > 0 && strlen(d->help) < 200);
        if (*d->flag)
            assert_int_equal(beck__option_find(beck_string(d->flag)), i);
    }
    assert_int_equal(beck__option_find(beck_string("")), OPTION_COUNT);
}

static void the_last_value_wins(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    assert_int_equal(beck__settings_set(w.settings, "batch", "2s", "--batch", &w.error), BECK_OK);
    assert_int_equal(beck__settings_set(w.settings, "driver.batch", "3s", "x", &w.error), BECK_OK);
    assert_int_equal(beck__settings_number(w.settings, OPTION_BATCH), 3000);
    assert_string_equal(beck__settings_text(w.settings, OPTION_BATCH), "3s");
    assert_true(beck__settings_given(w.settings, OPTION_BATCH));
    assert_int_equal(beck__settings_set(w.settings, "log", "info", "x", &w.error), BECK_OK);
    assert_int_equal(beck__settings_number(w.settings, OPTION_LOG), 2);
    end(&w);
}

static void a_bad_value_changes_nothing(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    assert_int_equal(beck__settings_set(w.settings, "batch", "0", "BECK_BATCH", &w.error),
                     BECK_INVALID);
    assert_string_equal(w.error.text, "BECK_BATCH: 0 is out of range: give 1ms to 24h");
    assert_int_equal(beck__settings_number(w.settings, OPTION_BATCH), 1000);
    assert_false(beck__settings_given(w.settings, OPTION_BATCH));
    end(&w);
}

static void an_unknown_name_suggests_the_nearest(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    assert_int_equal(
        beck__settings_set(w.settings, "driver.bacth", "1s", "wc.conf line 3", &w.error),
        BECK_INVALID);
    assert_string_equal(w.error.text, "wc.conf line 3: there is no option \"driver.bacth\"; did "
                                      "you mean \"driver.batch\"?");
    beck__error_clear(&w.error);
    beck__settings_set(w.settings, "spark.executor.memory", "1g", "x", &w.error);
    assert_string_equal(w.error.text,
                        "x: there is no option \"spark.executor.memory\"; --help lists all");
    end(&w);
}

static void without_memory_there_is_an_error(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 4; n++) {
        struct test_memory test;
        struct arena arena = {0};
        struct error error = {0};
        beck__arena_init(&arena, test_memory_init(&test, n));
        arena.first = 256;
        struct settings *settings = beck__settings_new(&arena);
        char large[20000];
        memset(large, 'x', sizeof large);
        large[sizeof large - 1] = '\0';
        if (settings) {
            beck_status status = beck__settings_set(settings, "conf-file", large, "x", &error);
            assert_int_equal(status, BECK_NO_MEMORY);
            assert_string_equal(beck__settings_text(settings, OPTION_CONF_FILE), "");
        }
        beck__arena_deinit(&arena);
        assert_int_equal(test.used, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_is_valid),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(the_last_value_wins),
        cmocka_unit_test(a_bad_value_changes_nothing),
        cmocka_unit_test(an_unknown_name_suggests_the_nearest),
        cmocka_unit_test(without_memory_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
