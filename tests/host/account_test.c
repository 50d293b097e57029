/* SPDX-License-Identifier: MIT */
/* Tests memory accounts. */

#include "mm/account.h"
#include "tests/host/death.h"
#include "tests/test.h"

TEST(account, limit_is_exact_and_errors_charge_nothing)
{
    struct account mine;

    account_init(&mine, 10);
    EXPECT_OK(account_charge_pages(&mine, 10));
    EXPECT_EQ(account_charge_pages(&mine, 1), ERR_NO_MEMORY);
    account_uncharge_pages(&mine, 4);
    EXPECT_EQ(account_charge_pages(&mine, UINT64_MAX), ERR_NO_MEMORY);
    EXPECT_EQ(account_pages(&mine), 6);
}

static void uncharge_too_much(void *argument)
{
    account_uncharge_pages(argument, 1);
}

TEST(account, uncharging_more_than_is_charged_panics)
{
    struct account mine;

    account_init(&mine, 10);
    EXPECT_TRUE(dies_by_assertion(uncharge_too_much, &mine));
}
