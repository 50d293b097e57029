/* SPDX-License-Identifier: MIT */
/*
 * The clock and each core's one-shot timer.
 *
 * Rules: any context; never blocks. Time is nanoseconds since the machine's counter was zero,
 * the same on all cores. The timer interrupt stays pending until the next
 * timer_set_deadline(), so the handler must set one.
 */
#pragma once

#include "kernel/base/types.h"

#define TIMER_NEVER (~0UL)

/* Once per core, with interrupts off: no deadline. trap_init_core() lets the interrupt in. */
void timer_init_core(void);

/* The counter itself, and its unit: for who adds up short times. */
#ifdef __riscv
static inline uint64_t timer_now_ticks(void)
{
    uint64_t ticks;

    __asm__ volatile("rdtime %0" : "=r"(ticks));
    return ticks;
}
#else
uint64_t timer_now_ticks(void);
#endif
nsec_t timer_ticks_to_ns(uint64_t ticks);

/* Nanoseconds since boot; exact, does not wrap (saturates after 584 years). */
nsec_t timer_now_ns(void);

/*
 * The calling core's timer interrupt comes at `when` or as soon after as the counter allows,
 * never before; at once if `when` has passed; not at all for TIMER_NEVER.
 */
void timer_set_deadline(nsec_t when);
