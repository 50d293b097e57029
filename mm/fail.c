/* SPDX-License-Identifier: MIT */
/*
 * The countdown to the allocation that is to fail.
 */
#include "mm/fail.h"

#include "kernel/base/atomic.h"
#include "mm/spmalloc.h"

#if BATON_TESTS

/* More than this: each one fails until it is reached. */
#define FAIL_EACH (1UL << 32)

/* Relaxed throughout: a number on its own. */
uint64_t fail_countdown; /* 0: none is to fail */

void fail_nth_allocation(uint64_t n)
{
    atomic_store_relaxed(&fail_countdown, n);
    spmalloc_force_slow(n != 0);
}

void fail_next_allocations(uint64_t n)
{
    fail_nth_allocation(n == 0 ? 0 : FAIL_EACH + n);
}

bool fail_is_pending(void)
{
    return atomic_load_relaxed(&fail_countdown) != 0;
}

bool fail_count_down(void)
{
    uint64_t now = atomic_load_relaxed(&fail_countdown);

    while (now != 0 &&
           !atomic_cas_relaxed(&fail_countdown, &now, now == FAIL_EACH + 1 ? 0 : now - 1)) {
    }
    return now == 1 || now > FAIL_EACH;
}

#endif
