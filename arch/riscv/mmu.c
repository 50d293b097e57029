/* SPDX-License-Identifier: MIT */
/*
 * Sv39 page tables: entries, the walk, satp.
 *
 * Rules: as in arch/mmu.h. RISC-V privileged specification 1.12, section 4.4.
 */
#include "arch/mmu.h"

#include "arch/layout.h"
#include "arch/platform.h"
#include "arch/riscv/bootarg_priv.h"
#include "arch/riscv/mmu_priv.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"

#define SATP_SV39 (8UL << 60)
#define SATP_ASID_MASK 0xffffUL

static uint16_t max_asid;

static unsigned table_index(vaddr_t va, unsigned level)
{
    return (unsigned)(va >> (12 + 9 * level)) % MMU_TABLE_ENTRIES;
}

pte_t *mmu_walk(pte_t *root, vaddr_t va, unsigned level, paddr_t (*alloc_table)(void))
{
    pte_t *table = root;
    for (unsigned at = MMU_ROOT_LEVEL; at > level; at--) {
        pte_t *entry = &table[table_index(va, at)];
        if (pte_is_leaf(*entry)) {
            return NULL;
        }
        if ((*entry & PTE_VALID) == 0) {
            paddr_t fresh = alloc_table == NULL ? 0 : alloc_table();
            if (fresh == 0) {
                return NULL;
            }
            /* The zeroed table must be visible to a walk that sees the entry; whoever uses the
             * mapping on another core synchronises through the shootdown that follows. */
            __asm__ volatile("fence w, w" ::: "memory"); /* pairs with the remote sfence.vma */
            *(volatile pte_t *)entry = pte_make_table(fresh);
        }
        table = direct_map(pte_address(*entry));
    }
    return &table[table_index(va, level)];
}

pte_t mmu_lookup(const pte_t *root, vaddr_t va, unsigned *level)
{
    const pte_t *table = root;
    for (unsigned at = MMU_ROOT_LEVEL;; at--) {
        pte_t entry = *(const volatile pte_t *)&table[table_index(va, at)];
        if (pte_is_leaf(entry)) {
            if (level != NULL) {
                *level = at;
            }
            return entry;
        }
        if ((entry & PTE_VALID) == 0 || at == 0) {
            return 0;
        }
        table = direct_map(pte_address(entry));
    }
}

uint64_t mmu_satp(paddr_t root, uint16_t asid)
{
    return SATP_SV39 | (uint64_t)asid << MMU_SATP_ASID_SHIFT | root >> 12;
}

void mmu_set_satp(uint64_t satp)
{
    __asm__ volatile("csrw satp, %0" ::"r"(satp) : "memory");
    if (max_asid == 0) {
        __asm__ volatile("sfence.vma" ::: "memory");
    }
}

uint64_t mmu_loaded_satp(void)
{
    uint64_t satp;
    __asm__ volatile("csrr %0, satp" : "=r"(satp)::"memory");
    return satp;
}

uint16_t mmu_max_asid(void)
{
    return max_asid;
}

void mmu_switch_first(uint64_t satp)
{
    uint64_t probe = satp | SATP_ASID_MASK << MMU_SATP_ASID_SHIFT;
    uint64_t kept;
    uint64_t wanted;
    char text[8];
    __asm__ volatile("sfence.vma\n\t"
                     "csrw satp, %1\n\t"
                     "csrr %0, satp\n\t"
                     "csrw satp, %2\n\t"
                     "sfence.vma"
                     : "=&r"(kept)
                     : "r"(probe), "r"(satp)
                     : "memory");
    max_asid = mmu_satp_asid(kept);
    if (bootarg_find("asids", text, sizeof(text)) && bootarg_parse_number(text, &wanted)) {
        max_asid = (uint16_t)min_u64(max_asid, wanted);
    }
}
