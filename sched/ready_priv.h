/* SPDX-License-Identifier: MIT */
/*
 * The ready queue of a core: the classes, highest first, behind one small interface.
 *
 * Rules: the run queue's lock is held, but for ready_rank, which answers its core a hint without. A
 * thread's rank does not change while it is in here (priority.c takes it out and puts it back).
 */
#pragma once

#include "sched/runqueue_priv.h"

/* The rank of the first; RANK_IDLE if nobody is ready. */
static inline uint32_t ready_rank(const struct runqueue *runqueue)
{
    if (__builtin_expect(!realtime_is_empty(&runqueue->realtime), 0)) {
        return RANK_REALTIME + realtime_top(&runqueue->realtime);
    }
    return list_is_empty(&runqueue->sharing) ? RANK_IDLE : RANK_SHARING;
}

static inline void ready_insert(struct runqueue *runqueue, struct thread *thread, bool first)
{
    runqueue->operations++;
    runqueue->ready_count++;
    if (__builtin_expect(thread->rank != RANK_SHARING, 0)) {
        realtime_insert(&runqueue->realtime, &thread->run_link, thread->rank - RANK_REALTIME,
                        first);
    } else {
        list_push_back(&runqueue->sharing, &thread->run_link);
    }
}

/* Before all of its class and priority. */
static inline void ready_insert_first(struct runqueue *runqueue, struct thread *thread)
{
    if (thread->rank != RANK_SHARING) {
        ready_insert(runqueue, thread, true);
        return;
    }
    runqueue->operations++;
    runqueue->ready_count++;
    list_push_front(&runqueue->sharing, &thread->run_link);
}

static inline void ready_remove(struct runqueue *runqueue, struct thread *thread)
{
    runqueue->operations++;
    runqueue->ready_count--;
    if (thread->rank != RANK_SHARING) {
        realtime_remove(&runqueue->realtime, &thread->run_link, thread->rank - RANK_REALTIME);
    } else {
        list_remove(&thread->run_link);
    }
}

/* Takes the first of those that share, or answers NULL. */
static inline struct thread *ready_pop_sharing(struct runqueue *runqueue)
{
    struct list *link = runqueue->sharing.next;

    if (link == &runqueue->sharing) {
        return NULL;
    }
    list_remove(link);
    runqueue->operations++;
    runqueue->ready_count--;
    return container_of(link, struct thread, run_link);
}

/* Takes the first; there is one. */
static inline struct thread *ready_pop(struct runqueue *runqueue)
{
    if (realtime_is_empty(&runqueue->realtime)) {
        return ready_pop_sharing(runqueue);
    }
    runqueue->operations++;
    runqueue->ready_count--;
    return container_of(realtime_pop(&runqueue->realtime), struct thread, run_link);
}
