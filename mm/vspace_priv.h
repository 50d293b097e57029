/* SPDX-License-Identifier: MIT */
/*
 * Between the parts of vspace: the tree of regions, and the page tables.
 *
 * Rules: only for mm/vspace*.c. `_locked` functions need the space's lock.
 */
#pragma once

#include "arch/core.h"
#include "arch/layout.h"
#include "arch/mmu.h"
#include "kernel/abi/limits.h"
#include "mm/tlb_record.h"
#include "mm/vspace.h"

/* How many entries are looked at before the lock is given up for a moment. */
#define VSPACE_BATCH_PAGES 64U
#define MEGAPAGE_BYTES 0x200000UL

/* vspace.leaf_number when no table is remembered. */
#define VSPACE_NO_LEAF (~0UL)

/* A range of whole pages in the user half; false when bytes is 0 or it is none. */
static inline bool vspace_range_ok(vaddr_t address, uint64_t bytes)
{
    return bytes != 0 && ((address | bytes) & (PAGE_BYTES - 1)) == 0 && address >= USER_BASE &&
           address < USER_TOP && bytes <= USER_TOP - address;
}

/* The bits are known and not writable and executable at once. */
static inline bool vspace_protection_ok(uint32_t protection)
{
    return protection < (PROTECT_WRITE | PROTECT_EXECUTE) || protection == PROTECT_NONE;
}

_Static_assert(PROTECT_READ == 1 && (PROTECT_WRITE | PROTECT_EXECUTE) == 6,
               "only 6 and 7 have both");

/* What is kept of it: PROTECT_READ is implied, and PROTECT_NONE is 0. */
static inline uint8_t vspace_protection(uint32_t protection)
{
    return protection == PROTECT_NONE ? 0 : (uint8_t)(protection | PROTECT_READ);
}

void vspace_init_regions(struct vspace *space);

/* The region that holds `address`, or NULL. */
static inline struct vspace_region *vspace_find_region_locked(struct vspace *space, vaddr_t address)
    REQUIRES(space->lock)
{
    struct tree_node *node = space->regions.root;

    while (node != NULL) {
        struct vspace_region *region = tree_entry(node, struct vspace_region, node);

        if (address < region->start) {
            node = node->left;
        } else if (address >= region->end) {
            node = node->right;
        } else {
            return region;
        }
    }
    return NULL;
}

/* The region after this one, or NULL. */
struct vspace_region *vspace_next_locked(struct vspace *space, struct vspace_region *region)
    REQUIRES(space->lock);

/* The same for who holds no lock but has claimed the regions up to `end`; NULL behind them. */
struct vspace_region *vspace_next(struct vspace *space, struct vspace_region *region, vaddr_t end);

/* A free range of `bytes` at a multiple of `alignment` with a free page on each side, or 0. Nothing is idle. */
vaddr_t vspace_find_free_locked(struct vspace *space, uint64_t bytes, uint64_t alignment)
    REQUIRES(space->lock);

/* Puts the region into the tree, nothing being idle, and takes it out; it is not counted. False: it overlaps another, or a
 * guard is in the way. */
WARN_UNUSED bool vspace_put_in_locked(struct vspace *space, struct vspace_region *region)
    REQUIRES(space->lock);
void vspace_take_out_locked(struct vspace *space, struct vspace_region *region)
    REQUIRES(space->lock);

/* Puts the region in its place; nothing is idle. ERR_EXISTS: overlaps another. ERR_NO_SPACE: too many. */
WARN_UNUSED status_t vspace_insert_region_locked(struct vspace *space, struct vspace_region *region)
    REQUIRES(space->lock);

/* Whether there is an idle region; the answer may be stale at once. */
static inline bool vspace_has_idle(const struct vspace *space)
{
    /* relaxed: who acts on it looks again under the lock */
    return atomic_load_relaxed(&space->idle) != NULL;
}

static inline void vspace_set_idle_locked(struct vspace *space, struct vspace_region *region)
    REQUIRES(space->lock)
{
    /* relaxed: vspace_has_idle reads it without the lock, nobody else */
    atomic_store_relaxed(&space->idle, region);
}

/* Takes the idle region out of the tree; its record is the caller's then. NULL: there is none. */
struct vspace_region *vspace_take_idle(struct vspace *space);

/* Takes it out, if there is one, and frees it: before addresses are looked for or taken. */
void vspace_free_idle_locked(struct vspace *space) REQUIRES(space->lock);
static inline void vspace_drop_idle_locked(struct vspace *space) REQUIRES(space->lock)
{
    if (space->idle != NULL) {
        vspace_free_idle_locked(space);
    }
}

/* Takes the region out of the tree; it stays the caller's. */
void vspace_remove_region_locked(struct vspace *space, struct vspace_region *region)
    REQUIRES(space->lock);

/*
 * Claims [start, end): checks that regions which nobody is changing and which allow `protection`
 * cover it without a gap, splits those at its ends and marks them changing; *first is the first.
 * Takes and gives back the lock. Errors as vspace_unmap and vspace_protect, and nothing claimed.
 */
WARN_UNUSED status_t vspace_claim(struct vspace *space, vaddr_t start, vaddr_t end,
                                  uint32_t protection, struct vspace_region **first);

/*
 * Locks the space and, of the region that holds `address`, its object; the region, or NULL with
 * neither held. *state is for vspace_unlock_region.
 */
struct vspace_region *vspace_lock_region(struct vspace *space, vaddr_t address, uint64_t *state);
void vspace_unlock_region(struct vspace_region *region, uint64_t state);

/* Gets the page of the region's object and enters it; both locks are held. ERR_NO_MEMORY, ERR_STALE. */
WARN_UNUSED status_t vspace_enter_locked(struct vspace_region *region, vaddr_t address, bool write)
    REQUIRES(region->space->lock);

/* What a walk has taken out of the tables and the caller has to flush, then free. */
struct vspace_removed {
    struct list tables; /* struct frame, by link */
    uint64_t entries;
    bool is_wider; /* more than the range: a megapage went that is only in part in it */
};

/*
 * Enters the page, adding and charging tables, or widens its entry. A megapage when `bytes` is
 * MEGAPAGE_BYTES. ERR_NO_MEMORY: no frames or quota.
 */
WARN_UNUSED status_t vspace_enter_page_locked(struct vspace *space, vaddr_t address, paddr_t page,
                                              uint32_t protection, uint64_t bytes)
    REQUIRES(space->lock);

/*
 * Clears entries from `address` up to `end`, but at most VSPACE_BATCH_PAGES, and says where it
 * stopped. Megapages that are only in part in the range go, too: what is left of them is entered
 * again by faults. Tables that became empty are taken out.
 */
WARN_UNUSED vaddr_t vspace_clear_pages_locked(struct vspace *space, vaddr_t address, vaddr_t end,
                                              struct vspace_removed *removed) REQUIRES(space->lock);

/* Likewise takes away what `protection` does not have. NULL: the caller flushes by other means, and
 * empty tables stay. */
WARN_UNUSED vaddr_t vspace_narrow_pages_locked(struct vspace *space, vaddr_t address, vaddr_t end,
                                               uint32_t protection, struct vspace_removed *removed)
    REQUIRES(space->lock);

/* Frees the tables that were taken out; nobody remembers them. */
void vspace_free_removed(struct vspace *space, struct vspace_removed *removed);

/* Flushes the range on every core that may know it if anything was removed, then frees the tables. */
void vspace_finish_removal(struct vspace *space, vaddr_t start, vaddr_t end,
                           struct vspace_removed *removed);

/* Flushes on this core alone, which is all that a wider entry needs; see vspace_fault.c. */
static inline void vspace_flush_here(struct vspace *space, vaddr_t address)
{
    /* relaxed: this core's own; 0 means that it remembers nothing under a number that it may load */
    uint64_t entry = atomic_load_relaxed(&space->satp[core_index()]);

    if (entry != 0) {
        tlb_record_flush_page(ALIGN_DOWN(address, PAGE_BYTES), mmu_satp_asid(entry));
    }
}

/* Drops every region; then every table of the user half and the root. Nobody uses the space. */
void vspace_free_regions(struct vspace *space);
void vspace_free_tables(struct vspace *space);

/* Takes the region out of the tree and off its object, which may end with that, and frees it. */
void vspace_drop_region(struct vspace *space, struct vspace_region *region);

/* What ends the regions of a mapping, together with the copy of a handle that it was made through. */
struct vspace_source {
    struct grant_leaf leaf;
    struct memory *memory; /* of the regions, which own references */
    uint32_t regions;      /* into which the mapping was split; atomic */
};

/* A part of a mapping through a copy of a handle is gone. */
void vspace_drop_source(struct vspace_source *source);
