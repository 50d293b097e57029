/* SPDX-License-Identifier: MIT */
/*
 * Tests that end in each possible way on purpose; only a pattern that begins with "selftest" runs
 * them, in a machine of their own.
 */
#include "arch/irq.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"

TEST(selftest, pass)
{
    EXPECT_TRUE(true);
}

TEST(selftest, fail)
{
    EXPECT_EQ(1 + 1, 3);
}

TEST(selftest, leak)
{
    EXPECT_TRUE(spmalloc(&kernel_account, 64) != NULL);
}

TEST(selftest, panic)
{
    BUG_ON(timer_now_ns() > 0);
}

TEST(selftest, fault)
{
    uintptr_t nowhere = 8;

    __asm__("" : "+r"(nowhere));
    *(volatile uint64_t *)nowhere = 1;
}

/* The address is in no bank, so its page has no record. */
TEST(selftest, foreign)
{
    nexus_free_page(0x1000);
}

/* The bound keeps the compiler from refusing what is meant. */
static uint64_t overflow(uint64_t depth)
{
    volatile uint64_t here[64];

    here[depth % 64] = depth;
    return depth == UINT64_MAX ? 0 : overflow(depth + 1) + here[depth % 64];
}

TEST(selftest, overflow)
{
    EXPECT_EQ(overflow(1), 0);
}

TEST(selftest, lockup)
{
    irq_disable();
    for (;;) {
        arch_relax();
    }
}

TEST(selftest, sleep)
{
    (void)sched_sleep_until(timer_now_ns() + 1000000000000UL);
}
