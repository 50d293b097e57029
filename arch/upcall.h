/* SPDX-License-Identifier: MIT */
/*
 * The calls that the machine makes upwards. Nothing else of arch/ knows what is above it.
 *
 * Rules: all are called with interrupts off on the core concerned, and return that way unless
 * they do not return.
 */
#pragma once

#include <stdbool.h>

#include "arch/trap.h"
#include "kernel/abi/status.h"
#include "kernel/base/types.h"

/* The timer deadline has passed (sched/timeout.c). */
void upcall_timer(void);

/* Another core has set ipi_reasons here; bits of enum ipi_reason (kernel/core/interrupt.c). */
void upcall_ipi(uint32_t reasons);

/* Bytes can be read from the console (services/console). Interrupt context: signal only. */
void upcall_console_input(void);

/* A device's line was claimed here: mask it and signal (ipc/interrupt.c). */
void upcall_device_interrupt(uint32_t line);

/* A page fault in user mode. OK: the page could be entered at once. ERR_FAULT: nothing is mapped there. Nothing else
 * may be done here: the trap is not saved yet (kernel/core/fault.c). */
status_t upcall_user_touch(vaddr_t address, uint64_t scause);

/* The rest of a fault about which that said ERR_FAULT; interrupts are on. */
void upcall_user_absent(struct trap_frame *frame);

/* An exception in user mode: settle it, or end the domain (kernel/core/fault.c). */
void upcall_user_fault(struct trap_frame *frame);

/* An exception in kernel mode: panic (kernel/core/panic.c). */
_Noreturn void upcall_kernel_fault(struct trap_frame *frame);

/* A trap from kernel mode with sp in a guard page: panic (kernel/core/panic.c). */
_Noreturn void upcall_kernel_stack_overflow(struct trap_frame *frame);

/* User code needs the floating-point unit and it is off (sched/activation.c). */
void upcall_fpu_first_use(void);

/* core.work is not zero before a return to user mode (kernel/core/exit_work.c). */
void upcall_exit_work(void);

/* After an interrupt in preemptible kernel code with WORK_RESCHEDULE set (sched/). */
void upcall_preempt_kernel(void);
