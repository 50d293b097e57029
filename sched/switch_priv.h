/* SPDX-License-Identifier: MIT */
/*
 * What the switches of runqueue.c and block.c share.
 *
 * Rules: private to sched/; interrupts are off and the run queue's lock is held, which goes from the thread that leaves to
 * the one that comes, so clang's lock analysis cannot follow.
 */
#pragma once

#include "kernel/base/atomic.h"
#include "mm/asid.h"
#include "sched/domain.h"
#include "sched/runqueue_priv.h"

/* The thread left for another core, or for good. */
void sched_finish_leaving(struct runqueue *runqueue, struct thread *thread);

/* Run `next` instead of the current thread. */
void sched_switch_apart(struct runqueue *runqueue, struct thread *next);

/* The next thread, or the idle one, when the current one cannot go on. */
struct thread *runqueue_next(struct runqueue *runqueue);

/* The flags of the thread that goes on. relaxed: who raises a flag takes this queue's lock next and finds
 * the thread running, or has woken it before. */
static inline uint32_t work_of(struct thread *thread)
{
    return atomic_load_relaxed(&thread->flags) != 0 ? WORK_THREAD : 0;
}

/* Its records name the spaces of this core: with another one's entry user code would run with a number that
 * here may be another space's. */
__attribute__((unused)) static inline bool is_at_home(const struct thread *thread)
{
    cpu_t cpu = core_index();

    for (const struct activation *activation = thread->activation; activation != NULL;
         activation = activation->previous) {
        const uint64_t *entry = activation->satp_entry;
        bool is_callers = activation->previous != NULL && entry == activation->previous->satp_entry;

        if (!is_callers && entry != &asid_entries(activation->domain->vspace)[cpu]) {
            return false;
        }
    }
    return true;
}

static inline void finish_switch(struct thread *previous) NO_THREAD_SAFETY
{
    struct runqueue *runqueue = runqueue_here();
    enum thread_state state = previous->state;

    /* Those two are the last states. */
    if (__builtin_expect(state >= THREAD_MOVING, 0)) {
        sched_finish_leaving(runqueue, previous);
    } else {
        spin_unlock(&runqueue->lock);
    }
}
