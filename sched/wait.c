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

status_t sched_block_until(nsec_t when)
{
    struct deadline deadline = {.thread = thread_current(), .passed = false};

    if (thread_must_stop()) {
        return ERR_CANCELLED;
    }
    if (when == DEADLINE_NONE) {
        sched_block();
        return thread_must_stop() ? ERR_CANCELLED : OK;
    }
    if (when == DEADLINE_NOW) {
        return ERR_WOULD_BLOCK;
    }
    if (timer_now_ns() >= when) {
        return ERR_TIMED_OUT;
    }
    timeout_arm(&deadline.timeout, when, deadline_fire);
    sched_block();
    timeout_cancel(&deadline.timeout);
    if (thread_must_stop()) {
        return ERR_CANCELLED;
    }
    /* relaxed: cancel took the wheel's lock, under which it was written */
    return atomic_load_relaxed(&deadline.passed) ? ERR_TIMED_OUT : OK;
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
    uint64_t state = spin_lock_save(&queue->lock);
    struct list *link = list_pop_front(&queue->waiters);

    if (link != NULL) {
        sched_wake_thread(container_of(link, struct waiter, link)->thread);
    }
    spin_unlock_restore(&queue->lock, state);
    return link != NULL;
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
            if (taken) {
                wait_queue_wake_one(queue); /* our wake-up was meant for one who still waits */
            }
            return met ? OK : status;
        }
        if (!list_is_linked(&waiter.link)) {
            list_push_back(&queue->waiters, &waiter.link);
        }
        spin_unlock_restore(&queue->lock, state);
        status = sched_block_until(when);
    }
}
