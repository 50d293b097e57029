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

/* Take the lock with interrupts already off. */
void spin_lock(struct spinlock *lock) ACQUIRES(lock);

/* Take the lock, interrupts already off, if nobody has it; true when it was taken. For who would
 * break the lock order by waiting. */
bool spin_lock_try(struct spinlock *lock) TRY_ACQUIRES(lock);

/* Release a lock taken with spin_lock. */
void spin_unlock(struct spinlock *lock) RELEASES(lock);

/* Turn interrupts off, take the lock; returns the former interrupt state. */
uint64_t spin_lock_save(struct spinlock *lock) ACQUIRES(lock);

/* Release the lock and put the interrupt state back. */
void spin_unlock_restore(struct spinlock *lock, uint64_t state) RELEASES(lock);

/* True while somebody holds it; for assertions. */
bool spin_is_locked(const struct spinlock *lock);
