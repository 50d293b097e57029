/* SPDX-License-Identifier: MIT */
/*
 * Single pages: allocated, shared by counted references, freed. One nexus a core keeps a stock.
 *
 * Rules: nexus_init after frame_init; then any context but an interrupt handler, interrupts on or
 * off, any spinlock held but those of mm/frame; never blocks. A page starts with one reference,
 * its allocator's; the last release frees it. It may be freed on any core and goes home to the
 * nexus it came from, so that frame_free_pages() is exact only after drain_all() (mm/drain.h).
 * Freeing what is not a page with one reference panics in every build.
 * Cost: 54 instructions for both, calls included, while the core has a page in stock.
 */
#pragma once

#include "mm/frame.h"

/* Once, on the boot core: empty stocks, whose size depends on how much memory there is. */
void nexus_init(unsigned core_count);

/* A page with undefined contents, near the core if there is one; or FRAME_NONE. */
WARN_UNUSED paddr_t nexus_alloc_page(void);

/* The same, filled with zeros: one that came back so, or one that is filled now. */
WARN_UNUSED paddr_t nexus_alloc_page_zeroed(void);

/* The same as nexus_alloc_page, but takes the reserve, too: for the way out of a shortage only. */
WARN_UNUSED paddr_t nexus_alloc_page_reserve(void);

/* Gives back a page with one reference, the caller's. Anything else is a bug and panics. */
void nexus_free_page(paddr_t page);

/* The same for a page that has nothing but zeros in it, as a page table that became empty: the core
 * keeps a few apart, for nexus_alloc_page_zeroed. */
void nexus_free_zeroed_page(paddr_t page);

/* One more reference to a page that the caller has one to. */
void nexus_retain_page(paddr_t page);

/* Drops a reference; frees the page with the last one. */
void nexus_release_page(paddr_t page);

/* References now; 1 means that the caller's is the only one. */
static inline uint32_t nexus_page_references(paddr_t page)
{
    /* relaxed: advice, or the caller holds what keeps others from changing it */
    return atomic_load_relaxed(&frame_of(page)->references);
}

/* What a nexus holds and has done; a snapshot for the monitor and the tests. */
struct nexus_counters {
    uint64_t cached;     /* free pages in stock */
    uint64_t waiting;    /* free pages that other cores sent and it has not taken in */
    uint64_t outgoing;   /* free pages of others that it has not sent yet */
    uint64_t in_use;     /* its pages that are handed out, or in another nexus' outgoing */
    uint64_t refills;    /* batches taken from mm/frame */
    uint64_t taken;      /* pages in them */
    uint64_t given;      /* pages given back to mm/frame */
    uint64_t remote_in;  /* its pages that came home from other cores */
    uint64_t remote_out; /* other cores' pages that it sent home */
};

void nexus_get_counters(cpu_t cpu, struct nexus_counters *counters);

/*
 * For mm/drain, which holds the core's memory: interrupts off on that core, or it sleeps.
 *   flush    other cores' pages that were freed here are sent
 *   collect  at most `n` of its own pages are taken in from those that others sent
 *   trim     at most `n` pages go back to mm/frame
 * collect and trim answer whether there are more.
 */
void nexus_flush_core(cpu_t cpu);
bool nexus_collect_some(cpu_t cpu, unsigned n);
bool nexus_trim_some(cpu_t cpu, unsigned n);

/* Pages that a drain of the core would bring back to mm/frame; advice, any context. */
uint64_t nexus_idle_pages(cpu_t cpu);
