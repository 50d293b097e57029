/* SPDX-License-Identifier: MIT */
/*
 * Between the frame allocator's parts: one node's buddies (frame_buddy.c), the nodes
 * (frame_nodes.c), the choice among them (frame.c), and the set-up (frame_ranges.c).
 *
 * Rules: the banks and `total_pages`, `reserve`, `low_pages` are written while booting, on one core, and fixed
 * after. A node's lock is the innermost of mm; no two are ever held together.
 */
#pragma once

#include "arch/platform.h"
#include "kernel/sync/spinlock.h"
#include "mm/frame.h"

struct bank {
    paddr_t base;
    uint64_t pages;
    uint32_t node;
};

extern struct bank frame_banks[FRAME_MAX_BANKS];
extern unsigned frame_bank_count;

/* The memory of one NUMA node. `lock` guards it and the ids and links of its free frames. */
struct frame_node {
    struct spinlock lock;
    struct list free[FRAME_MAX_ORDER + 1] GUARDED_BY(lock);
    uint64_t blocks[FRAME_MAX_ORDER + 1] GUARDED_BY(lock);
    uint64_t free_pages GUARDED_BY(lock);
    uint64_t total_pages; /* fixed after boot */
    uint64_t reserve;     /* pages that only FRAME_USE_RESERVE may take; fixed after boot */
    uint64_t low_pages;   /* fixed after boot */
} CACHE_ALIGNED;

extern struct frame_node frame_nodes[PLATFORM_MAX_NUMA_NODES];
extern unsigned frame_node_count;

/* All nodes' numbers, the caller's first, then the nearest. After a migration it is the order of
 * the core that the caller was on, which is as good. */
const uint8_t *frame_nearest_nodes(void);

/* The bank that holds the address, or NULL. O(banks). */
const struct bank *frame_find_bank(paddr_t address);

/* Forgets what the node had. */
void buddy_reset(struct frame_node *node);

/* A block of the order, ALLOCATED, or NULL. Its inner records are to be set by frame_open(). */
struct frame *buddy_alloc_locked(struct frame_node *node, unsigned order) REQUIRES(node->lock);

/* Frees the block, whose record's id the caller has made FRAME_OTHER. */
void buddy_free_locked(struct frame_node *node, struct frame *frame, unsigned order)
    REQUIRES(node->lock);

/*
 * Makes the pages, which are in one bank and whose records nobody has set yet, free. Of the records
 * only those of the blocks' first pages are written: the others follow when a block is given out.
 */
void buddy_add_run(struct frame_node *node, uint32_t number, paddr_t start, uint64_t pages);

/* Forgets all memory; then banks are added; then the reserves and the nodes' order are settled. */
void frame_reset(void);
void frame_settle(void);

/* What a page that is not handed out has in its record. */
static inline void frame_clear_record(struct frame *frame, uint32_t node)
{
    *frame = (struct frame){.id = FRAME_OTHER, .node = (uint8_t)node};
}
