/* SPDX-License-Identifier: MIT */
/* What the sources under the model checker need of arch/. */

#include "tests/relacy/machine.h"

#include "arch/core.h"
#include "arch/ipi.h"
#include "arch/irq.h"
#include "kernel/base/atomic.h"
#include "tests/relacy/model.h"

struct core cores[MAX_CORES];
_Thread_local struct core *host_core;
_Thread_local bool host_irq_enabled;

static uint32_t pending[MACHINE_CORES];
static void (*relax)(void);

void machine_set_up(void (*on_relax)(void))
{
    relax = on_relax;
    host_core = &cores[0];
    for (unsigned i = 0; i < MACHINE_CORES; i++) {
        cores[i].cpu = i;
        pending[i] = 0;
    }
}

void machine_resume(unsigned self)
{
    host_core = &cores[self];
}

/* ipi_request and trap_handle_ipi with their orders: arch/riscv/core.c, arch/riscv/trap.c. */
void ipi_request(cpu_t cpu, uint32_t reasons)
{
    /* release: what the request is about; pairs with the swap in machine_take_interrupt */
    (void)atomic_or_release(&pending[cpu], reasons);
}

void machine_take_interrupt(void (*handler)(void))
{
    /* acq_rel: see what the request is about; pairs with the or in ipi_request */
    if (atomic_swap_acq_rel(&pending[core_index()], 0U) != 0) {
        handler();
    }
}

void arch_relax(void)
{
    if (relax != NULL) {
        relax();
    }
    model_yield();
}
