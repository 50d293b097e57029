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
 * One that has none for a space says all the same that it is to be asked (vspace_visit): a number it does not need.
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

/*
 * From here to vspace_leave who takes something away from the space asks this core, which does not answer. Interrupts
 * are off all the time. True: the core had no entry, only its bit was set, and vspace_leave has to take that away.
 */
static inline bool vspace_visit(struct vspace *space)
{
    cpu_t cpu = core_index();

    /* relaxed: this core's own */
    if (__builtin_expect(atomic_load_relaxed(&space->satp[cpu]) != 0, 1)) {
        return false;
    }
    /* relaxed: the fence orders it */
    (void)atomic_or_relaxed(&space->entered[cpu / VSPACE_CORE_BITS],
                            1UL << (cpu % VSPACE_CORE_BITS));
    /* full: the bit is seen before the tables are read here, or they are read as they are after the change; pairs with
     * the fence in shootdown_finish, shootdown_here */
    fence_seq_cst();
    return true;
}

static inline void vspace_leave(struct vspace *space, bool visited)
{
    if (__builtin_expect(visited, 0)) {
        asid_drop(space, core_index());
    }
}

/*
 * Where the byte at a user address lies in the direct map, when its page is entered with all of `need` (PTE_* beside
 * PTE_VALID and PTE_USER); else NULL. Between vspace_visit and vspace_leave, and good as long; bytes of the same
 * page only.
 */
static inline char *vspace_peek(const struct vspace *space, vaddr_t address, pte_t need)
{
    paddr_t table = space->root;

    ASSERT(!irq_enabled());
    need |= PTE_VALID | PTE_USER;
#pragma GCC unroll 3
    for (unsigned level = MMU_ROOT_LEVEL + 1; level-- > 0;) {
        const pte_t *entries = direct_map(table);
        /* relaxed: what it leads to was there before it; the dependency orders that */
        pte_t entry =
            atomic_load_relaxed(&entries[(address >> (12 + 9 * level)) % MMU_TABLE_ENTRIES]);

        if ((entry & need) == need) {
            return (char *)direct_map(pte_address(entry)) + address % MMU_LEVEL_BYTES(level);
        }
        if ((entry & (PTE_VALID | PTE_LEAF_MASK)) != PTE_VALID) {
            return NULL;
        }
        table = pte_address(entry);
    }
    return NULL;
}

/*
 * The page at `address`, which is that of a contiguous memory object and mapped writable: *memory gets a reference that
 * keeps it, whatever becomes of the mapping. ERR_INVALID: not page-aligned, or not in such an object. ERR_FAULT: nothing is
 * mapped there, or not writable.
 */
WARN_UNUSED status_t vspace_hold_page(struct vspace *space, vaddr_t address, struct memory **memory,
                                      void **page);
