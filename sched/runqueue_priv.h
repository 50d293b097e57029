/* SPDX-License-Identifier: MIT */
/*
 * One core's run queue: who is ready, and who was woken and not queued yet.
 *
 * Rules: the lock guards the ready threads and the scheduling fields (state, run_link, cpu) of the
 * threads at home here, but for those of one that is being woken, which is its waker's. It is held, with
 * interrupts off, across a context switch: taken by the thread that leaves, released by the one that
 * comes. No function holds two of them, and waking takes none (wake.c). Only the core itself touches
 * `woken`, the slice and the timer, with interrupts off. Files: ready_priv.h has the ready queue and its
 * classes, woken.c those who were woken and what the core must do, runqueue.c the switch.
 *
 * Order: threads that were woken here lie in `woken`, behind those in the ready queue: whatever is put
 * into the ready queue goes there after them. A switch that finds nobody ready takes the first of them as
 * it is: a block and a wake-up that meet there cost no operation of the queue.
 */
#pragma once

#include "arch/core.h"
#include "kernel/base/list.h"
#include "kernel/base/types.h"
#include "kernel/sync/spinlock.h"
#include "sched/inbox.h"
#include "sched/realtime.h"
#include "sched/thread.h"

struct runqueue {
    struct spinlock lock; /* innermost; inside it only mm/asid's, when a core is out of numbers */
    struct list sharing;  /* ready threads of the time-sharing class: the front runs next */
    struct thread *idle;
    nsec_t slice_end;         /* when the running thread must give way; 0 if nobody waits */
    nsec_t timer_at;          /* when this core's timer is set to fire */
    uint64_t operations;      /* insertions and removals, for tests of what does without */
    struct inbox_node *woken; /* the oldest first */
    struct inbox_node **woken_end;
    uint32_t woken_rank; /* the highest of them */
    uint32_t woken_count;
    bool woken_differ;    /* not all of them have the rank */
    bool slice_over;      /* the running thread has had its time */
    uint32_t ready_count; /* threads in the ready queue; its lock */
    uint32_t
        reranked;     /* one that may be among the woken has another rank: set by anybody, atomic */
    uint32_t poll_ns; /* how long the idle core looks at its inbox before it sleeps (idle.c) */
    struct realtime realtime;
    struct inbox inbox; /* those that other cores woke */
} CACHE_ALIGNED;

extern struct runqueue runqueues[MAX_CORES];

static inline struct runqueue *runqueue_here(void)
{
    return core_current()->runqueue;
}

/* The level of a thread in an inbox. What runs has one of 2n, too, but when somebody of its own rank would
 * start a time slice: then it is one less. */
static inline uint64_t rank_level(uint32_t rank)
{
    return 2UL * rank;
}

/* Empty queues of core `cpu`. ERR_NO_MEMORY. */
status_t runqueue_init(cpu_t cpu, bool exists);

/* --- woken.c; interrupts off, on the queue's own core --- */

/* Put a thread behind the woken ones. */
void runqueue_add_woken(struct runqueue *runqueue, struct thread *thread);

/* Put all of them into the ready queue; the lock is held. */
void runqueue_flush_woken(struct runqueue *runqueue);

/* As runqueue_choose, when not only threads that share wait in the ready queue. */
struct thread *runqueue_choose_slow(struct runqueue *runqueue, uint32_t least);

/* The rank of the first of all that wait here. */
uint32_t runqueue_rank(struct runqueue *runqueue);

/* Whoever waits may change what this core must do: ask for a switch, or start a slice, and say in the
 * inbox what is so. */
void runqueue_look(struct runqueue *runqueue);

/* The inbox does not say `level`, which is that of what runs now: it does afterwards, and what came before
 * was looked at. */
void runqueue_settle_slow(struct runqueue *runqueue, uint64_t level);

/* What runs, in the units of the inbox: see rank_level. */
static inline uint64_t runqueue_level(const struct runqueue *runqueue, uint32_t running)
{
    return rank_level(running) - (running == RANK_SHARING && runqueue->slice_end == 0);
}

/* Say in the inbox what runs. */
static inline void runqueue_settle(struct runqueue *runqueue, uint64_t level)
{
    /* relaxed: as in inbox_settle */
    uint64_t seen = atomic_load_relaxed(&runqueue->inbox.word);

    if (seen == level) {
        return;
    }
    /* Only a level stood there: the common case of inbox_settle. relaxed: as there */
    if (__builtin_expect(
            seen > INBOX_LEVEL || !atomic_cas_relaxed(&runqueue->inbox.word, &seen, level), 0)) {
        runqueue_settle_slow(runqueue, level);
    }
}

/* --- runqueue.c --- */

/* Leave the current thread in the state it was given and run the next; the lock is held and is
 * released on the other side. Interrupts off. */
void sched_switch_away(struct runqueue *runqueue);

/* The same, and run `next`, which is in no queue. */
void sched_switch_to(struct runqueue *runqueue, struct thread *next);

/* The first thing a context does after it was switched to. */
void sched_finish_switch(struct thread *previous);

/* --- wake.c --- */

/* Wake a thread if it is blocked and may run here: true when it is at home here now and the caller's to
 * run or to add to the woken. Else it is woken as usual. Interrupts off. */
bool sched_take_blocked(struct thread *thread);

/* An heir has the own rank of the thread that made it. Under the lock that orders about it come under. */
void sched_take_over_rank(struct thread *heir, const struct thread *thread);

/* Lock the run queue at which the thread is at home; it may move until the lock is held. */
struct runqueue *runqueue_lock_home(struct thread *thread);

/* Program this core's timer for the earlier of slice end and first time-out. Interrupts off. */
void sched_program_timer(void);

/* The timer fires when interrupts are on again. Interrupts off. */
void sched_interrupt_soon(void);

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
