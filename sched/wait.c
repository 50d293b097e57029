/* SPDX-License-Identifier: MIT */
/*
 * Waiting: with a deadline, and on a queue for a condition.
 */
#include "arch/irq.h"
#include "arch/timer.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "sched/timeout.h"
#include "sched/upcall.h"

/* How long one that outranks the others lets them run. */
#define PAUSE_NS 100000UL

struct deadline {
    struct timeout timeout;
    struct thread *thread;
    bool passed;
};

static void deadline_fire(struct timeout *timeout)
{
    struct deadline *deadline = container_of(timeout, struct deadline, timeout);

    /* relaxed: the waiter looks after its wake-up, which orders this store (wake.h) */
    atomic_store_relaxed(&deadline->passed, true);
    sched_wake_thread(deadline->thread);
}

bool thread_must_stop(void)
{
    /* acquire: see why the flag was raised; pairs with the release in thread_raise */
    if ((atomic_load_acquire(&thread_current()->flags) & THREAD_ASKS) == 0) {
        return false;
    }
    uint64_t state = irq_save();
    bool stop = upcall_settle_thread();

    if (stop) {
        /* The interrupt that says so may still be on its way: user code must not run before it. */
        core_current()->work |= WORK_THREAD;
    }
    irq_restore(state);
    return stop;
}

/* Lets `named` run, or whoever is next. */
static void block_for(struct thread *named)
{
    if (named != NULL) {
        sched_block_for(named);
        irq_enable();
    } else {
        sched_block();
    }
}

/* `named` is to be woken in any case. */
static status_t refuse_block(struct thread *named, status_t status)
{
    if (named != NULL) {
        sched_wake_thread(named);
        irq_enable();
    }
    return status;
}

status_t sched_block_until_for(struct thread *named, nsec_t when)
{
    struct deadline deadline = {.thread = thread_current(), .passed = false};

    /* With a named one its caller has looked; a flag that came later has left a token. */
    if (named == NULL && thread_must_stop()) {
        return ERR_CANCELLED;
    }
    if (when == DEADLINE_NONE) {
        block_for(named);
        return thread_must_stop() ? ERR_CANCELLED : OK;
    }
    if (when == DEADLINE_NOW) {
        return refuse_block(named, ERR_WOULD_BLOCK);
    }
    if (timer_now_ns() >= when) {
        return refuse_block(named, ERR_TIMED_OUT);
    }
    timeout_arm(&deadline.timeout, when, deadline_fire);
    block_for(named);
    timeout_cancel(&deadline.timeout);
    if (thread_must_stop()) {
        return ERR_CANCELLED;
    }
    /* relaxed: cancel took the wheel's lock, under which it was written */
    return atomic_load_relaxed(&deadline.passed) ? ERR_TIMED_OUT : OK;
}

status_t sched_block_until(nsec_t when)
{
    return sched_block_until_for(NULL, when);
}

status_t sched_sleep_until(nsec_t when)
{
    status_t status;

    do {
        status = sched_block_until(when);
    } while (status == OK); /* a wake-up that was meant for something else */
    return status == ERR_CANCELLED ? status : OK;
}

void sched_let_lower_run(void)
{
    struct deadline deadline = {.thread = thread_current()};

    if (sched_rank(thread_current()) <= RANK_SHARING) {
        sched_yield();
        return;
    }
    timeout_arm(&deadline.timeout, timer_now_ns() + PAUSE_NS, deadline_fire);
    sched_block();
    timeout_cancel(&deadline.timeout);
}

struct waiter {
    struct list link;
    struct thread *thread;
};

void wait_queue_init(struct wait_queue *queue)
{
    spin_lock_init(&queue->lock, "wait queue");
    list_init(&queue->waiters);
}

bool wait_queue_wake_one(struct wait_queue *queue)
{
    uint64_t state = irq_save();
    struct thread *thread = wait_queue_take_one(queue);

    if (thread != NULL) {
        sched_wake_thread(thread);
    }
    irq_restore(state);
    return thread != NULL;
}

struct thread *wait_queue_take_one(struct wait_queue *queue)
{
    struct thread *thread = NULL;

    spin_lock(&queue->lock);
    struct list *link = list_pop_front(&queue->waiters);

    if (link != NULL) {
        thread = container_of(link, struct waiter, link)->thread;
    }
    spin_unlock(&queue->lock);
    return thread;
}

/* Those who wait now; one who finds his condition false and queues again is not woken twice. */
void wait_queue_wake_all(struct wait_queue *queue)
{
    struct list woken = LIST_INIT(woken);
    uint64_t state = spin_lock_save(&queue->lock);

    list_splice_back(&woken, &queue->waiters);
    for (struct list *link = list_pop_front(&woken); link != NULL; link = list_pop_front(&woken)) {
        sched_wake_thread(container_of(link, struct waiter, link)->thread);
    }
    spin_unlock_restore(&queue->lock, state);
}

status_t wait_queue_wait(struct wait_queue *queue, nsec_t when, bool (*condition)(void *),
                         void *argument)
{
    return wait_queue_wait_for(queue, NULL, when, condition, argument);
}

/* Out of the queue. */
static void leave_queue(struct wait_queue *queue, bool pass_on, struct thread *named)
{
    if (pass_on) {
        wait_queue_wake_one(queue); /* our wake-up was meant for one who still waits */
    }
    (void)refuse_block(named, OK);
}

status_t wait_queue_wait_for(struct wait_queue *queue, struct thread *named, nsec_t when,
                             bool (*condition)(void *), void *argument)
{
    struct waiter waiter = {.thread = thread_current()};
    status_t status = OK;

    list_init(&waiter.link);
    for (;;) {
        uint64_t state = spin_lock_save(&queue->lock);
        bool met = condition(argument);

        if (met || status != OK) {
            bool taken = !list_is_linked(&waiter.link) && status != OK && !met;

            list_remove(&waiter.link);
            spin_unlock_restore(&queue->lock, state);
            leave_queue(queue, taken, named);
            return met ? OK : status;
        }
        if (!list_is_linked(&waiter.link)) {
            list_push_back(&queue->waiters, &waiter.link);
        }
        spin_unlock_restore(&queue->lock, state);
        status = sched_block_until_for(named, when);
        named = NULL;
    }
}
