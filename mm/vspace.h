/* SPDX-License-Identifier: MIT */
/*
 * An address space: the user half of a page table, its regions and its ASID.
 *
 * Rules: thread context, interrupts on, nothing locked unless it says otherwise; never blocks on
 * anything but its own lock and the memory objects' (mm/memory.h), which are held for a bounded number
 * of pages at a time. A region maps a run of a memory object with a protection; its pages are
 * entered when they are touched, or at once when that is asked for. No region is ever writable and
 * executable at once. Page tables and the root are charged to the account, which must outlive the
 * space; so are region records and private objects. A page table that becomes empty goes back when
 * it is unmapped, but for the one to which that happened last with a page unmapped alone; of what was
 * unmapped last the record may stay (vspace_idle.c). A frame or table is freed only after every core
 * that may remember it has flushed it.
 * A region that is being changed by one thread is `changing`: to others its range is taken and can be
 * neither unmapped nor protected. Looking up a region, inserting, removing and finding a free range
 * each cost O(log regions).
 *
 * What a core loads to run in the space is its entry of `satp`, which mm/asid.h gives and empties. On
 * a machine without ASIDs mmu_set_satp flushes: kernel mappings are global, the kernel never uses user
 * addresses, and so no two spaces meet in a TLB.
 */
#pragma once

#include "arch/mmu.h"
#include "kernel/abi/status.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/tree.h"
#include "kernel/base/types.h"
#include "kernel/object/handle.h"
#include "kernel/object/object.h"
#include "kernel/sync/spinlock.h"
#include "mm/account.h"
#include "mm/memory.h"

/* Bounds the records that one space can make the kernel keep; a region is about 150 bytes. */
#define VSPACE_MAX_REGIONS 4096

/* A bit for each core. */
#define VSPACE_CORE_BITS 64U
#define VSPACE_CORE_WORDS ((MAX_CORES + VSPACE_CORE_BITS - 1) / VSPACE_CORE_BITS)

#define PROTECT_ALL ((uint32_t)(PROTECT_READ | PROTECT_WRITE | PROTECT_EXECUTE))

struct vspace {
    paddr_t root; /* root page table; fixed */
    struct account *account;
    uint32_t references;        /* of the record alone; see vspace_retain */
    struct spinlock lock;       /* guards the user half of the tables and what follows */
    struct tree regions;        /* struct vspace_region, by rising address, disjoint */
    struct vspace_region *idle; /* unmapped, but still in the tree: see vspace_idle.c; or NULL */
    unsigned region_count;      /* without `idle` */
    uint64_t pages;             /* entries of pages; a megapage counts as one */
    uint64_t tables;            /* page table pages, with the root */
    struct object *pager; /* who is asked about faults that the kernel cannot settle, or NULL */
    uint64_t pager_badge;
    uint64_t leaf_number; /* address >> 21 of what `leaf` maps; VSPACE_NO_LEAF: of nothing */
    pte_t *leaf;          /* the table of level 0 that was used last */
    uint64_t idle_number; /* address >> 21 of the table that may stay empty; VSPACE_NO_LEAF: none */
    struct list asid_link;               /* mm/asid.c */
    uint64_t entered[VSPACE_CORE_WORDS]; /* cores whose `satp` is not 0, a bit each; mm/asid.c */
    uint64_t satp[];                     /* by cpu: what to load there; rules in mm/asid.h */
};

struct vspace_region {
    struct tree_node node; /* weight: free bytes below it, down to the region before or to 0 */
    vaddr_t start;         /* page-aligned; start < end */
    vaddr_t end;
    struct memory *memory; /* NULL while idle */
    uint64_t first;        /* page of the object at `start` */
    uint8_t protection;    /* PROTECT_*; 0: no access */
    uint8_t allowed;       /* what vspace_protect may give */
    union {
        struct {
            bool changing; /* by one thread */
            bool is_copy;  /* the object was reached by a copy of a handle: `source` */
        };
        uint16_t special; /* either of the two */
    };
    bool guard_below;             /* the page below stays free */
    bool guard_above;             /* and the one above */
    bool narrowed_outside;        /* by vspace_narrow_mapping: see memory_clone.c, (c) */
    struct vspace *space;         /* whose it is; fixed */
    struct list mapping_link;     /* on memory->mappings, unless that is private; memory.lock */
    struct vspace_source *source; /* if `is_copy` */
};

/* What to map. */
struct vspace_mapping {
    vaddr_t address;    /* 0: where there is room */
    uint64_t bytes;     /* rounded up to pages */
    uint64_t alignment; /* of the address, a power of two up to VSPACE_MAX_ALIGNMENT; 0: a page */
    uint32_t protection;
    uint32_t flags;        /* MEMORY_POPULATE, MEMORY_GUARDED */
    uint32_t allowed;      /* what the object may ever be used for here, PROTECT_*; for anonymous
                              memory all */
    struct memory *memory; /* NULL: new zeroed memory of this space's own */
    uint64_t offset;       /* in the object, page-aligned */
};

#define VSPACE_MAX_ALIGNMENT (1UL << 30)

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

/* Keeps the record, not what is mapped, while its TLB entries are being flushed from outside. */
void vspace_retain(struct vspace *space);
void vspace_release(struct vspace *space);

/*
 * Maps; *mapped gets the address. A place that is chosen has a free page on each side.
 * ERR_INVALID: bytes 0, address or offset not page-aligned, a bad alignment, a range outside the
 * user half or the object, unknown protection bits or flags, write with execute, PROTECT_NONE with
 * another. ERR_NO_RIGHT: a protection that is not allowed. ERR_DENIED: device pages that are RAM.
 * ERR_EXISTS: overlaps a region or its guard. ERR_NO_SPACE: no free range, or VSPACE_MAX_REGIONS.
 * ERR_NO_MEMORY: frames or quota; also for anonymous memory beyond the account's limit. On error no
 * mapping has changed.
 */
WARN_UNUSED status_t vspace_map(struct vspace *space, const struct vspace_mapping *mapping,
                                vaddr_t *mapped);

/* The same; the caller's reference to mapping->memory goes with it, whatever is returned. */
WARN_UNUSED status_t vspace_map_given(struct vspace *space, const struct vspace_mapping *mapping,
                                      vaddr_t *mapped);

/* The same, for an object that was reached by a handle that is a copy: the mapping ends when that is revoked. Also
 * ERR_BAD_HANDLE: it has been closed or revoked by now. */
WARN_UNUSED status_t vspace_map_copy(struct vspace *space, const struct vspace_mapping *mapping,
                                     struct handle_table *handles, handle_t handle,
                                     vaddr_t *mapped);

/* The same as vspace_map for private anonymous memory. */
WARN_UNUSED status_t vspace_map_anonymous(struct vspace *space, vaddr_t address, uint64_t bytes,
                                          uint32_t protection, vaddr_t *mapped);

/*
 * Unmaps [address, address + bytes), bytes rounded up to pages; it may be part of a region or
 * several. ERR_INVALID: as above. ERR_NOT_FOUND: some page of it is in no region (or changing).
 * ERR_NO_MEMORY, ERR_NO_SPACE: a region has to be split and there is no record for it, or there
 * are too many. On error nothing has changed.
 */
WARN_UNUSED status_t vspace_unmap(struct vspace *space, vaddr_t address, uint64_t bytes);

/*
 * Gives [address, address + bytes) another protection; errors as vspace_unmap, ERR_INVALID as
 * vspace_map, and ERR_NO_RIGHT: the protection is not allowed for some of it. What it takes away is
 * gone on every core at the return; what becomes executable is fetched as it was written.
 */
WARN_UNUSED status_t vspace_protect(struct vspace *space, vaddr_t address, uint64_t bytes,
                                    uint32_t protection);

/*
 * Makes the page at `address` be there for `access` (PROTECT_READ, _WRITE or _EXECUTE; 0: whatever
 * its protection). OK: try again. ERR_FAULT: no region, or its protection forbids the access.
 * ERR_NO_MEMORY: no frame, or quota.
 */
WARN_UNUSED status_t vspace_fault(struct vspace *space, vaddr_t address, uint32_t access);

/* The same; asks the space's pager about what the kernel cannot settle. May block when there is one. */
WARN_UNUSED status_t vspace_fault_with_pager(struct vspace *space, vaddr_t address,
                                             uint32_t access);

/* The short way of vspace_fault, interrupts on or off: the first touch of private memory. ERR_FAULT: no region.
 * ERR_STALE: it is something else, and nothing was done. ERR_NO_MEMORY. */
WARN_UNUSED status_t vspace_touch_page(struct vspace *space, vaddr_t address, uint32_t access);

/*
 * The loader's copy: fills mapped pages whatever their protection. Orders the writes before a
 * later start of code there (fence.i on the core that runs it is the switch's business).
 * ERR_FAULT when a page of the range is not mapped, ERR_NO_MEMORY; earlier pages are then already
 * filled.
 */
WARN_UNUSED status_t vspace_write(struct vspace *space, vaddr_t address, const void *from,
                                  size_t bytes);

/*
 * The physical address behind `address` when it is entered with all of `protection`; else
 * ERR_FAULT. The answer may be stale at once unless the caller keeps the range mapped.
 */
WARN_UNUSED status_t vspace_translate(struct vspace *space, vaddr_t address, uint32_t protection,
                                      paddr_t *physical);

/* Same, for callers that hold the lock. */
WARN_UNUSED status_t vspace_translate_locked(struct vspace *space, vaddr_t address,
                                             uint32_t protection, paddr_t *physical)
    REQUIRES(space->lock);

/* Flushes the range on every core that may know it. */
void vspace_flush(struct vspace *space, vaddr_t start, vaddr_t end);
