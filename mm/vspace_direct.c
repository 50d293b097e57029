/* SPDX-License-Identifier: MIT */
#include "mm/vspace_direct.h"

#include "kernel/abi/limits.h"
#include "mm/memory_priv.h"
#include "mm/vspace_priv.h"

/* The region is locked. */
static status_t hold(const struct vspace_region *region, vaddr_t address, void **page)
{
    uint64_t index = region->first + (address - region->start) / PAGE_BYTES;

    if ((region->protection & PROTECT_WRITE) == 0) {
        return ERR_FAULT;
    }
    if (region->memory->kind != MEMORY_CONTIGUOUS) {
        return ERR_INVALID;
    }
    *page = direct_map(region->memory->base + index * PAGE_BYTES);
    object_retain(&region->memory->object);
    return OK;
}

status_t vspace_hold_page(struct vspace *space, vaddr_t address, struct memory **memory,
                          void **page)
{
    struct vspace_region *region;
    uint64_t state;
    status_t status;

    if (address % PAGE_BYTES != 0) {
        return ERR_INVALID;
    }
    region = vspace_lock_region(space, address, &state);
    if (region == NULL) {
        return ERR_FAULT;
    }
    status = hold(region, address, page);
    if (status == OK) {
        *memory = region->memory;
    }
    vspace_unlock_region(region, state);
    return status;
}
