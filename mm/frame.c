/* SPDX-License-Identifier: MIT */
/*
 * The buddy allocator.
 *
 * A block of order k starts at a multiple of 2^k pages; its buddy is found by flipping that bit
 * of the address. Invariants under the lock: every free block is on the list of its order; no
 * two free blocks are buddies of each other; free_pages is the sum of 2^order over the lists.
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

struct bank frame_banks[FRAME_MAX_BANKS]; /* fixed after boot */
unsigned frame_bank_count;

/* Guards the free lists, the counts and the state of free frames. Innermost lock of mm. */
static struct spinlock frame_lock = SPINLOCK_INIT("frame");
static struct list free_list[FRAME_MAX_ORDER + 1] GUARDED_BY(frame_lock);
static uint64_t free_blocks[FRAME_MAX_ORDER + 1] GUARDED_BY(frame_lock);
static uint64_t free_pages GUARDED_BY(frame_lock);
static uint64_t total_pages; /* fixed after boot */

static inline uint64_t order_bytes(unsigned order)
{
    return (uint64_t)PAGE_BYTES << order;
}

/* The frame's place in the bank, or a number not below bank->pages. */
static inline uint64_t bank_index(const struct bank *bank, paddr_t address)
{
    return address >= bank->base ? (address - bank->base) / PAGE_BYTES : UINT64_MAX;
}

static const struct bank *find_bank(paddr_t address)
{
    for (unsigned i = 0; i < frame_bank_count; i++) {
        if (bank_index(&frame_banks[i], address) < frame_banks[i].pages) {
            return &frame_banks[i];
        }
    }
    return NULL;
}

struct frame *frame_find(paddr_t address)
{
    const struct bank *bank = find_bank(address);

    return bank == NULL ? NULL : &bank->frames[bank_index(bank, address)];
}

paddr_t frame_address(const struct frame *frame)
{
    for (unsigned i = 0; i < frame_bank_count; i++) {
        const struct bank *bank = &frame_banks[i];

        if (frame >= bank->frames && frame < bank->frames + bank->pages) {
            return bank->base + (uint64_t)(frame - bank->frames) * PAGE_BYTES;
        }
    }
    assert_fail("the frame record is in a bank", __FILE__, __LINE__);
}

static void push_free_locked(struct frame *frame, unsigned order) REQUIRES(frame_lock)
{
    frame->state = FRAME_FREE;
    frame->order = (uint8_t)order;
    list_push_front(&free_list[order], &frame->link);
    free_blocks[order]++;
}

static void take_free_locked(struct frame *frame, unsigned order) REQUIRES(frame_lock)
{
    list_remove(&frame->link);
    frame->state = FRAME_OTHER;
    free_blocks[order]--;
}

/* The free buddy of the block, or NULL. Blocks of two banks are never merged. */
static struct frame *free_buddy_locked(paddr_t address, unsigned order) REQUIRES(frame_lock)
{
    const struct bank *bank = find_bank(address);
    uint64_t index = bank_index(bank, address ^ order_bytes(order));

    /* relaxed: an allocated buddy's owner may change its state now, but never from or to FREE */
    if (index >= bank->pages || atomic_load_relaxed(&bank->frames[index].state) != FRAME_FREE ||
        bank->frames[index].order != order) {
        return NULL;
    }
    return &bank->frames[index];
}

static void free_block_locked(paddr_t address, unsigned order) REQUIRES(frame_lock)
{
    free_pages += 1UL << order;
    while (order < FRAME_MAX_ORDER) {
        struct frame *buddy = free_buddy_locked(address, order);

        if (buddy == NULL) {
            break;
        }
        take_free_locked(buddy, order);
        address &= ~order_bytes(order);
        order++;
    }
    push_free_locked(frame_find(address), order);
}

paddr_t frame_alloc(unsigned order)
{
    unsigned from = order;
    paddr_t address = FRAME_NONE;
    uint64_t state;

    ASSERT(order <= FRAME_MAX_ORDER);
    if (fail_this_allocation()) {
        return FRAME_NONE;
    }
    state = spin_lock_save(&frame_lock);
    while (from <= FRAME_MAX_ORDER && list_is_empty(&free_list[from])) {
        from++;
    }
    if (from <= FRAME_MAX_ORDER) {
        struct frame *frame = list_entry(list_first(&free_list[from]), struct frame, link);

        address = frame_address(frame);
        take_free_locked(frame, from);
        while (from > order) { /* keep the lower half, free the upper one */
            from--;
            push_free_locked(frame + (1UL << from), from);
        }
        frame->state = FRAME_ALLOCATED;
        frame->order = (uint8_t)order;
        free_pages -= 1UL << order;
    }
    spin_unlock_restore(&frame_lock, state);
    return address;
}

paddr_t frame_alloc_zeroed(unsigned order)
{
    paddr_t address = frame_alloc(order);

    if (address != FRAME_NONE) {
        memset(direct_map(address), 0, order_bytes(order));
    }
    return address;
}

void frame_free(paddr_t address, unsigned order)
{
    struct frame *frame = frame_find(address);
    uint64_t state = spin_lock_save(&frame_lock);

    BUG_ON(frame == NULL || order > FRAME_MAX_ORDER || !IS_ALIGNED(address, order_bytes(order)));
    BUG_ON(frame->state != FRAME_ALLOCATED || frame->order != order);
    tlb_record_check_free(address, order_bytes(order));
    frame->state = FRAME_OTHER;
    free_block_locked(address, order);
    spin_unlock_restore(&frame_lock, state);
}

void frame_add_run(paddr_t start, uint64_t pages)
{
    uint64_t state = spin_lock_save(&frame_lock);

    total_pages += pages;
    while (pages > 0) {
        unsigned order = 0;

        while (order < FRAME_MAX_ORDER && IS_ALIGNED(start, order_bytes(order + 1)) &&
               pages >= 2UL << order) {
            order++;
        }
        free_block_locked(start, order);
        start += order_bytes(order);
        pages -= 1UL << order;
    }
    spin_unlock_restore(&frame_lock, state);
}

void frame_reset(void)
{
    uint64_t state = spin_lock_save(&frame_lock);

    for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++) {
        list_init(&free_list[order]);
        free_blocks[order] = 0;
    }
    free_pages = 0;
    total_pages = 0;
    frame_bank_count = 0;
    spin_unlock_restore(&frame_lock, state);
}

uint64_t frame_free_pages(void)
{
    uint64_t state = spin_lock_save(&frame_lock);
    uint64_t pages = free_pages;

    spin_unlock_restore(&frame_lock, state);
    return pages;
}

uint64_t frame_total_pages(void)
{
    return total_pages;
}

uint64_t frame_free_blocks(unsigned order)
{
    uint64_t state = spin_lock_save(&frame_lock);
    uint64_t blocks = free_blocks[order];

    spin_unlock_restore(&frame_lock, state);
    return blocks;
}
