/* SPDX-License-Identifier: MIT */
/*
 * The page tables of an address space's user half.
 *
 * The frame record of each table but the root counts its valid entries: references - 1. So a table that
 * becomes empty is seen at once.
 */
#include "arch/core.h"
#include "arch/layout.h"
#include "arch/mmu.h"
#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/asid.h"
#include "mm/frame.h"
#include "mm/nexus.h"
#include "mm/shootdown.h"
#include "mm/tlb_record.h"
#include "mm/vspace_page_priv.h"

/* The way down to an entry. */
struct walk {
    paddr_t table[MMU_ROOT_LEVEL + 1];
    pte_t *entry; /* in table[level] */
    unsigned level;
};

static pte_t *entry_at(paddr_t table, vaddr_t address, unsigned level)
{
    pte_t *entries = direct_map(table);

    return &entries[(address >> (12 + 9 * level)) % MMU_TABLE_ENTRIES];
}

/* Down to the entry of level 0, a leaf above it, or the first that is not valid. */
static struct walk walk_down(const struct vspace *space, vaddr_t address)
{
    struct walk walk = {.table[MMU_ROOT_LEVEL] = space->root, .level = MMU_ROOT_LEVEL};

    for (;;) {
        walk.entry = entry_at(walk.table[walk.level], address, walk.level);
        if (walk.level == 0 || (*walk.entry & PTE_VALID) == 0 || pte_is_leaf(*walk.entry)) {
            return walk;
        }
        walk.table[walk.level - 1] = pte_address(*walk.entry);
        walk.level--;
    }
}

static void count_entry(const struct vspace *space, paddr_t table, int change)
{
    if (table != space->root) {
        frame_of(table)->references += (uint32_t)change;
    }
}

/* A charged, zeroed table, or FRAME_NONE. */
static paddr_t take_table_locked(struct vspace *space) REQUIRES(space->lock)
{
    paddr_t table;

    if (account_charge_pages(space->account, 1) != OK) {
        return FRAME_NONE;
    }
    table = nexus_alloc_page_zeroed();
    if (table == FRAME_NONE) {
        account_uncharge_pages(space->account, 1);
        return FRAME_NONE;
    }
    space->tables++;
    return table;
}

/*
 * The entry for the address at `level`, or at another where a leaf or a table is in the way (*level
 * then says so), with the tables above it made. NULL: no memory; tables that were made stay until
 * the range is unmapped.
 */
static pte_t *make_entry_locked(struct vspace *space, vaddr_t address, unsigned *level,
                                paddr_t *table) REQUIRES(space->lock)
{
    unsigned at = MMU_ROOT_LEVEL;

    *table = space->root;
    for (;; at--) {
        pte_t *entry = entry_at(*table, address, at);
        bool is_table = (*entry & PTE_VALID) != 0 && !pte_is_leaf(*entry);

        if (!is_table && (at == *level || (*entry & PTE_VALID) != 0 || at == 0)) {
            *level = at;
            return entry;
        }
        if (!is_table) {
            paddr_t fresh = take_table_locked(space);

            if (fresh == FRAME_NONE) {
                return NULL;
            }
            /* release: the table's zeros come before the way to it; pairs with the walk of another
             * core's hardware, which depends on the entry */
            atomic_store_release(entry, pte_make_table(fresh));
            count_entry(space, *table, 1);
        }
        *table = pte_address(*entry);
    }
}

pte_t *vspace_make_entry_locked(struct vspace *space, vaddr_t address)
{
    unsigned level = 0;
    paddr_t table;
    pte_t *entry = make_entry_locked(space, address, &level, &table);

    return level == 0 ? entry : NULL;
}

status_t vspace_enter_page_locked(struct vspace *space, vaddr_t address, paddr_t page,
                                  uint32_t protection, uint64_t bytes)
{
    unsigned level = bytes == MEGAPAGE_BYTES ? 1 : 0;
    paddr_t table;
    pte_t *entry = make_entry_locked(space, address, &level, &table);

    if (entry == NULL) {
        return ERR_NO_MEMORY;
    }
    page = ALIGN_DOWN(page, MMU_LEVEL_BYTES(level));
    ASSERT((*entry & PTE_VALID) == 0 || pte_address(*entry) == page);
    if ((*entry & PTE_VALID) == 0) {
        count_entry(space, table, 1);
        space->pages++;
    }
    /* release: the page's zeros come before the entry; pairs with the walk that another core's
     * hardware makes, whose accesses depend on the entry */
    atomic_store_release(entry, pte_make_user(page, protection));
    return OK;
}

/* Leaves of the entry what `protection` has; with none of it, nothing. */
static void narrow_entry(struct vspace *space, paddr_t table, pte_t *entry, vaddr_t address,
                         uint32_t protection, struct vspace_removed *removed)
{
    pte_t narrow = protection == 0 ? 0 : *entry;
    paddr_t page = pte_address(*entry);

    if ((*entry & PTE_VALID) == 0) {
        return;
    }
    narrow &= (protection & PROTECT_WRITE) != 0 ? ~0UL : ~PTE_WRITE;
    narrow &= (protection & PROTECT_EXECUTE) != 0 ? ~0UL : ~PTE_EXECUTE;
    if (narrow == *entry) {
        return;
    }
    /* relaxed: the flush that follows is what other cores wait for */
    atomic_store_relaxed(entry, narrow);
    if (removed != NULL) {
        removed->entries++;
    }
    if (narrow == 0) {
        tlb_record_note_clear(space, address, page);
        count_entry(space, table, -1);
        space->pages--;
    }
}

/* Takes the tables on the way to `address` out that have no entries. */
static void remove_empty_tables(struct vspace *space, const struct walk *walk, vaddr_t address,
                                struct vspace_removed *removed)
{
    for (unsigned level = walk->level; level < MMU_ROOT_LEVEL; level++) {
        struct frame *frame = frame_of(walk->table[level]);

        if (frame->references != 1) {
            return;
        }
        /* relaxed: as in narrow_entry */
        atomic_store_relaxed(entry_at(walk->table[level + 1], address, level + 1), (pte_t)0);
        count_entry(space, walk->table[level + 1], -1);
        list_push_back(&removed->tables, &frame->link);
        space->leaf_number = VSPACE_NO_LEAF; /* it may be this one */
        space->tables--;
    }
}

vaddr_t vspace_narrow_pages_locked(struct vspace *space, vaddr_t address, vaddr_t end,
                                   uint32_t protection, struct vspace_removed *removed)
{
    unsigned budget = VSPACE_BATCH_PAGES;

    while (address < end && budget > 0) {
        struct walk walk = walk_down(space, address);
        vaddr_t here = address;

        if (walk.level > 0) {
            uint64_t bytes = MMU_LEVEL_BYTES(walk.level);
            vaddr_t start = ALIGN_DOWN(address, bytes);
            bool whole = start == address && end - start >= bytes;

            if (removed != NULL && !whole && (*walk.entry & PTE_VALID) != 0) {
                removed->is_wider = true;
            }
            narrow_entry(space, walk.table[walk.level], walk.entry, start, whole ? protection : 0,
                         removed);
            address = start + bytes;
            budget--;
        } else {
            vaddr_t stop = min_u64(end, ALIGN_DOWN(address, MEGAPAGE_BYTES) + MEGAPAGE_BYTES);

            for (; address < stop && budget > 0; address += PAGE_BYTES, budget--) {
                narrow_entry(space, walk.table[0], walk.entry++, address, protection, removed);
            }
        }
        if (removed != NULL) {
            remove_empty_tables(space, &walk, here, removed);
        }
    }
    return address;
}

void vspace_remove_tables_locked(struct vspace *space, vaddr_t address,
                                 struct vspace_removed *removed)
{
    struct walk walk = walk_down(space, address);

    remove_empty_tables(space, &walk, address, removed);
}

vaddr_t vspace_clear_pages_locked(struct vspace *space, vaddr_t address, vaddr_t end,
                                  struct vspace_removed *removed)
{
    return vspace_narrow_pages_locked(space, address, end, 0, removed);
}

void vspace_flush(struct vspace *space, vaddr_t start, vaddr_t end)
{
    shootdown(space, start, end - start);
}

void vspace_finish_removal(struct vspace *space, vaddr_t start, vaddr_t end,
                           struct vspace_removed *removed)
{
    struct shootdown batch;

    shootdown_begin(&batch, space);
    if (!list_is_empty(&removed->tables) || removed->is_wider) {
        shootdown_add_tables(&batch);
    } else if (removed->entries > 0) {
        shootdown_add(&batch, start, end - start);
    }
    shootdown_finish(&batch);
    vspace_free_removed(space, removed);
}

void vspace_free_removed(struct vspace *space, struct vspace_removed *removed)
{
    struct list *link;

    while ((link = list_pop_front(&removed->tables)) != NULL) {
        nexus_free_zeroed_page(frame_address(list_entry(link, struct frame, link)));
        account_uncharge_pages(space->account, 1);
    }
}

/* Frees the table and what hangs below its first `entries` entries; at most three levels deep. */
static void free_tables_below(paddr_t table, unsigned entries)
{
    const pte_t *entry = direct_map(table);

    for (unsigned i = 0; i < entries; i++) {
        if ((entry[i] & PTE_VALID) != 0 && !pte_is_leaf(entry[i])) {
            paddr_t below = pte_address(entry[i]);

            free_tables_below(below, MMU_TABLE_ENTRIES);
            frame_of(below)->references = 1;
            nexus_free_page(below);
        }
    }
}

void vspace_free_tables(struct vspace *space)
{
    free_tables_below(space->root, MMU_TABLE_ENTRIES / 2); /* the upper half is the kernel's */
    nexus_free_page(space->root);
}

status_t vspace_translate_locked(struct vspace *space, vaddr_t address, uint32_t protection,
                                 paddr_t *physical)
{
    pte_t need = PTE_VALID | PTE_USER | PTE_READ;
    struct walk walk;

    if (address < USER_BASE || address >= USER_TOP) {
        return ERR_FAULT;
    }
    need |= (protection & PROTECT_WRITE) != 0 ? PTE_WRITE : 0;
    need |= (protection & PROTECT_EXECUTE) != 0 ? PTE_EXECUTE : 0;
    walk = walk_down(space, address);
    if ((*walk.entry & need) != need) {
        return ERR_FAULT;
    }
    *physical = pte_address(*walk.entry) + address % MMU_LEVEL_BYTES(walk.level);
    return OK;
}
