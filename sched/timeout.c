/* SPDX-License-Identifier: MIT */
/*
 * Time-outs as one sorted list a core.
 */
#include "sched/timeout.h"

#include "arch/core.h"
#include "arch/irq.h"
#include "arch/timer.h"
#include "kernel/base/atomic.h"
#include "kernel/sync/spinlock.h"
#include "sched/runqueue_priv.h"

static struct timeout_list {
    struct spinlock lock; /* run queue locks may be taken inside */
    struct list armed GUARDED_BY(lock);
    nsec_t first; /* when the first one is due; read without the lock */
} CACHE_ALIGNED timeouts[MAX_CORES];

void timeout_init(void)
{
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        spin_lock_init(&timeouts[cpu].lock, "timeouts");
        list_init(&timeouts[cpu].armed);
        timeouts[cpu].first = TIMER_NEVER;
    }
}

static struct timeout *timeout_of(struct list *link)
{
    return container_of(link, struct timeout, link);
}

/* What the core's timer is to be set to; after every change of the list. */
static void timeout_note_first(struct timeout_list *list) REQUIRES(list->lock)
{
    struct list *first = list_first(&list->armed);

    /* relaxed: the core reads its own store, or a remote cancel's, which at worst comes late and
     * costs one early interrupt */
    atomic_store_relaxed(&list->first, first == NULL ? TIMER_NEVER : timeout_of(first)->when);
}

nsec_t timeout_first(void)
{
    /* relaxed: see timeout_note_first; no lock, because a wake-up from timeout_run asks, too */
    return atomic_load_relaxed(&timeouts[core_index()].first);
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
    timeout_note_first(list);
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
    timeout_note_first(list);
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
    timeout_note_first(list);
    spin_unlock(&list->lock);
}
