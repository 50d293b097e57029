/* SPDX-License-Identifier: MIT */
/*
 * The rank of a thread: its own, or what others lend it while they wait for it.
 *
 * A thread in a ready queue is taken out and put back, under its queue's lock. One that runs, or lies woken,
 * is looked at again by its core. One that is blocked is found with its new rank by who wakes it: the
 * rank is written before the wake word is read, and the waker reads it after it has changed the word.
 * Clang's lock analysis cannot follow: the queue is found from the thread.
 */
#include "arch/ipi.h"
#include "arch/irq.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/ready_priv.h"
#include "sched/sched.h"
#include "sched/wake.h"

/* Its core looks again. */
static void tell_home(struct runqueue *home, cpu_t cpu)
{
    /* full: the rank is written before its core looks; pairs with the fence in deliver_elsewhere of wake.c */
    fence_seq_cst();
    /* relaxed: the interrupt, or the look below, comes after it */
    atomic_store_relaxed(&home->reranked, 1U);
    if (cpu == core_index()) {
        runqueue_look(home);
    } else {
        ipi_request(cpu, IPI_RESCHEDULE);
    }
}

static void set_rank_locked(struct runqueue *home, struct thread *thread)
{
    uint32_t rank = thread->own_rank > thread->lent_rank ? thread->own_rank : thread->lent_rank;
    bool ready = list_is_linked(&thread->run_link);

    if (rank == thread->rank) {
        return;
    }
    if (ready) {
        ready_remove(home, thread);
    }
    /* relaxed: the or below orders it */
    atomic_store_relaxed(&thread->rank, (uint16_t)rank);
    if (ready) {
        ready_insert(home, thread, false);
    }
    /* acq_rel: the rank is written, for a waker that comes later; pairs with wake_signal. And
     * where it lies, for us. */
    if (atomic_or_acq_rel(&thread->wake, 0U) != WAKE_WAITS && thread->state != THREAD_NEW) {
        tell_home(home, thread->cpu);
    }
}

static void set_own_rank(struct thread *thread, uint32_t rank) NO_THREAD_SAFETY
{
    uint64_t state = irq_save();
    struct runqueue *home = runqueue_lock_home(thread);

    thread->own_rank = (uint16_t)rank;
    set_rank_locked(home, thread);
    spin_unlock(&home->lock);
    irq_restore(state);
}

void sched_lend_rank(struct thread *thread, uint32_t rank) NO_THREAD_SAFETY
{
    uint64_t state = irq_save();
    struct runqueue *home = runqueue_lock_home(thread);

    /* relaxed: written under the lock, read by sched_loans without */
    atomic_store_relaxed(&thread->loans, thread->loans + 1);
    if (rank > thread->lent_rank) {
        thread->lent_rank = (uint16_t)rank;
        set_rank_locked(home, thread);
    }
    spin_unlock(&home->lock);
    irq_restore(state);
}

uint32_t sched_loans(struct thread *thread)
{
    /* relaxed: a loan that is missed here was made for a port that is looked at afterwards, under a lock that
     * its lender had */
    return atomic_load_relaxed(&thread->loans);
}

bool sched_settle_lent_rank(struct thread *thread, uint32_t rank, uint32_t loans) NO_THREAD_SAFETY
{
    uint64_t state = irq_save();
    struct runqueue *home = runqueue_lock_home(thread);
    bool settled = thread->loans == loans;

    if (settled) {
        thread->lent_rank = (uint16_t)rank;
        set_rank_locked(home, thread);
    }
    spin_unlock(&home->lock);
    irq_restore(state);
    return settled;
}

status_t thread_set_priority(struct thread *thread, uint64_t priority)
{
    uint64_t state;

    if (priority > PRIORITY_SHARING) {
        return ERR_INVALID;
    }
    state = spin_lock_save(&thread->ended_queue.lock);
    if (thread->body != NULL) {
        set_own_rank(thread->body, priority == PRIORITY_SHARING
                                       ? RANK_SHARING
                                       : RANK_REALTIME + (uint32_t)priority);
    }
    spin_unlock_restore(&thread->ended_queue.lock, state);
    return OK;
}

void sched_take_over_rank(struct thread *heir, const struct thread *thread)
{
    set_own_rank(heir, thread->own_rank);
}

uint64_t thread_priority(const struct thread *thread)
{
    /* relaxed: a snapshot */
    uint32_t rank = atomic_load_relaxed(&thread->rank);

    return rank < RANK_REALTIME ? PRIORITY_SHARING : rank - RANK_REALTIME;
}
