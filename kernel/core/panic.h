/* SPDX-License-Identifier: MIT */
/*
 * The end of a kernel that found itself wrong: a report, then exit code 2.
 *
 * Rules: any context, any core, locks held or not. Takes no lock and allocates nothing. The
 * first core to panic prints; the others are stopped by IPI and leave their backtraces; a panic
 * inside the report prints its cause and address in one line and ends the machine.
 */
#pragma once

#include "kernel/base/types.h"

struct trap_frame;

NORETURN void panic(const char *why, ...) PRINTF_LIKE(1, 2);

/* A trap in the kernel that nobody can settle; `why` opens the report. */
NORETURN void panic_trap(const struct trap_frame *frame, const char *why);

/*
 * Prints a trap: cause in words, core, thread, registers by name and, for a trap in the kernel,
 * the backtrace. `who` opens the report ("kernel panic", "fault in shell"). Also used for the
 * fault of a user thread, which ends only its domain.
 */
void report_trap(const struct trap_frame *frame, const char *who);

/* What a value of scause means, in words. */
const char *report_cause(uint64_t scause);

/*
 * For the IPI handler, on IPI_STOP: leaves this core's backtrace and does not return when a
 * core has panicked. Interrupts off, still inside the trap.
 */
void panic_stop_if_requested(void);

/*
 * Set by the scheduler once threads exist: prints the calling core's current thread, without a
 * line feed, through emit. NULL until then.
 */
extern void (*panic_describe_thread)(void (*emit)(const char *text, ...) PRINTF_LIKE(1, 2));
