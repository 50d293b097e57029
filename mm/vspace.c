/* SPDX-License-Identifier: MIT */
/*
 * Life of an address space: made, entered, filled by the loader, ended.
 */
#include "mm/vspace.h"

#include <string.h>

#include "arch/core.h"
#include "arch/layout.h"
#include "arch/mmu.h"
#include "arch/platform.h"
#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/asid.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"
#include "mm/tlb_record.h"
#include "mm/vspace_priv.h"

void vspace_init(void)
{
    asid_init(mmu_max_asid(), platform.core_count);
}

/* The charged root page with the kernel's half in it, or FRAME_NONE. */
static paddr_t make_root(struct account *account)
{
    paddr_t root;

    if (account_charge_pages(account, 1) != OK) {
        return FRAME_NONE;
    }
    root = nexus_alloc_page_zeroed();
    if (root == FRAME_NONE) {
        account_uncharge_pages(account, 1);
        return FRAME_NONE;
    }
    mmu_copy_kernel_half(direct_map(root));
    return root;
}

status_t vspace_create(struct account *account, struct vspace **space)
{
    struct vspace *created = spmalloc_zeroed(&kernel_account, asid_space_bytes());

    if (created == NULL) {
        return ERR_NO_MEMORY;
    }
    created->root = make_root(account);
    if (created->root == FRAME_NONE) {
        spmalloc_free(created);
        return ERR_NO_MEMORY;
    }
    created->account = account;
    created->tables = 1;
    created->leaf_number = VSPACE_NO_LEAF;
    created->idle_number = VSPACE_NO_LEAF;
    created->references = 1;
    spin_lock_init(&created->lock, "vspace");
    vspace_init_regions(created);
    asid_add_space(created);
    *space = created;
    return OK;
}

void vspace_destroy(struct vspace *space)
{
    /* Cores may remember it, under numbers that they flush before they load them again (mm/asid.c); so
     * nothing is flushed before the frames go. */
    asid_remove_space(space);
    tlb_record_note_end(space);
    vspace_free_regions(space);
    vspace_free_tables(space);
    account_uncharge_pages(space->account, space->tables);
    if (space->pager != NULL) {
        object_release(space->pager);
    }
    vspace_release(space);
}

void vspace_retain(struct vspace *space)
{
    /* relaxed: the caller has something that keeps the space */
    (void)atomic_add_relaxed(&space->references, 1U);
}

void vspace_release(struct vspace *space)
{
    /* acq_rel: our uses come before the end; pairs with itself on the other cores */
    if (atomic_sub_acq_rel(&space->references, 1U) == 1) {
        spmalloc_free(space);
    }
}

void vspace_activate(struct vspace *space)
{
    asid_enter(&asid_entries(space)[core_index()]);
}

status_t vspace_translate(struct vspace *space, vaddr_t address, uint32_t protection,
                          paddr_t *physical)
{
    uint64_t state = spin_lock_save(&space->lock);
    status_t status = vspace_translate_locked(space, address, protection, physical);

    spin_unlock_restore(&space->lock, state);
    return status;
}

/* Fills part of one page. */
static status_t write_page(struct vspace *space, vaddr_t address, const void *from, size_t bytes)
{
    paddr_t physical;
    uint64_t state;
    status_t status = vspace_fault(space, address, 0);

    if (status != OK) {
        return status;
    }
    state = spin_lock_save(&space->lock);
    status = vspace_translate_locked(space, address, 0, &physical);
    if (status == OK) {
        memcpy(direct_map(physical), from, bytes);
    }
    spin_unlock_restore(&space->lock, state);
    return status;
}

status_t vspace_write(struct vspace *space, vaddr_t address, const void *from, size_t bytes)
{
    const char *next = from;

    if (bytes > USER_TOP || address > USER_TOP - bytes) {
        return ERR_FAULT;
    }
    while (bytes > 0) {
        size_t part = min_u64(bytes, PAGE_BYTES - address % PAGE_BYTES);
        status_t status = write_page(space, address, next, part);

        if (status != OK) {
            return status;
        }
        address += part;
        next += part;
        bytes -= part;
    }
    return OK;
}
