/* SPDX-License-Identifier: MIT */
/*
 * What is done before a return to user mode when core.work is not zero.
 */
#include "arch/core.h"
#include "arch/irq.h"
#include "arch/upcall.h"
#include "ipc/call.h"
#include "ipc/split.h"
#include "kernel/abi/exit.h"
#include "kernel/base/atomic.h"
#include "sched/domain.h"
#include "sched/sched.h"

/* The thread is back at its base: an orphan's run is over, or the thread is to end. */
static void exit_work_end(const struct thread *thread)
{
    irq_enable();
    thread_exit(thread->identity == NULL ? OK : EXIT_KILLED);
}

/* The flags of the running thread; what cannot be done yet stays pending. */
static void exit_work_thread(void)
{
    struct thread *thread = thread_current();

    for (;;) {
        bool at_base = activation_current()->port == NULL;

        if (at_base && thread->identity == NULL) {
            exit_work_end(thread);
        }
        switch (split_settle()) {
        case SPLIT_CLEAR:
            /* relaxed: who raises a flag after the look interrupts this core afterwards */
            if (atomic_load_relaxed(&thread->flags) == 0) {
                core_current()->work &= ~(uint32_t)WORK_THREAD;
            }
            return;
        case SPLIT_LATER:
            return;
        case SPLIT_LEAVE:
            break;
        }
        if (at_base) {
            exit_work_end(thread);
        }
        if (!domain_is_dying(activation_current()->domain)) {
            return; /* kernel code above waits for the run to end */
        }
        irq_enable();
        call_unwind();
        irq_disable();
    }
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
