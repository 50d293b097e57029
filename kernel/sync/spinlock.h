/* SPDX-License-Identifier: MIT */
/*
 * A spinlock that is held with interrupts off.
 *
 * Rules: never blocks, never fails; the holder must not call a service, fault on user memory or
 * take the same lock again. Holding it makes the code not preemptible. Lock order: each
 * declaration says what the lock guards and which locks may be taken inside.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/irq.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/sync/thread_safety.h"

struct CAPABILITY("spinlock") spinlock {
    uint32_t held; /* 1 while somebody has it */
    const char *name;
};

#define SPINLOCK_INIT(name_)                                                                       \
    {                                                                                              \
        0, name_                                                                                   \
    }

static inline void spin_lock_init(struct spinlock *lock, const char *name)
{
    *lock = (struct spinlock)SPINLOCK_INIT(name);
}

/* Waits until the lock can be taken, and takes it. Only for spin_lock. */
void spin_lock_slow(struct spinlock *lock);

/* True while somebody holds it; for assertions. */
static inline bool spin_is_locked(const struct spinlock *lock)
{
    /* relaxed: an assertion by the holder reads its own store */
    return atomic_load_relaxed(&lock->held) != 0;
}

/* Take the lock, interrupts already off, if nobody has it; true when it was taken. For who would
 * break the lock order by waiting. */
static inline bool spin_lock_try(struct spinlock *lock) TRY_ACQUIRES(lock) NO_THREAD_SAFETY
{
    ASSERT(!irq_enabled());

    /* acquire: what the last holder wrote is visible; pairs with the release in spin_unlock */
    return atomic_swap_acquire(&lock->held, 1U) == 0;
}

/* Take the lock with interrupts already off. */
static inline void spin_lock(struct spinlock *lock) ACQUIRES(lock) NO_THREAD_SAFETY
{
    ASSERT(!irq_enabled());

    /* acquire: as in spin_lock_try; pairs with the release in spin_unlock */
    if (__builtin_expect(atomic_swap_acquire(&lock->held, 1U) != 0, 0)) {
        spin_lock_slow(lock);
    }
}

/* Release a lock taken with spin_lock. */
static inline void spin_unlock(struct spinlock *lock) RELEASES(lock) NO_THREAD_SAFETY
{
    ASSERT(spin_is_locked(lock));

    /* release: publishes what the holder wrote; pairs with the acquire in spin_lock */
    atomic_store_release(&lock->held, 0U);
}

/* Turn interrupts off, take the lock; returns the former interrupt state. */
static inline uint64_t spin_lock_save(struct spinlock *lock) ACQUIRES(lock) NO_THREAD_SAFETY
{
    uint64_t state = irq_save();

    spin_lock(lock);
    return state;
}

/* Release the lock and put the interrupt state back. */
static inline void spin_unlock_restore(struct spinlock *lock, uint64_t state)
    RELEASES(lock) NO_THREAD_SAFETY
{
    spin_unlock(lock);
    irq_restore(state);
}
