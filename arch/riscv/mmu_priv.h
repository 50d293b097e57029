/* SPDX-License-Identifier: MIT */
/*
 * Between the page table code and the building of the kernel's tables.
 *
 * Rules: boot core only.
 */
#pragma once

#include "arch/mmu.h"

/* Leaves the boot page table for good; finds out how many ASID bits the hart keeps. */
void mmu_switch_first(uint64_t satp);

/*
 * Maps [va, va + bytes) to [pa, ...) in the kernel's table with the largest leaves that fit. All
 * page-aligned. An address that is mapped already, or no table page left, is a bug.
 */
void mmu_map_kernel_range(vaddr_t va, paddr_t pa, uint64_t bytes, unsigned protection);

/* The static kernel root; its upper half is what every address space shares. */
extern pte_t mmu_root[MMU_TABLE_ENTRIES];

/* True once the final table is in use. */
bool mmu_is_final(void);
