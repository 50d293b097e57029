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

#include "ipc/name_watch.h"
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

static inline void leave_locked(struct notification *notification,
                                struct notification_waiter *waiter) REQUIRES(notification->lock)
{
    waiter->link.prev->next = waiter->link.next; /* list_remove, of a link that is not used again */
    waiter->link.next->prev = waiter->link.prev;
    signal_word_announce(&notification->word, !list_is_empty(&notification->waiters));
}

/* The waiter's wait is over: it may be gone as soon as it sees that. Whom to wake. */
static inline struct thread *settle_locked(struct notification *notification,
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

/* Give the first of the waiters for whom there is something what is there for it; NULL if there is none. With
 * interrupts off until it is woken: so long the block stays a thread's. *left loses what it got. */
static inline struct thread *deliver_one(struct notification *notification, uint64_t *left)
{
    struct thread *thread = NULL;

    spin_lock(&notification->lock);
    list_for_each(link, &notification->waiters)
    {
        struct notification_waiter *waiter = container_of(link, struct notification_waiter, link);
        uint64_t bits = signal_word_poll(&notification->word, waiter->mask);

        if (bits != 0) {
            *left &= ~bits;
            thread = settle_locked(notification, waiter, bits, OK);
            break;
        }
    }
    spin_unlock(&notification->lock);
    return thread;
}

/* Wakes all to whom what was signalled goes, but the last, whom it returns; NULL if there is none. What others
 * have signalled is theirs to look after. */
static inline struct thread *deliver(struct notification *notification, uint64_t left)
{
    struct thread *thread = deliver_one(notification, &left);

    while (thread != NULL && __builtin_expect(left != 0, 0)) {
        struct thread *next = deliver_one(notification, &left);

        if (next == NULL) {
            break;
        }
        sched_wake_thread_quietly(thread);
        thread = next;
    }
    return thread;
}

void notification_signal_quietly(struct notification *notification, uint64_t bits)
{
    if (signal_word_raise(&notification->word, bits)) {
        struct thread *thread = deliver(notification, bits);

        if (thread != NULL) {
            sched_wake_thread_quietly(thread);
        }
    }
}

/* Somebody waits; anything may be the case. */
__attribute__((noinline)) static void deliver_directly(struct notification *notification,
                                                       uint64_t bits)
{
    struct thread *thread = deliver(notification, bits);

    if (thread != NULL) {
        sched_wake_and_give_way(thread);
    }
}

/* The common case: all goes to the one that waits longest. Without a call but that at the end. */
void notification_signal_directly(struct notification *notification, uint64_t bits) NO_THREAD_SAFETY
{
    if (!signal_word_raise(&notification->word, bits)) {
        return;
    }
    if (__builtin_expect(!spin_lock_try(&notification->lock), 0)) {
        deliver_directly(notification, bits);
        return;
    }
    struct notification_waiter *waiter =
        container_of(notification->waiters.next, struct notification_waiter, link);

    if (__builtin_expect(list_is_empty(&notification->waiters) || (bits & ~waiter->mask) != 0, 0)) {
        spin_unlock(&notification->lock);
        deliver_directly(notification, bits);
        return;
    }
    uint64_t got = signal_word_poll(&notification->word, waiter->mask);

    if (__builtin_expect(got == 0, 0)) { /* somebody has come and taken it */
        spin_unlock(&notification->lock);
        return;
    }
    struct thread *thread = settle_locked(notification, waiter, got, OK);
    spin_unlock(&notification->lock);
    sched_wake_and_give_way(thread);
}

void notification_signal(struct notification *notification, uint64_t bits)
{
    uint64_t state = irq_save();

    notification_signal_quietly(notification, bits);
    irq_restore(state);
    sched_settle_wakeups(state != 0);
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
    }
    spin_unlock(&notification->lock);
    struct thread *thread;
    while ((thread = refuse_one(notification, reason)) != NULL) {
        sched_wake_thread_quietly(thread);
    }
    irq_restore(state);
    sched_settle_wakeups(state != 0);
    name_watch_forget(notification);
}

static void notification_destroy(struct object *object)
{
    struct notification *notification = notification_of_object(object);
    struct domain *domain = notification->domain;

    notification_close(notification, ERR_STALE);
    uint64_t state = spin_lock_save(&domain->lock);
    list_remove(&notification->domain_link);
    spin_unlock_restore(&domain->lock, state);
    epoch_defer(&notification->reclaim, notification_reclaim);
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

/* Take what is there, or get on the list if nothing is: then *got is 0. From the unlock on the record of who is on the
 * list may be written by others. */
static inline status_t wait_begin(struct notification *notification,
                                  struct notification_waiter *waiter, uint64_t mask, uint64_t *got)
{
    spin_lock(&notification->lock);
    status_t reason = notification_close_reason(notification);

    if (__builtin_expect(reason == OK, 1)) {
        list_push_back(&notification->waiters, &waiter->link);
        signal_word_announce(&notification->word, true);
        *got = signal_word_take(&notification->word, mask);
        if (__builtin_expect(*got != 0, 0)) {
            leave_locked(notification, waiter);
        }
    }
    spin_unlock(&notification->lock);
    return reason;
}

static inline bool wait_is_over(const struct notification_waiter *waiter)
{
    /* acquire: what it got, and what the signals are about; pairs with the release in settle_locked */
    return atomic_load_acquire(&waiter->outcome) != WAITING;
}

/*
 * Give up, unless somebody has settled it: then true. The notification is there: interrupts are off since
 * the look that found the waiter on the list, and its last reference goes only after all were settled, its
 * memory a grace period later.
 */
static bool wait_give_up(struct notification *notification, struct notification_waiter *waiter)
{
    if (wait_is_over(waiter)) {
        return true;
    }
    spin_lock(&notification->lock);
    bool over = wait_is_over(waiter);

    if (!over) {
        leave_locked(notification, waiter);
    }
    spin_unlock(&notification->lock);
    return over;
}

/* On the list, until its outcome or the deadline. */
__attribute__((noinline)) static status_t
wait_on(struct notification *notification, struct notification_waiter *waiter, nsec_t deadline)
{
    status_t status = OK;

    irq_enable();
    while (!wait_is_over(waiter) && status == OK) {
        status = sched_block_until(deadline);
    }
    irq_disable();
    return status == OK || wait_give_up(notification, waiter) ? waiter->outcome : status;
}

status_t notification_wait_found(struct notification *notification, uint64_t mask, nsec_t deadline,
                                 uint64_t *bits)
{
    struct notification_waiter waiter;
    uint64_t got = 0;

    waiter.thread = thread_current();
    waiter.mask = mask;
    waiter.outcome = WAITING;
    status_t status = wait_begin(notification, &waiter, mask, &got);
    if (__builtin_expect(status != OK, 0)) {
        return status;
    }
    if (__builtin_expect(got != 0, 0)) {
        *bits = got;
        return OK;
    }
    /* relaxed: who asks something of this thread later wakes it */
    if (deadline == DEADLINE_NONE && atomic_load_relaxed(&thread_current()->flags) == 0) {
        sched_block_quietly();
    }
    if (__builtin_expect(!wait_is_over(&waiter), 0)) {
        status = wait_on(notification, &waiter, deadline);
    } else {
        status = waiter.outcome;
    }
    if (__builtin_expect(status == OK, 1)) {
        *bits = waiter.bits;
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
    irq_disable();
    status = notification_wait_found(notification, mask, deadline, bits);
    irq_enable();
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
