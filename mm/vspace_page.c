/* SPDX-License-Identifier: MIT */
/*
 * The short ways for a page or a small region: first touch, entering, unmapping.
 *
 * Problem: nearly every change of a space is of one page in one region with one page table, and the
 * general ways (batches, claims, splits, shootdowns of several ranges) cost it several times what
 * it needs. Choice: each function here looks whether that is so, under the one hold of the lock in
 * which it then does it, and otherwise has done nothing; then the general way is taken, which needs no
 * knowledge of this one. Nothing here asks another core, so that the lock may be held throughout.
 */
#include "kernel/base/assert.h"
#include "mm/frame.h"
#include "mm/memory_priv.h"
#include "mm/shootdown.h"
#include "mm/spmalloc.h"
#include "mm/vspace_page_priv.h"

static uint64_t page_index(const struct vspace_region *region, vaddr_t address)
{
    return region->first + (address - region->start) / PAGE_BYTES;
}

status_t vspace_enter_locked(struct vspace_region *region, vaddr_t address, bool write)
{
    return region->memory->kind == MEMORY_ANONYMOUS &&
                   vspace_enter_present_locked(region->space, region->memory,
                                               page_index(region, address), address,
                                               region->protection)
               ? OK
               : vspace_enter_any_locked(region, address, write);
}

static inline status_t touch_locked(struct vspace *space, struct vspace_region *region,
                                    vaddr_t address) REQUIRES(space->lock)
{
    uint64_t *word = memory_find_page_locked(region->memory, page_index(region, address));
    pte_t *entry = vspace_find_entry_locked(space, address);
    paddr_t page;

    if (word == NULL || *word != 0 || (entry != NULL && *entry != 0)) {
        return ERR_STALE;
    }
    if (entry == NULL) {
        entry = vspace_make_entry_locked(space, address); /* no megapages in private memory */
    }
    page = entry == NULL ? FRAME_NONE : memory_take_page_locked(region->memory);
    if (page == FRAME_NONE) {
        return ERR_NO_MEMORY;
    }
    *word = page;
    vspace_enter_new_locked(space, entry, page, region->protection);
    vspace_flush_here(space, address);
    return OK;
}

status_t vspace_touch_page(struct vspace *space, vaddr_t address, uint32_t access)
{
    uint64_t state = spin_lock_save(&space->lock);
    struct vspace_region *region = vspace_find_region_locked(space, address);
    status_t status = region == NULL ? ERR_FAULT : ERR_STALE;

    if (region != NULL && region->protection != 0 && region->memory->is_private &&
        (access & ~(uint32_t)region->protection) == 0) {
        status = touch_locked(space, region, address);
    }
    spin_unlock_restore(&space->lock, state);
    return status;
}

/*
 * The table for `address` has become empty. It stays, in the place of the one that stayed so far: who maps
 * and unmaps a page again and again would make and free one or two tables each time.
 */
static void keep_table_locked(struct vspace *space, vaddr_t address, struct vspace_removed *removed)
    REQUIRES(space->lock)
{
    uint64_t number = address / MEGAPAGE_BYTES;

    if (space->idle_number == number) {
        return;
    }
    if (space->idle_number != VSPACE_NO_LEAF) {
        vspace_remove_tables_locked(space, space->idle_number * MEGAPAGE_BYTES, removed);
    }
    space->idle_number = number;
}

/* The entry of `address` if [address, end) is that page and it is entered, else NULL. */
static inline pte_t *find_single_locked(struct vspace *space, vaddr_t address, vaddr_t end)
    REQUIRES(space->lock)
{
    pte_t *entry = end - address == PAGE_BYTES ? vspace_find_entry_locked(space, address) : NULL;

    return entry == NULL || *entry == 0 ? NULL : entry;
}

/* Takes a page out; returns how many entries its table then has. */
static inline uint32_t clear_entry_locked(struct vspace *space, vaddr_t address, pte_t *entry)
    REQUIRES(space->lock)
{
    tlb_record_note_clear(space, address, pte_address(*entry));
    /* relaxed: the flush that follows is what other cores wait for */
    atomic_store_relaxed(entry, (pte_t)0);
    space->pages--;
    return --frame_of_pointer(entry)->references - 1;
}

/* Takes what is entered for the range out. */
static void clear_locked(struct vspace *space, vaddr_t start, vaddr_t end,
                         struct vspace_removed *removed) REQUIRES(space->lock)
{
    pte_t *entry = find_single_locked(space, start, end);

    if (entry != NULL) {
        removed->entries++;
        if (clear_entry_locked(space, start, entry) == 0) {
            keep_table_locked(space, start, removed);
        }
        return;
    }
    while (start < end) {
        start = vspace_clear_pages_locked(space, start, end, removed);
    }
}

/* Nobody remembers what was entered: the region becomes the idle one, and the locks are given back. */
static inline void finish_here(struct vspace *space, struct vspace_region *region,
                               uint64_t state) NO_THREAD_SAFETY
{
    struct memory *memory = region->memory;

    list_remove(&region->mapping_link);
    memory->departures++;
    vspace_make_idle_locked(space, region);
    memory_unlock(memory);
    spin_unlock_restore(&space->lock, state);
    object_release(&memory->object);
}

/* The rest of unmap_small when there is more to it than one entry; `cleared`: that was taken out. */
__attribute__((noinline)) static void unmap_rest(struct vspace *space, struct vspace_region *region,
                                                 bool cleared, uint64_t state) NO_THREAD_SAFETY
{
    struct vspace_removed removed = {.tables = LIST_INIT(removed.tables)};
    vaddr_t start = region->start;
    vaddr_t end = region->end;
    bool has_tables;

    removed.entries = cleared + region->narrowed_outside;
    if (!cleared) {
        clear_locked(space, start, end, &removed);
    }
    has_tables = !list_is_empty(&removed.tables) || removed.is_wider;
    if ((removed.entries == 0 && !has_tables) ||
        shootdown_here(space, start, end - start, has_tables)) {
        finish_here(space, region, state);
        vspace_free_removed(space, &removed);
        return;
    }
    region->changing = true;
    region->protection = 0;
    vspace_unlock_region(region, state);
    vspace_finish_removal(space, start, end, &removed);
    vspace_drop_and_discard(space, region);
}

/* Unmaps [start, end), VSPACE_BATCH_PAGES at most, if it is one region that nobody is changing. */
static inline bool unmap_small(struct vspace *space, vaddr_t start, vaddr_t end) NO_THREAD_SAFETY
{
    uint64_t state = spin_lock_save(&space->lock);
    struct vspace_region *region = vspace_find_region_locked(space, start);
    pte_t *entry;
    bool stays; /* its table, whether empty or not */

    if (region == NULL || region->start != start || region->end != end || region->special != 0 ||
        vspace_has_siblings(region) || !memory_try_lock(region->memory)) {
        spin_unlock_restore(&space->lock, state);
        return false;
    }
    entry = find_single_locked(space, start, end);
    stays = entry != NULL && (frame_of_pointer(entry)->references > 2 ||
                              space->idle_number == start / MEGAPAGE_BYTES);
    if (stays) {
        (void)clear_entry_locked(space, start, entry);
        if (shootdown_here(space, start, PAGE_BYTES, false)) {
            finish_here(space, region, state);
            return true;
        }
    }
    unmap_rest(space, region, stays, state);
    return true;
}

status_t vspace_unmap(struct vspace *space, vaddr_t address, uint64_t bytes)
{
    uint64_t whole = ALIGN_UP(bytes, PAGE_BYTES);

    if (whole < bytes || !vspace_range_ok(address, whole)) {
        return ERR_INVALID;
    }
    if (whole <= VSPACE_BATCH_PAGES * PAGE_BYTES && unmap_small(space, address, address + whole)) {
        return OK;
    }
    return vspace_unmap_any(space, address, address + whole);
}
