/* SPDX-License-Identifier: MIT */
/*
 * Makes a chosen allocation fail, so that tests can try every out-of-memory path.
 *
 * Rules: in builds with tests only; elsewhere fail_this_allocation() is a constant. One count for
 * the whole machine, of frame_alloc and spmalloc calls on any core. Any context.
 */
#pragma once

#include "kernel/base/atomic.h"
#include "kernel/base/types.h"

#ifndef BATON_TESTS
#define BATON_TESTS 0
#endif

#if BATON_TESTS

/* The n-th allocation from now on fails, once; 0 turns that off. */
void fail_nth_allocation(uint64_t n);

/* Each of the next n allocations fails; 0 turns that off. */
void fail_next_allocations(uint64_t n);

/* True while a failure that was asked for has not happened. */
bool fail_is_pending(void);

/* The allocators' own: how many calls from now, and one call less. */
extern uint64_t fail_countdown;
bool fail_count_down(void);

/* For fast paths: might this one fail? Then fail_this_allocation() is to be asked. */
static inline bool fail_is_near(void)
{
    /* relaxed: a number on its own */
    return atomic_load_relaxed(&fail_countdown) != 0;
}

/* The allocators ask this once for each call. */
static inline bool fail_this_allocation(void)
{
    return fail_is_near() && fail_count_down();
}

#else

static inline bool fail_is_near(void)
{
    return false;
}

static inline bool fail_this_allocation(void)
{
    return false;
}

#endif
