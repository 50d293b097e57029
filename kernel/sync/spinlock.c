/* SPDX-License-Identifier: MIT */
/*
 * Ticket lock: who comes first is served first, so no core starves another.
 *
 * Protocol: `next` hands out tickets, `serving` says whose turn it is. A core that draws ticket t
 * owns the lock when serving == t; it gives it on by storing t + 1. Tickets wrap at 2^32 with
 * fewer than 2^32 cores, so equality is enough.
 */
#include "kernel/sync/spinlock.h"

#include "arch/irq.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"

void spin_lock(struct spinlock *lock) NO_THREAD_SAFETY
{
    ASSERT(!irq_enabled());

    /* relaxed: drawing a ticket publishes nothing; the order comes from `serving` below */
    uint32_t ticket = atomic_add_relaxed(&lock->next, 1);

    /* acquire: what the last holder wrote is visible; pairs with the release in spin_unlock */
    while (atomic_load_acquire(&lock->serving) != ticket) {
        arch_relax();
    }
}

void spin_unlock(struct spinlock *lock) NO_THREAD_SAFETY
{
    ASSERT(spin_is_locked(lock));

    /* release: publishes what the holder wrote; pairs with the acquire in spin_lock */
    atomic_store_release(&lock->serving, lock->serving + 1);
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
    /* relaxed: an assertion by the holder reads its own stores */
    return atomic_load_relaxed(&lock->next) != atomic_load_relaxed(&lock->serving);
}
