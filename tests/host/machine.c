/* SPDX-License-Identifier: MIT */
/* The pretended machine: arch/layout.h, arch/mmu.h and arch/smp.h for mm on the host. */

#include "tests/host/machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/core.h"
#include "arch/ipi.h"
#include "arch/irq.h"
#include "arch/layout.h"
#include "arch/mmu.h"
#include "arch/platform.h"
#include "arch/smp.h"
#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "kernel/sync/epoch.h"
#include "mm/drain.h"
#include "mm/frame.h"
#include "mm/nexus.h"
#include "mm/shootdown.h"
#include "mm/slab_priv.h"
#include "mm/spmalloc.h"

uint64_t host_direct_map_base;
uint64_t host_frame_window;
struct core cores[MAX_CORES];
_Thread_local bool host_irq_enabled = true;
struct platform platform;
_Thread_local struct core *host_core = &cores[0];
static _Thread_local bool is_core;
unsigned machine_flushes;
uint16_t machine_max_asid;
void (*machine_on_flush)(vaddr_t address, uint64_t bytes, uint16_t asid);

static void *memory; /* of the last machine */
static pte_t kernel_root[MMU_TABLE_ENTRIES];
static uint64_t loaded_satp[MAX_CORES];
static paddr_t (*table_source)(void);

void machine_map_memory(uint64_t pages)
{
    /* Aligned as the largest block is, so that alignment in the direct map can be tested. */
    size_t alignment = (size_t)PAGE_BYTES << FRAME_MAX_ORDER;
    size_t bytes = ALIGN_UP(pages * PAGE_BYTES, alignment);
    void *window = mmap(NULL, FRAME_WINDOW_BYTES, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    free(memory);
    memory = aligned_alloc(alignment, bytes);
    if (memory == NULL || window == MAP_FAILED) {
        abort();
    }
    memset(memory, 0xa5, bytes);
    host_direct_map_base = (uint64_t)(uintptr_t)memory - MACHINE_RAM_BASE;
    host_frame_window = (uint64_t)(uintptr_t)window;
}

/* The window's pages are memory of their own here; the records' place in the bank stays unused. */
void mmu_map_frame_window(vaddr_t va, paddr_t records, uint64_t bytes)
{
    (void)records;
    if (bytes > 0 && mprotect((void *)va, bytes, PROT_READ | PROT_WRITE) != 0) {
        abort();
    }
    memset((void *)va, FRAME_SLAB, bytes); /* whatever an earlier kernel left */
}

void machine_set_core(cpu_t cpu)
{
    cores[cpu].cpu = cpu;
    host_core = &cores[cpu];
}

void machine_leave_core(void)
{
    if (is_core) {
        drain_sleep();
    }
    is_core = false;
}

void machine_be_core(cpu_t cpu)
{
    machine_leave_core();
    machine_set_core(cpu);
    drain_wake();
    is_core = true;
}

uint64_t machine_free_pages(void)
{
    drain_all();
    return frame_free_pages();
}

static paddr_t alloc_table(void)
{
    return frame_alloc_zeroed(0);
}

void machine_init(uint64_t pages)
{
    const struct frame_range bank = {MACHINE_RAM_BASE, pages * PAGE_BYTES, 0};

    machine_map_memory(pages);
    frame_init_ranges(&bank, 1, NULL, 0);
    drain_init();
    nexus_init(MACHINE_CORES);
    spmalloc_init(MACHINE_CORES, 1);
    mmu_set_table_source(alloc_table);
    machine_max_asid = 3;
    platform.core_count = MACHINE_CORES;
    for (cpu_t cpu = 0; cpu < MACHINE_CORES; cpu++) { /* all but core 0 sleep in the end */
        cores[cpu].online = 1;
        machine_set_core(MACHINE_CORES - 1 - cpu);
        is_core = true;
        if (cpu != MACHINE_CORES - 1) {
            machine_leave_core();
        }
    }
}

/* The other core takes its interrupt at once, in the thread that asks; only a drain waits for the test. */
void ipi_request(cpu_t cpu, uint32_t reasons)
{
    struct core *self = host_core;

    self->ipis_sent++;
    /* relaxed: a mark for the test to look at */
    atomic_or_relaxed(&cores[cpu].ipi_reasons, reasons & ~(uint32_t)IPI_SHOOTDOWN);
    if ((reasons & IPI_SHOOTDOWN) != 0) {
        machine_set_core(cpu);
        shootdown_handle();
        host_core = self;
    }
}

static unsigned table_index(vaddr_t va, unsigned level)
{
    return (unsigned)(va >> (12 + 9 * level)) % MMU_TABLE_ENTRIES;
}

pte_t *mmu_walk(pte_t *root, vaddr_t va, unsigned level, paddr_t (*alloc)(void))
{
    pte_t *table = root;

    for (unsigned at = MMU_ROOT_LEVEL; at > level; at--) {
        pte_t *entry = &table[table_index(va, at)];

        if ((*entry & PTE_VALID) == 0) {
            paddr_t fresh = alloc == NULL ? 0 : alloc();

            if (fresh == 0) {
                return NULL;
            }
            *entry = pte_make_table(fresh);
        }
        table = direct_map(pte_address(*entry));
    }
    return &table[table_index(va, level)];
}

pte_t mmu_lookup(const pte_t *root, vaddr_t va, unsigned *level)
{
    union {
        const pte_t *in;
        pte_t *out;
    } table = {.in = root};
    const pte_t *entry = mmu_walk(table.out, va, 0, NULL);

    if (level != NULL) {
        *level = 0;
    }
    return entry != NULL && pte_is_leaf(*entry) ? *entry : 0;
}

uint64_t mmu_satp(paddr_t root, uint16_t asid)
{
    return 8UL << 60 | (uint64_t)asid << 44 | root >> 12;
}

void mmu_set_satp(uint64_t satp)
{
    loaded_satp[core_index()] = satp;
}

uint64_t mmu_loaded_satp(void)
{
    return loaded_satp[core_index()];
}

uint64_t mmu_kernel_satp(void)
{
    return 8UL << 60;
}

uint16_t mmu_max_asid(void)
{
    return machine_max_asid;
}

void mmu_copy_kernel_half(pte_t *user_root)
{
    user_root[MMU_TABLE_ENTRIES - 1] = PTE_VALID | PTE_GLOBAL | PTE_READ;
}

void mmu_set_table_source(paddr_t (*source)(void))
{
    table_source = source;
}

status_t mmu_map_kernel_page(vaddr_t va, paddr_t page, unsigned protection)
{
    pte_t *entry = mmu_walk(kernel_root, va, 0, table_source);

    if (entry == NULL) {
        return ERR_NO_MEMORY;
    }
    *entry = pte_make_kernel(page, protection);
    return OK;
}

void tlb_flush_all_cores(vaddr_t va, uint64_t bytes, uint16_t asid)
{
    if (machine_on_flush != NULL) {
        machine_on_flush(va, bytes, asid);
    }
    machine_flushes++;
}

void icache_flush_all_cores(void)
{
}

void tlb_flush_local(vaddr_t va, uint64_t bytes, uint16_t asid)
{
    if (machine_on_flush != NULL) {
        machine_on_flush(va, bytes, asid);
    }
}

#ifdef __SANITIZE_THREAD__
/* To the thread sanitizer, who frees an object of a slab writes to all of it: so what others may still do
 * with it is a race, also if nobody has the memory again so soon. */
void __tsan_write_range(void *start, long bytes);
void __real_spmalloc_free_object(void *object);
void __wrap_spmalloc_free_object(void *object);

void __wrap_spmalloc_free_object(void *object)
{
    const struct frame *frame = frame_of_pointer(object);

    if (slab_state(frame) != FRAME_LARGE) {
        __tsan_write_range(object, frame->object_bytes);
    }
    __real_spmalloc_free_object(object);
}
#endif

/* Nobody here reads handle tables without their lock. */
void epoch_defer(struct epoch_callback *callback, void (*function)(struct epoch_callback *))
{
    function(callback);
}
