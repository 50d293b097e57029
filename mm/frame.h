/* SPDX-License-Identifier: MIT */
/*
 * All physical page frames: a buddy allocator of orders 0 to FRAME_MAX_ORDER, and one
 * `struct frame` for each frame.
 *
 * Rules: frame_init once on the boot core after the direct map is up. After that any context,
 * interrupts on or off; one lock, the innermost of mm (order: vspace, kstack, spmalloc,
 * frame); never blocks. A block belongs to whoever allocated it until it frees it with the
 * same order. Orders are log2 of pages. Freeing what is not allocated is a bug and panics.
 * Cost O(FRAME_MAX_ORDER). Source: Knuth, The Art of Computer Programming 1, 2.5 (buddies).
 */
#pragma once

#include "kernel/base/list.h"
#include "kernel/base/types.h"

#define FRAME_NONE ((paddr_t)0)
#define FRAME_MAX_ORDER 10
#define FRAME_MAX_BANKS 16
#define FRAME_OWNER_NONE 0U

enum frame_state {
    FRAME_OTHER = 0,     /* not ours (firmware, kernel, boot data), or not first in its block */
    FRAME_FREE = 1,      /* first frame of a free block of `order` */
    FRAME_ALLOCATED = 2, /* first frame of an allocated block of `order` */
    FRAME_SLAB = 3,      /* allocated, holds small objects of spmalloc */
    FRAME_LARGE = 4,     /* allocated, first frame of a large object of spmalloc */
};

struct frame {
    uint8_t state;      /* enum frame_state; the frame lock's, and the owner's while allocated */
    uint8_t order;      /* of the block that starts here */
    uint16_t owner;     /* nexus it came from; FRAME_OWNER_NONE while there are none */
    uint16_t in_use;    /* objects in use, while FRAME_SLAB */
    uint8_t size_class; /* spmalloc's, while FRAME_SLAB */
    uint8_t unused;
    uint32_t references; /* of a single page (mm/nexus.h) */
    struct list link;    /* free list of the order; the owner's while allocated */
    uint64_t used[2];    /* spmalloc: a bit for each object in use */
};

struct frame_range {
    paddr_t start;
    uint64_t bytes;
};

/* Takes over the banks of `platform`, without what is reserved there. Too little panics. */
void frame_init(void);

/*
 * The same from explicit ranges (frame_init and the tests). Ranges need not be aligned or
 * sorted; reserved ones may overlap each other and lie outside any bank.
 */
void frame_init_ranges(const struct frame_range *banks, unsigned bank_count,
                       const struct frame_range *reserved, unsigned reserved_count);

/* A block of 2^order pages, aligned to its size, contents undefined; FRAME_NONE if none. */
WARN_UNUSED paddr_t frame_alloc(unsigned order);

/* The same, filled with zeros. */
WARN_UNUSED paddr_t frame_alloc_zeroed(unsigned order);

/* Gives a block back. `order` must be the one it was allocated with. */
void frame_free(paddr_t address, unsigned order);

/* The record of the frame that holds `address`, or NULL when it is not in any bank. */
struct frame *frame_find(paddr_t address);

/* The address of the frame that the record is for. */
paddr_t frame_address(const struct frame *frame);

/* Free pages now: the baseline that every test must return to. */
uint64_t frame_free_pages(void);

/* Pages under management, free or allocated; fixed after boot. */
uint64_t frame_total_pages(void);

/* Free blocks of the order; a snapshot for the monitor and the tests. */
uint64_t frame_free_blocks(unsigned order);
