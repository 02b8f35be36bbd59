/* SPDX-License-Identifier: Apache-2.0 */
/* Names and texts of the statuses; the version. */
#include "base/testing.h"

#include <beck/beck.h>

static void every_status_has_a_name_and_a_text(void **state)
{
    (void)state;
    assert_string_equal(beck_status_name(BECK_OK), "OK");
    assert_string_equal(beck_status_name(BECK_NO_MEMORY), "NO_MEMORY");
    assert_string_equal(beck_status_text(BECK_NO_MEMORY), "out of memory");
    assert_string_equal(beck_status_name(BECK_AGAIN), "AGAIN");
    for (int i = 0; i < BECK_STATUS_COUNT; i++) {
        assert_true(strlen(beck_status_name((beck_status)i)) > 1);
        assert_true(strlen(beck_status_text((beck_status)i)) > 1);
    }
    assert_string_equal(beck_status_name(BECK_STATUS_COUNT), "UNKNOWN");
    assert_string_equal(beck_status_text(BECK_STATUS_COUNT), "unknown status");
}

static void version_is_the_headers(void **state)
{
    (void)state;
    assert_string_equal(beck_version(), BECK_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_and_a_text),
        cmocka_unit_test(version_is_the_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
