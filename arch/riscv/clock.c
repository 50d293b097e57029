/* SPDX-License-Identifier: MIT */
/*
 * Exact conversion between ticks and nanoseconds: whole seconds and the rest apart.
 *
 * Rules: as in the header. The rest is below hz <= 10^10 (or below 10^9), so its product with
 * the other rate is below 10^19 and fits.
 */
#include "arch/riscv/clock_priv.h"

#define NS_PER_SECOND 1000000000UL

/* seconds * rate + rest, at most UINT64_MAX */
static uint64_t join(uint64_t seconds, uint64_t rate, uint64_t rest)
{
    uint64_t whole;
    uint64_t sum;
    if (__builtin_mul_overflow(seconds, rate, &whole) ||
        __builtin_add_overflow(whole, rest, &sum)) {
        return UINT64_MAX;
    }
    return sum;
}

nsec_t clock_ticks_to_ns(uint64_t ticks, uint64_t hz)
{
    return join(ticks / hz, NS_PER_SECOND, ticks % hz * NS_PER_SECOND / hz);
}

uint64_t clock_ns_to_ticks(nsec_t ns, uint64_t hz)
{
    uint64_t rest = ns % NS_PER_SECOND * hz;
    return join(ns / NS_PER_SECOND, hz, rest / NS_PER_SECOND + (rest % NS_PER_SECOND != 0));
}
