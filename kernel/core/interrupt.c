/* SPDX-License-Identifier: MIT */
/*
 * What interrupts mean to the layers above the machine.
 */
#include "arch/core.h"
#include "arch/ipi.h"
#include "arch/upcall.h"
#include "kernel/base/atomic.h"
#include "kernel/core/panic.h"
#include "kernel/sync/epoch.h"
#include "mm/drain.h"
#include "sched/sched.h"

void upcall_timer(void)
{
    sched_handle_timer();
}

void upcall_ipi(uint32_t reasons)
{
    if ((reasons & IPI_STOP) != 0) {
        panic_stop_if_requested();
    }
    if ((reasons & IPI_EPOCH) != 0) {
        epoch_acknowledge();
    }
    if ((reasons & IPI_DRAIN) != 0) {
        drain_handle_ipi();
    }
    if ((reasons & IPI_RESCHEDULE) != 0) {
        struct core *core = core_current();

        sched_look_again();
        /* relaxed: exit work reads the flags again with acquire */
        if (atomic_load_relaxed(&core->current->flags) != 0) {
            core->work |= WORK_THREAD;
        }
    }
}
