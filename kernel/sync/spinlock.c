/* SPDX-License-Identifier: MIT */
/*
 * Test and test-and-set.
 *
 * The obvious choice is a ticket lock, which serves in order. It was built first and measured: when
 * there are more harts than processors below them (an emulator, a hypervisor), the next in order is
 * often not running, and every hand-over waits for the host to schedule it; four harts on two
 * processors came to a stand. Here whoever runs can take the lock. Sections are short, so in
 * practice nobody waits long; no bound is promised. The queues for which order matters (the port's
 * line) keep it themselves.
 *
 * Protocol: `held` goes 0 -> 1 by a swap and 1 -> 0 by the holder's store.
 */
#include "kernel/sync/spinlock.h"

void spin_lock_slow(struct spinlock *lock)
{
    do {
        /* relaxed: only looks when a new try may succeed, without taking the line from the holder */
        while (atomic_load_relaxed(&lock->held) != 0) {
            arch_relax();
        }
        /* acquire: as in spin_lock_try; pairs with the release in spin_unlock */
    } while (atomic_swap_acquire(&lock->held, 1U) != 0);
}
