/* SPDX-License-Identifier: MIT */
/*
 * One core's run queue.
 *
 * Rules: the lock guards every field and the scheduling fields (state, token, run_link) of the
 * threads at home here. It is held, with interrupts off, across a context switch: taken by the
 * thread that leaves, released by the one that comes. No function holds two of them.
 */
#pragma once

#include "arch/core.h"
#include "kernel/base/list.h"
#include "kernel/base/types.h"
#include "kernel/sync/spinlock.h"
#include "sched/thread.h"

struct runqueue {
    struct spinlock lock; /* innermost; inside it only mm/asid's, when a core is out of numbers */
    struct list ready;    /* round robin, the front runs next */
    uint32_t ready_count;
    struct thread *idle;
    nsec_t slice_end;    /* when the running thread must give way; 0 if nobody waits */
    nsec_t timer_at;     /* when this core's timer is set to fire */
    uint64_t operations; /* queue insertions and removals, for tests of the direct switch */
} CACHE_ALIGNED;

extern struct runqueue runqueues[MAX_CORES];

/* Leave the current thread in the state it was given and run the next; the lock is held and is
 * released on the other side. Interrupts off. */
void sched_switch_away(struct runqueue *runqueue);

/* The first thing a context does after it was switched to. */
void sched_finish_switch(struct thread *previous);

/* Put a thread that is off the core at the end of the queue; tells the core when it must act. */
void sched_enqueue(struct thread *thread, cpu_t cpu);

/* Tell core `cpu` about its queue, whose lock the caller holds. */
void sched_notify_locked(cpu_t cpu);

/* Program this core's timer for the earlier of slice end and first time-out. Interrupts off. */
void sched_program_timer(void);

/* The same if the timer is set for later than `first`; one that is set too early costs less than
 * setting it again. Interrupts off. */
static inline void sched_advance_timer(nsec_t first)
{
    if (first < runqueues[core_index_wide()].timer_at) {
        sched_program_timer();
    }
}

/* A dead thread is off its core: give it to the reaper. Interrupts off. */
void reaper_add_thread(struct thread *thread);

/* A dying domain is to be torn down when quiet. */
struct domain;
void reaper_add_domain(struct domain *domain);

/* The last reference to a dead domain is gone. Any context. */
void reaper_add_unused(struct domain *domain);

/* Tell who waits for its end; once or more. */
void domain_announce_end(struct domain *domain);

/* Give the memory of a quiet domain back and tell who waits for its end. */
void domain_finish(struct domain *domain);
void domain_reclaim(struct domain *domain);

/* The thread, which is off every core, is at home on core `cpu` from now on: there its activations load
 * other entries of their spaces. The only way to change thread.cpu. */
void thread_set_core(struct thread *thread, cpu_t cpu);

/* Prepare a thread block on a new stack slot. */
status_t thread_make(struct domain *domain, const char *name, struct thread **out);

/* The same for the running thread's heir (heir.h): it is charged beyond the limit. */
status_t thread_make_heir(struct domain *domain, struct thread **out);

/* The thread, complete and at home on a core, begins below its innermost record. The caller's reference
 * to it becomes the running thread's. */
void thread_make_ready(struct thread *thread);
