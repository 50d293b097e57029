/* SPDX-License-Identifier: MIT */
/*
 * An intrusive, circular, doubly linked list.
 *
 * Rules: a `struct list` is either a head or the link inside an entry; the caller knows which.
 * An unlinked link points to itself once initialised, so removing it again does no harm. Not
 * safe against another core: the owner's lock guards it. Every operation is O(1).
 */
#pragma once

#include "kernel/base/types.h"

struct list {
    struct list *next;
    struct list *prev;
};

/* A head or link defined statically: struct list ready = LIST_INIT(ready); */
#define LIST_INIT(name)                                                                            \
    {                                                                                              \
        .next = &(name), .prev = &(name)                                                           \
    }

static inline void list_init(struct list *list)
{
    list->next = list;
    list->prev = list;
}

static inline bool list_is_empty(const struct list *head)
{
    return head->next == head;
}

/* True while the link is on some list. The link must have been initialised. */
static inline bool list_is_linked(const struct list *link)
{
    return link->next != link;
}

/* Puts an unlinked `link` between `position` and the entry before it. */
static inline void list_insert_before(struct list *position, struct list *link)
{
    link->next = position;
    link->prev = position->prev;
    position->prev->next = link;
    position->prev = link;
}

static inline void list_push_back(struct list *head, struct list *link)
{
    list_insert_before(head, link);
}

static inline void list_push_front(struct list *head, struct list *link)
{
    list_insert_before(head->next, link);
}

/* Takes the link off its list and leaves it initialised. */
static inline void list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* The first link, or NULL when the list is empty. */
static inline struct list *list_first(const struct list *head)
{
    return list_is_empty(head) ? NULL : head->next;
}

static inline struct list *list_last(const struct list *head)
{
    return list_is_empty(head) ? NULL : head->prev;
}

/* The link after `link`, or NULL at the end of the list. */
static inline struct list *list_next(const struct list *head, const struct list *link)
{
    return link->next == head ? NULL : link->next;
}

/* Takes the first link off and gives it back, or NULL when the list is empty. */
static inline struct list *list_pop_front(struct list *head)
{
    struct list *link = list_first(head);

    if (link != NULL) {
        list_remove(link);
    }
    return link;
}

/* Moves every entry of `from`, in order, to the end of `to`; `from` becomes empty. */
static inline void list_splice_back(struct list *to, struct list *from)
{
    if (!list_is_empty(from)) {
        from->next->prev = to->prev;
        from->prev->next = to;
        to->prev->next = from->next;
        to->prev = from->prev;
        list_init(from);
    }
}

/* The entry of `type` whose link field is `member`. */
#define list_entry(link, type, member) container_of(link, type, member)

/* Walks the links; the current one must not be removed. */
#define list_for_each(link, head)                                                                  \
    for (struct list *link = (head)->next; link != (head); link = link->next)

/* Walks the links; the current one may be removed. */
#define list_for_each_safe(link, head)                                                             \
    for (struct list *link = (head)->next, *link##_next = link->next; link != (head);              \
         link = link##_next, link##_next = link->next)

/* Walks the entries of `type`; the current one must not be removed. */
#define list_for_each_entry(type, entry, head, member)                                             \
    for (type *entry = list_entry((head)->next, type, member); &entry->member != (head);           \
         entry = list_entry(entry->member.next, type, member))
