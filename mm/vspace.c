/* SPDX-License-Identifier: MIT */
/*
 * Life of an address space: made, entered, filled by the loader, ended.
 */
#include "mm/vspace.h"

#include <string.h>

#include "arch/layout.h"
#include "arch/mmu.h"
#include "arch/smp.h"
#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "mm/asid.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"
#include "mm/vspace_priv.h"

void vspace_init(void)
{
    asid_init(mmu_max_asid());
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
    struct vspace *created = spmalloc_zeroed(account, sizeof *created);

    if (created == NULL) {
        return ERR_NO_MEMORY;
    }
    created->root = make_root(account);
    if (created->root == FRAME_NONE) {
        spmalloc_free(created);
        return ERR_NO_MEMORY;
    }
    created->account = account;
    created->asid = asid_alloc();
    created->flush_on_switch = created->asid == 0;
    created->satp = mmu_satp(created->root, created->asid);
    created->tables = 1;
    spin_lock_init(&created->lock, "vspace");
    list_init(&created->regions);
    *space = created;
    return OK;
}

void vspace_destroy(struct vspace *space)
{
    struct list *link;

    /* First make every core forget the space, then free what it may have remembered. */
    tlb_flush_all_cores(0, ~0UL, space->asid);
    if (space->asid != 0) {
        asid_free(space->asid);
    }
    vspace_free_tables(space);
    account_uncharge_pages(space->account, space->pages + space->tables);
    while ((link = list_pop_front(&space->regions)) != NULL) {
        spmalloc_free(list_entry(link, struct vspace_region, link));
    }
    spmalloc_free(space);
}

void vspace_activate(const struct vspace *space)
{
    if (space == NULL) {
        mmu_set_satp(mmu_kernel_satp());
        return;
    }
    mmu_set_satp(space->satp);
    if (space->flush_on_switch) {
        tlb_flush_local(0, ~0UL, TLB_EVERY_SPACE);
    }
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
    uint64_t state = spin_lock_save(&space->lock);
    status_t status = vspace_translate_locked(space, address, 0, &physical);

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
