/* SPDX-License-Identifier: MIT */
/*
 * Between a nexus' fast paths (nexus.c) and what they hand over (nexus_slow.c, nexus_remote.c).
 *
 * Rules: a nexus belongs to its core: interrupts are off, or the core sleeps and the caller has
 * taken its place (mm/drain.h). Only `inbox` is others' too; `cached` and the counts may be read
 * by anybody.
 */
#pragma once

#include "kernel/abi/limits.h"
#include "mm/nexus.h"

#define NEXUS_OUT_SLOTS 8U
#define NEXUS_OUT_PAGES 16U /* sent as one chain */
/* So many pages waiting for an owner that does not come: somebody is to see to it. */
#define NEXUS_BACKLOG_PAGES 64U
/* Zeroed pages in stock: a few tables that come and go. */
#define NEXUS_ZEROED_PAGES 8U

/* Pages on their way to one other core. */
struct nexus_out {
    struct remote_node *first;
    struct remote_node *last;
    uint32_t count; /* 0: unused */
    cpu_t owner;
};

struct nexus {
    /* The fast paths': one cache line. */
    struct remote_node *free; /* CACHED pages, last in, first out */
    uint64_t page_word;       /* FRAME_WORD of a page with one reference; fixed after nexus_init */
    uint64_t cached_word;     /* of one in here; fixed */
    uint32_t cached;          /* pages in `free` */
    uint32_t high;            /* with more than these, a batch goes back to mm/frame; fixed */
    uint32_t batch;           /* fixed */
    uint32_t zeroed_count;    /* pages in `zeroed` */
    struct remote_node *rest; /* taken from the inbox, not looked at yet */
    struct remote_node *zeroed; /* CACHED pages that are zero, apart from `free` */

    struct nexus_counters counters; /* by nexus_count; cached, waiting and in_use are computed */
    struct nexus_out out[NEXUS_OUT_SLOTS];

    struct remote_list inbox; /* TRAVELLING pages of this nexus; a cache line of its own */
} __attribute__((aligned(512)));

extern struct nexus nexuses[MAX_CORES];

/* Another core's, or the fast path's when a test wants failures. `state`: irq_save_whole(). */
paddr_t nexus_alloc_slow(struct nexus *nexus, uint64_t state);

/* A page that is not this core's, or that must not be freed at all. */
void nexus_free_slow(struct frame *frame, uint64_t state);

/* The nexus has more than `high` pages. */
void nexus_shed(struct nexus *nexus, uint64_t state);

/* A page's record says what it must not: panics and says what. */
NORETURN void nexus_panic(const char *what, const struct frame *frame);

static inline void nexus_set_cached(struct nexus *nexus, uint32_t cached)
{
    /* relaxed: a number that others only read */
    atomic_store_relaxed(&nexus->cached, cached);
}

static inline void nexus_set_zeroed(struct nexus *nexus, uint32_t count)
{
    /* relaxed: a number that others only read */
    atomic_store_relaxed(&nexus->zeroed_count, count);
}

/* Pages in stock; a snapshot for who is not the nexus' core. */
static inline uint64_t nexus_stock(const struct nexus *nexus)
{
    /* relaxed: numbers on their own */
    return (uint64_t)atomic_load_relaxed(&nexus->cached) +
           atomic_load_relaxed(&nexus->zeroed_count);
}

/* Adds to one of the counts. */
static inline void nexus_count(uint64_t *count, uint64_t n)
{
    /* relaxed: a number that others only read */
    atomic_store_relaxed(count, *count + n);
}

/* Puts a page, which is nobody's now, into the nexus; how many it then has. */
static inline uint32_t nexus_push(struct nexus *nexus, struct frame *frame)
{
    /* relaxed: mm/frame may look at it as a buddy, and any state but FREE tells it the same */
    atomic_store_relaxed(&frame->word, nexus->cached_word);
    frame->home.next = nexus->free;
    nexus->free = &frame->home;
    uint32_t cached = nexus->cached + 1;
    nexus_set_cached(nexus, cached);
    return cached;
}
