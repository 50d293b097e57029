/* SPDX-License-Identifier: MIT */
/*
 * The life of a notification, and whom a signal is for.
 *
 * signal_word.h has the protocol between a signaller and one that is about to wait. Here, under the lock:
 * who signals takes the bits of a waiter's mask for it, takes it off the list, publishes what it got
 * and wakes it, in this order; a waiter leaves the list itself only when nobody has done that. So each
 * wait has one outcome: bits, the close, or its deadline.
 */
#include "ipc/notification.h"

#include "arch/irq.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "mm/spmalloc.h"
#include "sched/domain.h"
#include "sched/sched.h"

/* Lies on the waiter's stack. */
struct notification_waiter {
    struct list link; /* the notification's lock */
    struct thread *thread;
    uint64_t mask;
    uint64_t bits; /* what it got; written before the outcome */
    long outcome;  /* WAITING, OK or why it was closed; atomic */
};

#define WAITING 1L

_Static_assert(OK == 0 && ERR_STALE < 0, "no status is WAITING");

static void notification_reclaim(struct epoch_callback *callback)
{
    struct notification *notification = container_of(callback, struct notification, reclaim);
    struct domain *domain = notification->domain;

    spmalloc_free(notification);
    object_release(&domain->object);
}

static void notification_destroy(struct object *object)
{
    struct notification *notification = notification_of_object(object);
    struct domain *domain = notification->domain;
    uint64_t state = spin_lock_save(&domain->lock);

    list_remove(&notification->domain_link);
    spin_unlock_restore(&domain->lock, state);
    epoch_defer(&notification->reclaim, notification_reclaim);
}

/* Enter it into its domain's list, which owns no reference, unless the domain is dying. */
static status_t notification_adopt(struct notification *notification)
{
    struct domain *domain = notification->domain;
    uint64_t state = spin_lock_save(&domain->lock);
    bool alive = domain->state == DOMAIN_ALIVE;

    if (alive) {
        list_push_back(&domain->notifications, &notification->domain_link);
    }
    spin_unlock_restore(&domain->lock, state);
    return alive ? OK : ERR_PEER_DIED;
}

status_t notification_create(struct domain *domain, struct notification **out)
{
    struct notification *notification = spmalloc_zeroed(domain->account, sizeof(*notification));

    if (notification == NULL) {
        return domain_is_dying(domain) ? ERR_PEER_DIED : ERR_NO_MEMORY;
    }
    object_init(&notification->object, OBJECT_NOTIFICATION, notification_destroy);
    spin_lock_init(&notification->lock, "notification");
    list_init(&notification->waiters);
    list_init(&notification->domain_link);
    object_retain(&domain->object);
    notification->domain = domain;
    status_t status = notification_adopt(notification);
    if (status != OK) {
        object_release(&notification->object);
        return status;
    }
    *out = notification;
    return OK;
}

static void leave_locked(struct notification *notification, struct notification_waiter *waiter)
    REQUIRES(notification->lock)
{
    list_remove(&waiter->link);
    /* relaxed: written under this lock */
    signal_word_announce(&notification->word,
                         !list_is_empty(&notification->waiters) ||
                             atomic_load_relaxed(&notification->close_reason) != OK);
}

/* The waiter's wait is over: it may be gone as soon as it sees that. Whom to wake. */
static struct thread *settle_locked(struct notification *notification,
                                    struct notification_waiter *waiter, uint64_t bits,
                                    status_t outcome) REQUIRES(notification->lock)
{
    struct thread *thread = waiter->thread;

    leave_locked(notification, waiter);
    waiter->bits = bits;
    /* release: the bits, and what the signals are about; pairs with the acquire in wait_is_over */
    atomic_store_release(&waiter->outcome, outcome);
    return thread;
}

/* Give the first of the waiters for whom there is something what is there for it; NULL if there is none. */
static struct thread *deliver_locked(struct notification *notification) REQUIRES(notification->lock)
{
    for (struct list *link = list_first(&notification->waiters); link != NULL;
         link = list_next(&notification->waiters, link)) {
        struct notification_waiter *waiter = container_of(link, struct notification_waiter, link);
        uint64_t bits = signal_word_poll(&notification->word, waiter->mask);

        if (bits != 0) {
            return settle_locked(notification, waiter, bits, OK);
        }
    }
    return NULL;
}

/* With interrupts off from the unlock to the wake-up: so long the block stays a thread's. */
static struct thread *deliver_one(struct notification *notification)
{
    struct thread *thread;

    spin_lock(&notification->lock);
    thread = deliver_locked(notification);
    spin_unlock(&notification->lock);
    return thread;
}

/* Somebody waits, or it is closed. */
static void notification_deliver(struct notification *notification)
{
    struct thread *thread;

    while ((thread = deliver_one(notification)) != NULL) {
        sched_wake_thread_quietly(thread);
    }
}

void notification_signal_quietly(struct notification *notification, uint64_t bits)
{
    if (signal_word_raise(&notification->word, bits)) {
        notification_deliver(notification);
    }
}

void notification_signal(struct notification *notification, uint64_t bits)
{
    if (signal_word_raise(&notification->word, bits)) {
        uint64_t state = irq_save();

        notification_deliver(notification);
        irq_restore(state);
        sched_settle_wakeups(state != 0);
    }
}

/* Refuse the one that waits longest; NULL when nobody waits. */
static struct thread *refuse_one(struct notification *notification, status_t reason)
{
    struct thread *thread = NULL;

    spin_lock(&notification->lock);
    struct list *link = list_first(&notification->waiters);
    if (link != NULL) {
        thread = settle_locked(notification, container_of(link, struct notification_waiter, link),
                               0, reason);
    }
    spin_unlock(&notification->lock);
    return thread;
}

void notification_close(struct notification *notification, status_t reason)
{
    uint64_t state = spin_lock_save(&notification->lock);

    if (notification_close_reason(notification) == OK) {
        /* relaxed: who waits looks under this lock; the others need not see it at once */
        atomic_store_relaxed(&notification->close_reason, reason);
        signal_word_announce(&notification->word, true);
    }
    spin_unlock(&notification->lock);
    struct thread *thread;
    while ((thread = refuse_one(notification, reason)) != NULL) {
        sched_wake_thread_quietly(thread);
    }
    irq_restore(state);
    sched_settle_wakeups(state != 0);
}

/* Take what is there, or get on the list; OK: taken, or on the list when nothing was. */
static status_t wait_begin(struct notification *notification, struct notification_waiter *waiter)
{
    uint64_t state = spin_lock_save(&notification->lock);
    status_t reason = notification_close_reason(notification);

    if (reason == OK) {
        list_push_back(&notification->waiters, &waiter->link);
        signal_word_announce(&notification->word, true);
        waiter->bits = signal_word_take(&notification->word, waiter->mask);
        if (waiter->bits != 0) {
            leave_locked(notification, waiter);
        }
    }
    spin_unlock_restore(&notification->lock, state);
    return reason;
}

static bool wait_is_over(const struct notification_waiter *waiter)
{
    /* acquire: what it got, and what the signals are about; pairs with the release in settle_locked */
    return atomic_load_acquire(&waiter->outcome) != WAITING;
}

/* Give up, unless somebody has settled it: then true. */
static bool wait_give_up(struct notification *notification, struct notification_waiter *waiter)
{
    uint64_t state = spin_lock_save(&notification->lock);
    bool over = wait_is_over(waiter);

    if (!over) {
        leave_locked(notification, waiter);
    }
    spin_unlock_restore(&notification->lock, state);
    return over;
}

/* On the list, until its outcome or the deadline. */
static status_t wait_on(struct notification *notification, struct notification_waiter *waiter,
                        nsec_t deadline)
{
    status_t status;

    do {
        status = sched_block_until(deadline);
    } while (!wait_is_over(waiter) && status == OK);
    if (status == OK || wait_give_up(notification, waiter)) {
        if (status != ERR_CANCELLED) {
            return waiter->outcome;
        }
        /* It never learns what it got. */
        if (waiter->outcome == OK) {
            notification_signal(notification, waiter->bits);
        }
    }
    return status;
}

status_t notification_wait(struct notification *notification, uint64_t mask, nsec_t deadline,
                           uint64_t *bits)
{
    status_t status = notification_close_reason(notification);

    ASSERT(mask != 0);
    if (status != OK) {
        return status;
    }
    uint64_t got = signal_word_poll(&notification->word, mask);
    if (got != 0) {
        *bits = got;
        return OK;
    }
    if (deadline == DEADLINE_NOW) {
        return ERR_WOULD_BLOCK;
    }
    struct notification_waiter waiter = {
        .thread = thread_current(), .mask = mask, .outcome = WAITING};
    list_init(&waiter.link);
    status = wait_begin(notification, &waiter);
    if (status == OK && waiter.bits == 0) {
        status = wait_on(notification, &waiter, deadline);
    }
    if (status == OK) {
        *bits = waiter.bits;
    }
    return status;
}

/* The first open one of a domain, with a reference; NULL when none is left. */
static struct notification *find_open(struct domain *domain)
{
    struct notification *found = NULL;
    uint64_t state = spin_lock_save(&domain->lock);

    for (struct list *link = list_first(&domain->notifications); found == NULL && link != NULL;
         link = list_next(&domain->notifications, link)) {
        struct notification *candidate = container_of(link, struct notification, domain_link);

        if (notification_close_reason(candidate) == OK && object_retain_try(&candidate->object)) {
            found = candidate;
        }
    }
    spin_unlock_restore(&domain->lock, state);
    return found;
}

void notification_close_all(struct domain *domain)
{
    struct notification *notification;

    while ((notification = find_open(domain)) != NULL) {
        notification_close(notification, ERR_PEER_DIED);
        object_release(&notification->object);
    }
}
