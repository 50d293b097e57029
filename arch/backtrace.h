/* SPDX-License-Identifier: MIT */
/*
 * Return addresses of a kernel stack, by its frame pointers.
 *
 * Rules: reads memory only inside the stack slot that `fp` points into, and only when that slot
 * is mapped, so a wild frame pointer ends the walk and does no harm. No lock, any context.
 */
#pragma once

#include "kernel/base/types.h"

struct trap_frame;

#define BACKTRACE_MAX 24

/* Fills out[0] = pc, then the callers; returns how many (1..max; 0 if max is 0). */
unsigned backtrace_collect(vaddr_t fp, vaddr_t pc, vaddr_t *out, unsigned max);

/* The same from a trap taken in the kernel; knows leaf functions that did not save ra. */
unsigned backtrace_collect_trap(const struct trap_frame *frame, vaddr_t *out, unsigned max);

/* The same from here: out[0] is the caller of this function. */
unsigned backtrace_collect_here(vaddr_t *out, unsigned max);

/* Where the trap that this core is handling came from; inside a trap, interrupts off. */
vaddr_t backtrace_interrupted_pc(void);
