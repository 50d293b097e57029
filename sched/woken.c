/* SPDX-License-Identifier: MIT */
/*
 * Those who were woken and are not in the ready queue yet, and what a core must do for who waits.
 */
#include "arch/timer.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "sched/ready_priv.h"
#include "sched/sched.h"
#include "sched/wake.h"

void runqueue_add_woken(struct runqueue *runqueue, struct thread *thread)
{
    /* relaxed: one that changes meanwhile sets `reranked` */
    uint32_t rank = atomic_load_relaxed(&thread->rank);

    if (runqueue->woken == NULL) {
        runqueue->woken_rank = rank;
        runqueue->woken_differ = false;
    } else if (runqueue->woken_rank != rank) {
        runqueue->woken_rank = runqueue->woken_rank < rank ? rank : runqueue->woken_rank;
        runqueue->woken_differ = true;
    }
    thread->inbox_node.next = NULL;
    *runqueue->woken_end = &thread->inbox_node;
    runqueue->woken_end = &thread->inbox_node.next;
    runqueue->woken_count++;
}

/* Take those that other cores woke; the level is to be settled afterwards. */
static void runqueue_collect(struct runqueue *runqueue)
{
    struct inbox_node *oldest = inbox_oldest_first(inbox_take(&runqueue->inbox));

    while (oldest != NULL) {
        struct inbox_node *next = oldest->next;

        runqueue_add_woken(runqueue, thread_of_node(oldest));
        oldest = next;
    }
}

void runqueue_flush_woken(struct runqueue *runqueue)
{
    while (runqueue->woken != NULL) {
        ready_insert(runqueue, woken_pop(runqueue), false);
    }
}

/* Some have another rank than they came with. */
static void rerank_woken(struct runqueue *runqueue)
{
    /* relaxed: an interrupt of this core comes after it was set */
    atomic_store_relaxed(&runqueue->reranked, 0U);
    runqueue->woken_rank = RANK_IDLE;
    runqueue->woken_differ = runqueue->woken != NULL;
    for (struct inbox_node *node = runqueue->woken; node != NULL; node = node->next) {
        /* relaxed: as in runqueue_add_woken */
        uint32_t rank = atomic_load_relaxed(&thread_of_node(node)->rank);

        runqueue->woken_rank = runqueue->woken_rank < rank ? rank : runqueue->woken_rank;
    }
}

uint32_t runqueue_rank(struct runqueue *runqueue)
{
    uint32_t rank = ready_rank(runqueue);

    return runqueue->woken != NULL && runqueue->woken_rank > rank ? runqueue->woken_rank : rank;
}

/* The oldest of the woken comes before all in the queue if they have a lower rank. */
struct thread *runqueue_choose_slow(struct runqueue *runqueue, uint32_t least)
{
    if (inbox_has_some(&runqueue->inbox)) {
        runqueue_collect(runqueue);
    }
    if (runqueue_rank(runqueue) < least) {
        return NULL;
    }
    if (runqueue->woken_differ) {
        runqueue_flush_woken(runqueue);
    } else if (runqueue->woken != NULL && runqueue->woken_rank > ready_rank(runqueue)) {
        return woken_pop(runqueue);
    }
    return ready_pop(runqueue);
}

/* The level that is to stand in the inbox. */
static uint64_t runqueue_consider(struct runqueue *runqueue)
{
    struct core *core = core_current();
    /* Before the core is brought in there is no thread, and it will look by itself. */
    uint32_t running = core->current == NULL ? RANK_IDLE : core->current->rank;

    /* relaxed: as in rerank_woken */
    if (__builtin_expect(atomic_load_relaxed(&runqueue->reranked) != 0, 0)) {
        rerank_woken(runqueue);
    }
    uint32_t waiting = runqueue_rank(runqueue);

    if (waiting > running) {
        core->work |= WORK_RESCHEDULE;
        return rank_level(waiting);
    }
    if (waiting == RANK_SHARING && running == RANK_SHARING && runqueue->slice_end == 0) {
        runqueue->slice_end = timer_now_ns() + SCHED_SLICE_NS;
        sched_advance_timer(runqueue->slice_end);
    }
    return runqueue_level(runqueue, running);
}

void runqueue_settle_slow(struct runqueue *runqueue, uint64_t level)
{
    while (!inbox_settle(&runqueue->inbox, level)) {
        runqueue_collect(runqueue);
        level = runqueue_consider(runqueue);
    }
}

void runqueue_look(struct runqueue *runqueue)
{
    runqueue_settle(runqueue, runqueue_consider(runqueue));
}

void sched_look_again(void)
{
    runqueue_look(runqueue_here());
}

uint32_t sched_ready_count(cpu_t cpu)
{
    /* relaxed: a hint for placement and listings */
    return atomic_load_relaxed(&runqueues[cpu].ready_count) +
           atomic_load_relaxed(&runqueues[cpu].woken_count) + inbox_count(&runqueues[cpu].inbox);
}
