/* SPDX-License-Identifier: MIT */
/*
 * Kernel contexts: a stack pointer below which the callee-saved registers lie.
 *
 * Rules: interrupts are off in every function here.
 */
#pragma once

#include "kernel/base/types.h"

/* Save ra, s0..s11 below sp, store sp in *from, continue at `to`. Returns `carry` of whoever
 * switched to this context. */
void *context_switch(vaddr_t *from, vaddr_t to, void *carry);

/* Build at `stack_top` (16-byte aligned) a context that calls entry(carry, argument) with the carry
 * of the first switch to it; entry must not return. Returns the context. */
vaddr_t context_make(vaddr_t stack_top, void (*entry)(void *carry, void *argument), void *argument);

/* Call function(argument) on another stack and come back. */
void context_call_on(void (*function)(void *argument), void *argument, vaddr_t stack_top);

/* Leave the kernel for the first time: user mode at pc with sp, a0..a3; all else zero.
 * The current activation must be set in the core. */
_Noreturn void context_enter_user(vaddr_t pc, vaddr_t sp, vaddr_t tp, uint64_t a0, uint64_t a1,
                                  uint64_t a2, uint64_t a3);
