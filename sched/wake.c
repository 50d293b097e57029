/* SPDX-License-Identifier: MIT */
/*
 * Waking: a thread is made ready on its core, which is told when it must act.
 *
 * Protocols: wake.h says who hands a thread to its core, inbox.h how, and when the core is interrupted.
 * The home's lock is found from the thread, so clang's lock analysis cannot follow these functions.
 */
#include "sched/wake.h"

#include "arch/ipi.h"
#include "arch/irq.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "sched/ready_priv.h"
#include "sched/runqueue_priv.h"
#include "sched/sched.h"

/*
 * A schedule to beat: its rank is raised after the look and before the push, and the interrupt that says so finds
 * nothing yet. So it is looked at again, if the push does not interrupt anyhow. The block stays a thread's while
 * interrupts are off.
 */
static void deliver_elsewhere(struct thread *thread, cpu_t cpu)
{
    uint32_t rank = atomic_load_relaxed(&thread->rank); /* relaxed: looked at again */
    bool tell = inbox_push(&runqueues[cpu].inbox, &thread->inbox_node, rank_level(rank));

    if (!tell) {
        /* full: pushed before the second look; pairs with the fence in tell_home of priority.c, whose
         * interrupt finds the node if this look does not find the rank */
        fence_seq_cst();
        tell = atomic_load_relaxed(&thread->rank) > rank; /* relaxed: as above */
    }
    if (tell) {
        ipi_request(cpu, IPI_RESCHEDULE);
    }
}

void sched_deliver(struct thread *thread)
{
    /* relaxed, all: the thread is ours; the push publishes it */
    cpu_t cpu = atomic_load_relaxed(&thread->cpu);

    atomic_store_relaxed(&thread->state, THREAD_READY);
    if (cpu == core_index()) {
        struct runqueue *runqueue = runqueue_here();

        runqueue_add_woken(runqueue, thread);
        runqueue_look(runqueue);
    } else {
        deliver_elsewhere(thread, cpu);
    }
}

void sched_wake_thread_quietly(struct thread *thread)
{
    if (wake_signal(&thread->wake)) {
        sched_deliver(thread);
    }
}

void sched_wake_thread(struct thread *thread)
{
    uint64_t state = irq_save();

    sched_wake_thread_quietly(thread);
    irq_restore(state);
    sched_settle_wakeups(state != 0);
}

void sched_settle_wakeups(bool enabled)
{
    if ((core_current()->work & WORK_RESCHEDULE) == 0) {
        return;
    }
    /* With interrupts on the caller may be preempted at any moment; by one that outranks it, now. Else
     * the timer does it as soon as they are: kernel code that goes on looks at its work nowhere. */
    if (enabled) {
        sched_preempt();
    } else if (thread_current() != runqueue_here()->idle) {
        sched_interrupt_soon();
    }
}

void sched_wake_next(struct thread *thread)
{
    struct runqueue *runqueue = runqueue_here();

    ASSERT(!irq_enabled());
    if (!wake_signal(&thread->wake)) {
        return;
    }
    ASSERT(thread->cpu == core_index());
    spin_lock(&runqueue->lock);
    wake_take(&thread->wake);
    thread->state = THREAD_READY;
    ready_insert_first(runqueue, thread);
    runqueue_look(runqueue);
    spin_unlock(&runqueue->lock);
}

void sched_end_slice(void)
{
    uint64_t state = irq_save();

    runqueue_here()->slice_over = true;
    core_current()->work |= WORK_RESCHEDULE;
    irq_restore(state);
}

struct runqueue *runqueue_lock_home(struct thread *thread) NO_THREAD_SAFETY
{
    for (;;) {
        /* relaxed: checked again under the lock */
        cpu_t cpu = atomic_load_relaxed(&thread->cpu);
        struct runqueue *runqueue = &runqueues[cpu];

        spin_lock(&runqueue->lock);
        if (atomic_load_relaxed(&thread->cpu) == cpu) {
            return runqueue;
        }
        spin_unlock(&runqueue->lock);
    }
}

/* A thread that is not blocked: it runs, and has to be interrupted, or is going to, and sees the flag when
 * it comes. A switch holds the lock, so it is one or the other. */
static void interrupt_thread(struct thread *thread) NO_THREAD_SAFETY
{
    struct runqueue *runqueue = runqueue_lock_home(thread);

    /* relaxed: RUNNING is written under this lock */
    if (atomic_load_relaxed(&thread->state) == THREAD_RUNNING) {
        ipi_request(thread->cpu, IPI_RESCHEDULE);
    }
    spin_unlock(&runqueue->lock);
}

void thread_raise(struct thread *thread, uint32_t flags)
{
    uint64_t state = irq_save();

    /* release: why it is raised was written before; pairs with the acquire in
     * thread_must_stop and exit_work_thread */
    atomic_or_release(&thread->flags, flags);
    if (wake_signal(&thread->wake)) {
        sched_deliver(thread);
    } else if (thread == thread_current()) {
        core_current()->work |= WORK_THREAD;
    } else {
        interrupt_thread(thread);
    }
    irq_restore(state);
}
