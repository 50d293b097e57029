/* SPDX-License-Identifier: MIT */
#include "arch/core.h"
#include "arch/platform.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "services/monitor/monitor_priv.h"

/* Number of the thread that runs on a core, 0 when it is idle. The thread may end meanwhile: its
 * block lies on a kernel stack, which stays mapped, so the number can be stale but the read
 * cannot fault. */
static uint64_t running_thread(const struct core *core)
{
    /* Relaxed: nothing is ordered by a snapshot. */
    const struct thread *thread = atomic_load_relaxed(&core->current);

    if (thread == NULL || atomic_load_relaxed(&core->idle_since) != 0) {
        return 0;
    }
    return atomic_load_relaxed(&thread->id);
}

status_t monitor_fill_core(uint64_t index, struct monitor_core *row)
{
    const struct core *core;

    if (index >= platform.core_count) {
        return ERR_NOT_FOUND;
    }
    core = &cores[index];
    row->hart_id = platform.hart_id[index];
    row->thread_id = running_thread(core);
    row->ready = sched_ready_count((cpu_t)index);
    /* Relaxed: counters that only their own core writes. */
    row->switches = atomic_load_relaxed(&core->switches);
    row->idles = atomic_load_relaxed(&core->idles);
    row->interrupts = atomic_load_relaxed(&core->interrupts);
    row->queue_operations = sched_queue_operations((cpu_t)index);
    row->core = (uint32_t)index;
    row->numa_node = platform.numa_node[index];
    return OK;
}
