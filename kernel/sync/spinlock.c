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

#include "arch/irq.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"

void spin_lock(struct spinlock *lock) NO_THREAD_SAFETY
{
    ASSERT(!irq_enabled());

    /* acquire: what the last holder wrote is visible; pairs with the release in spin_unlock */
    while (atomic_swap_acquire(&lock->held, 1U) != 0) {
        /* relaxed: only looks when a new try may succeed, without taking the line from the holder */
        while (atomic_load_relaxed(&lock->held) != 0) {
            arch_relax();
        }
    }
}

bool spin_lock_try(struct spinlock *lock) NO_THREAD_SAFETY
{
    ASSERT(!irq_enabled());

    /* acquire: as in spin_lock; pairs with the release in spin_unlock */
    return atomic_swap_acquire(&lock->held, 1U) == 0;
}

void spin_unlock(struct spinlock *lock) NO_THREAD_SAFETY
{
    ASSERT(spin_is_locked(lock));

    /* release: publishes what the holder wrote; pairs with the acquire in spin_lock */
    atomic_store_release(&lock->held, 0U);
}

uint64_t spin_lock_save(struct spinlock *lock) NO_THREAD_SAFETY
{
    uint64_t state = irq_save();

    spin_lock(lock);
    return state;
}

void spin_unlock_restore(struct spinlock *lock, uint64_t state) NO_THREAD_SAFETY
{
    spin_unlock(lock);
    irq_restore(state);
}

bool spin_is_locked(const struct spinlock *lock)
{
    /* relaxed: an assertion by the holder reads its own store */
    return atomic_load_relaxed(&lock->held) != 0;
}
