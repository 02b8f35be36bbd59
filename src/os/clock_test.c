/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks go forward. */
#include "os/testing.h"

static void clocks_go_forward(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    int64_t mono = os->mono_ns(os), cpu = os->cpu_ns(os);
    os->sleep_ns(os, 1000); /* a microsecond: enough to see it come back */
    os->sleep_ns(os, 0);
    os->sleep_ns(os, -1);
    assert_true(os->mono_ns(os) >= mono + 1000);
    assert_true(os->cpu_ns(os) >= cpu);
    assert_true(os->wall_ms(os) > 1600000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {test(clocks_go_forward)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
