/* SPDX-License-Identifier: MIT */
/*
 * Memory accounts: one word, changed by compare-and-swap so that the limit holds exactly.
 */
#include "mm/account.h"

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"

struct account kernel_account = {.limit = ACCOUNT_UNLIMITED};

void account_init(struct account *account, uint64_t limit_pages)
{
    *account = (struct account){.limit = limit_pages};
}

status_t account_charge_pages(struct account *account, uint64_t pages)
{
    /* relaxed, here and below: the number orders no other data */
    uint64_t now = atomic_load_relaxed(&account->pages);

    do {
        if (pages > account->limit - now) { /* now <= limit always */
            return ERR_NO_MEMORY;
        }
    } while (!atomic_cas_relaxed(&account->pages, &now, now + pages));
    return OK;
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
