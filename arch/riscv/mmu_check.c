/* SPDX-License-Identifier: MIT */
/*
 * Proof by inspection: a walk over everything that the kernel's table maps.
 *
 * Rules: reads only; boot core at boot, or a test while no kernel stack is being made.
 */
#include "arch/mmu.h"

#include "arch/layout.h"
#include "arch/riscv/mmu_priv.h"
#include "kernel/abi/limits.h"

/* Sv39 addresses have bits 63..39 equal to bit 38. */
#define SIGN_BITS 0xffffff8000000000UL

static const char *check_leaf(vaddr_t va, pte_t entry)
{
    if ((entry & PTE_WRITE) != 0 && (entry & PTE_EXECUTE) != 0) {
        return "a page is writable and executable";
    }
    if ((entry & PTE_USER) != 0) {
        return "a user page is in the kernel's half";
    }
    if ((entry & PTE_GLOBAL) == 0) {
        return "a kernel page is not global";
    }
    if (va >= KSTACK_BASE && va < KSTACK_BASE + KSTACK_AREA_BYTES &&
        va % KSTACK_SLOT_BYTES < KSTACK_GUARD_BYTES) {
        return "the guard below a kernel stack is mapped";
    }
    if ((entry & PTE_EXECUTE) != 0 && (va < (vaddr_t)__text_start || va >= (vaddr_t)__text_end)) {
        return "a page outside the kernel's text is executable";
    }
    return NULL;
}

static const char *check_table(const pte_t *table, vaddr_t base, unsigned level)
{
    unsigned first = level == MMU_ROOT_LEVEL ? MMU_TABLE_ENTRIES / 2 : 0;
    for (unsigned i = first; i < MMU_TABLE_ENTRIES; i++) {
        vaddr_t va = base + i * MMU_LEVEL_BYTES(level);
        pte_t entry = table[i];
        const char *wrong = NULL;
        if (pte_is_leaf(entry)) {
            wrong = check_leaf(va, entry);
        } else if ((entry & PTE_VALID) != 0) {
            wrong = check_table(direct_map(pte_address(entry)), va, level - 1);
        }
        if (wrong != NULL) {
            return wrong;
        }
    }
    return NULL;
}

const char *mmu_check_kernel_table(void)
{
    for (vaddr_t va = (vaddr_t)__boot_stack_guard; va < (vaddr_t)__boot_stack_bottom;
         va += PAGE_BYTES) {
        if (mmu_lookup(mmu_root, va, NULL) != 0) {
            return "the guard below the boot stack is mapped";
        }
    }
    for (const char *at = __kernel_start; at < __rodata_end; at += PAGE_BYTES) {
        if ((mmu_lookup(mmu_root, (vaddr_t)direct_map(kernel_image_paddr(at)), NULL) & PTE_WRITE) !=
            0) {
            return "the direct map can write the kernel's text";
        }
    }
    return check_table(mmu_root, SIGN_BITS, MMU_ROOT_LEVEL);
}
