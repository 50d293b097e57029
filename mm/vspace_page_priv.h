/* SPDX-License-Identifier: MIT */
/*
 * Between the short ways of vspace_page.c and the general ones.
 *
 * Rules: only for mm/vspace*.c. `_locked` functions need the space's lock.
 */
#pragma once

#include "mm/vspace_priv.h"

/* The general ways behind vspace_enter_locked and vspace_unmap. */
WARN_UNUSED status_t vspace_enter_any_locked(struct vspace_region *region, vaddr_t address,
                                             bool write) REQUIRES(region->space->lock);
WARN_UNUSED status_t vspace_unmap_any(struct vspace *space, vaddr_t start, vaddr_t end);

/* Drops a region that is changing and flushed; its part of a private object that has others goes. */
void vspace_drop_and_discard(struct vspace *space, struct vspace_region *region);

/* Of a private object: then what is unmapped has to be taken out of it. */
static inline bool vspace_has_siblings(const struct vspace_region *region)
{
    /* relaxed: only regions of this space have references, and a wrong "yes" does no harm */
    return region->memory->is_private &&
           atomic_load_relaxed(&region->memory->object.references) > 1;
}

/* Takes the tables on the way to `address` out that have no entries. */
void vspace_remove_tables_locked(struct vspace *space, vaddr_t address,
                                 struct vspace_removed *removed) REQUIRES(space->lock);

/* The place of the address's entry in a table of level 0, or NULL: there is none, or a megapage. */
static inline pte_t *vspace_find_entry_locked(struct vspace *space, vaddr_t address)
    REQUIRES(space->lock)
{
    paddr_t table = space->root;

    if (space->leaf_number == address / MEGAPAGE_BYTES) {
        return space->leaf + (address >> 12) % MMU_TABLE_ENTRIES;
    }
    for (unsigned level = MMU_ROOT_LEVEL; level > 0; level--) {
        const pte_t *entries = direct_map(table);
        pte_t entry = entries[(address >> (12 + 9 * level)) % MMU_TABLE_ENTRIES];

        if ((entry & (PTE_VALID | PTE_LEAF_MASK)) != PTE_VALID) {
            return NULL;
        }
        table = pte_address(entry);
    }
    space->leaf_number = address / MEGAPAGE_BYTES;
    space->leaf = direct_map(table);
    return space->leaf + (address >> 12) % MMU_TABLE_ENTRIES;
}

/* The same; makes and charges the tables. NULL: no memory, or a megapage. */
pte_t *vspace_make_entry_locked(struct vspace *space, vaddr_t address) REQUIRES(space->lock);
