/* SPDX-License-Identifier: MIT */
/*
 * Grace periods by interrupt.
 *
 * Problem: the call fast path reads handle tables and ports that another core may be freeing, and
 * it cannot afford to announce itself. Choice: its read sections have interrupts off, so a core
 * that takes an interrupt has left every section it was in. The writer pays instead: it asks each
 * other core for one interrupt and waits for the answers. Freeing is rare and batched.
 *
 * Protocol: `epoch_wanted` rises by one for each grace period; a core answers by copying the value
 * it sees into its epoch_seen. The writer's unlink comes before the rise (the IPI orders both), the
 * core's earlier reads come before its answer (release), so once all answers are in, no section
 * that began before the unlink is left. A core that is not online runs no section.
 */
#include "kernel/sync/epoch.h"

#include "arch/core.h"
#include "arch/ipi.h"
#include "arch/irq.h"
#include "kernel/base/atomic.h"
#include "kernel/sync/spinlock.h"

static uint64_t epoch_wanted;

static struct spinlock epoch_lock = SPINLOCK_INIT("epoch"); /* guards the list; innermost */
static struct epoch_callback *epoch_list GUARDED_BY(epoch_lock);
static void (*epoch_notify)(void);

void epoch_acknowledge(void)
{
    /* acquire: see the writer's unlink from here on; pairs with the acq_rel add in
     * epoch_synchronize */
    uint64_t wanted = atomic_load_acquire(&epoch_wanted);

    /* release: our earlier reads are done; pairs with the acquire load in epoch_wait_for */
    atomic_store_release(&core_current()->epoch_seen, wanted);
}

static void epoch_wait_for(struct core *core, uint64_t epoch)
{
    /* acquire: the core's reads come before our frees; pairs with epoch_acknowledge */
    while (atomic_load_acquire(&core->epoch_seen) < epoch) {
        arch_relax();
    }
}

void epoch_synchronize(void)
{
    /* acq_rel: the unlink is visible before the rise; pairs with epoch_acknowledge */
    uint64_t epoch = atomic_add_acq_rel(&epoch_wanted, 1) + 1;
    bool asked[MAX_CORES] = {false}; /* one that comes online later has no old section */

    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        /* acquire: a core that is online is ready for interrupts; pairs with sched_run_core */
        if (cpu != core_index() && atomic_load_acquire(&cores[cpu].online) != 0) {
            ipi_request(cpu, IPI_EPOCH);
            asked[cpu] = true;
        }
    }
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        if (asked[cpu]) {
            epoch_wait_for(&cores[cpu], epoch);
        }
    }
}

void epoch_defer(struct epoch_callback *callback, void (*function)(struct epoch_callback *))
{
    callback->function = function;

    uint64_t state = spin_lock_save(&epoch_lock);
    callback->next = epoch_list;
    epoch_list = callback;
    spin_unlock_restore(&epoch_lock, state);

    if (epoch_notify != NULL) {
        epoch_notify();
    }
}

unsigned epoch_drain(void)
{
    unsigned count = 0;
    uint64_t state = spin_lock_save(&epoch_lock);
    struct epoch_callback *callback = epoch_list;
    epoch_list = NULL;
    spin_unlock_restore(&epoch_lock, state);

    if (callback == NULL) {
        return 0;
    }
    epoch_synchronize();
    while (callback != NULL) {
        struct epoch_callback *next = callback->next;

        callback->function(callback);
        callback = next;
        count++;
    }
    return count;
}

void epoch_set_notify(void (*notify)(void))
{
    epoch_notify = notify;
}
