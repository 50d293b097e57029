/* SPDX-License-Identifier: MIT */
/*
 * Time-outs: a function called on this core when a moment has passed.
 *
 * Rules: one sorted list a core (the wheel comes with the IPC work, behind the same functions);
 * arming is O(armed), cancelling O(1). `fire` runs in interrupt context with the list's lock held:
 * it may wake threads, nothing else. After timeout_cancel returns, `fire` neither runs nor will.
 */
#pragma once

#include "kernel/base/list.h"
#include "kernel/base/types.h"

struct timeout {
    struct list link;
    nsec_t when;
    cpu_t cpu;
    void (*fire)(struct timeout *timeout);
};

void timeout_init(void);

/* Arm on the calling core. `when` is absolute, in nanoseconds since boot. */
void timeout_arm(struct timeout *timeout, nsec_t when, void (*fire)(struct timeout *timeout));

/* From any core; harmless if it has fired. */
void timeout_cancel(struct timeout *timeout);

/* When the first one of this core is due, or TIMER_NEVER. Interrupts off. */
nsec_t timeout_first(void);

/* Fire what is due on this core. Interrupt context. */
void timeout_run(void);
