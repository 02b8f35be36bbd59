/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean ...?" */
#include "base/testing.h"
#include "config/config.h"

static const char *const names[] = {"master", "batch", "partitions", "isolate", "log"};

static const char *nearest(const char *name)
{
    return beck__nearest_name(beck_string(name), names, BECK__COUNT_OF(names));
}

static void a_typing_mistake_is_recognised(void **state)
{
    (void)state;
    assert_string_equal(nearest("bacth"), "batch");
    assert_string_equal(nearest("batchs"), "batch");
    assert_string_equal(nearest("atch"), "batch");
    assert_string_equal(nearest("partition"), "partitions");
    assert_string_equal(nearest("isolat"), "isolate");
    assert_string_equal(nearest("mastre"), "master");
    assert_string_equal(nearest("batch"), "batch");
}

static void what_is_far_is_not_suggested(void **state)
{
    char large[200];

    (void)state;
    assert_null(nearest("checkpoint"));
    assert_null(nearest("xyz"));
    assert_null(nearest("foo")); /* "log" shares one letter of three */
    assert_null(nearest(""));
    memset(large, 'b', sizeof large);
    assert_null(beck__nearest_name(beck_bytes_of(large, sizeof large), names, 5));
    assert_null(beck__nearest_name(beck_string("batch"), names, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_typing_mistake_is_recognised),
        cmocka_unit_test(what_is_far_is_not_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
