/* SPDX-License-Identifier: MIT */
/*
 * The page tables of an address space's user half.
 */
#include "arch/layout.h"
#include "arch/mmu.h"
#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/nexus.h"
#include "mm/vspace_priv.h"

static pte_t *root_of(const struct vspace *space)
{
    return direct_map(space->root);
}

static paddr_t alloc_table(void)
{
    return nexus_alloc_page_zeroed();
}

/* How many tables the walk to the 4 KiB entry of `address` still lacks. */
static unsigned count_missing(const struct vspace *space, vaddr_t address)
{
    unsigned level = 0;

    while (level < MMU_ROOT_LEVEL && mmu_walk(root_of(space), address, level, NULL) == NULL) {
        level++;
    }
    return level;
}

/* The entry for a page, with the tables on the way to it charged and made. NULL: no memory. */
static pte_t *make_entry_locked(struct vspace *space, vaddr_t address) REQUIRES(space->lock)
{
    unsigned missing = count_missing(space, address);
    pte_t *entry;

    if (missing > 0 && account_charge_pages(space->account, missing) != OK) {
        return NULL;
    }
    entry = mmu_walk(root_of(space), address, 0, alloc_table);
    if (entry == NULL) { /* some tables may have been made; keep those charged */
        unsigned still_missing = count_missing(space, address);

        account_uncharge_pages(space->account, still_missing);
        missing -= still_missing;
    }
    space->tables += missing;
    return entry;
}

status_t vspace_enter_page_locked(struct vspace *space, vaddr_t address, paddr_t page,
                                  uint32_t protection)
{
    pte_t *entry = make_entry_locked(space, address);

    if (entry == NULL) {
        return ERR_NO_MEMORY;
    }
    ASSERT((*entry & PTE_VALID) == 0);
    /* release: the page's zeros come before the entry; pairs with the walk that another core's
     * hardware makes, whose accesses depend on the entry */
    atomic_store_release(entry, pte_make_user(page, protection));
    space->pages++;
    return OK;
}

void vspace_clear_pages_locked(struct vspace *space, vaddr_t address, uint64_t count,
                               struct list *frames)
{
    for (; count > 0; count--, address += PAGE_BYTES) {
        pte_t *entry = mmu_walk(root_of(space), address, 0, NULL);

        if (entry != NULL && (*entry & PTE_VALID) != 0) {
            struct frame *frame = frame_find(pte_address(*entry));

            /* relaxed: the flush that follows is what other cores wait for */
            atomic_store_relaxed(entry, 0);
            space->pages--;
            list_push_back(frames, &frame->link);
        }
    }
}

uint64_t vspace_free_frames(struct list *frames)
{
    struct list *link;
    uint64_t count = 0;

    while ((link = list_pop_front(frames)) != NULL) {
        nexus_free_page(frame_address(list_entry(link, struct frame, link)));
        count++;
    }
    return count;
}

/* Frees the table, what hangs below its first `entries` entries, and the pages mapped there. */
static void free_table(paddr_t table, unsigned entries)
{
    const pte_t *entry = direct_map(table);

    for (unsigned i = 0; i < entries; i++) {
        if (pte_is_leaf(entry[i])) {
            nexus_free_page(pte_address(entry[i]));
        } else if ((entry[i] & PTE_VALID) != 0) {
            free_table(pte_address(entry[i]), MMU_TABLE_ENTRIES); /* at most three levels deep */
        }
    }
    nexus_free_page(table);
}

void vspace_free_tables(struct vspace *space)
{
    free_table(space->root, MMU_TABLE_ENTRIES / 2); /* the upper half is the kernel's */
}

status_t vspace_translate_locked(struct vspace *space, vaddr_t address, uint32_t protection,
                                 paddr_t *physical)
{
    pte_t need = PTE_VALID | PTE_USER | PTE_READ;
    unsigned level = 0;
    pte_t entry;

    if (address < USER_BASE || address >= USER_TOP) {
        return ERR_FAULT;
    }
    need |= (protection & PROTECT_WRITE) != 0 ? PTE_WRITE : 0;
    need |= (protection & PROTECT_EXECUTE) != 0 ? PTE_EXECUTE : 0;
    entry = mmu_lookup(root_of(space), address, &level);
    if ((entry & need) != need) {
        return ERR_FAULT;
    }
    *physical = pte_address(entry) + address % MMU_LEVEL_BYTES(level);
    return OK;
}
