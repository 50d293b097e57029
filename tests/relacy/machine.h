/* SPDX-License-Identifier: MIT */
/*
 * The pretended machine under the model checker: thread i is core i; interrupts are taken when the
 * test says so.
 *
 * Rules: machine_set_up in before(), machine_resume as the test's resume().
 */
#pragma once

#include "kernel/base/types.h"

#define MACHINE_CORES 4U

/* `on_relax` is what happens in a loop that waits besides a yield, or NULL. */
void machine_set_up(void (*on_relax)(void));

/* Puts right what is a thread's own: all threads of the checker are one to the machine. */
void machine_resume(unsigned self);

/* Calls the handler if this core has been asked since the last time. */
void machine_take_interrupt(void (*handler)(void));
