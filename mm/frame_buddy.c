/* SPDX-License-Identifier: MIT */
/*
 * The buddies of one NUMA node.
 *
 * A block of order k starts at a multiple of 2^k pages; its buddy is found by flipping that bit
 * of the address. Invariants under the lock: every free block is on the list of its order; no
 * two free blocks are buddies of each other; free_pages is the sum of 2^order over the lists.
 *
 * Records are set late. Setting up a machine's memory writes one record for each block, not one for
 * each page: a block is `fresh` while records inside it may never have been written. Halves of a
 * fresh block are fresh; a block with a fresh half is; frame_open() writes the inner records when a
 * block is given out. A buddy's first record is always written before it is looked at: the buddy
 * either was split off the same block, or begins a block of its own, or is reserved memory, whose
 * records are all written at boot.
 */
#include "arch/layout.h"
#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/frame_priv.h"

static inline uint64_t order_bytes(unsigned order)
{
    return (uint64_t)PAGE_BYTES << order;
}

static void push_free_locked(struct frame_node *node, struct frame *frame, unsigned order)
    REQUIRES(node->lock)
{
    /* relaxed: read by others only under the lock that we hold; atomic, since the owners of
     * allocated frames write theirs without it */
    atomic_store_relaxed(&frame->id, FRAME_ID(FRAME_FREE, order, 0));
    list_push_front(&node->free[order], &frame->link);
    node->blocks[order]++;
}

static void take_free_locked(struct frame_node *node, struct frame *frame, unsigned order)
    REQUIRES(node->lock)
{
    list_remove(&frame->link);
    /* relaxed: as in push_free_locked */
    atomic_store_relaxed(&frame->id, FRAME_ID(FRAME_OTHER, 0, 0));
    node->blocks[order]--;
}

/* The free buddy of the block, or NULL. Blocks of two banks are never merged. */
static struct frame *free_buddy(const struct bank *bank, paddr_t address, unsigned order)
{
    paddr_t other = address ^ order_bytes(order);
    struct frame *buddy = frame_of(other);

    /* relaxed: an allocated buddy's owner may change its id now, but never from or to FREE */
    if (other < bank->base || (other - bank->base) / PAGE_BYTES >= bank->pages ||
        atomic_load_relaxed(&buddy->id) != FRAME_ID(FRAME_FREE, order, 0)) {
        return NULL;
    }
    return buddy;
}

static void add_free_pages_locked(struct frame_node *node, uint64_t pages) REQUIRES(node->lock)
{
    /* relaxed: frame_is_low reads it without the lock; a number on its own */
    atomic_store_relaxed(&node->free_pages, node->free_pages + pages);
}

void buddy_free_locked(struct frame_node *node, struct frame *frame, unsigned order)
{
    paddr_t address = frame_address(frame);
    const struct bank *bank = frame_find_bank(address);
    uint16_t fresh = 0;

    add_free_pages_locked(node, 1UL << order);
    while (order < FRAME_MAX_ORDER) {
        struct frame *buddy = free_buddy(bank, address, order);

        if (buddy == NULL) {
            break;
        }
        take_free_locked(node, buddy, order);
        fresh = (uint16_t)(fresh | buddy->fresh);
        address &= ~order_bytes(order);
        order++;
    }
    frame = frame_of(address);
    frame->fresh = fresh;
    push_free_locked(node, frame, order);
}

struct frame *buddy_alloc_locked(struct frame_node *node, unsigned order)
{
    unsigned from = order;
    struct frame *frame;

    while (from <= FRAME_MAX_ORDER && list_is_empty(&node->free[from])) {
        from++;
    }
    if (from > FRAME_MAX_ORDER) {
        return NULL;
    }
    frame = list_entry(list_first(&node->free[from]), struct frame, link);
    take_free_locked(node, frame, from);
    while (from > order) { /* keep the lower half, free the upper one */
        struct frame *upper;

        from--;
        upper = frame + (1UL << from);
        if (frame->fresh != 0) {
            frame_clear_record(upper, frame->node);
        }
        upper->fresh = frame->fresh;
        push_free_locked(node, upper, from);
    }
    /* relaxed: as in push_free_locked */
    atomic_store_relaxed(&frame->id, FRAME_ID(FRAME_ALLOCATED, order, 0));
    add_free_pages_locked(node, 0UL - (1UL << order));
    return frame;
}

void buddy_add_run(struct frame_node *node, uint32_t number, paddr_t start, uint64_t pages)
{
    uint64_t state = spin_lock_save(&node->lock);

    node->total_pages += pages;
    add_free_pages_locked(node, pages);
    while (pages > 0) {
        unsigned order = 0;

        while (order < FRAME_MAX_ORDER && IS_ALIGNED(start, order_bytes(order + 1)) &&
               pages >= 2UL << order) {
            order++;
        }
        /* The largest blocks that fit have no buddy in the run, and the run none beside it. */
        frame_clear_record(frame_of(start), number);
        frame_of(start)->fresh = 1;
        push_free_locked(node, frame_of(start), order);
        start += order_bytes(order);
        pages -= 1UL << order;
    }
    spin_unlock_restore(&node->lock, state);
}

void buddy_reset(struct frame_node *node)
{
    uint64_t state = spin_lock_save(&node->lock);

    for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++) {
        list_init(&node->free[order]);
        node->blocks[order] = 0;
    }
    node->free_pages = 0;
    node->total_pages = 0;
    node->reserve = 0;
    spin_unlock_restore(&node->lock, state);
}
