/* SPDX-License-Identifier: MIT */
/*
 * Page tables: the format (Sv39), the walk, and the kernel's own table.
 *
 * Rules: tables are reached through the direct map. The walk takes no lock: who owns the root
 * serialises changes. Clearing or narrowing an entry needs a TLB flush by the caller
 * (arch/smp.h); adding one where none was valid needs a flush too before use, since a core may
 * remember that there was nothing. No entry is ever writable and executable.
 */
#pragma once

#include "kernel/abi/status.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "kernel/base/types.h"

typedef uint64_t pte_t;

#define PTE_VALID (1UL << 0)
#define PTE_READ (1UL << 1)
#define PTE_WRITE (1UL << 2)
#define PTE_EXECUTE (1UL << 3)
#define PTE_USER (1UL << 4)
#define PTE_GLOBAL (1UL << 5)
#define PTE_ACCESSED (1UL << 6)
#define PTE_DIRTY (1UL << 7)
#define PTE_LEAF_MASK (PTE_READ | PTE_WRITE | PTE_EXECUTE)
#define PTE_ADDRESS_MASK 0x003ffffffffffc00UL

#define MMU_ROOT_LEVEL 2U
#define MMU_TABLE_ENTRIES 512U
#define MMU_LEVEL_BYTES(level) (4096UL << (9 * (level))) /* 4 KiB, 2 MiB, 1 GiB */

static inline paddr_t pte_address(pte_t entry)
{
    return (entry & PTE_ADDRESS_MASK) << 2;
}

static inline bool pte_is_leaf(pte_t entry)
{
    return (entry & PTE_VALID) != 0 && (entry & PTE_LEAF_MASK) != 0;
}

static inline pte_t pte_make_table(paddr_t table)
{
    return (table >> 2) | PTE_VALID;
}

_Static_assert(PTE_WRITE == PROTECT_WRITE << 1 && PTE_EXECUTE == PROTECT_EXECUTE << 1,
               "pte_make_leaf shifts them");

/*
 * A leaf for `page` with PROTECT_* rights (kernel/abi/syscall.h; read is implied, write and
 * execute together are a bug) and the bits of `more`. A and D are set: Baton does not use them.
 */
static inline pte_t pte_make_leaf(paddr_t page, unsigned protection, pte_t more)
{
    pte_t rights = (pte_t)(protection & (PROTECT_WRITE | PROTECT_EXECUTE)) << 1;

    BUG_ON(rights == (PTE_WRITE | PTE_EXECUTE));
    return (page >> 2) | rights | PTE_VALID | PTE_READ | PTE_ACCESSED | PTE_DIRTY | more;
}

static inline pte_t pte_make_user(paddr_t page, unsigned protection)
{
    return pte_make_leaf(page, protection, PTE_USER);
}

static inline pte_t pte_make_kernel(paddr_t page, unsigned protection)
{
    return pte_make_leaf(page, protection, PTE_GLOBAL);
}

/*
 * The entry for `va` at `level` (0 is the 4 KiB level). Missing tables on the way are taken,
 * zeroed, from alloc_table; NULL when that returns 0, when alloc_table is NULL and a table is
 * missing, or when a larger leaf is in the way.
 */
pte_t *mmu_walk(pte_t *root, vaddr_t va, unsigned level, paddr_t (*alloc_table)(void));

/* The entry's value that translates `va`, at whatever level, or 0; *level when not NULL. */
pte_t mmu_lookup(const pte_t *root, vaddr_t va, unsigned *level);

/* The value for satp. asid 0 is the kernel's own. */
uint64_t mmu_satp(paddr_t root, uint16_t asid);

#define MMU_SATP_ASID_SHIFT 44

/* The asid in a value for satp. */
static inline uint16_t mmu_satp_asid(uint64_t satp)
{
    return (uint16_t)(satp >> MMU_SATP_ASID_SHIFT);
}

/* What this core has loaded. Interrupts off. */
uint64_t mmu_loaded_satp(void);

/* Writes satp; flushes this core's TLB only when the machine has no ASIDs. */
void mmu_set_satp(uint64_t satp);

/* The largest usable ASID; 0 when the machine has none. Valid after mmu_init(). The boot argument
 * asids=N pretends that there are no more than N. */
uint16_t mmu_max_asid(void);

/* Builds the final kernel tables, switches to them, moves the devices. Boot core, once. */
void mmu_init(void);

/*
 * Maps the frame records at `records` at `va` in the frame window (arch/layout.h), read-write, in
 * the kernel's tables and in the boot table. Page-aligned. Boot core, before mmu_init().
 */
void mmu_map_frame_window(vaddr_t va, paddr_t records, uint64_t bytes);

/* The kernel's root; entries 256..511 are to be copied into each new user root. */
pte_t *mmu_kernel_root(void);
void mmu_copy_kernel_half(pte_t *user_root);

/* satp of the kernel's own address space (asid 0), for idle cores and dying spaces. */
uint64_t mmu_kernel_satp(void);

/*
 * Maps one page in the stack area, read-write (PROTECT_READ | PROTECT_WRITE). Serialised by the
 * caller, who also flushes. ERR_NO_MEMORY: no table page; ERR_EXISTS: `va` is mapped already.
 */
status_t mmu_map_kernel_page(vaddr_t va, paddr_t page, unsigned protection);

/*
 * Where mmu_map_kernel_page() gets table pages (zeroed; 0 = none left) once the frame
 * allocator is up. Before that a small pool in the image serves.
 */
void mmu_set_table_source(paddr_t (*alloc_table)(void));

/*
 * Walks the whole kernel table; NULL, or in words what is wrong: a page that is writable and
 * executable, a user page in the kernel's half, a mapped guard page. For the boot-time check and
 * the tests.
 */
const char *mmu_check_kernel_table(void);
