/* SPDX-License-Identifier: MIT */
/*
 * Which node a block comes from: the caller's first, then the others by distance.
 */
#include "mm/frame.h"

#include <string.h>

#include "arch/layout.h"
#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/fail.h"
#include "mm/frame_priv.h"
#include "mm/tlb_record.h"

struct frame *frame_find(paddr_t address)
{
    return frame_find_bank(address) == NULL ? NULL : frame_of(address);
}

/* True when the node may give away so many pages. */
static bool node_has_locked(const struct frame_node *node, uint64_t pages, unsigned flags)
    REQUIRES(node->lock)
{
    uint64_t keep = (flags & FRAME_USE_RESERVE) != 0 ? 0 : node->reserve;

    return node->free_pages >= keep + pages;
}

/* Sets the records inside a block that was just allocated, where they may be unset. */
static void open_block(struct frame *frame, unsigned order)
{
    if (frame->fresh != 0) {
        frame->fresh = 0;
        for (uint64_t i = 1; i < 1UL << order; i++) {
            frame_clear_record(frame + i, frame->node);
        }
    }
}

paddr_t frame_alloc_flags(unsigned order, unsigned flags)
{
    const uint8_t *near = frame_nearest_nodes();
    struct frame *frame = NULL;

    ASSERT(order <= FRAME_MAX_ORDER);
    if (fail_this_allocation()) {
        return FRAME_NONE;
    }
    for (unsigned i = 0; i < frame_node_count && frame == NULL; i++) {
        struct frame_node *node = &frame_nodes[near[i]];
        uint64_t state = spin_lock_save(&node->lock);

        if (node_has_locked(node, 1UL << order, flags)) {
            frame = buddy_alloc_locked(node, order);
        }
        spin_unlock_restore(&node->lock, state);
    }
    if (frame == NULL) {
        return FRAME_NONE;
    }
    open_block(frame, order);
    return frame_address(frame);
}

paddr_t frame_alloc(unsigned order)
{
    return frame_alloc_flags(order, 0);
}

paddr_t frame_alloc_zeroed(unsigned order)
{
    paddr_t address = frame_alloc(order);

    if (address != FRAME_NONE) {
        memset(direct_map(address), 0, (size_t)PAGE_BYTES << order);
    }
    return address;
}

void frame_free(paddr_t address, unsigned order)
{
    struct frame *frame = frame_find(address);
    struct frame_node *node;
    uint64_t state;

    BUG_ON(frame == NULL || order > FRAME_MAX_ORDER ||
           !IS_ALIGNED(address, (uint64_t)PAGE_BYTES << order));
    BUG_ON(frame->id != FRAME_ID(FRAME_ALLOCATED, order, 0));
    tlb_record_check_free(address, (uint64_t)PAGE_BYTES << order);
    node = &frame_nodes[frame->node];
    state = spin_lock_save(&node->lock);
    /* Looked at again: two cores that free the same block come here one after the other. */
    BUG_ON(frame->id != FRAME_ID(FRAME_ALLOCATED, order, 0));
    /* relaxed: read by others only under this lock */
    atomic_store_relaxed(&frame->id, FRAME_ID(FRAME_OTHER, 0, 0));
    buddy_free_locked(node, frame, order);
    spin_unlock_restore(&node->lock, state);
}

/* Up to `count` pages of one node in front of *chain, out of blocks as large as there are. */
static unsigned take_from_node(struct frame_node *node, unsigned count, unsigned flags,
                               uint64_t word, struct remote_node **chain)
{
    unsigned order = 31U - (unsigned)__builtin_clz(count);
    unsigned taken = 0;
    uint64_t state = spin_lock_save(&node->lock);

    while (taken < count) {
        struct frame *block = NULL;

        if (1U << order <= count - taken && node_has_locked(node, 1UL << order, flags)) {
            block = buddy_alloc_locked(node, order);
        }
        if (block == NULL && order-- == 0) {
            break;
        }
        for (unsigned i = block == NULL ? 0 : 1U << order; i-- > 0; taken++) {
            if (block->fresh != 0 && i > 0) {
                frame_clear_record(block + i, block->node);
            }
            /* relaxed: nobody reads it but the caller, who gets it */
            atomic_store_relaxed(&block[i].word, word);
            block[i].home.next = *chain;
            *chain = &block[i].home;
        }
        if (block != NULL) {
            block->fresh = 0;
        }
    }
    spin_unlock_restore(&node->lock, state);
    return taken;
}

unsigned frame_take_pages(unsigned count, unsigned flags, uint64_t word, struct remote_node **chain)
{
    const uint8_t *near = frame_nearest_nodes();
    unsigned taken = 0;

    *chain = NULL;
    for (unsigned i = 0; i < frame_node_count && taken < count; i++) {
        taken += take_from_node(&frame_nodes[near[i]], count - taken, flags, word, chain);
    }
    return taken;
}

void frame_give_pages(struct remote_node *chain)
{
    while (chain != NULL) {
        uint8_t number = container_of(chain, struct frame, home)->node;
        struct frame_node *node = &frame_nodes[number];
        uint64_t state = spin_lock_save(&node->lock);

        while (chain != NULL) {
            struct frame *frame = container_of(chain, struct frame, home);

            if (frame->node != number) {
                break;
            }
            chain = chain->next;
            BUG_ON(frame_state(frame) != FRAME_CACHED || frame_order(frame) != 0);
            /* relaxed: read by others only under this lock */
            atomic_store_relaxed(&frame->id, FRAME_ID(FRAME_OTHER, 0, 0));
            buddy_free_locked(node, frame, 0);
        }
        spin_unlock_restore(&node->lock, state);
    }
}
