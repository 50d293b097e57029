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

#ifdef __riscv

/* What a tick takes; 0 when that is no whole number of nanoseconds. Written by the boot core's timer_init_core. */
extern uint64_t timer_tick_ns;

/* The counter itself: for who adds up short times. */
static inline uint64_t timer_now_ticks(void)
{
    uint64_t ticks;

    __asm__ volatile("rdtime %0" : "=r"(ticks));
    return ticks;
}

/* The counter, exactly, in nanoseconds, whatever a tick takes. */
nsec_t timer_ticks_to_ns(uint64_t ticks);

/* The same, short where a tick is a whole number of nanoseconds. */
static inline nsec_t timer_ns_of_ticks(uint64_t ticks)
{
    return __builtin_expect(timer_tick_ns != 0, 1) ? ticks * timer_tick_ns
                                                   : timer_ticks_to_ns(ticks);
}

/* Nanoseconds since boot; exact for 584 years. */
static inline nsec_t timer_now_ns(void)
{
    return timer_ns_of_ticks(timer_now_ticks());
}

#else /* the host: unit tests have a clock of their own */

uint64_t timer_now_ticks(void);
nsec_t timer_ticks_to_ns(uint64_t ticks);
nsec_t timer_now_ns(void);

#endif

/*
 * The calling core's timer interrupt comes at `when` or as soon after as the counter allows,
 * never before; at once if `when` has passed; not at all for TIMER_NEVER.
 */
void timer_set_deadline(nsec_t when);
