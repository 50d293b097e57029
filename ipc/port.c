/* SPDX-License-Identifier: MIT */
/*
 * The life of a port: made, listed, closed, retired, freed after a grace period.
 */
#include "ipc/port.h"

#include <string.h>

#include "arch/irq.h"
#include "arch/mmu.h"
#include "ipc/baton.h"
#include "ipc/interrupt.h"
#include "ipc/line.h"
#include "ipc/mailbox.h"
#include "ipc/name.h"
#include "ipc/port_event.h"
#include "ipc/port_priv.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/asid.h"
#include "mm/spmalloc.h"
#include "sched/reaper.h"
#include "sched/sched.h"
#include "sched/upcall.h"

/* Slots that are looked at while interrupts are off. */
#define PORTS_VISITED_LOCKED 64U

struct port_slot {
    struct port *port; /* NULL while free */
    uint64_t generation;
};

static struct spinlock table_lock = SPINLOCK_INIT("port table"); /* guards slots; innermost */
static struct port_slot port_table[PORT_TABLE_COUNT] GUARDED_BY(table_lock);
/* Slots below port_table_end are in use or on the stack of free ones; those above were never used. */
static uint32_t port_table_end GUARDED_BY(table_lock);
static uint16_t free_slots[PORT_TABLE_COUNT] GUARDED_BY(table_lock);
static uint32_t free_slot_count GUARDED_BY(table_lock);

_Static_assert(PORT_TABLE_COUNT - 1 <= UINT16_MAX, "an index fits into free_slots");

static status_t port_table_add(struct port *port)
{
    status_t status = OK;
    uint64_t state = spin_lock_save(&table_lock);

    if (free_slot_count > 0) {
        port->index = free_slots[--free_slot_count];
    } else if (port_table_end < PORT_TABLE_COUNT) {
        port->index = port_table_end++;
    } else {
        status = ERR_NO_SPACE;
    }
    if (status == OK) {
        struct port_slot *slot = &port_table[port->index];

        port->generation = ++slot->generation;
        /* release: the port is complete; pairs with the acquire in port_peek */
        atomic_store_release(&slot->port, port);
    }
    spin_unlock_restore(&table_lock, state);
    return status;
}

static void port_table_remove(struct port *port)
{
    uint64_t state = spin_lock_save(&table_lock);

    /* relaxed: who has read it already has interrupts off */
    atomic_store_relaxed(&port_table[port->index].port, (struct port *)NULL);
    free_slots[free_slot_count++] = (uint16_t)port->index;
    spin_unlock_restore(&table_lock, state);
}

struct port *port_peek(uint32_t index) NO_THREAD_SAFETY
{
    ASSERT(!irq_enabled());
    /* acquire: what it is; pairs with the release in port_table_add */
    return atomic_load_acquire(&port_table[index].port);
}

/* Thread context, after a grace period: no fast path can still look at it. */
static void port_reclaim(struct epoch_callback *callback)
{
    struct port *port = container_of(callback, struct port, reclaim);
    struct domain *domain = port->domain;

    port_free_stacks(port);
    spmalloc_free(port);
    object_release(&domain->object);
}

static void port_destroy(struct object *object)
{
    struct port *port = port_of_object(object);

    epoch_defer(&port->reclaim, port_reclaim);
}

static enum port_mode port_mode(const struct port_attributes *attributes)
{
    if (attributes->runs != 0) {
        return attributes->mode == PORT_MODE_USER_SERVICE ? PORT_MODE_CONCURRENT_USER
                                                          : PORT_MODE_CONCURRENT_KERNEL;
    }
    if (attributes->mode == PORT_MODE_USER_SERVICE && mmu_max_asid() == 0) {
        return PORT_MODE_USER_FLUSH;
    }
    return attributes->mode;
}

static void port_fill(struct port *port, struct domain *domain,
                      const struct port_attributes *attributes)
{
    object_init(&port->object, OBJECT_PORT, port_destroy);
    object_retain(&domain->object);
    port->domain = domain;
    port->mode = port_mode(attributes);
    port->kernel_fast = port->mode == PORT_MODE_KERNEL_SERVICE && !attributes->takes_long;
    port->takes_long = attributes->takes_long;
    port->entry = attributes->entry;
    port->cookie = attributes->cookie;
    port->combines = attributes->combines;
    if (attributes->leaf != NULL) {
        port->leaf = *attributes->leaf;
    }
    if (port->mode == PORT_MODE_USER_SERVICE) {
        port->satps = asid_entries(domain->vspace);
    }
    spin_lock_init(&port->lock, "port");
    queue_init(&port->queue);
    wait_queue_init(&port->receivers);
    wait_queue_init(&port->senders);
    port->capacity = PORT_QUEUE_CAPACITY;
    port->high = PORT_QUEUE_CAPACITY / 4 * 3;
    port->low = PORT_QUEUE_CAPACITY / 4;
    port->rank = RANK_SHARING;
    list_init(&port->domain_link);
    list_init(&port->names);
}

/* Enter the port into its owner's list, unless the owner is dying. */
static status_t port_adopt(struct port *port)
{
    struct domain *domain = port->domain;
    uint64_t state = spin_lock_save(&domain->lock);
    bool alive = domain->state == DOMAIN_ALIVE;

    if (alive) {
        list_push_back(&domain->ports, &port->domain_link);
        domain->port_count++;
    }
    spin_unlock_restore(&domain->lock, state);
    return alive ? OK : ERR_PEER_DIED;
}

status_t port_create(struct domain *domain, const struct port_attributes *attributes,
                     struct port **out)
{
    status_t status = port_check_stacks(attributes);

    if (status != OK || (attributes->mode == PORT_MODE_USER_SERVICE && domain->vspace == NULL)) {
        return ERR_INVALID;
    }
    struct port *port = spmalloc_zeroed(domain->account, sizeof(*port));
    if (port == NULL) {
        return domain_is_dying(domain) ? ERR_PEER_DIED : ERR_NO_MEMORY;
    }
    port_fill(port, domain, attributes);
    status = port_make_stacks(port, attributes);
    if (status == OK) {
        status = port_table_add(port);
        if (status == OK) {
            object_retain(&port->object); /* the open port's own; port_retire releases it */
            status = port_adopt(port);    /* from here on its domain's end may close it */
            if (status != OK) {
                port_table_remove(port);
                object_release(&port->object);
            }
        }
    }
    if (status != OK) {
        object_release(&port->object);
        return status;
    }
    *out = port;
    return OK;
}

void port_retire(struct port *port)
{
    struct domain *domain = port->domain;

    port_table_remove(port);
    port_drop_pages(port); /* its domain is finished without waiting for the port's record */
    uint64_t state = spin_lock_save(&domain->lock);
    if (list_is_linked(&port->domain_link)) { /* it may never have been adopted */
        list_remove(&port->domain_link);
        domain->port_count--;
    }
    spin_unlock_restore(&domain->lock, state);

    if (domain_is_dying(domain)) {
        reaper_notify();
    }
    object_release(&port->object);
}

/* Of an exclusive service. */
static bool holder_raise_locked(struct port *port, bool runs) REQUIRES(port->lock)
{
    /* acquire: the holder noted before; pairs with the lock or RMW that published it */
    struct thread *holder = atomic_load_acquire(&port->holder);

    if (holder != NULL) {
        thread_raise(holder, THREAD_UNWIND);
    }
    return holder != NULL || !runs;
}

/* Of a concurrent one with `runs` that go on. */
static bool slots_raise_locked(struct port *port, uint32_t runs) REQUIRES(port->lock)
{
    for (uint32_t i = 0; i < port->slot_count; i++) {
        /* acquire: as above; pairs with the same */
        struct thread *holder = atomic_load_acquire(&port->slots[i].holder);

        if (holder != NULL) {
            thread_raise(holder, THREAD_UNWIND);
            runs--;
        }
    }
    return runs == 0;
}

/*
 * The threads inside the service are to look up: its domain dies. False when somebody is in
 * who has not noted himself yet. Closed is set, so nobody who is in leaves without the lock:
 * who is raised here has not left unseen.
 */
static bool port_interrupt_holders(struct port *port)
{
    uint64_t state = spin_lock_save(&port->lock);
    /* relaxed: run and runs go under this lock */
    uint64_t word = atomic_load_relaxed(&port->word);
    bool all = port->slots != NULL ? slots_raise_locked(port, word_runs(word))
                                   : holder_raise_locked(port, (word & WORD_RUN) != 0);

    spin_unlock_restore(&port->lock, state);
    return all;
}

void port_change_holder(struct port *port, const struct activation *activation,
                        struct thread *thread)
{
    struct thread **holder = &port->holder;

    if (port->slots != NULL) {
        holder = &container_of(activation->stack, struct run_slot, stack)->holder;
    }
    /* relaxed: as in concurrent_leave */
    atomic_store_relaxed(holder, thread);
}

void port_close(struct port *port, status_t reason)
{
    uint64_t state = spin_lock_save(&port->lock);
    /* acq_rel: the reason is written under the lock; run tells who retires; pairs with
     * the CAS of the others */
    uint64_t before = atomic_or_acq_rel(&port->word, WORD_CLOSED);

    if ((before & WORD_CLOSED) != 0) {
        spin_unlock_restore(&port->lock, state);
        return;
    }
    port->close_reason = reason;
    if (port->mode == PORT_MODE_MAILBOX) {
        mailbox_close_locked(port, reason);
    } else {
        baton_refuse_all_locked(port, reason);
    }
    /* Hold the port over the rest: a holder may retire it at any moment. */
    object_retain(&port->object);
    spin_unlock_restore(&port->lock, state);

    port_unbind_all(port);
    wait_queue_wake_all(&port->receivers);
    wait_queue_wake_all(&port->senders);
    name_forget(port);
    if (!word_is_busy(before)) {
        port_retire(port);
    } else if (reason == ERR_PEER_DIED) {
        /* The note comes a few instructions after the taking; the taker may be preempted there. */
        while (!port_interrupt_holders(port)) {
            sched_let_lower_run();
        }
    }
    object_release(&port->object);
}

status_t port_close_reason(struct port *port)
{
    uint64_t state = spin_lock_save(&port->lock);
    /* relaxed: closed is set under this lock */
    bool closed = (atomic_load_relaxed(&port->word) & WORD_CLOSED) != 0;
    status_t reason = closed ? port->close_reason : OK;

    spin_unlock_restore(&port->lock, state);
    return reason;
}

uint32_t port_queued(struct port *port)
{
    uint64_t state = spin_lock_save(&port->lock);
    uint32_t count = line_count_locked(&port->word, &port->queue); /* a mailbox has no arrivals */

    spin_unlock_restore(&port->lock, state);
    return count;
}

status_t port_find(struct port_id id, struct port **out)
{
    status_t status = OK;

    if (id.index >= PORT_TABLE_COUNT) {
        return ERR_NOT_FOUND;
    }
    uint64_t state = spin_lock_save(&table_lock);
    struct port_slot *slot = &port_table[id.index];

    if (id.generation == 0 || id.generation > slot->generation) {
        status = ERR_NOT_FOUND;
    } else if (slot->port == NULL || slot->generation != id.generation ||
               !object_retain_try(&slot->port->object)) {
        status = ERR_STALE;
    } else {
        *out = slot->port;
    }
    spin_unlock_restore(&table_lock, state);
    return status;
}

/* Visits some slots from *index on; false when there are no more, or visit wants no more. */
static bool port_visit_some(uint32_t *index, bool (*visit)(struct port *port, void *argument),
                            void *argument)
{
    uint64_t state = spin_lock_save(&table_lock);
    uint32_t end = *index + PORTS_VISITED_LOCKED;
    bool more = true;

    if (end >= port_table_end) {
        end = port_table_end;
        more = false;
    }
    for (; *index < end; ++*index) {
        struct port *port = port_table[*index].port;

        if (port != NULL && !visit(port, argument)) {
            more = false;
            break;
        }
    }
    spin_unlock_restore(&table_lock, state);
    return more;
}

void port_visit_all(bool (*visit)(struct port *port, void *argument), void *argument)
{
    uint32_t index = 0;

    while (port_visit_some(&index, visit, argument)) {
    }
}

/* Close the first open port of a dying domain; false when none is left. */
static bool domain_close_one(struct domain *domain)
{
    struct port *port = NULL;
    uint64_t state = spin_lock_save(&domain->lock);

    for (struct list *link = list_first(&domain->ports); link != NULL;
         link = list_next(&domain->ports, link)) {
        struct port *candidate = container_of(link, struct port, domain_link);

        /* relaxed: a closed one is skipped; close looks again under the port's lock */
        if ((atomic_load_relaxed(&candidate->word) & WORD_CLOSED) == 0) {
            port = candidate;
            object_retain(&port->object);
            break;
        }
    }
    spin_unlock_restore(&domain->lock, state);
    if (port == NULL) {
        return false;
    }
    port_close(port, ERR_PEER_DIED);
    object_release(&port->object);
    return true;
}

/* Tell everybody inside; false when somebody who is in has not noted himself at this moment. */
static bool domain_interrupt_runs(struct domain *domain)
{
    bool all = true;
    uint64_t state = spin_lock_save(&domain->lock);

    for (struct list *link = list_first(&domain->ports); link != NULL;
         link = list_next(&domain->ports, link)) {
        all &= port_interrupt_holders(container_of(link, struct port, domain_link));
    }
    spin_unlock_restore(&domain->lock, state);
    return all;
}

void upcall_domain_closing(struct domain *domain)
{
    while (domain_close_one(domain)) {
    }
    notification_close_all(domain);
    interrupt_forget(domain);
    /* Ports that were closed before but still run: release their callers, too. One that is run by
     * nobody yet is about to be entered or left: wait for its holder's note, or its retirement. */
    while (!domain_interrupt_runs(domain)) {
        sched_let_lower_run();
    }
}

bool upcall_domain_is_quiet(struct domain *domain)
{
    uint64_t state = spin_lock_save(&domain->lock);
    bool quiet = list_is_empty(&domain->ports);

    spin_unlock_restore(&domain->lock, state);
    if (quiet) { /* nobody of it receives any more */
        mailbox_release_callers(domain);
    }
    return quiet;
}
