/* SPDX-License-Identifier: MIT */
/*
 * A list that may be long, with the lock that guards it; visited without long stretches of interrupts off.
 *
 * Rules: an entry embeds a struct long_list_link, which long_list_link_init readies. Any context may add and
 * remove. A visit lets the lock go, and interrupts in, after every LONG_LIST_LOCKED links; meanwhile a mark
 * of its own stands in the list, so other visits, adding and removing go on. It meets each entry once that is there
 * from its begin to its end; one that comes or goes meanwhile once or not at all. Who reads `entries`
 * directly (the debugger) leaves marks out.
 */
#pragma once

#include "kernel/base/list.h"
#include "kernel/base/types.h"
#include "kernel/sync/spinlock.h"

#define LONG_LIST_LOCKED 64U

struct long_list_link {
    struct list link;
    bool is_mark; /* where a visit will go on */
};

struct long_list {
    struct spinlock lock;
    struct list entries GUARDED_BY(lock);
};

/* A list defined statically: struct long_list all = LONG_LIST_INIT(all, "all"); */
#define LONG_LIST_INIT(name, lock_name)                                                            \
    {                                                                                              \
        .lock = SPINLOCK_INIT(lock_name), .entries = LIST_INIT((name).entries)                     \
    }

static inline void long_list_link_init(struct long_list_link *link)
{
    list_init(&link->link);
    link->is_mark = false;
}

/* Put an unlinked entry at the end. */
void long_list_add(struct long_list *list, struct long_list_link *link);

/* Take an entry off; harmless when it is not on the list. */
void long_list_remove(struct long_list *list, struct long_list_link *link);

/* Call visit for each entry, in order, until it returns false. The lock is held meanwhile: visit must not block. */
void long_list_visit(struct long_list *list,
                     bool (*visit)(struct long_list_link *link, void *argument), void *argument);
