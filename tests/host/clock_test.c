/* SPDX-License-Identifier: MIT */
/* Tests the conversion between ticks and nanoseconds. */

#include "arch/riscv/clock_priv.h"
#include "tests/test.h"

#define QEMU_HZ 10000000UL

TEST(clock, whole_ticks_convert_exactly)
{
    EXPECT_EQ(clock_ticks_to_ns(0, QEMU_HZ), 0);
    EXPECT_EQ(clock_ticks_to_ns(1, QEMU_HZ), 100);
    EXPECT_EQ(clock_ticks_to_ns(123456789012345, QEMU_HZ), 12345678901234500);
    EXPECT_EQ(clock_ns_to_ticks(12345678901234500, QEMU_HZ), 123456789012345);
}

TEST(clock, a_deadline_is_never_early)
{
    EXPECT_EQ(clock_ns_to_ticks(1, QEMU_HZ), 1);
    EXPECT_EQ(clock_ns_to_ticks(100, QEMU_HZ), 1);
    EXPECT_EQ(clock_ns_to_ticks(101, QEMU_HZ), 2);
    for (uint64_t hz = 1; hz < CLOCK_MAX_HZ; hz = hz * 3 + 1) {
        for (uint64_t ns = 1; ns < 1UL << 60; ns = ns * 7 + 3) {
            uint64_t ticks = clock_ns_to_ticks(ns, hz);
            uint64_t back = clock_ticks_to_ns(ticks, hz);
            /* Beyond 10^9 Hz a tick is less than a nanosecond, and rounding down may lose one. */
            EXPECT_TRUE(back + (hz > 1000000000) >= ns);
        }
    }
}

TEST(clock, strange_rates_round_down_to_nanoseconds)
{
    EXPECT_EQ(clock_ticks_to_ns(1, 3), 333333333);
    EXPECT_EQ(clock_ticks_to_ns(2, 3), 666666666);
    EXPECT_EQ(clock_ticks_to_ns(3, 3), 1000000000);
    EXPECT_EQ(clock_ticks_to_ns(32768, 32768), 1000000000);
}

TEST(clock, the_far_future_saturates)
{
    EXPECT_TRUE(clock_ns_to_ticks(UINT64_MAX, CLOCK_MAX_HZ) == UINT64_MAX);
    EXPECT_TRUE(clock_ticks_to_ns(UINT64_MAX, 1) == UINT64_MAX);
    EXPECT_TRUE(clock_ticks_to_ns(UINT64_MAX, QEMU_HZ) == UINT64_MAX);
    EXPECT_EQ(clock_ticks_to_ns(UINT64_MAX, CLOCK_MAX_HZ), 1844674407370955161);
}
