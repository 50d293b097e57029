/* SPDX-License-Identifier: MIT */
/*
 * Memory accounts: one word, changed by compare-and-swap so that the limit holds exactly.
 */
#include "mm/account.h"

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/spmalloc_priv.h"

struct account kernel_account = {.limit = ACCOUNT_UNLIMITED};

void account_init(struct account *account, uint64_t limit_pages)
{
    account->pages = 0;
    account->limit = limit_pages;
    account->ended = 0;
    account->no_heap = &heap_none;
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        account->heap[cpu] = &heap_none;
    }
}

status_t account_charge_pages(struct account *account, uint64_t pages)
{
    /* relaxed, here and below: the numbers order no other data */
    uint64_t now = atomic_load_relaxed(&account->pages);

    do {
        uint64_t limit = atomic_load_relaxed(&account->limit);

        if (now > limit || pages > limit - now) { /* above it only when it was closed */
            return ERR_NO_MEMORY;
        }
    } while (!atomic_cas_relaxed(&account->pages, &now, now + pages));
    return OK;
}

void account_charge_pages_always(struct account *account, uint64_t pages)
{
    (void)atomic_add_relaxed(&account->pages, pages);
}

void account_uncharge_pages(struct account *account, uint64_t pages)
{
    uint64_t before = atomic_sub_relaxed(&account->pages, pages);

    BUG_ON(before < pages);
}

uint64_t account_pages(const struct account *account)
{
    return atomic_load_relaxed(&account->pages);
}

void account_close(struct account *account)
{
    /* relaxed: who charges at this moment may still succeed */
    atomic_store_relaxed(&account->limit, 0);
}

bool account_has_ended(const struct account *account)
{
    /* relaxed: drain_all, which comes after the store, orders it */
    return atomic_load_relaxed(&account->ended) != 0;
}
