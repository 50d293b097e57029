/* SPDX-License-Identifier: MIT */
/*
 * Who runs next on a core, and the switch to it.
 *
 * A run queue's lock goes from the thread that leaves to the one that comes, so clang's lock analysis
 * cannot follow these functions.
 */
#include "sched/runqueue_priv.h"

#include "arch/context.h"
#include "arch/irq.h"
#include "arch/timer.h"
#include "arch/upcall.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/asid.h"
#include "sched/activation.h"
#include "sched/domain.h"
#include "sched/ready_priv.h"
#include "sched/sched.h"
#include "sched/timeout.h"
#include "sched/upcall.h"
#include "sched/wake.h"

struct runqueue runqueues[MAX_CORES];

status_t runqueue_init(cpu_t cpu, bool exists)
{
    struct runqueue *runqueue = &runqueues[cpu];

    spin_lock_init(&runqueue->lock, "run queue");
    list_init(&runqueue->sharing);
    runqueue->woken_end = &runqueue->woken;
    runqueue->timer_at = TIMER_NEVER;
    cores[cpu].runqueue = runqueue;
    return exists ? realtime_init(&runqueue->realtime) : OK;
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

void sched_interrupt_soon(void)
{
    nsec_t now = timer_now_ns();

    runqueue_here()->timer_at = now;
    timer_set_deadline(now);
}

/* A thread that stays ready. */
__attribute__((always_inline)) static inline void runqueue_push(struct runqueue *runqueue,
                                                                struct thread *thread, bool first)
{
    if (__builtin_expect(runqueue->woken != NULL, 0)) {
        runqueue_flush_woken(runqueue);
    }
    thread->state = THREAD_READY;
    ready_insert(runqueue, thread, first);
}

/* Takes the first of all that wait, if its rank is not below `least`, which is not RANK_IDLE; or NULL. */
static inline struct thread *runqueue_choose(struct runqueue *runqueue, uint32_t least)
{
    ASSERT(least != RANK_IDLE);
    if (__builtin_expect(inbox_has_some(&runqueue->inbox) ||
                             !realtime_is_empty(&runqueue->realtime) || runqueue->woken_differ,
                         0)) {
        return runqueue_choose_slow(runqueue, least);
    }
    if (runqueue->woken == NULL) {
        return least > RANK_SHARING ? NULL : ready_pop_sharing(runqueue);
    }
    /* All of the woken have one rank; those in the ready queue share, and come before their like. */
    if (runqueue->woken_rank > RANK_SHARING || list_is_empty(&runqueue->sharing)) {
        return least > runqueue->woken_rank ? NULL : woken_pop(runqueue);
    }
    return least > RANK_SHARING ? NULL : ready_pop_sharing(runqueue);
}

/* The flags of the thread that goes on. relaxed: who raises a flag takes this queue's lock next and finds
 * the thread running, or has woken it before. */
static uint32_t work_of(struct thread *thread)
{
    return atomic_load_relaxed(&thread->flags) != 0 ? WORK_THREAD : 0;
}

/* The thread left for another core, or for good. Apart, to keep the common switch short. */
__attribute__((noinline)) static void finish_leaving(struct runqueue *runqueue,
                                                     struct thread *thread) NO_THREAD_SAFETY
{
    enum thread_state state = thread->state;

    if (state == THREAD_MOVING) {
        /* Under the old queue's lock: who finds the old core under it (runqueue_lock_home) has to look
         * again, so none still acts on the thread under the old lock when it runs on the new core. */
        thread_set_core(thread, thread->next_cpu);
    }
    spin_unlock(&runqueue->lock);
    if (state == THREAD_MOVING) {
        sched_deliver(thread);
    } else {
        reaper_add_thread(thread);
    }
}

static inline void finish_switch(struct thread *previous) NO_THREAD_SAFETY
{
    struct runqueue *runqueue = runqueue_here();
    enum thread_state state = previous->state;

    /* Those two are the last states. */
    if (__builtin_expect(state >= THREAD_MOVING, 0)) {
        finish_leaving(runqueue, previous);
    } else {
        spin_unlock(&runqueue->lock);
    }
}

void sched_finish_switch(struct thread *previous)
{
    finish_switch(previous);
}

/* Its records name the spaces of this core: with another one's entry user code would run with a number that
 * here may be another space's. */
__attribute__((unused)) static bool is_at_home(const struct thread *thread)
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

/* The slice of the thread that comes. One that runs goes on as one of full length although nobody waits any
 * more: two that wake each other by turns would begin and end one at each turn. The timer ends it. */
static inline void runqueue_begin_slice(struct runqueue *runqueue, const struct thread *next,
                                        bool named, nsec_t now)
{
    if (__builtin_expect(next->rank != RANK_SHARING, 0)) {
        runqueue->slice_end = 0;
    } else if (runqueue->slice_end != 0) {
        if (!named) {
            runqueue->slice_end = now + SCHED_SLICE_NS;
        }
    } else if (runqueue->ready_count != 0 || runqueue->woken != NULL) {
        runqueue->slice_end = now + SCHED_SLICE_NS;
    }
}

/* The lock is held, and free when the caller runs again. One that is named goes on in the slice that runs, or two
 * that name each other would keep the core. Inline for who yields. */
__attribute__((always_inline)) static inline void
runqueue_switch(struct runqueue *runqueue, struct thread *next, bool named) NO_THREAD_SAFETY
{
    struct core *core = core_current();
    struct thread *previous = core->current;
    nsec_t now = timer_now_ns();

    ASSERT(!irq_enabled());
    ASSERT(next->cpu == core->cpu);
    ASSERT(affinity_has(&next->affinity, core->cpu));
    ASSERT((next->wake & WAKE_WAITS) == 0);
    ASSERT(is_at_home(next));
    if (!fpu_is_off()) {
        activation_save_fpu();
    }
    previous->run_ns += now - previous->run_since;
    next->run_since = now;
    previous->activation = core->activation;
    core->activation = next->activation;
    core->current = next;
    core->switches++;
    next->state = THREAD_RUNNING;
    core->work = work_of(next);
    /* The entry of what is loaded does not change, so the same entry is the same space. */
    if (next->activation->satp_entry != previous->activation->satp_entry) {
        asid_enter(next->activation->satp_entry);
    }
    runqueue->slice_over = false;
    runqueue_begin_slice(runqueue, next, named, now);
    runqueue_settle(runqueue, runqueue_level(runqueue, next->rank));
    /* A timer that is set too early finds nothing to do and is set again: cheaper than setting it
     * at every switch. An idle core is not to be woken for nothing. */
    if (next == runqueue->idle || runqueue->slice_end - 1 < runqueue->timer_at - 1) {
        sched_program_timer();
    }
    finish_switch(context_switch(&previous->context, next->context, previous));
}

__attribute__((noinline)) static void runqueue_switch_apart(struct runqueue *runqueue,
                                                            struct thread *next)
{
    runqueue_switch(runqueue, next, false);
}

void sched_switch_to(struct runqueue *runqueue, struct thread *next)
{
    runqueue_switch(runqueue, next, true);
}

/* The next thread, or the idle one, when the current one cannot go on. */
static struct thread *runqueue_next(struct runqueue *runqueue)
{
    struct thread *next = runqueue_choose(runqueue, RANK_IDLE + 1);

    return next == NULL ? runqueue->idle : next;
}

void sched_switch_away(struct runqueue *runqueue)
{
    runqueue_switch_apart(runqueue, runqueue_next(runqueue));
}

/* Gives way to those of higher rank, and to those of the same one if `turn` is over. */
__attribute__((always_inline)) static inline void give_way(struct runqueue *runqueue,
                                                           bool turn) NO_THREAD_SAFETY
{
    struct core *core = core_current();
    struct thread *thread = core->current;

    core->work &= ~(uint32_t)WORK_RESCHEDULE;
    runqueue->slice_over = false;
    spin_lock(&runqueue->lock);
    struct thread *next = runqueue_choose(runqueue, thread->rank + (turn ? 0U : 1U));

    if (next == NULL) {
        runqueue_look(runqueue);
        spin_unlock(&runqueue->lock);
        return;
    }
    if (thread != runqueue->idle) {
        runqueue_push(runqueue, thread, !turn);
    }
    runqueue_switch(runqueue, next, false);
}

void sched_yield(void)
{
    uint64_t state = irq_save();

    give_way(runqueue_here(), true);
    irq_restore(state);
}

void sched_preempt(void)
{
    uint64_t state = irq_save();

    give_way(runqueue_here(), runqueue_here()->slice_over);
    irq_restore(state);
}

void upcall_preempt_kernel(void)
{
    sched_preempt();
}

void sched_handle_timer(void)
{
    struct runqueue *runqueue = runqueue_here();

    timeout_run();
    if (runqueue->slice_end != 0 && timer_now_ns() >= runqueue->slice_end) {
        runqueue->slice_end = 0;
        runqueue->slice_over = true;
        core_current()->work |= WORK_RESCHEDULE;
    }
    sched_program_timer();
}

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
    runqueue_switch_apart(runqueue, next);
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
    runqueue_switch_apart(runqueue, next);
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
    nsec_t now = timer_now_quick_ns();
    nsec_t slice_end = rank == RANK_SHARING && runqueue->slice_end != 0 ? now + SCHED_SLICE_NS : 0;
    uint64_t level = rank_level(rank) - (rank == RANK_SHARING && slice_end == 0);
    /* relaxed: as in inbox_settle */
    uint64_t seen = atomic_load_relaxed(&runqueue->inbox.word);

    if (!fpu_is_off() || now == 0 || activation->satp_entry != core->activation->satp_entry ||
        (slice_end == 0 && rank == RANK_SHARING && runqueue->ready_count != 0) ||
        seen > INBOX_LEVEL ||
        /* relaxed: as in inbox_settle */
        (seen != level && !atomic_cas_relaxed(&runqueue->inbox.word, &seen, level))) {
        runqueue_switch_apart(runqueue, next);
        return;
    }
    ASSERT(next->cpu == core->cpu && (next->wake & WAKE_WAITS) == 0 && is_at_home(next));
    ASSERT(runqueue->woken == NULL && next != runqueue->idle);
    /* A slice that goes on has its timer. */
    runqueue->slice_end = slice_end;
    runqueue->slice_over = false;
    previous->run_ns += now - previous->run_since;
    next->run_since = now;
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
            runqueue_switch_apart(runqueue, next);
        }
    }
    irq_restore(state);
}

uint64_t sched_queue_operations(cpu_t cpu)
{
    /* relaxed: a counter for listings and tests */
    return atomic_load_relaxed(&runqueues[cpu].operations);
}
