/* SPDX-License-Identifier: MIT */
/*
 * A pretended machine for the memory tests: physical memory in the test's own process, page
 * tables in it, and counted TLB flushes.
 *
 * Rules: machine_init first in each test; a test's process ends, and with it all of this.
 */
#pragma once

#include "kernel/base/types.h"

#define MACHINE_RAM_BASE 0x80000000UL
#define MACHINE_CORES 4U

/* Memory of `pages` pages at MACHINE_RAM_BASE, handed to mm/frame and mm/spmalloc. */
void machine_init(uint64_t pages);

/* Memory only: nothing is handed over. The calling thread is core 0. */
void machine_map_memory(uint64_t pages);

/* The calling thread is core `cpu` from now on; it must not be two cores' at once. */
void machine_be_core(cpu_t cpu);

/* Calls of tlb_flush_all_cores so far. */
extern unsigned machine_flushes;

/* What mmu_max_asid() answers; machine_init sets 3. */
extern uint16_t machine_max_asid;

/* Called by each flush, of one core or of all, when not NULL. */
extern void (*machine_on_flush)(vaddr_t address, uint64_t bytes, uint16_t asid);
