/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "arch/irq.h"
#include "ipc/name.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "services/monitor/monitor_priv.h"

struct pick {
    uint64_t left;
    uint32_t domain_id;
    struct port *found;
};

/* The owner's number is read here: while the port is open its domain is there. */
static bool pick_port(struct port *port, void *argument)
{
    struct pick *pick = argument;

    if (pick->left > 0) {
        pick->left--;
        return true;
    }
    if (!object_retain_try(&port->object)) {
        return true;
    }
    pick->found = port;
    pick->domain_id = port->domain->id;
    return false;
}

/* With interrupts off a thread that is still noted stays memory. */
static uint64_t holder_id(struct thread *const *holder)
{
    uint64_t irq = irq_save();
    const struct thread *thread = atomic_load_relaxed(holder);
    uint64_t id = thread == NULL ? 0 : thread->id;

    irq_restore(irq);
    return id;
}

/* Who runs it, and how often it was run. Relaxed: nothing is ordered by a snapshot. */
static void fill_runs(const struct port *port, struct monitor_port *row)
{
    uint64_t word = atomic_load_relaxed(&port->word);

    if (port->slots == NULL) {
        row->runs = 1;
        row->busy = (word & WORD_RUN) != 0;
        row->holder[0] = holder_id(&port->holder);
        row->served = atomic_load_relaxed(&port->calls);
        return;
    }
    row->runs = port->slot_count;
    row->busy = word_runs(word);
    for (uint32_t i = 0; i < port->slot_count; i++) {
        row->holder[i] = holder_id(&port->slots[i].holder);
        row->served += atomic_load_relaxed(&port->slots[i].calls);
    }
}

static uint32_t kind_of(const struct port *port)
{
    if (port->mode == PORT_MODE_MAILBOX) {
        return PORT_MAILBOX;
    }
    if (port->slots != NULL) {
        return PORT_CONCURRENT;
    }
    return port->combines ? PORT_COMBINING : PORT_EXCLUSIVE;
}

status_t monitor_fill_port(uint64_t index, struct monitor_port *row)
{
    char name[MAX_NAME_BYTES + 1] = {0};
    struct pick pick = {.left = index};
    struct port *port;

    port_visit_all(pick_port, &pick);
    port = pick.found;
    if (port == NULL) {
        return ERR_NOT_FOUND;
    }
    row->index = port->index;
    row->generation = port->generation;
    row->domain_id = pick.domain_id;
    row->queued = port_queued(port);
    fill_runs(port, row);
    row->kind = kind_of(port);
    name_of_port(port, name);
    memcpy(row->name, name, strnlen(name, sizeof(row->name)));
    object_release(&port->object);
    return OK;
}
