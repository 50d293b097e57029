/* SPDX-License-Identifier: MIT */
/*
 * The end of an account: everything comes home, and what does not is named.
 */
#include "arch/core.h"
#include "kernel/base/atomic.h"
#include "kernel/base/print.h"
#include "mm/drain.h"
#include "mm/spmalloc_priv.h"

/* What ended accounts left behind. It has ended from the start, so its heaps go once empty. */
static struct account orphans = {.limit = ACCOUNT_UNLIMITED, .ended = 1};

static bool has_heap(cpu_t cpu, const void *argument)
{
    const struct account *account = argument;

    /* acquire: the core is done with it; pairs with heap_end */
    return atomic_load_acquire(&account->heap[cpu]) != &heap_none;
}

static bool has_heaps(const struct account *account)
{
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        if (has_heap(cpu, account)) {
            return true;
        }
    }
    return false;
}

void account_settle(struct account *account)
{
    /* relaxed: the requests of mm/drain order it before each core's look */
    atomic_store_relaxed(&account->ended, 1);
    if (!has_heaps(account)) {
        return;
    }
    drain_core(core_index()); /* first, since it sends what this thread freed */
    drain_cores(has_heap, account);
    if (has_heaps(account)) {
        drain_all();
    }
}

uint64_t account_finish(struct account *account)
{
    uint64_t objects = 0;

    account_settle(account);
    if (has_heaps(account) || account_pages(account) != 0) {
        objects = spmalloc_report_leftover(account, &orphans);
        print("spmalloc: an account ended with %lu pages still charged, %lu objects in use\n",
              account_pages(account), objects);
    }
    return objects;
}
