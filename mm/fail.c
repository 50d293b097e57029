/* SPDX-License-Identifier: MIT */
/*
 * The countdown to the allocation that is to fail.
 */
#include "mm/fail.h"

#include "kernel/base/atomic.h"
#include "mm/spmalloc.h"

#if BATON_TESTS

/* Relaxed throughout: a number on its own. */
static uint64_t countdown; /* 0: none is to fail */

void fail_nth_allocation(uint64_t n)
{
    atomic_store_relaxed(&countdown, n);
    spmalloc_force_slow(n != 0);
}

bool fail_is_pending(void)
{
    return atomic_load_relaxed(&countdown) != 0;
}

bool fail_this_allocation(void)
{
    uint64_t now = atomic_load_relaxed(&countdown);

    while (now != 0 && !atomic_cas_relaxed(&countdown, &now, now - 1)) {
    }
    return now == 1;
}

#endif
