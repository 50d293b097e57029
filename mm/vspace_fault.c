/* SPDX-License-Identifier: MIT */
/*
 * What is done when a page is touched that is not entered, or not with that access.
 *
 * An entry that only becomes wider, or appears, needs no other core: one that remembers less faults,
 * comes here, finds the page entered, flushes its own TLB and goes on.
 */
#include "arch/layout.h"
#include "kernel/abi/limits.h"
#include "mm/upcall.h"
#include "mm/vspace_page_priv.h"

/* MEGAPAGE_BYTES when the whole megapage around `address` is one run of frames in the region. */
static uint64_t page_bytes(const struct vspace_region *region, vaddr_t address, paddr_t page)
{
    vaddr_t start = ALIGN_DOWN(address, MEGAPAGE_BYTES);

    if (region->memory->kind == MEMORY_ANONYMOUS || start < region->start ||
        region->end - start < MEGAPAGE_BYTES ||
        address % MEGAPAGE_BYTES / PAGE_BYTES != page % MEGAPAGE_BYTES / PAGE_BYTES) {
        return PAGE_BYTES;
    }
    return MEGAPAGE_BYTES;
}

status_t vspace_enter_any_locked(struct vspace_region *region, vaddr_t address, bool write)
{
    uint64_t index = region->first + (address - region->start) / PAGE_BYTES;
    uint32_t protection = region->protection;
    paddr_t page;
    bool writable;
    status_t status;

    status = memory_get_page_locked(region->memory, index, write, &page, &writable);
    if (status != OK) {
        return status;
    }
    if (!writable) {
        protection &= ~(uint32_t)PROTECT_WRITE;
    }
    return vspace_enter_page_locked(region->space, address, page, protection,
                                    page_bytes(region, address, page));
}

/* One try; ERR_STALE when the object's page has to be settled first: then *memory has a reference. */
static status_t fault_once(struct vspace *space, vaddr_t address, uint32_t access,
                           struct memory **memory, uint64_t *index) NO_THREAD_SAFETY
{
    uint64_t state;
    struct vspace_region *region = vspace_lock_region(space, address, &state);
    status_t status = ERR_FAULT;

    if (region == NULL) {
        return ERR_FAULT;
    }
    if (region->protection != 0 && (access & ~(uint32_t)region->protection) == 0) {
        status = vspace_enter_locked(region, address, (access & PROTECT_WRITE) != 0);
        if (status == OK) {
            vspace_flush_here(space, address);
        } else if (status == ERR_STALE) {
            *memory = region->memory;
            *index = region->first + (address - region->start) / PAGE_BYTES;
            object_retain(&region->memory->object);
        }
    }
    vspace_unlock_region(region, state);
    return status;
}

status_t vspace_fault(struct vspace *space, vaddr_t address, uint32_t access)
{
    status_t status = vspace_touch_page(space, address, access);

    if (status != ERR_STALE) {
        return status;
    }
    for (;;) {
        struct memory *memory;
        uint64_t index;

        status = fault_once(space, address, access, &memory, &index);

        if (status != ERR_STALE) {
            return status;
        }
        status = memory_settle(memory, index, (access & PROTECT_WRITE) != 0);
        object_release(&memory->object);
        if (status != OK) {
            return status;
        }
    }
}

status_t vspace_fault_with_pager(struct vspace *space, vaddr_t address, uint32_t access)
{
    status_t status = vspace_fault(space, address, access);

    return status == ERR_FAULT ? upcall_page_fault(space, address, access) : status;
}
