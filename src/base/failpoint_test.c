/* SPDX-License-Identifier: Apache-2.0 */
/* The n-th hit of an armed point fails, once. */
#include "base/testing.h"

static void the_nth_hit_fails_once(void **state)
{
    (void)state;
    assert_false(beck__fail_point("write"));
    beck__fail_point_set("write", 3);
    beck__fail_point_set("sync", 1);
    assert_false(beck__fail_point("write"));
    assert_false(beck__fail_point("other"));
    assert_false(beck__fail_point("write"));
    assert_true(beck__fail_point("write"));
    assert_false(beck__fail_point("write"));
    assert_true(beck__fail_point("sync"));
    beck__fail_point_set("write", 1);
    assert_true(beck__fail_point("write"));
}

static void clearing_disarms_all(void **state)
{
    (void)state;
    beck__fail_point_set("a", 1);
    beck__fail_point_set("b", 1);
    beck__fail_point_set(NULL, 0);
    assert_false(beck__fail_point("a"));
    assert_false(beck__fail_point("b"));
    beck__fail_point_set("b", 1);
    assert_true(beck__fail_point("b"));
    beck__fail_point_set(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nth_hit_fails_once),
        cmocka_unit_test(clearing_disarms_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
