/* SPDX-License-Identifier: MIT */
/* What the boot found out about the machine. */
#include <string.h>

#include "arch/core.h"
#include "arch/platform.h"
#include "kernel/abi/limits.h"
#include "mm/frame.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/plan.h"

TEST(boot, every_core_is_online_under_its_own_number)
{
    ASSERT_EQ(sched_online_count(), platform.core_count);
    for (cpu_t cpu = 0; cpu < platform.core_count; cpu++) {
        EXPECT_EQ(cores[cpu].cpu, cpu);
        EXPECT_EQ(cores[cpu].hart_id, platform.hart_id[cpu]);
        EXPECT_EQ(cores[cpu].online, 1);
        EXPECT_EQ(platform_find_cpu(platform.hart_id[cpu]), cpu);
    }
    EXPECT_EQ(cores[platform.core_count].online, 0);
}

TEST(boot, the_machine_is_plausible)
{
    uint64_t pages = 0;

    ASSERT_TRUE(platform.bank_count >= 1 && platform.bank_count <= PLATFORM_MAX_BANKS);
    for (uint32_t i = 0; i < platform.bank_count; i++) {
        const struct platform_bank *bank = &platform.banks[i];

        EXPECT_TRUE(bank->bytes > 0 && IS_ALIGNED(bank->base | bank->bytes, PAGE_BYTES));
        EXPECT_TRUE(bank->numa_node < platform.numa_count);
        if (i > 0) {
            EXPECT_TRUE(bank[-1].base + bank[-1].bytes <= bank->base);
        }
        pages += bank->bytes / PAGE_BYTES;
    }
    EXPECT_TRUE(frame_total_pages() <= pages);
    EXPECT_TRUE(frame_total_pages() > pages / 2);
    EXPECT_TRUE(platform.timebase_hz >= 1000000);
    EXPECT_NE(platform.test_device, 0);
    EXPECT_NE(platform.uart.base, 0);
    EXPECT_TRUE(platform.plic.sources >= platform.uart.irq);
    for (cpu_t cpu = 0; cpu < platform.core_count; cpu++) {
        EXPECT_TRUE(platform.numa_node[cpu] < platform.numa_count);
    }
}

TEST(boot, arguments_are_found_by_name)
{
    char value[96] = "untouched";
    char cut[3] = {'x', 'x', 'x'};
    char wanted[3];

    EXPECT_FALSE(bootarg_find("no-such-argument", value, sizeof(value)));
    EXPECT_TEXT(value, "untouched");
    EXPECT_FALSE(bootarg_find("tes", NULL, 0));
    ASSERT_TRUE(bootarg_find("test", value, sizeof(value)));
    EXPECT_TRUE(value[0] == '\0' ||
                test_pattern_matches(value, "boot.arguments_are_found_by_name"));
    EXPECT_TRUE(bootarg_find("test", cut, sizeof(cut)));
    ASSERT_TRUE(memchr(cut, '\0', sizeof(cut)) != NULL);
    (void)strlcpy(wanted, value, sizeof(wanted)); /* the pattern may be a letter, or none */
    EXPECT_TEXT(cut, wanted);
}

static nsec_t latest; /* handed from core to core by a migration */

TEST(boot, the_clock_never_goes_back_from_core_to_core)
{
    latest = timer_now_ns();
    for (unsigned i = 0; i < 4 * platform.core_count; i++) {
        ASSERT_OK(sched_migrate(i % platform.core_count));
        nsec_t now = timer_now_ns();

        ASSERT_TRUE(now >= latest);
        latest = now;
    }
}
