/* SPDX-License-Identifier: MIT */
/*
 * Time-outs: a function called on this core when a moment has passed.
 *
 * Rules: a wheel a core (sched/wheel.h), under a lock of its own; arming and cancelling are O(1),
 * with interrupts off for a constant number of steps. A time-out fires at its moment or later,
 * never before; in order of the moments, equal ones in order of arming. One whose moment has
 * passed when it is armed is due at once. `fire` runs in interrupt context with the wheel's lock
 * held: it may wake threads, nothing else. After timeout_cancel returns, `fire` neither runs nor
 * will, and the record is not touched again. Arming and cancelling one record are ordered by its
 * owner, and it is not armed twice.
 */
#pragma once

#include "kernel/base/list.h"
#include "kernel/base/types.h"
#include "kernel/abi/status.h"

struct wheel;

/* The record is the caller's; its contents mean nothing before it is first armed. */
struct timeout {
    struct list link; /* next is NULL while it is not armed */
    nsec_t when;
    struct wheel *wheel; /* where it was armed last */
    void (*fire)(struct timeout *timeout);
};

/* Wheels for cores 0 to core_count - 1; before other cores run. ERR_NO_MEMORY. */
WARN_UNUSED status_t timeout_init(cpu_t core_count);

/* Arm on the calling core. `when` is absolute, in nanoseconds since boot, below TIMER_NEVER. */
void timeout_arm(struct timeout *timeout, nsec_t when, void (*fire)(struct timeout *timeout));

/* From any core, after it was armed once; harmless if it has fired. */
void timeout_cancel(struct timeout *timeout);

/* True from arming until it is cancelled or about to fire. A look: true may be old when it comes. */
bool timeout_is_armed(const struct timeout *timeout);

/* When this core must look at its time-outs next, or TIMER_NEVER. Interrupts off. */
nsec_t timeout_first(void);

/* What an interrupt does at most: time-outs that it fires or moves. */
#define TIMEOUT_BATCH 32U

/* Fire what is due on this core, or a part; the rest keeps timeout_first() in the past. Interrupt
 * context. */
void timeout_run(void);
