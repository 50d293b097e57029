/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "mm/spmalloc_survey.h"
#include "sched/domain.h"
#include "services/monitor/monitor_priv.h"

_Static_assert(DOMAIN_NAME_BYTES == MAX_PROGRAM_NAME_BYTES, "the row holds the whole name");

struct pick {
    uint64_t left;
    struct domain *found;
};

static bool pick_domain(struct domain *domain, void *argument)
{
    struct pick *pick = argument;

    if (pick->left > 0) {
        pick->left--;
        return true;
    }
    if (!object_retain_try(&domain->object)) {
        return true;
    }
    pick->found = domain;
    return false;
}

static void count_members(struct domain *domain, struct monitor_domain *row)
{
    uint64_t irq = spin_lock_save(&domain->lock);

    row->threads = domain->thread_count;
    row->ports = domain->port_count;
    spin_unlock_restore(&domain->lock, irq);
}

/* The domain with that index, with a reference, or NULL. */
static struct domain *find_domain(uint64_t index)
{
    struct pick pick = {.left = index};

    domain_visit_all(pick_domain, &pick);
    return pick.found;
}

status_t monitor_fill_account(uint64_t index, struct monitor_account *row)
{
    struct domain *domain = find_domain(index);

    if (domain == NULL) {
        return ERR_NOT_FOUND;
    }
    row->version = MONITOR_ROW_VERSION;
    row->domain_id = domain->id;
    row->pages = account_pages(domain->account);
    row->page_limit = domain->account->limit;
    row->objects = spmalloc_survey_account(domain->account);
    memcpy(row->name, domain->name, sizeof(row->name) - 1);
    object_release(&domain->object);
    return OK;
}

status_t monitor_fill_domain(uint64_t index, struct monitor_domain *row)
{
    struct domain *domain = find_domain(index);

    if (domain == NULL) {
        return ERR_NOT_FOUND;
    }
    row->id = domain->id;
    count_members(domain, row);
    row->handles = handle_count(&domain->handles);
    row->pages = account_pages(domain->account);
    row->page_limit = domain->account->limit;
    memcpy(row->name, domain->name, sizeof(row->name) - 1);
    object_release(&domain->object);
    return OK;
}
