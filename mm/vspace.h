/* SPDX-License-Identifier: MIT */
/*
 * An address space: the user half of a page table, its regions and its ASID.
 *
 * Rules: thread context, no other mm lock held; never blocks on anything but its own lock,
 * which is held for a bounded number of pages at a time. Mappings are eager (every page is
 * there, zeroed, when the map call returns), private, and never writable and executable at
 * once. Pages, page tables and the root are charged to the account, which must outlive the
 * space; region records are the kernel's. An unmapped frame is freed only after all cores have
 * flushed it. A region that is being built or torn down is `changing`: others see its range
 * as taken and not unmappable.
 *
 * What a core loads to run in the space is its entry of `satp`, which mm/asid.h gives and empties. On
 * a machine without ASIDs mmu_set_satp flushes: kernel mappings are global, the kernel never uses user
 * addresses, and so no two spaces meet in a TLB.
 */
#pragma once

#include "kernel/abi/status.h"
#include "kernel/base/list.h"
#include "kernel/base/types.h"
#include "kernel/sync/spinlock.h"
#include "mm/account.h"

/* Bounds how long the list is walked under the lock. */
#define VSPACE_MAX_REGIONS 4096

struct vspace {
    paddr_t root; /* root page table; fixed */
    struct account *account;
    struct spinlock lock; /* guards the user half of the tables and what follows */
    struct list regions;  /* struct vspace_region, by rising address, disjoint */
    unsigned region_count;
    uint64_t pages;        /* user pages mapped */
    uint64_t tables;       /* page table pages, with the root */
    struct list asid_link; /* mm/asid.c */
    uint64_t satp[];       /* by cpu: what to load there; rules in mm/asid.h */
};

struct vspace_region {
    struct list link;
    vaddr_t start;       /* page-aligned */
    uint64_t bytes;      /* page-aligned, > 0 */
    uint32_t protection; /* PROTECT_* */
    bool changing;       /* being built or torn down by one thread */
};

/* Once, after mmu_init. */
void vspace_init(void);

/* A new space with nothing mapped. ERR_NO_MEMORY: no frames, or the account's limit. */
WARN_UNUSED status_t vspace_create(struct account *account, struct vspace **space);

/*
 * Ends a space: gives back every page and table, and the structure. No core may have its satp loaded
 * and nobody may use it any more. Nothing is flushed: see mm/asid.c.
 */
void vspace_destroy(struct vspace *space);

/* Makes this core run in the space (NULL: the kernel's tables). Interrupts off. */
void vspace_activate(struct vspace *space);

/*
 * Maps `bytes` (rounded up to pages) of zeroed memory at `address`, or at a free place with an
 * unmapped page on each side when it is 0. *mapped gets the address. Read is implied.
 * ERR_INVALID: bytes 0, address not page-aligned, a range outside the user half, unknown
 * protection bits, write with execute. ERR_EXISTS: overlaps a region. ERR_NO_SPACE: no free
 * range, or VSPACE_MAX_REGIONS. ERR_NO_MEMORY: frames or quota. On error no mapping has changed (page tables that were
 * added for it stay, charged, until the space ends).
 */
WARN_UNUSED status_t vspace_map_anonymous(struct vspace *space, vaddr_t address, uint64_t bytes,
                                          uint32_t protection, vaddr_t *mapped);

/*
 * Unmaps [address, address + bytes), bytes rounded up to pages; it may be part of a region or
 * several. ERR_INVALID: as above. ERR_NOT_FOUND: some page of it is not mapped (or changing).
 * ERR_NO_MEMORY, ERR_NO_SPACE: a region might have to be split and there is no record for it,
 * or there are too many. On error nothing has changed.
 */
WARN_UNUSED status_t vspace_unmap(struct vspace *space, vaddr_t address, uint64_t bytes);

/*
 * The loader's copy: fills mapped pages whatever their protection. Orders the writes before a
 * later start of code there (fence.i on the core that runs it is the switch's business).
 * ERR_FAULT when a page of the range is not mapped; earlier pages are then already filled.
 */
WARN_UNUSED status_t vspace_write(struct vspace *space, vaddr_t address, const void *from,
                                  size_t bytes);

/*
 * The physical address behind `address` when it is mapped with all of `protection`; else
 * ERR_FAULT. The answer may be stale at once unless the caller keeps the range mapped.
 */
WARN_UNUSED status_t vspace_translate(struct vspace *space, vaddr_t address, uint32_t protection,
                                      paddr_t *physical);

/* Same, for callers that hold the lock. */
WARN_UNUSED status_t vspace_translate_locked(struct vspace *space, vaddr_t address,
                                             uint32_t protection, paddr_t *physical)
    REQUIRES(space->lock);
