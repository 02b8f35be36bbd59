/* SPDX-License-Identifier: Apache-2.0 */
/* Values of each kind: what is accepted, what the error says, and numbers written back. */
#include "base/testing.h"
#include "config/inside.h"

#include <stdio.h>

static const struct definition duration = {"k", "", KIND_DURATION, "1s", 1, 86400000, ""};
static const struct definition bytes = {"k", "", KIND_BYTES, "0", 0, INT64_C(1) << 50, ""};
static const struct definition whole = {"k", "", KIND_COUNT, "8", 1, 100, ""};
static const struct definition choice = {"k", "", KIND_CHOICE, "warning|error|info", 0, 0, ""};
static const struct definition flag = {"k", "", KIND_FLAG, "false", 0, 1, ""};
static const struct definition pools = {"k", "", KIND_POOLS, "", 0, 0, ""};
static const struct definition master = {"k", "", KIND_MASTER, "local[*]", 0, 0, ""};
static const struct definition text = {"k", "", KIND_TEXT, "", 0, 0, ""};

static void accepts(const struct definition *d, const char *value, int64_t wanted)
{
    struct error error = {0};
    int64_t number = -1;

    assert_int_equal(beck__value_parse(d, beck_string(value), &number, "--x", &error), BECK_OK);
    assert_true(number == wanted);
}

static void refuses(const struct definition *d, const char *value, const char *wanted)
{
    struct error error = {0};
    int64_t number;

    assert_int_equal(beck__value_parse(d, beck_string(value), &number, "--x", &error),
                     BECK_INVALID);
    assert_string_equal(error.text, wanted);
}

static void durations_have_units(void **state)
{
    (void)state;
    accepts(&duration, "500ms", 500);
    accepts(&duration, "2s", 2000);
    accepts(&duration, "1m", 60000);
    accepts(&duration, "24h", 86400000);
    accepts(&duration, "7", 7);
    accepts(&duration, "3S", 3000);
    refuses(&duration, "0s", "--x: 0s is out of range: give 1ms to 24h");
    refuses(&duration, "25h", "--x: 25h is out of range: give 1ms to 24h");
    refuses(&duration, "fast",
            "--x: \"fast\" is not a duration such as 500ms, 2s, 1m or 1h (a number alone is "
            "milliseconds)");
}

static void nonsense_is_no_number(void **state)
{
    static const char *const values[] = {
        "",   "s",    "-1", "1 s", "1.5s", "1d", "99999999999999999999", "9223372036854775807h",
        "+1", "0x10", "1ss"};
    int64_t number;

    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(values); i++)
        assert_int_equal(beck__value_parse(&duration, beck_string(values[i]), &number, "x", NULL),
                         BECK_INVALID);
}

static void sizes_have_units(void **state)
{
    (void)state;
    accepts(&bytes, "4096", 4096);
    accepts(&bytes, "64k", 65536);
    accepts(&bytes, "1M", 1 << 20);
    accepts(&bytes, "2g", INT64_C(2) << 30);
    accepts(&bytes, "1t", INT64_C(1) << 40);
    accepts(&bytes, "0", 0);
    refuses(&bytes, "2x", "--x: \"2x\" is not a size such as 4096, 64k, 32m or 2g");
    refuses(&bytes, "2000t", "--x: 2000t is out of range: give 0 to 1024t");
}

static void counts_have_a_range(void **state)
{
    (void)state;
    accepts(&whole, "1", 1);
    accepts(&whole, "100", 100);
    refuses(&whole, "101", "--x: 101 is out of range: give 1 to 100");
    refuses(&whole, "many", "--x: \"many\" is not a whole number");
}

static void choices_are_listed(void **state)
{
    (void)state;
    accepts(&choice, "warning", 0);
    accepts(&choice, "info", 2);
    refuses(&choice, "debug", "--x: \"debug\" is not one of warning, error, info");
    refuses(&choice, "warning|error", "--x: \"warning|error\" is not one of warning, error, info");
    assert_true(beck_string_equal(beck__value_initial(&choice), beck_string("warning")));
}

static void flags_are_true_or_false(void **state)
{
    (void)state;
    accepts(&flag, "true", 1);
    accepts(&flag, "false", 0);
    refuses(&flag, "maybe", "--x: \"maybe\" is not true or false");
}

static void text_is_anything(void **state)
{
    (void)state;
    accepts(&text, "", 0);
    accepts(&text, "anything | at = all", 0);
}

static void masters_are_local(void **state)
{
    (void)state;
    accepts(&master, "local", 0);
    accepts(&master, "local[4]", 0);
    accepts(&master, "local[*]", 0);
    refuses(&master, "spark://host:7077",
            "--x: \"spark://host:7077\" is not local, local[N] or local[*] (N threads, or one per "
            "processor)");
    static const char *const wrong[] = {"local[0]",  "local[]", "local[-1]",   "local[4",
                                        "local[4]x", "Local",   "local[4097]", ""};
    int64_t number;
    for (size_t i = 0; i < BECK__COUNT_OF(wrong); i++)
        assert_int_equal(beck__value_parse(&master, beck_string(wrong[i]), &number, "x", NULL),
                         BECK_INVALID);
    assert_int_equal(beck__master_threads("local", 8), 1);
    assert_int_equal(beck__master_threads("local[3]", 8), 3);
    assert_int_equal(beck__master_threads("local[*]", 8), 8);
    assert_int_equal(beck__master_threads("local[*]", 0), 1);
}

static void check_pools(const char *given, const char *expected)
{
    beck_str list = beck_string(given), name;
    char read[100] = "";
    uint32_t weight;

    accepts(&pools, given, 0);
    while (beck__pools_next(&list, &name, &weight)) {
        size_t size = strlen(read);
        snprintf(read + size, sizeof read - size, "%.*s=%u ", (int)name.size, name.data, weight);
    }
    assert_int_equal(list.size, 0);
    assert_string_equal(read, expected);
}

static void pools_have_weights(void **state)
{
    (void)state;
    check_pools("", "");
    check_pools("alerts:4", "alerts=4 ");
    check_pools(" alerts : 4 , reports,default:1000", "alerts=4 reports=1 default=1000 ");
    refuses(&pools, "alerts=4:x",
            "--x: \"alerts=4:x\" is not a list of pools with weights from 1 to 1000, such as "
            "alerts:4,reports:1");
    static const char *const wrong[] = {":4", "a:", "a:0", "a:1001", "a:-1", "a:1:2", ",", "a,,b"};
    int64_t number;
    for (size_t i = 0; i < BECK__COUNT_OF(wrong); i++)
        assert_int_equal(beck__value_parse(&pools, beck_string(wrong[i]), &number, "x", NULL),
                         BECK_INVALID);
}

static void long_values_are_shortened_in_errors(void **state)
{
    char value[1000];
    struct error error = {0};
    int64_t number;

    (void)state;
    memset(value, 'x', sizeof value);
    beck__value_parse(&whole, beck_bytes_of(value, sizeof value), &number, "--x", &error);
    assert_true(strlen(error.text) < 160);
}

static void numbers_are_written_back(void **state)
{
    static const struct {
        enum kind kind;
        int64_t number;
        const char *wanted;
    } cases[] = {{KIND_DURATION, 90000, "90s"},  {KIND_DURATION, 1500, "1500ms"},
                 {KIND_DURATION, 3600000, "1h"}, {KIND_DURATION, 0, "0ms"},
                 {KIND_BYTES, 65536, "64k"},     {KIND_BYTES, 1000, "1000"},
                 {KIND_BYTES, 1 << 30, "1g"},    {KIND_BYTES, 0, "0"},
                 {KIND_COUNT, 65536, "65536"}};

    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++) {
        char written[32];
        beck__value_print(cases[i].kind, cases[i].number, written, sizeof written);
        assert_string_equal(written, cases[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(nonsense_is_no_number),
        cmocka_unit_test(sizes_have_units),
        cmocka_unit_test(counts_have_a_range),
        cmocka_unit_test(choices_are_listed),
        cmocka_unit_test(flags_are_true_or_false),
        cmocka_unit_test(text_is_anything),
        cmocka_unit_test(masters_are_local),
        cmocka_unit_test(pools_have_weights),
        cmocka_unit_test(long_values_are_shortened_in_errors),
        cmocka_unit_test(numbers_are_written_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
