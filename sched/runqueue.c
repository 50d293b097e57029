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
#include "sched/sched.h"
#include "sched/timeout.h"
#include "sched/upcall.h"
#include "sched/wake.h"

struct runqueue runqueues[MAX_CORES];

void runqueue_init(cpu_t cpu)
{
    struct runqueue *runqueue = &runqueues[cpu];

    spin_lock_init(&runqueue->lock, "run queue");
    list_init(&runqueue->sharing);
    runqueue->woken_end = &runqueue->woken;
    runqueue->timer_at = TIMER_NEVER;
    cores[cpu].runqueue = runqueue;
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

static struct thread *thread_of_node(struct inbox_node *node)
{
    return container_of(node, struct thread, inbox_node);
}

/* --- those who were woken --- */

void runqueue_add_woken(struct runqueue *runqueue, struct thread *thread)
{
    /* relaxed: a thread that is being woken is its waker's */
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
    runqueue->ready_count++;
}

/* Take those that other cores woke; the level is to be settled afterwards. */
__attribute__((noinline)) static void runqueue_collect(struct runqueue *runqueue)
{
    struct inbox_node *newest = inbox_take(&runqueue->inbox);
    struct inbox_node *oldest = NULL;

    while (newest != NULL) {
        struct inbox_node *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != NULL) {
        struct inbox_node *next = oldest->next;

        runqueue_add_woken(runqueue, thread_of_node(oldest));
        oldest = next;
    }
}

static struct thread *woken_pop(struct runqueue *runqueue)
{
    struct thread *thread = thread_of_node(runqueue->woken);

    runqueue->woken = thread->inbox_node.next;
    if (runqueue->woken == NULL) {
        runqueue->woken_end = &runqueue->woken;
    }
    wake_take(&thread->wake);
    return thread;
}

/* --- the ready queue --- */

static void ready_insert(struct runqueue *runqueue, struct thread *thread)
{
    list_push_back(&runqueue->sharing, &thread->run_link);
    runqueue->operations++;
}

/* The rank of the first; RANK_IDLE if it is empty. */
static uint32_t ready_rank(struct runqueue *runqueue)
{
    return list_is_empty(&runqueue->sharing) ? RANK_IDLE : RANK_SHARING;
}

static struct thread *ready_pop(struct runqueue *runqueue)
{
    struct list *link = list_pop_front(&runqueue->sharing);

    runqueue->operations++;
    return container_of(link, struct thread, run_link);
}

__attribute__((noinline)) static void runqueue_flush_woken(struct runqueue *runqueue)
{
    while (runqueue->woken != NULL) {
        ready_insert(runqueue, woken_pop(runqueue));
    }
}

/* A thread that stays ready. */
static void runqueue_push(struct runqueue *runqueue, struct thread *thread)
{
    if (__builtin_expect(runqueue->woken != NULL, 0)) {
        runqueue_flush_woken(runqueue);
    }
    thread->state = THREAD_READY;
    runqueue->ready_count++;
    ready_insert(runqueue, thread);
}

/* --- choosing --- */

/* The rank of the first of all that wait here. */
static uint32_t runqueue_rank(struct runqueue *runqueue)
{
    uint32_t rank = ready_rank(runqueue);

    return runqueue->woken != NULL && runqueue->woken_rank > rank ? runqueue->woken_rank : rank;
}

/* Somebody was woken: the oldest comes before all in the queue if they have a lower rank. */
__attribute__((noinline)) static struct thread *choose_among_woken(struct runqueue *runqueue)
{
    if (runqueue->woken_differ) {
        runqueue_flush_woken(runqueue);
    } else if (runqueue->woken != NULL && runqueue->woken_rank > ready_rank(runqueue)) {
        return woken_pop(runqueue);
    }
    return ready_pop(runqueue);
}

/* Somebody was woken, here or by another core. */
__attribute__((noinline)) static struct thread *choose_with_woken(struct runqueue *runqueue,
                                                                  uint32_t least)
{
    if (inbox_has_some(&runqueue->inbox)) {
        runqueue_collect(runqueue);
    }
    if (runqueue_rank(runqueue) < least) {
        return NULL;
    }
    runqueue->ready_count--;
    return choose_among_woken(runqueue);
}

/* Takes the first of all that wait, if its rank is not below `least`, which is not RANK_IDLE; or NULL. */
static inline struct thread *runqueue_choose(struct runqueue *runqueue, uint32_t least)
{
    ASSERT(least != RANK_IDLE);
    if (__builtin_expect(runqueue->woken != NULL || inbox_has_some(&runqueue->inbox), 0)) {
        return choose_with_woken(runqueue, least);
    }
    if (ready_rank(runqueue) < least) {
        return NULL;
    }
    runqueue->ready_count--;
    return ready_pop(runqueue);
}

/* --- what the core must do --- */

/* What runs, in the units of the inbox: see rank_level. */
static uint64_t runqueue_level(const struct runqueue *runqueue, uint32_t running)
{
    return rank_level(running) - (running == RANK_SHARING && runqueue->slice_end == 0);
}

/* The level that is to stand in the inbox. */
static uint64_t runqueue_consider(struct runqueue *runqueue)
{
    struct core *core = core_current();
    /* Before the core is brought in there is no thread, and it will look by itself. */
    uint32_t running = core->current == NULL ? RANK_IDLE : core->current->rank;
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

__attribute__((noinline)) static void runqueue_settle_slow(struct runqueue *runqueue,
                                                           uint64_t level)
{
    while (!inbox_settle(&runqueue->inbox, level)) {
        runqueue_collect(runqueue);
        level = runqueue_consider(runqueue);
    }
}

/* Say in the inbox what runs; what came before that is looked at now. */
static inline void runqueue_settle(struct runqueue *runqueue, uint64_t level)
{
    /* relaxed: as in inbox_settle */
    if (__builtin_expect(atomic_load_relaxed(&runqueue->inbox.word) != level, 0)) {
        runqueue_settle_slow(runqueue, level);
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

/* --- switching --- */

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

    if (state == THREAD_MOVING || state == THREAD_DEAD) {
        finish_leaving(runqueue, previous);
    } else {
        spin_unlock(&runqueue->lock);
    }
}

void sched_finish_switch(struct thread *previous)
{
    finish_switch(previous);
}

/* The lock is held, and free when the caller runs again. Inline for who yields. */
__attribute__((always_inline)) static inline void
runqueue_switch(struct runqueue *runqueue, struct thread *next) NO_THREAD_SAFETY
{
    struct core *core = core_current();
    struct thread *previous = core->current;
    nsec_t now = timer_now_ns();

    ASSERT(!irq_enabled());
    ASSERT(next->cpu == core->cpu);
    ASSERT((next->wake & WAKE_WAITS) == 0);
    ASSERT(next->base.satp_entry == &asid_entries(next->domain->vspace)[core->cpu]);
    activation_save_fpu();
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
    runqueue->slice_end = runqueue->ready_count != 0 ? now + SCHED_SLICE_NS : 0;
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
    runqueue_switch(runqueue, next);
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
        runqueue_push(runqueue, thread);
    }
    runqueue_switch(runqueue, next);
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

void sched_block(void) NO_THREAD_SAFETY
{
    uint64_t state = irq_save();
    struct runqueue *runqueue = runqueue_here();
    struct thread *thread = thread_current();
    struct thread *next;

    ASSERT(thread != runqueue->idle);
    /* The lock before the word: it is free again when the thread is off the core. */
    spin_lock(&runqueue->lock);
    thread->state = THREAD_BLOCKED;
    next = wake_prepare(&thread->wake) ? runqueue_next(runqueue) : thread;
    if (next == thread) { /* it was woken before it had left */
        thread->state = THREAD_RUNNING;
        core_current()->work |= work_of(thread);
        runqueue_look(runqueue);
        spin_unlock(&runqueue->lock);
    } else {
        thread->blocks++;
        runqueue_switch_apart(runqueue, next);
    }
    irq_restore(state);
}

status_t sched_migrate(cpu_t cpu) NO_THREAD_SAFETY
{
    /* acquire: the core is ready for work; pairs with sched_run_core */
    if (cpu >= MAX_CORES || atomic_load_acquire(&cores[cpu].online) == 0) {
        return ERR_INVALID;
    }
    uint64_t state = irq_save();
    struct thread *thread = thread_current();

    if (cpu != core_index()) {
        struct runqueue *runqueue = runqueue_here();

        spin_lock(&runqueue->lock);
        thread->state = THREAD_MOVING;
        thread->next_cpu = cpu;
        runqueue_switch_apart(runqueue, runqueue_next(runqueue));
    }
    irq_restore(state);
    return OK;
}

uint32_t sched_ready_count(cpu_t cpu)
{
    /* relaxed: a hint for placement and listings */
    return atomic_load_relaxed(&runqueues[cpu].ready_count) + inbox_count(&runqueues[cpu].inbox);
}

uint64_t sched_queue_operations(cpu_t cpu)
{
    /* relaxed: a counter for listings and tests */
    return atomic_load_relaxed(&runqueues[cpu].operations);
}
