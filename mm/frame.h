/* SPDX-License-Identifier: MIT */
/*
 * All physical page frames: a buddy allocator of orders 0 to FRAME_MAX_ORDER for each NUMA node,
 * and one `struct frame` for each frame. Single pages come from mm/nexus.h, not from here.
 *
 * Rules: frame_init once on the boot core after the direct map is up. After that any context,
 * interrupts on or off; one lock a node, the innermost of mm (order: vspace, kstack, spmalloc,
 * frame), never two at once; never blocks. A block belongs to whoever allocated it until it frees it with the
 * same order. Orders are log2 of pages. Freeing what is not allocated is a bug and panics.
 * Cost O(FRAME_MAX_ORDER). Source: Knuth, The Art of Computer Programming 1, 2.5 (buddies).
 */
#pragma once

#include "arch/layout.h"
#include "kernel/base/list.h"
#include "kernel/base/types.h"
#include "mm/remote.h"

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

#define FRAME_WORD(id, references) ((uint64_t)(id) | (uint64_t)(references) << 32)

struct frame {
    union {
        struct list link;        /* the free list's; the holder's while allocated */
        struct remote_node home; /* of a page in a nexus or on its way there */
    };
    union {
        struct {
            uint32_t id;         /* FRAME_ID; the node's lock's while free, else the holder's */
            uint32_t references; /* of a single page (mm/nexus.h) */
        };
        uint64_t word; /* both, FRAME_WORD */
    };
    uintptr_t free;        /* slab: its first free object, odd when there is none */
    uint64_t key;          /* slab: the secret that its free list is encoded with */
    struct heap *heap;     /* slab: whose it is, account and core */
    uint32_t magic;        /* slab: ceil(2^32 / object_bytes), to test for an object's start */
    uint32_t used;         /* slab: objects in use, those on their way home included, + current */
    uint16_t capacity;     /* slab: objects in all */
    uint16_t object_bytes; /* slab */
    uint8_t size_class;    /* slab */
    uint8_t node;          /* NUMA node; fixed */
    union {
        uint16_t fresh;   /* free block: records inside it may be unset (frame_buddy.c) */
        uint16_t current; /* slab: 1 while its heap allocates from it */
    };
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
    return frame_window_address((uintptr_t)frame);
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

/* Flags of an allocation. */
#define FRAME_USE_RESERVE 1U /* the last pages, too: for the way out of a shortage only */

/* A block of 2^order pages, aligned to its size, contents undefined; FRAME_NONE if none. */
WARN_UNUSED paddr_t frame_alloc(unsigned order);
WARN_UNUSED paddr_t frame_alloc_flags(unsigned order, unsigned flags);

/* The same, filled with zeros. */
WARN_UNUSED paddr_t frame_alloc_zeroed(unsigned order);

/* Gives a block back. `order` must be the one it was allocated with. */
void frame_free(paddr_t address, unsigned order);

/*
 * For mm/nexus: up to `count` > 0 single pages with the word `word`, chained by `home`; returns how many.
 * They come back with frame_give_pages, CACHED. O(count); not subject to mm/fail.h.
 */
unsigned frame_take_pages(unsigned count, unsigned flags, uint64_t word,
                          struct remote_node **chain);
void frame_give_pages(struct remote_node *chain);

/*
 * Calls visit() with the record of each page or block that is not free, in the order of addresses.
 * Inside a free block, records are undefined, so this is the way to look at all. A node's lock is
 * held and interrupts are off for 4 MiB at a time: visit() must not allocate or free. O(memory).
 */
void frame_visit_used(void (*visit)(struct frame *frame, void *argument), void *argument);

/* The record of the frame that holds `address`, or NULL when it is not in any bank. O(banks). */
struct frame *frame_find(paddr_t address);

/* Does it have one? A short way for addresses in the first bank, which mostly is all there is. */
extern paddr_t frame_first_bank_base;
extern uint64_t frame_first_bank_bytes;
static inline bool frame_exists(paddr_t address)
{
    return address - frame_first_bank_base < frame_first_bank_bytes || frame_find(address) != NULL;
}

/* Free pages now, the reserve included; pages that a nexus keeps are not free (mm/drain.h). */
uint64_t frame_free_pages(void);
uint64_t frame_node_free_pages(uint32_t node);

/* True while the caller's node has so little that memory ought to come home. No lock. */
bool frame_is_low(void);

/* Pages of the reserve; fixed after boot. */
uint64_t frame_reserve_pages(void);

/* Pages under management, free or allocated; fixed after boot. */
uint64_t frame_total_pages(void);

/* Free blocks of the order; a snapshot for the monitor and the tests. */
uint64_t frame_free_blocks(unsigned order);
