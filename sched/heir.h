/* SPDX-License-Identifier: MIT */
/*
 * Heir and orphan: what becomes of a thread whose chain is split (ipc/split.c).
 *
 * Rules: the running thread splits itself. It keeps its block, its stack and everything that waits or
 * holds in its name, and goes on with the lower activations as an orphan of the domain that made the
 * call. The heir is a new block that goes on with the upper ones and takes over what others know of the
 * thread: its number, its name, its place among its domain's threads, orders to end, and what handles
 * mean (thread.identity, thread.body). Thread context, interrupts on, nothing locked.
 */
#pragma once

#include "sched/thread.h"

/*
 * A block for the upper activations; `asker` is charged, beyond its limit if need be. Its core is that for
 * which its records are made (split.c): the running thread may be moved meanwhile. ERR_NO_MEMORY, ERR_NO_SPACE.
 */
WARN_UNUSED status_t heir_make(struct domain *asker, struct thread **out);

/*
 * The running thread becomes an orphan of `asker` whose first activation is `first`; all above it is the
 * heir's, whose records are in place. They are each other's in nothing afterwards.
 */
void heir_succeed(struct thread *heir, struct activation *first, struct domain *asker);

/* The heir begins with entry(argument), kernel code on its own stack below its records. */
void heir_start(struct thread *heir, void (*entry)(void *argument), void *argument);
