/* SPDX-License-Identifier: MIT */
/*
 * Changing the protection of what is mapped.
 *
 * In three steps, so that no core can ever write to what another may execute: what the new protection
 * lacks is taken away and flushed, what was written is made fit to be fetched, and only then is what
 * it adds allowed. It is entered by the faults that follow.
 */
#include "arch/smp.h"
#include "kernel/abi/limits.h"
#include "kernel/base/atomic.h"
#include "mm/vspace_mapped.h"
#include "mm/vspace_priv.h"

/* Leaves of the region's access what `protection` has, a batch at a time. */
static void narrow_region(struct vspace *space, struct vspace_region *region, uint8_t protection,
                          struct vspace_removed *removed)
{
    vaddr_t address = region->start;

    while (address < region->end) {
        uint64_t state = spin_lock_save(&space->lock);

        region->protection &= protection;
        removed->entries += region->narrowed_outside;
        address =
            vspace_narrow_pages_locked(space, address, region->end, region->protection, removed);
        spin_unlock_restore(&space->lock, state);
    }
}

/* The new protection holds, and others may change the regions again. */
static void finish_regions(struct vspace *space, struct vspace_region *region, vaddr_t end,
                           uint8_t protection)
{
    uint64_t state = spin_lock_save(&space->lock);

    for (; region != NULL && region->start < end; region = vspace_next_locked(space, region)) {
        region->protection = protection & region->allowed; /* nothing if it was revoked meanwhile */
        region->changing = false;
    }
    spin_unlock_restore(&space->lock, state);
}

status_t vspace_protect(struct vspace *space, vaddr_t address, uint64_t bytes, uint32_t protection)
{
    uint64_t whole = ALIGN_UP(bytes, PAGE_BYTES);
    uint8_t wanted = vspace_protection(protection);
    vaddr_t end = address + whole;
    struct vspace_removed removed = {.entries = 0};
    struct vspace_region *first;
    status_t status;

    if (whole < bytes || !vspace_range_ok(address, whole) || !vspace_protection_ok(protection)) {
        return ERR_INVALID;
    }
    status = vspace_claim(space, address, end, wanted, &first);
    if (status != OK) {
        return status;
    }
    list_init(&removed.tables);
    for (struct vspace_region *region = first; region != NULL;
         region = vspace_next(space, region, end)) {
        narrow_region(space, region, wanted, &removed);
    }
    vspace_finish_removal(space, address, end, &removed);
    if ((wanted & PROTECT_EXECUTE) != 0) {
        icache_flush_all_cores();
    }
    finish_regions(space, first, end, wanted);
    return OK;
}

static void mapped_range_locked(const struct vspace_region *region, uint64_t first, uint64_t pages,
                                vaddr_t *start, vaddr_t *end)
{
    uint64_t mapped = (region->end - region->start) / PAGE_BYTES;
    uint64_t low = max_u64(first, region->first);
    uint64_t high = min_u64(first + pages, region->first + mapped);

    *start = region->start + (low - region->first) * PAGE_BYTES;
    *end = high <= low ? *start : *start + (high - low) * PAGE_BYTES;
}

void vspace_mapped_range(struct vspace_region *region, uint64_t first, uint64_t pages,
                         vaddr_t *start, vaddr_t *end)
{
    struct spinlock *lock = &region->space->lock;

    spin_lock(lock);
    mapped_range_locked(region, first, pages, start, end);
    spin_unlock(lock);
}

void vspace_narrow_mapping(struct vspace_region *region, uint64_t first, uint64_t pages,
                           bool remove)
{
    struct vspace *space = region->space;
    uint32_t protection = remove ? 0 : PROTECT_ALL & ~(uint32_t)PROTECT_WRITE;
    vaddr_t address;
    vaddr_t end;

    spin_lock(&space->lock);
    mapped_range_locked(region, first, pages, &address, &end);
    region->narrowed_outside |= address < end;
    while (address < end) {
        /* tables that become empty stay: they would have to be freed after the caller's flush */
        address = vspace_narrow_pages_locked(space, address, end, protection, NULL);
    }
    spin_unlock(&space->lock);
}

bool vspace_close_revoked(struct vspace_region *region)
{
    /* relaxed: who revoked it comes here himself, or the memory's lock is between */
    bool revoked = region->is_copy && atomic_load_relaxed(&region->source->leaf.revoked);

    if (revoked) {
        spin_lock(&region->space->lock);
        region->protection = 0;
        region->allowed = 0;
        spin_unlock(&region->space->lock);
    }
    return revoked;
}
