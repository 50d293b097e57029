/* SPDX-License-Identifier: MIT */
/* Stub until mm/drain comes. */
#include "mm/drain.h"

#include "arch/core.h"
#include "mm/spmalloc.h"

void drain_all(void)
{
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        if (cores[cpu].heaps != NULL) {
            spmalloc_flush_core(cpu);
        }
    }
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        if (cores[cpu].heaps != NULL) {
            spmalloc_collect_core(cpu);
            spmalloc_trim_core(cpu);
        }
    }
}
