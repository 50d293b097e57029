/* SPDX-License-Identifier: MIT */
/*
 * A memory object: a run of pages that address spaces map.
 *
 * Rules: thread context. An anonymous object gets its pages, zeroed, when they are first touched; a
 * contiguous one has a block of frames from the start; a device object is a physical range that is
 * no RAM. Pages, the nodes that find them and the record are charged to the account, which
 * must outlive the object; `owner` (NULL: none is needed) is kept alive for that. Finding a page
 * costs at most three loads after the first eight pages.
 *
 * Locks: memory.lock is taken before a vspace.lock. Who holds a vspace.lock may only try it
 * (memory_try_lock); if that fails, he lets go and waits with memory_wait. A private object belongs
 * to the regions of one space alone: that space's lock guards it and its own lock is not used.
 * `_locked` means whichever of the two it is.
 *
 * A page frame has one reference from each object that has it (mm/nexus.h); more than one means
 * that clones share it and nobody may write to it. Page table entries have none: an object drops a
 * frame only when no TLB can know it any more. See memory_clone.c for how that is kept true.
 */
#pragma once

#include "kernel/abi/memory.h"
#include "kernel/abi/status.h"
#include "kernel/base/list.h"
#include "kernel/base/types.h"
#include "kernel/object/object.h"
#include "kernel/sync/spinlock.h"
#include "mm/account.h"

#define MEMORY_INLINE_PAGES 8U
#define MEMORY_PHYSICAL_PAGES (1UL << 44) /* all that Sv39 can name */
#define MEMORY_MAX_PAGES (1UL << 26)      /* as much as there are user addresses */

/* What is known of a page: its address, or 0, with flags in the low bits. */
#define MEMORY_PAGE_STALE 1UL /* a TLB may know more than the page tables say; see memory_clone.c */
#define MEMORY_PAGE_PIN 4UL   /* pins are counted in bits 2 to 11 */
#define MEMORY_PAGE_PINS 0xffcUL
#define MEMORY_PAGE_ADDRESS (~0xfffUL)

struct memory {
    struct object object;
    struct spinlock lock; /* guards what follows, but see above; then vspace.lock, account */
    uint8_t kind;         /* enum memory_kind; fixed */
    uint8_t levels;       /* of nodes above the pages; 0: they are in `page`; fixed */
    bool is_private;      /* fixed */
    uint64_t pages;       /* fixed */
    struct account *account;
    struct object *owner;
    uint64_t charged;     /* pages and nodes */
    uint64_t generation;  /* rises whenever a page becomes stale */
    uint64_t departures;  /* regions that have left the list */
    struct list mappings; /* struct vspace_region; not used while private */
    union {
        uint64_t page[MEMORY_INLINE_PAGES];
        paddr_t root; /* of the nodes */
        paddr_t base; /* contiguous, device: the first page */
    };
};

static inline struct memory *memory_of_object(struct object *object)
{
    return (struct memory *)object;
}

/* A new anonymous object, all zero. ERR_INVALID: no pages, or too many. ERR_NO_MEMORY. */
WARN_UNUSED status_t memory_create(struct account *account, struct object *owner, uint64_t pages,
                                   struct memory **out);

/* The same for the regions of one space alone. */
WARN_UNUSED status_t memory_create_private(struct account *account, uint64_t pages,
                                           struct memory **out);

/*
 * Zeroed frames side by side, the first at a multiple of the size rounded up to a power of two, which
 * is what is charged. ERR_INVALID: no pages, or more than a block has (1 << FRAME_MAX_ORDER).
 * ERR_NO_MEMORY: none are left, or quota.
 */
WARN_UNUSED status_t memory_create_contiguous(struct account *account, struct object *owner,
                                              uint64_t pages, struct memory **out);

/* Device registers from the page `base` on. ERR_INVALID: no pages, or beyond physical addresses. */
WARN_UNUSED status_t memory_create_device(struct account *account, struct object *owner,
                                          paddr_t base, uint64_t pages, struct memory **out);

/*
 * Part of a device object. ERR_INVALID: no device object, no pages, or not inside it. ERR_DENIED: some
 * of it is RAM. ERR_NO_MEMORY.
 */
WARN_UNUSED status_t memory_slice(struct memory *memory, uint64_t first, uint64_t pages,
                                  struct account *account, struct object *owner,
                                  struct memory **out);

/* Mappings of the object that were revoked (kernel/object/grant.h) lose their pages, on every core at the return;
 * accesses fault from then on. Thread context, nothing locked. */
void memory_end_revoked(struct object *object);

/*
 * A new object with the contents of an anonymous one that is not private. Nothing is shared after the
 * return; a write while it runs lands in the original, or in both. ERR_INVALID: not anonymous.
 * ERR_NO_MEMORY: frames, or quota for all its pages.
 */
WARN_UNUSED status_t memory_clone(struct memory *memory, struct account *account,
                                  struct object *owner, struct memory **out);

/*
 * Makes pages be there and stay where they are until they are unpinned as often; *physical gets the
 * address of the first where they are side by side (contiguous, device), else 0. ERR_INVALID: no
 * pages, or not inside the object. ERR_NO_MEMORY. ERR_NO_SPACE: 1023 pins.
 */
WARN_UNUSED status_t memory_pin(struct memory *memory, uint64_t first, uint64_t pages,
                                paddr_t *physical);

/* Takes back one pin of each page. ERR_INVALID: as above. ERR_NOT_FOUND: one is not pinned; those
 * before it have lost their pin. */
WARN_UNUSED status_t memory_unpin(struct memory *memory, uint64_t first, uint64_t pages);

/* What the object is and takes now. */
void memory_describe(struct memory *memory, struct memory_info *info);

/* The object of all physical addresses, which the kernel makes for init. No slice of it is one: it would hold RAM. */
static inline bool memory_is_all_devices(const struct memory *memory)
{
    return memory->kind == MEMORY_DEVICE && memory->base == 0 &&
           memory->pages == MEMORY_PHYSICAL_PAGES;
}

/* True when some of these pages of a device object are RAM: then they cannot be mapped. */
bool memory_has_ram(const struct memory *memory, uint64_t first, uint64_t pages);

/* The lock, in the order memory, space; interrupts go off. Nothing but interrupts when private. */
static inline uint64_t memory_lock_save(struct memory *memory) NO_THREAD_SAFETY
{
    return memory->is_private ? irq_save() : spin_lock_save(&memory->lock);
}

static inline void memory_unlock_restore(struct memory *memory, uint64_t state) NO_THREAD_SAFETY
{
    if (memory->is_private) {
        irq_restore(state);
    } else {
        spin_unlock_restore(&memory->lock, state);
    }
}

/* For who holds a space's lock: true when he has this one, too. */
WARN_UNUSED static inline bool memory_try_lock(struct memory *memory) NO_THREAD_SAFETY
{
    return memory->is_private || spin_lock_try(&memory->lock);
}

static inline void memory_unlock(struct memory *memory) NO_THREAD_SAFETY
{
    if (!memory->is_private) {
        spin_unlock(&memory->lock);
    }
}

/* After a failed try, with nothing held: comes back when a new try is worth while. */
void memory_wait(struct memory *memory);

/*
 * The frame of page `index`, made if it is not there. *writable: nobody shares it. ERR_NO_MEMORY:
 * no frame, or quota. ERR_STALE: it cannot be had as it is; let go and call memory_settle.
 */
WARN_UNUSED status_t memory_get_page_locked(struct memory *memory, uint64_t index, bool write,
                                            paddr_t *page, bool *writable);

/*
 * Makes page `index` fit to be entered after ERR_STALE: flushes what is stale and, for a write, gives
 * the object a copy of a shared page. Interrupts on, nothing held. ERR_NO_MEMORY: no frame.
 */
WARN_UNUSED status_t memory_settle(struct memory *memory, uint64_t index, bool write);

/*
 * Frees up to `pages` pages of a private object from `first` on, which no page table and no TLB knows
 * any more. Returns how many it has passed: at least that many, since it skips what has no node.
 */
uint64_t memory_discard_locked(struct memory *memory, uint64_t first, uint64_t pages);
