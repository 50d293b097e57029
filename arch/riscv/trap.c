/* SPDX-License-Identifier: MIT */
/*
 * The C half of the trap path: tells interrupts from exceptions and calls up.
 */
#include "arch/trap.h"

#include "arch/core.h"
#include "arch/fpu.h"
#include "arch/irq.h"
#include "arch/irqchip.h"
#include "arch/platform.h"
#include "arch/smp.h"
#include "arch/upcall.h"
#include "kernel/base/atomic.h"

#define SCAUSE_INTERRUPT (1UL << 63)
#define INTERRUPT_SOFTWARE 1
#define INTERRUPT_TIMER 5
#define INTERRUPT_EXTERNAL 9
#define EXCEPTION_ILLEGAL_INSTRUCTION 2
#define SSTATUS_FS (3UL << 13)
#define SIE_ALL                                                                                    \
    ((1UL << INTERRUPT_SOFTWARE) | (1UL << INTERRUPT_TIMER) | (1UL << INTERRUPT_EXTERNAL))

#define SCOUNTEREN_ALL 7UL

void trap_entry(void);
void trap_handle_user(struct trap_frame *frame);
void trap_handle_kernel(struct trap_frame *frame);
void trap_handle_stack_overflow(struct trap_frame *frame);

void trap_init_core(void)
{
    fpu_disable(); /* whatever the firmware left */
    __asm__ volatile("csrw sscratch, zero\n\tcsrw stvec, %0\n\tcsrs sie, %1" ::"r"(trap_entry),
                     "r"(SIE_ALL)
                     : "memory");
    /* User code may read cycle, time and instret: a clock without a trap. */
    __asm__ volatile("csrw scounteren, %0" ::"r"(SCOUNTEREN_ALL));
}

static void trap_handle_ipi(void)
{
    /* First the pending bit, then the reasons: a request after the swap interrupts again. */
    ipi_clear();
    /* acq_rel: see what the reasons are about; pairs with the or in ipi_request */
    upcall_ipi(atomic_swap_acq_rel(&core_current()->ipi_reasons, 0));
}

static void trap_handle_interrupt(uint64_t cause)
{
    core_current()->interrupts++;
    switch (cause) {
    case INTERRUPT_SOFTWARE:
        trap_handle_ipi();
        break;
    case INTERRUPT_TIMER:
        upcall_timer();
        break;
    case INTERRUPT_EXTERNAL:
        irqchip_handle();
        break;
    default:
        break;
    }
}

void trap_handle_user(struct trap_frame *frame)
{
    if (!trap_from_user(frame)) {
        upcall_kernel_fault(frame); /* in the trap path itself, where sscratch still says user */
    }
    if ((frame->scause & SCAUSE_INTERRUPT) != 0) {
        trap_handle_interrupt(frame->scause & ~SCAUSE_INTERRUPT);
        return;
    }
    if (frame->scause == EXCEPTION_ILLEGAL_INSTRUCTION && (frame->sstatus & SSTATUS_FS) == 0 &&
        platform.has_float) {
        /* Perhaps the first use of floating point; if not, it traps again with FS on. */
        upcall_fpu_first_use();
        return;
    }
    irq_enable();
    upcall_user_fault(frame);
    irq_disable();
}

void trap_handle_kernel(struct trap_frame *frame)
{
    if ((frame->scause & SCAUSE_INTERRUPT) == 0) {
        upcall_kernel_fault(frame);
    }
    trap_handle_interrupt(frame->scause & ~SCAUSE_INTERRUPT);
    if ((core_current()->work & WORK_RESCHEDULE) != 0) {
        upcall_preempt_kernel();
    }
}

void trap_handle_stack_overflow(struct trap_frame *frame)
{
    upcall_kernel_stack_overflow(frame);
}
