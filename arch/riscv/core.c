/* SPDX-License-Identifier: MIT */
/*
 * The per-core blocks, and interrupts from core to core with a reason.
 */
#include "arch/core.h"

#include "arch/ipi.h"
#include "arch/irq.h"
#include "arch/smp.h"
#include "kernel/base/atomic.h"

/* sip: timer and external interrupts. */
#define SIP_OTHERS (1UL << 5 | 1UL << 9)

struct core cores[MAX_CORES];

void ipi_request(cpu_t cpu, uint32_t reasons)
{
    struct core *target = &cores[cpu];
    /* Between the two steps others rely on our interrupt: nobody may preempt us there. */
    uint64_t state = irq_save();

    /* release: what the reason is about was written before; pairs with the swap in
     * trap_handle_ipi on the target */
    uint32_t before = atomic_or_release(&target->ipi_reasons, reasons);

    /* With a bit already set, its interrupt is on the way and the target has not swapped yet:
     * it will see ours in the same swap. */
    if (before == 0) {
        ipi_send(cpu);
        /* relaxed: a statistic */
        atomic_add_relaxed(&core_current()->ipis_sent, 1);
    }
    irq_restore(state);
}

void ipi_poll_begin(void)
{
    __asm__ volatile("csrsi sip, 2" ::: "memory"); /* SSIP */
}

bool ipi_poll(void)
{
    uint64_t pending;

    __asm__ volatile("wfi\n\tcsrr %0, sip" : "=r"(pending)::"memory");
    /* relaxed: a hint; ipi_poll_end looks again */
    return (pending & SIP_OTHERS) != 0 || atomic_load_relaxed(&core_current()->ipi_reasons) != 0;
}

void ipi_poll_end(void)
{
    ipi_clear();
    /* relaxed: ordered by the fence in ipi_clear. Whose interrupt that took away has set its reason before. */
    if (atomic_load_relaxed(&core_current()->ipi_reasons) != 0) {
        ipi_poll_begin();
    }
}
