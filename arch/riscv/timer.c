/* SPDX-License-Identifier: MIT */
/*
 * The timer: stimecmp where every hart has Sstc, else the firmware's TIME extension.
 *
 * Rules: as in arch/timer.h. With Sstc the interrupt is pending while time >= stimecmp, so a
 * deadline in the past fires at once (RISC-V Sstc extension 1.0).
 */
#include "arch/timer.h"

#include "arch/platform.h"
#include "arch/riscv/clock_priv.h"
#include "arch/riscv/sbi_priv.h"

#define NS_PER_SECOND 1000000000UL

uint64_t timer_tick_ns;

static void write_compare(uint64_t ticks)
{
    if (platform.has_sstc) {
        __asm__ volatile("csrw 0x14d, %0" ::"r"(ticks) : "memory"); /* stimecmp */
    } else {
        sbi_set_timer(ticks);
    }
}

void timer_init_core(void)
{
    /* Each core writes the same. */
    timer_tick_ns =
        NS_PER_SECOND % platform.timebase_hz == 0 ? NS_PER_SECOND / platform.timebase_hz : 0;
    write_compare(UINT64_MAX);
}

nsec_t timer_ticks_to_ns(uint64_t ticks)
{
    return clock_ticks_to_ns(ticks, platform.timebase_hz);
}

void timer_set_deadline(nsec_t when)
{
    write_compare(clock_ns_to_ticks(when, platform.timebase_hz));
}
