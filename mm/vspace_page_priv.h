/* SPDX-License-Identifier: MIT */
/*
 * Between the short ways of vspace_page.c and the general ones.
 *
 * Rules: only for mm/vspace*.c. `_locked` functions need the space's lock.
 */
#pragma once

#include "mm/frame.h"
#include "mm/memory_priv.h"
#include "mm/vspace_priv.h"

/* The general ways behind vspace_map_given, vspace_enter_locked and vspace_unmap. */
WARN_UNUSED status_t vspace_map_any(struct vspace *space, const struct vspace_mapping *mapping,
                                    vaddr_t *mapped);
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

static inline void vspace_enter_new_locked(struct vspace *space, pte_t *entry, paddr_t page,
                                           uint32_t protection) REQUIRES(space->lock)
{
    frame_of_pointer(entry)->references++;
    space->pages++;
    /* release: the page's zeros come before the entry; pairs with the walk that another core's
     * hardware makes, whose accesses depend on the entry */
    atomic_store_release(entry, pte_make_user(page, protection));
}

/* Enters page `index` of an anonymous object if it has it and nothing is entered there. */
static inline bool vspace_enter_present_locked(struct vspace *space, struct memory *memory,
                                               uint64_t index, vaddr_t address, uint32_t protection)
    REQUIRES(space->lock)
{
    uint64_t *word = memory_find_page_locked(memory, index);
    pte_t *entry = vspace_find_entry_locked(space, address);

    if (word == NULL || *word == 0 || (*word & MEMORY_PAGE_STALE) != 0 || entry == NULL ||
        *entry != 0 || (!memory->is_private && memory_is_shared(*word))) {
        return false;
    }
    vspace_enter_new_locked(space, entry, *word & MEMORY_PAGE_ADDRESS, protection);
    return true;
}

/* Makes a region that nothing is entered for, and that has left its object, the idle one. */
static inline void vspace_make_idle_locked(struct vspace *space, struct vspace_region *region)
    REQUIRES(space->lock)
{
    vspace_drop_idle_locked(space);
    region->memory = NULL;
    region->protection = 0;
    region->changing = true;
    vspace_set_idle_locked(space, region);
    space->region_count--;
}

/* The same as vspace_find_entry_locked; makes and charges the tables. NULL: no memory, or a megapage. */
pte_t *vspace_make_entry_locked(struct vspace *space, vaddr_t address) REQUIRES(space->lock);
