/* SPDX-License-Identifier: MIT */
/*
 * Taking back dead threads and domains.
 *
 * A domain is torn down in the order in which its memory can still be reached: its threads are
 * off every core, nobody runs in its ports (upcall_domain_is_quiet), a grace period has passed.
 */
#include "sched/reaper.h"

#include "kernel/base/atomic.h"
#include "kernel/sync/epoch.h"
#include "sched/domain.h"
#include "sched/runqueue_priv.h"
#include "sched/sched.h"
#include "sched/upcall.h"

static struct spinlock reaper_lock = SPINLOCK_INIT("reaper"); /* guards the lists */
static struct list dead_threads GUARDED_BY(reaper_lock) = LIST_INIT(dead_threads);
static struct list dying_domains GUARDED_BY(reaper_lock) = LIST_INIT(dying_domains);
static struct list unused_domains GUARDED_BY(reaper_lock) = LIST_INIT(unused_domains);
static struct thread *reaper_thread;

void reaper_notify(void)
{
    /* acquire: the thread is made before it is named; pairs with reaper_start */
    struct thread *thread = atomic_load_acquire(&reaper_thread);

    if (thread != NULL) {
        sched_wake_thread(thread);
    }
}

void reaper_add_thread(struct thread *thread)
{
    uint64_t state = spin_lock_save(&reaper_lock);

    list_push_back(&dead_threads, &thread->reap_link);
    spin_unlock_restore(&reaper_lock, state);
    reaper_notify();
}

void reaper_add_domain(struct domain *domain)
{
    uint64_t state = spin_lock_save(&reaper_lock);

    list_push_back(&dying_domains, &domain->reap_link);
    spin_unlock_restore(&reaper_lock, state);
    reaper_notify();
}

void reaper_add_unused(struct domain *domain)
{
    uint64_t state = spin_lock_save(&reaper_lock);

    list_push_back(&unused_domains, &domain->reap_link);
    spin_unlock_restore(&reaper_lock, state);
    reaper_notify();
}

static struct list *reaper_pop(struct list *head)
{
    uint64_t state = spin_lock_save(&reaper_lock);
    struct list *link = list_pop_front(head);

    spin_unlock_restore(&reaper_lock, state);
    return link;
}

static void reaper_take_thread(struct thread *thread)
{
    struct domain *domain = thread->domain;
    bool last = false;

    if (thread->identity == NULL) {
        domain_let_go(domain);
    } else {
        uint64_t state = spin_lock_save(&domain->lock);

        list_remove(&thread->domain_link);
        last = --domain->thread_count == 0;
        spin_unlock_restore(&domain->lock, state);
    }
    if (last && domain != &kernel_domain) {
        domain_kill(domain, thread->exit_code);
    }
    if (thread->identity != NULL && thread->identity != thread) {
        object_release(&thread->identity->object);
    }
    object_release(&thread->object);
}

/* Has everything in it stopped? What its orphans may need stays, but nobody waits for them. */
static bool reaper_domain_is_quiet(struct domain *domain)
{
    uint64_t state = spin_lock_save(&domain->lock);
    bool quiet = domain->thread_count == 0;
    bool has_orphans = domain->orphan_count != 0;

    spin_unlock_restore(&domain->lock, state);
    quiet = quiet && upcall_domain_is_quiet(domain);
    if (quiet && has_orphans) {
        domain_announce_end(domain);
    }
    return quiet && !has_orphans;
}

/* Nothing of its memory is looked at any more. False: a letter of it began to be run meanwhile. */
static bool reaper_empty_domain(struct domain *domain)
{
    /* relaxed: its threads have ended */
    if (atomic_load_relaxed(&domain->has_sent)) {
        upcall_domain_take_letters(domain);
    }
    epoch_drain(); /* threads, ports and old handle arrays of the domain */
    epoch_synchronize();
    return reaper_domain_is_quiet(domain);
}

/* Finish the domains that are quiet; put the others back. */
static void reaper_take_domains(void)
{
    struct list busy = LIST_INIT(busy);

    for (struct list *link = reaper_pop(&dying_domains); link != NULL;
         link = reaper_pop(&dying_domains)) {
        struct domain *domain = container_of(link, struct domain, reap_link);

        if (reaper_domain_is_quiet(domain) && reaper_empty_domain(domain)) {
            domain_finish(domain);
        } else {
            list_push_back(&busy, link);
        }
    }
    uint64_t state = spin_lock_save(&reaper_lock);
    list_splice_back(&dying_domains, &busy);
    spin_unlock_restore(&reaper_lock, state);
}

static void reaper_loop(void *argument)
{
    (void)argument;
    for (;;) {
        for (struct list *link = reaper_pop(&dead_threads); link != NULL;
             link = reaper_pop(&dead_threads)) {
            reaper_take_thread(container_of(link, struct thread, reap_link));
        }
        reaper_take_domains();
        for (struct list *link = reaper_pop(&unused_domains); link != NULL;
             link = reaper_pop(&unused_domains)) {
            domain_reclaim(container_of(link, struct domain, reap_link));
        }
        if (epoch_drain() == 0) {
            sched_block();
        }
    }
}

status_t reaper_start(void)
{
    struct thread *thread;
    status_t status = thread_create_kernel("reaper", reaper_loop, NULL, &thread);

    if (status != OK) {
        return status;
    }
    /* release: the thread is complete; pairs with the acquire in reaper_notify */
    atomic_store_release(&reaper_thread, thread);
    epoch_set_notify(reaper_notify);
    return thread_start(thread, THREAD_ANY_CORE);
}
