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
#include "sched/domain.h"
#include "sched/sched.h"

/* Can something of what the flags ask be done now: the innermost run's domain dies, or the thread is
 * to end and is back at its base? */
static bool exit_work_is_due(uint32_t flags)
{
    const struct activation *activation = activation_current();

    return activation->port != NULL ? domain_is_dying(activation->domain)
                                    : (flags & THREAD_KILL) != 0;
}

/* The flags of the running thread; what cannot be done yet stays pending. */
static void exit_work_thread(void)
{
    struct thread *thread = thread_current();

    /* acquire: see why they were raised; pairs with the release in thread_raise */
    for (uint32_t flags = atomic_load_acquire(&thread->flags); flags != 0;
         /* acquire: as above; who raises a flag after this look interrupts this core afterwards */
         flags = atomic_load_acquire(&thread->flags)) {
        if (!exit_work_is_due(flags)) {
            call_settle_unwind();
            /* relaxed: as above */
            if (atomic_load_relaxed(&thread->flags) == 0) {
                break;
            }
            return;
        }
        irq_enable();
        call_unwind();
        if ((flags & THREAD_KILL) != 0 && activation_current() == &thread->base) {
            thread_exit(EXIT_KILLED);
        }
        irq_disable();
        call_settle_unwind();
    }
    core_current()->work &= ~(uint32_t)WORK_THREAD;
}

void upcall_exit_work(void)
{
    for (;;) {
        if ((core_current()->work & WORK_THREAD) != 0) {
            exit_work_thread();
        }
        if ((core_current()->work & WORK_RESCHEDULE) == 0) {
            return;
        }
        /* Flags may have been raised while it was off the core, so look at both again. */
        sched_preempt();
    }
}
