/* SPDX-License-Identifier: MIT */
/*
 * The list of watches: short, under one lock. Whoever changes a name goes through it after the change, whoever adds a watch
 * looks a name up afterwards; the lock puts one of the two first, so the change is seen or signalled.
 */
#include "ipc/name_watch.h"

#include <string.h>

#include "arch/irq.h"
#include "ipc/name_rule.h"
#include "kernel/abi/limits.h"
#include "mm/spmalloc.h"
#include "sched/domain.h"
#include "sched/sched.h"

struct name_watch {
    struct list link;
    struct notification *notification; /* which ends its watches before it goes */
    uint64_t bits;
    char pattern[MAX_NAME_BYTES + 1];
};

/* Guards the list; locks of notifications inside. */
static struct spinlock watch_lock = SPINLOCK_INIT("name watches");
static struct list watches GUARDED_BY(watch_lock) = LIST_INIT(watches);

static bool is_same(const struct name_watch *watch, const struct name_watch *other)
{
    return watch->notification == other->notification &&
           strcmp(watch->pattern, other->pattern) == 0;
}

/* May it be added? */
static status_t check_locked(const struct name_watch *fresh) REQUIRES(watch_lock)
{
    uint32_t all = 0;
    uint32_t own = 0;
    status_t status = notification_close_reason(fresh->notification);

    for (struct list *link = list_first(&watches); link != NULL && status == OK;
         link = list_next(&watches, link)) {
        const struct name_watch *watch = container_of(link, struct name_watch, link);

        status = is_same(watch, fresh) ? ERR_EXISTS : OK;
        own += watch->notification->domain == fresh->notification->domain;
        all++;
    }
    if (status == OK && (all >= MAX_NAME_WATCHES || own >= MAX_DOMAIN_WATCHES)) {
        status = ERR_NO_SPACE;
    }
    return status;
}

status_t name_watch(const char *pattern, size_t bytes, struct notification *notification,
                    uint64_t bits)
{
    if (bytes == 0 || bytes > MAX_NAME_BYTES || bits == 0) {
        return ERR_INVALID;
    }
    struct name_watch *watch = spmalloc_zeroed(notification->domain->account, sizeof(*watch));
    if (watch == NULL) {
        return ERR_NO_MEMORY;
    }
    watch->notification = notification;
    watch->bits = bits;
    memcpy(watch->pattern, pattern, bytes);
    status_t status = ERR_INVALID;
    if (strlen(watch->pattern) == bytes && memchr(pattern, ' ', bytes) == NULL &&
        name_rule_is_valid(watch->pattern)) {
        uint64_t state = spin_lock_save(&watch_lock);

        status = check_locked(watch);
        if (status == OK) {
            list_push_back(&watches, &watch->link);
        }
        spin_unlock_restore(&watch_lock, state);
    }
    if (status != OK) {
        spmalloc_free(watch);
    }
    return status;
}

/* Take one watch of the notification off: that of `pattern`, or with NULL any. */
static struct name_watch *take(const struct notification *notification, const char *pattern,
                               size_t bytes)
{
    struct name_watch *found = NULL;
    uint64_t state = spin_lock_save(&watch_lock);

    for (struct list *link = list_first(&watches); link != NULL && found == NULL;
         link = list_next(&watches, link)) {
        struct name_watch *watch = container_of(link, struct name_watch, link);

        if (watch->notification == notification &&
            (pattern == NULL ||
             (strlen(watch->pattern) == bytes && memcmp(watch->pattern, pattern, bytes) == 0))) {
            found = watch;
        }
    }
    if (found != NULL) {
        list_remove(&found->link);
    }
    spin_unlock_restore(&watch_lock, state);
    return found;
}

status_t name_unwatch(const char *pattern, size_t bytes, struct notification *notification)
{
    struct name_watch *watch = take(notification, pattern, bytes);

    spmalloc_free(watch);
    return watch == NULL ? ERR_NOT_FOUND : OK;
}

void name_watch_forget(struct notification *notification)
{
    struct name_watch *watch;

    while ((watch = take(notification, NULL, 0)) != NULL) {
        spmalloc_free(watch);
    }
}

void name_watch_signal(const char *name, size_t bytes)
{
    uint64_t state = spin_lock_save(&watch_lock);

    for (struct list *link = list_first(&watches); link != NULL; link = list_next(&watches, link)) {
        const struct name_watch *watch = container_of(link, struct name_watch, link);

        if (name_rule_allows(watch->pattern, name, bytes)) {
            notification_signal_quietly(watch->notification, watch->bits);
        }
    }
    spin_unlock_restore(&watch_lock, state);
    sched_settle_wakeups(state != 0);
}
