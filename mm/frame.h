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

#include "arch/layout.h"
#include "kernel/base/list.h"
#include "kernel/base/types.h"

#define FRAME_NONE ((paddr_t)0)
#define FRAME_MAX_ORDER 10
#define FRAME_MAX_BANKS 16

enum frame_state {
    FRAME_OTHER = 0,      /* not ours (firmware, kernel, boot data), or not first in its block */
    FRAME_FREE = 1,       /* first frame of a free block of mm/frame */
    FRAME_ALLOCATED = 2,  /* first frame of an allocated block */
    FRAME_CACHED = 3,     /* a free page in a nexus */
    FRAME_SLAB = 4,       /* holds small objects, and room for another */
    FRAME_SLAB_FULL = 5,  /* holds small objects only; differs from FRAME_SLAB in bit 0 alone */
    FRAME_PAGE = 6,       /* a single page, handed out by a nexus */
    FRAME_LARGE = 7,      /* first frame of a large object */
    FRAME_TRAVELLING = 8, /* a free page on its way home to its nexus */
};

/* One number for the three, so that one comparison tests all; owner: the core of the nexus that a
 * page came from. */
#define FRAME_ID(state, order, owner)                                                              \
    ((uint32_t)(state) | (uint32_t)(order) << 8 | (uint32_t)(owner) << 16)

struct frame {
    uint32_t id;           /* FRAME_ID; the node's lock's while free, else the holder's */
    uint32_t references;   /* of a single page (mm/nexus.h) */
    struct list link;      /* the free list's; the holder's while allocated */
    uintptr_t free;        /* slab: its first free object, odd when there is none */
    uint64_t key;          /* slab: the secret that its free list is encoded with */
    struct heap *heap;     /* slab: whose it is, account and core */
    uint32_t magic;        /* slab: ceil(2^32 / object_bytes), to test for an object's start */
    uint16_t used;         /* slab: objects in use, those on their way home included, + current */
    uint16_t capacity;     /* slab: objects in all */
    uint16_t object_bytes; /* slab */
    uint8_t size_class;    /* slab */
    uint8_t node;          /* NUMA node; fixed */
    uint32_t current;      /* slab: 1 while its heap allocates from it */
};

_Static_assert(sizeof(struct frame) == 1 << FRAME_RECORD_SHIFT, "arch/layout.h");

static inline unsigned frame_state(const struct frame *frame)
{
    return frame->id & 0xff;
}

static inline unsigned frame_order(const struct frame *frame)
{
    return frame->id >> 8 & 0xff;
}

static inline unsigned frame_owner(const struct frame *frame)
{
    return frame->id >> 16;
}

/* The record of the page that a pointer of the direct map lies in. Trusted: for any other pointer
 * the record does not exist, and touching it faults or finds no valid id. */
static inline struct frame *frame_of_pointer(const void *pointer)
{
    return (struct frame *)frame_window_of_pointer(pointer);
}

/* The same for a physical address in one of the banks. */
static inline struct frame *frame_of(paddr_t address)
{
    return (struct frame *)(FRAME_WINDOW_BASE + (address >> 12 << FRAME_RECORD_SHIFT));
}

/* The address of the page that the record is for. */
static inline paddr_t frame_address(const struct frame *frame)
{
    return ((uintptr_t)frame - FRAME_WINDOW_BASE) >> FRAME_RECORD_SHIFT << 12;
}

struct frame_range {
    paddr_t start;
    uint64_t bytes;
    uint32_t node; /* NUMA node of a bank */
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

/* Free pages now: the baseline that every test must return to. */
uint64_t frame_free_pages(void);

/* Pages under management, free or allocated; fixed after boot. */
uint64_t frame_total_pages(void);

/* Free blocks of the order; a snapshot for the monitor and the tests. */
uint64_t frame_free_blocks(unsigned order);
