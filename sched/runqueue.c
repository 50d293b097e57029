/* SPDX-License-Identifier: MIT */
/*
 * Per-core round robin: choosing the next thread and switching to it.
 *
 * A run queue's lock goes from the thread that leaves to the one that comes, and the queue to lock is
 * found from the thread, so clang's lock analysis cannot follow these functions.
 */
#include "sched/runqueue_priv.h"

#include "arch/context.h"
#include "arch/ipi.h"
#include "arch/irq.h"
#include "arch/timer.h"
#include "arch/upcall.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/asid.h"
#include "sched/activation.h"
#include "sched/domain.h"
#include "sched/sched.h"
#include "sched/timeout.h"
#include "sched/upcall.h"

struct runqueue runqueues[MAX_CORES];

static struct runqueue *runqueue_here(void)
{
    return &runqueues[core_index()];
}

void sched_program_timer(void)
{
    nsec_t slice = runqueue_here()->slice_end;
    nsec_t timeout = timeout_first();

    if (slice != 0 && slice < timeout) {
        timeout = slice;
    }
    runqueue_here()->timer_at = timeout;
    timer_set_deadline(timeout);
}

static void runqueue_push(struct runqueue *runqueue, struct thread *thread)
{
    thread->state = THREAD_READY;
    list_push_back(&runqueue->ready, &thread->run_link);
    runqueue->ready_count++;
    runqueue->operations++;
}

static struct thread *runqueue_pop(struct runqueue *runqueue)
{
    struct list *link = list_pop_front(&runqueue->ready);

    if (link == NULL) {
        return runqueue->idle;
    }
    runqueue->ready_count--;
    runqueue->operations++;
    return container_of(link, struct thread, run_link);
}

void sched_enqueue(struct thread *thread, cpu_t cpu) NO_THREAD_SAFETY
{
    struct runqueue *runqueue = &runqueues[cpu];
    uint64_t state = spin_lock_save(&runqueue->lock);

    ASSERT(thread->cpu == cpu);
    runqueue_push(runqueue, thread);
    sched_notify_locked(cpu);
    spin_unlock_restore(&runqueue->lock, state);
}

void sched_notify_locked(cpu_t cpu)
{
    struct runqueue *runqueue = &runqueues[cpu];

    if (cpu != core_index()) {
        /* Only the first waiting thread changes what the core must do. */
        if (runqueue->ready_count == 1) {
            ipi_request(cpu, IPI_RESCHEDULE);
        }
        return;
    }
    sched_look_again();
}

void sched_look_again(void)
{
    struct core *core = core_current();
    struct runqueue *runqueue = &runqueues[core->cpu];

    if (runqueue->ready_count == 0) {
        return;
    }
    if (core->current == runqueue->idle) {
        core->work |= WORK_RESCHEDULE;
    } else if (runqueue->slice_end == 0) {
        runqueue->slice_end = timer_now_ns() + SCHED_SLICE_NS;
        sched_program_timer();
    }
}

void sched_switch_away(struct runqueue *runqueue) NO_THREAD_SAFETY
{
    struct core *core = core_current();
    struct thread *previous = core->current;
    struct thread *next = runqueue_pop(runqueue);
    nsec_t now = timer_now_ns();

    ASSERT(!irq_enabled());
    ASSERT(next->cpu == core->cpu);
    ASSERT(next->base.satp_entry == &asid_entries(next->domain->vspace)[core->cpu]);
    activation_save_fpu();
    previous->run_ns += now - previous->run_since;
    next->run_since = now;
    previous->activation = core->activation;
    core->activation = next->activation;
    core->current = next;
    core->switches++;
    next->state = THREAD_RUNNING;
    /* relaxed: who raises a flag takes this queue's lock next and finds the thread running */
    core->work = atomic_load_relaxed(&next->flags) != 0 ? WORK_THREAD : 0;
    /* The entry of what is loaded does not change, so the same entry is the same space. */
    if (next->activation->satp_entry != previous->activation->satp_entry) {
        asid_enter(next->activation->satp_entry);
    }
    runqueue->slice_end = runqueue->ready_count != 0 ? now + SCHED_SLICE_NS : 0;
    /* A timer that is set too early finds nothing to do and is set again: cheaper than setting it
     * at every switch. An idle core is not to be woken for nothing. */
    if (next == runqueue->idle || runqueue->slice_end - 1 < runqueue->timer_at - 1) {
        sched_program_timer();
    }
    previous = context_switch(&previous->context, next->context, previous);
    sched_finish_switch(previous);
}

/* The thread left for another core, or for good. Apart, to keep the common switch short. */
__attribute__((noinline)) static void finish_leaving(struct runqueue *runqueue,
                                                     struct thread *thread) NO_THREAD_SAFETY
{
    enum thread_state state = thread->state;

    if (state == THREAD_MOVING) {
        /* Under the old queue's lock: a waker that finds the old core has to look again, so none
         * still acts on the thread under the old lock when it runs on the new core. */
        thread_set_core(thread, thread->next_cpu);
    }
    spin_unlock(&runqueue->lock);
    if (state == THREAD_MOVING) {
        sched_enqueue(thread, thread->next_cpu);
    } else {
        reaper_add_thread(thread);
    }
}

void sched_finish_switch(struct thread *previous) NO_THREAD_SAFETY
{
    struct runqueue *runqueue = runqueue_here();
    enum thread_state state = previous->state;

    if (state == THREAD_MOVING || state == THREAD_DEAD) {
        finish_leaving(runqueue, previous);
    } else {
        spin_unlock(&runqueue->lock);
    }
}

void sched_yield(void) NO_THREAD_SAFETY
{
    uint64_t state = irq_save();
    struct runqueue *runqueue = runqueue_here();
    struct core *core = core_current();

    core->work &= ~(uint32_t)WORK_RESCHEDULE;
    spin_lock(&runqueue->lock);
    if (runqueue->ready_count == 0) {
        spin_unlock(&runqueue->lock);
    } else {
        if (core->current != runqueue->idle) {
            runqueue_push(runqueue, core->current);
        }
        sched_switch_away(runqueue);
    }
    irq_restore(state);
}

void sched_handle_timer(void)
{
    struct runqueue *runqueue = runqueue_here();

    timeout_run();
    if (runqueue->slice_end != 0 && timer_now_ns() >= runqueue->slice_end) {
        runqueue->slice_end = 0;
        core_current()->work |= WORK_RESCHEDULE;
    }
    sched_program_timer();
}

void upcall_preempt_kernel(void)
{
    sched_yield();
}

void sched_block(void) NO_THREAD_SAFETY
{
    uint64_t state = irq_save();
    struct runqueue *runqueue = runqueue_here();
    struct thread *thread = thread_current();

    ASSERT(thread != runqueue->idle);
    spin_lock(&runqueue->lock);
    if (thread->token) {
        thread->token = false;
        spin_unlock(&runqueue->lock);
    } else {
        thread->state = THREAD_BLOCKED;
        thread->blocks++;
        sched_switch_away(runqueue);
    }
    irq_restore(state);
}

/* Lock the run queue at which the thread is at home; it may move until the lock is held. */
static struct runqueue *runqueue_lock_home(struct thread *thread) NO_THREAD_SAFETY
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

void sched_wake_thread(struct thread *thread) NO_THREAD_SAFETY
{
    uint64_t state = irq_save();
    struct runqueue *runqueue = runqueue_lock_home(thread);

    if (thread->state == THREAD_BLOCKED) {
        runqueue_push(runqueue, thread);
        sched_notify_locked(thread->cpu);
    } else {
        thread->token = true;
    }
    spin_unlock(&runqueue->lock);
    irq_restore(state);
}

void thread_raise(struct thread *thread, uint32_t flags) NO_THREAD_SAFETY
{
    uint64_t state = irq_save();

    /* release: why it is raised was written before; pairs with the acquire in
     * thread_must_stop and exit_work_thread */
    atomic_or_release(&thread->flags, flags);
    struct runqueue *runqueue = runqueue_lock_home(thread);
    if (thread->state == THREAD_BLOCKED) {
        runqueue_push(runqueue, thread);
        sched_notify_locked(thread->cpu);
    } else {
        thread->token = true;
        if (thread == thread_current()) {
            core_current()->work |= WORK_THREAD;
        } else if (thread->state == THREAD_RUNNING) {
            ipi_request(thread->cpu, IPI_RESCHEDULE);
        }
    }
    spin_unlock(&runqueue->lock);
    irq_restore(state);
}

status_t sched_migrate(cpu_t cpu) NO_THREAD_SAFETY
{
    /* acquire: the core is ready for work; pairs with sched_run_core */
    if (cpu >= MAX_CORES || atomic_load_acquire(&cores[cpu].online) == 0) {
        return ERR_INVALID;
    }
    uint64_t state = irq_save();
    struct thread *thread = thread_current();

    if (cpu != core_index()) {
        struct runqueue *runqueue = runqueue_here();

        spin_lock(&runqueue->lock);
        thread->state = THREAD_MOVING;
        thread->next_cpu = cpu;
        sched_switch_away(runqueue);
    }
    irq_restore(state);
    return OK;
}

uint32_t sched_ready_count(cpu_t cpu)
{
    /* relaxed: a hint for placement and listings */
    return atomic_load_relaxed(&runqueues[cpu].ready_count);
}

uint64_t sched_queue_operations(cpu_t cpu)
{
    /* relaxed: a counter for listings and tests */
    return atomic_load_relaxed(&runqueues[cpu].operations);
}
