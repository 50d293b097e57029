/* SPDX-License-Identifier: MIT */
/*
 * Notifications: 64 bits that anybody signals and threads poll or wait for.
 *
 * Rules: a signal sets bits; a wait takes those of its mask and clears them. A bit is a fact, not a
 * count: signals of a bit that is set are one. Several threads may wait: a bit goes to the one that has
 * waited longest of those whose mask has it, unless a thread that comes at that moment takes it first.
 * Nothing is lost: bits that nobody waits for stay, and a wait for which some were taken returns them even if its
 * deadline has passed, or its thread is to stop. Nobody is woken for nothing. Made by a domain, whose end closes it;
 * it is closed, too, when the last reference is gone, of which a thread that waits has none.
 */
#pragma once

#include "ipc/signal_word.h"
#include "kernel/abi/status.h"
#include "kernel/base/list.h"
#include "kernel/base/types.h"
#include "kernel/object/object.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/spinlock.h"

struct domain;

struct notification {
    struct object object;
    struct signal_word word;
    status_t close_reason;                /* OK while open; written once under the lock, atomic */
    struct spinlock lock;                 /* guards the list; run queues inside */
    struct list waiters GUARDED_BY(lock); /* the longest waiting first */
    struct domain *domain;
    struct list domain_link; /* the domain's lock */
    struct epoch_callback reclaim;
};

static inline struct notification *notification_of_object(struct object *object)
{
    return (struct notification *)object;
}

/* Make one that is charged to `domain`; the caller gets the one reference. ERR_NO_MEMORY, ERR_PEER_DIED
 * (the domain is dying). */
WARN_UNUSED status_t notification_create(struct domain *domain, struct notification **out);

/* Refuse everything from now on: each waiter returns once with `reason`, ERR_STALE or ERR_PEER_DIED.
 * Idempotent. Any context. */
void notification_close(struct notification *notification, status_t reason);

/* Signal: any context, interrupt handlers too. One atomic operation when nobody waits. A closed one
 * is left alone. The caller has a reference, or interrupts off since it found the notification. */
void notification_signal(struct notification *notification, uint64_t bits);

/* The same with interrupts off; sched_settle_wakeups is the caller's, when they are as they were. */
void notification_signal_quietly(struct notification *notification, uint64_t bits);

/* The same for a system call: interrupts are off, but were on, and nothing is locked: a waiter that outranks the caller
 * runs at once. */
void notification_signal_directly(struct notification *notification, uint64_t bits);

/* OK while it is open, else what waiters are told. */
static inline status_t notification_close_reason(const struct notification *notification)
{
    /* relaxed: written once; nothing else is read because of it */
    return atomic_load_relaxed(&notification->close_reason);
}

/* Take what is signalled of `mask`, which is not 0, waiting for one bit at least until `deadline`. ERR_STALE
 * or ERR_PEER_DIED (closed), ERR_WOULD_BLOCK (DEADLINE_NOW and none), ERR_TIMED_OUT, ERR_CANCELLED; *bits
 * is untouched on error. The caller has a reference until it waits. Thread context, interrupts on. */
WARN_UNUSED status_t notification_wait(struct notification *notification, uint64_t mask,
                                       nsec_t deadline, uint64_t *bits);

/* The same with interrupts off since the caller found the notification; they are off, but were on meanwhile, when it
 * returns. */
WARN_UNUSED status_t notification_wait_found(struct notification *notification, uint64_t mask,
                                             nsec_t deadline, uint64_t *bits);

/* Close all that a dying domain has made. */
void notification_close_all(struct domain *domain);
