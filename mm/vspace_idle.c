/* SPDX-License-Identifier: MIT */
/*
 * The idle region: the record of what was unmapped last serves what is mapped next.
 *
 * Problem: who maps and unmaps a page again and again pays for a record, for two changes of the tree and
 * for two repairs of its maxima, more than for the page. Choice: a small region that is unmapped is left
 * in the tree as the space's one idle region. It has no object, no pages and no protection, it is not
 * counted in `region_count`, and it is `changing`, so nobody can claim, split or touch it: to all who
 * look up an address it is not there. What is mapped next takes the record: where it is, if the
 * addresses are the same; else it is moved first, or taken out for the general way.
 *
 * Rule: the range of an idle region is free, so nobody may look for a free place, or put a region into
 * the tree, while there is one (vspace_drop_idle_locked). Hence its neighbours have come no nearer and
 * got no guard since, and there is room for one region more.
 */
#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "mm/memory_priv.h"
#include "mm/spmalloc.h"
#include "mm/vspace_page_priv.h"

#define READ_WRITE (uint32_t)(PROTECT_READ | PROTECT_WRITE)

/* Takes the idle region out of the tree and returns it; NULL: there is none. */
static struct vspace_region *take_locked(struct vspace *space) REQUIRES(space->lock)
{
    struct vspace_region *idle = space->idle;

    if (idle != NULL) {
        vspace_set_idle_locked(space, NULL);
        vspace_take_out_locked(space, idle);
    }
    return idle;
}

void vspace_free_idle_locked(struct vspace *space)
{
    spmalloc_free(take_locked(space));
}

struct vspace_region *vspace_take_idle(struct vspace *space)
{
    uint64_t state = spin_lock_save(&space->lock);
    struct vspace_region *idle = take_locked(space);

    spin_unlock_restore(&space->lock, state);
    return idle;
}

/* Gives the idle region the place that the mapping asks for. False: it cannot be had. */
static bool move_locked(struct vspace *space, const struct vspace_mapping *mapping)
    REQUIRES(space->lock)
{
    vaddr_t start = mapping->address;
    struct vspace_region *idle;

    if (!vspace_range_ok(start == 0 ? USER_BASE : start, mapping->bytes)) {
        return false;
    }
    idle = take_locked(space);
    if (start == 0) {
        start = vspace_find_free_locked(space, mapping->bytes, PAGE_BYTES);
    }
    idle->start = start;
    idle->end = start + mapping->bytes;
    idle->guard_below = false;
    idle->guard_above = false;
    if (start == 0 || !vspace_put_in_locked(space, idle)) {
        spmalloc_free(idle);
        return false;
    }
    vspace_set_idle_locked(space, idle);
    return true;
}

/* Makes the idle region, where it is, one of the object; its page is entered if that is wanted. */
static inline bool revive_locked(struct vspace *space, struct vspace_region *region,
                                 const struct vspace_mapping *mapping) REQUIRES(space->lock)
{
    struct memory *memory = mapping->memory;
    uint64_t first = mapping->offset / PAGE_BYTES;
    uint8_t protection = (uint8_t)(mapping->protection | PROTECT_READ);

    ASSERT(space->region_count < VSPACE_MAX_REGIONS);
    if ((mapping->flags & MEMORY_POPULATE) != 0 &&
        !vspace_enter_present_locked(space, memory, first, region->start, protection)) {
        return false;
    }
    vspace_set_idle_locked(space, NULL);
    space->region_count++;
    region->memory = memory;
    region->first = first;
    region->protection = protection;
    region->allowed = (uint8_t)mapping->allowed;
    region->special = 0;
    region->guard_below = false;
    region->guard_above = false;
    region->narrowed_outside = false;
    list_push_back(&memory->mappings, &region->mapping_link);
    return true;
}

/* Readable or writable pages of an anonymous object, of which one at most is wanted at once, and all of
 * which may be had, wherever they are to be. */
static inline bool is_plain(const struct vspace_mapping *mapping)
{
    const struct memory *memory = mapping->memory;
    uint64_t first = mapping->offset / PAGE_BYTES;

    return mapping->alignment == 0 && memory->kind == MEMORY_ANONYMOUS &&
           (mapping->flags == 0 ||
            (mapping->flags == MEMORY_POPULATE && mapping->bytes == PAGE_BYTES)) &&
           ((mapping->protection | PROTECT_READ) & ~(mapping->allowed & READ_WRITE)) == 0 &&
           IS_ALIGNED(mapping->offset, PAGE_BYTES) && first < memory->pages &&
           mapping->bytes / PAGE_BYTES <= memory->pages - first;
}

/* Maps plain pages with the idle region. Returns where, or 0: not so, and no mapping has changed. */
static inline vaddr_t map_plain_locked(struct vspace *space, const struct vspace_mapping *mapping)
    REQUIRES(space->lock) NO_THREAD_SAFETY
{
    struct vspace_region *idle = space->idle;
    vaddr_t start = 0;

    if (idle == NULL || !spin_lock_try(&mapping->memory->lock)) {
        return 0;
    }
    if (((idle->start == mapping->address && idle->end == idle->start + mapping->bytes) ||
         move_locked(space, mapping)) &&
        revive_locked(space, idle, mapping)) {
        start = idle->start;
    }
    spin_unlock(&mapping->memory->lock);
    return start;
}

/* vspace_map_given when there may be an idle region. */
static status_t map_with_idle(struct vspace *space, const struct vspace_mapping *mapping,
                              vaddr_t *mapped)
{
    vaddr_t start = 0;

    if (is_plain(mapping)) {
        uint64_t state = spin_lock_save(&space->lock);

        start = map_plain_locked(space, mapping);
        spin_unlock_restore(&space->lock, state);
    }
    if (start == 0) {
        return vspace_map_any(space, mapping, mapped);
    }
    *mapped = start;
    return OK;
}

status_t vspace_map_given(struct vspace *space, const struct vspace_mapping *mapping,
                          vaddr_t *mapped)
{
    return mapping->memory != NULL && vspace_has_idle(space)
               ? map_with_idle(space, mapping, mapped)
               : vspace_map_any(space, mapping, mapped);
}
