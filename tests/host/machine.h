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
#define MACHINE_CORES 8U

/* Memory of `pages` pages at MACHINE_RAM_BASE, handed to mm/frame, mm/nexus and mm/spmalloc, and
 * MACHINE_CORES cores: the calling thread is core 0, the others sleep. */
void machine_init(uint64_t pages);

/* Memory only: nothing is handed over. The calling thread is core 0. */
void machine_map_memory(uint64_t pages);

/* The calling thread lets the core sleep that it is, if any; and wakes another one up. */
void machine_leave_core(void);
void machine_be_core(cpu_t cpu);

/* Only what core_index() says, for tests without machine_init. */
void machine_set_core(cpu_t cpu);

/* frame_free_pages() after all cores that sleep, and this one, were drained. */
uint64_t machine_free_pages(void);

/* Calls of tlb_flush_all_cores so far. */
extern unsigned machine_flushes;

/* What mmu_max_asid() answers; machine_init sets 3. */
extern uint16_t machine_max_asid;

/* Called by each flush when not NULL, before it counts. */
extern void (*machine_on_flush)(vaddr_t address, uint64_t bytes, uint16_t asid);
