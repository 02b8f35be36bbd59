/* SPDX-License-Identifier: Apache-2.0 */
/* Levels, the line on standard error, the user's callback, a text that is too long. */
#include "base/testing.h"
#include "observe/observe.h"

/* Stands for the os: keeps what is printed. */
struct printer {
    struct os os;
    int stream, lines;
    char line[3000];
};

static void print(struct os *os, int stream, const char *data, size_t size)
{
    struct printer *p = (struct printer *)os;

    assert_true(size < sizeof p->line);
    memcpy(p->line, data, size);
    p->line[size] = '\0';
    p->stream = stream;
    p->lines++;
}

static void a_line_in_one_piece(void **state)
{
    struct printer p = {.os.print = print};
    struct log log = {.os = &p.os, .level = BECK_LOG_WARNING};

    (void)state;
    beck__log(&log, BECK_LOG_WARNING, "%s took %d ms", "batch", 7);
    assert_string_equal(p.line, "beck: warning: batch took 7 ms\n");
    assert_int_equal(p.stream, 2);
    beck__log(&log, BECK_LOG_ERROR, "no");
    assert_string_equal(p.line, "beck: error: no\n");
    beck__log(&log, BECK_LOG_INFO, "not shown");
    assert_int_equal(p.lines, 2);
    log.level = BECK_LOG_INFO;
    beck__log(&log, BECK_LOG_INFO, "shown");
    assert_string_equal(p.line, "beck: info: shown\n");
}

struct seen {
    beck_log_level level;
    char text[3000];
};

static void keep(void *user, beck_log_level level, const char *text)
{
    struct seen *seen = user;

    seen->level = level;
    assert_true(strlen(text) < sizeof seen->text);
    memcpy(seen->text, text, strlen(text) + 1);
}

static void the_callback_gets_the_text_alone(void **state)
{
    struct printer p = {.os.print = print};
    struct seen seen = {0};
    struct log log = {.os = &p.os, .fn = keep, .user = &seen, .level = BECK_LOG_WARNING};

    (void)state;
    beck__log(&log, BECK_LOG_WARNING, "%d lines cut", 3);
    assert_string_equal(seen.text, "3 lines cut");
    assert_int_equal(seen.level, BECK_LOG_WARNING);
    assert_int_equal(p.lines, 0);
}

static void a_long_text_ends_in_dots(void **state)
{
    struct printer p = {.os.print = print};
    struct log log = {.os = &p.os, .level = BECK_LOG_INFO};

    (void)state;
    beck__log(&log, BECK_LOG_INFO, "%5000d", 1);
    assert_int_equal(strlen(p.line), 1999);
    assert_string_equal(p.line + strlen(p.line) - 4, "...\n");
    beck__log(&log, BECK_LOG_INFO, "%s", "");
    assert_string_equal(p.line, "beck: info: \n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_in_one_piece),
        cmocka_unit_test(the_callback_gets_the_text_alone),
        cmocka_unit_test(a_long_text_ends_in_dots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
