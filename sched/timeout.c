/* SPDX-License-Identifier: MIT */
/*
 * Time-outs as one sorted list a core.
 */
#include "sched/timeout.h"

#include "arch/core.h"
#include "arch/irq.h"
#include "arch/timer.h"
#include "kernel/sync/spinlock.h"
#include "sched/runqueue_priv.h"

static struct timeout_list {
    struct spinlock lock; /* run queue locks may be taken inside */
    struct list armed GUARDED_BY(lock);
} CACHE_ALIGNED timeouts[MAX_CORES];

void timeout_init(void)
{
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        spin_lock_init(&timeouts[cpu].lock, "timeouts");
        list_init(&timeouts[cpu].armed);
    }
}

static struct timeout *timeout_of(struct list *link)
{
    return container_of(link, struct timeout, link);
}

nsec_t timeout_first(void) NO_THREAD_SAFETY
{
    /* Only this core inserts here, and interrupts are off; a remote cancel at worst leaves one
     * early interrupt. The lock is taken so that the link is not read while it is cut. */
    struct timeout_list *list = &timeouts[core_index()];
    spin_lock(&list->lock);
    struct list *first = list_first(&list->armed);
    nsec_t when = first == NULL ? TIMER_NEVER : timeout_of(first)->when;
    spin_unlock(&list->lock);
    return when;
}

void timeout_arm(struct timeout *timeout, nsec_t when, void (*fire)(struct timeout *timeout))
{
    uint64_t state = irq_save();
    cpu_t cpu = core_index();
    struct timeout_list *list = &timeouts[cpu];

    timeout->when = when;
    timeout->cpu = cpu;
    timeout->fire = fire;
    spin_lock(&list->lock);
    struct list *position = &list->armed;
    for (struct list *link = list_last(&list->armed); link != NULL;) {
        if (timeout_of(link)->when <= when) {
            break;
        }
        position = link;
        link = link->prev == &list->armed ? NULL : link->prev;
    }
    list_insert_before(position, &timeout->link);
    bool first = list_first(&list->armed) == &timeout->link;
    spin_unlock(&list->lock);
    if (first) {
        sched_program_timer();
    }
    irq_restore(state);
}

void timeout_cancel(struct timeout *timeout)
{
    struct timeout_list *list = &timeouts[timeout->cpu];
    uint64_t state = spin_lock_save(&list->lock);

    list_remove(&timeout->link);
    spin_unlock_restore(&list->lock, state);
}

void timeout_run(void)
{
    struct timeout_list *list = &timeouts[core_index()];
    nsec_t now = timer_now_ns();

    spin_lock(&list->lock);
    for (struct list *link = list_first(&list->armed); link != NULL;
         link = list_first(&list->armed)) {
        struct timeout *timeout = timeout_of(link);

        if (timeout->when > now) {
            break;
        }
        list_remove(&timeout->link);
        timeout->fire(timeout);
    }
    spin_unlock(&list->lock);
}
