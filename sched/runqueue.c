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
#include "sched/switch_priv.h"
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

void sched_finish_leaving(struct runqueue *runqueue, struct thread *thread) NO_THREAD_SAFETY
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

void sched_finish_switch(struct thread *previous)
{
    finish_switch(previous);
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
    uint64_t ticks = timer_now_ticks();
    nsec_t now = timer_ns_of_ticks(ticks);

    ASSERT(!irq_enabled());
    ASSERT(next->cpu == core->cpu);
    ASSERT(affinity_has(&next->affinity, core->cpu));
    ASSERT((next->wake & WAKE_WAITS) == 0);
    ASSERT(is_at_home(next));
    if (!fpu_is_off()) {
        activation_save_fpu();
    }
    previous->run_ticks += ticks - previous->run_since;
    next->run_since = ticks;
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

void sched_switch_apart(struct runqueue *runqueue, struct thread *next)
{
    runqueue_switch(runqueue, next, false);
}

void sched_switch_to(struct runqueue *runqueue, struct thread *next)
{
    runqueue_switch(runqueue, next, true);
}

struct thread *runqueue_next(struct runqueue *runqueue)
{
    struct thread *next = runqueue_choose(runqueue, RANK_IDLE + 1);

    return next == NULL ? runqueue->idle : next;
}

void sched_switch_away(struct runqueue *runqueue)
{
    sched_switch_apart(runqueue, runqueue_next(runqueue));
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

uint64_t sched_queue_operations(cpu_t cpu)
{
    /* relaxed: a counter for listings and tests */
    return atomic_load_relaxed(&runqueues[cpu].operations);
}
