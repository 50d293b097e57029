/* SPDX-License-Identifier: MIT */
/*
 * Exact conversion between the counter's ticks and nanoseconds.
 *
 * Rules: pure. hz is 1 .. CLOCK_MAX_HZ, so that no intermediate value overflows 64 bits;
 * results beyond 64 bits are UINT64_MAX.
 */
#pragma once

#include "kernel/base/types.h"

#define CLOCK_MAX_HZ 10000000000UL

/* Rounds down. */
nsec_t clock_ticks_to_ns(uint64_t ticks, uint64_t hz);

/* Rounds up: the first tick at which at least `ns` have passed. */
uint64_t clock_ns_to_ticks(nsec_t ns, uint64_t hz);
