/* SPDX-License-Identifier: MIT */
/*
 * The reaper: a kernel thread that takes back what has ended.
 *
 * Rules: dead threads and dying domains are handed over from any context; their memory goes
 * back in the reaper's own thread, which may wait for grace periods.
 */
#pragma once

#include "kernel/abi/status.h"

/* Start the thread. Boot core, once, after sched_init. ERR_NO_MEMORY. */
status_t reaper_start(void);

/* Something may have become quiet: look again. Any context. */
void reaper_notify(void);
