/* SPDX-License-Identifier: MIT */
/*
 * Adding to, removing from and visiting a long list.
 */
#include "kernel/sync/long_list.h"

void long_list_add(struct long_list *list, struct long_list_link *link)
{
    uint64_t state = spin_lock_save(&list->lock);

    list_push_back(&list->entries, &link->link);
    spin_unlock_restore(&list->lock, state);
}

void long_list_remove(struct long_list *list, struct long_list_link *link)
{
    uint64_t state = spin_lock_save(&list->lock);

    list_remove(&link->link);
    spin_unlock_restore(&list->lock, state);
}

/* Visits from the link `at` on; where to go on, or NULL when there is no more or visit wants no more. */
static struct list *visit_some(struct long_list *list, struct list *at,
                               bool (*visit)(struct long_list_link *link, void *argument),
                               void *argument) REQUIRES(list->lock)
{
    for (uint32_t i = 0; at != NULL && i < LONG_LIST_LOCKED; i++) {
        struct long_list_link *link = container_of(at, struct long_list_link, link);

        if (!link->is_mark && !visit(link, argument)) {
            return NULL;
        }
        at = list_next(&list->entries, at);
    }
    return at;
}

void long_list_visit(struct long_list *list,
                     bool (*visit)(struct long_list_link *link, void *argument), void *argument)
{
    struct long_list_link mark = {.is_mark = true};
    uint64_t state = spin_lock_save(&list->lock);
    struct list *at = visit_some(list, list_first(&list->entries), visit, argument);

    while (at != NULL) {
        list_insert_before(at, &mark.link);
        spin_unlock_restore(&list->lock, state);
        state = spin_lock_save(&list->lock);
        at = list_next(&list->entries, &mark.link);
        list_remove(&mark.link);
        at = visit_some(list, at, visit, argument);
    }
    spin_unlock_restore(&list->lock, state);
}
