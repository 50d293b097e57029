/* SPDX-License-Identifier: MIT */
/*
 * The other cores: starting them, interrupting them, flushing their TLBs.
 *
 * Rules: cpu is the dense index of arch/platform.h. Nothing here blocks or allocates. An IPI
 * that is sent before the target has started is lost.
 */
#pragma once

#include "kernel/abi/limits.h"
#include "kernel/base/types.h"

/*
 * Starts every core but the caller's, all at once, and does not wait for them: core k runs
 * entry() with the kernel's page table, tp = &cores[k], sp = cores[k].boot_sp, interrupts off
 * and sie 0. The caller has filled in cores[]. entry() does not return. Returns how many were
 * started; for one that the firmware refuses a line is printed and the machine goes on without.
 */
cpu_t smp_start_others(void (*entry)(void));

/*
 * Sends a bare IPI to `cpu` (itself is allowed); ipi_request() of arch/ipi.h adds the reason. All
 * stores before it are visible to the handler.
 */
void ipi_send(cpu_t cpu);

/* Sends an IPI to every other core that was started. */
void ipi_broadcast_others(void);

/* Clears the calling core's pending IPI; the handler does so before it looks for work, or a later
 * one is lost. */
void ipi_clear(void);

#define TLB_EVERY_SPACE 0

/*
 * Drops translations of [va, va + bytes) on all running cores, the caller included, and returns
 * when that is done. asid TLB_EVERY_SPACE: in all address spaces and the kernel's global ones.
 * bytes ~0: everything. The page table was changed before. Interrupts may be off.
 */
void tlb_flush_all_cores(vaddr_t va, uint64_t bytes, uint16_t asid);

/* The same on the calling core only. */
void tlb_flush_local(vaddr_t va, uint64_t bytes, uint16_t asid);

/* The same for one page of users, which is not global; asid 0 on a machine that has no others. */
static inline void tlb_flush_local_page(vaddr_t page, uint16_t asid)
{
#ifdef __riscv
    __asm__ volatile("sfence.vma %0, %1" ::"r"(page), "r"((uint64_t)asid) : "memory");
#else
    tlb_flush_local(page, PAGE_BYTES, asid);
#endif
}

/* Makes code that was written before the call executable on all running cores: whoever fetches
 * after the return sees it. RISC-V unprivileged specification, chapter "Zifencei". */
void icache_flush_all_cores(void);
