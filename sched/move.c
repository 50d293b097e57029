/* SPDX-License-Identifier: MIT */
/*
 * Threads from core to core: by themselves, by who names or needs them; and where they may go.
 *
 * A blocked or ready thread is moved under the lock of the queue that it leaves. A switch holds that lock,
 * so a thread that is found blocked or ready under it is off its core, with its context saved. Clang's
 * lock analysis cannot follow these functions: they find the queue from the thread.
 */
#include "arch/irq.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "sched/ready_priv.h"
#include "sched/sched.h"
#include "sched/wake.h"

static bool core_is_online(cpu_t cpu)
{
    /* acquire: the core is ready for work; pairs with sched_run_core */
    return cpu < MAX_CORES && atomic_load_acquire(&cores[cpu].online) != 0;
}

/* The running thread goes to another core. Interrupts are off. */
static void leave_for(cpu_t cpu) NO_THREAD_SAFETY
{
    struct runqueue *runqueue = runqueue_here();

    spin_lock(&runqueue->lock);
    thread_current()->state = THREAD_MOVING;
    thread_current()->next_cpu = cpu;
    sched_switch_away(runqueue);
}

status_t sched_migrate(cpu_t cpu) NO_THREAD_SAFETY
{
    struct thread *thread = thread_current();

    if (!core_is_online(cpu) || !affinity_has(&thread->affinity, cpu)) {
        return ERR_INVALID;
    }
    uint64_t state = irq_save();

    if (cpu != core_index()) {
        leave_for(cpu);
    }
    irq_restore(state);
    return OK;
}

status_t thread_set_affinity(struct thread *thread, const struct affinity *affinity)
{
    cpu_t first = 0;

    ASSERT(thread == thread_current() || thread->state == THREAD_NEW);
    while (first < MAX_CORES && !(affinity_has(affinity, first) && core_is_online(first))) {
        first++;
    }
    if (first == MAX_CORES) {
        return ERR_INVALID;
    }
    if (thread != thread_current()) {
        thread->affinity = *affinity;
        return OK;
    }
    /* Interrupts off: one that is preempted may be taken elsewhere (sched_pull) between look and word. One
     * that leaves is nobody's until it is where it goes. */
    uint64_t state = irq_save();

    thread->affinity = *affinity;
    if (!affinity_has(affinity, core_index())) {
        leave_for(first);
    }
    irq_restore(state);
    return OK;
}

bool sched_take_blocked(struct thread *thread) NO_THREAD_SAFETY
{
    cpu_t here = core_index();

    if (!wake_signal(&thread->wake)) {
        return false;
    }
    if (thread->cpu == here) {
        return true;
    }
    if (!affinity_has(&thread->affinity, here)) {
        sched_deliver(thread);
        return false;
    }
    struct runqueue *home = &runqueues[thread->cpu];

    spin_lock(&home->lock);
    thread_set_core(thread, here);
    spin_unlock(&home->lock);
    return true;
}

bool sched_pull(struct thread *thread) NO_THREAD_SAFETY
{
    uint64_t state = irq_save();
    cpu_t here = core_index();
    struct runqueue *home = runqueue_lock_home(thread);
    bool pulled = thread->cpu != here && list_is_linked(&thread->run_link) &&
                  affinity_has(&thread->affinity, here);

    if (pulled) {
        ready_remove(home, thread);
        thread_set_core(thread, here);
    }
    spin_unlock(&home->lock);
    if (pulled) {
        sched_deliver(thread);
    }
    irq_restore(state);
    return pulled;
}
