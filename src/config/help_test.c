/* SPDX-License-Identifier: Apache-2.0 */
/* The help page and the document: complete, and no line wider than 80 columns on the page. */
#include "base/testing.h"
#include "config/inside.h"

static void the_page_is_complete_and_narrow(void **state)
{
    struct test_memory test;
    struct text page = {.memory = test_memory_init(&test, 0)};

    (void)state;
    beck__settings_help("wc", &page);
    assert_false(page.failed);
    assert_int_equal(strncmp(page.data, "Usage: wc [OPTION]...", 21), 0);
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct definition *d = &beck__definitions[i];
        assert_non_null(strstr(page.data, *d->flag ? d->flag : d->key));
    }
    for (const char *at = page.data; *at;) {
        size_t width = strcspn(at, "\n");
        assert_true(width <= 80);
        assert_true(width == 0 || at[width - 1] != ' ');
        at += width + 1;
    }
    assert_non_null(strstr(page.data, "\n  --batch DURATION        batch interval (default 1s)\n"));
    beck__text_deinit(&page);
    assert_int_equal(test.used, 0);
}

static void the_document_has_a_row_for_each_option(void **state)
{
    struct test_memory test;
    struct text page = {.memory = test_memory_init(&test, 0)};
    size_t rows = 0;

    (void)state;
    beck__settings_document(&page);
    for (const char *at = page.data; *at; at += strcspn(at, "\n") + 1) {
        size_t cells = 0;
        if (*at != '|')
            continue;
        rows++;
        for (const char *c = at; *c != '\n'; c++)
            cells += *c == '|' && (c == at || c[-1] != '\\');
        assert_int_equal(cells, 7);
    }
    assert_int_equal(rows, OPTION_COUNT + 2);
    assert_non_null(strstr(page.data, "| `driver.batch` | `--batch` | `BECK_BATCH` | DURATION, 1ms "
                                      "to 24h | `1s` | batch interval |\n"));
    beck__text_deinit(&page);
}

static void without_memory_the_text_has_failed(void **state)
{
    struct test_memory test;
    struct text page = {.memory = test_memory_init(&test, 3)};

    (void)state;
    beck__settings_help("wc", &page);
    assert_true(page.failed);
    beck__text_deinit(&page);
    assert_int_equal(test.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_complete_and_narrow),
        cmocka_unit_test(the_document_has_a_row_for_each_option),
        cmocka_unit_test(without_memory_the_text_has_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
