/* SPDX-License-Identifier: MIT */
/*
 * Time-outs: the wheel of each core, its lock, and the core's timer.
 *
 * Who may touch what: `fire` runs with the wheel's lock held, on the record's core. So
 * timeout_cancel, which takes the lock, comes before it, and takes the record out, or after it, and
 * finds the record unlinked; either way nobody has the record when the lock is free again, and it
 * may lie on a stack that is about to go:
 *
 *     core of the wheel: lock, take out, fire, unlock
 *     canceller:                                     lock, not linked, unlock, return
 *
 * A wheel without a lock, owned by its core, with a word in the record that a remote canceller
 * swaps, was the other choice. There the record stays linked until its core takes it out, so the
 * canceller has to send an interrupt and wait before its stack may go; and the owner still needs
 * an atomic a call. The lock is ten of the instructions of arming and cancelling, the cache line
 * that it is in is the core's own, and only threads that moved meanwhile cancel from elsewhere.
 *
 * The timer: after arming it is set no later than `first` says. Cancelling does not set it: what was
 * set comes early once, unless the core looks again before, as it does when it goes to sleep.
 */
#include "sched/timeout.h"

#include "arch/core.h"
#include "arch/irq.h"
#include "arch/timer.h"
#include "kernel/base/atomic.h"
#include "mm/spmalloc.h"
#include "sched/runqueue_priv.h"
#include "sched/wheel.h"

status_t timeout_init(cpu_t core_count)
{
    for (cpu_t cpu = 0; cpu < core_count; cpu++) {
        struct wheel *wheel = spmalloc(&kernel_account, sizeof(struct wheel)); /* whole pages */

        if (wheel == NULL) {
            return ERR_NO_MEMORY;
        }
        wheel_init(wheel);
        cores[cpu].wheel = wheel;
    }
    return OK;
}

nsec_t timeout_first(void)
{
    /* relaxed: see wheel_update; no lock, because a wake-up from timeout_run asks, too */
    return atomic_load_relaxed(&core_wheel()->first);
}

/* The first of the core, one that has passed, or while entries move. Apart, so that the usual way has
 * no frame. */
__attribute__((noinline)) static void arm_first(struct wheel *wheel, struct timeout *timeout,
                                                uint64_t state) RELEASES(wheel->lock)
{
    wheel_insert_slow(wheel, timeout);
    nsec_t first = wheel->first;
    spin_unlock(&wheel->lock);
    sched_advance_timer(first);
    irq_restore(state);
}

__attribute__((noinline)) static void arm_contended(struct timeout *timeout, uint64_t state)
{
    spin_lock(&timeout->wheel->lock);
    arm_first(timeout->wheel, timeout, state);
}

void timeout_arm(struct timeout *timeout, nsec_t when, void (*fire)(struct timeout *timeout))
{
    uint64_t state = irq_save();
    struct wheel *wheel = core_wheel();

    timeout->when = when;
    timeout->wheel = wheel;
    timeout->fire = fire;
    if (__builtin_expect(!spin_lock_try(&wheel->lock), 0)) {
        arm_contended(timeout, state);
        return;
    }
    if (__builtin_expect(when <= wheel->open, 0)) {
        arm_first(wheel, timeout, state);
        return;
    }
    wheel_insert(wheel, timeout, when);
    spin_unlock(&wheel->lock);
    irq_restore(state);
}

/* The wheel has lost what may have been its first entry. */
__attribute__((noinline)) static void cancel_first(struct wheel *wheel, uint64_t state)
    RELEASES(wheel->lock)
{
    wheel_update(wheel);
    spin_unlock(&wheel->lock);
    irq_restore(state);
}

__attribute__((noinline)) static void cancel_contended(struct timeout *timeout, uint64_t state)
{
    struct wheel *wheel = timeout->wheel;

    spin_lock(&wheel->lock);
    (void)wheel_remove(wheel, timeout);
    cancel_first(wheel, state);
}

void timeout_cancel(struct timeout *timeout)
{
    uint64_t state = irq_save();
    struct wheel *wheel = timeout->wheel;

    if (__builtin_expect(!spin_lock_try(&wheel->lock), 0)) {
        cancel_contended(timeout, state);
        return;
    }
    if (__builtin_expect(wheel_remove(wheel, timeout), 0)) {
        cancel_first(wheel, state);
        return;
    }
    spin_unlock(&wheel->lock);
    irq_restore(state);
}

bool timeout_is_armed(const struct timeout *timeout)
{
    struct wheel *wheel = timeout->wheel;
    uint64_t state = spin_lock_save(&wheel->lock);
    bool armed = timeout->link.next != NULL;

    spin_unlock_restore(&wheel->lock, state);
    return armed;
}

/*
 * At most TIMEOUT_BATCH steps, since all of this runs with interrupts off. What is left keeps
 * `first` in the past, so the timer interrupts again as soon as interrupts are on, but after those
 * that are pending then (external and software interrupts have precedence over the timer's), and
 * after the switch to a thread that one of these woke and that is to run.
 */
void timeout_run(void)
{
    struct wheel *wheel = core_wheel();
    nsec_t now = timer_now_ns();
    struct timeout *due;

    spin_lock(&wheel->lock);
    for (unsigned i = 0; i < TIMEOUT_BATCH && wheel_step(wheel, now, &due); i++) {
        if (due != NULL) {
            due->fire(due);
        }
    }
    wheel_update(wheel);
    spin_unlock(&wheel->lock);
}
