/* SPDX-License-Identifier: MIT */
/*
 * The real-time class of one core: 256 fixed priorities, first in, first out within each.
 *
 * Rules: the run queue's lock is held. Every operation takes a constant number of steps, whatever is
 * ready: a bit for each priority, and one for each word of bits. Source: the O(1) scheduler of Linux 2.6.
 */
#pragma once

#include "kernel/abi/limits.h"
#include "kernel/abi/status.h"
#include "kernel/base/list.h"
#include "kernel/base/types.h"

#define REALTIME_WORDS (REALTIME_PRIORITIES / 64)

struct realtime {
    uint64_t words; /* bit n: word n of `bits` is not 0 */
    uint64_t bits[REALTIME_WORDS];
    struct list *level; /* REALTIME_PRIORITIES of them */
};

/* ERR_NO_MEMORY. Before other cores run. */
status_t realtime_init(struct realtime *realtime);

static inline bool realtime_is_empty(const struct realtime *realtime)
{
    return realtime->words == 0;
}

/* The highest priority that is ready; there is one. */
static inline uint32_t realtime_top(const struct realtime *realtime)
{
    /* The words may change under who looks without the lock: then the answer is a hint. */
    uint64_t words = realtime->words | 1;
    uint32_t word = 63U - (uint32_t)__builtin_clzl(words);

    return word * 64 + 63U - (uint32_t)__builtin_clzl(realtime->bits[word] | 1);
}

/* Put the link of a thread behind all of its priority, or before them. */
void realtime_insert(struct realtime *realtime, struct list *link, uint32_t priority, bool first);

/* Take it out. */
void realtime_remove(struct realtime *realtime, struct list *link, uint32_t priority);

/* Take the first of the highest priority; there is one. */
struct list *realtime_pop(struct realtime *realtime);
