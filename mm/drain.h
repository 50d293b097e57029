/* SPDX-License-Identifier: MIT */
/*
 * Bringing free memory home: from the cores that freed it to the core that owns it, and from there
 * to mm/frame.
 *
 * Rules: a core's nexus and slabs are worked on by one at a time: the core itself, or, while it
 * sleeps, whoever holds its `holder` word. What is said to wait needs interrupts on and no lock;
 * the rest is for any context and never waits for another core, but drain_wake for a helper that
 * is about to be done.
 */
#pragma once

#include "kernel/base/types.h"

/* Once, before the first core sleeps. */
void drain_init(void);

/* Idle loop, interrupts off, before the core waits for an interrupt: sends what it has of others,
 * takes in what waits for it, and lets others do that from now on. */
void drain_sleep(void);

/* After the wait, before interrupts are turned on: the core's memory is its own again. */
void drain_wake(void);

/* IPI_DRAIN: does some of the work. Interrupts off. */
void drain_handle_ipi(void);

/*
 * Brings home what one core holds: its own free pages, and what it freed of others. All of it goes
 * to mm/frame or to its owner. Waits. Thread context.
 */
void drain_core(cpu_t cpu);

/* The same for all that are chosen, at the same time. */
void drain_cores(bool (*is_chosen)(cpu_t cpu, const void *argument), const void *argument);

/*
 * The same for all online cores, three times: objects go home, slabs become empty and their pages
 * go home, pages go to mm/frame. Then frame_free_pages() is exact for all that was freed before
 * the call. Waits. Thread context.
 */
void drain_all(void);

/* Takes in what waits for this core, and its empty slabs, whose pages are in its nexus then.
 * Interrupts off. */
void drain_own(void);

/* Does so for the cores that sleep, once, as far as it goes; false when there was nothing. */
bool drain_sleepers(void);

/* Memory is low: the cores that run are to bring it home soon. Does not wait. */
void drain_ask_all(void);

/* Much is waiting for this core: takes it in for it, or asks it to. Does not wait. */
void drain_backlog(cpu_t cpu);
