/* SPDX-License-Identifier: MIT */
/*
 * User pages by their address in the direct map: for a moment without a lock, or for as long as wanted.
 *
 * Problem: a copy between two spaces would hold the locks of both, which the order of locks forbids, and a
 * lock a page is most of what a short copy costs. Choice: the kernel does what a TLB does. Who takes a
 * page away clears its entry, then asks every core that has an entry for the space (mm/shootdown.h), and frees the frame
 * when all have answered. A core with interrupts off does not answer. So what it has found in the tables
 * of a space for which it has an entry stays a page until it turns them on again.
 *   core 1: interrupts off; entry of the space there; reads the page's entry; copies; interrupts on
 *   core 2: clears the page's entry; asks core 1; waits ...                          ; frees the frame
 * A core that gets its entry later than core 2 has looked for it sees the page's entry cleared: the fence in asid_assign.
 */
#pragma once

#include "arch/core.h"
#include "arch/irq.h"
#include "arch/layout.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/asid.h"
#include "mm/frame.h"
#include "mm/vspace.h"

/* Has this core an entry for the space? Interrupts off. */
static inline bool vspace_is_entered(struct vspace *space)
{
    /* relaxed: this core's own */
    return atomic_load_relaxed(&space->satp[core_index()]) != 0;
}

/* Gives this core one. It may cost other spaces theirs, but for the one of `loaded`, which is loaded afterwards. Interrupts off. */
static inline void vspace_make_entered(struct vspace *space, uint64_t *loaded)
{
    (void)asid_assign(&space->satp[core_index()]);
    asid_enter(loaded);
}

/*
 * Where the byte at a user address lies in the direct map, when its page is entered with all of `need` (PTE_* beside
 * PTE_VALID and PTE_USER); else NULL. Interrupts off, and the space is entered here. Good until interrupts
 * go on; bytes of the same page only.
 */
static inline char *vspace_peek(const struct vspace *space, vaddr_t address, pte_t need)
{
    paddr_t table = space->root;

    ASSERT(!irq_enabled());
    need |= PTE_VALID | PTE_USER;
    for (unsigned level = MMU_ROOT_LEVEL;; level--) {
        const pte_t *entries = direct_map(table);
        /* relaxed: what it leads to was there before it; the dependency orders that */
        pte_t entry =
            atomic_load_relaxed(&entries[(address >> (12 + 9 * level)) % MMU_TABLE_ENTRIES]);

        if ((entry & need) == need) {
            return (char *)direct_map(pte_address(entry)) + address % MMU_LEVEL_BYTES(level);
        }
        if ((entry & (PTE_VALID | PTE_LEAF_MASK)) != PTE_VALID || level == 0) {
            return NULL;
        }
        table = pte_address(entry);
    }
}

/*
 * The page at `address`, which is that of a contiguous memory object and mapped writable: *memory gets a reference that
 * keeps it, whatever becomes of the mapping. ERR_INVALID: not page-aligned, or not in such an object. ERR_FAULT: nothing is
 * mapped there, or not writable.
 */
WARN_UNUSED status_t vspace_hold_page(struct vspace *space, vaddr_t address, struct memory **memory,
                                      void **page);
