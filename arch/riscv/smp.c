/* SPDX-License-Identifier: MIT */
/*
 * Starting harts (SBI HSM), interrupting them (SBI IPI), flushing their TLBs (SBI RFENCE).
 *
 * Rules: as in arch/smp.h. `started` is written by the boot core before the others could look.
 */
#include "arch/smp.h"

#include "arch/core.h"
#include "arch/irq.h"
#include "arch/layout.h"
#include "arch/mmu.h"
#include "arch/platform.h"
#include "arch/riscv/sbi_priv.h"
#include "arch/riscv/smp_priv.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"

/* Beyond this many pages one full flush is cheaper than single ones. */
#define TLB_SINGLE_PAGES 64
#define STOP_POLLS 1000000

struct smp_start smp_starts[MAX_CORES];
static uint32_t started[MAX_CORES];

/* A hart that handed over with bootcpu= may still be on its way down. */
static void wait_until_stopped(hart_id_t hart)
{
    for (unsigned i = 0; i < STOP_POLLS && sbi_hart_status(hart) == SBI_HART_STOP_PENDING; i++) {
        arch_relax();
    }
}

static bool start_one(cpu_t cpu, void (*entry)(void))
{
    hart_id_t hart = platform.hart_id[cpu];
    char how[8];
    /* harts=late starts them where only the first hart belongs, as OpenSBI 1.1 sometimes does by
     * itself (late_start in entry.S): for the tests. */
    bool late = bootarg_find("harts", how, sizeof(how)) && how[0] == 'l';
    smp_starts[cpu] = (struct smp_start){
        .satp = mmu_kernel_satp(),
        .stack = cores[cpu].boot_sp,
        .core = (vaddr_t)&cores[cpu],
        .entry = (vaddr_t)entry,
        .hart_id = hart,
    };
    /* release: the record before its mark; pairs with the fence in late_start */
    atomic_store_release(&smp_starts[cpu].valid, 1UL);
    /* full: what the new hart reads with its first instructions must be in memory before the
     * firmware call; pairs with the start of secondary_start */
    fence_seq_cst();
    wait_until_stopped(hart);
    long error = sbi_hart_start(
        hart, kernel_image_paddr(late ? (const void *)&_start : (const void *)&secondary_start),
        late ? 0 : kernel_image_paddr(&smp_starts[cpu]));
    if (error != SBI_OK) {
        boot_note("hart %lu does not start: firmware error %ld; going on without it", hart, error);
        return false;
    }
    /* relaxed: only says that the firmware will take an IPI for this hart */
    atomic_store_relaxed(&started[cpu], 1);
    return true;
}

cpu_t smp_start_others(void (*entry)(void))
{
    cpu_t count = 0;
    atomic_store_relaxed(&started[core_index()], 1);
    for (cpu_t cpu = 0; cpu < platform.core_count; cpu++) {
        if (cpu != core_index() && start_one(cpu, entry)) {
            count++;
        }
    }
    return count;
}

void ipi_send(cpu_t cpu)
{
    ASSERT(cpu < platform.core_count);
    /* full: the firmware's I/O write must not pass our stores (the reason of the IPI);
     * pairs with the fence in ipi_clear() on the target */
    __asm__ volatile("fence rw, iorw" ::: "memory");
    sbi_send_ipi(1, platform.hart_id[cpu]);
}

void ipi_broadcast_others(void)
{
    cpu_t self = core_index();
    for (cpu_t cpu = 0; cpu < platform.core_count; cpu++) {
        if (cpu != self && atomic_load_relaxed(&started[cpu]) != 0) {
            ipi_send(cpu);
        }
    }
}

void ipi_clear(void)
{
    __asm__ volatile("csrci sip, 2" ::: "memory"); /* SSIP */
    /* full: look for the reason only after the clear; pairs with the fence in ipi_send() */
    fence_seq_cst();
}

void tlb_flush_local(vaddr_t va, uint64_t bytes, uint16_t asid)
{
    uint64_t space = asid;
    if (bytes > TLB_SINGLE_PAGES * PAGE_BYTES) {
        if (asid == TLB_EVERY_SPACE) {
            __asm__ volatile("sfence.vma" ::: "memory");
        } else {
            __asm__ volatile("sfence.vma zero, %0" ::"r"(space) : "memory");
        }
        return;
    }
    vaddr_t end = va + bytes;
    for (vaddr_t page = ALIGN_DOWN(va, PAGE_BYTES); page < end; page += PAGE_BYTES) {
        if (asid == TLB_EVERY_SPACE) {
            __asm__ volatile("sfence.vma %0, zero" ::"r"(page) : "memory");
        } else {
            __asm__ volatile("sfence.vma %0, %1" ::"r"(page), "r"(space) : "memory");
        }
    }
}

void tlb_flush_all_cores(vaddr_t va, uint64_t bytes, uint16_t asid)
{
    /* full: remote walkers must see the changed entries before they refill; pairs with the
     * fences that the firmware executes on every hart */
    fence_seq_cst();
    long error = sbi_remote_fence(va, bytes, asid);
    BUG_ON(error != SBI_OK);
    tlb_flush_local(va, bytes, asid); /* not all firmware counts the caller among "all" */
}

void icache_flush_all_cores(void)
{
    /* full: the new code must be in memory before anyone fetches it; pairs with the fence.i that
     * the firmware executes on every hart */
    fence_seq_cst();
    long error = sbi_remote_fence_i();
    BUG_ON(error != SBI_OK);
    __asm__ volatile("fence.i" ::: "memory");
}
