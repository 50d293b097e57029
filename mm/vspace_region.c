/* SPDX-License-Identifier: MIT */
/*
 * The sorted list of an address space's regions.
 */
#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "mm/vspace_priv.h"

/* Where the search for a free place begins: far above programs that are linked low. */
#define SEARCH_BASE 0x1000000000UL

bool vspace_range_ok(vaddr_t address, uint64_t bytes)
{
    return bytes != 0 && IS_ALIGNED(address, PAGE_BYTES) && IS_ALIGNED(bytes, PAGE_BYTES) &&
           address >= USER_BASE && address < USER_TOP && bytes <= USER_TOP - address;
}

static vaddr_t region_end(const struct vspace_region *region)
{
    return region->start + region->bytes;
}

struct vspace_region *vspace_region_after_locked(struct vspace *space, vaddr_t address)
{
    list_for_each_entry(struct vspace_region, region, &space->regions, link)
    {
        if (region_end(region) > address) {
            return region;
        }
    }
    return NULL;
}

vaddr_t vspace_find_free_locked(struct vspace *space, uint64_t bytes)
{
    vaddr_t start = SEARCH_BASE;
    uint64_t need = bytes + PAGE_BYTES; /* the page behind it; `bytes` is below USER_TOP */

    list_for_each_entry(struct vspace_region, region, &space->regions, link)
    {
        if (region_end(region) <= start - PAGE_BYTES) {
            continue;
        }
        if (region->start > start && region->start - start >= need) {
            return start;
        }
        start = region_end(region) + PAGE_BYTES;
    }
    return start < USER_TOP && USER_TOP - start >= need ? start : 0;
}

status_t vspace_insert_region_locked(struct vspace *space, struct vspace_region *region)
{
    struct vspace_region *after = vspace_region_after_locked(space, region->start);

    if (after != NULL && after->start < region_end(region)) {
        return ERR_EXISTS;
    }
    if (space->region_count == VSPACE_MAX_REGIONS) {
        return ERR_NO_SPACE;
    }
    space->region_count++;
    list_insert_before(after == NULL ? &space->regions : &after->link, &region->link);
    return OK;
}

void vspace_remove_region_locked(struct vspace *space, struct vspace_region *region)
{
    list_remove(&region->link);
    space->region_count--;
}

/* Cuts the region at `address`, which is inside it; `upper` becomes the part from there on. */
static void split_region(struct vspace *space, struct vspace_region *region, vaddr_t address,
                         struct vspace_region *upper) REQUIRES(space->lock)
{
    *upper = (struct vspace_region){
        .start = address,
        .bytes = region_end(region) - address,
        .protection = region->protection,
    };
    region->bytes = address - region->start;
    list_push_front(&region->link, &upper->link); /* behind `region` */
    space->region_count++;
}

struct vspace_region *vspace_next_locked(struct vspace *space, struct vspace_region *region)
{
    struct list *next = list_next(&space->regions, &region->link);

    return next == NULL ? NULL : list_entry(next, struct vspace_region, link);
}

/* The last region of a gapless chain from `first` to `end` that nobody is changing, or NULL. */
static struct vspace_region *find_last_locked(struct vspace *space, struct vspace_region *first,
                                              vaddr_t start, vaddr_t end) REQUIRES(space->lock)
{
    struct vspace_region *region = first;
    vaddr_t covered = start;

    while (region != NULL && region->start <= covered && !region->changing) {
        covered = region_end(region);
        if (covered >= end) {
            return region;
        }
        region = vspace_next_locked(space, region);
    }
    return NULL;
}

status_t vspace_carve_locked(struct vspace *space, vaddr_t start, uint64_t bytes,
                             struct vspace_region *spare[2], struct vspace_region **first)
{
    vaddr_t end = start + bytes;
    struct vspace_region *from = vspace_region_after_locked(space, start);
    struct vspace_region *last = find_last_locked(space, from, start, end);

    if (last == NULL) {
        return ERR_NOT_FOUND;
    }
    if (space->region_count + (from->start < start) + (region_end(last) > end) >
        VSPACE_MAX_REGIONS) {
        return ERR_NO_SPACE;
    }
    if (region_end(last) > end) {
        split_region(space, last, end, spare[1]);
        spare[1] = NULL;
    }
    if (from->start < start) {
        split_region(space, from, start, spare[0]);
        from = spare[0];
        spare[0] = NULL;
    }
    *first = from;
    for (struct vspace_region *region = from;; region = vspace_next_locked(space, region)) {
        region->changing = true;
        if (region_end(region) == end) {
            return OK;
        }
    }
}
