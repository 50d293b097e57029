/* SPDX-License-Identifier: MIT */
/*
 * Mapping and unmapping. The lock is held for one page, or BATCH_PAGES entries, at a time; a
 * region is marked `changing` meanwhile, which keeps everybody else off its range.
 */
#include "arch/smp.h"
#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"
#include "mm/vspace_priv.h"

#define BATCH_PAGES 64U
#define PROTECT_ALL (PROTECT_READ | PROTECT_WRITE | PROTECT_EXECUTE)

/* Takes the pages of the range out, flushes every core, frees them, uncharges all of them. */
static void remove_pages(struct vspace *space, vaddr_t start, uint64_t bytes)
{
    struct list frames;
    uint64_t left = bytes / PAGE_BYTES;
    vaddr_t address = start;

    list_init(&frames);
    while (left > 0) {
        uint64_t count = min_u64(left, BATCH_PAGES);
        uint64_t state = spin_lock_save(&space->lock);

        vspace_clear_pages_locked(space, address, count, &frames);
        spin_unlock_restore(&space->lock, state);
        address += count * PAGE_BYTES;
        left -= count;
    }
    tlb_flush_all_cores(start, bytes, space->asid);
    (void)vspace_free_frames(&frames); /* a mapping that failed half-way has fewer than bytes */
    account_uncharge_pages(space->account, bytes / PAGE_BYTES);
}

/* Fills a region, which is `changing`, with zeroed pages. May end early, with an error. */
static status_t fill_region(struct vspace *space, const struct vspace_region *region)
{
    for (uint64_t done = 0; done < region->bytes; done += PAGE_BYTES) {
        paddr_t page = nexus_alloc_page_zeroed();
        status_t status;
        uint64_t state;

        if (page == FRAME_NONE) {
            return ERR_NO_MEMORY;
        }
        state = spin_lock_save(&space->lock);
        status = vspace_enter_page_locked(space, region->start + done, page, region->protection);
        spin_unlock_restore(&space->lock, state);
        if (status != OK) {
            nexus_free_page(page);
            return status;
        }
    }
    return OK;
}

/* Finds the region its place, if it has none, and puts it on the list. */
static status_t place_region(struct vspace *space, struct vspace_region *region)
{
    status_t status = ERR_NO_SPACE;
    uint64_t state = spin_lock_save(&space->lock);

    if (region->start == 0) {
        region->start = vspace_find_free_locked(space, region->bytes);
    }
    if (region->start != 0) {
        status = vspace_insert_region_locked(space, region);
    }
    spin_unlock_restore(&space->lock, state);
    return status;
}

/*
 * Places, charges and fills the region. On error the region is off the list. On success *start
 * says where it is, since from then on another thread may unmap it.
 */
static status_t build_region(struct vspace *space, struct vspace_region *region, vaddr_t *start)
{
    uint64_t pages = region->bytes / PAGE_BYTES;
    status_t status = account_charge_pages(space->account, pages);
    uint64_t state;

    if (status != OK) {
        return status;
    }
    status = place_region(space, region);
    if (status != OK) {
        account_uncharge_pages(space->account, pages);
        return status;
    }
    status = fill_region(space, region);
    if (status != OK) {
        remove_pages(space, region->start, region->bytes);
    } else { /* a core may remember that nothing was there */
        tlb_flush_all_cores(region->start, region->bytes, space->asid);
    }
    state = spin_lock_save(&space->lock);
    if (status != OK) {
        vspace_remove_region_locked(space, region);
    }
    region->changing = false;
    *start = region->start;
    spin_unlock_restore(&space->lock, state);
    return status;
}

status_t vspace_map_anonymous(struct vspace *space, vaddr_t address, uint64_t bytes,
                              uint32_t protection, vaddr_t *mapped)
{
    uint64_t whole = ALIGN_UP(bytes, PAGE_BYTES);
    struct vspace_region *region;
    vaddr_t start = 0;
    status_t status;

    if (whole < bytes || !vspace_range_ok(address == 0 ? USER_BASE : address, whole) ||
        (protection & ~(uint32_t)PROTECT_ALL) != 0 ||
        (protection & (PROTECT_WRITE | PROTECT_EXECUTE)) == (PROTECT_WRITE | PROTECT_EXECUTE)) {
        return ERR_INVALID;
    }
    region = spmalloc(space->account, sizeof *region);
    if (region == NULL) {
        return ERR_NO_MEMORY;
    }
    *region = (struct vspace_region){
        .start = address,
        .bytes = whole,
        .protection = protection | PROTECT_READ,
        .changing = true,
    };
    list_init(&region->link);
    status = build_region(space, region, &start);
    if (status != OK) {
        spmalloc_free(region);
        return status;
    }
    *mapped = start;
    return OK;
}

/*
 * Removes the regions from `region` to the one that ends at `end`. They are `changing`, so
 * nobody else takes one out or puts one between them.
 */
static void remove_regions(struct vspace *space, struct vspace_region *region, vaddr_t end)
{
    bool last = false;

    while (!last) {
        struct vspace_region *next;
        uint64_t state;

        remove_pages(space, region->start, region->bytes);
        last = region->start + region->bytes == end;
        state = spin_lock_save(&space->lock);
        next = vspace_next_locked(space, region);
        vspace_remove_region_locked(space, region);
        spin_unlock_restore(&space->lock, state);
        spmalloc_free(region);
        region = next;
    }
}

status_t vspace_unmap(struct vspace *space, vaddr_t address, uint64_t bytes)
{
    uint64_t whole = ALIGN_UP(bytes, PAGE_BYTES);
    struct vspace_region *spare[2];
    struct vspace_region *first = NULL;
    status_t status = ERR_NO_MEMORY;

    if (whole < bytes || !vspace_range_ok(address, whole)) {
        return ERR_INVALID;
    }
    spare[0] = spmalloc(space->account, sizeof *spare[0]);
    spare[1] = spmalloc(space->account, sizeof *spare[1]);
    if (spare[0] != NULL && spare[1] != NULL) {
        uint64_t state = spin_lock_save(&space->lock);

        status = vspace_carve_locked(space, address, whole, spare, &first);
        spin_unlock_restore(&space->lock, state);
    }
    if (status == OK) {
        remove_regions(space, first, address + whole);
    }
    spmalloc_free(spare[0]);
    spmalloc_free(spare[1]);
    return status;
}
