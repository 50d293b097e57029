/* SPDX-License-Identifier: MIT */
/*
 * What is done before a return to user mode when core.work is not zero.
 */
#include "arch/core.h"
#include "arch/irq.h"
#include "arch/upcall.h"
#include "ipc/call.h"
#include "kernel/abi/exit.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"

/* The flags of the running thread; what cannot be done yet stays pending. */
static void exit_work_thread(void)
{
    struct thread *thread = thread_current();
    /* acquire: see why they were raised; pairs with the release in thread_raise */
    uint32_t flags = atomic_load_acquire(&thread->flags);

    if (flags == 0) {
        return;
    }
    irq_enable();
    call_unwind();
    if ((flags & THREAD_KILL) != 0 && activation_current() == &thread->base) {
        thread_exit(EXIT_KILLED);
    }
    irq_disable();
    if (!call_is_inside_dying_domain()) {
        /* relaxed: a new reason raises the flag and the work bit again */
        atomic_and_relaxed(&thread->flags, ~(uint32_t)THREAD_UNWIND);
        if ((flags & THREAD_KILL) == 0) {
            core_current()->work &= ~(uint32_t)WORK_THREAD;
        }
    }
}

void upcall_exit_work(void)
{
    struct core *core = core_current();

    if ((core->work & WORK_THREAD) != 0) {
        exit_work_thread();
    }
    while ((core_current()->work & WORK_RESCHEDULE) != 0) {
        sched_yield();
    }
}
