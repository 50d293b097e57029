/* SPDX-License-Identifier: MIT */
/*
 * Epochs: memory that lock-free readers may still see is freed only when none can.
 *
 * Rules: a read section is any stretch with interrupts off; it costs nothing. A writer unlinks
 * the object, then waits for a grace period or defers the free: every other online core has taken
 * one interrupt (IPI_EPOCH) after the unlink, so every section that could have seen the object is
 * over. epoch_synchronize spins and needs interrupts on; epoch_defer may be called anywhere.
 */
#pragma once

#include "kernel/base/types.h"

struct epoch_callback {
    struct epoch_callback *next;
    void (*function)(struct epoch_callback *callback);
};

/* Return after every read section that was running at the call has ended. Thread context. */
void epoch_synchronize(void);

/* Call callback->function in thread context after a grace period. Never fails. */
void epoch_defer(struct epoch_callback *callback, void (*function)(struct epoch_callback *));

/* Run everything deferred so far, after one grace period; returns how many callbacks ran. Called
 * by the reaper thread. */
unsigned epoch_drain(void);

/* Who must be told that something was deferred; called with interrupts in any state. */
void epoch_set_notify(void (*notify)(void));

/* IPI_EPOCH on this core; interrupts are off. */
void epoch_acknowledge(void);
