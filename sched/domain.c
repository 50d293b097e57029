/* SPDX-License-Identifier: MIT */
/*
 * The life of a domain: made, killed, torn down by the reaper when it is quiet.
 */
#include "sched/domain.h"

#include <string.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/print.h"
#include "mm/spmalloc.h"
#include "sched/reaper.h"
#include "sched/runqueue_priv.h"
#include "sched/sched.h"
#include "sched/upcall.h"

struct domain kernel_domain;

static struct long_list all_domains = LONG_LIST_INIT(all_domains, "all domains");
static uint32_t domain_last_id;

static void *domain_allocate(void *owner, size_t bytes)
{
    struct domain *domain = owner;

    return spmalloc(domain->account, bytes);
}

static void domain_release(void *owner, void *memory, size_t bytes)
{
    (void)owner;
    (void)bytes;
    spmalloc_free(memory);
}

/* Nobody knows it any more, so nothing of its account may be in use. The reaper's thread. */
void domain_reclaim(struct domain *domain)
{
    uint64_t objects = account_finish(domain->account);

    if (objects != 0) {
        print("domain %u (%s) left %lu objects behind\n", domain->id, domain->name, objects);
    }
    spmalloc_free(domain);
}

/* Any context, so the account's end, which waits for other cores, is the reaper's. */
static void domain_destroy(struct object *object)
{
    struct domain *domain = container_of(object, struct domain, object);

    BUG_ON(domain->state != DOMAIN_DEAD);
    reaper_add_unused(domain);
}

static status_t domain_prepare(struct domain *domain, const char *name, uint64_t limit_pages)
{
    object_init(&domain->object, OBJECT_DOMAIN, domain_destroy);
    account_init(&domain->own_account, limit_pages);
    domain->account = domain == &kernel_domain ? &kernel_account : &domain->own_account;
    spin_lock_init(&domain->lock, "domain");
    list_init(&domain->threads);
    list_init(&domain->ports);
    list_init(&domain->notifications);
    long_list_link_init(&domain->all_link);
    list_init(&domain->reap_link);
    wait_queue_init(&domain->ended_queue);
    strlcpy(domain->name, name, sizeof(domain->name));
    domain->state = DOMAIN_ALIVE;
    /* relaxed: only the number matters */
    domain->id = atomic_add_relaxed(&domain_last_id, 1);
    return handle_table_init(&domain->handles, domain, domain_allocate, domain_release);
}

status_t domain_init_kernel(void)
{
    status_t status = domain_prepare(&kernel_domain, "kernel", ACCOUNT_UNLIMITED);

    strlcpy(kernel_domain.may_register, "*", sizeof(kernel_domain.may_register));
    if (status == OK) {
        long_list_add(&all_domains, &kernel_domain.all_link);
    }
    return status;
}

status_t domain_create(const char *name, uint64_t memory_limit, struct domain **out)
{
    struct domain *domain = spmalloc_zeroed(&kernel_account, sizeof(*domain));
    uint64_t limit = memory_limit == 0 ? ACCOUNT_UNLIMITED : memory_limit / PAGE_BYTES;

    if (domain == NULL) {
        return ERR_NO_MEMORY;
    }
    status_t status = domain_prepare(domain, name, limit);
    if (status == OK) {
        status = vspace_create(domain->account, &domain->vspace);
        if (status != OK) {
            handle_table_destroy(&domain->handles);
        }
    }
    if (status != OK) { /* its account may have heaps already */
        domain->state = DOMAIN_DEAD;
        object_release(&domain->object);
        return status;
    }
    object_retain(&domain->object); /* the living domain's own; the reaper releases it */
    long_list_add(&all_domains, &domain->all_link);
    *out = domain;
    return OK;
}

bool domain_is_dying(const struct domain *domain)
{
    /* acquire: who sees the end sees what led to it; pairs with the release in domain_kill */
    return atomic_load_acquire(&domain->state) != DOMAIN_ALIVE;
}

void domain_kill(struct domain *domain, long exit_code)
{
    BUG_ON(domain == &kernel_domain);
    uint64_t state = spin_lock_save(&domain->lock);

    if (domain->state != DOMAIN_ALIVE) {
        spin_unlock_restore(&domain->lock, state);
        return;
    }
    domain->exit_code = exit_code;
    /* release: the exit code is there; pairs with the acquire in domain_is_dying */
    atomic_store_release(&domain->state, DOMAIN_DYING);
    for (struct list *link = list_first(&domain->threads); link != NULL;
         link = list_next(&domain->threads, link)) {
        thread_raise(container_of(link, struct thread, domain_link), THREAD_KILL);
    }
    spin_unlock_restore(&domain->lock, state);

    upcall_domain_closing(domain);
    reaper_add_domain(domain);
}

void domain_announce_end(struct domain *domain)
{
    uint64_t state = spin_lock_save(&domain->ended_queue.lock);

    domain->ended = true;
    spin_unlock_restore(&domain->ended_queue.lock, state);
    wait_queue_wake_all(&domain->ended_queue);
}

/* Everything in it has stopped: give its memory back. The reaper's thread. */
void domain_finish(struct domain *domain)
{
    long_list_remove(&all_domains, &domain->all_link);
    handle_table_destroy(&domain->handles);
    vspace_destroy(domain->vspace);
    domain->vspace = NULL;
    account_close(domain->account);
    account_settle(domain->account);
    if (account_pages(domain->account) != 0) {
        /* Ports that only its own handles kept; what others hold stays charged to it. */
        epoch_drain();
        account_settle(domain->account);
    }

    /* release: all is gone; pairs with the acquire in domain_is_dying */
    atomic_store_release(&domain->state, (uint32_t)DOMAIN_DEAD);
    domain_announce_end(domain);
    object_release(&domain->object);
}

static bool domain_has_ended(void *argument)
{
    return ((struct domain *)argument)->ended;
}

status_t domain_join(struct domain *domain, nsec_t deadline, long *code)
{
    status_t status = wait_queue_wait(&domain->ended_queue, deadline, domain_has_ended, domain);

    if (status == OK) {
        *code = domain->exit_code;
    }
    return status;
}

void domain_keep(struct domain *domain)
{
    uint64_t state = spin_lock_save(&domain->lock);

    domain->orphan_count++;
    spin_unlock_restore(&domain->lock, state);
}

void domain_let_go(struct domain *domain)
{
    uint64_t state = spin_lock_save(&domain->lock);

    domain->orphan_count--;
    spin_unlock_restore(&domain->lock, state); /* nothing of it is read after this */
    reaper_notify();
}

struct domain_visit {
    bool (*visit)(struct domain *domain, void *argument);
    void *argument;
};

static bool visit_one(struct long_list_link *link, void *argument)
{
    const struct domain_visit *how = argument;

    return how->visit(container_of(link, struct domain, all_link), how->argument);
}

void domain_visit_all(bool (*visit)(struct domain *domain, void *argument), void *argument)
{
    struct domain_visit how = {visit, argument};

    long_list_visit(&all_domains, visit_one, &how);
}

struct domain_search {
    uint32_t id;
    struct domain *found;
};

static bool domain_matches(struct domain *domain, void *argument)
{
    struct domain_search *search = argument;

    if (domain->id == search->id && object_retain_try(&domain->object)) {
        search->found = domain;
        return false;
    }
    return true;
}

status_t domain_find(uint32_t id, struct domain **out)
{
    struct domain_search search = {.id = id, .found = NULL};

    domain_visit_all(domain_matches, &search);
    if (search.found == NULL) {
        return ERR_NOT_FOUND;
    }
    *out = search.found;
    return OK;
}
