/* SPDX-License-Identifier: Apache-2.0 */
/* Quantiles are right to 12 %, over the whole range of values. */
#include "base/testing.h"
#include "observe/observe.h"

static void an_empty_one_gives_zero(void **state)
{
    static struct histogram h;

    (void)state;
    assert_true(beck__histogram_quantile(&h, 0.5) == 0);
    assert_true(beck__histogram_quantile(&h, 1) == 0);
}

static void small_values_are_exact(void **state)
{
    static struct histogram h;

    (void)state;
    for (uint64_t us = 0; us < 16; us++)
        beck__histogram_add(&h, us);
    for (uint64_t us = 0; us < 16; us++)
        assert_true(beck__histogram_quantile(&h, ((double)us + 0.5) / 16) == us);
}

static void any_value_is_right_to_twelve_percent(void **state)
{
    static struct histogram h;

    (void)state;
    for (int bit = 3; bit < 64; bit++) {
        for (uint64_t eighth = 0; eighth < 64; eighth++) {
            uint64_t us = (UINT64_C(1) << bit) + (((UINT64_C(1) << bit) - 1) / 64) * eighth;
            memset(&h, 0, sizeof h);
            beck__histogram_add(&h, us);
            beck__histogram_add(&h, UINT64_MAX); /* so that max does not help */
            uint64_t found = beck__histogram_quantile(&h, 0.25);
            uint64_t error = found > us ? found - us : us - found;
            assert_true((double)error <= 0.12 * (double)us);
            assert_true(beck__histogram_quantile(&h, 1) == UINT64_MAX);
        }
    }
}

static void quantiles_of_many(void **state)
{
    static struct histogram h;

    (void)state;
    for (uint64_t us = 1; us <= 100000; us++)
        beck__histogram_add(&h, us);
    for (int percent = 1; percent < 100; percent++) {
        double wanted = percent * 1000, q = percent / 100.0;
        double found = (double)beck__histogram_quantile(&h, q);
        assert_true(found > 0.88 * wanted && found < 1.12 * wanted);
    }
    assert_true(h.count == 100000 && h.max == 100000);
    assert_true(beck__histogram_quantile(&h, -1) == 1);
    assert_true(beck__histogram_quantile(&h, 2) == 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_gives_zero),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(any_value_is_right_to_twelve_percent),
        cmocka_unit_test(quantiles_of_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
