/* SPDX-License-Identifier: MIT */
/*
 * The real-time class: queues by priority, found by their bits.
 */
#include "sched/realtime.h"

#include "mm/spmalloc.h"

status_t realtime_init(struct realtime *realtime)
{
    struct list *level = spmalloc(&kernel_account, REALTIME_PRIORITIES * sizeof(struct list));

    if (level == NULL) {
        return ERR_NO_MEMORY;
    }
    for (unsigned i = 0; i < REALTIME_PRIORITIES; i++) {
        list_init(&level[i]);
    }
    realtime->level = level;
    return OK;
}

void realtime_insert(struct realtime *realtime, struct list *link, uint32_t priority, bool first)
{
    if (first) {
        list_push_front(&realtime->level[priority], link);
    } else {
        list_push_back(&realtime->level[priority], link);
    }
    realtime->bits[priority / 64] |= 1UL << priority % 64;
    realtime->words |= 1UL << priority / 64;
}

void realtime_remove(struct realtime *realtime, struct list *link, uint32_t priority)
{
    list_remove(link);
    if (list_is_empty(&realtime->level[priority])) {
        realtime->bits[priority / 64] &= ~(1UL << priority % 64);
        if (realtime->bits[priority / 64] == 0) {
            realtime->words &= ~(1UL << priority / 64);
        }
    }
}

struct list *realtime_pop(struct realtime *realtime)
{
    uint32_t priority = realtime_top(realtime);
    struct list *link = list_first(&realtime->level[priority]);

    realtime_remove(realtime, link, priority);
    return link;
}
