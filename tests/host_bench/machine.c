/* SPDX-License-Identifier: MIT */
/* What mm needs of arch/ and of the harness, for the benchmark on the host. */

#include "tests/host_bench/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "arch/core.h"
#include "arch/ipi.h"
#include "arch/layout.h"
#include "arch/mmu.h"
#include "arch/platform.h"
#include "kernel/base/assert.h"
#include "kernel/base/symbol.h"
#include "mm/drain.h"
#include "mm/frame.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"

#define RAM_BASE 0x80000000UL
#define RAM_BYTES (64UL << 20)

#define CORES 2U

struct core cores[MAX_CORES];
struct platform platform;
_Thread_local struct core *host_core = &cores[0];
_Thread_local bool host_irq_enabled = true;

/* No names of functions: what reports an error does without. */
const struct symbol_table symbol_kernel_table;

void assert_fail(const char *expression, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: %s\n", file, line, expression);
    abort();
}

static void map_at(vaddr_t va, uint64_t bytes)
{
    void *place = mmap((void *)va, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if (place != (void *)va) {
        perror("mmap");
        abort();
    }
}

void mmu_map_frame_window(vaddr_t va, paddr_t records, uint64_t bytes)
{
    (void)records;
    if (bytes > 0) {
        map_at(va, bytes);
    }
}

/* Both cores run and look at their inboxes when they run out of objects. */
void ipi_request(cpu_t cpu, uint32_t reasons)
{
    (void)cpu;
    (void)reasons;
}

void bench_machine_init(void)
{
    const struct frame_range bank = {RAM_BASE, RAM_BYTES, 0};

    map_at(DIRECT_MAP_BASE + RAM_BASE, RAM_BYTES);
    frame_init_ranges(&bank, 1, NULL, 0);
    drain_init();
    nexus_init(CORES);
    spmalloc_init(CORES, 1);
}

void bench_machine_be_core(cpu_t cpu)
{
    cores[cpu].cpu = cpu;
    host_core = &cores[cpu];
}
