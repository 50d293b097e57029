/* SPDX-License-Identifier: MIT */
/*
 * Blocking, and giving the core to a thread that is known.
 *
 * The common block and the wake-up of one that outranks the caller call nothing before the switch: what is unusual
 * leaves for functions of its own, from a state that they know, too. Clang's lock analysis cannot follow:
 * the run queue's lock is released on the other side of the switch.
 */
#include "arch/context.h"
#include "arch/irq.h"
#include "arch/timer.h"
#include "kernel/base/assert.h"
#include "sched/ready_priv.h"
#include "sched/sched.h"
#include "sched/switch_priv.h"
#include "sched/wake.h"

/* The lock is held. Whom a blocked thread leaves the core to; itself when it need not block. */
static struct thread *block_for(struct runqueue *runqueue, struct thread *thread)
{
    /* relaxed: who wakes it writes it too, once it waits */
    atomic_store_relaxed(&thread->state, THREAD_BLOCKED);
    return wake_prepare(&thread->wake) ? runqueue_next(runqueue) : thread;
}

/* It was woken before it had left. */
__attribute__((noinline)) static void go_on(struct runqueue *runqueue,
                                            struct thread *thread) NO_THREAD_SAFETY
{
    thread->state = THREAD_RUNNING;
    core_current()->work |= work_of(thread);
    runqueue_look(runqueue);
    spin_unlock(&runqueue->lock);
}

/* A block when something is unusual; the lock is not held. */
__attribute__((noinline)) static void block_slowly(struct runqueue *runqueue) NO_THREAD_SAFETY
{
    struct thread *thread = thread_current();

    /* The lock before the word: it is free again when the thread is off the core. */
    spin_lock(&runqueue->lock);
    struct thread *next = block_for(runqueue, thread);

    if (next == thread) {
        go_on(runqueue, thread);
        return;
    }
    thread->blocks++;
    sched_switch_apart(runqueue, next);
}

/* The rest of a block when it is not clear who comes; it may be the thread itself, which lay in the inbox. */
__attribute__((noinline)) static void leave_slowly(struct runqueue *runqueue)
{
    struct thread *thread = thread_current();
    struct thread *next = runqueue_next(runqueue);

    if (next == thread) {
        go_on(runqueue, thread);
        return;
    }
    thread->blocks++;
    sched_switch_apart(runqueue, next);
}

/*
 * runqueue_switch for the common case, without a call but those at its end, so that nothing is saved but what the switch
 * itself saves: the same space, no floating point, no timer to be set, nobody in the inbox.
 */
__attribute__((always_inline)) static inline void
switch_quickly(struct runqueue *runqueue, struct thread *previous,
               struct thread *next) NO_THREAD_SAFETY
{
    struct core *core = core_current();
    struct activation *activation = next->activation;
    uint32_t rank = next->rank;
    uint64_t ticks = timer_now_ticks();
    nsec_t now = ticks * timer_tick_ns; /* 0 where a tick is no whole number of them */
    nsec_t slice_end = rank == RANK_SHARING && runqueue->slice_end != 0 ? now + SCHED_SLICE_NS : 0;
    uint64_t level = rank_level(rank) - (rank == RANK_SHARING && slice_end == 0);
    /* relaxed: as in inbox_settle */
    uint64_t seen = atomic_load_relaxed(&runqueue->inbox.word);

    if (!fpu_is_off() || now == 0 || activation->satp_entry != core->activation->satp_entry ||
        (slice_end == 0 && rank == RANK_SHARING && runqueue->ready_count != 0) ||
        seen > INBOX_LEVEL ||
        /* relaxed: as in inbox_settle */
        (seen != level && !atomic_cas_relaxed(&runqueue->inbox.word, &seen, level))) {
        sched_switch_apart(runqueue, next);
        return;
    }
    ASSERT(next->cpu == core->cpu && (next->wake & WAKE_WAITS) == 0 && is_at_home(next));
    ASSERT(runqueue->woken == NULL && next != runqueue->idle);
    /* A slice that goes on has its timer. */
    runqueue->slice_end = slice_end;
    runqueue->slice_over = false;
    previous->run_ticks += ticks - previous->run_since;
    next->run_since = ticks;
    previous->activation = core->activation;
    core->activation = activation;
    core->current = next;
    core->switches++;
    next->state = THREAD_RUNNING;
    core->work = work_of(next);
    finish_switch(context_switch(&previous->context, next->context, previous));
}

/* The only thread that waits here, taken: a woken one, or the first of those that share; NULL when it is not so simple. */
static inline struct thread *choose_quickly(struct runqueue *runqueue)
{
    struct inbox_node *woken = runqueue->woken;

    if (__builtin_expect(!realtime_is_empty(&runqueue->realtime), 0)) {
        return NULL;
    }
    if (woken == NULL) {
        return ready_pop_sharing(runqueue);
    }
    if (woken->next != NULL || !list_is_empty(&runqueue->sharing)) {
        return NULL;
    }
    return woken_pop_only(runqueue);
}

void sched_block_quietly(void) NO_THREAD_SAFETY
{
    struct runqueue *runqueue = runqueue_here();
    struct thread *thread = thread_current();

    ASSERT(thread != runqueue->idle);
    if (__builtin_expect(!spin_lock_try(&runqueue->lock), 0)) {
        block_slowly(runqueue);
        return;
    }
    /* relaxed: as in block_for */
    atomic_store_relaxed(&thread->state, THREAD_BLOCKED);
    if (__builtin_expect(!wake_prepare(&thread->wake), 0)) {
        go_on(runqueue, thread);
        return;
    }
    struct thread *next = choose_quickly(runqueue);

    if (__builtin_expect(next == NULL, 0)) {
        leave_slowly(runqueue);
        return;
    }
    thread->blocks++;
    switch_quickly(runqueue, thread, next);
}

void sched_block(void)
{
    uint64_t state = irq_save();

    sched_block_quietly();
    irq_restore(state);
}

/* Leaves the core to `thread`, which outranks all that wait here. */
__attribute__((noinline)) static void give_way_to(struct runqueue *runqueue,
                                                  struct thread *thread) NO_THREAD_SAFETY
{
    struct thread *self = thread_current();

    if (__builtin_expect(!spin_lock_try(&runqueue->lock), 0)) {
        sched_deliver(thread);
        return;
    }
    wake_take(&thread->wake);
    self->state = THREAD_READY;
    ready_insert(runqueue, self, true);
    switch_quickly(runqueue, self, thread);
}

void sched_wake_and_give_way(struct thread *thread)
{
    struct runqueue *runqueue = runqueue_here();

    if (!wake_signal(&thread->wake)) {
        return;
    }
    uint32_t rank = thread->rank;
    uint32_t running = thread_current()->rank;

    if (thread->cpu != core_index() || runqueue->woken != NULL) {
        sched_deliver(thread);
    } else if (rank <= running) {
        if (rank == RANK_SHARING && running == RANK_SHARING && runqueue->slice_end == 0) {
            sched_deliver(thread); /* a slice begins */
        } else {
            /* It waits for the next switch: nothing else is new to this core. relaxed: it is ours */
            atomic_store_relaxed(&thread->state, THREAD_READY);
            runqueue_add_only_woken(runqueue, thread, rank);
        }
    } else if (rank == RANK_SHARING || !realtime_is_empty(&runqueue->realtime)) {
        sched_deliver(thread);
    } else {
        give_way_to(runqueue, thread);
    }
}

/* May `named`, which is ours to run, come before all that wait here? */
static bool may_come_first(struct runqueue *runqueue, struct thread *named)
{
    return !runqueue->slice_over && !inbox_has_some(&runqueue->inbox) &&
           runqueue_rank(runqueue) <= named->rank;
}

void sched_block_for(struct thread *named) NO_THREAD_SAFETY
{
    uint64_t state = irq_save();
    struct runqueue *runqueue = runqueue_here();
    struct thread *thread = thread_current();
    bool ours = sched_take_blocked(named);

    spin_lock(&runqueue->lock);
    if (ours && may_come_first(runqueue, named)) {
        atomic_store_relaxed(&thread->state, THREAD_BLOCKED); /* relaxed: as in block_for */
        if (wake_prepare(&thread->wake)) {
            wake_take(&named->wake);
            thread->blocks++;
            sched_switch_to(runqueue, named);
            irq_restore(state);
            return;
        }
        thread->state = THREAD_RUNNING;
        runqueue_add_woken(runqueue, named);
        go_on(runqueue, thread);
    } else {
        if (ours) {
            runqueue_add_woken(runqueue, named);
        }
        struct thread *next = block_for(runqueue, thread);

        if (next == thread) {
            go_on(runqueue, thread);
        } else {
            thread->blocks++;
            sched_switch_apart(runqueue, next);
        }
    }
    irq_restore(state);
}
