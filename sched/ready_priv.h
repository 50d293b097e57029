/* SPDX-License-Identifier: MIT */
/*
 * The ready queue of a core: the classes, highest first, behind one small interface.
 *
 * Rules: the run queue's lock is held, but for ready_rank, which answers its core a hint without. A
 * thread's rank does not change while it is in here (priority.c takes it out and puts it back).
 */
#pragma once

#include "sched/runqueue_priv.h"
#include "sched/wake.h"

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

static inline struct thread *thread_of_node(struct inbox_node *node)
{
    return container_of(node, struct thread, inbox_node);
}

/* Takes the oldest of the woken; there is one. On the queue's own core. */
static inline struct thread *woken_pop(struct runqueue *runqueue)
{
    struct thread *thread = thread_of_node(runqueue->woken);

    runqueue->woken = thread->inbox_node.next;
    if (runqueue->woken == NULL) {
        runqueue->woken_end = &runqueue->woken;
        runqueue->woken_differ = false;
    }
    runqueue->woken_count--;
    wake_take(&thread->wake);
    return thread;
}

/* The same when it is the only one. */
static inline struct thread *woken_pop_only(struct runqueue *runqueue)
{
    struct thread *thread = thread_of_node(runqueue->woken);

    runqueue->woken = NULL;
    runqueue->woken_end = &runqueue->woken;
    runqueue->woken_count = 0;
    runqueue->woken_differ = false;
    wake_take(&thread->wake);
    return thread;
}

/* runqueue_add_woken when nobody is there. */
static inline void runqueue_add_only_woken(struct runqueue *runqueue, struct thread *thread,
                                           uint32_t rank)
{
    thread->inbox_node.next = NULL;
    runqueue->woken = &thread->inbox_node;
    runqueue->woken_end = &thread->inbox_node.next;
    runqueue->woken_rank = rank;
    runqueue->woken_count = 1;
    runqueue->woken_differ = false;
}
